"""Verify what a dataset says, row by row: someone changed it, and sealed what he changed."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lineage.verification import examine
from lineage.verification.digest_entries import Entries
from tests.explained import mark
from tests.verified import (
    TAKEDOWN,
    crawl_rows,
    faults,
    ledger_rows,
    make_dataset,
    place_of,
    resealed,
    rewritten,
    sentences,
    shared_dataset,
    with_values,
)

Row = dict[str, Any]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shared_dataset(tmp_path_factory.getbasetemp())


@pytest.fixture(scope="module")
def replacing(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset whose documents replace those of the other one."""
    dedup = {"against": [str(dataset)], "overlap": "new_replaces"}
    return make_dataset(tmp_path_factory.mktemp("replacing"), "later", crawl_rows(), dedup=dedup)


def part_name(folder: str, part: int) -> str:
    return f"{folder}/part-{part:05d}.parquet"


def of_check(dataset: Path, check: str) -> list[tuple[str | None, int | None, str]]:
    """File, row and fault of the faults of one check."""
    return [(file, row, fault) for name, file, row, fault in sentences(dataset) if name == check]


# Decisions


def test_kept_document_with_a_mark_that_drops_is_found_in_a_dataset(dataset: Path) -> None:
    """With its file, row and id, and what follows from it."""
    part, row = place_of(dataset, "plain-20")
    name, said = part_name("ledger", part), ledger_rows(dataset, part)[row]
    with rewritten(dataset, name, with_values("marks", {row: [mark("noai")]})):
        found = faults(dataset)
    assert [one for one in found if one["check"] == "decisions"] == [
        {"check": "decisions", "file": name, "part": part, "row": row, "doc_id": said["doc_id"], "fault": fault}
        for fault in ("`decision` is `keep`, its marks give `drop`", "`reason` is `null`, its marks give `noai`")
    ]
    assert [one["fault"] for one in found if one["check"] == "books"] == ["`marks.noai` is 0, the files give 1"]


# Books


COUNTS: list[tuple[Any, ...]] = [
    ("bytes", "kept_text"),
    ("bytes", "text"),
    ("bytes", "written"),
    ("counts", "dropped"),
    ("counts", "dropped_by", "same_url"),
    ("counts", "kept"),
    ("counts", "quarantined"),
    ("counts", "quarantined_by", "copyright_notice"),
    ("counts", "records"),
    ("counts", "rejected"),
    ("duplicates", "replaced"),
    ("flags", "taint"),
    ("marks", "taint"),
    ("rejected_by", "broken_json"),
    ("rights_basis", "crawl"),
    ("sources", 0, "matches"),
    ("urls_without_host",),
]


def test_every_count_of_the_manifest_is_counted_again(dataset: Path) -> None:
    """Each that is one too large is a fault, with both numbers."""
    expected = []

    def change(manifest: Row) -> None:
        for *steps, last in COUNTS:
            said: Any = manifest
            for step in steps:
                said = said[step]
            said[last] += 1
            name = ".".join(["sources", "pirates"] if steps[:1] == ["sources"] else [*steps, last])
            expected.append(f"`{name}` is {said[last]:,}, the files give {said[last] - 1:,}")

    with resealed(dataset, change):
        found = sentences(dataset)
    assert found == [("books", "manifest.json", None, fault) for fault in expected]


@pytest.mark.parametrize(("folder", "record"), [("documents", "plain-20"), ("quarantine", "notice-12")])
def test_texts_must_say_what_their_ledger_says(dataset: Path, folder: str, record: str) -> None:
    """Plain columns with both values, lists by their names."""
    part, _ = place_of(dataset, record)
    name = part_name(folder, part)
    row = pq.read_table(dataset / name)["record_id"].to_pylist().index(record)
    with rewritten(dataset, name, with_values("url", {row: None})):
        url = ledger_rows(dataset, part)[place_of(dataset, record)[1]]["url"]
        assert sentences(dataset) == [("books", name, row, f"`url` is `null`, the ledger says `{url}`")]
    with rewritten(dataset, name, with_values("issns", {row: [{"value": "1", "source": "text"}]})):
        assert sentences(dataset) == [("books", name, row, "`issns` is not what the ledger says")]


