"""URL columns: SURT key, host, registered domain, and a digest by which two records have the same URL.

>>> columns = url_columns(pa.array(["HTTP://www.Example.co.uk:80/a/?y=2&x=1#top", "mailto:me@example.org"]))
>>> for name in ("url_surtkey", "url_host_name", "url_host_registered_domain"):
...     print(columns[name].to_pylist())
['uk,co,example)/a?x=1&y=2', None]
['www.example.co.uk', None]
['example.co.uk', None]

URLs are read as browsers read them (WHATWG URL Standard, url.spec.whatwg.org). Most URLs of a crawl are plain: what
that reading makes of them can be seen from their characters, so whole columns are cut and joined by Arrow. All others
go one by one through ada-url and surt. That both ways agree is tested.
"""

from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from ada_url import URL
from publicsuffixlist import PublicSuffixList
from surt import surt

from transforms.batches import digests, strings
from transforms.kernels.xxh3 import hash128

SURT_URL_BYTES: Final = 8192
"""A longer URL has no SURT key: the time that surt takes can grow as the square of the length."""

_BYTE: Final = "%(?:20|[89A-Fa-f][0-9A-Fa-f])"  # escapes that surt decodes, encodes again, and so leaves as they are
_PATH: Final = f"(?:[A-Za-z0-9_~!$&*+,;=:@-]|{_BYTE})(?:[A-Za-z0-9_.~!$&*+,;=:@-]|{_BYTE})*"  # no `.` in front
_QUERY: Final = f"\\?(?:[A-Za-z0-9_.~!$&*+,;=:@()-]|{_BYTE})+"
_PLAIN: Final = (
    r"^https?://(?:[a-z0-9_-]+\.)+[a-z]{2,}"  # a last label of letters: no IPv4 address in any notation
    f"/(?:{_PATH}(?:/{_PATH})*(?:/?{_QUERY}|/)?|{_QUERY})?$"
)
_SPECIAL: Final = "xn--|(?i:sid=|sessionid|cfid=)"
"""Punycode wants checking, and surt strips session ids."""

_SUFFIXES: Final = PublicSuffixList(only_icann=True)


class _Forms(NamedTuple):
    """What is derived from URLs that are usable: string arrays; null where a URL is unusable."""

    normal: pa.Array
    host: pa.Array
    surtkey: pa.Array


def url_columns(urls: pa.Array) -> dict[str, pa.Array]:
    """Columns `url_surtkey`, `url_host_name`, `url_host_registered_domain` (string) and `url_digest` (`DIGEST`).

    `urls` is a string array; each column has its length, and null where the URL is null or unusable. Usable is an
    http or https URL whose host has no empty label, one dot at its end aside.

    * `url_host_name`: lower case, punycode, an IPv6 address in brackets; no port, no user, no dot at the end.
    * `url_host_registered_domain`: by the ICANN part of the Public Suffix List, a label that it does not know being a
      suffix; null for addresses and for hosts that are a suffix themselves.
    * `url_surtkey`: the key of Common Crawl's index, that is `surt.surt` of the URL in WHATWG form, without user. Null
      beyond `SURT_URL_BYTES`. (From that form surt never looks up a name in DNS, as it does for `http://1.2.3.999/`.)
    * `url_digest`: XXH3-128 of the normalised URL: the WHATWG form without fragment, user and password, with http
      written as https. A port that is the scheme's own has vanished in that form. Everything else stays, `www.`,
      the case of the path, the order of the query, a slash at the end: addresses that differ there may be two pages.
    """
    plain = _is_plain(urls)
    rows = [np.flatnonzero(plain), np.flatnonzero(np.asarray(urls.is_valid()) & ~plain)]
    parts = [_read_plain(urls.take(pa.array(rows[0]))), _read_one_by_one(urls.take(pa.array(rows[1])))]
    where = np.full(len(urls), -1)
    where[np.concatenate(rows)] = np.arange(len(rows[0]) + len(rows[1]))
    take = pa.array(where, mask=where < 0)
    forms = _Forms(*(pa.concat_arrays(pair).take(take) for pair in zip(*parts, strict=True)))

    hosts = forms.host.dictionary_encode()
    domains = pa.array([_registered_domain(host) for host in hosts.dictionary.to_pylist()], pa.string())
    return {
        "url_surtkey": forms.surtkey,
        "url_host_name": forms.host,
        "url_host_registered_domain": domains.take(hosts.indices),
        "url_digest": digests(hash128(*strings(forms.normal)), np.asarray(forms.normal.is_null())),
    }


