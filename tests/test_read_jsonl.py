"""The JSON Lines reader: which lines are documents, where they lie, and what becomes of their values."""

import datetime as dt
import io
import json
import lzma
from itertools import pairwise
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.columns import RECORDS
from schemas.reasons import BROKEN_JSON, INVALID_UTF8, WRONG_TYPE
from tests.jsonl_reading import EVERYTHING, TEXT_ONLY, read, read_slowly
from transforms.batches import BATCH_BYTES, BATCH_ROWS
from transforms.measure.readers import jsonl
from transforms.measure.readers.columns import ColumnMap
from transforms.measure.readers.jsonl import MAX_DEPTH, jsonl_keys, read_jsonl
from transforms.measure.tally import Tally

CIVIL = Path(__file__).resolve().parents[2] / "shared" / "data" / "civil" / "sections.jsonl.xz"


def line(**values: object) -> bytes:
    return json.dumps(values).encode() + b"\n"


def test_document_has_its_columns_and_its_place() -> None:
    """Mapped columns, carried columns, file, position and locator of each line; the rest is null."""
    first = line(id="a", text="one", url="http://a/", time="2024-05-18T01:58:10Z", offset=5, length="70", lang="en")
    [batch] = read(first + line(id=2, text="two"), EVERYTHING).batches
    empty = {field.name: None for field in RECORDS.schema()}
    assert batch.to_pylist() == [
        empty
        | {
            "locator": "0",
            "record_id": "a",
            "text": "one",
            "url": "http://a/",
            "fetch_time": dt.datetime(2024, 5, 18, 1, 58, 10, tzinfo=dt.UTC),
            "warc_record_offset": 5,
            "warc_record_length": 70,
            "source_file": "a.jsonl",
            "source_position": 0,
            "lang": "en",
            "id": "a",
        },
        empty
        | {
            "locator": str(len(first)),
            "record_id": "2",
            "text": "two",
            "source_file": "a.jsonl",
            "source_position": len(first),
            "lang": None,
            "id": "2",
        },
    ]


def test_all_crawl_columns_can_be_mapped() -> None:
    """Each of our names takes a user's column."""
    names = ("content_digest", "warc_filename", "warc_record_id")
    columns = ColumnMap(tuple((name, f"my.{name}") for name in names))
    result = read(line(**{f"my.{name}": f"value of {name}" for name in names}), columns)
    assert result.rows(*names) == [tuple(f"value of {name}" for name in names)]


@pytest.mark.parametrize(
    ("data", "positions"),
    [
        (b"", []),
        (b"\n\n \t\r\n", []),
        (b'{"text":"a"}', [0]),
        (b'{"text":"a"}\r\n{"text":"a"}\r\n', [0, 14]),
        (b'\n\n{"text":"a"}\n \n{"text":"a"}', [2, 17]),
        (b'  {"text":"a"}  \n', [0]),
        (b'\xef\xbb\xbf{"text":"a"}\n{"text":"a"}', [0, 16]),
        (b'\xef\xbb\xbf\n{"text":"a"}', [4]),
    ],
)
def test_line_is_found_whatever_surrounds_it(data: bytes, positions: list[int]) -> None:
    """CRLF, blank lines, blanks, a byte order mark and a missing last newline are fine on both paths."""
    assert read(data).rows("source_position") == read_slowly(data).rows("source_position") == positions
    assert read(data).rejected == read_slowly(data).rejected == []


