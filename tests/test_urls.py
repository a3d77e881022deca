"""URL columns: what a URL's host, SURT key, registered domain and digest are, and that the fast path agrees."""

import re
from pathlib import Path

import pyarrow as pa
import pytest
import xxhash
from ada_url import URL
from hypothesis import given, settings
from hypothesis import strategies as st
from publicsuffixlist import PublicSuffixList

from schemas.columns import MEASURED
from transforms import urls as under_test
from transforms.urls import url_columns

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
NAMES = ("url_surtkey", "url_host_name", "url_host_registered_domain", "url_digest")
SUFFIXES = PublicSuffixList(only_icann=True)
Row = tuple[str | None, str | None, str | None, bytes | None]
UNUSABLE: Row = (None, None, None, None)


def rows(*urls: str | None) -> list[Row]:
    """The four columns, row by row."""
    columns = url_columns(pa.array(urls, pa.string()))
    return list(zip(*(columns[name].to_pylist() for name in NAMES), strict=True))


def digest(normalised: str) -> bytes:
    return xxhash.xxh3_128(normalised.encode()).digest()


def slow(url: str) -> Row:
    """One URL, read by the parser and without a fast path."""
    try:
        parsed = URL(url)
    except ValueError:
        return UNUSABLE
    host = parsed.hostname[:-1] if parsed.hostname.endswith(".") else parsed.hostname
    if parsed.protocol not in {"http:", "https:"} or not all(host.split(".")):
        return UNUSABLE
    port = f":{parsed.port}" if parsed.port else ""
    tail = parsed.href.partition("#")[0].split("/", 3)[3]
    address = host.startswith("[") or host.split(".")[-1].isdigit()
    return (
        slow_key(host, port, tail.lower()),
        host,
        None if address else SUFFIXES.privatesuffix(host),
        digest(f"https://{parsed.hostname}{port}/{tail}"),
    )


def slow_key(host: str, port: str, tail: str) -> str:
    """The SURT key, piece by piece."""
    labels = re.sub(r"^www[0-9]*\.", "", host).strip("[]").split(".")
    path, _, query = tail.partition("?")
    key = ",".join(reversed(labels)) + port + ")/" + "/".join(piece for piece in path.split("/") if piece)
    arguments = sorted(query.split("&"), key=lambda argument: argument.split("=", 1))
    return f"{key}?{'&'.join(arguments)}" if query else key


