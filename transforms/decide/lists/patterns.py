r"""The index of patterns: regular expressions that are searched for in URLs.

>>> index = PatternIndex.build([Pattern(1, "/\\d+\\.mp3$/", r"\d+\.mp3$"), Pattern(2, "/dl?*", r"(?i)/dl\?")])
>>> urls = pa.array(["http://a.com/1.mp3", "http://a.com/dl?7.mp3", "http://a.com/"])
>>> index.search(urls).tolist()
[0, 0, -1]

RE2 reads a URL once for each expression, and lists have thousands. So URLs are first searched for the literals that
matches must hold, all in one pass (Aho and Corasick, 1975); and expressions that share a literal, or have none, are
joined to one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from ahocorasick_rs import BytesAhoCorasick, Implementation

from transforms.batches import strings
from transforms.decide.lists.entries import Pattern
from transforms.decide.lists.literals import required_literal
from transforms.decide.lists.pages import Pages

I64 = npt.NDArray[np.int64]

_JOINED: Final = 64
"""Expressions in an alternation: more make RE2's automaton outgrow its memory, fewer make more passes."""
_LITERAL_BYTES: Final = 5
"""Shorter ones stand in too many URLs to spare work."""


class _Group(NamedTuple):
    literal: int | None
    """Number of the literal that all its patterns have; None if they have none."""
    regex: str
    """Their alternation."""
    patterns: I64


@dataclass(frozen=True, eq=False)
class PatternIndex:
    """Patterns in the order of their lines."""

    entries: pa.Array
    """large_string, shape (patterns,): the lines as they were written"""
    regexes: pa.Array
    """large_string, shape (patterns,): RE2"""
    lines: pa.Array
    """int32, shape (patterns,)"""

    @classmethod
    def build(cls, patterns: Sequence[Pattern]) -> "PatternIndex":
        written = pa.array([pattern.written for pattern in patterns], pa.large_string())
        regexes = pa.array([pattern.regex for pattern in patterns], pa.large_string())
        return cls(written, regexes, pa.array([pattern.line for pattern in patterns], pa.int32()))

    def __len__(self) -> int:
        return len(self.entries)

    def find(self, pages: Pages) -> tuple[I64, I64]:
        """The rows whose URL holds a pattern, ascending, and the numbers of the first pattern of each."""
        rows = pages.with_host() if len(self) else np.empty(0, np.int64)
        found = self.search(pages.parts(rows).whole())
        return rows[found >= 0], found[found >= 0]

    def search(self, urls: pa.Array) -> I64:
        """Number of the first pattern that each URL holds, or -1: int64 of shape (urls,).

        `urls` are in their normal form, with their scheme in front, and so ASCII.
        """
        found = np.full(len(urls), len(self))
        for group, rows in self._candidates(urls):
            left = rows[_holds(urls, rows, group.regex)]
            for pattern in group.patterns.tolist():
                if not len(left):
                    break
                hits = _holds(urls, left, self.regexes[pattern].as_py())
                found[left[hits]] = np.minimum(found[left[hits]], pattern)
                left = left[~hits]
        return np.where(found < len(self), found, -1)

    def written(self, numbers: I64) -> pa.Array:
        """Patterns as they were written: large_string of shape (numbers,)."""
        return self.entries.take(pa.array(numbers))

    def _candidates(self, urls: pa.Array) -> Iterator[tuple[_Group, I64]]:
        """Groups of patterns, each with the rows that may hold one of them, ascending."""
        literal, row = self._finds(urls)
        borders = np.searchsorted(literal, np.arange(len(self._literals) + 1))
        everywhere = np.arange(len(urls))
        for group in self._groups:
            rows = everywhere if group.literal is None else row[borders[group.literal] : borders[group.literal + 1]]
            if len(rows):
                yield group, rows

    def _finds(self, urls: pa.Array) -> I64:
        """Which literal stands in which row: int64 of shape (2, finds), in order and without repeats."""
        if not self._literals or not len(urls):
            return np.empty((2, 0), np.int64)
        data, offsets = strings(pc.ascii_lower(urls))
        finds = self._automaton.find_matches_as_indexes(data.data, overlapping=True)
        literal, start, _ = np.array(finds, np.int64).reshape(-1, 3).T
        row = np.searchsorted(offsets, start, side="right") - 1
        return np.stack(np.divmod(np.unique(literal * len(urls) + row), len(urls)))

    @cached_property
    def _by_literal(self) -> dict[str | None, list[int]]:
        """The patterns that have the same literal, and under None those without."""
        found: dict[str | None, list[int]] = {}
        for pattern, regex in enumerate(self.regexes.to_pylist()):
            literal = required_literal(regex) or ""
            found.setdefault(literal if len(literal) >= _LITERAL_BYTES else None, []).append(pattern)
        return found

    @cached_property
    def _literals(self) -> list[bytes]:
        return [literal.encode() for literal in self._by_literal if literal is not None]

    @cached_property
    def _automaton(self) -> BytesAhoCorasick:
        return BytesAhoCorasick(self._literals, implementation=Implementation.DFA)

    @cached_property
    def _groups(self) -> list[_Group]:
        """All patterns, some at a time; those of a group share a literal, or none of them has one."""
        number = {literal: i for i, literal in enumerate(self._literals)}
        return [
            group
            for literal, patterns in self._by_literal.items()
            for start in range(0, len(patterns), _JOINED)
            for group in self._join(
                None if literal is None else number[literal.encode()], np.array(patterns[start : start + _JOINED])
            )
        ]

    def _join(self, literal: int | None, patterns: I64) -> Iterator[_Group]:
        """One group, or several where RE2 finds the alternation too large a program."""
        regex = "|".join(f"(?:{regex})" for regex in self.regexes.take(pa.array(patterns)).to_pylist())
        try:
            pc.match_substring_regex(pa.array([""]), regex)
        except pa.ArrowInvalid:
            half = len(patterns) // 2
            yield from self._join(literal, patterns[:half])
            yield from self._join(literal, patterns[half:])
        else:
            yield _Group(literal, regex, patterns)


def _holds(urls: pa.Array, rows: I64, regex: str) -> npt.NDArray[np.bool_]:
    return np.asarray(pc.match_substring_regex(urls.take(pa.array(rows)), regex))
