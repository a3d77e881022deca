"""Select rows: which rows of a ledger the selectors of a takedown name.

What the index offers is checked against the ledger, so that a row is selected by its values and never by a hash.
"""

from collections.abc import Callable, Iterator
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from configs.takedown import SELECTORS
from lineage.catalog import Dataset
from lineage.takedowns.row_ids import row_ids
from transforms.batches import hex_digests
from transforms.measure.fingerprint import fingerprint
from transforms.takedowns.normal_selectors import normal_selectors
from transforms.takedowns.read_takedown import Takedown
from transforms.urls import normal_urls, url_columns

Flags = npt.NDArray[np.bool_]

HITS: Final = pa.schema(
    [
        pa.field("id", pa.int64(), False),
        pa.field("selector", pa.string(), False),
        pa.field("matched", pa.string(), False),
    ]
)
_PAGES: Final = ((")", "*"), (":", ";"))
"""What follows a host in SURT keys: its pages, and pages of other ports; each up to the next character."""
_BENEATH: Final = (*_PAGES, (",", "-"))
"""The same, and hosts beneath it."""


def select_rows(dataset: Dataset, takedown: Takedown) -> pa.Table:
    """Rows that a selector names, in the schema `HITS`: row id, kind of the selector, and the selector as written.

    A row that several name stands there once for each: by row, then in the order of `SELECTORS`, then by selector.
    Texts are named by `Takedown.text_names`, and select what has their normalised text.
    """
    written = {kind: getattr(takedown.request.selectors, kind) for kind in SELECTORS} | {"texts": takedown.text_names}
    values = normal_selectors(takedown.request.selectors)
    values["urls"] = pa.array(written["urls"], pa.string())  # the normal form does not say from which scheme it is
    values["texts"] = hex_digests(fingerprint(takedown.texts, None)["text_digest"])
    tables = [HITS.empty_table()]
    for kind in SELECTORS:
        found = _FINDERS[kind](dataset, values[kind])
        matched = pa.array(written[kind], pa.string()).take(found["query"])
        hits = pa.table([row_ids(found), pa.repeat(kind, len(found)), matched], schema=HITS)
        tables.append(hits.sort_by([("id", "ascending"), ("matched", "ascending")]))
    table = pa.concat_tables(tables)
    table = table.group_by(HITS.names, use_threads=False).aggregate([])  # one text may be given twice
    return table.take(pa.array(np.argsort(table["id"].to_numpy(), kind="stable")))


def _by_url(dataset: Dataset, urls: pa.Array) -> pa.Table:
    places = dataset.find_urls([(key, key + "\0") for key in url_columns(urls)["url_surtkey"].to_pylist()])
    found = normal_urls(dataset.ledger(places, ["url"])["url"].combine_chunks())
    return places.filter(pc.equal(found, normal_urls(urls).take(places["query"].combine_chunks())))


def _by_domain(dataset: Dataset, domains: pa.Array) -> pa.Table:
    places = dataset.find_urls(list(_key_ranges(domains)))
    hosts = dataset.ledger(places, ["url_host_name"])["url_host_name"].combine_chunks()
    query = places["query"].to_numpy() // (len(_PAGES) + len(_BENEATH))
    fits = np.zeros(len(places), np.bool_)
    for number, domain in enumerate(domains.to_pylist()):
        mine = slice(*np.searchsorted(query, [number, number + 1]))
        within = pc.or_(pc.equal(hosts[mine], domain), pc.ends_with(hosts[mine], f".{domain}"))
        fits[mine] = pc.fill_null(within, False)
    found = places.set_column(0, "query", pa.array(query.astype(np.int32))).filter(pa.array(fits))
    return found.group_by(found.column_names, use_threads=False).aggregate([])


def _key_ranges(domains: pa.Array) -> Iterator[tuple[str, str]]:
    """Ranges of SURT keys in which all pages of each domain lie; those of others may lie there too."""
    keys = url_columns(pc.binary_join_element_wise("https://", domains, "/", ""))["url_surtkey"]
    for domain, key in zip(domains.to_pylist(), keys.to_pylist(), strict=True):
        own = key.removesuffix(")/")
        whole = ",".join(reversed(domain.split(".")))  # a key lacks one `www.` in front, of `www.www.` as well
        for prefix, ranges in ((own, _PAGES), (whole, _BENEATH)):
            yield from ((prefix + first, prefix + end) for first, end in ranges)


def _by_isbn(dataset: Dataset, isbns: pa.Array) -> pa.Table:
    places = dataset.find("isbn", isbns.to_pylist())
    listed = dataset.ledger(places, ["isbns"])["isbns"].combine_chunks()
    row = pc.list_parent_indices(listed)
    same = pc.equal(pc.struct_field(listed.flatten(), "value"), isbns.take(places["query"].combine_chunks()).take(row))
    return places.take(pc.unique(row.filter(same)))


def _by_column(kind: str, column: str) -> Callable[[Dataset, pa.Array], pa.Table]:
    """Finds rows by a column of the ledger that is indexed as `kind`."""

    def find(dataset: Dataset, values: pa.Array) -> pa.Table:
        places = dataset.find(kind, values.to_pylist())
        found = dataset.ledger(places, [column])[column].combine_chunks()
        return places.filter(pc.equal(found, values.take(places["query"].combine_chunks())))

    return find


_FINDERS: Final = {
    "urls": _by_url,
    "domains": _by_domain,
    "isbns": _by_isbn,
    "doc_ids": _by_column("doc_id", "doc_id"),
    "texts": _by_column("text", "text_digest"),
}
