"""Spread to copies: which rows repeat a row that is selected, or a text of the request, exactly or nearly.

One step from what is selected: a row goes because it is similar to that, never because it is similar to one that goes
for being similar.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from lineage.catalog import Dataset
from lineage.similarity.find_similar import find_similar, prints_of_rows, prints_of_texts
from lineage.similarity.prints import first_of_each
from lineage.takedowns.leave_out import Rest
from lineage.takedowns.row_ids import cut_blocks, places_of, row_ids
from schemas import reasons
from transforms.takedowns.read_takedown import Takedown

I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]

METHODS: Final = (reasons.EXACT, reasons.JACCARD, reasons.SIGNATURE)
"""How a similarity was found, the most reliable first."""
FIRST_ROWS: Final = 64
"""Rows whose copies are looked for at first: most copies of a site's pages are found by a few of them."""
COPIES: Final = pa.schema(
    [
        pa.field("id", pa.int64(), False),
        pa.field("similarity", pa.float64(), False),
        pa.field("method", pa.string(), False),
        pa.field("matched", pa.string()),
        pa.field("evidence", pa.string()),
    ]
)
_REPEATED: Final = ["duplicate_of", "duplicate_build", "duplicate_kind", "similarity"]
_FACTS: Final = ["doc_id", "text_bytes", "text_digest", "decision", *_REPEATED]


class Pairs(NamedTuple):
    """Sources, and rows that may be similar to them; arrays of shape (pairs,)."""

    source: I64
    """Number of the source: selected rows by `doc_id`, then texts by name."""
    id: I64
    similarity: F64
    method: I64
    """Index in `METHODS`."""


def spread_to_copies(dataset: Dataset, takedown: Takedown, selected: I64, crawl: bool = True) -> pa.Table:
    """Rows similar to one of the `selected` (row ids) or to a text, in the schema `COPIES`, by row id; each once.

    They reach the similarity of the request, or else the threshold of the build. A row names the most similar source,
    of equals the first by `doc_id`, as `evidence`; or, where that is a text, as `matched`. Copies of thousands of rows
    are looked for block by block, and who was found is not looked for again. Texts are compared where they can be had;
    otherwise what the ledger proves of two rows counts, or else the estimate. None is among those selected.
    """
    facts = dataset.ledger(places_of(selected), _FACTS).append_column("id", pa.array(selected)).sort_by("doc_id")
    order = np.argsort(takedown.text_names)
    names, texts = (some.take(pa.array(order)) for some in (pa.array(takedown.text_names, pa.string()), takedown.texts))
    limit = threshold_of(dataset, takedown)
    proven, seen = _proven(dataset, facts), selected
    found = _pairs(
        find_similar(Rest(dataset, seen), prints_of_texts(texts, dataset.near), limit, crawl),
        len(facts) + np.arange(len(names)),
    )
    sources = _distinct_texts(facts)
    ids, text_bytes = (facts[name].to_numpy()[sources] for name in ("id", "text_bytes"))
    for block in cut_blocks(text_bytes, FIRST_ROWS):
        prints = prints_of_rows(dataset, places_of(ids[block]), crawl)
        pairs = _pairs(find_similar(Rest(dataset, seen), prints, limit, crawl), sources[block])
        found = closest(_join([*proven, found, pairs]), limit)
        seen = np.union1d(selected, found.id)
    found = closest(_join([*proven, found]), limit)
    found = _take(found, np.flatnonzero(~np.isin(found.id, selected)))
    evidence = pa.concat_arrays([facts["doc_id"].combine_chunks(), pa.nulls(len(names), pa.string())])
    matched = pa.concat_arrays([pa.nulls(len(facts), pa.string()), names])
    at, method = pa.array(found.source), pa.array(METHODS).take(pa.array(found.method))
    return pa.table([found.id, found.similarity, method, matched.take(at), evidence.take(at)], schema=COPIES)


def threshold_of(dataset: Dataset, takedown: Takedown) -> float:
    """Similarity from which a row is a copy; 1 where neither request nor build say one."""
    return takedown.request.similarity or dataset.threshold or 1.0


