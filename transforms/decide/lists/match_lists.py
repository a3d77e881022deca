"""Match lists: which entries of which lists cover the pages of a batch, and which of them an exception beats."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.decide.lists.compile_list import CompiledFile, Index
from transforms.decide.lists.pages import Pages

I64 = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Match:
    """What one index of one file of a list says of the rows of a batch: at most one entry a row."""

    list: str
    category: str
    sha256: str
    file: str | None
    rows: I64
    """int64, shape (matches,): the rows that match, ascending"""
    lines: I64
    """int64, shape (matches,): the line of each entry in its file, from 1"""
    matched: pa.Array
    """large_string, shape (matches,): each entry as it was written"""
    excused: npt.NDArray[np.bool_]
    """bool, shape (matches,): of a block whether an allow list, or an exception of its own list, beats it"""


class SourceMatches(NamedTuple):
    """What all lists say of the rows of a batch."""

    blocks: tuple[Match, ...]
    """In the order of the lists and of their files; of a file domains, prefixes, patterns."""
    allows: tuple[Match, ...]
    """What excuses rows that are blocked: entries of the allow lists, then exceptions of the blocklists."""


class _Found(NamedTuple):
    file: CompiledFile
    kind: Index
    rows: I64
    numbers: I64

    def match(self, excused: npt.NDArray[np.bool_] | None = None) -> Match:
        file, index = self.file, self.kind
        lines = np.asarray(index.lines)[self.numbers].astype(np.int64)
        beaten = np.zeros(len(self.rows), np.bool_) if excused is None else excused[self.rows]
        matched = index.written(self.numbers)
        return Match(file.list, file.category, file.sha256, file.file, self.rows, lines, matched, beaten)


def match_lists(
    blocklists: Sequence[CompiledFile], allowlists: Sequence[CompiledFile], hosts: pa.Array, urls: pa.Array
) -> SourceMatches:
    """Match columns `url_host_name` and `url`, of any content, against the files of blocklists and allow lists.

    An allow list lets in what its exceptions name as well as what it blocks, as many are written in the one way or the
    other. Exceptions of a blocklist beat the blocks of that list alone.
    """
    pages = Pages(hosts, urls)
    blocks = [found for file in blocklists if not file.excepts for found in _find(file, pages)]
    if not blocks:
        return SourceMatches((), ())
    by_all = np.zeros(len(pages), np.bool_)
    allows = list(_find_among(allowlists, pages, blocks))
    for found in allows:
        by_all[found.rows] = True
    matches = []
    for name in dict.fromkeys(found.file.list for found in blocks):
        own = [found for found in blocks if found.file.list == name]
        exceptions = [file for file in blocklists if file.excepts and file.list == name]
        excused = by_all.copy()
        for found in (beaten := list(_find_among(exceptions, pages, own))):
            excused[found.rows] = True
        allows += beaten
        matches += [found.match(excused) for found in own]
    return SourceMatches(tuple(matches), tuple(found.match() for found in allows))


def _find(file: CompiledFile, pages: Pages) -> Iterator[_Found]:
    for index in file.indexes():
        rows, numbers = index.find(pages)
        if len(rows):
            yield _Found(file, index, rows, numbers)


def _find_among(files: Sequence[CompiledFile], pages: Pages, blocks: Sequence[_Found]) -> Iterator[_Found]:
    """What files say of the rows that are blocked."""
    if files:
        rows = np.unique(np.concatenate([found.rows for found in blocks]))
        few = pages.take(rows)
        for file in files:
            yield from (found._replace(rows=rows[found.rows]) for found in _find(file, few))