def test_texts_must_stand_as_their_ledger_rows_stand(dataset: Path) -> None:
    """The first that does not is named, as all that follow are shifted; so is what is missing or too much."""
    name = part_name("documents", 0)
    kept = [row["doc_id"] for row in ledger_rows(dataset, 0) if row["decision"] == "keep"]
    last = len(kept) - 1

    def without(row: int) -> Callable[[pa.Table], pa.Table]:
        return lambda table: pa.concat_tables([table.slice(0, row), table.slice(row + 1)])

    with rewritten(dataset, name, without(1)):
        fault = f"it is of this document, where the ledger has {kept[1]}"
        assert of_check(dataset, "books") == [(name, 1, fault)]
    with rewritten(dataset, name, without(last)):
        assert of_check(dataset, "books") == [(name, None, f"it ends before {kept[last]}, which the ledger has")]
    with rewritten(dataset, name, lambda table: pa.concat_tables([table, table.slice(last)])):
        assert of_check(dataset, "books") == [(name, None, "it has 1 rows more than the ledger")]
    with rewritten(dataset, name, lambda table: table.take([1, 0, *range(2, len(table))])):
        assert [row for _, row, _ in of_check(dataset, "books")] == [0]


def test_file_that_the_manifest_leaves_out_is_missed(dataset: Path) -> None:
    """The ledger says that there are quarantined documents."""
    name = part_name("quarantine", 0)

    def change(manifest: Row) -> None:
        manifest["bytes"]["written"] -= manifest["files"].pop(name)["bytes"]

    with resealed(dataset, change):
        found = sentences(dataset)
    fault = "1 rows or more are decided `quarantine`, and no file of quarantine/ holds this part"
    assert ("books", part_name("ledger", 0), None, fault) in found
    assert [check for check, *_ in found] == ["files", "books"]


def test_rejected_rows_of_another_build_are_a_fault(dataset: Path) -> None:
    """Every table says which build wrote it."""
    name = part_name("rejected", 1)
    with rewritten(dataset, name, with_values("build_id", {0: "f" * 16})):
        fault = f"it has rows of the build {'f' * 16}, which is not that of the manifest"
        assert sentences(dataset) == [("books", name, None, fault)]


# Witnesses


def test_witness_must_exist(dataset: Path) -> None:
    """Column and mark agree, and still name nobody."""
    part, row = place_of(dataset, "near-8")
    name, nobody = part_name("ledger", part), "0" * 32
    marks = [{**ledger_rows(dataset, part)[row]["marks"][0], "evidence": nobody}]

    def change(table: pa.Table) -> pa.Table:
        return with_values("duplicate_of", {row: nobody})(with_values("marks", {row: marks})(table))

    with rewritten(dataset, name, change):
        fault = f"its mark `near_duplicate` names {nobody}, which no ledger row has"
        assert of_check(dataset, "witnesses") == [(name, row, fault)]
        assert of_check(dataset, "decisions") == []


def test_witness_must_survive_and_who_taints_need_not(dataset: Path) -> None:
    """The survivor of a pair is dropped; its follower, in another part, is named with its place."""
    part, row = place_of(dataset, "same-2")
    survivor = ledger_rows(dataset, part)[row]
    follower = place_of(dataset, "url-0")

    def change(table: pa.Table) -> pa.Table:
        table = with_values("marks", {row: [mark("noai")]})(table)
        return with_values("reason", {row: "noai"})(with_values("decision", {row: "drop"})(table))

    with rewritten(dataset, part_name("ledger", part), change):
        found = of_check(dataset, "witnesses")
    fault = f"its mark `same_url` names {survivor['doc_id']}, which does not survive: it is decided `drop`"
    assert found == [(part_name("ledger", follower[0]), follower[1], fault)]


def test_witness_that_was_taken_out_is_right_for_what_was_taken_out_with_it(dataset: Path) -> None:
    """And for nobody else."""
    (part, row), (_, follower) = place_of(dataset, "same-2"), place_of(dataset, "url-0")
    taken = mark("takedown", list=TAKEDOWN["id"], list_sha256=TAKEDOWN["sha256"], category="urls")
    rows = ledger_rows(dataset, part)

    def take_out(*gone: int) -> Callable[[pa.Table], pa.Table]:
        def change(table: pa.Table) -> pa.Table:
            for column, values in {
                "marks": {n: [taken, *rows[n]["marks"]] for n in gone},
                "takedown_id": dict.fromkeys(gone, TAKEDOWN["id"]),
                "decision": dict.fromkeys(gone, "drop"),
                "reason": dict.fromkeys(gone, "takedown"),
            }.items():
                table = with_values(column, values)(table)
            return table

        return change

    name = part_name("ledger", part)
    for gone, expected in ((row,), [follower]), ((row, follower), []):
        with rewritten(dataset, name, take_out(*gone)), resealed(dataset, lambda m: m["takedowns"].append(TAKEDOWN)):
            assert [found for _, found, _ in of_check(dataset, "witnesses")] == expected
            assert of_check(dataset, "decisions") == []


