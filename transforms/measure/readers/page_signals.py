"""What a page says of its rights, as HTTP header and HTML have it: rows of the column `page_signals`.

>>> line = "noai, googlebot: noindex, unavailable_after: 25 Jun 2010 15:00:00 PST"
>>> [(signal.kind, signal.agent) for signal in robots_signals(line, "http:x-robots-tag")]
[('noai', None), ('noindex', 'googlebot')]
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from schemas.signals import AUTHOR, COPYRIGHT, LICENCE, NOAI, NOIMAGEAI, NOINDEX, PUBLISHER

MAX_SIGNALS: Final = 1000
"""Signals of one page; later ones are left out."""
MAX_VALUE: Final = 1000
"""Characters of one value; the rest is cut off."""
_MAX_RAW: Final = 10 * MAX_VALUE  # characters of which a value is made: an attribute may be as long as the page

_DIRECTIVES: Final = {"noai": NOAI, "noimageai": NOIMAGEAI, "noindex": NOINDEX, "none": NOINDEX}
_AGENT: Final = re.compile(r"\s*(?!\d+\s*:)([\w.+/*-]+)\s*:", re.ASCII)
_ADDRESS: Final = re.compile(r"(?:https?:)?//\S+$", re.IGNORECASE)
_WITH_A_VALUE: Final = ("unavailable_after", "max-")


class PageSignal(NamedTuple):
    """One value of `schemas.columns.PAGE_SIGNAL`."""

    kind: str
    value: str | None
    agent: str | None
    source: str


class Page(NamedTuple):
    """A document: its text, and what its HTTP header and HTML say of rights; None where it has neither of these."""

    text: str
    signals: list[PageSignal] | None


def tidy(words: str) -> str:
    r"""The words as a value: without NULs, with single spaces for white space, cut at `MAX_VALUE` characters.

    >>> tidy(" © 2020\n  Foo "), len(tidy("x" * 9999))
    ('© 2020 Foo', 1000)
    """
    value = " ".join(words.lstrip()[:_MAX_RAW].replace("\0", "").split())[:MAX_VALUE].rstrip()
    # JSON can escape halves of characters, which cannot be written as UTF-8.
    return value if value.isascii() else value.encode("utf-8", "replace").decode()


def said(kind: str, words: str, source: str) -> Iterator[PageSignal]:
    """A signal with these words for its value; none if there are no words, or nothing but `©`.

    An address names no author and no publisher, and where a copyright notice should stand it is that of a licence.
    """
    value = tidy(words)
    address = _ADDRESS.match(value)
    if value in ("", "©") or (address and kind in (AUTHOR, PUBLISHER)):
        return
    yield PageSignal(LICENCE if address and kind == COPYRIGHT else kind, value, None, source)


def robots_signals(directives: str, source: str, agent: str | None = None) -> Iterator[PageSignal]:
    """Reservations in the directives of one `X-Robots-Tag` line or robots `<meta>`.

    `agent: directive, directive` gives the agent, in lower case, of the directives up to the next one; `*` is none.
    `none` stands for `noindex, nofollow`: its signal is `noindex`, with `none` for its value. Directives that have
    values of their own (`max-snippet: 20`) are no agents. Others are passed over.
    """
    for part in re.split("[,;]", directives.lower()):
        words = part[:MAX_VALUE]
        while named := _AGENT.match(words):
            if named[1].startswith(_WITH_A_VALUE):
                words = ""
            else:
                words = words[named.end() :]
                agent = None if named[1] == "*" else named[1]
        for word in words.split():
            if kind := _DIRECTIVES.get(word):
                yield PageSignal(kind, None if word == kind else word, agent, source)


def distinct(signals: Iterable[PageSignal]) -> list[PageSignal]:
    """The first `MAX_SIGNALS` different signals, in their order."""
    found: dict[PageSignal, None] = {}
    for signal in signals:
        found[signal] = None
        if len(found) == MAX_SIGNALS:
            break
    return list(found)
