"""Lists of domains: which lines are entries, in which spellings, and which are ignored."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import ConfigError
from tests.list_reading import BLOCKLISTS, domains, patterns, read, says, searched
from transforms.decide.lists.allow_list import allow_list
from transforms.decide.lists.domains import DOMAINS, read_domain


@pytest.mark.parametrize(
    ("line", "entry"),
    [
        ("example.org", "example.org"),
        ("a.b-c.example.co.uk", "a.b-c.example.co.uk"),
        ("EXAMPLE.Org", "example.org"),
        ("example.org.", "example.org"),
        (".example.org", "*.example.org"),
        ("*.example.org", "*.example.org"),
        ("*.GitHub.io.", "*.github.io"),
        ("*.zip", "*.zip"),
        (".XN--P1AI", "*.xn--p1ai"),
        (" \texample.org \t", "example.org"),
        ("\u00a0example.org\u3000", "example.org"),
        ("example.org # a mirror", "example.org"),
        ("example.org#a mirror", "example.org"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("*.BÜCHER.example.", "*.xn--bcher-kva.example"),
        ("XN--BCHER-KVA.example", "xn--bcher-kva.example"),
        ("例え.テスト", "xn--r8jz45g.xn--zckzah"),
        ("xn--p1ai.xn--p1ai", "xn--p1ai.xn--p1ai"),
        ("my_host.example", "my_host.example"),
        ("co.uk", "co.uk"),
        ("192.0.2.1", "192.0.2.1"),
        ("2001:DB8::0:1", "[2001:db8::1]"),
        ("[2001:db8::1]", "[2001:db8::1]"),
        ("::ffff:192.0.2.1", "[::ffff:c000:201]"),
        ("domain:Example.org", "example.org"),
        ("domain:example.org @ads @!cn", "example.org"),
        ("example.org @ads &other", "example.org"),
        ("example.org @ads # a mirror", "example.org"),
    ],
)
def test_line_is_an_entry_as_hosts_are_written(line: str, entry: str) -> None:
    """Spellings of one domain, and addresses, become what `url_host_name` holds; `*.` and `.` in front are kept."""
    assert says(line, DOMAINS) == ([entry], [], [])


@pytest.mark.parametrize(
    "line",
    [
        "localhost", "com", ".", "*.", "..", "*.*", ".1", "a..example", "..a.example", "a.example..", "*.*.a.example",
        "a.*.example", "0.0.0.0 a.example", "a.example b.example", "a.example,b.example", "http://a.example",
        "a.example/path", "a.example:80", "me@a.example", "a.example?q", "a\\b.example", "a%2eb.example",
        "a\tb.example", "! a.example", "||a.example^", "server=/a.example/", "1.2", "0x7f.0.0.1", "1.2.3.256",
        "1.2.3.4.5", "１.2.3.4", "*.192.0.2.1", ".2001:db8::1", "2001:db8:::1", "[::1", "::1]", "[::1]:80",
        "1.2.3.4:80", "1:2", "xn--\u00ad.example", "a\0.example", "a&b.example", "@ads", "full:", "full:com",
        "domain:", "domain:a b", "keyword:", "regexp:", "regexp:(a", "regexp:.*", "FULL:a.example",
    ],
)  # fmt: skip
def test_line_that_is_no_domain_is_ignored_and_named(line: str) -> None:
    """Nothing is guessed from lines of other formats; the letter to the user can quote them."""
    found = read(f"good.example\n{line}\n", DOMAINS)
    assert (domains(found), found.patterns, found.ignored_count) == ([(1, "good.example")], (), 1)
    [(number, text)] = found.ignored
    assert (number, text.partition(" (")[0]) == (2, line.strip())


@pytest.mark.parametrize("line", ["", "   ", "\t", "# a.example", "  # a.example", "#", b"# caf\xe9", "\r", "\u3000"])
def test_blank_line_and_comment_are_neither_entry_nor_ignored(line: str | bytes) -> None:
    """They are what a list is made of, in any encoding."""
    found = read((line if isinstance(line, bytes) else line.encode()) + b"\ngood.example", DOMAINS)
    assert domains(found)[-1][1] == "good.example"
    assert (len(found.domains), found.ignored, found.ignored_count) == (1, (), 0)


def test_bytes_that_are_no_utf8_are_ignored_and_shown_escaped() -> None:
    """A domain in Latin-1 is unknown; a comment in Latin-1 behind a domain does no harm."""
    found = read(b"b\xfccher.example\ngood.example # caf\xe9\n", DOMAINS)
    assert domains(found) == [(2, "good.example")]
    assert found.ignored == ((1, "b\\xfccher.example"),)


def test_entries_keep_the_order_of_their_lines() -> None:
    """Plain and odd lines, and repeats, which the index is to settle."""
    found = read("bücher.example\nb.example\n\nXN--bcher-kva.example\n1.2.3.4\nb.example\n", DOMAINS)
    assert domains(found) == [
        (1, "xn--bcher-kva.example"),
        (2, "b.example"),
        (4, "xn--bcher-kva.example"),
        (5, "1.2.3.4"),
        (6, "b.example"),
    ]


def test_ignored_lines_are_counted_beyond_those_that_are_shown() -> None:
    """Twenty lines are shown, each cut at a hundred characters."""
    found = read("good.example\n" + "\n".join(f"{'no' * 80} {i}" for i in range(25)), DOMAINS)
    assert found.ignored == tuple((line, "no" * 50) for line in range(2, 22))
    assert found.ignored_count == 25


def test_line_that_is_too_long_is_ignored_with_the_reason() -> None:
    """It is counted like any other that cannot be read."""
    found = read(b"a.example\n" + b"x" * 70_000 + b"\nb c\nd.example", DOMAINS)
    assert domains(found) == [(1, "a.example"), (4, "d.example")]
    assert found.ignored == ((2, f"{'x' * 100} (longer than 65536 bytes)"), (3, "b c"))


@pytest.mark.parametrize(
    ("line", "found", "not_found"),
    [
        (
            "full:a.example",
            ["http://a.example/", "https://a.example:8080/x?y"],
            ["http://b.a.example/", "http://a.example.b/", "http://b/http://a.example/", "http://axexample/"],
        ),
        (
            "full:BÜCHER.example @ads",
            ["http://xn--bcher-kva.example/"],
            ["http://a.xn--bcher-kva.example/"],
        ),
        ("full:2001:db8::1", ["http://[2001:db8::1]/"], ["http://[2001:db8::2]/"]),
        (
            "keyword:warez",
            ["http://warez.example/", "http://a.MYWAREZ9.example:80/"],
            ["http://a.example/warez", "http://a.example/?u=http://warez.example/", "warez://a.example/"],
        ),
        ("keyword:80", ["http://a80.example/"], ["http://a.example:8080/"]),
        (
            r"regexp:^a\d+\.example$",
            ["http://a1.example/", "http://a12.example:8080/x"],
            [
                "http://b.a1.example/",
                "http://a1.example.com/",
                "http://b.example/a1.example/",
                "http://b/://a1.example/",
            ],
        ),
        (
            r"regexp:(^|\.)lib[^.]\.(?:is|st)$",
            ["http://libz.is/", "http://www.liby.st/x"],
            ["http://liber.is/", "http://a.example/www.libz.is/", "http://lib/.is/"],
        ),
        (r"regexp:tor.*hub", ["http://x.torrent-hub.example/"], ["http://tor.example/hub", "http://a.example/torhub"]),
        (r"regexp:ttp", ["http://httpd.example/"], ["http://a.example/", "http://a.example/ttp"]),
        (r"regexp:a\Db\Wc\Sd", ["http://a-b.c-d.example/"], ["http://a/b.c-d.example/", "http://x.example/a-b.c-d"]),
        (r"regexp:x[[:digit:]][]]?$", ["http://a.x1/"], ["http://a.example/x1"]),
        (r"regexp:sci\.hub", ["http://SCI.hub.example/"], ["http://sci-hub.example/"]),
    ],
)
def test_rule_of_v2fly_is_searched_for_in_the_host(line: str, found: list[str], not_found: list[str]) -> None:
    """`full:` is the very host; `keyword:` and `regexp:` look at the host and at nothing behind it."""
    _, _, [regex] = says(line, DOMAINS)
    assert searched(regex, found + not_found) == found


def test_file_included_by_v2fly_is_counted_as_not_supported() -> None:
    """It lies elsewhere."""
    found = read("include:libgen\ninclude:sci-hub @ads\na.example", DOMAINS)
    assert (found.unsupported, domains(found), found.ignored) == ({"include:": 2}, [(3, "a.example")], ())


LABEL = st.text("aBxn0-_", min_size=1, max_size=4)
NAME = st.lists(LABEL, min_size=1, max_size=3).map(".".join)
BEFORE, TLD, BEHIND = (st.sampled_from(x) for x in (["", "*.", ".", " "], ["", ".com", ".de."], ["", "\t", " #x"]))
LINE = st.builds("{}{}{}{}".format, BEFORE, NAME, TLD, BEHIND)
ODD_LINE = st.text("aü1.:*# /\u3002\t", max_size=8)


@settings(deadline=None)
@given(st.lists(LINE | ODD_LINE, max_size=12))
def test_columns_of_lines_equal_lines_read_one_by_one(lines: list[str]) -> None:
    """The fast way for plain lines is no other rule: with a comment behind it, every line takes the slow one."""
    fast, slow = (read("\n".join(line + sign for line in lines), DOMAINS) for sign in ("", "#"))
    assert domains(fast) == domains(slow)
    assert (fast.ignored, patterns(fast)) == (slow.ignored, patterns(slow))


@given(st.text(max_size=12))
def test_any_text_is_a_domain_or_none(text: str) -> None:
    """Never an error; and what comes out is read as itself."""
    name = read_domain(text)
    assert name is None or read_domain(name) == name


def test_allow_list_numbers_its_entries_from_one() -> None:
    """They are written as in a blocklist; repeats stay, as their lines do."""
    allow = allow_list(["b.example", " *.BÜCHER.example ", "192.0.2.1", "b.example"])
    [entries] = allow.blocks
    assert domains(entries) == [(1, "b.example"), (2, "*.xn--bcher-kva.example"), (3, "192.0.2.1"), (4, "b.example")]
    assert (allow.name, allow.category, allow.format, allow.exceptions, allow.notes) == (
        "allow",
        "allow",
        "domains",
        (),
        (),
    )


def test_allow_list_may_be_empty() -> None:
    """The config's default is an empty list."""
    assert domains(allow_list([]).blocks[0]) == []


