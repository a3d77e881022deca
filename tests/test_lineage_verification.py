"""Verify a dataset: its manifest, its files byte for byte, their schemas; and what is said where nothing is wrong."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lineage.catalog import open_dataset
from lineage.verification import CHECKS, FAULTS, examine, verify
from lineage.verification.check_files import check_files
from lineage.verification.check_manifest import check_manifest
from lineage.verification.findings import Findings
from schemas.errors import InputError
from tests.memory_files import MemoryFiles
from tests.verified import (
    changed,
    crawl_rows,
    faults,
    forged,
    make_dataset,
    resealed,
    rewritten,
    sentences,
    shared_dataset,
    text,
)
from transforms.publish.manifest import read_manifest

Row = dict[str, Any]
LEDGER = "ledger/part-00000.parquet"
DOCUMENTS = "documents/part-00001.parquet"
RESTORE = "restore it from a copy"


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shared_dataset(tmp_path_factory.getbasetemp())


def files_of(dataset: Path) -> list[str]:
    return sorted(read_manifest(str(dataset))["files"])


def flipped(content: bytes, at: int, bit: int) -> bytes:
    return content[:at] + bytes([content[at] ^ 1 << bit]) + content[at + 1 :]


# What is whole


def test_whole_dataset_has_no_fault_and_an_account_of_every_check(dataset: Path) -> None:
    """Each check says what it looked at, in their order."""
    found = examine(str(dataset), against_crawl=100)
    assert found.faults.equals(FAULTS.empty_table())
    assert found.account == [
        ("manifest", f"sealed, format 4, build {read_manifest(str(dataset))['build_id']}"),
        ("files", f"12 of 12 are as listed, {read_manifest(str(dataset))['bytes']['written']:,} bytes in all"),
        ("schemas", "12 of 12 Parquet files have the columns and rows they must have"),
        ("books", "27 counts of 46 records compared with the files"),
        ("decisions", "44 ledger rows"),
        ("witnesses", "6 documents repeat another, in 4 clusters"),
        ("fingerprints", "37 texts digested anew, one of 16 signed anew"),
        ("index", "index_keys: 1,268 entries, compared with the keys of all rows"),
        ("index", "index_urls: 44 entries, compared with the keys of all rows"),
        ("takedowns", "0; certificates: 0; rows: 0"),
        ("crawl", "44 of 44 rows read again from the crawl files and compared"),
    ]
    assert [check for check, _ in found.account if check != "index"] == [name for name in CHECKS if name != "index"]


@pytest.mark.parametrize(
    "dedup",
    [
        {"near": None, "exact": None, "url": None},
        {"survivor": "none", "taint": "drop"},
    ],
    ids=["nothing compared", "none survives"],
)
def test_dataset_of_any_policy_is_whole(tmp_path: Path, dedup: Row) -> None:
    """Witnesses that go too, marks that only flag, documents without fingerprints."""
    assert faults(make_dataset(tmp_path, dedup=dedup), against_crawl=5) == []


def test_dataset_that_was_compared_with_an_earlier_one_is_whole(dataset: Path, tmp_path: Path) -> None:
    """Clusters hold documents of the earlier build, and witnesses of it are not looked for here."""
    rows = [*crawl_rows(), {"id": "new", "url": "https://new.example/", "text": text("new"), "shelf": "s"}]
    assert faults(make_dataset(tmp_path, "later", rows, dedup={"against": [str(dataset)]})) == []


def test_dataset_of_rejected_lines_alone_is_whole(tmp_path: Path) -> None:
    """A ledger without rows, an index without files."""
    assert faults(make_dataset(tmp_path, rows=[])) == []


def test_moved_dataset_with_a_slash_at_its_end_is_whole(dataset: Path, tmp_path: Path) -> None:
    """The place is no part of the dataset, whatever characters are in it."""
    place = tmp_path / "it's [here]"
    shutil.copytree(dataset, place)
    assert verify(f"{place}/").num_rows == 0
    assert verify(open_dataset(str(place))).num_rows == 0


def test_dataset_on_another_file_system_is_verified_there(dataset: Path) -> None:
    """Object stores are listed and read through the same door."""
    place = "memory://bucket/dataset"
    MemoryFiles.files.clear()
    for path in dataset.rglob("*.*"):
        MemoryFiles.files[f"{place}/{path.relative_to(dataset)}"] = path.read_bytes()
    try:
        assert verify(place).num_rows == 0
        MemoryFiles.files[f"{place}/{LEDGER}"] = flipped(MemoryFiles.files[f"{place}/{LEDGER}"], 99, 3)
        MemoryFiles.files[f"{place}/documents/more"] = b"x"
        assert verify(place)["file"].to_pylist() == [LEDGER, "documents/more"]
    finally:
        MemoryFiles.files.clear()


# The manifest


def test_any_flipped_byte_of_the_manifest_is_found_and_named(dataset: Path) -> None:
    """One byte after the other, from the first to the last."""
    content = (dataset / "manifest.json").read_bytes()
    fault = "it was changed after it was written: its seal does not fit its content; restore it from a copy"
    for at in (*range(0, len(content), 17), *range(len(content) - 80, len(content))):
        with changed(dataset, "manifest.json", flipped(content, at, at % 8)):
            findings = Findings()
            assert check_manifest(str(dataset), findings) is None, at
            assert findings.table()["fault"].to_pylist() == [fault]


@pytest.mark.parametrize("change", [lambda c: c[:-1], lambda c: c + b"\n", lambda c: c[: len(c) // 2]])
def test_cut_or_longer_manifest_ends_the_verification(dataset: Path, change: Callable[[bytes], bytes]) -> None:
    """Nothing can be checked by a manifest that is not as it was written."""
    with changed(dataset, "manifest.json", change((dataset / "manifest.json").read_bytes())):
        found = examine(str(dataset))
    assert found.faults["file"].to_pylist() == ["manifest.json"]
    assert found.account == [("manifest", "damaged; nothing else can be checked without it")]


def test_sealed_manifest_that_lacks_keys_is_named_with_all_of_them(dataset: Path) -> None:
    """Whoever sealed it did not write it with this program."""

    def change(manifest: Row) -> None:
        del manifest["counts"], manifest["duplicates"]["against"], manifest["plan"]["files"][1]["name"]
        manifest["files"][LEDGER]["sha256"] = None
        manifest["takedowns"] = {}

    with resealed(dataset, change):
        found = [one["fault"] for one in faults(dataset)]
    assert found == [
        "`counts.dropped_by` is missing, or is no dict",
        "`counts.quarantined_by` is missing, or is no dict",
        "`duplicates.against` is missing, or is no list",
        "`takedowns` is missing, or is no list",
        f"`files.{LEDGER}.sha256` is missing, or is no str",
        "`plan.files.1.name` is missing, or is no str",
    ]


def test_what_is_no_dataset_is_refused_with_a_letter(dataset: Path, tmp_path: Path) -> None:
    """There is nothing to verify: no directory, an unfinished run, another format."""
    with pytest.raises(InputError, match="holds no finished dataset"):
        verify(str(tmp_path / "nowhere"))
    (tmp_path / "_work").mkdir()
    (tmp_path / "_work" / "stage.json").write_text("{}")
    with pytest.raises(InputError, match="is not finished"):
        verify(str(tmp_path))
    with pytest.raises(InputError, match="is of format 5"), resealed(dataset, lambda m: m.update(format_version=5)):
        verify(str(dataset))
    with pytest.raises(InputError, match="is of format 3"), changed(dataset, "manifest.json", b'{"format_version": 3}'):
        verify(str(dataset))


# The files


@given(data=st.data())
@settings(max_examples=80, deadline=None)
def test_any_flipped_byte_of_any_file_is_found_and_named(dataset: Path, data: st.DataObject) -> None:
    """And no other file is."""
    manifest = read_manifest(str(dataset))
    name = data.draw(st.sampled_from(sorted(manifest["files"])))
    content = (dataset / name).read_bytes()
    at, bit = data.draw(st.integers(0, len(content) - 1)), data.draw(st.integers(0, 7))
    findings = Findings()
    with changed(dataset, name, flipped(content, at, bit)):
        whole = check_files(str(dataset), manifest, findings)
    assert whole == manifest["files"].keys() - {name}
    assert findings.table()["file"].to_pylist() == [name]


@given(data=st.data())
@settings(max_examples=10, deadline=None)
def test_damaged_file_is_the_only_fault_and_what_needs_it_is_said_not_to_be_checked(
    dataset: Path, data: st.DataObject
) -> None:
    """Flipped, cut, longer, empty or gone: the rest of the dataset is checked all the same."""
    name = data.draw(st.sampled_from(files_of(dataset)))
    content = (dataset / name).read_bytes()
    at = data.draw(st.integers(0, len(content) - 1))
    damage = data.draw(st.sampled_from([flipped(content, at, 0), content[:at], content + b"\0", b"", None]))
    with changed(dataset, name, damage):
        found = examine(str(dataset))
    assert found.faults.select(["check", "file"]).to_pylist() == [{"check": "files", "file": name}]
    assert any(check not in ("files", "schemas") and line.endswith(f"such as {name}") for check, line in found.account)


def test_fault_of_a_file_says_what_it_is_and_was(dataset: Path) -> None:
    """And what to do."""
    content = (dataset / LEDGER).read_bytes()
    size, was = len(content), read_manifest(str(dataset))["files"][LEDGER]["sha256"]
    short = f"it has {size - 1:,} bytes, and had {size:,} when it was written; {RESTORE}"
    with changed(dataset, LEDGER, content[:-1]):
        assert sentences(dataset) == [("files", LEDGER, None, short)]
    with changed(dataset, LEDGER, None):
        assert sentences(dataset) == [("files", LEDGER, None, f"it is not there; {RESTORE}")]
    with changed(dataset, LEDGER, flipped(content, 0, 0)):
        ((_, _, _, fault),) = sentences(dataset)
    assert fault.startswith("its bytes were changed: SHA-256 is ")
    assert fault.endswith(f", and was {was}; {RESTORE}")


def test_swapped_files_are_both_named(dataset: Path) -> None:
    """Each is a right file, in the wrong place."""
    names = ("ledger/part-00000.parquet", "ledger/part-00001.parquet")
    one, other = ((dataset / name).read_bytes() for name in names)
    with changed(dataset, names[0], other), changed(dataset, names[1], one):
        assert [(check, file) for check, file, _, _ in sentences(dataset)] == [("files", name) for name in names]


def test_directory_in_place_of_a_file_is_a_fault(dataset: Path) -> None:
    """It is not there."""
    with changed(dataset, LEDGER, None):
        (dataset / LEDGER).mkdir()
        found = sentences(dataset)
        (dataset / LEDGER).rmdir()
    assert found == [("files", LEDGER, None, f"it is not there; {RESTORE}")]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_file_that_may_not_be_read_is_a_fault(dataset: Path) -> None:
    """With the words of the system."""
    (dataset / LEDGER).chmod(0)
    try:
        ((_, file, _, fault),) = sentences(dataset)
    finally:
        (dataset / LEDGER).chmod(0o644)
    assert file == LEDGER
    assert "Permission denied" in fault


def test_what_no_manifest_lists_is_named(dataset: Path) -> None:
    """Files that somebody put there, and what a killed run left; a run's folder is said and is no fault."""
    left = "a killed run left it unfinished; remove it"
    strange = "the manifest does not list it; remove it, or find out who put it there"
    names = {
        "documents/part-00009.parquet": strange,
        "ledger/.part-00000.parquet.tmp-0f": left,
        ".manifest.json.tmp-0f": left,
    }
    (dataset / "_work").mkdir()
    try:
        with changed(dataset, DOCUMENTS, (dataset / DOCUMENTS).read_bytes()):
            for name in names:
                (dataset / name).write_bytes(b"x")
            found = examine(str(dataset))
    finally:
        (dataset / "_work").rmdir()
        for name in names:
            (dataset / name).unlink()
    assert found.faults.select(["file", "fault"]).to_pylist() == [{"file": n, "fault": f} for n, f in names.items()]
    assert ("files", "beside them lies _work, of a run that ended early or is under way; not checked") in found.account


