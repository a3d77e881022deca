"""Find ISBNs and ISSNs, in all the ways in which they are written, round places where they may stand.

A number is digits with at most one separator between any two of them: a hyphen, a dash or a blank. It neither begins
nor ends inside a longer one: not at an ASCII letter or digit, not before or after a hyphen or a point with a digit
behind it. Behind a blank, more digits are another number only if this one is written without blanks, or ends in
a group of one digit as it should. Numbers with a wrong check digit are none, and neither is any part of them.

Input is UTF-8. Every place costs a bounded number of steps.
"""

from typing import Final

import numba
import numpy as np
import numpy.typing as npt

from transforms.kernels.check_digits import Digits, check13, has_check11
from transforms.kernels.memory import Bytes

I64 = npt.NDArray[np.int64]

NEAR: Final = 40
"""Bytes between a label and a number, or a number and the next one of the same label."""
ISBN10, ISBN13, ISSN = 10, 13, 8
HYPHEN, BLANK = 1, 2
LINE_FEED, COLON, HYPHEN_MINUS, POINT = np.uint8(0x0A), np.uint8(0x3A), np.uint8(0x2D), np.uint8(0x2E)


@numba.njit(nogil=True, cache=True)
def is_digit(byte: np.uint8) -> bool:
    return bool(np.uint8(byte - np.uint8(0x30)) < 10)


@numba.njit(nogil=True, cache=True)
def is_alphanumeric(byte: np.uint8) -> bool:
    """Of ASCII."""
    return is_digit(byte) or bool(np.uint8((byte | np.uint8(0x20)) - np.uint8(0x61)) < 26)


@numba.njit(nogil=True, cache=True)
def _is_x(byte: np.uint8) -> bool:
    return byte | np.uint8(0x20) == 0x78


@numba.njit(nogil=True, cache=True)
def _separator(data: Bytes, i: int, stop: int) -> tuple[int, int]:
    """`HYPHEN`, `BLANK` or 0 for what stands at i, and its bytes."""
    byte = data[i]
    if byte == HYPHEN_MINUS:
        return HYPHEN, 1
    if byte == 0x20:
        return BLANK, 1
    if byte == 0xC2 and i + 1 < stop:
        if data[i + 1] == 0xA0:  # no-break space
            return BLANK, 2
        return (HYPHEN, 2) if data[i + 1] == 0xAD else (0, 0)  # soft hyphen
    if byte == 0xE2 and i + 2 < stop:
        second, third = data[i + 1], data[i + 2]
        if second == 0x80 and (third == 0x89 or third == 0xAF):  # thin space, narrow no-break space
            return BLANK, 3
        # U+2010 to U+2014: hyphens and dashes; U+2212: minus
        if (second == 0x80 and 0x90 <= third <= 0x94) or (second == 0x88 and third == 0x92):
            return HYPHEN, 3
    return 0, 0


@numba.njit(nogil=True, cache=True)
def _joined(data: Bytes, i: int, stop: int) -> tuple[int, int]:
    """The separator at i and its bytes, if a digit follows it; otherwise 0, 0."""
    kind, width = _separator(data, i, stop)
    if kind and i + width < stop and is_digit(data[i + width]):
        return kind, width
    return 0, 0


@numba.njit(nogil=True, cache=True)
def _begins(data: Bytes, i: int, first: int) -> bool:
    """Whether a number may begin at i where there is no label."""
    if i == first:
        return True
    before = data[i - 1]
    inside = before in (HYPHEN_MINUS, POINT) and i - 2 >= first and is_digit(data[i - 2])
    return not (is_alphanumeric(before) or inside)


@numba.njit(nogil=True, cache=True)
def _ends(data: Bytes, i: int, stop: int, whole: bool) -> bool:
    """Whether a number may end before i. `whole`: written without blanks, or in the groups it should have."""
    if i == stop:
        return True
    if is_alphanumeric(data[i]) or (data[i] == POINT and i + 1 < stop and is_digit(data[i + 1])):
        return False
    kind, _ = _joined(data, i, stop)
    return kind == 0 or (kind == BLANK and whole)


