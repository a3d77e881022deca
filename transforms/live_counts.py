"""Live counts: documents of parts that this process has under way, for the progress bar and nothing else.

Workers in other processes leave no counts here; there the bar moves when a part is done.
"""

from transforms.part_store import Stage

_counts: dict[tuple[str, int], int] = {}


def note(stage: Stage, part: int, documents: int) -> None:
    """Say that so many documents of a part have been done so far."""
    _counts[stage.directory, part] = documents


def clear(stage: Stage, part: int) -> None:
    """Forget a part: it is done, and its marker says how many it has, or it failed."""
    _counts.pop((stage.directory, part), None)


def under_way(stage: Stage) -> int:
    """Documents done in parts of the stage that are not finished."""
    return sum(count for (directory, _), count in list(_counts.items()) if directory == stage.directory)
