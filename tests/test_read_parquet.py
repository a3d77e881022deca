"""The Parquet reader: columns of any layout, row numbers, and what is kept of a damaged file."""

import datetime as dt
import errno
import io
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.columns import RECORDS
from schemas.errors import InputError
from schemas.reasons import BROKEN_FILE, INVALID_UTF8
from transforms.batches import BATCH_BYTES, BATCH_ROWS
from transforms.measure.readers.columns import ColumnMap
from transforms.measure.readers.parquet import check_parquet_types, parquet_schema, read_parquet
from transforms.measure.tally import Tally

COLUMNS = ColumnMap((("record_id", "id"), ("text", "text"), ("url", "url"), ("fetch_time", "time")))
TEXT_ONLY = ColumnMap((("text", "text"),))
TEXT_TYPES = [
    pa.string(),
    pa.large_string(),
    pa.string_view(),
    pa.binary(),
    pa.large_binary(),
    pa.dictionary(pa.int32(), pa.string()),
    pa.dictionary(pa.int32(), pa.large_string()),
    pa.json_(pa.string()),
]


@dataclass
class Read:
    """All that reading a file yields."""

    batches: list[pa.RecordBatch]
    rejected: list[dict[str, Any]]

    def rows(self, name: str) -> list[Any]:
        return [value for batch in self.batches for value in batch[name].to_pylist()]

    def faults(self) -> list[tuple[int, str, str]]:
        return [(row["source_position"], row["reason"], row["detail"]) for row in self.rejected]


def packed(table: pa.Table | Mapping[str, Any], **options: Any) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table if isinstance(table, pa.Table) else pa.table(table), sink, **options)
    return sink.getvalue()


def read(data: bytes, columns: ColumnMap = TEXT_ONLY, **options: Any) -> Read:
    """Read the bytes as the file a.parquet, and check what holds for every file."""
    tally, stream = Tally(), io.BytesIO(data)
    batches = list(read_parquet(stream, "a.parquet", tally, columns, **options))
    assert not stream.closed
    for batch in batches:
        batch.validate(full=True)
        assert batch.schema.names == [*RECORDS.schema().names, *columns.carry]
        assert set(batch["source_file"].to_pylist()) == {"a.parquet"}
        assert batch["locator"].to_pylist() == [str(position) for position in batch["source_position"].to_pylist()]
    assert tally.table().num_rows == len(tally.rejected)
    return Read(batches, tally.rejected)


def invalid(values: list[bytes | None], type_: pa.DataType) -> pa.Array:
    """Strings that hold any bytes."""
    return pa.array(values, pa.binary()).view(pa.string()).cast(type_)


def test_document_has_its_columns_and_its_place() -> None:
    """Mapped columns, carried columns, file, row number and locator; the rest is null."""
    time = dt.datetime(2024, 5, 18, 1, 58, 10, tzinfo=dt.UTC)
    data = packed({"id": [7], "text": ["one"], "url": ["http://a/"], "time": [time], "score": [0.5], "other": [1]})
    columns = ColumnMap((*COLUMNS.columns, ("warc_filename", "no such column")), carry=("score",))
    [batch] = read(data, columns).batches
    assert batch.schema == RECORDS.schema([pa.field("score", pa.float64())])
    assert batch.to_pylist() == [
        dict.fromkeys(RECORDS.schema().names)
        | {
            "locator": "0",
            "record_id": "7",
            "text": "one",
            "url": "http://a/",
            "fetch_time": time,
            "source_file": "a.parquet",
            "source_position": 0,
            "score": 0.5,
        }
    ]


@pytest.mark.parametrize("type_", TEXT_TYPES, ids=str)
def test_text_is_read_in_every_layout(type_: pa.DataType) -> None:
    """Strings, bytes and dictionaries of them give the same text."""
    storage = type_.storage_type if isinstance(type_, pa.BaseExtensionType) else type_
    texts = pa.array(["é", None, "", "é"], pa.string()).cast(storage)
    array = pa.ExtensionArray.from_storage(type_, texts) if storage != type_ else texts
    assert read(packed({"text": array})).rows("text") == ["é", None, "", "é"]


