"""Flink's REST interface: where it is, and which jobs an interrupted command cancels there."""

import logging
from collections.abc import Callable
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import PipelineOptions

from beam_jobs.runners import engine as module
from beam_jobs.runners.engine import Engine
from beam_jobs.runners.flink_cluster import address_of, cancel_jobs
from tests.flink_rest import TOLD

MINE = "cleartitle-measure-80034996"
JOBS = [
    {"jid": "a1", "name": MINE, "state": "RUNNING"},
    {"jid": "b2", "name": MINE, "state": "FINISHED"},
    {"jid": "c3", "name": "cleartitle-measure-11111111", "state": "RUNNING"},
    {"jid": "d4", "name": MINE, "state": "RESTARTING"},
    {"jid": "e5", "name": MINE, "state": "CANCELLING"},
]


@pytest.mark.parametrize(
    ("master", "address"),
    [
        ("host:8081", "http://host:8081"),
        (" https://host ", "https://host"),
        ("[auto]", None),
        ("[local]", None),
        ("", None),
        (None, None),
    ],
)
def test_address_is_what_the_option_names(master: str | None, address: str | None) -> None:
    """A Flink inside the job server has none."""
    assert address_of(master) == address


def test_jobs_of_that_name_are_cancelled_and_no_others(cluster: Callable[..., str]) -> None:
    """Those of another build are another's, and what has ended stays as it is."""
    assert cancel_jobs(f"http://{cluster({}, JOBS)}", MINE) == ["a1", "d4"]
    assert TOLD == ["/jobs/a1?mode=cancel", "/jobs/d4?mode=cancel"]


def interrupted(monkeypatch: pytest.MonkeyPatch, master: str) -> list[str]:
    """What happens to a job server when the command is interrupted while it sends a job."""
    order: list[str] = []

    class Server:
        endpoint = "127.0.0.1:1"

        def __init__(self, _: PipelineOptions):
            order.append("start")

        def stop(self) -> None:
            order.append(f"stop after {len(TOLD)} words to the cluster")

    def interrupt(_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "JobServer", Server)
    monkeypatch.setattr(beam.Pipeline, "run", interrupt)
    engine = Engine(PipelineOptions(["--runner=FlinkRunner", f"--flink_master={master}"]), "80034996")
    with pytest.raises(KeyboardInterrupt):
        engine.run("measure", lambda root: root | beam.Create([1]))
    return order


def test_command_that_is_interrupted_while_it_sends_a_job_leaves_none(
    monkeypatch: pytest.MonkeyPatch,
    cluster: Callable[..., str],
) -> None:
    """First the job server is ended, so that nothing more can come; then what came is cancelled."""
    assert interrupted(monkeypatch, cluster({}, JOBS)) == ["start", "stop after 0 words to the cluster"]
    assert TOLD == ["/jobs/a1?mode=cancel", "/jobs/d4?mode=cancel"]


def test_cluster_that_does_not_answer_an_interrupted_command_is_told_of(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The command ends as an interrupted one."""
    interrupted(monkeypatch, "127.0.0.1:1")
    (warning,) = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert warning.startswith("cleartitle: warning: the job could not be cancelled, and may go on")
