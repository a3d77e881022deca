"""Balancing a dataset: sums over all markers, and a refusal for every kind of imbalance."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import BooksError
from transforms.part_store import Stage
from transforms.publish.write_manifest import add_up, balance

Marker = dict[str, Any]
TABLES = st.dictionaries(st.sampled_from("abcd"), st.integers(1, 9))


@given(st.lists(st.fixed_dictionaries({"n": st.integers(0, 9), "by": TABLES, "other": st.just("x")}), max_size=5))
def test_sums_agree_with_counting_one_by_one(markers: list[Marker]) -> None:
    """Tables come out sorted by key; names that are not asked for are left out."""
    by: Counter[str] = Counter()
    for marker in markers:
        by.update(marker["by"])
    found = add_up(markers, ["n", "by"])
    assert found == {"n": sum(marker["n"] for marker in markers), "by": dict(by) if markers else 0}
    if markers:
        assert list(found["by"]) == sorted(by)


def test_marker_without_a_name_is_a_key_error() -> None:
    """A count that is not there is never taken for zero."""
    with pytest.raises(KeyError, match="kept"):
        add_up([{"kept": 1}, {"dropped": 1}], ["kept"])


def files(documents: int, ledger: int, rejected: int) -> dict[str, Marker]:
    rows = {"documents": documents, "ledger": ledger, "rejected": rejected, "fingerprints": ledger}
    return {name: {"rows": count, "bytes": 100 + count, "sha256": f"of {name}"} for name, count in rows.items()}


def measured(records: int, rejected: int, **not_documents: int) -> Marker:
    sizes = {"text_bytes": 10 * records, "input_bytes": 50 * records}
    reasons = {"broken_json": rejected} if rejected else {}
    counts = {"records": records, "rejected": rejected, "rejected_by": reasons, "urls_without_host": records}
    return {**counts, "not_documents": not_documents, **sizes}


def decided(kept: int, dropped_by: dict[str, int], lists: dict[str, int], quarantined: int = 0) -> Marker:
    return {
        "kept": kept,
        "quarantined": quarantined,
        "quarantined_by": {"noai": quarantined} if quarantined else {},
        "dropped": sum(dropped_by.values()),
        "dropped_by": dropped_by,
        "marks": dropped_by,
        "flags": {},
        "lists": lists,
        "rights_basis": {"crawl": kept} if kept else {},
    }


def published(kept: int, records: int, rejected: int) -> Marker:
    return {"records": records, "kept_text_bytes": 10 * kept, "files": files(kept, records, rejected)}


def stages_in(directory: Path) -> tuple[Stage, Stage, Stage]:
    measured, decided, published = (Stage(str(directory / name), name) for name in ("measured", "decided", "published"))
    return measured, decided, published


class Books:
    """Two parts: 5 records of which 3 are kept, and 2 of which none is; 1 rejected. Earlier parts may follow."""

    def __init__(self, directory: Path):
        self.stages = stages_in(directory)
        self.markers: list[list[Marker]] = [
            [measured(5, 1, request=2, media=1), measured(2, 0, request=3)],
            [decided(3, {"taint": 1, "blocklist": 1}, {"a": 1}), decided(0, {"blocklist": 2}, {"a": 1, "b": 2})],
            [published(3, 5, 1), published(0, 2, 0)],
        ]

    def balance(self) -> dict[str, Any]:
        for stage, markers in zip(self.stages, self.markers, strict=True):
            for number, marker in enumerate(markers):
                stage.finish(number, marker)
        return balance(*self.stages, 2)

    def replace(self, listed: list[int], written: list[int]) -> dict[str, Any]:
        """Balance with earlier parts, of which so many documents are listed as replaced, and so many written."""
        self.balance()
        for number, (said, wrote) in enumerate(zip(listed, written, strict=True), start=2):
            self.stages[1].finish(number, {"replaced": said})
            self.stages[2].finish(number, {"files": {"replaced": {"rows": wrote, "bytes": 10, "sha256": "of it"}}})
        return balance(*self.stages, 2, len(listed))


@pytest.fixture
def books(tmp_path: Path) -> Books:
    return Books(tmp_path)


def test_balanced_books_give_the_counts_of_the_manifest(books: Books) -> None:
    """Records in are kept, dropped and rejected together; all tables are sorted."""
    found = books.balance()
    assert found["counts"] == {
        "records": 8,
        "kept": 3,
        "quarantined": 0,
        "dropped": 4,
        "rejected": 1,
        "dropped_by": {"blocklist": 3, "taint": 1},
        "quarantined_by": {},
    }
    assert found["marks"] == {"blocklist": 3, "taint": 1}
    assert found["not_documents"] == {"media": 1, "request": 5}
    assert found["rights_basis"] == {"crawl": 3}
    assert (found["rejected_by"], found["urls_without_host"]) == ({"broken_json": 1}, 7)
    assert found["list_matches"] == {"a": 2, "b": 2}
    assert [list(found[name]) for name in ("not_documents", "list_matches")] == [["media", "request"], ["a", "b"]]
    counts = found["counts"]
    assert counts["records"] == counts["kept"] + counts["dropped"] + counts["rejected"]


def test_quarantined_documents_are_counted_apart(books: Books) -> None:
    """One of the kept of the first part is quarantined instead: it has a file, which the second part has not."""
    books.markers[1][0] = decided(2, {"blocklist": 2}, {"a": 2}, quarantined=1)
    books.markers[2][0] = published(2, 5, 1)
    books.markers[2][0]["files"]["quarantine"] = {"bytes": 9, "sha256": "q", "rows": 1}
    found = books.balance()
    assert {name: found["counts"][name] for name in ("records", "kept", "quarantined", "quarantined_by")} == {
        "records": 8,
        "kept": 2,
        "quarantined": 1,
        "quarantined_by": {"noai": 1},
    }
    assert [path for path in found["files"] if path.startswith("quarantine")] == ["quarantine/part-00000.parquet"]


def test_balanced_books_list_all_files_and_their_bytes(books: Books) -> None:
    """By path in the dataset, folder by folder, part by part."""
    found = books.balance()
    assert found["files"] == {
        f"{folder}/part-{number:05d}.parquet": books.markers[2][number]["files"][folder]
        for folder in ("documents", "ledger", "rejected", "fingerprints")
        for number in (0, 1)
    }
    assert list(found["files"])[:3] == [
        "documents/part-00000.parquet",
        "documents/part-00001.parquet",
        "ledger/part-00000.parquet",
    ]
    assert found["bytes"] == {"input": 350, "text": 70, "kept_text": 30, "written": 800 + 3 + 5 + 1 + 2 + 5 + 2}


def test_replaced_documents_are_counted_and_their_files_listed(books: Books) -> None:
    """After the files of the crawl, by the numbers that follow on its own; they are written, but no records."""
    alone, found = books.balance(), books.replace([4, 0], [4, 0])
    assert (alone["replaced"], found["replaced"]) == (0, 4)
    assert list(found["files"])[-2:] == ["replaced/part-00002.parquet", "replaced/part-00003.parquet"]
    assert found["bytes"]["written"] == alone["bytes"]["written"] + 20
    assert found["counts"] == alone["counts"]


def test_replaced_documents_that_were_not_written_are_an_imbalance(books: Books) -> None:
    """As any other rows."""
    with pytest.raises(BooksError, match=r"so nothing is published:\n  replaced: 4 counted, 3 written$"):
        books.replace([4, 0], [3, 0])


def test_earlier_part_that_is_not_done_is_missing(books: Books) -> None:
    """It is one of all parts."""
    books.replace([4], [4])
    with pytest.raises(BooksError, match=r"parts done: 3 counted, 4 written$"):
        balance(*books.stages, 2, 2)


def test_dataset_without_parts_balances_at_zero(tmp_path: Path) -> None:
    """An empty crawl is no imbalance."""
    found = balance(*stages_in(tmp_path), 0)
    assert found["counts"] == {
        **dict.fromkeys(("records", "kept", "quarantined", "dropped", "rejected"), 0),
        "dropped_by": {},
        "quarantined_by": {},
    }
    assert (found["files"], found["marks"], found["not_documents"], found["list_matches"]) == ({}, {}, {}, {})


@pytest.mark.parametrize("stage", [0, 1, 2], ids=["measured", "decided", "published"])
def test_part_that_one_stage_has_not_done_is_missing(books: Books, stage: int) -> None:
    """Whichever stage it is."""
    books.markers[stage].pop()
    with pytest.raises(BooksError) as refusal:
        books.balance()
    assert str(refusal.value) == (
        "The books of all parts do not balance, so nothing is published:\n  parts done: 1 counted, 2 written"
    )


def test_part_of_another_digest_is_missing(books: Books) -> None:
    """What another config wrote is not counted."""
    books.balance()
    other = Stage(books.stages[1].directory, "other")
    other.finish(0, books.markers[1][0])
    with pytest.raises(BooksError, match="parts done: 1 counted, 2 written"):
        balance(*books.stages, 2)


@pytest.mark.parametrize(
    ("stage", "change", "lines"),
    [
        (0, {"records": 6}, ["records: 8 counted, 7 written", "fingerprints: 8 counted, 7 written"]),
        (0, {"rejected": 0}, ["rejected: 0 counted, 1 written"]),
        (1, {"kept": 2}, ["kept: 2 counted, 3 written", "decisions: 6 counted, 7 written"]),
        (1, {"dropped": 3}, ["decisions: 8 counted, 7 written", "dropped by reason: 5 counted, 4 written"]),
        (
            1,
            {"quarantined": 1},
            [
                "quarantined: 1 counted, 0 written",
                "decisions: 8 counted, 7 written",
                "quarantined by reason: 1 counted, 0 written",
            ],
        ),
        (1, {"dropped_by": {"taint": 1}}, ["dropped by reason: 4 counted, 3 written"]),
        (2, {"records": 4}, ["records: 7 counted, 6 written"]),
        (2, {"files": files(2, 5, 1)}, ["kept: 3 counted, 2 written"]),
        (2, {"files": files(3, 4, 1)}, ["decisions: 7 counted, 6 written", "fingerprints: 7 counted, 6 written"]),
        (2, {"files": files(3, 5, 2)}, ["rejected: 1 counted, 2 written"]),
    ],
)
def test_every_imbalance_is_refused_and_named(books: Books, stage: int, change: Marker, lines: list[str]) -> None:
    """One wrong number in one marker is enough."""
    books.markers[stage][0] |= change
    with pytest.raises(BooksError) as refusal:
        books.balance()
    assert str(refusal.value) == (
        "The books of the dataset do not balance, so nothing is published:\n  " + "\n  ".join(lines)
    )
