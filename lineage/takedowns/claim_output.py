"""Claim the output of a takedown: refuse what is not ours to write to, tell what was finished or begun there."""

import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from typing import Any, Final

from lineage.catalog import Dataset
from schemas.errors import OutputError
from transforms.hold import LOCK, hold
from transforms.part_store import MANIFEST, exists, is_local, is_unfinished, join, list_names, read_json, write_json
from transforms.publish.manifest import WORK, read_manifest
from transforms.takedowns.read_takedown import Takedown

CLAIM: Final = "takedown.json"
"""In `_work` of an output: what is being made there."""


@dataclass(frozen=True)
class Claim:
    """What an output is claimed for."""

    takedown: str
    """Its SHA-256."""
    version: str
    """Of the dataset that it is carried out on."""
    crawl: bool
    """Whether texts are read again from the crawl, without which fewer copies may be found."""

    @classmethod
    def of(cls, dataset: Dataset, takedown: Takedown, crawl: bool) -> "Claim":
        return cls(takedown.sha256, dataset.version_id, crawl)


def version_after(version: str, takedown: str) -> str:
    """The id of the version that a takedown, by its id, makes of another: 16 hex digits of a SHA-256 of the two.

    >>> len(version_after("0123456789abcdef", "fedcba9876543210"))
    16
    """
    return hashlib.sha256(f"{version}{takedown}".encode()).hexdigest()[:16]


def finished(dataset: Dataset, takedown: Takedown, output: str) -> Mapping[str, Any] | None:
    """The manifest of the output, if it is what the takedown makes of the dataset; None if it is yet to be made.

    Raises OutputError if the output cannot be written to: it holds something else, or lies in the dataset or round it.
    """
    _refuse_inside(dataset.directory, output)
    names = [name for name in list_names(output) if not is_unfinished(name)]
    if MANIFEST in names:
        manifest = read_manifest(output)
        versions = dataset.version_id, version_after(dataset.version_id, takedown.id)
        ours = takedown.id in (one["id"] for one in manifest["takedowns"])
        if ours and manifest["version_id"] in versions:
            return manifest
        raise OutputError(
            f"{output} holds a finished dataset, version {manifest['version_id']}, which this takedown does not make "
            f"of {dataset.directory}, version {dataset.version_id}.\nChoose an empty directory."
        )
    if names and not exists(join(output, WORK, CLAIM)) and not _only_held(output, names):
        raise OutputError(f"{output} holds {', '.join(names[:5])}, and no takedown.\nChoose an empty directory.")
    return None


@contextmanager
def claim_output(output: str, claim: Claim, now: str) -> Iterator[str]:
    """Hold the output while the block runs, and have it begun for the claim; gives when that was first done.

    Raises OutputError if it was begun for something else, if another run is writing there, or if nobody can.
    """
    with ExitStack() as held:
        try:
            held.enter_context(hold(join(output, WORK)))
            began = _begin(output, claim, now)
        except OSError as error:
            raise OutputError(f"{output} cannot be written to: {error.strerror or error}.") from error
        yield began


def _begin(output: str, claim: Claim, now: str) -> str:
    path = join(output, WORK, CLAIM)
    if not exists(path):
        write_json(path, {**asdict(claim), "began": now})
    found = read_json(path)
    if Claim(**{name: found[name] for name in asdict(claim)}) != claim:
        raise OutputError(
            f"{output} holds the rest of a takedown that was begun with another request, of another version, or with "
            "another `--no-crawl`.\nFinish that one by its own command, or choose an empty directory."
        )
    return str(found["began"])


def _only_held(output: str, names: list[str]) -> bool:
    """Whether nothing is there but the sign that a run held it."""
    return names == [WORK] and set(list_names(join(output, WORK))) <= {LOCK}


def _refuse_inside(dataset: str, output: str) -> None:
    if not output:
        raise OutputError("--output is empty; name a directory.")
    if is_local(output) and os.path.lexists(output) and not os.path.isdir(output):
        raise OutputError(f"{output} is a file; --output names a directory.")
    one, other = (os.path.realpath(path) if is_local(path) else path.rstrip("/") for path in (dataset, output))
    if f"{one}/".startswith(f"{other}/") or f"{other}/".startswith(f"{one}/"):
        raise OutputError(
            f"{output} and the dataset {dataset} lie one in the other.\n"
            "A takedown makes a new version and leaves the old one as it is: choose a directory apart from it."
        )