@pytest.mark.parametrize(
    ("url", "surtkey", "host", "domain", "normalised"),
    [
        ("HTTP://EXAMPLE.com:80", "com,example)/", "example.com", "example.com", "https://example.com/"),
        ("https://www.a.com/B/?y=2&X=1", "com,a)/b?x=1&y=2", "www.a.com", "a.com", "https://www.a.com/B/?y=2&X=1"),
        ("http://me:secret@a.com/x#top", "com,a)/x", "a.com", "a.com", "https://a.com/x"),
        ("http://bücher.de/ü", *["de,xn--bcher-kva)/%c3%bc", *["xn--bcher-kva.de"] * 2, "https://xn--bcher-kva.de/%C3%BC"]),
        ("http://xn--bcher-kva.de/", "de,xn--bcher-kva)/", *["xn--bcher-kva.de"] * 2, "https://xn--bcher-kva.de/"),
        ("http://☕.com/☕", "com,xn--53h)/%e2%98%95", *["xn--53h.com"] * 2, "https://xn--53h.com/%E2%98%95"),
        ("http://例え.テスト/", "xn--zckzah,xn--r8jz45g)/", *["xn--r8jz45g.xn--zckzah"] * 2, "https://xn--r8jz45g.xn--zckzah/"),
        ("http://a.com./", "com,a)/", "a.com", "a.com", "https://a.com./"),
        ("http://0x7f.1/", "1,0,0,127)/", "127.0.0.1", None, "https://127.0.0.1/"),
        ("http://3232235777", "1,1,168,192)/", "192.168.1.1", None, "https://192.168.1.1/"),
        ("http://１２７.0.0.1/", "1,0,0,127)/", "127.0.0.1", None, "https://127.0.0.1/"),
        ("http://[::0:1]/a", "::1)/a", "[::1]", None, "https://[::1]/a"),
        ("http://a.com:8080/", "com,a:8080)/", "a.com", "a.com", "https://a.com:8080/"),
        ("http://a.com:443/", "com,a:443)/", "a.com", "a.com", "https://a.com:443/"),
        ("https://a.com:443/", "com,a)/", "a.com", "a.com", "https://a.com/"),
        ("  http://a.com/b c ", "com,a)/b%20c", "a.com", "a.com", "https://a.com/b%20c"),
        ("ht\ttp://a.c\nom/\r", "com,a)/", "a.com", "a.com", "https://a.com/"),
        ("http:\\\\a.com\\b", "com,a)/b", "a.com", "a.com", "https://a.com/b"),
        ("http:a.com", "com,a)/", "a.com", "a.com", "https://a.com/"),
        ("http://a.com/%7eb%2Fc%25", "com,a)/%7eb%2fc%25", "a.com", "a.com", "https://a.com/%7eb%2Fc%25"),
        ("http://%61.com/", "com,a)/", "a.com", "a.com", "https://a.com/"),
        ("http://www.a.com/../a/./b", "com,a)/a/b", "www.a.com", "a.com", "https://www.a.com/a/b"),
        ("http://a.com/a/%2E%2e/b", "com,a)/b", "a.com", "a.com", "https://a.com/b"),
        ("http://a.com//b", "com,a)/b", "a.com", "a.com", "https://a.com//b"),
        ("http://a.com/?", "com,a)/", "a.com", "a.com", "https://a.com/?"),
        ("http://a.com/\0", "com,a)/", "a.com", "a.com", "https://a.com/"),
        ("http://a.com/a\0b", "com,a)/a%00b", "a.com", "a.com", "https://a.com/a%00b"),
        ("http://a_b.c-.com/", "com,c-,a_b)/", "a_b.c-.com", "c-.com", "https://a_b.c-.com/"),
        ("http://localhost/", "localhost)/", "localhost", None, "https://localhost/"),
        ("http://www.com/", "com)/", "www.com", "www.com", "https://www.com/"),
        ("http://co.uk/", "uk,co)/", "co.uk", None, "https://co.uk/"),
        ("http://a.b.co.uk/", "uk,co,b,a)/", "a.b.co.uk", "b.co.uk", "https://a.b.co.uk/"),
        ("http://me.github.io/", "io,github,me)/", "me.github.io", "github.io", "https://me.github.io/"),
        ("http://a.b.kawasaki.jp/", "jp,kawasaki,b,a)/", *["a.b.kawasaki.jp"] * 2, "https://a.b.kawasaki.jp/"),
        ("http://a.city.kawasaki.jp/", "jp,kawasaki,city,a)/", "a.city.kawasaki.jp", "city.kawasaki.jp", "https://a.city.kawasaki.jp/"),
        ("http://a.b.nosuchtld/", "nosuchtld,b,a)/", "a.b.nosuchtld", "b.nosuchtld", "https://a.b.nosuchtld/"),
    ],
)  # fmt: skip
def test_url_has_these_columns(url: str, surtkey: str, host: str, domain: str | None, normalised: str) -> None:
    """Plain and odd URLs are read as a browser reads them."""
    assert rows(url) == [(surtkey, host, domain, digest(normalised))]


