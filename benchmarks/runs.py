"""Run a command as a user does, and measure its time and its memory."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import yaml

from benchmarks.grow import BASE, grow, read_base

TOP = Path(__file__).resolve().parents[1]
DATA = Path(__file__).resolve().parent / "data"
SEED = 1
SAMPLE_SECONDS = 0.05


@dataclass(frozen=True)
class Run:
    """What a command cost."""

    seconds: float
    """Wall clock, from start to exit."""
    peak_bytes: int
    """Most memory that the process and all its descendants held at once. Pages that processes share count for each."""


def run(*command: object) -> Run:
    """Run a command in the top directory of the project, its output thrown away.

    Memory is sampled every 50 ms from Linux's /proc; a single process cannot hide a peak between two samples, as the
    kernel notes it. Raises RuntimeError, with the end of what it said, if the command fails.
    """
    words = [str(word) for word in command]
    with tempfile.TemporaryFile() as said:
        started, peak, code = time.perf_counter(), 0, None
        process = subprocess.Popen(words, cwd=TOP, stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT)
        while code is None:
            peak = max(peak, _tree_bytes(process.pid))
            with suppress(subprocess.TimeoutExpired):
                code = process.wait(SAMPLE_SECONDS)
        seconds = time.perf_counter() - started
        if code:
            said.seek(0)
            raise RuntimeError(f"{' '.join(words)} failed with {code}:\n{said.read()[-4000:].decode(errors='replace')}")
    return Run(seconds, peak)


def run_cleartitle(*arguments: object, threads: int) -> Run:
    """Run `cleartitle` with the arguments on that many threads."""
    return run(sys.executable, "-m", "beam_jobs", *arguments, "--quiet", "--", f"--direct_num_workers={threads}")


def grown_corpus(data: Path, documents: int, base: Path = BASE) -> Path:
    """The directory of a grown corpus of that size under `data`, made if it is not there yet."""
    directory = data.resolve() / f"grown-{documents}" / "crawl"
    if not directory.exists():
        print(f"Growing {documents:,} documents …", flush=True)
        grow(read_base(base), directory, documents, SEED)
    return directory


def write_config(corpus: Path) -> Path:
    """Write, beside a corpus of Parquet files, the shortest config that reads it."""
    path = corpus.parent / "config.yaml"
    path.write_text(yaml.safe_dump({"crawl": {"name": "bench", "files": [f"{corpus}/*.parquet"]}}))
    return path


def _tree_bytes(pid: int) -> int:
    """Memory of a process and its descendants now, or the most that one of them ever held, if that is more."""
    now, most = 0, 0
    for member in _tree(pid):
        with suppress(OSError):  # it has just ended
            lines = Path(f"/proc/{member}/status").read_text().splitlines()
            sizes = {line.split(":")[0]: int(line.split()[1]) << 10 for line in lines if line.startswith("Vm")}
            now, most = now + sizes.get("VmRSS", 0), max(most, sizes.get("VmHWM", 0))
    return max(now, most)


def _tree(pid: int) -> Iterator[int]:
    yield pid
    with suppress(OSError):
        for thread in os.listdir(f"/proc/{pid}/task"):
            for child in Path(f"/proc/{pid}/task/{thread}/children").read_text().split():
                yield from _tree(int(child))
