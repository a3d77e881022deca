"""Curate: measure, decide and publish in turn."""

import time
from collections.abc import Callable
from typing import Any

from apache_beam.options.pipeline_options import PipelineOptions

from beam_jobs.decide import decide
from beam_jobs.measure import measure
from beam_jobs.output_dir import WORK
from beam_jobs.prepare import Prepared
from beam_jobs.progress import Reporter
from beam_jobs.publish import publish
from schemas.errors import OutputError
from transforms.part_store import Stage, exists, join, read_json, remove_tree
from transforms.publish.write_manifest import MANIFEST


def curate(
    prepared: Prepared, dataset: str, work: str | None, options: PipelineOptions, reporter: Reporter
) -> dict[str, Any]:
    """Make the dataset and return its manifest. What a broken run finished is kept and not done again.

    Between the stages everything lies in `work`; None: in the dataset's own `_work`, which is removed at the end.
    Raises OutputError if the dataset is already there and of another build.
    """
    manifest = join(dataset, MANIFEST)
    if exists(manifest):
        found = read_json(manifest)
        if found["build_id"] != prepared.build_id:
            raise OutputError(
                f"{dataset} holds the finished build {found['build_id']}; this config and input make "
                f"{prepared.build_id}.\nChoose another directory, or replace it with --overwrite."
            )
        return found
    place = work or join(dataset, WORK)
    taken: dict[str, dict[str, Any]] = {}

    def timed(name: str, stage: Callable[[], Stage]) -> Stage:
        started = time.monotonic()
        result = stage()
        taken[name] = {"seconds": round(time.monotonic() - started, 3)}
        return result

    measured = timed("measure", lambda: measure(prepared, join(place, "measured"), options, reporter))
    decided = timed("decide", lambda: decide(prepared, measured, join(place, "decided"), options, reporter))
    result = publish(prepared, measured, decided, dataset, join(place, "published"), options, reporter, taken)
    if work is None:
        remove_tree(place)
    return result
