"""Verify a dataset against what lies outside of it: the crawl files, and requests to take work out."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from lineage.takedowns.take_out import takedown
from lineage.verification import examine
from lineage.verification.check_crawl import sample
from lineage.verification.files import Files
from tests.verified import (
    PARTS,
    changed,
    faults,
    forged,
    ledger_rows,
    make_dataset,
    place_of,
    resealed,
    rewritten,
    sentences,
    with_values,
)
from transforms.publish.manifest import read_manifest

Row = dict[str, Any]
REQUEST: Row = {"requested_by": "Jane Doe", "requested_on": "2026-11-02", "reference": "R-7"}
CRAWL: Row = {"name": "demo", "files": ["demo-*.jsonl"]}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One without carried columns, which cannot be read again."""
    return make_dataset(tmp_path_factory.mktemp("verified"), crawl=CRAWL)


def account(dataset: Path, check: str, **arguments: Any) -> list[str]:
    return [line for name, line in examine(str(dataset), **arguments).account if name == check]


def whole(dataset: Path) -> Files:
    manifest = read_manifest(str(dataset))
    return Files(str(dataset), manifest, frozenset(manifest["files"]))


# The crawl


def test_sample_is_spread_over_all_parts_and_grows_with_its_size(dataset: Path) -> None:
    """A larger sample holds the smaller one; one larger than the ledger is all of it."""
    seen: set[tuple[int, int]] = set()
    rows = sum(len(ledger_rows(dataset, part)) for part in range(PARTS))
    for size in (1, 7, 20, rows, rows + 9):
        places = [(row["part"], row["row"]) for row in sample(whole(dataset), size).to_pylist()]
        assert len(places) == min(size, rows)
        assert places == sorted(set(places))
        assert seen <= set(places)
        seen = set(places)
    assert sample(whole(dataset), 12)["part"].unique().to_pylist() == [0, 1]


@pytest.mark.parametrize(
    ("column", "value", "fault"),
    [
        ("url", "https://other.example/", "`url` is `https://other.example/`, the crawl says `https://g6.example/`"),
        ("text_bytes", 7, "`text_bytes` is `7`, the crawl says `2689`"),
        ("isbns", [{"value": "9780131103627", "source": "text"}], "`isbns` is not what the crawl says"),
        ("source_file", "elsewhere.jsonl", "the crawl has no file elsewhere.jsonl"),
        ("doc_id", "0" * 32, "demo-0.jsonl holds no record with its `doc_id`"),
    ],
)
def test_row_that_is_not_what_the_crawl_gives_is_a_fault(dataset: Path, column: str, value: Any, fault: str) -> None:
    """Whoever changed the ledger did not change the crawl."""
    part, row = place_of(dataset, "plain-20")
    name = f"ledger/part-{part:05d}.parquet"
    assert [one for one in faults(dataset, against_crawl=100) if one["check"] == "crawl"] == []
    with rewritten(dataset, name, with_values(column, {row: value})):
        ((file, at, found),) = [
            (file, at, found) for check, file, at, found in sentences(dataset, against_crawl=100) if check == "crawl"
        ]
    assert (file, at) == (name, row)
    assert found.endswith(fault)


def test_text_and_fingerprint_that_the_crawl_does_not_give_are_faults(dataset: Path) -> None:
    """Also of a text that is the same after normalisation, and of a signature that no other check makes anew."""
    part, row = place_of(dataset, "plain-20")
    documents, prints = (f"{folder}/part-{part:05d}.parquet" for folder in ("documents", "fingerprints"))
    held = pq.read_table(dataset / documents)
    at = held["record_id"].to_pylist().index("plain-20")
    other = held["text"][at].as_py().replace(" ", "\n")
    with rewritten(dataset, documents, with_values("text", {at: other})):
        fault = ("crawl", f"ledger/part-{part:05d}.parquet", row, "its text is not that of the crawl")
        assert sentences(dataset, against_crawl=100) == [fault]
    with rewritten(dataset, prints, with_values("url_digest", {row: bytes(16)})):
        fault = ("crawl", prints, row, "`url_digest` is not that of the crawl")
        assert sentences(dataset, against_crawl=100) == [fault]


