"""Files of a run, on a local disk or any Beam filesystem: read, write so that nothing half-written shows, mark as done.

On a local disk a file is written under a hidden name and renamed. On an object store a file shows when all of it was
sent, so it is made on the local disk and sent whole under its own name; no rename is assumed.
"""

import hashlib
import json
import os
import re
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO, Final, cast

import pyarrow as pa

from schemas.errors import OutputError
from transforms.remote_files import (
    copy_in_place,
    delete_remote,
    open_remote,
    remote_exists,
    remote_names,
    remote_size,
    remote_sizes,
    send_remote,
)

PART_NAME = "part-{:05d}"
STAGE_FILE = "stage.json"
MANIFEST = "manifest.json"
"""What a dataset is, written last; where it is, the dataset is whole."""
_UNFINISHED = ".tmp-"
_MARKER: Final = re.compile(r"part-(\d+)\.json")
MARKERS_AT_ONCE: Final = 16
"""How many `Stage.markers` reads at the same time."""


def is_local(path: str) -> bool:
    """Whether the path has no `scheme://`."""
    return "://" not in path


def join(directory: str, *names: str) -> str:
    """Path of a file under a directory of any filesystem.

    >>> join("s3://bucket/", "store", "part"), join("s3://", "part")  # the latter names no bucket, and stays remote
    ('s3://bucket/store/part', 's3:///part')
    """
    return "/".join([directory if directory.endswith("://") else directory.rstrip("/"), *names])


def part_path(directory: str, number: int, suffix: str) -> str:
    """Path of a part's file.

    >>> part_path("store", 7, "parquet")
    'store/part-00007.parquet'
    """
    return join(directory, f"{PART_NAME.format(number)}.{suffix}")


def open_input(path: str) -> BinaryIO:
    """Open a file for reading, bytes as stored. Raises OSError."""
    return open(path, "rb") if is_local(path) else open_remote(path)


def exists(path: str) -> bool:
    return os.path.exists(path) if is_local(path) else remote_exists(path)


def file_size(path: str) -> int | None:
    """Size of a file in bytes; None if there is none."""
    if is_local(path):
        return os.path.getsize(path) if os.path.isfile(path) else None
    return remote_size(path)


def file_sizes(directory: str, names: Iterable[str]) -> dict[str, int]:
    """Bytes of those files below a directory that are there, by one listing of each folder that holds some of them.

    `names` are paths in the directory, such as `documents/part-00000.parquet`.
    """
    wanted = set(names)
    found: dict[str, int] = {}
    for folder in sorted({name.rpartition("/")[0] for name in wanted}):
        prefix = f"{folder}/" if folder else ""
        listed = _sizes(join(directory, folder) if folder else directory)
        found |= {prefix + name: size for name, size in listed.items() if prefix + name in wanted}
    return found


def intact_files(directory: str, files: Mapping[str, Mapping[str, Any]]) -> set[str]:
    """Names of those files that are as `files` says (by name in the directory, with `bytes` and `sha256`).

    On a local disk each is read. On an object store sizes have to do, as an object is whole or absent there: reading
    would bring the dataset here.
    """
    sizes = file_sizes(directory, files)
    sized = {name for name, facts in files.items() if sizes.get(name) == facts["bytes"]}
    if not is_local(directory):
        return sized
    return {name for name in sized if file_facts(join(directory, name))["sha256"] == files[name]["sha256"]}


def list_names(directory: str) -> list[str]:
    """Sorted names of what lies directly in a directory; empty where there is no such directory."""
    if is_local(directory):
        return sorted(os.listdir(directory)) if os.path.isdir(directory) else []
    return remote_names(directory)


def list_file_names(directory: str) -> list[str]:
    """As `list_names`, but on an object store files only, without a look at what lies deeper."""
    if is_local(directory):
        return list_names(directory)
    return sorted(remote_sizes(directory))


@contextmanager
def write_file(path: str) -> Iterator[pa.NativeFile]:
    """Open a file for writing; it shows under its name, whole, when the block ends without an error."""
    if not is_local(path):
        with tempfile.TemporaryDirectory() as directory:
            unfinished = os.path.join(directory, "file")
            with pa.OSFile(unfinished, "wb") as file:
                yield file
            send_remote(unfinished, path)
        return
    with _beside(path) as unfinished, pa.OSFile(unfinished, "wb") as file:
        yield file


@contextmanager
def _beside(path: str) -> Iterator[str]:
    """A hidden name beside a local path; what is there when the block ends without an error moves to the path."""
    directory, name = os.path.split(path)
    os.makedirs(directory, exist_ok=True)
    unfinished = os.path.join(directory, f".{name}{_UNFINISHED}{uuid.uuid4().hex}")
    try:
        yield unfinished
        os.replace(unfinished, path)
    finally:
        if os.path.lexists(unfinished):
            os.remove(unfinished)


def write_json(path: str, value: Mapping[str, Any]) -> None:
    with write_file(path) as file:
        file.write(json.dumps(value, indent=1, ensure_ascii=False).encode() + b"\n")


def read_json(path: str) -> dict[str, Any]:
    with open_input(path) as file:
        return cast(dict[str, Any], json.load(file))


def copy_file(source: str, target: str) -> None:
    """Copy a file to its place, whole or not at all."""
    if copy_in_place(source, target):
        return
    with open_input(source) as stream, write_file(target) as file:
        shutil.copyfileobj(stream, file, 1 << 20)


