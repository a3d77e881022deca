"""Shingle sets against Python sets of the same hashes."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.byte_columns import Column, at_page_end, column
from transforms.kernels.shingle_sets import count_shared, insert, make_table, shingle_sets
from transforms.kernels.shingles import hash_shingles, make_room

U64 = npt.NDArray[np.uint64]
VALUES = st.integers(1, 9) | st.integers(1, (1 << 64) - 1) | st.integers(1, 9).map(lambda value: value << 60)

texts = st.text("ab ", max_size=60) | st.text("abc\u3000é ", max_size=300)


def hashes(text: bytes, n: int) -> list[int]:
    """All shingles of a text, repeats included, in one go."""
    room = make_room(len(text), n)
    count = hash_shingles(np.frombuffer(text, np.uint8), 0, len(text), n, 0, room)[2] if text else 0
    return [int(value) for value in room.shingles[:count]]


def sets_of(placed: Column, n: int, room: int) -> list[list[int]]:
    out = np.full(room, 77, np.uint64)
    sizes = shingle_sets(*placed, n, out)
    assert (sizes.dtype, sizes.size) == (np.int64, placed[1].size - 1)
    ends = np.cumsum(sizes)
    return [out[end - size : end].tolist() for end, size in zip(ends, sizes, strict=True)]


@given(rows=st.lists(texts, max_size=5), n=st.integers(1, 6), before=st.text("a ", max_size=9))
@example(rows=["a a a a", "", "a"], n=1, before="")
@settings(deadline=None)
def test_sets_hold_each_shingle_once_in_order_of_its_first(rows: list[str], n: int, before: str) -> None:
    """The shingles that signatures are made of, row by row, with room for their repeats and no more."""
    encoded = [row.encode() for row in rows]
    expected = [list(dict.fromkeys(hashes(row, n))) for row in encoded]
    room = sum(len(hashes(row, n)) for row in encoded)
    assert sets_of(column(encoded, before.encode()), n, room) == expected


def test_sets_read_nothing_beyond_the_array() -> None:
    """Rows up to the last byte that may be read give what they give with room behind them."""
    for length in range(1, 130, 7):
        rows = [b"ab c", (b"word, " * 40)[:length]]
        assert sets_of(at_page_end(rows), 2, 300) == sets_of(column(rows, after=bytes(200)), 2, 300)


def test_sets_write_nothing_beyond_their_room() -> None:
    """A text that has more shingles than was said is refused, and what lies behind the room is not touched."""
    out = np.full(100, 77, np.uint64)
    data = np.frombuffer(b"a b c d e f g h i j", np.uint8)
    assert shingle_sets(data, np.array([0, 5, data.size]), 1, out[:8]).tolist() == [-1, -1]
    assert (out[8:] == 77).all()


def test_a_word_repeated_a_million_times_is_one_shingle() -> None:
    """Over many pieces of scratch the set stays the same, and the row after it too."""
    rows = [b"one " * 1_000_000, b"one two"]
    found = sets_of(column(rows), 5, 1_000_000)
    assert [len(row) for row in found] == [1, 1]
    assert found == [hashes(b"one one one one one", 5), hashes(b"one two", 5)]


def test_a_text_longer_than_the_scratch_keeps_all_its_shingles() -> None:
    """50,000 words twice: the n-grams of the half, and four across the border."""
    half = " ".join(map(str, range(50_000))).encode()
    (found,) = sets_of(column([half + b" " + half]), 5, 100_000)
    assert (len(found), len(set(found))) == (50_000, 50_000)
    assert set(hashes(half, 5)) < set(found)


@given(values=st.lists(VALUES, max_size=60), asked=st.lists(VALUES, max_size=60, unique=True), most=st.integers(0, 60))
@settings(deadline=None)
def test_table_counts_shared_values_as_python_sets_do(values: list[int], asked: list[int], most: int) -> None:
    """New values are told from known ones; the count gives up as soon as too many are missing."""
    table, known = make_table(len(values)), set()
    for value in values:
        assert insert(table, np.uint64(value)) == (value not in known)
        known.add(value)
    missing = len(set(asked) - known)
    found = count_shared(table, np.array(asked, np.uint64), most)
    assert found == (len(set(asked) & known) if missing <= most else -1)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 64, 65, 1000])
def test_table_is_at_most_half_full(count: int) -> None:
    """A power of two in size, so that probing ends and stays short."""
    size = make_table(count).size
    assert size >= max(4, 2 * count)
    assert size & (size - 1) == 0
