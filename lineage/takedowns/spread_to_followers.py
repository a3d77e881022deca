"""Spread to followers: which rows were dropped for one that goes, and for one that goes with it, to the end."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from lineage.catalog import Dataset
from lineage.takedowns.row_ids import places_of, row_ids
from schemas.reasons import DROP

I64 = npt.NDArray[np.int64]


def spread_to_followers(dataset: Dataset, gone: I64) -> I64:
    """Row ids, sorted, of the dropped rows that name one of the rows `gone` as what they repeat, or name one of these.

    None of `gone` is among them, and none that a takedown took out before. Rows that are kept or quarantined though
    they repeat something stand by themselves.
    """
    found, new = np.empty(0, np.int64), gone
    while len(new):
        new = np.setdiff1d(_follow(dataset, new), np.union1d(gone, found))
        found = np.union1d(found, new)
    return found


def _follow(dataset: Dataset, ids: I64) -> I64:
    doc_ids = dataset.ledger(places_of(ids), ["doc_id"])["doc_id"].combine_chunks()
    places = dataset.find("witness", doc_ids.to_pylist())
    ledger = dataset.ledger(places, ["decision", "duplicate_of", "duplicate_build", "takedown_id"])
    same = pc.equal(ledger["duplicate_of"], doc_ids.take(places["query"].combine_chunks()))
    own = pc.and_(pc.is_null(ledger["duplicate_build"]), pc.is_null(ledger["takedown_id"]))
    dropped = pc.equal(ledger["decision"], pa.scalar(DROP))
    return row_ids(places.filter(pc.and_(dropped, pc.and_(same, own))))
