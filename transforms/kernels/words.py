"""Words and their hashes: in any script, folded by the table of `characters`.

A word hashes by its folded UTF-8. In 64-bit arithmetic that wraps around, with `fold` of `memory`:

    h = WORD; for each 16 bytes, padded with spaces, as little-endian words a, b:  h = fold(a ^ h, b ^ MIX)

The constants are the first 64 fractional bits of the square roots of 3 and 7.
"""

from typing import Any

import numba
import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from transforms.kernels.characters import ALONE, BLOCK_BITS, IGNORE, LETTER, MARK, SEPARATE, load
from transforms.kernels.memory import BLOCK, NONE, Bytes, Lowering, fold, load64, pointer

PIECE = 16
WORD, MIX = np.uint64(0xBB67AE8584CAA73B), np.uint64(0xA54FF53A5F1D36F1)
ASCII_BITS = np.uint64(0x8080808080808080)
FIRST = np.repeat(np.array([0xFF, 0], np.uint8), PIECE)
"""The 16 bytes from 16 - count on mask the first `count` of 16 bytes."""

BLOCKS, STARTS, ITEMS = load()
WITHIN = (1 << BLOCK_BITS) - 1
MOST_WORDS = 8
"""No character has more words than this; U+FDFA has 4."""
MOST_MARKS = 30
"""Marks in a row that are put into canonical order: the limit of Unicode's Stream-Safe Text Format (UAX 15)."""
SPILL = 4 * BLOCK
"""Bytes of an unfinished word from which on its beginning is hashed away."""
WORD_ROOM = SPILL + 4 * MOST_MARKS + BLOCK

Hashes = npt.NDArray[np.uint64]
Items = npt.NDArray[np.int64]
Number = int | np.int64


