"""Find the entry of a list of domains that covers a host: the host itself or a parent domain, at a label border.

The index of a list is its hashes, sorted, and `bucket_starts`: where the hashes begin that share their leading bits.
There are one to two buckets for each entry, so a look-up costs two reads from memory and nearly always ends there.
"""

import numba
import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
I32 = npt.NDArray[np.int32]
I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]

ITSELF = np.uint8(1)
"""Scope of an entry that covers one host and not its subdomains; any other scope covers both."""

_DOT, _ZERO, _NINE = np.uint8(ord(".")), np.uint8(ord("0")), np.uint8(ord("9"))
_START, _PRIME = np.uint64(0xCBF29CE484222325), np.uint64(0x100000001B3)


def bucket_starts(hashes: U64) -> I32:
    """Positions in `hashes` (uint64, ascending, fewer than 2**31) at which each bucket begins, and their number.

    >>> bucket_starts(np.array([1 << 61, 3 << 61, 3 << 61 | 1], np.uint64)).tolist()
    [0, 1, 3, 3, 3]

    int32 of shape (2**bits + 1,); bucket i holds the hashes whose leading `bits` bits are i.
    """
    bits = max(len(hashes).bit_length(), 1)
    buckets = (hashes >> np.uint64(64 - bits)).astype(np.int64)
    return np.append(0, np.cumsum(np.bincount(buckets, minlength=1 << bits))).astype(np.int32)


@numba.njit(nogil=True, cache=True)
def _step(state: np.uint64, byte: np.uint8) -> np.uint64:
    return (state ^ np.uint64(byte)) * _PRIME


@numba.njit(nogil=True, cache=True)
def _finish(state: np.uint64) -> np.uint64:
    state = (state ^ (state >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
    state = (state ^ (state >> np.uint64(33))) * np.uint64(0xC4CEB9FE1A85EC53)
    return state ^ (state >> np.uint64(33))


@numba.njit(nogil=True, cache=True)
def hash_domains(data: Bytes, offsets: I64) -> U64:
    """Hash of every row, uint64 of shape (rows,): FNV-1a (Fowler, Noll, Vo) from the last byte to the first, its bits
    mixed as MurmurHash3 (Appleby) ends. Read from the end, a host gives the hashes of all its parents on the way.
    """
    out = np.empty(offsets.size - 1, np.uint64)
    for row in range(out.size):
        state = _START
        for at in range(offsets[row + 1] - 1, offsets[row] - 1, -1):
            state = _step(state, data[at])
        out[row] = _finish(state)
    return out


def match_suffixes(
    data: Bytes,
    offsets: I64,
    entries: Bytes,
    entry_offsets: I64,
    hashes: U64,
    starts: I32,
    scopes: Bytes,
    parents: bool = False,
) -> I64:
    """Number of the longest entry that covers each host, or -1: int64 of shape (hosts,).

    Host i is `data[offsets[i]:offsets[i + 1]]`; entries likewise, in the order of their `hash_domains`, which are
    `hashes`; `starts` is their `bucket_starts`, `scopes` (uint8) says which of them cover `ITSELF` alone. An entry is
    found by its hash and then compared byte by byte; of equal entries the first that covers the host counts. A host
    whose last label is a number is an IPv4 address (WHATWG), and has no parents; an IPv6 address has no dots. With
    `parents`, only entries that are a parent of the host are looked for.
    """
    shift = np.uint64(65 - (len(starts) - 1).bit_length())
    return _match(data, offsets, entries, entry_offsets, hashes, starts, scopes, parents, shift)


@numba.njit(nogil=True, cache=True)
def _match(
    data: Bytes,
    offsets: I64,
    entries: Bytes,
    entry_offsets: I64,
    hashes: U64,
    starts: I32,
    scopes: Bytes,
    parents: bool,
    shift: np.uint64,
) -> I64:
    out = np.full(offsets.size - 1, -1, np.int64)
    for row in range(out.size):
        start, stop = offsets[row], offsets[row + 1]
        state, number, dotted = _START, True, False
        for at in range(stop - 1, start - 1, -1):
            if data[at] == _DOT:
                dotted = True
            elif not dotted:
                number &= _ZERO <= data[at] <= _NINE
            state = _step(state, data[at])
            whole = at == start
            if parents if whole else number or data[at - 1] != _DOT:
                continue
            wanted = _finish(state)
            bucket = wanted >> shift
            for entry in range(starts[bucket], starts[bucket + np.uint64(1)]):
                if hashes[entry] != wanted or (scopes[entry] == ITSELF and not whole):
                    continue
                if np.array_equal(data[at:stop], entries[entry_offsets[entry] : entry_offsets[entry + 1]]):
                    out[row] = entry
                    break
    return out
