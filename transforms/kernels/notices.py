"""The parts of copyright notices that are found byte by byte: markers that stand together, and years."""

import numba
import numpy as np
import numpy.typing as npt

from transforms.kernels.memory import Bytes

I64 = npt.NDArray[np.int64]

GAP_BYTES = 24
REPEAT_BYTES = 4
FIRST_YEAR, LAST_YEAR = 1700, 2099


@numba.njit(nogil=True, cache=True)
def join_markers(data: Bytes, rows: I64, starts: I64, stops: I64, kinds: I64) -> tuple[I64, I64, I64, I64]:
    """Runs of markers with nothing but blanks, punctuation and digits between them, `© 2019 Copyright` say.

    >>> text = np.frombuffer(b"(c) Copyright 2019, not (c)", np.uint8)
    >>> found = np.array([0, 4, 24]), np.array([3, 13, 27]), np.array([2, 1, 2])
    >>> [column.tolist() for column in join_markers(text, np.zeros(3, np.int64), *found)]
    [[0, 0], [0, 24], [13, 27], [3, 2]]

    Markers are int64 of shape (markers,), ascending: row, first byte, end, and kind, a power of two. Returns row, first
    byte, end and the sum of the kinds of every run. No more than 24 bytes stand between two markers of a run.
    """
    row, start, stop = np.empty_like(rows), np.empty_like(starts), np.empty_like(stops)
    kind = np.empty_like(kinds)
    runs = 0
    for i in range(rows.size):
        if runs and rows[i] == row[runs - 1] and _is_gap(data, stop[runs - 1], starts[i]):
            stop[runs - 1] = max(stop[runs - 1], stops[i])
            kind[runs - 1] |= kinds[i]
            continue
        row[runs], start[runs], stop[runs], kind[runs] = rows[i], starts[i], stops[i], kinds[i]
        runs += 1
    return row[:runs], start[:runs], stop[:runs], kind[:runs]


@numba.njit(nogil=True, cache=True)
def _is_gap(data: Bytes, start: int, stop: int) -> bool:
    if stop - start > GAP_BYTES:
        return False
    for i in range(start, stop):
        byte = data[i]
        # General Punctuation (dashes) is E2 80 and one byte more, a no-break space C2 A0.
        wide = 0x80 <= byte <= 0xBF or byte == 0xC2 or (byte == 0xE2 and data[i + 1] == 0x80)
        if not (byte == 0x20 or byte == 0x09 or 0x2C <= byte <= 0x2E or 0x30 <= byte <= 0x3A or wide):
            return False
    return True


@numba.njit(nogil=True, cache=True)
def without_repeats(data: Bytes, floors: I64, before: I64, starts: I64, stops: I64) -> I64:
    """Where the holders `data[starts[i]:stops[i]]` end without what stands in front of their marker too.

    >>> text = np.frombuffer(b"The lake (c) Foo The lake", np.uint8)
    >>> without_repeats(text, np.array([0]), np.array([9]), np.array([13]), np.array([25])).tolist()
    [16]

    A picture's description and its caption often come one after the other: `The lake (c) Foo The lake (c) Foo`. What
    stands in front is `data[floors[i]:before[i]]`. Less than 4 bytes count as no repetition.
    """
    ends = stops.copy()
    for i in range(starts.size):
        last, same = before[i], 0
        while last > floors[i] and data[last - 1] == 0x20:
            last -= 1
        while same < min(last - floors[i], stops[i] - starts[i]) and data[last - 1 - same] == data[stops[i] - 1 - same]:
            same += 1
        # Back to the blank that the repetition begins behind: more than it may be the same by chance. A holder that is
        # repeated whole stands in front in his own right.
        whole = same == stops[i] - starts[i]
        while not whole and same > 0 and data[stops[i] - 1 - same] != 0x20:
            same -= 1
        end = stops[i] - same
        while end > starts[i] and data[end - 1] == 0x20:
            end -= 1
        if same >= REPEAT_BYTES and not whole and end > starts[i]:
            ends[i] = end
    return ends


@numba.njit(nogil=True, cache=True)
def read_years(data: Bytes, starts: I64, stops: I64) -> tuple[npt.NDArray[np.int16], I64]:
    """The years that stand in each `data[starts[i]:stops[i]]`, ascending, each once.

    >>> text = np.frombuffer(b"2004, 1998-99", np.uint8)
    >>> years, offsets = read_years(text, np.array([0, 6]), np.array([13, 6]))
    >>> years.tolist(), offsets.tolist()
    ([1998, 1999, 2004], [0, 3, 3])

    Years are numbers of four digits from 1700 to 2099 with no letter before them; two digits after a year and a dash
    or a slash are a year of the same century, if it is later. Returns int16 of shape (years,) and int64 of shape
    (spans + 1,).
    """
    room = 0
    for i in range(starts.size):
        room += (stops[i] - starts[i]) // 2
    years, offsets = np.empty(room, np.int16), np.zeros(starts.size + 1, np.int64)
    for i in range(starts.size):
        count = _read(data, starts[i], stops[i], years[offsets[i] :])
        offsets[i + 1] = offsets[i] + count
    return years[: offsets[-1]], offsets


@numba.njit(nogil=True, cache=True)
def _read(data: Bytes, start: int, stop: int, years: npt.NDArray[np.int16]) -> int:
    """Write the years of one span; how many there are."""
    count, at, last, dashed = 0, start, 0, False
    while at < stop:
        number, digits = 0, 0
        while at + digits < stop and 0x30 <= data[at + digits] <= 0x39:
            number = min(10 * number, 100_000) + data[at + digits] - 0x30
            digits += 1
        if digits == 0:
            byte = data[at]
            blank = byte == 0x20
            dashed = last > 0 and (dashed or not blank)
            last = last if blank or byte == 0x2D or byte == 0x2F or byte >= 0x80 else 0
            at += 1
            continue
        after_letter = at > start and 0x41 <= data[at - 1] & 0xDF <= 0x5A
        year = number if digits == 4 and FIRST_YEAR <= number <= LAST_YEAR and not after_letter else 0
        if digits == 2 and last and dashed and number > last % 100:
            year = last - last % 100 + number
        if year:
            count = _insert(years, count, year)
        last, dashed = year, False
        at += digits
    return count


@numba.njit(nogil=True, cache=True)
def _insert(years: npt.NDArray[np.int16], count: int, year: int) -> int:
    """Put a year in its place among the first `count`, unless it is there; how many there are then."""
    at = count
    while at and years[at - 1] > year:
        at -= 1
    if at and years[at - 1] == year:
        return count
    for i in range(count, at, -1):
        years[i] = years[i - 1]
    years[at] = year
    return count + 1
