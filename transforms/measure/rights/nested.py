"""Build the columns of rights signals: lists of structs, row by row."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.measure.rights.findings import I64

Values = tuple[I64, pa.Array]
"""Values and the rows that they belong to."""


class PageSignals(NamedTuple):
    """Page signals of a batch one after another, by row; shape (signals,)."""

    rows: I64
    kinds: pa.Array
    values: pa.Array
    agents: pa.Array
    sources: pa.Array

    def of(self, *kinds: str) -> "PageSignals":
        """Those of some kinds."""
        return self.only(pc.is_in(self.kinds, pa.array(kinds, pa.string())))

    def only(self, chosen: pa.Array) -> "PageSignals":
        """Those for which `chosen` is true."""
        return PageSignals(self.rows[np.asarray(chosen)], *(column.filter(chosen) for column in self[1:]))


def flatten(page_signals: pa.Array) -> PageSignals:
    """The page signals of a list column."""
    structs = pc.list_flatten(page_signals)
    rows = pc.list_parent_indices(page_signals).to_numpy().astype(np.int64)
    return PageSignals(rows, *(pc.struct_field(structs, name) for name in ("kind", "value", "agent", "source")))


def struct(kind: pa.DataType, *columns: pa.Array) -> pa.Array:
    """Structs of a type, of one array for each of its fields."""
    return pa.StructArray.from_arrays(columns, fields=list(kind))


def nest(parts: list[Values], count: int, null: npt.NDArray[np.bool_] | None = None) -> pa.Array:
    """Lists of values, one for each of `count` rows: first those of the first part, in its order, and so on.

    >>> nest([(np.array([2, 0]), pa.array(["a", "b"])), (np.array([2]), pa.array(["c"]))], 3).to_pylist()
    [['b'], [], ['a', 'c']]

    Rows where `null` is true become null.
    """
    rows = np.concatenate([rows for rows, _ in parts])
    values = pa.concat_arrays([values for _, values in parts])
    order = np.argsort(rows, kind="stable")
    offsets = pa.array(np.searchsorted(rows[order], np.arange(count + 1)).astype(np.int32))
    mask = None if null is None else pa.array(null)
    return pa.ListArray.from_arrays(offsets, values.take(pa.array(order)), type=pa.list_(values.type), mask=mask)
