"""Windows of text: lower case, clipped to rows and characters, gathered."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.kernels.windows import clip, gather, lower_ascii


def array(data: bytes) -> np.ndarray:
    return np.frombuffer(data, np.uint8)


@settings(deadline=None)
@given(st.binary())
def test_lower_ascii_is_what_bytes_lower_does(data: bytes) -> None:
    """A to Z and nothing else, whatever the other bytes are."""
    assert bytes(lower_ascii(array(data))) == data.lower()


def clipped(text: str, start: int, stop: int) -> tuple[int, int]:
    raw = array(text.encode())
    row, offsets = np.zeros(1, np.int64), np.array([0, raw.size])
    begins, ends = clip(raw, offsets, row, np.array([start]), np.array([stop]))
    return int(begins[0]), int(ends[0])


@settings(deadline=None)
@given(st.text(), st.integers(-5, 40), st.integers(-5, 40))
def test_window_of_any_text_is_whole_characters(text: str, start: int, stop: int) -> None:
    """It lies inside the row and the window asked for, and leaves out less than a character at either end."""
    begin, end = clipped(text, start, stop)
    raw = text.encode()
    raw[begin:end].decode()
    low, high = max(0, min(start, len(raw))), max(0, min(stop, len(raw)))
    assert low <= begin <= min(low + 3, len(raw))
    assert end == begin or high - 3 <= end <= high


@pytest.mark.parametrize(("start", "stop"), [(5, 2), (9, 9), (-3, -1)])
def test_window_that_ends_before_it_begins_is_empty(start: int, stop: int) -> None:
    """No window has a negative length."""
    begin, end = clipped("abcdef", start, stop)
    assert begin == end


def test_window_never_reaches_into_the_next_row() -> None:
    """Rows are beside each other in the buffer, and strangers."""
    raw, offsets = array(b"onetwothree"), np.array([0, 3, 6, 11])
    rows, nothing = np.array([0, 1, 2]), np.full(3, -100)
    begins, ends = clip(raw, offsets, rows, nothing, nothing + 1000)
    assert (begins.tolist(), ends.tolist()) == ([0, 3, 6], [3, 6, 11])


@settings(deadline=None)
@given(st.binary(max_size=40), st.integers(0, 40), st.integers(0, 40))
def test_window_of_broken_utf8_stays_in_bounds(data: bytes, start: int, stop: int) -> None:
    """Bytes that are no UTF-8 are cut somewhere, and never read beyond."""
    begins, ends = clip(
        array(data), np.array([0, len(data)]), np.zeros(1, np.int64), np.array([start]), np.array([stop])
    )
    assert 0 <= begins[0] <= ends[0] <= len(data)


@settings(deadline=None)
@given(st.binary(max_size=30), st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=8))
def test_gathered_windows_are_the_slices(data: bytes, places: list[tuple[int, int]]) -> None:
    """One after another, overlapping or not."""
    spans = [(min(a, b, len(data)), min(max(a, b), len(data))) for a, b in places]
    starts, stops = (np.array([span[i] for span in spans], np.int64) for i in (0, 1))
    found, offsets = gather(array(data), starts, stops)
    rows = [bytes(found[a:b]) for a, b in pairwise(offsets)]
    assert rows == [data[a:b] for a, b in spans]
