"""Match: which candidates are similar enough to the text that they share a key with. Rows with one text are one."""

from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from lineage.catalog import PLACES, Dataset
from lineage.similarity.find_candidates import Candidates
from lineage.similarity.pairs import METHODS, compare_pairs
from lineage.similarity.prints import Prints, first_held, first_of_each, shingle_counts, text_numbers
from schemas.columns import SHINGLE_COUNT, SKETCH, TEXT_DIGEST
from transforms.batches import digest_words, fixed_bytes
from transforms.decide.duplicate_rules import COMPARE_DEVIATIONS
from transforms.kernels.set_pairs import equal_cells_of_pairs
from transforms.kernels.sketches import least_cells

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

MATCHES: Final = pa.schema(
    [*PLACES, pa.field("similarity", pa.float64(), False), pa.field("method", pa.string(), False)]
)
"""Ledger rows like some numbered texts: sorted by query, the most similar first, then by part and row. `method` is
`exact` for equal texts, `jaccard` for the true similarity of two sets of shingles, `signature` for its estimate."""
_EXACT: Final = 0


def match_candidates(dataset: Dataset, prints: Prints, found: Candidates, threshold: float, crawl: bool) -> pa.Table:
    """The candidates that are similar enough (`MATCHES`); their queries are the numbers of the texts in `prints`."""
    columns = [TEXT_DIGEST.name, SHINGLE_COUNT.name, *([SKETCH] if prints.near else [])]
    said = dataset.take("fingerprints", found.places, columns)
    numbers = text_numbers(said)
    present = numbers[found.place] >= 0  # a chance collision can bring an empty text
    text, place = found.text[present], found.place[present]
    others = said.take(pa.array(first_of_each(numbers, np.arange(len(numbers)))))
    width = max(len(others), 1)
    pairs, pair = np.unique(text * width + numbers[place], return_inverse=True)
    one, other = np.divmod(pairs, width)
    similarity, method = np.zeros(len(pairs)), np.full(len(pairs), _EXACT)
    exact, hopeful = _prune(prints, one, others, other, threshold)
    similarity[exact] = 1.0
    if len(hopeful):
        near, compared = np.unique(other[hopeful], return_inverse=True)
        places = _readable_places(dataset, found.places, numbers, near)
        counts = shingle_counts(others)[near]
        values = compare_pairs(dataset, prints, one[hopeful], compared, places, counts, crawl)
        similarity[hopeful], method[hopeful] = values
    similar = exact | (method != _EXACT) & (similarity >= threshold)
    kept = np.flatnonzero(similar[pair])
    at = found.places.take(pa.array(place[kept]))
    methods = pa.array(METHODS).take(pa.array(method[pair[kept]]))
    query = text[kept].astype(np.int32)
    return pa.table([query, at["part"], at["row"], similarity[pair[kept]], methods], schema=MATCHES)


def _prune(prints: Prints, one: I64, others: pa.Table, other: I64, threshold: float) -> tuple[Flags, I64]:
    """Which pairs have equal texts, and the numbers of those others that are not hopeless."""
    mine, theirs = (digest_words(table[TEXT_DIGEST.name].combine_chunks()) for table in (prints.table, others))
    exact = (mine[one] == theirs[other]).all(axis=1)
    if prints.near is None:
        return exact, np.empty(0, np.int64)
    sketches = (fixed_bytes(table[SKETCH].combine_chunks()).view("<u8") for table in (prints.table, others))
    ours, yours = sketches
    least = least_cells(threshold, prints.near.bands * prints.near.rows, COMPARE_DEVIATIONS)
    signed = (prints.counts()[one] > 0) & (shingle_counts(others)[other] > 0)
    return exact, np.flatnonzero(~exact & signed & (equal_cells_of_pairs(ours, one, yours, other) >= least))


def _readable_places(dataset: Dataset, places: pa.Table, numbers: I64, wanted: I64) -> pa.Table:
    """For each wanted text a place of it, one whose text the dataset holds if there is any."""
    compact = np.full(numbers.max() + 2, -1)  # the last for rows without a text, whose number is -1
    compact[wanted] = np.arange(len(wanted))
    rows = np.flatnonzero(compact[numbers] >= 0)
    some = places.take(pa.array(rows))
    return some.take(pa.array(first_held(dataset, some, compact[numbers[rows]])))
