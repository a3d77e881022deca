"""Lookup places: ledger rows that may answer queries, found by the indexes, and how each is checked against its row."""

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from lineage.catalog import PLACES, Dataset
from lineage.lookups.find_files import find_files
from lineage.lookups.query_values import Wanted
from transforms.urls import normal_urls, url_names

I32 = npt.NDArray[np.int32]

FOUND: Final = pa.schema([*PLACES, pa.field("similarity", pa.float64()), pa.field("method", pa.string())])
"""Rows that answer queries. The query is its number among all; how similar, and how measured, is of texts alone."""
_TEXTS: Final = ("text", "text_file")
_URLS: Final = ("url", "url_prefix", "host", "domain")
# No URL in normal form holds a blank, or a character beyond `~`.
_ITSELF, _BEYOND = " ", "\x7f"


class Candidates(NamedTuple):
    """Rows that may answer the queries by one selector."""

    places: pa.Table
    """`FOUND`"""
    sought: pa.Array
    """The value that each row is sought for."""
    columns: tuple[str, ...]
    """Columns of the ledger that the check reads."""
    holds: Callable[[pa.Array, pa.Table], pa.Array]
    """From values sought and ledger rows, one beside the other: boolean, whether the row has the value."""


_RECORD_IDS: Final = ("record_id", "warc_record_id")


