"""Damaged WARC files: nothing is lost but what is damaged, and each damaged stretch is one rejected row."""

import gzip
import io
import random
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import reasons
from tests import warc_files as make
from transforms.measure.readers import warc_records
from transforms.measure.readers.warc import read_warc
from transforms.measure.readers.warc_archive import read_archive
from transforms.measure.readers.warc_records import Fault, Record, scan_records
from transforms.measure.tally import Tally

ONE, TWO, THREE = (make.conversion(text * 20, f"urn:{text}") for text in ("one", "two", "three"))
INFO = make.warcinfo()


def scan(data: bytes) -> list[Record | Fault]:
    """All records and faults of a file."""
    return list(scan_records(io.BytesIO(data)))


def outline(data: bytes) -> list[str | tuple[str, int, int | None]]:
    """Record ids, and of faults the reason, position and size."""
    return [
        found.headers.get("warc-record-id", found.kind)
        if isinstance(found, Record)
        else (found.reason, found.position, found.size)
        for found in scan(data)
    ]


def blocks(found: Sequence[Record | Fault]) -> list[tuple[int, bytes]]:
    """Position and block of the records."""
    return [(record.position, record.block) for record in found if isinstance(record, Record)]


def faults(found: Sequence[Record | Fault]) -> list[Fault]:
    """The faults."""
    return [fault for fault in found if isinstance(fault, Fault)]


def zipped(*records: bytes) -> list[bytes]:
    """A gzip member a record."""
    return [gzip.compress(record, mtime=0) for record in records]


# Files that are none


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"filedesc://a.arc 0.0.0.0 20080430204825 text/plain 76\n1 0 InternetArchive\n", "warcio recompress"),
        (gzip.compress(b"filedesc://a.arc 0.0.0.0 20080430204825 text/plain 76\n", mtime=0), "ARC file"),
        (b"\n   Apache License\n" * 50, "begins with b'\\n   Apache License"),
        (gzip.compress(b"part-00000.gz.parquet\n", mtime=0), "begins with b'part-00000.gz.parquet"),
        (b"PAR1\x15\x04\x15", "begins with b'PAR1"),
        (bytes(100_000), "holds no WARC record"),
    ],
)
def test_file_of_another_format_is_one_row(data: bytes, words: str) -> None:
    """The row stands for the whole file and says what it begins with."""
    (fault,) = scan(data)
    assert isinstance(fault, Fault)
    assert (fault.reason, fault.position, fault.size) == (reasons.UNKNOWN_FORMAT, 0, len(data))
    assert words in fault.detail


@pytest.mark.parametrize("data", [b"", b"\r\n\r\n", gzip.compress(b"", mtime=0), gzip.compress(b"\n", mtime=0) * 3])
def test_empty_file_has_no_rows(data: bytes) -> None:
    """Nothing in it, nothing to report."""
    assert scan(data) == []


def test_empty_members_between_records_do_no_harm() -> None:
    """They count as part of the record before them."""
    empty = gzip.compress(b"", mtime=0)
    one, two = zipped(ONE, TWO)
    found = scan(empty + one + empty + empty + two + empty)
    assert [(record.position, record.length) for record in found if isinstance(record, Record)] == [
        (len(empty), len(one) + 2 * len(empty)),
        (len(empty) * 3 + len(one), len(two) + len(empty)),
    ]
    assert faults(found) == []


# Plain files


def test_garbage_between_records_is_one_row() -> None:
    """Both neighbours are kept; the row covers the garbage alone."""
    junk = b"monkeys\r\n\r\nand donkeys WARC/1.0 in the text\r\n" * 3
    data = ONE + junk + TWO
    assert outline(data) == ["<urn:one>", (reasons.BROKEN_RECORD, len(ONE), len(junk)), "<urn:two>"]
    assert outline(junk + ONE) == [(reasons.BROKEN_RECORD, 0, len(junk)), "<urn:one>"]
    assert outline(ONE + junk) == ["<urn:one>", (reasons.BROKEN_RECORD, len(ONE), len(junk))]


