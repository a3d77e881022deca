"""Lists of URL prefixes: normalised as URLs of documents are, and never to another meaning."""

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.list_reading import BLOCKLISTS, domains, prefixes, read, says
from transforms.decide.lists.gather_entries import normal_prefixes
from transforms.decide.lists.url_prefixes import URL_PREFIXES
from transforms.urls import normal_urls


@pytest.mark.parametrize(
    ("line", "entry"),
    [
        ("a.example/x", "a.example/x"),
        ("a.example/x/", "a.example/x/"),
        ("a.example/x?q=1", "a.example/x?q=1"),
        ("a.example/x?", "a.example/x?"),
        ("a.example?q=1", "a.example/?q=1"),
        ("http://a.example/x", "a.example/x"),
        ("HTTPS://A.Example/X", "a.example/X"),
        ("www.a.example/x", "www.a.example/x"),
        ("*.a.example/x", "*.a.example/x"),
        (".a.example/x", "*.a.example/x"),
        ("a.example./x", "a.example/x"),
        ("a.example/x*", "a.example/x*"),
        ("a.example/x/*", "a.example/x/*"),
        ("a.example/x**", "a.example/x*"),
        ("a.example/x?q=*", "a.example/x?q=*"),
        ("a.example:8080", "a.example:8080/"),
        ("a.example:8080/x", "a.example:8080/x"),
        ("http://a.example:80/x", "a.example/x"),
        ("https://a.example:443/x", "a.example/x"),
        ("http://a.example:443/x", "a.example:443/x"),
        ("a.example:443/x", "a.example/x"),
        ("a.example:80/x", "a.example/x"),
        ("bücher.example/köln", "xn--bcher-kva.example/k%C3%B6ln"),
        ("XN--BCHER-KVA.example/x", "xn--bcher-kva.example/x"),
        ("a.example/b/../c", "a.example/c"),
        ("a.example/%2e%2E/c", "a.example/c"),
        ("a.example/b\\c", "a.example/b/c"),
        ("a.example/%41|", "a.example/%41|"),
        ("109.238.9.3/torrent", "109.238.9.3/torrent"),
        ("[2001:DB8::1]/x", "[2001:db8::1]/x"),
        ("http://[2001:db8::1]:8080/x", "[2001:db8::1]:8080/x"),
        ("a.example/x # a comment", "a.example/x"),
        (" a.example/x\t", "a.example/x"),
        ("a.example/x#", "a.example/x"),
        ("a.example//x", "a.example//x"),
        ("a.example/~b/(c)", "a.example/~b/(c)"),
    ],
)
def test_line_is_a_prefix_in_normal_form(line: str, entry: str) -> None:
    """Scheme, port of the scheme, case of the host and comments mean nothing; no slash is added, a star is kept."""
    assert says(line, URL_PREFIXES) == ([], [entry], [])


@pytest.mark.parametrize(
    ("line", "entry"),
    [
        ("a.example", "a.example"),
        ("a.example/", "a.example"),
        ("a.example/*", "a.example"),
        ("https://A.example/", "a.example"),
        ("*.a.example", "*.a.example"),
        ("192.0.2.1/", "192.0.2.1"),
        ("2001:db8::1", "[2001:db8::1]"),
        ("http://[2001:db8::1]/", "[2001:db8::1]"),
        ("a.example/#", "a.example"),
    ],
)
def test_host_without_a_page_is_a_domain(line: str, entry: str) -> None:
    """It stands for all that is there."""
    assert says(line, URL_PREFIXES) == ([entry], [], [])


