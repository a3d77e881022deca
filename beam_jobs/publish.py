"""Publish: measured store and ledgers to a dataset, which is whole at the instant when its manifest appears."""

import datetime
from typing import Any

from apache_beam.options.pipeline_options import PipelineOptions

from beam_jobs.options import run_pipeline
from beam_jobs.output_dir import sweep_output
from beam_jobs.prepare import Prepared
from beam_jobs.progress import Reporter
from transforms.part_store import Stage, file_size, join, part_path, write_json
from transforms.publish.write_manifest import FORMAT_VERSION, MANIFEST, balance
from transforms.publish.write_parts import WriteParts
from transforms.spread_parts import SpreadParts


def publish(
    prepared: Prepared,
    measured: Stage,
    decided: Stage,
    dataset: str,
    work: str,
    options: PipelineOptions,
    reporter: Reporter,
    stages: dict[str, dict[str, Any]],
) -> dict[str, Any]:
    """Write the dataset and, last, its manifest, which is returned. Raises BooksError if the books do not balance.

    `stages` holds what earlier stages took, for the manifest; markers of this stage are kept in `work`.
    """
    published = Stage(work, prepared.build_digest)
    published.begin({"build_id": prepared.build_id})
    started = datetime.datetime.now(datetime.UTC)
    numbers = [part.number for part in prepared.plan.parts]
    with reporter.watch("publish", published, len(numbers)):
        left = [number for number in numbers if not _stands(published, number, dataset)]
        if left:
            step = WriteParts(measured, decided, published, dataset)
            run_pipeline(options, lambda root: root | SpreadParts(left) | "Write" >> step)
    found = balance(measured, decided, published, len(numbers))
    sweep_output(dataset)
    finished = datetime.datetime.now(datetime.UTC)
    stages = {**stages, "publish": {"seconds": round((finished - started).total_seconds(), 3)}}
    manifest = _manifest(prepared, found) | {"finished": finished.isoformat(timespec="seconds"), "stages": stages}
    write_json(join(dataset, MANIFEST), manifest)
    return manifest


def _stands(published: Stage, number: int, dataset: str) -> bool:
    """Whether the part is marked as done and its files are there, as long as they were written."""
    marker = published.marker(number)
    return marker is not None and all(
        file_size(part_path(join(dataset, folder), number, "parquet")) == facts["bytes"]
        for folder, facts in marker["files"].items()
    )


def _manifest(prepared: Prepared, found: dict[str, Any]) -> dict[str, Any]:
    matches = found.pop("list_matches")
    return {
        "format_version": FORMAT_VERSION,
        "build_id": prepared.build_id,
        "crawl": prepared.config.crawl.name,
        **found,
        "config": prepared.config.model_dump(mode="json"),
        "config_digest": prepared.config_digest,
        "measured_digest": prepared.measured_digest,
        "sources": [{**facts, "matches": matches.get(facts["name"], 0)} for facts in prepared.lists.facts()],
        "plan_digest": prepared.plan.digest(),
        "plan": prepared.plan.facts(),
        "versions": dict(prepared.versions),
    }
