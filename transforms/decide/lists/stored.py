"""Read the file of a list as it is stored: digested on the way, unpacked if it is gzip, and never without bounds."""

import gzip
import hashlib
import io
import zlib
from typing import IO, BinaryIO, Final

MOST_BYTES: Final = 4 << 30
"""A list that unpacks to more is taken for an archive bomb."""
MOST_RATIO: Final = 200
RATIO_FROM: Final = 8 << 20
"""So is one that, from this many bytes on, unpacks to more than `MOST_RATIO` times what it is."""
GZIP: Final = b"\x1f\x8b"
_CHUNK_BYTES: Final = 1 << 16


class ListError(Exception):
    """What is wrong with a file, as a letter's end: the list and the path go before it."""


def damaged(error: Exception) -> ListError:
    """The letter for what a library says of damage."""
    return ListError(f"is damaged or cut short: {error}. Fetch it again.")


class Stored(io.RawIOBase):
    """The bytes of a file as they are stored; when they are read to the end, `sha256` is that of the file."""

    def __init__(self, stream: BinaryIO):
        super().__init__()
        self._stream = stream
        self._digest = hashlib.sha256()
        self.count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        block = self._stream.read(len(buffer))
        self._digest.update(block)
        self.count += len(block)
        buffer[: len(block)] = block
        return len(block)

    def close(self) -> None:
        self._stream.close()
        super().close()

    def sha256(self) -> str:
        return self._digest.hexdigest()


class _Unpacked(io.RawIOBase):
    """What is in a gzip file. Raises ListError where it is damaged or unpacks to too much."""

    def __init__(self, packed: IO[bytes], stored: Stored):
        super().__init__()
        self._packed, self._stored = packed, stored
        self._stream = gzip.GzipFile(fileobj=packed)
        self._count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        try:
            block = self._stream.read(len(buffer))
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise damaged(error) from error
        self._count += len(block)
        if self._count > min(MOST_BYTES, max(RATIO_FROM, MOST_RATIO * self._stored.count)):
            raise ListError(
                f"looks like an archive bomb: {self._stored.count:,} bytes of it unpack to {self._count:,} and more. "
                f"A list may unpack to {MOST_BYTES:,} bytes, and beyond {RATIO_FROM:,} to {MOST_RATIO:,} times "
                "its size."
            )
        buffer[: len(block)] = block
        return len(block)

    def close(self) -> None:
        self._stream.close()
        self._packed.close()
        super().close()


def unpacked(stored: Stored) -> IO[bytes]:
    """The content of a file: what is in it if it is gzip, else itself."""
    stream = io.BufferedReader(stored, _CHUNK_BYTES)
    if not stream.peek(2).startswith(GZIP):
        return stream
    return io.BufferedReader(_Unpacked(stream, stored), _CHUNK_BYTES)
