"""Engine: where the pipelines of one command run, be it this process, a cluster or a service."""

import copy
import io
import logging
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext, redirect_stderr
from dataclasses import dataclass, field
from typing import Any, Final

import apache_beam as beam
import grpc
from apache_beam.metrics import MetricsFilter
from apache_beam.metrics.metric import MetricResults
from apache_beam.options.pipeline_options import (
    FlinkRunnerOptions,
    GoogleCloudOptions,
    PipelineOptions,
    PortableOptions,
)

from beam_jobs.runners.flink_cluster import address_of, cancel_jobs
from beam_jobs.runners.job_server import JobServer, needs_server
from beam_jobs.runners.letters import GO_ON, failure_letter
from beam_jobs.runners.options import is_cluster, runner_name
from beam_jobs.runners.wait_for_job import wait_for, warn_of_job
from schemas.errors import CleartitleError, WorkError
from schemas.names import NAMESPACE
from transforms.shuffle import PARTITION_BYTES

_CLUSTER_PARTITION_BYTES: Final = 64 << 20
_LOST: Final = (
    "The job server does not answer any more. The job may go on without it: look at the engine's page, and cancel it\n"
    f"there. {GO_ON}"
)


@dataclass(frozen=True)
class Distribution:
    """What is known of many values: their sum, how many, the least and the greatest."""

    sum: int
    count: int
    min: int
    max: int


@dataclass(frozen=True)
class StepReport:
    """A pipeline that was run: its name, how long it took, and the counters and distributions of our namespace."""

    name: str
    seconds: float
    metrics: Mapping[str, int | Distribution]


@dataclass
class Engine:
    """Runs pipelines one after the other, as the options say; `label` ends the names of its jobs.

    A job server that a runner starts of itself is started once and serves all of them, until `close`.
    """

    options: PipelineOptions
    label: str = ""
    steps: list[StepReport] = field(default_factory=list)
    """What was run so far."""
    _server: JobServer | None = None

    @property
    def local(self) -> bool:
        """Whether a shuffle is held in the memory of this machine; on a cluster it lies on its disks."""
        return not is_cluster(self.options)

    @property
    def partition_bytes(self) -> int:
        """About how much payload one partition of a shuffle holds.

        Larger on a cluster: each part sends an element to each partition, so that small partitions of much data would
        make elements of a few rows each.
        """
        return PARTITION_BYTES if self.local else _CLUSTER_PARTITION_BYTES

    def run(self, name: str, build: Callable[[beam.Pipeline], object]) -> None:
        """Build a pipeline, run it as the job `name`, and wait. Raises WorkError with the worker's own letter."""
        started = time.monotonic()
        pipeline = self._pipeline(name)
        build(pipeline)
        # A worker in this process prints the traceback of a failed step, several screens of it, past the log.
        quiet = redirect_stderr(io.StringIO()) if logging.root.manager.disable else nullcontext()
        try:
            with quiet:
                result = pipeline.run()
                wait_for(result)
        except CleartitleError:
            raise
        except KeyboardInterrupt:
            self._leave_nothing(pipeline.options)
            raise
        except grpc.FutureTimeoutError as error:
            raise WorkError("The runner failed: no job server answers.") from error
        except grpc.RpcError as error:
            raise WorkError(f"{_LOST}\n({error.details() if isinstance(error, grpc.Call) else error})") from error
        except Exception as error:  # each runner has its own way to report a failed step
            raise WorkError(failure_letter(str(error))) from error
        self.steps.append(StepReport(name, time.monotonic() - started, _metrics(result)))

    def close(self) -> None:
        """Stop the job server that was started for this engine, if there is one."""
        if self._server is not None:
            self._server.stop()
            self._server = None

    def _leave_nothing(self, options: PipelineOptions) -> None:
        """Cancel what an interrupted command may have sent to Flink without having heard of it yet.

        A job server is told to cancel a job before it knows that the cluster took it. So it is ended first, after
        which nothing more can be sent.
        """
        self.close()
        address = address_of(options.view_as(FlinkRunnerOptions).flink_master)
        if runner_name(self.options) == "flink" and address:
            try:
                cancel_jobs(address, options.view_as(GoogleCloudOptions).job_name)
            except (OSError, ValueError) as error:
                warn_of_job(error)

    def _pipeline(self, name: str) -> beam.Pipeline:
        options = copy.deepcopy(self.options)  # runners write to it
        cloud = options.view_as(GoogleCloudOptions)
        cloud.job_name = "-".join(filter(None, (cloud.job_name or "cleartitle", name, self.label)))
        if needs_server(options):
            self._server = self._server or JobServer(options)
            options.view_as(PortableOptions).job_endpoint = self._server.endpoint
        return beam.Pipeline(options=options)


def _metrics(result: Any) -> dict[str, int | Distribution]:
    """Our counters and distributions, summed over the steps that keep them; none where the runner keeps none."""
    counters: dict[str, int] = {}
    spread: dict[str, Distribution] = {}
    try:
        said = result.metrics().query(MetricsFilter().with_namespace(NAMESPACE))
    except Exception:  # the job is done, whatever its service answers when it is asked for figures
        logging.getLogger(__name__).info("No counters", exc_info=True)
        return {}
    for one in said[MetricResults.COUNTERS]:
        name = one.key.metric.name
        counters[name] = counters.get(name, 0) + int(one.result or 0)  # Beam gives None for 0 at times
    for one in said[MetricResults.DISTRIBUTIONS]:
        name = one.key.metric.name
        more = Distribution(one.result.sum, one.result.count, one.result.min, one.result.max)
        spread[name] = _joined(spread[name], more) if name in spread else more
    found: dict[str, int | Distribution] = {**counters, **spread}
    return dict(sorted(found.items()))


def _joined(a: Distribution, b: Distribution) -> Distribution:
    return Distribution(a.sum + b.sum, a.count + b.count, min(a.min, b.min), max(a.max, b.max))
