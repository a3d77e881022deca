"""Words and their n-grams as hashes: what near-duplicate documents have in common.

A word is a maximal run of ASCII letters, digits, apostrophes and bytes from 0x80 on; ASCII upper case counts as lower
case. Of the characters beyond ASCII only three blocks, recognised by their first bytes, separate words: U+0080 to
U+00BF (C2 ..: no-break space, guillemets), U+2000 to U+207F (E2 80 .., E2 81 ..: spaces, dashes, curly quotes, the
curly apostrophe among them) and U+3000 to U+303F (E3 80 ..: ideographic space and punctuation).

Hashes are made of one step, `fold`: the two halves of a 128-bit product, XORed. In 64-bit arithmetic that wraps around:

    word     h = WORD; for each 16 bytes, padded with spaces, as little-endian words a, b:  h = fold(a ^ h, b ^ MIX)
    shingle  h = number of words; for each word w:  h = h * STEP + w;  then fold(h ^ WORD, MIX)

A text of 1 to n - 1 words is one shingle of all of them; as the number of words is hashed too, it equals no part of a
longer text. The constants are the first 64 fractional bits of the square roots of 3, 5 and 7.
"""

from typing import NamedTuple

import numba
import numpy as np
import numpy.typing as npt

from transforms.kernels.memory import (
    BLOCK,
    NONE,
    PAD,
    Bytes,
    copy_tail,
    fold,
    low_bits,
    trailing_zeros,
    within,
)
from transforms.kernels.words import (
    MIX,
    MOST_MARKS,
    MOST_WORDS,
    WORD,
    WORD_ROOM,
    hash_ascii,
    hash_words,
    is_ascii,
)

