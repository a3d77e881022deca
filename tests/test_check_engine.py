"""Check engine: an engine that is not there, or does not fit, is told of before any work starts."""

import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from apache_beam.options.pipeline_options import FlinkRunnerOptions, PipelineOptions

from beam_jobs.runners import check_engine as module
from beam_jobs.runners.check_engine import check_engine, check_paths
from schemas.errors import UsageError
from tests.jobs import letter, run, write_config, write_jsonl

OVERVIEW = {"flink-version": "1.20.1", "slots-total": 6, "taskmanagers": 3}


@pytest.fixture
def closed() -> str:
    """An address of this machine at which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{free.getsockname()[1]}"


def flink(master: str, *more: str) -> PipelineOptions:
    """Options for Flink, on a machine that has what is taken for Java."""
    java = f"--job_server_java_launcher={sys.executable}"
    return PipelineOptions(["--runner=FlinkRunner", f"--flink_master={master}", java, *more])


@pytest.mark.parametrize("scheme", ["", "http://"])
def test_slots_of_a_cluster_become_the_parallelism(cluster: Callable[[Any], str], scheme: str) -> None:
    """Beam would run everything in one of them."""
    options = flink(scheme + cluster(OVERVIEW), "--flink_version=1.20")
    check_engine(options)
    assert options.view_as(FlinkRunnerOptions).parallelism == 6


def test_parallelism_that_is_given_is_kept(cluster: Callable[[Any], str]) -> None:
    """Others may use the cluster too."""
    options = flink(cluster(OVERVIEW), "--flink_version=1.20", "--parallelism=2")
    check_engine(options)
    assert options.view_as(FlinkRunnerOptions).parallelism == 2


def test_cluster_of_another_release_is_refused_with_what_to_add(cluster: Callable[[Any], str]) -> None:
    """A job server speaks to clusters of its own release alone; 1.2 is none of 1.20."""
    master = cluster(OVERVIEW)
    with pytest.raises(UsageError) as refusal:
        check_engine(flink(master, "--flink_version=2.0"))
    assert str(refusal.value) == (
        f"The cluster at {master} runs Flink 1.20.1, and the job server is that for 2.0.\n"
        "Add --flink_version=1.20, if this Beam has one for it."
    )


def test_cluster_without_slots_is_refused(cluster: Callable[[Any], str]) -> None:
    """The job would wait for ever."""
    master = cluster({**OVERVIEW, "slots-total": 0})
    with pytest.raises(UsageError, match="has no task slots: no TaskManager has registered with it"):
        check_engine(flink(master, "--flink_version=1.20"))


@pytest.mark.parametrize("answer", [[1, 2], b"<html>hello</html>", b""])
def test_something_else_that_answers_is_no_cluster(cluster: Callable[[Any], str], answer: Any) -> None:
    """For instance the job server's port, or a proxy's page."""
    with pytest.raises(UsageError, match="which --flink_master names"):
        check_engine(flink(cluster(answer)))


def test_cluster_that_cannot_be_reached_is_told_by_its_address(closed: str) -> None:
    """With what the system says, and which address is meant."""
    with pytest.raises(UsageError) as refusal:
        check_engine(flink(closed))
    assert str(refusal.value).startswith(f"No Flink cluster answers at {closed}, which --flink_master names (")
    assert str(refusal.value).endswith("It is the address of its REST endpoint, that of its web page.")


@pytest.mark.parametrize("master", ["[local]", "[auto]"])
def test_flink_inside_the_job_server_is_not_asked(master: str) -> None:
    """It is not there yet."""
    check_engine(flink(master))


def test_job_server_that_cannot_be_reached_is_told_by_its_address(closed: str) -> None:
    """Beam would wait for a minute and say nothing."""
    with pytest.raises(UsageError, match=rf"^No job server answers at {closed}, which --job_endpoint names \("):
        check_engine(PipelineOptions(["--runner=PortableRunner", f"--job_endpoint={closed}"]))


@pytest.mark.parametrize("endpoint", ["nowhere", "127.0.0.1:http", "127.0.0.1:"])
def test_address_that_is_none_is_told(endpoint: str) -> None:
    """HOST:PORT is asked for."""
    with pytest.raises(UsageError, match="No job server answers at"):
        check_engine(PipelineOptions(["--runner=PortableRunner", f"--job_endpoint={endpoint}"]))


def test_portable_runner_without_a_job_server_is_told_what_it_needs() -> None:
    """Beam would look for one in Docker."""
    with pytest.raises(UsageError, match=r"^--runner=PortableRunner needs --job_endpoint=HOST:PORT"):
        check_engine(PipelineOptions(["--runner=PortableRunner"]))


def test_job_server_that_listens_passes() -> None:
    """Whether it is one shows when the job is sent."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        check_engine(
            PipelineOptions(["--runner=PortableRunner", f"--job_endpoint=127.0.0.1:{server.getsockname()[1]}"])
        )