def test_crawl_files_that_are_not_at_hand_are_counted_and_said(dataset: Path, tmp_path: Path) -> None:
    """That is no fault of the dataset; neither is a crawl file of another size."""
    crawl = dataset.parent / "demo-0.jsonl"
    rows = {part: len(ledger_rows(dataset, part)) for part in range(PARTS)}
    content = crawl.read_bytes()
    for damage in (None, content + b"\n"):
        with changed(dataset.parent, "demo-0.jsonl", damage):
            found = examine(str(dataset), against_crawl=1000)
            moved = account(dataset, "crawl", against_crawl=1000, crawl_root=str(tmp_path))
        assert found.faults.num_rows == 0
        said = [line for check, line in found.account if check == "crawl"]
        assert said[0] == f"{rows[1]} of {rows[0] + rows[1]} rows read again from the crawl files and compared"
        assert said[1].startswith(f"{rows[0]} rows not compared; of one of them {'it is not' if not damage else crawl}")
        assert moved[0] == said[0]
    for number in range(PARTS):
        shutil.copy(dataset.parent / f"demo-{number}.jsonl", tmp_path)
    with changed(dataset.parent, "demo-0.jsonl", None):
        moved = account(dataset, "crawl", against_crawl=1000, crawl_root=str(tmp_path))
    assert moved == [f"{sum(rows.values())} of {sum(rows.values())} rows read again from the crawl files and compared"]


def test_what_was_read_by_other_versions_is_said(dataset: Path) -> None:
    """A difference may then be one of the programs."""
    with resealed(dataset, lambda manifest: manifest["versions"].update(pyarrow="1.0", lost="2.0")):
        said = account(dataset, "crawl", against_crawl=3)
    expected = "not of the versions by which the dataset was made, so that they may differ: lost, pyarrow"
    assert said[1:] == [expected]


def test_damaged_dataset_is_not_compared_with_its_crawl(dataset: Path) -> None:
    """What is known to be wrong is restored first."""
    with changed(dataset, "ledger/part-00000.parquet", None):
        said = account(dataset, "crawl", against_crawl=3)
    assert said == ["not checked: 1 of the files that this needs are damaged, such as ledger/part-00000.parquet"]


# Takedowns


def take_out(dataset: Path, place: Path, **request: Any) -> Path:
    """The version of a dataset without what a request names."""
    (place / "request.yaml").write_text(yaml.safe_dump(REQUEST | request))
    assert takedown(str(dataset), str(place / "request.yaml"), str(place / "version")).num_rows
    return place / "version"


