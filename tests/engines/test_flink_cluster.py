"""A cluster of Flink on this machine: what comes up, what it shows, and that it ends; and a run on it."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.runners import contents
from engines.flink.cluster import SLOTS, TASK_MANAGERS, Cluster
from engines.flink.distribution import release_of
from tests.crawl_of_all_formats import write_crawl
from tests.engines.accumulators import counters
from tests.engines.runs import assert_same, curate
from tests.jobs import manifest, run, write_config

pytestmark = pytest.mark.flink


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A crawl with a file of each format."""
    place = tmp_path_factory.mktemp("crawl")
    write_crawl(place / "crawl")
    return write_config(place / "c.yaml", {"crawl": {"name": "all", "root": "crawl", "files": ["crawl/*"]}})


@pytest.fixture(scope="module")
def dataset(flink: Cluster, config: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the cluster makes of it."""
    return curate(config, tmp_path_factory.mktemp("flink-run") / "out", beam=flink.options())


def jobs(flink: Cluster, dataset: Path) -> dict[str, str]:
    """Ids of the finished jobs that made a dataset, by their steps."""
    end = f"-{str(manifest(dataset)['build_id'])[:8]}"
    found = [job for job in flink.get("/jobs/overview")["jobs"] if job["state"] == "FINISHED"]
    mine = {job["name"]: job["jid"] for job in found if job["name"].endswith(end)}
    return {name.removeprefix("cleartitle-").removesuffix(end): job for name, job in mine.items()}


def test_cluster_has_all_task_managers_and_slots(flink: Cluster) -> None:
    """Two TaskManagers of two slots, of the release that the job server is for, and each process by its own pid."""
    overview = flink.get("/overview")
    assert (overview["taskmanagers"], overview["slots-total"]) == (TASK_MANAGERS, TASK_MANAGERS * SLOTS) == (2, 4)
    assert overview["flink-version"] == release_of(flink.server.flink).version
    assert len({process.pid for process in flink.processes.values()}) == TASK_MANAGERS + 3
    assert all(process.alive() for process in flink.processes.values())


def test_cluster_is_found_again_by_its_directory(flink: Cluster) -> None:
    """What another process needs to stop it: each process with its pid and the time of its birth."""
    found = Cluster.find(flink.directory)
    assert found is not None
    assert found.processes == flink.processes
    assert found.options() == flink.options()


def test_run_on_the_cluster_is_the_same_bytes(dataset: Path, config: Path, tmp_path: Path) -> None:
    """Every file and the manifest but for its times, as the local runner makes them."""
    assert_same(dataset, curate(config, tmp_path / "local", beam=[]))


def test_job_names_tell_the_step_and_the_build(flink: Cluster, dataset: Path) -> None:
    """On Flink's page each pipeline of a run stands under its own name, with the first half of its build's id."""
    steps = {"measure", "weigh", "pair-0", "connect", "judge-0", "settle", "survey", "write", "index"}
    assert steps <= jobs(flink, dataset).keys()


def test_counters_on_the_page_are_those_of_the_manifest(flink: Cluster, dataset: Path) -> None:
    """Records that came in, kept and dropped ones, and what was written, by name."""
    counts: dict[str, Any] = manifest(dataset)["counts"]
    ids = jobs(flink, dataset)
    shown = {name: n for step in ("measure", "settle", "write") for name, n in counters(flink, ids[step]).items()}
    assert shown["measure.records"] + shown["measure.rejected"] == counts["records"]
    assert shown["measure.rejected"] == counts["rejected"]
    assert shown["settle.kept"] == shown["write.documents"] == counts["kept"]
    assert {r: shown[f"settle.dropped.{r}"] for r in counts["dropped_by"]} == counts["dropped_by"]


def test_job_server_of_one_command_runs_by_beams_flink_runner(flink: Cluster, config: Path, tmp_path: Path) -> None:
    """`--runner=FlinkRunner` with the jar that was put together: it ships itself to the cluster, once a pipeline."""
    assert run("measure", config, "--output", tmp_path / "local", "--quiet") == 0
    command = [sys.executable, "-m", "beam_jobs", "measure", config, "--output", tmp_path / "flink", "--quiet", "--"]
    assert subprocess.run([*command, *flink.flink_options()], check=True, capture_output=True).stderr == b""
    assert contents(tmp_path / "flink") == contents(tmp_path / "local")


def test_stopped_cluster_leaves_no_process(tmp_path: Path, flink: Cluster) -> None:
    """Another cluster beside the first: all of it ends, workers too, and the first goes on."""
    other = Cluster.start(tmp_path)
    pids = [process.pid for process in other.processes.values()]
    other.stop()
    assert not [pid for pid in pids if os.path.exists(f"/proc/{pid}")]
    assert Cluster.find(tmp_path) is None
    assert flink.get("/overview")["slots-total"] == TASK_MANAGERS * SLOTS