@pytest.mark.parametrize(
    ("bad", "reason", "detail"),
    [
        (b'{"text": "a"', BROKEN_JSON, "the line is not JSON: Expecting ',' delimiter at character 12"),
        (b'{"text": "a"} x', BROKEN_JSON, "the line is not JSON: Extra data at character 14"),
        (b'{"text": "a"}{"text": "b"}', BROKEN_JSON, "the line is not JSON: Extra data at character 13"),
        (b'{"text": 01}', BROKEN_JSON, "the line is not JSON: Expecting ',' delimiter at character 10"),
        (b"\x00\x00\x00", BROKEN_JSON, "the line is not JSON: Expecting value at character 0"),
        (b"null", BROKEN_JSON, "the line holds null, and only an object can be used"),
        (b"[1, 2]", BROKEN_JSON, "the line holds a list, and only an object can be used"),
        (b'"text"', BROKEN_JSON, "the line holds a string, and only an object can be used"),
        (b"9" * 30, BROKEN_JSON, "the line holds a number, and only an object can be used"),
        (b'{"text": "\xff"}', INVALID_UTF8, "the line is not valid UTF-8: invalid start byte at byte 10"),
        (b'{"x": "\xed\xa0\x80"}', INVALID_UTF8, "the line is not valid UTF-8: invalid continuation byte at byte 7"),
        (b'{"text": "ab\\ud800"}', INVALID_UTF8, 'column "text" holds half of a surrogate pair at character 2'),
        (b'{"lang": {"\\udc00": 1}}', INVALID_UTF8, 'column "lang" holds half of a surrogate pair at character 2'),
        (b'{"text": 1}', WRONG_TYPE, 'column "text" holds 1, and only a string or null can be used'),
        (b'{"text": ["a"]}', WRONG_TYPE, 'column "text" holds a list, and only a string or null can be used'),
        (b'{"url": false}', WRONG_TYPE, 'column "url" holds false, and only a string or null can be used'),
        (
            b'{"id": {"$oid": 1}}',
            WRONG_TYPE,
            'column "id" holds an object, and only a string, a number, a boolean or null can be used',
        ),
    ],
)
def test_bad_line_is_one_rejected_row(bad: bytes, reason: str, detail: str) -> None:
    """It is rejected with its offset, its bytes and the fault; the lines around it are kept."""
    result = read(line(text="before") + bad + b"\n" + line(text="after"), EVERYTHING)
    assert result.rows("text") == ["before", "after"]
    assert result.faults() == [(len(line(text="before")), reason, detail)]
    assert result.rejected[0]["bytes"] == len(bad)


def test_rejected_line_says_whose_record_it_is() -> None:
    """Id and URL are told where they can be read."""
    rejected = read(line(text=1, id="a", url="http://a/") + line(text=1, id="\ud800", url=5), EVERYTHING).rejected
    assert [(row["record_id"], row["url"]) for row in rejected] == [("a", "http://a/"), (None, None)]


def test_file_cut_inside_a_line_keeps_the_lines_before() -> None:
    """The last, incomplete line is broken JSON."""
    data = line(text="one") + line(text="two")[:-4]
    assert read(data).rows("text") == ["one"]
    assert [fault[:2] for fault in read(data).faults()] == [(len(line(text="one")), BROKEN_JSON)]


@given(data=st.binary(max_size=60))
@settings(deadline=None)
def test_binary_file_is_rejected_line_by_line(data: bytes) -> None:
    """No exception, and never more than one row for a line."""
    lines = [raw for raw in data.removeprefix(b"\xef\xbb\xbf").split(b"\n") if raw.strip(b" \t\r")]
    result = read(data)
    assert len(result.rejected) + len(result.rows("text")) == len(lines)


def test_last_of_repeated_keys_counts() -> None:
    """As `json` has it."""
    assert read(b'{"text": 1, "text": "b", "x": 1, "x": 2}').rows("text") == ["b"]


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "9" * 400, "9" * 5000, "-" + "9" * 5000])
def test_odd_numbers_in_other_columns_are_passed_over(number: str) -> None:
    """Writers emit NaN and long numbers; a document is not lost for one."""
    assert read(f'{{"text": "a", "x": {number}}}'.encode()).rows("text") == ["a"]


@pytest.mark.parametrize("number", ["-NaN", "Inf", "nan", "-inf", "1.", "0x1F"])
def test_number_that_json_does_not_know_is_broken(number: str) -> None:
    """Also where Arrow would read it."""
    assert [row["reason"] for row in read(f'{{"text": "a", "x": {number}}}'.encode()).rejected] == [BROKEN_JSON]


