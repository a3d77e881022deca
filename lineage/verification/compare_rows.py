"""Compare rows: what two tables say of the same documents, column by column."""

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa

from lineage.verification.findings import RowFaults, differ, faults_where


def compare_rows(
    found: pa.RecordBatch, expected: pa.RecordBatch, columns: Sequence[str], who: str
) -> Iterator[RowFaults]:
    """Where `found` is not as `expected`, which is what `who` says; the columns are in both, in one type.

    >>> one, two = pa.record_batch({"a": ["x", None]}), pa.record_batch({"a": ["x", "y"]})
    >>> [wrong.faults.to_pylist() for wrong in compare_rows(one, two, ["a"], "the ledger")]
    [['`a` is `null`, the ledger says `y`']]
    """
    for name in columns:
        one, other = found[name], expected[name]
        if one.equals(other):
            continue
        if pa.types.is_nested(one.type):
            # Arrow compares lists only as a whole; so many as differ are few.
            wrong = np.array([a != b for a, b in zip(one.to_pylist(), other.to_pylist(), strict=True)], np.bool_)
            yield faults_where(wrong, f"`{name}` is not what {who} says")
        else:
            yield faults_where(differ(one, other), f"`{name}` is `", one, f"`, {who} says `", other, "`")
