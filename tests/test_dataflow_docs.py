"""docs/dataflow.md: commands that parse, options that Beam knows, sums that add up."""

import doctest
import re
import shlex
from pathlib import Path

import apache_beam
import pytest
from apache_beam.options.pipeline_options import DebugOptions, PipelineOptions

from beam_jobs import cli
from tests.dataflow_runs import ROOT

DOCUMENT = ROOT / "docs" / "dataflow.md"
TEXT = DOCUMENT.read_text(encoding="utf-8")
BLOCKS = re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL)
LINES = [shlex.split(line) for block in BLOCKS for line in block.replace("\\\n", " ").splitlines()]
RUNS = [line for line in LINES if line[0] == "cleartitle"]


def beam_of(line: list[str]) -> list[str]:
    return line[line.index("--") + 1 :]


def named_options() -> list[str]:
    """Options that stand in the tables and the text, as `--name`."""
    named = {name for name in re.findall(r"`--([a-z_]+)", TEXT) if "_" in name}
    return sorted(named)


def unknown(arguments: list[str]) -> set[str]:
    """Options among the arguments that Beam does not know."""
    options = PipelineOptions(arguments)
    return set(options.get_all_options(retain_unknown_options=True)) - set(options.get_all_options())


@pytest.mark.parametrize("line", RUNS, ids=lambda line: " ".join(line[:3]))
def test_command_parses_with_options_that_beam_knows(line: list[str]) -> None:
    """All of ours before the dashes, all of Beam's after them."""
    command = cli.cli.commands[line[1]]
    context = command.make_context(line[1], line[2:])
    assert list(context.params["beam"]) == beam_of(line)
    assert unknown(beam_of(line)) == set()


def test_options_in_the_text_are_known_to_beam() -> None:
    """Also those that no command uses."""
    assert len(named_options()) >= 10
    assert set(named_options()) <= set(PipelineOptions().get_all_options())


def test_experiments_stand_in_the_source_of_beam() -> None:
    """An experiment that nobody reads is silently ignored."""
    named = {e for line in RUNS for e in PipelineOptions(beam_of(line)).view_as(DebugOptions).experiments or []}
    runners = Path(apache_beam.__file__).parent / "runners"
    sources = (runners / "portability" / "stager.py", runners / "dataflow" / "dataflow_runner.py")
    read = "".join(source.read_text(encoding="utf-8") for source in sources)
    assert named == {"disable_logging_submission_environment"}
    assert all(f"'{name}'" in read for name in (*named, "use_runner_v2"))


def test_image_is_that_of_the_beam_that_is_locked() -> None:
    """Another Beam on the worker would end the job."""
    (version,) = re.findall(
        r"^apache-beam==(.+)$", (ROOT / "constraints.txt").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert f"sdk:{version}\n" in TEXT


def test_costs_add_up() -> None:
    """The sums run, and come to what stands below them."""
    found = doctest.testfile(str(DOCUMENT), module_relative=False)
    assert (found.failed, found.attempted > 10) == (0, True)
