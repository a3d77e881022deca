"""What a user's command sends to Dataflow, and that running it there gives the bytes of a local run.

The command talks to a Cloud Storage and a Dataflow service on loopback; that service runs the pipelines it was sent.
"""

import base64
import bz2
import io
import json
import re
import sys
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.portability.api import beam_runner_api_pb2 as api

from tests import dataflow_runs as runs
from tests.dataflow_runs import BUCKET, ROOT, curate, pipeline_of, sdk_options
from tests.dataflow_stub import Cloud, serve_cloud
from tests.jobs import write_config
from tests.test_transforms_contract import COMPILED, MADE
from transforms.measure.measure_parts import MeasureParts
from transforms.spread_parts import SpreadParts

GIVEN = ("--setup_file=./setup.py", "--num_workers=3", "--machine_type=n2-standard-8", "--disk_size_gb=100")
STEPS = ("measure", "weigh", "pair-0", "connect", "judge-0", "settle", "survey", "write", "index")
SPREAD = (
    "SpreadParts",
    "SpreadParts/CheckWorker",
    "SpreadParts/ListParts",
    "SpreadParts/ListRuns",
    "SpreadParts/ListRuns/FlatMap(<lambda at core.py>)",
    "SpreadParts/ListRuns/Impulse",
    "SpreadParts/ListRuns/Map(decode)",
    "SpreadParts/SpreadParts",
)
NAMES = {
    "measure": ("Measure", "Measure/Measure"),
    "weigh": ("Weigh", "Weigh/Weigh"),
    "pair": ("PairCandidates", "PairCandidates/GroupKeys", "PairCandidates/ReadKeys", "PairCandidates/WriteEdges"),
    "connect": ("Connect", "Connect/Connect"),
    "judge": (
        "MarkDuplicates",
        "MarkDuplicates/GatherMembers",
        "MarkDuplicates/GroupComponents",
        "MarkDuplicates/GroupParts",
        "MarkDuplicates/JudgeMembers",
        "MarkDuplicates/WriteVerdicts",
    ),
    "settle": ("Settle", "Settle/Settle"),
    "survey": ("Count", "Count/CountPart", "Count/GroupSources", "Count/RankSources"),
    "write": ("Write", "Write/Write"),
    "index": ("Merge", "Merge/Merge"),
}
"""The steps of each pipeline by name, below those that spread parts; the service's page shows them."""


@dataclass
class Sent:
    """What one command sent: its exit code, its jobs by step, and the cloud that it left behind."""

    code: int
    cloud: Cloud
    steps: dict[str, dict[str, Any]]
    labels: list[tuple[str, ...]]
    """Names of the steps of the pipelines that a local run of the same config built, in turn."""

    def pipelines(self) -> dict[str, api.Pipeline]:
        return {step: pipeline_of(self.cloud, job) for step, job in self.steps.items()}


def crawl(seed: int, documents: int) -> bytes:
    """Pages of 80 words, every fifth of them twice with other last words, and a line that is no record."""
    rows = []
    for page in range(documents):
        words = [f"w{(seed + page) * (place + 3) % 997}" for place in range(80)]
        rows.append({"text": " ".join(words), "url": f"https://a{page % 7}.example/{page}"})
        if page % 5 == 0:
            rows.append({"text": " ".join([*words[:-2], "x", "y"]), "url": f"https://b.example/{page}"})
    return "".join(json.dumps(row) + "\n" for row in rows).encode() + b"{\n"


def config_of(place: Path, name: str, **keys: Any) -> Path:
    return write_config(place / f"{name}.yaml", {"crawl": {"name": "t", "files": [f"{BUCKET}/{name}/*"]}, **keys})


def labels_of(pipeline: api.Pipeline) -> tuple[str, ...]:
    """Names of all steps, without Beam's line numbers and the one that stands there without doing anything."""
    names = (step.unique_name for step in pipeline.components.transforms.values())
    ours = (name for name in names if not name.startswith("ref_") and not name.endswith("/MaybeReshuffle"))
    return tuple(sorted(re.sub(r"core\.py:\d+", "core.py", name) for name in ours))


