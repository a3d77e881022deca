"""Engine: pipelines of one command, one after the other, on whatever runs them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apache_beam as beam
import grpc
import pyarrow as pa
import pytest
from apache_beam.metrics import Metrics
from apache_beam.options.pipeline_options import FlinkRunnerOptions, GoogleCloudOptions, PipelineOptions
from apache_beam.runners.portability.local_job_service import LocalJobServicer

from beam_jobs.runners import engine as module
from beam_jobs.runners.engine import Distribution, Engine
from beam_jobs.runners.options import beam_options
from schemas.errors import WorkError
from tests.job_servers import is_running, pids, served_by, write_job_server
from transforms.shuffle import PARTITION_BYTES


def local() -> Engine:
    return Engine(beam_options(["--direct_num_workers=1"]))


def nothing(root: beam.Pipeline) -> None:
    root | beam.Create([1])


class _Count(beam.DoFn):  # type: ignore[misc]
    def process(self, element: int) -> Iterator[int]:
        Metrics.counter("cleartitle", "measure.records").inc(element)
        Metrics.distribution("cleartitle", "measure.part_ms").update(10 * element)
        Metrics.counter("elsewhere", "records").inc(99)
        yield element


def counted(root: beam.Pipeline) -> None:
    """Two steps that keep the same counter, over 3 and 4."""
    root | beam.Create([3, 4]) | "A" >> beam.ParDo(_Count()) | "B" >> beam.ParDo(_Count())


def test_step_is_reported_with_its_counters() -> None:
    """Those of our namespace, summed over all steps that keep them; a distribution keeps the least and the greatest."""
    engine = local()
    engine.run("measure", counted)
    (step,) = engine.steps
    assert step.name == "measure"
    assert step.seconds > 0
    assert dict(step.metrics) == {"measure.part_ms": Distribution(140, 4, 30, 40), "measure.records": 14}
    assert list(step.metrics) == ["measure.part_ms", "measure.records"]


def test_steps_are_reported_in_their_order() -> None:
    """Whatever they are called; one without counters has none."""
    engine = local()
    for name in ("weigh", "pair-0", "connect"):
        engine.run(name, nothing)
    assert [(step.name, step.metrics) for step in engine.steps] == [("weigh", {}), ("pair-0", {}), ("connect", {})]


def test_failed_step_is_not_reported() -> None:
    """What it counted is void."""
    engine = local()
    with pytest.raises(WorkError):
        engine.run(
            "measure", lambda root: counted(root) or root | "More" >> beam.Create([0]) | beam.Map(lambda n: 1 / n)
        )
    assert engine.steps == []


@pytest.mark.parametrize(
    ("given", "label", "expected"),
    [
        ([], "", "cleartitle-pair-0"),
        ([], "8003499f", "cleartitle-pair-0-8003499f"),
        (["--job_name=mine"], "ab", "mine-pair-0-ab"),
    ],
)
def test_job_is_named_by_command_step_and_build(given: list[str], label: str, expected: str) -> None:
    """Which is what an engine's page lists; the name in the options stays as it was."""
    engine, names = Engine(beam_options([*given, "--direct_num_workers=1"]), label), list[str]()

    def build(root: beam.Pipeline) -> None:
        names.append(root.options.view_as(GoogleCloudOptions).job_name)
        nothing(root)

    engine.run("pair-0", build)
    engine.run("pair-0", build)
    assert names == [expected, expected]


@pytest.mark.parametrize(
    ("arguments", "is_local"),
    [
        ([], True),
        (["--runner=PrismRunner"], True),
        (["--runner=DirectRunner"], True),
        (["--runner=FlinkRunner"], False),
        (["--runner=PortableRunner"], False),
        (["--runner=SparkRunner"], False),
        (["--runner=apache_beam.runners.portability.flink_runner.FlinkRunner"], False),
    ],
)
def test_cluster_gets_larger_partitions(arguments: list[str], is_local: bool) -> None:
    """A local shuffle lies in memory; on a cluster each of many parts sends an element to each partition."""
    engine = Engine(beam_options(arguments))
    assert engine.local is is_local
    assert engine.partition_bytes == (PARTITION_BYTES if is_local else 8 * PARTITION_BYTES)


@pytest.mark.parametrize("name", ["flink", "prism"])
def test_one_job_server_serves_all_pipelines_of_a_command(name: str, tmp_path: Path) -> None:
    """Beam would start one for each, a Java process for Flink, and leave them all until the end."""
    engine = Engine(served_by(name, write_job_server(tmp_path)))
    for step in ("measure", "write"):
        engine.run(step, counted)
    assert [step.metrics["measure.records"] for step in engine.steps] == [14, 14]
    assert [is_running(pid) for pid in pids(tmp_path)] == [True]
    engine.close()
    engine.close()
    assert [is_running(pid) for pid in pids(tmp_path)] == [False]


