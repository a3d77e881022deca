"""Pairs of texts: how similar the two of each are, by their sets of shingles, their sketches or their signatures."""

import numba
import numpy as np
import numpy.typing as npt

from transforms.kernels.memory import count_ones
from transforms.kernels.shingle_sets import count_shared, insert, make_table
from transforms.kernels.sketches import CELLS_A_WORD, LOW_BITS

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
U32 = npt.NDArray[np.uint32]
U64 = npt.NDArray[np.uint64]


@numba.njit(nogil=True, cache=True)
def jaccard_pairs(
    shingles: U64, start: I64, size: I64, a: I64, other_shingles: U64, other_start: I64, other_size: I64, b: I64
) -> F64:
    """Jaccard similarity, float64 of shape (pairs,), of set `a[i]` of one collection and set `b[i]` of another.

    Set k of a collection is `shingles[start[k]:start[k] + size[k]]`, distinct hashes (`shingle_sets`); two empty ones
    have nothing in common. Pairs with one `a` should stand together, as its table is made anew where it changes.
    """
    similarity = np.zeros(a.size, np.float64)
    table = make_table(0)
    for i in range(a.size):
        mine = shingles[start[a[i]] : start[a[i]] + size[a[i]]]
        other = other_shingles[other_start[b[i]] : other_start[b[i]] + other_size[b[i]]]
        if i == 0 or a[i] != a[i - 1]:
            table = make_table(mine.size)
            for shingle in mine:
                insert(table, shingle)
        shared = count_shared(table, other, other.size)
        similarity[i] = shared / max(mine.size + other.size - shared, 1)
    return similarity


@numba.njit(nogil=True, cache=True)
def equal_cells_of_pairs(sketches: U64, a: I64, others: U64, b: I64) -> I64:
    """Equal cells, the unused ones included, of sketches `a[i]` and `b[i]`: uint64 of shape (rows, words) both."""
    equal = np.zeros(a.size, np.int64)
    for i in range(a.size):
        for word in range(sketches.shape[1]):
            differ = sketches[a[i], word] ^ others[b[i], word]
            equal[i] += CELLS_A_WORD - count_ones((differ | differ >> np.uint64(1)) & LOW_BITS)
    return equal


@numba.njit(nogil=True, cache=True)
def equal_values_of_pairs(values: U32, a: I64, others: U32, b: I64) -> F64:
    """Share of equal values of signatures `a[i]` and `b[i]`, uint32 of shape (rows, permutations) both.

    It estimates their Jaccard similarity s without bias, with a variance of s (1 - s) / permutations (Broder 1997).
    """
    share = np.zeros(a.size, np.float64)
    for i in range(a.size):
        equal = 0
        for k in range(values.shape[1]):
            equal += values[a[i], k] == others[b[i], k]
        share[i] = equal / values.shape[1]
    return share
