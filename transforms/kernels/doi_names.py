"""Find DOIs in text: where they end, and their normal form.

A DOI is `10.`, a registrant of four to nine digits (with parts behind points), a slash and a suffix. Suffixes are taken
as Crossref recommends to match them (Gilmartin, "DOIs and matching regular expressions", 2015): letters and digits of
ASCII and `-._;()/:`. Older ones have besides `<...>` or `[...]` with a colon inside and a digit behind, as the SICI
of Wiley and others (ANSI/NISO Z39.56). `%2F` and the like stand for what they encode.

Input is UTF-8. Every place costs a bounded number of steps.
"""

from typing import Final

import numba
import numpy as np
import numpy.typing as npt

from transforms.kernels.book_numbers import is_alphanumeric, is_digit
from transforms.kernels.memory import Bytes

I64 = npt.NDArray[np.int64]

LONGEST: Final = 300
"""Bytes of a suffix; what goes on for longer is none."""
BRACKET: Final = 60
"""Bytes that are looked at for the end of a bracket."""
SHORTEST: Final = 6
"""Bytes of a suffix without letters where nothing says that it is a DOI: `10.1999/2000` is none."""
SLASH, PERCENT, OPEN, CLOSE = np.uint8(0x2F), np.uint8(0x25), np.uint8(0x28), np.uint8(0x29)


@numba.njit(nogil=True, cache=True)
def _hex(byte: np.uint8) -> int:
    """Value of a hexadecimal digit, or -1."""
    if is_digit(byte):
        return int(byte) - 0x30
    letter = np.uint8((byte | np.uint8(0x20)) - np.uint8(0x61))
    return int(letter) + 10 if letter < 6 else -1


@numba.njit(nogil=True, cache=True)
def _read(data: Bytes, i: int, stop: int) -> tuple[np.uint8, int]:
    """The byte at i, decoded if it is percent-encoded ASCII, and how many bytes it takes; 0, 0 at the end."""
    if i >= stop:
        return np.uint8(0), 0
    if data[i] == PERCENT and i + 2 < stop:
        high, low = _hex(data[i + 1]), _hex(data[i + 2])
        if 0 <= high < 8 and low >= 0:
            return np.uint8(16 * high + low), 3
    return data[i], 1


@numba.njit(nogil=True, cache=True)
def _is_one_of(byte: np.uint8, characters: bytes) -> bool:
    found = False
    for character in characters:
        found |= byte == character
    return found


@numba.njit(nogil=True, cache=True)
def _close(data: Bytes, i: int, stop: int) -> int:
    """End of the bracket `<...>` or `[...]` that begins at i, if a suffix may hold it; otherwise -1."""
    first, width = _read(data, i, stop)
    closing = 0x3E if first == 0x3C else 0x5D
    colon, limit = False, min(stop, i + BRACKET)
    i += width
    while i < limit:
        byte, width = _read(data, i, limit)
        i += width
        if byte == closing:
            return i if colon and i < stop and is_digit(data[i]) else -1
        colon = colon or byte == 0x3A
        if not (is_alphanumeric(byte) or _is_one_of(byte, b":.-+_*")):
            return -1
    return -1


@numba.njit(nogil=True, cache=True)
def _suffix_end(data: Bytes, start: int, stop: int) -> int:
    """Where the suffix that begins at `start` ends, as far as its characters go and its parentheses balance."""
    i, depth, opened, sici = start, 0, start, False
    while i < stop and i - start < LONGEST:
        byte, width = _read(data, i, stop)
        if byte == 0x3C or byte == 0x5B:
            width = _close(data, i, stop) - i
            sici = True
            if width < 0:
                break
        elif byte == OPEN:
            opened = opened if depth else i
            depth += 1
        elif byte == CLOSE:
            if depth == 0:
                break
            depth -= 1
        elif not (is_alphanumeric(byte) or _is_one_of(byte, b"-._;/:") or (sici and _is_one_of(byte, b"#@+"))):
            break
        i += width
    if i - start >= LONGEST:
        return start
    return opened if depth else i


