"""Sketches: two bits of each MinHash value, from which the similarity of two texts is estimated in nanoseconds.

b-bit minwise hashing (Li and König 2010) with b = 2: of two texts with Jaccard similarity s, a cell is equal with
probability s + (1 - s) / 4. The bits are the upper two of the value times an odd constant; the lower bits of a MinHash
value itself depend on little more than the lower bits of the shingle's hash, the same for all permutations.

A sketch estimates and never decides: it says which pairs are not worth a comparison of their texts.
"""

import math
from typing import Final

import numba
import numpy as np
import numpy.typing as npt

from transforms.kernels.memory import count_ones

U64 = npt.NDArray[np.uint64]

MOST_CELLS: Final = 256
"""Longer signatures give their first so many values; more precision prunes no better."""
CELLS_A_WORD: Final = 32
MULTIPLIER: Final = np.uint32(0x9E3779B1)
LOW_BITS: Final = np.uint64(0x5555555555555555)


def cells(permutations: int) -> int:
    """Cells of the sketch of a signature of so many values."""
    return min(permutations, MOST_CELLS)


def words(permutations: int) -> int:
    """Words of 64 bits that the sketch takes; unused cells are 0.

    >>> words(125), words(9000)
    (4, 8)
    """
    return -(-cells(permutations) // CELLS_A_WORD)


@numba.njit(nogil=True, cache=True)
def sketch(values: npt.NDArray[np.uint32]) -> U64:
    """Sketches, uint64 of shape (rows, words), of signatures, uint32 of shape (bands, rows, r)."""
    bands, rows, width = values.shape
    count = min(bands * width, MOST_CELLS)
    out = np.zeros((rows, (count + CELLS_A_WORD - 1) // CELLS_A_WORD), np.uint64)
    for k in range(count):
        shift = np.uint64(2 * (k % CELLS_A_WORD))
        for row in range(rows):
            mixed = np.uint32(values[k // width, row, k % width] * MULTIPLIER)
            out[row, k // CELLS_A_WORD] |= np.uint64(mixed >> 30) << shift
    return out


@numba.njit(nogil=True, cache=True)
def equal_cells(sketches: U64, a: int, b: int) -> int:
    """Number of equal cells of two rows, the unused ones included."""
    count = 0
    for word in range(sketches.shape[1]):
        differ = sketches[a, word] ^ sketches[b, word]
        count += CELLS_A_WORD - count_ones((differ | differ >> np.uint64(1)) & LOW_BITS)
    return count


@numba.njit(nogil=True, cache=True)
def count_differing(sketches: U64, one: U64, out: npt.NDArray[np.uint16]) -> None:
    """Write to `out` the number of cells in which each of many sketches differs from one.

    `sketches` is uint64 of shape (words, n), `one` of shape (words,); `out`, uint16, has room for n. Word after word,
    so that the loop runs in vector registers.
    """
    words, count = sketches.shape
    out[:count] = 0
    for word in range(words):
        mine = one[word]
        for i in range(count):
            differ = sketches[word, i] ^ mine
            out[i] += np.uint16(count_ones((differ | differ >> np.uint64(1)) & LOW_BITS))


def least_cells(similarity: float, permutations: int, deviations: float) -> int:
    """Equal cells (unused ones included) below which a pair is hopeless.

    >>> least_cells(0.7, 125, 3), least_cells(0.7, 125, 4), least_cells(0.1, 4, 3)
    (85, 81, 28)

    That is the count expected at Jaccard `similarity`, less so many standard deviations: at 3 one pair of 740 that
    reaches the similarity is missed, at 4 one of 31,000.
    """
    used = cells(permutations)
    equal = similarity + (1 - similarity) / 4
    least = used * equal - deviations * math.sqrt(used * equal * (1 - equal))
    return max(0, math.floor(least)) + words(permutations) * CELLS_A_WORD - used