@pytest.fixture(scope="module")
def version(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Without a document, what is like it, and what repeats its URL."""
    url = next(row["url"] for row in ledger_rows(dataset, 0) if row["record_id"] == "near-6")
    return take_out(dataset, tmp_path_factory.mktemp("version"), selectors={"urls": [url, "https://a0.example/page"]})


def certificate(version: Path) -> str:
    (entry,) = read_manifest(str(version))["takedowns"]
    return str(entry["certificate"])


def test_version_without_what_was_taken_out_is_whole(version: Path) -> None:
    """Its certificate is checked with it."""
    found = examine(str(version), against_crawl=1000)
    assert found.faults.to_pylist() == []
    (entry,) = read_manifest(str(version))["takedowns"]
    assert ("takedowns", f"1; certificates: 1; rows: {entry['records']}") in found.account
    assert any(line.endswith(f"version {read_manifest(str(version))['version_id']}") for _, line in found.account)


def test_version_in_which_the_next_in_line_came_back_is_whole(dataset: Path, tmp_path: Path) -> None:
    """The index has keys of former witnesses too, so it is only looked at whether it is sorted."""
    url = next(row["url"] for row in ledger_rows(dataset, 0) if row["record_id"] == "near-6")
    said = {"selectors": {"urls": [url]}, "scope": "named", "witnesses": "next_in_line"}
    found = examine(str(take_out(dataset, tmp_path, **said)))
    assert found.faults.to_pylist() == []
    line = "index_keys: sorted; not compared, as `witnesses: next_in_line` leaves keys of former witnesses"
    assert ("index", line) in found.account


def test_takedown_of_the_config_has_no_certificate_and_is_whole(tmp_path: Path) -> None:
    """Its rows are counted as those of any other."""
    (tmp_path / "request.yaml").write_text(yaml.safe_dump(REQUEST | {"selectors": {"domains": ["c0.example"]}}))
    dataset = make_dataset(tmp_path, crawl=CRAWL, takedowns=["request.yaml"])
    found = examine(str(dataset))
    assert found.faults.to_pylist() == []
    (entry,) = read_manifest(str(dataset))["takedowns"]
    assert entry["records"] > 0
    assert ("takedowns", f"1; certificates: 0; rows: {entry['records']}") in found.account


def edited(version: Path, change: Callable[[Row], object]) -> bytes:
    said = json.loads((version / certificate(version)).read_text())
    change(said)
    return json.dumps(said).encode()


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (
            lambda said: said["records"].pop(),
            "it names {fewer} documents, and {count} rows of the ledger are out by it",
        ),
        (
            lambda said: said["records"][0].update(doc_id="0" * 32),
            f"it names {'0' * 32}, which is not out by it in part 0",
        ),
        (lambda said: said["request"].update(reference="R-8"), None),
        (lambda said: said["evidence"].update(sha256="0" * 64), None),
        (lambda said: said.update(format="another"), None),
    ],
)
def test_certificate_that_was_changed_is_a_fault(
    version: Path, change: Callable[[Row], object], fault: str | None
) -> None:
    """Though the manifest vouches for its bytes."""
    name = certificate(version)
    count = read_manifest(str(version))["takedowns"][0]["records"]
    with forged(version, name, edited(version, change)):
        ((check, file, _, found),) = sentences(version)
    assert (check, file) == ("takedowns", name)
    assert fault is None or found == fault.format(fewer=count - 1, count=count)


def test_certificate_that_is_not_listed_or_another_is_a_fault(version: Path) -> None:
    """The manifest says which there must be."""
    name = certificate(version)

    def forget(manifest: Row) -> None:
        manifest["bytes"]["written"] -= manifest["files"].pop(name)["bytes"]

    with resealed(version, forget):
        assert ("takedowns", "manifest.json") in [(check, file) for check, file, *_ in sentences(version)]
    with resealed(version, lambda manifest: manifest["takedowns"][0].update(sha256="0" * 64)):
        ((_, file, _, fault),) = sentences(version)
    assert file == name
    assert fault.endswith(f", the manifest says {'0' * 64}")
    with resealed(version, lambda manifest: manifest["takedowns"].append(manifest["takedowns"][0])):
        assert ("takedowns", "manifest.json", None, "`takedowns` lists one of them twice") in sentences(version)


def test_document_that_was_taken_out_and_is_kept_is_a_fault(version: Path) -> None:
    """Its ledger row says so, whatever else was changed to hide it."""
    rows = ledger_rows(version, 0)
    row = next(number for number, row in enumerate(rows) if row["takedown_id"])
    name = "ledger/part-00000.parquet"

    def keep(table: pa.Table) -> pa.Table:
        return with_values("reason", {row: None})(with_values("decision", {row: "keep"})(table))

    with rewritten(version, name, keep):
        found = sentences(version)
    assert ("decisions", name, row, "`decision` is `keep`, its marks give `drop`") in found
    assert {check for check, *_ in found} == {"books", "decisions"}
