"""What is written to stderr: lines for people, or one JSON object a line, whoever writes it."""

import datetime
import json
import logging
import os
import re
import subprocess
import sys
import warnings
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from click.core import ParameterSource
from hypothesis import given
from hypothesis import strategies as st

from beam_jobs.cli import curate_command, options_of
from beam_jobs.logs import COMMAND, log_to_stderr, tell
from schemas.names import NAMESPACE
from tests.jobs import run, write_jsonl, write_repeats_and_broken_lines

CORE = {"time", "level", "logger", "message"}
PATIENCE_SECONDS = 60
"""A process that takes longer hangs."""


def objects(text: str) -> list[dict[str, Any]]:
    """Every line of what was written to stderr, each of which must be an object with time, level, logger, message."""
    found = [json.loads(line) for line in text.splitlines()]
    for one in found:
        assert one.keys() >= CORE
        assert datetime.datetime.fromisoformat(one["time"]).utcoffset() == datetime.timedelta(0)
        assert one["level"] in ("DEBUG", "INFO", "WARNING", "ERROR")
    return found


def fields(one: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in one.items() if name not in CORE}


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return write_repeats_and_broken_lines(tmp_path)


def command(*words: object) -> list[str]:
    """The command for a process of its own, with one worker thread."""
    job = [sys.executable, "-m", "beam_jobs", *map(str, words), "--log-format", "json"]
    return [*job, "--", "--direct_num_workers=1"]


# What is told


def test_text_is_what_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    """Fields are for machines."""
    with log_to_stderr(as_json=False, verbose=False):
        tell(f"{COMMAND}100% wrong", {"exit_code": 2}, logging.ERROR)
    assert capsys.readouterr() == ("", "cleartitle: 100% wrong\n")


def test_object_has_the_fields_and_not_the_name_of_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    """A letter of several lines is one object on one line."""
    with log_to_stderr(as_json=True, verbose=False):
        tell(f"{COMMAND}one\ntwo: é", {"exit_code": 2, "path": Path("x")}, logging.ERROR)
    (said,) = objects(capsys.readouterr().err)
    assert (said["level"], said["logger"], said["message"]) == ("ERROR", NAMESPACE, "one\ntwo: é")
    assert fields(said) == {"exit_code": 2, "path": "x"}


def log_from_all() -> None:
    logging.getLogger(f"{NAMESPACE}.measure").info("part begun", extra={"part": 3})
    logging.getLogger(f"{NAMESPACE}.measure").warning("part is slow", extra={"part": 3})
    logging.getLogger("apache_beam.x").info("told by Beam")
    logging.getLogger("apache_beam.x").error("failed in Beam")


@pytest.mark.parametrize("as_json", [False, True], ids=["text", "json"])
def test_verbose_says_which_records_are_written(capsys: pytest.CaptureFixture[str], as_json: bool) -> None:
    """Without it the warnings of our stages alone; with it all. The format has no say in that."""
    said = []
    for verbose in (False, True):
        with log_to_stderr(as_json=as_json, verbose=verbose):
            log_from_all()
        said.append(capsys.readouterr().err)
    if as_json:
        quiet, verbose_lines = ([one["message"] for one in objects(text)] for text in said)
        assert quiet == ["part is slow"]
        assert verbose_lines == ["part begun", "part is slow", "told by Beam", "failed in Beam"]
        assert [fields(one) for one in objects(said[0])] == [{"part": 3}]
    else:
        assert said[0] == "cleartitle: part is slow\n"
        assert said[1].splitlines() == [
            "cleartitle: part begun",
            "cleartitle: part is slow",
            "INFO apache_beam.x: told by Beam",
            "ERROR apache_beam.x: failed in Beam",
        ]


def test_traceback_is_a_field(capsys: pytest.CaptureFixture[str]) -> None:
    """And the message stays short."""
    with log_to_stderr(as_json=True, verbose=True):
        try:
            raise KeyError("lost")
        except KeyError as error:
            logging.getLogger("beam_jobs").info("Traceback", exc_info=error)
    (said,) = objects(capsys.readouterr().err)
    assert said["message"] == "Traceback"
    assert said["traceback"].endswith("KeyError: 'lost'")


def test_logging_is_as_before_when_the_block_ends(capsys: pytest.CaptureFixture[str]) -> None:
    """Also if it ends by an error: handlers, levels, and what hears of warnings."""
    root, ours = logging.getLogger(), logging.getLogger(NAMESPACE)
    before = list(root.handlers), root.level, ours.level, root.manager.disable, warnings.showwarning
    for as_json in (False, True):
        with pytest.raises(KeyError), log_to_stderr(as_json=as_json, verbose=True):
            raise KeyError
    assert (list(root.handlers), root.level, ours.level, root.manager.disable, warnings.showwarning) == before
    assert capsys.readouterr() == ("", "")


