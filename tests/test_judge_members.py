"""Judging members: a witness that survives for every duplicate, the same whatever the order of arrival."""

import tempfile
from dataclasses import replace
from fractions import Fraction
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.members import (
    BLOCKED,
    KINDS,
    PARTS,
    RULES,
    STORED,
    Member,
    judged,
    loader,
    marks_of,
    sets_of,
    slow_judge,
    table_of,
)
from tests.slow_walk import similarity
from transforms.decide import judge_members as module
from transforms.decide import shingle_files
from transforms.decide.all_parts import OWN
from transforms.decide.duplicate_rules import DuplicateRules
from transforms.decide.judge_members import VERDICTS, judge_members, verdicts
from transforms.decide.shingle_files import load_sets, write_sets
from transforms.takedowns.match_selectors import NONE

SKETCHES = st.sampled_from([0, 0x5555, (1 << 64) - 1])
BASE = frozenset(range(1, 11))


@st.composite
def standings(draw: st.DrawFn, store: int) -> dict[str, Any]:
    """What weighing says of a document; what takedowns have stored has no URL, and its set may not be known."""
    if store == STORED:
        taken = {"takedown": draw(st.integers(0, 1)), "known": draw(st.booleans())}
        return {"excluded": True, "url": None, "priority": 0, **taken}
    standing = {name: draw(st.booleans()) for name in ("excluded", "tainting", "entitled")}
    takedown = draw(st.sampled_from([NONE, NONE, NONE, 0, 1]))
    return {**standing, "takedown": takedown, "excluded": standing["excluded"] or takedown != NONE}


@st.composite
def corpora(draw: st.DrawFn) -> list[Member]:
    """A few components of documents of this crawl and of earlier stores; a URL or text is in one of them only."""
    members: list[Member] = []
    for component in range(draw(st.integers(1, 3))):
        texts: dict[int, tuple[frozenset[int], int]] = {}
        for _ in range(draw(st.integers(1, 7))):
            url, text = draw(st.none() | st.integers(0, 2)), draw(st.none() | st.integers(0, 3))
            content = draw(st.frozensets(st.integers(1, 6), max_size=5)), draw(SKETCHES)
            if text is not None:
                content = texts.setdefault(text, content)
            url, text = (None if number is None else 10 * component + number for number in (url, text))
            length, priority = draw(st.integers(1, 3)), draw(st.integers(-1, 1))
            store = draw(st.sampled_from([OWN, OWN, OWN, 0, 1, STORED]))
            member = Member(1 + len(members), component, url, text, length, *content, priority, store=store)
            members.append(replace(member, **draw(standings(store))))
    return members


ALL_RULES = st.builds(
    replace,
    st.just(RULES),
    url=st.booleans(),
    exact=st.booleans(),
    taint=st.sampled_from(["drop", "flag", "ignore"]),
    threshold=st.sampled_from([0.001, 0.5, 0.6, 1.0]),
    bands=st.sampled_from([0, 1, 1]),
    most_estimates=st.sampled_from([1, 3, 1000]),
    most_comparisons=st.sampled_from([1, 1000]),
    duplicates=st.sampled_from(["drop", "drop_all", "flag"]),
    overlap=st.sampled_from(["old_stays", "new_replaces", "report"]),
    within=st.booleans(),
    takedowns=st.sampled_from([(0.5, 0.5), (1.0, 0.3), (0.001, 0.6)]),
)


@settings(deadline=None, max_examples=250)
@given(corpora(), ALL_RULES)
def test_verdicts_agree_with_the_slow_judge(members: list[Member], rules: DuplicateRules) -> None:
    """Every column of every member, under every combination of policies."""
    assert judged(members, rules) == slow_judge(members, rules)


@settings(deadline=None, max_examples=60)
@given(corpora().flatmap(lambda rows: st.tuples(st.just(rows), st.permutations(rows))), ALL_RULES)
def test_verdicts_do_not_depend_on_the_order_of_arrival(
    both: tuple[list[Member], list[Member]], rules: DuplicateRules
) -> None:
    """The very same verdicts, in the same order too."""
    members, shuffled = both
    assert list(judged(shuffled, rules).items()) == list(judged(members, rules).items())


