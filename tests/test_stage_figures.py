"""Stage figures: what the pipelines of a run counted, a line a stage."""

from collections.abc import Sequence

import pytest

from beam_jobs.console.progress import Reporter
from beam_jobs.console.stage_figures import StageFigures, show_figures, stage_figures
from beam_jobs.runners.engine import Distribution, StepReport
from transforms import live_counts
from transforms.live_counts import Slowest, take_slowest

STEPS = [
    StepReport(
        "measure",
        61.25,
        {
            "measure.parts": 40,
            "measure.records": 45120,
            "measure.bytes_read": 3 << 20,
            "measure.bytes_written": 512,
            "measure.part_ms": Distribution(90_000, 40, 800, 12_345),
        },
    ),
    StepReport(
        "pair-0",
        2.0,
        {
            "pair.parts": 40,
            "pair.keys": 900,
            "pair.shuffled_bytes": 1024,
            "pair.part_ms": Distribution(9, 3, 1, 5),
            "pair.partition_ms": Distribution(70, 8, 2, 30),
        },
    ),
    StepReport("pair-1", 1.0, {"pair.parts": 40, "pair.keys": 100, "pair.part_ms": Distribution(90, 3, 1, 90)}),
    StepReport("connect-0", 0.5, {"connect.rows": 7}),
]
TABLE = """\
step     seconds  parts    rows     read  shuffled  written  slowest part
measure     61.2     40  45,120  3.0 MiB              512 B  12.3 s, part 3 (a … z)
pair x2      3.0     80   1,000            1.0 KiB           0.1 s
connect      0.5              7
"""


@pytest.fixture(autouse=True)
def forget() -> None:
    take_slowest()


def test_pipelines_of_a_stage_are_one_line() -> None:
    """Passes and rounds add up, and the slowest part is that of all units of all passes."""
    _, pair, connect = stage_figures(STEPS, {})
    assert pair == StageFigures("pair", 2, 3.0, 80, 1000, None, 1024, None, 90, None)
    assert connect == StageFigures("connect", 1, 0.5, None, 7)


@pytest.mark.parametrize(("milliseconds", "part"), [(12_345, "part 3"), (12_344, None), (99_999, None)])
def test_slowest_part_is_named_if_its_time_is_the_greatest(milliseconds: int, part: str | None) -> None:
    """What this process saw may be of a part that was not the slowest, or of a run that failed before."""
    found = stage_figures(STEPS[:1], {"measure": Slowest(milliseconds, "part 3")})
    assert (found[0].slowest_ms, found[0].slowest_part) == (12_345, part)


def test_engine_without_counters_has_seconds() -> None:
    """And nothing else."""
    assert stage_figures([StepReport("settle", 2.5, {})], {}) == [StageFigures("settle", 1, 2.5)]


def show(steps: Sequence[StepReport], reporter: Reporter) -> None:
    live_counts.note_time("measure", 12_345, "part 3 (a … z)")
    show_figures(steps, reporter)


def test_table_is_aligned_and_never_broken(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """However narrow the terminal; brackets in the name of a file are no markup."""
    monkeypatch.setenv("COLUMNS", "20")
    show(STEPS, Reporter())
    assert capsys.readouterr() == ("", TABLE)
    live_counts.note_time("measure", 12_345, "part 3 ([red]a.jsonl)")
    show_figures(STEPS[:1], Reporter())
    assert "part 3 ([red]a.jsonl)" in capsys.readouterr().err


def test_nothing_is_shown_of_a_run_that_ran_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """All was done before, or it is quiet; what was slow is forgotten all the same."""
    show([], Reporter())
    show(STEPS, Reporter(quiet=True))
    assert capsys.readouterr() == ("", "")
    assert take_slowest() == {}
