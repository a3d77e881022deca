"""Mark rows: ledger rows as they are once a takedown has taken them out; and what their marks say of that."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lineage.catalog import Dataset
from lineage.takedowns.plan_takedown import COPY, RECORDS
from lineage.takedowns.row_ids import places_of
from schemas import reasons
from transforms.decide.marks import Marks, flat_marks, flatten, list_marks
from transforms.takedowns.read_takedown import Takedown


def mark_rows(ledger: pa.Table, records: pa.Table, takedown: Takedown, limit: float | None) -> pa.Table:
    """Rows of `LEDGER`, in their order, as dropped by the takedown, whose mark stands before those they had.

    `records` (`RECORDS`) say why each of them goes; `limit` is the similarity from which a row is a copy.
    """
    copies = pc.equal(records["selector"], COPY)
    exact = pc.equal(records["method"], reasons.EXACT)
    fields: dict[str, Any] = {
        "list": takedown.id,
        "list_sha256": takedown.sha256,
        "category": _column(records, "selector"),
        "matched": _column(records, "matched"),
        "value": _column(records, "similarity"),
        "limit": pc.if_else(copies, pa.scalar(limit, pa.float64()), None).combine_chunks(),
        "method": pc.if_else(exact, None, records["method"]).combine_chunks(),  # equal texts are not measured
        "evidence": _column(records, "evidence"),
    }
    rows = np.arange(len(ledger), dtype=np.int64)
    taken = Marks(reasons.TAKEDOWN, reasons.MARK_DROP, rows, fields)
    marks = flatten([taken, flat_marks(ledger)])
    changed = {
        "decision": pa.repeat(reasons.DROP, len(ledger)),
        "reason": pa.repeat(reasons.TAKEDOWN, len(ledger)),
        "marks": list_marks(marks, len(ledger)),
        "takedown_id": pa.repeat(takedown.id, len(ledger)),
    }
    return pa.table([changed.get(name, ledger[name]) for name in ledger.column_names], schema=ledger.schema)


def read_records(dataset: Dataset, takedown: str) -> pa.Table:
    """The rows that are out by a takedown (its id), with the columns of `RECORDS`, from the first of their marks by it.

    `decision` is null: the ledger does not say what they had been before.
    """
    ids = [np.empty(0, np.int64)]
    for part in dataset.parts("ledger"):
        taken = dataset.read("ledger", part, ["takedown_id"])["takedown_id"]
        ids.append((part << 32) | np.flatnonzero(np.asarray(pc.fill_null(pc.equal(taken, takedown), False))))
    places = places_of(np.concatenate(ids))
    ledger = dataset.ledger(places, ["doc_id", "url", "marks"])
    marks = flat_marks(ledger)
    marks = marks.filter(pc.equal(marks["rule"], reasons.TAKEDOWN))
    _, first = np.unique(marks["row"].to_numpy(), return_index=True)
    marks = marks.take(pa.array(first))
    columns = {name: table[name] for table in (marks, places, ledger) for name in table.column_names}
    columns |= {"decision": pa.nulls(len(ledger), pa.string()), "selector": marks["category"]}
    columns["similarity"] = marks["value"]
    return pa.table({name: columns[name] for name in RECORDS.names})


def _column(table: pa.Table, name: str) -> pa.Array:
    return table[name].combine_chunks()