def test_local_runner_is_not_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is here."""
    monkeypatch.setattr(module, "_connect", None)
    check_engine(PipelineOptions(["--runner=FnApiRunner"]))


def test_engine_that_is_not_there_ends_a_command_before_any_work(
    tmp_path: Path, closed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, and no output directory."""
    rows = write_jsonl(tmp_path / "crawl.jsonl", [{"id": "1", "text": "a b c"}])
    config = write_config(tmp_path / "config.yaml", {"crawl": {"name": "c", "files": [str(rows)]}})
    beam = ["--", "--runner=PortableRunner", f"--job_endpoint={closed}"]
    assert run("curate", config, "--output", tmp_path / "out", *beam) == 2
    assert letter(capsys).startswith(f"No job server answers at {closed}")
    assert not (tmp_path / "out").exists()


DATAFLOW = ["--runner=DataflowRunner", "--project=p", "--region=r", "--temp_location=gs://b/t"]


def test_dataflow_is_refused_paths_of_this_machine() -> None:
    """Its workers would find nothing, or write where nobody looks."""
    with pytest.raises(UsageError) as refusal:
        check_paths(PipelineOptions(DATAFLOW), ["gs://b/out", "/data/crawl.warc.gz"])
    assert str(refusal.value) == (
        "Workers of Dataflow cannot see /data/crawl.warc.gz, which is on this machine.\n"
        "Put crawl, work and output in a bucket: gs://BUCKET/PATH."
    )


@pytest.mark.parametrize(
    ("arguments", "paths"),
    [(DATAFLOW, ["gs://b/out", "s3://c/crawl"]), (["--runner=FlinkRunner"], ["/shared/out"]), ([], ["out"])],
)
def test_paths_that_workers_may_see_pass(arguments: list[str], paths: list[str]) -> None:
    """A cluster of one's own may share a disk."""
    check_paths(PipelineOptions(arguments), paths)


@pytest.mark.parametrize("runner", ["FlinkRunner", "PortableRunner"])
def test_relative_path_is_refused_on_a_cluster(runner: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker has a working directory of its own, and would not find what is there."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError) as refusal:
        check_paths(PipelineOptions([f"--runner={runner}"]), ["/shared/a", "out/b"])
    assert str(refusal.value) == (
        "Workers of a cluster have working directories of their own, so out/b may be another one there.\n"
        f"Write it in full, such as {tmp_path}/out/b, if all of them share that disk."
    )


@pytest.mark.parametrize("runner", ["FlinkRunner", "PrismRunner", "SparkRunner"])
def test_job_server_that_is_named_is_asked_for_whatever_the_runner(closed: str, runner: str) -> None:
    """A runner that could start one of its own uses the one that it is told of."""
    with pytest.raises(UsageError, match=f"No job server answers at {closed}"):
        check_engine(PipelineOptions([f"--runner={runner}", f"--job_endpoint={closed}"]))


def test_jar_that_is_not_there_is_told(tmp_path: Path) -> None:
    """Beam would tell how to build it."""
    with pytest.raises(UsageError, match=r"server\.jar, which --flink_job_server_jar names, is not there\.$"):
        check_engine(flink("[local]", f"--flink_job_server_jar={tmp_path}/server.jar"))


def test_machine_without_java_is_told() -> None:
    """The job server is a Java program."""
    with pytest.raises(UsageError, match=r"with `no-such-java`, which is not on this machine\.$"):
        check_engine(flink("[local]", "--job_server_java_launcher=no-such-java"))
