"""All parts: those of this crawl; after them those of earlier stores; last, what takedowns have of what they took."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from schemas.columns import DOCUMENTS, FINGERPRINTS, TEXT, is_near_field
from schemas.errors import WorkError
from schemas.reasons import KEEP
from transforms.part_store import Stage, join, open_input, part_path, read_arrow

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
        """Columns of the kept documents, which lie in two files; in that of fingerprints beside those of all others."""
        prints = [name for name in columns if name in _PRINTS or is_near_field(name)]
        texts = [name for name in columns if name not in prints]
        tables = []
        if prints:
            kept = pc.equal(_read(self._path("ledger", number), ["decision"])["decision"], KEEP)
            tables.append(_read(self._path(FINGERPRINTS.name, number), prints).filter(kept))
        if texts:
            tables.append(_read(self._path(DOCUMENTS.name, number), texts))
        return pa.table({name: table[name] for table in tables for name in table.column_names}).select(columns)

    def _path(self, folder: str, number: int) -> str:
        return part_path(join(self.directory, folder), number, "parquet")


def _read(path: str, columns: Sequence[str]) -> pa.Table:
    with open_input(path) as stream:
        return pq.read_table(stream, columns=list(columns))


@dataclass(frozen=True)
class TakenStore:
    """What `store_takedowns` wrote: what copies of texts that were asked out are found by. It holds no documents."""

    stage: Stage
    parts: int
    records: int


@dataclass(frozen=True)
class AllParts:
    """What decide looks at: part number to columns, whoever holds them."""

    measured: Stage
    own: int
    """Parts of this crawl: numbers 0 to `own` - 1."""
    earlier: tuple[EarlierStore, ...] = ()
    taken: TakenStore | None = None

    @cached_property
    def _starts(self) -> list[int]:
        starts = [self.own]
        for store in self.earlier:
            starts.append(starts[-1] + len(store.parts))
        return starts

    @property
    def documents(self) -> int:
        """Number of the parts that hold documents, those of this crawl and of earlier stores."""
        return self._starts[-1]

    @property
    def count(self) -> int:
        """Number of all parts, which are numbered from 0."""
        return self.documents + (self.taken.parts if self.taken else 0)

    def stores(self, numbers: npt.NDArray[np.integer]) -> npt.NDArray[np.int64]:
        """Numbers of the earlier stores that hold some parts; `OWN` for those of this crawl.

        What was taken has the number that follows those of all earlier stores.

        >>> store = EarlierStore("b", "dir", (0, 1), 9, False, "digest")
        >>> parts = AllParts(Stage("dir", "digest"), 3, (store, store))
        >>> parts.count, parts.stores(np.arange(parts.count)).tolist()
        (7, [-1, -1, -1, 0, 0, 1, 1])
        """
        return np.searchsorted(self._starts, numbers, "right") - 1

    def read(self, number: int, columns: Sequence[str]) -> pa.Table:
        """Measured columns of all documents of a part; of what was taken, those that `store_takedowns` wrote."""
        if self.taken and number >= self.documents:
            return read_arrow(self.taken.stage.path(number - self.documents, "arrow")).select(columns)
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