# The schemas


def test_columns_that_are_not_those_of_the_table_are_all_named(dataset: Path) -> None:
    """Missing ones, others, those of another type, and another order."""

    def change(table: pa.Table) -> pa.Table:
        table = table.drop_columns(["url"]).append_column("extra", pa.nulls(len(table)))
        return table.set_column(0, pa.field("doc_id", pa.large_string()), table["doc_id"].cast(pa.large_string()))

    with rewritten(dataset, LEDGER, change):
        found = [fault for check, file, _, fault in sentences(dataset) if (check, file) == ("schemas", LEDGER)]
    assert found == [
        "the column `doc_id` is large_string, and must be string not null",
        "the column `url` is missing",
        "the column `extra` is none of this table",
    ]
    with rewritten(dataset, LEDGER, lambda table: table.select(table.column_names[::-1])):
        ((check, file, _, fault),) = sentences(dataset)
    assert (check, file) == ("schemas", LEDGER)
    assert fault.startswith("the columns stand in another order: build_id, ")


def test_carried_columns_and_bands_are_part_of_the_schema(dataset: Path) -> None:
    """The config and the manifest say which there must be."""
    prints = "fingerprints/part-00000.parquet"
    with rewritten(dataset, DOCUMENTS, lambda table: table.drop_columns(["shelf"])):
        assert ("schemas", DOCUMENTS, None, "the column `shelf` is missing") in sentences(dataset)
    with rewritten(dataset, prints, lambda table: table.drop_columns(["band_07"])):
        assert sentences(dataset) == [("schemas", prints, None, "the column `band_07` is missing")]


