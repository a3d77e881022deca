"""Find the ledger rows, kept or not, whose text is that of another one or similar to it.

    dataset = open_dataset("dataset")
    prints = prints_of_texts(pa.array(["The very text ..."]), dataset.near)
    find_similar(dataset, prints)

Bands of the signatures, and clusters, bring candidates, sketches leave out the hopeless ones, and sets of shingles say
how similar two texts are. Below the similarity that the bands were chosen for, the sketches of all rows bring them.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from lineage.catalog import Dataset
from lineage.similarity.find_candidates import find_candidates, find_mates, ranges
from lineage.similarity.load_sets import UNKNOWN
from lineage.similarity.match import MATCHES, match_candidates
from lineage.similarity.prints import Prints, first_of_each, prints_of_rows, prints_of_texts, taken
from lineage.similarity.scan_sketches import scan_sketches
from schemas.errors import InputError

I64 = npt.NDArray[np.int64]

BLOCK_TEXTS: Final = 8192
"""Texts that are looked for together. Each looks all over the index, so the more at a time the less is read."""

__all__ = ["MATCHES", "Prints", "find_similar", "prints_of_rows", "prints_of_texts", "taken"]


def find_similar(dataset: Dataset, prints: Prints, threshold: float | None = None, crawl: bool = True) -> pa.Table:
    """Rows (`MATCHES`) of the ledger, kept or not, whose similarity to a text reaches the threshold.

    `threshold` is that of the build if None. For a lower one all fingerprints files are scanned for each `BLOCK_TEXTS`
    texts, and below 0.4 or so many rows are compared that only chance brings. Texts that the dataset does not hold are
    read again from the crawl files if `crawl` and if these are at hand, else the similarity to them is estimated.
    Raises InputError where prints were not made with the settings of the dataset.
    """
    if prints.near != dataset.near:
        raise InputError(
            "The texts were not fingerprinted as the documents of the dataset were.\n"
            f"  texts:   {prints.near}\n  dataset: {dataset.near}\nMake their prints with `dataset.near`."
        )
    if threshold is None:
        threshold = 1.0 if dataset.threshold is None else dataset.threshold
    scan = prints.near is not None and dataset.threshold is not None and threshold < dataset.threshold
    numbers = prints.texts()
    first = first_of_each(numbers, np.argsort(prints.sets.size == UNKNOWN, kind="stable"))
    found = [MATCHES.empty_table()]
    for start in range(0, len(first), BLOCK_TEXTS):
        texts = prints.take(first[start : start + BLOCK_TEXTS])
        for candidates in scan_sketches(dataset, texts, threshold) if scan else find_candidates(dataset, texts):
            matches = match_candidates(dataset, texts, candidates, threshold, crawl)
            mates = find_mates(dataset, candidates, matches) if prints.near and not scan else ()
            tables = [matches, *(match_candidates(dataset, texts, mate, threshold, crawl) for mate in mates)]
            found += [_for_each_query(table, numbers - start) for table in tables]
    order = [("query", "ascending"), ("similarity", "descending"), ("part", "ascending"), ("row", "ascending")]
    return pa.concat_tables(found).sort_by(order)


def _for_each_query(matches: pa.Table, numbers: I64) -> pa.Table:
    """Matches of distinct texts as those of all queries; `numbers` says which text a query has."""
    order = np.argsort(numbers, kind="stable")
    first, end = (np.searchsorted(numbers[order], matches["query"].to_numpy(), side) for side in ("left", "right"))
    queries = order[ranges(first, end - first)].astype(np.int32)
    repeated = matches.take(pa.array(np.repeat(np.arange(len(matches)), end - first)))
    return repeated.set_column(0, MATCHES.field("query"), pa.array(queries))
