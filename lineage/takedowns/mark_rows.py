"""Mark rows: ledger rows as they are once a takedown has taken them out."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lineage.takedowns.plan_takedown import COPY
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


def _column(table: pa.Table, name: str) -> pa.Array:
    return table[name].combine_chunks()