def test_column_of_nulls_is_read_as_nulls() -> None:
    """A file whose texts and URLs are all null, without a type, is no error."""
    assert read(packed({"text": pa.nulls(2), "url": pa.nulls(2)}), COLUMNS).rows("text") == [None, None]


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (pa.array([1, None]), ["1", None]),
        (pa.array([2**64 - 1], pa.uint64()), ["18446744073709551615"]),
        (pa.array([True]), ["true"]),
        (pa.array([1.5]), ["1.5"]),
        (pa.array([dt.date(2024, 5, 18)]), ["2024-05-18"]),
        (pa.array(["a", "a"]).dictionary_encode(), ["a", "a"]),
        (pa.array([b"ab"]), ["ab"]),
        (pa.array([b"\x00\xff"], pa.binary(2)), ["00ff"]),
        (pa.array([uuid.UUID(int=10).bytes], pa.uuid()), ["0000000000000000000000000000000a"]),
    ],
    ids=lambda value: str(value.type) if isinstance(value, pa.Array) else "",
)
def test_id_of_any_scalar_type_becomes_a_string(array: pa.Array, expected: list[str | None]) -> None:
    """Fixed-size binary ids, UUIDs among them, become hex."""
    assert read(packed({"id": array}), COLUMNS).rows("record_id") == expected


def test_column_names_are_matched_whole() -> None:
    """A name with a dot is that column, not a field of another one; a field is no column."""
    data = packed({"a.b": ["right"], "a": [{"b": "wrong"}], "c": [{"text": "wrong"}]})
    columns = ColumnMap((("text", "a.b"), ("url", "c.text")), carry=("a.b",))
    assert (read(data, columns).rows("text"), read(data, columns).rows("url")) == (["right"], [None])
    assert read(data, columns).rows("a.b") == ["right"]


def test_file_without_any_mapped_column_has_documents_of_nulls() -> None:
    """Rows are counted even where nothing is read of them."""
    assert read(packed({"other": [1, 2, 3]})).rows("source_position") == [0, 1, 2]


def test_carried_columns_keep_their_types() -> None:
    """Nested and binary types too; dictionaries are decoded, and a column that is missing is one of null strings."""
    arrays = {
        "list": pa.array([[1, 2], None]),
        "bytes": pa.array([b"\xff", b""]),
        "time": pa.array([1, 2], pa.timestamp("ms")),
        "kind": pa.array(["a", "b"]).dictionary_encode(),
        "view": pa.array(["a", "b"], pa.string_view()),
    }
    columns = ColumnMap((), carry=(*arrays, "missing"))
    [batch] = read(packed(arrays), columns).batches
    types = [array.type for array in arrays.values()]
    types[3] = pa.string()
    assert batch.schema.types[-6:] == [*types, pa.string()]
    assert [batch[name].to_pylist() for name in arrays] == [array.to_pylist() for array in arrays.values()]
    assert batch["missing"].to_pylist() == [None, None]


def test_carried_columns_take_the_types_of_the_plan() -> None:
    """So that files with narrower types, or without the column, join the others."""
    types = {"n": pa.int64(), "missing": pa.list_(pa.int8())}
    columns = ColumnMap((), carry=("n", "missing"))
    [batch] = read(packed({"n": pa.array([1], pa.int8())}), columns, carry_types=types).batches
    assert batch.schema.types[-2:] == list(types.values())
    assert batch["n"].to_pylist() == [1]


def test_carried_column_that_does_not_fit_its_type_is_an_error() -> None:
    """The letter names file, column and both types."""
    with pytest.raises(InputError) as caught:
        read(packed({"n": ["x"]}), ColumnMap((), carry=("n",)), carry_types={"n": pa.int64()})
    message = str(caught.value)
    assert message.startswith('a.parquet has a column "n" of type string that cannot be carried as int64, ')
    assert message.endswith("\nConvert the files to one type, or do not carry the column.")


def test_columns_of_wrong_types_are_an_error_that_names_all() -> None:
    """Each with its type and what is accepted."""
    data = packed({"text": [1], "url": [["http://a/"]], "id": [{"a": 1}], "time": [[1]]})
    with pytest.raises(InputError) as caught:
        read(data, COLUMNS)
    assert str(caught.value) == (
        "a.parquet has columns of types that cannot be used:\n"
        '  column "id", read as record_id, is struct<a: int64>; accepted: any type that is not nested\n'
        '  column "text", read as text, is int64; accepted: string or binary\n'
        '  column "url", read as url, is list<element: string>; accepted: string or binary\n'
        "Name other columns in crawl.columns, or convert these."
    )


def test_good_types_and_missing_columns_pass_the_check() -> None:
    """The planner may check a schema before anything is read."""
    check_parquet_types(pa.schema([("text", pa.string()), ("id", pa.decimal128(5, 2))]), COLUMNS, "a.parquet")