def link_or_copy(source: str, target: str) -> None:
    """Put a file that is never changed to a second place: by a hard link where the disk has them, else by a copy."""
    if not is_local(source) or not is_local(target):
        copy_file(source, target)
        return
    with _beside(target) as unfinished:
        try:
            os.link(source, unfinished)
        except OSError:  # another disk, or one without hard links
            shutil.copyfile(source, unfinished)


def file_facts(path: str) -> dict[str, int | str]:
    """Size in bytes and SHA-256 of a file."""
    with open_input(path) as stream:
        digest, size = hashlib.sha256(), 0
        while block := stream.read(1 << 20):
            digest.update(block)
            size += len(block)
    return {"bytes": size, "sha256": digest.hexdigest()}


def remove_tree(path: str) -> None:
    """Remove a file or a directory with all that is in it, if it is there."""
    if not is_local(path):
        delete_remote(path)
    elif os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.remove(path)


@dataclass(frozen=True)
class Stage:
    """A directory that a stage fills part by part, and the digest of all that its content depends on.

    A part is done when its marker `part-00000.json` carries the digest of the stage; a run that resumes does the rest.
    """

    directory: str
    digest: str

    def begun_for(self) -> str | None:
        """The digest that the directory was begun for; None if it was not begun."""
        try:
            return str(read_json(join(self.directory, STAGE_FILE))["digest"])
        except FileNotFoundError:
            return None

    def begin(self, facts: Mapping[str, Any], *, overwrite: bool = False) -> None:
        """Claim the directory, and remove what a killed run left half-written.

        Where it was begun for something else, that is removed with `overwrite`; without, OutputError is raised.
        """
        found = self.begun_for()
        if found not in (None, self.digest) and overwrite:
            remove_tree(self.directory)
            found = None
        if found is not None:
            if found != self.digest:
                raise OutputError(
                    f"{self.directory} was begun with another config or other input files "
                    f"(digest {found[:16]}, now {self.digest[:16]}).\n"
                    "Restore them to go on with --resume, or start anew with --overwrite."
                )
        else:
            write_json(join(self.directory, STAGE_FILE), {"digest": self.digest, **facts})
        sweep(self.directory)

    def marker(self, number: int) -> dict[str, Any] | None:
        """What `finish` recorded for a part, or None if the part is not done."""
        return self._read_marker(number, lambda suffix: file_size(self.path(number, suffix)))

    def _read_marker(self, number: int, size_of: Callable[[str], int | None]) -> dict[str, Any] | None:
        try:
            found = read_json(part_path(self.directory, number, "json"))
        except (FileNotFoundError, ValueError):  # ValueError: cut by a failing disk
            return None
        if found["digest"] != self.digest:
            return None
        return found if all(size_of(suffix) == size for suffix, size in found["sizes"].items()) else None

    def finish(self, number: int, facts: Mapping[str, Any], suffixes: Sequence[str] = ()) -> None:
        """Mark a part as done, when all its files are in place.

        `suffixes` are those of its files here: should one be gone or cut later, the part is not done any more.
        """
        sizes = {suffix: file_size(self.path(number, suffix)) for suffix in suffixes}
        write_json(part_path(self.directory, number, "json"), {"digest": self.digest, "sizes": sizes, **facts})

    def path(self, number: int, suffix: str = "parquet") -> str:
        return part_path(self.directory, number, suffix)

    def listed(self) -> set[int]:
        """Numbers of the parts that have a marker, be it of this digest or another."""
        found = (_MARKER.fullmatch(name) for name in list_file_names(self.directory))
        return {int(match[1]) for match in found if match}

    def markers(self, numbers: Sequence[int]) -> list[dict[str, Any] | None]:
        """`marker` of each part, many at a time; sizes of files come from one listing, not by a request for each."""
        sizes = _sizes(self.directory)

        def marker(number: int) -> dict[str, Any] | None:
            def size_of(suffix: str) -> int | None:
                return sizes.get(os.path.basename(self.path(number, suffix)))

            return None if size_of("json") is None else self._read_marker(number, size_of)

        with ThreadPoolExecutor(MARKERS_AT_ONCE) as pool:
            return list(pool.map(marker, numbers))

    def done(self) -> set[int]:
        """Numbers of the parts that are done."""
        numbers = sorted(self.listed())
        return {number for number, found in zip(numbers, self.markers(numbers), strict=True) if found is not None}


def _sizes(directory: str) -> Mapping[str, int]:
    """Bytes of the files directly in a directory, by name: on an object store its listing has them."""
    if not is_local(directory):
        return remote_sizes(directory)
    if not os.path.isdir(directory):
        return {}
    with os.scandir(directory) as entries:
        return {entry.name: entry.stat().st_size for entry in entries if entry.is_file()}


def is_unfinished(name: str) -> bool:
    """Whether a file of this name is one that `write_file` had not finished.

    >>> is_unfinished(".stage.json.tmp-0f3a"), is_unfinished("stage.json")
    (True, False)
    """
    return name.startswith(".") and _UNFINISHED in name


def sweep(directory: str) -> None:
    """Remove files that a killed run left unfinished in a local directory."""
    for name in list_names(directory) if is_local(directory) else ():
        if is_unfinished(name):
            os.remove(os.path.join(directory, name))


def write_arrow(path: str, table: pa.Table) -> None:
    """Write a table as an Arrow IPC file; for what passes between the steps of one run."""
    with write_file(path) as file, pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)


def read_arrow(path: str) -> pa.Table:
    """Read a table that `write_arrow` wrote."""
    if is_local(path):
        with pa.memory_map(path) as file:
            return pa.ipc.open_file(file).read_all()
    with open_input(path) as stream:
        return pa.ipc.open_file(pa.py_buffer(stream.read())).read_all()
