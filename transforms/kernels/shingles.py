"""N-grams of words as hashes: what near-duplicate documents have in common.

What a word is, and its hash, is said in `words`. Here the text is searched for runs of ASCII letters, digits,
apostrophes and bytes from 0x80 on. A run that is all ASCII is a word and is hashed where it stands; of the others
`words` makes what words there are, character by character. With `fold` of `memory`, in 64-bit arithmetic that wraps:

    shingle  h = number of words; for each word w:  h = h * STEP + w;  then fold(h ^ WORD, MIX)

A text of 1 to n - 1 words is one shingle of all of them; as the number of words is hashed too, it equals no part of a
longer text. STEP are the first 64 fractional bits of the square root of 5.
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
    count_ones,
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
        _hash_ascii_runs(data, room.edges, words[held : held + count])
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
def _hash_ascii_runs(data: Bytes, edges: Edges, out: Words) -> None:
    """Hash runs that are known to be words."""
    for i in range(out.size):
        out[i] = hash_ascii(data, edges[2 * i], edges[2 * i + 1], WORD)


@numba.njit(nogil=True, cache=True)
def _hash_runs(data: Bytes, edges: Edges, runs: int, following: int, held: int, room: Room) -> tuple[int, int]:
    """Hash the words of the runs to `room.words[held:]`, until it is full or the runs end, at `following`.

    Returns where to go on and the number of words.
    """
    words, count, i = room.words, held, 0
    limit = words.size - MOST_WORDS
    marks = edges[edges.size - MOST_MARKS :]
    while i < runs:
        ascii_runs = _hash_while_ascii(data, edges[2 * i : 2 * runs], words[count:limit])
        i, count = i + ascii_runs, count + ascii_runs
        if i == runs:
            break
        start, stop = ~edges[2 * i], edges[2 * i + 1]
        if count < limit:
            start, count = hash_words(data, start, stop, words, count, limit, room.pad, marks)
        if start < stop:
            return start, count - held
        i += 1
    return following, count - held


@numba.njit(nogil=True, cache=True)
def _hash_while_ascii(data: Bytes, edges: Edges, out: Words) -> int:
    """Hash the first runs, as many as are all ASCII and fit in, and return their number."""
    most = min(edges.size // 2, out.size)
    for i in range(most):
        if edges[2 * i] < 0:
            return i
        out[i] = hash_ascii(data, edges[2 * i], edges[2 * i + 1], WORD)
    return most


@numba.njit(nogil=True, cache=True)
def _find_runs(data: Bytes, start: int, stop: int, edges: Edges, pad: Bytes) -> tuple[int, int, bool]:
    """Write begin and end of the runs of `data[start:stop]` to `edges`, until it is full or the text ends.

    A run is made of ASCII letters, digits and apostrophes, which are a word if it is all ASCII, and of bytes from 0x80
    on; one with such bytes has the complement of its begin, a negative number. A block with them counts as full of
    ideographs, each a word, so that no more is searched than is hashed. Returns where to go on, the number of runs,
    and whether all are ASCII. A run that is still open is left to the next call; if there is no other, it is taken to
    reach to the end of the text. Where the array ends within a block, the rest of the text is read from `pad`.
    """
    i, count, inside, ascii_only = start, 0, NONE, True
    full = edges.size - MOST_MARKS - BLOCK - 1
    while i < stop and count < full:
        if i + BLOCK <= data.size:
            bits, beyond = _run_bytes(data, i, stop - i)
        else:
            copy_tail(data, i, stop, pad)
            bits, beyond = _run_bytes(pad, 0, stop - i)
        changes = bits ^ (bits << 1 | inside)
        before, count = count, _write_edges(changes, i, edges, count)
        if beyond != NONE:
            _mark_runs(edges, before, changes, beyond)
            full -= IDEOGRAPHS
            ascii_only = False
        inside = bits >> 63
        i += BLOCK
    if i < stop and count > 1:
        following = edges[count - 1]
        return following if following >= 0 else ~following, count // 2, ascii_only
    edges[count] = stop
    return stop, (count + 1) // 2, ascii_only


@numba.njit(nogil=True, cache=True)
def _mark_runs(edges: Edges, before: int, changes: np.uint64, beyond: np.uint64) -> None:
    """Complement the begin of every run with bytes beyond ASCII in a block that came after `before` edges."""
    while beyond != NONE:
        up_to = beyond ^ (beyond - np.uint64(1))
        run = (before + count_ones(changes & up_to) - 1) // 2
        edges[2 * run] = min(edges[2 * run], ~edges[2 * run])
        later = changes & ~up_to
        beyond &= ~(later ^ (later - np.uint64(1))) if later != NONE else NONE


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
