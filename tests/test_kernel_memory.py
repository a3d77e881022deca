"""Loads, bitmaps and bit tricks against Python integers."""

import numba
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.kernels import memory

ALL = (1 << 64) - 1
WORDS = st.integers(0, ALL)
blocks = st.binary(min_size=72, max_size=72)


@numba.njit
def load(data: npt.NDArray[np.uint8], i: int) -> tuple[np.uint64, np.uint64]:
    return memory.load32(data, i), memory.load64(data, i)


@numba.njit
def within(data: npt.NDArray[np.uint8], i: int, low: np.uint8, high: np.uint8) -> np.uint64:
    return memory.within(data, i, low, high)


@numba.njit
def copy_block(source: npt.NDArray[np.uint8], i: int, target: npt.NDArray[np.uint8], at: int, mask: np.uint64) -> None:
    memory.copy_block(source, i, target, at, mask, 0x2A)


@numba.njit
def bit_tricks(left: np.uint64, right: np.uint64) -> tuple[int, int, np.uint64, np.uint64]:
    counts = memory.trailing_zeros(left), memory.count_ones(left)
    return *counts, memory.swap64(left), memory.multiply_high(left, right)


def bitmap(flags: list[bool]) -> int:
    return sum(1 << place for place, flag in enumerate(flags) if flag)


@given(raw=blocks, i=st.integers(0, 64))
@settings(deadline=None)
def test_loads_are_little_endian_at_any_address(raw: bytes, i: int) -> None:
    """4 and 8 bytes from any byte on, as unsigned integers."""
    data = np.frombuffer(raw, np.uint8)
    assert load(data, i) == (int.from_bytes(raw[i : i + 4], "little"), int.from_bytes(raw[i : i + 8], "little"))


@given(raw=blocks, i=st.integers(0, 8), ends=st.tuples(st.integers(0, 255), st.integers(0, 255)).map(sorted))
@settings(deadline=None)
def test_within_marks_the_bytes_between_both_ends(raw: bytes, i: int, ends: list[int]) -> None:
    """Bit j stands for byte i + j; both ends count; bytes are unsigned."""
    low, high = ends
    bits = within(np.frombuffer(raw, np.uint8), i, np.uint8(low), np.uint8(high))
    assert int(bits) == bitmap([low <= byte <= high for byte in raw[i : i + 64]])


@given(raw=blocks, i=st.integers(0, 8), at=st.integers(0, 8), mask=WORDS)
@settings(deadline=None)
def test_copy_block_replaces_the_bytes_of_the_mask(raw: bytes, i: int, at: int, mask: int) -> None:
    """64 bytes are written, those of the mask as the given byte, and none before or after."""
    target = np.full(72, 0xEE, np.uint8)
    copy_block(np.frombuffer(raw, np.uint8), i, target, at, np.uint64(mask))
    expected = bytes(0x2A if mask >> place & 1 else raw[i + place] for place in range(64))
    assert target.tobytes() == b"\xee" * at + expected + b"\xee" * (8 - at)


@given(left=WORDS | st.integers(0, 63).map(lambda place: 1 << place), right=WORDS)
@settings(deadline=None)
def test_bit_tricks_equal_python_integers(left: int, right: int) -> None:
    """Trailing zeros (64 for 0), ones, reversed bytes, and the upper half of a product."""
    zeros, ones, swapped, high = bit_tricks(np.uint64(left), np.uint64(right))
    assert zeros == ((left & -left).bit_length() - 1 if left else 64)
    assert ones == left.bit_count()
    assert int(swapped) == int.from_bytes(left.to_bytes(8, "little"), "big")
    assert int(high) == left * right >> 64


@pytest.mark.parametrize("count", [-5, 0, 1, 2, 63, 64, 65, 1 << 40])
def test_low_bits_are_as_many_as_fit_a_block(count: int) -> None:
    """None for a negative count, all 64 for a larger one."""
    assert int(memory.low_bits(count)) == (1 << min(max(count, 0), 64)) - 1


@given(lengths=st.lists(st.sampled_from([1, 2, 3]), min_size=70, max_size=130))
@settings(deadline=None)
def test_spread_covers_characters_across_blocks(lengths: list[int]) -> None:
    """Marks on first bytes become marks on all bytes, also where a character goes on in the next block."""
    firsts = [length if at == 0 else 0 for length in lengths for at in range(length)]
    expected = [length > 1 for length in lengths for _ in range(length)]
    carry, got = np.uint64(0), []
    for i in range(0, len(firsts), 64):
        two, three = (np.uint64(bitmap([first == size for first in firsts[i : i + 64]])) for size in (2, 3))
        bits, carry = memory.spread(two, three, len(firsts) - i, carry)
        got += [bool(int(bits) >> place & 1) for place in range(64)]
    assert got[: len(expected)] == expected
    assert not any(got[len(expected) :])


def test_spread_ignores_a_character_that_does_not_end_in_the_text() -> None:
    """A first byte with too few bytes after it marks nothing."""
    assert memory.spread(np.uint64(0b1000), np.uint64(0b0100), 4, np.uint64(0)) == (0, 0)


def test_copy_tail_fills_up_with_zeros() -> None:
    """Nothing of what the scratch held before is left."""
    pad = np.full(8, 7, np.uint8)
    memory.copy_tail(np.arange(10, dtype=np.uint8), 3, 6, pad)
    assert pad.tolist() == [3, 4, 5, 0, 0, 0, 0, 0]
