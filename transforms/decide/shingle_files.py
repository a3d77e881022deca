"""Shingle files: the sets of each part's members, read by ranges, some components at a time."""

import mmap
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO, Final

import numpy as np
import numpy.typing as npt

from transforms.part_store import open_input, part_path, write_file

U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]

ITEM: Final = 8
HELD_BYTES: Final = 64 << 20
"""Sets that a judge holds in memory; those of a larger component lie in a temporary file that is mapped."""
BLOCK_BYTES: Final = 1 << 20


def write_sets(directory: str, part: int, sets: U64) -> None:
    """Write the sets of a part's members, one after the other."""
    with write_file(part_path(directory, part, "sets")) as file:
        file.write(np.ascontiguousarray(sets, "<u8"))


@dataclass(frozen=True)
class LoadedSets:
    """Sets of some documents in one array; `start`, int64 of shape (rows,), says where each begins."""

    shingles: U64
    start: I64
    mapped: mmap.mmap | None = None

    def rest(self) -> None:
        """Give mapped memory back; what is needed again comes from the file."""
        if self.mapped is not None:
            self.mapped.madvise(mmap.MADV_DONTNEED)


@contextmanager
def load_sets(directory: str, part: I64, start: I64, size: I64) -> Iterator[LoadedSets]:
    """The sets of some documents; `part` names the file of each, `start` and `size` the place in it (shape (rows,)).

    Of every file the range from the first of them to the last is read. Raises OSError.
    """
    numbers, group = np.unique(part[size > 0], return_inverse=True)
    low, high = np.full(len(numbers), np.iinfo(np.int64).max), np.zeros(len(numbers), np.int64)
    np.minimum.at(low, group, start[size > 0])
    np.maximum.at(high, group, (start + size)[size > 0])
    length = high - low
    place = np.zeros_like(start)
    place[size > 0] = start[size > 0] + (np.cumsum(length) - length - low)[group]
    ranges = [
        (part_path(directory, int(n), "sets"), int(a), int(b)) for n, a, b in zip(numbers, low, high, strict=True)
    ]
    total = int(length.sum()) * ITEM
    if total <= HELD_BYTES:
        held = bytearray(total)
        at = 0
        for block in _blocks(ranges):
            held[at : at + len(block)] = block
            at += len(block)
        yield LoadedSets(np.frombuffer(held, "<u8"), place)
        return
    with tempfile.TemporaryFile() as file:
        for block in _blocks(ranges):
            file.write(block)
        file.flush()
        mapped = mmap.mmap(file.fileno(), total, access=mmap.ACCESS_READ)
        yield LoadedSets(np.frombuffer(mapped, "<u8"), place, mapped)


def _blocks(ranges: list[tuple[str, int, int]]) -> Iterator[bytes]:
    for path, low, high in ranges:
        with open_input(path) as stream:
            stream.seek(low * ITEM)
            yield from _read_exactly(stream, (high - low) * ITEM, path)


def _read_exactly(stream: BinaryIO, left: int, path: str) -> Iterator[bytes]:
    while left:
        block = stream.read(min(left, BLOCK_BYTES))
        if not block:
            raise OSError(
                f"{path} is cut short by {left} bytes: remove the directory that it lies in, and decide again"
            )
        left -= len(block)
        yield block