def test_closed_stderr_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a daemon was started without one."""
    monkeypatch.setattr(sys, "stderr", None)
    for as_json in (False, True):
        with log_to_stderr(as_json=as_json, verbose=False):
            tell("nobody hears it")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["curate", "--log-format", "json"], True),
        (["--log-format=json", "curate"], True),
        (["curate", "--nonsense", "--quiet=yes", "--log-format=json", "--output"], True),
        (["curate", "--log-format", "text", "json"], False),
        (["curate", "json", "--log-format"], False),
        ([], False),
    ],
)
def test_format_is_found_in_a_command_that_cannot_be_understood(words: list[str], expected: bool) -> None:
    """So that the letter that says why is an object too."""
    assert (options_of(words).get("--log-format") == "json") is expected


FORMS = st.sampled_from(["text", "json"])
WORDS = st.sampled_from(["--log-format=json", "--log-format", "--verbose", "--set", "--", "json", "a=b"])
OPTIONS = st.one_of(
    st.tuples(st.just("--log-format"), FORMS),
    st.tuples(FORMS.map("--log-format={}".format)),
    st.tuples(st.sampled_from(["--set", "--output", "--work"]), WORDS),
    st.tuples(st.sampled_from(["--quiet", "--verbose", "--set=--verbose", "more", "--"])),
)


@given(st.lists(OPTIONS, max_size=6))
def test_options_of_a_command_are_those_that_click_finds(options: list[tuple[str, ...]]) -> None:
    """The last format counts; the value of another option is none, nor is what comes after `--`."""
    words = ["--output", "out", "c.yaml", *chain.from_iterable(options)]
    with curate_command.make_context("curate", list(words)) as context:
        found = options_of(["curate", *words])
        assert found.get("--log-format", "text") == context.params["log_format"]
        assert found["--output"] == context.params["output"]
        assert ("--verbose" in found) is (context.get_parameter_source("verbose") is ParameterSource.COMMANDLINE)


# Whole runs


def test_every_line_of_a_run_is_an_object(config: Path, tmp_path: Path) -> None:
    """Progress, the warning of a part, the stages at the end, the alarm; the results on stdout stay words."""
    line = command("curate", config, "--output", tmp_path / "out")
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert done.stdout.rstrip().endswith(str(tmp_path / "out"))
    said = objects(done.stderr)
    progress = [one for one in said if one["logger"] == NAMESPACE and "done" in one]
    assert next(fields(one) for one in progress if one["done"] == 1) == {
        "stage": "measure",
        "done": 1,
        "parts": 1,
        "documents": 2,
        "phase": "",
    }
    (warning,) = [one for one in said if one["logger"] == "cleartitle.measure"]
    assert fields(warning) == {"stage": "measure", "part": 0, "files": ["a.jsonl"]}
    assert "3 records cannot be read" in warning["message"]
    stages = [one for one in said if "step" in one]
    assert [one["step"] for one in stages][:2] == ["measure", "weigh"]
    assert (stages[0]["rows"], stages[0]["slowest_part"]) == (2, "part 0 (a.jsonl)")
    (alarm,) = [one for one in said if "alarm" in one]
    assert (alarm["level"], alarm["alarm"], alarm["limit"]) == ("WARNING", "removal_rate", 0.1)


def test_every_line_of_a_verbose_run_is_an_object(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Beam's records, and those of each part with its files and counts."""
    assert run("measure", config, "--output", tmp_path / "m", "--verbose", "--log-format", "json") == 0
    said = objects(capsys.readouterr().err)
    assert any(one["logger"].startswith("apache_beam") for one in said)
    end = next(one for one in said if one.get("seconds") and one["logger"] == "cleartitle.measure")
    assert (end["files"], end["records"], end["rejected"]) == (["a.jsonl"], 2, 3)


def letters(text: str) -> list[tuple[str, dict[str, Any]]]:
    return [(one["message"], fields(one)) for one in objects(text) if one["level"] == "ERROR"]


