"""What every stage of a run shares, and the check that what it builds on is there."""

from collections.abc import Collection
from dataclasses import dataclass

from beam_jobs.console.progress import Reporter
from beam_jobs.runners.engine import Engine
from schemas.errors import OutputError, WorkError
from transforms.part_store import Stage


@dataclass(frozen=True)
class Job:
    """Where a run runs, whom it tells, and whether it may replace what was begun for something else."""

    engine: Engine
    reporter: Reporter
    overwrite: bool = False


def check_left(stage: Stage, numbers: Collection[int]) -> None:
    """Raise WorkError if a job that is done left no marker for some of the parts that it was given."""
    if missing := sorted(set(numbers) - stage.listed()):
        raise WorkError(
            f"The job is done, but {stage.directory} lacks {len(missing)} of its {len(numbers)} parts, such as "
            f"{missing[0]}.\nDo all workers see that directory as this machine does? If they run elsewhere, it must "
            "lie on a disk that they share, or in an object store."
        )


def count_records(stage: Stage, parts: int, command: str) -> int:
    """Records of all parts of a stage. Raises OutputError, naming the `command` that makes them, if any is missing."""
    markers = stage.markers(range(parts))
    missing = sum(marker is None for marker in markers)
    if missing:
        raise OutputError(
            f"{stage.directory} lacks {missing} of {parts} parts as this config and input make them.\n"
            f"Make them first: cleartitle {command} CONFIG --output {stage.directory} [--resume]."
        )
    return sum(int(marker["records"]) for marker in markers if marker)