def test_cluster_must_be_as_large_as_it_says(dataset: Path) -> None:
    """One that lost a document, and one that says of itself two things."""
    part, row = place_of(dataset, "near-8")
    name, said = part_name("ledger", part), ledger_rows(dataset, part)[row]
    with rewritten(dataset, name, with_values("cluster_size", {row: 9})):
        ((file, at, fault),) = of_check(dataset, "witnesses")
    assert (file, at) == (part_name("ledger", 0), None)
    assert fault == f"the cluster {said['cluster_id']} of this document and 2 others says that it has 3 to 9 documents"


def test_replaced_documents_are_replaced_by_some_that_survive(replacing: Path) -> None:
    """In builds that this one was compared with."""
    assert faults(replacing) == []
    name = next(f"replaced/{p.name}" for p in sorted((replacing / "replaced").iterdir()) if pq.read_table(p).num_rows)
    dropped = next(row["doc_id"] for row in ledger_rows(replacing, 0) if row["decision"] == "drop")
    for column, value, fault in (
        ("duplicate_of", "0" * 32, f"{'0' * 32} replaces it, which no ledger row has"),
        ("duplicate_of", dropped, f"{dropped} replaces it, which is decided `drop`"),
        ("build", "other", "other is none of `duplicates.against`"),
    ):
        with rewritten(replacing, name, with_values(column, {0: value})):
            assert sentences(replacing) == [("witnesses", name, 0, fault)]


# Fingerprints


def test_fingerprints_must_be_those_of_the_ledger_rows_beside_them(dataset: Path) -> None:
    """Of every document, kept or not."""
    part, row = place_of(dataset, "text-5")
    name, said = part_name("fingerprints", part), ledger_rows(dataset, part)[row]
    with rewritten(dataset, name, with_values("text_digest", {row: bytes(16)})):
        fault = f"`text_digest` is `{'0' * 32}`, the ledger says `{said['text_digest']}`"
        assert of_check(dataset, "fingerprints") == [(name, row, fault)]
    with rewritten(dataset, name, with_values("doc_id", {row: bytes(16)})):
        fault = f"`doc_id` is `{'0' * 32}`, the ledger says `{said['doc_id']}`"
        assert of_check(dataset, "fingerprints") == [(name, row, fault)]


def test_fingerprints_that_end_before_the_ledger_are_a_fault(dataset: Path) -> None:
    """And the index cannot be compared with what is not there."""
    name = part_name("fingerprints", 0)
    with rewritten(dataset, name, lambda table: table.slice(0, len(table) - 2)):
        found = examine(str(dataset))
    assert found.faults.select(["check", "file", "fault"]).to_pylist() == [
        {"check": "fingerprints", "file": name, "fault": "it has 20 rows, and the ledger of its part 22"}
    ]
    lack = f"1 of the files that this needs are damaged, such as {name}"
    assert ("index", f"not checked: {lack}") in found.account
    assert ("fingerprints", f"some rows not compared: {lack}") in found.account


@pytest.mark.parametrize(("folder", "record"), [("documents", "plain-20"), ("quarantine", "notice-12")])
def test_text_must_be_the_one_that_was_digested(dataset: Path, folder: str, record: str) -> None:
    """Another word is another digest and another length."""
    part, _ = place_of(dataset, record)
    name = part_name(folder, part)
    held = pq.read_table(dataset / name)
    row = held["record_id"].to_pylist().index(record)
    with rewritten(dataset, name, with_values("text", {row: held["text"][row].as_py() + " more"})):
        found = of_check(dataset, "fingerprints")
    assert [(file, at, fault.split("`")[1]) for file, at, fault in found if "signature" not in fault] == [
        (name, row, "text_bytes"),
        (name, row, "text_digest"),
    ]


