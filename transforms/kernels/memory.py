"""What numba lacks for reading text quickly: loads of several bytes at once, bitmaps of 64 bytes, wide multiplication.

None of them checks bounds: the caller sees to it that every byte read or written lies inside the array. Arrays are
contiguous uint8 and machines little endian, as x86-64 and arm64 are. The bitmaps are those of simdjson (Langdale and
Lemire, "Parsing Gigabytes of JSON per Second", 2019): bit j of a uint64 says something of byte i + j, LLVM makes it
in vector registers of whatever width there is, and finding the next change of class is one instruction.
"""

from collections.abc import Callable
from typing import Any

import numba
import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

BLOCK = 64
"""Bytes of text that a bitmap covers."""
PAD = 4 * BLOCK
"""Size of a copy of the end of a text: less than two blocks, and what may be read beyond them."""

NONE, ALL = np.uint64(0), np.uint64(0xFFFFFFFFFFFFFFFF)

Lowering = tuple[Any, Callable[..., Any]]
Bytes = npt.NDArray[np.uint8]

_BYTES = ir.VectorType(ir.IntType(8), BLOCK)


def pointer(context: Any, builder: Any, array_type: Any, array: Any, index: Any, target: Any) -> Any:
    """LLVM pointer to element `index` of a numba array, to be read or written as type `target`."""
    start = context.make_array(array_type)(context, builder, array).data
    return builder.bitcast(builder.gep(start, [index]), target.as_pointer())


def splat(builder: Any, value: Any, lanes: int) -> Any:
    """LLVM vector that holds `value` in every lane."""
    one = builder.insert_element(ir.VectorType(value.type, lanes)(ir.Undefined), value, ir.IntType(32)(0))
    return builder.shuffle_vector(one, one, ir.VectorType(ir.IntType(32), lanes)([0] * lanes))


def _loads(width: int) -> Callable[..., Lowering]:
    def load(_: Any, data: Any, index: Any) -> Lowering:
        def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            array, at = arguments
            address = pointer(context, builder, signature.args[0], array, at, ir.IntType(width))
            return builder.zext(builder.load(address, align=1), ir.IntType(64))

        return types.uint64(data, types.int64), build

    return load


load32 = intrinsic(_loads(32))
"""`load32(data, i)`: bytes i to i + 3, little endian, as uint64."""
load64 = intrinsic(_loads(64))
"""`load64(data, i)`: bytes i to i + 7, little endian, as uint64."""


@intrinsic
def within(_: Any, data: Any, index: Any, low: Any, high: Any) -> Lowering:
    """`within(data, i, low, high)`: uint64 whose bit j is set where low <= data[i + j] <= high; reads 64 bytes."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array, at, least, most = arguments
        block = builder.load(pointer(context, builder, signature.args[0], array, at, _BYTES), align=1)
        above = builder.sub(block, splat(builder, least, BLOCK))
        hits = builder.icmp_unsigned("<=", above, splat(builder, builder.sub(most, least), BLOCK))
        return builder.bitcast(hits, ir.IntType(BLOCK))

    return types.uint64(data, types.int64, types.uint8, types.uint8), build


@intrinsic
def copy_block(_: Any, source: Any, index: Any, target: Any, at: Any, mask: Any, byte: Any) -> Lowering:
    """`copy_block(source, i, target, at, mask, byte)`: copy 64 bytes, with `byte` where the bit of `mask` is set."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array, i, out, o, bits, fill = arguments
        block = builder.load(pointer(context, builder, signature.args[0], array, i, _BYTES), align=1)
        chosen = builder.bitcast(bits, ir.VectorType(ir.IntType(1), BLOCK))
        block = builder.select(chosen, splat(builder, fill, BLOCK), block)
        builder.store(block, pointer(context, builder, signature.args[2], out, o, _BYTES), align=1)
        return context.get_dummy_value()

    return types.none(source, types.int64, target, types.int64, types.uint64, types.uint8), build


@intrinsic
def trailing_zeros(_: Any, value: Any) -> Lowering:
    """`trailing_zeros(x)`: number of zero bits below the lowest set bit of a uint64, as int64; 64 for 0."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], cgutils.false_bit)

    return types.int64(types.uint64), build


@intrinsic
def count_ones(_: Any, value: Any) -> Lowering:
    """`count_ones(x)`: number of set bits of a uint64, as int64."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return types.int64(types.uint64), build


@intrinsic
def swap64(_: Any, value: Any) -> Lowering:
    """`swap64(x)`: a uint64 with its bytes in reverse order."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bswap(arguments[0])

    return types.uint64(types.uint64), build


@intrinsic
def multiply_high(_: Any, left: Any, right: Any) -> Lowering:
    """`multiply_high(a, b)`: the upper 64 bits of the 128-bit product of two uint64."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        wide = ir.IntType(128)
        product = builder.mul(*(builder.zext(argument, wide) for argument in arguments))
        return builder.trunc(builder.lshr(product, wide(64)), ir.IntType(64))

    return types.uint64(types.uint64, types.uint64), build


@numba.njit(nogil=True, cache=True)
def fold(left: np.uint64, right: np.uint64) -> np.uint64:
    """The two halves of the 128-bit product, XORed: a fast mixing step when neither factor is zero."""
    return multiply_high(left, right) ^ (left * right)


@numba.njit(nogil=True, cache=True)
def copy_tail(data: Bytes, start: int, stop: int, pad: Bytes) -> None:
    """Copy `data[start:stop]` to the front of `pad` and fill the rest with zeros, so that blocks can be read there."""
    pad[:] = 0
    for i in range(stop - start):
        pad[i] = data[start + i]


@numba.njit(nogil=True, cache=True)
def low_bits(count: int) -> np.uint64:
    """Bitmap of the first `count` bytes of a block: none if negative, all from 64 on."""
    return ALL >> (BLOCK - min(count, BLOCK)) if count > 0 else NONE


@numba.njit(nogil=True, cache=True)
def spread(two: np.uint64, three: np.uint64, left: int, carry: np.uint64) -> tuple[np.uint64, np.uint64]:
    """From bitmaps of the first bytes of characters of two and of three bytes to all their bytes.

    Characters that do not end within the `left` bytes from here to the end of the text are ignored. `carry` has the
    bits that come from the block before; the second result is the carry for the next block.
    """
    two, three = two & low_bits(left - 1), three & low_bits(left - 2)
    first = two | three
    return first | first << 1 | three << 2 | carry, first >> 63 | three >> 62
