"""Shingle kernels against a slow splitter and slow hashes in Python integers."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.byte_columns import at_page_end, column
from tests.slow_words import slow_fold
from tests.slow_words import slow_shingles as oracle
from transforms.kernels.memory import fold
from transforms.kernels.shingles import hash_shingles, make_room

ALL = (1 << 64) - 1
CHARACTERS = (
    "aBZz09''  .-@[`{/:\x7f\x00\x85\xa0\xab\xbf\xc0\xe9\xdf\u0130\u0300\u0345\u03a3\u03c2\u0431\u0644\u0640"
    "\ufdfa\u0140\u0e33\u2488\u05d0\u05bc"
    "\u0915\u093c\u094d\u0e01\u0e38\u0e48\u0967\u200b\u200d\u2018\u2019\u2019\u02bc\u2014\u3000\u304b\u3099\u30fc\u4e00\ufa10"
    "\uac01\ud7a3\u11a8\u1100\u00bd\u2460\uff21\uff07\ufe0f\ufb01\U0001f600\U00020000\ue000\U000e0100"
)
texts = st.text(st.sampled_from(CHARACTERS)) | st.text("abC' ", max_size=400) | st.text()


def hashed(data: np.ndarray, start: int, stop: int, n: int, words: int = 4096) -> list[int]:
    """All shingles of a text, with room for `words` words at a time."""
    room, seen, shingles = make_room(words, n), 0, []
    while start < stop:
        start, seen, count = hash_shingles(data, start, stop, n, seen, room)
        shingles += room.shingles[:count].tolist()
    return shingles


def hashed_alone(text: bytes, n: int) -> list[int]:
    return hashed(np.frombuffer(text, np.uint8), 0, len(text), n)


@given(
    text=texts,
    n=st.integers(1, 9),
    words=st.sampled_from([1, 3, 4096]),
    before=st.text("a .\u3000", max_size=70),
    after=st.text("a .\u3000", max_size=200),
)
@example(text="a " * 300, n=5, words=1, before="", after="")
@example(text="a" * 63 + "\u2019" * 30 + "b", n=1, words=1, before="", after="b" * 200)
@settings(deadline=None, max_examples=400)
def test_shingles_equal_the_slow_ones(text: str, n: int, words: int, before: str, after: str) -> None:
    """Values and order are those of the definition, however little room there is and whatever lies around."""
    data, offsets = column([text.encode()], before.encode(), after.encode())
    assert hashed(data, offsets[0], offsets[1], n, words) == oracle(text, n)


@pytest.mark.parametrize("length", range(130))
def test_a_word_of_any_length_hashes_as_defined_at_the_end_of_memory(length: int) -> None:
    """No byte beyond the array is read, and none beyond the word counts."""
    word = bytes(97 + i % 26 for i in range(length))
    expected = oracle(word.decode(), 5)
    for data, offsets in (at_page_end([word]), column([word], b"x" * 7, b" " * 300)):
        assert hashed(data, offsets[0], offsets[1], 5) == expected


@given(rows=st.lists(st.binary(max_size=200), min_size=1, max_size=4), n=st.integers(1, 5))
@settings(deadline=None)
def test_bytes_that_are_no_utf8_disturb_no_other_row(rows: list[bytes], n: int) -> None:
    """They separate words, and a row cut in the middle of a character is read no further, at the end of memory too."""
    data, offsets = column(rows, b"\xe2\x80", b"\x80\x80a")
    for row, start, stop in zip(rows, offsets[:-1], offsets[1:], strict=True):
        guarded, ends = at_page_end([row])
        expected = oracle(row.decode(errors="replace"), n)
        assert hashed(data, start, stop, n) == expected
        assert hashed(guarded, ends[0], ends[1], n) == expected


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("It's 5 O'CLOCK", "it's 5 o'clock"),
        ("one, two; (three)", "one two three"),
        ("one\u00a0two\u2014three\u3002", "one two three"),
        ("\u201cone two\u201d \u00abthree\u00bb", "one two three"),
        ("  one two three\n", "one two three"),
    ],
)
def test_texts_with_the_same_words_have_the_same_shingles(left: str, right: str) -> None:
    """Case of ASCII, punctuation and white space do not count."""
    assert hashed_alone(left.encode(), 2) == hashed_alone(right.encode(), 2)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("one two three", "one three two"),
        ("one two three", "onetwo three"),
        ("its", "it's"),
        ("cafe", "caf"),
        ("\u0430", "\u0420"),
        ("abcdefgh", "abcdefgh\u00e9"),
        ("abcdefghijklmnop", "abcdefghijklmnopabcdefghijklmnop"),
    ],
)
def test_texts_with_other_words_have_other_shingles(left: str, right: str) -> None:
    """Order, boundaries, apostrophes, length, and every bit of bytes beyond ASCII count."""
    assert set(hashed_alone(left.encode(), 3)).isdisjoint(hashed_alone(right.encode(), 3))


@pytest.mark.parametrize("words", [1, 2, 3, 4])
def test_a_short_text_is_one_shingle_that_no_longer_text_has(words: int) -> None:
    """With fewer than n words there is one shingle of all, and the number of words is part of it."""
    short = b" ".join([b"same"] * words)
    (shingle,) = hashed_alone(short, 5)
    assert hashed_alone(short, words) == [shingle]
    assert shingle not in [s for n in range(1, 9) if n != words for s in hashed_alone(b"same " * 9, n)]


@pytest.mark.parametrize(
    "text", [b"", b" ", b" .,;\n" * 500, "\u3000\u2026".encode() * 99], ids=["none", "one", "many", "wide"]
)
def test_a_text_without_words_has_no_shingles(text: bytes) -> None:
    """Nothing to say, nothing to compare."""
    assert hashed_alone(text, 5) == []


def test_room_for_a_text_hashes_it_at_one_go() -> None:
    """With room for its words a text needs one call."""
    text = b"a " * 1000
    *ends, count = hash_shingles(np.frombuffer(text, np.uint8), 0, len(text), 5, 0, make_room(1000, 5))
    assert (ends, count) == ([len(text), 1000], 996)


def test_a_text_of_100_mb_needs_no_more_room() -> None:
    """One word of 100 MB, or 5 million words of 20 letters: the room for 100 words will do."""
    data = np.full(100_000_000, ord("a"), np.uint8)
    assert len(hashed(data, 0, data.size, 1, words=100)) == 1
    data[::20] = ord(" ")
    room, start, seen, total = make_room(100, 5), 0, 0, 0
    while start < data.size:
        start, seen, count = hash_shingles(data, start, data.size, 5, seen, room)
        total += count
    assert (seen, total) == (5_000_000, 4_999_996)


def test_shingles_of_similar_words_spread_evenly() -> None:
    """Over 300,000 numbers there is no collision in 64 bits, and every output bit is set half the time (6 sigma)."""
    count = 300_000
    shingles = np.array(hashed_alone(" ".join(map(str, range(count))).encode(), 1), np.uint64)
    assert np.unique(shingles).size == count
    ones = np.unpackbits(shingles.view(np.uint8).reshape(count, 8), axis=1).sum(axis=0)
    assert np.abs(ones - count / 2).max() < 6 * np.sqrt(count / 4)
    # In 32 bits count^2 / 2^33 = 10.5 pairs are expected to meet; the limit is 6 standard deviations above.
    assert count - np.unique(shingles >> np.uint64(32)).size < 31


@given(left=st.integers(0, ALL), right=st.integers(0, ALL))
@settings(deadline=None)
def test_fold_is_both_halves_of_the_product(left: int, right: int) -> None:
    """The one step that all hashes are made of, in Python integers."""
    assert int(fold(np.uint64(left), np.uint64(right))) == slow_fold(left, right)
