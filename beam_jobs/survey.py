"""Survey: what the decisions look like as a whole, before anything is published."""

from typing import Any

from beam_jobs.decide import CLUSTERS
from beam_jobs.job import Job
from beam_jobs.prepare import Prepared
from configs.bands import candidate_curve
from schemas.errors import OutputError
from transforms.decide.all_parts import AllParts
from transforms.part_store import Stage, exists, join, list_file_names, read_json, remove_tree
from transforms.publish.count_sources import SENT_BYTES, CountSources, merge_ranks
from transforms.publish.name_samples import name_samples
from transforms.publish.raise_alarms import raise_alarms, refuse
from transforms.shuffle import partitions
from transforms.spread_parts import SpreadParts


def survey(prepared: Prepared, parts: AllParts, decided: Stage, work: str, job: Job) -> dict[str, Any]:
    """What the manifest says of duplicates, sources and alarms. Raises AlarmError where an alarm forbids to publish.

    `work` is a directory for what is passed on; it is removed. Raises OutputError if decide did not finish.
    """
    path = join(decided.directory, CLUSTERS)
    if not exists(path):
        raise OutputError(
            f"{decided.directory} lacks {CLUSTERS}, in which decide says what it found.\n"
            f"Finish it first: cleartitle decide CONFIG --output {decided.directory} --resume."
        )
    found = read_json(path)
    clusters, texts = (name_samples(found[kind], parts) for kind in ("clusters", "texts"))
    sources = _count_sources(prepared, parts.own, decided, work, job)
    alarms = raise_alarms(prepared.config.alarms, clusters, texts, sources)
    refuse(alarms, prepared.config.alarms.fail_on, decided.directory)
    return {
        "duplicates": {
            **_rules(prepared),
            "members": found["members"],
            "clusters": found["components"],
            "largest_cluster": found["largest"],
            "largest_clusters": clusters,
            "largest_texts": texts,
            "bounded": found["bounded"],
        },
        "alarms": alarms,
        "sources_by_loss": sources["sources"],
    }


def _rules(prepared: Prepared) -> dict[str, Any]:
    """By which rules duplicates were found; null what has no meaning under them."""
    dedup, near = prepared.config.dedup, prepared.config.dedup.near
    return {
        "survivor_policy": prepared.duplicates.policy,
        **{name: getattr(near, name, None) for name in ("verify", "threshold", "ngram", "bands", "rows")},
        "candidate_curve": candidate_curve(near.bands, near.rows) if near else None,
        "against": [{"build": store.build, "records": store.records} for store in prepared.earlier],
        "overlap": dedup.overlap if prepared.earlier else None,
        "within": dedup.within,
    }


def _count_sources(prepared: Prepared, parts: int, decided: Stage, work: str, job: Job) -> dict[str, Any]:
    alarms = prepared.config.alarms
    markers = [marker or {} for marker in decided.markers(range(parts))]
    totals = {name: sum(int(marker.get(name, 0)) for marker in markers) for name in ("records", "dropped")}
    spread = partitions(totals["records"] * SENT_BYTES, job.engine.partition_bytes)
    step = CountSources(decided, work, spread, alarms.source_records, alarms.source_loss)
    job.engine.run("survey", lambda root: root | SpreadParts(range(parts)) | "Count" >> step)
    found = merge_ranks(read_json(join(work, name)) for name in list_file_names(work))
    remove_tree(work)
    return {**found, **totals}
