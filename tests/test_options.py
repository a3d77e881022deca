"""Beam options and the letters of workers: the local default said out loud, and errors in the worker's own words."""

import apache_beam as beam
import pyarrow as pa
import pytest
from apache_beam.options.pipeline_options import DirectOptions, PipelineOptions, StandardOptions

from beam_jobs import options as module
from beam_jobs.options import beam_options, cores, run_pipeline, worker_letter
from schemas.errors import UsageError, WorkError

FRAMES = 'Traceback (most recent call last):\n  File "a.py", line 1, in process\n    step(key: value)\n         ^^^^\n'


def chosen(options: PipelineOptions) -> tuple[str, str, int]:
    direct = options.view_as(DirectOptions)
    return options.view_as(StandardOptions).runner, direct.direct_running_mode, direct.direct_num_workers


@pytest.mark.parametrize(("count", "mode"), [(1, "in_memory"), (2, "multi_threading"), (64, "multi_threading")])
def test_local_default_is_a_thread_a_core(monkeypatch: pytest.MonkeyPatch, count: int, mode: str) -> None:
    """On one core there is nothing to gain from a second thread."""
    monkeypatch.setattr(module, "cores", lambda: count)
    assert chosen(beam_options([])) == ("FnApiRunner", mode, count)


@pytest.mark.parametrize("arguments", [["--direct_num_workers=3"], ["--direct_num_workers", "3"]])
def test_option_that_is_given_replaces_its_default_alone(monkeypatch: pytest.MonkeyPatch, arguments: list[str]) -> None:
    """In either way of writing it."""
    monkeypatch.setattr(module, "cores", lambda: 8)
    assert chosen(beam_options(arguments)) == ("FnApiRunner", "multi_threading", 3)


@pytest.mark.parametrize("arguments", [["--runner=FlinkRunner"], ["--runner", "FlinkRunner"]])
def test_named_runner_gets_no_local_default(arguments: list[str]) -> None:
    """What Beam itself says holds then."""
    plain = PipelineOptions(["--runner=FlinkRunner"])
    assert chosen(beam_options(arguments)) == chosen(plain)


def test_unknown_option_is_refused_by_name() -> None:
    """A slip must not be taken for a default."""
    with pytest.raises(UsageError) as refusal:
        beam_options(["--direct_num_worker_count=3"])
    assert str(refusal.value) == (
        "Beam knows no option `--direct_num_worker_count`. Options after `--` go to Apache Beam."
    )


def test_option_that_only_a_service_knows_passes_to_a_named_runner() -> None:
    """Flink and Dataflow declare options of their own."""
    options = beam_options(["--runner=FlinkRunner", "--flink_something=1"])
    assert options.view_as(StandardOptions).runner == "FlinkRunner"


def test_value_of_a_wrong_type_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    """Beam's parser has said which; it does not end the process."""
    with pytest.raises(UsageError, match="cannot be read; see above"):
        beam_options(["--direct_num_workers=many"])
    assert "invalid int value: 'many'" in capsys.readouterr().err


def test_cores_are_those_that_the_process_may_use() -> None:
    """At least one."""
    assert cores() >= 1


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


class _Fail(beam.DoFn):  # type: ignore[misc]
    """Fails like a step whose disk is full, or in a way that no step foresees."""

    def __init__(self, *, foreseen: bool):
        self.foreseen = foreseen

    def process(self, element: int) -> None:
        try:
            raise pa.ArrowInvalid("bad\nDetail: worse")
        except pa.ArrowInvalid as error:
            if self.foreseen:
                raise WorkError(f"Part {element} failed: {error}") from error
            raise


@pytest.mark.parametrize(
    ("foreseen", "letter"),
    [
        (True, "Part 7 failed: bad\nDetail: worse"),
        (False, "Step Fail failed with ArrowInvalid: bad\nDetail: worse"),
    ],
)
def test_failed_step_of_a_real_pipeline_is_a_work_error_with_its_letter(foreseen: bool, letter: str) -> None:
    """As the local runner reports it."""
    with pytest.raises(WorkError) as failure:
        run_pipeline(
            beam_options(["--direct_num_workers=1"]),
            lambda root: root | beam.Create([7]) | "Fail" >> beam.ParDo(_Fail(foreseen=foreseen)),
        )
    assert str(failure.value) == letter


def test_pipeline_that_cannot_be_built_fails_as_it_is() -> None:
    """A fault in building is ours, and is not dressed up as one of the work."""
    with pytest.raises(ZeroDivisionError):
        run_pipeline(beam_options([]), lambda root: 1 / 0)


def test_runner_that_fails_without_a_letter_is_quoted(monkeypatch: pytest.MonkeyPatch) -> None:
    """For instance when a cluster cannot be reached."""

    def refuse(_: beam.Pipeline) -> None:
        raise ConnectionError("no route to host")

    monkeypatch.setattr(beam.Pipeline, "run", refuse)
    with pytest.raises(WorkError, match=r"^The runner failed: no route to host$"):
        run_pipeline(beam_options([]), lambda root: None)
