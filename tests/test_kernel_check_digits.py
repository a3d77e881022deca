"""Check digits of ISBN and ISSN, against the sums in the standards, and what they tell."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.kernels.check_digits import check13, has_check11

ISBNS_10 = ["0131103628", "080442957X", "316148410X", "0000000000"]
ISSNS = ["00280836", "14764687", "03785955", "2434561X"]
ISBNS_13 = ["9780131103627", "9783161484100", "9780804429573", "9791090636071"]


def as_digits(number: str) -> np.ndarray:
    return np.array([10 if digit == "X" else int(digit) for digit in number], np.int64)


@pytest.mark.parametrize("number", [*ISBNS_10, *ISSNS])
def test_published_number_has_its_check_digit(number: str) -> None:
    """Numbers of books and journals that exist."""
    assert has_check11(as_digits(number), len(number))


@pytest.mark.parametrize("number", ISBNS_13)
def test_published_isbn13_has_its_check_digit(number: str) -> None:
    """The last digit follows from the twelve before."""
    assert check13(as_digits(number)) == int(number[-1])


@settings(deadline=None)
@given(st.lists(st.integers(0, 9), min_size=9, max_size=9))
def test_one_of_eleven_check_digits_is_right(digits: list[int]) -> None:
    """So of ten digits in a row by chance one in eleven passes; any other last digit or swap does not."""
    right = [last for last in range(11) if has_check11(np.array([*digits, last]), 10)]
    assert len(right) == 1
    number = [*digits, right[0]]
    for i in range(9):
        swapped = [*number[:i], number[i + 1], number[i], *number[i + 2 :]]
        assert has_check11(np.array(swapped), 10) == (number[i] == number[i + 1])


@settings(deadline=None)
@given(st.lists(st.integers(0, 9), min_size=12, max_size=12))
def test_weighted_sum_of_isbn13_is_a_multiple_of_ten(digits: list[int]) -> None:
    """Weights 1 and 3 in turn, as ISO 2108 has them."""
    whole = [*digits, check13(np.array([*digits, 0]))]
    assert sum(digit * (1, 3)[place % 2] for place, digit in enumerate(whole)) % 10 == 0