@numba.njit(nogil=True, cache=True)
def _read_isbn(data: Bytes, start: int, stop: int, digits: Digits) -> tuple[int, int, bool]:
    """Read the ISBN that begins at `start`: its end or -1, its length, and whether it needs no label.

    Fills `digits`, int64 of shape (13,), X as 10. Thirteen digits go before ten.
    """
    ten = -1
    i, count, group, groups, blanks = start, 0, 0, 1, False
    first_group = 0
    while i < stop and count < ISBN13:
        if is_digit(data[i]) or (count == 9 and _is_x(data[i])):
            digits[count] = data[i] - 0x30 if is_digit(data[i]) else 10
            i, count, group = i + 1, count + 1, group + 1
            if groups == 1:
                first_group = count
            shaped = not blanks or (groups == 4 and group == 1)
            if count == ISBN10 and _ends(data, i, stop, shaped) and has_check11(digits, ISBN10):
                ten = i
            if count == ISBN10 and digits[9] == 10:
                break
        else:
            kind, width = _separator(data, i, stop)
            if kind == 0:
                break
            i, group, groups, blanks = i + width, 0, groups + 1, blanks or kind == BLANK
            if i == stop or not (is_digit(data[i]) or (count == 9 and _is_x(data[i]))):
                break
    prefixed = digits[0] == 9 and digits[1] == 7 and (digits[2] == 8 or (digits[2] == 9 and digits[3] != 0))
    shaped = not blanks or (groups == 5 and group == 1)
    if count == ISBN13 and prefixed and digits[12] == check13(digits) and _ends(data, i, stop, shaped):
        usual = groups == 1 or (first_group == 3 and (groups == 2 or (groups == 5 and group == 1)))
        return i, ISBN13, usual
    return ten, ISBN10, False


@numba.njit(nogil=True, cache=True)
def _read_issn(data: Bytes, start: int, stop: int, digits: Digits) -> int:
    """Read the ISSN that begins at `start`: its end or -1. Fills the first eight `digits`, X as 10."""
    i = start
    for count in range(ISSN):
        if count == 4 and i < stop:
            i += _separator(data, i, stop)[1]
        if i >= stop:
            return -1
        last = count == ISSN - 1 and _is_x(data[i])
        if not (last or is_digit(data[i])):
            return -1
        digits[count] = 10 if last else data[i] - 0x30
        i += 1
    return i if _ends(data, i, stop, True) and has_check11(digits, ISSN) else -1


@numba.njit(nogil=True, cache=True)
def _is_years(digits: Digits) -> bool:
    """Whether eight digits look like a first and a last year."""
    early, late = 0, 0
    for i in range(4):
        early, late = 10 * early + digits[i], 10 * late + digits[i + 4]
    return digits[7] < 10 and 1800 <= early <= late < 2100


@numba.njit(nogil=True, cache=True)
def _number(digits: Digits, length: int) -> int:
    """As a decimal number: an ISBN of thirteen digits, or the eight of an ISSN with the check digit (0 to 10) last,
    which takes two places.
    """
    value = 0
    if length == ISBN10:
        for i in range(9, 0, -1):
            digits[i + 2] = digits[i - 1]
        digits[0], digits[1], digits[2] = 9, 7, 8
        digits[12] = check13(digits)
    for i in range(ISSN - 1 if length == ISSN else ISBN13):
        value = 10 * value + digits[i]
    return 100 * value + digits[ISSN - 1] if length == ISSN else value


@numba.njit(nogil=True, cache=True)
def _after_label(data: Bytes, i: int, stop: int) -> int:
    """Where the label ends that began before i: `-10`, `-13`, ` 13` and the like belong to it."""
    j = i
    for _ in range(3):
        if j < stop:
            j += 1 if data[j] == COLON else _separator(data, j, stop)[1]
    thirteen_or_ten = j + 1 < stop and data[j] == 0x31 and (data[j + 1] == 0x33 or data[j + 1] == 0x30)
    return j + 2 if thirteen_or_ten and (j + 2 == stop or not is_digit(data[j + 2])) else i


