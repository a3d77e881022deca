"""Parts written again: ledger rows that are marked, texts that leave or come back, and counts that follow."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from configs.takedown import Selectors, TakedownRequest
from lineage.takedowns.count_changes import Counts, add_counts, count_rows
from lineage.takedowns.mark_rows import mark_rows
from lineage.takedowns.plan_takedown import RECORDS
from lineage.takedowns.rewrite_part import Revision, revise, rewrite_part
from lineage.takedowns.row_ids import BLOCK_BYTES, BLOCK_ROWS, cut_blocks
from schemas.columns import DOCUMENTS, LEDGER, QUARANTINE, TEXT
from schemas.structs import MARK
from tests.tables import Row, hex_of, ledger
from transforms.ledger_files import write_ledger
from transforms.part_store import file_facts, join, part_path
from transforms.publish import part_files
from transforms.publish.part_files import texts_writer
from transforms.takedowns.read_takedown import Takedown

DECISIONS = ("keep", "quarantine", "drop")
FLAGGED = {"rule": "licence", "action": "flag", "matched": "MIT"}
DUPLICATE = {"rule": "exact_duplicate", "action": "drop", "value": 1.0, "evidence": hex_of(7)}
REASONS = {"keep": None, "quarantine": "rights_reserved", "drop": "exact_duplicate"}


@pytest.fixture
def asked() -> Takedown:
    selectors = Selectors(domains=("a.example",))
    request = TakedownRequest(requested_by="J", requested_on="2026-11-02", reference="R", selectors=selectors)
    return Takedown("1" * 16, "1" * 64, request, pa.array([], pa.large_string()), None)


def records(rows: list[Row]) -> pa.Table:
    filled = [{"doc_id": hex_of(i), "part": 0, "row": i, "decision": "keep", **row} for i, row in enumerate(rows)]
    return pa.Table.from_pylist(filled, RECORDS)


def mark(**fields: Any) -> Row:
    return {**{field.name: None for field in MARK}, **fields}


def test_mark_stands_before_all_others_and_decides(asked: Takedown) -> None:
    """With list, category and what matched; what the row had before stays behind it."""
    before = ledger(
        [{"marks": [FLAGGED]}, {"marks": [FLAGGED, DUPLICATE], "decision": "drop", "reason": "exact_duplicate"}]
    )
    why = records([{"selector": "domains", "matched": "a.example"}, {"selector": "witness"}])
    after = mark_rows(before, why, asked, 0.7).to_pylist()
    taken = mark(rule="takedown", action="drop", list="1" * 16, list_sha256="1" * 64)
    assert after[0]["marks"] == [{**taken, "category": "domains", "matched": "a.example"}, mark(**FLAGGED)]
    assert after[1]["marks"] == [{**taken, "category": "witness"}, mark(**FLAGGED), mark(**DUPLICATE)]
    changed = {"decision": "drop", "reason": "takedown", "takedown_id": "1" * 16}
    assert [{**row, "marks": None} for row in after] == [
        {**row, **changed, "marks": None} for row in before.to_pylist()
    ]


@pytest.mark.parametrize(
    ("method", "said"),
    [("exact", None), ("jaccard", "jaccard"), ("signature", "signature")],
)
def test_mark_of_a_copy_says_how_similar_it_is(asked: Takedown, method: str, said: str | None) -> None:
    """To which document, by which limit; of equal texts nothing was measured."""
    copy = {"selector": "near_duplicates", "similarity": 0.8, "method": method, "evidence": hex_of(3)}
    (row,) = mark_rows(ledger([{}]), records([copy]), asked, 0.7).to_pylist()
    (found,) = row["marks"]
    assert {name: found[name] for name in ("category", "matched", "value", "limit", "method", "evidence")} == {
        "category": "near_duplicates",
        "matched": None,
        "value": 0.8,
        "limit": 0.7,
        "method": said,
        "evidence": hex_of(3),
    }


rows = st.lists(
    st.tuples(
        st.sampled_from(DECISIONS), st.integers(0, 9), st.sampled_from([[], [FLAGGED], [DUPLICATE, FLAGGED, FLAGGED]])
    ),
    max_size=6,
).map(
    lambda found: ledger(
        [{"decision": d, "reason": REASONS[d], "text_bytes": size, "marks": marks} for d, size, marks in found]
    )
)


def slow_counts(table: pa.Table) -> Counts:
    """What `count_rows` counts, row by row."""
    counts: Counts = Counter()
    names = {"keep": "kept", "quarantine": "quarantined", "drop": "dropped"}
    for row in table.to_pylist():
        name = names[row["decision"]]
        counts["counts", name] += 1
        if row["decision"] == "keep":
            counts["bytes", "kept_text"] += row["text_bytes"]
        else:
            counts["counts", f"{name}_by", row["reason"]] += 1
        counts.update(("marks", one["rule"]) for one in row["marks"])
        counts.update({("flags", one["rule"]) for one in row["marks"] if one["action"] == "flag"})
    return counts


@settings(deadline=None, max_examples=30)
@given(rows)
def test_rows_are_counted_as_by_a_slow_loop(table: pa.Table) -> None:
    """Decisions, reasons, bytes that are kept, marks, and rows that are flagged."""
    assert +count_rows(table) == +slow_counts(table)


def manifest(table: pa.Table) -> Row:
    """The counts of a manifest of one such ledger."""
    said: Row = {"counts": {"records": len(table), "dropped_by": {}, "quarantined_by": {}}, "marks": {}, "flags": {}}
    said["bytes"] = {"kept_text": 0}
    said["counts"] |= dict.fromkeys(("kept", "quarantined", "dropped"), 0)
    return add_counts(said, slow_counts(table), Counter())


@settings(deadline=None, max_examples=30)
@given(rows, rows, rows)
def test_manifest_counts_what_is_there_after_a_change(stays: pa.Table, goes: pa.Table, comes: pa.Table) -> None:
    """As if it were counted from the beginning; and the one before is left as it was."""
    before = manifest(pa.concat_tables([stays, goes]))
    after = manifest(pa.concat_tables([stays, comes]))
    untouched = manifest(pa.concat_tables([stays, goes]))
    found = add_counts(before, count_rows(comes), count_rows(goes))
    assert {**found, "counts": {**found["counts"], "records": len(stays) + len(comes)}} == after
    assert before == untouched


def write_part(dataset: Path, table: pa.Table, texts: pa.Array) -> None:
    """The ledger of part 0 and the files with its texts, with a carried column."""
    write_ledger(part_path(join(str(dataset), "ledger"), 0, "parquet"), table)
    for decision, name in (("keep", "documents"), ("quarantine", "quarantine")):
        chosen = np.flatnonzero(np.array(table["decision"].to_pylist(), object) == decision)
        if name == "documents" or len(chosen):
            with texts_writer(part_path(join(str(dataset), name), 0, "parquet"), schema(name)) as writer:
                for start in range(0, len(chosen), 2):
                    writer.write(with_texts(table, texts, chosen[start : start + 2], schema(name)))


def schema(name: str) -> pa.Schema:
    return {"documents": DOCUMENTS, "quarantine": QUARANTINE}[name].schema()


def with_texts(table: pa.Table, texts: pa.Array, chosen: Any, schema: pa.Schema) -> pa.Table:
    both = table.append_column(TEXT.field(), texts).take(pa.array(chosen))
    return both.select(schema.names).cast(schema)


def held(dataset: Path, name: str) -> list[Row] | None:
    path = dataset / name / "part-00000.parquet"
    return pq.read_table(path).to_pylist() if path.exists() else None


decisions = st.lists(
    st.tuples(st.sampled_from(DECISIONS), st.sampled_from(["same", *DECISIONS])), min_size=1, max_size=9
)


@settings(deadline=None, max_examples=20)
@given(decisions)
def test_part_written_again_holds_what_its_ledger_says(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[str, str]]
) -> None:
    """Whatever becomes of each row: texts leave and come back at their places, and nobody else's file is written."""
    place = tmp_path_factory.mktemp("part")
    # Nobody is quarantined by a takedown who was not before.
    now = [b if a == "same" or (a == "quarantine" and b != "quarantine") else a for b, a in changes]
    texts = pa.array([f"text {i}" for i in range(len(now))], pa.large_string())
    before = ledger([{"decision": decision, "reason": REASONS[decision]} for decision, _ in changes])
    after = ledger([{"decision": decision, "reason": REASONS[decision]} for decision in now])
    write_part(place / "old", before, texts)
    write_part(place / "expected", after, texts)
    changed = np.array([i for i, (b, _) in enumerate(changes) if b != now[i]], np.int64)
    back = [i for i in changed if now[i] == "keep"]
    returned = after.append_column(TEXT.field(), texts).take(pa.array(back, pa.int64()))
    revision = Revision(changed, after.take(pa.array(changed)), returned)
    found = rewrite_part(str(place / "old"), str(place / "new"), 0, lambda _: revision)
    assert held(place / "new", "ledger") == after.to_pylist()
    for name in ("documents", "quarantine"):
        file = f"{name}/part-00000.parquet"
        moved = [b for (b, _), a in zip(changes, now, strict=True) if b != a for b in (b, a)]
        assert (file in found.files) == ({"documents": "keep", "quarantine": "quarantine"}[name] in moved)
        if file in found.files:
            assert held(place / "new", name) == held(place / "expected", name)
    written = {name: facts for name, facts in found.files.items() if facts}
    assert {str(path.relative_to(place / "new")) for path in (place / "new").rglob("*.parquet")} == set(written)
    for name, facts in written.items():
        rows = pq.read_metadata(place / "new" / name).num_rows
        assert facts == {**file_facts(str(place / "new" / name)), "rows": rows}
    assert (+found.less, +found.more) == (+slow_counts(before.take(changed)), +slow_counts(after.take(changed)))


