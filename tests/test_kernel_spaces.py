"""White-space kernels against a regular expression."""

import doctest
import re
import unicodedata
from itertools import pairwise

import numpy as np
import pytest
import xxhash
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.byte_columns import Column, at_page_end, column, words128
from transforms.kernels import spaces
from transforms.kernels.spaces import digest, normalise

WHITE_SPACE = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
# Characters that share bytes with white space, or that other rules count as space; none has the property.
NEARLY = (
    "\x1c\x1d\x1e\x1f\x84\x86\x9f\xa1\u0120\u167f\u1681\u180e\u1a80\u1fff\u200b\u2027\u202e\u2030"
    "\u205e\u2060\u2fff\u3001\u3040\u4e00\ufeff\U0001f600\U00020000"
)

texts = (
    st.text(st.sampled_from(WHITE_SPACE + NEARLY + "abc  "))
    | st.text(st.sampled_from("ab \n"), max_size=400)
    | st.text()
)


def oracle(text: str) -> str:
    return re.sub(f"[{WHITE_SPACE}]+", " ", text).strip(" ")


def normalised(placed: Column) -> list[bytes]:
    data, offsets = normalise(*placed)
    return [bytes(data[start:stop]) for start, stop in pairwise(offsets)]


@given(
    rows=st.lists(texts, max_size=6), before=st.text("a \u3000", max_size=70), after=st.text("a \u3000", max_size=200)
)
@example(rows=[" " * 63 + "\u3000" + "a" * 64], before="", after="")
@example(rows=["a" * 62 + "\u2003" * 50 + "b", "\x85"], before=" ", after=" ")
@settings(deadline=None, max_examples=300)
def test_normalise_equals_the_regular_expression(rows: list[str], before: str, after: str) -> None:
    """Runs become one space, ends are bare, and neither the rest nor the neighbours matter."""
    placed = column([row.encode() for row in rows], before.encode(), after.encode())
    assert normalised(placed) == [oracle(row).encode() for row in rows]


@given(rows=st.lists(texts, max_size=6), after=st.text("a \u3000", max_size=200))
@settings(deadline=None)
def test_digest_is_xxh3_of_the_normalised_text(rows: list[str], after: str) -> None:
    """The digest can be recomputed with two library calls; the length is that of the normalised bytes."""
    digests, lengths = digest(*column([row.encode() for row in rows], b"x", after.encode()))
    expected = [oracle(row).encode() for row in rows]
    assert words128(digests) == [xxhash.xxh3_128_intdigest(text) for text in expected]
    assert lengths.tolist() == [len(text) for text in expected]


@pytest.mark.parametrize("character", WHITE_SPACE, ids=lambda character: f"U+{ord(character):04X}")
def test_normalise_knows_the_white_space_character_at_every_place_in_a_block(character: str) -> None:
    """Each character of the property separates words wherever a block of 64 bytes ends."""
    rows = ["a" * place + character * 2 + "b" for place in range(1, 140)]
    assert normalised(column([row.encode() for row in rows])) == [b"a" * place + b" b" for place in range(1, 140)]


@pytest.mark.parametrize("character", NEARLY, ids=lambda character: f"U+{ord(character):04X}")
def test_normalise_leaves_the_character_that_is_no_white_space(character: str) -> None:
    """Neighbours in the code, zero-width spaces and the separators of ASCII stay what they are."""
    rows = ["a" * place + character for place in range(140)]
    assert normalised(column([row.encode() for row in rows])) == [row.encode() for row in rows]


def test_white_space_is_the_property_of_unicode() -> None:
    """The list is Python's `str.isspace` without the four separators U+001C to U+001F, which Unicode leaves out."""
    spaces_of_python = {chr(code) for code in range(0x110000) if chr(code).isspace()}
    assert set(WHITE_SPACE) == spaces_of_python - set("\x1c\x1d\x1e\x1f")
    assert all(unicodedata.category(character) in {"Zs", "Zl", "Zp", "Cc"} for character in WHITE_SPACE)


@given(rows=st.lists(st.binary(max_size=90) | st.text(WHITE_SPACE).map(lambda text: text.encode()[:-1]), max_size=5))
@settings(deadline=None)
def test_bytes_that_are_no_utf8_disturb_no_other_row(rows: list[bytes]) -> None:
    """A row cut in the middle of a character gives what it gives alone, and so do the rows beside it."""
    assert normalised(column(rows, b"\xe3\x80", b"\x80\x80 ")) == [normalised(at_page_end([row]))[0] for row in rows]


@pytest.mark.parametrize("length", [0, 1, 2, 63, 64, 65, 127, 128, 129, 191, 192, 193, 1000])
@pytest.mark.parametrize("unit", [b" ", b"a", b"a ", b"a  ", b"\xe3\x80\x80", b"\xe3", b"\xc2\xa0b"])
def test_kernels_read_nothing_beyond_the_array(unit: bytes, length: int) -> None:
    """A row whose last byte is the last that may be read gives what it gives with room behind it."""
    row = (unit * length)[:length]
    guarded, free = digest(*at_page_end([row])), digest(*column([row], after=bytes(300)))
    assert [array.tolist() for array in guarded] == [array.tolist() for array in free]


@pytest.mark.parametrize("row", [b"", b" ", b"\n" * 500, "\u3000".encode() * 100], ids=["none", "one", "lines", "wide"])
def test_rows_without_text_come_out_empty(row: bytes) -> None:
    """Nothing and nothing but white space are the same, between rows that are not."""
    assert normalised(column([b"a", row, b"b"])) == [b"a", b"", b"b"]
    assert digest(*column([b"a", row, b"b"]))[1].tolist() == [1, 0, 1]


def test_no_rows_give_no_rows() -> None:
    """An empty column stays one."""
    data, offsets = normalise(*column([], b"before"))
    digests, lengths = digest(*column([], b"before"))
    assert (data.size, offsets.tolist(), digests.shape, lengths.shape) == (0, [0], (0, 2), (0,))


def test_results_of_a_slice_are_the_slice_of_the_results() -> None:
    """Offsets need not begin at 0."""
    data, offsets = column([b" one ", b"", b"two  words", b"three"])
    assert normalised((data, offsets[1:4])) == [b"", b"two words"]
    assert digest(data, offsets[1:4])[0].tolist() == digest(data, offsets)[0][1:3].tolist()


def test_digest_takes_a_row_of_100_mb() -> None:
    """One word of 100 MB between other rows is a row like any other."""
    size = 100_000_000
    data = np.full(size + 6, ord("a"), np.uint8)
    data[[0, 5, size + 2]] = ord(" ")
    data.flags.writeable = False
    digests, lengths = digest(data, np.array([0, 5, size + 3, size + 6]))
    assert lengths.tolist() == [4, size - 4, 3]
    assert words128(digests)[1] == xxhash.xxh3_128_intdigest(b"a" * (size - 4))


def test_examples_in_the_docstrings_hold() -> None:
    """What the documentation shows is what happens."""
    for kernel in (normalise, digest):
        examples = doctest.DocTestFinder().find(kernel.py_func, kernel.__name__, globs=vars(spaces))
        assert [doctest.DocTestRunner().run(shown).failed for shown in examples] == [0]
