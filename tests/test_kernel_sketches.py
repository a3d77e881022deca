"""Sketches: bits against Python integers, and estimates against sets whose similarity is known."""

import doctest
from decimal import Decimal
from fractions import Fraction
from statistics import NormalDist

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.byte_columns import column
from transforms.kernels import sketches as module
from transforms.kernels.minhash import permutations, signatures
from transforms.kernels.sketches import cells, count_differing, equal_cells, least_cells, sketch, words

U64 = npt.NDArray[np.uint64]
VALUES = st.integers(0, (1 << 32) - 1)
WORDS = st.integers(0, (1 << 64) - 1)


def cells_of(row: list[int]) -> list[int]:
    """The cells of a sketch, two bits each, from the lowest on."""
    return [word >> 2 * place & 3 for word in row for place in range(32)]


def slow_cells(values: list[int]) -> list[int]:
    """The definition: of each value times the odd constant, modulo 2^32, the upper two bits."""
    return [value * 0x9E3779B1 % (1 << 32) >> 30 for value in values]


@pytest.mark.parametrize(
    ("count", "used", "length"),
    [(1, 1, 1), (32, 32, 1), (33, 33, 2), (125, 125, 4), (256, 256, 8), (257, 256, 8), (9000, 256, 8)],
)
def test_sketch_has_a_cell_for_each_value_up_to_256(count: int, used: int, length: int) -> None:
    """Cells fill words of 32; what is left of the last word is 0."""
    assert (cells(count), words(count)) == (used, length)
    values = np.random.default_rng(3).integers(0, 1 << 32, (1, 2, count), np.uint32)
    found = sketch(values)
    assert (found.dtype, found.shape) == (np.uint64, (2, length))
    for row in range(2):
        expected = slow_cells(values[0, row, :used].tolist())
        assert cells_of(found[row].tolist()) == expected + [0] * (32 * length - used)


@given(shape=st.tuples(st.integers(1, 6), st.integers(0, 4), st.integers(1, 7)), data=st.data())
@settings(deadline=None)
def test_cells_follow_the_values_of_a_signature_band_by_band(shape: tuple[int, int, int], data: st.DataObject) -> None:
    """Cell k is of value k: band k // r, place k % r, whatever the other rows are."""
    bands, rows, width = shape
    size = bands * rows * width
    flat = data.draw(st.lists(VALUES, min_size=size, max_size=size))
    found = sketch(np.array(flat, np.uint32).reshape(shape))
    for row in range(rows):
        mine = [flat[(band * rows + row) * width + k] for band in range(bands) for k in range(width)]
        assert cells_of(found[row].tolist())[: len(mine)] == slow_cells(mine)


@given(rows=st.integers(1, 4).flatmap(lambda n: st.lists(st.lists(WORDS, min_size=n, max_size=n), min_size=2)))
@settings(deadline=None)
def test_counts_of_cells_equal_those_of_lists(rows: list[list[int]]) -> None:
    """`equal_cells` of two rows, and `count_differing` of one and all; what was in its output does not count."""
    array = np.array(rows, np.uint64)
    differing = np.full(len(rows) + 1, 7, np.uint16)
    count_differing(np.ascontiguousarray(array.T), array[0], differing)
    for i, row in enumerate(rows):
        expected = sum(a == b for a, b in zip(cells_of(rows[0]), cells_of(row), strict=True))
        assert equal_cells(array, 0, i) == equal_cells(array, i, 0) == expected
        assert differing[i] == 32 * len(row) - expected
    assert differing[-1] == 7


def test_documents_without_a_sketch_differ_in_nothing() -> None:
    """Where near duplicates are off, sketches have no words."""
    none = np.zeros((2, 0), np.uint64)
    assert equal_cells(none, 0, 1) == 0


@pytest.mark.parametrize("similarity", [0.001, 0.1, 0.5, 0.7, 0.95, 1.0])
@pytest.mark.parametrize("count", [1, 4, 32, 125, 128, 1000])
@pytest.mark.parametrize("deviations", [0, 3, 4])
def test_least_cells_are_the_formula_in_decimals(similarity: float, count: int, deviations: int) -> None:
    """Mean less deviations of the binomial distribution, rounded down and never below 0, and the unused cells."""
    used, equal = min(count, 256), Decimal(str(similarity)) * 3 / 4 + Decimal("0.25")
    least = used * equal - deviations * (used * equal * (1 - equal)).sqrt()
    # Where the formula gives a whole number, floats may fall just below it: one cell fewer is asked for.
    whole = int(max(Decimal(0), least))
    assert least_cells(similarity, count, deviations) - -used % 32 in {whole, whole - (least == whole)}


def test_equal_texts_always_reach_least_cells() -> None:
    """However high the threshold, a pair with all cells equal is compared."""
    for count in (1, 5, 32, 125, 300):
        assert least_cells(1.0, count, 0) == 32 * words(count)


def test_share_of_missed_pairs_is_that_of_the_normal_distribution() -> None:
    """The figures in the docstring: one of 740 at three deviations, one of 31,000 at four."""
    missed = [1 / NormalDist().cdf(-deviations) for deviations in (3, 4)]
    assert (round(missed[0], -1), int(missed[1] / 1000)) == (740, 31)


def similar_pairs(similarity: Fraction, pairs: int, union: int) -> U64:
    """Sketches of 125 values of pairs of texts with that Jaccard similarity; rows 2 i and 2 i + 1 are a pair."""
    shared = int(similarity * union)
    assert Fraction(shared, union) == similarity
    rows = []
    for pair in range(pairs):
        tokens = [f"{pair}x{token}" for token in range(union)]
        cut = shared + (union - shared) // 2
        rows += [" ".join(tokens[:cut]).encode(), " ".join(tokens[:shared] + tokens[cut:]).encode()]
    values, counts = np.empty((25, len(rows), 5), np.uint32), np.empty(len(rows), np.int32)
    signatures(*column(rows), *permutations(125), 1, values, counts)
    return np.asarray(sketch(values))


@pytest.mark.parametrize("similarity", [Fraction(0), Fraction(1, 5), Fraction(1, 2), Fraction(7, 10), Fraction(9, 10)])
def test_estimates_are_unbiased_and_deviate_as_stated(similarity: Fraction) -> None:
    """2,000 pairs of known similarity s: cells are equal at s + (1 - s) / 4, and spread as a binomial."""
    pairs, used = 2000, 125
    found = similar_pairs(similarity, pairs, union=200)
    counts = np.array([equal_cells(found, 2 * i, 2 * i + 1) for i in range(pairs)]) - 3
    equal = float(similarity + (1 - similarity) / 4)
    deviation = np.sqrt(used * equal * (1 - equal))
    assert abs(counts.mean() - used * equal) < 5 * deviation / np.sqrt(pairs)
    assert 0.93 < counts.std() / deviation < 1.07
    for deviations, most in ((3, 10), (4, 2)):
        assert (counts + 3 < least_cells(float(similarity), used, deviations)).sum() <= most


def test_examples_in_the_docstrings_hold() -> None:
    """What the documentation shows is what happens."""
    assert doctest.testmod(module) == (0, 2)
