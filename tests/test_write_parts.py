"""Publishing a part: kept rows with their text, every ledger row, every rejected record, and books that balance."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.columns import (
    DIGEST,
    DOCUMENTS,
    FINGERPRINTS,
    LEDGER,
    QUARANTINE,
    REJECTED,
    REPLACED,
    TEXT,
    near_fields,
)
from schemas.errors import BooksError, WorkError
from tests.tables import Row, digest_of, hex_of, ledger, measured
from transforms.decide.settle_decisions import REPLACED_SUFFIX
from transforms.measure.tally import Tally
from transforms.part_store import Stage, file_facts, list_names, write_file
from transforms.publish.write_parts import (
    WriteParts,
    check_books,
    fingerprints_schema,
    select_rows,
    texts_schema,
)

LANGUAGE = pa.field("language", pa.string())
BUILD = "fedcba9876543210" + 48 * "0"


def test_documents_have_their_columns_and_the_carried_ones() -> None:
    """Bands, sketch and what only measuring needs stay behind."""
    table = measured([{}], bands=2, carried=[LANGUAGE, pa.field("band", pa.int8())])
    assert texts_schema(DOCUMENTS, table.schema) == DOCUMENTS.schema([LANGUAGE, pa.field("band", pa.int8())])


@pytest.mark.parametrize("bands", [0, 2])
def test_fingerprints_have_their_columns_and_what_candidates_are_found_by(bands: int) -> None:
    """Bands and sketch, if there are any; no text and no carried column."""
    table = measured([{}], bands=bands, carried=[LANGUAGE])
    assert fingerprints_schema(table.schema) == FINGERPRINTS.schema(near_fields(bands, 1, 8))


@given(st.lists(st.booleans(), max_size=12))
def test_kept_rows_are_those_whose_ledger_row_says_keep(keeps: list[bool]) -> None:
    """Text and carried columns from the measured rows, all else from the ledger, in order."""
    texts = measured([{"language": f"l{i}"} for i in range(len(keeps))], carried=[LANGUAGE])
    said = ledger([{"decision": "keep" if keep else "drop", "cluster_size": i} for i, keep in enumerate(keeps)])
    found = select_rows(texts, said, "keep", texts_schema(DOCUMENTS, texts.schema))
    columns = ["doc_id", "cluster_size", "build_id", "text", "language"]
    assert found.select(columns).to_pylist() == [
        {
            "doc_id": hex_of(i),
            "cluster_size": i,
            "build_id": "0123456789abcdef",
            "text": f"text {i}",
            "language": f"l{i}",
        }
        for i, keep in enumerate(keeps)
        if keep
    ]
    assert found.schema == DOCUMENTS.schema([LANGUAGE])


@pytest.mark.parametrize(
    "rows",
    [[{"doc_id": hex_of(1)}, {"doc_id": hex_of(0)}], [{}], [{}, {}, {}], [{}, {"doc_id": hex_of(7)}]],
    ids=["other order", "fewer", "more", "another"],
)
def test_ledger_of_other_records_is_refused(rows: list[Row]) -> None:
    """A text must never be published under the decision on another."""
    texts = measured([{}, {}])
    with pytest.raises(BooksError) as refusal:
        select_rows(texts, ledger(rows), "keep", texts_schema(DOCUMENTS, texts.schema))
    assert str(refusal.value) == (
        "The measured rows and the ledger rows are not of the same records: measure and decide again."
    )


def test_books_that_balance_raise_nothing() -> None:
    """Equal counts, zeros included."""
    check_books("part 1", {"records": (3, 3), "rejected": (0, 0)})


def test_every_pair_that_does_not_balance_is_named() -> None:
    """Those that do are not mentioned; a count that is missing is one that does not balance."""
    with pytest.raises(BooksError) as refusal:
        check_books("part 1", {"records": (3, 4), "kept": (2, 2), "rejected": (None, 0)})
    assert str(refusal.value) == (
        "The books of part 1 do not balance, so nothing is published:\n"
        "  records: 3 counted, 4 written\n"
        "  rejected: None counted, 0 written"
    )


class Work:
    """A measured and decided part 2 on disk: three records in two row groups, one of them dropped, one rejected."""

    def __init__(self, directory: Path):
        self.dataset = str(directory / "dataset")
        self.measured = Stage(str(directory / "measured"), "m")
        self.decided = Stage(str(directory / "decided"), "d")
        self.published = Stage(str(directory / "published"), BUILD)
        tally = Tally()
        tally.reject("crawl.jsonl", 90, "broken_json", "no object", size=5, url="http://x.example/")
        self.texts = measured([{"text": "zero"}, {"text": "größer"}, {"text": "two"}], bands=1)
        self.ledger = ledger([{"text_bytes": 4}, {"text_bytes": 8}, {"decision": "drop", "reason": "taint"}])
        self.write(self.measured.path(2), self.texts, row_group_size=2)
        self.write(self.measured.path(2, "rejected.parquet"), tally.table())
        self.write(self.decided.path(2), self.ledger)
        self.measured.finish(2, {"records": 3, "rejected": 1})
        self.decided.finish(2, {"kept": 2, "dropped": 1})

    @staticmethod
    def write(path: str, table: pa.Table, **options: Any) -> None:
        with write_file(path) as file:
            pq.write_table(table, file, **options)

    def publish(self) -> None:
        step = WriteParts(self.measured, self.decided, self.published, self.dataset)
        step.write.process((2, [0]))

    def path(self, folder: str) -> str:
        return f"{self.dataset}/{folder}/part-00002.parquet"


@pytest.fixture
def work(tmp_path: Path) -> Work:
    return Work(tmp_path)


def test_part_is_written_to_four_files(work: Work) -> None:
    """Kept documents with text, all fingerprints, the ledger byte for byte, and rejected records with the build."""
    work.publish()
    documents = pq.read_table(work.path("documents"))
    assert documents.schema.equals(DOCUMENTS.schema())
    assert documents.select(["doc_id", "text"]).to_pylist() == [
        {"doc_id": hex_of(0), "text": "zero"},
        {"doc_id": hex_of(1), "text": "größer"},
    ]
    prints = pq.read_table(work.path("fingerprints"))
    assert prints.schema.equals(fingerprints_schema(work.texts.schema))
    assert prints.equals(work.texts.select(prints.schema.names))
    assert file_facts(work.path("ledger")) == file_facts(work.decided.path(2))
    rejected = pq.read_table(work.path("rejected"))
    assert rejected.schema.equals(REJECTED.schema())
    (row,) = rejected.to_pylist()
    assert (row["source_position"], row["bytes"], row["build_id"]) == (90, 5, BUILD[:16])


def test_quarantined_documents_have_a_file_with_text_and_the_whole_ledger_row(work: Work) -> None:
    """With the carried columns too; nothing of them is among the documents."""
    work.texts = measured([{"text": f"text {i}", "language": f"l{i}"} for i in range(3)], carried=[LANGUAGE])
    mark = {"rule": "noai", "action": "quarantine"}
    work.ledger = ledger([{}, {"decision": "quarantine", "reason": "noai", "marks": [mark]}, {"decision": "drop"}])
    work.write(work.measured.path(2), work.texts, row_group_size=2)
    work.write(work.decided.path(2), work.ledger)
    work.decided.finish(2, {"kept": 1, "quarantined": 1, "dropped": 1})
    work.publish()
    held = pq.read_table(work.path("quarantine"))
    assert held.schema.equals(QUARANTINE.schema([LANGUAGE]))
    assert held.select(LEDGER.schema().names).equals(work.ledger.slice(1, 1))
    assert held.select([TEXT.name, "language"]).to_pylist() == [{"text": "text 1", "language": "l1"}]
    assert pq.read_table(work.path("documents"))["doc_id"].to_pylist() == [hex_of(0)]
    assert (work.published.marker(2) or {})["files"]["quarantine"]["rows"] == 1


def test_part_without_quarantined_documents_has_no_such_file(work: Work) -> None:
    """Most builds quarantine nothing, and have no folder for it."""
    work.publish()
    assert list_names(work.dataset) == ["documents", "fingerprints", "ledger", "rejected"]


def test_marker_lists_the_files_with_rows_size_and_sha256(work: Work) -> None:
    """And counts records and bytes of kept text."""
    work.publish()
    rows = {"documents": 2, "ledger": 3, "rejected": 1, "fingerprints": 3}
    marker = work.published.marker(2) or {}
    assert set(marker.pop("sizes")) == {"index_keys.parquet", "index_urls.parquet"}
    assert {name: facts["rows"] for name, facts in marker.pop("index").items()} == {"index_keys": 9, "index_urls": 0}
    assert marker == {
        "digest": BUILD,
        "records": 3,
        "kept_text_bytes": 12,
        "files": {folder: {**file_facts(work.path(folder)), "rows": count} for folder, count in rows.items()},
    }


def test_part_published_twice_has_the_same_bytes(work: Work) -> None:
    """A run that resumes may write a file again."""
    work.publish()
    first = work.published.marker(2)
    work.publish()
    assert work.published.marker(2) == first


def test_part_without_a_record_has_empty_files(work: Work) -> None:
    """With all their columns, so that they can be read together with the others."""
    work.write(work.measured.path(2), work.texts.slice(0, 0))
    work.write(work.decided.path(2), work.ledger.slice(0, 0))
    work.measured.finish(2, {"records": 0, "rejected": 1})
    work.decided.finish(2, {"kept": 0, "dropped": 0})
    work.publish()
    schemas = {folder: pq.read_schema(work.path(folder)) for folder in ("documents", "ledger", "fingerprints")}
    assert {k: v.names for k, v in schemas.items()} == {
        "documents": DOCUMENTS.schema().names,
        "ledger": LEDGER.schema().names,
        "fingerprints": [*FINGERPRINTS.schema().names, "band_00", "sketch"],
    }
    assert (work.published.marker(2) or {})["kept_text_bytes"] == 0


@pytest.mark.parametrize(
    ("stage", "counts", "lines"),
    [
        ("measured", {"records": 4, "rejected": 1}, ["measured records: 4 counted, 3 written"]),
        ("measured", {"records": 3, "rejected": 2}, ["rejected: 2 counted, 1 written"]),
        ("decided", {"kept": 2, "dropped": 2}, ["decisions: 4 counted, 3 written"]),
        (
            "decided",
            {"kept": 2, "quarantined": 1, "dropped": 0},
            ["quarantine: 1 counted, 0 written"],
        ),
        ("decided", {"kept": 1, "dropped": 2}, ["documents: 1 counted, 2 written"]),
    ],
)
def test_count_that_does_not_balance_fails_the_part(
    work: Work, stage: str, counts: dict[str, int], lines: list[str]
) -> None:
    """No marker is left, so the part counts as not published."""
    (work.measured if stage == "measured" else work.decided).finish(2, counts)
    with pytest.raises(WorkError) as refusal:
        work.publish()
    assert str(refusal.value) == (
        "Publishing part 2 failed: The books of part 2 do not balance, so nothing is published:\n  "
        + "\n  ".join(lines)
    )
    assert work.published.done() == set()


def test_part_that_was_not_measured_and_decided_does_not_balance(work: Work) -> None:
    """Markers of another digest are as good as none."""
    Stage(work.measured.directory, "other").finish(2, {"records": 3, "rejected": 1})
    Stage(work.decided.directory, "other").finish(2, {"kept": 2, "dropped": 1})
    with pytest.raises(WorkError, match=r"measured records: None counted, 3 written\n  decisions: 0 counted"):
        work.publish()


def test_longer_ledger_does_not_balance(work: Work) -> None:
    """Rows behind those of the measured file belong to no record."""
    work.write(work.decided.path(2), ledger([{}, {}, {"decision": "drop"}, {"decision": "drop"}]))
    with pytest.raises(WorkError, match="ledger rows: 4 counted, 3 written"):
        work.publish()


def test_documents_of_a_part_that_fails_midway_do_not_show(work: Work) -> None:
    """The first row group was written when the second turns out to be of another record."""
    work.write(work.decided.path(2), ledger([{}, {}, {"doc_id": hex_of(9)}]))
    with pytest.raises(WorkError, match="not of the same records"):
        work.publish()
    assert list_names(f"{work.dataset}/documents") == []


def test_missing_or_damaged_file_fails_the_part_by_number(work: Work) -> None:
    """And leaves no half-written documents."""
    with write_file(work.decided.path(2)) as file:
        file.write(b"PAR1 no more")
    with pytest.raises(WorkError, match=r"^Publishing part 2 failed: "):
        work.publish()
    Path(work.measured.path(2)).unlink()
    with pytest.raises(WorkError, match=r"^Publishing part 2 failed: .*No such file"):
        work.publish()
    assert list_names(work.dataset) == []


def replace_in_part_2(work: Work, count: int) -> pa.Table:
    """Let decide list so many documents of an earlier store's part as replaced."""
    row = {"build": "b" * 16, "duplicate_of": hex_of(7), "duplicate_kind": "exact", "build_id": BUILD[:16]}
    rows = [{**row, "doc_id": hex_of(i), "similarity": 1.0} for i in range(count)]
    table = pa.Table.from_pylist(rows, REPLACED.schema())
    work.write(work.decided.path(2, REPLACED_SUFFIX), table)
    work.decided.finish(2, {"replaced": count}, [REPLACED_SUFFIX])
    return table


