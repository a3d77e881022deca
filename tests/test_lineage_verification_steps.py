"""The steps of a verification, each beside a slow twin: stretches, findings, books, witnesses, the index."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lineage.verification import check_crawl, check_fingerprints, check_index, examine, stretches
from lineage.verification.check_books import count_ledger
from lineage.verification.check_manifest import _ENTRIES, _KEYS, check_manifest
from lineage.verification.check_witnesses import check_witnesses
from lineage.verification.compare_rows import compare_rows
from lineage.verification.files import Files, RowReader
from lineage.verification.findings import FAULTS, Findings, differ, faults_where, flags, part_of
from schemas.columns import LEDGER
from tests.explained import ledger_row, manifest, mark
from tests.verified import (
    ledger_rows,
    place_of,
    resealed,
    rewritten,
    sentences,
    shared_dataset,
    with_values,
)
from transforms.decide.marks import flat_marks, list_marks
from transforms.publish.manifest import read_manifest

Row = dict[str, Any]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shared_dataset(tmp_path_factory.getbasetemp())


def batch_of(rows: Sequence[Row]) -> pa.RecordBatch:
    """Ledger rows as one batch."""
    return pa.RecordBatch.from_pylist(list(rows), schema=LEDGER.schema())


# Stretches


@pytest.mark.parametrize("rows", [1, 5, 22, 1000])
def test_rows_are_found_whatever_the_stretch(dataset: Path, rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A part is read some rows at a time; what is wrong, and where, does not depend on how many."""
    part, row = place_of(dataset, "plain-20")
    ledger, documents = f"ledger/part-{part:05d}.parquet", f"documents/part-{part:05d}.parquet"
    at = pq.read_table(dataset / documents)["record_id"].to_pylist().index("plain-20")
    url = ledger_rows(dataset, part)[row]["url"]
    expected = examine(str(dataset), against_crawl=30).account
    monkeypatch.setattr(stretches, "STRETCH_ROWS", rows)
    monkeypatch.setattr(check_index, "MOST_ENTRIES", max(rows, 50))
    monkeypatch.setattr(check_fingerprints, "BATCH_ROWS", rows)
    monkeypatch.setattr(check_crawl, "READ_ROWS", rows)
    assert examine(str(dataset), against_crawl=30).account == expected
    with rewritten(dataset, documents, with_values("url", {at: "https://x.example/"})):
        fault = f"`url` is `https://x.example/`, the ledger says `{url}`"
        assert sentences(dataset) == [("books", documents, at, fault)]
    with rewritten(dataset, ledger, with_values("survivor_policy", {row: "chance"})):
        policy = read_manifest(str(dataset))["duplicates"]["survivor_policy"]
        found = [one for one in sentences(dataset) if one[0] == "decisions"]
        assert found == [("decisions", ledger, row, f"`survivor_policy` is `chance`, the manifest says `{policy}`")]