def test_quarantine_without_rows_goes_away(tmp_path: Path) -> None:
    """As one that was never there is not written."""
    before = ledger([{"decision": "keep"}, {"decision": "quarantine", "reason": "noai"}])
    write_part(tmp_path / "old", before, pa.array(["a", "b"], pa.large_string()))
    revision = Revision(np.array([1]), ledger([{}, {"decision": "drop", "reason": "takedown"}]).slice(1))
    found = rewrite_part(str(tmp_path / "old"), str(tmp_path / "new"), 0, lambda _: revision)
    assert found.files["quarantine/part-00000.parquet"] is None
    assert not (tmp_path / "new" / "quarantine").exists()
    assert "documents/part-00000.parquet" not in found.files


def test_texts_are_written_as_publish_writes_them(tmp_path: Path) -> None:
    """Same codec, same kinds of columns, and row groups that are no larger than before."""
    before = ledger([{"decision": "keep"} for _ in range(6)])
    texts = pa.array(["x" * part_files.GROUP_BYTES] * 6, pa.large_string())
    write_part(tmp_path / "old", before, texts)
    revision = Revision(np.array([2]), ledger([{"decision": "drop", "reason": "takedown"}]))
    rewrite_part(str(tmp_path / "old"), str(tmp_path / "new"), 0, lambda _: revision)
    old, new = (pq.ParquetFile(tmp_path / name / "documents" / "part-00000.parquet") for name in ("old", "new"))
    assert new.schema_arrow.equals(old.schema_arrow, check_metadata=True)
    assert new.metadata.row_group(0).column(0).compression == old.metadata.row_group(0).column(0).compression == "ZSTD"
    assert [new.metadata.row_group(i).num_rows for i in range(new.num_row_groups)] == [1] * 5


