"""WARC and WET files: which records are documents, what their columns say, and that every record is counted once."""

import gzip
import io
import re
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.columns import RECORDS
from schemas.reasons import NOT_DOCUMENTS, REJECTIONS
from tests import warc_files as make
from transforms.batches import BATCH_BYTES, BATCH_ROWS
from transforms.measure.readers.page_signals import PageSignal
from transforms.measure.readers.record_batches import Row, batch_rows
from transforms.measure.readers.warc import read_warc
from transforms.measure.tally import Tally

WARC = Path(__file__).resolve().parents[2] / "shared" / "data" / "warc"
FILES = sorted(path for path in WARC.glob("*/*") if path.is_file())
with_data = pytest.mark.skipif(not FILES, reason=f"needs the WARC files of {WARC}")

HEALTHY_WITHOUT_RECORDS = re.compile(r"\.arc|LICENSE|paths")


def read(data: bytes, name: str = "a.warc.gz", *, main_content: bool = True) -> tuple[list[dict[str, object]], Tally]:
    """All rows of a file, and its tally."""
    tally = Tally()
    batches = list(read_warc(io.BytesIO(data), name, tally, main_content=main_content))
    assert all(batch.schema.equals(RECORDS.schema()) for batch in batches)
    return [row for batch in batches for row in batch.to_pylist()], tally


def texts(data: bytes) -> list[object]:
    """The texts of a file from which nothing is rejected."""
    rows, tally = read(data)
    assert tally.rejected == []
    return [row["text"] for row in rows]


# Which records are documents


@pytest.mark.parametrize("version", ["1.0", "1.1", "0.18"])
@pytest.mark.parametrize("gzipped", [False, True])
def test_all_record_types_are_read_in_all_versions(version: str, gzipped: bool) -> None:
    """Responses, resources and conversions become documents; the other types are counted by kind."""
    page = b"<html><body><p>All rights reserved."
    records = [
        make.warcinfo(version),
        make.request(version=version),
        make.response(make.http(page), version=version),
        make.resource(page, version=version),
        make.conversion("plain", version=version),
        make.revisit(version=version),
        make.record("metadata", b"via: x", version=version),
        make.record("continuation", b"rest", version=version),
        make.record("screenshot", b"x", version=version),
    ]
    rows, tally = read(make.warc_file(records, gzipped=gzipped))
    assert [row["text"] for row in rows] == ["All rights reserved.", "All rights reserved.", "plain"]
    kinds = ("warcinfo", "request", "revisit", "metadata", "continuation", "unknown_type")
    assert tally.not_documents == dict.fromkeys(kinds, 1)
    assert tally.rejected == []


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (make.response(make.http(b"<p>x", status="404 Not Found")), "http_status_404"),
        (make.response(make.http(b"<p>x", status="206 Partial Content")), "http_status_206"),
        (make.response(make.http(b"", status="301")), "http_status_301"),
        (make.response(make.http(b"", status="999 No")), "http_status_other"),
        (make.response(make.http(b"x", "image/png")), "media_image"),
        (make.response(make.http(b"x", "Video/MP4")), "media_video"),
        (make.response(make.http(b"x", "audio/mpeg")), "media_audio"),
        (make.response(make.http(b"x", "font/woff2")), "media_font"),
        (make.response(make.http(b"x", "application/x-font-ttf")), "media_font"),
        (make.response(make.http(b"x", "application/pdf; v=1")), "media_pdf"),
        (make.response(make.http(b"{}", "application/json")), "media_other"),
        (make.response(make.http(b"%PDF-1.7\n\x00", "")), "media_pdf"),
        (make.response(make.http(b"\x89PNG\r\n\x1a\n\x00", "application/octet-stream")), "media_image"),
        (make.response(make.http(b"\x00\x01\x02", "")), "media_other"),
        (make.record("response", b"example.com. 1 IN A 1.2.3.4", {"Content-Type": "text/dns"}), "not_http"),
        (make.resource(b"x", "image/gif"), "media_image"),
        (make.resource(b"log", "text/plain", url="metadata://gnu.org/software/wget/warc/wget.log"), "metadata"),
        (make.record("conversion", b"<p>x", {"Content-Type": "text/html"}), "media_other"),
        (make.record("response", make.http(b"<p>x"), {"WARC-Segment-Number": "1"}), "segment"),
    ],
)
def test_record_that_is_no_document_is_counted_by_kind(data: bytes, kind: str) -> None:
    """What reads fine and holds no page is one count of one kind of the vocabulary, and nothing else."""
    rows, tally = read(data)
    assert (rows, tally.rejected, dict(tally.not_documents)) == ([], [], {kind: 1})
    assert re.sub(r"^http_status_\d+$", "http_status_*", kind.replace("status_other", "status_*")) in NOT_DOCUMENTS