def test_schema_is_that_of_the_columns_as_they_are_carried() -> None:
    """Names and types, dictionaries decoded."""
    data = packed({"kind": pa.array(["a"]).dictionary_encode(), "a.b": pa.array([1], pa.int8())})
    assert parquet_schema(io.BytesIO(data)) == pa.schema([("kind", pa.string()), ("a.b", pa.int8())])
    with pytest.raises(InputError, match=r"^This is no Parquet file that can be opened: "):
        parquet_schema(io.BytesIO(b"PAR1"))


@pytest.mark.parametrize("type_", [pa.string(), pa.binary(), pa.dictionary(pa.int32(), pa.string())], ids=str)
@given(values=st.lists(st.none() | st.binary(max_size=3), max_size=6))
@settings(deadline=None, max_examples=50)
def test_rows_with_invalid_utf8_are_rejected_one_by_one(type_: pa.DataType, values: list[bytes | None]) -> None:
    """The others keep their row numbers."""
    valid, positions, bad = [], [], []
    for row, value in enumerate(values):
        try:
            valid.append(value.decode() if value is not None else None)
            positions.append(row)
        except UnicodeDecodeError:
            bad.append(row)
    encoded = pa.types.is_dictionary(type_)
    texts = invalid(values, type_.value_type if encoded else type_)
    result = read(packed({"text": texts.dictionary_encode() if encoded else texts}))
    assert result.rows("text") == valid
    assert result.rows("source_position") == positions
    assert [fault[:2] for fault in result.faults()] == [(row, INVALID_UTF8) for row in bad]


def test_invalid_utf8_tells_column_byte_id_and_url() -> None:
    """In any mapped or carried string column; the first such column of a row is told, and a row is rejected once."""
    bad = invalid([b"ok", b"ab\xff", b"ab\xff", b"ok"], pa.string())
    table = {"id": [1, 2, 3, 4], "url": ["u", "v", None, "w"], "text": bad.take(pa.array([0, 1, 0, 0])), "lang": bad}
    result = read(packed(table), ColumnMap(COLUMNS.columns, carry=("lang",)))
    assert result.rows("lang") == ["ok", "ok"]
    assert result.faults() == [
        (1, INVALID_UTF8, 'column "text" is not valid UTF-8: invalid start byte at byte 2'),
        (2, INVALID_UTF8, 'column "lang" is not valid UTF-8: invalid start byte at byte 2'),
    ]
    assert [(row["record_id"], row["url"]) for row in result.rejected] == [("2", "v"), ("3", None)]


@given(rows=st.integers(0, 40), size=st.integers(1, 12), cuts=st.lists(st.integers(0, 45)))
@settings(deadline=None, max_examples=60)
def test_ranges_of_row_groups_give_every_row_once(rows: int, size: int, cuts: list[int]) -> None:
    """Any partition into ranges of row groups has the same rows with the same numbers."""
    data = packed({"text": [str(row) for row in range(rows)]}, row_group_size=size)
    borders = sorted([0, *cuts])
    parts = [read(data, first_group=a, last_group=b) for a, b in zip(borders, [*borders[1:], None], strict=True)]
    assert [text for part in parts for text in part.rows("text")] == [str(row) for row in range(rows)]
    assert [row for part in parts for row in part.rows("source_position")] == list(range(rows))


