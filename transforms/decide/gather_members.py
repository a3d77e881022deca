"""Gather members: what must be known of a part's documents that have candidates, and the sets they are compared by.

Facts and the sketch of a document, some 200 bytes, go through the shuffle. Its set of shingles weighs about as much as
its text and is seldom needed, so the sets of a part stay in one file, in the order in which the judges ask for them.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from schemas.columns import SKETCH, TEXT
from schemas.errors import WorkError
from schemas.reasons import CRAWL
from transforms.batches import digest_words, fixed_bytes, strings
from transforms.decide.duplicate_rules import DuplicateRules
from transforms.decide.order_survivors import LAST
from transforms.kernels.shingle_sets import shingle_sets
from transforms.takedowns.store_takedowns import SHINGLES

U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]

FACTS: Final = (
    "doc_id",
    "url",
    "url_digest",
    "text_bytes",
    "text_digest",
    "fetch_time",
    "shingle_count",
)
"""Measured columns that this step always needs."""
STANDING: Final = ("rights_basis", "priority", "excluded", "tainting", "takedown")
"""Columns of `WEIGHED` that it needs."""


def needed_columns(rules: DuplicateRules, taken: bool = False) -> list[str]:
    """Measured columns that this step needs under the rules; of what was `taken`, sets are stored in place of texts."""
    if not rules.permutations:
        return list(FACTS)
    bands = [f"band_{band:02d}" for band in range(rules.bands)]
    return [*FACTS, SKETCH, *(bands if rules.signature else [SHINGLES if taken else TEXT.name])]


def gather_members(
    table: pa.Table, component: U64, weighed: pa.Table, ids: U64, rules: DuplicateRules
) -> tuple[pa.RecordBatch, U64]:
    """Facts of some documents, one row each, and their sets, one after the other.

    `table` has the columns `needed_columns` of these documents and `weighed` those of `STANDING`; `component` and `ids`
    (their ordinals) are of shape (rows,). Of documents with one text the set stands there once. In the batch,
    `set_start` and `set_size` say where in the array of sets (uint64) a row's own is.
    """
    signed = (np.asarray(table["shingle_count"]) > 0) & bool(rules.permutations)
    columns: dict[str, Any] = {
        "id": ids,
        "component": component,
        **{name: table[name].combine_chunks() for name in ("doc_id", "url_digest", "text_digest", "text_bytes")},
        "fetch_time": pc.fill_null(table["fetch_time"].combine_chunks().cast(pa.int64()), LAST),
        "url_bytes": pc.fill_null(pc.binary_length(table["url"].combine_chunks()).cast(pa.int64()), LAST),
        "priority": weighed["priority"].combine_chunks(),
        "excluded": weighed["excluded"].combine_chunks(),
        "tainting": weighed["tainting"].combine_chunks(),
        "takedown": weighed["takedown"].combine_chunks(),
        "entitled": pc.not_equal(weighed["rights_basis"].combine_chunks(), CRAWL),
        "signed": signed,
    }
    sets = np.empty(0, np.uint64)
    if rules.permutations:
        columns["sketch"] = table[SKETCH].combine_chunks()
        sets, columns["set_start"], columns["set_size"] = _sets(table, signed, rules)
    return pa.record_batch(columns), sets


def _sets(table: pa.Table, signed: npt.NDArray[np.bool_], rules: DuplicateRules) -> tuple[U64, I64, I64]:
    """The distinct sets, and start and size of each row's."""
    start, size = np.zeros(len(table), np.int64), np.zeros(len(table), np.int64)
    rows = np.flatnonzero(signed)
    if not len(rows):
        return np.empty(0, np.uint64), start, size
    words = digest_words(table["text_digest"].combine_chunks())[rows]
    _, first, same = np.unique(words, axis=0, return_index=True, return_inverse=True)
    order = np.argsort(first)  # texts in the order of their first rows
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    chosen = table.take(pa.array(rows[first[order]]))
    if rules.signature:
        sets, sizes = _signatures(chosen, rules)
    else:
        sets, sizes = _stored(chosen) if SHINGLES in chosen.column_names else _shingles(chosen, rules)
    text = place[same.ravel()]
    start[rows], size[rows] = (np.cumsum(sizes) - sizes)[text], sizes[text]
    return sets, start, size


def _shingles(table: pa.Table, rules: DuplicateRules) -> tuple[U64, I64]:
    room = np.empty(int(pc.sum(table["shingle_count"]).as_py()), np.uint64)
    sizes = shingle_sets(*strings(table[TEXT.name].combine_chunks()), rules.ngram, room)
    if (sizes < 0).any():
        raise WorkError(
            "The texts have more shingles than `shingle_count` says: the store was changed after it was measured.\n"
            "Measure its crawl again."
        )
    return room[: sizes.sum()], sizes


def _stored(table: pa.Table) -> tuple[U64, I64]:
    """Sets of what was taken; empty where its text was not at hand."""
    lists = table[SHINGLES].combine_chunks()
    return lists.flatten().to_numpy(), pc.fill_null(pc.list_value_length(lists), 0).to_numpy()


def _signatures(table: pa.Table, rules: DuplicateRules) -> tuple[U64, I64]:
    """MinHash values with their places, so that two sets share what two signatures have equal."""
    bands = [fixed_bytes(table[f"band_{band:02d}"].combine_chunks()) for band in range(rules.bands)]
    values = np.concatenate(bands, axis=1).view("<u4").astype(np.uint64)
    places = np.arange(1, rules.permutations + 1, dtype=np.uint64) << np.uint64(32)
    return (values | places).ravel(), np.full(len(table), rules.permutations, np.int64)