@settings(deadline=None, max_examples=100)
@given(corpora(), ALL_RULES)
def test_every_witness_stays_and_reaches_the_threshold(members: list[Member], rules: DuplicateRules) -> None:
    """The promise, for what is dropped of this crawl and for what it replaces of earlier ones."""
    rules = replace(rules, duplicates="drop")
    by_id = {member.doc_id: member for member in members}
    found = judged(members, rules)
    for doc_id, row in found.items():
        mine = by_id[doc_id]
        for kind in (kind for kind in KINDS if kind in row):
            witness = by_id[row[kind]]
            said = found[witness.doc_id]
            assert not witness.excluded
            assert not set(KINDS) & said.keys()
            assert not (rules.taint == "drop" and "taint" in said and not witness.entitled)
            assert row[f"{kind}_store"] == witness.store
            assert mine.store == OWN or (rules.overlap == "new_replaces" and witness.store == OWN)
            assert witness.store == OWN or rules.overlap == "old_stays"
            assert rules.within or mine.store != witness.store
        if "near" in row:
            share = similarity(mine.shingles, by_id[row["near"]].shingles)
            assert float(share) == row["near_similarity"]
            assert share >= Fraction(str(rules.threshold))
        if "taint" in row:
            assert by_id[row["taint"]].tainting


@settings(deadline=None, max_examples=40)
@given(
    corpora(), ALL_RULES.filter(lambda rules: rules.permutations > 0), st.sampled_from([8, 64, 1 << 20]), st.booleans()
)
def test_verdicts_do_not_depend_on_how_sets_are_held(
    members: list[Member], rules: DuplicateRules, held: int, mapped: bool
) -> None:
    """Loaded in one batch or component by component, in memory or mapped from a temporary file."""
    expected = list(judged(members, rules).items())
    with tempfile.TemporaryDirectory() as directory, pytest.MonkeyPatch.context() as patch:
        for part, sets in sets_of(members).items():
            write_sets(directory, part, sets)
        patch.setattr(module, "HELD_BYTES", held)
        patch.setattr(shingle_files, "HELD_BYTES", 0 if mapped else 1 << 30)
        assert list(judged(members, rules, partial(load_sets, directory)).items()) == expected


