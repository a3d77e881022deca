"""FastWARC on healthy files and the scan on all others give the same records and the same faults."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.warc_files import conversion, http, request, response, revisit, warc_file, warcinfo
from transforms.measure.readers import warc_archive
from transforms.measure.readers.warc_archive import read_archive
from transforms.measure.readers.warc_records import Fault, Record, scan_records

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "warc"
RECORDS = [
    warcinfo(),
    request("urn:uuid:1"),
    response(http(b"<p>one</p>"), "urn:uuid:2"),
    conversion("two words", "urn:uuid:3"),
    revisit("urn:uuid:4"),
    response(http(b"x" * 3000, "image/png"), "urn:uuid:5", version="1.1"),
]
FILES = {gzipped: warc_file(RECORDS, gzipped=gzipped) for gzipped in (False, True)}


def both(data: bytes) -> tuple[list[Record | Fault], list[Record | Fault]]:
    return list(read_archive(io.BytesIO(data))), list(scan_records(io.BytesIO(data)))


def count_scans(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Collects the positions from which the scan was begun."""
    starts: list[int] = []

    def scan(stream: object, start: int = 0) -> object:
        starts.append(start)
        return scan_records(stream, start)  # type: ignore[arg-type]

    monkeypatch.setattr(warc_archive, "scan_records", scan)
    return starts


@pytest.mark.parametrize("gzipped", [False, True])
def test_healthy_file_is_read_by_fastwarc_up_to_its_last_record(gzipped: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the last record, which nothing behind it proves, is scanned."""
    starts = count_scans(monkeypatch)
    found, slow = both(FILES[gzipped])
    assert found == slow
    assert len(found) == len(RECORDS)
    assert starts == [slow[-1].position]


@pytest.mark.parametrize("gzipped", [False, True])
@given(place=st.integers(0, 10_000), byte=st.integers(0, 255))
@settings(max_examples=300, deadline=None)
def test_flipped_byte_gives_what_the_scan_gives(gzipped: bool, place: int, byte: int) -> None:
    """Wherever the damage lies."""
    data = bytearray(FILES[gzipped])
    data[place % len(data)] = byte
    found, slow = both(bytes(data))
    assert found == slow


@pytest.mark.parametrize("gzipped", [False, True])
def test_cut_anywhere_gives_what_the_scan_gives(gzipped: bool) -> None:
    """At every third byte."""
    data = FILES[gzipped]
    for cut in range(0, len(data), 3):
        found, slow = both(data[:cut])
        assert found == slow, cut


@pytest.mark.parametrize("gzipped", [False, True])
@given(data=st.data())
@settings(max_examples=200, deadline=None)
def test_garbage_between_records_gives_what_the_scan_gives(gzipped: bool, data: st.DataObject) -> None:
    """Records and what is none, in any order, plain and in members of their own."""
    garbage = [b"garbage\r\n", b"\r\n\r\n", *([] if gzipped else [b"WARC/1.0\r\n"])]
    parts = data.draw(st.lists(st.sampled_from([*RECORDS, *garbage]), max_size=8))
    found, slow = both(warc_file(parts, gzipped=gzipped))
    assert found == slow


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data.replace(b"Content-Length: 9\r\n", b"Content-Length: 8\r\n"),
        lambda data: data.replace(b"Content-Length: 9\r\n", b"Content-Length: 400\r\n"),
        lambda data: data.replace(b"WARC-Type: request\r\n", b""),
        lambda data: data.replace(b"WARC-Type: request\r\n", b"WARC-Type: request\r\nX: a\r\n b\r\n"),
        lambda data: data.replace(b"\r\n\r\nWARC/", b"\r\n\r\n\r\n\r\nWARC/"),
    ],
)
def test_header_that_lies_gives_what_the_scan_gives(change: Callable[[bytes], bytes]) -> None:
    """Lengths too short and too long, a missing type, a folded line, more empty lines than needed."""
    data = change(FILES[False])
    assert data != FILES[False]
    found, slow = both(data)
    assert found == slow


def test_records_in_one_gzip_member_give_what_the_scan_gives() -> None:
    """A file compressed as a whole, as careless tools do: FastWARC's positions in it mean nothing."""
    found, slow = both(warc_file([b"".join(RECORDS)], gzipped=True))
    assert found == slow
    assert len(found) == len(RECORDS)


def test_every_test_crawl_gives_what_the_scan_gives() -> None:
    """All files of the test data, healthy or not; of one, the record's end lies in the next record's member."""
    if not DATA.is_dir():
        pytest.skip(f"no test data at {DATA}")
    for path in sorted(path for path in DATA.rglob("*") if path.is_file()):
        found, slow = both(path.read_bytes())
        if path.name == "example-wrong-chunks.warc.gz":
            found[0] = found[0]._replace(length=None)  # type: ignore[call-arg]
        assert found == slow, path
