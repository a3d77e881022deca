"""URL columns: SURT key, host, registered domain, and a digest by which two records have the same URL.

>>> columns = url_columns(pa.array(["HTTP://www.Example.co.uk:80/a/?y=2&x=1#top", "mailto:me@example.org"]))
>>> for name in ("url_surtkey", "url_host_name", "url_host_registered_domain"):
...     print(columns[name].to_pylist())
['uk,co,example)/a?x=1&y=2', None]
['www.example.co.uk', None]
['example.co.uk', None]

URLs are read as browsers read them (WHATWG URL Standard, url.spec.whatwg.org). Most URLs of a crawl are plain: that
reading leaves them as they are, so whole columns are cut by Arrow. All others go one by one through ada-url. That both
ways agree is tested. From there on there is one way for all.
"""

import re
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from ada_url import URL
from publicsuffixlist import PublicSuffixList

from transforms.batches import digests, strings
from transforms.kernels.xxh3 import hash128

_PLAIN: Final = (
    r"^https?://(?:[a-z0-9_-]+\.)+[a-z]{2,}"  # a last label of letters: no IPv4 address in any notation
    r"/[A-Za-z0-9_.~!$&'()*+,;=:@%|\[\]/-]*(?:\?[!$-&(-;=?-~]*)?$"  # what WHATWG does not escape in path and query
)
_NOT_PLAIN: Final = r"/\.|/%2[Ee]|xn--"
"""Dot segments have to be resolved and punycode to be checked."""

_SCHEMELESS: Final = re.compile(r"\s*(?://|(?:[\w-]+\.)+[\w-]+\.?(?::\d*)?(?:[/?#]|\s*$))")
"""What people write for a URL: a host with a dot in it, and what follows. It must not slip past a blocklist."""

_SUFFIXES: Final = PublicSuffixList(only_icann=True)


class UrlParts(NamedTuple):
    """URLs in parts: arrays of the type and length of the URLs, null where one is unusable."""

    scheme: pa.Array
    """`http:` or `https:`"""
    host: pa.Array
    """in lower case and punycode, with its dot at the end if it has one"""
    port: pa.Array
    """with its colon; empty where there is none or it is the scheme's own"""
    page: pa.Array
    """what follows the slash behind them"""

    def rests(self) -> pa.Array:
        """What follows the host."""
        return self._join(self.port, "/", self.page)

    def normal(self) -> pa.Array:
        """What `normal_urls` gives."""
        return self._join(pc.ascii_rtrim(self.host, characters="."), self.rests())

    def whole(self) -> pa.Array:
        """The normal form with its scheme in front."""
        return self._join(self.scheme, "//", self.normal())

    def _join(self, *pieces: pa.Array | str) -> pa.Array:
        kind = self.host.type
        return pc.binary_join_element_wise(
            *(pa.scalar(piece, kind) if isinstance(piece, str) else piece for piece in (*pieces, ""))
        )


def url_columns(urls: pa.Array) -> dict[str, pa.Array]:
    """Columns `url_surtkey`, `url_host_name`, `url_host_registered_domain` (string) and `url_digest` (`DIGEST`).

    `urls` is a string array; each column has its length, and null where the URL is null or unusable. Usable is an
    http or https URL whose host has no empty label, one dot at its end aside.

    * `url_host_name`: lower case, punycode, an IPv6 address in brackets; no port, no user, no dot at the end.
    * `url_host_registered_domain`: by the ICANN part of the Public Suffix List, a label that it does not know being a
      suffix; null for addresses and for hosts that are a suffix themselves.
    * `url_surtkey`: labels of the host, or numbers of an IPv4 address, from last to first and without a leading `www.`
      or `www2.`; an IPv6 address without brackets; a port that is not the scheme's own; `)`; path and query of the
      normalised URL in lower case. In the path, slashes in a row are one, and at its end is none but that of `/`.
      Arguments are sorted by name and value; a query without any is dropped. For ordinary URLs this is the key of
      Common Crawl's index. The canonicaliser used there also strips session ids, and decodes what is percent-encoded
      to encode it by a rule of its own; here session ids stay, and escapes are those of the WHATWG form.
    * `url_digest`: XXH3-128 of the normalised URL: the WHATWG form without fragment, user and password, with http
      written as https. A port that is the scheme's own has vanished in that form. Everything else stays, `www.`,
      the case of the path, the order of the query, a slash at the end: addresses that differ there may be two pages.
    """
    parts = split_urls(urls)
    normal = pc.binary_join_element_wise("https://", parts.host, parts.port, "/", parts.page, "")
    return {**_names(parts), "url_digest": digests(hash128(*strings(normal)), np.asarray(normal.is_null()))}


def url_names(urls: pa.Array) -> dict[str, pa.Array]:
    """The columns of `url_columns` that are text."""
    return _names(split_urls(urls))


def _names(parts: UrlParts) -> dict[str, pa.Array]:
    _, host, port, page = parts
    hosts = host.dictionary_encode()
    names = pc.ascii_rtrim(hosts.dictionary, characters=".")
    domains = pa.array([_registered_domain(name) for name in names.to_pylist()], pa.string())
    key = pc.binary_join_element_wise(_reverse(names).take(hosts.indices), port, ")/", _key_of_page(page), "")
    return {
        "url_surtkey": key,
        "url_host_name": names.take(hosts.indices),
        "url_host_registered_domain": domains.take(hosts.indices),
    }


