"""Run pipelines by hand: step by step in this thread, so that every element that a shuffle is sent can be counted."""

import builtins
import ctypes
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import apache_beam as beam
import pyarrow as pa
from apache_beam.pipeline import PipelineVisitor

from beam_jobs.runners.engine import Engine
from transforms.spread_parts import SpreadParts


@dataclass(frozen=True)
class Ran:
    """What one step did to all of its keys."""

    calls: int
    """Keys that it was called with."""
    elements: int
    """Sent to the shuffle behind it."""
    bytes: int
    """Of these elements, keys aside."""
    opens: int
    """Files opened to be read; an object store is asked for the size of each, and for its bytes."""
    cpu_seconds: float
    most_bytes: int
    """Memory that one call took beyond what the process held before; the largest of all calls."""


@dataclass
class HandEngine(Engine):
    """An engine that runs pipelines of ours in this thread, cut into partitions as those of a cluster are."""

    cut_bytes: int = 64 << 20
    """As `partition_bytes`."""
    ran: dict[str, Ran] = field(default_factory=dict)
    """By pipeline and class of the step, as `pair-0/ReadKeys`."""

    @property
    def local(self) -> bool:
        return False

    @property
    def partition_bytes(self) -> int:
        return self.cut_bytes

    def run(self, name: str, build: Callable[[beam.Pipeline], object]) -> None:
        """Build the pipeline, and do what it says: lists of numbers, and steps with a grouping by key between them."""
        pipeline = beam.Pipeline(options=self.options)
        build(pipeline)
        found = _Steps()
        pipeline.visit(found)
        groups: dict[int, list[Any]] = {number: [0] for number in found.numbers}
        for label, step in found.steps:
            self.ran[f"{name}/{label}"], groups = run_step(step, groups)


def run_step(step: beam.DoFn, groups: dict[int, list[Any]]) -> tuple[Ran, dict[int, list[bytes]]]:
    """Call a step with each key and its values, in order of keys; what that took, and what it sent, by key."""
    sent: dict[int, list[bytes]] = defaultdict(list)
    most, spent = 0, 0.0
    opened: list[Any] = []
    for key in sorted(groups):
        held = _rest()
        started = time.thread_time()
        with _noted(builtins, "open", opened), _noted(pa, "memory_map", opened):
            answers = list(step.process((key, groups[key])) or ())
        spent += time.thread_time() - started
        most = max(most, resident("VmHWM") - held)
        for target, value in answers:
            sent[target].append(value)
    sizes = [len(value) for values in sent.values() for value in values]
    return Ran(len(groups), len(sizes), sum(sizes), sum(map(_is_ours, opened)), spent, most), dict(sent)


class _Steps(PipelineVisitor):  # type: ignore[misc]
    """The part numbers that a pipeline begins with, and the steps behind them by their labels."""

    def __init__(self) -> None:
        self.numbers: Iterable[int] = ()
        self.steps: list[tuple[str, beam.DoFn]] = []

    def enter_composite_transform(self, applied: Any) -> None:
        if isinstance(applied.transform, SpreadParts):
            self.numbers = [number for run in applied.transform.runs for number in range(*run)]
            self.steps.clear()

    def leave_composite_transform(self, applied: Any) -> None:
        if isinstance(applied.transform, SpreadParts):
            self.steps.clear()

    def visit_transform(self, applied: Any) -> None:
        if isinstance(applied.transform, beam.ParDo):
            self.steps.append((type(applied.transform.fn).__name__.strip("_"), applied.transform.fn))


def _is_ours(opened: object) -> bool:
    """Whether a file is of the crawl or of a run, and not one that a library opens for itself."""
    return str(opened).endswith((".parquet", ".json", ".arrow", ".sets"))


def _noted(module: Any, name: str, calls: list[Any]) -> AbstractContextManager[Any]:
    """Let a function of a module note the first argument of each call."""
    real = getattr(module, name)

    def call(first: object, *rest: Any, **named: Any) -> Any:
        calls.append(first)
        return real(first, *rest, **named)

    return patch.object(module, name, call)


def _rest() -> int:
    """Bytes that the process holds when allocators gave back what they can; the mark of its peak is set to that."""
    pa.default_memory_pool().release_unused()
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")
    return resident("VmRSS")


def resident(name: str) -> int:
    """A size of this process in bytes, by its name in /proc/self/status."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith(f"{name}:"))
