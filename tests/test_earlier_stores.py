"""Opening earlier stores: what they are, and a letter for each that cannot be compared with."""

import json
from pathlib import Path
from typing import Any

import pytest

from schemas.errors import InputError
from tests.jobs import letter, run, write_config, write_jsonl
from tests.memory_files import MemoryFiles
from transforms.decide.all_parts import EarlierStore
from transforms.decide.earlier_stores import open_earlier
from transforms.measure.fingerprint import NearSettings, fingerprint_facts
from transforms.part_store import Stage, join, write_file, write_json

NEAR = NearSettings(ngram=5, bands=25, rows=5)
OURS = fingerprint_facts(NEAR)
DIGEST = "0123456789abcdef" * 4
NEITHER = (
    "which holds neither a published dataset nor a measured store.\n"
    "Name the output directory of a finished `cleartitle curate`, `publish` or `measure`."
)
OLDER = (
    "of an earlier version of cleartitle, which says not how its fingerprints are made.\n"
    "Measure or publish its crawl again with this version."
)


def write(path: str, content: bytes) -> None:
    with write_file(path) as file:
        file.write(content)


def measured(directory: str, *, parts: int = 2, done: int = 2, **facts: Any) -> str:
    """A measured store of 10 and more records a part, of which some are done."""
    stage = Stage(directory, DIGEST)
    stage.begin({"crawl": "c", "parts": parts, "fingerprint": OURS} | facts)
    for number in range(done):
        write(stage.path(number), b"rows")
        stage.finish(number, {"records": 10 + number}, ["parquet"])
    return directory


def dataset(directory: str, *, parts: int = 2, without: str = "", **facts: Any) -> str:
    """A dataset of small files with a manifest that lists them."""
    files = {}
    for folder in ("documents", "fingerprints", "ledger", "rejected"):
        for number in range(parts):
            name = f"{folder}/part-{number:05d}.parquet"
            write(join(directory, name), name.encode())
            files[name] = {"bytes": len(name), "sha256": f"of {name}"}
    manifest = {"build_id": "b" * 16, "fingerprint": OURS, "counts": {"kept": 7}, "files": files} | facts
    write_json(join(directory, "manifest.json"), {k: v for k, v in manifest.items() if k != without})
    return directory


def refusal(*paths: str, ours: dict[str, Any] = OURS) -> str:
    with pytest.raises(InputError) as error:
        open_earlier(paths, ours)
    return str(error.value)


def test_measured_store_is_named_by_its_digest(tmp_path: Path) -> None:
    """Every fact of it; records are those of all parts."""
    path = measured(str(tmp_path / "m"))
    expected = EarlierStore("measured-0123456789abcdef", path, (0, 1), 21, False, DIGEST)
    assert open_earlier([path], OURS) == (expected,)


def test_dataset_is_named_by_its_build(tmp_path: Path) -> None:
    """Its records are the kept ones; its digest is of the files that are read, so what was rejected does not matter."""
    path = dataset(str(tmp_path / "d"))
    (found,) = open_earlier([path], OURS)
    assert found == EarlierStore("b" * 16, path, (0, 1), 7, True, found.digest)
    manifest = json.loads((tmp_path / "d" / "manifest.json").read_text())
    digests = []
    for folder in ("rejected", "documents", "fingerprints", "ledger"):
        name = f"{folder}/part-00001.parquet"
        changed = {**manifest["files"], name: {"bytes": len(name), "sha256": "another"}}
        (tmp_path / "d" / "manifest.json").write_text(json.dumps(manifest | {"files": changed}))
        digests.append(open_earlier([path], OURS)[0].digest)
    assert digests[0] == found.digest
    assert len({*digests}) == 4


def test_same_dataset_elsewhere_has_the_same_digest(tmp_path: Path) -> None:
    """On a disk, in another directory, on an object store; stores come in the order in which they are named."""
    MemoryFiles.files.clear()
    places = [str(tmp_path / "a"), "memory://bucket/a", str(tmp_path / "b" / "c")]
    found = open_earlier([dataset(place) for place in places], OURS)
    assert [store.directory for store in found] == places
    assert len({(store.build, store.digest) for store in found}) == 1
    MemoryFiles.files.clear()


def test_measured_store_on_an_object_store_opens(tmp_path: Path) -> None:
    """As on a disk."""
    MemoryFiles.files.clear()
    (remote,) = open_earlier([measured("memory://bucket/m")], OURS)
    (local,) = open_earlier([measured(str(tmp_path))], OURS)
    assert (remote.build, remote.records, remote.digest) == (local.build, local.records, local.digest)
    MemoryFiles.files.clear()


def test_nothing_named_opens_nothing() -> None:
    """A crawl that is compared with itself alone."""
    assert open_earlier([], OURS) == ()


