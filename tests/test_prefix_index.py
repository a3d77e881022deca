"""URL prefixes of a list: which URLs an entry covers, where it may end, and which entry of several it is."""

import re

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from publicsuffixlist import PublicSuffixList

from tests.byte_columns import at_page_end, column
from tests.listed import numbered, pages
from transforms.decide.lists.index import PrefixIndex
from transforms.decide.lists.pages import Pages
from transforms.kernels.prefixes import link_prefixes, match_prefixes

SUFFIXES = PublicSuffixList()


def build(*prefixes: str) -> PrefixIndex:
    return PrefixIndex.build(pa.array(prefixes, pa.large_string()), numbered(len(prefixes)))


def found(index: PrefixIndex, *urls: str | None) -> list[tuple[int, str] | None]:
    """Line and entry that cover each URL."""
    numbers = index.match(*pages(*urls))
    written = iter(index.written(numbers[numbers >= 0]).to_pylist())
    return [None if number < 0 else (index.lines[number].as_py(), next(written)) for number in numbers.tolist()]


def covered(url: str, *prefixes: str) -> str | None:
    (answer,) = found(build(*prefixes), url)
    return answer and answer[1]


@pytest.mark.parametrize("url", ["/x", "/x/", "/x/y", "/x?q", "/x&y", "/x#top", "/x/../x", "//x/../../x"])
def test_prefix_covers_what_goes_on_at_a_border(url: str) -> None:
    """Its very URL, what lies under it, and its queries; the fragment is no part of a URL's normal form."""
    assert covered(f"http://a.com{url}", "a.com/x") == "a.com/x"


@pytest.mark.parametrize("url", ["/", "/xy", "/x-y", "/x.html", "/x;y", "/x%2Fy", "/X", "/y/x", "/%78"])
def test_prefix_covers_nothing_inside_of_a_name(url: str) -> None:
    """A longer name is another name, and so is one in another case or with other escapes."""
    assert covered(f"http://a.com{url}", "a.com/x") is None


@pytest.mark.parametrize(
    ("prefix", "covers", "leaves"),
    [
        ("a.com/x/", "/x/y", "/x"),
        ("a.com/x?", "/x?y", "/x"),
        ("a.com/x?id=", "/x?id=12", "/x?i"),
        ("a.com/x?id=1", "/x?id=1&y", "/x?id=12"),
        ("a.com/x?id=1&", "/x?id=1&y", "/x?id=1"),
        ("a.com/", "/anything", None),
        ("a.com", "/anything", None),
        ("a.com/x*", "/xy", "/y"),
        ("a.com/x?id=*", "/x?id=1", "/x"),
    ],
)
def test_prefix_that_ends_at_a_border_itself_or_with_a_star_needs_none(
    prefix: str, covers: str, leaves: str | None
) -> None:
    """Then what follows may be anything."""
    assert covered(f"http://a.com{covers}", prefix) == prefix
    assert leaves is None or covered(f"http://a.com{leaves}", prefix) is None


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://b.a.com/x", "a.com/x"),
        ("https://me:secret@A.COM./x", "a.com/x"),
        ("http://ba.com/x", None),
        ("http://a.com.evil.org/x", None),
        ("http://com/x", None),
    ],
)
def test_prefix_covers_subdomains_of_its_host_as_a_domain_does(url: str, expected: str | None) -> None:
    """At label borders."""
    assert covered(url, "a.com/x") == expected


@pytest.mark.parametrize(
    ("host", "url", "is_covered"),
    [
        ("192.0.2.1", "http://192.0.2.1/x", True),
        ("192.0.2.1", "http://9.192.0.2.1/x", False),
        ("[::1]", "http://[0::1]:8080/x", True),
        ("github.io", "http://github.io/x", True),
        ("github.io", "http://user.github.io/x", False),
        ("*.github.io", "http://user.github.io/x", True),
    ],
)
def test_prefix_of_an_address_or_a_public_suffix_is_narrow(host: str, url: str, is_covered: bool) -> None:
    """As a domain entry of that name is."""
    assert (covered(url, f"{host}/x") is not None) == is_covered


