"""Running the command against the Dataflow and the Cloud Storage of `dataflow_stub`, and reading what it sent."""

import shutil
import time
from collections.abc import Sequence
from functools import cache, partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import pytest
from apache_beam.internal.gcp.auth import _Credentials
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.portability.api import beam_runner_api_pb2
from apache_beam.runners.dataflow import dataflow_runner
from apache_beam.runners.portability.fn_api_runner.fn_runner import FnApiRunner
from apache_beam.runners.portability.stager import Stager
from apache_beam.transforms import environments

from beam_jobs import cli
from tests.dataflow_stub import Cloud

ROOT: Final = Path(__file__).resolve().parents[1]
BUCKET: Final = "gs://bucket"
POLL_SECONDS: Final = 0.002
"""Beam looks at a job every five seconds, which is too long for one that is done at once."""


def anonymous(patch: pytest.MonkeyPatch) -> None:
    """Let Google's libraries find no credentials, without a search on the network."""
    patch.setattr(_Credentials, "_credentials_init", True)
    patch.setattr(_Credentials, "_credentials", None)


def reach(patch: pytest.MonkeyPatch, cloud: Cloud) -> None:
    """Point Beam to the stub's Cloud Storage, and let it poll jobs without waiting."""
    patch.setenv("STORAGE_EMULATOR_HOST", cloud.address)
    anonymous(patch)
    clock = SimpleNamespace(time=time.time, sleep=lambda _: time.sleep(POLL_SECONDS))
    patch.setattr(dataflow_runner, "time", clock)


def options(cloud: Cloud, *more: str, without: str = "") -> list[str]:
    """What comes after `--`: docs/dataflow.md's options, and those that lead to the stub; `without` one of them."""
    named = {
        "runner": "DataflowRunner",
        "project": "some-project",
        "region": "europe-west4",
        "temp_location": f"{BUCKET}/tmp",
        "experiments": "disable_logging_submission_environment",
        "dataflow_endpoint": cloud.address,
    }
    return [f"--{name}={value}" for name, value in named.items() if name != without] + ["--no_auth", *more]


def curate(config: Path, output: str, *beam: str, command: Sequence[str] = ()) -> int:
    """Exit code of the command with those options of its own and of Beam."""
    return cli.run(["curate", str(config), "--output", output, "--quiet", *command, "--", *beam])


def sdk_options(job: dict[str, Any]) -> dict[str, Any]:
    """The pipeline options that the service hands to workers."""
    return dict(job["environment"]["sdkPipelineOptions"]["options"])


def pipeline_of(cloud: Cloud, job: dict[str, Any]) -> beam_runner_api_pb2.Pipeline:
    """The pipeline of a job, as it lies in the bucket."""
    return beam_runner_api_pb2.Pipeline.FromString(cloud.read(sdk_options(job)["pipelineUrl"]))


def execute(cloud: Cloud, job: dict[str, Any]) -> None:
    """Run the pipeline that was sent, with its steps in this process in place of a worker's container."""
    pipeline = pipeline_of(cloud, job)
    here = environments.EmbeddedPythonEnvironment.default().to_runner_api(None)
    for name in pipeline.components.environments:
        pipeline.components.environments[name].CopyFrom(here)
    FnApiRunner().run_via_runner_api(pipeline, PipelineOptions()).wait_until_finish()


def copy_checkout(place: Path) -> Path:
    """A copy of what a clone holds, so that building a package leaves nothing in this one."""
    left_out = (".*", "build", "data", "dataset", "dist", "*.egg-info", "__pycache__")
    shutil.copytree(ROOT, place, ignore=shutil.ignore_patterns(*left_out))
    return place


def build_once(patch: pytest.MonkeyPatch, place: Path) -> None:
    """Let Beam build the package of `--setup_file` once, not for each job."""
    build = cache(partial(Stager._build_setup_package, temp_dir=str(place)))
    patch.setattr(Stager, "_build_setup_package", staticmethod(lambda setup_file, *_: build(setup_file)))