@pytest.mark.parametrize("depth", [MAX_DEPTH - 1, MAX_DEPTH, 100_000])
def test_nesting_has_a_limit_that_is_told(depth: int) -> None:
    """Up to `MAX_DEPTH` levels, the line's object included, whatever brackets its strings hold."""
    data = line(text="[" * 200)[:-2] + b', "x": ' + b"[" * depth + b"]" * depth + b"}"
    if depth < MAX_DEPTH:
        assert read(data).rows("text") == ["[" * 200]
    else:
        assert read(data).faults() == [(0, BROKEN_JSON, "the JSON is nested deeper than 128 levels")]


@pytest.mark.parametrize(
    ("value", "as_id", "as_carried"),
    [
        ('"a b"', "a b", "a b"),
        ("null", None, None),
        ("12", "12", "12"),
        ("-0", "0", "0"),
        ("1.50", "1.5", "1.5"),
        ("true", "true", "true"),
        ("NaN", "NaN", "NaN"),
        ("123456789012345678901234567890", "123456789012345678901234567890", "123456789012345678901234567890"),
        ('[1, {"b": "\\u00e9", "a": null}]', "rejected", '[1,{"b":"é","a":null}]'),
    ],
)
def test_id_and_carried_values_become_json_text(value: str, as_id: str | None, as_carried: str | None) -> None:
    """Strings stay as they are, null stays null, other values are compact JSON; an id is never a list or an object."""
    data = f'{{"x": {value}}}'.encode()
    assert read(data, ColumnMap((), carry=("x",))).rows("x") == [as_carried]
    assert read(data, ColumnMap((("record_id", "x"),))).rows("record_id") == ([] if as_id == "rejected" else [as_id])


def test_unusable_time_or_offset_is_null_and_no_reason_to_reject() -> None:
    """The document is worth more."""
    data = line(text="a", time=1716000000, offset=1.5, length=True) + line(text="b", time="soon", offset="x", length=[])
    names = ("text", "fetch_time", "warc_record_offset", "warc_record_length")
    assert read(data, EVERYTHING).rows(*names) == [("a", None, None, None), ("b", None, None, None)]


def test_missing_column_is_null() -> None:
    """A key that no line has gives nulls, in mapped and carried columns."""
    columns = ColumnMap((("text", "nowhere"), ("url", "")), carry=("neither",))
    assert read(b'{"text": "a"}\n', columns).rows("text", "url", "neither") == [(None, None, None)]


@given(
    lines=st.lists(st.sampled_from([b"", b"\r", b"{}", b'{"text": "a"}', b'{"text"', b"\xff"]), max_size=8),
    borders=st.lists(st.integers(0, 60)),
    last=st.sampled_from([b"", b"\n"]),
)
@settings(deadline=None)
def test_ranges_give_every_line_once(lines: list[bytes], borders: list[int], last: bytes) -> None:
    """Any partition of a file into byte ranges has the same documents and rejections, with the same offsets."""
    data = b"\n".join(lines) + last
    cuts = sorted([0, *(min(border, len(data)) for border in borders)])
    parts = [read(data, start=start, stop=stop) for start, stop in pairwise(cuts)] + [read(data, start=cuts[-1])]
    whole = read(data)
    assert [row for part in parts for row in part.rows("source_position", "text")] == whole.rows(
        "source_position", "text"
    )
    assert [row for part in parts for row in part.rejected] == whole.rejected


def test_range_holds_the_lines_that_begin_in_it() -> None:
    """A line belongs where its first byte lies; one that begins at `stop` belongs to the next range."""
    data = b'{"text":"a"}\n{"text":"b"}\n{"text":"c"}\n'
    assert read(data, start=0, stop=13).rows("text") == ["a"]
    assert read(data, start=0, stop=14).rows("text") == ["a", "b"]
    assert read(data, start=1, stop=13).rows("text") == []
    assert read(data, start=13, stop=None).rows("text") == ["b", "c"]
    assert read(data, start=100, stop=200).rows("text") == []


