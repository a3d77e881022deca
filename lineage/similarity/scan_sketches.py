"""Scan sketches: the candidates of some texts among all rows, by the sketch of each, whatever keys they share.

Bands are chosen for the similarity from which documents are duplicates in the build: of rows that are less similar than
that they bring few, and a scan brings practically all.
"""

from collections.abc import Iterator
from typing import Final, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from lineage.catalog import Dataset
from lineage.similarity.find_candidates import MOST_HITS, Candidates, find_candidates, join_pairs
from lineage.similarity.prints import Prints, shingle_counts
from schemas.columns import SHINGLE_COUNT, SKETCH
from transforms.batches import fixed_bytes
from transforms.decide.duplicate_rules import COMPARE_DEVIATIONS
from transforms.kernels.sketch_pairs import pair_sketches
from transforms.kernels.sketches import CELLS_A_WORD, least_cells

I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]

FOLDER: Final = "fingerprints"
BLOCK_ROWS: Final = 4096
"""Sketches that are compared with all texts before the next ones: so many stay in the cache of a core."""
ROOM: Final = 1 << 20
"""Pairs that are found at a time, at least `BLOCK_ROWS`."""


@runtime_checkable
class LeavesOut(Protocol):
    """A dataset of which some rows need not be found."""

    left_out: I64
    """Their parts and rows, part << 32 | row."""


def scan_sketches(dataset: Dataset, prints: Prints, threshold: float) -> Iterator[Candidates]:
    """The candidates of all texts, in pieces of bounded size; nothing in a build without near duplicates.

    They are all rows with an equal text, and all whose sketch may be that of a text of this similarity: one in 31,000
    of those that reach it is missed. Reads two columns of each fingerprints file, file by file.
    """
    if prints.near is None:
        return
    counts = prints.counts()
    signed, wordless = np.flatnonzero(counts > 0), np.flatnonzero(counts == 0)
    for found in find_candidates(dataset, prints.take(wordless)):
        yield found._replace(text=wordless[found.text])
    texts = _sketches(prints.table)[signed]
    least = least_cells(threshold, prints.near.bands * prints.near.rows, COMPARE_DEVIATIONS)
    held: list[tuple[I64, I64]] = []
    hits = 0
    for text, place in _find_pairs(dataset, texts, texts.shape[1] * CELLS_A_WORD - least):
        # As many as possible at once: of rows with one text, one whose text is at hand serves all that are together.
        if held and hits + len(text) > MOST_HITS:
            yield _join(signed, held)
            held, hits = [], 0
        held.append((text, place))
        hits += len(text)
    if held:
        yield _join(signed, held)


def _find_pairs(dataset: Dataset, texts: U64, most: int) -> Iterator[tuple[I64, I64]]:
    """Texts and rows, part << 32 | row, that differ in at most `most` cells: arrays of at most `ROOM`, none empty."""
    room = np.empty((2, ROOM), np.int64)
    for part in dataset.parts(FOLDER) if len(texts) else ():
        table = dataset.read(FOLDER, part, [SHINGLE_COUNT.name, SKETCH])
        code = part << 32 | np.arange(len(table))
        wanted = shingle_counts(table) > 0
        if isinstance(dataset, LeavesOut):
            wanted &= ~np.isin(code, dataset.left_out)
        code, sketches = code[wanted], _sketches(table)[wanted]
        for start in range(0, len(code), BLOCK_ROWS):
            block = np.ascontiguousarray(sketches[start : start + BLOCK_ROWS].T)
            done = 0
            while done < len(texts):
                count, done = pair_sketches(block, texts, done, most, *room)
                if count:
                    text, row = room[:, :count]
                    yield text.copy(), code[start + row]


def _sketches(table: pa.Table) -> U64:
    """The column of sketches, uint64 of shape (rows, words)."""
    return fixed_bytes(table[SKETCH].combine_chunks()).view("<u8")


def _join(signed: I64, held: list[tuple[I64, I64]]) -> Candidates:
    text, place = (np.concatenate(arrays) for arrays in zip(*held, strict=True))
    return join_pairs(signed[text], place)
