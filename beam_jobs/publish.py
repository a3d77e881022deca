"""Publish: measured store and ledgers to a dataset, which is whole at the instant when its manifest appears."""

import datetime
import time
from collections.abc import Mapping, Sequence
from typing import Any

from beam_jobs.decide import settled_parts
from beam_jobs.job import Job
from beam_jobs.output_dir import sweep_output
from beam_jobs.prepare import Prepared
from beam_jobs.survey import survey
from schemas.errors import OutputError
from transforms.decide.all_parts import AllParts
from transforms.measure.fingerprint import fingerprint_facts
from transforms.part_store import (
    MANIFEST,
    Stage,
    file_sizes,
    intact_files,
    join,
    part_path,
    read_json,
    remove_tree,
)
from transforms.publish.build_index import INDEXES, plan_ranges
from transforms.publish.manifest import FORMAT_VERSION, WORK, write_sealed_manifest
from transforms.publish.merge_index import MergeIndex, index_facts
from transforms.publish.write_manifest import balance
from transforms.publish.write_parts import WriteParts
from transforms.spread_parts import SpreadParts
from transforms.takedowns.open_takedowns import refer


def finished(prepared: Prepared, dataset: str) -> dict[str, Any] | None:
    """The manifest of a dataset that is there, whole and of this build; None if there is none.

    Raises OutputError if there is one of another build. A manifest whose files are gone or cut is removed.
    """
    path = join(dataset, MANIFEST)
    try:
        found = read_json(path)
    except FileNotFoundError:
        return None
    if found["build_id"] != prepared.build_id:
        raise OutputError(
            f"{dataset} holds the finished build {found['build_id']}; this config and input make "
            f"{prepared.build_id}.\nChoose another directory, or replace it with --overwrite."
        )
    if file_sizes(dataset, found["files"]) == {name: facts["bytes"] for name, facts in found["files"].items()}:
        remove_tree(join(dataset, WORK))  # left there if the last run died right after the manifest
        return found
    remove_tree(path)
    return None


def claim(prepared: Prepared, dataset: str) -> bool:
    """Write down in the dataset, before anything else, which build it is for; return whether that was done before.

    Raises OutputError if it was begun for another build.
    """
    owner = Stage(join(dataset, WORK), prepared.build_digest)
    begun = owner.begun_for() is not None
    owner.begin({"build_id": prepared.build_id})
    return begun


def publish(
    prepared: Prepared, measured: Stage, decided: Stage, dataset: str, job: Job, took: Mapping[str, Any], resumed: bool
) -> dict[str, Any]:
    """Write the dataset and, last, its manifest, which is returned. Raises BooksError if the books do not balance.

    Raises AlarmError, before anything is written, for an alarm of `alarms.fail_on`. `took` says what earlier stages
    took, and `resumed` whether some was done before, for the manifest. The dataset was claimed before.
    """
    parts = AllParts(measured, len(prepared.plan.parts), prepared.earlier)
    numbers = settled_parts(prepared, parts)
    published = Stage(join(dataset, WORK, "published"), prepared.build_digest)
    published.begin({"build_id": prepared.build_id})
    started = time.monotonic()
    with job.reporter.watch("publish", published, len(numbers)) as progress:
        progress.phase = "surveying"
        account = survey(prepared, parts, decided, join(dataset, WORK, "sources"), job)
        progress.phase = ""
        standing = _standing(published, numbers, dataset)
        left = [number for number in numbers if number not in standing]
        if left:
            step = WriteParts(measured, decided, published, dataset)
            job.engine.run("write", lambda root: root | SpreadParts(left) | "Write" >> step)
        found = balance(measured, decided, published, parts.own, len(numbers) - parts.own)
        progress.phase = "indexing"
        files, index = _build_index(prepared, published, parts.own, dataset, job)
    found["files"] |= files
    found["bytes"]["written"] += sum(facts["bytes"] for facts in files.values())
    sweep_output(dataset)
    manifest = {
        **_manifest(prepared, decided, found, account),
        "index": index,
        "finished": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "resumed": resumed,
        "seconds": {**took, "publish": round(time.monotonic() - started, 3)},
    }
    write_sealed_manifest(dataset, manifest)
    remove_tree(join(dataset, WORK))
    return manifest


def _build_index(
    prepared: Prepared, published: Stage, parts: int, dataset: str, job: Job
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Merge what the parts left for the indexes; files by path, and the first value of each."""
    merged = Stage(join(dataset, WORK, "indexed"), prepared.build_digest)
    merged.begin({"build_id": prepared.build_id})
    ranges = plan_ranges((marker or {})["index"] for marker in published.markers(range(parts)))
    done = _merged(merged, [part_path(INDEXES[one.table].name, one.file, "parquet") for one in ranges], dataset)
    left = [number for number in range(len(ranges)) if number not in done]
    if left:
        step = MergeIndex(published, parts, ranges, merged, dataset)
        job.engine.run("index", lambda root: root | SpreadParts(left) | "Merge" >> step)
    return index_facts(merged, ranges)


def _merged(merged: Stage, names: Sequence[str], dataset: str) -> set[int]:
    """Numbers of those files of the indexes, by name, that are marked as done and intact."""
    markers = merged.markers(range(len(names)))
    files = {name: marker["file"] for name, marker in zip(names, markers, strict=True) if marker}
    intact = intact_files(dataset, files)
    return {number for number, name in enumerate(names) if name in intact}


def _standing(published: Stage, numbers: Sequence[int], dataset: str) -> set[int]:
    """Numbers of those parts that are marked as done and whose files are all intact."""
    files = {
        number: {part_path(folder, number, "parquet"): facts for folder, facts in marker["files"].items()}
        for number, marker in zip(numbers, published.markers(numbers), strict=True)
        if marker
    }
    intact = intact_files(dataset, {name: facts for held in files.values() for name, facts in held.items()})
    return {number for number, held in files.items() if intact.issuperset(held)}


def _takedowns(prepared: Prepared, decided: Stage) -> list[dict[str, Any]]:
    """What the manifest says of each takedown of the config: its request, and how many rows are out by it."""
    markers = decided.markers(range(len(prepared.plan.parts)))
    counted = [(marker or {})["takedowns"] for marker in markers]
    return [
        {**facts, "certificate": None, "records": sum(one.get(facts["id"], 0) for one in counted)}
        for facts in refer(prepared.takedowns)
    ]


def _manifest(prepared: Prepared, decided: Stage, found: dict[str, Any], account: dict[str, Any]) -> dict[str, Any]:
    matches = found.pop("list_matches")
    account["duplicates"]["replaced"] = found.pop("replaced")
    return {
        "format_version": FORMAT_VERSION,
        "build_id": prepared.build_id,
        "version_id": prepared.build_id,
        "takedowns": _takedowns(prepared, decided),
        "crawl": prepared.config.crawl.name,
        **account,
        **found,
        "fingerprint": fingerprint_facts(prepared.near),
        "config": prepared.config.model_dump(mode="json"),
        "config_digest": prepared.config_digest,
        "measured_digest": prepared.measured_digest,
        "sources": [{**facts, "matches": matches.get(facts["name"], 0)} for facts in prepared.sources.facts()],
        "register": prepared.sources.register.facts(),
        "plan_digest": prepared.plan.digest(),
        "plan": prepared.plan.facts(),
        "versions": dict(prepared.versions),
    }
