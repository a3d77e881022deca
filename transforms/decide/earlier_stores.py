"""Earlier stores: what `dedup.against` names, checked against the settings of this run before any work starts."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from schemas.errors import InputError
from transforms.decide.all_parts import EarlierStore
from transforms.part_store import MANIFEST, STAGE_FILE, Stage, exists, file_size, join, read_json

_FOLDERS: Final = ("documents/", "fingerprints/", "ledger/")
"""Those of a dataset whose files tell what is kept and how it is found."""


def open_earlier(paths: Sequence[str], fingerprint: Mapping[str, Any]) -> tuple[EarlierStore, ...]:
    """The stores at the paths, in order.

    `fingerprint` is what this run's own documents are found by (`fingerprint_facts`). Raises InputError, with a letter
    for each path that holds no measured store and no dataset, or one that is not whole or has other fingerprints.
    """
    stores, faults = [], []
    for path in paths:
        try:
            stores.append(_open(path, fingerprint))
        except InputError as error:
            faults.append(f"`dedup.against` names {path}, {error}")
    if faults:
        raise InputError("\n".join(faults))
    return tuple(stores)


def _open(path: str, ours: Mapping[str, Any]) -> EarlierStore:
    if "build_id" in (manifest := _facts(join(path, MANIFEST))):
        return _dataset(path, manifest, ours)
    if "parts" in (stage := _facts(join(path, STAGE_FILE))):
        return _measured(path, stage, ours)
    raise InputError(
        "which holds neither a published dataset nor a measured store.\n"
        "Name the output directory of a finished `cleartitle curate`, `publish` or `measure`."
    )


def _facts(path: str) -> dict[str, Any]:
    """What a file of facts says; nothing if there is none, or one that a stranger wrote."""
    try:
        facts = read_json(path) if exists(path) else {}
    except ValueError:
        return {}
    return facts if isinstance(facts, dict) else {}


def check_fingerprints(kind: str, facts: Mapping[str, Any], ours: Mapping[str, Any]) -> None:
    """Raise InputError, in words that follow a path, if what `facts` speak of has other fingerprints than this run."""
    theirs = facts.get("fingerprint")
    if theirs is None:
        raise InputError(
            f"{kind} of an earlier version of cleartitle, which says not how its fingerprints are made.\n"
            "Measure or publish its crawl again with this version."
        )
    # Without near duplicates only digests are compared, which do not depend on how signatures are made.
    if theirs["rules"] == ours["rules"] and ours["near"] in (None, theirs["near"]):
        return
    advice = "Give `dedup.near` the settings that it was made with, or make it again with these."
    if theirs["rules"] != ours["rules"]:
        advice = "`rules` rises with cleartitle itself: make it again with this version."
    raise InputError(
        f"{kind} whose fingerprints are not made as those of this run.\n"
        f"  there: {json.dumps(theirs)}\n"
        f"  here:  {json.dumps(ours)}\n"
        f"{advice}"
    )


def _dataset(path: str, facts: Mapping[str, Any], ours: Mapping[str, Any]) -> EarlierStore:
    check_fingerprints("a dataset", facts, ours)
    files = {name: file for name, file in facts["files"].items() if name.startswith(_FOLDERS)}
    if lost := [name for name, file in files.items() if file_size(join(path, name)) != file["bytes"]]:
        raise InputError(
            f"a dataset of which {len(lost)} of {len(files)} files are gone or cut, the first of them {lost[0]}.\n"
            "Restore them, or publish it again."
        )
    content = json.dumps([facts["build_id"], sorted((name, file["sha256"]) for name, file in files.items())])
    return EarlierStore(
        build=facts["build_id"],
        directory=path,
        parts=tuple(range(len(files) // len(_FOLDERS))),
        records=facts["counts"]["kept"],
        published=True,
        digest=hashlib.sha256(content.encode()).hexdigest(),
    )


def _measured(path: str, facts: Mapping[str, Any], ours: Mapping[str, Any]) -> EarlierStore:
    check_fingerprints("a measured store", facts, ours)
    stage = Stage(path, facts["digest"])
    markers = stage.markers(range(facts["parts"]))
    if missing := sum(marker is None for marker in markers):
        raise InputError(
            f"a measured store of which {missing} of {facts['parts']} parts are not there or not whole.\n"
            "Finish it first: cleartitle measure ... --resume."
        )
    return EarlierStore(
        build=f"measured-{facts['digest'][:16]}",
        directory=path,
        parts=tuple(range(facts["parts"])),
        records=sum(int(marker["records"]) for marker in markers if marker),
        published=False,
        digest=facts["digest"],
    )
