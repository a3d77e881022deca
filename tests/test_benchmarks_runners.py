"""The comparison of runners: what is compared, what is left out of it, and how a runner that differs is shown."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks import runners
from benchmarks.runners import Timing, contents, curate_once, fingerprint, lasting, measure, table
from schemas.errors import InputError
from tests.jobs import run, write_config, write_jsonl
from tests.takedown_data import shared_dataset
from transforms.publish.manifest import read_manifest, write_sealed_manifest

ONE = Timing("demo", "local", 4.0, 9, 3.0, "a" * 64)


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """A directory that looks like a dataset: two files and a sealed manifest."""
    (tmp_path / "ledger").mkdir()
    (tmp_path / "ledger" / "b").write_bytes(b"two")
    (tmp_path / "a").write_bytes(b"one")
    seal(tmp_path, counts={"kept": 1}, finished="now", seconds={"measure": 1.0}, resumed=False)
    return tmp_path


def seal(dataset: Path, **keys: Any) -> None:
    write_sealed_manifest(str(dataset), {"format_version": 4, **keys})


def test_contents_are_the_digests_of_all_files(dataset: Path) -> None:
    """In folders and hidden ones too, sorted by path; the manifest is compared by what it says."""
    (dataset / "ledger" / ".b.tmp-0").touch()
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in (("a", b"one"), ("b", b"two"), ("", b""))}
    expected = {"a": digests["a"], "ledger/.b.tmp-0": digests[""], "ledger/b": digests["b"]}
    assert list(contents(dataset).items()) == list(expected.items())


def test_lasting_is_the_manifest_without_its_times(dataset: Path) -> None:
    """When it was finished, how long it took, whether it was resumed, and the seal over all that."""
    assert read_manifest(str(dataset)).keys() - lasting(dataset).keys() == set(runners.PASSING)
    assert lasting(dataset) == {"format_version": 4, "counts": {"kept": 1}}


def test_fingerprint_changes_with_all_but_the_times(dataset: Path) -> None:
    """A later run of the same build has the same; another byte, name or count has another."""
    found = [fingerprint(dataset)]
    seal(dataset, counts={"kept": 1}, finished="later", seconds={"measure": 2.0}, resumed=True)
    assert fingerprint(dataset) == found[0]
    seal(dataset, counts={"kept": 2}, finished="later", seconds={}, resumed=True)
    found.append(fingerprint(dataset))
    (dataset / "a").write_bytes(b"One")
    found.append(fingerprint(dataset))
    (dataset / "a").rename(dataset / "c")
    found.append(fingerprint(dataset))
    assert len(set(found)) == 4


def test_dataset_that_is_not_finished_has_no_fingerprint(tmp_path: Path) -> None:
    """What a runner that failed left is not compared."""
    with pytest.raises(InputError, match="holds no finished dataset"):
        fingerprint(tmp_path)


def test_run_is_timed_in_a_process_of_its_own_and_makes_what_the_command_makes(tmp_path: Path) -> None:
    """Eight pipelines, as there are no duplicates to judge; a dataset that was there is made anew."""
    write_jsonl(tmp_path / "c.jsonl", [{"id": n, "text": f"a text {n}"} for n in range(3)])
    config = write_config(tmp_path / "c.yaml", {"crawl": {"name": "c", "files": ["c.jsonl"]}})
    assert run("curate", config, "--output", tmp_path / "expected", "--quiet") == 0
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "manifest.json").write_text("of another run")
    found = measure("c", config, "local", ["--direct_num_workers=1"], tmp_path / "out")
    digest = fingerprint(tmp_path / "expected")
    assert replace(found, seconds=0.0, in_pipelines=0.0) == Timing("c", "local", 0.0, 8, 0.0, digest)
    assert 0 < found.in_pipelines < found.seconds


def test_engine_is_closed_when_a_run_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A job server that was started is not left behind."""
    closed = list[bool]()
    monkeypatch.setattr("benchmarks.runners.Engine.close", lambda self: closed.append(True))
    monkeypatch.setattr(runners, "curate", lambda *_: 1 / 0)
    write_jsonl(tmp_path / "c.jsonl", [{"id": 1, "text": "a"}])
    config = write_config(tmp_path / "c.yaml", {"crawl": {"name": "c", "files": ["c.jsonl"]}})
    with pytest.raises(ZeroDivisionError):
        curate_once(str(config), str(tmp_path / "out"), [])
    assert closed == [True]


def test_table_has_medians_and_says_who_made_other_bytes() -> None:
    """Against the first runner of the same crawl; one run of several that differs is enough."""
    other = replace(ONE, runner="prism", seconds=6.0, in_pipelines=5.0)
    rounds = [ONE, replace(ONE, seconds=8.0), replace(ONE, seconds=5.0, in_pipelines=4.5)]
    rounds += [other, replace(other, digest="b" * 64), replace(ONE, crawl="civil", digest="c" * 64)]
    assert [line.split() for line in table(rounds).splitlines()] == [
        ["crawl", "runner", "seconds", "pipelines", "s", "in", "them", "bytes"],
        ["demo", "local", "5.0", "9", "3.0", "same", "a" * 64],
        ["demo", "prism", "6.0", "9", "5.0", "OTHER", "a" * 64],
        ["civil", "local", "4.0", "9", "3.0", "same", "c" * 64],
    ]


def test_civil_sections_are_unpacked_as_they_are(tmp_path: Path) -> None:
    """All 22,106 lines, and a config that names nothing but them."""
    if not runners.CIVIL.exists():
        pytest.skip(f"{runners.CIVIL} is not here")
    config = runners.write_civil(tmp_path)
    lines = (tmp_path / "sections.jsonl").read_text().splitlines()
    assert len({json.loads(line)["id"] for line in lines}) == 22_106
    assert config.read_text() == "crawl:\n  files:\n  - sections.jsonl\n  name: civil\n"


def test_fingerprint_of_a_real_dataset_is_told_by_its_manifest() -> None:
    """What lies there is what the manifest lists, so the digest can be made from the manifest alone."""
    files = read_manifest(str(shared_dataset()))["files"]
    assert contents(shared_dataset()) == {path: files[path]["sha256"] for path in sorted(files)}