@pytest.mark.parametrize(("held", "batches"), [(0, [2, 1, 3]), (8 * 10, [2, 1, 3]), (8 * 30, [3, 3]), (8 * 60, [6])])
def test_batches_are_runs_of_whole_components(held: int, batches: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """As many as can be held; one that is larger is a batch by itself."""
    monkeypatch.setattr(module, "HELD_BYTES", held)
    components = [0, 0, 1, 2, 2, 2]
    members = [Member(i + 1, component, shingles=BASE) for i, component in enumerate(components)]
    found = judge_members(table_of(members), PARTS, RULES, loader(sets_of(members)))
    assert [len(batch["id"]) for batch in found] == batches


def test_longest_document_of_equal_texts_is_the_witness() -> None:
    """The others name it, with the marks of all that they share with it."""
    members = [Member(1, text=7, url=3), Member(2, text=7, text_bytes=20, url=3), Member(3, text=7)]
    assert marks_of(members) == {1: {"same_url": 2, "exact": 2}, 2: {}, 3: {"exact": 2}}


def test_chain_is_broken_where_the_witness_is_not_similar_enough() -> None:
    """2 is like 1, and 3 is like 2 alone: 3 survives, for 2 is no witness."""
    members = [Member(1 + i, shingles=frozenset(range(a, a + 9)), text_bytes=9 - i) for i, a in enumerate((1, 4, 7))]
    assert marks_of(members) == {1: {}, 2: {"near": 1, "near_similarity": 0.5}, 3: {}}


def test_cluster_is_the_component_with_its_smallest_doc_id() -> None:
    """Not that of the survivor; survivors have it too. One without candidates is of none."""
    members = [Member(4, component=9, text_bytes=50), Member(2, component=9), Member(3, component=5)]
    found = judged(members)
    assert {n: (row.get("cluster_id"), row["cluster_size"]) for n, row in found.items()} == {
        4: (2, 2),
        2: (2, 2),
        3: (None, 1),
    }


def test_document_that_met_a_bound_says_so() -> None:
    """Two survivors, one estimate: the twin of the second is not found."""
    members = [Member(1, shingles=BASE, text_bytes=9), Member(2, shingles=frozenset({99}), text_bytes=8)]
    twin = Member(3, shingles=frozenset({99}))
    assert marks_of([*members, replace(twin, text_bytes=7)], replace(RULES, most_estimates=1))[3] == {"bounded": True}


def test_bound_is_said_only_of_what_stays() -> None:
    """Not of a document that goes by its URL, nor of a blocked one, though not all texts were compared with theirs."""
    survivors = [Member(1, shingles=BASE, url=5, text_bytes=9), Member(2, shingles=frozenset({99}), text_bytes=8)]
    gone = [Member(3, shingles=frozenset({98}), url=5), Member(4, shingles=frozenset({97}), **BLOCKED)]
    found = marks_of(
        [*survivors, *(replace(member, text_bytes=7) for member in gone)], replace(RULES, most_estimates=1)
    )
    assert (found[3], found[4]) == ({"same_url": 1}, {})


@pytest.mark.parametrize(
    ("taint", "expected"),
    [
        ("flag", {1: {"taint": 2, "taint_similarity": 1.0}, 2: {"exact": 1}}),
        ("drop", {1: {"taint": 2, "taint_similarity": 1.0}, 2: {}}),
        ("ignore", {1: {}, 2: {"exact": 1}}),
    ],
)
def test_blocked_document_is_evidence_and_never_a_witness(taint: Any, expected: dict[int, Any]) -> None:
    """However long it is. Where taint drops, nothing of the text survives, so nothing is called a duplicate."""
    members = [Member(1, text=7), Member(2, text=7, text_bytes=99, **BLOCKED)]
    assert marks_of(members, replace(RULES, taint=taint)) == expected


@pytest.mark.parametrize("taint", ["drop", "flag"])
def test_document_with_a_basis_survives_beside_the_pirated_copy(taint: Any) -> None:
    """A licensed copy repeats the pirate's, and is the witness of the scraped one, which taint would drop."""
    members = [
        Member(1, text=7, text_bytes=99),
        Member(2, text=7, entitled=True, priority=5),
        Member(3, text=7, **BLOCKED),
    ]
    found = marks_of(members, replace(RULES, taint=taint))
    tainted = {"taint": 3, "taint_similarity": 1.0}
    assert found == {1: {"exact": 2, **tainted}, 2: tainted, 3: {"exact": 2}}


def test_excluded_document_that_does_not_taint_is_no_evidence() -> None:
    """What goes for want of a licence says nothing against a copy that has one."""
    members = [Member(1, text=7), Member(2, text=7, text_bytes=99, excluded=True)]
    assert marks_of(members, replace(RULES, taint="drop")) == {1: {}, 2: {"exact": 1}}


def test_source_of_higher_priority_survives_though_it_is_shorter() -> None:
    """Priority comes first in the survivor order of these tests."""
    members = [Member(1, text=7, text_bytes=99), Member(2, text=7, priority=1), Member(3, text=7, priority=-1)]
    assert marks_of(members) == {1: {"exact": 2}, 2: {}, 3: {"exact": 2}}


def test_near_taint_has_the_true_similarity() -> None:
    """Nine shingles of eleven are shared."""
    members = [Member(1, shingles=BASE), Member(2, shingles=BASE - {1} | {99}, **BLOCKED)]
    found = marks_of(members)
    assert found[1] == {"taint": 2, "taint_similarity": 9 / 11}
    assert found[2] == {"near": 1, "near_similarity": 9 / 11}


def test_policy_none_leaves_nothing_of_a_group() -> None:
    """The one that would have stayed names the first that joined it; a document without a duplicate stays."""
    near = BASE - {1} | {99}
    members = [Member(1, shingles=BASE, text_bytes=30), Member(2, shingles=near), Member(3, shingles=near), Member(4)]
    found = marks_of(members, replace(RULES, duplicates="drop_all"))
    assert found == {
        1: {"near": 2, "near_similarity": 9 / 11},
        2: {"near": 1, "near_similarity": 9 / 11},
        3: {"near": 1, "near_similarity": 9 / 11},
        4: {},
    }


OVERLAPS: list[tuple[str, bool, dict[int, Any]]] = [
    ("old_stays", True, {1: {"exact": 3, "exact_store": 0}, 2: {"exact": 3, "exact_store": 0}, 3: {}}),
    ("old_stays", False, {1: {"exact": 3, "exact_store": 0}, 2: {"exact": 3, "exact_store": 0}, 3: {}}),
    ("new_replaces", True, {1: {}, 2: {"exact": 1}, 3: {"exact": 1}}),
    ("new_replaces", False, {1: {}, 2: {}, 3: {"exact": 1}}),
    (
        "report",
        True,
        {
            1: {"overlap": 3, "overlap_store": 0, "overlap_similarity": 1.0},
            2: {"exact": 1, "overlap": 3, "overlap_store": 0, "overlap_similarity": 1.0},
            3: {},
        },
    ),
    (
        "report",
        False,
        {n: {"overlap": 3, "overlap_store": 0, "overlap_similarity": 1.0} for n in (1, 2)} | {3: {}},
    ),
]


@pytest.mark.parametrize(("overlap", "within", "expected"), OVERLAPS)
def test_document_of_an_earlier_store_is_treated_by_policy(
    overlap: Any, within: bool, expected: dict[int, Any]
) -> None:
    """Two documents of this crawl with a text that is in an earlier store, which is longer there and comes last."""
    members = [Member(1, text=7, text_bytes=12), Member(2, text=7), Member(3, text=7, text_bytes=99, store=0)]
    assert marks_of(members, replace(RULES, overlap=overlap, within=within)) == expected


def test_earlier_store_wins_however_short_its_document_is() -> None:
    """The old one stays: survivor order counts among documents of one time."""
    members = [Member(1, url=7, text_bytes=99), Member(2, url=7, text_bytes=1, store=1)]
    assert marks_of(members) == {1: {"same_url": 2, "same_url_store": 1}, 2: {}}


@pytest.mark.parametrize("overlap", ["old_stays", "new_replaces", "report"])
def test_blocked_document_of_an_earlier_store_is_no_witness(overlap: Any) -> None:
    """Today's list counts for yesterday's documents: they taint, and nothing is dropped or reported for them."""
    members = [Member(1, text=7), Member(2, text=7, store=0, **BLOCKED)]
    found = marks_of(members, replace(RULES, overlap=overlap))
    assert found[1] == {"taint": 2, "taint_store": 0, "taint_similarity": 1.0}
    assert found[2] == ({"exact": 1} if overlap == "new_replaces" else {})


def test_clusters_of_earlier_documents_alone_are_not_judged() -> None:
    """What they are to each other is no matter of this run."""
    members = [Member(1, text=7, store=0), Member(2, text=7, store=1), Member(3, component=1, text=17)]
    assert list(judged(members)) == [3]


def test_document_that_lies_in_two_stores_is_named_by_the_first() -> None:
    """The same record has the same `doc_id` in every build, whichever arrives first."""
    members = [Member(2, text=7, store=1), Member(2, text=7, store=0), Member(3, text=7)]
    for arrived in (members, members[::-1]):
        assert marks_of(arrived)[3] == {"exact": 2, "exact_store": 0}


def test_policy_none_replaces_nothing_by_what_it_drops() -> None:
    """The old one stays where the group of this crawl that repeats it goes, and goes where its twin stays."""
    rules = replace(RULES, duplicates="drop_all", overlap="new_replaces")
    group = [Member(1, text=7, text_bytes=30), Member(2, text=7), Member(3, text=7, store=0)]
    assert marks_of(group, rules) == {1: {"exact": 2}, 2: {"exact": 1}, 3: {}}
    assert marks_of(group[1:], rules) == {2: {}, 3: {"exact": 2}}


def test_overlap_by_url_has_no_similarity() -> None:
    """Their texts were not compared."""
    members = [Member(1, url=7, shingles=BASE), Member(2, url=7, shingles=frozenset({99}), store=0)]
    assert marks_of(members, replace(RULES, overlap="report"))[1] == {"overlap": 2, "overlap_store": 0}


def test_documents_of_earlier_stores_are_not_judged_among_themselves() -> None:
    """They are what they are; a document of this crawl names the first of them."""
    members = [Member(1, text=7, store=0), Member(2, text=7, store=1, text_bytes=50), Member(3, text=7)]
    assert marks_of(members) == {1: {}, 2: {}, 3: {"exact": 2, "exact_store": 1}}


OFF: list[tuple[dict[str, Any], set[str]]] = [
    ({"url": False}, {"exact"}),
    ({"exact": False}, {"same_url", "near", "near_similarity"}),
    ({"bands": 0}, {"same_url", "exact"}),
    ({"url": False, "exact": False}, {"near", "near_similarity"}),
    ({"url": False, "exact": False, "bands": 0}, set()),
]


@pytest.mark.parametrize(("off", "expected"), OFF)
def test_kind_that_is_off_leaves_no_mark(off: dict[str, Any], expected: set[str]) -> None:
    """The others are looked for all the same."""
    twins = [Member(n, url=1, text=1, shingles=BASE) for n in (1, 2)]
    assert set(marks_of(twins, replace(RULES, **off))[2]) == expected


def test_verdicts_have_their_schema_and_the_row_of_each_id() -> None:
    """The row is the lower half of the id, the part the upper."""
    members = [Member(5, text=1), Member(6, text=1)]
    (batch,) = judge_members(table_of(members), PARTS, RULES, loader(sets_of(members)))
    table = verdicts(batch)
    table.validate(full=True)
    assert table.schema == VERDICTS
    assert (table["row"].to_pylist(), batch["part"].tolist()) == ([5, 6], [1, 0])


def test_no_members_are_no_batches() -> None:
    """An empty table is judged without a word."""
    assert list(judge_members(table_of([]), PARTS, RULES, loader({}))) == []
