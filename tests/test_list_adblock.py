"""Network filters: what of them holds for documents is read, what does not is counted by name."""

import io
import re
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.list_reading import BLOCKLISTS, domains, patterns, prefixes, searched
from transforms.decide.lists import lines as list_lines
from transforms.decide.lists.adblock import gather_filters
from transforms.decide.lists.entries import Entries
from transforms.decide.lists.lines import line_blocks


def both(text: str) -> tuple[Entries, Entries]:
    """What filters block and what they except."""
    return gather_filters(line_blocks(io.BytesIO(text.encode())))


def blocked(text: str) -> Entries:
    return both(text)[0]


def entries(found: Entries) -> list[str]:
    """All entries, written with their kind."""
    return [
        *(f"domain {entry}" for _, entry in domains(found)),
        *(f"prefix {entry}" for _, entry in prefixes(found)),
        *(f"pattern {entry}" for _, entry in patterns(found)),
    ]


@pytest.mark.parametrize(
    ("line", "entry"),
    [
        ("||a.example^", "domain a.example"),
        ("||A.Example^", "domain a.example"),
        ("||a.example^*", "domain a.example"),
        ("||a.example/", "domain a.example"),
        ("||a.example/*", "domain a.example"),
        ("||*.a.example^", "domain *.a.example"),
        ("||bücher.example^", "domain xn--bcher-kva.example"),
        ("||xn--bcher-kva.example^", "domain xn--bcher-kva.example"),
        ("||192.0.2.1^", "domain 192.0.2.1"),
        ("a.example", "domain a.example"),
        ("192.0.2.1", "domain 192.0.2.1"),
        ("[2001:db8::1]", "domain [2001:db8::1]"),
        ("a.example # a comment", "domain a.example"),
        ("  ||a.example^  ", "domain a.example"),
        ("||a.example/dl", "prefix a.example/dl*"),
        ("||a.example/dl*", "prefix a.example/dl*"),
        ("||a.example/dl/", "prefix a.example/dl/*"),
        ("||A.example/Dl?id=", "prefix a.example/Dl?id=*"),
        ("||*.a.example/dl", "prefix a.example/dl*"),
        ("||bücher.example/köln", "prefix xn--bcher-kva.example/k%C3%B6ln*"),
        ("||192.0.2.1/dl", "prefix 192.0.2.1/dl*"),
    ],
)
def test_filter_of_a_host_is_a_domain_or_a_prefix(line: str, entry: str) -> None:
    """A path begins what it blocks and may end anywhere, as in a browser."""
    found = blocked(line)
    assert (entries(found), found.ignored, found.unsupported) == ([entry], (), {})


@pytest.mark.parametrize(
    ("line", "found", "not_found"),
    [
        (
            "||a.example",
            ["http://a.example/", "https://b.a.example.org/x", "http://a.example2/"],
            ["http://ba.example/", "http://b/a.example", "http://b/?a.example", "http://b/?u=.a.example"],
        ),
        (
            "||a.example/dl^",
            ["http://a.example/dl", "http://b.a.example/dl/", "http://a.example/DL?x", "http://a.example/dl:1"],
            ["http://a.example/dl2", "http://a.example/dl.html", "http://a.example/dl-x", "http://a.example/dl%20"],
        ),
        ("||a.example/dl|", ["http://a.example/dl"], ["http://a.example/dl/", "http://a.example/dlx"]),
        ("||a.example^|", ["http://a.example/"], ["http://a.example/x"]),
        ("||a.example:8080^", ["http://a.example:8080/x"], ["http://a.example/", "http://a.example:80801/"]),
        ("||a*.b.example^", ["http://a1.b.example/", "http://x.ab.b.example/"], ["http://ba.b.example.c/"]),
        ("||zip^", ["http://a.zip/", "http://zip:80/"], ["http://a.zip.example/", "http://a/b.zip"]),
        (
            "|http://a.example/x",
            ["http://a.example/xy"],
            ["https://a.example/x", "http://b/?http://a.example/x", "http://axexample/x"],
        ),
        ("|https://", ["https://a.example/"], ["http://a.example/", "http://a/https://"]),
        (".exe|", ["http://a.example/b.EXE"], ["http://a.example/b.exe?x", "http://a.example/bxexe"]),
        ("/ads/*", ["http://a.example/b/ads/c"], ["http://a.example/ads"]),
        ("/ads/", ["http://a.example/b.ads"], ["http://a.example/b"]),
        (
            "*/click?id=*&t=",
            ["http://a.example/click?id=1&t=2"],
            ["http://a.example/click?id=1", "http://a/clickid=&t="],
        ),
        ("://x*.a.example/", ["http://x1.a.example/"], ["http://y.a.example/"]),
        (
            "^dl=1^",
            ["http://a.example/?dl=1", "http://a.example/?x&dl=1&y"],
            ["http://a.example/?ddl=1", "http://a/dl=12"],
        ),
        ("-banner-$match-case", ["http://a/x-banner-y"], ["http://a/x-Banner-y"]),
        ("^A^$match-case", ["http://a/A/"], ["http://a/a/", "http://a/BAB"]),
        ("/köln/x", ["http://a.example/k%c3%b6ln/x"], ["http://a.example/koln/x"]),
        ("a$!b", ["http://x/a$!b"], ["http://x/a", "http://x/a!b"]),
        (
            r"/^https?:\/\/a\d+\.example\//",
            ["http://a1.example/", "https://A22.example/x"],
            ["http://b/http://a1.example/"],
        ),
        (r"/\/[a-z]{4}\d\//$doc", ["http://a/abcd1/"], ["http://a/abc1/"]),
        (r"/\/[A-Z]{2}$/$doc,match-case", ["http://a/AB"], ["http://a/ab"]),
        (r"/a$|\/b\/c$/$all", ["http://x/b/c", "http://x/a"], ["http://x/b/cd"]),
    ],
)
def test_other_filter_is_searched_for_in_the_url(line: str, found: list[str], not_found: list[str]) -> None:
    """With the meaning that `*`, `^`, `|`, `||` and `/…/` have in a browser, whatever the case unless it matters."""
    found_entries = blocked(line)
    [(_, regex)] = patterns(found_entries)
    assert searched(regex, found + not_found) == found
    assert (found_entries.patterns[0].written, found_entries.unsupported) == (line, {})


