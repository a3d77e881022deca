"""Ordinals: a part number and a row in one id of 64 bits, which is what crosses shuffles in place of a document.

>>> ids = ordinals(3, np.array([0, 7], np.uint32))
>>> [values.tolist() for values in part_and_row(ids)]
[[3, 3], [0, 7]]
"""

import numpy as np
import numpy.typing as npt


def ordinals(part: int, rows: npt.NDArray[np.integer]) -> npt.NDArray[np.uint64]:
    """Ids of some rows of a part, of the shape of `rows`."""
    return rows.astype(np.uint64) + np.uint64(part << 32)


def part_and_row(ids: npt.NDArray[np.uint64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint32]]:
    """Part number and row of ids: their upper and lower 32 bits."""
    return (ids >> np.uint64(32)).astype(np.int64), (ids & np.uint64(0xFFFFFFFF)).astype(np.uint32)
