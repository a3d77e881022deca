"""Arrow arrays as numpy buffers: what a row says survives slices, nulls and emptiness."""

from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.columns import DIGEST
from transforms.batches import Strings, digest_words, digests, fixed_bytes, hex_digests, strings

TEXT_TYPES = [pa.string(), pa.large_string()]
BYTE_TYPES = [pa.binary(), pa.large_binary()]
WORD = st.integers(0, 2**64 - 1)
PAIRS = st.lists(st.none() | st.tuples(WORD, WORD), max_size=30)


@st.composite
def sliced(draw: st.DrawFn, type_: pa.DataType, value: st.SearchStrategy[Any]) -> tuple[pa.Array, list[Any]]:
    """An array that begins and ends inside a larger one, and its values."""
    values = draw(st.lists(st.none() | value, max_size=30))
    start = draw(st.integers(0, len(values)))
    stop = draw(st.integers(start, len(values)))
    return pa.array(values, type_).slice(start, stop - start), values[start:stop]


def rows(view: Strings) -> list[bytes]:
    return [bytes(view.data[start:stop]) for start, stop in pairwise(view.offsets.tolist())]


def digest_column(pairs: list[tuple[int, int] | None]) -> pa.Array:
    words = np.array([pair or (7, 7) for pair in pairs], np.uint64).reshape(-1, 2)
    return digests(words, np.array([pair is None for pair in pairs], bool))


def as_bytes(pair: tuple[int, int] | None) -> bytes | None:
    return pair and (pair[0] << 64 | pair[1]).to_bytes(16, "big")


@pytest.mark.parametrize("type_", TEXT_TYPES, ids=str)
@given(data=st.data())
def test_strings_give_the_utf8_of_every_row(type_: pa.DataType, data: st.DataObject) -> None:
    """Wherever the array begins inside its buffers; null rows come out empty."""
    array, values = data.draw(sliced(type_, st.text()))
    view = strings(array)
    assert rows(view) == [(value or "").encode() for value in values]
    assert (view.data.dtype.name, view.offsets.dtype.name, view.offsets.shape) == ("uint8", "int64", (len(values) + 1,))


@pytest.mark.parametrize("type_", BYTE_TYPES, ids=str)
@given(data=st.data())
def test_strings_take_bytes_that_are_no_utf8(type_: pa.DataType, data: st.DataObject) -> None:
    """A binary column is viewed as it is and never checked."""
    array, values = data.draw(sliced(type_, st.binary()))
    assert rows(strings(array)) == [value or b"" for value in values]


@pytest.mark.parametrize("type_", [*TEXT_TYPES, *BYTE_TYPES], ids=str)
def test_strings_of_nulls_alone_are_empty_rows(type_: pa.DataType) -> None:
    """An array without any data buffer has rows all the same."""
    assert rows(strings(pa.nulls(3, type_))) == [b"", b"", b""]


@pytest.mark.parametrize("type_", [*TEXT_TYPES, *BYTE_TYPES], ids=str)
def test_strings_of_an_empty_array_have_one_offset(type_: pa.DataType) -> None:
    """No rows are the offsets [0], also where a slice of a full array is empty."""
    for array in (pa.array([], type_), pa.array(["ab", "c"], type_).slice(1, 0)):
        view = strings(array)
        assert (view.data.tolist(), view.offsets.tolist()) == ([], [0])


def test_strings_of_a_chunk_do_not_copy_the_text() -> None:
    """The view of a chunk of a large_string column is of the very buffer that the whole column lies in."""
    whole = pa.array(["first", "second", "third"], pa.large_string())
    view = strings(whole.slice(1, 2))
    assert rows(view) == [b"second", b"third"]
    assert np.shares_memory(view.data, np.frombuffer(whole.buffers()[2], np.uint8))


@given(PAIRS)
def test_digests_are_big_endian_bytes_high_word_first(pairs: list[tuple[int, int] | None]) -> None:
    """So that bytes, hex digits and numbers sort alike."""
    column = digest_column(pairs)
    column.validate(full=True)
    assert column.type == DIGEST
    assert column.to_pylist() == [as_bytes(pair) for pair in pairs]


@given(PAIRS, st.integers(0, 30), st.integers(0, 30))
def test_digest_words_reverse_digests_on_any_slice(
    pairs: list[tuple[int, int] | None], start: int, length: int
) -> None:
    """Null rows come out as zeros."""
    words = digest_words(digest_column(pairs).slice(min(start, len(pairs)), length))
    assert (words.dtype.name, words.ndim) == ("uint64", 2)
    assert [tuple(map(int, row)) for row in words] == [pair or (0, 0) for pair in pairs[start : start + length]]


@settings(max_examples=200)
@given(PAIRS, st.integers(0, 30), st.integers(0, 30))
def test_hex_digests_agree_with_bytes_hex_on_any_slice(
    pairs: list[tuple[int, int] | None], start: int, length: int
) -> None:
    """Against Python's own `bytes.hex`; null stays null, also where the slice begins inside a byte of the bitmap."""
    column = hex_digests(digest_column(pairs).slice(min(start, len(pairs)), length))
    column.validate(full=True)
    expected = [as_bytes(pair) for pair in pairs[start : start + length]]
    assert column.type == pa.string()
    assert column.to_pylist() == [value and value.hex() for value in expected]


def test_digests_accept_words_that_lie_apart() -> None:
    """Every second row of a larger array is taken as it reads, not as it lies."""
    words = np.arange(8, dtype=np.uint64).reshape(4, 2)[::2]
    assert digest_words(digests(words)).tolist() == [[0, 1], [4, 5]]


def test_digests_without_a_null_have_no_bitmap() -> None:
    """A mask of all false costs nothing."""
    column = digests(np.zeros((2, 2), np.uint64), np.zeros(2, bool))
    assert (column.buffers()[0], column.null_count) == (None, 0)


@given(st.data(), st.integers(1, 20))
def test_fixed_bytes_are_a_row_of_bytes_each(data: st.DataObject, width: int) -> None:
    """uint8 of shape (rows, width) for any width and slice; null rows come out as zeros."""
    array, values = data.draw(sliced(pa.binary(width), st.binary(min_size=width, max_size=width)))
    found = fixed_bytes(array)
    assert (found.dtype.name, found.shape) == ("uint8", (len(values), width))
    assert [bytes(row) for row in found] == [value or bytes(width) for value in values]
