"""A file of which each read asks a server for one range of bytes."""

import io
from collections.abc import Callable
from typing import Any, Final

BLOCK_BYTES: Final = 256 << 10
"""What one request fetches at least: a footer, a small file, or the columns of a small row group."""
MOST_AHEAD: Final = 16 << 20


class Ranges(io.RawIOBase):
    """A file of `size` bytes; `fetch(start, stop)` gives the bytes of a range, and may be asked for any.

    Whoever reads on gets twice as much by each request, up to `MOST_AHEAD`: so a row group costs little more than its
    bytes, and a whole crawl file few requests. `tail` are its last bytes, if they are known already.

    >>> file = Ranges(12, lambda start, stop: b"some content"[start:stop])
    >>> file.seek(-7, io.SEEK_END), file.read()
    (5, b'content')
    """

    def __init__(self, size: int, fetch: Callable[[int, int], bytes], tail: bytes = b""):
        super().__init__()
        self.size, self.fetch, self.at = size, fetch, 0
        self._block, self._start = tail, size - len(tail)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self.at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self.at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self.at, io.SEEK_END: self.size}[whence]
        return self.at

    def readinto(self, room: Any) -> int:
        data = self._held(self.at + len(room))[: len(room)]
        room[: len(data)] = data
        self.at += len(data)
        return len(data)

    def readall(self) -> bytes:
        """What is left, by one request."""
        pieces = []
        while piece := self._held(self.size):
            pieces.append(bytes(piece))
            self.at += len(piece)
        return b"".join(pieces)

    def _held(self, stop: int) -> memoryview:
        """Bytes from where the file is read, some if there are any; `stop` is where the reader will stop."""
        end = self._start + len(self._block)
        if not self._start <= self.at < end and self.at < self.size:
            ahead = min(2 * len(self._block), MOST_AHEAD) if self.at == end else 0
            end = min(max(stop, self.at + max(ahead, BLOCK_BYTES)), self.size)
            self._block, self._start = self.fetch(self.at, end), self.at
        return memoryview(self._block)[self.at - self._start :] if self.at < self.size else memoryview(b"")
