"""Progress: read from the markers on disk, in one line that says how far it is and how long it takes."""

import io
import logging
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from beam_jobs.console.progress import Reporter, StageProgress, time_words
from transforms import live_counts
from transforms.part_store import Stage

Clock = list[float]
NOON = 1000.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The time in seconds, which passes only when a test says so."""
    now = [NOON]
    monkeypatch.setattr("beam_jobs.console.progress.time", SimpleNamespace(monotonic=lambda: now[0]))
    return now


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(str(tmp_path), "digest")


def watched(stage: Stage, parts: int = 12, phase: str = "") -> StageProgress:
    progress = StageProgress("measure", stage, parts, phase, NOON)
    progress.update()
    return progress


def ended() -> threading.Event:
    event = threading.Event()
    event.set()
    return event


@pytest.mark.usefixtures("clock")
def test_stage_that_has_just_begun_tells_no_rate(stage: Stage) -> None:
    """There is nothing to reckon with yet, and the directory need not be there."""
    assert watched(stage).line() == "measure 0/12 parts  0 documents"


def test_line_tells_rate_and_time_left(stage: Stage, clock: Clock) -> None:
    """Three of twelve parts in 10 seconds: nine more take 30."""
    progress = watched(stage)
    for number in (7, 0, 3):
        stage.finish(number, {"records": 15040})
    clock[0] += 10
    progress.update()
    assert progress.line() == "measure 3/12 parts  45,120 documents  4,512/s  30 s left"


def test_resumed_parts_count_as_done_but_not_for_the_rate(stage: Stage, clock: Clock) -> None:
    """Four of six were there before; one new part took 20 seconds, so the last one takes 20 more."""
    for number in range(4):
        stage.finish(number, {"records": 1000})
    progress = watched(stage, 6)
    clock[0] += 20
    assert progress.line() == "measure 4/6 parts  4,000 documents"
    stage.finish(5, {"records": 500})
    progress.update()
    assert progress.line() == "measure 5/6 parts  4,500 documents  25/s  20 s left"


def test_parts_of_another_digest_are_not_done(stage: Stage, clock: Clock) -> None:
    """A marker that another config left counts only when it is written anew."""
    Stage(stage.directory, "other").finish(0, {"records": 9})
    progress = watched(stage)
    assert progress.line() == "measure 0/12 parts  0 documents"
    stage.finish(0, {"records": 4})
    clock[0] += 2
    progress.update()
    assert progress.line() == "measure 1/12 parts  4 documents  2/s  22 s left"


def test_finished_stage_tells_neither_time_left_nor_phase(stage: Stage, clock: Clock) -> None:
    """Only what it came to."""
    progress = watched(stage, 1, "settling")
    stage.finish(0, {"records": 100})
    clock[0] += 4
    progress.update()
    assert progress.line() == "measure 1/1 parts  100 documents  25/s"


@pytest.mark.usefixtures("clock")
def test_phase_ends_the_line(stage: Stage) -> None:
    """Where a stage has several steps before its first part is done."""
    progress = watched(stage, 3, "connecting components")
    assert progress.line() == "measure 0/3 parts  0 documents  connecting components"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (59.4, "59 s"),
        (59.5, "1 min 0 s"),
        (3599.4, "59 min 59 s"),
        (3599.5, "1 h 0 min"),
        (90_061, "25 h 1 min"),
    ],
)
def test_time_is_rounded_before_it_is_put_into_words(seconds: float, words: str) -> None:
    """So that there are never 60 seconds."""
    assert time_words(seconds) == words


@given(st.integers(0, 10**6))
def test_time_words_lose_less_than_their_smallest_unit(seconds: int) -> None:
    """Read back, they are the time up to the unit that is shown last."""
    units = {"s": 1, "min": 60, "h": 3600}
    words = time_words(seconds).split()
    read = sum(int(count) * units[unit] for count, unit in zip(words[::2], words[1::2], strict=True))
    assert read <= seconds < read + (1 if words[-1] == "s" else 60)


@pytest.mark.usefixtures("clock")
def test_reporter_prints_plain_lines_where_stderr_is_no_terminal(
    stage: Stage, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last state, at the end; never broken into two lines, however narrow."""
    monkeypatch.setenv("COLUMNS", "20")
    with Reporter().watch("measure", stage, 2) as progress:
        progress.started, progress.phase = NOON - 2, "a phase with a long name"
        stage.finish(0, {"records": 1234})
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "measure 1/2 parts  1,234 documents  617/s  2 s left  a phase with a long name\n"


