"""What the tests of the JSON Lines reader share: bytes in, plain rows and rejections out."""

import io
from dataclasses import dataclass
from typing import Any
from unittest import mock

import pyarrow as pa

from schemas.columns import RECORDS
from transforms.measure.readers import jsonl
from transforms.measure.readers.columns import ColumnMap
from transforms.measure.tally import Tally

TEXT_ONLY = ColumnMap((("text", "text"),))
EVERYTHING = ColumnMap(
    (
        ("record_id", "id"),
        ("text", "text"),
        ("url", "url"),
        ("fetch_time", "time"),
        ("warc_record_offset", "offset"),
        ("warc_record_length", "length"),
    ),
    carry=("lang", "id"),
)


@dataclass
class Read:
    """All that reading a file yields."""

    batches: list[pa.RecordBatch]
    rejected: list[dict[str, Any]]

    def rows(self, *names: str) -> list[Any]:
        """Values of one column, or tuples of several, over all batches."""
        columns = [[value for batch in self.batches for value in batch[name].to_pylist()] for name in names]
        return columns[0] if len(names) == 1 else list(zip(*columns, strict=True))

    def faults(self) -> list[tuple[int, str, str]]:
        return [(row["source_position"], row["reason"], row["detail"]) for row in self.rejected]


def read(data: bytes, columns: ColumnMap = TEXT_ONLY, compression: str = "none", **bounds: int | None) -> Read:
    """Read the bytes as the file a.jsonl, and check what holds for every file."""
    tally = Tally()
    batches = list(jsonl.read_jsonl(io.BytesIO(data), "a.jsonl", tally, columns, compression=compression, **bounds))
    for batch in batches:
        batch.validate(full=True)
        assert batch.schema == RECORDS.schema([pa.field(name, pa.string()) for name in columns.carry])
        assert set(batch["source_file"].to_pylist()) == {"a.jsonl"}
        assert batch["locator"].to_pylist() == [str(position) for position in batch["source_position"].to_pylist()]
    assert tally.table().num_rows == len(tally.rejected)
    return Read(batches, tally.rejected)


def read_slowly(data: bytes, columns: ColumnMap = TEXT_ONLY) -> Read:
    """The same without the fast path."""
    with mock.patch.object(jsonl, "_parse_fast", return_value=None):
        return read(data, columns)


def is_fast(data: bytes, columns: ColumnMap = TEXT_ONLY) -> bool:
    """Whether the bytes, as one block, are parsed by the fast path."""
    return jsonl._parse_fast(data, columns) is not None
