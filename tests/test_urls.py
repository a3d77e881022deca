"""URL columns: what a URL's host, SURT key, registered domain and digest are, and that the fast path agrees."""

import socket
from pathlib import Path

import pyarrow as pa
import pytest
import surt
import xxhash
from ada_url import URL
from hypothesis import given, settings
from hypothesis import strategies as st
from publicsuffixlist import PublicSuffixList

from schemas.columns import MEASURED
from transforms import urls as under_test
from transforms.urls import SURT_URL_BYTES, url_columns

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
    """One URL through the libraries, without a fast path."""
    try:
        parsed = URL(url)
    except ValueError:
        return UNUSABLE
    host = parsed.hostname[:-1] if parsed.hostname.endswith(".") else parsed.hostname
    if parsed.protocol not in {"http:", "https:"} or not all(host.split(".")):
        return UNUSABLE
    port = f":{parsed.port}" if parsed.port else ""
    tail = parsed.href.partition("#")[0].split("/", 3)[3]
    location = f"{parsed.hostname}{port}/{tail}"
    normalised = f"https://{location}"
    key = surt.surt(f"{parsed.protocol}//{location}") if len(normalised) <= SURT_URL_BYTES else None
    address = host.startswith("[") or host.split(".")[-1].isdigit()
    return key, host, None if address else SUFFIXES.privatesuffix(host), digest(normalised)


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
        ("http://a.com/%7eb%2Fc%25", "com,a)/~b/c%25", "a.com", "a.com", "https://a.com/%7eb%2Fc%25"),
        ("http://%61.com/", "com,a)/", "a.com", "a.com", "https://a.com/"),
        ("http://www.a.com/../a/./b", "com,a)/a/b", "www.a.com", "a.com", "https://www.a.com/a/b"),
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
        None, "", " ", "a.com", "//a.com/", "javascript:alert(1)", "mailto:me@a.com", "data:text/plain,http://a.com/",
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


@pytest.mark.parametrize("session", ["PHPSESSID", "jsessionid", "sid"])
def test_session_id_is_stripped_from_the_surt_key(session: str) -> None:
    """Common Crawl's keys hold no session ids."""
    assert rows(f"http://a.com/?b=1&{session}={'0aF' * 10}00")[0][0] == "com,a)/?&b=1"


LABEL = st.text("abwx019_-", min_size=1, max_size=5)
HOST = st.builds(
    "{}{}.{}".format,
    st.sampled_from(["", "www.", "www2.", "wwwx."]),
    LABEL,
    st.sampled_from(["com", "co.uk", "de", "ck"]),
)
PIECE = st.sampled_from([*"abAZ09-_~!$*+,;=:@", "b.html", "a..", "%20", "%C3%bc", "&", "&", "&a=1"])
SEGMENT = st.lists(PIECE, min_size=1, max_size=4).map("".join)
PATH = st.lists(SEGMENT, max_size=3).map("/".join)
TAIL = st.sampled_from(["", "/", "/?q=1", "?q=1", "?q=/", "?", "?b&a=2&&a=&a", "?A=%E2&a=("])
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
    "{}{}".format, st.sampled_from(["http://", "https://a.com/", ""]), st.lists(FRAGMENT, max_size=9).map("".join)
)


@settings(deadline=None, max_examples=200)
@given(st.lists(PLAIN, max_size=8))
def test_plain_urls_equal_the_libraries_answer(urls: list[str]) -> None:
    """Cutting columns is a fast path, never another rule."""
    assert rows(*urls) == [slow(url) for url in urls]


@settings(deadline=None, max_examples=200)
@given(st.lists(PLAIN | ODD, max_size=8))
def test_mixed_urls_equal_the_libraries_answer_row_by_row(urls: list[str]) -> None:
    """Rows of both paths come back in their own places."""
    assert rows(*urls) == [slow(url) for url in urls]


def test_plain_urls_go_through_no_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fast path covers mixed-case paths, escapes of other scripts, and queries."""

    def refuse(url: str) -> None:
        raise AssertionError(f"{url} was read one by one")

    monkeypatch.setattr(under_test, "URL", refuse)
    urls = ["http://a.com/", "https://www.a-b.co.uk/A/b_c.html", "http://a.com/%D0%B0%20b/?b=1&a=2", "http://a.com/?b"]
    assert [row[0] for row in rows(*urls)] == [
        "com,a)/", "uk,co,a-b)/a/b_c.html", "com,a)/%d0%b0%20b?a=2&b=1", "com,a)/?b"
    ]  # fmt: skip


@settings(deadline=None, max_examples=100)
@given(urls=st.lists(ODD, max_size=8))
def test_reading_urls_asks_no_name_server(urls: list[str]) -> None:
    """surt resolves hosts of digits and dots; what it is given are whole IPv4 addresses, which need no server."""
    asked: list[bytes] = []

    def resolve(host: bytes) -> tuple[str, list[str], list[str]]:
        asked.append(host)
        return "", [], [host.decode()]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "gethostbyname_ex", resolve)
        rows("http://127.1/", *urls)
    assert asked[0] == b"127.0.0.1"
    assert all(socket.inet_ntoa(socket.inet_aton(host.decode())).encode() == host for host in asked)


def test_key_that_surt_refuses_is_null(monkeypatch: pytest.MonkeyPatch) -> None:
    """An error of surt costs the key and nothing else."""

    def refuse(url: str) -> str:
        raise ValueError(url)

    monkeypatch.setattr(under_test, "surt", refuse)
    assert rows("http://a.com:81/") == [(None, "a.com", "a.com", digest("https://a.com:81/"))]


@pytest.mark.parametrize("path", ["x", "%7E", "?a=b&", "X'"])
def test_long_url_has_no_surt_key_and_all_else(path: str) -> None:
    """The limit counts the normalised URL, on both paths alike."""
    fits = "https://a.com/" + path + "y" * (SURT_URL_BYTES - len("https://a.com/" + path))
    assert rows(fits)[0][0] == surt.surt(fits)
    for url in (f"{fits}y", fits + "y" * 100_000):
        assert rows(url, url.replace("https", "http")) == [(None, "a.com", "a.com", digest(url))] * 2


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
def test_real_urls_equal_the_libraries_answer() -> None:
    """URLs of Common Crawl, for which the SURT key is also that of the address as the crawl gives it."""
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
    assert [row[0] for row in rows(*urls)] == [surt.surt(url) for url in urls]
