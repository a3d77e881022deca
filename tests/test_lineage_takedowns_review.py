"""Takedowns of crawls that a takedown had decided, of what is out for two reasons, and the order of marks."""

import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from lineage.takedowns import takedown
from lineage.takedowns.claim_output import version_after
from lineage.verification import verify
from schemas.reasons import RULES
from tests.jobs import ledger, manifest, run, write_config, write_jsonl
from tests.takedown_data import document, edited, files, text, write_request
from transforms.takedowns.read_takedown import read_takedown

Row = dict[str, Any]

WORK = "https://work.example/work"


def build(place: Path, rows: list[Row], **keys: Any) -> Path:
    write_jsonl(place / "crawl.jsonl", rows)
    config = {"crawl": {"name": "review", "files": ["*.jsonl"]}, **keys}
    assert run("curate", write_config(place / "review.yaml", config), "--output", place / "dataset", "--quiet") == 0
    return place / "dataset"


def take_out(old: Path, new: Path, selectors: Row, **keys: Any) -> dict[str, Row]:
    """Ledger rows of a new version, which is whole; the request lies beside it."""
    path = write_request(new.with_suffix(".yaml"), selectors, **keys)
    takedown(str(old), str(path), str(new))
    assert verify(str(new)).to_pylist() == []
    return ledger(new)


def names(rows: dict[str, Row]) -> dict[str, str]:
    return {row["doc_id"]: name for name, row in rows.items()}


