"""MinHash signatures of texts, and keys of their bands.

Values are those of datasketch 2.0's `MinHash(scheme="affine32")`, so that a stored signature can be loaded there. A
shingle counts by the upper 32 bits of its hash, mixed once more by the 32-bit finaliser of MurmurHash3 (Appleby,
fmix32); value k is the least of (a[k] * h + b[k]) mod 2^32 over the h of all shingles.
"""

from typing import Any

import numba
import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from transforms.kernels.memory import Bytes, Lowering, fold, load32, pointer, splat
from transforms.kernels.shingles import hash_shingles, make_room

Hashes = npt.NDArray[np.uint32]

LANES = 16
"""Permutations that run side by side."""
WORDS = 2048
"""Words hashed at a time; their hashes stay in the first-level cache while the permutations pass over them."""
KEY, MIX = np.uint64(0x510E527FADE682D1), np.uint64(0x9B05688C2B3E6C1F)
"""The first 64 fractional bits of the square roots of 11 and 13."""


def permutations(count: int, seed: int = 1) -> tuple[Hashes, Hashes]:
    """The factors (odd) and summands of `count` permutations, uint32, drawn as datasketch 2.0 draws them.

    >>> [values.tolist() for values in permutations(2)]
    [[3582191691, 4270784983], [3093770124, 4005303368]]
    """
    random = np.random.RandomState(seed)
    factors = random.randint(0, 1 << 31, count, dtype=np.uint32) * np.uint32(2) + np.uint32(1)
    return factors, random.randint(0, 1 << 32, count, dtype=np.uint32)


@numba.njit(nogil=True, cache=True)
def signatures(
    data: Bytes,
    offsets: npt.NDArray[np.int64],
    a: Hashes,
    b: Hashes,
    n: int,
    out: Hashes,
    counts: npt.NDArray[np.int32],
) -> None:
    """Write to `out` the signature over the word n-grams of every row.

    `out` is uint32 of shape (bands, rows, r) with bands * r = a.size, so that every band is a column by itself: value
    k of a signature is `out[k // r, row, k % r]`. `counts`, int32 of shape (rows,), gets the number of shingles,
    repeats included. A row without any has 0xFFFFFFFF for every value. Scratch is about 100 KB, however long a row is.
    """
    bands, _, width = out.shape
    room = make_room(WORDS, n)
    hashes = np.empty(room.shingles.size, np.uint32)
    factors, summands = _pad(a), _pad(b)
    low = np.empty(factors.size, np.uint32)
    for row in range(offsets.size - 1):
        low[:] = np.uint32(0xFFFFFFFF)
        start, stop, seen, total = offsets[row], offsets[row + 1], 0, 0
        while start < stop:
            start, seen, count = hash_shingles(data, start, stop, n, seen, room)
            _mix(room.shingles[:count], hashes)
            for k in range(0, low.size, LANES):
                _lower(hashes, count, factors, summands, k, low)
            total += count
        for band in range(bands):
            for k in range(width):
                out[band, row, k] = low[band * width + k]
        counts[row] = total


@numba.njit(nogil=True, cache=True)
def band_keys(values: npt.NDArray[np.uint8], band: int) -> npt.NDArray[np.uint64]:
    """One key for every row of one band: equal bytes give equal keys, and different bands different ones.

    >>> keys = band_keys(np.array([[1, 2, 3, 4], [1, 2, 3, 4], [1, 2, 3, 5]], np.uint8), 0)
    >>> bool(keys[0] == keys[1]), bool(keys[1] == keys[2])
    (True, False)

    `values` is uint8 of shape (rows, 4 * r), C-contiguous, as a band column holds it; the result uint64 of shape
    (rows,). Texts without shingles all have the same key; leave them out by their count.
    """
    rows, width = values.shape
    flat = values.reshape(-1)
    keys = np.empty(rows, np.uint64)
    seed = fold(np.uint64(band) ^ KEY, MIX)
    for row in range(rows):
        h = seed
        for i in range(row * width, (row + 1) * width, 4):
            h = fold((h + load32(flat, i)) ^ KEY, MIX)
        keys[row] = h
    return keys


@numba.njit(nogil=True, cache=True)
def _pad(values: Hashes) -> Hashes:
    """The values, followed by zeros up to a multiple of `LANES`."""
    padded = np.zeros((values.size + LANES - 1) // LANES * LANES, np.uint32)
    padded[: values.size] = values
    return padded


@numba.njit(nogil=True, cache=True)
def _mix(shingles: npt.NDArray[np.uint64], out: Hashes) -> None:
    """fmix32 of the upper halves."""
    for i in range(shingles.size):
        h = np.uint32(shingles[i] >> 32)
        h = np.uint32((h ^ h >> 16) * np.uint32(0x85EBCA6B))
        h = np.uint32((h ^ h >> 13) * np.uint32(0xC2B2AE35))
        out[i] = h ^ h >> 16


@intrinsic
def _lower(_: Any, hashes: Any, count: Any, a: Any, b: Any, index: Any, low: Any) -> Lowering:
    """`_lower(hashes, count, a, b, k, low)`: take the first `count` hashes into the minima of permutations k to k + 15.

    Permutations lie side by side in vector registers and hashes come one by one, so that a short text costs no more for
    a shingle than a long one. A loop in Python would keep the minima in memory: numba cannot know that the arrays do
    not overlap.
    """
    vector, word = ir.VectorType(ir.IntType(32), LANES), ir.IntType(32)

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        inputs, size, factors, summands, k, minima = arguments
        kinds = signature.args
        factor = builder.load(pointer(context, builder, kinds[2], factors, k, vector), align=4)
        summand = builder.load(pointer(context, builder, kinds[3], summands, k, vector), align=4)
        target = pointer(context, builder, kinds[5], minima, k, vector)
        least = cgutils.alloca_once_value(builder, builder.load(target, align=4))
        with cgutils.for_range(builder, size) as loop:
            one = builder.load(pointer(context, builder, kinds[0], inputs, loop.index, word))
            value = builder.add(builder.mul(factor, splat(builder, one, LANES)), summand)
            before = builder.load(least)
            builder.store(builder.select(builder.icmp_unsigned("<", value, before), value, before), least)
        builder.store(builder.load(least), target, align=4)
        return context.get_dummy_value()

    return types.none(hashes, types.int64, a, b, types.int64, low), build
