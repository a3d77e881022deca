"""The files of a dataset that can be relied on: those that passed the checks so far."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from lineage.verification.findings import part_of
from transforms.measure.fingerprint import NearSettings
from transforms.part_store import is_local, join, open_input, part_path

DAMAGE: Final = (OSError, pa.ArrowException, duckdb.Error, UnicodeDecodeError)
"""What a file raises that has the right digest and is no right Parquet all the same."""
BUFFER_BYTES: Final = 64 << 10
"""What is read of a column at a time."""
LEDGER: Final = "ledger"
PRINTS: Final = "fingerprints"


@dataclass(frozen=True)
class Files:
    """A dataset, what its manifest says, and the names of the files that are as it says."""

    directory: str
    manifest: Mapping[str, Any]
    whole: frozenset[str]

    def parts(self, folder: str) -> list[int]:
        """Numbers of the parts that have a file in a folder, by the manifest."""
        numbers = (part_of(name) for name in self.manifest["files"] if name.startswith(f"{folder}/part-"))
        return sorted(number for number in numbers if number is not None)

    def is_listed(self, folder: str, part: int) -> bool:
        return part_path(folder, part, "parquet") in self.manifest["files"]

    def is_whole(self, folder: str, part: int) -> bool:
        return part_path(folder, part, "parquet") in self.whole

    def rows(self, folder: str, part: int) -> int:
        """Rows of a whole file."""
        return int(self.manifest["files"][part_path(folder, part, "parquet")]["rows"])

    def lack(self, *folders: str) -> str | None:
        """Which files of some folders cannot be relied on, in words; None if all can."""
        listed = (name for name in self.manifest["files"] if name.partition("/")[0] in folders)
        broken = sorted(name for name in listed if name not in self.whole)
        return f"{len(broken):,} of the files that this needs are damaged, such as {broken[0]}" if broken else None

    def path(self, name: str) -> str:
        return join(self.directory, name)

    @contextmanager
    def open(self, name: str) -> Iterator[pq.ParquetFile]:
        """A Parquet file. Raises `DAMAGE`, also while it is read."""
        path = self.path(name)
        # A native file needs no lock of Python's; and a row group of fingerprints may take half a gigabyte.
        with pa.OSFile(path) if is_local(path) else open_input(path) as stream:
            yield pq.ParquetFile(stream, buffer_size=BUFFER_BYTES)

    @cached_property
    def near(self) -> NearSettings | None:
        """How the signatures of the dataset are made."""
        said = self.manifest["fingerprint"]["near"]
        return NearSettings(**said) if said else None

    @cached_property
    def takedowns(self) -> dict[str, Mapping[str, Any]]:
        """What the manifest says of each takedown, by its id."""
        return {one["id"]: one for one in self.manifest["takedowns"]}

    @cached_property
    def stores(self) -> list[str]:
        """The earlier builds that this one was compared with."""
        return [str(store["build"]) for store in self.manifest["duplicates"]["against"]]


class RowReader:
    """The rows of one Parquet file in their order, so many at a time, without one of its columns."""

    def __init__(self, file: pq.ParquetFile, batch_rows: int, leave_out: str):
        self.rows: int = file.metadata.num_rows
        self.at = 0
        """Row of the file that `take` begins with."""
        self._schema = pa.schema([field for field in file.schema_arrow if field.name != leave_out])
        self._batches = file.iter_batches(batch_rows, columns=self._schema.names, use_threads=False)
        self._held = self._schema.empty_table()

    def take(self, count: int) -> pa.RecordBatch:
        """The next `count` rows; fewer at the end of the file."""
        held, size = [self._held], len(self._held)
        while size < count and (batch := next(self._batches, None)) is not None:
            held.append(pa.Table.from_batches([batch]).select(self._schema.names))
            size += len(batch)
        table = pa.concat_tables(held)
        self._held = table.slice(count)
        taken = table.slice(0, count).combine_chunks()
        self.at += len(taken)
        return pa.RecordBatch.from_arrays([_whole(column) for column in taken.columns], names=self._schema.names)


def _whole(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else pa.concat_arrays([*column.chunks, pa.array([], column.type)])