def test_letter_is_an_object_with_the_exit_code(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A mistake in the config, one in the command, and work that is missing."""
    out = ["--output", tmp_path / "out", "--log-format=json"]
    assert run("curate", tmp_path / "none.yaml", *out) == 2
    said = f"{tmp_path / 'none.yaml'}: there is no such file; check the path of the config"
    assert letters(capsys.readouterr().err) == [(said, {"exit_code": 2})]
    assert run("curate", config, *out, "--nonsense") == 2
    ((said, found),) = letters(capsys.readouterr().err)
    assert (found, said.splitlines()[-1]) == ({"exit_code": 2}, "Error: No such option '--nonsense'.")
    assert run("decide", config, *out, "--measured", tmp_path / "m") == 2
    ((said, found),) = letters(capsys.readouterr().err)
    assert found == {"exit_code": 2}
    assert "Make them first: cleartitle measure" in said


def test_words_of_a_library_beside_the_letter_are_objects(config: Path, tmp_path: Path) -> None:
    """What Python's argparse prints of an option for Beam that it cannot read."""
    line = [*command("measure", config, "--output", tmp_path / "m"), "--direct_num_workers=many"]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    words = [one["message"] for one in objects(done.stderr) if one["logger"] == "stderr"]
    assert words[-1].endswith("invalid int value: 'many'")
    ((said, found),) = letters(done.stderr)
    assert (found, done.returncode) == ({"exit_code": 2}, 2)
    assert said.startswith("The Beam options after `--` cannot be read")


def test_failed_work_is_an_object_without_tracebacks(config: Path, tmp_path: Path) -> None:
    """A limit on file size stands for a full disk; what the worker prints of it is held back."""
    write_jsonl(tmp_path / "a.jsonl", [{"id": str(i), "text": os.urandom(2000).hex()} for i in range(200)])
    line = command("measure", config, "--output", tmp_path / "m")
    limited = ["bash", "-c", 'ulimit -f 100; exec "$@"', "bash", *line]
    done = subprocess.run(limited, capture_output=True, text=True, check=False)
    ((said, found),) = letters(done.stderr)
    assert (done.returncode, found) == (1, {"exit_code": 1})
    assert said.startswith("Measuring part 0 (a.jsonl) failed: ")
    assert "Traceback" not in done.stderr


OTHERS = """
import os, subprocess, sys, warnings
from beam_jobs.logs import log_to_stderr, tell
with log_to_stderr(as_json=True, verbose=False):
    tell("first")
    print("printed\\n\\nin two", file=sys.stderr)
    os.write(2, b"from C \\xff\\n")
    warnings.warn("a warning")
    subprocess.run([sys.executable, "-c", "import sys; print('of a child', file=sys.stderr)"])
    print("unfinished", end="", file=sys.stderr)
print("after", file=sys.stderr)
"""


def test_lines_that_others_write_become_objects() -> None:
    """Python, a library in C, a process that was started; after the block stderr is as it was."""
    done = subprocess.run([sys.executable, "-c", OTHERS], capture_output=True, text=True, check=True)
    *lines, last = done.stderr.splitlines()
    assert last == "after"
    said = objects("\n".join(lines))
    warned = [one["message"] for one in said if one["logger"] == "py.warnings"]
    assert len(warned) == 1
    assert re.search(r"UserWarning: a warning", warned[0])
    assert [one["message"] for one in said if one["logger"] == "stderr"] == [
        "printed",
        "in two",
        r"from C \xff",
        "of a child",
        "unfinished",
    ]
    assert [one["message"] for one in said if one["logger"] == NAMESPACE] == ["first"]


HELD = """
import os, subprocess, sys
from beam_jobs.logs import log_to_stderr
with log_to_stderr(as_json=True, verbose=False):
    child = subprocess.Popen(["cat"], stdin=subprocess.PIPE)
    print("lines\\n" * 50_000 + "last", end="", file=sys.stderr)
child.communicate()
"""


def test_last_lines_are_logged_though_a_child_still_holds_the_pipe() -> None:
    """The block ends when it ends, with all that was written until then, more than a pipe holds."""
    done = subprocess.run(
        [sys.executable, "-c", HELD], capture_output=True, text=True, check=True, timeout=PATIENCE_SECONDS
    )
    assert [one["message"] for one in objects(done.stderr)] == ["lines"] * 50_000 + ["last"]


def test_quiet_run_says_nothing(config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither progress nor the table, in either format; what goes wrong is said all the same."""
    for number, form in enumerate(("text", "json")):
        write_jsonl(tmp_path / "a.jsonl", [{"id": "1", "text": "fine"}])
        words = ["measure", config, "--output", tmp_path / str(number), "--quiet", "--log-format", form]
        assert run(*words) == 0
        assert capsys.readouterr().err == ""
        assert run(*words) == 2
        assert "--resume" in capsys.readouterr().err


def test_run_ends_with_a_table_of_its_steps(config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """On stderr; stdout has the result alone. A format that was asked for before is forgotten."""
    assert run("measure", config, "--output", tmp_path / "j", "--log-format", "json") == 0
    capsys.readouterr()
    assert run("measure", config, "--output", tmp_path / "t") == 0
    captured = capsys.readouterr()
    assert captured.out == f"{tmp_path / 't'}\n"
    *_, head, row = captured.err.splitlines()
    assert head.split() == ["step", "seconds", "parts", "rows", "read", "shuffled", "written", "slowest", "part"]
    assert row.split()[0] == "measure"
    assert row.endswith(" s, part 0 (a.jsonl)")
