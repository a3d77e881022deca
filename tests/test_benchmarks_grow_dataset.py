"""Grown datasets: the real one first, later generations alike among themselves, whole enough for `verify`."""

import doctest
import hashlib
import json
import re
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from benchmarks import grow_dataset as growing
from benchmarks import remap_rows
from benchmarks.drop_more import LIST
from benchmarks.grow_dataset import grow_dataset, main
from benchmarks.remap_rows import Base, remap
from lineage.catalog import Dataset, open_dataset
from lineage.comparison.compare import compare
from lineage.verification import verify
from schemas.errors import InputError
from tests.grown_base import make_base
from tests.jobs import digests, manifest, table
from transforms.batches import fixed_bytes
from transforms.measure.fingerprint import fingerprint
from transforms.publish.manifest import write_sealed_manifest
from transforms.urls import url_columns

Row = dict[str, Any]
ROWS = 149
GENERATIONS = 3
CHANGED = 0.2


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_base(tmp_path_factory.mktemp("real"))


@pytest.fixture(scope="module")
def grown(real: Path) -> Path:
    """Three generations of the real dataset."""
    assert grow_dataset(real, real.parent / "grown", 2 * ROWS + 1) == GENERATIONS * ROWS
    return real.parent / "grown"


@pytest.fixture(scope="module")
def changed(real: Path) -> Path:
    """The same generations as another build decides."""
    grow_dataset(real, real.parent / "changed", 2 * ROWS + 1, changed=CHANGED)
    return real.parent / "changed"


@pytest.fixture
def base(real: Path) -> Base:
    return Base(open_dataset(str(real)))


def generation(dataset: Path, number: int) -> list[Row]:
    return table(dataset, "ledger")[number * ROWS : (number + 1) * ROWS]


def same_as(rows: list[Row], column: str) -> list[list[int]]:
    """Numbers of rows with the same value, by value: what equals what, whatever it is."""
    values: dict[Any, list[int]] = {}
    for number, row in enumerate(rows):
        values.setdefault(row[column], []).append(number)
    return list(values.values())


# What grows


def test_real_dataset_comes_first_as_it_is(real: Path, grown: Path) -> None:
    """All rows of all tables, but for the build that they name."""
    build = {"build_id": manifest(grown)["build_id"]}
    assert generation(grown, 0) == [{**row, **build} for row in table(real, "ledger")]
    for folder in ("documents", "quarantine"):
        rows = table(real, folder)
        assert table(grown, folder)[: len(rows)] == [{**row, **build} for row in rows]
    assert table(grown, "fingerprints")[:ROWS] == table(real, "fingerprints")


@pytest.mark.parametrize("name", ["grown", "changed"])
def test_grown_dataset_is_whole(name: str, request: pytest.FixtureRequest) -> None:
    """Digests, books, schemas, witnesses, clusters, fingerprints and index: nothing is found."""
    dataset = request.getfixturevalue(name)
    assert verify(str(dataset)).to_pylist() == []
    counts = manifest(dataset)["counts"]
    assert counts["records"] == GENERATIONS * (ROWS + 1)
    assert counts["rejected"] == len(table(dataset, "rejected")) == GENERATIONS


def test_same_dataset_grows_to_the_same_bytes(real: Path, grown: Path, tmp_path: Path) -> None:
    """Threads decide nothing; another seed is another dataset."""
    grow_dataset(real, tmp_path / "again", 2 * ROWS + 1)
    assert digests(tmp_path / "again") == digests(grown)
    assert (tmp_path / "again" / "manifest.json").read_bytes() == (grown / "manifest.json").read_bytes()
    grow_dataset(real, tmp_path / "other", 2 * ROWS + 1, seed=2)
    assert manifest(tmp_path / "other")["build_id"] != manifest(grown)["build_id"]


def test_ids_are_new_and_who_names_them_follows(real: Path, grown: Path) -> None:
    """Witness, cluster and evidence stand at the same rows of every generation."""
    rows = [generation(grown, number) for number in range(GENERATIONS)]
    assert len({row["doc_id"] for one in rows for row in one}) == GENERATIONS * ROWS
    for one in rows[1:]:
        place = {row["doc_id"]: number for number, row in enumerate(one)}
        first = {row["doc_id"]: number for number, row in enumerate(rows[0])}
        for before, after in zip(rows[0], one, strict=True):
            for name in ("duplicate_of", "cluster_id"):
                assert place.get(after[name]) == first.get(before[name])
            marks = zip(before["marks"], after["marks"], strict=True)
            assert all(place.get(b["evidence"]) == first.get(a["evidence"]) for a, b in marks)
        for name in ("decision", "reason", "duplicate_kind", "similarity", "cluster_size", "text_bytes"):
            assert [row[name] for row in one] == [row[name] for row in rows[0]]
        for name in ("text_digest", "url_surtkey", "url_host_registered_domain"):
            assert same_as(one, name) == same_as(rows[0], name)


