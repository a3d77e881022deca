"""Wait for a job elsewhere: its end, its cancelling, and a job server that falls silent."""

import logging
import threading
from typing import Any

import apache_beam as beam
import grpc
import pytest
from apache_beam.runners.portability.portable_runner import PipelineResult

from beam_jobs.runners import wait_for_job as module
from beam_jobs.runners.engine import Engine
from beam_jobs.runners.options import beam_options
from schemas.errors import WorkError


class _Silence(grpc.RpcError, grpc.Call):  # type: ignore[misc]
    """What gRPC raises where nobody answers."""

    def details(self) -> str:
        return "failed to connect"


_Silence.__abstractmethods__ = frozenset()


class _Result(PipelineResult):  # type: ignore[misc]
    """A job of a job service that goes through some states; an exception is raised when it is asked for that state."""

    def __init__(self, *states: str | type[BaseException], refuse: Exception | None = None):
        self.states, self.refuse = list(states), refuse
        self.waited, self.cancelled = threading.Event(), False

    @property
    def state(self) -> str:
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        if isinstance(state, str):
            return state
        raise state

    def wait_until_finish(self, duration: float | None = None) -> None:
        self.waited.set()
        if self.states != ["DONE"]:
            raise RuntimeError(f"Pipeline p failed in state {self.states[0]}: unknown error")

    def cancel(self) -> None:
        if self.refuse:
            raise self.refuse
        self.cancelled = True

    def metrics(self) -> Any:
        raise NotImplementedError


@pytest.fixture
def run_as(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs a pipeline whose job is a given one."""
    monkeypatch.setattr(module, "_POLL_SECONDS", 0)

    def run(result: _Result) -> Engine:
        monkeypatch.setattr(beam.Pipeline, "run", lambda _: result)
        engine = Engine(beam_options(["--direct_num_workers=1"]))
        engine.run("measure", lambda root: root | beam.Create([1]))
        return engine

    return run


def test_job_that_is_done_is_let_go_of_beside_the_work(run_as: Any) -> None:
    """Beam waits ten seconds after each job for messages that nobody needs; a runner without counters has none."""
    result = _Result("STARTING", "RUNNING", "DONE")
    assert [step.metrics for step in run_as(result).steps] == [{}]
    assert result.waited.wait(30)


def test_job_that_is_cancelled_on_the_engine_says_how_to_go_on(run_as: Any) -> None:
    """The job is gone; what its parts had finished is not."""
    with pytest.raises(WorkError, match=r"^The job was cancelled on the engine\.\n.*--resume"):
        run_as(_Result("RUNNING", "CANCELLED"))


def test_interrupted_command_cancels_its_job(run_as: Any) -> None:
    """Else it would run on, beside the one that --resume sends."""
    result = _Result("RUNNING", KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        run_as(result)
    assert result.cancelled


@pytest.mark.parametrize("error", [ValueError("Cannot invoke RPC on closed channel!"), _Silence()])
def test_job_that_cannot_be_cancelled_is_told_of(
    run_as: Any, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    """The command ends as an interrupted one all the same, and not with another's error."""
    with pytest.raises(KeyboardInterrupt):
        run_as(_Result("RUNNING", KeyboardInterrupt, refuse=error))
    (warning,) = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert warning.startswith("cleartitle: warning: the job could not be cancelled, and may go on")


def test_job_server_that_is_silent_for_a_while_is_waited_for(run_as: Any) -> None:
    """A run of hours does not end with one request that fails."""
    assert len(run_as(_Result("RUNNING", _Silence, _Silence, "RUNNING", _Silence, "DONE")).steps) == 1


def test_job_server_that_stays_silent_ends_the_run_with_what_may_go_on(
    run_as: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cluster knows nothing of it, and works on."""
    monkeypatch.setattr(module, "_PATIENCE_SECONDS", 0)
    with pytest.raises(WorkError) as failure:
        run_as(_Result("RUNNING", _Silence))
    assert str(failure.value) == (
        "The job server does not answer any more. The job may go on without it: look at the engine's page, and cancel "
        "it\nthere. What is done is kept; the same command with --resume goes on from there.\n(failed to connect)"
    )
