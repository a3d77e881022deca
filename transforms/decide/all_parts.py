"""All parts: those of this crawl and, numbered after them, those of the earlier stores it is compared with."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from schemas.columns import FINGERPRINTS, TEXT, is_near_field
from schemas.errors import WorkError
from transforms.part_store import Stage, join, open_input, part_path

OWN = -1
"""Number of the store that this crawl is, where earlier stores count from 0."""
_PRINTS = [column.name for column in FINGERPRINTS.columns]


@dataclass(frozen=True)
class EarlierStore:
    """A measured store, or a published dataset, that was there before."""

    build: str
    """By which the ledger names it: the build id of a dataset, `measured-` and the digest of a measured store."""
    directory: str
    parts: tuple[int, ...]
    records: int
    published: bool
    digest: str
    """Of all that its documents are found by."""

    def read(self, number: int, columns: Sequence[str]) -> pa.Table:
        """Measured columns of all documents of a part. Raises WorkError if it cannot be read any more."""
        try:
            if self.published:
                return self._read_published(number, columns)
            return _read(part_path(self.directory, number, "parquet"), columns)
        except (OSError, pa.ArrowException) as error:
            raise WorkError(
                f"Part {number} of {self.directory}, which `dedup.against` names, cannot be read: {error}\n"
                "It was whole when the run began. Restore it as it was and go on with --resume."
            ) from error

    def _read_published(self, number: int, columns: Sequence[str]) -> pa.Table:
        """Columns of a dataset, which lie in two files, row beside row."""
        prints = [name for name in columns if name in _PRINTS or is_near_field(name)]
        texts = [name for name in columns if name not in prints]
        folders = {"fingerprints": prints, "documents": texts}
        tables = [
            _read(part_path(join(self.directory, folder), number, "parquet"), names)
            for folder, names in folders.items()
            if names
        ]
        return pa.table({name: table[name] for table in tables for name in table.column_names}).select(columns)


def _read(path: str, columns: Sequence[str]) -> pa.Table:
    with open_input(path) as stream:
        return pq.read_table(stream, columns=list(columns))


@dataclass(frozen=True)
class AllParts:
    """What decide looks at: part number to columns, whoever holds them."""

    measured: Stage
    own: int
    """Parts of this crawl: numbers 0 to `own` - 1."""
    earlier: tuple[EarlierStore, ...] = ()

    @cached_property
    def _starts(self) -> list[int]:
        starts = [self.own]
        for store in self.earlier:
            starts.append(starts[-1] + len(store.parts))
        return starts

    @property
    def count(self) -> int:
        """Number of all parts, which are numbered from 0."""
        return self._starts[-1]

    def stores(self, numbers: npt.NDArray[np.integer]) -> npt.NDArray[np.int64]:
        """Numbers of the earlier stores that hold some parts; `OWN` for those of this crawl.

        >>> store = EarlierStore("b", "dir", (0, 1), 9, False, "digest")
        >>> parts = AllParts(Stage("dir", "digest"), 3, (store, store))
        >>> parts.count, parts.stores(np.arange(parts.count)).tolist()
        (7, [-1, -1, -1, 0, 0, 1, 1])
        """
        return np.searchsorted(self._starts, numbers, "right") - 1

    def read(self, number: int, columns: Sequence[str]) -> pa.Table:
        """Measured columns of all documents of a part."""
        store = int(self.stores(np.array([number]))[0])
        if store == OWN:
            return _read(self.measured.path(number), columns)
        earlier = self.earlier[store]
        return earlier.read(earlier.parts[number - self._starts[store]], columns)

    def own_texts(self, number: int) -> Iterator[pa.Array]:
        """The texts of all documents of a part of this crawl, a row group at a time."""
        with open_input(self.measured.path(number)) as stream:
            file = pq.ParquetFile(stream)
            for group in range(file.num_row_groups):
                yield file.read_row_group(group, columns=[TEXT.name], use_threads=False)[TEXT.name].combine_chunks()