STEP = np.uint64(0x3C6EF372FE94F82B)
IDEOGRAPHS = 2 * (BLOCK // 3)
"""Edges of as many words as a block of 64 bytes has if each character of three bytes is one."""

Words = npt.NDArray[np.uint64]
Edges = npt.NDArray[np.int64]


class Room(NamedTuple):
    """Scratch of `hash_shingles`, made once and used for every row."""

    edges: Edges
    words: Words
    pad: Bytes
    shingles: Words


@numba.njit(nogil=True, cache=True)
def make_room(words: int, n: int) -> Room:
    """Room for about `words` words at a time: a text of at most that many is hashed at one go."""
    return Room(
        np.empty(2 * words + 2 * BLOCK + MOST_MARKS, np.int64),
        np.empty(words + BLOCK + MOST_WORDS + n, np.uint64),
        np.empty(max(PAD, WORD_ROOM), np.uint8),
        np.empty(words + BLOCK + MOST_WORDS + 1, np.uint64),
    )


@numba.njit(nogil=True, cache=True)
def hash_shingles(data: Bytes, start: int, stop: int, n: int, seen: int, room: Room) -> tuple[int, int, int]:
    """Hash the next shingles of the text `data[start:stop]` into `room.shingles`.

    Returns where to go on, the words seen so far (0 at first, and passed back) and the number of shingles, uint64 and
    in order of the text, with repeats. Memory does not depend on the text, which is done when `start` is `stop`:

        seen = 0
        while start < stop:
            start, seen, count = hash_shingles(data, start, stop, n, seen, room)
            ... room.shingles[:count] ...
    """
    words, shingles = room.words, room.shingles
    start, count, ascii_only = _find_runs(data, start, stop, room.edges, room.pad)
    held = min(seen, n - 1)
    if ascii_only:
        _hash_ascii_words(data, room.edges, words[held : held + count])
    else:
        start, count = _hash_runs(data, room.edges, count, start, held, room)
    held += count
    seen += count
    if seen < n and start == stop and seen > 0:
        _combine(words, seen, shingles[:1])
        return start, seen, 1
    done = max(held - n + 1, 0)
    _combine(words, n, shingles[:done])
    for i in range(held - done):
        words[i] = words[done + i]
    return start, seen, done


@numba.njit(nogil=True, cache=True)
def _combine(words: Words, n: int, out: Words) -> None:
    """Word by word over all shingles, not shingle by shingle, so that the loops run in vector registers."""
    out[:] = np.uint64(n)
    for k in range(n):
        for i in range(out.size):
            out[i] = out[i] * STEP + words[i + k]
    for i in range(out.size):
        out[i] = fold(out[i] ^ WORD, MIX)


@numba.njit(nogil=True, cache=True)
def _hash_ascii_words(data: Bytes, edges: Edges, out: Words) -> None:
    for i in range(out.size):
        out[i] = hash_ascii(data, edges[2 * i], edges[2 * i + 1], WORD)


@numba.njit(nogil=True, cache=True)
def _hash_runs(data: Bytes, edges: Edges, runs: int, following: int, held: int, room: Room) -> tuple[int, int]:
    """Hash the words of the runs to `room.words[held:]`, until it is full or the runs end, at `following`.

    Returns where to go on and the number of words.
    """
    words, count = room.words, held
    limit = words.size - MOST_WORDS
    marks = edges[edges.size - MOST_MARKS :]
    for i in range(runs):
        start, stop = edges[2 * i], edges[2 * i + 1]
        if count >= limit:
            return start, count - held
        if is_ascii(data, start, stop):
            words[count] = hash_ascii(data, start, stop, WORD)
            count += 1
        else:
            start, count = hash_words(data, start, stop, words, count, limit, room.pad, marks)
            if start < stop:
                return start, count - held
    return following, count - held


@numba.njit(nogil=True, cache=True)
def _find_runs(data: Bytes, start: int, stop: int, edges: Edges, pad: Bytes) -> tuple[int, int, bool]:
    """Write begin and end of the runs of `data[start:stop]` to `edges`, until it is full or the text ends.

    A run is made of ASCII letters, digits and apostrophes, which are a word if it is all ASCII, and of bytes from 0x80
    on. A block with such bytes counts as full of ideographs, each a word, so that no more is searched than is hashed.
    Returns where to go on, the number of runs, and whether all are ASCII. A run that is still open is left to the next
    call; if there is no other, it is taken to reach to the end of the text. Where the array ends within a block, the
    rest of the text is read from `pad`.
    """
    i, count, inside, beyond = start, 0, NONE, NONE
    full = edges.size - MOST_MARKS - BLOCK - 1
    while i < stop and i + BLOCK <= data.size and count < full:
        bits, high = _run_bytes(data, i, stop - i)
        count = _write_edges(bits ^ (bits << 1 | inside), i, edges, count)
        inside = bits >> 63
        beyond |= high
        full -= IDEOGRAPHS if high != NONE else 0
        i += BLOCK
    if i < stop and count < full:
        copy_tail(data, i, stop, pad)
        bits, high = _run_bytes(pad, 0, stop - i)
        count = _write_edges(bits ^ (bits << 1 | inside), i, edges, count)
        beyond |= high
        i += BLOCK
    if i < stop and count > 1:
        return edges[count - 1], count // 2, beyond == NONE
    edges[count] = stop
    return stop, (count + 1) // 2, beyond == NONE


@numba.njit(nogil=True, cache=True)
def _write_edges(bits: np.uint64, start: int, edges: Edges, count: int) -> int:
    while bits != NONE:
        edges[count] = start + trailing_zeros(bits)
        count += 1
        bits &= bits - np.uint64(1)
    return count


@numba.njit(nogil=True, cache=True)
def _run_bytes(data: Bytes, i: int, left: int) -> tuple[np.uint64, np.uint64]:
    """Bitmaps of the bytes of runs, and of those beyond ASCII, among the next `left` in `data[i:i + 64]`."""
    runs = within(data, i, 0x30, 0x39) | within(data, i, 0x41, 0x5A) | within(data, i, 0x61, 0x7A)
    beyond = within(data, i, 0x80, 0xFF) & low_bits(left)
    return (runs | within(data, i, 0x27, 0x27)) & low_bits(left) | beyond, beyond