# Crawls that were decided by the request


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset with a request that names `work`, and the dataset of the same crawl that was decided by it."""
    place = tmp_path_factory.mktemp("asked")
    rows = [document("work", text("work"), "work.example"), document("twin", text("work"), "twin.example")]
    rows += [document("near", edited("work", 3), "near.example"), document("other", text("else"), "other.example")]
    write_request(place / "request.yaml", {"urls": [WORK]})
    build(place, rows, takedowns=["request.yaml"])
    return place


def certificate(dataset: Path) -> Row:
    (path,) = (dataset / "takedowns").glob("*.json")
    return dict(json.loads(path.read_text()))


def test_takedown_that_decided_the_crawl_gets_its_certificate(asked: Path, tmp_path: Path) -> None:
    """Though nothing more is found: its records are what the ledger says, its evidence the works."""
    old, request = asked / "dataset", str(asked / "request.yaml")
    assert len(takedown(str(old), request, str(tmp_path / "new"))) == 0
    assert verify(str(tmp_path / "new")).to_pylist() == []
    rows, said, takedown_id = ledger(old), manifest(tmp_path / "new"), read_takedown(request).id
    out = {row["doc_id"]: row["marks"][0] for row in rows.values() if row["takedown_id"]}
    assert set(out) == {rows[name]["doc_id"] for name in ("work", "twin", "near")}
    assert ledger(tmp_path / "new") == rows
    assert said["version_id"] == version_after(manifest(old)["version_id"], takedown_id)
    (entry,) = said["takedowns"]
    assert (entry["certificate"], entry["records"]) == (f"takedowns/{takedown_id}.json", 3)
    records = certificate(tmp_path / "new")["records"]
    assert {record["doc_id"]: record for record in records} == {
        doc_id: {
            "doc_id": doc_id,
            "url": rows[names(rows)[doc_id]]["url"],
            "part": 0,
            "row": list(rows).index(names(rows)[doc_id]),
            "decision": None,
            "selector": mark["category"],
            "matched": mark["matched"],
            "similarity": mark["value"],
            "method": mark["method"],
            "evidence": mark["evidence"],
        }
        for doc_id, mark in out.items()
    }
    works = pq.read_table(tmp_path / "new" / "takedowns" / f"{takedown_id}.parquet")["doc_id"].to_pylist()
    assert {work.hex() for work in works} == set(out)


def test_certificate_that_came_late_is_not_written_again(asked: Path, tmp_path: Path) -> None:
    """The takedown of the version that has it finds nothing and makes the same one."""
    request = str(asked / "request.yaml")
    takedown(str(asked / "dataset"), request, str(tmp_path / "new"))
    takedown(str(tmp_path / "new"), request, str(tmp_path / "newer"))
    assert files(tmp_path / "newer") == files(tmp_path / "new")


def test_crawl_is_decided_by_a_late_certificate_as_by_its_request(asked: Path, tmp_path: Path) -> None:
    """Copies are found by its evidence, without the work among them."""
    takedown(str(asked / "dataset"), str(asked / "request.yaml"), str(tmp_path / "new"))
    (path,) = (tmp_path / "new" / "takedowns").glob("*.json")
    later = build(tmp_path, [document("copy", edited("work", 2), "late.example")], takedowns=[str(path)])
    assert ledger(later)["copy"]["reason"] == "takedown"
    takedown(str(later), str(asked / "request.yaml"), str(tmp_path / "newest"))
    (record,) = certificate(tmp_path / "newest")["records"]
    assert record["selector"] == "near_duplicates"
    works = pq.read_table(next((tmp_path / "newest" / "takedowns").glob("*.parquet")))["doc_id"].to_pylist()
    assert [work.hex() for work in works] == [record["doc_id"]]  # no selector names it, only the ledger
    assert verify(str(tmp_path / "newest")).to_pylist() == []


def test_certificate_names_also_what_the_crawl_was_decided_by(tmp_path: Path) -> None:
    """Where more is found than then: here by estimates, as the texts are away, some of which are too high."""
    rows = [document("work", text("s", 200), "work.example")]
    for words in range(20, 60):
        content = f"{text('s', 200 - words)} {text(f'o{words}q', words)}"
        rows.append(document(f"copy-{words}", content, "copies.example"))
    path = write_request(tmp_path / "request.yaml", {"urls": [WORK]})
    old = build(tmp_path, rows, takedowns=["request.yaml"])
    shutil.move(tmp_path / "crawl.jsonl", tmp_path / "away")
    found = takedown(str(old), str(path), str(tmp_path / "new"))
    before = [row["doc_id"] for row in ledger(old).values() if row["takedown_id"]]
    assert len(found) > 0
    records = certificate(tmp_path / "new")["records"]
    assert [one["doc_id"] for one in records] == [*before, *found["doc_id"].to_pylist()]
    assert manifest(tmp_path / "new")["takedowns"][0]["records"] == len(before) + len(found)
    assert verify(str(tmp_path / "new")).to_pylist() == []


def test_text_whose_copies_went_before_is_not_said_to_match_nothing(tmp_path: Path) -> None:
    """Its certificate names them."""
    path = write_request(tmp_path / "request.yaml", {"texts": [{"text": text("work")}, {"text": text("none")}]})
    old = build(tmp_path, [document("near", edited("work", 3), "near.example")], takedowns=["request.yaml"])
    takedown(str(old), str(path), str(tmp_path / "new"))
    said, (work, none) = certificate(tmp_path / "new"), read_takedown(str(path)).text_names
    assert [record["matched"] for record in said["records"]] == [work]
    assert said["matched_nothing"] == [{"selector": "texts", "matched": none}]


# What is out for two reasons


LONG = text("work") + " the longest of all"
BLOCKED = [
    document("work", LONG, "work.example"),
    document("plain", text("work"), "plain.example"),
    document("blocked", text("work"), "blocked.example"),
    document("reserved", text("work") + " All rights reserved.", "reserved.example"),
    document("held", text("work") + " noticed © 2019 Harper.", "held.example"),
    # Its URL is that of the work, its text that of a document that stays.
    document("both", text("st"), "work.example", "work"),
    document("stays", text("st"), "stays.example"),
    document("stays-2", text("st") + " longer", "stays.example"),
]
LISTS: Row = {
    "sources": {"blocklists": [{"name": "bad", "path": "bad.txt", "format": "domains", "category": "piracy"}]},
    "policy": {"signals": {"rights_reserved": "drop", "copyright_notice": "quarantine"}},
}


@pytest.fixture(scope="module")
def twice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset in which copies of a work are out for other reasons too."""
    place = tmp_path_factory.mktemp("twice")
    (place / "bad.txt").write_text("blocked.example\n")
    return build(place, BLOCKED, **LISTS, dedup={"taint": "flag"})


def test_crawl_was_decided_for_two_reasons_as_these_tests_need_it(twice: Path) -> None:
    """All copies name the work; one has another witness besides."""
    rows = ledger(twice)
    work = rows["work"]["doc_id"]
    assert rows["work"]["decision"] == "keep"
    named = {name: row["duplicate_of"] for name, row in rows.items() if row["duplicate_of"] == work}
    assert set(named) == {"plain", "blocked", "reserved", "held", "both"}
    assert {name: rows[name]["reason"] for name in ("blocked", "reserved", "held")} == {
        "blocked": "blocklist",
        "reserved": "rights_reserved",
        "held": "near_duplicate",
    }
    assert [mark["rule"] for mark in rows["both"]["marks"]] == ["same_url", "near_duplicate"]
    assert rows["both"]["marks"][1]["evidence"] == rows["stays-2"]["doc_id"]


