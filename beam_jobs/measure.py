"""Measure: crawl files to a measured store."""

from beam_jobs.job import Job, check_left
from beam_jobs.prepare import Prepared
from transforms.measure.fingerprint import fingerprint_facts
from transforms.measure.measure_parts import MeasureParts
from transforms.measure.plan_parts import write_plan
from transforms.part_store import Stage
from transforms.spread_parts import SpreadParts


def measure(prepared: Prepared, directory: str, job: Job, codec: str = "lz4") -> Stage:
    """Measure the parts that are not measured yet. Raises OutputError if the directory is of another run.

    `codec` packs the texts; it changes nothing that is made of them.
    """
    store = Stage(directory, prepared.measured_digest)
    facts = {
        "crawl": prepared.config.crawl.name,
        "parts": len(prepared.plan.parts),
        "fingerprint": fingerprint_facts(prepared.near),
    }
    store.begin(facts, overwrite=job.overwrite)
    with job.reporter.watch("measure", store, len(prepared.plan.parts)):
        left = sorted(set(range(len(prepared.plan.parts))) - store.done())
        step = MeasureParts(store, prepared.config.crawl.name, prepared.read, prepared.near, codec)
        if left:
            write_plan(prepared.plan, store)
            job.engine.run("measure", lambda root: root | SpreadParts(left) | "Measure" >> step)
            check_left(store, left)
    return store
