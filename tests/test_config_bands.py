"""Bands and rows: the curve, and the choice that datasketch makes."""

from fractions import Fraction

import pytest
from datasketch.lsh import _optimal_param as datasketch_choice
from hypothesis import given, settings
from hypothesis import strategies as st

from configs.bands import candidate_curve, candidate_probability, choose_bands


@given(st.floats(0, 1), st.integers(1, 60), st.integers(1, 20))
def test_probability_is_that_of_one_equal_band(similarity: float, bands: int, rows: int) -> None:
    """Not all bands differ, and a band differs unless all its rows are equal; in exact fractions."""
    exact = 1 - (1 - Fraction(similarity) ** rows) ** bands
    assert candidate_probability(similarity, bands, rows) == pytest.approx(float(exact), abs=1e-13)


def test_probability_reaches_both_ends() -> None:
    """Nothing shared is never a candidate, all shared always."""
    assert [candidate_probability(s, 25, 5) for s in (0.0, 1.0)] == [0.0, 1.0]


def test_curve_has_the_published_values() -> None:
    """Those of the comparison of schemes: 14 x 8 finds 0.924 of the pairs at 0.8, 9 x 13 only 0.399."""
    assert candidate_curve(14, 8) == {"0.5": 0.053, "0.6": 0.211, "0.7": 0.565, "0.8": 0.924, "0.9": 1.0, "1.0": 1.0}
    assert candidate_curve(9, 13) == {"0.5": 0.001, "0.6": 0.012, "0.7": 0.084, "0.8": 0.399, "0.9": 0.929, "1.0": 1.0}


@pytest.mark.parametrize("permutations", [1, 2, 3, 4, 5, 8, 13, 32, 50])
def test_choice_is_that_of_datasketch_at_every_hundredth(permutations: int) -> None:
    """Bands and rows are equal on the whole grid of thresholds."""
    thresholds = [hundredths / 100 for hundredths in range(1, 101)]
    assert [choose_bands(threshold, permutations) for threshold in thresholds] == [
        datasketch_choice(threshold, permutations, 0.5, 0.5) for threshold in thresholds
    ]


@pytest.mark.parametrize("permutations", [100, 112, 125, 128, 256])
def test_choice_is_that_of_datasketch_for_usual_signatures(permutations: int) -> None:
    """The same for signatures as long as people use them, at every tenth."""
    thresholds = [tenths / 10 for tenths in range(1, 11)]
    assert [choose_bands(threshold, permutations) for threshold in thresholds] == [
        datasketch_choice(threshold, permutations, 0.5, 0.5) for threshold in thresholds
    ]


@settings(deadline=None, max_examples=100)
@given(st.floats(0.001, 1), st.integers(1, 80))
def test_choice_is_that_of_datasketch_anywhere(threshold: float, permutations: int) -> None:
    """Any threshold and any number of permutations."""
    bands, rows = choose_bands(threshold, permutations)
    assert (bands, rows) == datasketch_choice(threshold, permutations, 0.5, 0.5)
    assert bands * rows <= permutations


@pytest.mark.parametrize(("threshold", "expected"), [(0.7, (14, 9)), (0.8, (9, 13))])
def test_choice_from_128_is_that_of_the_presets(threshold: float, expected: tuple[int, int]) -> None:
    """RedPajama-v2 and SlimPajama took what datasketch chose for them."""
    assert choose_bands(threshold, 128) == expected


def test_choice_between_equal_errors_is_the_smallest() -> None:
    """At 0.5, 1 x 1, 1 x 2 and 2 x 1 all err by a quarter; rounding does not decide."""
    assert (choose_bands(0.5, 2), choose_bands(0.5, 3)) == ((1, 1), (1, 1))
