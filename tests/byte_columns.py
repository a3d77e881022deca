"""String columns for the tests of kernels: rows between other bytes, and rows at the end of what can be read."""

import ctypes
import mmap
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Column = tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]


def column(rows: Sequence[bytes], before: bytes = b"", after: bytes = b"") -> Column:
    """Data and offsets of `rows`, which lie between other bytes."""
    offsets = np.cumsum([len(before), *map(len, rows)], dtype=np.int64)
    return np.frombuffer(before + b"".join(rows) + after, np.uint8), offsets


def at_page_end(rows: Sequence[bytes]) -> Column:
    """The same in memory that ends with the last byte: reading one byte more is a segmentation fault."""
    data, offsets = column(rows)
    pages = -(-max(data.size, 1) // mmap.PAGESIZE)
    memory = mmap.mmap(-1, (pages + 1) * mmap.PAGESIZE)
    whole = np.frombuffer(memory, np.uint8)
    guard = ctypes.c_void_p(whole.ctypes.data + pages * mmap.PAGESIZE)
    protect = ctypes.CDLL(None, use_errno=True).mprotect
    if protect(guard, ctypes.c_size_t(mmap.PAGESIZE), 0):
        raise OSError(ctypes.get_errno(), "mprotect failed")
    view = whole[pages * mmap.PAGESIZE - data.size : pages * mmap.PAGESIZE]
    view[:] = data
    view.flags.writeable = False  # as Arrow buffers are
    return view, offsets


def words128(digests: npt.NDArray[np.uint64]) -> list[int]:
    """Digests of shape (rows, 2), high word first, as Python integers."""
    return [int(high) << 64 | int(low) for high, low in digests]