@pytest.mark.parametrize(
    "fields",
    [
        {"Content-Type": "application/http;msgtype=response"},
        {"Content-Type": ""},
        {"Content-Type": "text/html"},
        {"WARC-Type": "RESPONSE"},
    ],
)
def test_response_is_known_by_its_type_or_its_status_line(fields: dict[str, str]) -> None:
    """A missing or wrong Content-Type of the record does not hide an HTTP response."""
    assert texts(make.record("response", make.http(b"<p>Hello"), fields)) == ["Hello"]


def test_crawler_cut_record_stays_a_document() -> None:
    """WARC-Truncated means that the crawler stopped on purpose: what it kept is the page."""
    packed = gzip.compress(b"<html><body><p>" + b"All work and no play. " * 2000, mtime=0)
    message = make.http(packed[: len(packed) - 20], fields={"Content-Encoding": "gzip"})
    (text,) = texts(make.record("response", message, {"WARC-Truncated": "length"}))
    assert str(text).startswith("All work and no play. All work")


def test_page_without_text_is_a_document_with_empty_text() -> None:
    """That nothing can be extracted is for a later rule to judge."""
    assert texts(make.response(make.http(b"<html><body><script>x()</script></body></html>"))) == [""]


def test_main_content_leaves_navigation_out_unless_told() -> None:
    """The switch reaches the extraction."""
    data = make.response(make.http(b"<html><body><nav>Menu</nav><main><p>Story</main>"))
    assert [read(data, main_content=flag)[0][0]["text"] for flag in (True, False)] == ["Story", "Menu\n\nStory"]


# What the columns say


def test_columns_are_those_of_the_record() -> None:
    """Every column of a response in a gzip member, exactly."""
    fields = {
        "WARC-Record-ID": "<urn:uuid:1>",
        "WARC-Target-URI": "<http://example.com/a b>",
        "WARC-Date": "2024-05-18T01:58:10.123456Z",
        "WARC-Payload-Digest": "sha1:RY7PLBUFQNI2FFV5FTUQK72W6SNPXLQU",
    }
    first = gzip.compress(make.warcinfo(), mtime=0)
    second = gzip.compress(make.record("response", make.http(b"<p>Hello"), fields), mtime=0)
    rows, _ = read(first + second, "segment/a.warc.gz")
    assert rows == [
        {
            "locator": "urn:uuid:1",
            "record_id": "urn:uuid:1",
            "url": "http://example.com/a b",
            "fetch_time": datetime(2024, 5, 18, 1, 58, 10, 123456, tzinfo=UTC),
            "content_digest": "RY7PLBUFQNI2FFV5FTUQK72W6SNPXLQU",
            "warc_filename": "segment/a.warc.gz",
            "warc_record_offset": len(first),
            "warc_record_length": len(second),
            "warc_record_id": "urn:uuid:1",
            "source_file": "segment/a.warc.gz",
            "source_position": len(first),
            "page_signals": [],
            "text": "Hello",
        }
    ]


def test_missing_fields_are_null_and_the_position_is_the_locator() -> None:
    """Id, URL, date and digest are not needed."""
    data = make.record("conversion", b"x", {"WARC-Date": "", "Content-Type": "text/plain"})
    rows, _ = read(make.warcinfo() + data)
    names = ("record_id", "url", "fetch_time", "content_digest", "warc_record_id", "page_signals")
    assert [rows[0][name] for name in names] == [None] * 6
    assert rows[0]["locator"] == f"@{len(make.warcinfo())}"


@pytest.mark.parametrize(
    ("date", "time"),
    [
        ("2024-05-18T01:58:10Z", datetime(2024, 5, 18, 1, 58, 10, tzinfo=UTC)),
        ("2024-05-18T01:58:10.5Z", datetime(2024, 5, 18, 1, 58, 10, 500000, tzinfo=UTC)),
        ("2024-05-18T01:58:10.123456789Z", datetime(2024, 5, 18, 1, 58, 10, 123456, tzinfo=UTC)),
        ("2024-05-18T03:58:10+02:00", datetime(2024, 5, 18, 1, 58, 10, tzinfo=UTC)),
        ("2024-05-18T01:58:10", datetime(2024, 5, 18, 1, 58, 10, tzinfo=UTC)),
        ("1969-12-31T23:59:59.999999Z", datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)),
        ("2008-10-294T05:21:46-0700", None),
        ("blue monday", None),
    ],
)
def test_fetch_time_is_utc_or_null(date: str, time: datetime | None) -> None:
    """WARC 1.1 fractions are kept to the microsecond; what is no date is null, not an error."""
    rows, _ = read(make.record("conversion", b"x", {"WARC-Date": date, "Content-Type": "text/plain"}))
    assert rows[0]["fetch_time"] == time


