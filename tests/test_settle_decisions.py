"""Settling: all marks of a row, one decision, one reason, one witness, and counts that add up."""

from collections import Counter
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.columns import LEDGER, MARK
from tests.tables import Row, digest_of, hex_of, measured, verdicts
from transforms.decide.mark_duplicates import DuplicateRules
from transforms.decide.mark_sources import SourceMarks, mark_sources
from transforms.decide.read_lists import allow_list, read_list
from transforms.decide.settle_decisions import NARROW, all_marks, count_marks, settle

RULES = DuplicateRules(url=True, exact=True, threshold=0.7, bands=25, rows=5, survivor=("longest",), taint="flag")
DROPPING = DuplicateRules(url=True, exact=True, threshold=0.7, bands=25, rows=5, survivor=("longest",), taint="drop")
PIRATES = read_list(b"# a list\npirate.example\nboth.example\n", "pirates", "piracy")
SPAM = read_list(b"both.example\nspam.example\n", "spam", "spam")
ALLOW = allow_list(["good.pirate.example"])
BUILD = "0123456789abcdef"


def sources(hosts: list[str | None]) -> SourceMarks:
    return mark_sources(pa.array(hosts, pa.string()), [PIRATES, SPAM], ALLOW)


def settled(rows: list[Row], said: list[Row], rules: DuplicateRules = RULES) -> tuple[list[Row], dict[str, Any]]:
    """Ledger rows and counts of a part."""
    table, found = measured(rows).select(NARROW), verdicts(said)
    marks = all_marks(table, sources([row.get("url_host_name") for row in rows]), found, rules)
    ledger = settle(table, marks, found, BUILD)
    assert ledger.schema == LEDGER.schema()
    ledger.validate(full=True)
    return ledger.to_pylist(), count_marks(ledger, marks)


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
        "build_id": BUILD,
    }


def test_empty_text_is_dropped() -> None:
    """A text without a digest is empty after normalisation."""
    (found,), _ = settled([{"text_digest": None}], [])
    assert pick(found, "decision", "reason", "text_digest") == ("drop", "empty_text", None)
    assert found["marks"] == [mark("empty_text", "drop")]


def test_two_lists_leave_two_marks_with_list_digest_line_and_entry() -> None:
    """In the order of the config; lines count from 1."""
    (found,), _ = settled([{"url_host_name": "www.both.example"}], [])
    assert pick(found, "decision", "reason") == ("drop", "blocklist")
    assert found["marks"] == [
        mark(
            "blocklist",
            "drop",
            list="pirates",
            list_sha256=PIRATES.sha256,
            category="piracy",
            line=3,
            matched="both.example",
        ),
        mark(
            "blocklist", "drop", list="spam", list_sha256=SPAM.sha256, category="spam", line=1, matched="both.example"
        ),
    ]


def test_allowed_host_is_kept_and_both_are_recorded() -> None:
    """The allow entry beats the list; what the list said is a flag."""
    (found,), _ = settled([{"url_host_name": "good.pirate.example"}], [])
    assert pick(found, "decision", "reason") == ("keep", None)
    assert found["marks"] == [
        mark(
            "blocklist",
            "flag",
            list="pirates",
            list_sha256=PIRATES.sha256,
            category="piracy",
            line=2,
            matched="pirate.example",
        ),
        mark("allowed", "flag", matched="good.pirate.example"),
    ]


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
            {"value": 0.75, "limit": 0.7},
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
    assert found["marks"] == [mark("taint", action, value=0.9, limit=0.7, evidence=hex_of(9))]


HOSTS = [None, "a.example", "x.pirate.example", "good.pirate.example", "both.example", "spam.example"]
SHARE = st.sampled_from([0.7, 0.9])


@st.composite
def parts(draw: st.DrawFn) -> tuple[list[Row], list[Row]]:
    """Rows of a part, and verdicts on some of them in any order."""
    rows: list[Row] = []
    said: list[Row] = []
    for number in range(draw(st.integers(0, 8))):
        empty = draw(st.booleans())
        rows.append({"url_host_name": draw(st.sampled_from(HOSTS)), **({"text_digest": None} if empty else {})})
        kinds = draw(st.sets(st.sampled_from(["same_url", "exact", "near", "taint"])))
        if kinds:
            shares = {f"{kind}_similarity": draw(SHARE) for kind in kinds & {"near", "taint"}}
            said.append({"row": number, **{kind: digest_of(draw(st.integers(50, 99))) for kind in kinds}, **shares})
    return rows, draw(st.permutations(said))


