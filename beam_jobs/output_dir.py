"""The output directory: refuse what is not ours to write to, and clear what is."""

import os
import re
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Final

from beam_jobs.decide import CLUSTERS
from schemas.columns import INDEX_KEYS, INDEX_URLS, REPLACED, TAKEN
from schemas.errors import OutputError
from transforms.decide.settle_decisions import REPLACED_SUFFIX
from transforms.hold import hold
from transforms.part_store import (
    MANIFEST,
    STAGE_FILE,
    is_local,
    is_unfinished,
    join,
    list_names,
    read_json,
    remove_tree,
    sweep,
)
from transforms.publish.manifest import WORK
from transforms.publish.write_parts import FOLDERS

_FOLDERS: Final = (*FOLDERS, REPLACED.name, INDEX_KEYS.name, INDEX_URLS.name, TAKEN.name)
_PARTS: Final = re.compile(r"part-\d{5,}\.parquet|[0-9a-f]{16}\.(json|parquet)")
_STAGE: Final = re.compile(
    rf"stage\.json|{re.escape(CLUSTERS)}|lists|sources|members|components|(pairs-\d+-\d+|verdicts-\d+)-\d+|plan-\d{{5,}}\.json"
    rf"|part-\d{{5,}}\.(json|parquet|rejected\.parquet|{re.escape(REPLACED_SUFFIX)})"
)


def claim_output(directory: str, *, resume: bool, overwrite: bool, inputs: Sequence[str] = ()) -> None:
    """Make sure that a run may write to the directory. Raises OutputError if it may not.

    No output may hold a file of the `inputs`: the next run would read what this one writes, or remove what it reads.

    A directory that holds anything is refused unless `resume` or `overwrite` is given. Both want to see the signs of a
    run there, and `overwrite` refuses if anything else is there: a slip must not remove a stranger's files.
    """
    if resume and overwrite:
        raise OutputError("--resume keeps what is there, --overwrite removes it: give one of them.")
    if not directory:
        raise OutputError("--output is empty; name a directory.")
    if is_local(directory) and os.path.lexists(directory) and not os.path.isdir(directory):
        raise OutputError(f"{directory} is a file; --output names a directory.")
    place = os.path.realpath(directory) if is_local(directory) else directory.rstrip("/")
    if mine := [
        path for path in inputs if (os.path.realpath(path) if is_local(path) else path).startswith(f"{place}/")
    ]:
        raise OutputError(
            f"{directory} holds {len(mine)} of the input files, the first of them {mine[0]}.\n"
            "Choose an output directory outside the crawl."
        )
    names = list_names(directory)
    if names and not resume and not overwrite:
        raise OutputError(
            f"{directory} is not empty. Add\n"
            "  --resume     to finish the run that was begun there, or\n"
            "  --overwrite  to remove what is there and begin anew."
        )
    if names and not _has_run(directory, names):
        raise OutputError(f"{directory} holds {', '.join(names[:5])}, but no run. Choose an empty directory.")
    if overwrite:
        _clear(directory, names)


def refuse_stores(directory: str, stores: Sequence[str]) -> None:
    """Raise OutputError if the directory and a store lie one in the other: a run would write over the store."""
    place, *others = (os.path.realpath(p) if is_local(p) else p.rstrip("/") for p in (directory, *stores))
    for store, theirs in zip(stores, others, strict=True):
        if f"{place}/".startswith(f"{theirs}/") or f"{theirs}/".startswith(f"{place}/"):
            raise OutputError(
                f"{directory} and {store}, which `dedup.against` names, lie one in the other.\n"
                "Choose a directory apart from the earlier stores."
            )


def _has_run(directory: str, names: list[str]) -> bool:
    """Whether a run left its signs: its work, a stage, or a manifest that is one of ours."""
    if WORK in names or STAGE_FILE in names:
        return True
    try:
        return MANIFEST in names and "build_id" in read_json(join(directory, MANIFEST))
    except (ValueError, TypeError):
        return False


def _clear(directory: str, names: list[str]) -> None:
    foreign = [name for name in names if name not in (MANIFEST, WORK, *_FOLDERS) and not _is_ours(name, _STAGE)]
    for folder in _FOLDERS:
        foreign += [f"{folder}/{n}" for n in list_names(join(directory, folder)) if not _is_ours(n, _PARTS)]
    if foreign:
        raise OutputError(
            f"{directory} holds things that no run wrote: {', '.join(sorted(foreign)[:5])}.\n"
            "Move them away, or choose another directory; nothing was removed."
        )
    with hold(join(directory, WORK)) if WORK in names else nullcontext():
        # The manifest goes first: a dataset without it is seen to be unfinished. The sign of a run goes last.
        for name in sorted(names, key=lambda name: (name != MANIFEST, name in (WORK, STAGE_FILE))):
            remove_tree(join(directory, name))


def _is_ours(name: str, pattern: re.Pattern[str]) -> bool:
    return bool(pattern.fullmatch(name)) or is_unfinished(name)


def sweep_output(directory: str) -> None:
    """Remove files that a killed run left half-written in a dataset directory."""
    for place in (directory, *(join(directory, folder) for folder in _FOLDERS)):
        sweep(place)