@pytest.mark.parametrize("length", [-40, -5, -1, 5, 100, 10_000, 400_000_000, 10**15])
def test_wrong_length_costs_its_own_record_only(length: int) -> None:
    """Too short or too long: no part of the text becomes a document, and the records behind are found."""
    block = b"two " * 20
    wrong = make.record("conversion", block, {"WARC-Record-ID": "<urn:wrong>"}, length=len(block) + length)
    found = scan(ONE + wrong + THREE)
    assert outline(ONE + wrong + THREE) == [
        "<urn:one>",
        (reasons.BROKEN_RECORD, len(ONE), len(wrong)),
        "<urn:three>",
    ]
    assert faults(found)[0].record_id == "urn:wrong"
    assert "Content-Length is" in faults(found)[0].detail


def test_wrong_length_of_the_last_record_is_found() -> None:
    """Too long is a file that ends too early; too short leaves bytes that are no end of a record."""
    long, short = (make.record("conversion", b"two " * 20, length=length) for length in (200, 70))
    assert outline(ONE + long) == ["<urn:one>", (reasons.TRUNCATED, len(ONE), len(long))]
    assert outline(ONE + short) == ["<urn:one>", (reasons.BROKEN_RECORD, len(ONE), len(short))]


@pytest.mark.parametrize("separator", [b"", b"\r\n", b"\n", b"\n\n", b"\r\n" * 9])
def test_other_empty_lines_between_records_are_accepted(separator: bytes) -> None:
    """Writers disagree about them, and they hold nothing."""
    assert outline(ONE.rstrip() + separator + TWO) == ["<urn:one>", "<urn:two>"]


def test_warc_file_inside_a_record_is_not_read_as_records() -> None:
    """Where the length is right, it is believed, whatever the block holds."""
    outer = make.resource(ONE + TWO, "application/warc", "urn:outer")
    assert outline(outer + THREE) == ["<urn:outer>", "<urn:three>"]


@pytest.mark.parametrize("value", ["", "very lengthy", "-1", "1e3", "٣", "9" * 30])
def test_record_without_usable_length_is_rejected(value: str) -> None:
    """Its end is unknown; reading goes on at the next record."""
    broken = make.record("conversion", b"text", {"Content-Length": value})
    found = scan(broken + ONE)
    assert outline(broken + ONE) == [(reasons.BROKEN_RECORD, 0, len(broken)), "<urn:one>"]
    assert repr(value) in faults(found)[0].detail


def test_record_without_type_is_rejected_with_what_is_known() -> None:
    """Its length still says where the next one begins, also if it holds something like a record."""
    fields = {"WARC-Type": "", "WARC-Record-ID": "<urn:x>", "WARC-Target-URI": make.URL}
    broken = make.record("", ONE, fields)
    found = scan(broken + TWO)
    assert outline(broken + TWO) == [(reasons.BROKEN_RECORD, 0, len(broken)), "<urn:two>"]
    assert found[0] == Fault(0, len(broken), reasons.BROKEN_RECORD, "The record has no WARC-Type.", "urn:x", make.URL)