def test_prefix_without_a_port_covers_all_ports() -> None:
    """One with a port covers that port alone, and comes before others; the scheme's own port is no port."""
    index = build("a.com/x", "a.com:81/x", "a.com/x/y/z", "a.com:443/x")
    urls = [f"http://a.com{rest}" for rest in ("/x", ":80/x", ":82/x", ":81/x", ":81/x/y/z", ":81/y", ":443/x")]
    lines = [1, 1, 1, 2, 2, None, 4]
    assert [entry and entry[0] for entry in found(index, *urls)] == lines
    assert found(index, "https://a.com:443/x") == [(1, "a.com/x")]


def test_longest_rest_wins_then_the_longest_host() -> None:
    """The most specific evidence, in whatever order the list has it."""
    index = build("a.com/x/y", "b.a.com/x", "a.com/x", "a.com/x/y/z*", "a.com/x/yy")
    urls = [
        "http://c.b.a.com/x/q",
        "http://b.a.com/x/y",
        "http://a.com/x/q",
        "http://a.com/x/y/zz",
        "http://a.com/x/yyy",
    ]
    assert found(index, *urls) == [
        (2, "b.a.com/x"),
        (1, "a.com/x/y"),
        (3, "a.com/x"),
        (4, "a.com/x/y/z*"),
        (3, "a.com/x"),
    ]


def test_first_line_of_equal_prefixes_counts() -> None:
    """Repeats are no entries; with `*` at the end it is another entry."""
    index = build("b.com/", "a.com/x", "a.com/x", "a.com/x*", "b.com/")
    assert found(index, "http://a.com/x?", "http://a.com/xy", "http://b.com/y") == [
        (4, "a.com/x*"), (4, "a.com/x*"), (1, "b.com/")
    ]  # fmt: skip
    assert len(index) == 3


@pytest.mark.parametrize("url", [None, "", "data:,a.com/x", "javascript:a.com/x", "http://", "mailto:x@a.com", "\0"])
def test_unusable_url_is_covered_by_nothing(url: str | None) -> None:
    """It has no host, and raises nothing."""
    assert found(build("a.com/x", "a.com"), url) == [None]


def test_very_long_url_is_read_to_its_end() -> None:
    """10,000 characters, and an entry as long."""
    path = "x" * 10_000
    assert covered(f"http://a.com/{path}/y", f"a.com/{path}", "a.com/x") == f"a.com/{path}"
    assert covered(f"http://a.com/{path}y", f"a.com/{path}", "a.com/x") is None


def test_only_urls_of_hosts_with_prefixes_are_taken_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """And each of them once, however many indexes ask."""
    from transforms.decide.lists import pages as under_test

    asked = []
    split = under_test.split_urls
    monkeypatch.setattr(under_test, "split_urls", lambda urls: asked.append(urls.to_pylist()) or split(urls))
    batch = Pages(*pages("http://b.com/x", "http://a.com/x", None, "http://c.a.com/y", "http://d.com/x"))
    for prefixes, expected in ((["a.com/x"], [1]), (["a.com/y", "d.com/x"], [3, 4])):
        rows, _ = build(*prefixes).find(batch)
        assert rows.tolist() == expected
    assert asked == [["http://a.com/x", "http://c.a.com/y"], ["http://d.com/x"]]


HOST = st.sampled_from(
    ["com", "a.com", "b.a.com", "c.b.a.com", "ba.com", "github.io", "u.github.io", "1.2.3.4", "[::1]"]
)
PORT = st.sampled_from(["", "", ":81", ":8"])
PAGE = st.builds("/{}".format, st.text("ab/?&=", max_size=5))
STAR, END = st.sampled_from(["", "*."]), st.sampled_from(["", "*"])
PREFIXES = st.lists(st.builds("{}{}{}{}{}".format, STAR, HOST, PORT, PAGE, END), max_size=9)
URLS = st.lists(st.none() | st.builds("http://{}{}{}".format, HOST, PORT, PAGE), max_size=9)


