"""Runs over what earlier runs left: finished, half-finished, of another config, with files gone."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from beam_jobs import prepare
from beam_jobs import publish as publish_job
from beam_jobs.decide import HELD_TIMES
from configs.load import load
from tests.jobs import assert_books_balance, digests, ledger, letter, manifest, run, table, write_config, write_jsonl
from transforms.hold import hold
from transforms.measure import measure_parts
from transforms.publish import merge_index

TEXTS = [" ".join(f"w{(i % 60) * 9 + j}" for j in range(80)) + f" tail{i}" for i in range(240)]


@pytest.fixture
def crawl(tmp_path: Path) -> Path:
    """Three parts with duplicates across them, and a blocklist."""
    urls = [f"https://host{i % 7}.example/{i}" for i in range(len(TEXTS))]
    for number in range(3):
        rows = [{"id": str(i), "url": urls[i], "text": TEXTS[i]} for i in range(number, len(TEXTS), 3)]
        write_jsonl(tmp_path / f"{number}.jsonl", rows)
    (tmp_path / "list.txt").write_text("host3.example\n")
    blocklist = {"name": "l", "path": "list.txt", "format": "domains", "category": "c"}
    config = {"crawl": {"name": "t", "files": ["*.jsonl"]}, "sources": {"blocklists": [blocklist]}}
    return write_config(tmp_path / "c.yaml", config | {"plan": {"part_size": "64 KiB"}})


def curate(crawl: Path, out: Path, *more: object) -> int:
    return run("curate", crawl, "--output", out, "--quiet", *more)


def test_changed_list_is_another_build(crawl: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The digest of its content counts: a finished dataset is not returned as if it were current."""
    assert curate(crawl, tmp_path / "out") == 0
    before = manifest(tmp_path / "out")["build_id"]
    (tmp_path / "list.txt").write_text("host4.example\n")
    capsys.readouterr()
    assert curate(crawl, tmp_path / "out", "--resume") == 2
    assert f"holds the finished build {before}" in letter(capsys)
    assert curate(crawl, tmp_path / "out", "--overwrite") == 0
    assert manifest(tmp_path / "out")["build_id"] != before


def test_input_that_changed_in_the_middle_is_another_build(crawl: Path, tmp_path: Path) -> None:
    """Of the same size, and with the same beginning and end."""
    assert curate(crawl, tmp_path / "a") == 0
    path = tmp_path / "1.jsonl"
    path.write_text(path.read_text().replace("tail100", "tail999"))
    assert curate(crawl, tmp_path / "a", "--resume") == 2
    assert curate(crawl, tmp_path / "b") == 0
    assert manifest(tmp_path / "a")["build_id"] != manifest(tmp_path / "b")["build_id"]


def test_published_dataset_of_another_build_is_not_written_over(
    crawl: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """publish alone looks at what is there, as curate does."""
    assert curate(crawl, tmp_path / "out") == 0
    expected = digests(tmp_path / "out")
    change = ["--set", "dedup.near=null"]
    assert run("measure", crawl, "--output", tmp_path / "m", "--quiet", *change) == 0
    assert run("decide", crawl, "--measured", tmp_path / "m", "--output", tmp_path / "d", "--quiet", *change) == 0
    stores = ["--measured", tmp_path / "m", "--decided", tmp_path / "d"]
    capsys.readouterr()
    assert run("publish", crawl, *stores, "--output", tmp_path / "out", "--resume", *change) == 2
    assert "holds the finished build" in letter(capsys)
    assert digests(tmp_path / "out") == expected


def test_publish_wants_the_decisions_of_its_config(
    crawl: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Others are refused before anything is written, and so are directories in each other's place."""
    assert run("measure", crawl, "--output", tmp_path / "m", "--quiet") == 0
    decide = ["decide", crawl, "--measured", tmp_path / "m", "--output", tmp_path / "d", "--quiet"]
    assert run(*decide, "--set", "dedup.near.threshold=0.9") == 0
    capsys.readouterr()
    for measured, decided, command in (("m", "d", "decide"), ("d", "m", "measure"), ("m", "nowhere", "decide")):
        stores = ["--measured", tmp_path / measured, "--decided", tmp_path / decided]
        assert run("publish", crawl, *stores, "--output", tmp_path / "out") == 2
        assert f"Make them first: cleartitle {command}" in letter(capsys)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("lost", ["documents/part-00001.parquet", "ledger/part-00000.parquet"])
@pytest.mark.parametrize("content", [None, b"cut"])
def test_finished_dataset_that_lost_a_file_is_made_whole(
    crawl: Path, tmp_path: Path, lost: str, content: bytes | None
) -> None:
    """--resume looks at the files that the manifest lists."""
    out = tmp_path / "out"
    assert curate(crawl, out) == 0
    expected = digests(out)
    (out / lost).unlink()
    if content is not None:
        (out / lost).write_bytes(content)
    assert curate(crawl, out, "--resume") == 0
    assert digests(out) == expected


def test_work_serves_another_config(crawl: Path, tmp_path: Path) -> None:
    """The measured store is kept, the decisions are made again; each output is that of a run of its own."""
    work = ["--work", tmp_path / "work"]
    assert curate(crawl, tmp_path / "a", *work) == 0
    measured = {path: path.stat().st_mtime_ns for path in (tmp_path / "work" / "measured").iterdir()}
    assert curate(crawl, tmp_path / "b", *work, "--set", "dedup.taint=drop") == 0
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "work" / "measured").iterdir()} == measured
    assert curate(crawl, tmp_path / "alone", "--set", "dedup.taint=drop") == 0
    assert digests(tmp_path / "b") == digests(tmp_path / "alone")
    assert manifest(tmp_path / "b")["resumed"]
    assert curate(crawl, tmp_path / "b", *work, "--overwrite") == 0
    assert digests(tmp_path / "b") == digests(tmp_path / "a")


