"""Job server: the program that takes the pipelines of one command to Flink or Prism, where no other is named."""

import copy
import logging
import shlex
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections import deque
from typing import Final

from apache_beam.options.pipeline_options import (
    FlinkRunnerOptions,
    JobServerOptions,
    PipelineOptions,
    PortableOptions,
    PrismRunnerOptions,
)
from apache_beam.runners.portability.flink_runner import FlinkJarJobServer, FlinkRunner
from apache_beam.runners.portability.prism_runner import PrismJobServer

from beam_jobs.runners.options import runner_name
from schemas.errors import WorkError

_LOGGER: Final = logging.getLogger(__name__)
_PROGRAMS: Final = {"flink": FlinkJarJobServer, "prism": PrismJobServer}
_START_SECONDS: Final = 120.0
_STOP_SECONDS: Final = 10.0
_POLL_SECONDS: Final = 0.05
_LINES: Final = 20
"""Lines that a letter quotes, the last ones that the program wrote."""


def needs_server(options: PipelineOptions) -> bool:
    """Whether the runner would start a job server of its own, and one for each pipeline."""
    uber_jar = options.view_as(FlinkRunnerOptions).flink_submit_uber_jar
    return runner_name(options) in _PROGRAMS and not options.view_as(PortableOptions).job_endpoint and not uber_jar


class JobServer:
    """A job server as a process of this command, which outlives an interrupt and ends with `stop`.

    Beam's own ends at the first sign of an interrupt, while it is needed to cancel the job, and leaves its process to
    the garbage collector. This one is in a process group of its own, which Ctrl-C at a terminal does not reach.
    """

    def __init__(self, options: PipelineOptions):
        """Start it, and wait until it answers. Raises WorkError, with its last words, if it does not."""
        self._said: deque[str] = deque(maxlen=_LINES)
        self._directory = tempfile.mkdtemp(prefix="cleartitle-job-server-")
        try:
            self._process = self._start(options)
        except BaseException as error:
            shutil.rmtree(self._directory)
            if not isinstance(error, Exception):
                raise
            # Beam fetches the program where it is not here, and has an error for each way in which that can fail.
            name = runner_name(options).capitalize()
            raise WorkError(f"Beam has no job server for {name} that could be started here: {error}") from error
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        try:
            self._await_answer()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End the process, and wait for its end."""
        self._process.terminate()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._listener.join(_STOP_SECONDS)
        shutil.rmtree(self._directory, ignore_errors=True)

    def _start(self, options: PipelineOptions) -> "subprocess.Popen[str]":
        options = copy.deepcopy(options)  # what follows is for the program alone, not for the jobs
        server = options.view_as(JobServerOptions)
        server.artifacts_dir = server.artifacts_dir or self._directory
        flink = options.view_as(FlinkRunnerOptions)
        flink.flink_master = FlinkRunner.add_http_scheme(flink.flink_master)
        prism = options.view_as(PrismRunnerOptions)
        if prism.prism_log_kind == "console":  # what is said by default; Beam then has it write JSON, and reads that
            prism.prism_log_kind = "text"
        command, self.endpoint = _PROGRAMS[runner_name(options)](options).subprocess_cmd_and_endpoint()
        self._command = [str(word) for word in command]
        return subprocess.Popen(
            self._command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="backslashreplace",
            process_group=0,
        )

    def _listen(self) -> None:
        """Log what the program says; one that nobody listens to comes to a halt when its pipe is full."""
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                self._said.append(line.rstrip())
                _LOGGER.info("%s", line.rstrip())

    def _await_answer(self) -> None:
        begun = time.monotonic()
        host, _, port = self.endpoint.rpartition(":")
        while True:
            try:
                socket.create_connection((host, int(port)), _START_SECONDS).close()
                return
            except OSError:
                code = self._process.poll()
            if code is not None or time.monotonic() - begun > _START_SECONDS:
                raise WorkError(self._letter(code))
            time.sleep(_POLL_SECONDS)

    def _letter(self, code: int | None) -> str:
        if code is None:
            ended = f"has not answered at {self.endpoint} for {_START_SECONDS:.0f} s"
        else:
            self._listener.join(_STOP_SECONDS)
            ended = f"ended with {code} before it answered"
        last = "\n".join(f"    {line}" for line in self._said) or "    (nothing)"
        return f"The job server {ended}:\n\n    {shlex.join(self._command)}\n\nIt said last:\n\n{last}"
