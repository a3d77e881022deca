"""Killed in any stage, a run that is resumed ends in the bytes of an unbroken one."""

import os
import signal
import subprocess
import sys
import time
from itertools import product
from pathlib import Path

import pytest

from tests.jobs import digests, run, write_config, write_jsonl

DEADLINE_SECONDS = 60
HEARING = """import signal
signal.signal(signal.SIGHUP, signal.SIG_DFL)
from beam_jobs.cli import main
main()
"""
"""The command as at a terminal, where it hears of a hang-up, even if these tests were started not to."""
MOMENTS = {
    "measure": "_work/measured/part-00000.json",
    "pairing": "_work/decided/stage.json",
    "judging": "_work/decided/members/part-00000.json",
    "settling": "_work/decided/part-00000.json",
    "publish": "_work/published/part-00000.json",
}


@pytest.fixture(scope="module")
def crawl(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve parts, with near-duplicates across them."""
    place = tmp_path_factory.mktemp("crawl")
    texts = [" ".join(f"w{(i % 300) * 7 + j}" for j in range(250)) + f" tail{i}" for i in range(600)]
    write_jsonl(place / "a.jsonl", [{"id": str(i), "text": text} for i, text in enumerate(texts)])
    crawl = {"name": "t", "files": ["a.jsonl"]}
    return write_config(place / "c.yaml", {"crawl": crawl, "plan": {"part_size": "64 KiB"}})


@pytest.fixture(scope="module")
def unbroken(crawl: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    place = tmp_path_factory.mktemp("unbroken") / "out"
    assert run("curate", crawl, "--output", place, "--quiet") == 0
    return digests(place)


CASES = [*product(MOMENTS, (signal.SIGKILL, signal.SIGINT)), ("judging", signal.SIGTERM), ("judging", signal.SIGHUP)]
"""The last two are heard as an interrupt is; once is enough to see that."""


@pytest.mark.parametrize(("moment", "sign"), CASES, ids=[f"{moment}-{sign.name}" for moment, sign in CASES])
def test_interrupted_run_resumes_to_the_same_bytes(
    crawl: Path, unbroken: dict[str, str], tmp_path: Path, moment: str, sign: signal.Signals
) -> None:
    """No manifest before the end, nothing half-written under its name after it, and the same files."""
    out = tmp_path / "out"
    command = [sys.executable, "-c", HEARING, "curate", str(crawl), "--output", str(out), "--quiet"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    begun = time.monotonic()
    while not (out / MOMENTS[moment]).exists():
        assert process.poll() is None, "the run ended before the moment came"
        assert time.monotonic() - begun < DEADLINE_SECONDS
    os.kill(process.pid, sign)
    said = process.communicate(timeout=DEADLINE_SECONDS)[1]
    if process.returncode != 0:
        assert not (out / "manifest.json").exists()
    if sign != signal.SIGKILL:
        assert process.returncode == 1
        assert (
            said.lstrip("\n")
            == "cleartitle: interrupted. What is done is kept; the same command with --resume goes on.\n"
        )
    assert run("curate", crawl, "--output", out, "--quiet", "--resume") == 0
    assert digests(out) == unbroken
    assert sorted(path.name for path in out.iterdir()) == [
        "documents",
        "fingerprints",
        "index_keys",
        "ledger",
        "manifest.json",
        "rejected",
    ]
    assert not list(out.rglob(".*"))


def test_run_that_was_started_to_outlive_its_terminal_does(
    crawl: Path, unbroken: dict[str, str], tmp_path: Path
) -> None:
    """As `nohup` starts it, with the signal ignored."""
    out = tmp_path / "out"
    command = ["nohup", sys.executable, "-m", "beam_jobs", "curate", str(crawl), "--output", str(out), "--quiet"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    begun = time.monotonic()
    while not (out / MOMENTS["measure"]).exists():
        assert process.poll() is None, "the run ended before the moment came"
        assert time.monotonic() - begun < DEADLINE_SECONDS
    os.kill(process.pid, signal.SIGHUP)
    assert process.wait(DEADLINE_SECONDS) == 0
    assert digests(out) == unbroken