@pytest.mark.parametrize(
    "url",
    [
        None, "", " ", "a", "a/b.com", "me@a.com", "a.com@b.com", "javascript:alert(1)", "mailto:me@a.com", "data:text/plain,http://a.com/",
        "ftp://a.com/", "file:///a.com", "http:", "http://", "http://?q", "http://:80/", "http://a b.com/",
        "http://a.com:99999/", "http://a\0.com/", "http://a%00.com/", "http://[::1/", "http://1.2.3.256/", "http://a<b.com/",
        "http://a..b/", "http://.a.com/", "http://a.com../", "http://./", "http://1.2.3.999../", "http://xn--\u00ad/",
    ],
)  # fmt: skip
def test_unusable_url_is_null_in_every_column(url: str | None) -> None:
    """What is no http address of a host that DNS could know has no columns."""
    assert rows(url) == [UNUSABLE]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("http://a.com/", "https://a.com"),
        ("http://a.com/x", "http://A.COM:80/y/../x#top"),
        ("http://u:p@a.com/", "http://a.com/"),
        ("http://bücher.de/", "http://XN--BCHER-KVA.de/"),
    ],
)
def test_digest_is_equal_for_spellings_of_one_address(one: str, other: str) -> None:
    """Scheme, case of the host, own port, dot segments, user and fragment make no other page."""
    assert rows(one)[0][3] == rows(other)[0][3]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("http://a.com/x", "http://www.a.com/x"),
        ("http://a.com/x", "http://a.com/X"),
        ("http://a.com/x", "http://a.com/x/"),
        ("http://a.com/?a=1&b=2", "http://a.com/?b=2&a=1"),
        ("http://a.com/", "http://a.com/?"),
        ("http://a.com/", "http://a.com:443/"),
    ],
)
def test_digest_differs_where_the_page_may_differ(one: str, other: str) -> None:
    """Host, path, query and a port that is not the scheme's own are kept."""
    assert rows(one)[0][3] != rows(other)[0][3]


@pytest.mark.parametrize(
    ("url", "surtkey"),
    [
        ("https://an.wikipedia.org/wiki/Escopete", "org,wikipedia,an)/wiki/escopete"),
        ("http://037426.cn/", "cn,037426)/"),
        ("http://06.live-radsport.ch/fahrerstatistik_801/Anthony_Ravard.html",
         "ch,live-radsport,06)/fahrerstatistik_801/anthony_ravard.html"),
        ("http://0900-hovenier.nl/gelderland/oosterbeek/", "nl,0900-hovenier)/gelderland/oosterbeek"),
        ("http://096355.com/video/11073.html?11073-0-2", "com,096355)/video/11073.html?11073-0-2"),
        ("http://www.home33.com.tw/_chinese/_img/00_layout/free_serv.png",
         "tw,com,home33)/_chinese/_img/00_layout/free_serv.png"),
        ("https://www.example.com/index.html/", "com,example)/index.html"),
        ("http://example.com?example=1", "com,example)/?example=1"),
        (("https://ecorp.chinatrust.com.tw/cts/static/ag_stockdiv_cash_history.jsp"
          "?comCode=689&stype=01&comName=?o?Q??%C2%A7?&scode=null"),
         ("tw,com,chinatrust,ecorp)/cts/static/ag_stockdiv_cash_history.jsp"
          "?comcode=689&comname=?o?q??%c2%a7?&scode=null&stype=01")),
    ],
)  # fmt: skip
def test_surt_key_of_a_crawled_page_is_common_crawls(url: str, surtkey: str) -> None:
    """Addresses from crawls, with the keys that Common Crawl's canonicaliser gives them."""
    assert rows(url)[0][0] == surtkey


