"""Find the longest URL prefix of a list that covers a URL.

A prefix is a host and a rest: what follows the host. Prefixes are grouped by host, and in a group they are in the order
of their rests. All rests that a text begins with are at or before its place in that order, and each is the beginning
of the next longer one. So one binary search and a walk along links, from a rest to the next shorter one that it begins
with, find the longest.
"""

import numba
import numpy as np
import numpy.typing as npt

from transforms.kernels.domains import ITSELF

Bytes = npt.NDArray[np.uint8]
I32 = npt.NDArray[np.int32]
I64 = npt.NDArray[np.int64]

OPEN = np.uint8(4)
"""Bit of the scope of a prefix that needs no border where it ends; it was written with `*` at its end."""

_SLASH, _QUESTION, _AND, _EQUALS = (np.uint8(ord(character)) for character in "/?&=")
_NONE = np.uint8(0)


@numba.njit(nogil=True, cache=True)
def link_prefixes(rests: Bytes, offsets: I64, groups: I32) -> I32:
    """For each rest the longest one before it, in its group, that it begins with, or -1: int32 of shape (rests,).

    Rest i is `rests[offsets[i]:offsets[i + 1]]`. Group g is `groups[g]` to `groups[g + 1]`, in the order of the bytes
    of its rests; of equal ones the later begins with the earlier.
    """
    out = np.full(offsets.size - 1, -1, np.int32)
    for group in range(groups.size - 1):
        for entry in range(groups[group] + 1, groups[group + 1]):
            link = np.int32(entry - 1)
            while link >= 0 and _same(rests, offsets, entry, rests, offsets, link) < offsets[link + 1] - offsets[link]:
                link = out[link]
            out[entry] = link
    return out


@numba.njit(nogil=True, cache=True)
def match_prefixes(
    texts: Bytes,
    text_offsets: I64,
    hosts: I64,
    whole: npt.NDArray[np.bool_],
    parents: I32,
    groups: I32,
    rests: Bytes,
    offsets: I64,
    links: I32,
    scopes: Bytes,
) -> I64:
    """Number of the prefix with the longest rest that covers each URL, or -1: int64 of shape (urls,).

    What follows the host of URL i is `texts[text_offsets[i]:text_offsets[i + 1]]`. `hosts[i]` is the group of the
    longest host that covers it, `whole[i]` says whether that is its very host, and `parents[g]` is the group of the
    next shorter host that covers host g, or -1. Rests, groups and their links are those of `link_prefixes`; `scopes`
    (uint8) has the bits `OPEN` and `ITSELF`, which covers the very host alone.

    Of rests of one length that of the longer host counts, and of equal rests of one host the last.
    """
    out = np.full(hosts.size, -1, np.int64)
    for row in range(out.size):
        group, longest = hosts[row], -1
        while group >= 0:
            entry = _last(texts, text_offsets, row, rests, offsets, groups[group], groups[group + 1])
            same = _same(texts, text_offsets, row, rests, offsets, entry) if entry >= 0 else 0
            while entry >= 0:
                size = offsets[entry + 1] - offsets[entry]
                inside = scopes[entry] & ITSELF == 0 or (whole[row] and group == hosts[row])
                if size <= same and inside and _ends(texts, text_offsets, row, size, scopes[entry] & OPEN != 0):
                    if size > longest:
                        out[row], longest = entry, size
                    break
                entry = np.int64(links[entry])
            group = np.int64(parents[group])
    return out


@numba.njit(nogil=True, cache=True)
def _same(texts: Bytes, text_offsets: I64, row: int, rests: Bytes, offsets: I64, entry: int) -> int:
    """Number of bytes that a text and a rest begin with alike."""
    text, rest = text_offsets[row], offsets[entry]
    most = min(text_offsets[row + 1] - text, offsets[entry + 1] - rest)
    for i in range(most):
        if texts[text + i] != rests[rest + i]:
            return i
    return most


@numba.njit(nogil=True, cache=True)
def _last(
    texts: Bytes, text_offsets: I64, row: int, rests: Bytes, offsets: I64, low: np.int32, high: np.int32
) -> np.int64:
    """The last entry from `low` to `high` whose rest is the text or before it in the order of bytes, or -1."""
    first = low
    while low < high:
        middle = (low + high) // 2
        same = _same(texts, text_offsets, row, rests, offsets, middle)
        text, rest = text_offsets[row] + same, offsets[middle] + same
        if rest == offsets[middle + 1] or (text < text_offsets[row + 1] and rests[rest] < texts[text]):
            low = middle + 1
        else:
            high = middle
    return np.int64(low - 1 if low > first else -1)


@numba.njit(nogil=True, cache=True)
def _ends(texts: Bytes, text_offsets: I64, row: int, size: int, anywhere: bool) -> bool:
    """Whether a rest of `size` bytes that the text begins with may end there."""
    at = text_offsets[row] + size
    if anywhere or at == text_offsets[row + 1]:
        return True
    after = texts[at]
    if after in (_SLASH, _QUESTION, _AND):
        return True
    last = texts[at - 1] if size else _NONE
    return last in (_SLASH, _QUESTION, _EQUALS, _AND)
