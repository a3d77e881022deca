"""WARC and HTTP headers: fields as they are written, of any length, by our own reading and by FastWARC's."""

import io

import pytest
from fastwarc.warc import HeaderMap
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import warc_files as make
from transforms.measure.readers.warc import read_warc
from transforms.measure.readers.warc_records import fields_of, first_values, parse_fields, parse_headers
from transforms.measure.tally import Tally

field_names = st.text("abcXYZ019-_", min_size=1, max_size=8)
field_values = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S")), max_size=12)


@settings(deadline=None)
@given(
    st.lists(st.tuples(field_names, field_values)),
    st.sampled_from([b"\n", b"\r\n"]),
    st.sampled_from([b"", b"\t", b"  "]),
)
def test_header_fields_are_parsed_as_written(fields: list[tuple[str, str]], newline: bytes, blank: bytes) -> None:
    """Whatever the line ends and blanks: names in lower case, and of repeated ones the first."""
    lines = [name.encode() + b":" + blank + value.encode() + blank for name, value in fields]
    expected = {name.lower(): value for name, value in reversed(fields)}
    assert parse_headers(newline.join(lines)) == expected


pieces = [
    b"a",
    b"B",
    b":",
    b" ",
    b"\t",
    b"\n",
    b"\r\n",
    b"\r",
    "é".encode(),
    b"\xff",
    b"\x0b",
    b"\x1c",
    b"\x85",
    b"\0",
    b"\xc2\xa0",
]


@settings(deadline=None, max_examples=1000)
@given(st.lists(st.sampled_from(pieces), max_size=14).map(b"".join))
def test_header_is_read_as_fastwarc_reads_it(header: bytes) -> None:
    """All fields in their order, whatever the bytes: a record is the same by either way of reading a file."""
    theirs = HeaderMap()
    theirs.parse(io.BytesIO(b"\r\n".join(header.strip(b"\r\n").splitlines()) + b"\r\n\r\n"), False)
    assert parse_fields(header) == fields_of(theirs)


def test_long_header_is_read() -> None:
    """FastWARC gives up after 32 KiB, which a response with many cookies and policies reaches."""
    long = make.http(b"<p>Hello", fields={"X-Long": "x" * 100_000, "X-Robots-Tag": "noai"})
    data = make.response(long) + make.record("response", make.http(b"<p>Hi"), {"X-Long": "y" * 100_000})
    tally = Tally()
    (batch,) = read_warc(io.BytesIO(data), "a.warc", tally)
    assert batch["text"].to_pylist() == ["Hello", "Hi"]
    noai = {"kind": "noai", "value": None, "agent": None, "source": "http:x-robots-tag"}
    assert batch["page_signals"].to_pylist() == [[noai], []]
    assert tally.rejected == []


@pytest.mark.parametrize(
    ("header", "fields"),
    [
        (b"", []),
        (b"\r\n\r\n", []),
        (b"A: 1\r\nB: 2\r\na: 3\r\n", [("a", "1"), ("b", "2"), ("a", "3")]),
        (b"A: 1\r\n\r\nB: 2", [("a", "1")]),
        (b"A:\r\n 1\r\n\t2 ", [("a", "1 2")]),
        (b"no colon\r\nA: b: c", [("a", "b: c")]),
    ],
)
def test_fields_keep_their_order_and_repeats(header: bytes, fields: list[tuple[str, str]]) -> None:
    """Nothing is merged, and the first value of a name is the one that counts where one is asked for."""
    assert parse_fields(header) == fields
    assert first_values(fields).get("a") == next((value for name, value in fields if name == "a"), None)
