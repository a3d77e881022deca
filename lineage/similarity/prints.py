"""Prints: what some texts are found and compared by, made of the texts themselves or of rows of a dataset."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from lineage.catalog import Dataset
from lineage.similarity.load_sets import Sets, collect, no_sets, sets_of_rows, sets_of_texts
from schemas.columns import SHINGLE_COUNT, TAKEN, TEXT_DIGEST
from schemas.reasons import DROP
from transforms.batches import digest_words
from transforms.kernels.survivors import groups
from transforms.measure.fingerprint import NearSettings, fingerprint

I64 = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Prints:
    """Fingerprints of some texts, and their sets of shingles where the texts could be had."""

    near: NearSettings | None
    table: pa.Table
    """`text_bytes`, `text_digest`, `shingle_count`, the bands and the sketch; a row a text."""
    sets: Sets

    def __len__(self) -> int:
        return len(self.table)

    def take(self, rows: I64) -> "Prints":
        """Those of some of the texts."""
        sets = self.sets._replace(start=self.sets.start[rows], size=self.sets.size[rows])
        return Prints(self.near, self.table.take(pa.array(rows)), sets)

    def counts(self) -> I64:
        """Shingles of each text, repeats included; int64 of shape (texts,)."""
        return shingle_counts(self.table)

    def texts(self) -> I64:
        """Numbers of the distinct texts, from 0, int64 of shape (texts,); -1 for empty ones."""
        return text_numbers(self.table)


def shingle_counts(table: pa.Table) -> I64:
    """The column `shingle_count`, int64 of shape (rows,)."""
    return table[SHINGLE_COUNT.name].to_numpy().astype(np.int64)


def text_numbers(table: pa.Table) -> I64:
    """Numbers of the distinct values of `text_digest`, from 0, int64 of shape (rows,); -1 for nulls."""
    digests = table[TEXT_DIGEST.name].combine_chunks()
    return groups(digest_words(digests), np.asarray(digests.is_valid()))


def prints_of_texts(texts: pa.Array, near: NearSettings | None) -> Prints:
    """Prints of texts, string or large_string; without `near` they find equal texts only.

    >>> prints = prints_of_texts(pa.array(["One two three", ""]), NearSettings(ngram=2, bands=5, rows=4))
    >>> prints.counts().tolist(), prints.sets.size.tolist()
    ([2, 0], [2, 0])
    """
    texts = texts.cast(pa.large_string()).fill_null("")
    table = pa.table(fingerprint(texts, near))
    sets = sets_of_texts(texts, shingle_counts(table), near.ngram) if near else no_sets(len(table))
    return Prints(near, table, sets)


def prints_of_rows(dataset: Dataset, places: pa.Table, crawl: bool = True) -> Prints:
    """Prints of ledger rows (`PLACES`): fingerprints as the dataset holds them, sets from their texts.

    A text that the dataset does not hold is read again from the crawl files, if `crawl` and if they are at hand; else
    its set is unknown. Of rows with one text it is read once.
    """
    near = dataset.near
    fields = [TEXT_DIGEST.field(), SHINGLE_COUNT.field(), *(near.fields() if near else [])]
    table = dataset.take("fingerprints", places, [field.name for field in fields])
    table = table.add_column(0, "text_bytes", dataset.ledger(places, ["text_bytes"])["text_bytes"])
    numbers, counts = text_numbers(table), shingle_counts(table)
    first = first_held(dataset, places, numbers)
    known = collect(len(first), sets_of_rows(dataset, places.take(pa.array(first)), counts[first], crawl))
    start, size = (np.append(values, 0)[numbers] for values in (known.start, known.size))  # 0 for empty texts
    return Prints(near, table, Sets(known.shingles, start, size))


def first_held(dataset: Dataset, places: pa.Table, numbers: I64) -> I64:
    """For each number from 0 on, the first place with it whose text the dataset holds, or else the first one."""
    decisions = dataset.ledger(places, ["decision"])["decision"]
    return first_of_each(numbers, np.argsort(np.asarray(pc.equal(decisions, DROP)), kind="stable"))


def first_of_each(numbers: I64, order: I64) -> I64:
    """For each number from 0 on, the first of its rows in that order; rows with -1 are passed over.

    >>> first_of_each(np.array([1, 0, -1, 1]), np.array([3, 2, 1, 0])).tolist()
    [1, 3]
    """
    order = order[numbers[order] >= 0]
    return order[np.unique(numbers[order], return_index=True)[1]]


def taken(dataset: Dataset, places: pa.Table | None, prints: Prints) -> pa.Table:
    """Prints as rows of the schema `TAKEN`: of the ledger rows at the places, or, where these are None, of mere texts.

    A mere text has its digest for a `doc_id`.
    """
    ids = (
        prints.table[TEXT_DIGEST.name] if places is None else dataset.take("fingerprints", places, ["doc_id"])["doc_id"]
    )
    sets = prints.sets
    known = sets.size >= 0
    sizes = np.maximum(sets.size, 0)
    shift = np.repeat(sets.start - (np.cumsum(sizes) - sizes), sizes)
    items = pa.array(sets.shingles[shift + np.arange(sizes.sum())])
    kind = TAKEN.schema().field("shingles").type
    shingles = pa.LargeListArray.from_arrays(np.r_[0, np.cumsum(sizes)], items, type=kind, mask=pa.array(~known))
    columns = {name: prints.table[name] for name in prints.table.column_names} | {"doc_id": ids, "shingles": shingles}
    schema = TAKEN.schema(prints.near.fields() if prints.near else [])
    return pa.table([columns[name] for name in schema.names], schema=schema)
