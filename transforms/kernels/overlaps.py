"""Of findings that overlap, keep one."""

import numba
import numpy as np
import numpy.typing as npt

I64 = npt.NDArray[np.int64]


@numba.njit(nogil=True, cache=True)
def apart(starts: I64, ends: I64) -> npt.NDArray[np.bool_]:
    """Which intervals to keep so that none overlaps another: each that begins where the last one kept has ended.

    >>> apart(np.array([0, 2, 5, 7]), np.array([5, 9, 6, 8])).tolist()
    [True, False, True, True]

    `starts`, int64 of shape (intervals,), ascend.
    """
    kept = np.zeros(starts.size, np.bool_)
    reached = -1
    for i in range(starts.size):
        if starts[i] >= reached:
            kept[i], reached = True, ends[i]
    return kept
