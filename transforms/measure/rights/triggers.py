"""Find the places of a batch that are worth a look: one automaton for the triggers of all detectors."""

from collections.abc import Iterable, Mapping
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from ahocorasick_rs import BytesAhoCorasick, Implementation

from transforms.batches import Strings
from transforms.kernels.windows import lower_ascii
from transforms.measure.rights.findings import I64, Hits

SLICE = 1 << 18
"""Bytes searched at a time: each match is a Python tuple for a moment, and a text may be nothing but matches."""


def find_triggers(texts: Strings, triggers: Mapping[str, tuple[bytes, ...]]) -> dict[str, Hits]:
    """Where the triggers of each name stand, ASCII letters in either case.

    >>> texts = Strings(np.frombuffer(b"an ISBN", np.uint8), np.array([0, 2, 7]))
    >>> find_triggers(texts, {"isbns": (b"isbn", b"i"), "spaces": (b"n ",)})["isbns"]
    Hits(rows=array([1, 1]), starts=array([3, 3]), stops=array([4, 7]), triggers=array([1, 0]))

    A string that crosses the border of two texts is none; that one holds another hides neither.
    """
    first, last = int(texts.offsets[0]), int(texts.offsets[-1])
    patterns = tuple(sorted({trigger for group in triggers.values() for trigger in group}))
    lengths = np.array([len(pattern) for pattern in patterns], np.int64)
    numbers, stops = _search(lower_ascii(texts.data[first:last]), patterns)
    stops += first
    starts = stops - lengths[numbers]
    rows = np.searchsorted(texts.offsets, starts, "right") - 1
    inside = stops <= texts.offsets[rows + 1]
    order = np.lexsort((stops, starts))
    order = order[inside[order]]
    hits = Hits(rows[order], starts[order], stops[order], numbers[order])
    return {name: _of(hits, patterns, group) for name, group in triggers.items()}


def spellings(words: Iterable[str]) -> list[bytes]:
    """Triggers for phrases, in the cases that texts have and with a line break in place of any blank.

    >>> [trigger.decode() for trigger in spellings(["ę b"])]
    ['Ę\\nb', 'Ę b', 'ę\\nb', 'ę b']

    ASCII letters are in lower case, as texts are searched.
    """
    cases = {case for word in words for case in (word, word.upper(), word.capitalize(), word.title())}
    return sorted({form.encode().lower() for case in cases for form in _broken(case)})


def _broken(phrase: str) -> list[str]:
    head, blank, rest = phrase.partition(" ")
    return [f"{head}{by}{tail}" for by in " \n" for tail in _broken(rest)] if blank else [phrase]


def _of(hits: Hits, patterns: tuple[bytes, ...], group: tuple[bytes, ...]) -> Hits:
    """The hits of one detector, with triggers counted as it counts them."""
    own = {trigger: number for number, trigger in enumerate(group)}
    renumbered = np.array([own.get(pattern, -1) for pattern in patterns], np.int64)[hits.triggers]
    return hits._replace(triggers=renumbered).only(renumbered >= 0)


def _search(data: npt.NDArray[np.uint8], patterns: tuple[bytes, ...]) -> tuple[I64, I64]:
    """Numbers of the patterns that match and the ends of the matches, those that overlap others among them."""
    automaton = _automaton(patterns)
    overlap = max(map(len, patterns)) - 1
    numbers, ends = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for start in range(0, data.size, SLICE):
        begin = max(0, start - overlap)
        matches = automaton.find_matches_as_indexes(data[begin : start + SLICE].data, overlapping=True)
        if matches:
            number, _, end = np.array(matches, np.int64).T
            new = end + begin > start
            numbers.append(number[new])
            ends.append(end[new] + begin)
    return np.concatenate(numbers), np.concatenate(ends)


@lru_cache
def _automaton(patterns: tuple[bytes, ...]) -> BytesAhoCorasick:
    return BytesAhoCorasick(patterns, implementation=Implementation.DFA)
