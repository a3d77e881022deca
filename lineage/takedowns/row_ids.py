"""Row ids: part and row of the ledger in one number, so that sets of rows are sorted arrays.

>>> ids = row_ids(pa.table({"part": [1, 0], "row": [2, 5]}))
>>> places_of(ids)["part"].to_pylist(), places_of(ids)["row"].to_pylist()
([1, 0], [2, 5])
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from lineage.catalog import PLACES

I64 = npt.NDArray[np.int64]

BLOCK_ROWS: Final = 4096
BLOCK_BYTES: Final = 64 << 20
"""Of text in a block: its sets of shingles take about as much."""


def row_ids(places: pa.Table) -> I64:
    """Ids, int64 of shape (rows,), of the columns `part` and `row`; they sort as the places do."""
    part, row = (places[name].to_numpy().astype(np.int64) for name in ("part", "row"))
    return (part << 32) | row


def places_of(ids: I64) -> pa.Table:
    """The places of ids in the schema `PLACES`; the query of each is its number."""
    columns = np.arange(len(ids)), ids >> 32, ids & 0xFFFFFFFF
    return pa.table([pa.array(column.astype(np.int32)) for column in columns], schema=PLACES)


def cut_blocks(text_bytes: I64, first: int = BLOCK_ROWS) -> Iterator[slice]:
    """Runs of rows whose texts, of so many bytes each, can be worked on at a time; a larger text is a run by itself.

    >>> [(block.start, block.stop) for block in cut_blocks(np.array([40 << 20, 20 << 20, 50 << 20]))]
    [(0, 2), (2, 3)]

    The first has at most `first` rows, and each at most twice as many as the one before.
    """
    ends = np.r_[0, np.cumsum(text_bytes)]
    start, rows = 0, first
    while start < len(text_bytes):
        fit = int(np.searchsorted(ends, ends[start] + BLOCK_BYTES, "right")) - 1
        stop = min(max(start + 1, fit), start + rows)
        yield slice(start, stop)
        start, rows = stop, min(2 * rows, BLOCK_ROWS)