@pytest.mark.parametrize(
    "options",
    [
        "document", "doc", "all", "important", "DOC", "doc,important", "script,document", "image,all", "~third-party",
        "~3p", "first-party", "1p", "strict1p", "~script", "~image,~stylesheet", "popup,doc", 'doc,reason="Fraud"',
        "doc, important",
    ],
)  # fmt: skip
def test_option_that_holds_for_documents_changes_nothing(options: str) -> None:
    """They are loaded first of all, as what they are themselves."""
    found = blocked(f"||a.example^${options}\n||b.example/x${options}\n/c/*${options}\n/d\\/e/${options}")
    assert entries(found) == [
        "domain a.example",
        "prefix b.example/x*",
        "pattern (?i)/c/",
        r"pattern (?i)d\/e",
    ]
    assert (found.unsupported, found.ignored) == ({}, ())


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        ("script", "script"),
        ("xhr,image", "image"),
        ("subdocument,important", "subdocument"),
        ("third-party", "third-party"),
        ("doc,3p", "3p"),
        ("~document", "~document"),
        ("~1p", "~1p"),
        ("domain=b.example", "domain"),
        ("doc,domain=b.example|c.example", "domain"),
        ("doc,to=com|~b.com", "to"),
        ("doc,from=b.example", "from"),
        ("removeparam=utm", "removeparam"),
        ("csp=script-src 'none'", "csp"),
        ("doc,redirect=noop.js", "redirect"),
        ("permissions=x", "permissions"),
        ("badfilter", "badfilter"),
        ("doc,badfilter", "badfilter"),
        ("generichide", "generichide"),
        ("doc,header=vary:/^referer\\,accept/i", "header"),
        ("popup", "popup"),
        ("doc,made-up-later", "made-up-later"),
    ],
)
@pytest.mark.parametrize("filter_", ["||a.example^", "||b.example/x", "/c/*", r"/d\/e/"])
def test_option_that_does_not_hold_for_all_documents_is_counted_by_name(filter_: str, options: str, kind: str) -> None:
    """Such a filter blocks nothing here, and the manifest can say why."""
    found, excepted = both(f"{filter_}${options}\n@@{filter_}${options}")
    assert (entries(found), found.ignored, found.unsupported) == ([], (), {f"option {kind}": 1})
    assert (entries(excepted), excepted.unsupported) == ([], {f"option {kind}": 1})


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("##.ad", "cosmetic filter"),
        ("a.example##.ad", "cosmetic filter"),
        ("a.example,b.example##div[href^='/x']", "cosmetic filter"),
        ("a.example#@#.ad", "cosmetic filter"),
        ("a.example#?#.ad:has(b)", "cosmetic filter"),
        ("a.example#$#body { color: red }", "cosmetic filter"),
        ("a.example#@?#.ad", "cosmetic filter"),
        ("a.example##+js(set, x, 1)", "scriptlet"),
        ("a.example#@#+js(set)", "scriptlet"),
        ("a.example#%#//scriptlet('x')", "cosmetic filter"),
        ("a.example##^script:has-text(x)", "HTML filter"),
        ("a.example$$script[data-x]", "HTML filter"),
        ("!#include more.txt", "directive !#include"),
        ("!#safari_cb_affinity(all)", "directive !#safari_cb_affinity(all)"),
        ("||a.example/#x", "URL with a fragment"),
        ("||a.example^$doc,to=b", "option to"),
    ],
)
def test_filter_that_is_not_of_documents_is_counted_by_name(line: str, kind: str) -> None:
    """Cosmetic filters, scriptlets and directives: they say nothing of which documents are bad."""
    found = blocked(f"{line}\n||good.example^\n{line}")
    assert (found.unsupported, entries(found), found.ignored) == ({kind: 2}, ["domain good.example"], ())


