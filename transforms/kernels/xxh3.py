"""XXH3, 64 and 128 bits, seed 0, of every row of a string column.

Written from the XXH3 section of the xxHash specification (github.com/Cyan4973/xxHash, doc/xxhash_spec.md); the
values are those of `xxhash.xxh3_64` and `xxhash.xxh3_128`, so that anyone can recompute a digest.
"""

from typing import Any

import numba
import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from transforms.kernels.memory import Bytes, Lowering, fold, load32, load64, multiply_high, pointer, swap64

Words = npt.NDArray[np.uint64]
Pair = tuple[np.uint64, np.uint64]

STRIPE, BLOCK = 64, 1024
PRIME32_1, PRIME32_2, PRIME32_3 = np.uint64(0x9E3779B1), np.uint64(0x85EBCA77), np.uint64(0xC2B2AE3D)
PRIME64_1, PRIME64_2 = np.uint64(0x9E3779B185EBCA87), np.uint64(0xC2B2AE3D27D4EB4F)
PRIME64_3, PRIME64_4 = np.uint64(0x165667B19E3779F9), np.uint64(0x85EBCA77C2B2AE63)
PRIME64_5 = np.uint64(0x27D4EB2F165667C5)
PRIME_MX1, PRIME_MX2 = np.uint64(0x165667919E3779F9), np.uint64(0x9FB21C651E98DF25)
LOW32 = np.uint64(0xFFFFFFFF)
LANES = np.array([PRIME32_3, PRIME64_1, PRIME64_2, PRIME64_3, PRIME64_4, PRIME32_2, PRIME64_5, PRIME32_1], np.uint64)
"""Start values of the eight accumulators."""

SECRET = np.frombuffer(
    bytes.fromhex(
        "b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671fcb79e64eccc0e578825ad07dccff7221"
        "b8084674f743248ee03590e6813a264c3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8a8"
        "fa763fe39c343ff9dcbbc7c70b4f1d8a51e04bcdb45931c89f7ec9d9787364eac5ac8334d3ebc3c581a0fffa1363eb17"
        "0ddd51b7f0da49d316552629d4689e2b16be587d47a1fc8ff8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e"
    ),
    np.uint8,
)
"""The default secret, 192 bytes."""


@numba.njit(nogil=True, cache=True)
def hash128(data: Bytes, offsets: npt.NDArray[np.int64]) -> Words:
    """XXH3-128 of every row: uint64 of shape (rows, 2), the high word first.

    >>> f"{hash128(np.frombuffer(b'abc', np.uint8), np.array([0, 3]))[0, 1]:016x}"
    '78af5f94892f3950'
    """
    lanes = np.empty(8, np.uint64)
    out = np.empty((offsets.size - 1, 2), np.uint64)
    for row in range(offsets.size - 1):
        out[row, 0], out[row, 1] = hash_row128(data, offsets[row], offsets[row + 1], lanes)
    return out


@numba.njit(nogil=True, cache=True)
def hash64(data: Bytes, offsets: npt.NDArray[np.int64]) -> Words:
    """XXH3-64 of every row: uint64 of shape (rows,).

    >>> f"{hash64(np.frombuffer(b'abc', np.uint8), np.array([0, 3]))[0]:016x}"
    '78af5f94892f3950'
    """
    lanes = np.empty(8, np.uint64)
    out = np.empty(offsets.size - 1, np.uint64)
    for row in range(offsets.size - 1):
        out[row] = hash_row64(data, offsets[row], offsets[row + 1], lanes)
    return out


@numba.njit(nogil=True, cache=True)
def hash_row128(data: Bytes, start: int, stop: int, lanes: Words) -> Pair:
    """XXH3-128 of `data[start:stop]` as (high, low); `lanes` is scratch of 8 words."""
    length = stop - start
    if length <= 16:
        return _short128(data, start, length)
    if length <= 240:
        return _medium128(data, start, length)
    _accumulate_all(data, start, length, lanes)
    size = np.uint64(length)
    return _merge(lanes, 117, ~(size * PRIME64_2)), _merge(lanes, 11, size * PRIME64_1)


@numba.njit(nogil=True, cache=True)
def hash_row64(data: Bytes, start: int, stop: int, lanes: Words) -> np.uint64:
    """XXH3-64 of `data[start:stop]`; `lanes` is scratch of 8 words."""
    length = stop - start
    if length <= 16:
        return _short64(data, start, length)
    if length <= 240:
        return _medium64(data, start, length)
    _accumulate_all(data, start, length, lanes)
    return _merge(lanes, 11, np.uint64(length) * PRIME64_1)