def test_domains_multiply(grown: Path) -> None:
    """Every registered domain has one of its own in every generation; an address without one stays."""
    rows = [generation(grown, number) for number in range(GENERATIONS)]
    for number, one in enumerate(rows[1:], 1):
        for before, after in zip(rows[0], one, strict=True):
            mark = f"-g{number:04d}"
            for name in ("url", "url_host_name", "url_host_registered_domain"):
                marked = before["url"] and "127.0.0.1" not in before["url"]
                assert (after[name] or "").replace(mark, "") == (before[name] or "")
                assert (mark in (after[name] or "")) == bool(marked)
        derived = url_columns(pa.array([row["url"] for row in one], pa.string()))
        for name in ("url_surtkey", "url_host_name", "url_host_registered_domain"):
            assert [row[name] for row in one] == derived[name].to_pylist()


def test_names_of_records_and_files_tell_their_generation(grown: Path) -> None:
    """And the plan lists the files."""
    files = {row["source_file"] for row in table(grown, "ledger")} | {
        row["source_file"] for row in table(grown, "rejected")
    }
    assert files == {"crawl.jsonl", "g0001/crawl.jsonl", "g0002/crawl.jsonl"}
    assert {file["name"] for file in manifest(grown)["plan"]["files"]} == files
    assert len(manifest(grown)["plan"]["parts"]) == GENERATIONS * 2
    assert generation(grown, 2)[0]["record_id"] == "g0002/d0"


def test_isbns_are_others_with_a_right_check_digit(grown: Path) -> None:
    """A lookup by one finds one document."""
    numbers = [finding["value"] for row in table(grown, "ledger") for finding in row["isbns"]]
    assert len(set(numbers)) == len(numbers) == GENERATIONS
    assert numbers[0] == "9780134685991"
    for number in numbers:
        assert re.fullmatch("978[0-9]{10}", number)
        assert sum(int(digit) * (1 + 2 * (place % 2)) for place, digit in enumerate(number)) % 10 == 0
    for number in numbers:
        assert len(open_dataset(str(grown)).find("isbn", [number])) == 1


# Fingerprints


def test_fingerprints_of_held_texts_are_theirs(base: Base) -> None:
    """Those that the dataset has the text of, kept or quarantined."""
    rows = remap(base, 1, seed=1)
    held = pa.array(base.held)
    assert len(held) == 142
    measured = fingerprint(rows.texts["text"].take(held).combine_chunks(), base.near)
    for name in set(measured) - {"text_bytes"}:
        assert rows.prints[name].take(held).combine_chunks().equals(measured[name]), name
    assert measured["text_bytes"].equals(rows.ledger["text_bytes"].take(held).combine_chunks())


def test_texts_of_generations_share_nothing(base: Base) -> None:
    """Letters stand for letters: the same lengths, other words."""
    first, second = (remap(base, number, seed=1).texts["text"].drop_null().to_pylist() for number in (0, 1))
    assert list(map(len, first)) == list(map(len, second))
    assert not set(first[0].split()) & set(second[0].split())


def test_dropped_documents_stay_as_similar_as_they_were(base: Base) -> None:
    """MinHash values that two documents share are shared in every generation, held text or not; no other ones are."""

    def shared(prints: pa.Table) -> list[int]:
        bands = [fixed_bytes(prints[f"band_{band:02d}"].combine_chunks()).view("<u4") for band in range(25)]
        values = np.concatenate(bands, axis=1)
        return [int((values[row] == values).sum()) for row in base.lost]

    before, after = (remap(base, number, seed=1).prints for number in (0, 1))
    assert shared(before) == shared(after)
    assert not set(before["band_00"].to_pylist()) & set(after["band_00"].to_pylist()) - {b"\xff" * 20}
    lost = pa.array(base.lost)
    sketches = [prints["sketch"].take(lost).to_pylist() for prints in (before, after)]
    empty = before["shingle_count"].take(lost).to_pylist().index(0)
    assert [place for place, pair in enumerate(zip(*sketches, strict=True)) if pair[0] == pair[1]] == [empty]


# Another build


