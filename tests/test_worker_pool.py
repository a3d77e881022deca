"""Worker pool: workers are processes of their own that an engine asks for, and end with whoever asked."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import apache_beam as beam
import grpc
import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.portability.api import beam_fn_api_pb2, beam_fn_api_pb2_grpc
from apache_beam.runners.portability.local_job_service import LocalJobServicer

from beam_jobs.runners.engine import Engine
from beam_jobs.runners.worker_pool import serve
from schemas.errors import UsageError, WorkError
from tests.jobs import digests, letter, run, write_config, write_jsonl
from transforms.spread_parts import SpreadParts

TEXTS = [f"page {n % 7} of a book that says the same as its neighbour does, word by word, {n % 5}" for n in range(40)]


@dataclass
class Pool:
    """`cleartitle workers` as a process of its own."""

    address: str
    process: subprocess.Popen[str]

    def told(self, words: str) -> str:
        """The next line of its stderr that has the words."""
        assert self.process.stderr is not None
        return next(line for line in self.process.stderr if words in line)


@pytest.fixture
def pool() -> Iterator[Pool]:
    """A pool at a free port; at the end it is asked to stop, and has to."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    command = [sys.executable, "-m", "beam_jobs", "workers", "--address", address]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=Path(__file__).parents[1]) as process:
        started = Pool(address, process)
        started.told("workers are started at")
        yield started
        process.terminate()
        assert process.wait(60) == 0


@pytest.fixture
def job_server() -> Iterator[str]:
    """Beam's own job service, which asks an external environment for its workers as Flink's does."""
    service = LocalJobServicer()
    port = service.start_grpc_server(0)
    yield f"127.0.0.1:{port}"
    service.stop()


def beam_arguments(job_server: str, pool: Pool) -> list[str]:
    place = [f"--job_endpoint={job_server}", "--environment_type=EXTERNAL", f"--environment_config={pool.address}"]
    return ["--runner=PortableRunner", *place]


def test_dataset_made_by_workers_of_a_pool_has_the_same_bytes(tmp_path: Path, pool: Pool, job_server: str) -> None:
    """Nine jobs, with workers of their own each."""
    rows = write_jsonl(tmp_path / "crawl.jsonl", [{"id": str(n), "text": text} for n, text in enumerate(TEXTS)])
    config = write_config(tmp_path / "config.yaml", {"crawl": {"name": "c", "files": [str(rows)]}})
    assert run("curate", config, "--output", tmp_path / "here", "--quiet") == 0
    command = ["curate", config, "--output", tmp_path / "there", "--quiet"]
    assert run(*command, "--", *beam_arguments(job_server, pool)) == 0
    assert digests(tmp_path / "there") == digests(tmp_path / "here")
    worker = int(pool.told("is process").split()[-1])
    assert worker not in (os.getpid(), pool.process.pid)


def test_worker_knows_the_options_of_the_job(pool: Pool, job_server: str) -> None:
    """Filesystems are told by them where a bucket is; Beam's own pool hands on none."""
    options = PipelineOptions([*beam_arguments(job_server, pool), "--s3_region_name=eu-test-1"])
    with pytest.raises(WorkError, match=r"^Step .* failed with LookupError: 'eu-test-1'"):
        Engine(options).run("measure", lambda root: root | SpreadParts([0]) | "Tell" >> beam.Map(_tell_region))


def _tell_region(_: object) -> None:
    from apache_beam.io.filesystems import FileSystems
    from apache_beam.options.pipeline_options import S3Options

    raise LookupError(repr(FileSystems._pipeline_options.view_as(S3Options).s3_region_name))


def test_worker_that_is_stopped_is_not_that_of_another(pool: Pool) -> None:
    """Two task managers both call theirs 1-1; to stop one says nothing of which, and none is ended by it."""
    with grpc.insecure_channel(pool.address) as channel:
        stub = beam_fn_api_pb2_grpc.BeamFnExternalWorkerPoolStub(channel)
        answer = stub.StopWorker(beam_fn_api_pb2.StopWorkerRequest(worker_id="1-1"), timeout=30)
    assert answer.error == ""


def test_worker_without_anybody_to_ask_it_is_told(pool: Pool) -> None:
    """The engine that asked is gone: it gets an answer, and the pool goes on."""
    with grpc.insecure_channel(pool.address) as channel:
        stub = beam_fn_api_pb2_grpc.BeamFnExternalWorkerPoolStub(channel)
        request = beam_fn_api_pb2.StartWorkerRequest(worker_id="1-1")
        request.provision_endpoint.url = "127.0.0.1:1"
        answer = stub.StartWorker(request, timeout=60)
        assert answer.error.startswith("No worker could be started: ")
        assert stub.StopWorker(beam_fn_api_pb2.StopWorkerRequest(worker_id="1-1"), timeout=30).error == ""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_pool_ends_when_it_is_told_to(pool: Pool, number: signal.Signals) -> None:
    """Without a traceback."""
    pool.process.send_signal(number)
    assert pool.process.wait(60) == 0
    assert pool.process.stderr is not None
    assert pool.process.stderr.read() == ""


@pytest.mark.parametrize("address", ["50000", ":50000", "localhost:", "localhost:http"])
def test_address_that_is_none_is_refused(address: str) -> None:
    """Host and port are both needed: no pool listens to the whole network by chance."""
    with pytest.raises(UsageError, match=r"it is HOST:PORT, such as 127\.0\.0\.1:50000"):
        serve(address)


def test_port_that_is_taken_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """By the exit code of a wrong command."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        assert run("workers", "--address", address) == 2
    assert letter(capsys) == f"Nothing can be served at {address}: the port is taken, or not of this machine."
