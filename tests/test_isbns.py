"""ISBNs and ISSNs in texts: how they may be written, what is none, and that a wrong digit is never taken."""

import itertools
import time

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.rights_findings import find_in, values_in, written_in
from tests.slow_numbers import slow_isbns, slow_issns
from transforms.measure.rights.identifiers import ISBN, ISSN

KERNIGHAN = "9780131103627"
OTHER = "9780131101630"
WITH_X = "9780804429573"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("ISBN 0-13-110362-8", "0-13-110362-8"),
        ("ISBN: 0131103628.", "0131103628"),
        ("ISBN-10: 0-13-110362-8", "0-13-110362-8"),
        ("ISBN10 0131103628", "0131103628"),
        ("ISBN 10: 0131103628", "0131103628"),
        ("ISBN-10\n0131103628", "0131103628"),
        ("ISBN:\r\n  0131103628", "0131103628"),
        ("(ISBN0131103628)", "0131103628"),
        ("isbn=0131103628&x", "0131103628"),
        ("ISBN 0 13 110362 8", "0 13 110362 8"),
        ("ISBN 0 13 110362 8 2005", "0 13 110362 8"),
        ("ISBN 0131103628 2005", "0131103628"),
        ("ISBN 0–13–110362–8", "0–13–110362–8"),
        ("ISBN 0\u201113\u2011110362\u20118", "0\u201113\u2011110362\u20118"),
        ("ISBN\u00a00\u00a013\u00a0110362\u00a08", "0\u00a013\u00a0110362\u00a08"),
        ("ISBN of the second edition: 0131103628", "0131103628"),
        ("ISBN：0131103628", "0131103628"),
        ("书号ISBN978-0-13-110362-7", "978-0-13-110362-7"),
        ("ISBN-13: 978-0-13-110362-7", "978-0-13-110362-7"),
        ("ISBN-13 978-0131103627", "978-0131103627"),
        ("ISBN 978 0131 103 627", "978 0131 103 627"),
        ("e-ISBN (PDF): 978-0-13-110362-7 (2nd ed.)", "978-0-13-110362-7"),
        ("978-0-13-110362-7", "978-0-13-110362-7"),
        ("978 0 13 110362 7 is out", "978 0 13 110362 7"),
        ("shop/dp/9780131103627?x", "9780131103627"),
        ("9780131103627_cover.jpg", "9780131103627"),
        ("12 9780131103627 14.99", "9780131103627"),
        ("9780131103627, 2", "9780131103627"),
    ],
)
def test_isbn_is_found_as_it_is_written(text: str, number: str) -> None:
    """With a label or, of thirteen digits, without one; the span is the number as it stands."""
    assert written_in(ISBN, text) == [(KERNIGHAN, number)]


@pytest.mark.parametrize(
    "text",
    [
        "0-13-110362-8",
        "0131103628",
        "tel. 0131103628",
        "ISBN\n\nof the book\n0131103628",
        "ISBN 0-13-110362-7",
        "ISBN 0131103628-1",
        "ISBN 0131103628.5",
        "ISBN A0131103628",
        "ISBN 0131103628A",
        "ISBN 013110362",
        "ISBN 0--13-110362-8",
        "ISBN 013110362--8",
        "ISBN" + " " * 41 + "0131103628",
        "9780131103628",
        "978013110362",
        "97801311036270",
        "x9780131103627",
        "9780131103627x",
        "0.9780131103627",
        "1-9780131103627",
        "9780131103627.5",
        "9780131103627-1",
        "978 0131 103 627",
        "9790131103629",
        "979-0-2600-0043-8",
        "ISMN 979-0-2600-0043-8",
        "9770131103620",
        "ISBN",
        "ISBN-13",
        "978",
        "ISBN 978",
    ],
)
def test_number_that_is_no_isbn_is_not_found(text: str) -> None:
    """Ten digits without a label near, wrong check digits, parts of longer numbers, music (979-0), other shapes."""
    assert values_in(ISBN, text) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ISBN 0-13-110362-8 (pbk.), 0-13-110163-3", [KERNIGHAN, OTHER]),
        ("ISBN 0131103628/0131101633", [KERNIGHAN, OTHER]),
        ("ISBN 0-13-110362-8; ISBN-13: 978-0-13-110163-0", [KERNIGHAN, OTHER]),
        ("ISBN 1234567890, ISBN0131103628", [KERNIGHAN]),
        ("ISBN 0-13-110362-8\n0-13-110163-3", [KERNIGHAN]),
        ("ISBN 0-13-110362-9, 0-13-110163-3", [OTHER]),
        ("ISBN 080442957X 0-8044-2957-x", [WITH_X, WITH_X]),
        ("979-10-90636-07-1", ["9791090636071"]),
    ],
)
def test_every_isbn_behind_a_label_is_found(text: str, expected: list[str]) -> None:
    """As long as they follow each other on one line, within 40 bytes."""
    assert values_in(ISBN, text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ISSN 0028-0836", [("0028-0836", "0028-0836")]),
        ("eISSN:20493630", [("2049-3630", "20493630")]),
        ("ISSN-L 0317-8471", [("0317-8471", "0317-8471")]),
        ("ISSN 2434-561x", [("2434-561X", "2434-561x")]),
        ("ISSN 0028–0836", [("0028-0836", "0028–0836")]),
        ("ISSN (Print) 0028-0836 (Online) 1476-4687", [("0028-0836", "0028-0836"), ("1476-4687", "1476-4687")]),
        ("ISSN: 1985-2002", [("1985-2002", "1985-2002")]),
        ("ISSN 0028-0836, 1985-2002", [("0028-0836", "0028-0836")]),
        ("ISSN 0028-0837", []),
        ("ISSN 0028-0836-1", []),
        ("ISSN 00028-0836", []),
        ("0028-0836", []),
        ("ISSN 002-80836", []),
        ("ISSN", []),
    ],
)
def test_issn_is_found_behind_its_label_only(text: str, expected: list[tuple[str, str]]) -> None:
    """With its check digit; a span of years that passes for one counts only right behind the label."""
    assert written_in(ISSN, text) == expected


