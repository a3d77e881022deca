"""Live counts: what this process has under way and what took it longest, for people who watch and nothing else.

Workers in other processes leave nothing here; there the bar moves when a part is done.
"""

from typing import NamedTuple

from transforms.part_store import Stage

_counts: dict[tuple[str, int], int] = {}
_slowest: dict[str, "Slowest"] = {}


class Slowest(NamedTuple):
    """The part of a stage that took longest."""

    milliseconds: int
    part: str
    """Its number and files, in words."""


def note(stage: Stage, part: int, documents: int) -> None:
    """Say that so many documents of a part have been done so far."""
    _counts[stage.directory, part] = documents


def clear(stage: Stage, part: int) -> None:
    """Forget a part: it is done, and its marker says how many it has, or it failed."""
    _counts.pop((stage.directory, part), None)


def under_way(stage: Stage) -> int:
    """Documents done in parts of the stage that are not finished."""
    return sum(count for (directory, _), count in list(_counts.items()) if directory == stage.directory)


def note_time(stage: str, milliseconds: int, part: str) -> None:
    """Say how long a part of a stage took."""
    _slowest[stage] = max(_slowest.get(stage, Slowest(-1, "")), Slowest(milliseconds, part))


def take_slowest() -> dict[str, Slowest]:
    """The slowest part of each stage since this was asked last."""
    found = dict(_slowest)
    _slowest.clear()
    return found
