"""Matching lists: the table a lawyer asks for, what several lists say of one page, and what excuses a block."""

import doctest
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from configs.sources import Blocklist
from tests.listed import Numbers, compiled, entries, listed, match, pages
from transforms.decide.lists import index, match_lists, public_suffixes
from transforms.decide.lists import pages as pages_module
from transforms.decide.lists.compile_list import CompiledFile
from transforms.decide.lists.entries import Entries
from transforms.decide.lists.load_lists import SourceLists
from transforms.decide.lists.match_lists import Match

LONG = "x" * 10_000


@pytest.mark.parametrize(
    ("form", "entry", "url", "matches", "why"),
    [
        ("domains", "apple.com", "http://apple.com/", True, "the host itself"),
        ("domains", "apple.com", "http://www.apple.com/x?y#z", True, "a subdomain, on any page"),
        ("domains", "apple.com", "http://wapple.com/", False, "another name that ends alike"),
        ("domains", "web.de", "http://web.de/", True, "the host itself"),
        ("domains", "web.de", "http://cobweb.de/", False, "another name that ends alike"),
        ("domains", "web.de", "http://web.de.example/", False, "another name that begins alike"),
        ("domains", "listed.com", "http://notlisted.com/", False, "another name that ends alike"),
        ("domains", "listed.com", "http://listed.com.evil.org/", False, "a subdomain of evil.org"),
        ("domains", "listed.com", "http://evil.org/listed.com", False, "it stands in the path"),
        ("domains", "listed.com", "http://evil.org/?u=http://listed.com/", False, "it stands in the query"),
        ("domains", "listed.com", "http://evil.org#@listed.com/", False, "it stands in the fragment"),
        ("domains", "listed.com", "http://listed.com@evil.org/", False, "it is the name of a user"),
        ("domains", "listed.com", "http://me:key@listed.com/", True, "a user and a password are set aside"),
        ("domains", "listed.com", "http://listed.com:8080/", True, "a port is set aside"),
        ("domains", "listed.com", "HTTPS://LISTED.COM", True, "case means nothing in a host"),
        ("domains", "listed.com", "http://listed.com./", True, "a dot at the end is the root of all names"),
        ("domains", "listed.com", "http://listed.com../", False, "no name that DNS could know"),
        ("domains", "listed.com", "//listed.com/x", True, "a URL without its scheme"),
        ("domains", "listed.com", "listed.com/x", True, "what people write for a URL"),
        ("domains", "listed.com", "  http://listed.com/a b ", True, "browsers drop the blanks around a URL"),
        ("domains", "listed.com", "http:\\\\listed.com\\b", True, "browsers take a backslash for a slash"),
        ("domains", "listed.com", "http:/listed.com", True, "browsers do not count the slashes"),
        ("domains", "listed.com", "http://evil.org\\@listed.com/", False, "the host ends at the backslash"),
        ("domains", "listed.com", "http://lis\tted.com/", True, "browsers drop tabs and line feeds"),
        ("domains", "listed.com", "http://lis ted.com/", False, "no URL: a blank in the host"),
        ("domains", "listed.com", "http://%6Cisted%2ecom/", True, "browsers decode escapes in a host"),
        ("domains", "listed.com", "http://ｌｉｓｔｅｄ.com/", True, "full-width letters are the letters"),
        ("domains", "listed.com", "data:text/html,http://listed.com/", False, "a page without a host"),
        ("domains", "listed.com", "javascript:location='http://listed.com/'", False, "a page without a host"),
        ("domains", "listed.com", "ftp://listed.com/", False, "no page of the web"),
        ("domains", "listed.com", f"http://listed.com/{LONG}", True, "a URL may be long"),
        ("domains", "listed.com", f"http://{'x.' * 100}listed.com/", True, "and a host deep"),
        ("domains", "bücher.example", "http://XN--BCHER-KVA.example/", True, "an IDN in its other form"),
        ("domains", "xn--bcher-kva.example", "http://bücher.example/", True, "and the other way round"),
        ("domains", "192.0.2.1", "http://192.0.2.1/", True, "an address"),
        ("domains", "192.0.2.1", "http://0xC0.0.2.1/", True, "the same address in another notation"),
        ("domains", "192.0.2.1", "http://9.192.0.2.1/", False, "no URL, and an address has no subdomains"),
        ("domains", "192.0.2.1", "http://192.0.2.11/", False, "another address"),
        ("domains", "2001:db8::1", "http://[2001:DB8:0::1]:80/", True, "an IPv6 address"),
        ("domains", "github.io", "http://github.io/", True, "the host of that very name"),
        ("domains", "github.io", "http://user.github.io/", False, "a public suffix is not its users"),
        ("domains", "*.github.io", "http://user.github.io/", True, "unless the list says so"),
        ("domains", "user.github.io", "http://a.user.github.io/", True, "a user's name is a domain like others"),
        ("hosts", "0.0.0.0 co.uk", "http://bbc.co.uk/", False, "so it is in every format"),
        ("url_prefixes", "a.com/books", "http://a.com/books/1", True, "under the path"),
        ("url_prefixes", "a.com/books", "https://www.a.com/books?page=2", True, "of a subdomain, with a query"),
        ("url_prefixes", "a.com/books", "http://a.com/bookshop", False, "a longer name"),
        ("url_prefixes", "a.com/books", "http://a.com/Books", False, "case counts in a path"),
        ("url_prefixes", "a.com/books", "http://a.com/x/../books", True, "dots in a path are resolved"),
        ("url_prefixes", "a.com/books", "http://a.com/x/%2e%2E/books", True, "also where they are escaped"),
        ("url_prefixes", "a.com/books", "http://a.com/b%6Foks", False, "other escapes are not"),
        ("url_prefixes", "a.com/books", "http://a.com/x/books", False, "it stands deeper in the path"),
        ("url_prefixes", "a.com/books", "http://a.com:8080/books", True, "an entry without a port means all"),
        ("url_prefixes", "a.com:8080/books", "http://a.com/books", False, "one with a port means that port"),
        ("url_prefixes", "https://a.com/books", "http://a.com/books", True, "the scheme is set aside"),
        ("url_prefixes", "a.com/book*", "http://a.com/bookshop", True, "a star needs no border"),
        ("adblock", "||a.com^", "http://b.a.com:81/x", True, "a domain"),
        ("adblock", "||a.com^", "http://ba.com/", False, "a border stands before the domain"),
        ("adblock", "|http://a.com/x", "http://a.com/xy", True, "a beginning, without a border"),
        ("adblock", "|http://a.com/x", "https://a.com/x", False, "the scheme counts where it is written"),
        ("adblock", "/warez/*.rar", "http://a.com/WAREZ/1/x.rar?y", True, "a pattern, without regard to case"),
        ("regex", r"^https?://[^/]*torrent", "http://bigtorrents.example/", True, "a pattern for hosts"),
        ("regex", r"^https?://[^/]*torrent", "http://a.com/torrent", False, "that stops at the slash"),
    ],
)  # fmt: skip
def test_url_is_matched_as_the_rules_say(
    tmp_path: Path, form: str, entry: str, url: str, matches: bool, why: str
) -> None:
    """Format, entry, URL, answer and reason; the entry is cited with its line."""
    path = tmp_path / "list"
    path.write_text(f"{'! ' if form == 'adblock' else '# '}comment\n{entry}\n")
    list_ = Blocklist.model_validate({"name": "list", "path": str(path), "format": form, "category": "piracy"})
    found = SourceLists.read([list_]).match(*pages("http://unlisted.example/", url))
    assert [(one.rows.tolist(), one.lines.tolist()) for one in found.blocks] == ([([1], [2])] if matches else []), why


