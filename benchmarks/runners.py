"""Time `curate` of the demo crawl and of the civil sections on the local runner, Prism and Flink, and compare bytes.

    python -m benchmarks.runners [--rounds 3]

Runners take turns within a round. A runner that is not to be had here is left out, and the reason is printed.
"""

import argparse
import hashlib
import json
import lzma
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from statistics import median
from typing import Any, Final

import yaml

from beam_jobs.console.progress import Reporter
from beam_jobs.curate import curate
from beam_jobs.job import Job
from beam_jobs.prepare import prepare
from beam_jobs.runners.engine import Engine
from beam_jobs.runners.options import beam_options
from benchmarks.measure_costs import apart
from benchmarks.runs import TOP
from configs.load import load
from engines.flink.cluster import Cluster
from engines.prism import on_prism
from schemas.errors import CleartitleError
from transforms.part_store import MANIFEST, file_facts, remove_tree
from transforms.publish.manifest import read_manifest

DEMO: Final = TOP / "demo" / "config.yaml"
CIVIL: Final = TOP.parent / "shared" / "data" / "civil" / "sections.jsonl.xz"
PASSING: Final = ("finished", "resumed", "seal", "seconds")
"""Keys of a manifest that say when and how a run ran, or cover those that do; all others depend on input and config."""


@dataclass(frozen=True)
class Timing:
    """A run of `curate`."""

    crawl: str
    runner: str
    seconds: float
    """Wall clock of a process of its own, from its start to its end."""
    pipelines: int
    in_pipelines: float
    """Seconds, of all, from the start of a pipeline to its end, summed."""
    digest: str
    """See `fingerprint`."""


def contents(dataset: Path) -> dict[str, str]:
    """SHA-256 of every file that lies in a dataset, hidden ones too, by its path; but for the manifest's."""
    paths = sorted(str(path.relative_to(dataset)) for path in dataset.rglob("*") if path.is_file())
    return {path: str(file_facts(str(dataset / path))["sha256"]) for path in paths if path != MANIFEST}


def lasting(dataset: Path) -> dict[str, Any]:
    """What the manifest says, but for `PASSING`."""
    return {name: value for name, value in read_manifest(str(dataset)).items() if name not in PASSING}


def fingerprint(dataset: Path) -> str:
    """SHA-256 of all files of a dataset, their paths, and what lasts of its manifest."""
    said = json.dumps([contents(dataset), lasting(dataset)], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()


def write_civil(directory: Path) -> Path:
    """Unpack the civil sections into a directory, and write beside them the shortest config that reads them."""
    with lzma.open(CIVIL) as sections:
        (directory / "sections.jsonl").write_bytes(sections.read())
    path = directory / "civil.yaml"
    path.write_text(yaml.safe_dump({"crawl": {"name": "civil", "files": ["sections.jsonl"]}}))
    return path


def curate_once(config: str, output: str, beam: Sequence[str]) -> dict[str, Any]:
    """Curate as the command does; how many pipelines that took, and how many seconds they did."""
    prepared = prepare(load(config, ()))
    engine = Engine(beam_options(beam), prepared.build_id[:8])
    try:
        curate(prepared, output, None, Job(engine, Reporter(quiet=True)))
    finally:
        engine.close()
    return {"pipelines": len(engine.steps), "in_pipelines": sum(step.seconds for step in engine.steps)}


def measure(crawl: str, config: Path, runner: str, beam: Sequence[str], output: Path) -> Timing:
    """Curate into a directory that is made anew, in a new process."""
    remove_tree(str(output))
    started = time.perf_counter()
    said = apart(curate_once, str(config), str(output), beam)
    return Timing(crawl, runner, time.perf_counter() - started, digest=fingerprint(output), **said)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        crawls = dict(_crawls(place))
        runners = dict(_runners(place, stack))
        timings = []
        for number in range(-1, rounds):  # the first compiles kernels and starts workers, and is not counted
            for (crawl, config), (runner, beam) in product(crawls.items(), runners.items()):
                found = measure(crawl, config, runner, beam, place / "out")
                print(f"round {number + 1} of {rounds}: {crawl} on {runner}, {found.seconds:.1f} s", flush=True)
                timings += [found] if number >= 0 else []
    print(table(timings))


def table(timings: Sequence[Timing]) -> str:
    """A line for each crawl and runner: median seconds, and whether all runs on all runners made the same bytes."""
    lines = [f"{'crawl':<8}{'runner':<8}{'seconds':>9}{'pipelines':>11}{'s in them':>11}  bytes"]
    for crawl, runner in dict.fromkeys((one.crawl, one.runner) for one in timings):
        mine = [one for one in timings if (one.crawl, one.runner) == (crawl, runner)]
        seconds, inside = (median(getattr(one, name) for one in mine) for name in ("seconds", "in_pipelines"))
        [first, *_] = [one.digest for one in timings if one.crawl == crawl]
        same = "same" if {one.digest for one in mine} == {first} else "OTHER"
        lines.append(
            f"{crawl:<8}{runner:<8}{seconds:>9.1f}{mine[0].pipelines:>11}{inside:>11.1f}  {same} {mine[0].digest}"
        )
    return "\n".join(lines)


def _crawls(place: Path) -> Iterator[tuple[str, Path]]:
    if list(DEMO.parent.glob("data/*.warc.gz")):
        yield "demo", DEMO
    else:
        print("demo is left out: `make demo` makes its crawl.")
    if CIVIL.exists():
        yield "civil", write_civil(place)
    else:
        print(f"civil is left out: {CIVIL} is not here.")


def _runners(place: Path, stack: ExitStack) -> Iterator[tuple[str, list[str]]]:
    """Beam options by runner; what has to be started stops when the stack closes."""
    yield "local", []
    try:
        yield "prism", on_prism()
    except CleartitleError as error:
        print(f"prism is left out: {error}")
    try:
        cluster = Cluster.start(place / "flink")
        stack.callback(cluster.stop)
        yield "flink", cluster.options()
    except CleartitleError as error:
        print(f"flink is left out: {error}")


if __name__ == "__main__":
    main()
