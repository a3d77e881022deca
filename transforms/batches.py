"""Arrow arrays as numpy buffers and back, without copying and without a Python object per row."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from schemas.columns import DIGEST

BATCH_ROWS = 4096
BATCH_BYTES = 8 << 20
"""A batch ends at this many rows or bytes of text, whichever comes first; one larger document is a batch of its own."""


class Strings(NamedTuple):
    """A string column as numpy: row i is `data[offsets[i]:offsets[i + 1]]`."""

    data: npt.NDArray[np.uint8]
    """uint8, shape (bytes,)"""
    offsets: npt.NDArray[np.int64]
    """int64, shape (rows + 1,)"""


def strings(array: pa.Array) -> Strings:
    """View a string or binary array; null rows come out empty.

    >>> view = strings(pa.array(["ab", None, "c"]))
    >>> bytes(view.data), view.offsets.tolist()
    (b'abc', [0, 2, 2, 3])
    """
    text = pa.types.is_string(array.type) or pa.types.is_large_string(array.type)
    if array.null_count:
        array = pc.fill_null(array, "" if text else b"")
    array = array.cast(pa.large_string() if text else pa.large_binary())
    _, offsets, data = array.buffers()
    if len(array) == 0 or offsets is None:
        return Strings(np.empty(0, np.uint8), np.zeros(len(array) + 1, np.int64))
    view = np.frombuffer(offsets, np.int64)[array.offset : array.offset + len(array) + 1]
    return Strings(np.frombuffer(data, np.uint8) if data is not None else np.empty(0, np.uint8), view)


def digests(words: npt.NDArray[np.uint64], null: npt.NDArray[np.bool_] | None = None) -> pa.Array:
    """Digest column from uint64 of shape (rows, 2), high word first; rows where `null` is true become null."""
    data = pa.py_buffer(np.ascontiguousarray(words, ">u8"))
    valid = None if null is None or not null.any() else pa.array(~null).buffers()[1]
    return pa.Array.from_buffers(DIGEST, len(words), [valid, data])


def digest_words(array: pa.Array) -> npt.NDArray[np.uint64]:
    """The reverse of `digests`: uint64 of shape (rows, 2); null rows come out as zeros."""
    return fixed_bytes(array).view(">u8").astype(np.uint64)


def fixed_bytes(array: pa.Array) -> npt.NDArray[np.uint8]:
    """View a fixed-size binary array as uint8 of shape (rows, width); null rows come out as zeros."""
    width = array.type.byte_width
    if array.null_count:
        array = pc.fill_null(array, bytes(width))
    data = np.frombuffer(array.buffers()[1], np.uint8) if len(array) else np.empty(0, np.uint8)
    return data[array.offset * width : (array.offset + len(array)) * width].reshape(len(array), width)


def hex_digests(array: pa.Array) -> pa.Array:
    """Digest column as 32 lower-case hex digits; null stays null."""
    nibbles = np.frombuffer(b"0123456789abcdef", np.uint8)
    raw = fixed_bytes(array)
    text = np.empty((len(raw), 2 * raw.shape[1]), np.uint8)
    text[:, 0::2], text[:, 1::2] = nibbles[raw >> 4], nibbles[raw & 15]
    offsets = np.arange(len(raw) + 1, dtype=np.int32) * np.int32(text.shape[1])
    valid = array.is_valid().buffers()[1] if array.null_count else None
    return pa.Array.from_buffers(pa.string(), len(raw), [valid, pa.py_buffer(offsets), pa.py_buffer(text)])
