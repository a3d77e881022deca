"""The walk in survivor order, against a slow one on Python sets and fractions."""

import dataclasses
import doctest
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.slow_walk import Document, Verdict, similarity, slow_source, slow_walk
from transforms.kernels import survivors as module
from transforms.kernels.survivors import NONE, Found, Limits, Members, choose_survivors, find_sources, groups

FREE = Limits(0.5, False, 0, 1000, 1000)
"""Every pair is compared."""
PLACES = 4
SKETCHES = (0, 0x5555, 0xFFFF_FFFF, (1 << 64) - 1)
SHINGLES = st.frozensets(st.integers(1, 9), max_size=8)
SIGNATURES = st.none() | st.tuples(*[st.integers(0, 1)] * PLACES)


@st.composite
def corpora(draw: st.DrawFn, signature: bool = False) -> list[Document]:
    """Some components; a URL or a text lies in one of them only, for that is what makes a component."""
    documents = []
    for component in range(draw(st.integers(0, 3))):
        texts: dict[int, tuple[frozenset[int], int]] = {}
        for _ in range(draw(st.integers(1, 9))):
            url, text = draw(st.none() | st.integers(0, 3)), draw(st.none() | st.integers(0, 4))
            drawn = draw(SIGNATURES) or () if signature else draw(SHINGLES)
            placed = frozenset((k + 1) << 32 | v for k, v in enumerate(drawn)) if signature else frozenset(drawn)
            content = placed, draw(st.sampled_from(SKETCHES))
            if text is not None:
                content = texts.setdefault(text, content)
            url, text = (None if number is None else 10 * component + number for number in (url, text))
            documents.append(Document(component, url, text, *content, draw(st.booleans()), draw(st.booleans())))
    return documents


LIMITS = st.builds(
    Limits,
    threshold=st.sampled_from([0.001, 0.25, 0.5, 0.6, 0.7, 0.75, 1.0]),
    signature=st.just(False),
    least_cells=st.sampled_from([0, 1, 24, 32]),
    most_estimates=st.sampled_from([1, 2, 3, 1000]),
    most_comparisons=st.sampled_from([1, 2, 1000]),
)


def numbers(values: Sequence[int | None]) -> module.I64:
    return np.array([NONE if value is None else value for value in values], np.int64)


def members(documents: Sequence[Document]) -> Members:
    """The arrays of the kernel; sets lie in them once for each document, in another order than the documents."""
    sizes = np.array([len(d.shingles) for d in documents], np.int64)
    backwards = [value for d in reversed(documents) for value in sorted(d.shingles)]
    return Members(
        component=numbers([d.component for d in documents]),
        url=numbers([d.url for d in documents]),
        text=numbers([d.text for d in documents]),
        signed=sizes > 0,
        sketches=np.array([d.sketch for d in documents], np.uint64).reshape(-1, 1),
        shingles=np.array(backwards, np.uint64),
        start=sizes.sum() - np.cumsum(sizes),
        size=sizes,
    )


def walk(documents: Sequence[Document], limits: Limits, **more: Any) -> Found:
    judged, offers = (np.array([getattr(d, name) for d in documents], bool) for name in ("judged", "offers"))
    return choose_survivors(members(documents), limits, judged, offers, **more)


def verdicts(found: Found) -> list[Verdict]:
    return [
        Verdict(
            None if same_url == NONE else same_url,
            None if exact == NONE else exact,
            None if near == NONE else near,
            None if near == NONE else Fraction(share).limit_denominator(1000),
            bounded,
        )
        for same_url, exact, near, share, bounded in zip(*(column.tolist() for column in found), strict=True)
    ]


@settings(deadline=None, max_examples=200)
@given(corpora(), LIMITS)
def test_walk_agrees_with_the_slow_one(documents: list[Document], limits: Limits) -> None:
    """Witnesses of all kinds, similarities and bounds, for every mixture of documents, flags and limits."""
    assert verdicts(walk(documents, limits)) == slow_walk(documents, limits)


@settings(deadline=None, max_examples=60)
@given(corpora(signature=True), LIMITS.map(lambda limits: limits._replace(signature=True)))
def test_walk_over_signatures_agrees_with_the_slow_one(documents: list[Document], limits: Limits) -> None:
    """Similarity is the share of equal values then."""
    assert verdicts(walk(documents, limits)) == slow_walk(documents, limits)