@pytest.mark.parametrize(
    "line",
    [
        "localhost/x", "com/x", "/x", "//a.example/x", "?q", "a..example/x", "a b.example/x", "a.example/x y",
        "ftp://a.example/x", "data:a.example/x", "mailto:me@a.example", "me@a.example/x", "http://me:pw@a.example/x",
        "a.example:x/y", "a.example:99999/x", "1.2.3/x", "1.2.3.256/x", "0x7f.1/x", "01.2.3.4/x", "[::1/x", "::1/x",
        "a.*.example/x", "a.example*", "xn--\u00ad.example/x", "0.0.0.0 a.example/x", "\\\\a.example\\x",
    ],
)  # fmt: skip
def test_line_that_is_no_prefix_is_ignored_and_named(line: str) -> None:
    """What no browser would open as a web page, and what a parser would bend into another URL."""
    found = read(f"good.example/x\n{line}\n", URL_PREFIXES)
    assert (prefixes(found), domains(found)) == ([(1, "good.example/x")], [])
    assert (found.ignored, found.ignored_count, found.unsupported) == (((2, line),), 1, {})


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("a.example/#!album", "URL with a fragment"),
        ("a.example/x#y", "URL with a fragment"),
        ("b.example#top", "URL with a fragment"),
        ("http://c.example#z", "URL with a fragment"),
        ("a.example#x/y", "URL with a fragment"),
        ("a.example/*/x", "wildcard inside a URL"),
        ("a.example/*x*", "wildcard inside a URL"),
    ],
)
def test_prefix_that_would_grow_is_counted_as_not_supported(line: str, kind: str) -> None:
    """URLs of documents have no fragment: without its own, `a.example/#!album` would stand for the whole host."""
    found = read(line, URL_PREFIXES)
    assert (found.unsupported, prefixes(found), domains(found), found.ignored) == ({kind: 1}, [], [], ())


HOST = st.sampled_from(
    ["a.com", "A.com", "b.a.de", "1.2.3.4", "1.2.3", "xn--x.com", "x", "a.com:80", "ü.de", "a.com.", ""]
)
PAGE = st.lists(st.sampled_from(["/", "x", "..", ".", "%2e", "?", "&", "*", "\\", "ü", "|", ":", "@"]), max_size=5)
URL = st.builds("{}{}{}".format, st.sampled_from(["", "http://", "https://", "ftp://"]), HOST, PAGE.map("".join))


@settings(deadline=None)
@given(st.lists(URL, max_size=8))
def test_columns_of_lines_equal_lines_read_one_by_one(lines: list[str]) -> None:
    """The fast way for plain lines is no other rule: with a comment behind it, every line takes the slow one."""
    fast, slow = (read("\n".join(line + sign for line in lines), URL_PREFIXES) for sign in ("", " #"))
    assert (domains(fast), prefixes(fast)) == (domains(slow), prefixes(slow))
    assert (fast.ignored, fast.unsupported) == (slow.ignored, slow.unsupported)


@settings(deadline=None)
@given(st.builds("{}/{}".format, st.sampled_from(["a.com", "B.de:81", "1.2.3.4"]), PAGE.map("".join)))
def test_prefix_is_what_the_same_url_of_a_document_becomes(url: str) -> None:
    """Both go through one normal form, so that an entry finds the page that it names."""
    body = url.rstrip("*")
    [document] = normal_urls(pa.array([f"http://{body}"])).to_pylist()
    star = "*" if body != url else ""
    assert normal_prefixes(pa.array([url])).to_pylist() == [document and document + star]


def test_prefixes_without_rows_are_no_prefixes() -> None:
    """An empty column in, an empty one out; null where there is no URL."""
    assert normal_prefixes(pa.array([], pa.large_string())).to_pylist() == []
    assert normal_prefixes(pa.array(["mailto:a", "a.b/c"])).to_pylist() == [None, "a.b/c"]


@pytest.mark.skipif(not BLOCKLISTS.exists(), reason=f"needs the lists in {BLOCKLISTS}")
@pytest.mark.parametrize(
    ("path", "count", "fragments"),
    [
        ("ut1/warez/urls", 15, 0),
        ("ut1/filehosting/urls", 8, 0),
        ("ut1/hacking/urls", 33, 0),
        ("ut1/dangerous_material/urls", 19, 0),
        ("ut1/phishing/urls", 19039, 421),
    ],
)
def test_real_list_of_urls_is_read_whole(path: str, count: int, fragments: int) -> None:
    """Each line is a prefix, but for those with a fragment."""
    text = (BLOCKLISTS / path).read_bytes()
    found = read(text, URL_PREFIXES)
    lines = [(number, line.removesuffix("#")) for number, line in enumerate(text.decode().splitlines(), 1) if line]
    assert found.prefix_lines.tolist() == [number for number, line in lines if "#" not in line]
    plain = {number: line for number, line in lines if "/." not in line}
    assert all(entry == plain.get(number, entry) for number, entry in prefixes(found))
    assert (len(found.prefixes), found.unsupported.get("URL with a fragment", 0)) == (count, fragments)
    assert (found.ignored_count, len(found.domains)) == (0, 0)
