"""Shingle sets: what true Jaccard similarity is computed from."""

import numba
import numpy as np
import numpy.typing as npt

from transforms.kernels.memory import Bytes
from transforms.kernels.shingles import hash_shingles, make_room

U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]

WORDS = 2048
"""Words hashed at a time."""
FREE = np.uint64(0)
"""An empty place of a table. The one shingle in 2^64 whose hash is 0 counts as 1."""


@numba.njit(nogil=True, cache=True)
def shingle_sets(data: Bytes, offsets: I64, n: int, out: U64) -> I64:
    """Write the distinct shingles of every row to `out`, one row after the other; returns their numbers.

    `data` is uint8, `offsets` int64 of shape (rows + 1,); a shingle is the hash of `n` words that signatures are made
    of. `out`, uint64, must have room for all shingles with their repeats; if it has not, all results are -1. The result
    is int64 of shape (rows,). Inside a row shingles stand in the order in which they first occur.
    """
    sizes = np.empty(offsets.size - 1, np.int64)
    room = make_room(WORDS, n)
    begin = 0
    for row in range(sizes.size):
        start, stop, seen, end = offsets[row], offsets[row + 1], 0, begin
        while start < stop:
            start, seen, count = hash_shingles(data, start, stop, n, seen, room)
            if end + count > out.size:
                sizes[:] = -1
                return sizes
            for i in range(count):
                out[end + i] = max(room.shingles[i], np.uint64(1))
            end += count
        sizes[row] = _distinct(out[begin:end])
        begin += sizes[row]
    return sizes


@numba.njit(nogil=True, cache=True)
def _distinct(values: U64) -> int:
    """Move the first of all equal values to the front; how many there are."""
    table = make_table(values.size)
    count = 0
    for value in values:
        if insert(table, value):
            values[count] = value
            count += 1
    return count


@numba.njit(nogil=True, cache=True)
def make_table(count: int) -> U64:
    """An empty hash table for `count` values, at most half full."""
    size = 4
    while size < 2 * count:
        size *= 2
    return np.zeros(size, np.uint64)


@numba.njit(nogil=True, cache=True)
def insert(table: U64, value: np.uint64) -> bool:
    """Put a value into the table, by linear probing; whether it is new. Shingles are hashes and need no other."""
    last = np.uint64(table.size - 1)
    at = value & last
    while table[at] != FREE:
        if table[at] == value:
            return False
        at = (at + np.uint64(1)) & last
    table[at] = value
    return True


@numba.njit(nogil=True, cache=True)
def count_shared(table: U64, values: U64, most_missing: int) -> int:
    """How many of the values are in the table; -1 as soon as more than `most_missing` are not."""
    last = np.uint64(table.size - 1)
    missing = 0
    for value in values:
        at = value & last
        while table[at] != FREE and table[at] != value:
            at = (at + np.uint64(1)) & last
        missing += table[at] == FREE
        if missing > most_missing:
            return -1
    return values.size - missing