@pytest.mark.parametrize(
    ("digest", "expected"),
    [
        ("sha1:RY7PLBUFQNI2FFV5FTUQK72W6SNPXLQU", "RY7PLBUFQNI2FFV5FTUQK72W6SNPXLQU"),
        ("SHA1:RY7PLBUFQNI2FFV5FTUQK72W6SNPXLQU", "RY7PLBUFQNI2FFV5FTUQK72W6SNPXLQU"),
        ("sha1:b1f949b4920c773fd9c863479ae9a788b948c7ad", "sha1:b1f949b4920c773fd9c863479ae9a788b948c7ad"),
        ("sha256:00", "sha256:00"),
        ("", None),
    ],
)
def test_content_digest_loses_its_prefix_only_as_sha1_in_base32(digest: str, expected: str | None) -> None:
    """So it joins with Common Crawl's index, and others stay what they are."""
    rows, _ = read(make.record("conversion", b"x", {"WARC-Payload-Digest": digest, "Content-Type": "text/plain"}))
    assert rows[0]["content_digest"] == expected


def test_repeated_id_is_numbered_in_its_locator() -> None:
    """Locators are unique in the file, also where an id looks like a number that was given."""
    ids = ["a", "a", "b", "a", "a#2", "a#4", "a"]
    rows, _ = read(make.warc_file(make.conversion("x", record_id) for record_id in ids))
    assert [row["record_id"] for row in rows] == ids
    assert [row["locator"] for row in rows] == ["a", "a#2", "b", "a#3", "a#2#2", "a#4", "a#5"]


def test_records_in_one_gzip_member_have_no_address_of_their_own() -> None:
    """Offset and length are null; the position is that of the member, and the locators differ all the same."""
    lead = gzip.compress(make.warcinfo(), mtime=0)
    rows, tally = read(lead + gzip.compress(make.conversion("one") + make.conversion("two"), mtime=0))
    assert [row["text"] for row in rows] == ["one", "two"]
    assert [(row["warc_record_offset"], row["warc_record_length"]) for row in rows] == [(None, None)] * 2
    assert [row["source_position"] for row in rows] == [len(lead)] * 2
    assert [row["locator"] for row in rows] == [f"@{len(lead)}", f"@{len(lead)}#2"]
    assert tally.rejected == []


def test_header_lines_may_end_with_lf_and_be_folded() -> None:
    """As ClueWeb and the examples of JWAT have it; field names and values of types have no case."""
    head = b"warc/1.0\nwarc-type:\n CONVERSION\nCONTENT-TYPE: Text/Plain\nWARC-Target-URI:\n\thttp://a/\n"
    rows, tally = read(head + b"Content-Length: 5\n\nHello\n\n" + make.conversion("two"))
    assert [(row["url"], row["text"]) for row in rows] == [("http://a/", "Hello"), (make.URL, "two")]
    assert tally.rejected == []


# Batches