def test_runner_that_writes_to_its_options_does_not_change_those_of_the_next() -> None:
    """Beam's Flink runner puts [auto] in the place of the cluster that it was given."""
    engine = Engine(PipelineOptions(["--flink_master=cluster:8081", "--runner=FnApiRunner"]))
    seen = list[str]()

    def build(root: beam.Pipeline) -> None:
        flink = root.options.view_as(FlinkRunnerOptions)
        seen.append(flink.flink_master)
        flink.flink_master = "[auto]"
        nothing(root)

    engine.run("a", build)
    engine.run("b", build)
    assert seen == ["cluster:8081", "cluster:8081"]


def test_job_server_that_is_named_is_used_by_every_runner(monkeypatch: pytest.MonkeyPatch) -> None:
    """No other is started beside it."""
    service = LocalJobServicer()
    port = service.start_grpc_server(0)
    monkeypatch.setattr(module, "JobServer", None)
    engine = Engine(
        PipelineOptions(["--runner=FlinkRunner", f"--job_endpoint=127.0.0.1:{port}", "--environment_type=LOOPBACK"])
    )
    engine.run("measure", counted)
    assert engine.steps[0].metrics["measure.records"] == 14
    engine.close()
    service.stop()


def test_uber_jar_is_sent_anew_by_each_pipeline(monkeypatch: pytest.MonkeyPatch) -> None:
    """What serves it is no program of its own, and it writes to the options of the pipeline that it serves."""
    monkeypatch.setattr(module, "JobServer", None)
    options = PipelineOptions(["--runner=FlinkRunner", "--flink_master=cluster:8081", "--flink_submit_uber_jar"])
    engine = Engine(options)
    runners = [engine._pipeline(name).runner for name in ("a", "b")]
    assert runners[0] is not runners[1]


def test_job_that_is_done_is_done_without_its_counters(monkeypatch: pytest.MonkeyPatch) -> None:
    """A service that does not answer when it is asked for figures takes back nothing."""
    engine = local()

    def refuse(*_: Any) -> None:
        raise ConnectionError("503")

    monkeypatch.setattr("apache_beam.runners.portability.fn_api_runner.fn_runner.FnApiMetrics.query", refuse)
    engine.run("measure", counted)
    assert [(step.name, step.metrics) for step in engine.steps] == [("measure", {})]


def test_job_server_that_never_answers_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beam's own error has no words at all."""

    def wait(_: beam.Pipeline) -> None:
        raise grpc.FutureTimeoutError

    monkeypatch.setattr(beam.Pipeline, "run", wait)
    with pytest.raises(WorkError, match=r"^The runner failed: no job server answers\.$"):
        local().run("measure", nothing)


class _Fail(beam.DoFn):  # type: ignore[misc]
    """Fails like a step whose disk is full, or in a way that no step foresees."""

    def __init__(self, *, foreseen: bool):
        self.foreseen = foreseen

    def process(self, element: int) -> None:
        try:
            raise pa.ArrowInvalid("bad\nDetail: worse")
        except pa.ArrowInvalid as error:
            if self.foreseen:
                raise WorkError(f"Part {element} failed: {error}") from error
            raise


@pytest.mark.parametrize(
    ("foreseen", "letter"),
    [
        (True, "Part 7 failed: bad\nDetail: worse"),
        (False, "Step Fail failed with ArrowInvalid: bad\nDetail: worse"),
    ],
)
def test_failed_step_of_a_real_pipeline_is_a_work_error_with_its_letter(foreseen: bool, letter: str) -> None:
    """As the local runner reports it."""
    with pytest.raises(WorkError) as failure:
        local().run(
            "measure",
            lambda root: root | beam.Create([7]) | "Fail" >> beam.ParDo(_Fail(foreseen=foreseen)),
        )
    assert str(failure.value) == letter


def test_pipeline_that_cannot_be_built_fails_as_it_is() -> None:
    """A fault in building is ours, and is not dressed up as one of the work."""
    with pytest.raises(ZeroDivisionError):
        local().run("measure", lambda root: 1 / 0)


def test_runner_that_fails_without_a_letter_is_quoted(monkeypatch: pytest.MonkeyPatch) -> None:
    """For instance when a cluster cannot be reached."""

    def refuse(_: beam.Pipeline) -> None:
        raise ConnectionError("no route to host")

    monkeypatch.setattr(beam.Pipeline, "run", refuse)
    with pytest.raises(WorkError, match=r"^The runner failed: no route to host$"):
        local().run("measure", lambda root: None)
