"""From equal keys to edges, as few as keep together what may be similar."""

import numba
import numpy as np
import numpy.typing as npt

from transforms.kernels.sketches import equal_cells

U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]

MOST_LEADERS = 64
"""Unlike documents under one key that are told apart; beyond them no edge is left out."""


def tie_candidates(keys: U64, ids: U64, sketches: U64, least: int) -> tuple[U64, U64]:
    """Edges between ids that have a key in common.

    >>> keys, ids = np.array([4, 8, 4, 4], np.uint64), np.array([2, 1, 3, 7], np.uint64)
    >>> a, b = tie_candidates(keys, ids, np.array([[0], [0], [0], [255]], np.uint64), least=30)
    >>> a.tolist(), b.tolist()
    ([2], [3])

    `keys` and `ids` are uint64 of shape (n,), `sketches` uint64 of shape (n, words); the ids of a key come in ascending
    order. Returns (one, other), each of shape (edges,).

    Under a key that is odd all ids are tied to the first. Under an even one an id is tied to the first leader with at
    least `least` equal cells in its sketch, or it leads: so two documents that share a key by chance, or only a
    template, do not tie their whole clusters together. After `MOST_LEADERS` leaders, an id that is like none of them
    is tied to the first all the same: nothing is lost, and the work stays in step with the ids.
    """
    ties = _tie(keys, sketches, least)
    other = np.flatnonzero(ties >= 0)
    other = other[ids[ties[other]] != ids[other]]
    return ids[ties[other]], ids[other]


@numba.njit(nogil=True, cache=True)
def _tie(keys: U64, sketches: U64, least: int) -> I64:
    """The row that each row is tied to, -1 for leaders.

    A hash table leads from a key to its first row, and `following` from a leader to the next: no sorting is needed.
    """
    ties = np.full(keys.size, -1, np.int64)
    following = np.full(keys.size, -1, np.int64)
    size = 16
    while size < 2 * keys.size:
        size *= 2
    firsts = np.full(size, -1, np.int64)
    for i in range(keys.size):
        # Partitions are residues of the keys, so the lower bits differ less than the upper ones.
        at = np.int64((keys[i] * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(40)) & (size - 1)
        while firsts[at] >= 0 and keys[firsts[at]] != keys[i]:
            at = (at + 1) & (size - 1)
        if firsts[at] < 0:
            firsts[at] = i
        elif keys[i] & np.uint64(1):
            ties[i] = firsts[at]
        else:
            ties[i] = _lead(sketches, i, firsts[at], following, least)
    return ties


@numba.njit(nogil=True, cache=True)
def _lead(sketches: U64, i: int, first: int, following: I64, least: int) -> int:
    """The leader that row i is like; -1, and it is put behind the last leader, if it is like none of the few."""
    leader, last, count = first, first, 0
    while leader >= 0:
        if equal_cells(sketches, i, leader) >= least:
            return leader
        leader, last, count = following[leader], leader, count + 1
    if count >= MOST_LEADERS:
        return first
    following[last] = i
    return -1


@numba.njit(nogil=True, cache=True)
def order_by_partition(keys: U64, modulus: int, residue: int, partitions: int) -> tuple[I64, I64]:
    """Places of the keys that leave `residue` modulo `modulus`, partition by partition, and where each of these begins.

    The lowest bit of a key is a flag and does not count. Returns (places, starts), int64 of shape (keys,) and
    (partitions + 1,); places keep their order inside a partition.
    """
    target = np.empty(keys.size, np.int32)
    starts = np.zeros(partitions + 1, np.int64)
    for i in range(keys.size):
        spread = keys[i] >> np.uint64(1)
        target[i] = -1
        if spread % np.uint64(modulus) == np.uint64(residue):
            target[i] = np.int32((spread // np.uint64(modulus)) % np.uint64(partitions))
            starts[target[i] + 1] += 1
    starts = np.cumsum(starts)
    places = np.empty(starts[-1], np.int64)
    ends = starts.copy()
    for i in range(keys.size):
        if target[i] >= 0:
            places[ends[target[i]]] = i
            ends[target[i]] += 1
    return places, starts
