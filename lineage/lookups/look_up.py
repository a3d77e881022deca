"""Lookup: whether documents were in datasets, what was decided of them, and why."""

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from lineage.catalog import Dataset, open_dataset
from lineage.lookups.find_places import FOUND, Candidates, find_candidates
from lineage.lookups.queries import Query, as_queries
from lineage.lookups.query_values import Wanted, normal_values
from schemas.columns import LEDGER
from schemas.errors import UsageError
from transforms.part_store import is_local

Several = str | Sequence[str] | None
I64 = npt.NDArray[np.int64]

_RENAMED: Final = {"duplicate_similarity": "similarity"}
"""Columns of an answer that have another name in the ledger."""
COLUMNS: Final = (
    "doc_id",
    "url",
    "decision",
    "reason",
    "takedown_id",
    "duplicate_of",
    "duplicate_build",
    "duplicate_kind",
    "duplicate_similarity",
    "cluster_id",
    "cluster_size",
    "rights_basis",
    "rights_reference",
    "record_id",
    "fetch_time",
    "url_host_name",
    "url_host_registered_domain",
    "source_file",
    "source_position",
    "warc_filename",
    "warc_record_offset",
    "warc_record_length",
    "warc_record_id",
    "content_digest",
    "text_bytes",
    "text_digest",
    "marks",
)
"""What an answer says of a document, as the ledger has it."""


def lookup(
    datasets: str | Dataset | Sequence[str | Dataset],
    *,
    url: Several = None,
    url_prefix: Several = None,
    host: Several = None,
    domain: Several = None,
    doc_id: Several = None,
    record_id: Several = None,
    warc: Several | Mapping[str, Any] | Sequence[str | Mapping[str, Any]] = None,
    isbn: Several = None,
    doi: Several = None,
    text: Several = None,
    text_file: Several = None,
    queries: Iterable[Mapping[str, Any]] = (),
    crawl: bool = True,
) -> pa.Table:
    """Look documents up, in one dataset or several: a row for each document found, kept or not.

    Each value of a selector is a query, and so is each of `queries`, an object with one selector and its value. They
    are numbered from 0 in the order of the selectors here; `queries` come last. A value is data: nothing in it is a
    wildcard or SQL.

    * `url`: in any way of writing it: compared are WHATWG forms without scheme, user, password and fragment.
    * `url_prefix`: what such a form begins with; it may end anywhere behind the host.
    * `host`, `domain`: `url_host_name` and `url_host_registered_domain` of the ledger.
    * `record_id`: the user's own id, or the WARC-Record-ID.
    * `warc`: `FILE`, `FILE:OFFSET`, or an object of `file` and `offset`. FILE is its name in the ledger, a path that
      ends in it, or its last steps.
    * `isbn`: 10 or 13 digits; `doi`: with or without resolver.
    * `text`, `text_file`: documents with an equal text, and those whose Jaccard similarity reaches the threshold of the
      build. With `crawl`, texts of dropped documents are read from the crawl where it is at hand; where they are not,
      similarity is estimated.

    Columns: `query` (int32), `selector`, `value` (as given; of a text, how it begins), `found`, `dataset` (the
    directory), `build_id`, `version_id`; `COLUMNS`, which are null where nothing was found; and of texts `similarity`
    (float64) and `method` (`exact`, `jaccard`, or `signature` for an estimate). Rows are sorted by query, then by
    dataset in the order given, then by similarity from 1 downwards, then as in the ledger. A query that finds nothing
    in a dataset has one row there, in which `found` is false.

    Raises UsageError, naming all queries that are unusable, before anything is looked up.
    """
    selectors = {
        "url": url,
        "url_prefix": url_prefix,
        "host": host,
        "domain": domain,
        "doc_id": doc_id,
        "record_id": record_id,
        "warc": warc,
        "isbn": isbn,
        "doi": doi,
        "text": text,
        "text_file": text_file,
    }
    several = [datasets] if isinstance(datasets, str | Dataset) else datasets
    return answer(several, as_queries(selectors, queries), crawl=crawl)


