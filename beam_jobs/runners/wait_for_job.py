"""Wait for a job that runs elsewhere, and cancel it if the command is interrupted."""

import logging
import threading
import time
from typing import Any, Final

import grpc
from apache_beam.runners.portability.portable_runner import PipelineResult
from apache_beam.runners.runner import PipelineState

from beam_jobs.logs import COMMAND, tell

_POLL_SECONDS: Final = 0.1
_PATIENCE_SECONDS: Final = 30.0
"""So long a job server may be silent: it may be started again, and knows its jobs if it was only cut off."""


def wait_for(result: Any) -> None:
    """Wait for the end of a job. Raises what its runner raises if it failed; an interrupted job is cancelled."""
    try:
        if isinstance(result, PipelineResult) and _end_of(result) == PipelineState.DONE:
            # Beam then waits 10 seconds for last messages before it lets go of the job; nobody needs them here.
            threading.Thread(target=result.wait_until_finish, daemon=True).start()
        else:
            result.wait_until_finish()
    except KeyboardInterrupt:
        _cancel(result)
        raise


def _end_of(result: PipelineResult) -> str:
    """The state that a job ended in. Raises grpc.RpcError if the job server is silent for too long."""
    silent_since = None
    while True:
        try:
            state = str(result.state)
        except grpc.RpcError:
            silent_since = silent_since or time.monotonic()
            if time.monotonic() - silent_since > _PATIENCE_SECONDS:
                raise
        else:
            silent_since = None
            if PipelineState.is_terminal(state):
                return state
        time.sleep(_POLL_SECONDS)


def _cancel(result: Any) -> None:
    try:
        result.cancel()
    except Exception as error:  # each runner has its own; what matters is that it is told, and that we come to an end
        warn_of_job(error)


def warn_of_job(error: Exception) -> None:
    """Say that a job could not be cancelled."""
    said = f"{COMMAND}warning: the job could not be cancelled, and may go on: look at the engine's page ({error})"
    tell(said, level=logging.WARNING)
