"""Patterns of a list: which of them a URL holds, and that what spares searching loses none."""

import doctest
import re

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.listed import pages
from transforms.decide.lists import literals, patterns
from transforms.decide.lists.entries import Pattern
from transforms.decide.lists.literals import required_literal
from transforms.decide.lists.pages import Pages
from transforms.decide.lists.patterns import PatternIndex
from transforms.decide.lists.regex_faults import syntax_fault


def build(*regexes: str) -> PatternIndex:
    """Patterns of lines 1, 3, 5 and so on."""
    return PatternIndex.build([Pattern(2 * i + 1, f"line of {regex}", regex) for i, regex in enumerate(regexes)])


def search(urls: list[str], *regexes: str) -> list[int]:
    return build(*regexes).search(pa.array(urls, pa.large_string())).tolist()


def test_first_pattern_of_a_url_counts() -> None:
    """In the order of the lines, with a literal or without."""
    urls = ["http://a.com/warez/1", "http://a.com/cracks/", "http://a.com/1", "http://a.com/"]
    assert search(urls, r"/\d$", "/cracks/", "/warez/") == [0, 1, 0, -1]
    assert search(urls, "/warez/", r"/\d$", "/cracks/|/warez/") == [0, 2, 1, -1]


def test_pattern_may_begin_with_a_scheme() -> None:
    """The one that the URL has; http and https are not alike here."""
    index = build("^http://a", "^https://a")
    rows, numbers = index.find(
        Pages(*pages("http://a.com", "https://a.com", "//a.com", "a.com", None, "data:,http://a"))
    )
    assert (rows.tolist(), numbers.tolist()) == ([0, 1, 2, 3], [0, 1, 0, 0])
    assert index.written(numbers[:2]).to_pylist() == ["line of ^http://a", "line of ^https://a"]
    assert index.lines.to_pylist() == [1, 3]


def test_pattern_is_searched_in_the_normal_form() -> None:
    """As browsers read it: the host in lower case and punycode, no user, no fragment, no dot at the end of the host."""
    batch = Pages(*pages("HTTP://me:key@BÜCHER.example.:80/a/../B?q#f"))
    index = build("^http://xn--bcher-kva\\.example/B\\?q$", "me:key", "#f", ":80", "b\\?q", "(?i)b\\?q")
    assert [found.tolist() for found in index.find(batch)] == [[0], [0]]
    assert search(["http://xn--bcher-kva.example/B?q"], "me:key", "#f", ":80", "b\\?q", "(?i)b\\?q") == [4]


def test_case_counts_unless_the_pattern_says_otherwise() -> None:
    """Though the literals that are looked for beforehand are in lower case."""
    assert search(["http://a.com/Cracks"], "/cracks") == [-1]
    assert search(["http://a.com/Cracks"], "/Cracks") == [0]
    assert search(["http://a.com/Cracks"], "(?i)/cRACKS") == [0]


def test_two_patterns_may_share_a_literal() -> None:
    """Each is a candidate where it stands."""
    assert search(["http://a.com/warez/1", "http://a.com/warez/b"], r"/warez/[a-z]", r"/warez/\d") == [1, 0]


def test_literal_across_two_urls_finds_nothing() -> None:
    """All URLs of a batch are searched as one text."""
    assert search(["http://a.com/war", "ez://b.com/"], "warez:") == [-1, -1]


