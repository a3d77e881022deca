"""Inside each component: who survives, and by which surviving document every other one is witnessed.

A witness is proven: it has the same URL, the same text, or a true Jaccard similarity that reaches the threshold.
Sketches only say which texts are worth comparing.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

import numba
import numpy as np
import numpy.typing as npt

from transforms.kernels.shingle_sets import count_shared, insert, make_table
from transforms.kernels.sketches import CELLS_A_WORD, count_differing

I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]
F64 = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
NONE = -1
SLICE: Final = 4096
"""Documents that are judged between two rests."""
BLOCK: Final = 2048
"""Sketches that are compared at a time."""


class Members(NamedTuple):
    """Documents sorted by component and, inside it, in the order in which they are judged; arrays of shape (rows,)."""

    component: I64
    """Number of the component, from 0."""
    url: I64
    """Number of the URL's digest, from 0, and of the text's; -1 where there is none."""
    text: I64
    signed: Flags
    """Whether it has shingles."""
    sketches: U64
    """Shape (rows, words)."""
    shingles: U64
    """The sets of all rows in one array: row i has shingles[start[i]:start[i] + size[i]]."""
    start: I64
    size: I64


class Limits(NamedTuple):
    """When two documents are similar, and how many a document is compared with."""

    threshold: float
    signature: bool
    """The sets hold the values of signatures: similarity is the share of equal ones, an estimate of Jaccard."""
    least_cells: int
    """Equal cells of two sketches from which their texts are compared."""
    most_estimates: int
    most_comparisons: int


class Found(NamedTuple):
    """Witnesses: rows or -1, int64 of shape (rows,), and what was compared."""

    same_url: I64
    exact: I64
    near: I64
    similarity: F64
    """To `near`."""
    bounded: Flags
    """No similar document was found, but not all were compared."""


class Walk(NamedTuple):
    """Where a walk stands: the survivor of each URL and text, what a text joined, and the survivors in the pool."""

    url_owner: I64
    text_owner: I64
    text_near: I64
    held: I64


class Pool(NamedTuple):
    """Documents of one component that others may be similar to, in order, and scratch for looking through them."""

    rows: I64
    sketches: U64
    """Shape (words, rows): word after word, so that one sketch is compared with many in vector registers."""
    candidates: I64
    estimates: I64


def groups(words: npt.NDArray[np.uint64], present: Flags) -> I64:
    """Number the distinct digests (uint64, shape (rows, 2)) from 0; -1 where `present` is false.

    >>> groups(np.array([[1, 2], [0, 0], [1, 2]], np.uint64), np.array([True, False, True])).tolist()
    [0, -1, 0]
    """
    numbers = np.full(len(words), NONE, np.int64)
    keys = np.ascontiguousarray(words[present]).view([("high", np.uint64), ("low", np.uint64)]).ravel()
    numbers[present] = np.unique(keys, return_inverse=True)[1]
    return numbers


def choose_survivors(
    members: Members, limits: Limits, judged: Flags, offers: Flags, rest: Callable[[], object] = lambda: None
) -> Found:
    """In order, let each document join a survivor of its component or become one.

    A document that is `judged` joins the survivor with its URL, the one with its text, and, if there is none with its
    text, the first whose similarity reaches the threshold; if it joins none, it survives. Those that are not judged
    survive as they are. Survivors that do not `offer` themselves are no witnesses. Every witness is then a document
    that survives and that is itself related to the one that joins it.

    Equal texts are compared once: what the first of them met, the others meet too. `rest` is called now and then, so
    that the caller can let go of sets that were looked at.
    """
    rows = members.url.size
    found = _nothing_found(rows)
    walk = Walk(_owners(members.url), _owners(members.text), _owners(members.text), np.zeros(1, np.int64))
    pool = _make_pool(members)
    for begin in range(0, rows, SLICE):
        _walk(members, limits, judged, offers, begin, min(begin + SLICE, rows), walk, pool, found)
        rest()
    return found


def find_sources(
    members: Members,
    limits: Limits,
    source: Flags,
    asked: Flags,
    by_url: bool,
    rest: Callable[[], object] = lambda: None,
) -> tuple[I64, F64]:
    """For each document that is `asked`, the first `source` of its component that has its URL or text, or is similar.

    Returns (row or -1, similarity), of shape (rows,); the similarity of equal URLs is NaN. URLs count only `by_url`.
    Of sources with one text only the first is compared. `rest` as in `choose_survivors`.
    """
    rows = members.url.size
    found = _nothing_found(rows)
    if not source.any():
        return found.near, found.similarity
    url_source, text_source = _first_rows(members.url, source), _first_rows(members.text, source)
    first_of_text = text_source[members.text] == np.arange(rows) if text_source.size else np.zeros(rows, np.bool_)
    sources = np.flatnonzero(source & members.signed & ((members.text == NONE) | first_of_text))
    low = np.searchsorted(members.component[sources], members.component, "left")
    high = np.searchsorted(members.component[sources], members.component, "right")
    pool = _make_pool(members)._replace(rows=sources, sketches=np.ascontiguousarray(members.sketches[sources].T))
    for begin in range(0, rows, SLICE):
        wanted = begin + np.flatnonzero(asked[begin : begin + SLICE])
        _ask(members, limits, wanted, low, high, text_source, pool, found)
        rest()
    first = np.where(found.exact != NONE, found.exact, found.near)
    similarity = np.where(found.exact != NONE, 1.0, found.similarity)
    if by_url and url_source.size:
        only_url = asked & (first == NONE) & (members.url != NONE) & (url_source[members.url] != NONE)
        first[only_url], similarity[only_url] = url_source[members.url][only_url], np.nan
    return first, similarity


@numba.njit(nogil=True, cache=True)
def _walk(
    members: Members,
    limits: Limits,
    judged: Flags,
    offers: Flags,
    begin: int,
    stop: int,
    walk: Walk,
    pool: Pool,
    found: Found,
) -> None:
    for i in range(begin, stop):
        if i == 0 or members.component[i] != members.component[i - 1]:
            walk.held[0] = 0
        url, text = members.url[i], members.text[i]
        if judged[i]:
            found.same_url[i] = walk.url_owner[url] if url >= 0 else NONE
            found.exact[i] = walk.text_owner[text] if text >= 0 else NONE
            if found.exact[i] == NONE and members.signed[i]:
                known = walk.text_near[text] if text >= 0 else NONE
                _join(i, members, limits, pool, 0, walk.held[0], known, found)
            if text >= 0 and walk.text_near[text] == NONE:
                walk.text_near[text] = found.near[i]
        if offers[i] and found.same_url[i] == NONE and found.exact[i] == NONE and found.near[i] == NONE:
            if url >= 0 and walk.url_owner[url] == NONE:
                walk.url_owner[url] = i
            if text >= 0 and walk.text_owner[text] != NONE:
                continue  # of equal texts that survive unjudged, one stands for all
            if text >= 0:
                walk.text_owner[text] = i
            if members.signed[i]:
                pool.rows[walk.held[0]] = i
                pool.sketches[:, walk.held[0]] = members.sketches[i]
                walk.held[0] += 1


@numba.njit(nogil=True, cache=True)
def _ask(
    members: Members,
    limits: Limits,
    wanted: I64,
    low: I64,
    high: I64,
    text_source: I64,
    pool: Pool,
    found: Found,
) -> None:
    for i in wanted:
        text = members.text[i]
        if text >= 0 and text_source[text] != NONE:
            found.exact[i] = text_source[text]
        elif members.signed[i]:
            _join(i, members, limits, pool, low[i], high[i], NONE, found)


def _first_rows(numbers: I64, chosen: Flags) -> I64:
    """The first row of each number among the chosen ones; -1 where there is none."""
    first = np.full(numbers.max(initial=NONE) + 1, NONE, np.int64)
    rows = np.flatnonzero(chosen & (numbers != NONE))[::-1]
    first[numbers[rows]] = rows
    return first


def _nothing_found(rows: int) -> Found:
    return Found(
        np.full(rows, NONE, np.int64),
        np.full(rows, NONE, np.int64),
        np.full(rows, NONE, np.int64),
        np.zeros(rows, np.float64),
        np.zeros(rows, np.bool_),
    )


def _owners(numbers: I64) -> I64:
    return np.full(numbers.max(initial=NONE) + 1, NONE, np.int64)


def _make_pool(members: Members) -> Pool:
    """Room for the largest component."""
    borders = np.flatnonzero(np.diff(members.component, prepend=-1, append=-1))
    size = int(np.diff(borders).max(initial=0))
    sketches = np.empty((members.sketches.shape[1], size), np.uint64)
    return Pool(np.empty(size, np.int64), sketches, np.empty(size, np.int64), np.empty(size, np.int64))


@numba.njit(nogil=True, cache=True)
def _join(i: int, members: Members, limits: Limits, pool: Pool, low: int, high: int, known: int, found: Found) -> None:
    """Write to `found` the first row in the pool's places `low` to `high` that row i is similar to.

    `known` is that row if it was found for an equal text before, else -1.
    """
    chosen = 1
    if known != NONE:
        pool.candidates[0] = known
    else:
        chosen = _estimate(members.sketches[i], limits, pool, low, high)
        found.bounded[i] = high - low > limits.most_estimates or chosen > limits.most_comparisons
        chosen = _take_best(pool, chosen, limits.most_comparisons, members.sketches.shape[1] * CELLS_A_WORD)
    if chosen == 0:
        return
    table = make_table(members.size[i])
    for shingle in _set(members, i):
        insert(table, shingle)
    for c in range(chosen):
        other = pool.candidates[c]
        similarity = _similarity(table, members.size[i], _set(members, other), limits)
        if similarity >= limits.threshold:
            found.near[i], found.similarity[i], found.bounded[i] = other, similarity, False
            return


@numba.njit(nogil=True, cache=True)
def _estimate(sketch: U64, limits: Limits, pool: Pool, low: int, high: int) -> int:
    """Write to the pool's scratch the rows that are worth a comparison, in order; how many there are."""
    chosen = 0
    high = min(high, low + limits.most_estimates)
    differing = np.empty(BLOCK, np.uint16)
    most = sketch.size * CELLS_A_WORD - limits.least_cells
    for begin in range(low, high, BLOCK):
        block = pool.sketches[:, begin : min(begin + BLOCK, high)]
        count_differing(block, sketch, differing)
        for p in range(block.shape[1]):
            if differing[p] <= most:
                pool.candidates[chosen] = pool.rows[begin + p]
                pool.estimates[chosen] = sketch.size * CELLS_A_WORD - differing[p]
                chosen += 1
    return chosen


