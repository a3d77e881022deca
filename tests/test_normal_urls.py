"""Normal URLs: what a URL prefix or a pattern of a list is compared with."""

import doctest

import pyarrow as pa
import pytest
from ada_url import URL
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms import urls as under_test
from transforms.urls import normal_urls, split_urls, url_columns


def normal(url: str | None) -> str | None:
    answer: str | None = normal_urls(pa.array([url], pa.string()))[0].as_py()
    return answer


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://a.com", "a.com/"),
        ("https://a.com/x", "a.com/x"),
        ("http://a.com/x/", "a.com/x/"),
        ("HTTP://A.COM:80/X?Y=Z#f", "a.com/X?Y=Z"),
        ("https://a.com:443/", "a.com/"),
        ("http://a.com:443/", "a.com:443/"),
        ("http://me:key@a.com:8080/x", "a.com:8080/x"),
        ("http://a.com./x", "a.com/x"),
        ("http://a.com.:81/x", "a.com:81/x"),
        ("http://a.com/?", "a.com/?"),
        ("http://a.com?x", "a.com/?x"),
        ("http://a.com/x/../y/./z", "a.com/y/z"),
        ("http://a.com/x/%2e%2E/y", "a.com/y"),
        ("http://a.com//x", "a.com//x"),
        ("http://a.com/%41%7e%2F", "a.com/%41%7e%2F"),
        ("http://a.com/a b*", "a.com/a%20b*"),
        ("http://a.com/ü", "a.com/%C3%BC"),
        ("http:\\\\a.com\\x", "a.com/x"),
        ("//a.com/x", "a.com/x"),
        ("a.com:81/x", "a.com:81/x"),
        ("http://bücher.example/", "xn--bcher-kva.example/"),
        ("http://[::0:1]:81/x", "[::1]:81/x"),
        ("http://0x7f.1/", "127.0.0.1/"),
        (None, None),
        ("", None),
        ("data:,x", None),
        ("javascript:a", None),
        ("ftp://a.com/", None),
        ("http://a..b/", None),
        ("http://a b.com/", None),
    ],
)
def test_url_has_this_normal_form(url: str | None, expected: str | None) -> None:
    """As browsers read it, without scheme, user, password, fragment and dot at the end of the host."""
    assert normal(url) == expected


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("HTTPS://me@A.com.:8080/b?c#d", ("https:", "a.com.", ":8080", "b?c")),
        ("http://a.com/b", ("http:", "a.com", "", "b")),
        ("//a.com", ("http:", "a.com", "", "")),
        ("data:,", (None, None, None, None)),
        (None, (None, None, None, None)),
    ],
)
def test_url_is_split_into_these_parts(url: str | None, parts: tuple[str | None, ...]) -> None:
    """The scheme is that of the URL; where it has none, http."""
    assert tuple(part[0].as_py() for part in split_urls(pa.array([url], pa.string()))) == parts


def test_parts_come_together_in_three_ways() -> None:
    """What follows the host, the normal form, and that with the scheme."""
    parts = split_urls(pa.array(["https://a.com.:81/b?c#d", None, "http://a.com"]))
    assert parts.rests().to_pylist() == [":81/b?c", None, "/"]
    assert parts.normal().to_pylist() == ["a.com:81/b?c", None, "a.com/"]
    assert parts.whole().to_pylist() == ["https://a.com:81/b?c", None, "http://a.com/"]


URLS = st.builds(
    "{}{}{}{}".format,
    st.sampled_from(["http://", "https://", "HTTP:/", "//", "", " http:\\\\u@", "ftp://"]),
    st.sampled_from(["a.com", "A.b.com.", "ü.de", "[::1]", "1.2.3", "a..b", "x"]),
    st.sampled_from(["", ":80", ":443", ":81"]),
    st.text("/.?#%2eE&ax*ü \\", max_size=8),
)


@settings(deadline=None)
@given(st.lists(st.none() | URLS))
def test_normal_form_is_the_parsers_without_what_is_set_aside(urls: list[str | None]) -> None:
    """Row by row, null where there is no host; in a column of large strings too."""
    column = pa.array(urls, pa.string())
    hosts = url_columns(column)["url_host_name"].to_pylist()
    rows, whole = normal_urls(column).to_pylist(), split_urls(column).whole().to_pylist()
    assert [row is None for row in rows] == [host is None for host in hosts]
    for row, url, host in zip(rows, whole, hosts, strict=True):
        if row is not None:
            assert (url, normal(url)) == (URL(url).href, row)
            assert row.startswith(host)
    assert normal_urls(column.cast(pa.large_string())).to_pylist() == rows


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string()])
def test_normal_form_has_the_type_of_the_urls(kind: pa.DataType) -> None:
    """Also where there are none, and from a slice."""
    assert normal_urls(pa.array([], kind)).type == kind
    answer = normal_urls(pa.array(["x", "http://a.com", "data:,"], kind)[1:])
    assert (answer.type, answer.to_pylist()) == (kind, ["a.com/", None])


def test_examples_run() -> None:
    """What the docstrings show is what comes out."""
    result = doctest.testmod(under_test)
    assert (result.failed, result.attempted > 0) == (0, True)