# What is said of a match


def said(match: Match) -> tuple[str, str | None, list[int], list[int], list[str], list[bool]]:
    """List, file, rows, lines, entries, and which are excused."""
    numbers = match.rows.tolist(), match.lines.tolist()
    return match.list, match.file, *numbers, match.matched.to_pylist(), match.excused.tolist()


def test_each_index_of_each_list_speaks_for_itself() -> None:
    """In the order of lists, files and kinds; a row that several match has an entry of each."""
    first = listed(
        "first",
        entries(["b.com", "a.com"], ["a.com/x"], ["/x"], file="warez/domains"),
        entries(["*.a.com"], file="warez/urls"),
    )
    found = match([first, listed("second", entries(["b.com"]))], [], "http://a.com/x", "http://c.org/x", "http://b.com")
    assert [said(one) for one in found.blocks] == [
        ("first", "warez/domains", [0, 2], [2, 1], ["a.com", "b.com"], [False, False]),
        ("first", "warez/domains", [0], [1], ["a.com/x"], [False]),
        ("first", "warez/domains", [0, 1], [1, 1], ["//x/", "//x/"], [False, False]),
        ("first", "warez/urls", [0], [1], ["*.a.com"], [False]),
        ("second", None, [2], [1], ["b.com"], [False]),
    ]
    assert found.allows == ()