@pytest.mark.parametrize(
    "line",
    [
        "! comment",
        "!",
        "  ! ||a.example^",
        "[Adblock Plus 2.0]",
        "[uBlock Origin]",
        "# comment",
        "#",
        "## Title ##",
        "#####",
    ],
)
def test_comment_is_neither_entry_nor_counted(line: str) -> None:
    """The header is one too."""
    found, excepted = both(f"{line}\n||a.example^")
    assert (domains(found), found.unsupported, found.ignored_count) == ([(2, "a.example")], {}, 0)
    assert entries(excepted) == []


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("*", "it matches every URL"),
        ("*$doc", "it matches every URL"),
        ("^", "it matches every URL"),
        ("||", "it matches every URL"),
        ("://", "it matches every URL"),
        ("|http", "it matches every URL"),
        ("/.*/$doc", "it matches every URL"),
        (r"/^https?:\/\/(?!www)a/$doc", "invalid perl operator: (?!"),
        (r"/(a)\1/", r"invalid escape sequence: \1"),
        ("0.0.0.0 a.example", ""),
        ("a b", ""),
    ],
)
def test_filter_that_cannot_be_searched_for_is_ignored_with_the_reason(line: str, why: str) -> None:
    """Among them those that would block everything."""
    found = blocked(f"||a.example^\n{line}")
    assert entries(found) == ["domain a.example"]
    assert found.ignored == ((2, f"{line} ({why})" if why else line),)


def test_exceptions_are_kept_apart() -> None:
    """With lines, reasons and counts of their own."""
    found, excepted = both("||a.example^\n@@||ok.a.example^$doc\n@@||a.example/ok\n@@/free/*\n@@/(?=x)/\n@@||b^$script")
    assert (entries(found), found.ignored, found.unsupported) == (["domain a.example"], (), {})
    assert entries(excepted) == ["domain ok.a.example", "prefix a.example/ok*", "pattern (?i)/free/"]
    assert (domains(excepted), excepted.unsupported) == ([(2, "ok.a.example")], {"option script": 1})
    assert excepted.ignored == ((5, "@@/(?=x)/ (invalid perl operator: (?=)"),)


CONDITIONS = """\
||a.example^
!#if env_safari
! comment
||b.example^

@@||c.example^
!#if cap_html_filtering
||d.example^
!#endif
!#else
e.example##.ad
!#endif
||f.example^
!#endif
||g.example^
!#if ext_ubol
||h.example^
"""


