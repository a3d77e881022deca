"""XXH3 kernels against the xxhash package, value by value."""

import doctest
import random

import numpy as np
import pytest
import xxhash
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.byte_columns import at_page_end, column, words128
from transforms.kernels import xxh3
from transforms.kernels.xxh3 import hash64, hash128

# Every branch: 0, 1-3, 4-8, 9-16, 17-128, 129-240, the long form up to two blocks of 1024 bytes and a bit.
LENGTHS = range(2120)
EDGES = [0, 1, 3, 4, 8, 9, 16, 17, 32, 33, 64, 65, 96, 97, 128, 129, 240, 241, 1024, 1025, 1088, 2048, 2049, 65_537]


def expected128(rows: list[bytes]) -> list[int]:
    return [xxhash.xxh3_128_intdigest(row) for row in rows]


def expected64(rows: list[bytes]) -> list[int]:
    return [xxhash.xxh3_64_intdigest(row) for row in rows]


def rows_of_lengths(lengths: range | list[int]) -> list[bytes]:
    noise = random.Random(1)
    return [noise.randbytes(length) for length in lengths]


def test_hash128_equals_xxhash_at_every_length() -> None:
    """The 128-bit digest is that of `xxhash.xxh3_128`, high word first."""
    rows = rows_of_lengths(LENGTHS)
    assert words128(hash128(*column(rows))) == expected128(rows)


def test_hash64_equals_xxhash_at_every_length() -> None:
    """The 64-bit hash is that of `xxhash.xxh3_64`."""
    rows = rows_of_lengths(LENGTHS)
    assert hash64(*column(rows)).tolist() == expected64(rows)


@given(
    rows=st.lists(
        st.binary(max_size=40) | st.integers(0, 5000).map(lambda n: random.Random(n).randbytes(n)), max_size=8
    ),
    before=st.binary(max_size=9),
    after=st.binary(max_size=9),
)
@settings(deadline=None)
def test_hashes_do_not_depend_on_the_bytes_around_a_row(rows: list[bytes], before: bytes, after: bytes) -> None:
    """Rows at any address, between any bytes, hash as they do alone."""
    placed = column(rows, before, after)
    assert words128(hash128(*placed)) == expected128(rows)
    assert hash64(*placed).tolist() == expected64(rows)


@pytest.mark.parametrize("size", [1024 * 1024, 1024 * 1024 + 1, 5_000_011])
def test_hashes_equal_xxhash_on_long_rows(size: int) -> None:
    """A row of many blocks, whole or with a rest."""
    row = random.Random(size).randbytes(size)
    assert words128(hash128(*column([row]))) == expected128([row])
    assert hash64(*column([row])).tolist() == expected64([row])


@pytest.mark.parametrize("length", EDGES)
def test_hashes_read_nothing_beyond_the_array(length: int) -> None:
    """A row whose last byte is the last that may be read hashes without a fault."""
    rows = rows_of_lengths([length])
    placed = at_page_end(rows)
    assert words128(hash128(*placed)) == expected128(rows)
    assert hash64(*placed).tolist() == expected64(rows)


def test_hashes_of_no_rows_are_empty() -> None:
    """No rows give arrays of no rows, of the right shape and type."""
    digests, hashes = hash128(*column([])), hash64(*column([]))
    assert (digests.shape, digests.dtype) == ((0, 2), np.uint64)
    assert (hashes.shape, hashes.dtype) == ((0,), np.uint64)


def test_hashes_of_a_slice_are_the_slice_of_the_hashes() -> None:
    """Offsets need not begin at 0."""
    data, offsets = column([b"one", b"", b"three" * 99, b"four"])
    assert words128(hash128(data, offsets[1:4])) == words128(hash128(data, offsets))[1:3]
    assert hash64(data, offsets[1:4]).tolist() == hash64(data, offsets).tolist()[1:3]


def test_examples_in_the_docstrings_hold() -> None:
    """What the documentation shows is what happens."""
    for kernel in (hash128, hash64):
        examples = doctest.DocTestFinder().find(kernel.py_func, kernel.__name__, globs=vars(xxh3))
        assert [doctest.DocTestRunner().run(example) for example in examples] == [(0, 1)]
