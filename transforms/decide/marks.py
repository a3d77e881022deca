"""The marks of a part, as columns: which rules fired on which rows, with their evidence, and what follows from them.

>>> one, two = Marks("a", "drop", np.array([1])), Marks("b", "flag", np.array([0, 1]))
>>> marks = flatten([one, two])
>>> [[mark["rule"] for mark in row] for row in list_marks(marks, 3).to_pylist()]
[['b'], ['a', 'b'], []]
>>> decision, reason = settle_marks(marks, 3)
>>> decision.to_pylist(), reason.to_pylist()
(['keep', 'drop', 'keep'], [None, 'a', None])
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from schemas import reasons
from schemas.structs import MARK

I64 = npt.NDArray[np.int64]

FLAT: Final = pa.schema([pa.field("row", pa.int64(), False), *MARK])
"""Marks side by side, sorted by row; those of one row in the order in which the rules are applied."""


@dataclass(frozen=True)
class Marks:
    """One rule's marks on the rows of a part: `rows` int64 of shape (marks,), and arrays or scalars for the fields.

    An `action` among the fields is that of each mark.
    """

    rule: str
    action: str
    rows: I64
    fields: dict[str, pa.Array | str | float] = field(default_factory=dict)

    def table(self) -> pa.Table:
        """The marks in the schema `FLAT`, in the order of `rows`."""
        values: dict[str, Any] = {"rule": self.rule, "action": self.action, **self.fields}

        def column(spec: pa.Field) -> pa.Array:
            value = values.get(spec.name)
            if isinstance(value, pa.Array):
                return value.cast(spec.type)
            return pa.repeat(pa.scalar(value, spec.type), len(self.rows))

        return pa.table([pa.array(self.rows, pa.int64()), *(column(spec) for spec in MARK)], schema=FLAT)


def flatten(marks: Iterable[Marks | pa.Table]) -> pa.Table:
    """All marks in the schema `FLAT`; those of one row stand in the order of `marks`, which is that of the rules."""
    tables = [m.table() if isinstance(m, Marks) else m for m in marks]
    table = pa.concat_tables([FLAT.empty_table(), *tables]).combine_chunks()
    return table.take(pa.array(np.argsort(table["row"].to_numpy(), kind="stable")))


def list_marks(marks: pa.Table, rows: int) -> pa.ListArray:
    """One list of `MARK` for each of `rows` rows, from `FLAT`."""
    structs = pa.StructArray.from_arrays([_column(marks, spec.name) for spec in MARK], fields=list(MARK))
    offsets = np.r_[0, np.cumsum(np.bincount(marks["row"].to_numpy(), minlength=rows))].astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), structs)


def flat_marks(ledger: pa.Table | pa.RecordBatch) -> pa.Table:
    """The marks of some ledger rows in the schema `FLAT`: the reverse of `list_marks`."""
    lists = ledger["marks"]
    lists = lists.combine_chunks() if isinstance(lists, pa.ChunkedArray) else lists
    return pa.table([pc.list_parent_indices(lists).cast(pa.int64()), *lists.flatten().flatten()], schema=FLAT)


def settle_marks(marks: pa.Table, rows: int) -> tuple[pa.Array, pa.Array]:
    """Decision and reason of each of `rows` rows: the first rule that drops it, else the first that quarantines it."""
    decision = np.zeros(rows, np.int64)
    first = np.full(rows, -1, np.int64)
    actions = {reasons.MARK_QUARANTINE: reasons.QUARANTINED, reasons.MARK_DROP: reasons.DROP}
    for number, action in enumerate(actions, 1):
        at = np.flatnonzero(np.asarray(pc.equal(marks["action"], action)))
        row, where = np.unique(marks["row"].to_numpy()[at], return_index=True)
        decision[row], first[row] = number, at[where]
    names = pa.array([reasons.KEEP, *actions.values()])
    return names.take(pa.array(decision)), _column(marks, "rule").take(pa.array(first, mask=first < 0))


def takedown_ids(marks: pa.Table, rows: int) -> pa.Array:
    """Of each of `rows` rows the list of its first mark by a takedown, which is the takedown's id; null without one."""
    at = np.flatnonzero(np.asarray(pc.equal(marks["rule"], reasons.TAKEDOWN)))
    row, where = np.unique(marks["row"].to_numpy()[at], return_index=True)
    first = np.full(rows, -1, np.int64)
    first[row] = at[where]
    return _column(marks, "list").take(pa.array(first, mask=first < 0))


def marked_rows(
    marks: pa.Table, rows: int, actions: Iterable[str], rules: Iterable[str] | None = None
) -> npt.NDArray[np.bool_]:
    """Which of `rows` rows have a mark of one of the actions, and of one of the rules if they are given."""
    chosen = pc.is_in(marks["action"], pa.array(list(actions), pa.string()))
    if rules is not None:
        chosen = pc.and_(chosen, pc.is_in(marks["rule"], pa.array(list(rules), pa.string())))
    found = np.zeros(rows, np.bool_)
    found[marks["row"].to_numpy()[np.asarray(chosen)]] = True
    return found


def count_marks(marks: pa.Table) -> dict[str, dict[str, int]]:
    """Marks by rule and by list, and by rule the rows that are flagged by it; names in their order."""
    flagged = marks.filter(pc.equal(marks["action"], reasons.MARK_FLAG)).group_by(["row", "rule"]).aggregate([])
    columns = {"marks": marks["rule"], "lists": marks["list"].drop_null(), "flags": flagged["rule"]}
    return {name: count_values(values) for name, values in columns.items()}


def count_values(values: pa.ChunkedArray) -> dict[str, int]:
    """How often each value is there, in the order of the values."""
    counted = values.value_counts()
    return dict(sorted((str(one["values"]), int(one["counts"])) for one in counted.to_pylist()))


def _column(table: pa.Table, name: str) -> pa.Array:
    column = table[name].combine_chunks()
    return column if isinstance(column, pa.Array) else pa.concat_arrays([*column.chunks, pa.array([], column.type)])
