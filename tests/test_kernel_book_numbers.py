"""The kernel that finds ISBNs and ISSNs: separators, bounds of texts, and many numbers behind one label."""

import numpy as np
import pytest

from transforms.kernels.book_numbers import NEAR, find_bare_isbns, find_numbers, is_alphanumeric, is_digit

GROUPS = ("978", "0", "13", "110362", "7")
NUMBER = 9_780_131_103_627


def as_bytes(text: str) -> np.ndarray:
    return np.frombuffer(text.encode(), np.uint8)


def labelled(text: str, *, issn: bool = False, stop: int | None = None) -> list[list[int]]:
    """What is found behind a label of four letters at the beginning of a text, up to `stop`."""
    data = as_bytes(text)
    stops = np.array([data.size if stop is None else stop])
    return find_numbers(data, stops, np.array([4]), issn).tolist()


def bare(text: str, *, first: int = 0, start: int = 0, stop: int | None = None) -> list[list[int]]:
    """What begins at `start` in a text that is `data[first:stop]`."""
    data = as_bytes(text)
    stops = np.array([data.size if stop is None else stop])
    return find_bare_isbns(data, np.array([first]), stops, np.array([start])).tolist()


@pytest.mark.parametrize(
    "separator",
    ["-", "\u00ad", "\u2010", "\u2011", "\u2012", "\u2013", "\u2014", "\u2212", " ", "\u00a0", "\u2009", "\u202f", ""],
)
def test_separator_joins_the_groups_of_a_number(separator: str) -> None:
    """Hyphens, dashes, the minus, a blank and its narrow and unbroken kin."""
    number = separator.join(GROUPS)
    assert labelled(f"ISBN{number}") == [[0, 4, 4 + len(number.encode()), NUMBER]]
    assert bare(number) == [[0, 0, len(number.encode()), NUMBER]]


@pytest.mark.parametrize(
    "separator",
    ["--", "  ", "- ", ".", ",", "/", "_", "\n", "\t", "\u2008", "\u200a", "\u2015", "\u00ac", "\u2211", "é", "0x"],
)
def test_other_characters_part_numbers(separator: str) -> None:
    """Two separators in a row do too: between the groups of one number there is one."""
    assert labelled(f"ISBN {separator.join(GROUPS)}") == []
    assert bare(separator.join(GROUPS)) == []


@pytest.mark.parametrize("cut", range(1, 4))
def test_text_that_ends_inside_a_separator_is_not_read_beyond(cut: int) -> None:
    """The next text may begin with what looks like the rest."""
    text = "978\u20130131103627"
    assert bare(text) == [[0, 0, 16, NUMBER]]
    assert bare(text, stop=3 + cut) == []


def test_text_ends_where_the_number_ends() -> None:
    """A digit that follows belongs to the next text; one byte less and the number is not whole."""
    assert bare("97801311036270", stop=13) == [[0, 0, 13, NUMBER]]
    assert bare("9780131103627", stop=12) == []
    assert labelled("ISBN97801311036270", stop=17) == [[0, 4, 17, NUMBER]]
    assert labelled("ISBN9780131103627", stop=16) == []


def test_text_begins_where_the_number_begins() -> None:
    """A letter or digit before it belongs to the text before."""
    for before in ("1", "x", "1-", "1."):
        at = len(before)
        assert bare(f"{before}9780131103627", first=at, start=at) == [[0, at, at + 13, NUMBER]]
        assert bare(f"{before}9780131103627", start=at) == []
    for before in ("-", ".", "x-", "/", "é"):
        at = len(before.encode())
        assert bare(f"{before}9780131103627", start=at) == [[0, at, at + 13, NUMBER]]


@pytest.mark.parametrize(("gap", "found"), [(0, True), (NEAR - 1, True), (NEAR, False)])
def test_number_begins_within_reach_of_its_label(gap: int, found: bool) -> None:
    """40 bytes; it may end beyond."""
    assert bool(labelled(f"ISBN{'.' * gap}0131103628")) == found
    assert bool(labelled(f"ISSN{'.' * gap}0028-0836", issn=True)) == found


def test_many_numbers_follow_one_label() -> None:
    """Each within reach of the one before; room for them grows."""
    text = "ISBN" + " 0131103628," * 100
    found = labelled(text)
    assert [row[1] for row in found] == [5 + 12 * number for number in range(100)]
    assert {row[3] for row in found} == {NUMBER}


def test_number_belongs_to_the_nearest_label_before_it() -> None:
    """And is found once, though two labels reach it."""
    data = as_bytes("ISBN ISBN 0131103628 ISBN 0131101633")
    labels = np.array([4, 9, 25])
    found = find_numbers(data, np.full(3, data.size), labels, False)
    assert found[:, 0].tolist() == [1, 2]
    assert found[:, 3].tolist() == [NUMBER, 9_780_131_101_630]


@pytest.mark.parametrize(
    ("written", "number"),
    [("0028-0836", 28_083 * 100 + 6), ("2434-561X", 2_434_561 * 100 + 10), ("0000-0000", 0)],
)
def test_issn_comes_as_seven_digits_and_its_check_digit(written: str, number: int) -> None:
    """The check digit takes two places, as X stands for 10."""
    assert labelled(f"ISSN {written}", issn=True) == [[0, 5, 14, number]]


@pytest.mark.parametrize(
    ("written", "is_years"),
    [
        ("1985-2002", True),
        ("2001-1989", False),
        ("1970-2108", False),
        ("1700-1900", False),
        ("1979-200X", False),
    ],
)
def test_span_of_years_is_an_issn_only_right_behind_its_label(written: str, is_years: bool) -> None:
    """All of these have the check digit of an ISSN; years from 1800 to 2099, in order, are more likely a span."""
    assert len(labelled(f"ISSN: {written}", issn=True)) == 1
    assert len(labelled(f"ISSN of it {written}", issn=True)) == (0 if is_years else 1)


def test_bytes_are_told_apart_as_ascii() -> None:
    """All 256 of them."""
    for byte in range(256):
        character = chr(byte) if byte < 0x80 else ""
        assert is_digit(np.uint8(byte)) == character.isdigit()
        assert is_alphanumeric(np.uint8(byte)) == character.isalnum()