@pytest.mark.parametrize(
    ("url", "surtkey"),
    [
        ("http://www12.a.com/", "com,a)/"),
        ("http://wwwx.a.com/", "com,a,wwwx)/"),
        ("http://www.www.a.com/", "com,a,www)/"),
        ("http://192.168.1.1:81/", "1,1,168,192:81)/"),
        ("http://[2001:db8::1]:8080/", "2001:db8::1:8080)/"),
        ("http://a.com.:81/", "com,a:81)/"),
        ("https://me:secret@www.a.com:444/A?", "com,a:444)/a"),
        ("http://a.com//", "com,a)/"),
        ("http://a.com/x//y///", "com,a)/x/y"),
        ("http://a.com?b", "com,a)/?b"),
        ("http://a.com/?b", "com,a)/?b"),
        ("http://a.com/x/?b", "com,a)/x?b"),
        ("http://a.com/x??", "com,a)/x??"),
        ("http://a.com/?&", "com,a)/?&"),
        ("http://a.com/x/?u=http://b.com//c/", "com,a)/x?u=http://b.com//c/"),
        ("http://a.com/b&a?c", "com,a)/b&a?c"),
        ("http://a.com/?B=1&a=2", "com,a)/?a=2&b=1"),
        ("http://a.com/?b=2&a=&a&a=1&b=1&a1", "com,a)/?a&a=&a=1&a1&b=1&b=2"),
    ],
)
def test_surt_key_of_a_corner_case_is_common_crawls(url: str, surtkey: str) -> None:
    """Ports, addresses, slashes and arguments, with the keys that Common Crawl's canonicaliser gives them."""
    assert rows(url)[0][0] == surtkey


@pytest.mark.parametrize(
    ("url", "surtkey", "common_crawls"),
    [
        ("http://a.com/%7eb", "com,a)/%7eb", "com,a)/~b"),
        ("http://a.com/{b", "com,a)/%7bb", "com,a)/{b"),
        ("http://a.com/?a'b", "com,a)/?a%27b", "com,a)/?a'b"),
        (f"http://a.com/?sid={'0aF' * 10}00&b=1", f"com,a)/?b=1&sid={'0af' * 10}00", "com,a)/?b=1"),
    ],
)
def test_surt_key_keeps_escapes_and_session_ids(url: str, surtkey: str, common_crawls: str) -> None:
    """This is where the key is known to differ from Common Crawl's."""
    assert rows(url)[0][0] == surtkey != common_crawls


LABEL = st.text("abwx019_-", min_size=1, max_size=5)
HOST = st.builds(
    "{}{}.{}".format,
    st.sampled_from(["", "www.", "www2.", "wwwx."]),
    LABEL,
    st.sampled_from(["com", "co.uk", "de", "ck"]),
)
PIECE = st.sampled_from(
    [*"abAZ09-_~!$*+,;=:@'()[]|%", "b.html", "a..", ".", "%2e", "%20", "%C3%bc", "%7E", "&", "&", "&a=1"]
)
SEGMENT = st.lists(PIECE, max_size=4).map("".join)
PATH = st.lists(SEGMENT, max_size=3).map("/".join)
TAIL = st.sampled_from(["", "/", "//", "/?q=1", "?q=1", "?q=//x/", "?", "??", "?b&a=2&&a=&a", "?A=%E2&a=(", "?{a}=`&'"])
PLAIN = st.builds("{}://{}/{}{}".format, st.sampled_from(["http", "https"]), HOST, PATH, TAIL)
FRAGMENT = st.sampled_from(
    [
        *"a.:/\\?#@%&= \t\n\0[]'|ü☕。１8",
        "http",
        "://",
        "www.",
        "xn--",
        "%2e",
        "%2F",
        "%25",
        "[::1]",
        "1.2.3.999",
        "0x7f",
        ".com",
    ]
)
ODD = st.builds(
    "{}{}".format, st.sampled_from(["http://", "https://a.com/", "about:"]), st.lists(FRAGMENT, max_size=9).map("".join)
)


@settings(deadline=None, max_examples=200)
@given(st.lists(PLAIN, max_size=8))
def test_plain_urls_equal_the_parsers_answer(urls: list[str]) -> None:
    """Cutting columns is a fast path, never another rule."""
    assert rows(*urls) == [slow(url) for url in urls]


@settings(deadline=None, max_examples=200)
@given(st.lists(PLAIN | ODD, max_size=8))
def test_mixed_urls_equal_the_parsers_answer_row_by_row(urls: list[str]) -> None:
    """Rows of both paths come back in their own places."""
    assert rows(*urls) == [slow(url) for url in urls]


