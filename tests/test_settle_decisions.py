"""Settling: all marks of a row, one decision, one reason, one witness, and counts that add up."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.columns import BASIS, LEDGER
from schemas.structs import MARK
from tests.tables import NO_RIGHTS, Row, digest_of, hex_of, measured, verdicts
from transforms.decide.duplicate_rules import DuplicateRules
from transforms.decide.marks import Marks, flatten
from transforms.decide.settle_decisions import NARROW, Settings, all_marks, count_decisions, settle

RULES = DuplicateRules(
    url=True, exact=True, survivor=("source_priority", "longest"), taint="flag", threshold=0.7, bands=25, rows=5
)
DROPPING = replace(RULES, taint="drop")
BUILD = "0123456789abcdef"
STORES = ("fedcba9876543210", "measured-0011223344556677")


def weighed(bases: list[Any], references: list[str | None] | None = None) -> pa.Table:
    columns = {"rights_basis": bases, "rights_reference": references or [None] * len(bases)}
    return pa.table(columns, schema=pa.schema([column.field() for column in BASIS]))


def fired(rule: str, action: str, *rows: int, **fields: Any) -> Marks:
    """Marks that weighing the sources gave."""
    return Marks(rule, action, np.array(rows, np.int64), fields)


def settled(
    rows: list[Row],
    said: list[Row],
    rules: DuplicateRules = RULES,
    sources: Sequence[Marks] = (),
    bases: list[Any] | None = None,
) -> tuple[list[Row], dict[str, Any]]:
    """Ledger rows and counts of a part."""
    table, found, given = measured(rows).select(NARROW), verdicts(said), Settings(rules, STORES, BUILD)
    standing = weighed(bases or ["crawl"] * len(rows))
    marks = all_marks(table, standing, flatten(sources), found, given)
    ledger = settle(table, standing, marks, found, given)
    assert ledger.schema == LEDGER.schema()
    ledger.validate(full=True)
    return ledger.to_pylist(), count_decisions(ledger, marks)


def mark(rule: str, action: str, **fields: Any) -> Row:
    return {field.name: None for field in MARK} | {"rule": rule, "action": action} | fields


def pick(row: Row, *names: str) -> tuple[Any, ...]:
    return tuple(row[name] for name in names)


def test_row_without_a_mark_is_kept_with_all_its_lineage() -> None:
    """Every column of the ledger, exactly; a row that no verdict speaks of is a cluster of its own."""
    row = {"url": "http://a.example/", "url_host_name": "a.example", "record_id": "r", "warc_record_offset": 7}
    (found,), _ = settled([row], [])
    assert found == dict.fromkeys(LEDGER.schema().names) | row | {
        "doc_id": hex_of(0),
        "source_file": "crawl.jsonl",
        "source_position": 0,
        "text_bytes": 6,
        "text_digest": hex_of(0),
        "decision": "keep",
        "marks": [],
        "cluster_size": 1,
        "survivor_policy": "source_priority, longest",
        "rights_basis": "crawl",
        "build_id": BUILD,
        **NO_RIGHTS,
    }


def test_empty_text_is_dropped() -> None:
    """A text without a digest is empty after normalisation."""
    (found,), _ = settled([{"text_digest": None}], [])
    assert pick(found, "decision", "reason", "text_digest") == ("drop", "empty_text", None)
    assert found["marks"] == [mark("empty_text", "drop")]


def test_marks_of_the_sources_come_between_empty_text_and_duplicates() -> None:
    """In the order in which weighing gave them, with all that they say."""
    sources = [
        fired("blocklist", "drop", 0, list="pirates", category="piracy", matched="pirate.example", line=3),
        fired("allowed", "flag", 0, matched="good.example"),
    ]
    (found,), counts = settled([{"text_digest": None}], [{"row": 0, "same_url": digest_of(5)}], sources=sources)
    assert pick(found, "decision", "reason") == ("drop", "empty_text")
    assert found["marks"] == [
        mark("empty_text", "drop"),
        mark("blocklist", "drop", list="pirates", category="piracy", matched="pirate.example", line=3),
        mark("allowed", "flag", matched="good.example"),
        mark("same_url", "drop", evidence=hex_of(5)),
    ]
    assert counts["lists"] == {"pirates": 1}


def test_drop_beats_quarantine_whichever_comes_first() -> None:
    """A quarantined duplicate is dropped; the reason is that of the decision, the other mark stays."""
    sources = [fired("noai", "quarantine", 0, 1), fired("noindex", "quarantine", 1)]
    rows, counts = settled([{}, {}, {}], [{"row": 0, "exact": digest_of(2)}], sources=sources)
    assert [pick(row, "decision", "reason") for row in rows] == [
        ("drop", "exact_duplicate"),
        ("quarantine", "noai"),
        ("keep", None),
    ]
    assert [m["rule"] for m in rows[0]["marks"]] == ["noai", "exact_duplicate"]
    assert pick(counts, "kept", "quarantined", "quarantined_by", "dropped", "dropped_by") == (
        1,
        1,
        {"noai": 1},
        1,
        {"exact_duplicate": 1},
    )


def test_basis_and_reference_become_lineage() -> None:
    """As the register gives them, row by row."""
    table, given, none = measured([{}, {}]).select(NARROW), Settings(RULES, STORES, BUILD), verdicts([])
    standing = weighed(["licensed", "crawl"], ["C-17", None])
    marks = all_marks(table, standing, flatten([]), none, given)
    rows = settle(table, standing, marks, none, given).to_pylist()
    assert [pick(row, "rights_basis", "rights_reference") for row in rows] == [("licensed", "C-17"), ("crawl", None)]


@pytest.mark.parametrize("basis", ["licensed", "open_licence", "public_domain"])
def test_taint_never_drops_what_the_register_gives_a_basis(basis: str) -> None:
    """The pirate's copy repeats the licensed one: that it does is recorded, and the licensed one stays."""
    said = [{"row": row, "taint": digest_of(9), "taint_similarity": 0.9} for row in (0, 1)]
    rows, _ = settled([{}, {}], said, DROPPING, bases=[basis, "crawl"])
    assert [pick(row, "decision", "reason") for row in rows] == [("keep", None), ("drop", "taint")]
    assert [m["action"] for row in rows for m in row["marks"]] == ["flag", "drop"]


