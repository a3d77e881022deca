"""Metered engines: what each step of a run costs this process, pipeline by pipeline."""

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import apache_beam as beam
import pyarrow as pa

from beam_jobs.runners.engine import Engine
from transforms.part_store import Stage


@dataclass
class Cost:
    """What a step cost this process; bytes and files are those of the disk."""

    cpu_seconds: float = 0.0
    """Of all threads, user and system."""
    read_bytes: int = 0
    """Asked of the system by all threads; of a file that is mapped, its size."""
    written_bytes: int = 0
    files: int = 0
    """Files written."""
    pipelines: int = 0

    def __add__(self, other: "Cost") -> "Cost":
        mine, theirs = asdict(self), asdict(other)
        return Cost(**{name: mine[name] + theirs[name] for name in mine})


def step_of(pipeline: str) -> str:
    """The step that a pipeline is a pass or a round of.

    >>> step_of("pair-12"), step_of("settle")
    ('pair', 'settle')
    """
    return pipeline.split("-")[0]


@dataclass
class MeteredEngine(Engine):
    """An engine that notes what each pipeline cost, and plans as on a cluster though it runs here.

    On a cluster a shuffle lies on disks, so that there is one pass of each kind over large partitions.
    """

    place: Path = Path()
    """Where the run writes."""
    costs: dict[str, Cost] = field(default_factory=dict)
    """By pipeline, in the order in which they ran; `driver` is what happened between them."""
    _last: Cost = field(default_factory=Cost)
    _seen: dict[str, int] = field(default_factory=dict)
    _mapped: list[int] = field(default_factory=list)

    @property
    def local(self) -> bool:
        return False

    @property
    def partition_bytes(self) -> int:
        return 64 << 20

    def run(self, name: str, build: Callable[[beam.Pipeline], object]) -> None:
        self.note("driver")
        super().run(name, build)
        self.note(name, pipelines=1)

    @contextmanager
    def metering(self) -> Iterator["MeteredEngine"]:
        """Count from here on; what is done after the last pipeline goes to `driver`."""
        real = pa.memory_map

        def memory_map(path: str, *rest: Any) -> Any:
            self._mapped.append(os.path.getsize(path))
            return real(path, *rest)

        with patch.object(pa, "memory_map", memory_map):
            self._last, self._seen = self._now(), self._files()
            yield self
            self.note("driver")

    def note(self, name: str, pipelines: int = 0) -> None:
        """Book what was spent since the last note."""
        now, files = self._now(), self._files()
        fresh = [size for path, size in files.items() if self._seen.get(path) != size]
        cost = Cost(
            now.cpu_seconds - self._last.cpu_seconds,
            now.read_bytes - self._last.read_bytes,
            sum(fresh),
            len(fresh),
            pipelines,
        )
        self.costs[name] = self.costs.get(name, Cost()) + cost
        self._last, self._seen = self._now(), files

    def by_step(self) -> dict[str, Cost]:
        """Costs of the steps, passes and rounds of each together."""
        found: dict[str, Cost] = {}
        for name, cost in self.costs.items():
            found[step_of(name)] = found.get(step_of(name), Cost()) + cost
        return found

    def _now(self) -> Cost:
        spent = os.times()
        asked = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
        return Cost(spent.user + spent.system, int(asked["rchar"]) + sum(self._mapped))

    def _files(self) -> dict[str, int]:
        return {str(path): path.stat().st_size for path in self.place.rglob("*") if path.is_file()}


@dataclass
class Markers:
    """Numbers of parts whose markers were read, one after the other or by `Stage.markers` many at once."""

    in_turn: list[int] = field(default_factory=list)
    at_once: list[int] = field(default_factory=list)


@contextmanager
def driver_markers() -> Iterator[Markers]:
    """Numbers of the parts whose markers the main thread reads, and waits for, while the block runs."""
    read = Markers()
    one, many = Stage.marker, Stage.markers

    def marker(stage: Stage, number: int) -> dict[str, Any] | None:
        if threading.current_thread() is threading.main_thread():
            read.in_turn.append(number)
        return one(stage, number)

    def markers(stage: Stage, numbers: Sequence[int]) -> list[dict[str, Any] | None]:
        read.at_once.extend(numbers)
        return many(stage, numbers)

    with patch.object(Stage, "marker", marker), patch.object(Stage, "markers", markers):
        yield read
