"""From equal keys to edges, as few as keep together what may be similar."""

import numba
import numpy as np
import numpy.typing as npt

from transforms.kernels.sketches import equal_cells

U64 = npt.NDArray[np.uint64]

MOST_LEADERS = 64
"""Unlike documents under one key that are told apart; beyond them no edge is left out."""


def tie_candidates(keys: U64, ids: U64, sketches: U64, least: int) -> tuple[U64, U64]:
    """Edges between ids that have a key in common.

    >>> keys, ids = np.array([4, 8, 4, 4], np.uint64), np.array([3, 1, 2, 7], np.uint64)
    >>> a, b = tie_candidates(keys, ids, np.array([[0], [0], [0], [255]], np.uint64), least=30)
    >>> a.tolist(), b.tolist()
    ([2], [3])

    `keys` and `ids` are uint64 of shape (n,), `sketches` uint64 of shape (n, words). Returns (one, other), each of
    shape (edges,), that depend on the set of rows alone.

    Under a key that is odd all ids are tied to the smallest. Under an even one an id, in ascending order, is tied to
    the first leader with at least `least` equal cells in its sketch, or it leads: so two documents that share a key by
    chance, or only a template, do not tie their whole clusters together. After `MOST_LEADERS` leaders, an id that is
    like none of them is tied to the first all the same: nothing is lost, and the work stays in step with the ids.
    """
    order = np.lexsort([ids, keys])
    a, b = np.empty(len(keys), np.uint64), np.empty(len(keys), np.uint64)
    count = _tie(keys[order], ids[order], sketches[order], least, a, b)
    return a[:count], b[:count]


@numba.njit(nogil=True, cache=True)
def _tie(keys: U64, ids: U64, sketches: U64, least: int, a: U64, b: U64) -> int:
    count = leading = 0
    leaders = np.empty(MOST_LEADERS, np.int64)
    for i in range(keys.size):
        if i == 0 or keys[i] != keys[i - 1]:
            leaders[0], leading = i, 1
            continue
        tie = leaders[0] if keys[i] & np.uint64(1) else _leader(sketches, i, leaders[:leading], least)
        if tie < 0 and leading < MOST_LEADERS:
            leaders[leading] = i
            leading += 1
            continue
        tie = max(tie, leaders[0])
        if ids[tie] != ids[i]:
            a[count], b[count] = ids[tie], ids[i]
            count += 1
    return count


@numba.njit(nogil=True, cache=True)
def _leader(sketches: U64, i: int, leaders: npt.NDArray[np.int64], least: int) -> int:
    for leader in leaders:
        if equal_cells(sketches, i, leader) >= least:
            return int(leader)
    return -1
