"""The output directory: refuse what is not ours to write to, and clear what is."""

import os
import re
from typing import Final

from schemas.errors import OutputError
from transforms.part_store import STAGE_FILE, is_local, is_unfinished, join, list_names, remove_tree, sweep
from transforms.publish.write_manifest import MANIFEST
from transforms.publish.write_parts import FOLDERS

WORK: Final = "_work"
_SIGNS: Final = {MANIFEST, WORK, STAGE_FILE}
_OURS: Final = {*_SIGNS, *FOLDERS, "members"}
_NUMBERED: Final = re.compile(r"part-\d{5,}\.(json|parquet|rejected\.parquet)|plan-\d{5,}\.json|(pairs|verdicts)-\d+")


def claim_output(directory: str, *, resume: bool, overwrite: bool) -> None:
    """Make sure that a run may write to the directory. Raises OutputError if it may not.

    A directory that holds anything is refused unless `resume` or `overwrite` is given. Both want to see the signs of a
    run there, and `overwrite` refuses if anything else is there: a slip must not remove a stranger's files.
    """
    if resume and overwrite:
        raise OutputError("--resume keeps what is there, --overwrite removes it: give one of them.")
    if not directory:
        raise OutputError("--output is empty; name a directory.")
    if is_local(directory) and os.path.lexists(directory) and not os.path.isdir(directory):
        raise OutputError(f"{directory} is a file; --output names a directory.")
    names = list_names(directory)
    if names and not resume and not overwrite:
        raise OutputError(
            f"{directory} is not empty. Add\n"
            "  --resume     to finish the run that was begun there, or\n"
            "  --overwrite  to remove what is there and begin anew."
        )
    if names and not _SIGNS & set(names):
        raise OutputError(f"{directory} holds {', '.join(names[:5])}, but no run. Choose an empty directory.")
    if overwrite:
        _clear(directory, names)


def _clear(directory: str, names: list[str]) -> None:
    ours = [name for name in names if name in _OURS or _NUMBERED.fullmatch(name) or is_unfinished(name)]
    if foreign := sorted(set(names) - set(ours)):
        raise OutputError(
            f"{directory} holds things that no run wrote: {', '.join(foreign[:5])}.\n"
            "Move them away, or choose another directory; nothing was removed."
        )
    # The manifest goes first: a dataset without it is seen to be unfinished.
    for name in sorted(ours, key=lambda name: name != MANIFEST):
        remove_tree(join(directory, name))


def sweep_output(directory: str) -> None:
    """Remove files that a killed run left half-written in a dataset directory."""
    for place in (directory, *(join(directory, folder) for folder in FOLDERS)):
        sweep(place)