def _is_plain(urls: pa.Array) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    plain = pc.and_not(pc.match_substring_regex(urls, _PLAIN), pc.match_substring_regex(urls, _SPECIAL))
    # https may be one byte longer than http.
    plain = pc.and_(plain, pc.less(pc.binary_length(urls), SURT_URL_BYTES))
    return np.asarray(pc.fill_null(plain, False))


def _read_plain(urls: pa.Array) -> _Forms:
    pieces = pc.split_pattern(urls, "/", max_splits=3).flatten()  # scheme, nothing, host, what follows the slash
    first = np.arange(0, len(pieces), 4)
    host, rest = pieces.take(pa.array(first + 2)), pieces.take(pa.array(first + 3))
    path = pc.replace_substring(pc.ascii_rtrim(rest, characters="/"), "/?", "?")  # in a plain query is no slash
    tail = _sort_queries(pc.ascii_lower(path))
    return _Forms(
        pc.binary_join_element_wise("https://", host, "/", rest, ""),
        host,
        pc.binary_join_element_wise(_reverse(host), ")/", tail, ""),
    )


def _reverse(hosts: pa.Array) -> pa.Array:
    """`www2.example.com` as `com,example`."""
    labels = pc.split_pattern(pc.replace_substring_regex(hosts, r"^www\d*\.", ""), ".")
    starts = np.asarray(labels.offsets)
    # Label i of a host that takes first to last becomes label first + last - i.
    turned = np.repeat(starts[:-1] + starts[1:] - 1, np.diff(starts)) - np.arange(starts[-1])
    return pc.binary_join(pa.ListArray.from_arrays(labels.offsets, labels.values.take(pa.array(turned))), ",")


def _sort_queries(tails: pa.Array) -> pa.Array:
    """Paths with queries, the arguments sorted by name, then value."""
    several = pc.match_substring(tails, "&")
    sorted_tails = []
    for tail in tails.filter(several).to_pylist():
        path, mark, query = tail.partition("?")
        sorted_tails.append(path + mark + "&".join(sorted(query.split("&"), key=lambda pair: pair.split("=", 1))))
    return pc.replace_with_mask(tails, several, pa.array(sorted_tails, pa.string()))


def _read_one_by_one(urls: pa.Array) -> _Forms:
    rows = [_read(url) for url in urls.to_pylist()]
    return _Forms(*(pa.array([row[i] for row in rows], pa.string()) for i in range(3)))


def _read(url: str) -> tuple[str | None, str | None, str | None]:
    """Normalised URL, host and SURT key of one URL; three None if it is unusable."""
    try:
        parsed = URL(url)
    except ValueError:
        return None, None, None
    host = parsed.hostname.removesuffix(".")
    if parsed.protocol not in ("http:", "https:") or "" in host.split("."):
        return None, None, None
    parsed.username = parsed.password = ""
    del parsed.hash
    whole = parsed.href
    normal = "https:" + whole.removeprefix(parsed.protocol)
    return normal, host, _surtkey(whole) if len(normal) <= SURT_URL_BYTES else None


def _surtkey(url: str) -> str | None:
    try:
        return str(surt(url))
    except ValueError:  # of its own checks of port and encoding, which are not WHATWG's
        return None


@lru_cache(maxsize=1 << 16)
def _registered_domain(host: str) -> str | None:
    # By WHATWG, a host whose last label is a number is an IPv4 address.
    if host.endswith("]") or host.rpartition(".")[2].isdigit():
        return None
    domain: str | None = _SUFFIXES.privatesuffix(host)
    return domain
