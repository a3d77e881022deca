"""Marking duplicates through Beam: the same verdicts for any passes and partitions, files where they belong."""

import json
from dataclasses import replace
from pathlib import Path

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from apache_beam.options.pipeline_options import PipelineOptions

from tests.members import RULES
from tests.tables import Row, digest_of, fingerprinted
from transforms.decide import mark_duplicates
from transforms.decide.all_parts import AllParts, EarlierStore
from transforms.decide.duplicate_rules import DuplicateRules
from transforms.decide.gather_members import U64, gather_members, needed_columns
from transforms.decide.judge_members import VERDICTS
from transforms.decide.mark_duplicates import JudgePass, MarkDuplicates
from transforms.decide.shingle_files import write_sets
from transforms.decide.weigh_sources import WEIGHED
from transforms.decide.write_members import write_part
from transforms.measure.fingerprint import NearSettings
from transforms.part_store import Stage, part_path, read_arrow, write_arrow
from transforms.shuffle import pack
from transforms.spread_parts import SpreadParts

NEAR = NearSettings(ngram=2, bands=4, rows=4)
TRUE = replace(RULES, ngram=2, bands=4, rows=4)
TEXTS = [" ".join(f"w{group}x{word}" for word in range(30)) for group in range(12)]
STANDING: Row = {"rights_basis": "crawl", "priority": 0, "excluded": False, "tainting": False, "takedown": -1}


def near_copy(text: str, number: int) -> str:
    """30 words with the last changed: 28 of 30 shingles are shared with the text and with every other copy of it."""
    return f"{text.rpartition(' ')[0]} end{number}"


@pytest.fixture
def store(tmp_path: Path) -> AllParts:
    """Two parts of this crawl and one of an earlier store; component g has text g in each part, in three versions."""
    measured, earlier = Stage(str(tmp_path / "measured"), "m"), tmp_path / "earlier"
    earlier.mkdir()
    members = str(tmp_path / "members")
    for part in range(3):
        rows: list[Row] = [
            {"text": near_copy(text, part), "doc_id": digest_of(100 * part + group)} for group, text in enumerate(TEXTS)
        ]
        table = fingerprinted([*rows, {"text": "alone", "doc_id": digest_of(100 * part + 99)}], NEAR)
        path = part_path(str(earlier), 0, "parquet") if part == 2 else measured.path(part)
        Path(path).parent.mkdir(exist_ok=True)
        pq.write_table(table, path)
        write_part(members, part, np.arange(12, dtype=np.uint32), np.arange(12, dtype=np.uint64))
        weighed = pa.Table.from_pylist([STANDING] * 13, WEIGHED)
        write_arrow(Stage(str(tmp_path / "sources"), "d").path(part, "arrow"), weighed)
    return AllParts(measured, 2, (EarlierStore("build", str(earlier), (0,), 13, False, "e"),))


def marked(
    store: AllParts, where: Path, rules: DuplicateRules = TRUE, passes: int = 1, partitions: int = 2
) -> pa.Table:
    """Verdicts of all passes on all parts, with their part."""
    judged, members = Stage(str(where), "d"), Stage(str(where.parent / "members"), "d")
    tables = []
    for number in range(passes):
        share = JudgePass(number, passes, partitions)
        step = MarkDuplicates(store, members, judged, Stage(str(where.parent / "sources"), "d"), rules, share)
        with beam.Pipeline(options=PipelineOptions(["--runner=FnApiRunner"])) as root:
            root | SpreadParts(range(store.count)) | "Step" >> step
        for path in sorted(Path(share.directory(judged)).glob("part-*.arrow")):
            table = read_arrow(str(path))
            assert table.schema == VERDICTS
            part = pa.array([int(path.stem.removeprefix("part-"))] * len(table), pa.int64())
            tables.append(table.append_column("part", part))
    return pa.concat_tables(tables).sort_by([("part", "ascending"), ("row", "ascending")])


def witnesses(table: pa.Table, kind: str = "near") -> dict[tuple[int, int], bytes | None]:
    keys = zip(table["part"].to_pylist(), table["row"].to_pylist(), strict=True)
    return dict(zip(keys, table[kind].to_pylist(), strict=True))


