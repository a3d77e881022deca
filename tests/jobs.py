"""Running the command in this process, and reading what it wrote."""

import hashlib
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml

from beam_jobs import cli

FOLDERS = ("documents", "quarantine", "ledger", "rejected", "fingerprints", "index_keys", "index_urls")
JOBS = ("curate", "measure", "decide", "publish")


def run(*arguments: object) -> int:
    """Run `cleartitle` with the arguments, on one worker thread; returns its exit code."""
    words = [str(argument) for argument in arguments]
    beam = ["--", "--direct_num_workers=1"] if words[0] in JOBS and "--" not in words else []
    return cli.run([*words, *beam])


def write_config(path: Path, config: dict[str, Any]) -> Path:
    path.write_text(yaml.safe_dump(config))
    return path


def write_jsonl(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def table(dataset: Path, folder: str) -> list[dict[str, Any]]:
    """All rows of a folder of a dataset, in order of parts."""
    return [row for path in sorted((dataset / folder).iterdir()) for row in pq.read_table(path).to_pylist()]


def ledger(dataset: Path) -> dict[str, dict[str, Any]]:
    """Ledger rows by `record_id`."""
    return {row["record_id"]: row for row in table(dataset, "ledger")}


def manifest(dataset: Path) -> dict[str, Any]:
    return dict(json.loads((dataset / "manifest.json").read_text()))


def digests(dataset: Path) -> dict[str, str]:
    """SHA-256 of every data file of a dataset."""
    folders = [dataset / folder for folder in FOLDERS if (dataset / folder).exists()]
    paths = (path for folder in folders for path in sorted(folder.iterdir()))
    return {str(path.relative_to(dataset)): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def letter(capsys: pytest.CaptureFixture[str]) -> str:
    """What was written to stderr, without the command's name."""
    return capsys.readouterr().err.removeprefix("cleartitle: ").rstrip("\n")


def assert_books_balance(dataset: Path) -> dict[str, Any]:
    """Check every count of the manifest against the rows of the files; returns the counts."""
    counts = manifest(dataset)["counts"]
    rows = table(dataset, "ledger")
    kept = [row["doc_id"] for row in rows if row["decision"] == "keep"]
    assert [row["doc_id"] for row in table(dataset, "documents")] == kept
    assert len({row["doc_id"] for row in rows}) == len(rows)
    dropped, quarantined = (Counter(r["reason"] for r in rows if r["decision"] == d) for d in ("drop", "quarantine"))
    held = table(dataset, "quarantine") if (dataset / "quarantine").exists() else []
    assert [row["doc_id"] for row in held] == [row["doc_id"] for row in rows if row["decision"] == "quarantine"]
    assert counts == {
        "records": len(rows) + len(table(dataset, "rejected")),
        "kept": len(kept),
        "quarantined": quarantined.total(),
        "dropped": dropped.total(),
        "rejected": len(table(dataset, "rejected")),
        "dropped_by": dropped,
        "quarantined_by": quarantined,
    }
    witnesses = {row["duplicate_of"] for row in rows if row["duplicate_of"]}
    assert witnesses <= set(kept)
    return counts


def write_repeats_and_broken_lines(place: Path) -> Path:
    """Two documents with one text, and three lines that cannot be read; the config, with an alarm that they set off."""
    path = write_jsonl(place / "a.jsonl", [{"id": str(i), "text": "one and the same"} for i in range(2)])
    path.write_text(path.read_text("utf-8") + "broken\n" * 3, "utf-8")
    crawl = {"name": "t", "files": ["a.jsonl"]}
    return write_config(place / "c.yaml", {"crawl": crawl, "alarms": {"removal_rate": 0.1}})
