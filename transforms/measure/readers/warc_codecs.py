"""What a compressed WARC file is a chain of, as a rule one a record: gzip members, zstd frames or LZ4 frames."""

import io
import zlib
from typing import BinaryIO, Final, Protocol

import zstandard
from fastwarc.stream_io import Lz4Reader

GZIP: Final = b"\x1f\x8b\x08"
ZSTD: Final = b"\x28\xb5\x2f\xfd"
ZSTD_DICTIONARY: Final = b"\x5d\x2a\x4d\x18"
LZ4: Final = b"\x04\x22\x4d\x18"

READ_BYTES: Final = 1 << 18
_ZSTD_STEP_BYTES: Final = 1 << 12  # zstd has no limit on what one step unpacks: 4 KiB can become 128 MiB, not more
_ZSTD_DICTIONARY_BYTES: Final = 1 << 25
_LZ4_BLOCK_BYTES: Final = 4 << 20
_LZ4_FRAME_BYTES: Final = 1 << 29


class BrokenMemberError(Exception):
    """Compressed bytes that cannot be unpacked."""


class CutMemberError(Exception):
    """The file ends inside a compressed member."""


class Stored:
    """The stored bytes, with as much read ahead as a decompressor hands back."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.seek(0)

    def seek(self, position: int) -> None:
        self._stream.seek(position)
        self._ahead = b""
        self.position = position

    def peek(self, size: int) -> bytes:
        while len(self._ahead) < size and (data := self._stream.read(READ_BYTES)):
            self._ahead += data
        return self._ahead[:size]

    def read(self, size: int) -> bytes:
        """Up to `size` bytes; empty at the end of the file."""
        data = self.peek(1) and self._ahead[:size]
        self._ahead = self._ahead[len(data) :]
        self.position += len(data)
        return data

    def take(self, size: int) -> bytes:
        """Exactly `size` bytes."""
        self.peek(size)
        data = self.read(size)
        if len(data) < size:
            raise CutMemberError
        return data

    def give_back(self, data: bytes) -> None:
        self._ahead = data + self._ahead
        self.position -= len(data)


class Member(Protocol):
    def read(self, size: int) -> bytes:
        """Some unpacked bytes; empty at the end of the member."""


class GzipMember:
    def __init__(self, stored: Stored) -> None:
        self._stored = stored
        self._codec = zlib.decompressobj(wbits=31)

    def read(self, size: int) -> bytes:
        while not self._codec.eof:
            packed = self._codec.unconsumed_tail or self._stored.read(READ_BYTES)
            try:
                data = self._codec.decompress(packed, size)
            except zlib.error as error:
                raise BrokenMemberError(str(error)) from error
            self._stored.give_back(self._codec.unused_data)
            if data:
                return data
            if not packed and not self._codec.eof:
                raise CutMemberError
        return b""


class ZstdFrame:
    def __init__(self, stored: Stored, dictionary: zstandard.ZstdCompressionDict | None) -> None:
        self._stored = stored
        self._codec = zstandard.ZstdDecompressor(dict_data=dictionary).decompressobj()

    def read(self, size: int) -> bytes:
        while not self._codec.eof:
            packed = self._stored.read(_ZSTD_STEP_BYTES)
            if not packed:
                raise CutMemberError
            try:
                data = self._codec.decompress(packed)
            except zstandard.ZstdError as error:
                raise BrokenMemberError(str(error)) from error
            self._stored.give_back(self._codec.unused_data)
            if data:
                return data
        return b""


class Lz4Frame:
    def __init__(self, stored: Stored) -> None:
        self._reader = Lz4Reader(io.BytesIO(_lz4_frame(stored)), fsspec_args=False)

    def read(self, size: int) -> bytes:
        try:
            return self._reader.read(size)
        except OSError as error:
            raise BrokenMemberError(str(error)) from error


def _lz4_frame(stored: Stored) -> bytes:
    """The bytes of one frame, cut out by its block lengths.

    Layout: https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md
    """
    start = stored.take(6)
    flags = start[4]
    block_checksum, content_size, content_checksum, dictionary = flags & 16, flags & 8, flags & 4, flags & 1
    pieces = [start, stored.take(1 + 8 * bool(content_size) + 4 * bool(dictionary))]
    total = 0
    while word := int.from_bytes(mark := stored.take(4), "little"):
        size = word & 0x7FFFFFFF
        total += size
        if size > _LZ4_BLOCK_BYTES or total > _LZ4_FRAME_BYTES:
            raise BrokenMemberError(f"an LZ4 block of {size} bytes, the frame so far {total}; limits are 4 and 512 MiB")
        pieces += mark, stored.take(size + 4 * bool(block_checksum))
    pieces += mark, stored.take(4 * bool(content_checksum))
    return b"".join(pieces)


def zstd_dictionary(data: bytes) -> zstandard.ZstdCompressionDict:
    """The dictionary that a skippable first frame holds, itself compressed or not.

    Layout: https://iipc.github.io/warc-specifications/specifications/warc-zstd/
    """
    if data.startswith(ZSTD):
        try:
            data = zstandard.ZstdDecompressor().decompress(data, max_output_size=_ZSTD_DICTIONARY_BYTES)
        except zstandard.ZstdError as error:
            raise BrokenMemberError(f"its dictionary is damaged ({error})") from error
    return zstandard.ZstdCompressionDict(data)
