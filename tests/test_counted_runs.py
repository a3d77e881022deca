"""Counters of whole runs: they say what the manifest says, whoever does the work."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from beam_jobs.console.progress import Reporter
from beam_jobs.console.stage_figures import stage_figures
from beam_jobs.curate import curate
from beam_jobs.job import Job
from beam_jobs.measure import measure
from beam_jobs.prepare import prepare
from beam_jobs.runners.engine import Distribution, Engine, StepReport
from beam_jobs.runners.options import beam_options
from configs.load import load
from tests.jobs import write_config, write_jsonl
from transforms.counters import STAGES
from transforms.live_counts import take_slowest
from transforms.part_store import read_json

THREADS = ["--direct_running_mode=multi_threading", "--direct_num_workers=2"]
PROCESSES = ["--direct_running_mode=multi_processing", "--direct_num_workers=2"]
INDEXES = ("index_keys/", "index_urls/")


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three parts, with near and equal texts, a blocklist, quarantine, broken lines, and memory for small passes."""
    place = tmp_path_factory.mktemp("crawl")
    texts = [" ".join(f"w{i % 120 * 7 + j}" for j in range(80)) + f" tail{i % 240:03}" for i in range(320)]
    hosts = ["good.example", "pirate.example", "other.example"]
    rows = [{"id": str(i), "url": f"https://{hosts[i % 3]}/{i}", "text": text} for i, text in enumerate(texts)]
    rows += [{"id": "noai", "url": "https://n.example/", "text": "© 2020 Jane Doe. All rights reserved."}, {"text": ""}]
    path = write_jsonl(place / "a.jsonl", rows)
    path.write_text(path.read_text("utf-8") + "broken\n" * 3, "utf-8")
    (place / "pirates.txt").write_text("pirate.example\n")
    lists = [{"name": "pirates", "path": "pirates.txt", "format": "domains", "category": "piracy"}]
    return write_config(
        place / "c.yaml",
        {
            "crawl": {"name": "t", "files": ["a.jsonl"]},
            "plan": {"part_size": "64 KiB"},
            "sources": {"blocklists": lists},
            "policy": {"signals": {"rights_reserved": "quarantine"}},
            "dedup": {"near": {"bands": 6, "rows": 4}},
            "run": {"shuffle_memory": "256 KiB"},
        },
    )


@pytest.fixture(scope="module")
def threads(
    config: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[list[StepReport], dict[str, Any]]]:
    """The pipelines of a run with threads, and its manifest."""
    take_slowest()
    engine = Engine(beam_options(THREADS))
    place = tmp_path_factory.mktemp("threads") / "out"
    manifest = curate(prepare(load(str(config), [])), str(place), None, Job(engine, Reporter(quiet=True)))
    yield engine.steps, manifest
    engine.close()


def totals(steps: list[StepReport], stage: str) -> dict[str, Any]:
    """Counters of a stage summed over its pipelines, and the greatest values of its distributions."""
    found: dict[str, Any] = {}
    for step in steps:
        for name, value in step.metrics.items():
            if isinstance(value, Distribution):
                found[name] = max(found.get(name, 0), value.max)
            else:
                found[name] = found.get(name, 0) + value
    return {name.removeprefix(f"{stage}."): value for name, value in found.items() if name.startswith(f"{stage}.")}


def by(found: Mapping[str, Any], name: str) -> dict[str, int]:
    return {key.removeprefix(f"{name}."): value for key, value in found.items() if key.startswith(f"{name}.")}


def test_measure_counts_what_the_manifest_counts(threads: tuple[list[StepReport], dict[str, Any]]) -> None:
    """Records in and rejected, bytes of input and of text."""
    steps, manifest = threads
    found, counts = totals(steps, "measure"), manifest["counts"]
    assert found["parts"] == 3
    assert found["records"] + found["rejected"] == counts["records"]
    assert (found["rejected"], found["not_documents"]) == (counts["rejected"], 0)
    assert (found["bytes_read"], found["text_bytes"]) == (manifest["bytes"]["input"], manifest["bytes"]["text"])
    assert found["rejected"] == 3


def test_settle_counts_what_the_manifest_counts(threads: tuple[list[StepReport], dict[str, Any]]) -> None:
    """Kept, dropped and quarantined by reason, and marks by rule."""
    steps, manifest = threads
    found, counts = totals(steps, "settle"), manifest["counts"]
    assert found["kept"] == counts["kept"]
    assert by(found, "dropped") == counts["dropped_by"]
    assert by(found, "quarantined") == counts["quarantined_by"]
    assert by(found, "marks") == manifest["marks"]
    assert len(counts["dropped_by"]) >= 4
    assert counts["quarantined"] == 1


