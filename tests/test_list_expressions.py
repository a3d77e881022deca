"""Lists of regular expressions: RE2 and nothing else, so that no list can make a run hang."""

import time

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from tests.list_reading import domains, patterns, prefixes, read, searched
from transforms.decide.lists.expressions import EXPRESSIONS, POSIX_EXPRESSIONS
from transforms.decide.lists.gather_entries import Syntax
from transforms.decide.lists.regex_faults import regex_fault

BOTH = pytest.mark.parametrize("syntax", [EXPRESSIONS, POSIX_EXPRESSIONS], ids=["re2", "posix"])


@BOTH
def test_line_is_a_regular_expression(syntax: Syntax) -> None:
    """Blanks at its ends, empty lines and comments aside; a `#` further on belongs to it."""
    found = read("# comment\n\n \\.torrent$ \n  # another\n/dl#x\n", syntax)
    assert patterns(found) == [(3, r"(?i)\.torrent$"), (5, "(?i)/dl#x")]
    assert [pattern.written for pattern in found.patterns] == [r"\.torrent$", "/dl#x"]
    assert (domains(found), prefixes(found), found.ignored, found.unsupported) == ([], [], (), {})


@pytest.mark.parametrize(
    ("line", "url", "found"),
    [
        ("warez", "http://a.example/WAREZ", True),
        ("(?-i)warez", "http://a.example/WAREZ", False),
        ("(?-i)warez", "http://a.example/warez", True),
        (r"^https?://[^/]*\.ru/", "https://a.ru/", True),
        (r"^https?://[^/]*\.ru/", "https://a.example/.ru/", False),
        (r"/\d{3}(?:/|$)", "http://a.example/123", True),
        ("dl=1|get=1", "http://a.example/?GET=1", True),
    ],
)
def test_expression_is_searched_for_whatever_the_case(line: str, url: str, found: bool) -> None:
    """Unless it says otherwise."""
    [(_, regex)] = patterns(read(line, EXPRESSIONS))
    assert bool(searched(regex, [url])) is found


@pytest.mark.parametrize(
    ("line", "regex"),
    [
        (r"\<crack\>", r"(?i)\bcrack\b"),
        (r"\\<a", r"(?i)\\<a"),
        (r"\\\<a", r"(?i)\\\ba"),
        ("-i warez", "(?i)warez"),
        ("-ing", "(?i)-ing"),
        ("[[:digit:]]{4}x", "(?i)[[:digit:]]{4}x"),
        (r"(^|[-\?+=/_])(crack|serial)s?([-\?+=/_]|$)", r"(?i)(^|[-\?+=/_])(crack|serial)s?([-\?+=/_]|$)"),
    ],
)
def test_expression_of_squidguard_is_posix(line: str, regex: str) -> None:
    """Its word borders become those of RE2, its flag says what holds anyway."""
    assert patterns(read(line, POSIX_EXPRESSIONS)) == [(1, regex)]


def test_flag_on_a_line_of_its_own_says_nothing() -> None:
    """It is no entry, and no mistake."""
    found = read("-i\nwarez\n", POSIX_EXPRESSIONS)
    assert (patterns(found), found.ignored) == ([(2, "(?i)warez")], ())


@BOTH
@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("a(?=b)", "invalid perl operator: (?="),
        ("a(?!b)", "invalid perl operator: (?!"),
        ("(?<=a)b", "invalid perl operator: (?<="),
        (r"(a)\1", r"invalid escape sequence: \1"),
        ("(a", "missing ): (?i)(a"),
        ("a)", "unexpected ): (?i)a)"),
        ("[z-a]", "invalid character class range: z-a"),
        ("a**", "bad repetition operator: **"),
        ("a{2000}", "invalid repetition size: {2000}"),
        (r"(?:\pL{300}){3}", "pattern too large - compile failed"),
        (".*", "it matches every URL"),
        ("a?", "it matches every URL"),
        ("https?:", "it matches every URL"),
        ("|x", "it matches every URL"),
        ("//", "it matches every URL"),
    ],
)
def test_expression_that_cannot_be_used_is_ignored_with_the_reason(syntax: Syntax, line: str, why: str) -> None:
    """It is never handed to another engine; one for all URLs is a mistake."""
    found = read(f"good\n{line}\nx\n", syntax)
    assert patterns(found) == [(1, "(?i)good"), (3, "(?i)x")]
    assert (found.ignored, found.ignored_count) == (((2, f"{line} ({why})"),), 1)


def test_expression_that_is_no_utf8_is_ignored() -> None:
    """It would be found nowhere."""
    found = read(b"caf\xe9\nwarez\n", EXPRESSIONS)
    assert (patterns(found), found.ignored) == ([(2, "(?i)warez")], ((1, "caf\\xe9"),))


@pytest.mark.parametrize("regex", ["http://", "https://", "^http:", r"\.example", "^$", "[a-z]://a"])
def test_expression_of_one_scheme_or_of_some_urls_has_no_fault(regex: str) -> None:
    """Only what is found in every URL is refused."""
    assert regex_fault(regex) is None


@pytest.mark.parametrize(
    "regex", ["(a+)+$", "(a|aa)+$", "(a|a?)+b", "(.*a){12}$", "(x+x+)+y", "^(([a-z])+.)+[A-Z]([a-z])+$"]
)
def test_expression_that_would_backtrack_for_ever_takes_linear_time(regex: str) -> None:
    """The known traps, on a URL of a hundred thousand characters: a backtracking engine would not come back."""
    [(_, read_regex)] = patterns(read(f"{regex}\n", EXPRESSIONS))
    began = time.process_time()
    pc.match_substring_regex(pa.array(["a" * 100_000 + "!"]), read_regex)
    assert time.process_time() - began < 5