def test_declared_numbers_are_read_with_and_without_a_label() -> None:
    """What a page names as its ISBN or ISSN; the first counts, and null stands for what is none."""
    isbns = pa.array(["978-0-13-110362-7", "ISBN 0131103628, 0131101633", "urn:isbn:0131103628", "unknown", ""])
    assert ISBN.declared(isbns).to_pylist() == [KERNIGHAN, KERNIGHAN, KERNIGHAN, None, None]
    assert ISSN.declared(pa.array(["0028-0836", "2434561X", "1"])).to_pylist() == ["0028-0836", "2434-561X", None]


def test_numbers_do_not_cross_from_text_to_text() -> None:
    """Neither a label nor the first digits of a number reach into the next document."""
    assert find_in(ISBN, "ISBN", "0131103628", "978013", "1103627", None, "ISBN 0131103628") == [
        [],
        [],
        [],
        [],
        [],
        [(KERNIGHAN, 5, 15)],
    ]


@pytest.mark.parametrize("written", ["978-0-13-110362-7", "9780131103627", "978 0 13 110362 7", "978-0131103627"])
@pytest.mark.parametrize("label", ["ISBN ", ""])
def test_isbn13_with_one_wrong_digit_is_never_found(written: str, label: str) -> None:
    """The check digit tells all of them; nor is a part of the number taken for an ISBN-10."""
    for place, digit in itertools.product(range(len(written)), "0123456789"):
        if written[place].isdigit() and written[place] != digit:
            assert values_in(ISBN, f"{label}{written[:place]}{digit}{written[place + 1 :]}") == []


def test_isbn10_and_issn_with_one_wrong_or_two_swapped_digits_are_never_found() -> None:
    """Modulo 11 every single error and every swap of neighbours shows."""
    for detector, number in ((ISBN, "080442957X"), (ISBN, "0131103628"), (ISSN, "2434561X")):
        label = "ISBN " if detector is ISBN else "ISSN "
        wrong = {f"{number[:i]}{digit}{number[i + 1 :]}" for i in range(len(number)) for digit in "0123456789X"}
        wrong |= {f"{number[:i]}{number[i + 1]}{number[i]}{number[i + 2 :]}" for i in range(len(number) - 1)}
        texts = [label + one for one in sorted(wrong - {number})]
        assert find_in(detector, *texts) == [[] for _ in texts]


def test_swapped_neighbours_of_isbn13_pass_only_if_they_differ_by_five() -> None:
    """What theory says of weights 1 and 3 modulo 10: 2·d is a multiple of 10."""
    for number in (KERNIGHAN, OTHER, WITH_X, "9783161484100"):
        for i in range(3, 12):
            swapped = f"{number[:i]}{number[i + 1]}{number[i]}{number[i + 2 :]}"
            harmless = abs(int(number[i]) - int(number[i + 1])) in (0, 5)
            assert values_in(ISBN, swapped) == ([swapped] if harmless else [])


FRAGMENTS = st.lists(
    st.one_of(
        st.sampled_from(
            [
                "ISBN",
                "isbn",
                "ISSN",
                "-13",
                " 10",
                ": ",
                "\n",
                " ",
                "-",
                "–",
                "\u00a0",
                "\u00ad",
                "−",
                ".",
                ",",
                "x",
                "X",
                "978",
                "979",
                "0131103628",
                "9780131103627",
                "0-13-110362-8",
                "978-0-13-110362-7",
                "0 13 110362 8",
                "0028-0836",
                "1985-2002",
                "080442957X",
                "é",
                "版",
                " (pbk.), ",
            ]
        ),
        st.text("0123456789", max_size=4),
        st.text("0123456789 -Xa\n:", max_size=12),
        st.text(max_size=3),
    ),
    max_size=24,
).map("".join)


@settings(deadline=None, max_examples=400)
@given(st.lists(FRAGMENTS, min_size=1, max_size=3))
def test_numbers_are_those_of_the_slow_twin(texts: list[str]) -> None:
    """Regular expressions over each text find the same, place by place."""
    raw = [text.encode() for text in texts]
    assert find_in(ISBN, *texts) == [slow_isbns(text) for text in raw]
    assert find_in(ISSN, *texts) == [slow_issns(text) for text in raw]


@settings(deadline=None, max_examples=100)
@given(st.lists(st.sampled_from([b"isbn", b"issn", b"978", b"0131103628", b"\xe2\x80", b"\xc2", b"\xff", b"-"])))
def test_broken_bytes_do_no_harm(pieces: list[bytes]) -> None:
    """Half characters are no separators, and nothing is read beyond the text."""
    raw = b"".join(pieces)
    assert find_in(ISBN, raw) == [slow_isbns(raw)]
    assert find_in(ISSN, raw) == [slow_issns(raw)]


@pytest.mark.parametrize(
    "text", ["0123456789" * 1_000_000, "978" * 1_000_000, "isbn 97" * 500_000, "isbn" + " 1-" * 1_000_000]
)
def test_hostile_text_takes_linear_time(text: str) -> None:
    """Ten million digits in a row, or a label at every step: seconds, not hours; and nothing is found."""
    begin = time.perf_counter()
    assert find_in(ISBN, text) == [[]]
    assert time.perf_counter() - begin < 10