def normal_urls(urls: pa.Array) -> pa.Array:
    """URLs in their normal form, `host[:port]/path?query`: an array as the one given, null where unusable.

    >>> normal_urls(pa.array(["HTTPS://me:secret@A.example.:8080/b/../C?d#e", "//a.example", "data:,a"])).to_pylist()
    ['a.example:8080/C?d', 'a.example/', None]

    It is the WHATWG form without scheme, user, password, fragment and dot at the end of the host. A port that is the
    scheme's own has vanished, dot segments are resolved, the host is in lower case and punycode. Path and query keep
    their case and their escapes.
    """
    return split_urls(urls).normal()


def split_urls(urls: pa.Array) -> UrlParts:
    """The parts of the WHATWG form of each URL, without user, password and fragment."""
    plain = _is_plain(urls)
    rows = [np.flatnonzero(plain), np.flatnonzero(np.asarray(urls.is_valid()) & ~plain)]
    parts = _cut(urls.take(pa.array(rows[0]))), _parse(urls.take(pa.array(rows[1])))
    where = np.full(len(urls), -1)
    where[np.concatenate(rows)] = np.arange(len(rows[0]) + len(rows[1]))
    take = pa.array(where, mask=where < 0)
    return UrlParts(*(pa.concat_arrays(pair).take(take) for pair in zip(*parts, strict=True)))


def _is_plain(urls: pa.Array) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    plain = pc.and_not(pc.match_substring_regex(urls, _PLAIN), pc.match_substring_regex(urls, _NOT_PLAIN))
    return np.asarray(pc.fill_null(plain, False))


def _cut(urls: pa.Array) -> tuple[pa.Array, ...]:
    """What `split_urls` gives, for plain URLs."""
    pieces = pc.split_pattern(urls, "/", max_splits=3).flatten()  # scheme, nothing, host, page
    scheme, _, host, page = (pieces.take(pa.array(np.arange(i, len(pieces), 4))) for i in range(4))
    return scheme, host, pa.repeat(pa.scalar("", urls.type), len(urls)), page


def _parse(urls: pa.Array) -> tuple[pa.Array, ...]:
    """What `split_urls` gives, for any URLs."""
    rows = [_parse_one(url) for url in urls.to_pylist()]
    return tuple(pa.array([row[i] for row in rows], urls.type) for i in range(4))


def _parse_one(url: str) -> tuple[str, str, str, str] | tuple[None, None, None, None]:
    if _SCHEMELESS.match(url):
        url = f"http://{url.strip().removeprefix('//')}"
    try:
        parsed = URL(url)
    except ValueError:
        return None, None, None, None
    if parsed.protocol not in ("http:", "https:") or "" in parsed.hostname.removesuffix(".").split("."):
        return None, None, None, None
    del parsed.hash
    page = parsed.href.split("/", 3)[3]  # not of pathname and search, which do not tell `a?` from `a`
    return parsed.protocol, parsed.hostname, parsed.port and f":{parsed.port}", page


def _reverse(hosts: pa.Array) -> pa.Array:
    """`www2.example.com` as `com,example`."""
    labels = pc.split_pattern(pc.replace_substring_regex(hosts, r"^www\d*\.|[\[\]]", ""), ".")
    starts = np.asarray(labels.offsets)
    # Label i of a host that takes first to last becomes label first + last - i.
    turned = np.repeat(starts[:-1] + starts[1:] - 1, np.diff(starts)) - np.arange(starts[-1])
    return pc.binary_join(pa.ListArray.from_arrays(labels.offsets, labels.values.take(pa.array(turned))), ",")


def _key_of_page(pages: pa.Array) -> pa.Array:
    """`A//b/?y=2&X=1` as `a/b?x=1&y=2`."""
    pieces = pc.split_pattern(pc.ascii_lower(pages), "?", max_splits=1)
    path = pc.ascii_trim(pc.replace_substring_regex(pc.list_element(pieces, 0), "//+", "/"), characters="/")
    query = _sort_arguments(pc.binary_join(pc.list_slice(pieces, 1), ""))
    return pc.binary_join_element_wise(path, pc.if_else(pc.equal(query, ""), "", "?"), query, "")


def _sort_arguments(queries: pa.Array) -> pa.Array:
    several = pc.match_substring(queries, "&")
    turned = [
        "&".join(sorted(query.split("&"), key=lambda argument: argument.partition("=")))
        for query in queries.filter(several).to_pylist()
    ]
    return pc.replace_with_mask(queries, several, pa.array(turned, pa.string()))


@lru_cache(maxsize=1 << 16)
def _registered_domain(host: str) -> str | None:
    # By WHATWG, a host whose last label is a number is an IPv4 address.
    if host.endswith("]") or host.rpartition(".")[2].isdigit():
        return None
    domain: str | None = _SUFFIXES.privatesuffix(host)
    return domain
