"""The kernel that finds DOIs: bounds of texts, decoding, limits."""

from itertools import pairwise
from urllib.parse import quote, unquote_to_bytes

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.kernels.doi_names import BRACKET, LONGEST, find_dois, normal_dois


def end_of(text: str | bytes, *, first: int = 0, start: int = 0, stop: int | None = None) -> int:
    """Where the DOI ends that begins at `start` of the text `data[first:stop]`, or -1."""
    data = np.frombuffer(text.encode() if isinstance(text, str) else text, np.uint8)
    stops = np.array([data.size if stop is None else stop])
    return int(find_dois(data, np.array([first]), stops, np.array([start]))[0])


def normal(*written: bytes) -> list[bytes]:
    data = np.frombuffer(b"".join(written), np.uint8)
    lengths = np.array([len(one) for one in written], np.int64)
    ends = np.cumsum(lengths)
    out, offsets = normal_dois(data, ends - lengths, ends)
    return [bytes(out[start:end]) for start, end in pairwise(offsets)]


@pytest.mark.parametrize("stop", range(3, 11))
def test_text_that_ends_early_is_not_read_beyond(stop: int) -> None:
    """A suffix ends with its text, a prefix that is not whole is none."""
    assert end_of("10.1000/abc", stop=stop) == (stop if stop > 8 else -1)


@pytest.mark.parametrize("stop", [9, 10, 11])
def test_percent_sign_at_the_end_of_a_text_stands_for_itself(stop: int) -> None:
    """What it would encode belongs to the next text."""
    assert end_of("10.1000/a%28b", stop=stop) == 9
    assert end_of("10.1000%2Fab", stop=stop - 2) == -1


@pytest.mark.parametrize(
    ("before", "found"),
    [
        ("", True),
        (" ", True),
        ("/", True),
        (":", True),
        ("(", True),
        ("é", True),
        (".", True),
        ("a.", True),
        ("doi", True),
        ("DOI", True),
        ("%2F", True),
        ("%3a", True),
        ("%3D", True),
        ("a", False),
        ("1", False),
        ("1.", False),
        ("oi", False),
        ("%41", False),
        ("2F", False),
        ("i", False),
    ],
)
def test_doi_begins_at_a_border_or_behind_its_label(before: str, found: bool) -> None:
    """Not inside a word or a number; a slash may be encoded."""
    at = len(before.encode())
    assert (end_of(f"{before}10.1000/abc", start=at) >= 0) == found
    assert end_of(f"{before}10.1000/abc", first=at, start=at) == at + 11


@pytest.mark.parametrize(("length", "found"), [(1, True), (LONGEST - 1, True), (LONGEST, False), (5000, False)])
def test_suffix_has_a_limit(length: int, found: bool) -> None:
    """What goes on for 300 bytes is no DOI, not even its beginning."""
    assert end_of("10.1000/" + "a" * length) == (8 + length if found else -1)


@pytest.mark.parametrize(
    ("bracket", "whole"),
    [
        ("<1::AID>2", True),
        ("[1:AB]2", True),
        ("%3C1::AID%3E2", True),
        ("<1AID>2", False),
        ("<1:AID>b", False),
        ("<1:A ID>2", False),
        ("<1:A<ID>2", False),
        ("<1:AID]2", False),
        ("<1:AID", False),
        ("<1:" + "A" * BRACKET + ">2", False),
    ],
)
def test_bracket_belongs_to_a_suffix_if_it_is_of_the_old_form(bracket: str, whole: bool) -> None:
    """With a colon inside and a digit behind; otherwise the suffix ends before it."""
    assert end_of(f"10.1000/x{bracket}") == (9 + len(bracket) if whole else 9)


@pytest.mark.parametrize(
    ("suffix", "kept"),
    [
        ("a(b)c", "a(b)c"),
        ("a((b)c)d", "a((b)c)d"),
        ("a(b", "a"),
        ("a(b)(c", "a(b)"),
        ("a((b)c", "a"),
        ("a)b", "a"),
        ("a(b))c", "a(b)"),
        ("a%28b%29c", "a%28b%29c"),
        ("a%29b", "a"),
        ("ab.,", "ab"),
        ("ab.;:-/", "ab"),
        ("a-.b", "a-.b"),
    ],
)
def test_parentheses_balance_and_punctuation_falls_off(suffix: str, kept: str) -> None:
    """A suffix ends before what opens or closes without its like."""
    assert end_of(f"10.1000/{suffix}") == 8 + len(kept)


def test_every_start_is_judged_on_its_own() -> None:
    """Texts side by side, of which one bounds the next."""
    data = np.frombuffer(b"10.1000/ab10.1000/cd", np.uint8)
    ends = find_dois(data, np.array([0, 10]), np.array([10, 20]), np.array([0, 10]))
    assert ends.tolist() == [10, 20]


@settings(deadline=None)
@given(st.lists(st.text("aZ09./()<>%:", max_size=12), max_size=4))
def test_normal_form_is_decoded_and_in_lower_case(names: list[str]) -> None:
    """As `urllib` decodes what it has encoded."""
    written = [quote(name, safe="").encode() for name in names]
    assert normal(*written) == [unquote_to_bytes(one).lower() for one in written]


@pytest.mark.parametrize("written", [b"%", b"%2", b"a%2", b"%zz", b"%C3%A9", b"%80", b"\xc3\xa9"])
def test_what_encodes_no_ascii_stays_as_it_is(written: bytes) -> None:
    """But for capitals."""
    assert normal(written) == [bytes(byte | 0x20 if 0x41 <= byte <= 0x5A else byte for byte in written)]