def test_flags_count_documents_and_marks_count_marks() -> None:
    """Two notices in one text are two marks, and one flagged document."""
    _, counts = settled([{}, {}], [], sources=[fired("copyright_notice", "flag", 0, 0, 1)])
    assert pick(counts, "marks", "flags") == ({"copyright_notice": 3}, {"copyright_notice": 2})


@pytest.mark.parametrize(
    ("said", "reason", "kind", "similarity", "evidence"),
    [
        ({"same_url": digest_of(5)}, "same_url", "url", None, {}),
        ({"exact": digest_of(5)}, "exact_duplicate", "exact", 1.0, {"value": 1.0}),
        (
            {"near": digest_of(5), "near_similarity": 0.75},
            "near_duplicate",
            "near",
            0.75,
            {"value": 0.75, "limit": 0.7, "method": "jaccard"},
        ),
    ],
)
def test_duplicate_names_its_witness_kind_and_similarity(
    said: Row, reason: str, kind: str, similarity: float | None, evidence: Row
) -> None:
    """URLs say nothing of texts, so `similarity` is null there."""
    rows, _ = settled([{}, {}], [{"row": 1, **said}])
    assert pick(rows[1], "decision", "reason", "duplicate_of", "duplicate_kind", "similarity") == (
        "drop",
        reason,
        hex_of(5),
        kind,
        similarity,
    )
    assert rows[1]["marks"] == [mark(reason, "drop", evidence=hex_of(5), **evidence)]
    assert pick(rows[1], "cluster_id", "cluster_size") == (hex_of(0), 2)
    assert pick(rows[0], "decision", "cluster_id", "cluster_size") == ("keep", None, 1)


