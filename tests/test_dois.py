"""DOIs and arXiv identifiers in texts: where they begin and end, and their normal form."""

import time

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.rights_findings import find_in, values_in, written_in
from tests.slow_numbers import slow_dois
from transforms.measure.rights.identifiers import ARXIV, DOI

SICI = "10.1002/(SICI)1097-4571(199806)49:8<693::AID-ASI4>3.0.CO;2-O"
BRACKETS = "10.1890/0012-9658(2001)082[1655:SVITDO]2.0.CO;2"


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("doi:10.1000/182", "10.1000/182"),
        ("DOI 10.1000/ab_c-d.1.", "10.1000/ab_c-d.1"),
        ("https://doi.org/10.1000/182, and", "10.1000/182"),
        ("http://dx.doi.org/10.1016/j.cell.2020.01.001;", "10.1016/j.cell.2020.01.001"),
        ("see 10.1038/35057062: it", "10.1038/35057062"),
        ("(10.1016/S0140-6736(05)12345-6)", "10.1016/S0140-6736(05)12345-6"),
        ("(doi:10.1000/a(b)c).", "10.1000/a(b)c"),
        ("[10.1000/xyz]", "10.1000/xyz"),
        ("<10.1000/xyz>", "10.1000/xyz"),
        ("“10.1000/xyz”", "10.1000/xyz"),
        ("10.1000/xyz(see", "10.1000/xyz"),
        ("10.1000/xyz<br>2", "10.1000/xyz"),
        ("10.1000.10/abc", "10.1000.10/abc"),
        ("10.123456789/abc", "10.123456789/abc"),
        (f"DOI: {SICI}.", SICI),
        (f"({BRACKETS})", BRACKETS),
        ("doi10.1000/xyz", "10.1000/xyz"),
        ("url?doi=10.1000%2Fxyz&a=b", "10.1000%2Fxyz"),
        ("redirect=https%3A%2F%2Fdoi.org%2F10.1000%2Fxyz", "10.1000%2Fxyz"),
        ("articles/10.3389/fpsyg.2019.00001/full", "10.3389/fpsyg.2019.00001"),
        ("doi/pdf/10.1000/xyz.pdf", "10.1000/xyz"),
        ("content/10.1101/2020.01.01.123456v1.full.pdf", "10.1101/2020.01.01.123456"),
        ("10.1000/full", "10.1000/full"),
    ],
)
def test_doi_is_found_without_what_surrounds_it(text: str, written: str) -> None:
    """Punctuation, brackets that are not its own, and what sites hang on to it stay out of the span."""
    assert [found for _, found in written_in(DOI, text)] == [written]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("https://doi.org/10.1000/ABC", "10.1000/abc"),
        ("10.1002%2F%28SICI%291097-4571%28199806%2949%3A8%3C693%3A%3AAID-ASI4%3E3.0.CO%3B2-O", SICI.lower()),
    ],
)
def test_doi_is_decoded_and_in_lower_case(text: str, value: str) -> None:
    """So that two spellings of one DOI are equal."""
    assert values_in(DOI, text) == [value]


@pytest.mark.parametrize(
    "text",
    [
        "10.1000",
        "10.1000/",
        "10.1000/.",
        "10.100/abc",
        "10.1234567890/abc",
        "10.0100/abc",
        "10.5/3",
        "10.1999/2000",
        "110.1000/abc",
        "a10.1000/abc",
        "1.10.1000/abc",
        "10.1000 /abc",
        "10.1000/(",
        "10.0.0.0/8",
        "10.1000/é",
        "doi:10.1000/" + "a" * 300,
    ],
)
def test_number_that_is_no_doi_is_not_found(text: str) -> None:
    """Fractions, dates, addresses of networks, parts of longer words, suffixes that do not end."""
    assert values_in(DOI, text) == []


