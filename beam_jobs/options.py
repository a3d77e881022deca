"""Beam options: what comes after `--` on the command line, and the local default said out loud."""

import io
import logging
import os
import re
from collections.abc import Callable, Sequence
from contextlib import nullcontext, redirect_stderr

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions

from schemas.errors import CleartitleError, UsageError, WorkError

_WORKER_ERROR = re.compile(r"^([\w.]*?)(\w+): (.*) \[while running '([^']*)'\]", re.DOTALL | re.MULTILINE)


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def beam_options(arguments: Sequence[str]) -> PipelineOptions:
    """Options from the arguments after `--`, completed to the local default where no runner is named.

    The local runner is the in-process FnApiRunner with a thread a core: kernels and Arrow release the interpreter
    lock. Without a name Beam would first try to download a Prism binary. Raises UsageError for an unknown option.
    """
    given = {argument.split("=")[0].lstrip("-") for argument in arguments}
    default = {
        "runner": "FnApiRunner",
        "direct_running_mode": "multi_threading" if cores() > 1 else "in_memory",
        "direct_num_workers": str(cores()),
    }
    local = "runner" not in given
    completed = [f"--{name}={value}" for name, value in default.items() if name not in given] if local else []
    try:
        options = PipelineOptions([*completed, *arguments])
        known = options.get_all_options()
        unknown = options.get_all_options(retain_unknown_options=True).keys() - known.keys()
    except SystemExit as error:  # argparse, on a value of the wrong type; it has printed which
        raise UsageError("The Beam options after `--` cannot be read; see above.") from error
    try:
        beam.Pipeline(options=options)
    except ValueError as error:
        raise UsageError(f"Beam refuses its options: {str(error).splitlines()[0]}") from error
    if local and unknown:  # another runner may know options that only its own service declares
        raise UsageError(f"Beam knows no option `--{min(unknown)}`. Options after `--` go to Apache Beam.")
    return options


def run_pipeline(options: PipelineOptions, build: Callable[[beam.Pipeline], object]) -> None:
    """Build a pipeline, run it and wait. Raises WorkError with the worker's own letter if a step failed."""
    pipeline = beam.Pipeline(options=options)
    build(pipeline)
    # A worker in this process prints the traceback of a failed step, several screens of it, past the log.
    quiet = redirect_stderr(io.StringIO()) if logging.root.manager.disable else nullcontext()
    try:
        with quiet:
            pipeline.run().wait_until_finish()
    except CleartitleError:
        raise
    except Exception as error:  # each runner has its own way to report a failed step
        raise WorkError(worker_letter(str(error)) or f"The runner failed: {error}") from error


def worker_letter(report: str) -> str | None:
    """The message of the error in a worker's report, which a runner hands on as a traceback in text; None if none is.

    >>> worker_letter("Traceback …\\nschemas.errors.WorkError: part 3: disk full [while running 'Measure']\\n")
    'part 3: disk full'
    >>> worker_letter("Traceback …\\nKeyError: 'x' [while running 'Measure']")
    "Step Measure failed with KeyError: 'x'"
    """
    # In a traceback the first line that is not indented is the error; what follows may be more lines of its message.
    for traceback in reversed(report.split("Traceback (most recent call last):")):
        if found := _WORKER_ERROR.search(traceback):
            module, kind, message, step = found.groups()
            return message if module == "schemas.errors." else f"Step {step} failed with {kind}: {message}"
    return None
