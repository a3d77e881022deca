"""Find the records of a WARC file, and go on after whatever is damaged.

A record is taken when its Content-Length leads to where a record can end: to the next record, to the end of the file,
or to the empty lines that close it. Otherwise the bytes from its beginning to the next record start (a version line and
a field name) are one fault. So a length that is too large does not swallow the records behind it, at a price: what is
found inside the block of a damaged record that holds a WARC file itself is taken for records of this file.
"""

import re
from collections.abc import Iterator
from typing import BinaryIO, Final, NamedTuple

from fastwarc.warc import HeaderMap

from schemas.reasons import BROKEN_FILE, BROKEN_RECORD, TRUNCATED, UNKNOWN_FORMAT
from transforms.measure.readers.warc_members import Place, Unpacked

MAX_HEADER_BYTES: Final = 1 << 20
MAX_BLOCK_BYTES: Final = 1 << 29
"""A block is held in memory as a whole; a record with a larger one (512 MiB) is a fault."""

_VERSION: Final = re.compile(rb"WARC/\d{1,3}\.\d{1,3}[ \t]*\r?\n", re.IGNORECASE)
_RECORD_START: Final = re.compile(_VERSION.pattern + rb"[A-Za-z][\w-]*[ \t]*:", re.IGNORECASE)
_RECORD_START_BYTES: Final = 256  # more than enough for a match
_HEADER_END: Final = re.compile(rb"\r?\n\r?\n|(?P<record>" + _RECORD_START.pattern + rb")", re.IGNORECASE)
_SEPARATORS: Final = re.compile(rb"[\r\n]*")
CONTENT_LENGTH: Final = re.compile(r"[0-9]{1,18}")


Fields = list[tuple[str, str]]
"""Names in lower case, and values."""
Headers = dict[str, str]
"""The first value of each name."""


class Record(NamedTuple):
    """One record that could be read."""

    headers: Headers
    block: bytes
    position: int
    """Byte offset in the stored file; of the compressed member that holds the record, if it begins inside one."""
    length: int | None
    """Bytes in the stored file up to the next record; None if the record shares a compressed member with others."""

    @property
    def kind(self) -> str:
        """WARC-Type in lower case."""
        return self.headers.get("warc-type", "").lower()


class Fault(NamedTuple):
    """Bytes that could not be read as a record; the fields are those of `Tally.reject`."""

    position: int
    size: int | None
    reason: str
    detail: str
    record_id: str | None = None
    url: str | None = None


def scan_records(stream: BinaryIO, start: int = 0) -> Iterator[Record | Fault]:
    r"""Yield every record of a seekable file as stored, and a fault for each stretch that holds none.

    `start` is where a record begins, in a plain file, or a gzip member that begins with one.

    >>> import io
    >>> record = b"WARC/1.0\r\nWARC-Type: metadata\r\nContent-Length: 2\r\n\r\nab\r\n\r\n"
    >>> [(found.position, type(found).__name__) for found in scan_records(io.BytesIO(record + b"junk\n" + record))]
    [(0, 'Record'), (58, 'Fault'), (63, 'Record')]
    """
    scan = _Scan(Unpacked(stream, start))
    foreign = None if start else scan.foreign()
    if foreign:
        yield foreign
    while scan.skip_separators():
        yield scan.next()


def parse_headers(data: bytes | bytearray) -> Headers:
    r"""Fields of a WARC or HTTP header by name, as `parse_fields` reads them; the first value of each.

    >>> parse_headers(b"A: 1\nB: 2\r\n  3\nA: 4")
    {'a': '1', 'b': '2 3'}
    """
    return first_values(parse_fields(data))


def parse_fields(data: bytes | bytearray) -> Fields:
    r"""Fields of a WARC or HTTP header in their order: names in lower case, values without surrounding blanks.

    >>> parse_fields(b"A: 1\nB: 2\r\n  3\nA: 4")
    [('a', '1'), ('b', '2 3'), ('a', '4')]

    Lines may end with LF alone, and go on in the next one if that begins with a blank; an empty one ends the header,
    and those without a colon are passed over. Bytes that are no UTF-8 become U+FFFD. FastWARC reads a header in the
    same way, but none of more than 32 KiB.
    """
    fields: list[tuple[bytes, list[bytes]]] = []
    for line in bytes(data).strip(b"\r\n").splitlines():
        if not line:
            break
        name, colon, value = line.partition(b":")
        if line.startswith((b" ", b"\t")):
            fields = fields or [(b"", [])]
            fields[-1][1].append(line)
        elif colon:
            fields.append((name, [value]))
    return [(_decoded([name]).lower(), _decoded(lines).strip()) for name, lines in fields]