def test_digits_alone_are_a_suffix_where_something_says_doi() -> None:
    """`10.1999/2000` may be anything, `doi:10.1999/2000` is one."""
    assert values_in(DOI, "doi: 10.1999/2000") == ["10.1999/2000"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("arXiv:2101.00001v2", "2101.00001v2"),
        ("arXiv: 0704.0001.", "0704.0001"),
        ("ARXIV 1412.7878", "1412.7878"),
        ("(arXiv:1501.00001)", "1501.00001"),
        ("https://arxiv.org/abs/hep-th/9901001", "hep-th/9901001"),
        ("arxiv.org/pdf/2101.00001v12.pdf", "2101.00001v12"),
        ("arXiv:math.GT/0309136", "math.GT/0309136"),
        ("https://doi.org/10.48550/arXiv.2101.00001", "2101.00001"),
        ("arXiv\u00a0:\u00a02101.00001", "2101.00001"),
    ],
)
def test_arxiv_id_is_found_behind_its_label(text: str, value: str) -> None:
    """Of all three forms that there have been, with its version; the value is what stands in the text."""
    assert written_in(ARXIV, text) == [(value, value)]


@pytest.mark.parametrize(
    "text",
    [
        "2101.00001",
        "arXiv:2113.00001",
        "arXiv:2100.00001",
        "arXiv:1412.00001",
        "arXiv:1501.0001",
        "arXiv:0612.0001",
        "arXiv:2101.000011",
        "arXiv:2101.00001a",
        "arXiv:hep-th/9913001",
        "arXiv:hep-xx/9901001",
        "arXiv:hep-th/990100",
        "arXiv of 2101.00001",
        "arXiv:2101.00001v0",
        "arXiv:",
        "arXiv",
    ],
)
def test_number_that_is_no_arxiv_id_is_not_found(text: str) -> None:
    """Months that are none, the wrong number of digits for the year, unknown archives, no label."""
    assert values_in(ARXIV, text) == []


def test_declared_doi_is_read_in_every_form() -> None:
    """What a page names as its DOI."""
    declared = pa.array(["10.1000/ABC", "doi:10.1000/abc", "https://doi.org/10.1000/abc", "none", "10.1999/2000"])
    assert DOI.declared(declared).to_pylist() == ["10.1000/abc"] * 3 + [None, "10.1999/2000"]


def test_dois_do_not_cross_from_text_to_text() -> None:
    """A suffix ends with its document, and a label speaks for its own."""
    texts = ["doi:10.1999/", "2000", "doi:", "10.1999/2000", "arXiv:", "2101.00001"]
    assert find_in(DOI, *texts) == [[]] * 6
    assert find_in(ARXIV, *texts) == [[]] * 6


FRAGMENTS = st.lists(
    st.one_of(
        st.sampled_from(
            [
                "10.",
                "10.1000/",
                "10.1000%2F",
                "doi:",
                "doi.org/",
                "%2f",
                "%28",
                "%3C",
                "%3E",
                "%",
                "(",
                ")",
                "<",
                ">",
                "[",
                "]",
                ":",
                "::",
                "1",
                "12",
                "abc",
                "AID",
                ".",
                ";",
                "-",
                "/",
                " ",
                "#",
                "/full",
                ".pdf",
                ".html",
                "v1.full",
                SICI,
                BRACKETS,
                "é",
            ]
        ),
        st.text("0123456789./(<:>)ab%2F", max_size=10),
        st.integers(0, 90).map("a".__mul__),
    ),
    max_size=16,
).map("".join)


@settings(deadline=None, max_examples=400)
@given(FRAGMENTS, FRAGMENTS)
def test_dois_are_those_of_the_slow_twin(first: str, second: str) -> None:
    """A parser that decodes characters one by one and keeps a stack of parentheses finds the same."""
    assert find_in(DOI, first, second) == [slow_dois(first.encode()), slow_dois(second.encode())]


@settings(deadline=None, max_examples=100)
@given(st.lists(st.sampled_from([b"10.1000/", b"arXiv:", b"2101.00001", b"\xc3", b"\xff", b"%C3", b"doi", b"x"])))
def test_broken_bytes_do_no_harm(pieces: list[bytes]) -> None:
    """They end a DOI, and nothing raises."""
    raw = b"".join(pieces)
    assert find_in(DOI, raw) == [slow_dois(raw)]
    find_in(ARXIV, raw)


@pytest.mark.parametrize("text", ["10." * 1_000_000, "10.1000/" * 500_000, "10.1000/<" * 300_000, "arXiv:" * 300_000])
def test_hostile_text_takes_linear_time(text: str) -> None:
    """A million beginnings in one text: each costs a bounded number of steps. Only near its end may one be found."""
    begin = time.perf_counter()
    assert [start for _, start, _ in find_in(DOI, text)[0] if start < len(text) - 400] == []
    assert find_in(ARXIV, text) == [[]]
    assert time.perf_counter() - begin < 10