def test_match_carries_the_name_category_and_digest_of_its_list() -> None:
    """All that a mark cites, in its types."""
    (block,) = match([listed("a", entries(["a.com"]), category="warez")], [], "http://a.com").blocks
    assert (block.list, block.category, block.sha256) == ("a", "warez", "sha256 of a")
    assert (block.rows.dtype.name, block.lines.dtype.name, block.excused.dtype.name) == ("int64", "int64", "bool")
    assert block.matched.type == pa.large_string()


def test_lists_that_match_nothing_say_nothing() -> None:
    """No match is no empty match."""
    lists = [listed("a", entries(["a.com"], ["b.com/x"], ["/y"]))]
    assert match(lists, lists, "http://c.com/", None, "data:,") == ((), ())
    assert match([], lists, "http://a.com/") == ((), ())
    assert match(lists, lists) == ((), ())


# Excuses


def test_allow_entry_excuses_every_block_and_hides_none() -> None:
    """What the lists said stays on record, and so does the entry that lets the row in, even a parent's."""
    lists = [listed("a", entries(["b.a.com", "c.org"])), listed("b", entries([], ["b.a.com/x"]))]
    allow = listed("allow", entries(["a.com", "unblocked.com"]), category="allow")
    found = match(lists, [allow], "http://c.org", "http://b.a.com/x", "http://a.com", "http://unblocked.com")
    assert [said(one) for one in found.blocks] == [
        ("a", None, [0, 1], [2, 1], ["c.org", "b.a.com"], [False, True]),
        ("b", None, [1], [1], ["b.a.com/x"], [True]),
    ]
    assert [said(one) for one in found.allows] == [("allow", None, [1], [1], ["a.com"], [False])]


def test_allow_list_may_hold_prefixes_and_patterns() -> None:
    """Of a blocked host single pages are let in."""
    allow = listed("allow", entries([], ["a.com/free"], [r"\?cc-by$"]))
    urls = ("http://a.com/free/1", "http://a.com/freed", "http://a.com/1?cc-by", "http://a.com/")
    found = match([listed("a", entries(["a.com"]))], [allow], *urls)
    assert found.blocks[0].excused.tolist() == [True, False, True, False]
    assert [said(one)[2:5] for one in found.allows] == [([0], [1], ["a.com/free"]), ([2], [1], [r"/\?cc-by$/"])]


def test_exceptions_of_a_list_excuse_its_own_blocks_alone() -> None:
    """What another list says, it says still; and each is recorded under its own name."""
    own = listed("own", entries(["a.com"], file="f"), exceptions=[entries(["b.a.com", "c.org"], file="f")])
    other = listed("other", entries(["a.com"]), exceptions=[entries(["x.com"])])
    found = match([own, other], [], "http://a.com", "http://b.a.com", "http://c.org")
    assert [(one.list, one.excused.tolist()) for one in found.blocks] == [
        ("own", [False, True]),
        ("other", [False, False]),
    ]
    assert [said(one) for one in found.allows] == [("own", "f", [1], [1], ["b.a.com"], [False])]


def test_exceptions_of_an_allow_list_let_in_too() -> None:
    """`@@||a.com^` and `||a.com^` on an allow list say the same."""
    allow = listed("allow", entries(["b.com"]), exceptions=[entries(["a.com"])])
    found = match([listed("a", entries(["a.com", "b.com"]))], [allow], "http://a.com", "http://b.com")
    assert found.blocks[0].excused.tolist() == [True, True]
    assert [said(one)[2] for one in found.allows] == [[1], [0]]


def test_every_allow_entry_that_covers_a_blocked_row_is_told() -> None:
    """Of the config and of lists, before the exceptions of blocklists."""
    blocks = listed("a", entries(["a.com"]), exceptions=[entries(["a.com"])])
    allows = [listed("allow", entries(["a.com"])), listed("mine", entries(["com", "a.com"]))]
    found = match([blocks], allows, "http://a.com")
    assert [(one.list, one.lines.tolist()) for one in found.allows] == [("allow", [1]), ("mine", [2]), ("a", [1])]


# Whole batches

