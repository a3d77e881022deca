"""The same bytes on every engine: what Prism and Flink make is, file by file, what the local runner makes."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.runners import CIVIL, DEMO, contents, lasting, write_civil
from engines.prism import on_prism
from tests.engines.runs import EVERYTHING, assert_same, curate, in_rounds, write_everything
from tests.jobs import assert_books_balance, letter, manifest, run, write_config
from tests.takedown_data import shared_dataset
from transforms.part_store import write_json
from transforms.publish.manifest import read_manifest, write_sealed_manifest

ENGINES = [pytest.param(name, marks=getattr(pytest.mark, name)) for name in ("prism", "flink")]
on_every_engine = pytest.mark.parametrize("engine", ENGINES, indirect=True)


@pytest.fixture(scope="module")
def engine(request: pytest.FixtureRequest) -> list[str]:
    """What comes after `--` for an engine."""
    running = request.getfixturevalue(request.param)
    options: list[str] = on_prism() if request.param == "prism" else running.options()
    return options


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A crawl of all formats, its config, and of it the dataset `local` of the local runner."""
    place = tmp_path_factory.mktemp("everything")
    curate(write_everything(place), place / "local", "--work", place / "work", beam=[])
    return place


@pytest.fixture(scope="module")
def config(everything: Path) -> Path:
    return everything / "everything.yaml"


# Datasets


@pytest.mark.skipif(not list(DEMO.parent.glob("data/*.warc.gz")), reason="there is no demo/data; `make demo` makes it")
@on_every_engine
def test_demo_crawl_is_the_same_bytes(engine: list[str], tmp_path: Path) -> None:
    """Five WARC files with mirrors, edits and a pirate, by the demo's own config."""
    expected = curate(DEMO, tmp_path / "local", beam=[])
    assert_same(curate(DEMO, tmp_path / "engine", beam=engine), expected)


@pytest.mark.skipif(not CIVIL.exists(), reason=f"{CIVIL} is not here")
@on_every_engine
def test_civil_sections_are_the_same_bytes(engine: list[str], tmp_path: Path) -> None:
    """22,106 sections of civil codes, of which a sixth repeat others, with the settings of a user who says nothing."""
    sections = write_civil(tmp_path)
    expected = curate(sections, tmp_path / "local", beam=[])
    assert_same(curate(sections, tmp_path / "engine", beam=engine), expected)
    assert manifest(expected)["counts"]["records"] == 22_106


def test_crawl_of_everything_has_everything(everything: Path) -> None:
    """Every folder that a dataset can have, every kind of reason, and several passes of pairing and of judging."""
    assert sorted(path.name for path in (everything / "local").iterdir()) == sorted([*EVERYTHING, "manifest.json"])
    counts = manifest(everything / "local")["counts"]
    assert {"blocklist", "takedown", "same_url", "near_duplicate", "empty_text"} <= counts["dropped_by"].keys()
    assert counts["quarantined_by"] == {"pirated_marker": 2}
    assert counts["rejected"] == 1
    for step in ("pairs", "verdicts"):
        assert len(list((everything / "work" / "decided").glob(f"{step}-*/part-*.json"))) > 1


def test_crawl_of_everything_is_the_same_bytes_in_one_pass(everything: Path, config: Path, tmp_path: Path) -> None:
    """As a cluster takes it, which has room for all keys: also the list of what is replaced in an earlier dataset."""
    one = curate(config, tmp_path / "out", "--work", tmp_path / "work", "--set", "run.shuffle_memory=1 GiB", beam=[])
    assert contents(one) == contents(everything / "local")
    for step in ("pairs", "verdicts"):
        assert len(list((tmp_path / "work" / "decided").glob(f"{step}-*/part-*.json"))) == 1


@on_every_engine
def test_crawl_of_everything_is_the_same_bytes(
    engine: list[str], everything: Path, config: Path, tmp_path: Path
) -> None:
    """All formats, lists, a register, an earlier dataset, a takedown, several passes; so are the stores between."""
    assert_same(curate(config, tmp_path / "out", "--work", tmp_path / "work", beam=engine), everything / "local")
    for stage in ("measured", "decided"):
        made, expected = (sorted((place / "work" / stage).glob("part-*")) for place in (tmp_path, everything))
        assert [path.name for path in made] == [path.name for path in expected]
        assert [path.read_bytes() for path in made] == [path.read_bytes() for path in expected]


