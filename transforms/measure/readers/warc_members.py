"""Unpack a stored WARC file as one stream, and know where each compressed member of it begins."""

import io
import re
from bisect import bisect_right
from operator import itemgetter
from typing import BinaryIO, Final, NamedTuple

import zstandard

from schemas.reasons import BROKEN_RECORD, TRUNCATED
from transforms.measure.readers.warc_codecs import (
    GZIP,
    LZ4,
    READ_BYTES,
    ZSTD,
    ZSTD_DICTIONARY,
    BrokenMemberError,
    CutMemberError,
    GzipMember,
    Lz4Frame,
    Member,
    Stored,
    ZstdFrame,
    zstd_dictionary,
)

_UNPACKED: Final = itemgetter(0)
_GZIP_PROBE_BYTES: Final = (1 << 12,)  # a header with a long file name, and the first code table
_ZSTD_PROBE_BYTES: Final = (1 << 12, READ_BYTES)  # nothing is unpacked before a block of up to 128 KiB is complete
_MEMBER_START: Final = re.compile(b"|".join(map(re.escape, (GZIP, ZSTD))))


class Place(NamedTuple):
    """A position in the unpacked stream, expressed in the stored file."""

    offset: int
    """Byte offset in the stored file: of the position itself, or of the member that holds it."""
    exact: bool
    """Whether the position can be reached from `offset` without unpacking anything else first."""


class Damage(NamedTuple):
    """Why nothing more can be unpacked from a member."""

    at: int
    """Unpacked position at which the member begins."""
    offset: int
    """Stored position at which the member begins."""
    reason: str
    detail: str


