"""Tell publishers by their ISBNs: lists of the prefixes that agencies have given them.

>>> books = PublisherList("books", "00", (978013, 9780134), ("Pearson", "Imprint"), (1, 2))
>>> match = books.match(pa.array(["9780131103627", "9780134685991", "9780201633610"]))
>>> match.line.tolist(), match.publisher.to_pylist()
([1, 2, -1], ['Pearson', 'Imprint', None])
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
_ENTRY: Final = re.compile(r"(97[89](?:-?[0-9])+-?)\t\s*(\S.*)")


class PublisherMatch(NamedTuple):
    """The publisher of each of some ISBNs."""

    line: npt.NDArray[np.int64]
    """Line of the prefix, shape (ISBNs,); -1 for none."""
    publisher: pa.Array
    """string, null for none"""


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

    def match(self, isbns: pa.Array) -> PublisherMatch:
        """The publishers of ISBNs (strings of 13 digits, none null), each by its longest prefix on this list."""
        entry = _longest(isbns.cast(pa.int64()).to_numpy(), np.array(self.prefixes, np.int64))
        publishers = pa.array(self.publishers, pa.string())
        lines = np.append(np.array(self.lines, np.int64), -1)
        return PublisherMatch(lines[entry], publishers.take(pa.array(entry, mask=entry < 0)))


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