def test_weigh_and_judge_count_marks_that_settle_finds(threads: tuple[list[StepReport], dict[str, Any]]) -> None:
    """Lists and signals by rule; witnesses by kind."""
    steps, manifest = threads
    weighed, judged, marks = by(totals(steps, "weigh"), "marks"), by(totals(steps, "judge"), "marks"), manifest["marks"]
    assert weighed == {rule: marks[rule] for rule in weighed}
    assert {"blocklist", "rights_reserved"} <= weighed.keys()
    assert judged["exact"] == marks["exact_duplicate"]
    assert judged["near"] == marks["near_duplicate"]
    assert judged["taint"] == marks["taint"]


def test_components_are_counted_once_in_any_passes(threads: tuple[list[StepReport], dict[str, Any]]) -> None:
    """Members, components, and the largest of them."""
    steps, manifest = threads
    judged, said = totals(steps, "judge"), manifest["duplicates"]
    assert sum(step.name.startswith("judge-") for step in steps) > 1
    assert sum(step.name.startswith("pair-") for step in steps) > 1
    assert judged["members"] == totals(steps, "connect")["members"] == said["members"]
    assert judged["components"] == said["clusters"]
    assert judged["component_members"] == said["largest_cluster"]


def test_keys_are_those_of_the_partitions_they_are_sent_to(threads: tuple[list[StepReport], dict[str, Any]]) -> None:
    """Nothing is lost in the shuffle, and no more documents share a key than there are."""
    steps, manifest = threads
    found = totals(steps, "pair")
    spread = [step.metrics["pair.partition_keys"] for step in steps if step.name.startswith("pair-")]
    assert found["keys"] == sum(one.sum for one in spread if isinstance(one, Distribution)) > 0
    assert 2 <= found["key_documents"] <= manifest["counts"]["records"]


def test_publish_counts_the_bytes_of_all_files(threads: tuple[list[StepReport], dict[str, Any]]) -> None:
    """Those of the parts and those of the indexes are what the manifest lists; rows of each are those of its files."""
    steps, manifest = threads
    wrote, index, counts = totals(steps, "write"), totals(steps, "index"), manifest["counts"]
    assert wrote["bytes_written"] + index["bytes_written"] == manifest["bytes"]["written"]
    rows = sum(facts["rows"] for path, facts in manifest["files"].items() if path.startswith(INDEXES))
    assert index["keys"] == rows
    assert (wrote["documents"], wrote["quarantined"]) == (counts["kept"], counts["quarantined"])
    assert wrote["records"] + wrote["rejected"] == counts["records"]


def test_every_stage_has_a_line_with_its_slowest_part(threads: tuple[list[StepReport], dict[str, Any]]) -> None:
    """In the order in which they ran; in this process the part is known."""
    steps, manifest = threads
    found = stage_figures(steps, take_slowest())
    assert [one.step for one in found] == list(STAGES)
    assert all(one.parts and one.rows and one.slowest_part for one in found)
    assert found[0].slowest_part is not None
    assert "(a.jsonl)" in found[0].slowest_part
    assert (found[0].rows or 0) + 3 == manifest["counts"]["records"]


def test_workers_in_other_processes_count_the_same(
    threads: tuple[list[StepReport], dict[str, Any]], config: Path, tmp_path: Path
) -> None:
    """All but times; which part was the slowest is not known of them, only how long it took."""
    take_slowest()
    engine = Engine(beam_options(PROCESSES))
    store = measure(prepare(load(str(config), [])), str(tmp_path / "m"), Job(engine, Reporter(quiet=True)))
    found, expected = totals(engine.steps, "measure"), totals(threads[0], "measure")
    named = {"part_ms", "bytes_written"}  # texts that are kept are packed
    assert {k: v for k, v in found.items() if k not in named} == {k: v for k, v in expected.items() if k not in named}
    sizes = [read_json(str(tmp_path / "m" / f"part-{n:05d}.json"))["sizes"] for n in sorted(store.listed())]
    assert found["bytes_written"] == sum(size for one in sizes for size in one.values())
    (figures,) = stage_figures(engine.steps, take_slowest())
    assert figures.slowest_part is None
    assert figures.slowest_ms == found["part_ms"] > 0
