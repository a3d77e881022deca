"""Edges from equal keys, against slow ones on Python lists."""

import doctest
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.kernels import candidates as module
from transforms.kernels.candidates import MOST_LEADERS, order_by_partition, tie_candidates

U64 = npt.NDArray[np.uint64]
Row = tuple[int, int, int]
"""key, id and a sketch of one word"""
WORDS = st.integers(0, (1 << 64) - 1)
SKETCHES = {number: 0x0123_4567_89AB_CDEF >> 4 * number for number in range(4)}
ROWS = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 12) | WORDS, st.sampled_from(list(SKETCHES))),
    max_size=40,
)


def u64(values: Iterable[int]) -> U64:
    return np.array(list(values), np.uint64)


def tied(rows: list[Row], least: int) -> list[tuple[int, int]]:
    """The edges, sorted; ids are in ascending order, as the kernel wants them, and keys are not."""
    rows = sorted(rows, key=lambda row: row[1])
    a, b = tie_candidates(
        u64(row[0] for row in rows), u64(row[1] for row in rows), u64(row[2] for row in rows).reshape(-1, 1), least
    )
    assert a.dtype == b.dtype == np.uint64
    return sorted(zip(a.tolist(), b.tolist(), strict=True))


def equal(a: int, b: int) -> int:
    return sum((a ^ b) >> 2 * place & 3 == 0 for place in range(32))


def slow_ties(rows: list[Row], least: int) -> list[tuple[int, int]]:
    """Key by key, id by id, leader by leader."""
    edges = []
    for key in sorted({row[0] for row in rows}):
        leaders: list[tuple[int, int]] = []
        for _, name, sketch in sorted(row for row in rows if row[0] == key):
            like = (leader for leader, theirs in leaders if key % 2 or equal(sketch, theirs) >= least)
            tie = next(like, None)
            if tie is None and len(leaders) < MOST_LEADERS:
                leaders.append((name, sketch))
                continue
            tie = leaders[0][0] if tie is None else tie
            if tie != name:
                edges.append((tie, name))
    return sorted(edges)


def of_documents(rows: list[Row]) -> list[Row]:
    """A document has one sketch."""
    first = {name: SKETCHES[number] for _, name, number in reversed(rows)}
    return [(key, name, first[name]) for key, name, _ in rows]


@settings(deadline=None, max_examples=300)
@given(ROWS.map(of_documents), st.integers(0, 33))
def test_ties_agree_with_the_slow_ones(rows: list[Row], least: int) -> None:
    """Odd keys tie all to the smallest id; even ones tie to the first leader that is like enough."""
    assert tied(rows, least) == slow_ties(rows, least)


def test_unlike_documents_under_an_even_key_are_not_tied() -> None:
    """A band that is equal by chance, or by a template, joins no clusters; a text that is equal does."""
    assert tied([(4, 1, 0), (4, 2, SKETCHES[1])], 30) == []
    assert tied([(5, 1, 0), (5, 2, SKETCHES[1])], 30) == [(1, 2)]


def test_document_twice_under_a_key_makes_no_loop() -> None:
    """A text with two equal bands is not tied to itself."""
    assert tied([(5, 1, 0), (5, 1, 0), (5, 2, 0)], 30) == [(1, 2)]


def test_documents_beyond_the_most_leaders_are_tied_all_the_same() -> None:
    """None is left out: what is like no leader goes to the first; what is like one still goes to it."""
    random = np.random.default_rng(5)
    unlike = [int(value) for value in random.integers(0, 1 << 63, MOST_LEADERS + 3)]
    rows = [(2, name, sketch) for name, sketch in enumerate(unlike)]
    rows.append((2, 1000, unlike[MOST_LEADERS - 1]))
    assert tied(rows, 32) == [(0, MOST_LEADERS), (0, MOST_LEADERS + 1), (0, MOST_LEADERS + 2), (63, 1000)]


def test_a_key_of_a_million_unlike_documents_takes_linear_work() -> None:
    """At most 64 comparisons a document; the edges keep all beyond the leaders together."""
    count = 1_000_000
    sketches = np.random.default_rng(6).integers(0, 1 << 63, (count, 4)).astype(np.uint64)
    a, b = tie_candidates(np.full(count, 8, np.uint64), np.arange(count, dtype=np.uint64), sketches, 128)
    assert (len(a), int(a.max())) == (count - MOST_LEADERS, 0)
    assert b.tolist() == list(range(MOST_LEADERS, count))


def test_keys_without_sketches_tie_all_that_share_them() -> None:
    """Where near duplicates are off there are no sketches, and no cells are needed."""
    none = np.zeros((3, 0), np.uint64)
    a, b = tie_candidates(u64([3, 3, 3]), u64([4, 6, 9]), none, 0)
    assert (a.tolist(), b.tolist()) == ([4, 4], [6, 9])


@settings(deadline=None)
@given(st.lists(st.integers(0, 300) | WORDS, max_size=60), st.integers(1, 5), st.integers(0, 4), st.integers(1, 9))
def test_order_by_partition_keeps_the_keys_of_a_pass(keys: list[int], modulus: int, residue: int, spread: int) -> None:
    """Partition by partition and in order of arrival inside each; the flag in the lowest bit does not count."""
    places, starts = order_by_partition(u64(keys), modulus, residue, spread)
    found = [places[starts[p] : starts[p + 1]].tolist() for p in range(spread)]
    mine = [place for place, key in enumerate(keys) if (key >> 1) % modulus == residue]
    assert found == [[place for place in mine if (keys[place] >> 1) // modulus % spread == p] for p in range(spread)]
    assert starts[-1] == len(mine)


def test_nothing_is_tied_by_nothing() -> None:
    """No keys, no edges."""
    assert tied([], 30) == []


def test_example_in_the_docstring_holds() -> None:
    """What the documentation shows is what happens."""
    assert doctest.testmod(module) == (0, 3)
