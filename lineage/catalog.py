"""Open a dataset and find ledger rows in it, wherever it lies; nothing is ever written to it.

    dataset = open_dataset("dataset")
    dataset.sql("SELECT decision, count(*) FROM ledger GROUP BY ALL ORDER BY ALL")
    dataset.ledger(dataset.find("isbn", ["9780134685991"]))

An index is sorted over all of its files, and the manifest says with which value each file begins. So a value is found
by two binary searches, in that list and in the statistics of one file, and by reading one row group of three columns.
Rows of the ledger are read by the row group too. All else is plain SQL over the files.
"""

from bisect import bisect_left
from collections.abc import Sequence
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from schemas.columns import INDEX_KEYS, INDEX_URLS
from schemas.errors import InputError
from transforms.measure.fingerprint import NearSettings
from transforms.part_store import is_local, join, open_input, part_path
from transforms.publish.index_keys import key_of
from transforms.publish.manifest import read_manifest

if TYPE_CHECKING:
    import duckdb

I64 = npt.NDArray[np.int64]
Bounds = npt.NDArray[np.int64] | npt.NDArray[np.object_]

PLACES: Final = pa.schema(
    [
        pa.field("query", pa.int32(), False),
        pa.field("part", pa.int32(), False),
        pa.field("row", pa.int32(), False),
    ]
)
"""Ledger rows that answer numbered queries: sorted by all three columns."""
OPEN_FILES: Final = 256
"""Files whose footers are kept."""