@numba.njit(nogil=True, cache=True)
def _secret(i: int, j: int) -> np.uint64:
    return load64(SECRET, i) ^ load64(SECRET, j)


@numba.njit(nogil=True, cache=True)
def _avalanche(h: np.uint64) -> np.uint64:
    h = (h ^ h >> 37) * PRIME_MX1
    return h ^ h >> 32


@numba.njit(nogil=True, cache=True)
def _avalanche64(h: np.uint64) -> np.uint64:
    """The final mix of the older XXH64, which XXH3 keeps for up to 3 bytes."""
    h = (h ^ h >> 33) * PRIME64_2
    h = (h ^ h >> 29) * PRIME64_3
    return h ^ h >> 32


@numba.njit(nogil=True, cache=True)
def _one_to_three(data: Bytes, start: int, length: int) -> np.uint64:
    first, last = np.uint64(data[start]), np.uint64(data[start + length - 1])
    return first << 16 | np.uint64(data[start + (length >> 1)]) << 24 | last | np.uint64(length) << 8


@numba.njit(nogil=True, cache=True)
def _short64(data: Bytes, start: int, length: int) -> np.uint64:
    size = np.uint64(length)
    if length > 8:
        low = load64(data, start) ^ _secret(24, 32)
        high = load64(data, start + length - 8) ^ _secret(40, 48)
        return _avalanche(size + swap64(low) + high + fold(low, high))
    if length > 3:
        h = (load32(data, start + length - 4) + (load32(data, start) << 32)) ^ _secret(8, 16)
        h ^= (h << 49 | h >> 15) ^ (h << 24 | h >> 40)
        h *= PRIME_MX2
        h = (h ^ ((h >> 35) + size)) * PRIME_MX2
        return h ^ h >> 28
    if length > 0:
        return _avalanche64(_one_to_three(data, start, length) ^ load32(SECRET, 0) ^ load32(SECRET, 4))
    return _avalanche64(_secret(56, 64))


@numba.njit(nogil=True, cache=True)
def _short128(data: Bytes, start: int, length: int) -> Pair:
    size = np.uint64(length)
    if length > 8:
        first, last = load64(data, start), load64(data, start + length - 8)
        mixed = first ^ last ^ _secret(32, 40)
        low, high = mixed * PRIME64_1, multiply_high(mixed, PRIME64_1)
        low += (size - np.uint64(1)) << 54
        last ^= _secret(48, 56)
        high += last + (last & LOW32) * (PRIME32_2 - np.uint64(1))
        low ^= swap64(high)
        return _avalanche(multiply_high(low, PRIME64_2) + high * PRIME64_2), _avalanche(low * PRIME64_2)
    if length > 3:
        keyed = (load32(data, start) + (load32(data, start + length - 4) << 32)) ^ _secret(16, 24)
        factor = PRIME64_1 + (size << 2)
        low, high = keyed * factor, multiply_high(keyed, factor)
        high += low << 1
        low ^= high >> 3
        low = (low ^ low >> 35) * PRIME_MX2
        return _avalanche(high), low ^ low >> 28
    if length > 0:
        low = _one_to_three(data, start, length)
        swapped = swap64(low) >> 32
        high = (swapped << 13 | swapped >> 19) & LOW32
        return (
            _avalanche64(high ^ load32(SECRET, 8) ^ load32(SECRET, 12)),
            _avalanche64(low ^ load32(SECRET, 0) ^ load32(SECRET, 4)),
        )
    return _avalanche64(_secret(80, 88)), _avalanche64(_secret(64, 72))


@numba.njit(nogil=True, cache=True)
def _mix16(data: Bytes, i: int, key: int) -> np.uint64:
    return fold(load64(data, i) ^ load64(SECRET, key), load64(data, i + 8) ^ load64(SECRET, key + 8))