def find_candidates(dataset: Dataset, wanted: Wanted, crawl: bool) -> Candidates:
    """Rows that may answer the queries; nearly all of them do. `crawl`: see `find_similar`."""
    if wanted.selector in _TEXTS:
        return _proven(_find_texts(dataset, wanted, crawl))
    if wanted.selector == "warc":
        places = find_files(dataset, wanted)
        return _proven(_numbered(places, places["query"].to_numpy()))
    if wanted.selector in _URLS:
        ranges = list(_RANGES[wanted.selector](wanted))
        owners = np.array([owner for owner, _, _ in ranges], np.int64)
        places = dataset.find_urls([(lower, upper) for _, lower, upper in ranges])
    else:
        spelt = [spelling for value in wanted.values.to_pylist() for spelling in _spellings(wanted.selector, value)]
        owners = np.repeat(np.arange(len(wanted.values)), len(spelt) // max(1, len(wanted.values)))
        places = dataset.find(wanted.selector, spelt)
    owner = owners[places["query"].to_numpy()]
    columns, holds = _CHECKS[wanted.selector]
    return Candidates(_numbered(places, wanted.queries[owner]), wanted.values.take(pa.array(owner)), columns, holds)


def _spellings(selector: str, value: str) -> tuple[str, ...]:
    """How the index may have a value: a WARC-Record-ID stands in angle brackets in its record and in many a table."""
    bare = value.removeprefix("<").removesuffix(">")
    return (bare, f"<{bare}>") if selector == "record_id" else (value,)


def _find_texts(dataset: Dataset, wanted: Wanted, crawl: bool) -> pa.Table:
    from lineage.similarity.find_similar import (  # what compares texts takes its time to load
        find_similar,
        prints_of_texts,
    )

    matches = find_similar(dataset, prints_of_texts(wanted.values, dataset.near), crawl=crawl)
    return _numbered(matches, wanted.queries[matches["query"].to_numpy()])


def _numbered(places: pa.Table, queries: I32) -> pa.Table:
    """The places as `FOUND`, with the numbers that their queries have among all."""
    columns = [pa.array(queries, pa.int32()), *(places[name] for name in PLACES.names[1:])]
    measured = [
        places[name] if name in places.column_names else pa.nulls(len(places), FOUND.field(name).type)
        for name in FOUND.names[len(columns) :]
    ]
    return pa.table([*columns, *measured], schema=FOUND)


def _url_ranges(wanted: Wanted) -> Iterator[tuple[int, str, str]]:
    for query, key in enumerate(url_names(wanted.written)["url_surtkey"].to_pylist()):
        yield query, key, key + _ITSELF


def _prefix_ranges(wanted: Wanted) -> Iterator[tuple[int, str, str]]:
    # Up to the query, whose arguments are sorted in the key. A slash at the end is not in the key of the prefix, but
    # may be in those that are sought.
    for query, key in enumerate(url_names(wanted.written)["url_surtkey"].to_pylist()):
        path = key.partition("?")[0]
        yield query, path, path + _BEYOND


def _host_ranges(wanted: Wanted) -> Iterator[tuple[int, str, str]]:
    urls = pc.binary_join_element_wise("http://", wanted.values, "/", "")
    for query, key in enumerate(url_names(urls)["url_surtkey"].to_pylist()):
        for border in "):":  # no port, or any
            yield query, key[: -len(")/")] + border, key[: -len(")/")] + border + _BEYOND


def _domain_ranges(wanted: Wanted) -> Iterator[tuple[int, str, str]]:
    yield from _host_ranges(wanted)  # of `www.co.uk`, the key lacks the `www`
    for query, domain in enumerate(wanted.values.to_pylist()):
        reverse = ",".join(domain.split(".")[::-1])
        for border in "),:":
            yield query, reverse + border, reverse + border + _BEYOND


def _has_url(sought: pa.Array, rows: pa.Table) -> pa.Array:
    return pc.equal(normal_urls(_column(rows, "url")), sought)


def _has_prefix(sought: pa.Array, rows: pa.Table) -> pa.Array:
    urls = normal_urls(_column(rows, "url"))
    found, start = [pa.array([], pa.bool_())], 0
    runs = pc.run_end_encode(sought)
    for end, prefix in zip(runs.run_ends.to_pylist(), runs.values.to_pylist(), strict=True):
        found.append(pc.starts_with(urls.slice(start, end - start), prefix))
        start = end
    return pa.concat_arrays(found)


def _equals(name: str) -> Callable[[pa.Array, pa.Table], pa.Array]:
    return lambda sought, rows: pc.equal(_column(rows, name), sought)


def _is_record(sought: pa.Array, rows: pa.Table) -> pa.Array:
    bare = pc.ascii_trim(sought, characters="<>")
    found = [pc.equal(pc.ascii_trim(_column(rows, name), characters="<>"), bare) for name in _RECORD_IDS]
    return pc.or_(*(pc.fill_null(one, False) for one in found))


def _lists(name: str) -> Callable[[pa.Array, pa.Table], pa.Array]:
    def holds(sought: pa.Array, rows: pa.Table) -> pa.Array:
        listed = _column(rows, name)
        row = pc.list_parent_indices(listed)
        same = pc.equal(pc.struct_field(listed.flatten(), "value"), sought.take(row))
        found = np.zeros(len(rows), np.bool_)
        found[row.filter(same).to_numpy()] = True
        return pa.array(found)

    return holds


def _column(rows: pa.Table, name: str) -> pa.Array:
    return rows[name].combine_chunks()


def _proven(places: pa.Table) -> Candidates:
    """Rows that need no check."""
    everything = pa.array(np.ones(len(places), np.bool_))
    return Candidates(places, pa.nulls(len(places), pa.string()), (), lambda sought, rows: everything)


_RANGES: Final = {"url": _url_ranges, "url_prefix": _prefix_ranges, "host": _host_ranges, "domain": _domain_ranges}
_CHECKS: Final[dict[str, tuple[tuple[str, ...], Callable[[pa.Array, pa.Table], pa.Array]]]] = {
    "url": (("url",), _has_url),
    "url_prefix": (("url",), _has_prefix),
    "host": (("url_host_name",), _equals("url_host_name")),
    "domain": (("url_host_registered_domain",), _equals("url_host_registered_domain")),
    "doc_id": (("doc_id",), _equals("doc_id")),
    "record_id": (_RECORD_IDS, _is_record),
    "isbn": (("isbns",), _lists("isbns")),
    "doi": (("dois",), _lists("dois")),
}
