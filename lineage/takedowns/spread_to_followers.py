"""Spread to followers: which rows were dropped only for ones that go, and for those that go with them, to the end."""

from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from lineage.catalog import Dataset
from lineage.takedowns.row_ids import places_of, row_ids
from schemas import reasons
from transforms.decide.marks import flat_marks, marked_rows

I64 = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

REPEATS: Final = {
    reasons.SAME_URL: "same_url",
    reasons.EXACT_DUPLICATE: "exact",
    reasons.NEAR_DUPLICATE: "near",
}
"""Kinds of witnesses by the rules that mark their duplicates."""


def spread_to_followers(dataset: Dataset, gone: I64) -> I64:
    """Row ids, sorted, of the rows that were dropped only because they repeat rows that are `gone` or among these.

    None of `gone` is among them, and none that a takedown took out before. Rows that are kept or quarantined though
    they repeat something stand by themselves; rows that something else drops, be it another witness, stay as they are.
    """
    out = new = np.union1d(gone, _went_before(dataset, gone))
    waiting = found = np.empty(0, np.int64)
    while len(new):
        waiting = np.setdiff1d(np.union1d(waiting, _follow(dataset, new)), out)
        stays = still_out(dataset.ledger(places_of(waiting), ["marks"]), doc_ids(dataset, out))
        new = waiting[~stays]
        out, found = np.union1d(out, new), np.union1d(found, new)
    return found


def still_out(ledger: pa.Table, gone: pa.Array) -> Flags:
    """Which ledger rows a rule drops, not counting that they repeat one of the documents `gone` (ids) of this build."""
    marks = flat_marks(ledger)
    repeats = pc.and_(pc.is_in(marks["rule"], pa.array([*REPEATS])), pc.is_null(marks["evidence_build"]))
    dead = pc.and_(repeats, pc.is_in(marks["evidence"], gone))
    return marked_rows(marks.filter(pc.invert(dead)), len(ledger), [reasons.MARK_DROP])


def doc_ids(dataset: Dataset, ids: I64) -> pa.Array:
    """The `doc_id` of rows, in their order."""
    return dataset.ledger(places_of(ids), ["doc_id"])["doc_id"].combine_chunks()


def _went_before(dataset: Dataset, gone: I64) -> I64:
    """Rows of the clusters of `gone` that an earlier takedown took out: a row may name them and one that goes now."""
    if not dataset.manifest["takedowns"]:
        return np.empty(0, np.int64)
    wanted = pc.unique(dataset.ledger(places_of(gone), ["cluster_id"])["cluster_id"]).drop_null()
    places = dataset.find("cluster", wanted.to_pylist())
    ledger = dataset.ledger(places, ["cluster_id", "takedown_id"])
    same = pc.equal(ledger["cluster_id"], wanted.take(places["query"].combine_chunks()))
    return row_ids(places.filter(pc.and_(same, pc.is_valid(ledger["takedown_id"]))))


def _follow(dataset: Dataset, ids: I64) -> I64:
    named = doc_ids(dataset, ids)
    places = dataset.find("witness", named.to_pylist())
    ledger = dataset.ledger(places, ["decision", "duplicate_of", "duplicate_build", "takedown_id"])
    same = pc.equal(ledger["duplicate_of"], named.take(places["query"].combine_chunks()))
    own = pc.and_(pc.is_null(ledger["duplicate_build"]), pc.is_null(ledger["takedown_id"]))
    dropped = pc.equal(ledger["decision"], pa.scalar(reasons.DROP))
    return row_ids(places.filter(pc.and_(dropped, pc.and_(same, own))))