@numba.njit(nogil=True, cache=True)
def _medium64(data: Bytes, start: int, length: int) -> np.uint64:
    h, stop = np.uint64(length) * PRIME64_1, start + length
    if length <= 128:
        for i in range((length - 1) // 32 + 1):
            h += _mix16(data, start + 16 * i, 32 * i) + _mix16(data, stop - 16 * (i + 1), 32 * i + 16)
        return _avalanche(h)
    for i in range(8):
        h += _mix16(data, start + 16 * i, 16 * i)
    h = _avalanche(h) + _mix16(data, stop - 16, 119)
    for i in range(8, length // 16):
        h += _mix16(data, start + 16 * i, 16 * (i - 8) + 3)
    return _avalanche(h)


@numba.njit(nogil=True, cache=True)
def _mix32(data: Bytes, i: int, j: int, key: int, pair: Pair) -> Pair:
    high = (pair[0] + _mix16(data, j, key + 16)) ^ (load64(data, i) + load64(data, i + 8))
    low = (pair[1] + _mix16(data, i, key)) ^ (load64(data, j) + load64(data, j + 8))
    return high, low


@numba.njit(nogil=True, cache=True)
def _medium128(data: Bytes, start: int, length: int) -> Pair:
    size, stop = np.uint64(length), start + length
    pair = np.uint64(0), size * PRIME64_1
    if length <= 128:
        for i in range((length - 1) // 32, -1, -1):
            pair = _mix32(data, start + 16 * i, stop - 16 * (i + 1), 32 * i, pair)
    else:
        for i in range(4):
            pair = _mix32(data, start + 32 * i, start + 32 * i + 16, 32 * i, pair)
        pair = _avalanche(pair[0]), _avalanche(pair[1])
        for i in range(4, length // 32):
            pair = _mix32(data, start + 32 * i, start + 32 * i + 16, 32 * (i - 4) + 3, pair)
        pair = _mix32(data, stop - 16, stop - 32, 103, pair)
    high, low = pair
    mixed = low * PRIME64_1 + high * PRIME64_4 + size * PRIME64_2
    return np.uint64(0) - _avalanche(mixed), _avalanche(low + high)


@numba.njit(nogil=True, cache=True)
def _merge(lanes: Words, key: int, h: np.uint64) -> np.uint64:
    for i in range(4):
        left, right = load64(SECRET, key + 16 * i), load64(SECRET, key + 16 * i + 8)
        h += fold(lanes[2 * i] ^ left, lanes[2 * i + 1] ^ right)
    return _avalanche(h)


@numba.njit(nogil=True, cache=True)
def _accumulate_all(data: Bytes, start: int, length: int, lanes: Words) -> None:
    """The long form: whole blocks, the stripes of the last block, and the last 64 bytes once more."""
    lanes[:] = LANES
    blocks = (length - 1) // BLOCK
    for block in range(blocks):
        _accumulate(data, start + block * BLOCK, SECRET, 0, BLOCK // STRIPE, lanes)
        for i in range(8):
            lanes[i] = (lanes[i] ^ lanes[i] >> 47 ^ load64(SECRET, 128 + 8 * i)) * PRIME32_1
    _accumulate(data, start + blocks * BLOCK, SECRET, 0, (length - 1 - blocks * BLOCK) // STRIPE, lanes)
    _accumulate(data, start + length - STRIPE, SECRET, 121, 1, lanes)


@intrinsic
def _accumulate(_: Any, data: Any, index: Any, secret: Any, key: Any, stripes: Any, lanes: Any) -> Lowering:
    """`_accumulate(data, i, secret, key, stripes, lanes)`: add stripes of 64 bytes to the lanes.

    In LLVM's own words, since the eight lanes must stay in vector registers from stripe to stripe; a loop over an
    array keeps them in memory, as numba cannot know that `lanes` and `data` do not overlap.
    """
    vector, word = ir.VectorType(ir.IntType(64), 8), ir.IntType(64)

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        texts, at, keys, key_at, count, sums = arguments
        target = pointer(context, builder, signature.args[5], sums, word(0), vector)
        total = cgutils.alloca_once_value(builder, builder.load(target, align=8))
        with cgutils.for_range(builder, count) as loop:
            text_at = builder.add(at, builder.mul(loop.index, word(STRIPE)))
            mask_at = builder.add(key_at, builder.mul(loop.index, word(8)))
            text = builder.load(pointer(context, builder, signature.args[0], texts, text_at, vector), align=1)
            mask = builder.load(pointer(context, builder, signature.args[2], keys, mask_at, vector), align=1)
            mixed = builder.xor(text, mask)
            product = builder.mul(builder.and_(mixed, vector([int(LOW32)] * 8)), builder.lshr(mixed, vector([32] * 8)))
            neighbours = ir.VectorType(ir.IntType(32), 8)([1, 0, 3, 2, 5, 4, 7, 6])
            swapped = builder.shuffle_vector(text, text, neighbours)
            builder.store(builder.add(builder.load(total), builder.add(product, swapped)), total)
        builder.store(builder.load(total), target, align=8)
        return context.get_dummy_value()

    return types.none(data, types.int64, secret, types.int64, types.int64, lanes), build