@settings(deadline=None, max_examples=100)
@given(corpora(), LIMITS)
def test_every_witness_survives_and_is_related(documents: list[Document], limits: Limits) -> None:
    """The promise: it is kept, offers itself, stands before, and is what the column says; near is a true Jaccard."""
    found = verdicts(walk(documents, limits))
    for row, (mine, verdict) in enumerate(zip(documents, found, strict=True)):
        for kind in ("same_url", "exact", "near"):
            witness = getattr(verdict, kind)
            if witness is None:
                continue
            theirs = documents[witness]
            assert mine.judged
            assert theirs.offers
            assert witness < row
            assert theirs.component == mine.component
            assert found[witness].same_url is found[witness].exact is found[witness].near is None
            if kind == "near":
                assert similarity(mine.shingles, theirs.shingles) == verdict.similarity
                assert verdict.similarity >= Fraction(str(limits.threshold))
            else:
                name = {"same_url": "url", "exact": "text"}[kind]
                assert getattr(mine, name) == getattr(theirs, name) is not None


@settings(deadline=None, max_examples=40)
@given(corpora(), st.integers(1, 4))
def test_slices_of_the_walk_change_nothing(documents: list[Document], size: int) -> None:
    """A walk that rests after every few documents, in the middle of components too, ends the same."""
    rests: list[int] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "SLICE", size)
        sliced = walk(documents, FREE, rest=lambda: rests.append(1))
    assert verdicts(sliced) == verdicts(walk(documents, FREE))
    assert len(rests) == -(-len(documents) // size)


@settings(deadline=None, max_examples=120)
@given(corpora(), LIMITS, st.booleans(), st.data())
def test_sources_agree_with_the_slow_ones(
    documents: list[Document], limits: Limits, by_url: bool, data: st.DataObject
) -> None:
    """By text, then by similarity, then by URL, each the first of its component; no other document is asked."""
    flags = data.draw(st.lists(st.sampled_from("sa-"), min_size=len(documents), max_size=len(documents)))
    source, asked = (np.array([flag == name for flag in flags], bool) for name in "sa")
    rows, shares = find_sources(members(documents), limits, source, asked, by_url)
    for row in range(len(documents)):
        expected = slow_source(row, documents, source.tolist(), limits, by_url) if asked[row] else (None, None)
        assert (None if rows[row] == NONE else rows[row]) == expected[0]
        if expected[0] is not None:
            shown = None if np.isnan(shares[row]) else Fraction(shares[row]).limit_denominator(100)
            assert shown == expected[1]


def pair(shared: int, one: int, other: int) -> list[Document]:
    """Two documents, of `one` and `other` shingles, that share some."""
    last = one + other - shared
    return [
        Document(shingles=frozenset(range(1, one + 1))),
        Document(shingles=frozenset(range(one - shared + 1, last + 1))),
    ]


@settings(deadline=None, max_examples=500)
@given(st.integers(1, 400), st.integers(1, 400), st.integers(0, 400), st.integers(1, 1000))
@example(7, 10, 7, 700)
@example(17, 17, 14, 700)
@example(100, 57, 57, 570)
@example(55, 100, 55, 550)
@example(1, 1, 1, 1000)
@example(400, 1, 1, 3)
def test_threshold_is_reached_exactly_where_fractions_reach_it(one: int, other: int, shared: int, mille: int) -> None:
    """7 of 10 reach 0.7; floating point neither excludes nor lets in any pair."""
    shared = min(shared, one, other)
    (_, found) = verdicts(walk(pair(shared, one, other), FREE._replace(threshold=mille / 1000)))
    jaccard = Fraction(shared, one + other - shared)
    assert (found.near == 0) == (jaccard >= Fraction(mille, 1000))


@settings(deadline=None)
@given(st.integers(1, 1000), st.integers(0, 1000), st.integers(1, 1000))
@example(100, 57, 570)
@example(100, 55, 550)
@example(125, 0, 1)
def test_estimate_reaches_the_threshold_exactly_where_fractions_do(places: int, equal: int, mille: int) -> None:
    """0.57 times 100 is 56.999… in floating point; 57 equal values of 100 are meant."""
    equal = min(equal, places)
    sets = [frozenset((k + 1) << 32 | (k >= equal) * which for k in range(places)) for which in (0, 1)]
    limits = FREE._replace(threshold=mille / 1000, signature=True)
    (_, found) = verdicts(walk([Document(shingles=one) for one in sets], limits))
    assert (found.near == 0) == (Fraction(equal, places) >= Fraction(mille, 1000))


def test_document_joins_the_first_survivor_and_not_the_most_similar() -> None:
    """Order decides, so that the witness does not depend on what comes after it."""
    base = set(range(1, 21))
    rows = [base - {20} | {30}, base - {1, 2} | {31, 32}, base]
    assert [v.near for v in verdicts(walk([Document(shingles=frozenset(r)) for r in rows], FREE))] == [None, 0, 0]
    strict = FREE._replace(threshold=0.8)
    assert [v.near for v in verdicts(walk([Document(shingles=frozenset(r)) for r in rows], strict))] == [None, None, 0]


def test_chain_is_broken_where_no_survivor_is_similar() -> None:
    """2 is like 1, and 3 like 2 alone: 3 stays, for 2 is no witness."""
    rows = [frozenset(range(start, start + 10)) for start in (1, 4, 7)]
    found = verdicts(walk([Document(shingles=row) for row in rows], FREE))
    assert [(v.near, v.similarity) for v in found] == [(None, None), (0, Fraction(7, 13)), (None, None)]


def unlike(count: int) -> list[Document]:
    """Documents of one component with no shingle in common, and sketches that differ in one more cell each."""
    return [Document(shingles=frozenset({row + 1}), sketch=(1 << 2 * (row % 32)) - 1) for row in range(count)]


@pytest.mark.parametrize(("most_estimates", "near", "bounded"), [(3, None, True), (4, 3, False), (9, 3, False)])
def test_bound_on_estimates_takes_the_first_survivors(most_estimates: int, near: int | None, bounded: bool) -> None:
    """The twin is the fourth survivor: it is met only if four are looked at."""
    documents = [*unlike(4), unlike(4)[3]]
    found = verdicts(walk(documents, FREE._replace(most_estimates=most_estimates)))
    assert (found[4].near, found[4].bounded) == (near, bounded)


@pytest.mark.parametrize(("sketch", "near", "bounded"), [((1 << 6) - 1, 3, False), (0, None, True)])
def test_bound_on_comparisons_takes_the_best_estimates(sketch: int, near: int | None, bounded: bool) -> None:
    """Of four candidates two are compared: the twin only if its estimate is one of the two best."""
    documents = [*unlike(4), dataclasses.replace(unlike(4)[3], sketch=sketch)]
    found = verdicts(walk(documents, FREE._replace(most_comparisons=2)))
    assert (found[4].near, found[4].bounded) == (near, bounded)


def test_giant_component_is_searched_to_its_end() -> None:
    """5,000 survivors, more than are estimated at a time, and a twin of every hundredth of them."""
    documents = unlike(5000)
    twins = list(range(0, 5000, 100))
    found = walk([*documents, *(documents[row] for row in twins)], FREE._replace(least_cells=32, most_estimates=10_000))
    assert found.near.tolist() == [NONE] * 5000 + twins
    assert not found.bounded.any()


def test_equal_texts_are_compared_once() -> None:
    """What the first of them met, the others meet, though its sketch says that no other is worth a comparison."""
    twin = Document(text=1, shingles=frozenset({1, 2}))
    rows = [Document(text=0, shingles=frozenset({1, 2, 3})), twin, dataclasses.replace(twin, sketch=(1 << 64) - 1)]
    found = verdicts(walk(rows, FREE._replace(least_cells=32)))
    assert [v.near for v in found] == [None, 0, 0]


def test_text_without_shingles_is_matched_by_url_and_text_only() -> None:
    """Two documents without words share nothing."""
    found = verdicts(walk([Document(text=1), Document(text=2), Document(text=1, url=5), Document(url=5)], FREE))
    assert [(v.same_url, v.exact, v.near) for v in found] == [(None,) * 3, (None,) * 3, (None, 0, None), (None,) * 3]


def test_groups_number_digests_and_leave_absent_ones_out() -> None:
    """Both words of a digest count; an absent one has no number whatever its words say."""
    words = np.array([[1, 2], [1, 3], [1, 2], [1, 2]], np.uint64)
    numbers = groups(words, np.array([True, True, True, False]))
    assert (numbers[0] == numbers[2], numbers[0] != numbers[1], numbers[3]) == (True, True, NONE)


def test_walk_over_nothing_finds_nothing() -> None:
    """No rows, no witnesses, no sources."""
    none = np.zeros(0, bool)
    assert [len(column) for column in walk([], FREE)] == [0] * 5
    assert [len(column) for column in find_sources(members([]), FREE, none, none, True)] == [0, 0]


def test_example_in_the_docstring_holds() -> None:
    """What the documentation shows is what happens."""
    assert doctest.testmod(module) == (0, 1)
