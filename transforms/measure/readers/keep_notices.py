"""Find the lines of a page that hold a notice of rights, and append those that its main text has lost.

>>> keep_notices("Story", "Menu\\nStory\\nContact\\n© 2020 Foo. All rights reserved.")
'Story\\n\\n© 2020 Foo. All rights reserved.'
"""

import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Final

from ahocorasick_rs import BytesAhoCorasick, Implementation

from transforms.measure.rights.licence_names import FORMS
from transforms.measure.rights.notice_words import MARKERS
from transforms.measure.rights.reserved_words import PHRASES
from transforms.measure.rights.triggers import spellings

MAX_LINE: Final = 1000
"""Bytes of an appended line; of a longer one about so much is taken round each notice, to the borders of words."""
MAX_COMPARED: Final = 1 << 28
"""Characters of main text that are searched for the lines of one page; further lines are appended without a search."""

_OPENINGS: Final = (
    *(marker.decode() for marker in MARKERS),
    *(opening for phrases in PHRASES.values() for opening in phrases.openings),
    *("isbn", "issn", "doi:", "doi 10.", "doi.org/", "arxiv"),
)
_WORDS: Final = (
    *_OPENINGS,
    *(trigger for form in FORMS for trigger in form.triggers),
    *("public domain", "licensed under", "licenced under"),
)
"""What a line holds that may hold a notice, in lower case; `_OPENINGS` ask for something after them."""
_C_IN_BRACKETS: Final = b"(c)"  # also the third item of a list: a notice has a year beside it
_YEAR: Final = re.compile(rb"(?:1[789]|20)\d\d")
_YEAR_BYTES: Final = 40
_BEFORE: Final = 400  # bytes of a long line before the notice
_LONG_WORD: Final = 60  # bytes; in texts without blanks there are longer ones
_YEARS_ONLY: Final = re.compile(r"[\W\d_]*(?:(?:copyright|copr|c)\b[\W\d_]*)*", re.IGNORECASE)
_LETTER_OR_DIGIT: Final = re.compile(rb"[0-9a-z\x80-\xff]")
_REFERENCES: Final = ("&copy", "&#169", "&#xa9")
_OTHER_REFERENCE: Final = re.compile(
    rb"&(?!(?:amp|nbsp|lt|gt|quot|apos|[lr]aquo|[lr][sd]quo|[mn]dash|hellip|middot|bull|times|[lr]arr"
    rb"|#0?3[2-9]|#160|#82\d\d|#x2[0-7]|#xa0);)#?[a-z0-9]{1,30};"
)
_RARE: Final = 5
_SLICE: Final = 4096
_OVERLAP: Final = 128  # more than the longest word


def may_hold_notice(html: str) -> bool:
    """Whether a page may hold a notice: a quick look at the HTML that spares pages without one a second reading.

    >>> may_hold_notice("<p>&copy; 2020 Foo"), may_hold_notice("<p>rights <b>reserved</b>"), may_hold_notice("<p>")
    (True, True, False)

    Of each phrase the longest word is looked for, as anything may stand between two; a page with unusual character
    references may hold anything. Footers stand at the end, so it begins there.
    """
    data = html.encode().lower()
    slices = reversed(range(0, len(data), _SLICE))
    return any(_matches(data, at, _single_words()) for at in slices) or _OTHER_REFERENCE.search(data) is not None


def keep_notices(main: str, whole: str) -> str:
    """The main text, a blank line, and the lines of the whole text that hold a notice and do not stand in it.

    They stand in the order of the page, each once, with single spaces for white space, which makes no difference in
    the comparison either. A line that ends with `ISBN` or holds nothing but `© 2020` brings the next one with it.
    Nothing is taken away.
    """
    kept = _squeezed_lines(main)
    lines, text, room = set(kept), f" {' '.join(kept)} ", MAX_COMPARED
    lost: dict[str, None] = {}
    data = "\n".join(_squeezed_lines(whole)).encode()
    for begin, end in _notices(data):
        notice = data[begin:end].decode(errors="ignore")
        if notice in lines or notice in lost:
            continue
        room -= len(text)
        if room < 0 or f" {notice} ".replace("\n", " ") not in text:
            lost[notice] = None
    return "\n".join([*([main, ""] if main else []), *lost]) if lost else main