class Unpacked:
    """The unpacked bytes of a stored file: a buffer at the front that is filled and dropped.

    >>> import zlib
    >>> source = Unpacked(io.BytesIO(zlib.compress(b"WARC/1.0", wbits=31) + zlib.compress(b"WARC/1.1", wbits=31)))
    >>> source.fill(9), bytes(source.buffer)
    (True, b'WARC/1.0WARC/1.1')
    >>> source.place(0), source.place(5), source.place(8)
    (Place(offset=0, exact=True), Place(offset=0, exact=False), Place(offset=28, exact=True))

    Errors of the stream itself (`OSError`) are not caught: they are no property of the file.
    """

    def __init__(self, stream: BinaryIO, start: int = 0) -> None:
        """Unpack from the stored position `start`: the beginning of the file, of a member, or a place in plain text."""
        self.buffer = bytearray()
        self.at = 0
        """Unpacked position of the first byte of `buffer`."""
        self.damage: Damage | None = None
        """Set when the bytes after `buffer` cannot be unpacked; `resync` clears it."""
        self._stream = stream
        self._stored = Stored(stream)
        self._stored.seek(start)
        self._members = [(0, start)]  # (unpacked, stored) starts, ascending; the last one below `at` and all later ones
        self._plain = False
        self._ended = False
        self._dictionary: zstandard.ZstdCompressionDict | None = None
        self._member: Member | None = None
        if start and not self._stored.peek(3).startswith(GZIP):
            self._plain, self._member = True, self._stored

    def fill(self, size: int) -> bool:
        """Try to have at least `size` bytes in `buffer`; False if the file, or what can be unpacked, ends before."""
        while len(self.buffer) < size and self.more():
            continue
        return len(self.buffer) >= size

    def more(self) -> bool:
        """Unpack a little more; False at the end and at damage."""
        if self._ended or self.damage:
            return False
        start = self._members[-1]
        try:
            if self._member is None:
                start = self._begin_member()
                if not self._stored.peek(1):
                    self._ended = True
                    return False
                self._member = self._open()
            data = self._member.read(READ_BYTES)
        except CutMemberError:
            detail = f"The compressed member that begins at byte {start[1]} is not complete."
            self.damage = Damage(*start, TRUNCATED, detail)
        except BrokenMemberError as error:
            detail = f"The compressed member that begins at byte {start[1]} cannot be unpacked: {error}."
            self.damage = Damage(*start, BROKEN_RECORD, detail)
        else:
            self.buffer += data
            if not data:
                self._member = None
        return self.damage is None

    def drop(self, size: int) -> None:
        """Forget the first `size` bytes of `buffer`."""
        del self.buffer[:size]
        self.at += size
        del self._members[: max(0, bisect_right(self._members, self.at, key=_UNPACKED) - 1)]

    def place(self, at: int) -> Place:
        """Where the unpacked position `at` (not before `self.at`) lies in the stored file."""
        unpacked, stored = self._members[bisect_right(self._members, at, key=_UNPACKED) - 1]
        return Place(stored + at - unpacked, True) if self._plain else Place(stored, at == unpacked)

    def resync(self) -> None:
        """After damage, go on at the next gzip member or zstd frame that unpacks to `WARC/`, or at the end."""
        if self.damage is None:
            return
        self.drop(len(self.buffer))
        position = self._find_member(self.damage.offset + 1)
        self.damage, self._member = None, None
        if position is None:
            self.finish()
        else:
            self._stored.seek(position)
            self._begin_member()

    def finish(self) -> None:
        """Go to the end of the file."""
        self.drop(len(self.buffer))
        self._stored.seek(self._stream.seek(0, io.SEEK_END))
        self._begin_member()
        self._ended = True

    def _begin_member(self) -> tuple[int, int]:
        """Note that the next unpacked byte is the first one of what begins at the stored position."""
        start = (self.at + len(self.buffer), self._stored.position)
        while self._members and self._members[-1][0] >= start[0]:  # an empty member: what follows it begins here too
            self._members.pop()
        self._members.append(start)
        return start

    def _open(self) -> Member:
        stored, magic = self._stored, self._stored.peek(4)
        first = stored.position == 0
        if magic.startswith(GZIP):
            return GzipMember(stored)
        if magic == LZ4:
            return Lz4Frame(stored)
        if first and magic == ZSTD_DICTIONARY:
            size = int.from_bytes(stored.take(8)[4:], "little")
            self._dictionary = zstd_dictionary(stored.take(size))
            return io.BytesIO()
        if magic == ZSTD:
            return ZstdFrame(stored, self._dictionary)
        if any(start.startswith(magic) for start in (GZIP, ZSTD, LZ4)):
            raise CutMemberError
        # One damaged byte in the first three must not turn a compressed file into a plain one.
        if first and sum(map(int.__eq__, magic, GZIP)) < 2:
            self._plain = True
            return stored
        raise BrokenMemberError(f"it begins with {magic!r}, which is no compressed data")

    def _find_member(self, start: int) -> int | None:
        """Stored position, from `start`, of the next gzip member or zstd frame that unpacks to `WARC/`."""
        self._stream.seek(start)
        window = b""
        while data := self._stream.read(4 * READ_BYTES):
            window = window[-READ_BYTES:] + data
            end = self._stream.tell()
            for match in _MEMBER_START.finditer(window):
                position = end - len(window) + match.start()
                if position >= start and self._begins_record(window, match.start()):
                    return position
        return None

    def _begins_record(self, window: bytes, at: int) -> bool:
        """Whether a member begins here that unpacks to `WARC/`, as far as a few bytes of it tell."""
        gzip = window.startswith(GZIP, at)
        for size in _GZIP_PROBE_BYTES if gzip else _ZSTD_PROBE_BYTES:
            stored = Stored(io.BytesIO(window[at : at + size]))
            member = GzipMember(stored) if gzip else ZstdFrame(stored, self._dictionary)
            try:
                return member.read(READ_BYTES).lstrip(b"\r\n")[:5].upper() == b"WARC/"
            except BrokenMemberError:
                return False
            except CutMemberError:
                continue
        return False
