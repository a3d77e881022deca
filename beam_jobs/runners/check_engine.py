"""Check engine: whether what the Beam options name can be reached and fits, before any work starts."""

import os
import shutil
import socket
from collections.abc import Sequence
from typing import Any

from apache_beam.options.pipeline_options import (
    FlinkRunnerOptions,
    JobServerOptions,
    PipelineOptions,
    PortableOptions,
)

from beam_jobs.runners.flink_cluster import SECONDS, address_of, ask
from beam_jobs.runners.options import is_cluster, runner_name
from schemas.errors import UsageError
from transforms.part_store import is_local


def check_engine(options: PipelineOptions) -> None:
    """Raise UsageError if a job server or cluster that the options name does not answer or fit, or none can start.

    A Flink cluster's slots become the `parallelism` of `options`, where none was given.
    """
    if endpoint := options.view_as(PortableOptions).job_endpoint:
        _connect(endpoint)
    elif runner_name(options) == "portable":
        raise UsageError("--runner=PortableRunner needs --job_endpoint=HOST:PORT, the address of a job server.")
    elif runner_name(options) == "flink":
        flink = options.view_as(FlinkRunnerOptions)
        _check_job_server(flink, options.view_as(JobServerOptions).job_server_java_launcher)
        _check_flink(flink)


def check_paths(options: PipelineOptions, paths: Sequence[str]) -> None:
    """Raise UsageError if workers elsewhere could not see one of the `paths`: those of input, work and output."""
    here = [path for path in paths if is_local(path)]
    if runner_name(options) == "dataflow" and here:
        raise UsageError(
            f"Workers of Dataflow cannot see {here[0]}, which is on this machine.\n"
            "Put crawl, work and output in a bucket: gs://BUCKET/PATH."
        )
    if is_cluster(options) and (relative := [path for path in here if not os.path.isabs(path)]):
        raise UsageError(
            f"Workers of a cluster have working directories of their own, so {relative[0]} may be another one there.\n"
            f"Write it in full, such as {os.path.abspath(relative[0])}, if all of them share that disk."
        )


def _connect(endpoint: str) -> None:
    host, _, port = endpoint.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), SECONDS).close()
    except (OSError, ValueError) as error:
        raise UsageError(
            f"No job server answers at {endpoint}, which --job_endpoint names ({error}).\n"
            "Start it, or correct the address; docs/flink.md says how."
        ) from error


def _check_job_server(flink: FlinkRunnerOptions, java: str) -> None:
    """Whether Beam could start one of its own; without a jar that is named it fetches one."""
    jar = flink.flink_job_server_jar
    if jar and is_local(jar) and not os.path.isfile(jar):
        raise UsageError(f"{jar}, which --flink_job_server_jar names, is not there.")
    if not flink.flink_submit_uber_jar and shutil.which(java) is None:
        raise UsageError(f"Beam starts its job server for Flink with `{java}`, which is not on this machine.")


def _check_flink(flink: FlinkRunnerOptions) -> None:
    address = address_of(flink.flink_master)
    if address is None:
        return
    master = flink.flink_master.strip()
    found = _overview(address, master)
    version = str(found.get("flink-version", ""))
    if not version.startswith(f"{flink.flink_version}."):
        raise UsageError(
            f"The cluster at {master} runs Flink {version}, and the job server is that for {flink.flink_version}.\n"
            f"Add --flink_version={'.'.join(version.split('.')[:2])}, if this Beam has one for it."
        )
    if not found.get("slots-total"):
        raise UsageError(f"The Flink cluster at {master} has no task slots: no TaskManager has registered with it.")
    if flink.parallelism == -1:
        flink.parallelism = int(found["slots-total"])


def _overview(address: str, master: str) -> dict[str, Any]:
    try:
        found = ask(address, "/overview")
    except (OSError, ValueError) as error:
        raise UsageError(
            f"No Flink cluster answers at {master}, which --flink_master names ({error}).\n"
            "It is the address of its REST endpoint, that of its web page."
        ) from error
    if not isinstance(found, dict):
        raise UsageError(f"What answers at {master}, which --flink_master names, is no Flink cluster.")
    return found
