"""Sort keys by radix, several times faster than by comparison, and without Python's lock."""

import numba
import numpy as np
import numpy.typing as npt

I64 = npt.NDArray[np.int64]

DIGIT = 12
"""Bits that one pass sorts by: their counters stay in the first-level cache."""


@numba.njit(nogil=True, cache=True)
def sort_keys(keys: I64, values: I64, bits: int) -> tuple[I64, I64]:
    """Keys in ascending order and the values that go with them; values of equal keys keep their order.

    >>> keys, values = sort_keys(np.array([5, 2, 5, 0]), np.array([10, 11, 12, 13]), 48)
    >>> keys.tolist(), values.tolist()
    ([0, 2, 5, 5], [13, 11, 10, 12])

    Both are int64 of shape (n,); keys are at least 0 and below 2**bits. The arrays given stay as they are.
    """
    keys, values = keys.copy(), values.copy()
    other_keys, other_values = np.empty_like(keys), np.empty_like(values)
    mask = np.int64((1 << DIGIT) - 1)
    for shift in range(0, bits, DIGIT):
        ends = np.zeros((1 << DIGIT) + 1, np.int64)
        for key in keys:
            ends[((key >> shift) & mask) + 1] += 1
        for digit in range(1 << DIGIT):
            ends[digit + 1] += ends[digit]
        for i in range(keys.size):
            digit = (keys[i] >> shift) & mask
            at = ends[digit]
            other_keys[at], other_values[at] = keys[i], values[i]
            ends[digit] = at + 1
        keys, other_keys = other_keys, keys
        values, other_values = other_values, values
    return keys, values
