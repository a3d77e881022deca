"""What both readers of tables share: conversions of columns, and batches of `RECORDS`."""

import datetime as dt
import doctest
import itertools

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from schemas.columns import RECORDS, TIME
from transforms.batches import BATCH_BYTES, BATCH_ROWS
from transforms.measure.readers import columns, jsonl, parquet
from transforms.measure.readers.columns import ColumnMap, integers, record_batches, times, valid_text


@pytest.mark.parametrize("module", [columns, jsonl, parquet])
def test_examples_in_docstrings_hold(module: object) -> None:
    """Each module has some."""
    outcome = doctest.testmod(module)  # type: ignore[arg-type]
    assert outcome.failed == 0
    assert outcome.attempted > 0


def slow_time(text: str | None) -> dt.datetime | None:
    """One time with the standard library."""
    try:
        time = dt.datetime.fromisoformat(text or "")
        return time.astimezone(dt.UTC) if time.tzinfo else time.replace(tzinfo=dt.UTC)
    except (ValueError, OverflowError):
        return None


moments = st.datetimes(timezones=st.none() | st.timezones()).map(lambda time: time.isoformat())
digits = st.from_regex(r"[0-2]\d{3}-[01]\d-[0-3]\d([T ][0-2]\d:[0-6]\d(:[0-6]\d(\.\d{1,7})?)?)?", fullmatch=True)
zones = st.from_regex(r"(Z|z|[+-][0-2]\d(:?[0-6]\d){0,2})?", fullmatch=True)
odd = st.sampled_from(
    ["", "soon", "20240518", "2024-W20-6", "2024-05", "2024-05-18T01Z", " 2024-05-18", "2024-05-18\n"]
)
time_texts = st.one_of(st.none(), moments, st.tuples(digits, zones).map("".join), odd, st.text(max_size=12))


@given(texts=st.lists(time_texts, max_size=6))
@example(texts=["2024-02-30", "2024-02-29", "2024-02-29T10:00:00+02:00"])
@example(texts=["0001-01-01T00:00:00+05:00", "9999-12-31T23:59:59-05:00", "2024-05-18T24:00:00"])
@settings(deadline=None, max_examples=150)
def test_times_equal_the_standard_library(texts: list[str | None]) -> None:
    """Whatever stands beside it in the array, each string is read as `datetime.fromisoformat` reads it, or is null."""
    assert times(pa.array(texts, pa.string())).to_pylist() == [slow_time(text) for text in texts]


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (pa.array([1_715_997_490], pa.timestamp("s")), "2024-05-18T01:58:10+00:00"),
        (pa.array([1_715_997_490_123], pa.timestamp("ms", "Asia/Tokyo")), "2024-05-18T01:58:10.123000+00:00"),
        (pa.array([1_715_997_490_123_456_789], pa.timestamp("ns", "UTC")), "2024-05-18T01:58:10.123456+00:00"),
        (pa.array([dt.date(2024, 5, 18)]), "2024-05-18T00:00:00+00:00"),
        (pa.array([dt.date(2024, 5, 18)], pa.date64()), "2024-05-18T00:00:00+00:00"),
        (pa.array([1], pa.int64()).view(pa.date64()), "1970-01-01T00:00:00.001000+00:00"),
        (pa.array(["2024-05-18"]).dictionary_encode(), "2024-05-18T00:00:00+00:00"),
        (pa.array([b"2024-05-18"]), "2024-05-18T00:00:00+00:00"),
        (pa.array([b"\xff"]), None),
        (pa.array([2**62], pa.timestamp("s")), None),
        (pa.array([-(2**62)], pa.timestamp("us")), None),
        (pa.array([2**31 - 1], pa.date32()), None),
        (pa.array([1_715_997_490]), None),
        (pa.array([[1]]), None),
        (pa.nulls(1), None),
    ],
    ids=lambda value: str(value.type) if isinstance(value, pa.Array) else "",
)
def test_times_of_any_type_become_utc_microseconds_or_null(array: pa.Array, expected: str | None) -> None:
    """Timestamps and dates of every unit; other types and years beyond 1 to 9999 are null."""
    result = times(array)
    assert result.type == TIME
    assert result.to_pylist() == [dt.datetime.fromisoformat(expected) if expected else None]


