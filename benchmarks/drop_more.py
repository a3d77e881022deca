"""Drop more documents of a dataset, as one more blocklist would: another build of the same crawl."""

import hashlib
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.remap_rows import Rows
from schemas import reasons
from transforms.decide.marks import Marks, flatten, list_marks

LIST: Final = {
    "kind": "blocklist",
    "name": "grown",
    "category": "piracy",
    "sha256": hashlib.sha256(b"grown").hexdigest(),
    "entries": 1,
}
"""What the manifest says of the list."""
_FIELDS: Final = {"list": LIST["name"], "list_sha256": LIST["sha256"], "category": LIST["category"]}
_DECIDED: Final = {
    "decision": reasons.DROP,
    "reason": reasons.BLOCKLIST,
    "duplicate_of": None,
    "duplicate_build": None,
    "duplicate_kind": None,
    "similarity": None,
}


def drop_more(rows: Rows, share: float, random: np.random.Generator) -> Rows:
    """Let the list drop that share of the rows, whatever was decided of them; none that is witness or evidence.

    Raises ValueError if there are not so many with a registered domain.
    """
    ledger, marks = rows.ledger, rows.marks
    is_named = pc.is_in(ledger["doc_id"], _named(rows))
    free = np.flatnonzero(np.asarray(pc.and_not(ledger["url_host_registered_domain"].is_valid(), is_named)))
    count = round(share * len(ledger))
    if count > len(free):
        raise ValueError(
            f"{count:,} of {len(ledger):,} documents cannot be dropped: only {len(free):,} are free to go."
        )
    chosen = np.sort(random.choice(free, count, replace=False))
    dropped = np.zeros(len(ledger), np.bool_)
    dropped[chosen] = True
    matched = ledger["url_host_registered_domain"].combine_chunks().take(pa.array(chosen))
    added = Marks(reasons.BLOCKLIST, reasons.MARK_DROP, chosen, {**_FIELDS, "matched": matched})
    marks = flatten([marks.filter(pa.array(~dropped[marks["row"].to_numpy()])), added])
    columns: dict[str, Any] = {"marks": list_marks(marks, len(ledger))}
    for name, value in _DECIDED.items():
        columns[name] = pc.if_else(pa.array(dropped), pa.scalar(value, ledger.schema.field(name).type), ledger[name])
    table = pa.table([columns.get(name, ledger[name]) for name in ledger.column_names], schema=ledger.schema)
    return Rows(table, marks, rows.prints, rows.texts)


def _named(rows: Rows) -> pa.Array:
    return pa.concat_arrays([*rows.ledger["duplicate_of"].chunks, *rows.marks["evidence"].chunks])