def test_first_kind_of_several_is_the_witness_and_all_are_marked() -> None:
    """URL before exact before near, each with its own evidence."""
    said = {"row": 0, "same_url": digest_of(1), "exact": digest_of(2)}
    (found,), _ = settled([{}], [said])
    assert pick(found, "reason", "duplicate_of", "duplicate_kind", "similarity") == ("same_url", hex_of(1), "url", None)
    assert [(m["rule"], m["evidence"]) for m in found["marks"]] == [
        ("same_url", hex_of(1)),
        ("exact_duplicate", hex_of(2)),
    ]


@pytest.mark.parametrize(("rules", "decision", "reason"), [(RULES, "keep", None), (DROPPING, "drop", "taint")])
def test_taint_flags_or_drops_as_the_config_says(rules: DuplicateRules, decision: str, reason: str | None) -> None:
    """The blocked document is evidence and not a witness: `duplicate_of` names survivors only."""
    (found,), _ = settled([{}], [{"row": 0, "taint": digest_of(9), "taint_similarity": 0.9}], rules)
    assert pick(found, "decision", "reason", "duplicate_of", "duplicate_kind", "similarity") == (
        decision,
        reason,
        None,
        None,
        None,
    )
    action = "drop" if decision == "drop" else "flag"
    assert found["marks"] == [mark("taint", action, value=0.9, limit=0.7, method="jaccard", evidence=hex_of(9))]


def test_estimate_is_called_an_estimate() -> None:
    """Under `verify: signature` the mark of a similarity says that it is not a Jaccard."""
    said = {"row": 0, "near": digest_of(5), "near_similarity": 0.75, "taint": digest_of(9), "taint_similarity": 0.9}
    (found,), _ = settled([{}], [said], replace(RULES, signature=True))
    assert [(m["rule"], m["method"]) for m in found["marks"]] == [
        ("near_duplicate", "signature"),
        ("taint", "signature"),
    ]


@pytest.mark.parametrize("kind", ["same_url", "exact", "near", "taint", "overlap"])
@pytest.mark.parametrize(("store", "build"), [(-1, None), (0, STORES[0]), (1, STORES[1])])
def test_witness_of_an_earlier_store_is_named_by_its_build(kind: str, store: int, build: str | None) -> None:
    """In the mark whatever its kind, and beside `duplicate_of` where it is a witness; never by a number."""
    (found,), _ = settled([{}], [{"row": 0, kind: digest_of(5), f"{kind}_store": store}])
    assert [(m["evidence"], m["evidence_build"]) for m in found["marks"]] == [(hex_of(5), build)]
    witness = (hex_of(5), build) if kind in ("same_url", "exact", "near") else (None, None)
    assert pick(found, "duplicate_of", "duplicate_build") == witness


def test_build_is_that_of_the_witness_that_is_named() -> None:
    """The URL is that of this crawl, the text that of an earlier store: `duplicate_of` names the first of them."""
    (found,), _ = settled([{}], [{"row": 0, "same_url": digest_of(1), "exact": digest_of(2), "exact_store": 1}])
    assert pick(found, "duplicate_of", "duplicate_build", "duplicate_kind") == (hex_of(1), None, "url")
    assert [m["evidence_build"] for m in found["marks"]] == [None, STORES[1]]


@pytest.mark.parametrize(
    ("similarity", "measured_by"), [(0.8, {"value": 0.8, "limit": 0.7, "method": "jaccard"}), (None, {})]
)
def test_overlap_is_recorded_and_drops_nothing(similarity: float | None, measured_by: Row) -> None:
    """The document stays; where the URLs are equal no similarity was measured, and none is claimed."""
    said = {"row": 0, "overlap": digest_of(5), "overlap_store": 0, "overlap_similarity": similarity}
    (found,), counts = settled([{}], [said])
    assert pick(found, "decision", "reason", "duplicate_of", "duplicate_build") == ("keep", None, None, None)
    assert found["marks"] == [mark("overlap", "flag", evidence=hex_of(5), evidence_build=STORES[0], **measured_by)]
    assert counts["flags"] == {"overlap": 1}


