"""The way back from normalised white space: where each byte stood before."""

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.batches import strings
from transforms.kernels.original_places import original_places
from transforms.kernels.spaces import normalise

WHITE_SPACE = "\t\n\v\f\r \u0085\u00a0\u1680\u2000\u200a\u2028\u2029\u202f\u205f\u3000"
NEARLY = "\u0084\u00a1\u1681\u200b\u202a\u205e\u3001\u180e\ufeff"
TEXTS = st.lists(st.text(st.sampled_from(WHITE_SPACE + NEARLY + "ab\u00e9\u6f22\U0001f600"), max_size=30), max_size=6)


def slow_places(text: str) -> list[int]:
    """Places in the text, in bytes, of the bytes that are no white space."""
    places, at = [], 0
    for character in text:
        size = len(character.encode())
        places += [] if character in WHITE_SPACE else range(at, at + size)
        at += size
    return places


@settings(deadline=None, max_examples=300)
@given(TEXTS)
def test_every_byte_is_found_again(texts: list[str]) -> None:
    """All bytes of normalised texts but the spaces, in a column that is a slice; a loop over characters agrees."""
    data, offsets = strings(pa.array([" \u00a0x", *texts], pa.large_string())[1:])
    normal, normal_offsets = normalise(data, offsets)
    places = np.flatnonzero(normal != 0x20)
    rows = np.searchsorted(normal_offsets, places, "right") - 1
    found = original_places(data, offsets, normal_offsets, rows, places)
    expected = [offsets[row] + place for row, text in enumerate(texts) for place in slow_places(text)]
    assert found.tolist() == expected


def test_place_may_be_asked_for_twice_and_rows_left_out() -> None:
    """Only what is asked for is looked up."""
    data, offsets = strings(pa.array(["  a", "b  c", " d"]))
    _, normal_offsets = normalise(data, offsets)
    found = original_places(data, offsets, normal_offsets, np.array([1, 1, 2]), np.array([3, 3, 4]))
    assert found.tolist() == [6, 6, 8]


def test_white_space_cut_in_half_at_the_end_is_none() -> None:
    """A text of broken bytes is walked to its end and no further."""
    for tail in (b"\xe2", b"\xe2\x80", b"\xc2", b"\xe3\x80", b"\xe1\x9a"):
        data, offsets = strings(pa.array([b"a  " + tail, b"\x80\x80"]))
        _, normal_offsets = normalise(data, offsets)
        place = normal_offsets[1] - 1
        assert original_places(data, offsets, normal_offsets, np.array([0]), np.array([place])).tolist() == [
            2 + len(tail)
        ]
