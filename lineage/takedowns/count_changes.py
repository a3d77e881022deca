"""Count changes: the counts of a manifest after some rows of the ledger have changed."""

from collections import Counter
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from schemas.reasons import DECIDED, KEEP
from transforms.decide.marks import count_marks, count_values, flat_marks

Counts = Counter[tuple[str, ...]]
"""Numbers by the keys that lead to them in a manifest."""


def count_rows(ledger: pa.Table) -> Counts:
    """What some rows of `LEDGER` add to the counts of their dataset."""
    counts: Counts = Counter()
    for decision, name in DECIDED.items():
        rows = ledger.filter(pc.equal(ledger["decision"], decision))
        counts["counts", name] = len(rows)
        if decision == KEEP:
            counts["bytes", "kept_text"] = pc.sum(rows["text_bytes"]).as_py() or 0
        else:
            counts.update({("counts", f"{name}_by", why): n for why, n in count_values(rows["reason"]).items()})
    found = count_marks(flat_marks(ledger))
    counts.update({(table, rule): n for table in ("marks", "flags") for rule, n in found[table].items()})
    return counts


def add_counts(manifest: Mapping[str, Any], more: Counts, less: Counts) -> dict[str, Any]:
    """A copy of the manifest with `more` added to its counts and `less` taken from them.

    >>> before = {"counts": {"kept": 2, "dropped_by": {"taint": 1}}, "marks": {"taint": 1}}
    >>> less = Counter({("counts", "kept"): 2, ("marks", "taint"): 1})
    >>> add_counts(before, Counter({("counts", "dropped_by", "noai"): 1}), less)
    {'counts': {'kept': 0, 'dropped_by': {'noai': 1, 'taint': 1}}, 'marks': {}}

    Tables of rules stay sorted, without zeros.
    """
    after = deepcopy(dict(manifest))
    for sign, counts in ((1, more), (-1, less)):
        for (*path, name), number in counts.items():
            table = after
            for key in path:
                table = table[key]
            table[name] = table.get(name, 0) + sign * number
    tables = [(after["counts"], name) for name in ("dropped_by", "quarantined_by")] + [
        (after, n) for n in ("marks", "flags")
    ]
    for home, name in tables:
        if name in home:
            home[name] = {rule: number for rule, number in sorted(home[name].items()) if number}
    return after