def test_number_of_rows_must_be_that_of_the_manifest(dataset: Path) -> None:
    """A file may have the right digest and be another all the same."""
    rows = pq.read_metadata(dataset / LEDGER).num_rows
    with forged(dataset, LEDGER, (dataset / LEDGER).read_bytes(), rows=rows + 1):
        expected = ("schemas", LEDGER, None, f"it has {rows} rows, the manifest says {rows + 1}")
        assert sentences(dataset) == [expected]


@given(data=st.data())
@settings(max_examples=8, deadline=None)
def test_damaged_file_for_which_the_manifest_vouches_never_ends_the_verification(
    dataset: Path, data: st.DataObject
) -> None:
    """The digest was taken of a damaged file: readers meet the damage, and each check ends with what it found."""
    name = data.draw(st.sampled_from(files_of(dataset)))
    content = (dataset / name).read_bytes()
    at = data.draw(st.integers(0, len(content) - 1) | st.integers(max(0, len(content) - 2000), len(content) - 1))
    with forged(dataset, name, flipped(content, at, data.draw(st.integers(0, 7)))):
        found = examine(str(dataset))
    assert {check for check, _ in found.account} == CHECKS.keys() - {"crawl"}


def test_file_that_is_no_parquet_is_a_fault_of_its_schema(dataset: Path) -> None:
    """Its digest being right."""
    with forged(dataset, LEDGER, b"PAR1 no more"):
        found = sentences(dataset)
    ((_, file, _, fault),) = found
    assert file == LEDGER
    assert fault.startswith("it cannot be read as Parquet: ")


def test_table_that_nobody_knows_is_a_fault(dataset: Path) -> None:
    """A sealed manifest may list what it wants."""
    content = (dataset / LEDGER).read_bytes()
    (dataset / "extra").mkdir()

    def change(manifest: Row) -> None:
        manifest["files"]["extra/part-00000.parquet"] = dict(manifest["files"][LEDGER])
        manifest["bytes"]["written"] += len(content)

    try:
        with changed(dataset, "extra/part-00000.parquet", content), resealed(dataset, change):
            expected = [("schemas", "extra/part-00000.parquet", None, "there is no table `extra`")]
            assert sentences(dataset) == expected
    finally:
        (dataset / "extra").rmdir()


def test_fault_is_a_row_of_plain_values(dataset: Path) -> None:
    """JSON holds it as it is."""
    with changed(dataset, LEDGER, None):
        (fault,) = faults(dataset)
    assert json.loads(json.dumps(fault)) == fault
    assert list(fault) == ["check", "file", "part", "row", "doc_id", "fault"]
    assert (fault["part"], fault["row"], fault["doc_id"]) == (0, None, None)
