"""List the files of a folder or a tar archive, one after the other; nothing is ever written to a disk."""

import hashlib
import io
import os
import posixpath
import tarfile
from collections.abc import Callable, Iterator
from functools import partial
from typing import IO, BinaryIO, Final, NamedTuple, Self, cast

from transforms.decide.lists.lines import Readable
from transforms.decide.lists.stored import ListError, Stored
from transforms.part_store import file_size, is_local, join
from transforms.remote_files import match_remote

_CHUNK_BYTES: Final = 1 << 20
_HEADER_BYTES: Final = 1 << 20
_MOST_MEMBERS: Final = 100_000
_OF_HEADERS: Final = frozenset(
    [tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE]
)


class Member(NamedTuple):
    """A file of a folder or archive."""

    name: str
    """Relative to the folder or archive, with slashes."""
    open: Callable[[], IO[bytes]]
    """To be called before the next member is asked for."""
    link: str | None = None
    """What it points to, inside of the folder or archive; a link is not followed."""


class _Header(tarfile.TarInfo):
    """A header that counts as damage where tarfile would take it for the end, or for as long as it says."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        try:
            header = super().frombuf(buf, encoding, errors)
        except tarfile.HeaderError as error:
            if buf.strip(b"\0"):
                raise tarfile.ReadError(str(error)) from error
            raise
        if header.type in _OF_HEADERS and header.size > _HEADER_BYTES:
            raise tarfile.ReadError(f"a header of {header.size:,} bytes")
        return header


def archive_members(stream: Readable) -> Iterator[Member]:
    """Regular files and links of a tar archive, in its order; the stream is read to its end.

    Raises ListError where a member is no file, link or directory, or its name or target lies outside of the archive.
    Raises tarfile.TarError where the archive is damaged; so does the stream of a member.
    """
    with tarfile.open(
        fileobj=cast(IO[bytes], stream), mode="r|", tarinfo=_Header, bufsize=_CHUNK_BYTES, errors="backslashreplace"
    ) as archive:
        for count, member in enumerate(archive):
            if count == _MOST_MEMBERS:
                raise ListError(f"holds more than {_MOST_MEMBERS:,} members, as no list does.")
            _refuse_danger(member)
            if not member.isdir():
                opener = cast(Callable[[], IO[bytes]], partial(archive.extractfile, member))
                yield Member(posixpath.normpath(member.name), opener, _target(member))
        while stream.read(_CHUNK_BYTES):
            continue


def _refuse_danger(member: tarfile.TarInfo) -> None:
    for path in (member.name, _target(member)):
        if path is not None and (path.startswith("/") or ".." in posixpath.normpath(path).split("/")):
            to = "" if path == member.name else ", a link,"
            raise ListError(f"holds `{member.name}`{to} which leads out of it, to `{path}`. Do not trust this archive.")
    kind = member.isfile() or member.isdir() or member.issym() or member.islnk()
    if not kind or member.issparse():
        raise ListError(f"holds `{member.name}`, which is no plain file. Do not trust this archive.")


def _target(member: tarfile.TarInfo) -> str | None:
    """What a link points to, from the top of the archive."""
    if member.issym() and not member.linkname.startswith("/"):
        return posixpath.normpath(posixpath.join(posixpath.dirname(member.name), member.linkname))
    return member.linkname if member.issym() or member.islnk() else None


def is_folder(path: str) -> bool:
    """Whether a path of any filesystem is a folder: on an object store, whether something lies under it."""
    if is_local(path):
        return os.path.isdir(path)
    return file_size(path) is None and bool(_remote_names(path))


class Folder:
    """The files of a folder and of the folders in it, and the digest of those that were opened."""

    def __init__(self, path: str, open_file: Callable[[str], BinaryIO]):
        self._path, self._open_file = path, open_file
        self._opened: dict[str, Stored] = {}

    def members(self) -> Iterator[Member]:
        """Files and links, sorted by name."""
        local = is_local(self._path)
        for name, link in _local_names(self._path) if local else [(name, None) for name in _remote_names(self._path)]:
            yield Member(name, partial(self._open, name), link)

    def _open(self, name: str) -> io.BufferedReader:
        self._opened[name] = Stored(self._open_file(join(self._path, name)))
        return io.BufferedReader(self._opened[name], _CHUNK_BYTES)

    def sha256(self) -> str:
        """SHA-256 over a line for each file that was opened, by name: name, NUL, SHA-256 of the file. Hex."""
        lines = (f"{name}\0{stored.sha256()}\n" for name, stored in sorted(self._opened.items()))
        return hashlib.sha256("".join(lines).encode()).hexdigest()


def _remote_names(path: str) -> list[str]:
    prefix = join(path, "")
    return sorted(path[len(prefix) :] for path in match_remote(f"{prefix}**"))


def _raise(error: OSError) -> None:
    """A folder that cannot be listed is no empty one, for which os.walk would take it."""
    raise error


def _local_names(path: str) -> list[tuple[str, str | None]]:
    found = []
    for folder, folders, files in os.walk(path, onerror=_raise):
        links = [name for name in folders if os.path.islink(os.path.join(folder, name))]
        for name in [*files, *links]:
            whole = os.path.join(folder, name)
            found.append(
                (os.path.relpath(whole, path).replace(os.sep, "/"), os.readlink(whole) if name in links else None)
            )
    return sorted(found)