@pytest.mark.parametrize("witnesses", ["stay_out", "next_in_line"])
def test_follower_that_something_else_drops_stays_as_it_is(twice: Path, tmp_path: Path, witnesses: str) -> None:
    """A list, the policy, or a witness that survives; who was quarantined besides goes with the work."""
    before = ledger(twice)
    selectors = {"doc_ids": [before["work"]["doc_id"]]}
    after = take_out(twice, tmp_path / "new", selectors, scope="named", witnesses=witnesses)
    for name in ("blocked", "reserved", "both", "stays", "stays-2"):
        assert after[name] == before[name]
    assert (after["held"]["reason"], after["held"]["marks"][0]["category"]) == ("takedown", "witness")
    assert after["plain"]["decision"] == ("keep" if witnesses == "next_in_line" else "drop")
    assert (after["plain"]["reason"] == "takedown") == (witnesses == "stay_out")


@pytest.mark.parametrize("first", ["work", "stays-2"])
@pytest.mark.parametrize("witnesses", ["stay_out", "next_in_line"])
def test_follower_goes_with_the_last_of_its_witnesses(twice: Path, tmp_path: Path, first: str, witnesses: str) -> None:
    """In whatever order they go; what the first takedown kept out does not come back by the second."""
    before = ledger(twice)
    second = {"work": "stays-2", "stays-2": "work"}[first]
    one = take_out(twice, tmp_path / "1", {"doc_ids": [before[first]["doc_id"]]}, scope="named")
    assert one["both"] == before["both"]
    selectors = {"doc_ids": [before[second]["doc_id"]]}
    two = take_out(tmp_path / "1", tmp_path / "2", selectors, scope="named", witnesses=witnesses)
    assert two["both"]["takedown_id"] == two[second]["takedown_id"]
    assert two["both"]["marks"][0]["category"] == "witness"
    again = str(write_request(tmp_path / "again.yaml", selectors, scope="named", witnesses=witnesses))
    assert len(takedown(str(tmp_path / "2"), again, dry_run=True)) == 0


def test_follower_of_two_that_go_together_goes(twice: Path, tmp_path: Path) -> None:
    """Both of its witnesses are named by one request."""
    before = ledger(twice)
    selectors = {"doc_ids": [before[name]["doc_id"] for name in ("work", "stays-2")]}
    after = take_out(twice, tmp_path / "new", selectors, scope="named")
    assert after["both"]["marks"][0]["category"] == "witness"


def test_copy_that_was_only_flagged_stays_and_names_what_went(tmp_path: Path) -> None:
    """Nobody is out by it."""
    rows = [document("work", LONG, "work.example"), document("copy", text("work"), "copy.example")]
    old = build(tmp_path, rows, dedup={"survivor": "flag"})
    after = take_out(old, tmp_path / "new", {"urls": [WORK]}, scope="named")
    assert after["copy"] == ledger(old)["copy"]
    assert after["copy"]["duplicate_of"] == after["work"]["doc_id"]


# The order of marks


def test_marks_of_who_is_judged_anew_stand_in_the_order_of_rules(tmp_path: Path) -> None:
    """A flag of a rule that comes after those of duplicates stays behind them."""
    (tmp_path / "bad.txt").write_text("blocked.example\n")
    rows = [
        document("work", LONG, "work.example"),
        document("second", text("work") + " longer", "second.example"),
        document("third", text("work"), "third.example"),
        document("blocked", text("work"), "blocked.example"),
    ]
    old = build(tmp_path, rows, **LISTS, dedup={"taint": "flag"})
    after = take_out(old, tmp_path / "new", {"urls": [WORK]}, scope="named", witnesses="next_in_line")
    assert [mark["rule"] for mark in after["third"]["marks"]] == ["near_duplicate", "taint"]
    assert after["third"]["duplicate_of"] == after["second"]["doc_id"]
    rank = list(RULES).index
    for row in (*ledger(old).values(), *after.values()):
        assert row["marks"] == sorted(row["marks"], key=lambda mark: rank(mark["rule"]))
