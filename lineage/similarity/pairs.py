"""Compare texts with ledger rows, one of each a pair: by their sets of shingles, or else by their signatures."""

from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from lineage.catalog import Dataset
from lineage.similarity.load_sets import UNKNOWN, sets_of_rows
from lineage.similarity.prints import Prints
from schemas.reasons import JACCARD, SIGNATURE
from transforms.batches import fixed_bytes
from transforms.kernels.set_pairs import equal_values_of_pairs, jaccard_pairs

I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]

METHODS: Final = ("exact", JACCARD, SIGNATURE)
_JACCARD, _SIGNATURE = METHODS.index(JACCARD), METHODS.index(SIGNATURE)


def compare_pairs(
    dataset: Dataset, prints: Prints, text: I64, other: I64, places: pa.Table, counts: I64, crawl: bool
) -> tuple[F64, I64]:
    """Similarity of each pair of `text[i]` and the row at place `other[i]`, and the number of the method in `METHODS`.

    The signed texts of `places` are read block by block, so that only the sets of one block are held; `counts` are
    their shingles. Where the text of one of the two cannot be had, signatures are compared.
    """
    similarity, method = np.zeros(len(text)), np.full(len(text), _SIGNATURE)
    order = np.lexsort([text, other])
    starts = np.searchsorted(other[order], np.arange(len(places) + 1))
    for rows, sets in sets_of_rows(dataset, places, counts, crawl):
        mine = np.concatenate([order[starts[row] : starts[row + 1]] for row in rows])
        here = np.repeat(np.arange(len(rows)), starts[rows + 1] - starts[rows])
        known = (sets.size[here] != UNKNOWN) & (prints.sets.size[text[mine]] != UNKNOWN)
        mine, here = mine[known], here[known]
        by_text = np.argsort(text[mine], kind="stable")
        mine, here = mine[by_text], here[by_text]
        similarity[mine] = jaccard_pairs(*prints.sets, text[mine], *sets, here)
        method[mine] = _JACCARD
    left = np.flatnonzero(method == _SIGNATURE)
    if len(left):
        similarity[left] = _estimates(dataset, prints, text[left], other[left], places)
    return similarity, method


def _estimates(dataset: Dataset, prints: Prints, text: I64, other: I64, places: pa.Table) -> F64:
    bands = [name for name in prints.table.column_names if name.startswith("band_")]
    mine, text = np.unique(text, return_inverse=True)
    theirs, other = np.unique(other, return_inverse=True)
    found = dataset.take("fingerprints", places.take(pa.array(theirs)), bands)
    return equal_values_of_pairs(_values(prints.table.select(bands).take(pa.array(mine))), text, _values(found), other)


def _values(table: pa.Table) -> npt.NDArray[np.uint32]:
    """Signatures, uint32 of shape (rows, permutations), of bands side by side."""
    bands = [fixed_bytes(column.combine_chunks()) for column in table.columns]
    return np.ascontiguousarray(np.concatenate(bands, axis=1)).view("<u4")