def test_comparison_bound_is_recorded_and_drops_nothing() -> None:
    """The document stays though it may have a twin, and its row says so."""
    (found,), counts = settled([{}], [{"row": 0, "bounded": True}])
    assert pick(found, "decision", "reason") == ("keep", None)
    assert found["marks"] == [mark("comparison_bound", "flag")]
    assert counts["flags"] == {"comparison_bound": 1}


def test_policy_flag_drops_no_duplicate() -> None:
    """Marks and witness are recorded as ever; what is blocked, empty or tainted is dropped all the same."""
    said = [
        {"row": 0, "same_url": digest_of(1), "exact": digest_of(2)},
        {"row": 1, "near": digest_of(3), "near_similarity": 0.8},
        {"row": 2, "exact": digest_of(4)},
        {"row": 3, "taint": digest_of(5), "taint_similarity": 1.0},
    ]
    sources = [fired("blocklist", "drop", 2)]
    rows, counts = settled([{}, {}, {}, {}], said, replace(DROPPING, duplicates="flag"), sources)
    assert [row["reason"] for row in rows] == [None, None, "blocklist", "taint"]
    assert [row["duplicate_of"] for row in rows] == [hex_of(1), hex_of(3), hex_of(4), None]
    assert [[(m["rule"], m["action"]) for m in row["marks"]] for row in rows[:2]] == [
        [("same_url", "flag"), ("exact_duplicate", "flag")],
        [("near_duplicate", "flag")],
    ]
    assert counts["flags"] == {"same_url": 1, "exact_duplicate": 2, "near_duplicate": 1}


@pytest.mark.parametrize(
    ("duplicates", "policy"), [("drop", "source_priority, longest"), ("drop_all", "none"), ("flag", "flag")]
)
def test_policy_is_recorded_in_every_row(duplicates: Any, policy: str) -> None:
    """Whether or not it decided anything."""
    rows, _ = settled([{}, {}], [{"row": 1, "exact": digest_of(0)}], replace(RULES, duplicates=duplicates))
    assert [row["survivor_policy"] for row in rows] == [policy, policy]


SOURCES = [("blocklist", "drop"), ("blocklist", "flag"), ("allowed", "flag"), ("noai", "quarantine"), ("isbn", "flag")]
SHARE = st.sampled_from([0.7, 0.9])


@st.composite
def parts(draw: st.DrawFn) -> tuple[list[Row], list[Row], list[Marks]]:
    """Rows of a part, verdicts on some of them in any order, and marks that their sources have."""
    rows: list[Row] = []
    said: list[Row] = []
    for number in range(draw(st.integers(0, 8))):
        rows.append({"text_digest": None} if draw(st.booleans()) else {})
        kinds = draw(st.sets(st.sampled_from(["same_url", "exact", "near", "taint", "overlap"])))
        if kinds:
            shares = {f"{kind}_similarity": draw(SHARE) for kind in sorted(kinds & {"near", "taint", "overlap"})}
            shares |= {f"{kind}_store": draw(st.integers(-1, 1)) for kind in sorted(kinds)}
            said.append(
                {"row": number, **{kind: digest_of(draw(st.integers(50, 99))) for kind in sorted(kinds)}, **shares}
            )
    marked = st.lists(st.integers(0, len(rows) - 1), unique=True) if rows else st.just([])
    sources = [fired(rule, action, *draw(marked), list=rule) for rule, action in SOURCES]
    return rows, draw(st.permutations(said)), sources


def expected_rules(number: int, row: Row, said: Row, sources: list[Marks], taint: str) -> list[tuple[str, str]]:
    """(rule, action) of all marks of a row, by walking through the rules."""
    return [
        *[("empty_text", "drop")] * ("text_digest" in row),
        *[(one.rule, one.action) for one in sources if number in one.rows],
        *[("same_url", "drop")] * ("same_url" in said),
        *[("exact_duplicate", "drop")] * ("exact" in said),
        *[("near_duplicate", "drop")] * ("near" in said),
        *[("taint", taint)] * ("taint" in said),
        *[("overlap", "flag")] * ("overlap" in said),
    ]