@numba.njit(nogil=True, cache=True)
def _skip(data: Bytes, i: int, stop: int) -> int:
    """The end of the digits at i and of all that separators join to them."""
    while i < stop:
        width = 1 if is_digit(data[i]) else _joined(data, i, stop)[1]
        if width == 0:
            break
        i += width
    return i


@numba.njit(nogil=True, cache=True)
def _append(found: I64, count: int, hit: int, start: int, end: int, number: int) -> I64:
    if count == len(found):
        found = np.concatenate((found, np.empty_like(found)))
    found[count, 0], found[count, 1], found[count, 2], found[count, 3] = hit, start, end, number
    return found


@numba.njit(nogil=True, cache=True)
def _read_labelled(data: Bytes, start: int, stop: int, issn: bool, digits: Digits, gap: int) -> tuple[int, int]:
    """End and length of the number that begins at `start`, `gap` bytes behind its label; end -1 if there is none."""
    if not issn:
        end, length, _ = _read_isbn(data, start, stop, digits)
        return end, length
    end = _read_issn(data, start, stop, digits)
    return (-1 if end >= 0 and gap > 3 and _is_years(digits) else end), ISSN


@numba.njit(nogil=True, cache=True)
def find_numbers(data: Bytes, stops: I64, labels: I64, issn: bool) -> I64:
    """Numbers that follow a label on its line, within 40 bytes of it or of the number before.

    >>> text = np.frombuffer(b"ISBN-10: 0-13-110362-8 (pbk.), 0131101633", np.uint8)
    >>> find_numbers(text, np.array([text.size]), np.array([4]), False).tolist()
    [[0, 9, 22, 9780131103627], [0, 31, 41, 9780131101630]]

    `labels` are the ends of the labels `ISBN` (with `issn`: `ISSN`), ascending; `stops` the ends of the texts that they
    stand in; bytes of `data`, int64 of shape (labels,). After a label and a colon the line may end. Returns int64 of
    shape (numbers, 4): index of the label, start, end, and `_number`. No number comes twice.
    """
    found = np.empty((max(16, len(labels)), 4), np.int64)
    digits = np.empty(ISBN13, np.int64)
    count = 0
    for hit in range(len(labels)):
        label = i = _after_label(data, labels[hit], stops[hit])
        stop, bare = stops[hit], True
        following = labels[hit + 1] if hit + 1 < len(labels) else stop  # which has its own numbers
        limit = min(stop, label + NEAR, following)
        while i < limit:
            if data[i] == LINE_FEED and not bare:
                break
            if not is_digit(data[i]):
                bare = bare and (data[i] <= 0x20 or data[i] == COLON)
                i += 1
                continue
            bare = False
            if i > label and is_alphanumeric(data[i - 1]):
                end, length = -1, 0
            else:
                end, length = _read_labelled(data, i, stop, issn, digits, i - label)
            if end < 0:
                i = _skip(data, i, limit)
                continue
            found = _append(found, count, hit, i, end, _number(digits, length))
            count, i, limit = count + 1, end, min(stop, end + NEAR, following)
    return found[:count]


@numba.njit(nogil=True, cache=True)
def find_bare_isbns(data: Bytes, firsts: I64, stops: I64, starts: I64) -> I64:
    """ISBN-13s that begin at `starts` and look like one: in one piece, in five groups, or with a hyphen after 978.

    >>> text = np.frombuffer(b"isbn/978-0-13-110362-7.", np.uint8)
    >>> find_bare_isbns(text, np.array([0]), np.array([23]), np.array([5])).tolist()
    [[0, 5, 22, 9780131103627]]

    `firsts` and `stops` are the bounds of the texts; otherwise as `find_numbers`.
    """
    found = np.empty((max(1, len(starts)), 4), np.int64)
    digits = np.empty(ISBN13, np.int64)
    count = 0
    for hit in range(len(starts)):
        if _begins(data, starts[hit], firsts[hit]):
            end, length, usual = _read_isbn(data, starts[hit], stops[hit], digits)
            if end >= 0 and usual:
                found = _append(found, count, hit, starts[hit], end, _number(digits, length))
                count += 1
    return found[:count]