@intrinsic
def store32(_: Any, data: Any, index: Any, value: Any) -> Lowering:
    """`store32(data, i, value)`: write a uint32 to bytes i to i + 3, little endian."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array, at, word = arguments
        builder.store(word, pointer(context, builder, signature.args[0], array, at, ir.IntType(32)), align=1)
        return context.get_dummy_value()

    return types.none(data, types.int64, types.uint32), build


@numba.njit(nogil=True, cache=True, forceinline=True)
def hash_ascii(data: Bytes, start: int, stop: int, h: np.uint64) -> np.uint64:
    """Hash of a word of any length, folded but for ASCII letters; `h` is `WORD`, or the hash of what came before."""
    if stop - start <= PIECE and start + PIECE <= data.size:
        return _hash_piece(data, start, stop - start, h)
    return _hash_long(data, start, stop, h)


@numba.njit(nogil=True, cache=True)
def hash_words(
    data: Bytes, at: int, stop: int, out: Hashes, count: int, limit: int, text: Bytes, marks: Items
) -> tuple[int, int]:
    """Hash the words of the text `data[at:stop]` in any script to `out[count:]`, until `limit` or more are there.

    `at` and `stop` lie between words. Returns where to go on, between words too, and the number of words in `out`,
    less than `limit + MOST_WORDS`. Bytes that are no UTF-8 separate words. Scratch are `text`, of `WORD_ROOM` bytes,
    for the end of an unfinished word, and `marks`, of `MOST_MARKS`, for those that follow its last letter.
    """
    h, size, held, alone = WORD, 0, 0, False
    while at < stop:
        if count >= limit and size + held == 0:
            return at, count
        character, raw, length = _decode(data, at, stop)
        first = STARTS[np.int64(BLOCKS[character >> BLOCK_BITS]) << BLOCK_BITS | character & WITHIN]
        if 0xAC00 <= character <= 0xD7A3:
            raw = _syllable(character)
        k, more = first, True
        while more:
            item = ITEMS[k]
            kind, more = item >> 40 & 0xFF, item >> 56 > 0
            k += 1
            if kind == IGNORE:
                continue
            if size + held > 0 and not ((kind == LETTER and not alone) or kind == MARK):
                if held > 0:
                    size = _flush(text, size, marks, held)
                out[count] = hash_ascii(text, 0, size, h)
                h, size, held = WORD, 0, 0
                count += 1
                if count >= limit and k == first + 1:
                    return at, count
            if kind == SEPARATE:
                continue
            if size + held == 0:
                alone = kind == ALONE
            put, wide = _bytes_of(item, raw, length)
            if kind == MARK and item >> 48 & 0xFF > 0 and held < MOST_MARKS:
                held = _hold(marks, held, (item >> 48 & 0xFF) << 48 | wide << 32 | put & 0xFFFFFFFF)
                continue
            if held > 0:
                size, held = _flush(text, size, marks, held), 0
            store32(text, size, np.uint32(put))
            size += wide
            if size >= SPILL:
                h, size = _spill(text, size, h)
        at += length
    if size + held > 0:
        out[count] = hash_ascii(text, 0, _flush(text, size, marks, held), h)
        count += 1
    return at, count


@numba.njit(nogil=True, cache=True, forceinline=True)
def _bytes_of(item: int, raw: Number, length: int) -> tuple[Number, int]:
    """What an item puts into the word, and how many bytes of it count."""
    if item >> 32 & 0xFF == 0:
        return raw, length
    if item >> 40 & 0xFF == LETTER and item >> 48 & 0xFF > 0:
        letter = raw >> 8 * (item >> 48 & 0xFF) - 8 & 0xFF
        return 0x8084E1 + (letter >> 6 << 8) + ((letter & 63) << 16), 3
    return item, item >> 32 & 0xFF


@numba.njit(nogil=True, cache=True)
def _hold(marks: Items, held: int, item: int) -> int:
    """Insert a mark after those of its combining class and below: the canonical order."""
    i = held
    while i > 0 and marks[i - 1] >> 48 > item >> 48:
        marks[i] = marks[i - 1]
        i -= 1
    marks[i] = item
    return held + 1


@numba.njit(nogil=True, cache=True)
def _flush(text: Bytes, size: int, marks: Items, held: int) -> int:
    for i in range(held):
        store32(text, size, np.uint32(marks[i]))
        size += marks[i] >> 32 & 0xFF
    return size


@numba.njit(nogil=True, cache=True)
def _spill(text: Bytes, size: int, h: np.uint64) -> tuple[np.uint64, int]:
    """Hash the beginning of a long word away."""
    cut = (size - 1) // PIECE * PIECE
    h = _hash_long(text, 0, cut, h)
    for i in range(size - cut):
        text[i] = text[cut + i]
    return h, size - cut


@numba.njit(nogil=True, cache=True)
def _syllable(character: Number) -> Number:
    """The letters of a Hangul syllable (Unicode 14.0, section 3.12), each as its distance from U+1100 in 8 bits."""
    syllable = character - 0xAC00
    return syllable // 588 | 0x61 + syllable % 588 // 28 << 8 | 0xA7 + syllable % 28 << 16


@numba.njit(nogil=True, cache=True, forceinline=True)
def _decode(data: Bytes, at: int, stop: int) -> tuple[Number, Number, int]:
    """The character at `at`, its bytes as a little-endian number and how many they are; 0, 0, 1 where is no UTF-8."""
    a = np.int64(data[at])
    if a < 0x80:
        return a, a, 1
    length = 2 + (a >= 0xE0) + (a >= 0xF0)
    if a < 0xC2 or a > 0xF4 or at + length > stop:
        return 0, 0, 1
    b = np.int64(data[at + 1])
    if b & 0xC0 != 0x80:
        return 0, 0, 1
    if length == 2:
        return (a & 0x1F) << 6 | b & 0x3F, a | b << 8, 2
    c = np.int64(data[at + 2])
    if c & 0xC0 != 0x80:
        return 0, 0, 1
    if length == 3:
        character = (a & 0xF) << 12 | (b & 0x3F) << 6 | c & 0x3F
        return (character, a | b << 8 | c << 16, 3) if _is_valid(character, 0x800) else (0, 0, 1)
    d = np.int64(data[at + 3])
    character = (a & 0x7) << 18 | (b & 0x3F) << 12 | (c & 0x3F) << 6 | d & 0x3F
    if d & 0xC0 != 0x80 or not _is_valid(character, 0x10000):
        return 0, 0, 1
    return character, a | b << 8 | c << 16 | d << 24, 4


@numba.njit(nogil=True, cache=True, forceinline=True)
def _is_valid(character: Number, least: int) -> bool:
    """Neither written longer than need be, nor a surrogate, nor beyond the last character."""
    return bool(least <= character <= 0x10FFFF and character >> 11 != 0xD800 >> 11)


@numba.njit(nogil=True, cache=True)
def _hash_long(data: Bytes, start: int, stop: int, h: np.uint64) -> np.uint64:
    """Hash of any length at any place, even where fewer than 16 bytes can be read."""
    while start < stop and start + PIECE <= data.size:
        h = _hash_piece(data, start, min(stop - start, PIECE), h)
        start += PIECE
    if start >= stop:
        return h
    a, b = NONE, NONE
    for i in range(stop - 1, start - 1, -1):
        a, b = a << 8 | data[i], b << 8 | a >> 56
    return fold(_lower(a) ^ h, _lower(b) ^ MIX)


@numba.njit(nogil=True, cache=True, forceinline=True)
def _hash_piece(data: Bytes, start: int, count: int, h: np.uint64) -> np.uint64:
    a = load64(data, start) & load64(FIRST, PIECE - count)
    b = load64(data, start + 8) & load64(FIRST, PIECE + 8 - count)
    return fold(_lower(a) ^ h, _lower(b) ^ MIX)


@numba.njit(nogil=True, cache=True, forceinline=True)
def _lower(word: np.uint64) -> np.uint64:
    """Set bit 0x20 of every ASCII byte: right for the letters, and digits and apostrophe have it set.

    Bytes of zero beyond the word become spaces.
    """
    return word | ((~word & ASCII_BITS) >> 2)
