"""Where a byte stood before white space was normalised: the way back from `spaces.normalise`."""

import numba
import numpy as np
import numpy.typing as npt

from transforms.kernels.memory import Bytes

I64 = npt.NDArray[np.int64]


@numba.njit(nogil=True, cache=True)
def original_places(data: Bytes, offsets: I64, normal_offsets: I64, rows: I64, places: I64) -> I64:
    """Places in `data` of bytes that are no white space, from their places in the normalised data.

    >>> text = np.frombuffer(b" two\\n\\nwords", np.uint8)
    >>> original_places(text, np.array([0, 11]), np.array([0, 9]), np.array([0, 0]), np.array([0, 4])).tolist()
    [1, 6]

    `offsets` and `normal_offsets`, int64 of shape (rows + 1,), bound the texts in either; `rows` and `places`, int64 of
    shape (places,), ascend. Every text with a place in it is walked once, the others not at all.
    """
    found = np.empty(places.size, np.int64)
    row, i, at, space, next_space = -1, 0, 0, False, 0
    for p in range(places.size):
        if rows[p] != row:
            row = rows[p]
            i, at, space = offsets[row], normal_offsets[row], False
        # `at` is the place in the normalised data of the first byte from i on that is no white space, but for the one
        # space that stands for a run of it.
        while True:
            next_space = _white_space(data, i, offsets[row + 1])
            if next_space:
                space, i = at > normal_offsets[row], i + next_space
                continue
            if space:
                space, at = False, at + 1
            if at >= places[p] or i >= offsets[row + 1]:
                break
            i, at = i + 1, at + 1
        found[p] = i
    return found


@numba.njit(nogil=True, cache=True)
def _white_space(data: Bytes, i: int, stop: int) -> int:
    """Bytes of the character of white space at i, 0 if there is none; the property White_Space, as in `spaces`."""
    if i >= stop:
        return 0
    first = data[i]
    if first == 0x20 or 0x09 <= first <= 0x0D:
        return 1
    if first < 0xC2 or i + 1 >= stop:
        return 0
    second = data[i + 1]
    if first == 0xC2:
        return 2 if second in (0x85, 0xA0) else 0
    if i + 2 >= stop:
        return 0
    third = data[i + 2]
    if first == 0xE1:
        return 3 if second == 0x9A and third == 0x80 else 0
    if first == 0xE3:
        return 3 if second == 0x80 and third == 0x80 else 0
    if first != 0xE2:
        return 0
    u2000 = second == 0x80 and (0x80 <= third <= 0x8A or third in (0xA8, 0xA9, 0xAF))
    return 3 if u2000 or (second == 0x81 and third == 0x9F) else 0