def test_plain_urls_go_through_no_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fast path covers mixed-case paths, escapes of other scripts, and queries."""

    def refuse(url: str) -> None:
        raise AssertionError(f"{url} was read one by one")

    monkeypatch.setattr(under_test, "URL", refuse)
    urls = ["http://a.com/", "https://www.a-b.co.uk/A/b_c.html", "http://a.com/%D0%B0%20b/?b=1&a=2", "http://a.com/x?{"]
    assert [row[0] for row in rows(*urls)] == [
        "com,a)/", "uk,co,a-b)/a/b_c.html", "com,a)/%d0%b0%20b?a=2&b=1", "com,a)/x?{"
    ]  # fmt: skip


def test_punycode_is_left_to_the_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    """Versions of the parser differ in which labels they refuse; the fast path never decides it."""

    def refuse(url: str) -> None:
        raise ValueError(url)

    monkeypatch.setattr(under_test, "URL", refuse)
    assert rows("http://xn--a.com/", "http://b.xn--a.com/", "http://b.xn--a/") == [UNUSABLE] * 3


@pytest.mark.parametrize("form", ["http://a.com/x{}y", "http://a.com/{}", "http://a.com/?x{}y", "http://a.com/?{}"])
def test_every_character_equals_the_parsers_answer(form: str) -> None:
    """What is escaped depends on the character, and on whether it stands in the path or the query."""
    urls = [form.format(chr(code)) for code in range(256)]
    assert rows(*urls) == [slow(url) for url in urls]


@pytest.mark.parametrize("path", ["x", "%7E", "?a=b&", "?&a=b", "//", "X'", "?'"])
def test_long_url_has_all_columns(path: str) -> None:
    """There is no length at which a URL becomes unusable, on both paths alike."""
    url = "https://a.com/" + path * 50_000
    assert rows(url) == [slow(url)]


def test_columns_have_the_types_of_the_measured_table() -> None:
    """Also where there is no row, or none that is usable."""
    schema = MEASURED.schema()
    for urls in ([], [None], ["no url"], ["http://a.com/"], ["http://a.com:1/", None]):
        columns = url_columns(pa.array(urls, pa.string()))
        assert {name: column.type for name, column in columns.items()} == {n: schema.field(n).type for n in NAMES}
        assert [len(column) for column in columns.values()] == [len(urls)] * 4


def test_slice_of_an_array_is_read_from_its_own_rows() -> None:
    """Arrow slices share buffers with rows that are not theirs."""
    urls = pa.array(["http://a.com/", None, "http://b.com:1/", "http://c.com/"])
    assert url_columns(urls[1:3])["url_host_name"].to_pylist() == [None, "b.com"]


@pytest.mark.skipif(not SHARED.exists(), reason=f"needs the crawl files in {SHARED}")
def test_real_urls_equal_the_parsers_answer() -> None:
    """URLs of Common Crawl."""
    fastwarc = pytest.importorskip("fastwarc.warc", reason="needs FastWARC")
    files = (
        SHARED / "warc" / "resiliparse" / "warcfile.warc.gz",
        SHARED / "warc" / "cc-whirlwind" / "whirlwind.warc.gz",
    )
    urls = []
    for file in files:
        with file.open("rb") as stream:
            headers = [record.headers for record in fastwarc.ArchiveIterator(stream)]
        urls += [header["WARC-Target-URI"] for header in headers if "WARC-Target-URI" in header]
    assert len(urls) > 50
    assert rows(*urls) == [slow(url) for url in urls]


@pytest.mark.parametrize("url", ["a.com", " A.com ", "//a.com", "a.com/", "a.com:80/", "a.com#top", "a.com."])
def test_host_without_a_scheme_is_read_as_http(url: str) -> None:
    """So that it does not slip past a blocklist; people write them in tables."""
    (row,) = rows(url)
    assert row[:3] == ("com,a)/", "a.com", "a.com")
    assert rows("a.com/x?y=1") == rows("http://a.com/x?y=1")
