"""Pairs of sketches: which of many rows have a sketch that differs little from that of one of some texts."""

import numba
import numpy as np
import numpy.typing as npt

from transforms.kernels.sketches import count_differing

I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]


@numba.njit(nogil=True, cache=True)
def pair_sketches(sketches: U64, texts: U64, first: int, most: int, text: I64, row: I64) -> tuple[int, int]:
    """Write to `text` and `row` the pairs that differ in at most `most` cells, by text, then row.

    `sketches` is uint64 of shape (words, rows), `texts` of shape (texts, words). Begins with the text `first`, and ends
    before a text whose pairs might not fit: returns how many pairs there are, and the text to go on with. So `text` and
    `row`, int64, must have room for at least as many pairs as there are rows.
    """
    rows = sketches.shape[1]
    differing = np.empty(rows, np.uint16)
    count = 0
    for t in range(first, len(texts)):
        if row.size - count < rows:
            return count, t
        count_differing(sketches, texts[t], differing)
        least = np.uint16(0xFFFF)
        for i in range(rows):  # in vector registers; nearly always nothing is left to do
            least = min(least, differing[i])
        if least <= most:
            for i in range(rows):
                if differing[i] <= most:
                    text[count], row[count] = t, i
                    count += 1
    return count, len(texts)
