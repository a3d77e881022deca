"""The value that is there most often."""

import numba
import numpy as np
import numpy.typing as npt

U64 = npt.NDArray[np.uint64]


@numba.njit(nogil=True, cache=True)
def most_frequent(values: U64) -> tuple[int, int]:
    """Place of the first of the values that are equal to most others, and how many these are: (-1, 0) of none.

    >>> most_frequent(np.array([5, 9, 4, 9, 5], np.uint64))
    (0, 2)

    `values` is uint64 of shape (n,). Of several values that are as frequent the one counts that comes first.
    """
    size = 16
    while size < 2 * values.size:
        size *= 2
    firsts = np.full(size, -1, np.int64)
    counts = np.zeros(size, np.int64)
    place, most = -1, 0
    for i in range(values.size):
        # Keys of one partition differ less in their lower bits than in the upper ones.
        at = np.int64((values[i] * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(40)) & (size - 1)
        while firsts[at] >= 0 and values[firsts[at]] != values[i]:
            at = (at + 1) & (size - 1)
        if firsts[at] < 0:
            firsts[at] = i
        counts[at] += 1
        if counts[at] > most or (counts[at] == most and firsts[at] < place):
            place, most = firsts[at], counts[at]
    return place, most
