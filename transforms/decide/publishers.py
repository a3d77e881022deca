"""Tell publishers by their ISBNs: lists of the prefixes that agencies have given them.

>>> books = PublisherList("books", "00", (978013, 9780134), ("Pearson", "Imprint"), (1, 2))
>>> match = PublisherLists((books,)).match(pa.array(["9780131103627", "9780134685991", "9780201633610"]))
>>> match.list.tolist(), match.line.tolist(), match.publisher.to_pylist()
([0, 0, -1], [1, 2, -1], ['Pearson', 'Imprint', None])
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from configs.sources import Publishers
from transforms.decide.text_lines import Line, read_each, read_lines, refuse

_DIGITS: Final = 13
_ENTRY: Final = re.compile(r"(97[89](?:-?\d)+-?)\t\s*(\S.*)")


@dataclass(frozen=True)
class PublisherList:
    """A list of prefixes of ISBNs and whose they are."""

    name: str
    sha256: str
    """Of the file, hex."""
    prefixes: tuple[int, ...]
    """The digits of each prefix, which begins with 978 or 979."""
    publishers: tuple[str, ...]
    lines: tuple[int, ...]
    """Where each prefix stands, from 1."""


class PublisherMatch(NamedTuple):
    """The publisher of each of some ISBNs."""

    list: npt.NDArray[np.int32]
    """Number of the list, shape (ISBNs,); -1 for none."""
    line: npt.NDArray[np.int64]
    """Line of the prefix, shape (ISBNs,); -1 for none."""
    publisher: pa.Array
    """string, null for none"""


@dataclass(frozen=True)
class PublisherLists:
    """All lists of publishers of a run."""

    lists: tuple[PublisherList, ...]

    @classmethod
    def read(cls, publishers: Sequence[Publishers]) -> "PublisherLists":
        """Read every list: UTF-8, a prefix such as `978-0-13`, a tab, and the publisher on each line.

        Raises ConfigError, a letter for every list that cannot be used: one that `read_lines` refuses, or with lines
        that are no entries or prefixes that stand there twice.
        """
        return cls(read_each(publishers, _read))

    def facts(self) -> list[dict[str, Any]]:
        """What the manifest says of each list."""
        return [{"name": one.name, "sha256": one.sha256, "entries": len(one.prefixes)} for one in self.lists]

    def match(self, isbns: pa.Array) -> PublisherMatch:
        """The publishers of ISBNs (strings of 13 digits, none null) by the longest prefix, of equal ones the first."""
        prefixes = np.array([prefix for one in self.lists for prefix in one.prefixes], np.int64)
        lists = np.array([number for number, one in enumerate(self.lists) for _ in one.prefixes], np.int32)
        lines = np.array([line for one in self.lists for line in one.lines], np.int64)
        publishers = pa.array([publisher for one in self.lists for publisher in one.publishers], pa.string())
        entry = _longest(isbns.cast(pa.int64()).to_numpy(), prefixes)
        none = entry < 0
        return PublisherMatch(
            np.append(lists, np.int32(-1))[entry],
            np.append(lines, -1)[entry],
            publishers.take(pa.array(entry, mask=none)),
        )


def _longest(isbns: npt.NDArray[np.int64], prefixes: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Number of the longest prefix of each ISBN, the first of equal ones, or -1."""
    entry = np.full(isbns.size, -1)
    lengths = np.array([len(str(prefix)) for prefix in prefixes], np.int64)
    for length in np.unique(lengths):
        of_length = np.flatnonzero(lengths == length)
        known, first = np.unique(prefixes[of_length], return_index=True)
        leading = isbns // 10 ** (_DIGITS - length)
        at = np.minimum(np.searchsorted(known, leading), known.size - 1)
        entry = np.where(known[at] == leading, of_length[first[at]], entry)
    return entry


def _read(listed: Publishers) -> PublisherList:
    what = f"Publishers `{listed.name}`"
    sha256, lines = read_lines(what, listed.path)
    entries = [_ENTRY.fullmatch(line.text) for line in lines]
    refuse(what, listed.path, _faults(lines, entries))
    read = [(int(entry[1].replace("-", "")), entry[2]) for entry in entries if entry]
    prefixes, publishers = zip(*read, strict=True)
    return PublisherList(listed.name, sha256, prefixes, publishers, tuple(line.number for line in lines))


def _faults(lines: Sequence[Line], entries: Sequence[re.Match[str] | None]) -> list[str]:
    faults, seen = [], dict[str, int]()
    for line, entry in zip(lines, entries, strict=True):
        prefix = entry[1].replace("-", "") if entry else ""
        if not entry or len(prefix) >= _DIGITS:
            faults.append(
                f"line {line.number}: `{line.text}` is no entry; write a prefix of ISBNs, a tab and the publisher, "
                "as in `978-0-13<TAB>Pearson`"
            )
        elif seen.setdefault(prefix, line.number) != line.number:
            faults.append(f"line {line.number}: {entry[1]} is on line {seen[prefix]} already; take one out")
    return faults
