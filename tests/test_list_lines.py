"""Lines of lists: every encoding and line end that lists come in, in bounded memory."""

import codecs
import io
import re
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.decide.lists import lines
from transforms.decide.lists.lines import LINE_BYTES, LineBlock, line_blocks


def read(text: bytes) -> list[tuple[int, bytes]]:
    """Number and content of all lines that are not too long."""
    return [
        (number, line.rstrip(b"\n"))
        for block in line_blocks(io.BytesIO(text))
        for number, line in zip(block.numbers.tolist(), block.lines.to_pylist(), strict=True)
    ]


def too_long(text: bytes) -> list[tuple[int, bytes]]:
    return [line for block in line_blocks(io.BytesIO(text)) for line in block.too_long]


@pytest.mark.parametrize(
    "text",
    [
        b"a\nb\n\nc\n",
        b"a\nb\n\nc",
        b"a\r\nb\r\n\r\nc\r\n",
        b"a\rb\r\rc\r",
        b"a\r\nb\r\rc",
        b"\xef\xbb\xbfa\nb\n\nc\n",
        codecs.BOM_UTF16_LE + "a\r\nb\r\n\r\nc\r\n".encode("utf-16-le"),
        codecs.BOM_UTF16_BE + "a\nb\n\nc".encode("utf-16-be"),
    ],
)
def test_lines_are_the_same_in_every_spelling(text: bytes) -> None:
    """LF, CRLF, CR, with a line end at the end or without, UTF-8 and UTF-16 with a byte order mark."""
    assert read(text) == [(1, b"a"), (2, b"b"), (3, b""), (4, b"c")]


def test_empty_stream_has_no_line() -> None:
    """Neither has one that is a byte order mark and nothing else."""
    assert read(b"") == read(codecs.BOM_UTF8) == read(codecs.BOM_UTF16_LE) == []


def test_text_in_utf16_comes_out_as_utf8() -> None:
    """Characters beyond the first plane too; half of one becomes the replacement character."""
    text = "bücher.example\n\U0001f4da.example\n"
    assert read(codecs.BOM_UTF16_BE + text.encode("utf-16-be")) == read(text.encode())
    assert read(codecs.BOM_UTF16_LE + b"\x00\xd8a\x00") == [(1, "\ufffda".encode())]


def test_bytes_that_are_no_utf8_are_left() -> None:
    """What a line with them says is for others to judge."""
    assert read(b"b\xfccher\n\xff\n") == [(1, b"b\xfccher"), (2, b"\xff")]


@given(st.lists(st.sampled_from([b"", b"a", b"bc", "ü".encode(), b"#"])), st.lists(st.sampled_from(["\n", "\r\n"])))
def test_blocks_of_any_size_give_the_same_lines(parts: list[bytes], ends: list[str]) -> None:
    """Wherever a block ends, in a character or in a CRLF, lines and numbers are those of the whole text."""
    text = b"".join(part + end.encode() for part, end in zip(parts, ends, strict=False))
    expected = list(enumerate(text.replace(b"\r", b"").split(b"\n")[:-1], 1))
    for size in (1, 2, 3, 7):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(lines, "_BLOCK_BYTES", size)
            assert read(text) == expected


@given(st.text("a\r\n", max_size=30))
def test_mixed_line_ends_are_those_of_universal_newlines(text: str) -> None:
    """As Python's own text files count lines, also where the blocks are tiny."""
    expected = [line.rstrip("\n") for line in io.StringIO(text, newline=None)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines, "_BLOCK_BYTES", 2)
        assert [line.decode() for _, line in read(text.encode())] == expected


@pytest.mark.parametrize("length", [LINE_BYTES + 1, 1 << 20, 5 << 20, 9 << 20])
def test_line_that_is_too_long_is_set_aside(length: int) -> None:
    """Its number and beginning are kept, the lines around it are as they were."""
    text = b"first\n" + b"x" * length + b"\nlast\n"
    assert read(text) == [(1, b"first"), (3, b"last")]
    [(number, beginning)] = too_long(text)
    assert (number, set(beginning), len(beginning)) == (2, {ord("x")}, LINE_BYTES)


def test_line_of_the_greatest_length_is_read() -> None:
    """Its line feed counts, as it is part of the line."""
    line = b"x" * (LINE_BYTES - 1)
    assert read(line + b"\n" + line + b"x\nend") == [(1, line), (3, b"end")]
    assert read(line) == [(1, line)]


def test_fifty_megabytes_on_one_line_cost_no_memory() -> None:
    """A few blocks, whatever the length of the line."""
    stream = io.BytesIO(b"a.example," * (5 << 20))
    tracemalloc.start()
    blocks: list[LineBlock] = list(line_blocks(stream))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [(len(block.lines), [number for number, _ in block.too_long]) for block in blocks] == [(0, [1])]
    assert peak < 20 << 20


def test_block_holds_no_copy_of_its_text_for_each_line() -> None:
    """Lines share a buffer, with offsets into it."""
    [block] = line_blocks(io.BytesIO(b"a.example\n" * 1000))
    _, offsets, data = block.lines.buffers()
    assert (len(block.lines), offsets.size, data.size) == (1000, 8 * 1001, 10 * 1000)


def test_lines_come_block_by_block() -> None:
    """The second block is not read before it is asked for."""
    stream = io.BytesIO(b"a.example\n" * 1_000_000)
    first = next(line_blocks(stream))
    assert stream.tell() < 10_000_000
    assert re.fullmatch(rb"a\.example\n", first.lines[-1].as_py())