def _squeezed_lines(text: str) -> list[str]:
    lines = (" ".join(line.split()) for line in text.split("\n"))
    return [line for line in lines if line]


def _notices(data: bytes) -> Iterator[tuple[int, int]]:
    """Where the lines that hold a notice begin and end, in their order; of long ones the part round it."""
    words = data.lower().replace(b"\n", b" ")  # as a phrase may go over a line break
    taken = 0
    for at in range(0, len(data), _SLICE):
        for start, stop in _matches(words, at, _phrases()):
            if start >= taken:
                begin, taken = _line(data, start, stop)
                if _goes_on(words[begin:taken]):
                    _, taken = _line(data, taken + 1, taken + 1)
                yield begin, taken


def _goes_on(line: bytes) -> bool:
    """Whether a line says so little that the next one belongs to it."""
    last = max((stop for _, stop in _matches(line, 0, _openings())), default=0)
    return not _LETTER_OR_DIGIT.search(line, last) or _YEARS_ONLY.fullmatch(line.decode(errors="ignore")) is not None


def _line(data: bytes, start: int, stop: int) -> tuple[int, int]:
    """Where the line round a match begins and ends; if it is long, about `MAX_LINE` bytes of it."""
    reach = max(0, start - MAX_LINE)
    begin = data.rfind(b"\n", reach, start) + 1 or reach
    end = data.find(b"\n", stop, stop + MAX_LINE)
    end = end if end >= 0 else min(len(data), stop + MAX_LINE)
    if end - begin <= MAX_LINE:
        return begin, end
    first = max(begin, start - _BEFORE)
    last = min(end, first + MAX_LINE)
    if first > begin:
        first = data.find(b" ", first, first + _LONG_WORD) + 1 or first
    if last < end:
        space = data.rfind(b" ", last - _LONG_WORD, last)
        last = space if space >= 0 else last
    return first, last


def _matches(data: bytes, at: int, automaton: BytesAhoCorasick) -> list[tuple[int, int]]:
    """Where words stand that end in the slice at `at`, in the order of their ends.

    In slices, as each match is a Python object for a moment, and a page may be nothing but matches.
    """
    base = max(0, at - _OVERLAP)
    found = automaton.find_matches_as_indexes(data[base : at + _SLICE], overlapping=True)
    places = [(base + start, base + stop) for _, start, stop in found if base + stop > at]
    return [(start, stop) for start, stop in places if data[start:stop] != _C_IN_BRACKETS or _has_year(data, start)]


def _has_year(data: bytes, at: int) -> bool:
    return _YEAR.search(data, max(0, at - _YEAR_BYTES), at + _YEAR_BYTES) is not None


@cache
def _phrases() -> BytesAhoCorasick:
    return _automaton(_WORDS)


@cache
def _openings() -> BytesAhoCorasick:
    return _automaton(_OPENINGS)


@cache
def _single_words() -> BytesAhoCorasick:
    """Of each phrase its longest word, or the whole phrase if that one is short, and so stands in every page."""
    found: set[str] = set()
    for phrase in _WORDS:
        longest = max(phrase.split(), key=len)
        found |= {longest} if len(longest) >= _RARE else {phrase}
    return _automaton((*found, *_REFERENCES))


def _automaton(words: Iterable[str]) -> BytesAhoCorasick:
    """Of words in the cases that texts have; ASCII letters of the texts are in lower case."""
    return BytesAhoCorasick(spellings(words), implementation=Implementation.DFA)
