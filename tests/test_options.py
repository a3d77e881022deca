"""Beam options: the local default said out loud, and slips refused by name."""

import pytest
from apache_beam.options.pipeline_options import DirectOptions, PipelineOptions, StandardOptions

from beam_jobs.runners import options as module
from beam_jobs.runners.options import beam_options, cores, runner_name
from schemas.errors import UsageError


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


@pytest.mark.parametrize(
    ("written", "name"),
    [("FlinkRunner", "flink"), ("flink", "flink"), ("a.b.PrismRunner", "prism"), ("FnApiRunner", "fnapi")],
)
def test_runner_has_one_name_however_it_is_written(written: str, name: str) -> None:
    """Beam takes a class, its path, or the word alone."""
    assert runner_name(PipelineOptions([f"--runner={written}"])) == name


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
