"""White space normalised: the rule by which two texts are exactly the same.

Every run of characters with the Unicode property White_Space (Unicode 16, PropList.txt: U+0009 to U+000D, 0020, 0085,
00A0, 1680, 2000 to 200A, 2028, 2029, 202F, 205F, 3000) becomes one U+0020; runs at either end vanish; nothing else
changes. Input is UTF-8. Bytes that are none come through as they are, and never disturb another row.
"""

import numba
import numpy as np
import numpy.typing as npt

from transforms.kernels.memory import (
    ALL,
    BLOCK,
    NONE,
    PAD,
    Bytes,
    copy_block,
    copy_tail,
    low_bits,
    spread,
    trailing_zeros,
    within,
)
from transforms.kernels.xxh3 import hash_row128

Offsets = npt.NDArray[np.int64]
State = tuple[int, np.uint64, np.uint64]
"""Bytes written; whether the byte before was white space; bytes of this block that end a character of the last one."""

SPACE = np.uint8(0x20)


@numba.njit(nogil=True, cache=True)
def normalise(data: Bytes, offsets: Offsets) -> tuple[Bytes, Offsets]:
    """Every row with its white space normalised, as a new string column.

    >>> text = np.frombuffer(" two\\n\\nwords\\u3000".encode(), np.uint8)
    >>> data, offsets = normalise(text, np.array([0, text.size]))
    >>> bytes(data), offsets.tolist()
    (b'two words', [0, 9])

    `data` is uint8, `offsets` int64 of shape (rows + 1,) that need not begin at 0. The results begin at 0.
    """
    out = np.empty(offsets[-1] - offsets[0] + BLOCK, np.uint8)
    pad = np.empty(PAD, np.uint8)
    ends = np.zeros(offsets.size, np.int64)
    for row in range(offsets.size - 1):
        ends[row + 1] = _squeeze(data, offsets[row], offsets[row + 1], pad, out, ends[row])
    return out[: ends[-1]], ends


@numba.njit(nogil=True, cache=True)
def digest(data: Bytes, offsets: Offsets) -> tuple[npt.NDArray[np.uint64], Offsets]:
    """XXH3-128 of every row after `normalise`, and its length in bytes, without keeping the normalised text.

    >>> text = np.frombuffer(b"a  ba b", np.uint8)
    >>> digests, lengths = digest(text, np.array([0, 4, 7]))
    >>> bool((digests[0] == digests[1]).all()), lengths.tolist()
    (True, [3, 3])

    Returns uint64 of shape (rows, 2), high word first, and int64 of shape (rows,). Scratch is as large as the
    longest row.
    """
    longest = 0
    for row in range(offsets.size - 1):
        longest = max(longest, offsets[row + 1] - offsets[row])
    scratch = np.empty(longest + BLOCK, np.uint8)
    pad, lanes = np.empty(PAD, np.uint8), np.empty(8, np.uint64)
    digests = np.empty((offsets.size - 1, 2), np.uint64)
    lengths = np.empty(offsets.size - 1, np.int64)
    for row in range(offsets.size - 1):
        lengths[row] = _squeeze(data, offsets[row], offsets[row + 1], pad, scratch, 0)
        digests[row, 0], digests[row, 1] = hash_row128(scratch, 0, lengths[row], lanes)
    return digests, lengths


@numba.njit(nogil=True, cache=True)
def _squeeze(data: Bytes, start: int, stop: int, pad: Bytes, out: Bytes, at: int) -> int:
    """Write `data[start:stop]`, normalised, from `out[at]` on; the end of what was written.

    May write up to 64 bytes more, which mean nothing. A block is read with the 64 bytes that follow it; where the
    array ends before that, the rest of the text is read from `pad`.
    """
    state = at, np.uint64(1), NONE
    while start < stop and start + 2 * BLOCK <= data.size:
        state = _squeeze_block(data, start, stop - start, out, state)
        start += BLOCK
    if start < stop:
        copy_tail(data, start, stop, pad)
        for i in range(0, stop - start, BLOCK):
            state = _squeeze_block(pad, i, stop - start - i, out, state)
    end = state[0]
    return end - 1 if end > at and out[end - 1] == SPACE else end


@numba.njit(nogil=True, cache=True)
def _squeeze_block(data: Bytes, i: int, left: int, out: Bytes, state: State) -> State:
    at, after_space, carry = state
    spaces, carry = _white_space(data, i, left, carry)
    kept = ~(spaces & (spaces << 1 | after_space)) & low_bits(left)
    if kept == ALL:
        copy_block(data, i, out, at, spaces, SPACE)
        return at + BLOCK, spaces >> 63, carry
    while kept != NONE:
        skip = trailing_zeros(kept)
        copy_block(data, i + skip, out, at, spaces >> skip, SPACE)
        at += trailing_zeros(~(kept >> skip))
        kept &= kept + (np.uint64(1) << skip)
    return at, spaces >> 63, carry


@numba.njit(nogil=True, cache=True)
def _white_space(data: Bytes, i: int, left: int, carry: np.uint64) -> tuple[np.uint64, np.uint64]:
    """Bitmap of the bytes of white space in `data[i:i + 64]`, reading two bytes more, and the carry for the next."""
    ascii_spaces = within(data, i, 0x20, 0x20) | within(data, i, 0x09, 0x0D)
    if within(data, i, 0x80, 0xFF) == NONE:
        return ascii_spaces | carry, NONE
    second, third = i + 1, i + 2
    two = within(data, i, 0xC2, 0xC2) & (within(data, second, 0x85, 0x85) | within(data, second, 0xA0, 0xA0))
    is_80, third_is_80 = within(data, second, 0x80, 0x80), within(data, third, 0x80, 0x80)
    u1680 = within(data, i, 0xE1, 0xE1) & within(data, second, 0x9A, 0x9A) & third_is_80
    u3000 = within(data, i, 0xE3, 0xE3) & is_80 & third_is_80
    of_u2000 = within(data, third, 0x80, 0x8A) | within(data, third, 0xA8, 0xA9) | within(data, third, 0xAF, 0xAF)
    u205f = within(data, second, 0x81, 0x81) & within(data, third, 0x9F, 0x9F)
    u2000 = within(data, i, 0xE2, 0xE2) & (is_80 & of_u2000 | u205f)
    bits, carry = spread(two, u1680 | u3000 | u2000, left, carry)
    return ascii_spaces | bits, carry
