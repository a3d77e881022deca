"""Pairs of sketches against cells compared one by one in Python."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.kernels.sketch_pairs import pair_sketches

U64 = npt.NDArray[np.uint64]
Pair = tuple[int, int]


def alike(seed: int, rows: int, texts: int, words: int) -> tuple[U64, U64]:
    """Sketches of rows and of texts, many of which differ in some cells only."""
    draw = np.random.default_rng(seed)
    one = draw.integers(0, 1 << 64, words, np.uint64)

    def near(count: int) -> U64:
        bits = draw.integers(0, 1 << 64, (5, count, words), np.uint64)
        few = bits[:4].min(axis=0) & bits[4] & (bits[4] >> np.uint64(3))
        change: U64 = np.where(draw.random((count, words)) < 0.2, bits[0], few)
        return one ^ change

    return near(rows), near(texts)


def slow_pairs(rows: U64, texts: U64, most: int) -> list[Pair]:
    """All pairs with at most so many unequal cells of two bits, by text, then row."""

    def differing(a: list[int], b: list[int]) -> int:
        return sum((x >> 2 * k & 3) != (y >> 2 * k & 3) for x, y in zip(a, b, strict=True) for k in range(32))

    by_row, by_text = rows.tolist(), texts.tolist()
    return [(t, r) for t, one in enumerate(by_text) for r, other in enumerate(by_row) if differing(one, other) <= most]


def found_pairs(rows: U64, texts: U64, most: int, room: int) -> list[list[Pair]]:
    """The pairs of each call."""
    block, calls, done = np.ascontiguousarray(rows.T), [], 0
    while done < len(texts):
        text, row = np.full((2, room), -7)
        count, done = pair_sketches(block, texts, done, most, text, row)
        assert (text[count:] == -7).all()
        assert (row[count:] == -7).all()
        calls.append(list(zip(text[:count].tolist(), row[:count].tolist(), strict=True)))
    return calls


@given(
    seed=st.integers(0, 999), rows=st.integers(0, 40), texts=st.integers(0, 6), words=st.integers(1, 8), data=st.data()
)
@settings(deadline=None)
def test_pairs_are_those_of_cells_one_by_one(seed: int, rows: int, texts: int, words: int, data: st.DataObject) -> None:
    """For any limit, whole texts a call and in order, however small the room is."""
    most = data.draw(st.integers(-1, 32 * words))
    room = data.draw(st.integers(rows, max(1, 3 * rows)))
    ours, theirs = alike(seed, rows, texts, words)
    calls = found_pairs(ours, theirs, most, room)
    assert [pair for call in calls for pair in call] == slow_pairs(ours, theirs, most)
    assert all(len(call) <= room for call in calls)


@pytest.mark.parametrize(("room", "calls"), [(3, 4), (5, 4), (6, 2), (12, 1)])
def test_call_ends_where_the_next_text_might_not_fit(room: int, calls: int) -> None:
    """Three rows and four texts, all equal."""
    rows, texts = np.zeros((3, 4), np.uint64), np.zeros((4, 4), np.uint64)
    found = found_pairs(rows, texts, 0, room)
    assert len(found) == calls
    assert [pair for call in found for pair in call] == slow_pairs(rows, texts, 0)


def test_no_limit_below_zero_is_reached() -> None:
    """More cells asked for than there are."""
    same = np.zeros((2, 4), np.uint64)
    assert found_pairs(same, same, -1, 2) == [[]]
    assert found_pairs(same, same, 0, 2) == [[(0, 0), (0, 1)], [(1, 0), (1, 1)]]
