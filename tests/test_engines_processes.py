"""Processes of engines: started, watched and ended with their children, and never taken for another of their pid."""

import signal
import sys
from pathlib import Path

import pytest

from engines.flink.processes import Process, children_of, free_ports, listens, start, wait_until
from schemas.errors import WorkError


def sleeper(directory: Path, script: str = "") -> Process:
    """A process that does what the script says and then waits for ever."""
    code = f"import signal, subprocess, sys\n{script}\nprint('ready', flush=True)\nsignal.pause()"
    process = start("sleeper", [sys.executable, "-c", code], directory / "log")
    wait_until(lambda: "ready" in (directory / "log").read_text(), "Readiness", [process], 20)
    return process


def test_process_ends_with_its_children(tmp_path: Path) -> None:
    """They are of one group, which the signal goes to."""
    process = sleeper(tmp_path, "subprocess.Popen([sys.executable, '-c', 'import signal; signal.pause()'])")
    (child,) = children_of(process.pid)
    assert process.alive()
    process.end()
    assert not process.alive()
    wait_until(lambda: not (stat := Path(f"/proc/{child}/stat")).exists() or ") Z" in stat.read_text(), "End", [], 20)


def test_process_that_does_not_heed_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It ignores SIGTERM; after the time of grace it is gone all the same."""
    monkeypatch.setattr("engines.flink.processes._GRACE_SECONDS", 0.1)
    process = sleeper(tmp_path, "signal.signal(signal.SIGTERM, signal.SIG_IGN)")
    process.end()
    assert not process.alive()


def test_process_is_not_another_of_its_pid(tmp_path: Path) -> None:
    """Who has the pid but was born at another time is not it, and is left alone."""
    process = sleeper(tmp_path)
    stranger = Process("stranger", process.pid, process.born + 1, process.log)
    assert not stranger.alive()
    stranger.end(signal.SIGKILL)
    assert process.alive()
    process.end()
    process.end()


def test_waiting_tells_who_ended_and_how_its_log_ends(tmp_path: Path) -> None:
    """Lines that say where in Java it was are left out."""
    code = r"print('one\n\tat org.x.Y\ntwo'); raise SystemExit(3)"
    process = start("JobManager", [sys.executable, "-c", code], tmp_path / "log")
    with pytest.raises(WorkError) as caught:
        wait_until(lambda: False, "An answer", [process], 20)
    process.end()
    log = tmp_path / "log"
    assert str(caught.value) == f"An answer: the JobManager has ended. {log} ends with:\n\none\ntwo"


def test_waiting_ends_at_its_deadline(tmp_path: Path) -> None:
    """The letter says what did not come about."""
    process = sleeper(tmp_path)
    with pytest.raises(WorkError, match=r"An answer has not come about in 0 seconds\. .*\n\nready$"):
        wait_until(lambda: False, "An answer", [process], 0)
    process.end()


def test_free_ports_are_unlike_and_free() -> None:
    """As many as asked for, and nothing answers there."""
    ports = free_ports(5)
    assert len(set(ports)) == 5
    assert not any(listens(port) for port in ports)
