"""Bad input: a clear letter, and nothing good is lost."""

import gzip
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.jobs import assert_books_balance, ledger, letter, manifest, run, table, write_config, write_jsonl
from tests.warc_files import http, request, response, warc_file

GOOD = [{"id": f"d{i}", "text": f"document number {i} says something of its own, word{i}"} for i in range(20)]


def crawl(tmp_path: Path, *files: str, **keys: object) -> Path:
    return write_config(tmp_path / "c.yaml", {"crawl": {"name": "t", "files": list(files), **keys}})


def test_glob_that_matches_nothing_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All patterns without a match are named; nothing is written."""
    write_jsonl(tmp_path / "a.jsonl", GOOD)
    assert run("curate", crawl(tmp_path, "a.jsonl", "b*.gz", "c*.gz"), "--output", tmp_path / "out") == 2
    assert letter(capsys) == (
        f"No file matches\n  {tmp_path}/b*.gz\n  {tmp_path}/c*.gz\n"
        "Correct crawl.files; relative patterns are relative to the config file."
    )
    assert not (tmp_path / "out").exists()


def test_file_that_cannot_be_opened_stops_before_the_start(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that is there and cannot be opened is named with the system's reason (root may read all: so pretend)."""
    from transforms.measure import list_files

    write_jsonl(tmp_path / "a.jsonl", GOOD)
    write_jsonl(tmp_path / "b.jsonl", GOOD)
    real = list_files.open_input

    def refuse(path: str) -> object:
        if path.endswith("b.jsonl"):
            raise PermissionError(13, "Permission denied", path)
        return real(path)

    monkeypatch.setattr(list_files, "open_input", refuse)
    assert run("curate", crawl(tmp_path, "*.jsonl"), "--output", tmp_path / "out") == 2
    assert f"1 of 2 input files cannot be opened:\n  {tmp_path}/b.jsonl: Permission denied" in letter(capsys)