@numba.njit(nogil=True, cache=True)
def _take_best(pool: Pool, chosen: int, most: int, cells: int) -> int:
    """Keep the `most` candidates with the highest estimates, in their order; of equal estimates the first."""
    if chosen <= most:
        return chosen
    counts = np.zeros(cells + 1, np.int64)
    for c in range(chosen):
        counts[pool.estimates[c]] += 1
    least, room = cells, most
    while counts[least] <= room:
        room -= counts[least]
        least -= 1
    kept = 0
    for c in range(chosen):
        estimate = pool.estimates[c]
        if estimate > least or (estimate == least and room > 0):
            room -= estimate == least
            pool.candidates[kept] = pool.candidates[c]
            kept += 1
    return kept


@numba.njit(nogil=True, cache=True)
def _set(members: Members, row: int) -> U64:
    return members.shingles[members.start[row] : members.start[row] + members.size[row]]


@numba.njit(nogil=True, cache=True)
def _similarity(table: U64, size: int, other: U64, limits: Limits) -> float:
    """Jaccard similarity of the set in the table, of `size`, and another; 0 if it cannot reach the threshold."""
    # s / (a + b - s) >= t as s >= t (a + b) / (1 + t); rounded down, so that rounding never excludes.
    if limits.signature:
        least = int(limits.threshold * size - 1e-6)
    else:
        least = int(limits.threshold * (size + other.size) / (1 + limits.threshold) - 1e-6)
    shared = count_shared(table, other, other.size - least) if min(size, other.size) >= least else -1
    if shared < 0:
        return 0.0
    return shared / (size if limits.signature else size + other.size - shared)
