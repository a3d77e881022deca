"""Beam options: what comes after `--` on the command line, and the local default said out loud."""

import os
from collections.abc import Sequence
from typing import Final

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions, StandardOptions

from beam_jobs.runners.check_dataflow import check_dataflow
from schemas.errors import UsageError

_CLUSTERS: Final = frozenset({"dataflow", "flink", "portable", "spark"})


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def beam_options(arguments: Sequence[str]) -> PipelineOptions:
    """Options from the arguments after `--`, completed to the local default where no runner is named.

    The local runner is the in-process FnApiRunner with a thread a core: kernels and Arrow release the interpreter
    lock. Without a name Beam would first try to download a Prism binary. Raises UsageError for an unknown option,
    and for what Dataflow lacks.
    """
    given = {argument.split("=")[0].lstrip("-") for argument in arguments}
    local = "runner" not in given
    try:
        default = _local_default() if local else {}
        completed = [f"--{name}={value}" for name, value in default.items() if name not in given]
        options = PipelineOptions([*completed, *arguments])
        known = options.get_all_options()
        unknown = options.get_all_options(retain_unknown_options=True).keys() - known.keys()
    except SystemExit as error:  # argparse, on a value of the wrong type; it has printed which
        raise UsageError("The Beam options after `--` cannot be read; see above.") from error
    if runner_name(options) == "dataflow":
        check_dataflow(options)
    try:
        beam.Pipeline(options=options)
    except ValueError as error:
        raise UsageError(f"Beam refuses its options: {str(error).splitlines()[0]}") from error
    if local and unknown:  # another runner may know options that only its own service declares
        raise UsageError(f"Beam knows no option `--{min(unknown)}`. Options after `--` go to Apache Beam.")
    return options


def runner_name(options: PipelineOptions) -> str:
    """Which runner is meant, in one word, however it was written.

    >>> runner_name(PipelineOptions(["--runner=apache_beam.runners.portability.flink_runner.FlinkRunner"]))
    'flink'
    """
    return str(options.view_as(StandardOptions).runner or "").rpartition(".")[2].lower().removesuffix("runner")


def is_cluster(options: PipelineOptions) -> bool:
    """Whether the job goes to other machines, whose shuffles lie on disks and whose working directories are their own.

    What is behind a job server is not known; it is taken for a cluster.
    """
    return runner_name(options) in _CLUSTERS


def _local_default() -> dict[str, str]:
    return {
        "runner": "FnApiRunner",
        "direct_running_mode": "multi_threading" if cores() > 1 else "in_memory",
        "direct_num_workers": str(cores()),
    }
