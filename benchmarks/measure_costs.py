"""Measure costs: whole runs on one corpus, metered and by hand, each in a process of its own."""

import multiprocessing
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from beam_jobs.allocator import keep_freed_memory
from beam_jobs.console.progress import Reporter
from beam_jobs.decide import decide
from beam_jobs.job import Job
from beam_jobs.measure import measure
from beam_jobs.prepare import Prepared, prepare
from beam_jobs.publish import publish
from beam_jobs.runners.engine import Engine
from beam_jobs.runners.options import beam_options
from benchmarks.by_hand import HandEngine
from benchmarks.metered import MeteredEngine, driver_markers
from configs.load import load
from transforms.part_store import Stage, remove_tree

OPTIONS: Final = ("--direct_num_workers=1",)
"""One thread, so that CPU seconds are those of one core that waits for no other."""


def apart(function: Callable[..., dict[str, Any]], *arguments: object) -> dict[str, Any]:
    """Call a function in a new process, whose CPU and memory are its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(function, arguments)


def curate_with(config: Path, engine: Engine, place: Path) -> tuple[Prepared, Stage, dict[str, Any]]:
    """Measure, decide and publish into a directory that is made anew; what was asked, the decisions, the manifest."""
    remove_tree(str(place))
    prepared = prepare(load(str(config), ()))
    job = Job(engine, Reporter(quiet=True))
    measured = measure(prepared, str(place / "measured"), job, codec="none")
    decided = decide(prepared, measured, str(place / "decided"), job)
    manifest = publish(prepared, measured, decided, str(place / "dataset"), job, {}, False)
    return prepared, decided, manifest


def run_metered(config: Path, place: Path) -> dict[str, Any]:
    """What each step of a run costs on the local runner, and what came out. Kernels must have been compiled before."""
    keep_freed_memory()
    engine = MeteredEngine(beam_options(OPTIONS), place=place)
    with engine.metering(), driver_markers() as markers:
        prepared, decided, manifest = curate_with(config, engine, place)
    counts, files = manifest["counts"], manifest["files"]
    return {
        "documents": counts["records"],
        "kept": counts["kept"],
        "text_bytes": manifest["bytes"]["text"],
        "input_bytes": manifest["bytes"]["input"],
        "dataset_bytes": manifest["bytes"]["written"],
        "parts": len(prepared.plan.parts),
        "members": manifest["duplicates"]["members"],
        "largest": manifest["duplicates"]["largest_cluster"],
        "edge_bytes": _size(Path(decided.directory), "pairs-*/*.arrow"),
        "index_rows": {
            index: sum(facts["rows"] for name, facts in files.items() if name.startswith(index))
            for index in ("index_keys", "index_urls")
        },
        "manifest_bytes": (place / "dataset" / "manifest.json").stat().st_size,
        "manifest_files": len(files),
        "driver_markers": len(markers.in_turn),
        "driver_markers_at_once": len(markers.at_once),
        "steps": {name: asdict(cost) for name, cost in sorted(engine.by_step().items())},
    }


def run_by_hand(config: Path, place: Path, cut_bytes: int) -> dict[str, Any]:
    """What the steps of a run send through shuffles of so large partitions, and the memory that each call takes."""
    engine = HandEngine(beam_options(OPTIONS), cut_bytes=cut_bytes)
    curate_with(config, engine, place)
    return {name: asdict(ran) for name, ran in engine.ran.items()}


def _size(directory: Path, pattern: str) -> int:
    return sum(path.stat().st_size for path in directory.glob(pattern))
