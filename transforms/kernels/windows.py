"""Windows of text round places that were found in it: bytes in lower case, and cuts at the borders of characters."""

import numba
import numpy as np
import numpy.typing as npt

from transforms.kernels.memory import Bytes

I64 = npt.NDArray[np.int64]


@numba.njit(nogil=True, cache=True)
def lower_ascii(data: Bytes) -> Bytes:
    """A copy with A to Z in lower case; all other bytes as they are.

    >>> bytes(lower_ascii(np.frombuffer("ÄRGER".encode(), np.uint8))).decode()
    'Ärger'
    """
    lowered = np.empty_like(data)
    for i in range(data.size):
        byte = data[i]
        lowered[i] = byte | np.uint8(0x20) if np.uint8(byte - np.uint8(0x41)) < 26 else byte
    return lowered


@numba.njit(nogil=True, cache=True)
def clip(data: Bytes, offsets: I64, rows: I64, starts: I64, stops: I64) -> tuple[I64, I64]:
    """Windows clipped to their rows, each end moved inwards to a border of characters in UTF-8.

    >>> text = np.frombuffer("aéb".encode(), np.uint8)
    >>> begin, end = clip(text, np.array([0, 4]), np.array([0]), np.array([-9]), np.array([2]))
    >>> begin.tolist(), end.tolist()
    ([0], [1])

    Windows are int64 of shape (windows,), in bytes of `data`; row i is `data[offsets[i]:offsets[i + 1]]`. A window
    that would end before it starts is empty. No more than 3 bytes are left out at either end, whatever they are.
    """
    begins, ends = np.empty_like(starts), np.empty_like(stops)
    for i in range(starts.size):
        first, last = offsets[rows[i]], offsets[rows[i] + 1]
        begin, end = min(max(starts[i], first), last), max(min(stops[i], last), first)
        for _ in range(3):
            begin += begin < last and data[begin] & 0xC0 == 0x80
        for _ in range(3):
            end -= first < end < last and data[end] & 0xC0 == 0x80
        begins[i], ends[i] = begin, max(begin, end)
    return begins, ends


@numba.njit(nogil=True, cache=True)
def gather(data: Bytes, starts: I64, stops: I64) -> tuple[Bytes, I64]:
    """The windows `data[starts[i]:stops[i]]` one after another, as a string column of its own.

    >>> found, offsets = gather(np.frombuffer(b"a bc", np.uint8), np.array([2, 0]), np.array([4, 1]))
    >>> bytes(found), offsets.tolist()
    (b'bca', [0, 2, 3])
    """
    offsets = np.zeros(starts.size + 1, np.int64)
    for i in range(starts.size):
        offsets[i + 1] = offsets[i] + stops[i] - starts[i]
    found = np.empty(offsets[-1], np.uint8)
    for i in range(starts.size):
        found[offsets[i] : offsets[i + 1]] = data[starts[i] : stops[i]]
    return found, offsets