@pytest.mark.parametrize("unit", ["s", "ms", "us"])
def test_first_and_last_time_of_the_calendar_are_kept(unit: str) -> None:
    """The limits belong to what is kept; nanoseconds do not reach them."""
    limits = [dt.datetime(1, 1, 1, tzinfo=dt.UTC), dt.datetime(9999, 12, 31, 23, 59, 59, tzinfo=dt.UTC)]
    assert times(pa.array(limits, pa.timestamp(unit, "UTC"))).to_pylist() == limits


@given(values=st.lists(st.none() | st.integers(-(2**70), 2**70).map(str) | st.text("0123456789-+. e", max_size=6)))
@settings(deadline=None)
def test_integers_from_strings_are_plain_decimal_or_null(values: list[str | None]) -> None:
    """A sign, up to 18 digits, nothing else."""

    def slow(text: str | None) -> int | None:
        unsigned = (text or "").removeprefix("-")
        return int(text or "") if unsigned.isdigit() and len(unsigned) <= 18 else None

    assert integers(pa.array(values, pa.string())).to_pylist() == [slow(value) for value in values]


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (pa.array([1, None, -3], pa.int8()), [1, None, -3]),
        (pa.array([2**63 - 1, 2**63, None], pa.uint64()), [2**63 - 1, None, None]),
        (pa.array(["5", "x"]).dictionary_encode(), [5, None]),
        (pa.array([b"5", b"\xff"]), [5, None]),
        (pa.array([5.0]), [None]),
        (pa.array([True]), [None]),
        (pa.nulls(1), [None]),
    ],
    ids=lambda value: str(value.type) if isinstance(value, pa.Array) else "",
)
def test_integers_of_any_type_become_int64_or_null(array: pa.Array, expected: list[int | None]) -> None:
    """Only integers and their decimal spelling count."""
    assert integers(array).type == pa.int64()
    assert integers(array).to_pylist() == expected


@given(values=st.lists(st.none() | st.binary(max_size=4)), start=st.integers(0, 3))
@settings(deadline=None)
def test_valid_text_equals_decoding_each_value(values: list[bytes | None], start: int) -> None:
    """Null where a value is null or cannot be decoded; slices are no different."""

    def slow(value: bytes | None) -> str | None:
        try:
            return None if value is None else value.decode()
        except UnicodeDecodeError:
            return None

    assert valid_text(pa.array(values, pa.binary())[start:]).to_pylist() == [slow(value) for value in values[start:]]


def test_keys_name_each_user_column_once() -> None:
    """In the order of the map, mapped before carried."""
    columns = ColumnMap((("text", "b"), ("url", "a"), ("record_id", "b")), carry=("c", "a"))
    assert columns.keys == ("b", "a", "c")
    assert columns.pairs[3:] == (("", "c"), ("", "a"))


sizes = st.lists(st.none() | st.sampled_from([0, 1, BATCH_BYTES // 2, BATCH_BYTES, BATCH_BYTES + 1]), max_size=8)


@given(sizes=sizes)
@settings(deadline=None, max_examples=25)
def test_batches_are_as_large_as_the_limit_allows(sizes: list[int | None]) -> None:
    """Concatenated they are the rows given; none is over the limit but a single text, and none could take one more."""
    texts = pa.array([None if size is None else "x" * size for size in sizes], pa.large_string())
    batches = list(record_batches("a", pa.array(range(len(sizes)), pa.int64()), {"text": texts}, []))
    assert [position for batch in batches for position in batch["source_position"].to_pylist()] == list(
        range(len(sizes))
    )
    rows = iter(sizes)
    totals = [[next(rows) or 0 for _ in range(len(batch))] for batch in batches]
    assert all(sum(total) <= BATCH_BYTES or len(total) == 1 for total in totals)
    assert all(sum(first) + second[0] > BATCH_BYTES for first, second in itertools.pairwise(totals))


def test_batches_have_no_more_rows_than_the_limit() -> None:
    """Rows without text count as well."""
    batches = record_batches("a", pa.array(range(2 * BATCH_ROWS + 1)), {}, [])
    assert [len(batch) for batch in batches] == [BATCH_ROWS, BATCH_ROWS, 1]


def test_batch_has_the_schema_of_records_and_the_carried_fields() -> None:
    """Also where nothing is given but positions."""
    field = pa.field("lang", pa.string())
    [batch] = record_batches("a", pa.array([5]), {}, [(field, pa.array(["en"]))])
    assert batch.schema == RECORDS.schema([field])
    assert batch.select(["locator", "source_file", "lang", "page_signals", "text"]).to_pylist() == [
        {"locator": "5", "source_file": "a", "lang": "en", "page_signals": None, "text": None}
    ]