@pytest.mark.parametrize("kind", ["missing", "empty", "a file", "decisions", "a stranger's", "not JSON", "a list"])
def test_path_without_a_store_is_refused(tmp_path: Path, kind: str) -> None:
    """Also one where others keep files of these names."""
    path = tmp_path / "p"
    if kind == "a file":
        path.write_text("x")
    elif kind != "missing":
        path.mkdir()
    if kind == "decisions":
        Stage(str(path), DIGEST).begin({"build_id": "b"})
    content = {"a stranger's": '{"name": "web app"}', "not JSON": b"\xff{".decode("latin1"), "a list": "[1]"}.get(kind)
    if content:
        (path / "manifest.json").write_text(content, encoding="latin1")
        (path / "stage.json").write_text(content, encoding="latin1")
    assert refusal(str(path)) == f"`dedup.against` names {path}, {NEITHER}"


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    """One letter a path, in the order of the config; good ones go unmentioned."""
    good, broken = measured(str(tmp_path / "good")), measured(str(tmp_path / "broken"), done=1)
    assert refusal(str(tmp_path / "none"), good, broken) == (
        f"`dedup.against` names {tmp_path}/none, {NEITHER}\n"
        f"`dedup.against` names {broken}, a measured store of which 1 of 2 parts are not there or not whole.\n"
        "Finish it first: cleartitle measure ... --resume."
    )


def test_measured_store_with_a_cut_file_is_not_whole(tmp_path: Path) -> None:
    """A file that is shorter than it was written."""
    path = measured(str(tmp_path / "m"))
    (tmp_path / "m" / "part-00001.parquet").write_bytes(b"ro")
    assert "a measured store of which 1 of 2 parts are not there or not whole." in refusal(path)


@pytest.mark.parametrize("folder", ["fingerprints", "documents", "ledger"])
@pytest.mark.parametrize("cut", [True, False])
def test_dataset_with_a_lost_file_is_refused(tmp_path: Path, folder: str, cut: bool) -> None:
    """Gone or cut, of fingerprints, texts or decisions; what was rejected is not read, and may be gone."""
    path = dataset(str(tmp_path / "d"))
    (tmp_path / "d" / "rejected" / "part-00000.parquet").unlink()
    assert len(open_earlier([path], OURS)) == 1
    lost = tmp_path / "d" / folder / "part-00001.parquet"
    lost.unlink()
    if cut:
        lost.write_bytes(b"cut")
    assert refusal(path) == (
        f"`dedup.against` names {path}, a dataset of which 1 of 6 files are gone or cut, "
        f"the first of them {folder}/part-00001.parquet.\n"
        "Restore them, or publish it again."
    )


def test_store_of_an_earlier_version_is_refused(tmp_path: Path) -> None:
    """Before there were fingerprints in datasets, and facts of them in stores."""
    old = dataset(str(tmp_path / "d"), without="fingerprint")
    older = measured(str(tmp_path / "m"), fingerprint=None)
    assert refusal(old) == f"`dedup.against` names {old}, a dataset {OLDER}"
    assert refusal(older) == f"`dedup.against` names {older}, a measured store {OLDER}"


@pytest.mark.parametrize("make", [measured, dataset])
@pytest.mark.parametrize("theirs", [NearSettings(4, 25, 5), NearSettings(5, 14, 5), NearSettings(5, 25, 8), None])
def test_other_parameters_are_shown_both(tmp_path: Path, make: Any, theirs: NearSettings | None) -> None:
    """ngram, bands, rows, or no near duplicates there: refused, each side in full."""
    path = make(str(tmp_path / "s"), fingerprint=fingerprint_facts(theirs))
    kind = "a dataset" if make is dataset else "a measured store"
    assert refusal(path) == (
        f"`dedup.against` names {path}, {kind} whose fingerprints are not made as those of this run.\n"
        f"  there: {json.dumps(fingerprint_facts(theirs))}\n"
        f"  here:  {json.dumps(OURS)}\n"
        "Give `dedup.near` the settings that it was made with, or make it again with these."
    )


def test_other_rules_are_shown_and_cannot_be_configured(tmp_path: Path) -> None:
    """Texts that were normalised otherwise have other digests, so this holds without near duplicates too."""
    path = measured(str(tmp_path / "m"), fingerprint=OURS | {"rules": 1})
    for ours in (OURS, fingerprint_facts(None)):
        said = refusal(path, ours=ours)
        assert f"  there: {json.dumps(OURS | {'rules': 1})}\n  here:  {json.dumps(ours)}\n" in said
        assert said.endswith("`rules` rises with cleartitle itself: make it again with this version.")


def test_run_without_near_duplicates_takes_any_signatures(tmp_path: Path) -> None:
    """It compares digests of URLs and texts, which do not depend on them."""
    paths = [measured(str(tmp_path / "m")), dataset(str(tmp_path / "d"), fingerprint=fingerprint_facts(None))]
    assert len(open_earlier(paths, fingerprint_facts(None))) == 2


def test_command_refuses_before_anything_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2, for every command; a relative path is that of the config file's directory."""
    write_jsonl(tmp_path / "a.jsonl", [{"id": "1", "text": "one"}])
    crawl = {"name": "t", "files": ["a.jsonl"]}
    config = write_config(tmp_path / "c.yaml", {"crawl": crawl, "dedup": {"against": ["none", "other"]}})
    measured(str(tmp_path / "other"), fingerprint=fingerprint_facts(None))
    for command in (["curate"], ["measure"], ["decide", "--measured", tmp_path / "m"]):
        assert run(command[0], config, *command[1:], "--output", tmp_path / "out") == 2
        said = letter(capsys)
        assert said.startswith(f"`dedup.against` names {tmp_path}/none, {NEITHER}\n`dedup.against` names {tmp_path}/o")
        assert not (tmp_path / "out").exists()
    assert run("config", "check", config) == 2
