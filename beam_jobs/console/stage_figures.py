"""Stage figures: what the counters of a run say of each of its steps, in the table that it ends with."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from beam_jobs.console.progress import Reporter
from beam_jobs.console.summary import size_words
from beam_jobs.logs import tell
from beam_jobs.runners.engine import Distribution, StepReport
from transforms.counters import STAGES
from transforms.live_counts import Slowest, take_slowest

_COLUMNS = ("step", "seconds", "parts", "rows", "read", "shuffled", "written", "slowest part")


@dataclass(frozen=True)
class StageFigures:
    """What one stage did in all its pipelines; None where it does not count that, or its engine keeps no counters."""

    step: str
    pipelines: int
    seconds: float
    parts: int | None = None
    rows: int | None = None
    bytes_read: int | None = None
    shuffled_bytes: int | None = None
    bytes_written: int | None = None
    slowest_ms: int | None = None
    slowest_part: str | None = None
    """Number and files of the part that took longest, if it was done in this process."""


def stage_figures(steps: Sequence[StepReport], slowest: Mapping[str, Slowest]) -> list[StageFigures]:
    """Figures of each stage, in the order in which they ran; `slowest` are the parts that took longest, by stage.

    >>> stage_figures([StepReport("pair-0", 1.5, {"pair.keys": 7}), StepReport("pair-1", 1.0, {"pair.keys": 2})], {})
    [StageFigures(step='pair', pipelines=2, seconds=2.5, parts=None, rows=9, bytes_read=None, shuffled_bytes=None, \
bytes_written=None, slowest_ms=None, slowest_part=None)]
    """
    stages: dict[str, list[StepReport]] = {}
    for step in steps:
        stages.setdefault(step.name.partition("-")[0], []).append(step)
    return [_figures(stage, reports, slowest.get(stage)) for stage, reports in stages.items()]


def _figures(stage: str, reports: Sequence[StepReport], slowest: Slowest | None) -> StageFigures:
    units, rows = list(STAGES[stage].units), next(iter(STAGES[stage].counters))

    def total(name: str) -> int | None:
        found = [value for report in reports if isinstance(value := report.metrics.get(f"{stage}.{name}"), int)]
        return sum(found) if found else None

    times = [report.metrics.get(f"{stage}.{unit}_ms") for report in reports for unit in units]
    most = max((time.max for time in times if isinstance(time, Distribution)), default=None)
    return StageFigures(
        step=stage,
        pipelines=len(reports),
        seconds=round(sum(report.seconds for report in reports), 3),
        parts=total(f"{units[0]}s"),
        rows=total(rows),
        bytes_read=total("bytes_read"),
        shuffled_bytes=total("shuffled_bytes"),
        bytes_written=total("bytes_written"),
        slowest_ms=most,
        slowest_part=slowest.part if slowest and slowest.milliseconds == most else None,
    )


def show_figures(steps: Sequence[StepReport], reporter: Reporter) -> None:
    """Write the figures of a run to stderr: a table, or an object for each stage. Nothing if nothing was run."""
    found = stage_figures(steps, take_slowest())
    if reporter.quiet or not found:
        return
    if reporter.as_json:
        for one in found:
            tell(f"{one.step} ended", {name: value for name, value in asdict(one).items() if value is not None})
        return
    for line in _table(found):
        reporter.console.print(line, soft_wrap=True, markup=False)


def _table(found: Sequence[StageFigures]) -> list[str]:
    rows = [_COLUMNS, *map(_cells, found)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for step, *numbers, slowest in rows:
        right = (cell.rjust(width) for cell, width in zip(numbers, widths[1:-1], strict=True))
        lines.append("  ".join([step.ljust(widths[0]), *right, slowest]).rstrip())
    return lines


def _cells(one: StageFigures) -> tuple[str, ...]:
    slowest = "" if one.slowest_ms is None else f"{one.slowest_ms / 1000:,.1f} s"
    return (
        one.step if one.pipelines == 1 else f"{one.step} x{one.pipelines}",
        f"{one.seconds:,.1f}",
        *("" if count is None else f"{count:,}" for count in (one.parts, one.rows)),
        *("" if size is None else size_words(size) for size in (one.bytes_read, one.shuffled_bytes, one.bytes_written)),
        f"{slowest}, {one.slowest_part}" if one.slowest_part else slowest,
    )
