"""Similarities of pairs against Python sets and lists."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.kernels.set_pairs import equal_cells_of_pairs, equal_values_of_pairs, jaccard_pairs
from transforms.kernels.sketches import equal_cells

I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]

SHINGLES = st.frozensets(st.integers(1, 12) | st.integers(1, (1 << 64) - 1), max_size=20)
COLLECTION = st.lists(SHINGLES, min_size=1, max_size=4)
PAIRS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=12)
WORDS = st.lists(st.lists(st.integers(0, 3), min_size=6, max_size=6), min_size=4, max_size=4)


def flat(sets: Sequence[frozenset[int]]) -> tuple[U64, I64, I64]:
    """Sets one after the other behind a value that belongs to none."""
    size = np.array([len(one) for one in sets], np.int64)
    values = [value for one in sets for value in sorted(one, key=lambda value: value % 7)]
    return np.array([5, *values], np.uint64), np.cumsum(size) - size + 1, size


def columns(pairs: Sequence[tuple[int, int]], a: int, b: int) -> tuple[I64, I64]:
    return np.array([p % a for p, _ in pairs], np.int64), np.array([q % b for _, q in pairs], np.int64)


@given(mine=COLLECTION, theirs=COLLECTION, pairs=PAIRS)
@settings(deadline=None)
def test_jaccard_is_that_of_python_sets(
    mine: list[frozenset[int]], theirs: list[frozenset[int]], pairs: list[tuple[int, int]]
) -> None:
    """Any pairs in any order, also of empty sets, which have nothing in common."""
    a, b = columns(pairs, len(mine), len(theirs))
    found = jaccard_pairs(*flat(mine), a, *flat(theirs), b)
    expected = [len(mine[i] & theirs[j]) / max(len(mine[i] | theirs[j]), 1) for i, j in zip(a, b, strict=True)]
    assert found.tolist() == expected


@given(rows=WORDS, pairs=PAIRS)
@settings(deadline=None)
def test_values_are_counted_one_by_one(rows: list[list[int]], pairs: list[tuple[int, int]]) -> None:
    """The share of places at which two signatures have the same value."""
    values = np.array(rows, np.uint32)
    a, b = columns(pairs, 4, 4)
    expected = [sum(x == y for x, y in zip(rows[i], rows[j], strict=True)) / 6 for i, j in zip(a, b, strict=True)]
    assert equal_values_of_pairs(values, a, values[::-1].copy(), 3 - b).tolist() == expected


@given(pairs=PAIRS, seed=st.integers(0, 99))
@settings(deadline=None)
def test_cells_are_those_of_one_pair_after_the_other(pairs: list[tuple[int, int]], seed: int) -> None:
    """The same count as for two rows of one array."""
    sketches = np.random.default_rng(seed).integers(0, 1 << 63, (8, 3)).astype(np.uint64)
    a, b = columns(pairs, 4, 4)
    found = equal_cells_of_pairs(sketches[:4], a, sketches[4:], b)
    assert found.tolist() == [equal_cells(sketches, int(i), int(j) + 4) for i, j in zip(a, b, strict=True)]