@on_every_engine
def test_rounds_of_components_are_the_same_bytes(
    engine: list[str], everything: Path, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two rounds there and one back, where the local runner connected all edges at once."""
    told = in_rounds(monkeypatch)
    assert_same(curate(config, tmp_path / "out", beam=engine), everything / "local")
    rounds = ("round 1", "round 2", "round 1 back")
    assert told == [*(f"connecting components, {one}" for one in rounds), "counting components"]


@on_every_engine
def test_crawl_with_next_to_nothing_in_it_is_the_same_bytes(engine: list[str], tmp_path: Path) -> None:
    """An empty file, one of broken lines, one document: no pair, no component, and a part without a row."""
    (tmp_path / "empty.jsonl").touch()
    (tmp_path / "broken.jsonl").write_text(("x" * 9_999 + "\n") * 10)
    (tmp_path / "single.jsonl").write_text('{"id": 1, "text": "all that there is"}\n')
    crawl = {"name": "bare", "files": ["*.jsonl"], "format": "jsonl"}
    bare = write_config(tmp_path / "bare.yaml", {"crawl": crawl, "plan": {"part_size": "64 KiB"}})
    expected = curate(bare, tmp_path / "local", beam=[])
    assert_same(curate(bare, tmp_path / "engine", beam=engine), expected)
    counts = assert_books_balance(expected)
    assert (counts["kept"], counts["rejected"]) == (1, 10)
    assert len(list((expected / "ledger").iterdir())) == 2


# From one engine to another


@on_every_engine
def test_stages_of_different_engines_fit_together(
    engine: list[str], everything: Path, config: Path, tmp_path: Path
) -> None:
    """Measured on the engine, decided here, published on the engine."""
    measured, decided, out = (tmp_path / name for name in ("measured", "decided", "out"))
    assert run("measure", config, "--output", measured, "--quiet", "--", *engine) == 0
    assert run("decide", config, "--measured", measured, "--output", decided, "--quiet") == 0
    stores = ("--measured", measured, "--decided", decided)
    assert run("publish", config, *stores, "--output", out, "--quiet", "--", *engine) == 0
    assert_same(out, everything / "local")


@on_every_engine
@pytest.mark.parametrize("resumed_on", ["engine", "local"])
def test_failed_run_tells_the_workers_letter_and_is_resumed_anywhere(
    engine: list[str],
    everything: Path,
    config: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    resumed_on: str,
) -> None:
    """A file of the earlier dataset cannot be read while components are judged; it is put back, and the bytes are the
    same, be it the engine or the local runner that goes on."""
    hurt = everything / "earlier" / "documents" / "part-00000.parquet"
    whole = hurt.read_bytes()
    out = tmp_path / "out"
    hurt.write_bytes(whole[:4] + bytes(len(whole) - 8) + whole[-4:])
    try:
        assert run("curate", config, "--output", out, "--quiet", "--", *engine) == 1
    finally:
        hurt.write_bytes(whole)
    said = letter(capsys)
    assert str(hurt.parents[1]) in said
    assert said.endswith("Restore it as it was and go on with --resume.")
    assert not (out / "manifest.json").exists()
    assert_same(curate(config, out, "--resume", beam=engine if resumed_on == "engine" else []), everything / "local")


@pytest.mark.prism
def test_no_prism_outlives_the_command(prism: Path, everything: Path, config: Path, tmp_path: Path) -> None:
    """The command starts a Prism of its own, and stops it; told by the file that its process runs."""
    mine = Path(shutil.copy(prism, tmp_path / "prism"))
    command = [sys.executable, "-m", "beam_jobs", "curate", str(config), "--output", str(tmp_path / "out"), "--"]
    options = [option.replace(str(prism), str(mine)) for option in on_prism()]
    done = subprocess.run([*command, *options], check=True, capture_output=True)
    assert b"Traceback" not in done.stderr
    assert_same(tmp_path / "out", everything / "local")
    assert [pid for pid in os.listdir("/proc") if pid.isdigit() and program(pid) == str(mine)] == []


def program(pid: str) -> str | None:
    """The file that a process runs; None if it has just ended, or is another user's."""
    try:
        return os.readlink(f"/proc/{pid}/exe")
    except OSError:
        return None


# The comparison itself


def reseal(**keys: Any) -> Callable[[Path], None]:
    """Puts values into a manifest and seals it anew."""
    return lambda dataset: write_sealed_manifest(str(dataset), {**read_manifest(str(dataset)), **keys})


def forget_file(dataset: Path) -> None:
    """Takes a file out of the dataset and out of its manifest."""
    (dataset / "ledger" / "part-00000.parquet").unlink()
    files = dict(manifest(dataset)["files"])
    del files["ledger/part-00000.parquet"]
    reseal(files=files)(dataset)


DIFFERENCES: dict[str, Callable[[Path], object]] = {
    "a byte": lambda dataset: (dataset / "ledger" / "part-00000.parquet").write_bytes(b"x"),
    "one file less": lambda dataset: (dataset / "ledger" / "part-00000.parquet").unlink(),
    "one file less in both": forget_file,
    "one file more": lambda dataset: (dataset / "ledger" / "part-00099.parquet").touch(),
    "a hidden file": lambda dataset: (dataset / "ledger" / ".part-00000.parquet.tmp-0f").touch(),
    "a file of work": lambda dataset: write_json(str(dataset / "_work" / "stage.json"), {}),
    "another count": reseal(counts={"records": 1}),
    "one key more": reseal(more=1),
}


@pytest.mark.parametrize("difference", DIFFERENCES)
def test_comparison_sees_every_difference(difference: str, tmp_path: Path) -> None:
    """What the tests of this file would overlook if it did not."""
    shutil.copytree(shared_dataset(), tmp_path / "out")
    assert_same(tmp_path / "out", shared_dataset())
    DIFFERENCES[difference](tmp_path / "out")
    with pytest.raises(AssertionError):
        assert_same(tmp_path / "out", shared_dataset())


def test_comparison_overlooks_times_alone(tmp_path: Path) -> None:
    """When a run ended, how long it took, whether it was resumed, and the seal that covers them."""
    shutil.copytree(shared_dataset(), tmp_path / "out")
    reseal(finished="2000-01-01T00:00:00+00:00", seconds={"measure": 7.0}, resumed=True)(tmp_path / "out")
    assert_same(tmp_path / "out", shared_dataset())
    names = manifest(shared_dataset()).keys() - lasting(shared_dataset()).keys()
    assert names == {"finished", "resumed", "seal", "seconds"}
