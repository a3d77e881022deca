"""Letters of an engine: errors in the worker's own words, and what else ends a job."""

import pytest

from beam_jobs.runners.letters import failure_letter, worker_letter

FRAMES = 'Traceback (most recent call last):\n  File "a.py", line 1, in process\n    step(key: value)\n         ^^^^\n'


@pytest.mark.parametrize(
    ("report", "letter"),
    [
        (f"{FRAMES}schemas.errors.WorkError: part 3: full [while running 'Measure']\n", "part 3: full"),
        (f"{FRAMES}schemas.errors.BooksError: a\n  kept: 3\nb: c [while running 'Write']", "a\n  kept: 3\nb: c"),
        (f"{FRAMES}ValueError: no: good [while running 'A/B']\n\n", "Step A/B failed with ValueError: no: good"),
        (
            f"{FRAMES}pyarrow.lib.ArrowInvalid: bad\nDetail: x [while running 'A']",
            "Step A failed with ArrowInvalid: bad\nDetail: x",
        ),
        (f"{FRAMES}other.schemas.errors.WorkError: x [while running 'A']", "Step A failed with WorkError: x"),
        (f"{FRAMES}KeyError: 'x'\n", None),
        ("The service said: no [sorry]", None),
        ("", None),
    ],
    ids=["ours", "ours in lines", "foreign", "foreign in lines", "not quite ours", "no step", "no traceback", "empty"],
)
def test_letter_is_the_message_of_the_error(report: str, letter: str | None) -> None:
    """Our own errors speak for themselves; of others the step and the kind are told; else nothing is found."""
    assert worker_letter(report) == letter


def test_letter_of_nested_errors_is_the_last_one_raised() -> None:
    """The first is its cause and has no step; what Beam raised on the way repeats it."""
    report = (
        f"{FRAMES}OSError: [Errno 28] No space left\n\n"
        "The above exception was the direct cause of the following exception:\n\n"
        f"{FRAMES}schemas.errors.WorkError: part 3 failed: No space left\n\n"
        "During handling of the above exception, another exception occurred:\n\n"
        f"{FRAMES}schemas.errors.WorkError: part 3 failed: No space left\nhint: free some [while running 'M/Write']\n"
    )
    assert worker_letter(report) == "part 3 failed: No space left\nhint: free some"


def test_letter_of_two_failed_steps_is_that_of_the_last() -> None:
    """The error that was raised while another was handled is the one that ended the work."""
    report = (
        f"{FRAMES}ValueError: x [while running 'A']\n\n{FRAMES}schemas.errors.WorkError: part 3 [while running 'B']\n"
    )
    assert worker_letter(report) == "part 3"


def test_letter_is_found_before_a_traceback_of_the_runner() -> None:
    """A runner may fail in its own way after the step did."""
    report = f"{FRAMES}ValueError: x [while running 'A']\n\n{FRAMES}RuntimeError: bundle failed\n"
    assert worker_letter(report) == "Step A failed with ValueError: x"


@pytest.mark.parametrize("package", ["beam_jobs", "configs.model", "schemas.errors", "transforms.spread_parts"])
def test_worker_without_the_package_is_told_of(package: str) -> None:
    """Steps arrive pickled by name; where the name is unknown, Beam's report has no step to blame."""
    report = f"RuntimeError: SDK harness failed: {FRAMES}ModuleNotFoundError: No module named '{package}'\n"
    assert failure_letter(report) == (
        f"A worker does not have this package: it cannot import `{package}`.\n"
        "Install cleartitle, of the same version as here, in the workers' image or environment."
    )


def test_missing_module_of_somebody_else_is_quoted() -> None:
    """To install our package would not help."""
    report = f"{FRAMES}ModuleNotFoundError: No module named 'transformers'\n"
    assert failure_letter(report) == f"The runner failed: {report}"


@pytest.mark.parametrize(
    "report",
    [
        "Pipeline cleartitle-measure_1 failed in state CANCELLED: unknown error",
        "Pipeline cleartitle-measure_1 failed in state CANCELLING: unknown error",
        "Pipeline p failed in state FAILED: org.apache.flink.JobCancellationException: Job was cancelled.",
        "Dataflow pipeline failed. State: CANCELLED, Error:\nThe workflow was cancelled.",
    ],
)
def test_cancelled_job_is_told_to_go_on(report: str) -> None:
    """Somebody pressed the button on the engine's page; nothing is lost."""
    assert failure_letter(report) == (
        "The job was cancelled on the engine.\nWhat is done is kept; the same command with --resume goes on from there."
    )


@pytest.mark.parametrize(
    "report",
    [
        "Pipeline p failed in state FAILED: java.util.concurrent.TimeoutException: Timeout has occurred: 60000 ms",
        "Pipeline p failed: org.apache.flink.runtime.jobmanager.scheduler.NoResourceAvailableException: Slot request",
    ],
)
def test_job_without_slots_is_told_why(report: str) -> None:
    """Flink's own words are the first of these, as of 1.19: a machine was lost and not replaced."""
    assert failure_letter(report) == (
        "The engine had no free slots for the job: a TaskManager is lost, or other jobs hold them.\n"
        "Look at the engine's page, and free or start some. "
        "What is done is kept; the same command with --resume goes on from there."
    )


def test_letter_of_a_worker_goes_before_all_else() -> None:
    """A job is cancelled when a step fails, and that is not the news."""
    report = f"failed in state CANCELLED: {FRAMES}schemas.errors.WorkError: part 3: full [while running 'Measure']\n"
    assert failure_letter(report) == "part 3: full"


def test_failure_without_a_letter_is_quoted() -> None:
    """For instance when a cluster cannot be reached."""
    assert failure_letter("no route to host") == "The runner failed: no route to host"