@pytest.mark.parametrize("work", [False, True], ids=["own work", "kept work"])
def test_run_that_dies_before_the_manifest_can_be_resumed_and_overwritten(
    crawl: Path, tmp_path: Path, work: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever its work lies, the output shows which build was begun there."""
    out = tmp_path / "out"
    more = ["--work", tmp_path / "work"] if work else []
    real = publish_job.write_sealed_manifest

    def die(path: str, value: dict[str, object]) -> None:
        raise OSError(28, "No space left on device", path)

    monkeypatch.setattr(publish_job, "write_sealed_manifest", die)
    assert curate(crawl, out, *more) == 1
    monkeypatch.setattr(publish_job, "write_sealed_manifest", real)
    assert not (out / "manifest.json").exists()
    shutil.copytree(out, tmp_path / "twin")
    assert curate(crawl, out, *more, "--resume", "--set", "dedup.taint=drop") == 2
    assert curate(crawl, out, *more, "--resume") == 0
    assert curate(crawl, tmp_path / "twin", *more, "--overwrite") == 0
    assert digests(out) == digests(tmp_path / "twin")
    assert not (out / "_work").exists()


def test_run_that_dies_while_indexing_goes_on_there(
    crawl: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is merged is kept if its bytes are; the letter names the file."""
    out = tmp_path / "out"
    with monkeypatch.context() as full_disk:
        full_disk.setattr(merge_index, "write_index", _fail_on_urls(merge_index.write_index))
        assert curate(crawl, out) == 1
    assert f"Writing the index {out}/index_urls/part-00000.parquet failed: " in letter(capsys)
    merged = out / "index_keys" / "part-00000.parquet"
    before = merged.stat().st_mtime_ns
    assert curate(crawl, out, "--resume") == 0
    assert merged.stat().st_mtime_ns == before
    assert curate(crawl, tmp_path / "twin") == 0
    assert digests(out) == digests(tmp_path / "twin")


def _fail_on_urls(real: Callable[..., None]) -> Callable[..., None]:
    def write(path: str, *more: object) -> None:
        if "index_urls" in path:
            raise OSError(28, "No space left on device", path)
        real(path, *more)

    return write


def test_two_runs_do_not_write_to_one_output(crawl: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The second is refused, as long as the first is at work."""
    work = tmp_path / "out" / "_work"
    with hold(str(work)):
        for how in ("--resume", "--overwrite"):
            assert curate(crawl, tmp_path / "out", how) == 2
            assert letter(capsys).startswith(f"{work}: another run is writing there at this moment.")
    assert curate(crawl, tmp_path / "out", "--resume") == 0


def test_work_left_after_the_manifest_is_removed_by_the_next_run(crawl: Path, tmp_path: Path) -> None:
    """It holds the whole text of the crawl."""
    assert curate(crawl, tmp_path / "out") == 0
    (tmp_path / "out" / "_work" / "measured").mkdir(parents=True)
    assert curate(crawl, tmp_path / "out", "--resume") == 0
    assert not (tmp_path / "out" / "_work").exists()


def test_manifest_lists_every_file_with_its_digest(crawl: Path, tmp_path: Path) -> None:
    """And nothing that is not there."""
    assert curate(crawl, tmp_path / "out") == 0
    files = manifest(tmp_path / "out")["files"]
    assert {name: facts["sha256"] for name, facts in files.items()} == digests(tmp_path / "out")
    assert len(files) == 14
    assert_books_balance(tmp_path / "out")


def test_many_row_groups_make_the_same_dataset(crawl: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Measured files are written and read by row groups that bound the memory; the rows are the same."""
    monkeypatch.setattr("transforms.measure.readers.columns.BATCH_ROWS", 16)
    monkeypatch.setattr(measure_parts, "GROUP_BYTES", 1)
    assert run("measure", crawl, "--output", tmp_path / "m", "--quiet") == 0
    groups = pq.ParquetFile(tmp_path / "m" / "part-00000.parquet").num_row_groups
    assert groups > 1
    assert run("decide", crawl, "--measured", tmp_path / "m", "--output", tmp_path / "d", "--quiet") == 0
    stores = ["--measured", tmp_path / "m", "--decided", tmp_path / "d"]
    assert run("publish", crawl, *stores, "--output", tmp_path / "small") == 0
    monkeypatch.undo()
    assert curate(crawl, tmp_path / "large") == 0
    for folder in ("documents", "ledger"):
        assert table(tmp_path / "small", folder) == table(tmp_path / "large", folder)


def test_passes_follow_the_memory_that_a_shuffle_may_take(crawl: Path, tmp_path: Path) -> None:
    """A column of keys is 44 bytes a document, held seven times: 27 columns of 240 documents in so many passes."""
    assert run("measure", crawl, "--output", tmp_path / "m", "--quiet") == 0
    payload = 240 * 44 * 27
    for passes in (1, 3):
        memory = ["--set", f"run.shuffle_memory={payload * 7 // passes}"]
        out = tmp_path / f"d{passes}"
        assert run("decide", crawl, "--measured", tmp_path / "m", "--output", out, "--quiet", *memory) == 0
        assert [path.name for path in out.glob("pairs-*")] == [f"pairs-{-(-27 // passes)}-1-8"]
    assert HELD_TIMES == 7


def test_short_texts_match_only_when_they_are_equal(tmp_path: Path) -> None:
    """Of fewer words than a shingle has, they would be compared by 32 bits, and thousands would be taken for equal."""
    rows = [{"id": str(i), "text": f"Order number {i} shipped"} for i in range(60_000)]
    write_jsonl(tmp_path / "a.jsonl", [*rows, {"id": "again", "text": " Order  number 7 shipped"}])
    config = write_config(tmp_path / "c.yaml", {"crawl": {"name": "t", "files": ["a.jsonl"]}})
    assert curate(config, tmp_path / "out") == 0
    assert manifest(tmp_path / "out")["counts"]["dropped_by"] == {"exact_duplicate": 1}


def test_config_may_lie_in_a_directory_with_brackets(crawl: Path, tmp_path: Path) -> None:
    """What is in its own name is no wildcard, and names and ids are those of any other place."""
    odd = tmp_path / "run[1]*?"
    odd.mkdir()
    for path in (*tmp_path.glob("*.jsonl"), tmp_path / "list.txt", crawl):
        shutil.copy(path, odd)
    assert curate(odd / "c.yaml", tmp_path / "odd") == 0
    assert curate(crawl, tmp_path / "plain") == 0
    assert digests(tmp_path / "odd") == digests(tmp_path / "plain")


def test_lists_with_strange_lines_are_said_and_hosts_without_scheme_are_blocked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A list that is half of another format must not pass in silence; nor a URL that a table writes without http."""
    urls = ["listed.com", "LISTED.COM/a", "//a.listed.com/x", "http://notlisted.com/", "ftp://listed.com/"]
    write_jsonl(tmp_path / "a.jsonl", [{"id": url, "url": url, "text": f"text of {url}"} for url in urls])
    (tmp_path / "l.txt").write_text("listed.com\n||ads.example^\n")
    blocklist = {"name": "l", "path": "l.txt", "format": "domains", "category": "c"}
    config = {"crawl": {"name": "t", "files": ["a.jsonl"]}, "sources": {"blocklists": [blocklist]}}
    assert curate(write_config(tmp_path / "c.yaml", config), tmp_path / "out") == 0
    assert "blocklist `l`: lines that cannot be read and are ignored: 1, the first line 2" in capsys.readouterr().err
    blocked = [name for name, row in ledger(tmp_path / "out").items() if row["reason"] == "blocklist"]
    assert blocked == urls[:3]
    assert manifest(tmp_path / "out")["urls_without_host"] == 1


def test_manifest_is_json_that_names_its_format(crawl: Path, tmp_path: Path) -> None:
    """A later version can tell it apart."""
    assert curate(crawl, tmp_path / "out") == 0
    found = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert (found["format_version"], found["crawl"], found["resumed"]) == (4, "t", False)
    assert set(found["seconds"]) == {"measure", "decide", "publish"}


@pytest.mark.parametrize("version", ["RULES_VERSION", "SIGNALS_VERSION"])
def test_store_measured_by_other_rules_is_another(crawl: Path, monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    """So that what an older version measured is never taken for what this one would."""
    prepared = prepare.prepare(load(str(crawl)))
    measured, build = prepared.measured_digest, prepared.build_id
    monkeypatch.setattr(prepare, version, 99)
    assert prepared.measured_digest != measured
    assert prepared.build_id != build
