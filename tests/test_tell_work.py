"""Telling work: a part counts once, when it is finished, and its log names it."""

import logging
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.metrics import Metrics

from beam_jobs.runners.engine import Distribution, Engine
from beam_jobs.runners.options import beam_options
from schemas.errors import WorkError
from schemas.names import NAMESPACE
from transforms import live_counts
from transforms.counters import STAGES, reference
from transforms.live_counts import Slowest, take_slowest
from transforms.spread_parts import SpreadParts
from transforms.tell_work import SLOW_SECONDS, work

ROOT = Path(__file__).resolve().parents[1]
FILES = ["a.warc.gz", "b.warc.gz", "c.warc.gz"]


class _Survey(beam.DoFn):
    """Part n has n sources and sends n bytes; part 9 fails when it has counted."""

    def process(self, part: tuple[int, Iterable[int]]) -> Iterator[tuple[int, bytes]]:
        with work("survey", "part", part[0], FILES) as done:
            done.count(sources=part[0])
            if part[0] == 9:
                raise WorkError("part 9 fails")
            yield from done.send([(0, b"x" * part[0])])


@pytest.fixture
def engine() -> Engine:
    return Engine(beam_options(["--direct_num_workers=1"]))


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """What the engine's counters are told, outside of a pipeline."""
    found: dict[str, int] = {}

    def keep(_: str, name: str) -> Any:
        return SimpleNamespace(inc=lambda value: found.update({name: value}), update=lambda v: found.update({name: v}))

    for kind in ("counter", "distribution"):
        monkeypatch.setattr(Metrics, kind, keep)
    return found


def survey(engine: Engine, parts: Iterable[int]) -> None:
    engine.run("survey", lambda root: root | SpreadParts(parts) | beam.ParDo(_Survey()))


def test_engine_adds_up_what_parts_count(engine: Engine) -> None:
    """Counters are summed, and times spread; nothing else is in the namespace."""
    survey(engine, range(1, 4))
    metrics = dict(engine.steps[0].metrics)
    times = metrics.pop("survey.part_ms")
    assert metrics == {"survey.parts": 3, "survey.sources": 6, "survey.shuffled_bytes": 6}
    assert isinstance(times, Distribution)
    assert times.count == 3


def test_part_that_fails_counts_nothing(told: dict[str, int], caplog: pytest.LogCaptureFixture) -> None:
    """Neither what it counted before, nor itself; its log has no end."""
    caplog.set_level(logging.INFO, NAMESPACE)
    with pytest.raises(WorkError, match="part 9 fails"):
        list(_Survey().process((9, [])))
    assert told == {}
    assert [record.getMessage().rpartition(": ")[2] for record in caplog.records] == ["begun"]


def test_part_whose_reader_leaves_counts_nothing(told: dict[str, int]) -> None:
    """A step that comes after may fail while the part is under way."""
    elements = _Survey().process((3, []))
    next(elements)
    del elements
    assert told == {}


def test_reasons_are_counted_one_by_one(told: dict[str, int]) -> None:
    """Those that are there; a reason without records makes no counter."""
    with work("settle", "part", 0) as done:
        done.count_each("dropped", {"taint": 2, "near_duplicate": 0})
        done.count_each("dropped", {"taint": 3})
    assert told.pop("settle.part_ms") >= 0
    assert told == {"settle.parts": 1, "settle.dropped.taint": 5}


@pytest.mark.parametrize(
    ("stage", "unit", "call", "name"),
    [
        ("survey", "part", lambda done: done.count(records=1), "survey.records"),
        ("survey", "part", lambda done: done.count_each("sources", {}), "survey.sources.*"),
        ("judge", "part", lambda done: done.note(members=1), "judge.members"),
        ("measure", "partition", lambda _: None, "measure.partition"),
    ],
    ids=["counter", "reasons", "distribution", "unit"],
)
def test_figure_without_a_meaning_is_refused(stage: str, unit: str, call: Any, name: str) -> None:
    """So that docs/counters.md has all of them."""
    with pytest.raises(KeyError, match=re.escape(f"{name} is not in STAGES")), work(stage, unit, 0) as done:
        call(done)


def test_log_names_part_and_files(caplog: pytest.LogCaptureFixture) -> None:
    """Begin and end are one record each, in words, and in fields for machines."""
    caplog.set_level(logging.INFO, NAMESPACE)
    with work("measure", "part", 3, FILES) as done:
        done.count(records=1200, bytes_read=77)
    begin, end = caplog.records
    assert begin.getMessage() == "measure, part 3 (a.warc.gz … c.warc.gz): begun"
    said = r"measure, part 3 \(a.warc.gz … c.warc.gz\): done in \d+\.\d s: records 1,200, bytes_read 77"
    assert re.fullmatch(said, end.getMessage())
    assert (end.name, end.levelname) == ("cleartitle.measure", "INFO")
    fields = {name: vars(end)[name] for name in ("stage", "part", "files", "records", "bytes_read")}
    assert fields == {
        "stage": "measure",
        "part": 3,
        "files": ["a.warc.gz", "c.warc.gz"],
        "records": 1200,
        "bytes_read": 77,
    }
    assert vars(end)["seconds"] >= 0


def test_part_that_takes_long_is_warned_of(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """With its name and how long it took; one that takes as long as it may is not."""
    times = iter([0.0, SLOW_SECONDS, 0.0, SLOW_SECONDS + 60.0])
    monkeypatch.setattr("transforms.tell_work.time", SimpleNamespace(monotonic=lambda: next(times)))
    for number in range(2):
        with work("index", "range", number):
            """Nothing is done."""
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert warnings == ["index, range 1: took 11 min. One such holds up the whole stage, and is lost if a worker dies."]


def test_slowest_part_of_a_stage_is_kept_until_it_is_asked_for() -> None:
    """The time that is greatest; then it is forgotten, so that the next run begins anew."""
    take_slowest()
    for milliseconds, part in ((7, "part 0"), (9, "part 1"), (8, "part 2")):
        live_counts.note_time("weigh", milliseconds, part)
    assert take_slowest() == {"weigh": Slowest(9, "part 1")}
    assert take_slowest() == {}


def test_committed_reference_is_the_generated_one() -> None:
    """A change of a counter goes with its reference."""
    assert (ROOT / "docs" / "counters.md").read_text("utf-8") == reference(), "run: python -m transforms.counters"


def test_reference_has_every_figure_once() -> None:
    """Counters, distributions, and those that each unit brings."""
    names = re.findall(r"^\| `([^`]*)`", reference(), re.MULTILINE)
    expected = [
        f"{stage}.{name}"
        for stage, figures in STAGES.items()
        for name in (
            *(f"{unit}s" for unit in figures.units),
            *figures.counters,
            *figures.distributions,
            *(f"{unit}_ms" for unit in figures.units),
        )
    ]
    assert names == expected
    assert len(set(names)) == len(names)