def curate_locally(patch: pytest.MonkeyPatch, config: Path, output: str) -> tuple[int, list[tuple[str, ...]]]:
    """Exit code, and the names of the steps of every pipeline."""
    built: list[tuple[str, ...]] = []
    run = beam.Pipeline.run

    def note(pipeline: beam.Pipeline, *arguments: Any) -> Any:
        built.append(labels_of(pipeline.to_runner_api()))
        return run(pipeline, *arguments)

    with patch.context() as inner:
        inner.setattr(beam.Pipeline, "run", note)
        return curate(config, output, "--direct_num_workers=1", "--direct_running_mode=in_memory"), built


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sent]:
    """The same config on Dataflow and on this machine, from a clone, with two parts."""
    place = tmp_path_factory.mktemp("sent")
    (place / "block.txt").write_text("a3.example\n")
    with pytest.MonkeyPatch.context() as patch, serve_cloud("bucket") as cloud:
        runs.reach(patch, cloud)
        runs.build_once(patch, place)
        patch.chdir(runs.copy_checkout(place / "clone"))
        cloud.buckets["bucket"] |= {"crawl/a.jsonl": crawl(1, 150), "crawl/b.jsonl": crawl(500, 20)}
        keys = {"plan": {"part_size": 64 << 10}}
        lists = {"blocklists": [{"name": "block", "path": str(place / "block.txt"), "category": "spam"}]}
        config = config_of(place, "crawl", **keys, sources=lists)
        cloud.execute = lambda job: runs.execute(cloud, job)
        code = curate(config, f"{BUCKET}/out", *runs.options(cloud, *GIVEN))
        jobs = {job["name"].removeprefix("cleartitle-").rpartition("-")[0]: job for job in cloud.jobs}
        local, labels = curate_locally(patch, config, f"{BUCKET}/local")
        yield Sent(max(code, local), cloud, jobs, labels)


def test_dataset_of_dataflow_is_that_of_a_local_run(sent: Sent) -> None:
    """Every file but the manifest, which says when and by whom; and nothing else is left there."""
    assert sent.code == 0
    there, here = (sent.cloud.listed(f"{BUCKET}/{name}/") for name in ("out", "local"))
    manifests = [json.loads(files.pop("manifest.json")) for files in (there, here)]
    assert there == here
    assert manifests[0]["counts"] == manifests[1]["counts"]
    assert manifests[0]["counts"]["dropped_by"].keys() >= {"near_duplicate", "blocklist"}


def test_jobs_are_named_by_step_and_build(sent: Sent) -> None:
    """One after the other, so that the page of the service tells how far a run is."""
    build = json.loads(sent.cloud.read(f"{BUCKET}/out/manifest.json"))["build_id"][:8]
    names = [job["name"] for job in sent.cloud.jobs]
    assert names == [f"cleartitle-{step}-{build}" for step in sent.steps]
    assert tuple(sent.steps) == STEPS


def test_step_names_are_those_of_every_build(sent: Sent) -> None:
    """Of another input, in another number of passes, locally: a page, a log filter or an alarm may count on them."""
    expected = {step: tuple(sorted((*SPREAD, *NAMES[re.sub(r"-\d+$", "", step)]))) for step in sent.steps}
    assert {step: labels_of(pipeline) for step, pipeline in sent.pipelines().items()} == expected
    assert set(sent.labels) == set(expected.values())


def test_options_are_sent_as_given(sent: Sent) -> None:
    """To the service for its workers, and to the workers themselves."""
    for job in sent.steps.values():
        pool = job["environment"]["workerPools"][0]
        assert (pool["numWorkers"], pool["machineType"], pool["diskSizeGb"]) == (3, "n2-standard-8", 100)
        assert (job["projectId"], job["location"]) == ("some-project", "europe-west4")
        given = sdk_options(job)
        assert (given["setup_file"], given["num_workers"], given["runner"]) == ("./setup.py", 3, "DataflowRunner")
        assert given["temp_location"].startswith(f"{BUCKET}/tmp/{job['name']}.")
        assert given["streaming"] is False


