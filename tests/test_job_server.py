"""Job server: a process that serves one command, hears no interrupt of it, and is gone when it ends."""

import logging
import os
import signal
import socket
import tempfile
from pathlib import Path

import pytest
from apache_beam.options.pipeline_options import FlinkRunnerOptions, JobServerOptions, PipelineOptions

from beam_jobs.runners import job_server as module
from beam_jobs.runners.job_server import JobServer, needs_server
from schemas.errors import WorkError
from tests.job_servers import is_running, pids, served_by, write_job_server

LISTEN = """
import socket
server = socket.create_server(("localhost", port))
"""


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary directories are made."""
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    return place


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["--runner=FlinkRunner"], True),
        (["--runner=PrismRunner"], True),
        (["--runner=FlinkRunner", "--job_endpoint=localhost:8099"], False),
        (["--runner=FlinkRunner", "--flink_submit_uber_jar"], False),
        (["--runner=PortableRunner", "--job_endpoint=localhost:8099"], False),
        (["--runner=DataflowRunner"], False),
        (["--runner=FnApiRunner"], False),
    ],
)
def test_server_is_started_where_the_runner_would_start_one(given: list[str], expected: bool) -> None:
    """And none is named."""
    assert needs_server(PipelineOptions(given)) is expected


@pytest.mark.parametrize("name", ["flink", "prism"])
def test_server_ends_with_its_directory_and_is_waited_for(name: str, tmp_path: Path, temporary: Path) -> None:
    """A process that nobody waits for stays in the table of processes until the command ends."""
    server = JobServer(served_by(name, write_job_server(tmp_path)))
    (pid,) = pids(tmp_path)
    assert is_running(pid)
    assert len(list(temporary.glob("cleartitle-job-server-*"))) == 1
    server.stop()
    assert not is_running(pid)
    assert list(temporary.iterdir()) == []


def test_server_that_does_not_want_to_end_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command must end, whatever hangs in there."""
    monkeypatch.setattr(module, "_STOP_SECONDS", 0.1)
    deaf = "signal.signal(signal.SIGTERM, signal.SIG_IGN)" + LISTEN + "while True: signal.pause()"
    server = JobServer(served_by("prism", write_job_server(tmp_path, deaf)))
    server.stop()
    assert server._process.returncode == -signal.SIGKILL
    assert not is_running(pids(tmp_path)[0])


def test_interrupt_at_the_terminal_does_not_reach_the_server(tmp_path: Path) -> None:
    """The terminal sends it to all processes of the command's group; the server is needed to cancel the job."""
    server = JobServer(served_by("prism", write_job_server(tmp_path)))
    (pid,) = pids(tmp_path)
    assert os.getpgid(pid) == pid
    assert os.getpgid(pid) != os.getpgid(0)
    assert os.getsid(pid) == os.getsid(0)
    server.stop()


def test_interrupt_while_the_server_starts_leaves_none(
    tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody else knows of it yet."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(socket, "create_connection", interrupt)
    with pytest.raises(KeyboardInterrupt):
        JobServer(served_by("prism", write_job_server(tmp_path, "signal.pause()")))
    assert not (tmp_path / "pids").exists() or not is_running(pids(tmp_path)[0])
    assert list(temporary.iterdir()) == []


def test_options_of_the_jobs_stay_as_they_are(tmp_path: Path) -> None:
    """What is set for the program is no part of the job."""
    options = served_by("flink", write_job_server(tmp_path))
    before = options.get_all_options()
    JobServer(options).stop()
    assert options.get_all_options() == before
    assert options.view_as(FlinkRunnerOptions).flink_master == "cluster:8081"
    assert options.view_as(JobServerOptions).artifacts_dir is None


def test_server_that_ends_at_once_is_quoted(tmp_path: Path, temporary: Path) -> None:
    """For instance a jar for another Java."""
    program = write_job_server(tmp_path, "print('one\\xff'); sys.exit('Unsupported class version')")
    with pytest.raises(WorkError) as failure:
        JobServer(served_by("flink", program))
    said = str(failure.value)
    assert said.startswith(
        f"The job server ended with 1 before it answered:\n\n    {program} -jar {tmp_path}/job-server.jar "
    )
    assert " --flink-master http://cluster:8081 --artifacts-dir " in said
    assert said.endswith("\n\nIt said last:\n\n    one\xff\n    Unsupported class version")
    assert list(temporary.iterdir()) == []


def test_server_that_ends_without_a_word_is_told_of(tmp_path: Path) -> None:
    """Its exit code is all that there is."""
    with pytest.raises(WorkError, match=r"ended with -9 before it answered(.|\n)*It said last:\n\n    \(nothing\)$"):
        JobServer(served_by("prism", write_job_server(tmp_path, "os.kill(os.getpid(), signal.SIGKILL)")))


@pytest.mark.parametrize(("given", "kind"), [([], "text"), (["--prism_log_kind=json"], "json")])
def test_prism_writes_lines_for_people_unless_it_is_told_otherwise(tmp_path: Path, given: list[str], kind: str) -> None:
    """Beam would have it write JSON by default, each line of which the letter would quote."""
    program = write_job_server(tmp_path, "sys.exit(1)")
    with pytest.raises(WorkError, match=f" --log_kind {kind} "):
        JobServer(PipelineOptions(["--runner=PrismRunner", f"--prism_location={program}", *given]))


def test_server_that_never_answers_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And named, with the address at which it does not."""
    monkeypatch.setattr(module, "_START_SECONDS", 0.0)
    with pytest.raises(WorkError, match=r"^The job server has not answered at localhost:\d+ for 0 s:\n"):
        JobServer(served_by("prism", write_job_server(tmp_path, "signal.pause()")))
    assert not (tmp_path / "pids").exists() or not is_running(pids(tmp_path)[0])


def test_interrupt_while_the_program_is_fetched_leaves_nothing(
    tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beam may fetch 150 MB first."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(module.PrismJobServer, "subprocess_cmd_and_endpoint", interrupt)
    with pytest.raises(KeyboardInterrupt):
        JobServer(served_by("prism", write_job_server(tmp_path)))
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("name", ["flink", "prism"])
def test_server_that_cannot_be_started_is_one_letter(name: str, tmp_path: Path, temporary: Path) -> None:
    """A file that is no program."""
    program = tmp_path / "job_server"
    program.write_bytes(b"\x00\x01")
    with pytest.raises(
        WorkError, match=rf"^Beam has no job server for {name.capitalize()} that could be started here: "
    ):
        JobServer(served_by(name, program))
    assert list(temporary.iterdir()) == []


def test_what_the_server_says_is_logged_and_does_not_stop_it(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """More than a pipe holds, before it answers."""
    chatty = "for number in range(2_000): print(number, 'x' * 100)\nsys.stdout.flush()" + LISTEN + "signal.pause()"
    with caplog.at_level(logging.INFO, logger=module.__name__):
        JobServer(served_by("prism", write_job_server(tmp_path, chatty))).stop()
    said = [record.getMessage().split()[0] for record in caplog.records if record.name == module.__name__]
    assert said == [str(number) for number in range(2_000)]