class Trickle(io.BytesIO):
    """A stream that gives a few bytes at a time, as remote files may."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(min(size, 5) if size and size > 0 else size)


@given(texts=st.lists(st.text(max_size=12), max_size=8), block=st.integers(1, 60))
@settings(deadline=None)
def test_blocks_and_short_reads_change_nothing(texts: list[str], block: int) -> None:
    """Small blocks, lines longer than a block and short reads: the documents are the same."""
    data = b"\xef\xbb\xbf" + b"".join(line(text=text) for text in texts)
    with mock.patch.object(jsonl, "BLOCK_BYTES", block):
        result = read(data)
        trickled = list(read_jsonl(Trickle(data), "a.jsonl", Tally(), TEXT_ONLY, compression="none"))
    assert result.rows("text") == texts
    assert result.rows("source_position") == read(data).rows("source_position")
    assert [batch.to_pylist() for batch in trickled] == [batch.to_pylist() for batch in result.batches]


def test_batches_are_bounded_by_rows() -> None:
    """At most `BATCH_ROWS` documents a batch."""
    assert [len(batch) for batch in read(b"{}\n" * (2 * BATCH_ROWS + 1)).batches] == [BATCH_ROWS, BATCH_ROWS, 1]


def test_batches_are_bounded_by_text_and_a_giant_is_alone() -> None:
    """About `BATCH_BYTES` of text a batch; a longer document is a batch of its own."""
    half = "x" * (BATCH_BYTES // 2)
    texts = [half, half, "y", half * 5, "z"]
    result = read(b"".join(line(text=text) for text in texts))
    assert [[len(text) for text in batch["text"].to_pylist()] for batch in result.batches] == [
        [len(half)],
        [len(half), 1],
        [5 * len(half)],
        [1],
    ]


def test_line_of_100_megabytes_is_one_document() -> None:
    """One giant line is read by the fast path."""
    data = b'{"text":"' + b"long text " * 10_000_000 + b'"}\n'
    with mock.patch.object(jsonl, "_parse_slowly", side_effect=AssertionError):
        [batch] = read_jsonl(io.BytesIO(data), "a.jsonl", Tally(), TEXT_ONLY, compression="none")
    assert batch["text"][0].as_buffer().size == 100_000_000


def test_keys_are_listed_in_order_of_first_appearance() -> None:
    """What stands in broken lines does not count."""
    data = b'\xef\xbb\xbf{"b": {"x": 1}}\nbroken\n[1]\n\n{"a": 1, "b": 2, "": 3}'
    assert jsonl_keys(io.BytesIO(data), "none") == ["b", "a", ""]


def test_keys_come_from_the_sample_only() -> None:
    """Whole lines of the first bytes, or one longer line."""
    data = line(a=1) + line(b=1) + line(c="x" * 100)
    assert jsonl_keys(io.BytesIO(data), "none", 2 * len(line(a=1)) + 3) == ["a", "b"]
    assert jsonl_keys(io.BytesIO(line(c="x" * 100) + data), "none", 20) == ["c"]
    assert jsonl_keys(io.BytesIO(b""), "none") == []


@pytest.mark.skipif(not CIVIL.exists(), reason=f"{CIVIL} is absent")
def test_civil_sections_are_read_as_json_reads_them() -> None:
    """Real text with OCR noise, 12 MB: every document and offset, all on the fast path."""
    data = lzma.decompress(CIVIL.read_bytes())
    columns = ColumnMap((("record_id", "id"), ("text", "text")), carry=("code",))
    with mock.patch.object(jsonl, "_parse_slowly", side_effect=AssertionError):
        result = read(data, columns)
    expected, position = [], 0
    for raw in data.splitlines(keepends=True):
        document = json.loads(raw)
        expected.append((position, document["id"], document["text"], document["code"]))
        position += len(raw)
    assert result.rows("source_position", "record_id", "text", "code") == expected
