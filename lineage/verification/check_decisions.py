"""Check decisions: each one follows from the marks of its row, and each mark has the evidence that it needs."""

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lineage.verification.files import Files
from lineage.verification.findings import Flags, RowFaults, differ, faults_where, flags
from schemas import reasons
from transforms.decide.marks import settle_marks, takedown_ids

_ACTIONS: Final = (reasons.MARK_DROP, reasons.MARK_QUARANTINE, reasons.MARK_FLAG)
_METHODS: Final = (reasons.JACCARD, reasons.SIGNATURE)
_NEEDED: Final = {
    reasons.TAKEDOWN: ("list", "list_sha256", "category"),
    reasons.BLOCKLIST: ("list", "list_sha256", "matched"),
    reasons.PIRATED_MARKER: ("list", "list_sha256", "matched"),
    reasons.PUBLISHER_ISBN: ("list", "list_sha256", "matched"),
    reasons.SAME_URL: ("evidence",),
    reasons.EXACT_DUPLICATE: ("evidence", "value"),
    reasons.NEAR_DUPLICATE: ("evidence", "value", "limit", "method"),
    reasons.TAINT: ("evidence", "value", "limit", "method"),
    reasons.OVERLAP: ("evidence", "evidence_build"),
}
"""Fields that a mark must have, by its rule."""
_REPEATS: Final = {
    reasons.SAME_URL: reasons.URL,
    reasons.EXACT_DUPLICATE: reasons.EXACT,
    reasons.NEAR_DUPLICATE: reasons.NEAR,
}
"""Kinds of duplicates by the rule that marks them, in the order in which `duplicate_of` is taken."""
_WITNESSED: Final = (*_REPEATS, reasons.TAINT, reasons.OVERLAP)


def check_decisions(ledger: pa.RecordBatch, marks: pa.Table, files: Files) -> Iterator[RowFaults]:
    """What is wrong with the decisions of some ledger rows; `marks` are theirs, flattened."""
    decision, reason = settle_marks(marks, len(ledger))
    for name, follows in (("decision", decision), ("reason", reason)):
        yield _unlike(ledger[name], follows, f"`{name}`", "its marks give")
    for name, said in (
        ("build_id", files.manifest["build_id"]),
        ("survivor_policy", files.manifest["duplicates"]["survivor_policy"]),
    ):
        yield _unlike(ledger[name], pa.repeat(said, len(ledger)), f"`{name}`", "the manifest says")
    yield from _check_marks({name: marks[name].combine_chunks() for name in marks.column_names}, files)
    yield from _check_duplicates(ledger, marks)
    yield from _check_clusters(ledger)
    yield from _check_takedowns(ledger, marks, files)


def _unlike(found: pa.Array, expected: pa.Array, what: str, who: str) -> RowFaults:
    return faults_where(differ(found, expected), f"{what} is `", found, f"`, {who} `", expected, "`")


def _check_marks(marks: Mapping[str, pa.Array], files: Files) -> Iterator[RowFaults]:
    rule, rows = marks["rule"], marks["row"].to_numpy()

    def wrong(where: Flags, *pieces: str | pa.Array) -> RowFaults:
        return faults_where(where, "its mark `", rule, "` ", *pieces, rows=rows)

    for name, known in (("rule", tuple(reasons.RULES)), ("action", _ACTIONS), ("method", (*_METHODS, None))):
        strange = ~flags(pc.is_in(marks[name], pa.array(known, pa.string())))
        yield wrong(strange, f"has the unknown {name} `", marks[name], "`")
    for needing, names in _NEEDED.items():
        for name in names:
            yield wrong(flags(pc.equal(rule, needing)) & flags(marks[name].is_null()), f"lacks `{name}`")
    below = flags(pc.less(marks["value"], marks["limit"]))
    yield wrong(below, "has the value ", marks["value"], ", below its limit of ", marks["limit"])
    apart = flags(pc.equal(rule, reasons.EXACT_DUPLICATE)) & flags(pc.not_equal(marks["value"], 1.0))
    yield wrong(apart, "has the value ", marks["value"], ", and equal texts have 1")
    if (threshold := files.manifest["duplicates"]["threshold"]) is not None:
        other = flags(pc.equal(rule, reasons.NEAR_DUPLICATE)) & flags(pc.not_equal(marks["limit"], threshold))
        yield wrong(other, "has the limit ", marks["limit"], f", the manifest says {threshold}")
    build = marks["evidence_build"]
    strange = flags(build.is_valid()) & ~flags(pc.is_in(build, pa.array(files.stores, pa.string())))
    strange &= flags(pc.is_in(rule, pa.array(_WITNESSED)))
    yield wrong(strange, "names the build `", build, "`, which is none of `duplicates.against`")


def _check_duplicates(ledger: pa.RecordBatch, marks: pa.Table) -> Iterator[RowFaults]:
    """What the row says of its witness is what the first of its marks that names one says."""
    firsts = [_first(marks, rule, len(ledger)) for rule in _REPEATS]
    none = pa.scalar(None, pa.string())
    kinds = [pc.if_else(first.is_valid(), kind, none) for first, kind in zip(firsts, _REPEATS.values(), strict=True)]
    first = pc.coalesce(*firsts)
    expected = {"duplicate_kind": pc.coalesce(*kinds)}
    for name, source in (("duplicate_of", "evidence"), ("duplicate_build", "evidence_build"), ("similarity", "value")):
        expected[name] = marks[source].combine_chunks().take(first)
    for name, values in expected.items():
        yield _unlike(ledger[name], values, f"`{name}`", "its marks give")


def _first(marks: pa.Table, rule: str, rows: int) -> pa.Array:
    """The place of the first mark by a rule of each row, null for a row that has none."""
    at = np.flatnonzero(flags(pc.equal(marks["rule"], rule).combine_chunks()))
    row, where = np.unique(marks["row"].to_numpy()[at], return_index=True)
    first = np.full(rows, -1, np.int64)
    first[row] = at[where]
    return pa.array(first, mask=first < 0)


def _check_clusters(ledger: pa.RecordBatch) -> Iterator[RowFaults]:
    size, alone = ledger["cluster_size"], ledger["cluster_id"].is_null()
    wrong = flags(pc.xor(alone, pc.equal(size, 1)))
    yield faults_where(wrong, "`cluster_size` is ", size, ", `cluster_id` is ", ledger["cluster_id"])
    before = flags(pc.greater(ledger["cluster_id"], ledger["doc_id"]))
    yield faults_where(before, "`cluster_id` ", ledger["cluster_id"], " is not the smallest `doc_id` of its cluster")


def _check_takedowns(ledger: pa.RecordBatch, marks: pa.Table, files: Files) -> Iterator[RowFaults]:
    taken = ledger["takedown_id"]
    yield _unlike(taken, takedown_ids(marks, len(ledger)), "`takedown_id`", "its marks give")
    unknown = flags(taken.is_valid()) & ~flags(pc.is_in(taken, pa.array(list(files.takedowns), pa.string())))
    yield faults_where(unknown, "`takedown_id` is `", taken, "`, which is none of `takedowns` in the manifest")
