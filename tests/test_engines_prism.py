"""The Prism binary: where it lies, that it is built once, and letters where it cannot be; by a stand-in for Go."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path

import pytest
from apache_beam.options.pipeline_options import PipelineOptions

from engines.prism import MODULE, main, on_prism, prism
from schemas.errors import UsageError, WorkError

TOP = Path(__file__).resolve().parents[1]
RELEASE = version("apache-beam")
FOLDER = f"prism-{RELEASE}"
GO = """#!/bin/sh
echo "$@" >> {calls}
{rest}
"""
BUILDS = 'echo "a binary" > "$GOBIN/prism"'
FAILS = 'echo "half a binary" > "$GOBIN/prism"; echo "{words}" >&2; exit 1'


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where engines lie; on the PATH there is no Go beside what a test puts into `bin`."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("CLEARTITLE_ENGINES", str(tmp_path / "engines"))
    return tmp_path / "engines"


def put_go(home: Path, rest: str) -> Path:
    """A `go` that writes its arguments to a file, a line a call, and then does the rest; gives that file."""
    calls = home.parent / "calls"
    program = home.parent / "bin" / "go"
    program.write_text(GO.format(calls=calls, rest=rest))
    program.chmod(0o755)
    return calls


def files(home: Path) -> list[str]:
    return sorted(str(path.relative_to(home)) for path in home.rglob("*"))


def test_binary_is_built_from_the_module_of_the_installed_release(home: Path) -> None:
    """One call of Go, and beside the binary nothing is left but the lock."""
    calls = put_go(home, BUILDS)
    assert prism() == home / FOLDER / "prism"
    assert prism().read_text() == "a binary\n"
    assert calls.read_text() == f"install {MODULE}@v{RELEASE}\n"
    assert files(home) == [FOLDER, f"{FOLDER}/lock", f"{FOLDER}/prism"]


def test_binary_that_is_there_needs_no_go(home: Path) -> None:
    """Who has one puts it there; it is taken as it is."""
    place = home / FOLDER / "prism"
    place.parent.mkdir(parents=True)
    place.write_text("mine")
    assert prism() == place
    assert place.read_text() == "mine"


def test_processes_at_the_same_time_build_once(home: Path) -> None:
    """Six processes start together; Go is called by one, and all print the same path."""
    calls = put_go(home, BUILDS)
    command = [sys.executable, "-m", "engines.prism"]
    with ThreadPoolExecutor(6) as pool:
        done = list(pool.map(lambda _: subprocess.run(command, cwd=TOP, capture_output=True, text=True), range(6)))
    assert [(one.stdout, one.stderr) for one in done] == 6 * [(f"{home / FOLDER / 'prism'}\n", "")]
    assert calls.read_text().count("install") == 1


def test_options_name_the_binary_so_that_beam_downloads_none(home: Path) -> None:
    """Beam knows all of them, and finds the binary at its place."""
    put_go(home, BUILDS)
    assert PipelineOptions(on_prism()).get_all_options(drop_default=True) == {
        "runner": "PrismRunner",
        "prism_location": str(home / FOLDER / "prism"),
        "environment_type": "LOOPBACK",
    }
    assert files(home) == [FOLDER, f"{FOLDER}/lock", f"{FOLDER}/prism"]


def test_missing_go_is_told_with_two_ways_out(home: Path) -> None:
    """Where to get Go, and where a binary from elsewhere goes."""
    with pytest.raises(UsageError) as caught:
        prism()
    assert str(caught.value) == (
        "Prism is built with Go, and there is no `go` on the PATH.\n"
        f"Install Go (https://go.dev/dl), or put a binary of Prism {RELEASE} at {home / FOLDER / 'prism'}."
    )


def test_failed_build_is_told_with_the_words_of_go_and_leaves_nothing(home: Path) -> None:
    """The command, its code and the end of what it said; what it had begun is gone, and the next try is a new one."""
    put_go(home, FAILS.format(words="x" * 3000 + " dial tcp: no route to host"))
    with pytest.raises(WorkError) as caught:
        prism()
    command, words, advice = str(caught.value).split("\n\n")
    assert command == f"Prism cannot be built; `go install {MODULE}@v{RELEASE}` ended with 1:"
    assert (len(words), words[:3], words[-27:]) == (2000, "xxx", " dial tcp: no route to host")
    assert advice == (
        "It takes a recent Go and a Go module proxy that can be reached (`go env GOPROXY`).\n"
        f"Or put a binary of Prism {RELEASE} at {home / FOLDER / 'prism'}."
    )
    assert files(home) == [FOLDER, f"{FOLDER}/lock"]
    put_go(home, BUILDS)
    assert prism().read_text() == "a binary\n"


def test_command_prints_the_path(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """On stdout the path alone, so that a shell can take it."""
    put_go(home, BUILDS)
    assert main() == 0
    assert capsys.readouterr() == (f"{home / FOLDER / 'prism'}\n", "")


@pytest.mark.parametrize(("rest", "code"), [(None, 2), ("exit 7", 1)], ids=["no Go", "failed build"])
def test_command_tells_its_letter_on_stderr(
    home: Path, capsys: pytest.CaptureFixture[str], rest: str | None, code: int
) -> None:
    """Exit code 2 where something has to be installed, 1 where the work failed; nothing on stdout."""
    if rest is not None:
        put_go(home, rest)
    assert main() == code
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("Prism ")
    assert os.listdir(home / FOLDER) == ["lock"]
