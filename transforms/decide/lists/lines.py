"""Cut a list into lines: columns of some megabytes at a time, whatever the encoding and the line ends.

>>> import io
>>> [block] = line_blocks(io.BytesIO("\\ufeffa.example\\r\\nb.example\\rc.example\\n".encode()))
>>> block.lines.to_pylist(), block.numbers.tolist()
([b'a.example\\n', b'b.example\\n', b'c.example\\n'], [1, 2, 3])
"""

import codecs
from collections.abc import Iterator
from typing import Final, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

I64 = npt.NDArray[np.int64]

LINE_BYTES: Final = 64 << 10
"""A longer line is no entry of any list."""
_BLOCK_BYTES: Final = 4 << 20


class Readable(Protocol):
    """A stream of bytes; fewer than asked for may come, none at its end."""

    def read(self, size: int, /) -> bytes: ...


class LineBlock(NamedTuple):
    """Lines that follow on each other."""

    lines: pa.Array
    """large_binary, shape (lines,): UTF-8 if the file is, with a line feed at the end, but for the last of a file"""
    numbers: I64
    """int64, shape (lines,), ascending: from 1 in the file"""
    too_long: tuple[tuple[int, bytes], ...]
    """Lines over `LINE_BYTES`, which are not among `lines`: number and first bytes"""


def line_blocks(stream: Readable) -> Iterator[LineBlock]:
    """The lines of a text in UTF-8 (a byte order mark is allowed) or in UTF-16 (with one), to the end of the stream.

    Lines end in LF, CRLF or CR. What is no UTF-8 is left as it is. Memory and time do not grow with the length of a
    line: of one that is too long only the beginning is kept.
    """
    rest, number = b"", 1
    for text in _texts(stream):
        whole = rest + text
        cut = whole.rfind(b"\n") + 1
        if cut:
            yield _block(whole[:cut], number)
            number += whole.count(b"\n", 0, cut)
        rest = whole[cut:][: LINE_BYTES + 1]
    if rest:
        yield _block(rest, number)


def _texts(stream: Readable) -> Iterator[bytes]:
    """UTF-8 without a byte order mark, in which only LF ends a line."""
    block = stream.read(_BLOCK_BYTES)
    utf16 = block.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    decoder = codecs.getincrementaldecoder("utf-16")("replace")
    block = block.removeprefix(codecs.BOM_UTF8)
    held = b""
    while block:
        text = held + (decoder.decode(block).encode() if utf16 else block)
        # A CR at the end of a block may be half of a CRLF.
        held = b"\r" if text.endswith(b"\r") else b""
        text = text.removesuffix(b"\r")
        yield text.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in text else text
        block = stream.read(_BLOCK_BYTES)
    if held:
        yield b"\n"


def _block(text: bytes, first: int) -> LineBlock:
    """Columns over `text`, without a copy of it."""
    ends = np.flatnonzero(np.frombuffer(text, np.uint8) == ord("\n")) + 1
    offsets = np.r_[0, ends, [] if text.endswith(b"\n") else len(text)].astype(np.int64)
    numbers = np.arange(first, first + len(offsets) - 1)
    lines = pa.Array.from_buffers(pa.large_binary(), len(numbers), [None, pa.py_buffer(offsets), pa.py_buffer(text)])
    long = np.diff(offsets) > LINE_BYTES
    if not long.any():
        return LineBlock(lines, numbers, ())
    cut = tuple((first + int(row), text[offsets[row] : offsets[row] + LINE_BYTES]) for row in np.flatnonzero(long))
    return LineBlock(lines.filter(pa.array(~long)), numbers[~long], cut)