@settings(deadline=None, max_examples=60)
@given(parts(), st.sampled_from([RULES, DROPPING]))
def test_every_row_agrees_with_walking_through_the_rules(
    part: tuple[list[Row], list[Row], list[Marks]], rules: DuplicateRules
) -> None:
    """Marks, reason, decision and witness of each row, whatever comes together on it."""
    rows, said, sources = part
    by_row = {verdict["row"]: verdict for verdict in said}
    found, _ = settled(rows, said, rules, sources)
    for number, (row, got) in enumerate(zip(rows, found, strict=True)):
        verdict = by_row.get(number, {})
        marks = expected_rules(number, row, verdict, sources, rules.taint)
        decision = next((what for what in ("drop", "quarantine") if any(m[1] == what for m in marks)), "keep")
        reason = next((rule for rule, action in marks if action == decision), None)
        kind = next((kind for kind in ("same_url", "exact", "near") if kind in verdict), None)
        assert [(m["rule"], m["action"]) for m in got["marks"]] == marks
        assert pick(got, "reason", "decision") == (reason, decision)
        assert got["duplicate_of"] == (verdict[kind].hex() if kind else None)
        assert got["duplicate_build"] == ((*STORES, None)[verdict[f"{kind}_store"]] if kind else None)
        assert got["similarity"] == {"exact": 1.0, "near": verdict.get("near_similarity")}.get(kind or "")


@settings(deadline=None, max_examples=60)
@given(parts(), st.sampled_from([RULES, DROPPING]))
def test_counts_are_those_of_the_ledger_rows(
    part: tuple[list[Row], list[Row], list[Marks]], rules: DuplicateRules
) -> None:
    """Counted again row by row; every record has one decision, and all but the kept a reason."""
    rows, said, sources = part
    found, counts = settled(rows, said, rules, sources)
    marks = [m for row in found for m in row["marks"]]
    flags = Counter(rule for row in found for rule in {m["rule"] for m in row["marks"] if m["action"] == "flag"})
    assert counts == {
        "records": len(found),
        "kept": sum(row["decision"] == "keep" for row in found),
        "quarantined": sum(row["decision"] == "quarantine" for row in found),
        "quarantined_by": dict(Counter(row["reason"] for row in found if row["decision"] == "quarantine")),
        "dropped": sum(row["decision"] == "drop" for row in found),
        "dropped_by": dict(Counter(row["reason"] for row in found if row["decision"] == "drop")),
        "marks": dict(Counter(m["rule"] for m in marks)),
        "flags": dict(flags),
        "rights_basis": {"crawl": len(found)} if found else {},
        "takedowns": {},
        "lists": dict(Counter(m["list"] for m in marks if m["list"])),
    }
    assert counts["kept"] + counts["quarantined"] + counts["dropped"] == counts["records"]


def test_part_without_rows_has_an_empty_ledger_with_the_whole_schema() -> None:
    """And counts of zero."""
    found, counts = settled([], [])
    assert found == []
    assert pick(counts, "records", "kept", "dropped", "dropped_by", "marks") == (0, 0, 0, {}, {})


def test_measured_table_in_chunks_settles_alike() -> None:
    """A part with several row groups is read as several chunks."""
    rows: list[Row] = [{}, {"text_digest": None}, {}]
    sources, standing = flatten([fired("blocklist", "drop", 0)]), weighed(["crawl"] * 3)
    whole, found = measured(rows).select(NARROW), verdicts([{"row": 2, "exact": digest_of(1)}])
    chunks = pa.concat_tables([whole.slice(0, 1), whole.slice(1)])
    tables, given = [], Settings(RULES, STORES, BUILD)
    for table in (whole, chunks):
        marks = all_marks(table, standing, sources, found, given)
        tables.append(settle(table, standing, marks, found, given))
    assert tables[0].equals(tables[1])