def test_header_that_is_not_closed_is_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the next record, by the limit, or by the end of the file."""
    open_header = b"WARC/1.0\r\nWARC-Type: response\r\n"
    assert outline(open_header + ONE) == [(reasons.BROKEN_RECORD, 0, len(open_header)), "<urn:one>"]
    assert outline(ONE + open_header) == ["<urn:one>", (reasons.TRUNCATED, len(ONE), len(open_header))]
    monkeypatch.setattr(warc_records, "MAX_HEADER_BYTES", 5000)
    long_header = b"WARC/1.0\r\n" + b"A: " + b"x" * 20_000 + b"\r\n\r\n"
    assert outline(long_header + ONE) == [(reasons.BROKEN_RECORD, 0, len(long_header)), "<urn:one>"]


def test_record_over_the_limit_is_rejected_without_being_held(monkeypatch: pytest.MonkeyPatch) -> None:
    """What follows it is found by looking for the next record."""
    monkeypatch.setattr(warc_records, "MAX_BLOCK_BYTES", 1000)
    large = make.resource(b"x" * 2_000_000, "video/mp4", "urn:large")
    assert outline(ONE + large + TWO) == ["<urn:one>", (reasons.BROKEN_RECORD, len(ONE), len(large)), "<urn:two>"]


@pytest.mark.parametrize("count", [1, 5, 11])
def test_lone_version_lines_are_rejected_one_by_one(count: int) -> None:
    """Nothing about them says where they end but the next one."""
    lone = b"WARC/1.0\r\nWARC-Type: revisit\r\n\r\n\r\n"
    expected = [(reasons.BROKEN_RECORD, i * len(lone), len(lone)) for i in range(count)]
    assert outline(lone * count) == expected


def test_http_message_that_cannot_be_read_is_rejected_with_its_address() -> None:
    """The record is whole, its payload is not: one row, with the id and the URL."""
    broken = make.response(b"ICY 200 OK\r\n\r\n<p>x", "urn:x")
    tally = Tally()
    batches = list(read_warc(io.BytesIO(ONE + broken), "a.warc", tally))
    assert sum(batch.num_rows for batch in batches) == 1
    assert tally.rejected == [
        {
            "source_file": "a.warc",
            "source_position": len(ONE),
            "bytes": len(broken),
            "reason": reasons.BROKEN_HTTP,
            "detail": "The record begins with b'ICY 200 OK\\r\\n\\r\\n<p>x' instead of an HTTP status line.",
            "record_id": "urn:x",
            "url": make.URL,
        }
    ]


# Gzip files


def test_damaged_member_in_the_middle_costs_its_record_only() -> None:
    """Its bytes are one row, and reading goes on with the next member."""
    one, two, three = zipped(ONE, TWO, THREE)
    broken = two[:30] + b"#####" + two[35:]
    assert outline(one + broken + three) == [
        "<urn:one>",
        (reasons.BROKEN_RECORD, len(one), len(two)),
        "<urn:three>",
    ]
    assert outline(one + two + broken) == ["<urn:one>", "<urn:two>", (reasons.BROKEN_FILE, len(one + two), len(two))]


def test_member_with_a_wrong_checksum_is_rejected() -> None:
    """The record looks whole; the check sum says that it is not what was written."""
    one, two = zipped(ONE, TWO)
    found = scan(one[:-8] + b"????" + one[-4:] + two)
    assert [type(item) for item in found] == [Fault, Record]
    assert faults(found)[0].detail.startswith("The compressed member that begins at byte 0 cannot be unpacked: ")


def test_garbage_between_members_is_one_row() -> None:
    """Also if it holds the first bytes of a gzip member."""
    one, two = zipped(ONE, TWO)
    junk = b"\x1f\x8b\x08 no member \x1f\x8b\x08\x00\x00"
    assert outline(one + junk + two) == ["<urn:one>", (reasons.BROKEN_RECORD, len(one), len(junk)), "<urn:two>"]
    assert outline(one + bytes(50)) == ["<urn:one>", (reasons.BROKEN_FILE, len(one), 50)]


def test_wrong_length_in_a_member_costs_its_record_only() -> None:
    """A length that reaches into the next member does not swallow it."""
    wrong = make.record("conversion", b"x" * 50, length=300)
    one, two, three = zipped(ONE, wrong, THREE)
    assert outline(one + two + three) == ["<urn:one>", (reasons.BROKEN_RECORD, len(one), len(two)), "<urn:three>"]


def test_cut_member_with_many_records_keeps_those_before_the_cut() -> None:
    """Positions are those of the member, and how many bytes are lost is not known."""
    texts = [random.Random(i).randbytes(3000).hex() for i in range(20)]
    data = gzip.compress(make.warc_file(make.conversion(text, f"urn:{i}") for i, text in enumerate(texts)))
    found = scan(data[: len(data) // 2])
    kept = [record.block.decode() for record in found if isinstance(record, Record)]
    assert 8 <= len(kept) <= 10
    assert kept == texts[: len(kept)]
    detail = "The compressed member that begins at byte 0 is not complete."
    assert faults(found) == [Fault(0, None, reasons.TRUNCATED, detail, f"urn:{len(kept)}", make.URL)]


def test_errors_of_the_stream_are_not_taken_for_damage() -> None:
    """A network that fails must fail the job, not reject the rest of the file."""

    class Failing(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell() > 0:
                raise OSError("connection reset")
            return super().read(size)

    for data in (ONE * 10_000, gzip.compress(random.Random(0).randbytes(1_000_000))):
        with pytest.raises(OSError, match="connection reset"):
            list(scan_records(Failing(data)))


# Any file, any damage

RECORDS = [
    INFO,
    make.request("urn:q"),
    make.response(make.http(b"<html><body><p>The rain in Spain."), "urn:r"),
    ONE,
    make.revisit("urn:v"),
    TWO,
]
PLAIN, GZIPPED = (make.warc_file(RECORDS, gzipped=flag) for flag in (False, True))


@pytest.mark.parametrize("data", [PLAIN, GZIPPED], ids=["plain", "gzip"])
def test_cut_at_every_byte_keeps_all_complete_records(data: bytes) -> None:
    """The records before the cut are there, and what is left is at most one row that reaches to the end."""
    whole = [record for record in scan(data) if isinstance(record, Record)]
    slack = 4 if data is PLAIN else 0  # the empty lines at the end of a plain record hold nothing
    for cut in range(len(data) + 1):
        found = scan(data[:cut])
        complete = [r for r in whole if r.length is not None and r.position + r.length - slack <= cut]
        assert blocks(found) == blocks(complete)
        end = sum(record.length or 0 for record in complete)
        expected = [(reasons.TRUNCATED, end, cut - end)] if cut > end else []
        assert [(fault.reason, fault.position, fault.size) for fault in faults(found)] == expected


@pytest.mark.parametrize("data", [PLAIN, GZIPPED], ids=["plain", "gzip"])
@settings(deadline=None, max_examples=400)
@given(flips=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(1, 255)), min_size=1, max_size=1))
def test_flipped_byte_costs_the_record_that_holds_it_at_most(data: bytes, flips: list[tuple[float, int]]) -> None:
    """All other records are kept, and the bytes of records and rejected rows add up to the file."""
    damaged = bytearray(data)
    for where, mask in flips:
        damaged[int(where * len(data))] ^= mask
    place = int(flips[0][0] * len(data))
    others = [(r.position, r.block) for r in scan(data) if isinstance(r, Record) and not _holds(r, place)]
    found = scan(bytes(damaged))
    assert [block for block in blocks(found) if block in others] == others
    assert len(faults(found)) <= 1
    sizes = [found_one.length if isinstance(found_one, Record) else found_one.size for found_one in found]
    assert None in sizes or sum(size or 0 for size in sizes) == len(data)


def _holds(record: Record, place: int) -> bool:
    return record.position <= place < record.position + (record.length or 0)


@settings(deadline=None, max_examples=300)
@given(
    st.booleans(),
    st.lists(
        st.tuples(st.integers(0, 3000), st.integers(0, 300), st.binary(max_size=40) | st.sampled_from(RECORDS)),
        max_size=5,
    ),
)
def test_any_damage_is_survived_and_the_bytes_add_up(gzipped: bool, edits: list[tuple[int, int, bytes]]) -> None:
    """Bytes taken out, put in and doubled anywhere: no error, no row out of order, no byte unaccounted for."""
    data = GZIPPED if gzipped else PLAIN
    for at, gone, put in edits:
        data = data[:at] + put + data[at + gone :]
    found = scan(data)
    position = 0
    for item in found:
        size = item.length if isinstance(item, Record) else item.size
        assert item.position >= position
        position = item.position + (size or 0)
    assert position <= len(data)
    tally = Tally()
    rows = sum(batch.num_rows for batch in read_warc(io.BytesIO(data), "a.warc", tally))
    assert rows + sum(tally.not_documents.values()) + len(tally.rejected) == len(list(read_archive(io.BytesIO(data))))
