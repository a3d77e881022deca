"""Verifying decisions: that they follow from their marks, and marks have their evidence, against a slow twin."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lineage.verification.check_decisions import check_decisions
from lineage.verification.files import Files
from schemas.columns import LEDGER
from tests.explained import ledger_row, manifest, mark
from tests.verified import TAKEDOWN
from transforms.decide.marks import flat_marks

Row = dict[str, Any]


def decided(rows: Sequence[Row], **said: Any) -> list[tuple[int, str]]:
    """Row and fault of what is wrong with the decisions of ledger rows."""
    table = pa.Table.from_pylist(list(rows), schema=LEDGER.schema()).combine_chunks()
    (batch,) = table.to_batches() or [pa.RecordBatch.from_pylist([], schema=table.schema)]
    files = Files("dataset", {**manifest(**said), "counts": {}}, frozenset())
    found = check_decisions(batch, flat_marks(batch), files)
    return sorted(
        (int(row), str(fault)) for one in found for row, fault in zip(one.rows, one.faults.to_pylist(), strict=True)
    )


def slow_decision(row: Row) -> tuple[str, str | None]:
    """What the marks of a row make of it, read one after the other."""
    for action, decision in (("drop", "drop"), ("quarantine", "quarantine")):
        for one in row["marks"]:
            if one["action"] == action:
                return decision, one["rule"]
    return "keep", None


PLAIN_RULES = ("empty_text", "noai", "isbn", "unlicensed", "comparison_bound")
MARKS = st.builds(mark, st.sampled_from(PLAIN_RULES), st.sampled_from(["drop", "quarantine", "flag"]))
DECIDED = st.builds(
    lambda marks, decision, reason: ledger_row(*marks, decision=decision, reason=reason),
    st.lists(MARKS, max_size=3),
    st.sampled_from(["keep", "quarantine", "drop"]),
    st.sampled_from([None, *PLAIN_RULES]),
)


@given(st.lists(DECIDED, max_size=6))
@settings(max_examples=60, deadline=None)
def test_decision_and_reason_are_right_if_reading_the_marks_gives_them(rows: list[Row]) -> None:
    """The first mark that drops decides, else the first that quarantines; every row that is otherwise is named."""
    expected = []
    for number, row in enumerate(rows):
        for name, follows in zip(("decision", "reason"), slow_decision(row), strict=True):
            if row[name] != follows:
                said, given_ = (value or "null" for value in (row[name], follows))
                expected.append((number, f"`{name}` is `{said}`, its marks give `{given_}`"))
    assert decided(rows) == sorted(expected)


NEAR: Row = {"evidence": "b" * 32, "value": 0.8, "limit": 0.7, "method": "jaccard"}
DUPLICATE: Row = {"decision": "drop", "duplicate_of": "b" * 32}


@pytest.mark.parametrize(
    ("one", "fault"),
    [
        (mark("near_duplicate", **{**NEAR, "value": 0.6}), "has the value 0.6, below its limit of 0.7"),
        (mark("near_duplicate", **{**NEAR, "limit": 0.5}), "has the limit 0.5, the manifest says 0.7"),
        (mark("near_duplicate", **{**NEAR, "method": None}), "lacks `method`"),
        (mark("near_duplicate", **{**NEAR, "method": "guess"}), "has the unknown method `guess`"),
        (mark("exact_duplicate", evidence="b" * 32, value=0.9), "has the value 0.9, and equal texts have 1"),
        (mark("exact_duplicate", value=1.0), "lacks `evidence`"),
        (mark("same_url"), "lacks `evidence`"),
        (mark("blocklist", list="l", list_sha256="f"), "lacks `matched`"),
        (mark("taint", "flag", **{**NEAR, "value": 0.2}), "has the value 0.2, below its limit of 0.7"),
        (mark("overlap", "flag", evidence="b" * 32), "lacks `evidence_build`"),
        (
            mark("overlap", "flag", evidence="b" * 32, evidence_build="other"),
            "names the build `other`, which is none of `duplicates.against`",
        ),
        (mark("whim"), "has the unknown rule `whim`"),
        (mark("isbn", "burn"), "has the unknown action `burn`"),
    ],
)
def test_mark_without_its_evidence_is_a_fault(one: Row, fault: str) -> None:
    """Whoever is dropped can see why."""
    assert (0, f"its mark `{one['rule']}` {fault}") in decided([ledger_row(one)])


WITNESSED = [
    ledger_row(
        mark("same_url", evidence="b" * 32), **DUPLICATE, reason="same_url", duplicate_kind="url", cluster_size=1
    ),
    ledger_row(
        mark("near_duplicate", **NEAR), **DUPLICATE, reason="near_duplicate", duplicate_kind="near", similarity=0.8
    ),
    ledger_row(
        mark("exact_duplicate", evidence="b" * 32, value=1.0, evidence_build="old"),
        **DUPLICATE,
        reason="exact_duplicate",
        duplicate_kind="exact",
        duplicate_build="old",
        similarity=1.0,
    ),
]


def test_witness_of_a_row_is_that_of_its_first_mark_that_names_one() -> None:
    """Which document, in which build, of which kind, how similar."""
    assert decided(WITNESSED, against=["old"]) == []
    for number, row in enumerate(WITNESSED):
        other = {"duplicate_of": "c" * 32, "duplicate_build": "older", "duplicate_kind": "whim", "similarity": 0.75}
        for name, value in other.items():
            found = decided([{**row, name: value}], against=["old"])
            expected = "null" if row[name] is None else row[name]
            # Arrow writes 1.0 as 1.
            assert found == [(0, f"`{name}` is `{value}`, its marks give `{expected}`".replace("`1.0`", "`1`"))], number


def test_columns_that_the_manifest_decides_are_compared_with_it() -> None:
    """The build, the survivor policy, the takedowns, and clusters of one."""
    taken = mark("takedown", list=TAKEDOWN["id"], list_sha256=TAKEDOWN["sha256"], category="urls")
    out = {"decision": "drop", "reason": "takedown"}
    right = ledger_row(taken, **out, takedown_id=TAKEDOWN["id"])
    assert decided([right], takedowns=[TAKEDOWN]) == []
    policy = manifest()["duplicates"]["survivor_policy"]
    for row, fault in (
        (ledger_row(build_id="f" * 16), "`build_id` is `ffffffffffffffff`, the manifest says `0123456789abcdef`"),
        (ledger_row(survivor_policy="none"), f"`survivor_policy` is `none`, the manifest says `{policy}`"),
        (ledger_row(cluster_size=2), "`cluster_size` is 2, `cluster_id` is null"),
        (ledger_row(cluster_id="a" * 32), f"`cluster_size` is 1, `cluster_id` is {'a' * 32}"),
        (
            ledger_row(cluster_id="b" * 32, cluster_size=2),
            f"`cluster_id` {'b' * 32} is not the smallest `doc_id` of its cluster",
        ),
        (ledger_row(taken, **out), f"`takedown_id` is `null`, its marks give `{TAKEDOWN['id']}`"),
    ):
        assert decided([row], takedowns=[TAKEDOWN]) == [(0, fault)]
    unknown = f"`takedown_id` is `{TAKEDOWN['id']}`, which is none of `takedowns` in the manifest"
    assert decided([right]) == [(0, unknown)]