def test_ledger_keeps_its_schema_and_groups(tmp_path: Path) -> None:
    """What reads one row reads as little of it as before."""
    before = ledger([{"decision": "keep"} for _ in range(10)])
    write_part(tmp_path / "old", before, pa.array(["a"] * 10, pa.large_string()))
    revision = Revision(np.array([9]), ledger([{"decision": "drop", "reason": "takedown"}]))
    rewrite_part(str(tmp_path / "old"), str(tmp_path / "new"), 0, lambda _: revision)
    found = pq.ParquetFile(tmp_path / "new" / "ledger" / "part-00000.parquet")
    assert found.schema_arrow.equals(LEDGER.schema())
    assert found.num_row_groups == 1


@settings(deadline=None)
@given(st.lists(st.integers(0, 5)), st.data())
def test_changed_rows_stand_at_their_places(values: list[int], data: st.DataObject) -> None:
    """And all others as they were."""
    changed = sorted(data.draw(st.sets(st.sampled_from(range(len(values))) if values else st.nothing())))
    expected = [-1 if i in changed else value for i, value in enumerate(values)]
    table, new = (pa.table({"x": pa.array(x, pa.int64())}) for x in (values, [-1] * len(changed)))
    assert revise(table, Revision(np.array(changed, np.int64), new))["x"].to_pylist() == expected


@settings(deadline=None)
@given(st.lists(st.integers(0, 2 * BLOCK_BYTES), max_size=20))
def test_blocks_cover_all_rows_and_hold_no_more_than_they_may(sizes: list[int]) -> None:
    """One after the other; only a row that is too large by itself is larger."""
    blocks = list(cut_blocks(np.array(sizes, np.int64)))
    assert [i for block in blocks for i in range(block.start, block.stop)] == list(range(len(sizes)))
    for block in blocks:
        assert sum(sizes[block]) <= BLOCK_BYTES or len(sizes[block]) == 1


def test_blocks_are_bounded_by_rows_too() -> None:
    """Rows without text weigh something as well."""
    blocks = [(block.start, block.stop) for block in cut_blocks(np.zeros(BLOCK_ROWS + 1, np.int64))]
    assert blocks == [(0, BLOCK_ROWS), (BLOCK_ROWS, BLOCK_ROWS + 1)]