@pytest.mark.parametrize("rows", [1, 4, 1000])
def test_file_of_texts_is_compared_up_to_where_it_is_shifted(
    dataset: Path, rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stretches that follow the first wrong document say nothing more of that file."""
    monkeypatch.setattr(stretches, "STRETCH_ROWS", rows)
    name = "documents/part-00000.parquet"
    kept = [row["doc_id"] for row in ledger_rows(dataset, 0) if row["decision"] == "keep"]
    with rewritten(dataset, name, lambda table: pa.concat_tables([table.slice(0, 4), table.slice(5)])):
        found = [one for one in sentences(dataset) if one[0] == "books"]
    assert found == [("books", name, 4, f"it is of this document, where the ledger has {kept[4]}")]


@given(
    rows=st.integers(0, 40),
    group=st.integers(1, 20),
    batch=st.integers(1, 20),
    takes=st.lists(st.integers(0, 15), max_size=8),
)
@settings(max_examples=60, deadline=None)
def test_reader_takes_what_slices_take(rows: int, group: int, batch: int, takes: list[int]) -> None:
    """Whatever the row groups and the batches are; without the column that is left out."""
    table = pa.table({"a": np.arange(rows), "b": [[str(n)] * (n % 3) for n in range(rows)], "text": ["t"] * rows})
    table = table.cast(pa.schema([("a", pa.int64()), ("b", pa.list_(pa.string())), ("text", pa.string())]))
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, row_group_size=group)
    reader, at = RowReader(pq.ParquetFile(pa.BufferReader(sink.getvalue())), batch, "text"), 0
    for count in takes:
        assert reader.at == min(at, rows)
        taken = reader.take(count)
        assert pa.Table.from_batches([taken]).to_pylist() == table.drop_columns(["text"]).slice(at, count).to_pylist()
        at += count
    assert reader.rows == rows


# Findings


VALUES = st.lists(st.tuples(st.none() | st.integers(0, 3), st.none() | st.integers(0, 3)), max_size=12)


@given(VALUES)
@settings(max_examples=80, deadline=None)
def test_values_differ_as_in_python_and_two_nulls_do_not(pairs: list[tuple[int | None, int | None]]) -> None:
    """Each place is said with both values."""
    one, other = (pa.array([pair[side] for pair in pairs], pa.int64()) for side in (0, 1))
    wrong = differ(one, other)
    assert wrong.tolist() == [a != b for a, b in pairs]
    said = faults_where(wrong, "is ", one, ", was ", other)
    words = [["null" if value is None else str(value) for value in pair] for pair in pairs]
    assert said.faults.to_pylist() == [f"is {a}, was {b}" for a, b in words if a != b]
    assert said.rows.tolist() == [row for row, (a, b) in enumerate(pairs) if a != b]


@given(VALUES, st.lists(st.lists(st.sampled_from("ab"), max_size=2), min_size=12, max_size=12))
@settings(max_examples=60, deadline=None)
def test_rows_are_compared_column_by_column(pairs: list[tuple[int | None, int | None]], lists: list[list[str]]) -> None:
    """Plain columns with their values, lists without."""
    kind = pa.list_(pa.string())
    held = [
        pa.record_batch(
            {
                "plain": pa.array([pair[side] for pair in pairs], pa.int64()),
                "nested": pa.array(lists[side : side + len(pairs)], kind) if len(pairs) < 12 else pa.nulls(12, kind),
            }
        )
        for side in (0, 1)
    ]
    found = [
        (int(row), fault.split("`")[1])
        for wrong in compare_rows(held[0], held[1], ["plain", "nested"], "it")
        for row, fault in zip(wrong.rows, wrong.faults.to_pylist(), strict=True)
    ]
    expected = [
        (row, name)
        for name in ("plain", "nested")
        for row, (a, b) in enumerate(zip(*(one[name].to_pylist() for one in held), strict=True))
        if a != b
    ]
    assert found == expected


def test_fault_of_a_mark_is_one_of_its_row() -> None:
    """Places of marks are led back to rows; a null of a condition is no fault."""
    rule = pa.array(["a", "b", "c"])
    wrong = flags(pa.array([True, None, True]))
    said = faults_where(wrong, "its mark ", rule, rows=np.array([4, 4, 9]))
    assert (said.rows.tolist(), said.faults.to_pylist()) == ([4, 9], ["its mark a", "its mark c"])


def test_findings_come_in_the_order_of_the_checks() -> None:
    """And of one check in the order in which they were found; so does the account."""
    findings, more = Findings(), Findings()
    ids = pa.array(["x", "y", "z"])
    findings.rows("index", "index_keys/part-00002.parquet", 10, ids, faults_where(np.array([False, True, True]), "odd"))
    findings.fault("files", "gone", "ledger/part-00001.parquet")
    findings.rows("index", "a", np.array([7, 8, 9]), ids, faults_where(np.array([True, False, False]), "far"))
    findings.rows("index", "a", 0, ids, faults_where(np.zeros(3, np.bool_), "nothing"))
    more.fault("manifest", "torn")
    more.say("manifest", "one")
    findings.say("crawl", "two")
    findings.add(more)
    assert findings.count == 5
    assert findings.table().schema == FAULTS
    assert [tuple(row.values()) for row in findings.table().to_pylist()] == [
        ("manifest", None, None, None, None, "torn"),
        ("files", "ledger/part-00001.parquet", 1, None, None, "gone"),
        ("index", "index_keys/part-00002.parquet", 2, 11, "y", "odd"),
        ("index", "index_keys/part-00002.parquet", 2, 12, "z", "odd"),
        ("index", "a", None, 7, "x", "far"),
    ]
    assert findings.sorted_account() == [("manifest", "one"), ("crawl", "two")]
    assert part_of("takedowns/0f.json") is None


@pytest.mark.parametrize("key", [*_KEYS, *(f"{place}.{key}" for place, keys in _ENTRIES.items() for key in keys)])
def test_every_key_that_a_check_goes_by_is_looked_for(dataset: Path, key: str) -> None:
    """A sealed manifest without it is named, and nothing is raised later."""

    def lose(manifest: Row) -> None:
        for place in _ENTRIES:
            if key.startswith(f"{place}."):
                entries: Any = manifest
                for step in place.split("."):
                    entries = entries[step]
                if isinstance(entries, list):
                    entries.append({})
                else:
                    entries["other"] = {}
                return
        *path, last = key.split(".")
        for step in path:
            manifest = manifest[step]
        del manifest[last]

    findings = Findings()
    with resealed(dataset, lose):
        assert check_manifest(str(dataset), findings) is None
    named = [fault.split("`")[1] for fault in findings.table()["fault"].to_pylist()]
    assert any(name == key or name.rsplit(".", 2)[0::2] == key.rsplit(".", 1) for name in named)


# Books


RULES = ("noai", "isbn", "taint", "takedown")
MARKS = st.builds(
    lambda rule, action, name: mark(rule, action, list=name),
    st.sampled_from(RULES),
    st.sampled_from(["drop", "quarantine", "flag"]),
    st.sampled_from([None, "one", "two"]),
)
LEDGER_ROWS = st.lists(
    st.builds(
        lambda marks, decision, reason, taken, basis, size, url: ledger_row(
            *marks,
            decision=decision,
            reason=None if decision == "keep" else reason,
            takedown_id=taken,
            rights_basis=basis,
            text_bytes=size,
            url=url,
            url_host_name=None if url is None or "/" not in url else "a.example",
        ),
        st.lists(MARKS, max_size=3),
        st.sampled_from(["keep", "quarantine", "drop"]),
        st.sampled_from(RULES),
        st.sampled_from([None, "t1"]),
        st.sampled_from(["crawl", "licensed"]),
        st.integers(0, 9),
        st.sampled_from([None, "mailto:x", "https://a.example/"]),
    ),
    max_size=8,
)


@given(LEDGER_ROWS)
@settings(max_examples=60, deadline=None)
def test_ledger_rows_are_counted_as_one_by_one(rows: list[Row]) -> None:
    """By decision, reason, rule, list, basis and takedown, and their bytes."""
    slow: Counter[str] = Counter()
    for row in rows:
        name = {"keep": "kept", "quarantine": "quarantined", "drop": "dropped"}[row["decision"]]
        slow.update(["counts.records", f"counts.{name}", f"rights_basis.{row['rights_basis']}"])
        slow.update([f"counts.{name}_by.{row['reason']}"] if row["reason"] else [])
        slow.update([f"takedowns.{row['takedown_id']}"] if row["takedown_id"] else [])
        slow.update(f"marks.{one['rule']}" for one in row["marks"])
        slow.update(f"sources.{one['list']}" for one in row["marks"] if one["list"])
        slow.update({f"flags.{one['rule']}" for one in row["marks"] if one["action"] == "flag"})
        slow["bytes.text"] += row["text_bytes"]
        slow["bytes.kept_text"] += row["text_bytes"] if row["decision"] == "keep" else 0
        slow["urls_without_host"] += row["url"] is not None and row["url_host_name"] is None
    batch = batch_of(rows)
    assert +count_ledger(batch, flat_marks(batch)) == +slow


@given(LEDGER_ROWS)
@settings(max_examples=40, deadline=None)
def test_marks_side_by_side_make_the_same_lists_again(rows: list[Row]) -> None:
    """Also of a batch that is a slice of another."""
    batch = batch_of([ledger_row(mark("noai")), *rows]).slice(1)
    again = list_marks(flat_marks(batch), len(rows))
    assert again.to_pylist() == [row["marks"] for row in rows]


# Witnesses


IDS = [f"{number:032x}" for number in range(6)]
CLAIMS = st.lists(
    st.builds(
        lambda rule, who, build, action: mark(rule, evidence=who, evidence_build=build, value=0.9, action=action),
        st.sampled_from(["same_url", "exact_duplicate", "near_duplicate", "taint", "overlap", "noai"]),
        st.none() | st.sampled_from([*IDS, "f" * 32]),
        st.sampled_from([None, None, "old"]),
        st.sampled_from(["drop", "drop", "flag"]),
    ),
    max_size=2,
)
WITNESSED = st.lists(
    st.builds(
        lambda marks, decision, taken, repeats: {
            "marks": marks,
            "decision": decision,
            "takedown_id": taken,
            "duplicate_of": repeats,
        },
        CLAIMS,
        st.sampled_from(["keep", "keep", "drop", "quarantine"]),
        st.sampled_from([None, None, "t1"]),
        st.none() | st.sampled_from(IDS),
    ),
    min_size=1,
    max_size=len(IDS),
)


def files_of(place: Path, parts: Sequence[Sequence[Row]], **said: Any) -> Files:
    """Ledger parts with these rows, in a dataset that holds nothing else."""
    names = [f"ledger/part-{number:05d}.parquet" for number in range(len(parts))]
    (place / "ledger").mkdir(exist_ok=True)
    for name, rows in zip(names, parts, strict=True):
        pq.write_table(pa.Table.from_pylist(list(rows), schema=LEDGER.schema()), place / name)
    return Files(str(place), {**manifest(**said), "files": {name: {} for name in names}}, frozenset(names))


def slow_claims(rows: Sequence[Row]) -> Counter[tuple[str, str]]:
    """Documents and the witness of theirs that is none, read one after the other."""
    held = {row["doc_id"]: row for row in rows}
    wrong: Counter[tuple[str, str]] = Counter()
    for row in rows:
        dead: list[tuple[Row, bool]] = []
        for one in row["marks"]:
            rules = ("same_url", "exact_duplicate", "near_duplicate", "taint")
            if one["rule"] not in rules or one["evidence"] is None or one["evidence_build"] is not None:
                continue
            witness = held.get(one["evidence"])
            right = witness is not None and (
                witness["decision"] == "keep"
                or one["rule"] == "taint"
                or (row["survivor_policy"] == "none" and witness["duplicate_of"] is not None)
                or (row["takedown_id"] is not None and witness["takedown_id"] is not None)
            )
            if not right:
                dead.append((one, witness is not None and witness["takedown_id"] is not None))
        drops = sum(one["action"] == "drop" for one in row["marks"])
        dropped_by_the_dead = drops > 0 and drops == sum(one["action"] == "drop" for one, _ in dead)
        for one, taken in dead:
            wrong[row["doc_id"], one["evidence"]] += not taken or dropped_by_the_dead
    return +wrong


@given(WITNESSED, st.sampled_from(["longest", "none"]), st.integers(0, 6))
@settings(max_examples=25, deadline=None)
def test_witnesses_are_right_if_looking_each_of_them_up_says_so(
    tmp_path_factory: pytest.TempPathFactory, said: list[Row], policy: str, cut: int
) -> None:
    """Under every policy, after takedowns, and across parts."""
    rows = [ledger_row(doc_id=i, survivor_policy=policy, **row) for i, row in zip(IDS, said, strict=False)]
    findings = Findings()
    check_witnesses(files_of(tmp_path_factory.mktemp("w"), [rows[:cut], rows[cut:]]), findings)
    found = findings.table().to_pylist()
    assert Counter((one["doc_id"], one["fault"].split(" names ")[1][:32]) for one in found) == slow_claims(rows)
    for one in found:
        assert (rows[:cut], rows[cut:])[one["part"]][one["row"]]["doc_id"] == one["doc_id"]
        assert one["file"] == f"ledger/part-{one['part']:05d}.parquet"


CLUSTERS = st.lists(st.tuples(st.none() | st.sampled_from(IDS[:2]), st.integers(1, 4)), min_size=1, max_size=6)


@given(CLUSTERS, st.booleans())
@settings(max_examples=25, deadline=None)
def test_clusters_are_right_if_counting_each_of_them_says_so(
    tmp_path_factory: pytest.TempPathFactory, said: list[tuple[str | None, int]], alone: bool
) -> None:
    """With earlier builds a cluster may hold documents that are not here; it never holds fewer than are here."""
    rows = [
        ledger_row(doc_id=doc_id, cluster_id=cluster, cluster_size=size)
        for doc_id, (cluster, size) in zip(IDS, said, strict=False)
    ]
    expected = []
    for cluster in sorted({row["cluster_id"] for row in rows} - {None}):
        members = [row for row in rows if row["cluster_id"] == cluster]
        sizes = {row["cluster_size"] for row in members}
        exact = sizes == {len(members)} and min(row["doc_id"] for row in members) == cluster
        if len(members) > max(sizes) or (alone and not exact):
            expected.append(cluster)
    findings = Findings()
    files = files_of(tmp_path_factory.mktemp("c"), [rows], against=[] if alone else ["old"])
    check_witnesses(files, findings)
    assert sorted(fault.split()[2] for fault in findings.table()["fault"].to_pylist()) == expected