@numba.njit(nogil=True, cache=True)
def _trim(data: Bytes, start: int, end: int) -> int:
    """Without the punctuation of the sentence at the end."""
    while end > start and _is_one_of(data[end - 1], b".;:/-"):
        end -= 1
    return end


@numba.njit(nogil=True, cache=True)
def _names_doi(data: Bytes, first: int, start: int) -> bool:
    """Whether `doi` stands in the 12 bytes before, as in `doi: 10.` and `doi.org/10.`."""
    for i in range(max(first, start - 12), start - 2):
        if (
            data[i] | np.uint8(0x20) == 0x64
            and data[i + 1] | np.uint8(0x20) == 0x6F
            and data[i + 2] | np.uint8(0x20) == 0x69
        ):
            return True
    return False


@numba.njit(nogil=True, cache=True)
def _begins(data: Bytes, first: int, start: int) -> bool:
    """Whether a DOI may begin at `start`: not inside a word or number, but after `doi`, `%2F`, `%3A` or `%3D`."""
    if start == first:
        return True
    before = data[start - 1]
    if before == 0x2E:
        return start - 2 < first or not is_digit(data[start - 2])
    if not is_alphanumeric(before):
        return True
    if start - 3 < first:
        return False
    if data[start - 3] == PERCENT:
        return _is_one_of(_read(data, start - 3, start)[0], b"/:=")
    return before | np.uint8(0x20) == 0x69 and _names_doi(data, start - 3, start)


@numba.njit(nogil=True, cache=True)
def _end(data: Bytes, first: int, start: int, stop: int) -> int:
    """End of the DOI whose `10.` stands at `start`, or -1."""
    i = start + 3
    while i < stop and is_digit(data[i]):
        i += 1
    if not 4 <= i - start - 3 <= 9:
        return -1
    while i + 1 < min(stop, start + LONGEST) and (is_digit(data[i]) or (data[i] == 0x2E and is_digit(data[i + 1]))):
        i += 1
    byte, width = _read(data, i, stop)
    if byte != SLASH:
        return -1
    suffix = i + width
    end = _trim(data, suffix, _suffix_end(data, suffix, stop))
    letters = False
    for i in range(suffix, end):
        letters = letters or (is_alphanumeric(data[i]) and not is_digit(data[i]))
    if end == suffix or not (letters or end - suffix >= SHORTEST or _names_doi(data, first, start)):
        return -1
    return end


@numba.njit(nogil=True, cache=True)
def find_dois(data: Bytes, firsts: I64, stops: I64, starts: I64) -> I64:
    """Ends of the DOIs that begin at `starts`, -1 where none does.

    >>> text = np.frombuffer(b"(doi:10.1000/a(b)c).", np.uint8)
    >>> find_dois(text, np.array([0]), np.array([20]), np.array([5])).tolist()
    [18]

    `firsts` and `stops` are the bounds of the texts that they stand in; all are bytes of `data`, int64 of shape
    (starts,). At every start stands `10.`.
    """
    ends = np.full(len(starts), -1, np.int64)
    for hit in range(len(starts)):
        if _begins(data, firsts[hit], starts[hit]):
            ends[hit] = _end(data, firsts[hit], starts[hit], stops[hit])
    return ends


@numba.njit(nogil=True, cache=True)
def normal_dois(data: Bytes, starts: I64, ends: I64) -> tuple[Bytes, I64]:
    """DOIs decoded and in lower case, one after another as a string column: its bytes and its offsets.

    >>> text = np.frombuffer(b"10.1000%2FABC", np.uint8)
    >>> name, offsets = normal_dois(text, np.array([0]), np.array([13]))
    >>> bytes(name), offsets.tolist()
    (b'10.1000/abc', [0, 11])
    """
    out = np.empty(np.sum(ends - starts), np.uint8)
    offsets = np.zeros(len(starts) + 1, np.int64)
    at = 0
    for row in range(len(starts)):
        i = starts[row]
        while i < ends[row]:
            byte, width = _read(data, i, ends[row])
            out[at] = byte | np.uint8(0x20) if np.uint8(byte - np.uint8(0x41)) < 26 else byte
            at, i = at + 1, i + width
        offsets[row + 1] = at
    return out[:at], offsets
