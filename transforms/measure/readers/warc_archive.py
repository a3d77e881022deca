"""Read the records of a WARC file: by FastWARC as long as the file is healthy, by our own scan from the first doubt on.

FastWARC 2.0 stops at the first header that it cannot parse, and takes a cut body for a whole one. So a record is taken
from it only when its length is right and the next record begins where it says; what is left is scanned. The two ways
give the same records (a test holds that), and the scan alone knows how to go on after damage.

FastWARC also passes over header lines without a colon and takes line breaks for blanks. In a plain file the header is
compared with what it made of it; in a gzip file that is not possible, and such a header counts as it was understood.
"""

from collections.abc import Generator, Iterator
from typing import BinaryIO, Final

from fastwarc.warc import ArchiveIterator, WarcRecord

from transforms.measure.readers.warc_codecs import GZIP
from transforms.measure.readers.warc_records import (
    CONTENT_LENGTH,
    MAX_BLOCK_BYTES,
    Fault,
    Record,
    fields_of,
    first_values,
    scan_records,
)

_PLAIN: Final = b"WARC/"
_VERSION: Final = b"WARC/1.0\r\n"
_CLOSING: Final = b"\r\n\r\n"


def read_archive(stream: BinaryIO) -> Iterator[Record | Fault]:
    """Yield every record of a seekable file as stored, and a fault for each stretch that holds none.

    Plain and gzip files begin with FastWARC; those of other codecs are scanned. Raises OSError as `stream` does.
    """
    head = stream.read(len(_PLAIN))
    stream.seek(0)
    beginning = next((mark for mark in (_PLAIN, GZIP) if head.startswith(mark)), None)
    doubt = (yield from _healthy(stream, beginning)) if beginning else 0
    yield from scan_records(stream, doubt)


def _healthy(stream: BinaryIO, beginning: bytes) -> Generator[Record, None, int]:
    """Yield records as long as each is proven by the next one; return the position of the first that is not.

    `beginning` is what stands in the file wherever a record begins. The last record of a file is never proven.
    """
    plain = beginning == _PLAIN
    pending: Record | None = None
    header = b""
    try:
        for found in ArchiveIterator(stream, parse_http=False, fsspec_args=False):
            position = found.stream_pos
            if pending is not None:
                length = position - pending.position
                usual = not plain or _is_usual(stream, pending, header, length)
                if length <= 0 or not usual or _peek(stream, position, len(beginning)) != beginning:
                    return pending.position
                yield pending._replace(length=length)
            pending = _take(found, position)
            if pending is None:
                return position
            header = "".join(f"{name}: {value}\r\n" for name, value in found.headers.to_tuples()).encode()
    except OSError:
        # Damage, or a fault of the storage, which the scan will meet again.
        return pending.position if pending else 0
    return pending.position if pending else 0


def _take(found: WarcRecord, position: int) -> Record | None:
    """The record, or None if its header does not tell what it holds."""
    headers = first_values(fields_of(found.headers))
    length = headers.get("content-length", "")
    if not headers.get("warc-type") or not CONTENT_LENGTH.fullmatch(length) or int(length) > MAX_BLOCK_BYTES:
        return None
    if any(character in text for text in (*headers, *headers.values()) for character in "\n\r\0"):
        return None
    block = found.reader.read() if found.reader else b""
    return Record(headers, block, position, None) if len(block) == int(length) else None


def _is_usual(stream: BinaryIO, record: Record, header: bytes, length: int) -> bool:
    """Whether a plain record of that length is written as FastWARC read it, with CRLF and one blank, and closed."""
    size = len(_VERSION) + len(header) + 2
    if length != size + len(record.block) + len(_CLOSING):
        return False
    closing = _peek(stream, record.position + length - len(_CLOSING), len(_CLOSING))
    return (
        closing == _CLOSING and _peek(stream, record.position, size)[len(_VERSION) - 2 :] == b"\r\n" + header + b"\r\n"
    )


def _peek(stream: BinaryIO, position: int, size: int) -> bytes:
    """Bytes at a position; where the stream stands is not changed."""
    here = stream.tell()
    stream.seek(position)
    found = stream.read(size)
    stream.seek(here)
    return found
