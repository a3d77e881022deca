"""What a user reads whose run on Dataflow cannot begin, or ends badly."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.dataflow_runs import BUCKET, curate, options, reach
from tests.dataflow_stub import Cloud, serve_cloud
from tests.jobs import letter, write_config

OUTPUT = f"{BUCKET}/out"
FRAMES = 'Traceback (most recent call last):\n  File "a.py", line 1, in process\n'


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    """A cloud with a crawl of one page, whose jobs are done without having done anything."""
    with serve_cloud("bucket") as served:
        reach(monkeypatch, served)
        served.buckets["bucket"]["crawl/a.jsonl"] = b'{"text": "a page"}\n'
        yield served


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return write_config(tmp_path / "config.yaml", {"crawl": {"name": "t", "files": [f"{BUCKET}/crawl/*"]}})


@pytest.mark.parametrize("missing", ["project", "region", "temp_location"])
def test_missing_option_is_named(missing: str, cloud: Cloud, config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Before Beam makes a bucket of its own, or asks `gcloud` for a region."""
    assert curate(config, OUTPUT, *options(cloud, without=missing)) == 2
    assert letter(capsys) == f"Dataflow needs --{missing} after `--`; docs/dataflow.md says what for."
    assert cloud.asked == []


def test_missing_credentials_are_told_with_the_way_to_get_them(
    cloud: Cloud, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Beam would go on without any, to be refused by each bucket in turn."""
    given = [option for option in options(cloud) if option != "--no_auth"]
    assert curate(config, OUTPUT, *given) == 2
    assert letter(capsys) == (
        "There are no Google credentials on this machine.\n"
        "Run `gcloud auth application-default login`, or let GOOGLE_APPLICATION_CREDENTIALS name a key file."
    )
    assert cloud.asked == []


@pytest.mark.parametrize("name", ["temp_location", "staging_location"])
def test_bucket_that_is_not_there_is_named_before_any_work(
    name: str, cloud: Cloud, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Beam would try to write to it for ten minutes."""
    assert curate(config, OUTPUT, *options(cloud, f"--{name}=gs://other/tmp")) == 2
    assert letter(capsys) == (
        f"There is no bucket gs://other, which --{name} names.\n"
        "Make it: gcloud storage buckets create gs://other --location=europe-west4"
    )
    assert cloud.jobs == []


def test_output_in_a_bucket_that_is_not_there_is_told(
    cloud: Cloud, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the service's own words."""
    assert curate(config, "gs://other/out", *options(cloud)) != 0
    assert "gs://other/out" in (told := letter(capsys))
    assert "The specified bucket does not exist." in told
    assert cloud.jobs == []


@pytest.mark.parametrize("place", ["output", "work", "crawl"])
def test_place_on_this_machine_is_refused(
    place: str, cloud: Cloud, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Workers would each write to a disk of their own, which goes with them."""
    (tmp_path / "a.jsonl").write_text('{"text": "a page"}\n')
    files = str(tmp_path / "a.jsonl") if place == "crawl" else f"{BUCKET}/crawl/*"
    config = write_config(tmp_path / "config.yaml", {"crawl": {"name": "t", "files": [files]}})
    output = str(tmp_path / "out") if place == "output" else OUTPUT
    work = [f"--work={tmp_path / 'work'}"] if place == "work" else []
    assert curate(config, output, *options(cloud), command=work) == 2
    told = letter(capsys)
    assert told.startswith("Workers of Dataflow cannot see ")
    assert str(tmp_path) in told
    assert cloud.jobs == []
    assert not (tmp_path / "out").exists()


def test_job_that_wrote_nothing_is_told_by_the_first_missing_part(
    cloud: Cloud, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The service says that it is done, and no marker is where this command looks."""
    assert curate(config, OUTPUT, *options(cloud)) != 0
    assert letter(capsys).startswith(f"The job is done, but {OUTPUT}/_work/measured lacks 1 of its 1 parts, such as 0.")
    assert len(cloud.jobs) == 1


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            f"{FRAMES}schemas.errors.WorkError: part 3: full [while running 'Measure/Measure-ptransform-33']",
            "part 3: full",
        ),
        (
            f"{FRAMES}ModuleNotFoundError: No module named 'transforms'",
            (
                "A worker does not have this package: it cannot import `transforms`.\n"
                "Install cleartitle, of the same version as here, in the workers' image or environment."
            ),
        ),
    ],
    ids=["a failed part", "no package"],
)
def test_failed_job_is_told_in_the_words_of_its_worker(
    said: str, told: str, cloud: Cloud, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The service hands on a traceback."""
    cloud.state = "JOB_STATE_FAILED"
    cloud.messages = [
        {"id": "1", "time": "2026-01-01T00:00:00Z", "messageText": said, "messageImportance": "JOB_MESSAGE_ERROR"}
    ]
    assert curate(config, OUTPUT, *options(cloud)) == 1
    assert letter(capsys) == told


def test_job_cancelled_on_the_page_of_the_service_can_be_resumed(
    cloud: Cloud, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The letter says how."""
    cloud.state = "JOB_STATE_CANCELLED"
    assert curate(config, OUTPUT, *options(cloud)) == 1
    assert letter(capsys) == (
        "The job was cancelled on the engine.\nWhat is done is kept; the same command with --resume goes on from there."
    )


def test_missing_extra_is_told_with_what_to_install(tmp_path: Path) -> None:
    """Google's libraries are an extra of the package."""
    config = write_config(tmp_path / "config.yaml", {"crawl": {"name": "t", "files": [f"{BUCKET}/crawl/*"]}})
    script = (
        "import sys\n"
        "for name in ('google.auth', 'google.cloud', 'google.api_core', 'apache_beam.io.gcp.gcsio'):\n"
        "    sys.modules[name] = None\n"
        "from beam_jobs import cli; cli.main()"
    )
    given = [
        "--runner=DataflowRunner",
        "--project=some-project",
        "--region=europe-west4",
        f"--temp_location={BUCKET}/t",
    ]
    command = [sys.executable, "-c", script, "curate", str(config), "--output", OUTPUT, "--", *given]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stderr == "cleartitle: Dataflow needs Google's libraries: pip install 'cleartitle[gcp]'.\n"
    assert done.returncode == 2