def answer(
    datasets: Sequence[str | Dataset], queries: Sequence[Query], columns: Sequence[str] = COLUMNS, crawl: bool = True
) -> pa.Table:
    """What `lookup` gives, with some of `COLUMNS`."""
    if not queries:
        raise UsageError("Nothing was asked: name what to look up, such as a URL.")
    wanted = normal_values(queries)
    opened = _open_all(datasets)
    found = [_answer_one(dataset, queries, wanted, columns, crawl) for dataset in opened]
    whole = pa.concat_tables(found)
    order = np.argsort(whole["query"].to_numpy(), kind="stable")
    return whole.take(pa.array(order))


def answer_schema(columns: Sequence[str] = COLUMNS) -> pa.Schema:
    """Schema of an answer with some of `COLUMNS`."""
    ledger = LEDGER.schema()
    return pa.schema(
        [
            pa.field("query", pa.int32(), False),
            pa.field("selector", pa.string(), False),
            pa.field("value", pa.string(), False),
            pa.field("found", pa.bool_(), False),
            pa.field("dataset", pa.string(), False),
            pa.field("build_id", pa.string(), False),
            pa.field("version_id", pa.string(), False),
            *(pa.field(name, ledger.field(_RENAMED.get(name, name)).type) for name in columns),
            *(FOUND.field(name) for name in ("similarity", "method")),
        ]
    )


def _open_all(datasets: Sequence[str | Dataset]) -> list[Dataset]:
    """The datasets, opened. Raises UsageError if there is none, or one comes twice."""
    if not datasets:
        raise UsageError("No dataset was named: name the output directory of `cleartitle curate` or `publish`.")
    opened = [open_dataset(dataset) for dataset in datasets]
    seen: dict[str, str] = {}
    for dataset in opened:
        place = os.path.realpath(dataset.directory) if is_local(dataset.directory) else dataset.directory
        if place in seen:
            raise UsageError(f"{dataset.directory} is the same dataset as {seen[place]}. Name each of them once.")
        seen[place] = dataset.directory
    return opened


def _answer_one(
    dataset: Dataset, queries: Sequence[Query], wanted: Sequence[Wanted], columns: Sequence[str], crawl: bool
) -> pa.Table:
    """The answer of one dataset."""
    found = [find_candidates(dataset, one, crawl) for one in wanted]
    needed = [_RENAMED.get(name, name) for name in columns]
    read = list(dict.fromkeys([*needed, *(name for one in found for name in one.columns)]))
    places = pa.concat_tables([one.places for one in found])
    ledger = dataset.ledger(places, read)
    at, query = _arrange(places, _confirmed(found, ledger), len(queries))
    asked = [(queries[number].selector, queries[number].shown()) for number in range(len(queries))]
    selectors, values = (pa.array(side, pa.string()).take(pa.array(query)) for side in zip(*asked, strict=True))
    said = (dataset.directory, dataset.build_id, dataset.version_id)
    return pa.table(
        [
            pa.array(query, pa.int32()),
            selectors,
            values,
            at.is_valid(),
            *(pa.repeat(pa.scalar(one, pa.string()), len(query)) for one in said),
            *ledger.select(needed).take(at).columns,
            *places.select(["similarity", "method"]).take(at).columns,
        ],
        schema=answer_schema(columns),
    )


def _confirmed(found: Sequence[Candidates], ledger: pa.Table) -> I64:
    """Rows of the ledger, those of all candidates one after another, that are what they were sought for: int64."""
    start, masks = 0, []
    for one in found:
        rows = ledger.slice(start, len(one.places))
        masks.append(np.asarray(pc.fill_null(one.holds(one.sought, rows), False)))
        start += len(rows)
    return np.flatnonzero(np.concatenate(masks))


def _arrange(places: pa.Table, confirmed: I64, queries: int) -> tuple[pa.Array, I64]:
    """Where the rows of an answer stand among the places, null for a query without any; and their queries."""
    query, part, row = (places[name].to_numpy()[confirmed] for name in ("query", "part", "row"))
    similarity = pc.fill_null(places["similarity"], 0).to_numpy()[confirmed]
    order = np.lexsort([row, part, -similarity, query])
    same = np.all([column[order][1:] == column[order][:-1] for column in (query, part, row)], axis=0)
    chosen = order[np.r_[True, ~same][: len(order)]]
    missing = np.setdiff1d(np.arange(queries), query)
    at = np.r_[confirmed[chosen], np.full(len(missing), -1)]
    answered = np.r_[query[chosen], missing].astype(np.int64)
    by_query = np.argsort(answered, kind="stable")
    return pa.array(at[by_query], mask=at[by_query] < 0), answered[by_query]
