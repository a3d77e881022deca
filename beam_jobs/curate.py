"""Curate: measure, decide and publish in turn."""

import time
from dataclasses import replace
from typing import Any

from beam_jobs.decide import decide
from beam_jobs.job import Job
from beam_jobs.measure import measure
from beam_jobs.prepare import Prepared
from beam_jobs.publish import claim, finished, publish
from transforms.hold import hold
from transforms.part_store import STAGE_FILE, exists, join
from transforms.publish.manifest import WORK


def curate(prepared: Prepared, dataset: str, work: str | None, job: Job) -> dict[str, Any]:
    """Make the dataset and return its manifest. What a broken run finished is kept and not done again.

    The measured store and the decisions lie in `work`, where they are kept; None: in the dataset's own `_work`, which
    is removed at the end. Raises OutputError if the dataset is already there, or begun, and of another build, or if
    another run is writing it.
    """
    if found := finished(prepared, dataset):
        return found
    with hold(join(dataset, WORK)):
        return _curate(prepared, dataset, work, job)


def _curate(prepared: Prepared, dataset: str, work: str | None, job: Job) -> dict[str, Any]:
    resumed = claim(prepared, dataset)
    place = work or join(dataset, WORK)
    resumed |= exists(join(place, "measured", STAGE_FILE))
    started = time.monotonic()
    measured = measure(prepared, join(place, "measured"), job, codec="lz4" if work else "none")
    between = time.monotonic()
    # Decisions of another config that lie in a kept `work` can be made again, so they may be replaced.
    decided = decide(prepared, measured, join(place, "decided"), replace(job, overwrite=True))
    took = {"measure": round(between - started, 3), "decide": round(time.monotonic() - between, 3)}
    return publish(prepared, measured, decided, dataset, job, took, resumed)
