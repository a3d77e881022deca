"""Candidates: ledger rows that share the digest of the text or a band of the signature with some texts.

Two similar texts may share no band, though both share one with a third: so the clusters of what was found are looked
through too, as they were when the dataset was made.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from lineage.catalog import Dataset
from lineage.similarity.prints import Prints
from schemas.columns import TEXT_DIGEST
from transforms.batches import hex_digests
from transforms.publish.index_keys import band_index_keys, key_of

I64 = npt.NDArray[np.int64]

MOST_HITS: Final = 4 << 20
"""Texts are looked at together as long as they have no more hits, which bounds the memory at some 200 MB."""


class Candidates(NamedTuple):
    """Pairs of a text and a ledger row, sorted, each once."""

    text: I64
    """Shape (pairs,)."""
    place: I64
    """Numbers of rows in `places`, shape (pairs,)."""
    places: pa.Table
    """`part` and `row` of the ledger rows, sorted."""


def find_candidates(dataset: Dataset, prints: Prints) -> Iterator[Candidates]:
    """The candidates of all texts, those of some texts after those of others. None of them may be empty."""
    return _look_up(dataset, *_keys(prints))


def find_mates(dataset: Dataset, found: Candidates, matches: pa.Table) -> Iterator[Candidates]:
    """Rows of the clusters that hold the matches (`MATCHES`) of some texts, but for the candidates found before."""
    clusters = dataset.ledger(matches, ["cluster_id"])["cluster_id"].combine_chunks().dictionary_encode()
    ids, number = clusters.dictionary, clusters.indices.fill_null(len(clusters.dictionary)).to_numpy()
    pairs = np.unique(matches["query"].to_numpy().astype(np.int64) * (len(ids) + 1) + number)
    text, number = np.divmod(pairs, len(ids) + 1)
    in_one = number < len(ids)
    for mates in _look_up(dataset, text[in_one], key_of("cluster", ids)[number[in_one]]):
        yield _without(mates, found)


def _look_up(dataset: Dataset, text: I64, keys: I64) -> Iterator[Candidates]:
    """The rows that have a key of a text; `text` ascends."""
    if not len(text):
        return
    distinct, key = np.unique(keys, return_inverse=True)
    hits = dataset.find_keys(distinct)
    starts = np.searchsorted(hits["query"].to_numpy(), np.arange(len(distinct) + 1))
    place = _codes(hits)
    count = np.diff(starts)[key]
    borders = np.flatnonzero(np.diff(text, prepend=-1))  # where the keys of each text begin
    block = np.cumsum(np.add.reduceat(count, borders)) // MOST_HITS
    for of_texts in np.split(np.arange(len(borders)), np.flatnonzero(np.diff(block)) + 1):
        mine = slice(borders[of_texts[0]], np.append(borders, len(text))[of_texts[-1] + 1])
        at = ranges(starts[key[mine]], count[mine])
        yield join_pairs(np.repeat(text[mine], count[mine]), place[at])


def _keys(prints: Prints) -> tuple[I64, I64]:
    """Texts, ascending, and the keys of each."""
    digests = prints.table[TEXT_DIGEST.name].combine_chunks()
    text, keys = [np.arange(len(prints))], [key_of("text", hex_digests(digests))]
    signed = np.flatnonzero(prints.counts() > 0)
    if prints.near and len(signed):
        text.append(np.repeat(signed, prints.near.bands))
        keys.append(band_index_keys(prints.table.take(pa.array(signed)), prints.near.bands).ravel())
    texts = np.concatenate(text)
    order = np.argsort(texts, kind="stable")
    return texts[order], np.concatenate(keys)[order]


def ranges(start: I64, count: I64) -> I64:
    """The numbers from each start on, as many as its count, one range after the other."""
    return np.repeat(start - (np.cumsum(count) - count), count) + np.arange(count.sum())


def _codes(places: pa.Table) -> I64:
    """Part and row of places in one number."""
    return places["part"].to_numpy().astype(np.int64) << 32 | places["row"].to_numpy()


def join_pairs(text: I64, place: I64) -> Candidates:
    """Candidates of texts and of rows, part << 32 | row, beside each other; in any order and perhaps repeated."""
    distinct, number = np.unique(place, return_inverse=True)
    pairs = np.unique(text * len(distinct) + number)
    text, number = np.divmod(pairs, max(len(distinct), 1))
    places = pa.table({"part": (distinct >> 32).astype(np.int32), "row": distinct.astype(np.int32)})
    return Candidates(text, number, places)


def _without(found: Candidates, known: Candidates) -> Candidates:
    """The candidates that are not known."""
    theirs, ours = _codes(known.places), _codes(found.places)
    distinct, number = np.unique(np.r_[theirs, ours], return_inverse=True)
    before = known.text * len(distinct) + number[: len(theirs)][known.place]
    now = found.text * len(distinct) + number[len(theirs) :][found.place]
    new = ~np.isin(now, before)
    return join_pairs(found.text[new], ours[found.place[new]])
