"""Earlier stores: what `dedup.against` names, checked against the settings of this run before any work starts."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from schemas.errors import InputError
from transforms.decide.all_parts import EarlierStore
from transforms.part_store import STAGE_FILE, Stage, exists, join, read_json
from transforms.publish.write_manifest import MANIFEST


def open_earlier(paths: Sequence[str], fingerprint: Mapping[str, Any]) -> tuple[EarlierStore, ...]:
    """The stores at the paths, in order.

    `fingerprint` is what this run's own documents are found by (`fingerprint_facts`). Raises InputError for a path that
    holds no measured store and no dataset, or one that is unfinished or has other fingerprints.
    """
    return tuple(_open(path, fingerprint) for path in paths)


def _open(path: str, fingerprint: Mapping[str, Any]) -> EarlierStore:
    manifest, stage = join(path, MANIFEST), join(path, STAGE_FILE)
    facts = read_json(manifest) if exists(manifest) else read_json(stage) if exists(stage) else {}
    if "fingerprint" not in facts:
        raise InputError(
            f"`dedup.against` names {path}, which holds neither a dataset nor a measured store that can be compared "
            "with.\nName the output directory of `cleartitle curate`, `publish` or `measure`."
        )
    _check(path, facts["fingerprint"], fingerprint)
    return _dataset(path, facts) if "build_id" in facts else _measured(path, facts)


def _check(path: str, theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> None:
    # Without near duplicates only digests are compared, which do not depend on how signatures are made.
    same = theirs["rules"] == ours["rules"] and ours["near"] in (None, theirs["near"])
    if not same:
        raise InputError(
            f"The fingerprints of {path}, which `dedup.against` names, are not made as those of this run.\n"
            f"  there: {json.dumps(theirs)}\n"
            f"  here:  {json.dumps(ours)}\n"
            "Give `dedup.near` the settings of that store, or measure its crawl again with these."
        )


def _dataset(path: str, facts: Mapping[str, Any]) -> EarlierStore:
    prints = {name: file for name, file in facts["files"].items() if name.startswith("fingerprints/")}
    content = json.dumps([facts["build_id"], sorted((name, file["sha256"]) for name, file in prints.items())])
    return EarlierStore(
        build=facts["build_id"],
        directory=path,
        parts=tuple(range(len(prints))),
        records=facts["counts"]["kept"],
        published=True,
        digest=hashlib.sha256(content.encode()).hexdigest(),
    )


def _measured(path: str, facts: Mapping[str, Any]) -> EarlierStore:
    stage = Stage(path, facts["digest"])
    markers = [stage.marker(number) for number in range(facts["parts"])]
    if missing := sum(marker is None for marker in markers):
        raise InputError(
            f"`dedup.against` names {path}, a measured store that lacks {missing} of its {facts['parts']} parts.\n"
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