@pytest.mark.parametrize("block", [1, 20, 1 << 20])
def test_filters_under_a_condition_are_counted_and_not_taken(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """They hold in some browsers only. Conditions nest, and reach beyond blocks; an end alone ends nothing."""
    monkeypatch.setattr(list_lines, "_BLOCK_BYTES", block)
    found, excepted = both(CONDITIONS)
    assert domains(found) == [(1, "a.example"), (13, "f.example"), (15, "g.example")]
    assert (found.unsupported, found.ignored, entries(excepted)) == ({"filter in an !#if block": 5}, (), [])


HOST = st.sampled_from(["a.com", "A.com", "xn--x.com", "x", "1.2.3.4", "1.2.3", "a.com.", "*.a.com", "ü.de"])
OPTIONS = st.sampled_from(["", "$all", "$doc", "$document", "$important", "$script", "$DOC", "$x=y"])
FILTER = st.builds("{}{}{}{}".format, st.sampled_from(["||", "|", "", "@@||"]), HOST, st.sampled_from("^/*|"), OPTIONS)


@settings(deadline=None)
@given(st.lists(FILTER, max_size=8))
def test_columns_of_lines_equal_lines_read_one_by_one(lines: list[str]) -> None:
    """The fast way for plain lines is no other rule: with a comment behind it, every line takes the slow one."""
    fast, slow = (both("\n".join(line + sign for line in lines)) for sign in ("", " # x"))
    assert [entries(found) for found in fast] == [entries(found) for found in slow]
    assert [(found.ignored, found.unsupported) for found in fast] == [
        (found.ignored, found.unsupported) for found in slow
    ]


def test_name_of_an_option_is_cut_where_it_has_no_end() -> None:
    """What goes into the manifest is short, whoever wrote the list."""
    assert blocked(f"||a.example^${'x' * 1000}").unsupported == {f"option {'x' * 93}": 1}


@settings(deadline=None)
@given(st.text("ab.*^|/$,=~@#!+ü[]()\\ ", max_size=12))
def test_any_line_is_an_entry_or_counted_or_a_comment(line: str) -> None:
    """Nothing is dropped in silence, and nothing is an error."""
    found, excepted = both(line)
    said = len(entries(found)) + len(entries(excepted)) + found.ignored_count + excepted.ignored_count
    said += sum(found.unsupported.values()) + sum(excepted.unsupported.values())
    text = line.strip()
    comment = not text or re.match(r"!(?!#)|#+(\s|$)", text) or text.startswith("!#")
    assert said == 1 or comment


@settings(deadline=None)
@given(st.text("ab./^*|?=", min_size=1, max_size=8), st.text("ab./?=:", max_size=10))
def test_pattern_finds_what_a_walk_through_the_url_finds(pattern: str, page: str) -> None:
    """The slow oracle takes the pattern character by character."""
    found = blocked(pattern)
    url = f"http://a.b/{page}"
    for _, regex in patterns(found):
        if not (pattern.startswith("/") and pattern.endswith("/") and len(pattern) > 2):
            assert bool(searched(regex, [url])) is walk(pattern.rstrip("*"), url)


def walk(pattern: str, url: str) -> bool:
    """Whether a filter's pattern is found in a URL, by trying every place."""
    if pattern.startswith("||"):
        host = url.index("//") + 2
        labels = [host, *(i + 1 for i in range(host, url.index("/", host)) if url[i] == ".")]
        return any(walk_from(pattern[2:], url, at) for at in labels)
    if pattern.startswith("|"):
        return walk_from(pattern[1:], url, 0)
    return any(walk_from(pattern, url, at) for at in range(len(url) + 1))


def walk_from(pattern: str, url: str, at: int) -> bool:
    if not pattern:
        return True
    first, rest = pattern[0], pattern[1:]
    if first == "*":
        return any(walk_from(rest, url, there) for there in range(at, len(url) + 1))
    if first == "|" and not rest:
        return at == len(url)
    if first == "^" and at == len(url):
        return walk_from(rest, url, at)
    fits = at < len(url) and (not (url[at].isalnum() or url[at] in "_-.%") if first == "^" else url[at] == first)
    return fits and walk_from(rest, url, at + 1)


@pytest.mark.skipif(not BLOCKLISTS.exists(), reason=f"needs the lists in {BLOCKLISTS}")
@pytest.mark.parametrize(
    ("path", "counts"),
    [
        ("adblock/ublock_badware.txt", (2906, 227, 699, 1)),
        ("adblock/urlhaus_online.txt", (2908, 0, 2086, 0)),
        ("blocklistproject/adguard_scam-ags.txt", (3987, 0, 0, 0)),
    ],
)
def test_real_list_of_filters_adds_up(path: str, counts: tuple[int, int, int, int]) -> None:
    """Each line that is no comment is an entry or counted: no filter is lost."""
    text = (BLOCKLISTS / path).read_text()
    found, excepted = both(text)
    assert (len(found.domains), len(found.prefixes), len(found.patterns), len(excepted.patterns)) == counts
    lines = [line.strip() for line in text.splitlines()]
    filters = [line for line in lines if line and not line.startswith("!") and not line.startswith("[")]
    counted = Counter(found.unsupported) + Counter(excepted.unsupported)
    assert sum(counts) + counted.total() + found.ignored_count + excepted.ignored_count == len(filters)


@pytest.mark.skipif(not BLOCKLISTS.exists(), reason=f"needs the lists in {BLOCKLISTS}")
@pytest.mark.parametrize(
    "path", ["adblock/ublock_badware.txt", "adblock/urlhaus_online.txt", "blocklistproject/adguard_scam-ags.txt"]
)
def test_real_list_names_the_hosts_that_a_plain_reading_finds(path: str) -> None:
    """`||host^` with no option or one for documents, and hosts alone on a line, outside of conditions."""
    expected, depth = [], 0
    for number, line in enumerate((BLOCKLISTS / path).read_text().splitlines(), 1):
        depth += line.startswith("!#if") - line.startswith("!#endif")
        match = re.fullmatch(
            r"\|\|([a-z0-9_.-]+)\^(?:\$(?:doc|document|all|important)(?:,(?:important|frame))?)?|([a-z0-9.-]+)", line
        )
        host = match and (match[1] or match[2])
        if host and not depth and "." in host.strip("."):
            expected.append((number, host))
    assert domains(blocked((BLOCKLISTS / path).read_text())) == expected
