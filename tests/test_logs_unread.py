"""Logs that nobody reads, or that the disk has no room for: the run goes on, and ends as it would have ended."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.jobs import assert_books_balance, write_repeats_and_broken_lines
from tests.test_logs import PATIENCE_SECONDS, command, objects


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return write_repeats_and_broken_lines(tmp_path)


@pytest.fixture
def unread() -> Iterator[int]:
    """A pipe whose reader has gone."""
    reading, writing = os.pipe()
    os.close(reading)
    yield writing
    os.close(writing)


@pytest.fixture
def full() -> Iterator[int]:
    """A file on a full disk."""
    descriptor = os.open("/dev/full", os.O_WRONLY)
    yield descriptor
    os.close(descriptor)


def outcome(line: list[str], stderr: int) -> tuple[int, str]:
    """Exit code and stdout of a process."""
    done = subprocess.run(line, stdout=subprocess.PIPE, stderr=stderr, text=True, check=False, timeout=PATIENCE_SECONDS)
    return done.returncode, done.stdout


def test_run_goes_on_where_nobody_reads_its_log(unread: int, config: Path, tmp_path: Path) -> None:
    """It says what it says on stdout, and its work is whole."""
    out = tmp_path / "out"
    code, said = outcome(command("curate", config, "--output", out, "--verbose"), unread)
    assert (code, said.rstrip().endswith(str(out))) == (0, True)
    assert_books_balance(out)


def test_failed_run_keeps_its_exit_code_where_nobody_reads_its_log(unread: int, tmp_path: Path) -> None:
    """The letter is lost; that there is one is known by the code."""
    words = command("measure", tmp_path / "none.yaml", "--output", tmp_path / "m")
    assert outcome(words, unread) == (2, "")


NOBODY = """
import logging, os, sys
from beam_jobs.logs import log_to_stderr, tell
with log_to_stderr(as_json=True, verbose=True):
    tell("lost")
    logging.getLogger("other").warning("%d is no number", "x")
    for _ in range(100):
        os.write(2, b"from C\\n" * 1000)
print("went on")
"""


@pytest.mark.parametrize("stderr", ["unread", "full"])
def test_lines_of_others_are_taken_where_the_log_takes_none(request: pytest.FixtureRequest, stderr: str) -> None:
    """More of them than a pipe holds: who writes them must not wait for a reader that is no more."""
    assert outcome([sys.executable, "-c", NOBODY], request.getfixturevalue(stderr)) == (0, "went on\n")


GOES = """
import os, sys
from beam_jobs.logs import log_to_stderr, tell
with log_to_stderr(as_json=True, verbose=False):
    tell("first")
    sys.stdin.readline()
    for _ in range(3):
        tell("lost" * 30_000)
    os.write(2, b"from C\\n" * 20_000)
print("went on")
"""


def test_run_goes_on_when_the_reader_of_its_log_goes() -> None:
    """As `head` does: what was read until then are whole objects."""
    with subprocess.Popen(
        [sys.executable, "-c", GOES], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        (said,) = objects(process.stderr.readline())
        process.stderr.close()
        process.stderr = None
        try:
            words, _ = process.communicate("go on\n", timeout=PATIENCE_SECONDS)
        finally:
            process.kill()
    assert (said["message"], words, process.returncode) == ("first", "went on\n", 0)
