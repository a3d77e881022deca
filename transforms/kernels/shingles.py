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
    load64,
    low_bits,
    spread,
    trailing_zeros,
    within,
)

PIECE = 16
WORD, STEP, MIX = np.uint64(0xBB67AE8584CAA73B), np.uint64(0x3C6EF372FE94F82B), np.uint64(0xA54FF53A5F1D36F1)
ASCII_BITS = np.uint64(0x8080808080808080)
FIRST = np.repeat(np.array([0xFF, 0], np.uint8), PIECE)
"""The 16 bytes from 16 - count on mask the first `count` of 16 bytes."""

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
        np.empty(2 * words + 2 * BLOCK, np.int64),
        np.empty(words + BLOCK + n, np.uint64),
        np.empty(PAD, np.uint8),
        np.empty(words + BLOCK, np.uint64),
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
    start, count = _find_words(data, start, stop, room.edges, room.pad)
    held = min(seen, n - 1)
    _hash_words(data, room.edges, words[held : held + count])
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
def _hash_words(data: Bytes, edges: Edges, out: Words) -> None:
    for i in range(out.size):
        start, stop = edges[2 * i], edges[2 * i + 1]
        if stop - start <= PIECE and start + PIECE <= data.size:
            out[i] = _hash_piece(data, start, stop - start, WORD)
        else:
            out[i] = _hash_long(data, start, stop)


@numba.njit(nogil=True, cache=True)
def _hash_long(data: Bytes, start: int, stop: int) -> np.uint64:
    """Hash of a word of any length, at any place, even where fewer than 16 bytes can be read."""
    h = WORD
    while start < stop and start + PIECE <= data.size:
        h = _hash_piece(data, start, min(stop - start, PIECE), h)
        start += PIECE
    if start < stop:
        pad = np.empty(PIECE, np.uint8)
        copy_tail(data, start, stop, pad)
        h = _hash_piece(pad, 0, stop - start, h)
    return h


@numba.njit(nogil=True, cache=True)
def _hash_piece(data: Bytes, start: int, count: int, h: np.uint64) -> np.uint64:
    a = load64(data, start) & load64(FIRST, PIECE - count)
    b = load64(data, start + 8) & load64(FIRST, PIECE + 8 - count)
    return fold(_lower(a) ^ h, _lower(b) ^ MIX)


@numba.njit(nogil=True, cache=True)
def _lower(word: np.uint64) -> np.uint64:
    """Set bit 0x20 of every ASCII byte: right for the letters, and digits and apostrophe have it set.

    Bytes of zero beyond the word become spaces.
    """
    return word | ((~word & ASCII_BITS) >> 2)


@numba.njit(nogil=True, cache=True)
def _find_words(data: Bytes, start: int, stop: int, edges: Edges, pad: Bytes) -> tuple[int, int]:
    """Write begin and end of the words of `data[start:stop]` to `edges`, until it is full or the text ends.

    Returns where to go on, which is never inside a word, and the number of words. A block is read with two bytes that
    follow it; where the array ends before that, the rest of the text is read from `pad`.
    """
    i, count, inside, carry = start, 0, NONE, NONE
    full = edges.size - BLOCK - 1
    while i < stop and i + 2 * BLOCK <= data.size and count < full:
        bits, carry = _word_bytes(data, i, stop - i, carry)
        count = _write_edges(bits ^ (bits << 1 | inside), i, edges, count)
        inside = bits >> 63
        i += BLOCK
    if i < stop and count < full:
        copy_tail(data, i, stop, pad)
        tail = i
        while i < stop and count < full:
            bits, carry = _word_bytes(pad, i - tail, stop - i, carry)
            count = _write_edges(bits ^ (bits << 1 | inside), i, edges, count)
            inside = bits >> 63
            i += BLOCK
    if i < stop:
        return edges[count - 1], count // 2
    edges[count] = stop
    return stop, (count + 1) // 2


@numba.njit(nogil=True, cache=True)
def _write_edges(bits: np.uint64, start: int, edges: Edges, count: int) -> int:
    while bits != NONE:
        edges[count] = start + trailing_zeros(bits)
        count += 1
        bits &= bits - np.uint64(1)
    return count


@numba.njit(nogil=True, cache=True)
def _word_bytes(data: Bytes, i: int, left: int, carry: np.uint64) -> tuple[np.uint64, np.uint64]:
    """Bitmap of the bytes of words among the next `left` in `data[i:i + 64]`, reading one more, and the carry."""
    words = within(data, i, 0x30, 0x39) | within(data, i, 0x41, 0x5A) | within(data, i, 0x61, 0x7A)
    words |= within(data, i, 0x27, 0x27)
    beyond = within(data, i, 0x80, 0xFF)
    if beyond == NONE:
        return words & low_bits(left) & ~carry, NONE
    second = i + 1
    two, is_80 = within(data, i, 0xC2, 0xC2), within(data, second, 0x80, 0x80)
    three = within(data, i, 0xE2, 0xE2) & within(data, second, 0x80, 0x81) | within(data, i, 0xE3, 0xE3) & is_80
    separators, carry = spread(two, three, left, carry)
    return (words | beyond) & ~separators & low_bits(left), carry
