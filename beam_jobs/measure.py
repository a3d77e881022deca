"""Measure: crawl files to a measured store."""

from apache_beam.options.pipeline_options import PipelineOptions

from beam_jobs.options import run_pipeline
from beam_jobs.prepare import Prepared
from beam_jobs.progress import Reporter
from transforms.measure.measure_parts import MeasureParts
from transforms.measure.plan_parts import write_plan
from transforms.part_store import Stage
from transforms.spread_parts import SpreadParts


def measure(prepared: Prepared, directory: str, options: PipelineOptions, reporter: Reporter) -> Stage:
    """Measure the parts that are not measured yet. Raises OutputError if the directory is of another run."""
    store = Stage(directory, prepared.measured_digest)
    store.begin({"crawl": prepared.config.crawl.name, "parts": len(prepared.plan.parts)})
    store.sweep()
    with reporter.watch("measure", store, len(prepared.plan.parts)):
        left = sorted(set(range(len(prepared.plan.parts))) - store.done())
        step = MeasureParts(store, prepared.config.crawl.name, prepared.read, prepared.near)
        if left:
            write_plan(prepared.plan, store)
            run_pipeline(options, lambda root: root | SpreadParts(left) | "Measure" >> step)
    return store