def test_both_parts_name_the_earlier_document(store: AllParts, tmp_path: Path) -> None:
    """By its `doc_id` and the number of its store, with 28 of 30 shingles in common; the earlier part is not judged."""
    table = marked(store, tmp_path / "judged")
    assert witnesses(table) == {(part, row): digest_of(200 + row) for part in range(2) for row in range(12)}
    assert set(table["near_store"].to_pylist()) == {0}
    assert set(table["near_similarity"].to_pylist()) == {28 / 30}
    assert set(table["cluster_size"].to_pylist()) == {3}


def test_earlier_part_has_verdicts_where_it_can_be_replaced(store: AllParts, tmp_path: Path) -> None:
    """The first document of this crawl stays, and the two others name it."""
    table = marked(store, tmp_path / "judged", replace(TRUE, overlap="new_replaces"))
    found = witnesses(table)
    assert len(found) == 36
    assert [{found[part, row] for row in range(12) if part} for part in (1, 2)] == [
        {digest_of(row) for row in range(12)}
    ] * 2
    assert {found[0, row] for row in range(12)} == {None}


@pytest.mark.parametrize(("passes", "partitions"), [(1, 1), (1, 64), (3, 2), (11, 5)])
@pytest.mark.parametrize("signature", [False, True], ids=["jaccard", "signature"])
def test_verdicts_are_the_same_for_any_passes(
    store: AllParts, tmp_path: Path, passes: int, partitions: int, signature: bool
) -> None:
    """Components go to passes and partitions whole, and each is judged once."""
    rules = replace(TRUE, signature=signature)
    expected = marked(store, tmp_path / "one", rules)
    assert marked(store, tmp_path / "many", rules, passes, partitions).equals(expected)


def test_every_partition_lists_its_clusters(store: AllParts, tmp_path: Path) -> None:
    """Together they have all twelve, each with its three documents."""
    marked(store, tmp_path / "judged", passes=2)
    lists = [json.loads(path.read_text()) for path in sorted((tmp_path / "judged").glob("pass-*/clusters-*.json"))]
    groups = [group for one in lists for group in one["clusters"]]
    assert sorted(group["id"] for group in groups) == [digest_of(row).hex() for row in range(12)]
    assert {group["documents"] for group in groups} == {3}


def test_standing_of_a_row_is_that_of_its_document(store: AllParts, tmp_path: Path) -> None:
    """One document of one part is excluded and taints: what repeats it says so, and nothing names it as a witness."""
    path = Stage(str(tmp_path / "sources"), "d").path(0, "arrow")
    rows: list[Row] = [dict(STANDING) for _ in range(13)]
    rows[4] |= {"excluded": True, "tainting": True}
    write_arrow(path, pa.Table.from_pylist(rows, WEIGHED))
    table = marked(store, tmp_path / "judged")
    assert {key: found for key, found in witnesses(table, "taint").items() if found} == {(1, 4): digest_of(4)}


def test_rows_without_a_component_are_not_read_into_sets(store: AllParts, tmp_path: Path) -> None:
    """A part's file has the 29 shingles of each of its members, once over all passes, and nothing of the 13th row."""
    marked(store, tmp_path / "judged", passes=2)
    for part in range(3):
        sizes = [path.stat().st_size for path in (tmp_path / "judged").glob(f"pass-*/sets/part-0000{part}.sets")]
        assert sum(sizes) == 12 * 29 * 8


def test_sets_that_are_cut_fail_the_step(store: AllParts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No verdict is made of half a set."""

    def write_half(directory: str, part: int, sets: U64) -> None:
        real(directory, part, sets[: len(sets) // 2])

    real = write_sets
    monkeypatch.setattr(mark_duplicates, "write_sets", write_half)
    with pytest.raises(Exception, match="is cut short by"):
        marked(store, tmp_path / "judged")


def test_member_bytes_are_about_what_a_member_sends(store: AllParts) -> None:
    """Passes are planned by it: never less than what is sent, and not much more."""
    table = store.read(0, needed_columns(TRUE)).take(pa.array(np.arange(1000) % 12))
    ids = np.arange(1000, dtype=np.uint64)
    batch, _ = gather_members(table, ids, pa.Table.from_pylist([STANDING] * 1000, WEIGHED), ids, TRUE)
    assert 0.7 < len(pack(batch)) / (1000 * TRUE.member_bytes) < 1