def test_batches_are_bounded_by_rows_and_text() -> None:
    """At most `BATCH_ROWS` rows and about `BATCH_BYTES` of text."""
    assert [len(batch) for batch in read(packed({"text": ["a"] * (BATCH_ROWS + 1)})).batches] == [BATCH_ROWS, 1]
    texts = ["x" * (BATCH_BYTES // 4 - 10)] * 9
    assert [len(batch) for batch in read(packed({"text": texts}, use_dictionary=False)).batches] == [4, 4, 1]


def paged(rows: int, group: int) -> tuple[bytes, list[str]]:
    """A file of small pages with checksums, and its texts."""
    noise = np.random.default_rng(3)
    texts = [noise.bytes(50).hex() for _ in range(rows)]
    options = {"data_page_size": 1000, "write_batch_size": 10, "use_dictionary": False, "write_statistics": False}
    return packed({"text": texts}, row_group_size=group, write_page_checksum=True, compression="none", **options), texts


def test_damaged_page_loses_the_rest_of_its_row_group_only() -> None:
    """Rows before the page and all other row groups are kept; the rest is one row that says how many."""
    data, texts = paged(900, 300)
    spot = data.index(texts[437].encode())
    result = read(data[:spot] + b"!" + data[spot + 1 :])
    first_lost = result.rejected[0]["source_position"]
    assert 437 - 20 < first_lost <= 437
    assert first_lost % 10 == 0
    assert result.rows("text") == texts[:first_lost] + texts[600:]
    assert result.rows("source_position") == [*range(first_lost), *range(600, 900)]
    [(_, reason, detail)] = result.faults()
    assert reason == BROKEN_FILE
    assert detail.startswith(f"row group 1: {600 - first_lost} of its 300 rows cannot be read: ")
    assert result.rejected[0]["bytes"] is None


def test_damage_is_reported_in_the_range_that_holds_it() -> None:
    """Positions are rows of the file also where reading begins later."""
    data, texts = paged(900, 300)
    spot = data.index(texts[300].encode())
    damaged = data[:spot] + b"!" + data[spot + 1 :]
    assert read(damaged, first_group=1, last_group=2).faults()[0][0] == 300
    assert read(damaged, first_group=2).rejected == []
    assert read(damaged, first_group=2).rows("source_position") == list(range(600, 900))


@given(data=st.data())
@settings(deadline=None, max_examples=60)
def test_any_flipped_byte_of_a_page_loses_nothing_silently(data: st.DataObject) -> None:
    """Every row is kept as it was, or covered by a rejection."""
    file, texts = paged(60, 20)
    body = file.index(texts[0].encode())
    spot = data.draw(st.integers(body, file.index(texts[-1].encode())))
    damaged = bytearray(file)
    damaged[spot] ^= data.draw(st.integers(1, 255))
    result = read(bytes(damaged))
    kept = dict(zip(result.rows("source_position"), result.rows("text"), strict=True))
    lost = {row for start, _, _ in result.faults() for row in range(start, start // 20 * 20 + 20)}
    assert kept.keys() | lost == set(range(60))
    assert all(text == texts[row] for row, text in kept.items())


@pytest.mark.parametrize("data", [b"", b"PAR1", b"x" * 1000, packed({"text": ["a"]})[:-1]], ids=range(4))
def test_file_that_is_no_parquet_is_one_rejected_row(data: bytes) -> None:
    """It stands for the whole file, with its size."""
    result = read(data)
    assert result.batches == []
    assert [fault[:2] for fault in result.faults()] == [(0, BROKEN_FILE)]
    assert result.rejected[0]["bytes"] == len(data)
    assert result.rejected[0]["detail"].startswith("the file cannot be opened as Parquet: ")


@given(spots=st.lists(st.tuples(st.integers(0, 1 << 20), st.integers(1, 255)), min_size=1, max_size=3))
@settings(deadline=None, max_examples=100)
def test_damaged_footer_never_ends_the_run(spots: list[tuple[int, int]]) -> None:
    """Whatever is wrong in it, statistics and names included: rows without a gap, or a rejection, or a letter."""
    damaged = bytearray(packed({"text": [str(row) for row in range(20)]}, row_group_size=5))
    start = len(damaged) - 8 - int.from_bytes(damaged[-8:-4], "little")
    for spot, flip in spots:
        damaged[start + spot % (len(damaged) - start)] ^= flip
    try:
        result = read(bytes(damaged))
    except InputError:
        return
    positions = result.rows("source_position")
    assert result.rejected or positions == list(range(len(positions)))


def test_column_name_that_is_not_utf8_is_a_damaged_file() -> None:
    """Arrow cannot open such a file."""
    data = packed({"text": ["a"], "name": ["b"]}, store_schema=False).replace(b"name", b"nam\xff")
    assert [fault[:2] for fault in read(data).faults()] == [(0, BROKEN_FILE)]


class Failing(io.BytesIO):
    """A storage that fails from some byte on."""

    def __init__(self, data: bytes, limit: int, error: Exception) -> None:
        super().__init__(data)
        self.limit, self.error = limit, error

    def read(self, size: int | None = -1, /) -> bytes:
        if self.tell() < self.limit:
            raise self.error
        return super().read(size)


class StorageError(OSError):
    """As client libraries of object stores have them."""


@pytest.mark.parametrize("error", [OSError(errno.EIO, "disk"), StorageError("503"), RuntimeError("token")])
@pytest.mark.parametrize("limit", [10_000, 1 << 40])
def test_fault_of_the_storage_is_no_fault_of_the_file(error: Exception, limit: int) -> None:
    """It is raised, as the next attempt may succeed; nothing is rejected."""
    tally = Tally()
    stream = Failing(paged(900, 300)[0], limit, error)
    with pytest.raises(type(error)):
        list(read_parquet(stream, "a.parquet", tally, TEXT_ONLY))
    assert tally.rejected == []
