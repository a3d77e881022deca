"""MinHash kernels against datasketch, value by value."""

import doctest

import numpy as np
import numpy.typing as npt
import pytest
from datasketch import MinHash
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.byte_columns import Column, at_page_end, column
from transforms.kernels import minhash
from transforms.kernels.minhash import band_keys, permutations, signatures
from transforms.kernels.shingles import hash_shingles, make_room

ALL = (1 << 64) - 1
KEY, MIX = 0x510E527FADE682D1, 0x9B05688C2B3E6C1F
EMPTY = 0xFFFFFFFF

texts = st.text("ab \u4e00") | st.text("abcdefgh ", max_size=600)


def signed(placed: Column, n: int, bands: int, width: int) -> tuple[npt.NDArray[np.uint32], list[int]]:
    """Signatures, uint32 of shape (rows, bands * width), and counts."""
    rows = len(placed[1]) - 1
    out, counts = np.empty((bands, rows, width), np.uint32), np.empty(rows, np.int32)
    signatures(*placed, *permutations(bands * width), n, out, counts)
    return out.transpose(1, 0, 2).reshape(rows, bands * width), counts.tolist()


def shingles(text: bytes, n: int) -> npt.NDArray[np.uint64]:
    room = make_room(len(text), n)
    _, _, count = hash_shingles(np.frombuffer(text, np.uint8), 0, len(text), n, 0, room) if text else (0, 0, 0)
    return room.shingles[:count]


def sketch(text: bytes, n: int, count: int) -> MinHash:
    """What datasketch makes of the same shingle hashes."""
    made = MinHash(num_perm=count, seed=1, hashfunc=int, scheme="affine32")
    made.update_batch((shingles(text, n) >> np.uint64(32)).tolist())
    return made


@pytest.mark.parametrize("seed", [1, 7])
@pytest.mark.parametrize("count", [1, 15, 125, 128, 1000])
def test_permutations_equal_those_of_datasketch(count: int, seed: int) -> None:
    """Factors and summands are drawn in the same order from the same generator."""
    theirs = MinHash(num_perm=count, seed=seed, scheme="affine32").permutations
    ours = permutations(count, seed)
    assert [values.dtype for values in ours] == [np.uint32, np.uint32]
    assert [values.tolist() for values in ours] == theirs.tolist()


@given(
    rows=st.lists(texts, max_size=5),
    n=st.integers(1, 6),
    shape=st.sampled_from([(1, 1), (3, 5), (14, 8), (25, 5), (2, 16)]),
    before=st.text("a ", max_size=9),
    after=st.text("a ", max_size=200),
)
@settings(deadline=None)
def test_signatures_equal_those_of_datasketch(
    rows: list[str], n: int, shape: tuple[int, int], before: str, after: str
) -> None:
    """Every value of every row, in the order of the bands, whatever lies around the rows."""
    encoded = [row.encode() for row in rows]
    values, counts = signed(column(encoded, before.encode(), after.encode()), n, *shape)
    assert values.tolist() == [sketch(row, n, shape[0] * shape[1]).hashvalues.tolist() for row in encoded]
    assert counts == [len(shingles(row, n)) for row in encoded]


def test_signature_of_a_text_longer_than_the_scratch_equals_that_of_datasketch() -> None:
    """Minima carry over from one stretch of words to the next, and no shingle is lost between them."""
    text = " ".join(map(str, range(10_000))).encode()
    values, counts = signed(column([text]), 5, 25, 5)
    assert values[0].tolist() == sketch(text, 5, 125).hashvalues.tolist()
    assert counts == [9_996]


def test_a_row_without_shingles_keeps_the_highest_value() -> None:
    """As datasketch has it for an empty set."""
    values, counts = signed(column([b"one", b"", b" .. ", b"two"]), 5, 2, 3)
    assert counts == [1, 0, 0, 1]
    assert values[1:3].tolist() == [[EMPTY] * 6] * 2
    assert (values[[0, 3]] < EMPTY).all()


def test_signatures_of_a_slice_are_the_slice_of_the_signatures() -> None:
    """Offsets need not begin at 0."""
    data, offsets = column([b"one two", b"", b"three four five", b"six"])
    whole, counts = signed((data, offsets), 2, 5, 5)
    part, part_counts = signed((data, offsets[1:4]), 2, 5, 5)
    assert (part.tolist(), part_counts) == (whole[1:3].tolist(), counts[1:3])


def test_signatures_read_nothing_beyond_the_array() -> None:
    """Rows up to the last byte that may be read give what they give with room behind them."""
    for length in range(1, 200):
        rows = [b"ab c", (b"word, " * 40)[:length]]
        assert (
            signed(at_page_end(rows), 3, 2, 2)[0].tolist()
            == signed(column(rows, after=bytes(200)), 3, 2, 2)[0].tolist()
        )


def test_signatures_estimate_the_jaccard_similarity() -> None:
    """Of 1,000 shingles on each side 500 are shared, Jaccard 1/3: the estimate is within 4 sigma for 1,000 values."""
    left, right = (" ".join(map(str, range(start, start + 1000))).encode() for start in (0, 500))
    values, _ = signed(column([left, right]), 1, 200, 5)
    assert abs((values[0] == values[1]).mean() - 1 / 3) < 4 * np.sqrt(1 / 3 * 2 / 3 / 1000)


def test_signatures_take_a_row_of_100_mb() -> None:
    """One word of 100 MB, and 5 million words, are rows like any other."""
    data = np.full(100_000_000, ord("a"), np.uint8)
    assert signed((data, np.array([0, data.size])), 5, 1, 4)[1] == [1]
    data[::20] = ord(" ")
    assert signed((data, np.array([0, data.size - 20, data.size])), 5, 1, 4)[1] == [4_999_995, 1]


def slow_key(values: bytes, band: int) -> int:
    def fold(left: int, right: int) -> int:
        return left * right >> 64 ^ left * right & ALL

    h = fold(band ^ KEY, MIX)
    for at in range(0, len(values), 4):
        h = fold((h + int.from_bytes(values[at : at + 4], "little") & ALL) ^ KEY, MIX)
    return h


@given(rows=st.integers(0, 6), width=st.integers(1, 8), band=st.integers(0, 99), data=st.data())
@settings(deadline=None)
def test_band_keys_equal_the_slow_ones(rows: int, width: int, band: int, data: st.DataObject) -> None:
    """A key is the folded values, one after the other, begun with the number of the band."""
    raw = data.draw(st.binary(min_size=4 * rows * width, max_size=4 * rows * width))
    values = np.frombuffer(raw, np.uint8).reshape(rows, 4 * width)
    assert band_keys(values, band).tolist() == [slow_key(row.tobytes(), band) for row in values]


def test_band_keys_differ_with_the_band_and_with_every_byte() -> None:
    """Rows that differ in one bit, and the same row in 100 bands, all have keys of their own."""
    rows = np.zeros((161, 20), np.uint8)
    for bit in range(160):
        rows[bit, bit // 8] = 1 << bit % 8
    keys = np.concatenate([band_keys(rows, band) for band in range(100)])
    assert np.unique(keys).size == 16_100


def test_examples_in_the_docstrings_hold() -> None:
    """What the documentation shows is what happens."""
    for function, name in ((permutations, "permutations"), (band_keys.py_func, "band_keys")):
        (shown,) = doctest.DocTestFinder().find(function, name, globs=vars(minhash))
        assert doctest.DocTestRunner().run(shown).failed == 0
