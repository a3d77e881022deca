"""Sorting keys by radix, against numpy's stable sort."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.kernels.radix_sort import DIGIT, sort_keys

BITS = 48


@given(st.lists(st.integers(0, 2**BITS - 1) | st.integers(0, 3), max_size=60))
@settings(deadline=None)
def test_keys_and_values_come_as_a_stable_sort_gives_them(keys: list[int]) -> None:
    """Values of equal keys keep their order."""
    given_keys, values = np.array(keys, np.int64), np.arange(100, 100 + len(keys))
    order = np.argsort(given_keys, kind="stable")
    found = sort_keys(given_keys, values, BITS)
    assert found[0].tolist() == given_keys[order].tolist()
    assert found[1].tolist() == values[order].tolist()


def test_arrays_given_stay_as_they_are() -> None:
    """The caller may use them again."""
    keys, values = np.array([3, 1, 2]), np.array([7, 8, 9])
    sort_keys(keys, values, BITS)
    assert (keys.tolist(), values.tolist()) == ([3, 1, 2], [7, 8, 9])


def test_bits_that_are_no_multiple_of_a_digit_are_sorted_by_too() -> None:
    """The last pass takes what is left."""
    keys = np.array([1 << DIGIT, 0, (1 << DIGIT) + 1, 1])
    assert sort_keys(keys, np.arange(4), DIGIT + 1)[0].tolist() == sorted(keys.tolist())


def test_many_keys_are_sorted() -> None:
    """More than fit any cache."""
    keys = np.random.default_rng(1).integers(0, 1 << BITS, 200_000)
    assert (sort_keys(keys, np.zeros_like(keys), BITS)[0] == np.sort(keys)).all()