def test_changed_share_is_dropped_by_the_list(grown: Path, changed: Path) -> None:
    """All others are decided as before; the list and its matches stand in the manifest."""
    expected = GENERATIONS * round(CHANGED * ROWS)
    before, after = ({row["doc_id"]: row for row in table(one, "ledger")} for one in (grown, changed))
    listed = {key for key, row in after.items() if any(mark["list"] == LIST["name"] for mark in row["marks"])}
    assert len(listed) == expected
    for key, row in after.items():
        build = {"build_id": manifest(changed)["build_id"]}
        if key in listed:
            said = [row[name] for name in ("decision", "reason", "duplicate_of", "duplicate_kind", "similarity")]
            assert said == ["drop", "blocklist", None, None, None]
            assert row["marks"][0]["matched"] == row["url_host_registered_domain"]
        else:
            assert row == {**before[key], **build}
    (source,) = (one for one in manifest(changed)["sources"] if one["name"] == LIST["name"])
    assert source == {**LIST, "matches": expected}


def test_changed_build_differs_in_no_other_document(grown: Path, changed: Path) -> None:
    """As `diff` counts it."""
    with compare(str(grown), str(changed)) as comparison:
        found = comparison.totals()
    already = Counter(row["reason"] for row in table(grown, "ledger"))["blocklist"]
    assert (found["changes"]["added"], found["changes"]["removed"]) == (0, 0)
    dropped = GENERATIONS * round(CHANGED * ROWS)
    assert dropped - already <= found["changes"]["changed"] <= dropped
    assert [one["name"] for one in found["lists"]] == ["blocklist grown (piracy)"]


# What cannot grow


def test_more_changes_than_documents_without_a_follower_are_refused(real: Path, tmp_path: Path) -> None:
    """And no directory shows."""
    with pytest.raises(ValueError, match=r"148 of 149 documents cannot be dropped: only 14\d are free to go\."):
        grow_dataset(real, tmp_path / "out", ROWS, changed=0.99)
    assert not (tmp_path / "out").exists()


def test_directory_that_is_there_is_refused(real: Path, tmp_path: Path) -> None:
    """It may be a day's work."""
    with pytest.raises(FileExistsError, match="is there already; remove it, or name another one"):
        grow_dataset(real, tmp_path, ROWS)


def test_rest_of_a_broken_run_is_removed(real: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it wrote does not show, and is in nobody's way."""
    with monkeypatch.context() as patch:
        patch.setattr(growing, "merge_range", None)
        with pytest.raises(TypeError):
            grow_dataset(real, tmp_path / "out", ROWS)
    assert not (tmp_path / "out").exists()
    grow_dataset(real, tmp_path / "out", ROWS)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert not (tmp_path / "out" / "_work").exists()


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"takedowns": [{"id": "t"}]}, "has takedowns, or documents that replace others"),
        ({"counts": {"records": 1, "rejected": 1}}, "has no documents, of which others could be made"),
    ],
)
def test_dataset_of_another_kind_is_refused(said: Row, words: str, real: Path, tmp_path: Path) -> None:
    """Before anything is written."""
    write_sealed_manifest(str(tmp_path / "odd"), {**manifest(real), **said})
    with pytest.raises(ValueError, match=words):
        grow_dataset(tmp_path / "odd", tmp_path / "out", ROWS)
    assert [path.name for path in tmp_path.iterdir()] == ["odd"]


def test_directory_without_a_dataset_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no finished dataset"):
        grow_dataset(tmp_path, tmp_path / "out", ROWS)


# The command


def test_command_says_what_it_grew(
    real: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Rows, seconds and the directory; what is wrong ends it with a letter."""
    command = ["grow_dataset", str(real), str(tmp_path / "out"), "--rows", "10"]
    monkeypatch.setattr(sys, "argv", command)
    main()
    assert re.fullmatch(rf"149 ledger rows in \d+\.\d s: {tmp_path}/out\n", capsys.readouterr().out)
    with pytest.raises(SystemExit, match="is there already"):
        main()
    for wrong in (["--rows", "0"], ["--changed", "1"], ["--seed", "-1"]):
        monkeypatch.setattr(sys, "argv", [*command, *wrong])
        with pytest.raises(SystemExit, match="2"):
            main()


def test_examples_run() -> None:
    """Those in the docstrings."""
    assert doctest.testmod(remap_rows).failed == 0


def test_build_is_named_by_what_it_is_made_of(real: Path, grown: Path) -> None:
    """The dataset, its generations, the seed and what changed."""
    said = json.dumps([Dataset(str(real)).build_id, GENERATIONS, 1, 0.0])
    assert manifest(grown)["build_id"] == hashlib.sha256(said.encode()).hexdigest()[:16]
