"""Plant near-duplicates: copies of texts in which a few words are changed, each with its true similarity.

A word is a run of ASCII letters, digits and apostrophes, in lower case, and similarity is the Jaccard similarity of the
sets of word 5-grams. It is computed here and not by the package's own kernels, so that it can judge them.
"""

from collections.abc import Callable
from typing import TypeVar, cast

import numba
import numpy as np
import numpy.typing as npt

NGRAM = 5

Bytes = npt.NDArray[np.uint8]
Longs = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Hashes = npt.NDArray[np.uint64]
Function = TypeVar("Function", bound=Callable[..., object])

_FNV_START, _FNV_STEP = np.uint64(0xCBF29CE484222325), np.uint64(0x100000001B3)
"""FNV-1a, 64 bits (RFC 9923)."""


def compiled(function: Function) -> Function:
    """`numba.njit` with the function's own type."""
    return cast(Function, numba.njit(nogil=True, cache=True)(function))


@compiled
def plant_copies(
    data: Bytes, offsets: Longs, rows: Longs, ciphers: Bytes, aims: Floats, phases: Floats, turns: Longs, out: Bytes
) -> Floats:
    """Write an edited copy of each chosen text to `out`, one after the other; return how similar each came out.

    Text r is `data[offsets[r]:offsets[r + 1]]`. Copy i is text `rows[i]`, every byte b of it replaced by
    `ciphers[i, b]`, with as many words changed as bring it near the similarity `aims[i]`: evenly spread, the first at
    `phases[i]` (0 to 1) of the way to the second. A changed word keeps its length; its letters and digits are turned
    by `turns[i]` (1 to 25) places in the alphabet, so that they differ. The similarity is to the copy before the edit.
    """
    longest = 0
    for row in rows:
        longest = max(longest, offsets[row + 1] - offsets[row])
    edges = np.empty(longest + 2, np.int64)
    found = np.empty(rows.size, np.float64)
    start = 0
    for i in range(rows.size):
        source = data[offsets[rows[i]] : offsets[rows[i] + 1]]
        copy = out[start : start + source.size]
        for j in range(source.size):
            copy[j] = ciphers[i, source[j]]
        count = _find_words(copy, edges)
        before = _shingles(copy, edges, count)
        edits = round((count - NGRAM + 1) * (1 - aims[i]) / (NGRAM * (1 + aims[i])))
        for edit in range(edits):
            word = int((edit + phases[i]) * count / edits)
            _turn(copy[edges[2 * word] : edges[2 * word + 1]], turns[i])
        after = _shingles(copy, edges, count)
        union = np.unique(np.concatenate((before, after))).size
        found[i] = (before.size + after.size - union) / max(union, 1)
        start += source.size
    return found


@compiled
def _find_words(text: Bytes, edges: Longs) -> int:
    """Write begin and end of each word to `edges`; return the number of words."""
    count, inside = 0, False
    for i in range(text.size):
        if _is_word(text[i]) != inside:
            edges[count] = i
            count, inside = count + 1, not inside
    edges[count] = text.size
    return (count + 1) // 2


@compiled
def _is_word(byte: int) -> bool:
    return 0x61 <= byte | 0x20 <= 0x7A or 0x30 <= byte <= 0x39 or byte == 0x27


@compiled
def _shingles(text: Bytes, edges: Longs, count: int) -> Hashes:
    """Distinct hashes of the 5-grams; a text of fewer words is one shingle of all of them."""
    words = np.empty(count, np.uint64)
    for i in range(count):
        hashed = _FNV_START
        for byte in text[edges[2 * i] : edges[2 * i + 1]]:
            lower = byte | 0x20 if 0x41 <= byte <= 0x5A else byte
            hashed = (hashed ^ np.uint64(lower)) * _FNV_STEP
        words[i] = hashed
    size = min(count, NGRAM)
    grams = np.full(max(count - size + 1, 0) if count else 0, _FNV_START)
    for i in range(grams.size):
        for word in words[i : i + size]:
            grams[i] = (grams[i] ^ word) * _FNV_STEP
            grams[i] ^= grams[i] >> np.uint64(32)
    return np.unique(grams)


@compiled
def _turn(word: Bytes, turn: int) -> None:
    for i in range(word.size):
        byte = word[i]
        if 0x30 <= byte <= 0x39:
            word[i] = 0x30 + (byte - 0x30 + 1 + turn % 9) % 10
        elif 0x61 <= byte | 0x20 <= 0x7A:
            first = 0x41 | byte & 0x20
            word[i] = first + (byte - first + turn) % 26