def test_worker_image_is_that_of_this_beam_and_python(sent: Sent) -> None:
    """Workers that map lists and share a machine by processes, one a core."""
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    for job in sent.steps.values():
        (image,) = job["environment"]["workerPools"][0]["sdkHarnessContainerImages"]
        assert image["containerImage"].endswith(f"/beam_python{python}_sdk:{beam.__version__}")
        assert image["useSingleCorePerContainer"] is True
        assert "beam:protocol:sibling_workers:v1" in image["capabilities"]


def test_package_is_staged_and_no_main_session(sent: Sent) -> None:
    """Workers install our sdist; nothing of the process that sent the job is pickled whole."""
    for job in sent.steps.values():
        (environment,) = pipeline_of(sent.cloud, job).components.environments.values()
        roles = [api.ArtifactStagingToRolePayload.FromString(d.role_payload) for d in environment.dependencies]
        assert [role.staged_name for role in roles] == ["workflow.tar.gz"]
        (url,) = [api.ArtifactUrlPayload.FromString(d.type_payload).url for d in environment.dependencies]
        with tarfile.open(fileobj=io.BytesIO(sent.cloud.read(url))) as archive:
            names = {name.partition("/")[2] for name in archive.getnames()}
        assert {"setup.py", "beam_jobs/cli.py", "configs/presets/cautious.yaml"} <= names
        assert not sdk_options(job)["save_main_session"]


def test_staging_place_holds_pipeline_and_package_alone(sent: Sent) -> None:
    """Nothing else of this machine goes up, such as what is installed on it."""
    staged = {name.partition("/")[2] for name in sent.cloud.listed(f"{BUCKET}/tmp/")}
    assert staged == {"pipeline.pb", "workflow.tar.gz"}


def test_coders_are_those_that_the_service_knows(sent: Sent) -> None:
    """So that it can tell keys from values; none is pickled Python."""
    for pipeline in sent.pipelines().values():
        coders = pipeline.components.coders
        assert {coder.spec.urn for coder in coders.values()} <= COMPILED
        assert {pcoll.coder_id for pcoll in pipeline.components.pcollections.values()} <= coders.keys()


def test_nothing_of_this_machine_is_sent(sent: Sent) -> None:
    """No path of the user's disk, in a step or an option; Beam's own steps name Beam's source."""
    here = [str(path).encode() for path in (Path.cwd(), ROOT, Path.home())]
    for job in sent.steps.values():
        pipeline = pipeline_of(sent.cloud, job)
        contents = [json.dumps(job).encode(), pipeline.SerializeToString(), *map(_unpacked, _steps(pipeline))]
        assert not [path for path in here for content in contents if path in content]


def _steps(pipeline: api.Pipeline) -> list[bytes]:
    """The pickled functions of our own steps."""
    steps = [s for s in pipeline.components.transforms.values() if s.spec.urn == "beam:transform:pardo:v1"]
    ours = [step for step in steps if not step.unique_name.startswith("SpreadParts/ListRuns")]
    return [api.ParDoPayload.FromString(step.spec.payload).do_fn.payload for step in ours]


def _unpacked(step: bytes) -> bytes:
    return bz2.decompress(base64.b64decode(step))


def proto_of(numbers: range) -> bytes:
    pipeline = beam.Pipeline(options=PipelineOptions(["--runner=FnApiRunner"]))
    pipeline | SpreadParts(numbers) | "Measure" >> MADE[MeasureParts]()
    return bytes(pipeline.to_runner_api().SerializeToString())


def test_pipeline_of_a_million_parts_is_no_larger() -> None:
    """The plan lies beside the measured store; what is sent names runs of parts."""
    assert len(proto_of(range(1_000_000))) - len(proto_of(range(10))) < 100


def test_pipeline_of_scattered_parts_stays_within_the_limits_of_the_service() -> None:
    """A run that resumes has runs of parts: with a million of them in the worst order, 10 MB would not be reached."""
    few, many = (len(proto_of(range(0, 2 * count, 2))) for count in (1_000, 11_000))
    assert (many - few) / 10_000 * 500_000 < 10 << 20
