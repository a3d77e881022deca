"""Check digits of ISBN-10, ISBN-13 and ISSN.

Sources: ISO 2108 (ISBN; up to 2005 of ten digits, since then of thirteen) and ISO 3297 (ISSN). The weighted sums modulo
11 tell every single wrong digit and every two neighbours in the wrong order. That of ISBN-13, modulo 10 with weights 1
and 3, tells every single wrong digit, and neighbours in the wrong order unless they differ by 5.
"""

import numba
import numpy as np
import numpy.typing as npt

Digits = npt.NDArray[np.int64]


@numba.njit(nogil=True, cache=True)
def has_check11(digits: Digits, length: int) -> bool:
    """Whether the first `length` digits, weighted `length`, ..., 2, 1, sum to a multiple of 11; X is 10.

    >>> has_check11(np.array([0, 1, 3, 1, 1, 0, 3, 6, 2, 8]), 10), has_check11(np.array([0, 3, 7, 8, 5, 9, 5, 5]), 8)
    (True, True)
    """
    total = 0
    for i in range(length):
        total += digits[i] * (length - i)
    return total % 11 == 0


@numba.njit(nogil=True, cache=True)
def check13(digits: Digits) -> int:
    """The last digit of the ISBN-13 whose first twelve digits are these.

    >>> check13(np.array([9, 7, 8, 0, 1, 3, 1, 1, 0, 3, 6, 2]))
    7
    """
    total = 0
    for i in range(12):
        total += digits[i] * (1 if i % 2 == 0 else 3)
    return -total % 10