def fields_of(headers: HeaderMap) -> Fields:
    """Fields as FastWARC has them: names in lower case, values without surrounding blanks."""
    return [(name.lower(), value.strip()) for name, value in headers.to_tuples()]


def first_values(fields: Fields) -> Headers:
    """Fields by name; the first value of each."""
    return dict(reversed(fields))


def bare(headers: Headers, name: str) -> str | None:
    """A record id or URI without the angle brackets that writers put around it; None if there is none."""
    return headers.get(name, "").removeprefix("<").removesuffix(">").strip() or None


class _Scan:
    """Where the scan of one file stands: the next record, or fault, begins at the front of the source."""

    def __init__(self, source: Unpacked) -> None:
        self._source = source

    def foreign(self) -> Fault | None:
        """The fault for a file that does not begin as a WARC file, up to the first record that is found after all."""
        source = self._source
        source.fill(_RECORD_START_BYTES)
        start, beginning = source.place(0), bytes(source.buffer[:60])
        if self._cut_version() or not beginning.strip(b"\r\n") or _VERSION.match(beginning.lstrip(b"\r\n")):
            return None
        if beginning.startswith(b"filedesc:"):
            source.finish()
            detail = (
                "The file is an ARC file (the forerunner of WARC), not read; `warcio recompress` makes it a WARC file."
            )
            return Fault(0, source.place(source.at).offset, UNKNOWN_FORMAT, detail)
        fault = self._lost(start, BROKEN_RECORD, f"The file begins with {beginning!r}, which is no WARC record.")
        if self.skip_separators():
            return fault
        detail = f"The file begins with {beginning!r} and holds no WARC record."
        return fault._replace(reason=UNKNOWN_FORMAT, detail=detail)

    def skip_separators(self) -> bool:
        """Drop empty lines; False at the end of the file."""
        source = self._source
        while True:
            source.drop(_end_of_lines(source.buffer, 0))
            if source.buffer:
                return True
            if not source.more():
                return source.damage is not None

    def next(self) -> Record | Fault:
        """Take the next record, or everything before the record after it."""
        source = self._source
        start = source.place(source.at)
        source.fill(_RECORD_START_BYTES)
        version, head = _VERSION.match(source.buffer), bytes(source.buffer[:60])
        if not version:
            if self._cut_version():
                return self._lost(start, *self._cut(f"The file ends inside the version line {head!r}."))
            return self._lost(start, *self._cut(f"Where a record should begin stands {head!r}.", BROKEN_RECORD))
        header_end = self._header_end(version.end())
        if not header_end:
            reason = BROKEN_RECORD if len(source.buffer) > MAX_HEADER_BYTES else TRUNCATED
            detail = f"The record header is not closed within {min(len(source.buffer), MAX_HEADER_BYTES)} bytes."
            return self._lost(start, *self._cut(detail, reason), skip=version.end())
        if header_end["record"]:
            detail = "The next record begins before the record header is closed by an empty line."
            return self._lost(start, BROKEN_RECORD, detail, skip=version.end())
        headers = parse_headers(source.buffer[version.end() : header_end.start()])
        return self._take(start, headers, header_end.end())

    def _take(self, start: Place, headers: Headers, block: int) -> Record | Fault:
        """Take the record whose block begins at `block` of the buffer."""
        source, length = self._source, headers.get("content-length", "")
        if not CONTENT_LENGTH.fullmatch(length) or int(length) > MAX_BLOCK_BYTES:
            detail = f"Content-Length is {length!r}; a number up to {MAX_BLOCK_BYTES} (512 MiB) is needed."
            return self._lost(start, BROKEN_RECORD, detail, block, headers)
        end = block + int(length)
        if not source.fill(end):
            if following := _RECORD_START.search(source.buffer, block):
                room = following.start() - block
                detail = f"Content-Length is {length}, but the next record begins after {room} bytes."
                return self._lost(start, BROKEN_RECORD, detail, block, headers)
            detail = f"The file ends after {len(source.buffer) - block} bytes of a block of {length}."
            return self._lost(start, *self._cut(detail), block, headers)
        tail = self._record_end(block, end)
        if tail is None:
            found = bytes(source.buffer[end : end + 20])
            detail = f"Content-Length is {length}, but what stands there is no end of a record: {found!r}."
            return self._lost(start, BROKEN_RECORD, detail, block, headers)
        if source.damage and source.damage.at < source.at + end and not _VERSION.match(source.buffer, tail):
            return self._lost(start, source.damage.reason, source.damage.detail, tail, headers)
        with memoryview(source.buffer) as view:
            content = bytes(view[block:end])
        source.drop(tail)
        size = self._size(start)
        if not headers.get("warc-type", ""):
            return _fault(start, size, BROKEN_RECORD, "The record has no WARC-Type.", headers)
        return Record(headers, content, start.offset, size)

    def _cut_version(self) -> bool:
        """Whether nothing is left, or not more than the beginning of a version line."""
        head = bytes(self._source.buffer[:20])
        return len(head) < 20 and b"\n" not in head and b"WARC/".startswith(head[:5].upper())

    def _header_end(self, version_end: int) -> re.Match[bytes] | None:
        size, filled, match = 1 << 12, True, None
        while filled and not match and size <= 2 * MAX_HEADER_BYTES:
            filled = self._source.fill(size)
            match = _HEADER_END.search(self._source.buffer, version_end - 1, MAX_HEADER_BYTES)
            size *= 4
        return match

    def _record_end(self, block: int, end: int) -> int | None:
        """Where the empty lines after a block end, if the block can end at `end`."""
        source = self._source
        tail = _end_of_lines(source.buffer, end)
        while tail == len(source.buffer) and source.more():
            tail = _end_of_lines(source.buffer, tail)
        source.fill(tail + _RECORD_START_BYTES)
        if tail == len(source.buffer) or _VERSION.match(source.buffer, tail):
            return tail
        closed = source.buffer.startswith((b"\r\n\r\n", b"\n\n"), end)
        return tail if closed and not _RECORD_START.search(source.buffer, block, end) else None

    def _cut(self, detail: str, reason: str = TRUNCATED) -> tuple[str, str]:
        """Why the bytes end here: damage to what is at the front, or else the reason and detail given."""
        damage = self._source.damage
        return (damage.reason, damage.detail) if damage else (reason, detail)

    def _lost(self, start: Place, reason: str, detail: str, skip: int = 0, headers: Headers | None = None) -> Fault:
        """Go to the next record start, `skip` bytes ahead or later, and report what lies before it."""
        source = self._source
        source.drop(skip)
        while not (found := _RECORD_START.search(source.buffer)) and source.more():
            source.drop(max(0, len(source.buffer) - _RECORD_START_BYTES))
        damaged = not found and source.damage is not None
        source.drop(found.start() if found else len(source.buffer))
        if damaged:
            source.resync()
        size = self._size(start)
        if damaged and source.buffer:
            reason = BROKEN_RECORD
        elif damaged and reason == BROKEN_RECORD:
            reason = BROKEN_FILE
        return _fault(start, size, reason, detail, headers)

    def _size(self, start: Place) -> int | None:
        """Stored bytes from `start` to what comes next; None if one of the two lies inside a compressed member."""
        self.skip_separators()
        end = self._source.place(self._source.at)
        return end.offset - start.offset if start.exact and end.exact else None


def _decoded(lines: list[bytes]) -> str:
    return b" ".join(line.strip(b" \t") for line in lines).decode(errors="replace")


def _end_of_lines(buffer: bytearray, at: int) -> int:
    match = _SEPARATORS.match(buffer, at)
    return match.end() if match else at


def _fault(start: Place, size: int | None, reason: str, detail: str, headers: Headers | None) -> Fault:
    if headers is None:
        return Fault(start.offset, size, reason, detail)
    record_id, url = bare(headers, "warc-record-id"), bare(headers, "warc-target-uri")
    return Fault(start.offset, size, reason, detail, record_id, url)
