"""Sets of shingles of some texts, and of ledger rows, whose texts are read for them block by block."""

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from lineage.catalog import Dataset
from lineage.texts.read_texts import read_texts
from schemas.columns import TEXT
from schemas.errors import InputError
from transforms.batches import strings
from transforms.kernels.shingle_sets import shingle_sets

I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]

UNKNOWN: Final = -1
"""Size of a set whose text could not be had."""
BLOCK_SHINGLES: Final = 4 << 20
"""Texts are read until they have so many shingles: some 30 MB of text and as much of sets."""


class Sets(NamedTuple):
    """Set i is `shingles[start[i]:start[i] + size[i]]`; distinct hashes, in no order."""

    shingles: U64
    start: I64
    size: I64
    """`UNKNOWN` where the text could not be had."""


def sets_of_texts(texts: pa.Array, counts: I64, ngram: int) -> Sets:
    """The sets of texts, of which nulls are unknown; `counts` are their shingles with repeats.

    Raises InputError where a text has more shingles than its count says.
    """
    known = np.asarray(texts.is_valid())
    shingles = np.empty(int(counts[known].sum()), np.uint64)
    size = shingle_sets(*strings(texts), ngram, shingles)
    if (size < 0).any():
        raise InputError(
            "A text has more shingles than its fingerprint says: the dataset was changed after it was written.\n"
            "`cleartitle verify` says where."
        )
    return Sets(shingles[: size.sum()].copy(), np.cumsum(size) - size, np.where(known, size, UNKNOWN))


def sets_of_rows(dataset: Dataset, places: pa.Table, counts: I64, crawl: bool) -> Iterator[tuple[I64, Sets]]:
    """The sets of ledger rows (`PLACES`): block by block the numbers of the rows, from 0, and their sets.

    `counts` are their shingles with repeats. Blocks follow the files, so that few are opened for one.
    """
    near = dataset.near
    if near is None:
        return
    part, row = (places[name].to_numpy() for name in ("part", "row"))
    order = np.lexsort([row, part])
    block = np.cumsum(counts[order]) // BLOCK_SHINGLES
    for rows in np.split(order, np.flatnonzero(np.diff(block)) + 1) if len(order) else ():
        texts = read_texts(dataset, places.take(pa.array(rows)), crawl)[TEXT.name].combine_chunks()
        yield rows, sets_of_texts(texts, counts[rows], near.ngram)


def no_sets(count: int) -> Sets:
    """Sets of which none is known."""
    return Sets(np.empty(0, np.uint64), np.zeros(count, np.int64), np.full(count, UNKNOWN, np.int64))


def collect(count: int, blocks: Iterator[tuple[I64, Sets]]) -> Sets:
    """The sets of all blocks in one, in the order of their numbers from 0 to `count`."""
    shingles, start, size = no_sets(count)
    found = [shingles]
    done = 0
    for rows, sets in blocks:
        start[rows], size[rows] = sets.start + done, sets.size
        found.append(sets.shingles)
        done += len(sets.shingles)
    return Sets(np.concatenate(found), start, size)