def test_allow_list_names_every_wrong_entry() -> None:
    """All mistakes at once."""
    with pytest.raises(ConfigError) as caught:
        allow_list(["a.example", "http://b.example/", "localhost", ""])
    assert str(caught.value) == (
        "sources.allow: `http://b.example/`, `localhost`, `` is no domain; write domains such as `example.org`, "
        "without scheme, port or path."
    )


@pytest.mark.skipif(not BLOCKLISTS.exists(), reason=f"needs the lists in {BLOCKLISTS}")
@pytest.mark.parametrize(
    ("path", "count", "first"),
    [
        ("ut1/child/domains", 75, "2jr.org"),
        ("ut1/filehosting/domains", 941, "1000go.fr"),
        ("ut1/hacking/domains", 274, "157.238.207.26"),
        ("ut1/warez/domains", 1546, "01cinema.com"),
        ("blocklistproject/alt-version_scam-nl.txt", 3987, "0-google.com"),
        ("v2fly/piratebay", 4, "pirates-forum.org"),
        ("v2fly/z-library", 48, "1lib.cloud"),
    ],
)
def test_real_list_of_domains_is_read_whole(path: str, count: int, first: str) -> None:
    """No line of them is ignored, and the entries are the lines that a plain reading gives."""
    text = (BLOCKLISTS / path).read_bytes()
    found = read(text, DOMAINS)
    lines = enumerate((line.strip() for line in text.decode().splitlines()), 1)
    assert domains(found) == [(number, name) for number, name in lines if name and not name.startswith("#")]
    assert (len(found.domains), found.domains[0].as_py(), found.ignored_count) == (count, first, 0)
