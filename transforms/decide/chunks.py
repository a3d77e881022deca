"""Chunks: Arrow files of a directory, some at a time, and passes that send a share of what they hold."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.part_store import join, list_file_names, read_arrow
from transforms.shuffle import Packed, split


def arrow_names(directory: str) -> list[str]:
    """Sorted names of the Arrow files in a directory."""
    return [name for name in list_file_names(directory) if name.endswith(".arrow")]


@dataclass(frozen=True)
class Chunks:
    """Arrow files of a directory that does not change, `size` at a time in order of their names."""

    directory: str
    size: int = 1

    @cached_property
    def _names(self) -> list[str]:
        return arrow_names(self.directory)

    def _chunk(self, number: int) -> list[str]:
        return self._names[number * self.size : (number + 1) * self.size]

    def read(self, number: int) -> pa.Table:
        """All rows of a chunk."""
        return pa.concat_tables(read_arrow(join(self.directory, name)) for name in self._chunk(number))

    def name(self, number: int) -> str:
        """The name of the first file of a chunk, which what is made of the chunk bears too."""
        return self._chunk(number)[0]


class Turn(NamedTuple):
    """One of several passes over the same chunks; each sends the partitions that leave its number as remainder."""

    number: int
    passes: int

    def send(self, batch: pa.RecordBatch, target: npt.NDArray[np.integer]) -> Iterator[Packed]:
        """Split a batch by the partition of each row, as `split` does, without the partitions of other passes."""
        mine = np.flatnonzero(target % self.passes == self.number)
        yield from split(batch.take(pa.array(mine)) if self.passes > 1 else batch, target[mine])