def test_config_with_three_mistakes_names_all_three(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All mistakes at once, each with the nearest known key or what was expected."""
    config = tmp_path / "c.yaml"
    config.write_text("crawl: {name: t, fles: [a]}\ndedup: {near: {treshold: 0.7}}\n")
    assert run("curate", config, "--output", tmp_path / "out") == 2
    said = letter(capsys)
    assert said.startswith(f"{config}: 3 mistakes\n")
    assert "did you mean `files`?" in said
    assert "did you mean `threshold`?" in said


def test_missing_column_is_named_with_those_there_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """For Parquet and for JSON Lines."""
    pq.write_table(pa.table({"body": ["x"], "lang": ["en"]}), tmp_path / "a.parquet")
    assert run("curate", crawl(tmp_path, "a.parquet"), "--output", tmp_path / "out") == 2
    assert "a.parquet has no column `text`. Its columns are: body, lang." in letter(capsys)
    write_jsonl(tmp_path / "a.jsonl", [{"body": "x"}])
    config = crawl(tmp_path, "a.jsonl", columns={"text": "content"}, carry=["score"])
    assert run("curate", config, "--output", tmp_path / "out") == 2
    assert "a.jsonl has no column `content`, `score`. Its columns are: body." in letter(capsys)


def test_broken_lines_are_rejected_one_by_one(tmp_path: Path) -> None:
    """Broken JSON, invalid UTF-8 and a wrong type are three rejected rows with file, offset and size."""
    good = [json.dumps(row).encode() for row in GOOD[:3]]
    bad = [b'{"id": "x", "text": ', b'{"id": "y", "text": "\xff\xfe"}', b'{"id": "z", "text": ["a"]}']
    lines = [good[0], bad[0], good[1], bad[1], bad[2], good[2]]
    (tmp_path / "a.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    assert run("curate", crawl(tmp_path, "a.jsonl"), "--output", tmp_path / "out") == 0
    starts = [sum(len(line) + 1 for line in lines[:i]) for i in (1, 3, 4)]
    found = [(row["reason"], row["source_position"], row["bytes"]) for row in table(tmp_path / "out", "rejected")]
    sizes = [len(line) for line in bad]
    assert [(reason, at) for reason, at, _ in found] == list(
        zip(["broken_json", "invalid_utf8", "wrong_type"], starts, strict=True)
    )
    assert all(abs(size - row[2]) <= 1 for size, row in zip(sizes, found, strict=True))
    assert sorted(ledger(tmp_path / "out")) == ["d0", "d1", "d2"]
    assert_books_balance(tmp_path / "out")


def test_truncated_gzip_keeps_all_before_the_cut(tmp_path: Path) -> None:
    """WARC and JSON Lines: what came before is kept, the rest is one rejected row with file and offset."""
    pages = [http(f"<html><body><p>Page {i} has words of its own: w{i}.</p></body></html>".encode()) for i in range(6)]
    records = [
        warc_file([response(page, f"urn:uuid:{i}", f"http://a.example/{i}")], gzipped=True)
        for i, page in enumerate(pages)
    ]
    whole = b"".join(records)
    (tmp_path / "a.warc.gz").write_bytes(whole[: len(whole) - 20])
    assert run("curate", crawl(tmp_path, "a.warc.gz"), "--output", tmp_path / "warc") == 0
    assert sorted(ledger(tmp_path / "warc")) == [f"urn:uuid:{i}" for i in range(5)]
    (row,) = table(tmp_path / "warc", "rejected")
    assert (row["source_file"], row["source_position"], row["reason"]) == (
        "a.warc.gz",
        len(whole) - len(records[-1]),
        "truncated",
    )
    lines = gzip.compress("".join(json.dumps(row) + "\n" for row in GOOD).encode(), mtime=0)
    (tmp_path / "b.jsonl.gz").write_bytes(lines[: len(lines) // 2])
    assert run("curate", crawl(tmp_path, "b.jsonl.gz"), "--output", tmp_path / "jsonl") == 0
    assert [row["reason"] for row in table(tmp_path / "jsonl", "rejected")] == ["truncated"]
    kept = ledger(tmp_path / "jsonl")
    assert 0 < len(kept) < len(GOOD)
    assert_books_balance(tmp_path / "jsonl")


def test_every_defective_warc_is_read_to_its_end(tmp_path: Path) -> None:
    """All the test crawls, some with one defect each: no file stops the job, and the books balance."""
    data = Path(__file__).resolve().parents[2] / "shared" / "data" / "warc"
    if not data.is_dir():
        pytest.skip(f"no test data at {data}")
    config = crawl(tmp_path, str(data / "**" / "*"), root=str(data))
    assert run("curate", config, "--output", tmp_path / "out") == 0
    counts = assert_books_balance(tmp_path / "out")
    assert counts["records"] > 100
    files = sum(path.is_file() for path in data.rglob("*"))
    assert len(manifest(tmp_path / "out")["plan"]["files"]) == files


def test_ids_that_repeat_are_documents_of_their_own(tmp_path: Path) -> None:
    """The user's ids and WARC-Record-IDs may repeat; every record has a `doc_id` of its own."""
    write_jsonl(tmp_path / "a.jsonl", [{"id": "same", "text": f"words {i} and more"} for i in range(3)])
    body = [http(f"<p>page {i} is unlike the others</p>".encode()) for i in range(2)]
    warc = b"".join(response(page, "urn:uuid:same", f"http://a.example/{i}") for i, page in enumerate(body))
    (tmp_path / "b.warc").write_bytes(warc)
    assert run("curate", crawl(tmp_path, "*.jsonl", "*.warc"), "--output", tmp_path / "out") == 0
    assert [row["record_id"] for row in table(tmp_path / "out", "ledger")] == ["same"] * 3 + ["urn:uuid:same"] * 2
    assert_books_balance(tmp_path / "out")


def test_document_of_100_mb_goes_through(tmp_path: Path) -> None:
    """One giant line of JSON among small ones."""
    giant = "a giant document of many words " * (100_000_000 // 31)
    write_jsonl(tmp_path / "a.jsonl", [*GOOD[:2], {"id": "giant", "text": giant}])
    assert run("curate", crawl(tmp_path, "a.jsonl"), "--output", tmp_path / "out") == 0
    assert ledger(tmp_path / "out")["giant"]["text_bytes"] == len(giant)
    assert table(tmp_path / "out", "documents")[2]["text"] == giant


def test_crawl_without_documents_is_an_empty_dataset(tmp_path: Path) -> None:
    """Only requests, an empty file: nothing in, nothing out, and the manifest says what was there."""
    (tmp_path / "a.warc").write_bytes(request() + request())
    (tmp_path / "b.jsonl").write_bytes(b"")
    assert run("curate", crawl(tmp_path, "a.warc", "b.jsonl"), "--output", tmp_path / "out") == 0
    assert assert_books_balance(tmp_path / "out")["records"] == 0
    assert manifest(tmp_path / "out")["not_documents"] == {"request": 2}


def test_output_that_is_not_empty_is_refused_with_both_ways_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A finished dataset stays as it is until --overwrite; --resume of the same build has nothing to do."""
    write_jsonl(tmp_path / "a.jsonl", GOOD)
    config = crawl(tmp_path, "a.jsonl")
    assert run("curate", config, "--output", tmp_path / "out", "--quiet") == 0
    before = (tmp_path / "out" / "manifest.json").read_bytes()
    capsys.readouterr()
    assert run("curate", config, "--output", tmp_path / "out") == 2
    said = letter(capsys)
    assert "--resume" in said
    assert "--overwrite" in said
    assert run("curate", config, "--output", tmp_path / "out", "--resume") == 0
    assert (tmp_path / "out" / "manifest.json").read_bytes() == before
    changed = ["--set", "dedup.near.threshold=0.9"]
    assert run("curate", config, "--output", tmp_path / "out", "--resume", *changed) == 2
    assert run("curate", config, "--output", tmp_path / "out", "--overwrite", *changed) == 0


def test_disk_that_is_full_is_said_and_resumed(tmp_path: Path) -> None:
    """A limit on file size stands for the full disk: exit 1, a letter, no manifest; --resume ends the run."""
    write_jsonl(tmp_path / "a.jsonl", [{"id": str(i), "text": os.urandom(2000).hex()} for i in range(200)])
    config = crawl(tmp_path, "a.jsonl")
    command = [sys.executable, "-m", "beam_jobs", "curate", str(config), "--output", str(tmp_path / "out"), "--quiet"]
    # A shell sets the limit: forking this process, with the threads of earlier runs in it, can abort in grpc.
    limited = ["bash", "-c", 'ulimit -f 100; exec "$@"', "bash", *command]
    broken = subprocess.run(limited, capture_output=True, text=True, check=False)
    assert broken.returncode == 1
    assert broken.stderr.startswith("cleartitle: Measuring part 0 (a.jsonl) failed: ")
    assert "Traceback" not in broken.stderr
    assert not (tmp_path / "out" / "manifest.json").exists()
    assert run("curate", config, "--output", tmp_path / "out", "--resume") == 0
    assert_books_balance(tmp_path / "out")


def test_resume_with_other_input_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A run that was begun for one crawl is not finished with another."""
    write_jsonl(tmp_path / "a.jsonl", GOOD)
    config = crawl(tmp_path, "a.jsonl")
    assert run("measure", config, "--output", tmp_path / "m", "--quiet") == 0
    write_jsonl(tmp_path / "a.jsonl", GOOD[:-1])
    assert run("measure", config, "--output", tmp_path / "m", "--resume", "--quiet") == 2
    assert "was begun with another config or other input files" in letter(capsys)


def test_decide_wants_the_store_of_its_config(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Other bands were not measured."""
    write_jsonl(tmp_path / "a.jsonl", GOOD)
    config = crawl(tmp_path, "a.jsonl")
    assert run("measure", config, "--output", tmp_path / "m", "--quiet") == 0
    other = ["--set", "dedup.near.bands=14"]
    assert run("decide", config, "--measured", tmp_path / "m", "--output", tmp_path / "d", *other) == 2
    assert "Make them first: cleartitle measure" in letter(capsys)


def test_lost_output_file_is_written_again(tmp_path: Path) -> None:
    """A part that is marked as done and whose file is gone, or cut, is not taken for done."""
    write_jsonl(tmp_path / "a.jsonl", GOOD)
    config = crawl(tmp_path, "a.jsonl")
    work = ["--work", tmp_path / "w"]
    assert run("curate", config, "--output", tmp_path / "whole", *work) == 0
    shutil.copytree(tmp_path / "whole", tmp_path / "out")
    os.remove(tmp_path / "out" / "manifest.json")
    (tmp_path / "out" / "ledger" / "part-00000.parquet").write_bytes(b"cut")
    (tmp_path / "out" / "_work").mkdir()
    assert run("curate", config, "--output", tmp_path / "out", "--resume", *work) == 0
    assert table(tmp_path / "out", "ledger") == table(tmp_path / "whole", "ledger")


def test_scheme_without_its_library_is_a_wrong_config(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """For input and for output, with Beam's own words on what to install."""
    write_jsonl(tmp_path / "a.jsonl", GOOD)
    assert run("config", "check", crawl(tmp_path, "nosuch://bucket/*.gz")) == 2
    assert "Unable to get filesystem" in letter(capsys)
    assert run("curate", crawl(tmp_path, "a.jsonl"), "--output", "nosuch://bucket/out") == 2
    assert "Unable to get filesystem" in letter(capsys)


def test_unknown_runner_is_a_wrong_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is left behind that would be in the way of the next try."""
    write_jsonl(tmp_path / "a.jsonl", GOOD)
    out = tmp_path / "out"
    assert run("curate", crawl(tmp_path, "a.jsonl"), "--output", out, "--", "--runner=Nope") == 2
    assert letter(capsys).startswith("Beam refuses its options: Unexpected pipeline runner: Nope.")
    assert not out.exists()


@pytest.mark.parametrize("redirect", [">&-", "| head -1 >/dev/null; exit ${PIPESTATUS[0]}"])
def test_reader_of_results_may_leave(tmp_path: Path, redirect: str) -> None:
    """The dataset is there, so the run has succeeded, whoever reads its table."""
    write_jsonl(tmp_path / "a.jsonl", GOOD)
    out = tmp_path / "out"
    command = f"{sys.executable} -m beam_jobs curate {crawl(tmp_path, 'a.jsonl')} --output {out} --quiet {redirect}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert (out / "manifest.json").exists()
