"""Matching copies: what repeats something that was taken out goes, with evidence; the slow judge knows the rest."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from configs.takedown import Selectors
from schemas.columns import DIGEST
from tests.members import RULES, STORED, Member, judged, marks_of
from tests.tables import Row, digest_of, hex_of, verdicts
from transforms.decide.duplicate_rules import DuplicateRules
from transforms.kernels.sketches import least_cells
from transforms.takedowns.mark_copies import mark_copies
from transforms.takedowns.match_selectors import NONE, Asked

ASKED = replace(RULES, takedowns=(0.8, 0.6, None))
"""One takedown asks for copies from 0.8, one from 0.6, one for what it names alone."""
BASE = frozenset(range(1, 11))
TAKEN = Member(90, shingles=BASE, store=STORED, takedown=1, excluded=True)
CLOSE, CLOSER = BASE - {1, 2} | {99}, BASE - {1}
"""Similarities 8/11 and 9/10."""


def copied(similarity: float, taken: int = 90, takedown: int = 1, store: int = STORED) -> Row:
    return {"taken": taken, "taken_store": store, "taken_similarity": similarity, "takedown": takedown}


def test_copy_goes_and_its_twin_survives_in_its_place() -> None:
    """The longer is a copy, so that it is no witness; what is like it alone is no copy: there are no chains."""
    members = [TAKEN, Member(1, shingles=CLOSE, text_bytes=99), Member(2, shingles=CLOSE - {3} | {98})]
    found = marks_of(members, ASKED)
    assert found[1] == copied(8 / 11) | {"near": 2, "near_similarity": 8 / 10}
    assert found[2] == {}


def test_similarity_is_that_of_the_takedown() -> None:
    """The one asks for 0.8, which is not reached, the other for 0.6; above both, the stricter is named."""
    strict = replace(TAKEN, doc_id=91, takedown=0)
    members = [strict, TAKEN, Member(1, shingles=CLOSE), Member(2, shingles=CLOSER)]
    found = marks_of(members, replace(ASKED, threshold=1.0))
    assert (found[1], found[2]) == (copied(8 / 11), copied(9 / 10, 91, 0))


def test_document_that_is_named_alone_has_no_copies() -> None:
    """Weighing gives it no number, so it is merely excluded."""
    members = [Member(1, text=7, shingles=BASE, excluded=True), Member(2, text=7, shingles=BASE)]
    assert marks_of(members, ASKED) == {1: {"exact": 2}, 2: {}}


@pytest.mark.parametrize("off", [{"exact": False}, {"bands": 0}, {"url": False, "exact": False, "bands": 0}])
def test_equal_texts_are_copies_under_any_rules(off: dict[str, int]) -> None:
    """Whatever becomes of duplicates; texts too short for shingles too."""
    members = [Member(1, text=7, excluded=True, takedown=0), Member(2, text=7), Member(3, text=8)]
    found = marks_of(members, replace(ASKED, **off))
    assert (found[2], found[3]) == ({"taken": 1, "taken_similarity": 1.0, "takedown": 0}, {})


def test_text_of_a_request_is_told_from_a_document() -> None:
    """It lies under its own digest."""
    members = [replace(TAKEN, doc_id=7, text=7), Member(1, text=7), Member(2, text=8)]
    found = marks_of(members, ASKED)
    assert (found[1], found[2]) == (copied(1.0, 7) | {"taken_text": True}, {})


def test_what_is_known_by_its_sketch_alone_is_found_by_estimate() -> None:
    """Of 32 cells four differ: (28/32 - 1/4) / (3/4) is 5/6. What has no shingles is like nothing."""
    unknown = replace(TAKEN, known=False)
    members = [
        unknown,
        Member(1, shingles=frozenset({50}), sketch=0b01010101),
        Member(2, shingles=frozenset({51}), sketch=(1 << 64) - 1),
        Member(3, sketch=0),
    ]
    found = marks_of(members, ASKED)
    assert found[1] == copied(5 / 6) | {"estimated": True}
    assert (found[2], found[3]) == ({}, {})
    assert "taken" not in marks_of(members, replace(ASKED, takedowns=(0.8, 0.84, None)))[1]


def test_no_bound_of_comparisons_lets_a_copy_back_in() -> None:
    """Many others were taken before it, and the config allows one estimate and one comparison."""
    others = [replace(TAKEN, doc_id=10 + n, text_bytes=50 + n, shingles=frozenset({200 + n})) for n in range(40)]
    rules = replace(ASKED, most_estimates=1, most_comparisons=1)
    assert marks_of([*others, TAKEN, Member(1, shingles=CLOSER)], rules)[1] == copied(9 / 10)


def test_earlier_document_that_is_a_copy_is_no_witness() -> None:
    """It repeats what was taken out; the new document that repeats it, and not that, stays."""
    members = [TAKEN, Member(1, shingles=CLOSE, store=0), Member(2, shingles=CLOSE - {3} | {98})]
    assert marks_of(members, ASKED)[2] == {}
    assert "near" in marks_of(members[1:], ASKED)[2]


def test_what_takedowns_stored_is_in_no_cluster() -> None:
    """It ties no document to itself; two that it brings together are a cluster of their own."""
    found = judged(
        [TAKEN, Member(91, store=STORED, takedown=1, excluded=True, component=1), Member(99, component=1)], ASKED
    )
    assert (found[99].get("cluster_id"), found[99]["cluster_size"]) == (None, 1)
    found = judged([TAKEN, Member(95, shingles=BASE), Member(97, shingles=BASE)], ASKED)
    assert [(found[n]["cluster_id"], found[n]["cluster_size"]) for n in (95, 97)] == [(95, 2), (95, 2)]


def test_lower_similarity_ties_candidates_that_the_threshold_would_not() -> None:
    """Of all similarities the least says which estimates are hopeless."""
    assert replace(RULES, takedowns=(0.3, None)).least_to_tie == least_cells(0.3, RULES.permutations, 3)
    for takedowns in ((), (None,), (0.9,)):
        assert replace(RULES, takedowns=takedowns).least_to_tie == RULES.least_to_tie
    no_kind = DuplicateRules(url=False, exact=False, survivor=(), taint="flag")
    pairs = {takedowns: replace(no_kind, takedowns=takedowns).pairs_texts for takedowns in ((), (None,), (1.0,))}
    assert pairs == {(): False, (None,): False, (1.0,): True}


def test_marks_name_takedown_evidence_and_method() -> None:
    """Documents of this crawl, of an earlier store and of a certificate, and a text, which is no evidence."""
    selectors = Selectors(domains=("a.example",))
    digests = pa.array([digest_of(5)], DIGEST)
    asked = [
        Asked("a" * 16, "a" * 64, selectors, 0.8, digests, ("sha256:ab",)),
        Asked("b" * 16, "b" * 64, selectors, 0.6, digests, ("sha256:cd",)),
    ]
    near = {"taken_similarity": 0.9, "takedown": 0}
    said = verdicts(
        [
            {"row": 0, "taken": digest_of(9), "taken_store": -1, **near},
            {"row": 1},
            {"row": 2, "taken": digest_of(9), "taken_store": 0, **near, "takedown": 1},
            {"row": 3, "taken": digest_of(9), "taken_store": 1, **near, "estimated": True},
            {"row": 5, "taken": digest_of(5), "taken_store": 1, **near, "takedown": 1, "taken_text": True},
        ]
    )
    marks = mark_copies(said, asked, ["build"], False).table()
    names = ("row", "list", "matched", "limit", "method", "evidence", "evidence_build")
    assert [tuple(mark[name] for name in names) for mark in marks.to_pylist()] == [
        (0, "a" * 16, None, 0.8, "jaccard", hex_of(9), None),
        (2, "b" * 16, None, 0.6, "jaccard", hex_of(9), "build"),
        (3, "a" * 16, None, 0.8, "signature", hex_of(9), "takedown-" + "a" * 16),
        (5, "b" * 16, "sha256:cd", 0.6, "jaccard", None, None),
    ]
    assert {(m["rule"], m["action"], m["category"], m["value"]) for m in marks.to_pylist()} == {
        ("takedown", "drop", "near_duplicates", 0.9)
    }
    estimates = mark_copies(said, asked, ["build"], True).table()
    assert set(estimates["method"].to_pylist()) == {"signature"}
    assert len(mark_copies(verdicts([]), [], [], False).table()) == 0
    assert np.all(mark_copies(said, asked, ["build"], False).rows != NONE)
