"""Read documents from WARC and WET files."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import BinaryIO, Final

import pyarrow as pa

from schemas.reasons import BROKEN_HTTP
from transforms.measure.readers.http_payload import BrokenPageError
from transforms.measure.readers.pages import NotDocument, read_page
from transforms.measure.readers.record_batches import Row, batch_rows
from transforms.measure.readers.warc_archive import read_archive
from transforms.measure.readers.warc_records import Fault, Record, bare
from transforms.measure.tally import Tally

_SHA1_BASE32: Final = re.compile(r"sha1:([A-Z2-7]{32})", re.IGNORECASE)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def read_warc(
    stream: BinaryIO, source_file: str, tally: Tally, *, main_content: bool = True
) -> Iterator[pa.RecordBatch]:
    r"""Yield batches of `RECORDS` for the documents of a WARC or WET file, in the order of the file.

    >>> import io
    >>> head = b"WARC/1.0\r\nWARC-Type: conversion\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\n"
    >>> tally = Tally()
    >>> (batch,) = read_warc(io.BytesIO(head + b"Hello\r\n\r\n" + head), "a.wet", tally)
    >>> batch["text"].to_pylist(), batch["locator"].to_pylist(), tally.table()["reason"].to_pylist()
    (['Hello'], ['@0'], ['truncated'])

    `stream` is seekable and gives the bytes as stored: plain, or in gzip members, zstd frames (with the dictionary of
    a first frame, if any) or LZ4 frames. `source_file` is its name relative to `crawl.root`. Each record is counted
    once: as a document, in `tally` as no document, or in `tally` as rejected; damage ends at the next record that can
    be found. `main_content` leaves navigation and other boilerplate out of HTML, but no notice of rights. Raises
    OSError as `stream` does.
    """
    yield from batch_rows(_rows(stream, source_file, tally, main_content))


def _rows(stream: BinaryIO, source_file: str, tally: Tally, main_content: bool) -> Iterator[Row]:
    locators: dict[str, int] = {}
    for found in read_archive(stream):
        if isinstance(found, Fault):
            position, size, reason, detail, record_id, url = found
            tally.reject(source_file, position, reason, detail, size=size, record_id=record_id, url=url)
            continue
        try:
            page = read_page(found, main_content=main_content)
        except BrokenPageError as error:
            tally.reject(
                source_file,
                found.position,
                BROKEN_HTTP,
                str(error),
                size=found.length,
                record_id=bare(found.headers, "warc-record-id"),
                url=bare(found.headers, "warc-target-uri"),
            )
            continue
        if isinstance(page, NotDocument):
            tally.skip(page.kind)
            continue
        yield {
            "locator": _locator(found, locators),
            **_lineage(found, source_file),
            "page_signals": page.signals,
            "text": page.text,
        }


def _lineage(record: Record, source_file: str) -> Row:
    record_id = bare(record.headers, "warc-record-id")
    return {
        "record_id": record_id,
        "url": bare(record.headers, "warc-target-uri"),
        "fetch_time": _microseconds(record.headers.get("warc-date", "")),
        "content_digest": _SHA1_BASE32.sub(r"\1", record.headers.get("warc-payload-digest", "")) or None,
        "warc_filename": source_file,
        "warc_record_offset": None if record.length is None else record.position,
        "warc_record_length": record.length,
        "warc_record_id": record_id,
        "source_file": source_file,
        "source_position": record.position,
    }


def _locator(record: Record, taken: dict[str, int]) -> str:
    """The record id, or the position; with `#2`, `#3` … if the file has used it already."""
    base = bare(record.headers, "warc-record-id") or f"@{record.position}"
    locator = base
    while locator in taken:
        taken[base] += 1
        locator = f"{base}#{taken[base]}"
    taken[locator] = 1
    return locator


def _microseconds(date: str) -> int | None:
    """Microseconds since 1970 UTC of an ISO 8601 time, which without a zone is UTC; None if it is none.

    >>> _microseconds("2024-05-18T01:58:10.25Z"), _microseconds("2008-10-294T05:21:46-0700")
    (1715997490250000, None)
    """
    try:
        time = datetime.fromisoformat(date)
    except ValueError:
        return None
    delta = (time if time.tzinfo else time.replace(tzinfo=UTC)) - _EPOCH
    return (delta.days * 86400 + delta.seconds) * 1_000_000 + delta.microseconds