@pytest.mark.parametrize("column", ["shingle_count", "band_03", "sketch"])
def test_signature_must_be_that_of_its_text(dataset: Path, column: str) -> None:
    """Of the first document of each file, and of every sixteenth that follows."""
    rows = ledger_rows(dataset, 0)
    signed = [n for n, row in enumerate(rows) if row["decision"] == "keep"][::16]
    name = part_name("fingerprints", 0)
    other = 7 if column == "shingle_count" else pq.read_table(dataset / name)[column][signed[1] - 1].as_py()
    with rewritten(dataset, name, with_values(column, {signed[1]: other})):
        found = of_check(dataset, "fingerprints")
    assert found == [(name, signed[1], "its signature is not that of its text")]


def test_signatures_of_another_version_are_said_not_to_be_compared(dataset: Path) -> None:
    """They can only be made anew by the rules by which they were made."""
    with resealed(dataset, lambda manifest: manifest["fingerprint"].update(rules=1)):
        found = examine(str(dataset))
    assert len(found.faults) == 0
    assert ("fingerprints", "signatures not made anew: they were made by the rules of another version") in found.account


# The index


@pytest.mark.parametrize("index", ["index_keys", "index_urls"])
def test_index_leads_to_every_row_by_each_of_its_keys_and_nowhere_else(dataset: Path, index: str) -> None:
    """An entry that is missing, one more, another row, another key; each names the part whose rows they are."""
    name = f"{index}/part-00000.parquet"
    table = pq.read_table(dataset / name)
    last, column = len(table) - 1, table.column_names[0]
    part, row = table["part"][last].as_py(), table["row"][last].as_py()
    ledger, count = part_name("ledger", part), table["part"].to_pylist().count(part)
    fewer = f"{index} has {count - 1:,} entries for its rows, which have {count:,} keys"
    other = f"{index} has other entries for its rows than their keys"
    with rewritten(dataset, name, lambda _: table.slice(0, last)):
        assert sentences(dataset) == [("index", ledger, None, fewer)]
    with rewritten(dataset, name, with_values("row", {last: row + 100})):
        assert sentences(dataset) == [("index", ledger, None, other)]
    key = table[column][last].as_py()
    with rewritten(dataset, name, with_values(column, {last: key + 1 if index == "index_keys" else key + "x"})):
        assert sentences(dataset) == [("index", ledger, None, other)]
    with rewritten(dataset, name, with_values("part", {last: 7})):
        strange = f"{index} has 1 entries for its rows, which have 0 keys"
        assert sentences(dataset) == [("index", ledger, None, fewer), ("index", part_name("ledger", 7), None, strange)]


@pytest.mark.parametrize("index", ["index_keys", "index_urls"])
def test_index_must_be_sorted(dataset: Path, index: str) -> None:
    """The same entries in another order lead nowhere; one that is there twice is one too many."""
    name = f"{index}/part-00000.parquet"
    fault = "it is not sorted: 1 rows, the first of them row 4, do not come after the one before"
    with rewritten(dataset, name, lambda table: table.take([0, 1, 2, 4, 3, *range(5, len(table))])):
        assert sentences(dataset) == [("index", name, None, fault)]
    with rewritten(dataset, name, lambda table: table.take([0, 1, 2, 3, 3, *range(4, len(table))])):
        assert ("index", name, None, fault) in sentences(dataset)


def test_manifest_must_say_with_what_each_file_of_an_index_begins(dataset: Path) -> None:
    """Lookups go by that."""
    with resealed(dataset, lambda manifest: manifest["index"].update(index_keys=[0])):
        fault = "`index.index_keys` does not say with what each file begins"
        assert sentences(dataset) == [("index", "manifest.json", None, fault)]


ENTRIES = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 3), st.integers(0, 9)), max_size=30)


def digested(entries: Sequence[tuple[int, int, int]], size: int) -> Entries:
    """The digest of entries that come in batches of some size."""
    total = Entries()
    for start in range(0, len(entries), size):
        columns = np.array(entries[start : start + size], np.int64).T
        total.add(Entries.of(*columns))
    return total


@given(ENTRIES, ENTRIES, st.randoms(use_true_random=False), st.integers(1, 9))
@settings(max_examples=200, deadline=None)
def test_entries_are_equal_if_they_are_the_same_in_any_order(
    one: list[tuple[int, int, int]], other: list[tuple[int, int, int]], chance: Any, size: int
) -> None:
    """The slow twin sorts them."""
    shuffled = list(one)
    chance.shuffle(shuffled)
    assert digested(one, size) == digested(shuffled, 100)
    assert (digested(one, size) == digested(other, size)) == (sorted(one) == sorted(other))
