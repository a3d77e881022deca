"""The marks column, built from columns: which rules fired on a row, in the order of the rules, with their evidence."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from schemas.columns import MARK
from schemas.reasons import MARK_DROP


@dataclass(frozen=True)
class Marks:
    """One rule's marks on the rows of a part: `rows` int64 of shape (marks,), and arrays or scalars for the fields."""

    rule: str
    action: str
    rows: npt.NDArray[np.int64]
    fields: dict[str, pa.Array | str | float] = field(default_factory=dict)

    def structs(self) -> pa.StructArray:
        """The marks as an array of `MARK`, one for each of `rows`."""
        values: dict[str, Any] = {"rule": self.rule, "action": self.action, **self.fields}

        def column(spec: pa.Field) -> pa.Array:
            value = values.get(spec.name)
            if isinstance(value, pa.Array):
                return value.cast(spec.type)
            return pa.repeat(pa.scalar(value, spec.type), len(self.rows))

        return pa.StructArray.from_arrays([column(spec) for spec in MARK], fields=list(MARK))


def list_marks(marks: Sequence[Marks], rows: int) -> pa.ListArray:
    """One list of marks for each of `rows` rows; inside a list in the order of `marks`.

    >>> column = list_marks([Marks("a", "drop", np.array([1])), Marks("b", "flag", np.array([0, 1]))], 3)
    >>> [[mark["rule"] for mark in row] for row in column.to_pylist()]
    [['b'], ['a', 'b'], []]
    """
    row = np.concatenate([np.empty(0, np.int64), *(m.rows for m in marks)])
    order = np.argsort(row, kind="stable")
    structs = pa.concat_arrays([pa.array([], MARK), *(m.structs() for m in marks)]).take(pa.array(order))
    offsets = np.r_[0, np.cumsum(np.bincount(row, minlength=rows))].astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), structs)


def reasons(marks: Iterable[Marks], rows: int) -> pa.Array:
    """The first rule that drops each row; null where none does."""
    rules = [m for m in marks if m.action == MARK_DROP]
    first = np.full(rows, len(rules), np.int32)
    for number, mark in reversed(list(enumerate(rules))):
        first[mark.rows] = number
    names = pa.array([m.rule for m in rules], pa.string())
    return pa.DictionaryArray.from_arrays(pa.array(first, mask=first == len(rules)), names).cast(pa.string())