class Dataset:
    """A finished dataset, opened for questions. Raises InputError if the directory holds none that can be read.

    It may be used by one thread at a time.
    """

    def __init__(self, directory: str):
        self.directory = directory.rstrip("/") or directory
        self.manifest = read_manifest(directory)
        self._open = lru_cache(maxsize=OPEN_FILES)(self._open_file)
        self._group_starts = lru_cache(maxsize=OPEN_FILES)(self._read_group_starts)

    @property
    def build_id(self) -> str:
        return str(self.manifest["build_id"])

    @property
    def version_id(self) -> str:
        """That of the build, until a takedown makes a new version of it."""
        return str(self.manifest["version_id"])

    @property
    def near(self) -> NearSettings | None:
        """How signatures were made; None without near duplicates."""
        near = self.manifest["fingerprint"]["near"]
        return NearSettings(**near) if near else None

    @property
    def threshold(self) -> float | None:
        """Similarity from which two documents were duplicates."""
        return self.manifest["duplicates"]["threshold"]

    def parts(self, folder: str) -> list[int]:
        """Numbers of the files of a folder."""
        names = (name.split("/") for name in self.manifest["files"])
        return sorted(int(name[5:-8]) for place, name in names if place == folder and name.startswith("part-"))

    def path(self, folder: str, part: int) -> str:
        """Where a file of a folder is, or would be."""
        return part_path(join(self.directory, folder), part, "parquet")

    def sql(self, query: str, parameters: Sequence[Any] = ()) -> pa.Table:
        """The answer to a query in SQL, over views named as the folders of the dataset.

        Values go to `parameters`, for which `?` stands in the query, and never into the query itself.
        """
        return self.connection.sql(query, params=list(parameters)).to_arrow_table()

    @cached_property
    def connection(self) -> "duckdb.DuckDBPyConnection":
        """A DuckDB with a view for each folder. Files that the manifest does not list are not in it."""
        from lineage.duckdb_files import connect, read_parquet  # a quarter of a second, which finding keys does without

        connection = connect()
        for folder in sorted({name.split("/")[0] for name in self.manifest["files"]}):
            if files := [self.path(folder, part) for part in self.parts(folder)]:
                connection.execute(f"CREATE VIEW {folder} AS SELECT * FROM {read_parquet(files)}")
        return connection

    def find(self, kind: str, values: Sequence[str]) -> pa.Table:
        """Rows (`PLACES`) that may have one of the values, by their kind (see `index_keys.key_of`).

        The query of a row is the number of the value. Keys are hashes: check what comes back against the ledger.
        """
        return self.find_keys(key_of(kind, pa.array(values, pa.large_string())))

    def find_keys(self, keys: I64) -> pa.Table:
        """Rows (`PLACES`) with one of the keys, int64 of shape (queries,)."""
        return self._find(INDEX_KEYS.name, keys, keys + 1)

    def find_urls(self, ranges: Sequence[tuple[str, str]]) -> pa.Table:
        """Rows (`PLACES`) whose `url_surtkey` is at least the lower value of a range and below the upper one."""
        lower, upper = (np.array([one[side] for one in ranges], object) for side in (0, 1))
        return self._find(INDEX_URLS.name, lower, upper)

    def _find(self, name: str, lower: Bounds, upper: Bounds) -> pa.Table:
        """Rows (`PLACES`) whose value in an index lies in one of the ranges, shape (queries,)."""
        found = []
        for (file, group), queries in sorted(self._meet(name, lower, upper).items()):
            table = self._open(name, file).read_row_group(group, use_threads=False)
            asked = np.array(queries)
            start, stop = (_search(table.column(0), bounds[asked]) for bounds in (lower, upper))
            counts = np.maximum(stop - start, 0)
            at = np.repeat(start - np.r_[0, np.cumsum(counts)[:-1]], counts) + np.arange(counts.sum())
            query = pa.array(np.repeat(asked, counts).astype(np.int32))
            places = table.select(["part", "row"]).take(pa.array(at))
            found.append(places.add_column(0, "query", query).cast(PLACES))
        order = [(column, "ascending") for column in PLACES.names]
        return pa.concat_tables([PLACES.empty_table(), *found]).sort_by(order)

    def _meet(self, name: str, lower: Bounds, upper: Bounds) -> dict[tuple[int, int], list[int]]:
        """Files and row groups of an index that ranges meet, each with the numbers of these ranges."""
        first = self.manifest["index"][name]
        met: dict[tuple[int, int], list[int]] = {}
        for query, (low, high) in enumerate(zip(lower, upper, strict=True)):
            for file in _overlap(first, low, high):
                for group in _overlap(self._group_starts(name, file), low, high):
                    met.setdefault((file, group), []).append(query)
        return met

    def _read_group_starts(self, name: str, file: int) -> list[Any]:
        """The first value of each row group; of a group without statistics that of the group before."""
        metadata = self._open(name, file).metadata
        starts: list[Any] = []
        for group in range(metadata.num_row_groups):
            found = metadata.row_group(group).column(0).statistics
            known = found is not None and found.has_min_max
            starts.append(found.min if known else (starts[-1] if starts else self.manifest["index"][name][file]))
        return starts

    def ledger(self, places: pa.Table, columns: Sequence[str] | None = None) -> pa.Table:
        """Rows of the ledger at the places, one for each and in their order."""
        return self.take("ledger", places, columns)

    def take(self, folder: str, places: pa.Table, columns: Sequence[str] | None = None) -> pa.Table:
        """Rows of a folder's files by `part` and `row` of the places, one for each and in their order."""
        part, row = (places[name].to_numpy() for name in ("part", "row"))
        tables, order = [], np.empty(len(part), np.int64)
        done = 0
        for number in np.unique(part):
            mine = np.flatnonzero(part == number)
            file = self._open(folder, int(number))
            ends = np.cumsum([file.metadata.row_group(g).num_rows for g in range(file.num_row_groups)])
            group = np.searchsorted(ends, row[mine], "right")
            groups = np.unique(group)
            table = file.read_row_groups(groups.tolist(), columns=columns)
            sizes = np.diff(np.r_[0, ends])[groups]
            shift = (ends - np.diff(np.r_[0, ends]))[groups] - (np.cumsum(sizes) - sizes)
            tables.append(table.take(pa.array(row[mine] - shift[np.searchsorted(groups, group)])))
            order[mine] = np.arange(done, done + len(mine))
            done += len(mine)
        if not tables:
            tables.append(self._open(folder, self.parts(folder)[0]).schema_arrow.empty_table())
        table = pa.concat_tables(tables).take(pa.array(order))
        return table if columns is None else table.select(columns)

    def read(self, folder: str, part: int, columns: Sequence[str] | None = None) -> pa.Table:
        """All rows of a file, in its order."""
        return self._open(folder, part).read(columns=columns, use_threads=False)

    def _open_file(self, folder: str, part: int) -> pq.ParquetFile:
        path = self.path(folder, part)
        try:
            return pq.ParquetFile(path, memory_map=True) if is_local(path) else pq.ParquetFile(open_input(path))
        except (OSError, pa.ArrowException) as error:
            raise InputError(
                f"{path} cannot be read: {error}\n"
                f"The manifest lists it; `cleartitle verify {self.directory}` says what else is damaged."
            ) from error


def open_dataset(dataset: str | Dataset) -> Dataset:
    """The dataset in a directory, on any Beam file system or behind http(s); one that is open, as it is."""
    return dataset if isinstance(dataset, Dataset) else Dataset(dataset)


def _overlap(starts: Sequence[Any], low: Any, high: Any) -> range:
    """Numbers of the sorted pieces, by the value with which each begins, that may hold values from `low` to `high`.

    >>> list(_overlap([10, 20, 30], 20, 21)), list(_overlap([10, 20, 30], 0, 10)), list(_overlap([10, 10, 30], 20, 21))
    ([0, 1], [], [0, 1])
    """
    first = bisect_left(starts, low)
    # Of pieces that are not known to begin apart, values may lie in any.
    return range(bisect_left(starts, starts[first - 1]) if first else 0, bisect_left(starts, high))


def _search(column: pa.ChunkedArray, bounds: Bounds) -> I64:
    """Where each bound belongs in a sorted column, before all values that equal it."""
    if pa.types.is_integer(column.type):
        return np.searchsorted(column.to_numpy(), bounds)
    return np.array([bisect_left(column, bound, key=lambda value: value.as_py()) for bound in bounds], np.int64)
