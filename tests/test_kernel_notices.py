"""Markers that stand together, years, and captions that are repeated."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.kernels.notices import FIRST_YEAR, LAST_YEAR, join_markers, read_years, without_repeats

MARKER = re.compile(rb"\(c\)|copyright|\xc2\xa9")


def array(data: bytes) -> np.ndarray:
    return np.frombuffer(data, np.uint8)


def runs(text: str) -> list[str]:
    """The runs of markers of a text, as text."""
    raw = text.encode()
    found = list(MARKER.finditer(raw))
    starts, stops = np.array([m.start() for m in found]), np.array([m.end() for m in found])
    rows, ones = np.zeros(len(found), np.int64), np.ones(len(found), np.int64)
    _, first, last, _ = join_markers(array(raw), rows, starts, stops, ones)
    return [raw[a:b].decode() for a, b in zip(first, last, strict=True)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("copyright (c) 2019", ["copyright (c)"]),
        ("© 2019 copyright Foo", ["© 2019 copyright"]),
        ("copyright: ©", ["copyright: ©"]),
        ("© 1998–2003\u00a0©", ["© 1998–2003\u00a0©"]),
        ("© Foo © Bar", ["©", "©"]),
        ("©\n©", ["©", "©"]),
        ("© 日 ©", ["©", "©"]),
        ("©" + " " * 24 + "©", ["©" + " " * 24 + "©"]),
        ("©" + " " * 25 + "©", ["©", "©"]),
    ],
)
def test_markers_with_nothing_but_years_between_them_are_one_run(text: str, expected: list[str]) -> None:
    """Blanks, punctuation, dashes and digits, up to 24 bytes; no letters and no line break."""
    assert runs(text) == expected


def test_run_never_crosses_the_border_of_two_texts() -> None:
    """The last marker of a row and the first of the next are two."""
    rows, starts, stops, kinds = join_markers(
        array(b"(c)(c)"), np.array([0, 1]), np.array([0, 3]), np.array([3, 6]), np.array([2, 2])
    )
    assert (rows.tolist(), starts.tolist(), stops.tolist(), kinds.tolist()) == ([0, 1], [0, 3], [3, 6], [2, 2])


def test_kinds_of_a_run_are_added() -> None:
    """A marker inside another, `copyright` in `crown copyright`, belongs to it."""
    found = np.array([0, 6, 16]), np.array([15, 15, 19]), np.array([1, 1, 2])
    _, starts, stops, kinds = join_markers(array(b"crown copyright (c)"), np.zeros(3, np.int64), *found)
    assert (starts.tolist(), stops.tolist(), kinds.tolist()) == ([0], [19], [3])


def years(text: str) -> list[int]:
    raw = text.encode()
    found, offsets = read_years(array(raw), np.array([0]), np.array([len(raw)]))
    assert offsets.tolist() == [0, len(found)]
    assert found.dtype == np.int16
    return found.tolist()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2019", [2019]),
        ("1999-2004, 2007", [1999, 2004, 2007]),
        ("1998–2003", [1998, 2003]),
        ("1998-99", [1998, 1999]),
        ("2007–16", [2007, 2016]),
        ("1998 - 99", [1998, 1999]),
        ("2009/10", [2009, 2010]),
        ("2010-present", [2010]),
        ("2010年", [2010]),
        ("2004, 2004, 1999", [1999, 2004]),
        ("1998-97", [1998]),
        ("2009, 10", [2009]),
        ("2009 10", [2009]),
        ("15.05.2019/vit", [2019]),
        ("MCMXCIX", []),
        ("12345", []),
        ("x2001", []),
        ("1699 2100", []),
        ("1700 2099", [FIRST_YEAR, LAST_YEAR]),
        ("99999999999999999999999999", []),
        ("", []),
    ],
)
def test_years_are_read_with_the_ends_of_ranges(text: str, expected: list[int]) -> None:
    """Ascending, each once; two digits only behind a dash or a slash, and only if they are later."""
    assert years(text) == expected


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(["1999", "2005", "05", "20", "-", "–", "/", " ", ",", "x", "年", "12345"]), max_size=12)
)
def test_years_are_those_of_a_slow_reader(parts: list[str]) -> None:
    """Whatever stands between the numbers."""
    text, last, dashed = "".join(parts), 0, False
    expected: set[int] = set()
    at = 0
    while at < len(text):
        number = re.match(r"[0-9]+", text[at:])
        if number is None:
            alive = text[at] in " -/" or ord(text[at]) > 0x7F
            dashed, last = last > 0 and (dashed or text[at] != " "), last if alive else 0
            at += 1
            continue
        value = int(number[0])
        letter = at > 0 and text[at - 1].isascii() and text[at - 1].isalpha()
        year = value if len(number[0]) == 4 and 1700 <= value <= 2099 and not letter else 0
        if len(number[0]) == 2 and last and dashed and value > last % 100:
            year = last // 100 * 100 + value
        expected |= {year} - {0}
        last, dashed, at = year, False, at + len(number[0])
    assert years(text) == sorted(expected)


def kept(front: str, holder: str) -> str:
    raw = f"{front}© {holder}".encode()
    start, before = raw.index("©".encode()) + 3, len(front.encode())
    ends = without_repeats(array(raw), np.array([0]), np.array([before]), np.array([start]), np.array([len(raw)]))
    return raw[start : ends[0]].decode()


@pytest.mark.parametrize(
    ("front", "holder", "expected"),
    [
        ("The lake at noon ", "Foo The lake at noon", "Foo"),
        ("At noon: the lake ", "Foo the lake", "Foo"),
        ("The lake ", "Foo", "Foo"),
        ("Foo ", "Foo", "Foo"),
        ("Foo Barr ", "Foo Barr", "Foo Barr"),
        ("a ", "Foo a", "Foo a"),
        ("Mönch ", "Foo Mönch", "Foo"),
        ("", "Foo", "Foo"),
    ],
)
def test_caption_that_is_repeated_belongs_to_no_holder(front: str, holder: str, expected: str) -> None:
    """From 4 bytes on and at a blank; a holder who is all that is repeated stays."""
    assert kept(front, holder) == expected


def test_what_stands_in_front_ends_at_the_border_of_the_text() -> None:
    """The text before in the buffer may end with the same words."""
    raw = array(b"lake (c) Foo lake")
    ends = without_repeats(raw, np.array([5]), np.array([5]), np.array([9]), np.array([17]))
    assert ends.tolist() == [17]