def closest(pairs: Pairs, limit: float) -> Pairs:
    """Of each row its most similar source, the first of equals; none where no similarity reaches the limit.

    >>> one = Pairs(*map(np.array, ([0, 0, 1], [7, 7, 7], [0.6, 0.9, 0.8], [1, 2, 2])))
    >>> closest(one, 0.7).source.tolist(), closest(one, 0.7).similarity.tolist()
    ([1], [0.8])

    Of what is known of one pair the most reliable counts, even where it is less.
    """
    order = np.lexsort([pairs.method, pairs.id, pairs.source])
    pairs = _take(pairs, order[_first(pairs.source[order], pairs.id[order])])
    pairs = _take(pairs, np.flatnonzero(pairs.similarity >= limit))
    order = np.lexsort([pairs.source, -pairs.similarity, pairs.id])
    return _take(pairs, order[_first(pairs.id[order])])


def _join(found: Sequence[Pairs]) -> Pairs:
    columns: list[Any] = [np.concatenate(arrays) for arrays in zip(*found, strict=True)]
    return Pairs(*columns)


def _take(pairs: Pairs, chosen: I64) -> Pairs:
    return Pairs(pairs.source[chosen], pairs.id[chosen], pairs.similarity[chosen], pairs.method[chosen])


def _first(*keys: I64) -> npt.NDArray[np.bool_]:
    """Which rows differ from the one before, by sorted keys."""
    changed = np.any([np.diff(key) != 0 for key in keys], axis=0)
    return np.r_[True, changed][: len(keys[0])]


def _distinct_texts(facts: pa.Table) -> I64:
    """Numbers of the rows to look for copies of: of equal texts the first that the dataset holds; none without text."""
    numbers = np.asarray(facts["text_digest"].combine_chunks().dictionary_encode().indices.fill_null(-1), np.int64)
    return first_of_each(numbers, np.argsort(np.asarray(pc.equal(facts["decision"], reasons.DROP)), kind="stable"))


def _pairs(matches: pa.Table, sources: I64) -> Pairs:
    method = pc.index_in(matches["method"], pa.array(METHODS)).to_numpy().astype(np.int64)
    return Pairs(sources[matches["query"].to_numpy()], row_ids(matches), matches["similarity"].to_numpy(), method)


def _proven(dataset: Dataset, facts: pa.Table) -> list[Pairs]:
    """What the ledger proves: rows that were dropped for one selected, and rows for which one selected was dropped."""
    doc_ids = facts["doc_id"].combine_chunks()
    places = dataset.find("witness", doc_ids.to_pylist())
    followers = dataset.ledger(places, _REPEATED)
    same = pc.and_(_by_text(followers), pc.equal(followers["duplicate_of"], doc_ids.take(places["query"])))
    below = _as_pairs(dataset, followers.filter(same), places.filter(same), places["query"].filter(same))

    numbers = np.flatnonzero(np.asarray(_by_text(facts)))
    named = facts.take(pa.array(numbers))
    places = dataset.find("doc_id", named["duplicate_of"].to_pylist())
    said = named.take(places["query"])
    same = pc.equal(dataset.ledger(places, ["doc_id"])["doc_id"], said["duplicate_of"])
    source = pa.array(numbers).take(places["query"].filter(same))
    return [below, _as_pairs(dataset, said.filter(same), places.filter(same), source)]


def _by_text(ledger: pa.Table) -> pa.ChunkedArray:
    """Whether a row repeats the text of another one of this build."""
    kinds = pa.array([reasons.EXACT, reasons.NEAR])
    return pc.and_(pc.is_in(ledger["duplicate_kind"], kinds), pc.is_null(ledger["duplicate_build"]))


def _as_pairs(dataset: Dataset, proof: pa.Table, places: pa.Table, source: pa.ChunkedArray | pa.Array) -> Pairs:
    exact = np.asarray(pc.equal(proof["duplicate_kind"], reasons.EXACT))
    near = METHODS.index(dataset.manifest["duplicates"]["verify"] or reasons.JACCARD)
    method = np.where(exact, METHODS.index(reasons.EXACT), near)
    return Pairs(source.to_numpy().astype(np.int64), row_ids(places), proof["similarity"].to_numpy(), method)