def test_batches_end_at_their_limits() -> None:
    """Rows and bytes of text are bounded; one longer text is a batch of its own."""
    row: Row = {"locator": "@", "source_file": "a", "source_position": 0}
    many = [{**row, "text": "x"}] * (BATCH_ROWS + 1)
    assert [batch.num_rows for batch in batch_rows(many)] == [BATCH_ROWS, 1]
    sizes = [BATCH_BYTES // 2, BATCH_BYTES // 2, 1, BATCH_BYTES + 1, 5]
    assert [batch.num_rows for batch in batch_rows({**row, "text": "x" * size} for size in sizes)] == [2, 1, 1, 1]
    # 2 bytes each: the limit is one of UTF-8
    assert [batch.num_rows for batch in batch_rows([{**row, "text": "é" * (BATCH_BYTES // 2)}] * 2)] == [1, 1]
    assert list(batch_rows([])) == []


def test_page_signals_count_as_text_does() -> None:
    """A page may say a thousand things of a thousand characters, and so may all pages of a batch."""
    signal = PageSignal("licence", "x" * 1000, None, "link:license")
    row: Row = {"locator": "@", "source_file": "a", "source_position": 0, "text": "", "page_signals": [signal] * 1000}
    batches = list(batch_rows([row] * 10))
    assert [batch.num_rows for batch in batches] == [8, 2]
    assert batches[0]["page_signals"][7][999].as_py() == signal._asdict()


def test_batch_holds_nulls_and_text_of_any_script() -> None:
    """What a row leaves out is null; text is what it was."""
    (batch,) = batch_rows(
        {"locator": "@", "source_file": "a", "source_position": 0, "text": text, "fetch_time": time}
        for text, time in [("Ä\U0001f600", 1), (None, None)]
    )
    assert batch["text"].to_pylist() == ["Ä\U0001f600", None]
    assert batch["fetch_time"].cast(pa.int64()).to_pylist() == [1, None]
    assert batch["url"].null_count == 2


# Everything is counted once

words = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30)
record_lists = st.lists(st.tuples(st.sampled_from(["document", "request", "revisit", "404"]), words), max_size=8)


@settings(deadline=None, max_examples=60)
@given(record_lists, st.booleans(), st.booleans())
def test_written_records_are_read_again(records: list[tuple[str, str]], gzipped: bool, one_member: bool) -> None:
    """Texts and kinds come back as they were written, plain, in a gzip member each and in one for all."""
    writers: dict[str, Callable[[str], bytes]] = {
        "document": make.conversion,
        "request": lambda text: make.request(),
        "revisit": lambda text: make.revisit(),
        "404": lambda text: make.response(make.http(text.encode(), status="404 Not Found")),
    }
    data = make.warc_file((writers[kind](text) for kind, text in records), gzipped=gzipped)
    rows, tally = read(gzip.compress(data) if one_member and not gzipped else data)
    # A leading byte order mark says how the text is encoded and is not part of it.
    assert [row["text"] for row in rows] == [t.removeprefix("\ufeff") for kind, t in records if kind == "document"]
    assert sum(tally.not_documents.values()) == len(records) - len(rows)
    assert tally.rejected == []


def scan_slowly(data: bytes) -> list[tuple[int, int]]:
    """Offset and length of each record of a healthy file: gzip members, or from one version line to the next."""
    if not data.startswith(b"\x1f\x8b"):
        starts = [match.start() for match in re.finditer(rb"(?im)^WARC/\d\.\d+\r?\n(?=[\w-]+:)", data)]
        return list(zip(starts, (b - a for a, b in zip(starts, [*starts[1:], len(data)], strict=True)), strict=True))
    found = []
    position = 0
    while position < len(data):
        member = zlib.decompressobj(31)
        member.decompress(data[position:])
        found.append((position, len(data) - position - len(member.unused_data)))
        position += found[-1][1]
    return found


@with_data
@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_record_of_every_file_is_counted_once(path: Path) -> None:
    """No file stops the reader; a healthy one gives as many records as a slow scan finds, where it finds them."""
    rows, tally = read(path.read_bytes(), path.name)
    counted = len(rows) + sum(tally.not_documents.values()) + len(tally.rejected)
    assert {row["reason"] for row in tally.rejected} <= set(REJECTIONS)
    assert tally.table().num_rows == len(tally.rejected)
    if HEALTHY_WITHOUT_RECORDS.search(path.name):
        assert (counted, tally.rejected[0]["reason"]) == (1, "unknown_format")
        assert tally.rejected[0]["bytes"] == path.stat().st_size
    elif not re.search(r"bad|wrong-chunks|clipped|garbage|lz4", path.name):
        places = scan_slowly(path.read_bytes())
        assert counted == len(places)
        assert {(row["warc_record_offset"], row["warc_record_length"]) for row in rows} <= set(places)
        assert {(row["source_position"], row["bytes"]) for row in tally.rejected} <= set(places)


@with_data
def test_record_is_found_again_at_its_address() -> None:
    """Seeking to the offset and unpacking so many bytes gives exactly that record, as Common Crawl's index has it."""
    data = (WARC / "resiliparse" / "warcfile.warc.gz").read_bytes()
    rows, _ = read(data)
    assert len(rows) == 16
    for row in rows:
        offset, length = row["warc_record_offset"], row["warc_record_length"]
        assert isinstance(offset, int)
        assert isinstance(length, int)
        record = gzip.decompress(data[offset : offset + length])
        assert record.startswith(b"WARC/1.0\r\n")
        assert record.count(f"WARC-Record-ID: <{row['record_id']}>".encode()) == 1
        assert record.endswith(b"\r\n\r\n")


@with_data
def test_same_records_are_the_same_however_they_are_stored() -> None:
    """Plain, gzip and LZ4 files of one crawl differ in addresses only."""
    addresses = ("warc_record_offset", "warc_record_length", "source_position")
    stored = [read((WARC / "resiliparse" / f"warcfile.warc{ending}").read_bytes())[0] for ending in ("", ".gz", ".lz4")]
    plain, zipped, lz4 = ([{k: v for k, v in row.items() if k not in addresses} for row in rows] for rows in stored)
    assert plain == zipped == lz4


@with_data
def test_reading_again_and_in_threads_gives_the_same() -> None:
    """Nothing is kept between files, so a runner may read as many at once as it likes."""
    data = (WARC / "resiliparse" / "warcfile.warc.gz").read_bytes()
    once = read(data)
    with ThreadPoolExecutor(3) as threads:
        assert all(again == once for again in threads.map(read, [data] * 6))