def slow(url: str | None, prefixes: list[str]) -> tuple[int, str] | None:
    """Try every entry: with the port of the URL, and if there is none without it."""
    if url is None:
        return None
    host, port, page = cut(url.removeprefix("http://"))
    return slow_longest(host, port + page, prefixes) or slow_longest(host, page, prefixes)


def slow_longest(host: str, text: str, prefixes: list[str]) -> tuple[int, str] | None:
    candidates = []
    for line, entry in enumerate(prefixes, 1):
        name, port, page = cut(entry.removeprefix("*.").removesuffix("*"))
        rest = port + page
        alone = name[0] == "[" or name[-1].isdigit() or (entry[0] != "*" and SUFFIXES.publicsuffix(name) == name)
        if host != name and (alone or not host.endswith(f".{name}")):
            continue
        after = text.removeprefix(rest)
        if text.startswith(rest) and (entry[-1] == "*" or after[:1] in ("", *"/?&") or rest[-1] in "/?=&"):
            candidates.append((len(rest), len(name), entry[-1] == "*", entry[0] == "*", -line))
    return (-max(candidates)[-1], prefixes[-max(candidates)[-1] - 1]) if candidates else None


def cut(url: str) -> tuple[str, str, str]:
    """Host, port with its colon, and the rest."""
    parts = re.fullmatch(r"(\[.*\]|[^:/]*)(:\d+)?(/.*)", url)
    assert parts
    return parts[1], parts[2] or "", parts[3]


@settings(deadline=None, max_examples=200)
@given(urls=URLS, prefixes=PREFIXES)
def test_matches_equal_a_try_of_every_entry(urls: list[str | None], prefixes: list[str]) -> None:
    """Nested prefixes, nested hosts, ports, stars and borders, URL by URL."""
    assert found(build(*prefixes), *urls) == [slow(url, prefixes) for url in urls]


@settings(deadline=None)
@given(st.lists(st.lists(st.text("ab", max_size=4), max_size=6).map(sorted), max_size=3))
def test_links_lead_to_the_longest_earlier_beginning(groups: list[list[str]]) -> None:
    """Inside the group, and to the one just before where two are equal."""
    rests = [rest for group in groups for rest in group]
    borders = np.cumsum([0, *map(len, groups)]).astype(np.int32)
    expected = []
    for number, rest in enumerate(rests):
        first = max(border for border in borders.tolist() if border <= number)
        earlier = [other for other in range(first, number) if rest.startswith(rests[other])]
        expected.append(max(earlier, key=lambda other: (len(rests[other]), other), default=-1))
    links = link_prefixes(*column([rest.encode() for rest in rests]), borders)
    assert (links.tolist(), links.dtype.name) == (expected, "int32")


def test_matching_reads_no_byte_beyond_its_texts() -> None:
    """Texts and rests that begin and end where memory does."""
    rests, groups = at_page_end([b"/", b"/ab", b"/ab"]), np.array([0, 3], np.int32)
    texts = at_page_end([b"/ab", b"/a", b"", b"/abc", b"/ab"])
    hosts, whole, parents = np.array([0, 0, 0, 0, -1]), np.ones(5, np.bool_), np.array([-1], np.int32)
    links, scopes = link_prefixes(*rests, groups), np.zeros(3, np.uint8)
    matches = match_prefixes(*texts, hosts, whole, parents, groups, *rests, links, scopes)
    assert matches.tolist() == [2, 0, -1, 0, -1]


def test_empty_index_covers_nothing() -> None:
    """It can be asked all the same."""
    assert found(build(), "http://a.com/x", None) == [None, None]
