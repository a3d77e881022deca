"""Plan: cut the crawl into numbered parts of about one size, from the input and the config alone."""

import hashlib
import itertools
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from transforms.measure.list_files import CrawlFile
from transforms.part_store import Stage, join, read_json, write_json

PARTS_A_FILE: Final = 1000


@dataclass(frozen=True)
class Piece:
    """A file, or a range of one: bytes [start, stop) of plain JSONL, row groups [start, stop) of Parquet."""

    path: str
    name: str
    format: str
    compression: str
    start: int
    stop: int | None
    bytes: int


@dataclass(frozen=True)
class Part:
    """The unit of work and of output: one measured, one documents and one ledger file."""

    number: int
    pieces: tuple[Piece, ...]

    @property
    def bytes(self) -> int:
        return sum(piece.bytes for piece in self.pieces)

    @classmethod
    def from_dict(cls, value: dict[str, Any]) -> "Part":
        """The part that `dataclasses.asdict` made the value of."""
        return cls(value["number"], tuple(Piece(**piece) for piece in value["pieces"]))

    def __str__(self) -> str:
        first = self.pieces[0].name
        return f"part {self.number} ({first}{f' and {len(self.pieces) - 1} more' if len(self.pieces) > 1 else ''})"


@dataclass(frozen=True)
class Plan:
    """All files and parts of a run."""

    files: tuple[CrawlFile, ...]
    parts: tuple[Part, ...]

    def facts(self) -> dict[str, Any]:
        """What the manifest says of the plan: names, sizes and digests, but not where the files lie."""
        return {
            "files": [{"name": f.name, "bytes": f.bytes, "digest": f.digest, "format": f.format} for f in self.files],
            "parts": [[[p.name, p.start, p.stop] for p in part.pieces] for part in self.parts],
        }

    def digest(self) -> str:
        """SHA-256, hex, of `facts`: the same crawl has the same digest wherever it lies."""
        return hashlib.sha256(json.dumps(self.facts(), sort_keys=True).encode()).hexdigest()


def write_plan(plan: Plan, store: Stage) -> None:
    """Write the parts beside what they become, many to a file: a job names a part by its number alone."""
    for start in range(0, len(plan.parts), PARTS_A_FILE):
        parts = [asdict(part) for part in plan.parts[start : start + PARTS_A_FILE]]
        write_json(_plan_path(store, start), {"parts": parts})


def read_parts(store: Stage, start: int) -> list[Part]:
    """The parts from number `start`, a multiple of `PARTS_A_FILE`, that `write_plan` wrote to one file."""
    return [Part.from_dict(value) for value in read_json(_plan_path(store, start))["parts"]]


def _plan_path(store: Stage, start: int) -> str:
    return join(store.directory, f"plan-{start // PARTS_A_FILE:05d}.json")


def plan_parts(files: Sequence[CrawlFile], part_size: int) -> Plan:
    """Parts of about `part_size` bytes as stored, in order of file names.

    Plain JSONL is cut by byte range and Parquet by row groups; other files stay whole. Small pieces are joined: a part
    takes the next piece as long as it does not grow beyond the target.
    """
    files = sorted(files, key=lambda f: f.name)
    pieces = [piece for file in files for piece in _cut(file, part_size)]
    return Plan(tuple(files), tuple(Part(i, tuple(group)) for i, group in enumerate(_join(pieces, part_size))))


def _cut(file: CrawlFile, part_size: int) -> Iterator[Piece]:
    """Pieces of a file, of about equal size and none far above the target where the format allows it."""

    def piece(start: int, stop: int | None, size: int) -> Piece:
        return Piece(file.path, file.name, file.format, file.compression, start, stop, size)

    count = -(-file.bytes // part_size)
    if file.format == "jsonl" and file.compression == "none" and count > 1:
        borders = [file.bytes * i // count for i in range(count + 1)]
        yield from (piece(a, b, b - a) for a, b in itertools.pairwise(borders))
    elif len(file.groups) > 1 and count > 1:
        start, size = 0, 0
        for group, group_bytes in enumerate(file.groups):
            if size and size + group_bytes > part_size:
                yield piece(start, group, size)
                start, size = group, 0
            size += group_bytes
        yield piece(start, len(file.groups), size)
    else:
        yield piece(0, None, file.bytes)


def _join(pieces: Iterable[Piece], part_size: int) -> Iterator[list[Piece]]:
    group: list[Piece] = []
    size = 0
    for piece in pieces:
        if group and size + piece.bytes > part_size:
            yield group
            group, size = [], 0
        group.append(piece)
        size += piece.bytes
    if group:
        yield group
