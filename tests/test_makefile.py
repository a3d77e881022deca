"""The newcomer's commands, as far as they can be tried without installing anything."""

import os
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

TOP = Path(__file__).resolve().parents[1]
TESTS = ["test", "test-flink", "test-prism"]
TARGETS = [
    "help",
    "setup",
    *TESTS,
    "flink",
    "demo",
    "bench",
    "detectors",
    "scale",
    "lineage",
    "peers",
    "docs",
    "lock",
    "clean",
]


def run(directory: Path, *command: str) -> subprocess.CompletedProcess[str]:
    # A make that runs inside `make test` would take over its flags and print the directories that it enters.
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    return subprocess.run(command, cwd=directory, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A directory with what `make` itself reads, and no .venv."""
    for name in ("Makefile", "setup.py", "constraints.txt"):
        shutil.copy(TOP / name, tmp_path)
    return tmp_path


def python_of_version(directory: Path, version: str) -> Path:
    """A program that answers like a Python too old: it states its version and fails at any code."""
    program = directory / "python-old"
    program.write_text(f'#!/bin/sh\nif [ "$1" = --version ]; then echo "Python {version}"; else exit 1; fi\n')
    program.chmod(0o755)
    return program


def test_make_alone_lists_every_target_with_one_line(checkout: Path) -> None:
    """`make` is `make help`, and no target lacks its line."""
    done = run(checkout, "make")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert [re.match(r"make ([\w-]+) +\w", line)[1] for line in lines] == TARGETS  # type: ignore[index]
    assert done.stdout == run(checkout, "make", "help").stdout
    assert max(map(len, lines)) <= 100


def test_setup_refuses_an_old_python_and_names_a_way_out(checkout: Path) -> None:
    """The letter says which version is needed, which one it found and how to name another; no .venv is left."""
    old = python_of_version(checkout, "3.10.13")
    done = run(checkout, "make", "setup", f"PYTHON={old}")
    assert done.returncode != 0
    assert done.stderr.splitlines()[:2] == [
        f"cleartitle needs Python 3.11 or newer, and '{old}' is: Python 3.10.13",
        "Name another one: make setup PYTHON=python3.12",
    ]
    assert not (checkout / ".venv").exists()


def test_setup_runs_again_only_when_its_files_change(checkout: Path) -> None:
    """With a stamp newer than setup.py and constraints.txt there is nothing to do; with an older one there is."""
    stamp = checkout / ".venv" / "stamp"
    stamp.parent.mkdir()
    stamp.touch()
    for name in ("setup.py", "constraints.txt"):
        os.utime(checkout / name, (1, 1))
    assert run(checkout, "make", "--question", "setup").returncode == 0
    os.utime(stamp, (0, 0))
    assert run(checkout, "make", "--question", "setup").returncode == 1


def test_ci_runs_all_tests_from_the_top(tmp_path: Path) -> None:
    """.ci/run starts exactly the three targets of tests in the directory above it, wherever it is called from."""
    (tmp_path / ".ci").mkdir()
    script = shutil.copy(TOP / ".ci" / "run", tmp_path / ".ci")
    (tmp_path / "Makefile").write_text("test test-flink test-prism:\n\t@echo $@ $$PWD\nother:\n\t@false\n")
    done = run(Path("/"), "bash", str(script))
    names = ("test", "test-prism", "test-flink")
    assert (done.returncode, done.stdout.splitlines()) == (0, [f"{name} {tmp_path}" for name in names])


@pytest.mark.parametrize("failing", ["test", "test-prism", "test-flink"])
def test_ci_fails_with_any_of_them(tmp_path: Path, failing: str) -> None:
    """Nothing lands on half of the tests."""
    (tmp_path / ".ci").mkdir()
    script = shutil.copy(TOP / ".ci" / "run", tmp_path / ".ci")
    (tmp_path / "Makefile").write_text(f"test test-flink test-prism:\n\t@[ $@ != {failing} ]\n")
    assert run(Path("/"), "bash", str(script)).returncode != 0


def test_constraints_pin_every_requirement_exactly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each line after the first is one exact version, each name comes once, and all that setup.py asks for is there."""
    given: dict[str, Any] = {}
    monkeypatch.setitem(sys.modules, "setuptools", SimpleNamespace(setup=given.update))
    runpy.run_path(str(TOP / "setup.py"))
    comment, *lines = (TOP / "constraints.txt").read_text().splitlines()
    assert comment.startswith("# Made by 'make lock'")
    assert [line for line in lines if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.]+", line)] == []
    pinned = [name_of(line) for line in lines]
    assert sorted(set(pinned)) == sorted(pinned)
    required = {name_of(line) for line in [*given["install_requires"], *given["extras_require"]["dev"]]}
    assert required - set(pinned) == set()
    assert given["name"] not in pinned


def name_of(requirement: str) -> str:
    """The project's name in the normal form of PEP 503."""
    return re.sub("[-_.]+", "-", re.split(r"[=><\[]", requirement)[0]).lower()
