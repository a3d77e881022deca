"""Columns across a shuffle: a batch is split by partition number and packed to Arrow IPC bytes, never row by row.

Keys and values of every shuffle are `int` and `bytes`, for which Beam has compiled coders. A coder written in Python
would be wrong here: the worker's timer thread flushes the output buffer without a lock and can cut such an element.
"""

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa

PARTITION_BYTES = 8 << 20
"""About how much payload one partition of a shuffle holds on one machine."""

Packed = tuple[int, bytes]
"""An element of a shuffle: partition (or part) number, and rows as one Arrow IPC stream."""


def partitions(payload_bytes: int, partition_bytes: int = PARTITION_BYTES) -> int:
    """How many partitions a shuffle of so many bytes is split into."""
    return max(8, -(-payload_bytes // partition_bytes))


def pack(batch: pa.RecordBatch) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return sink.getvalue().to_pybytes()


def unpack(values: Iterable[bytes]) -> pa.Table:
    """One table of all rows, in order of arrival; raises ValueError if there are no values."""
    return pa.concat_tables(pa.ipc.open_stream(pa.py_buffer(v)).read_all() for v in values).combine_chunks()


def split(batch: pa.RecordBatch, target: npt.NDArray[np.integer]) -> Iterator[Packed]:
    """Split a batch by the partition of each row (int, shape (rows,)); rows keep their order inside a partition."""
    if not len(target):
        return
    if (target[1:] < target[:-1]).any():
        # Numpy sorts 16 bits by radix, several times faster than 64; partitions beyond that many are rare.
        narrow = target.astype(np.uint16) if target.max() < 1 << 16 else target
        order = np.argsort(narrow, kind="stable")
        batch, target = batch.take(pa.array(order)), target[order]
    starts = np.flatnonzero(np.r_[True, target[1:] != target[:-1]])
    for start, stop in zip(starts, np.r_[starts[1:], len(target)], strict=True):
        yield int(target[start]), pack(batch.slice(start, stop - start))
