"""Worker pool: Python workers for an engine's task managers, each a process of its own, started when one asks.

It serves what Beam calls an external environment. Beam's own pool knows a worker by its id alone, which two task
managers of one cluster give alike, so that the end of one's worker is the end of the other's. Here a worker belongs to
whoever asked for it, and ends when that one closes its control stream, or dies.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, Final

import click
import grpc
from apache_beam.portability.api import beam_fn_api_pb2, beam_fn_api_pb2_grpc, beam_provision_api_pb2
from apache_beam.portability.api.org.apache.beam.model.fn_execution.v1.beam_provision_api_pb2_grpc import (
    ProvisionServiceStub,
)
from google.protobuf.json_format import MessageToJson

from schemas.errors import UsageError

_FORKS: Final = multiprocessing.get_context("forkserver")
_PRELOADED: Final = ("beam_jobs.runners.worker_modules",)
_ANSWER_SECONDS: Final = 30
_MOST_AT_ONCE: Final = 64
"""Threads that each wait for one task manager: one that is silent must not keep others waiting."""


def serve(address: str) -> None:
    """Serve at `HOST:PORT` until SIGTERM or SIGINT, which end the workers too. Raises UsageError if it is taken."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        raise UsageError(f"--address is {address!r}; it is HOST:PORT, such as 127.0.0.1:50000.")
    # Workers come out of a process that has everything imported and nothing started, so one is there at once.
    _FORKS.set_forkserver_preload(list(_PRELOADED))
    pool = _Pool()
    server = grpc.server(ThreadPoolExecutor(_MOST_AT_ONCE), options=[("grpc.so_reuseport", 0)])
    beam_fn_api_pb2_grpc.add_BeamFnExternalWorkerPoolServicer_to_server(pool, server)
    try:
        server.add_insecure_port(address)
    except RuntimeError as error:
        raise UsageError(f"Nothing can be served at {address}: the port is taken, or not of this machine.") from error
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    server.start()
    click.echo(f"cleartitle: workers are started at {address} when an engine asks", err=True)
    stop.wait()
    pool.close()
    server.stop(None).wait()


class _Pool(beam_fn_api_pb2_grpc.BeamFnExternalWorkerPoolServicer):
    def __init__(self) -> None:
        self.workers: list[Any] = []
        self.lock = threading.Lock()
        self.closed = False

    def StartWorker(self, request: Any, _: Any) -> Any:  # noqa: N802  (the service's own name)
        try:
            environment = _environment(request)
            with self.lock:
                if self.closed:
                    return beam_fn_api_pb2.StartWorkerResponse(error="The pool of workers is being ended.")
                self.workers = [worker for worker in self.workers if worker.is_alive()]
                worker = _FORKS.Process(target=_work, args=(environment,), name=f"worker {request.worker_id}")
                worker.start()
                self.workers.append(worker)
        except (OSError, grpc.RpcError) as error:
            return beam_fn_api_pb2.StartWorkerResponse(error=f"No worker could be started: {error}")
        with suppress(OSError):  # who reads it may have gone, and the worker is there
            click.echo(f"cleartitle: worker {request.worker_id} is process {worker.pid}", err=True)
        return beam_fn_api_pb2.StartWorkerResponse()

    def StopWorker(self, request: Any, _: Any) -> Any:  # noqa: N802
        """Nothing: which of the workers of this id is meant cannot be told, and it ends by itself."""
        return beam_fn_api_pb2.StopWorkerResponse()

    def close(self) -> None:
        with self.lock:
            self.closed = True
            for worker in self.workers:
                worker.kill()
            for worker in self.workers:
                worker.join()


def _environment(request: Any) -> dict[str, str]:
    """What Beam's worker reads of its environment, as its own images set it."""
    found = {"WORKER_ID": request.worker_id}
    for name in ("logging", "control"):
        endpoint = getattr(request, f"{name}_endpoint")
        found[f"{name.upper()}_API_SERVICE_DESCRIPTOR"] = str(endpoint)
    metadata = (("worker_id", request.worker_id),)
    with grpc.insecure_channel(request.provision_endpoint.url) as channel:
        answer = ProvisionServiceStub(channel).GetProvisionInfo(
            beam_provision_api_pb2.GetProvisionInfoRequest(), timeout=_ANSWER_SECONDS, metadata=metadata
        )
    found["PIPELINE_OPTIONS"] = MessageToJson(answer.info.pipeline_options)
    found["RUNNER_CAPABILITIES"] = " ".join(answer.info.runner_capabilities)
    if answer.info.HasField("status_endpoint"):
        found["STATUS_API_SERVICE_DESCRIPTOR"] = str(answer.info.status_endpoint)
    return found


def _work(environment: Mapping[str, str]) -> None:
    from apache_beam.runners.worker import sdk_worker_main

    from beam_jobs.allocator import keep_freed_memory

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the pool ends its workers itself
    keep_freed_memory()
    os.environ.update(environment)
    sdk_worker_main.main([])