@pytest.mark.parametrize(
    ("regexes", "most"),
    [
        ([f"/page{number}x.*=" for number in range(1_000)], 2),
        ([rf"/p{number}.*\.html$" for number in range(1_000)], 100),
        ([f"/[a-f]{{{number}}}$" for number in range(1, 1_001)], 100),
    ],
)
def test_many_patterns_are_many_times_fewer_passes(
    regexes: list[str], most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those whose literal no URL holds cost none, and those that share one, or have none, are joined."""
    urls = pa.array(["http://a.com/", "http://b.com/page7x?q=", "http://c.com/p123.html"] * 50, pa.large_string())
    index = build(*regexes)
    expected = index.search(urls).tolist()
    calls = []
    held = pc.match_substring_regex
    monkeypatch.setattr(patterns.pc, "match_substring_regex", lambda *given: calls.append(given) or held(*given))
    assert index.search(urls).tolist() == expected
    assert len(calls) <= most


def test_patterns_too_large_to_be_joined_are_searched_apart() -> None:
    """RE2 bounds the size of a program, and each of these fits alone."""
    large = [rf"[a-z0-9]{{{size}}}(?:[a-f][0-9]){{{size}}}[^a-z]{{{size}}}" for size in range(940, 1000)]
    index = build(*large, "[xyz]/")
    assert len(index._groups) > 1
    assert index.search(pa.array(["http://x/", "http://a/"], pa.large_string())).tolist() == [60, -1]


def test_backtracking_pattern_takes_linear_time() -> None:
    """10,000 characters would take for ever otherwise."""
    assert search([f"http://a.com/{'a' * 10_000}!"], r"(a+)+$", r"(?:a|aa|a.)*b$") == [-1]


@pytest.mark.parametrize("urls", [[], ["http://a.com/"]])
@pytest.mark.parametrize("regexes", [[], ["/warez"], ["[0-9]$"]])
def test_nothing_to_search_is_no_error(urls: list[str], regexes: list[str]) -> None:
    """No URLs, no patterns, no finds."""
    assert search(urls, *regexes) == [-1] * len(urls)


REGEX = st.lists(
    st.sampled_from(
        [
            "abcde",
            "ABcde",
            "[ab]c",
            "a?",
            "b+",
            "c*",
            "(?:ab|c)",
            "(abcdef)?",
            r"\.",
            r"\d",
            ".",
            "a{2}",
            "(?i)",
            "e$",
            "^h",
        ]
    ),
    min_size=1,
    max_size=6,
).map("".join)
TEXT = st.text("abcdeAB.h12", max_size=12)


def valid(regex: str) -> bool:
    try:
        pc.match_substring_regex(pa.array([""]), regex)
        re.compile(regex)
    except (pa.ArrowInvalid, re.error):
        return False
    return True


@settings(deadline=None)
@given(urls=st.lists(TEXT, max_size=6), regexes=st.lists(REGEX.filter(valid), max_size=6))
def test_search_equals_one_pass_a_pattern(urls: list[str], regexes: list[str]) -> None:
    """The first pattern that RE2 finds, URL by URL."""
    held = [pc.match_substring_regex(pa.array(urls, pa.string()), regex).to_pylist() for regex in regexes]
    expected = [next((i for i, rows in enumerate(held) if rows[row]), -1) for row in range(len(urls))]
    assert search(urls, *regexes) == expected


# Literals


@pytest.mark.parametrize(
    ("regex", "literal"),
    [
        ("warez", "warez"),
        (r"/cracks\.html\?", "/cracks.html?"),
        ("(?i)CRACKS", "cracks"),
        ("ab.*cde", "cde"),
        ("ab.*cd", "ab"),
        ("abc?", "ab"),
        ("abc*d", "ab"),
        ("abc{0,3}def", "def"),
        ("abc+d", "abc"),
        ("abc+?d", "abc"),
        ("a(bcd|efg)h", "a"),
        ("a(bcd(e)f)+hi", "hi"),
        ("[abc]de", "de"),
        ("[]abc]de", "de"),
        ("[^]abc]de", "de"),
        (r"[\]abc(]de", "de"),
        ("[[:alpha:]bcd]de", "de"),
        (r"\bab\dcde\W", "cde"),
        ("(?P<name>abc)de", "de"),
        ("(?i:abc)de", "de"),
        ("^http://www.abc", "abc"),
        (r"^https?:\/\/", None),
        ("ab|cd", None),
        ("(?:ab|cd)", None),
        ("é+", None),
        (r"\x41bc", None),
        (r"\pLab", None),
        (r"\Qa.b\E", None),
        ("", None),
    ],
)
def test_literal_is_the_longest_that_every_match_holds(regex: str, literal: str | None) -> None:
    """Outside of groups and alternatives, and what most URLs begin with is none."""
    assert required_literal(regex) == literal


@settings(deadline=None)
@given(st.data())
def test_every_match_holds_the_literal(data: st.DataObject) -> None:
    """In lower case, whatever the expression."""
    regex = data.draw(REGEX.filter(valid))
    text = data.draw(st.from_regex(regex.replace("(?i)", ""), fullmatch=False))
    literal = required_literal(regex)
    assert literal is None or literal in text.lower()


@pytest.mark.parametrize("module", [literals, patterns], ids=lambda module: module.__name__)
def test_examples_run(module: object) -> None:
    """What the docstrings show is what comes out."""
    result = doctest.testmod(module)  # type: ignore[arg-type]
    assert (result.failed, result.attempted > 0) == (0, True)


def test_expression_that_is_right_only_alone_is_refused() -> None:
    """It could not be joined with others, and might change what they say."""
    for regex in (r"\Qwarezfoo", r"foo\Q", "a)(?:b"):
        assert syntax_fault(regex) is not None