def test_reporter_that_is_quiet_prints_nothing(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither on stderr nor on stdout."""
    with Reporter(quiet=True).watch("measure", stage, 1):
        stage.finish(0, {"records": 1})
    assert capsys.readouterr() == ("", "")


def fail_while_watched(stage: Stage) -> None:
    with Reporter().watch("measure", stage, 2) as progress:
        progress.started = NOON - 1
        stage.finish(0, {"records": 5})
        raise KeyError("failed")


@pytest.mark.usefixtures("clock")
def test_last_state_is_shown_when_the_stage_fails(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    """The error goes through after it, and no thread is left."""
    before = set(threading.enumerate())
    with pytest.raises(KeyError, match="failed"):
        fail_while_watched(stage)
    assert capsys.readouterr().err == "measure 1/2 parts  5 documents  5/s  1 s left\n"
    assert set(threading.enumerate()) <= before


class _Ticks(threading.Event):
    """An event that lets a loop turn so many times before it is set."""

    def __init__(self, turns: int):
        super().__init__()
        self.turns = turns

    def wait(self, timeout: float | None = None) -> bool:
        self.turns -= 1
        return self.turns < 0


@pytest.mark.usefixtures("clock")
def test_a_line_is_printed_at_every_turn(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    """And one at the end."""
    Reporter()._lines(watched(stage, 1), _Ticks(2))
    assert capsys.readouterr().err == "measure 0/1 parts  0 documents\n" * 3


def terminal() -> tuple[Reporter, io.StringIO]:
    reporter, screen = Reporter(), io.StringIO()
    reporter.console = Console(file=screen, force_terminal=True, width=120, color_system=None, highlight=False)
    return reporter, screen


@pytest.mark.usefixtures("clock")
def test_reporter_tells_objects_where_machines_read(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    """The same line, and what is in it as fields; also on a terminal, and nothing with --quiet."""
    caplog.set_level(logging.INFO, "cleartitle")
    stage.finish(0, {"records": 1234})
    for quiet in (True, False):
        reporter, screen = terminal()
        reporter.quiet, reporter.as_json = quiet, True
        with reporter.watch(
            "measure",
            stage,
            2,
        ) as progress:
            progress.phase = "a phase"
        assert screen.getvalue() == ""
    (record,) = caplog.records
    assert record.getMessage() == "measure 1/2 parts  1,234 documents  a phase"
    found = {name: vars(record)[name] for name in ("stage", "done", "parts", "documents", "phase")}
    assert found == {"stage": "measure", "done": 1, "parts": 2, "documents": 1234, "phase": "a phase"}


@pytest.mark.usefixtures("clock")
def test_bar_ends_with_the_last_state(stage: Stage) -> None:
    """On a terminal: bar, line and time."""
    reporter, screen = terminal()
    progress = watched(stage, 2)
    for number in range(2):
        stage.finish(number, {"records": 10})
    reporter._bar(progress, ended())
    assert "━" * 24 + " measure 2/2 parts  20 documents" in screen.getvalue()


@pytest.mark.usefixtures("clock")
def test_reporter_shows_a_bar_on_a_terminal(stage: Stage) -> None:
    """Where it would print lines elsewhere."""
    reporter, screen = terminal()
    with reporter.watch("measure", stage, 3) as progress:
        progress.started = NOON - 1
        stage.finish(1, {"records": 7})
    assert "measure 1/3 parts  7 documents" in screen.getvalue()
    assert "━" in screen.getvalue()


# A store that does not answer


@pytest.fixture
def outage(monkeypatch: pytest.MonkeyPatch) -> list[Exception]:
    """Errors that the next requests for the list of markers fail with, one each."""
    errors: list[Exception] = []
    listed = Stage.listed

    def ask(stage: Stage) -> set[int]:
        if errors:
            raise errors.pop(0)
        return listed(stage)

    monkeypatch.setattr(Stage, "listed", ask)
    return errors


SAID = (
    "cleartitle: warning: the progress of measure cannot be read; the work goes on, and it is tried again "
    "(OSError: 503 Slow Down)"
)


@pytest.mark.usefixtures("clock")
def test_lines_go_on_after_requests_that_fail(
    stage: Stage, outage: list[Exception], capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """With what is known, until the store answers again; the failure is said once, whatever it was."""
    progress = watched(stage, 1)
    stage.finish(0, {"records": 5})
    outage += [OSError("503 Slow Down"), KeyError("expired")]
    Reporter()._lines(progress, _Ticks(2))
    assert [line[:19] for line in capsys.readouterr().err.splitlines()] == ["measure 0/1 parts  "] * 2 + [
        "measure 1/1 parts  "
    ]
    (warning,) = caplog.records
    assert (warning.getMessage(), warning.levelname, vars(warning)["stage"]) == (SAID, "WARNING", "measure")


@pytest.mark.usefixtures("clock")
def test_bar_goes_on_after_requests_that_fail(
    stage: Stage, outage: list[Exception], caplog: pytest.LogCaptureFixture
) -> None:
    """On a terminal as elsewhere."""
    reporter, screen = terminal()
    progress = watched(stage, 1)
    stage.finish(0, {"records": 5})
    outage += [OSError("503 Slow Down")] * 2
    reporter._bar(progress, _Ticks(2))
    assert "measure 1/1 parts  5 documents" in screen.getvalue()
    assert [record.getMessage() for record in caplog.records] == [SAID]


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("on_terminal", [True, False], ids=["bar", "lines"])
def test_work_ends_well_though_progress_is_never_read(
    stage: Stage,
    outage: list[Exception],
    on_terminal: bool,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Neither the first look nor the last one raises, in this thread or in that which watches."""
    reporter, screen = terminal() if on_terminal else (Reporter(), io.StringIO())
    outage += [OSError("503 Slow Down")] * 1000
    with reporter.watch("measure", stage, 1) as progress:
        stage.finish(0, {"records": 5})
    assert "measure 0/1 parts  0 documents" in screen.getvalue() + capsys.readouterr().err
    assert [record.getMessage() for record in caplog.records] == [SAID]
    outage.clear()
    progress.update()
    assert progress.done == 1


def test_line_counts_documents_of_parts_under_way(tmp_path: Path) -> None:
    """Inside a part the count moves; when the part is done its marker takes over."""
    stage = Stage(str(tmp_path), "digest")
    progress = StageProgress("measure", stage, 2)
    progress.update()
    live_counts.note(stage, 0, 40)
    live_counts.note(stage, 0, 120)
    assert progress.line().startswith("measure 0/2 parts  120 documents  ")
    live_counts.note(Stage(str(tmp_path / "other"), "digest"), 0, 5)
    stage.finish(0, {"records": 150})
    live_counts.clear(stage, 0)
    progress.update()
    assert progress.line().startswith("measure 1/2 parts  150 documents  ")