DOMAIN = st.sampled_from(["a.com", "b.a.com", "*.com", "c.org"])
PREFIX = st.sampled_from(["a.com/x", "b.a.com/", "c.org/x*", "com/x"])
PATTERN = st.sampled_from(["x$", "^https", "/[xy]/", "a.com/xx"])
FILE = st.builds(entries, *(st.lists(kind, max_size=2) for kind in (DOMAIN, PREFIX, PATTERN)))
URL = st.builds(
    "{}://{}{}".format,
    st.sampled_from(["http", "HTTPS"]),
    st.sampled_from(["a.com", "b.A.com", "c.org.", "d.net"]),
    st.sampled_from(["", "/", "/x", "/x/y", "/xx"]),
)


@settings(deadline=None, max_examples=30)
@given(
    urls=st.lists(st.none() | URL | st.just("data:,"), max_size=6),
    blocks=st.lists(st.tuples(st.lists(FILE, min_size=1, max_size=2), st.lists(FILE, max_size=1)), max_size=2),
    allow=st.lists(FILE, max_size=1),
)
def test_batch_is_matched_as_its_rows_alone(
    urls: list[str | None], blocks: list[tuple[list[Entries], list[Entries]]], allow: list[Entries]
) -> None:
    """Nulls, repeats, lists, exceptions and allow lists, row by row."""
    lists = [listed(f"list {i}", *own, exceptions=excepted) for i, (own, excepted) in enumerate(blocks)]
    allows = [listed("allow", *allow)]
    found = match(lists, allows, *urls)
    told = {(one.list, one.matched[i].as_py(), row) for one in found.blocks for i, row in enumerate(one.rows)}
    beaten = {(one.list, row) for one in found.blocks for row in one.rows[one.excused]}
    assert (told, beaten) == slow({one.name: compiled(one) for one in lists}, compiled(*allows), urls)


def slow(
    lists: dict[str, list[CompiledFile]], allows: list[CompiledFile], urls: list[str | None]
) -> tuple[set[tuple[str, str, int]], set[tuple[str, int]]]:
    """What each index says of each URL alone: list, entry and row of blocks; list and row of those that are excused."""
    blocked, excused = set(), set()
    for row, url in enumerate(urls):
        let_in = entries_of(allows, url)
        for name, files in lists.items():
            own = entries_of([file for file in files if not file.excepts], url)
            blocked |= {(name, entry, row) for entry in own}
            if own and (let_in or entries_of([file for file in files if file.excepts], url)):
                excused.add((name, row))
    return blocked, excused


def entries_of(files: list[CompiledFile], url: str | None) -> list[str]:
    """The entries that cover one URL, each index asked by itself."""
    batch = pages_module.Pages(*pages(url))
    kinds = [kind for file in files for kind in file.indexes()]
    return [entry for kind in kinds for entry in kind.written(kind.find(batch)[1]).to_pylist()]


def test_slices_and_large_strings_are_matched_from_their_own_rows() -> None:
    """Arrow slices share buffers with rows that are not theirs."""
    hosts, urls = pages("http://a.com/x", "http://b.com/x", "http://c.com/x", "http://a.com/y")
    files = compiled(listed("a", entries(["a.com"], ["a.com/x", "b.com/x"], ["com/x$"])))

    def rows(hosts: pa.Array, urls: pa.Array) -> list[Numbers]:
        return [one.rows.tolist() for one in match_lists.match_lists(files, [], hosts, urls).blocks]

    assert rows(hosts, urls) == [[0, 3], [0, 1], [0, 1, 2]]
    assert rows(hosts[1:], urls[1:]) == [[2], [0], [0, 1]]
    assert rows(hosts[1:].cast(pa.large_string()), urls[1:].cast(pa.large_string())) == [[2], [0], [0, 1]]


def test_pages_take_the_rows_they_are_told() -> None:
    """As a batch of their own."""
    few = pages_module.Pages(*pages("http://a.com/x", None, "http://b.com/y")).take(np.array([1, 2]))
    assert (len(few), few.hosts.to_pylist(), few.with_host().tolist()) == (2, ["b.com"], [1])
    assert few.parts(np.array([1])).whole().to_pylist() == ["http://b.com/y"]


@pytest.mark.parametrize("module", [index, pages_module, public_suffixes], ids=lambda module: module.__name__)
def test_examples_run(module: object) -> None:
    """What the docstrings show is what comes out."""
    result = doctest.testmod(module)
    assert (result.failed, result.attempted > 0) == (0, True)
