"""The user's columns as columns of `schemas.columns.RECORDS`: which goes where, and how its values are converted.

>>> batch, = record_batches("a.jsonl", pa.array([0, 18]), {"text": pa.array(["one", "two"])}, [])
>>> batch["locator"].to_pylist(), batch["text"].to_pylist(), batch["url"].null_count
(['0', '18'], ['one', 'two'], 2)
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.columns import RECORDS, TEXT, TIME
from transforms.batches import BATCH_BYTES, BATCH_ROWS

STRINGS: Final = ("text", "url", "content_digest", "warc_filename", "warc_record_id")
"""Our columns whose values must be strings or null. `record_id` also takes other scalars."""
INTEGERS: Final = ("warc_record_offset", "warc_record_length")

_DATE = r"[12]\d{3}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])"
_CLOCK = r"[T ]([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?"
_ZONE = r"(Z|[+-]([01]\d|2[0-3]):?[0-5]\d)"
# Arrow and `datetime.fromisoformat` read these alike, except for days such as 30 February.
_USUAL_TIMES: Final = ((f"^{_DATE}{_CLOCK}{_ZONE}$", TIME), (f"^{_DATE}({_CLOCK})?$", pa.timestamp("us")))
_YEARS: Final = (datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC))
_LARGEST_INTEGER: Final = 2**63 - 1


@dataclass(frozen=True)
class ColumnMap:
    """Which of the user's columns are read, and as what.

    >>> ColumnMap((("record_id", "id"), ("text", "body")), carry=("lang", "id")).keys
    ('id', 'body', 'lang')
    """

    columns: tuple[tuple[str, str], ...]
    """(our name, user's name). Our names: `record_id`, `fetch_time`, `STRINGS` and `INTEGERS`."""
    carry: tuple[str, ...] = ()
    """User's columns that travel unchanged, under their own names."""

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """`columns`, then the carried ones with "" for our name."""
        return (*self.columns, *(("", theirs) for theirs in self.carry))

    @property
    def keys(self) -> tuple[str, ...]:
        """The user's names, each once."""
        return tuple(dict.fromkeys(theirs for _, theirs in self.pairs))


def record_batches(
    source_file: str, positions: pa.Array, columns: Mapping[str, pa.Array], carried: Sequence[tuple[pa.Field, pa.Array]]
) -> Iterator[pa.RecordBatch]:
    """Yield batches of `RECORDS` and the carried fields: at most `BATCH_ROWS` rows, about `BATCH_BYTES` of text.

    `positions` is int64. `columns` holds arrays by our names: strings of any layout (already valid UTF-8) for `STRINGS`
    and `record_id`, anything for the others; what is missing becomes null. A longer text is a batch of its own.
    """
    given = {
        **columns,
        "locator": positions.cast(pa.string()),
        "source_file": pa.repeat(source_file, len(positions)),
        "source_position": positions,
    }
    arrays = []
    for field in RECORDS.schema():
        if field.name not in given:
            arrays.append(pa.nulls(len(positions), field.type))
        elif field.name == "fetch_time":
            arrays.append(times(given[field.name]))
        elif field.name in INTEGERS:
            arrays.append(integers(given[field.name]))
        else:
            arrays.append(given[field.name].cast(field.type))
    schema = RECORDS.schema([field for field, _ in carried])
    yield from _sliced(pa.RecordBatch.from_arrays([*arrays, *(array for _, array in carried)], schema=schema))


def _sliced(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    ends = np.cumsum(pc.fill_null(pc.binary_length(batch[TEXT.name]), 0).to_numpy())
    start = 0
    while start < len(batch):
        before = int(ends[start - 1]) if start else 0
        fitting = int(np.searchsorted(ends, before + BATCH_BYTES, "right"))
        stop = min(max(fitting, start + 1), start + BATCH_ROWS)
        yield batch.slice(start, stop - start)
        start = stop


def integers(array: pa.Array) -> pa.Array:
    """Int64 from integers or strings of up to 18 digits; null for anything else.

    >>> integers(pa.array(["12", "-7", "1.5", "", None])).to_pylist()
    [12, -7, None, None, None]
    """
    array = plain(array)
    if pa.types.is_integer(array.type):
        if pa.types.is_uint64(array.type):
            array = _where(pc.less_equal(array, pa.scalar(_LARGEST_INTEGER, pa.uint64())), array)
        return array.cast(pa.int64())
    if not is_text(array.type):
        return pa.nulls(len(array), pa.int64())
    texts = valid_text(array)
    return _where(pc.match_substring_regex(texts, r"^-?\d{1,18}$"), texts).cast(pa.int64())


def times(array: pa.Array) -> pa.Array:
    """Times as `TIME` from ISO 8601 strings, timestamps or dates; UTC where no zone is given.

    >>> [str(time) for time in times(pa.array(["2024-05-18T03:58:10+02:00", "2024-05-18", "May"]))]
    ['2024-05-18 01:58:10+00:00', '2024-05-18 00:00:00+00:00', 'None']

    Null where it cannot be parsed, is of another type, or lies outside the years 1 to 9999: a time is not worth a
    document. What is finer than a microsecond is cut off.
    """
    array = plain(array)
    if pa.types.is_date(array.type):
        array = array.cast(pa.timestamp("ms"))
    if pa.types.is_timestamp(array.type):
        # Nanoseconds do not reach as far as the limits.
        unit = "us" if array.type.unit == "ns" else array.type.unit
        moments = array.cast(pa.timestamp(unit, "UTC"), safe=False)
        first, last = (pa.scalar(year).cast(moments.type, safe=False) for year in _YEARS)
        within = pc.and_(pc.greater_equal(moments, first), pc.less_equal(moments, last))
        return _where(within, moments).cast(TIME)
    if not is_text(array.type):
        return pa.nulls(len(array), TIME)
    return _parsed_times(valid_text(array))


def _parsed_times(texts: pa.Array) -> pa.Array:
    parsed = pa.nulls(len(texts), TIME)
    for pattern, type_ in _USUAL_TIMES:
        usual = _where(pc.match_substring_regex(texts, pattern), texts)
        try:
            parsed = pc.coalesce(parsed, usual.cast(type_).cast(TIME))
        except pa.ArrowInvalid:  # one 30 February fails the whole cast; the loop below reads all of them
            continue
    odd = pc.and_(texts.is_valid(), parsed.is_null())
    if not pc.any(odd).as_py():
        return parsed
    return pc.coalesce(parsed, pa.array([_parsed_time(text) for text in _where(odd, texts).to_pylist()], TIME))


def _parsed_time(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        time = datetime.fromisoformat(text)
        return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def plain(array: pa.Array) -> pa.Array:
    """The array without dictionary or extension type.

    >>> plain(pa.array(["a", "a"]).dictionary_encode()).type
    DataType(string)
    """
    if isinstance(array.type, pa.BaseExtensionType):
        array = array.storage
    return array.dictionary_decode() if pa.types.is_dictionary(array.type) else array


def plain_type(type_: pa.DataType) -> pa.DataType:
    """The type that `plain` returns.

    >>> plain_type(pa.dictionary(pa.int8(), pa.string()))
    DataType(string)
    """
    if isinstance(type_, pa.BaseExtensionType):
        type_ = type_.storage_type
    return type_.value_type if pa.types.is_dictionary(type_) else type_


def is_text(type_: pa.DataType) -> bool:
    """Whether values of this plain type are strings or bytes of any length."""
    types = pa.types
    return (
        types.is_string(type_)
        or types.is_large_string(type_)
        or types.is_string_view(type_)
        or types.is_binary(type_)
        or types.is_large_binary(type_)
        or types.is_binary_view(type_)
    )


def valid_text(array: pa.Array) -> pa.Array:
    """Strings or bytes (`is_text`) as large_string, with null where a value is not valid UTF-8.

    >>> valid_text(pa.array([b"ab", b"\\xff", None])).to_pylist()
    ['ab', None, None]
    """
    raw = array.cast(pa.large_binary())
    texts = raw.view(pa.large_string())
    try:
        texts.validate(full=True)
    except pa.ArrowInvalid:
        return _where(pa.array([value is None or utf8_fault(value) is None for value in raw.to_pylist()]), texts)
    return texts


def utf8_fault(value: bytes) -> str | None:
    """What is wrong with the value as UTF-8, in words; None if nothing is.

    >>> utf8_fault(b"ab\\xff")
    'invalid start byte at byte 2'
    """
    try:
        value.decode()
    except UnicodeDecodeError as error:
        return f"{error.reason} at byte {error.start}"
    return None


def _where(mask: pa.Array, array: pa.Array) -> pa.Array:
    return pc.if_else(mask, array, pa.scalar(None, array.type))
