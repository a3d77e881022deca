"""What detectors are given and what they give back."""

import re
from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.batches import Strings
from transforms.kernels.windows import clip, gather

I64 = npt.NDArray[np.int64]


class Hits(NamedTuple):
    """Where the triggers of a detector stand in a batch, by start, then end; int64 of shape (hits,) each."""

    rows: I64
    starts: I64
    """Bytes of `Strings.data`."""
    stops: I64
    triggers: I64
    """Index into the detector's triggers."""

    def only(self, chosen: npt.NDArray[np.bool_]) -> "Hits":
        """The hits where `chosen` is true."""
        return Hits(*(column[chosen] for column in self))


class Found(NamedTuple):
    """What a detector found, in any order: a normal form, and the bytes of `Strings.data` that it stands in."""

    rows: I64
    values: pa.Array
    """string"""
    starts: I64
    ends: I64


NOTHING: Final = Found(np.empty(0, np.int64), pa.array([], pa.string()), np.empty(0, np.int64), np.empty(0, np.int64))


class Detector(NamedTuple):
    """How one kind of signal is found in texts, and read where a page declares it."""

    triggers: tuple[bytes, ...]
    """Strings, one of which stands in or beside everything that can be found; ASCII letters in lower case."""
    find: Callable[[Strings, Hits], Found]
    """Reads what stands round the triggers."""
    declared: Callable[[pa.Array], pa.Array]
    """Normal forms of what pages say (strings, none null), null where it is none."""


def undeclared(values: pa.Array) -> pa.Array:
    """For a signal that no page declares in a form of its own: nothing is a normal form of it."""
    return pa.nulls(len(values), pa.string())


def cut(texts: Strings, rows: I64, starts: I64, stops: I64) -> pa.Array:
    """Windows of texts as large strings, clipped to their rows and to whole characters.

    >>> texts = Strings(np.frombuffer("née".encode(), np.uint8), np.array([0, 4]))
    >>> cut(texts, np.array([0, 0]), np.array([-3, 2]), np.array([1, 9])).to_pylist()
    ['n', 'e']

    `starts` and `stops` are bytes of `texts.data`. `left` says where each window begins in truth.
    """
    data, offsets = gather(texts.data, *clip(*texts, rows, starts, stops))
    return pa.Array.from_buffers(pa.large_string(), starts.size, [None, pa.py_buffer(offsets), pa.py_buffer(data)])


def left(texts: Strings, rows: I64, starts: I64) -> I64:
    """Where the windows of `cut` begin: what its spans count from."""
    return clip(*texts, rows, starts, texts.offsets[rows + 1])[0]


def find_spans(texts: Strings, rows: I64, starts: I64, stops: I64, pattern: str) -> dict[str, tuple[I64, I64]]:
    """First byte and end of every named group of a pattern (RE2) in windows of texts, in bytes of `texts.data`.

    >>> texts = Strings(np.frombuffer(b"ISBN 12", np.uint8), np.array([0, 7]))
    >>> find_spans(texts, np.array([0]), np.array([0]), np.array([7]), r"(?P<label>[A-Z]+) (?P<x>x)?(?P<digits>[0-9]+)")
    {'label': (array([0]), array([4])), 'x': (array([-1]), array([-1])), 'digits': (array([5]), array([7]))}

    Both are -1 where the pattern does not match, or matches without the group.
    """
    if rows.size == 0:  # compiling a pattern takes longer than matching it many times
        return dict.fromkeys(re.findall(r"\(\?P<(\w+)>", pattern), (rows, rows))
    found = pc.extract_regex_span(cut(texts, rows, starts, stops), pattern)
    begins, matched = left(texts, rows, starts), found.is_valid().to_numpy(zero_copy_only=False)
    spans = {}
    for number, field in enumerate(found.type):
        group = found.field(number)
        there = matched & group.is_valid().to_numpy(zero_copy_only=False)
        first, length = group.values.to_numpy(zero_copy_only=False).reshape(-1, 2).T
        first, length = np.where(there, first, 0).astype(np.int64), np.where(there, length, 0).astype(np.int64)
        spans[field.name] = np.where(there, begins + first, -1), np.where(there, begins + first + length, -1)
    return spans