@pytest.mark.parametrize("count", [0, 2])
def test_part_of_an_earlier_store_is_the_list_of_what_is_replaced(work: Work, count: int) -> None:
    """Byte for byte as decide wrote it, with its rows in the marker, and nothing beside it."""
    table = replace_in_part_2(work, count)
    work.publish()
    assert list_names(work.dataset) == ["replaced"]
    assert pq.read_table(work.path("replaced")).equals(table)
    facts = {**file_facts(work.decided.path(2, REPLACED_SUFFIX)), "rows": count}
    assert work.published.marker(2) == {"sizes": {}, "digest": BUILD, "files": {"replaced": facts}}


def test_list_of_replaced_documents_that_is_gone_fails_the_part(work: Work) -> None:
    """Decide has to make it again."""
    replace_in_part_2(work, 1)
    Path(work.decided.path(2, REPLACED_SUFFIX)).unlink()
    with pytest.raises(WorkError, match=r"^Publishing part 2 failed: "):
        work.publish()


def test_fingerprints_are_those_of_all_rows_in_any_row_groups(work: Work) -> None:
    """Row beside row with the ledger, whichever rows are dropped."""
    work.write(work.decided.path(2), ledger([{"decision": "drop"}, {}, {}]))
    work.publish()
    prints = pq.read_table(work.path("fingerprints"))
    assert prints["doc_id"].type == DIGEST
    assert prints["doc_id"].to_pylist() == [digest_of(0), digest_of(1), digest_of(2)]
    assert pq.read_table(work.path("documents"))["doc_id"].to_pylist() == [hex_of(1), hex_of(2)]