def expected_rules(row: Row, said: Row, taint: str) -> list[tuple[str, str]]:
    """(rule, action) of all marks of a row, by walking through the rules."""
    host = row["url_host_name"] or ""
    allowed = host == "good.pirate.example"
    lists = [
        any(host == entry or host.endswith(f".{entry}") for entry in entries)
        for entries in (("pirate.example", "both.example"), ("both.example", "spam.example"))
    ]
    return [
        *[("empty_text", "drop")] * ("text_digest" in row),
        *[("blocklist", "flag" if allowed else "drop")] * sum(lists),
        *[("same_url", "drop")] * ("same_url" in said),
        *[("exact_duplicate", "drop")] * ("exact" in said),
        *[("near_duplicate", "drop")] * ("near" in said),
        *[("taint", taint)] * ("taint" in said),
        *[("allowed", "flag")] * allowed,
    ]


@settings(deadline=None, max_examples=60)
@given(parts(), st.sampled_from([RULES, DROPPING]))
def test_every_row_agrees_with_walking_through_the_rules(
    part: tuple[list[Row], list[Row]], rules: DuplicateRules
) -> None:
    """Marks, reason, decision and witness of each row, whatever comes together on it."""
    rows, said = part
    by_row = {verdict["row"]: verdict for verdict in said}
    found, _ = settled(rows, said, rules)
    for number, (row, got) in enumerate(zip(rows, found, strict=True)):
        verdict = by_row.get(number, {})
        marks = expected_rules(row, verdict, rules.taint)
        reason = next((rule for rule, action in marks if action == "drop"), None)
        kind = next((kind for kind in ("same_url", "exact", "near") if kind in verdict), None)
        assert [(m["rule"], m["action"]) for m in got["marks"]] == marks
        assert pick(got, "reason", "decision") == (reason, "drop" if reason else "keep")
        assert got["duplicate_of"] == (verdict[kind].hex() if kind else None)
        assert got["similarity"] == {"exact": 1.0, "near": verdict.get("near_similarity")}.get(kind or "")


@settings(deadline=None, max_examples=60)
@given(parts(), st.sampled_from([RULES, DROPPING]))
def test_counts_are_those_of_the_ledger_rows(part: tuple[list[Row], list[Row]], rules: DuplicateRules) -> None:
    """Counted again row by row; records are kept and dropped, and every dropped one has a reason."""
    found, counts = settled(*part, rules)
    marks = [m for row in found for m in row["marks"]]
    by_list = Counter(m["list"] for m in marks if m["list"])
    assert counts == {
        "records": len(found),
        "kept": sum(row["decision"] == "keep" for row in found),
        "dropped": sum(row["decision"] == "drop" for row in found),
        "dropped_by": dict(Counter(row["reason"] for row in found if row["reason"])),
        "marks": dict(Counter(m["rule"] for m in marks)),
        "flags": dict(Counter(m["rule"] for m in marks if m["action"] == "flag")),
        "lists": {"pirates": by_list["pirates"], "spam": by_list["spam"]},
    }
    assert counts["kept"] + counts["dropped"] == counts["records"]
    assert sum(counts["dropped_by"].values()) == counts["dropped"]


def test_part_without_rows_has_an_empty_ledger_with_the_whole_schema() -> None:
    """And counts of zero."""
    found, counts = settled([], [])
    assert found == []
    assert pick(counts, "records", "kept", "dropped", "dropped_by", "marks") == (0, 0, 0, {}, {})


def test_measured_table_in_chunks_settles_alike() -> None:
    """A part with several row groups is read as several chunks."""
    rows: list[Row] = [{"url_host_name": "spam.example"}, {"text_digest": None}, {}]
    whole, found = measured(rows).select(NARROW), verdicts([{"row": 2, "exact": digest_of(1)}])
    chunks = pa.concat_tables([whole.slice(0, 1), whole.slice(1)])
    tables = []
    for table in (whole, chunks):
        marks = all_marks(table, sources([row.get("url_host_name") for row in rows]), found, RULES)
        tables.append(settle(table, marks, found, BUILD))
    assert tables[0].equals(tables[1])
