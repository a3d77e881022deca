"""Runs that something happens to: a command in a process of its own, a watcher for the moment, and what came of it."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from engines.flink.cluster import Cluster
from engines.flink.processes import free_ports, listens, start, wait_until
from tests.jobs import write_config, write_jsonl

DEADLINE_SECONDS = 180
POLL_SECONDS = 0.02
DOCUMENTS = 1200


def write_crawl(place: Path) -> Path:
    """A crawl of some thirty parts with near-duplicates across them; its config."""
    texts = [" ".join(f"w{(i % 300) * 7 + j}" for j in range(250)) + f" tail{i}" for i in range(DOCUMENTS)]
    write_jsonl(place / "a.jsonl", [{"id": str(i), "text": text} for i, text in enumerate(texts)])
    crawl = {"name": "faults", "files": ["a.jsonl"]}
    return write_config(place / "c.yaml", {"crawl": crawl, "plan": {"part_size": "64 KiB"}})


@dataclass
class Run:
    """A run of `curate` on a cluster, in a process of its own."""

    process: "subprocess.Popen[str]"
    output: Path
    begun: float = field(default_factory=time.monotonic)

    def until(self, ready: Callable[[], Any]) -> Any:
        """Ask until the answer is yes, and return it; fails if the run ends before, or takes too long."""
        while not (found := ready()):
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(POLL_SECONDS)
                pytest.fail(f"the run ended before the moment came: {self.end()}")
            assert time.monotonic() - self.begun < DEADLINE_SECONDS
        return found

    def until_file(self, pattern: str) -> None:
        """Wait for the first file of that pattern in the output."""
        self.until(lambda: next(self.output.glob(pattern), None))

    def end(self) -> tuple[int, str]:
        """Wait for the end; its exit code, and what it said on stderr."""
        said = self.process.communicate(timeout=DEADLINE_SECONDS)[1]
        return self.process.returncode, said


@contextmanager
def begun(config: Path, output: Path, beam: list[str], *options: str) -> Iterator[Run]:
    """Begin a run, as a process group like that of a command at a terminal; it does not outlive the block."""
    command = [sys.executable, "-m", "beam_jobs", "curate", str(config), "--output", str(output), "--quiet", *options]
    with subprocess.Popen(
        [*command, "--", *beam], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, process_group=0
    ) as process:
        try:
            yield Run(process, output)
        finally:
            process.kill()


def running_job(cluster: Cluster, step: str) -> str | None:
    """Id of the job of a step of which at least one task runs; None if there is none."""
    for job in cluster.get("/jobs/overview")["jobs"]:
        if job["name"].startswith(f"cleartitle-{step}") and job["state"] == "RUNNING" and job["tasks"]["running"]:
            return str(job["jid"])
    return None


@contextmanager
def other_pool(directory: Path, command: list[str], environment: Mapping[str, str]) -> Iterator[str]:
    """Another pool of workers, whose processes have other variables; gives what Beam calls its environment."""
    (port,) = free_ports(1)
    pool = start(
        "pool", [sys.executable, *(word.format(port=port) for word in command)], directory / "log", environment
    )
    try:
        wait_until(lambda: listens(port), "An answer of the pool", [pool], DEADLINE_SECONDS)
        yield f"--environment_config=127.0.0.1:{port}"
    finally:
        pool.end()
