"""HTTP headers: reservations and licences, line by line, and the rules that all page signals share."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.signals import RESERVATIONS
from transforms.measure.readers.header_signals import header_signals
from transforms.measure.readers.http_payload import split_response
from transforms.measure.readers.page_signals import (
    MAX_SIGNALS,
    MAX_VALUE,
    PageSignal,
    distinct,
    robots_signals,
    said,
    tidy,
)

Said = tuple[str, str | None, str | None]


def robots(directives: str) -> list[Said]:
    """Kind, value and agent of what one robots line says."""
    return [signal[:3] for signal in robots_signals(directives, "http:x-robots-tag")]


def header(*lines: str) -> list[PageSignal]:
    """What a response with these header lines says."""
    block = "\r\n".join(["HTTP/1.1 200 OK", *lines, "", "body"]).encode()
    return list(header_signals(split_response(block).fields))


# Robots


@pytest.mark.parametrize(
    ("directives", "expected"),
    [
        ("noai", [("noai", None, None)]),
        ("NoAI, NoImageAI", [("noai", None, None), ("noimageai", None, None)]),
        ("noindex,nofollow", [("noindex", None, None)]),
        ("noai noimageai; noindex", [("noai", None, None), ("noimageai", None, None), ("noindex", None, None)]),
        ("none", [("noindex", "none", None)]),
        ("all", []),
        ("index, follow, noarchive", []),
        ("noaim, xnoai, no ai", []),
        ("", []),
        (" , ;:, ", []),
    ],
)
def test_directives_are_read_as_words(directives: str, expected: list[Said]) -> None:
    """Each reservation is one of the words, in any case, between commas, semicolons or blanks."""
    assert robots(directives) == expected


@pytest.mark.parametrize(
    ("directives", "expected"),
    [
        ("googlebot: noindex", [("noindex", None, "googlebot")]),
        ("GoogleBot:noai,noindex", [("noai", None, "googlebot"), ("noindex", None, "googlebot")]),
        ("noai, ccbot: noindex", [("noai", None, None), ("noindex", None, "ccbot")]),
        ("a-bot: nofollow, b.bot/2.0 : noai", [("noai", None, "b.bot/2.0")]),
        ("googlebot: unavailable_after: 25 Jun 2010 15:00:00 PST, noai", [("noai", None, "googlebot")]),
        ("360Spider: noai", [("noai", None, "360spider")]),
        ("ccbot: noai, *: noindex", [("noai", None, "ccbot"), ("noindex", None, None)]),
    ],
)
def test_agent_stands_before_its_directives(directives: str, expected: list[Said]) -> None:
    """A directive belongs to the agent that was named last, and to all if none was, or `*`."""
    assert robots(directives) == expected


@pytest.mark.parametrize(
    "line",
    [
        "max-snippet: 20, noai",
        "max-image-preview:large, noai",
        "unavailable_after: 25 Jun 2010 15:00:00 PST, noai",
        "unavailable_after: Friday, 25-Jun-10 15:00:00 GMT, noai",
        "unavailable_after: 25 Jun, 15:00:00, noai",
    ],
)
def test_directive_with_a_value_is_no_agent(line: str) -> None:
    """Its colon does not make the directives after it those of one crawler."""
    assert robots(line) == [("noai", None, None)]


def test_meta_for_one_crawler_gives_its_agent() -> None:
    """The name of the element says whom it addresses, until the content says otherwise."""
    found = robots_signals("noai, ccbot: noindex", "meta:gptbot", "gptbot")
    assert [signal[2:] for signal in found] == [("gptbot", "meta:gptbot"), ("ccbot", "meta:gptbot")]


agents = st.from_regex(r"[a-z][a-z0-9-]{0,9}", fullmatch=True).filter(lambda name: not name.startswith("max-"))
directives = st.sampled_from(["noai", "noimageai", "noindex", "nofollow", "noarchive", "all"])


@given(st.lists(st.tuples(st.none() | agents, st.lists(directives, min_size=1, max_size=4)), max_size=6))
def test_composed_lines_are_taken_apart_again(groups: list[tuple[str | None, list[str]]]) -> None:
    """Whatever agents and directives a line is made of, each pair comes back in its order."""
    line = ", ".join(", ".join(words) if agent is None else f"{agent}: {', '.join(words)}" for agent, words in groups)
    expected: list[Said] = []
    current = None
    for agent, words in groups:
        current = agent or current
        expected += [(word, None, current) for word in words if word in RESERVATIONS]
    assert robots(line) == expected


@given(st.text(alphabet="noaidex:,;* \t-ıK☃", max_size=60))
def test_any_line_gives_reservations_or_nothing(line: str) -> None:
    """Whatever a server sends is no error."""
    assert {kind for kind, _, _ in robots(line)} <= set(RESERVATIONS)


@pytest.mark.parametrize("line", ["a:" * 500_000, "a" * 1_000_000, ", " * 500_000, " " * 1_000_000, "max-:" * 200_000])
def test_long_line_takes_time_in_step_with_its_length(line: str) -> None:
    """Colons, words and blanks without end are tried in one way only."""
    start = time.process_time()
    assert robots(line) == []
    assert time.process_time() - start < 2


# Header fields


def test_every_robots_line_is_read() -> None:
    """A header may have several, in any case, and its first one is not the only one."""
    assert header("X-Robots-Tag: googlebot: noindex", "x-robots-tag: noai", "X-ROBOTS-TAG: ccbot: noai, noai") == [
        ("noindex", None, "googlebot", "http:x-robots-tag"),
        ("noai", None, None, "http:x-robots-tag"),
        ("noai", None, "ccbot", "http:x-robots-tag"),
        ("noai", None, "ccbot", "http:x-robots-tag"),
    ]


def test_tdm_reservation_and_policy_are_read_as_they_stand() -> None:
    """TDMRep has two fields; what their values mean is judged later."""
    assert header(
        "TDM-Reservation: 1", "tdm-policy:  https://example.com/policies/policy.json ", "tdm-reservation:"
    ) == [
        ("tdm-reservation", "1", None, "http:tdm-reservation"),
        ("tdm-policy", "https://example.com/policies/policy.json", None, "http:tdm-policy"),
    ]
    assert header("tdm-reservation: 0")[0].value == "0"


@pytest.mark.parametrize(
    ("value", "targets"),
    [
        ('<https://a.org/by>; rel="license"', ["https://a.org/by"]),
        ("<https://a.org/by>;rel=license", ["https://a.org/by"]),
        ('<https://a.org/by>; title="x; rel=next"; REL = "nofollow License"', ["https://a.org/by"]),
        ('<a>; rel="next", <b>; rel=license, <c>; rel="license"; type=x', ["b", "c"]),
        ('<a,b>; rel="license"', ["a,b"]),
        ('<a>; rel="licensee"', []),
        ("<a>; rel=", []),
        ("a; rel=license", []),
        ("<a", []),
        ("<>; rel=license", []),
        ("", []),
    ],
)
def test_licence_links_are_read(value: str, targets: list[str]) -> None:
    """`rel` is a set of words in any case (RFC 8288); a line may hold several links."""
    assert header(f"Link: {value}") == [("licence", target, None, "http:link") for target in targets]


def test_header_without_rights_says_nothing() -> None:
    """Other fields are passed over."""
    assert header("Content-Type: text/html", "Robots: noai", "Server: tdm-reservation") == []


@pytest.mark.parametrize("value", ["<" * 500_000, "<a>;" * 100_000, '<a>; rel="' * 50_000, "<a>" + ";rel=" * 100_000])
def test_long_link_takes_time_in_step_with_its_length(value: str) -> None:
    """Links that are never closed are tried in one way only."""
    start = time.process_time()
    assert len(header(f"Link: {value}")) == 0
    assert time.process_time() - start < 2


# Values


@pytest.mark.parametrize(
    ("words", "value"),
    [
        ("  ©\n 2020\t Foo\u00a0Bar ", "© 2020 Foo Bar"),
        ("a\0b", "ab"),
        ("\ud800x", "?x"),
        ("", ""),
        (" " * 99_999, ""),
        (" " * 99_999 + "x", "x"),
        ("x" * 2000, "x" * MAX_VALUE),
        ("x " * 2000, ("x " * 500).strip()),
    ],
)
def test_value_is_one_short_line(words: str, value: str) -> None:
    """No line breaks, no NULs, nothing that cannot be written as UTF-8, and a bounded length."""
    assert tidy(words) == value


@given(st.text(st.characters(exclude_categories=()), max_size=50))
def test_any_words_become_a_value(words: str) -> None:
    """Tidying is done once and for all."""
    value = tidy(words)
    value.encode()
    assert tidy(value) == value
    assert len(value) <= MAX_VALUE


@pytest.mark.parametrize(
    ("kind", "words", "expected"),
    [
        ("author", "https://example.com/jane", []),
        ("publisher", "//example.com/", []),
        ("author", "Jane, https://example.com/jane", [("author", "Jane, https://example.com/jane")]),
        ("copyright", "http://a.org/by", [("licence", "http://a.org/by")]),
        ("copyright", "© Foo, http://a.org/", [("copyright", "© Foo, http://a.org/")]),
        ("copyright", " © ", []),
        ("tdm-policy", "https://a.org/", [("tdm-policy", "https://a.org/")]),
        ("isbn", " ", []),
    ],
)
def test_address_is_no_name_and_no_notice(kind: str, words: str, expected: list[tuple[str, str]]) -> None:
    """Where a name should stand it says nothing; where a notice should, it is that of a licence."""
    assert [signal[:2] for signal in said(kind, words, "meta:x")] == expected


def test_signals_of_a_page_are_distinct_and_bounded() -> None:
    """The first of equal ones stays in its place; after the bound nothing more is asked for."""
    a, b = PageSignal("noai", None, None, "http:x"), PageSignal("noai", None, None, "meta:robots")
    assert distinct([a, b, a]) == [a, b]
    assert distinct([a, *(a._replace(value=str(n)) for n in range(MAX_SIGNALS))])[-1].value == str(MAX_SIGNALS - 2)
