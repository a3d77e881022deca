"""Whatever is killed, full, missing or unlike: a run on Flink ends in the bytes of an undisturbed one, or says why not.

Each test is a row of a table (fault, when, how it ended) that is written beside the engines, as `flink-faults.md`.
"""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import pytest

from engines.flink.cluster import Cluster
from engines.flink.processes import children_of, free_ports, wait_until
from engines.places import held
from tests.engines.accumulators import counters
from tests.engines.faults import DEADLINE_SECONDS, DOCUMENTS, Run, begun, other_pool, running_job, write_crawl
from tests.engines.runs import assert_same, curate
from tests.job_servers import is_running

pytestmark = pytest.mark.flink
Note = Callable[[str, str, str], None]
ENDED = ("CANCELED", "FAILED", "FINISHED")
OURS = ("beam_jobs", "configs", "lineage", "schemas", "transforms")
ABSENT = """import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {ours}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Absent())
"""


@pytest.fixture(scope="module")
def note() -> Iterator[Note]:
    """Adds a row to the table of faults."""
    rows: list[str] = []
    yield lambda *row: rows.append(f"| {' | '.join(row)} |\n")
    with held("flink-cluster") as directory:
        head = "| fault | when | how it ended |\n|---|---|---|\n"
        (directory.parent / "flink-faults.md").write_text(head + "".join(rows))


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_crawl(tmp_path_factory.mktemp("crawl"))


@pytest.fixture(scope="module")
def undisturbed(config: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the local runner makes of the crawl."""
    return curate(config, tmp_path_factory.mktemp("undisturbed") / "out", beam=[])


def tasks_run(flink: Cluster, step: str) -> bool:
    """Whether tasks of a step run, and Python workers for them."""
    return running_job(flink, step) is not None and bool(flink.workers())


def finish(config: Path, output: Path, flink: Cluster) -> None:
    """Finish what was begun, by `--resume`."""
    with begun(config, output, flink.options(), "--resume") as run:
        assert run.end()[0] == 0


# Killed


def test_killed_task_managers_are_survived(
    flink: Cluster, config: Path, undisturbed: Path, tmp_path: Path, note: Note
) -> None:
    """One in measure, one in decide and one in publish, each by its pid while tasks run: the jobs start again.

    Another is started in its place, as a cluster's keeper would.
    """
    steps = {"measure": 0, "judge": 1, "write": 0}
    with begun(config, tmp_path / "out", flink.options()) as run:
        for step, number in steps.items():
            run.until(partial(tasks_run, flink, step))
            flink.kill_task_manager(number)
            flink.start_task_manager(number)
        code, said = run.end()
    flink.wait()
    assert (code, said) == (0, "")
    assert_same(tmp_path / "out", undisturbed)
    for step in steps:
        note("a TaskManager is killed", step, "the engine ran the job again; exit 0, same bytes")


def test_killed_python_worker_is_survived(
    flink: Cluster, config: Path, undisturbed: Path, tmp_path: Path, note: Note
) -> None:
    """The first part is measured, others are being measured: the task fails, and the engine runs it again.

    What the attempt that failed had counted is not on the page.
    """
    with begun(config, tmp_path / "out", flink.options()) as run:
        job = run.until(lambda: running_job(flink, "measure"))
        run.until_file("_work/measured/part-*.json")
        os.kill(run.until(flink.workers)[-1], signal.SIGKILL)
        code, said = run.end()
    assert (code, said) == (0, "")
    assert_same(tmp_path / "out", undisturbed)
    assert counters(flink, job)["measure.records"] == DOCUMENTS
    note("a Python worker is killed", "measure", "the engine ran the job again; exit 0, same bytes")


# Stopped


@contextmanager
def small_disk(place: Path, size: str) -> Iterator[Callable[[str], object]]:
    """A disk of that size in a directory, for the time of the block; gives what makes it larger."""
    place.mkdir(exist_ok=True)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)], check=False).returncode:
        pytest.skip("no tmpfs can be mounted here")
    try:
        yield lambda larger: subprocess.run(["mount", "-o", f"remount,size={larger}", str(place)], check=True)
    finally:
        subprocess.run(["umount", str(place)], check=True)


def fill(place: Path) -> None:
    """Take all the room that a disk has left."""
    with (place / "filler").open("wb", buffering=0) as file:
        while shutil.disk_usage(place).free:
            file.write(bytes(1 << 12))


def leave(flink: Cluster, number: int) -> None:
    """End a TaskManager in its own way, in which it tells the JobManager that it goes."""
    process = flink.task_managers[number]
    before = flink.get("/overview")["taskmanagers"]
    process.end()
    wait_until(lambda: flink.get("/overview")["taskmanagers"] < before, f"The end of {process.name}", [], 60)


def test_full_disk_ends_the_run_and_resume_finishes_it(
    flink: Cluster, config: Path, undisturbed: Path, tmp_path: Path, note: Note
) -> None:
    """Documents lie on a small disk: publishing fails with a letter, and goes on when there is room."""
    with begun(config, tmp_path / "out", flink.options()) as run:
        run.until_file("_work/measured/part-*.json")
        with small_disk(tmp_path / "out" / "documents", "48k") as grow:
            code, said = run.end()
            assert code == 1
            assert "No space left on device" in said
            assert not (tmp_path / "out" / "manifest.json").exists()
            grow("64m")
            finish(config, tmp_path / "out", flink)
            assert_same(tmp_path / "out", undisturbed)
    note("the disk of the documents is full", "write", "exit 1 with a letter; --resume with room: same bytes")


def test_full_disk_of_one_task_manager_ends_the_run_and_resume_finishes_it(
    flink: Cluster, config: Path, undisturbed: Path, tmp_path: Path, note: Note
) -> None:
    """What one of the two spills and shuffles finds no room, at every attempt; the crawl and the output have theirs."""
    leave(flink, 1)
    try:
        with small_disk(flink.task_manager_disk(1), "64m") as grow:
            flink.start_task_manager(1)
            flink.wait()
            fill(flink.task_manager_disk(1))
            with begun(config, tmp_path / "out", flink.options()) as run:
                code, said = run.end()
            assert code == 1
            assert "No space left on device" in said
            grow("256m")
            finish(config, tmp_path / "out", flink)
            assert_same(tmp_path / "out", undisturbed)
            flink.kill_task_manager(1)
    finally:
        flink.start_task_manager(1)
        flink.wait()
    note("the disk of one TaskManager is full", "measure", "exit 1 with a letter; --resume with room: same bytes")


def test_job_cancelled_on_the_page_ends_the_run_and_resume_finishes_it(
    flink: Cluster, config: Path, undisturbed: Path, tmp_path: Path, note: Note
) -> None:
    """As the button of the page does it: exit 1, and a letter that says who did it and how to go on."""
    with begun(config, tmp_path / "out", flink.options()) as run:
        flink.cancel(run.until(lambda: running_job(flink, "weigh")))
        code, said = run.end()
    assert code == 1
    assert said == (
        "cleartitle: The job was cancelled on the engine.\n"
        "What is done is kept; the same command with --resume goes on from there.\n"
    )
    finish(config, tmp_path / "out", flink)
    assert_same(tmp_path / "out", undisturbed)
    note("a job is cancelled on Flink's page", "weigh", "exit 1 with a letter; --resume: same bytes")


def measured_by_own_server(flink: Cluster, run: Run) -> tuple[str, int]:
    """Id of a job of measure, and the pid of the job server that the command started for itself."""
    job: str = run.until(lambda: running_job(flink, "measure"))
    (server,) = children_of(run.process.pid)
    return job, server


def end_of(flink: Cluster, job: str) -> str:
    """Wait for the end of a job; the state that it ended in."""
    wait_until(lambda: state_of(flink, job) in ENDED, "The end of the job", flink.task_managers, DEADLINE_SECONDS)
    return state_of(flink, job)


def state_of(flink: Cluster, job: str) -> str:
    return str(flink.get(f"/jobs/{job}")["state"])


def test_ctrl_c_leaves_neither_job_nor_job_server_and_resume_finishes_it(
    flink: Cluster, config: Path, undisturbed: Path, tmp_path: Path, note: Note
) -> None:
    """The terminal interrupts the whole process group; the job server is not in it, as it must cancel the job."""
    with begun(config, tmp_path / "out", flink.flink_options()) as run:
        job, server = measured_by_own_server(flink, run)
        os.killpg(run.process.pid, signal.SIGINT)
        code, said = run.end()
    assert code == 1
    assert said.strip() == "cleartitle: interrupted. What is done is kept; the same command with --resume goes on."
    assert not is_running(server)
    assert end_of(flink, job) == "CANCELED"
    finish(config, tmp_path / "out", flink)
    assert_same(tmp_path / "out", undisturbed)
    note("Ctrl-C at the command", "measure", "job and job server are gone, exit 1; --resume: same bytes")


def test_lost_job_server_is_told_of_and_resume_finishes_it(
    flink: Cluster, config: Path, undisturbed: Path, tmp_path: Path, note: Note
) -> None:
    """The letter says that the job may go on, and so it does: it is waited for here, and may be cancelled."""
    with begun(config, tmp_path / "out", flink.flink_options()) as run:
        job, server = measured_by_own_server(flink, run)
        os.kill(server, signal.SIGKILL)
        code, said = run.end()
    assert code == 1
    assert said.startswith("cleartitle: The job server does not answer any more. The job may go on without it")
    end_of(flink, job)
    finish(config, tmp_path / "out", flink)
    assert_same(tmp_path / "out", undisturbed)
    note("the job server is killed", "measure", "exit 1 after 30 s with a letter; --resume: same bytes")


def test_killed_command_leaves_its_job_and_resume_finishes_it(
    flink: Cluster, config: Path, undisturbed: Path, tmp_path: Path, note: Note
) -> None:
    """Nobody is left who could cancel it; that is done by hand, as the docs say."""
    with begun(config, tmp_path / "out", flink.flink_options()) as run:
        job, server = measured_by_own_server(flink, run)
        run.process.kill()
        run.end()
    assert is_running(server)
    os.kill(server, signal.SIGTERM)
    with suppress(OSError):  # it has ended meanwhile
        flink.cancel(job)
    end_of(flink, job)
    finish(config, tmp_path / "out", flink)
    assert_same(tmp_path / "out", undisturbed)
    note("the command is killed with -9", "measure", "its job goes on; cancelled by hand, then --resume: same bytes")


# Missing and unlike


def failed(config: Path, output: Path, beam: list[str]) -> tuple[int, str]:
    with begun(config, output, beam) as run:
        code, said = run.end()
    assert not (output / "manifest.json").exists()
    return code, said


def test_job_server_that_is_not_there_is_told_before_any_work(config: Path, tmp_path: Path, note: Note) -> None:
    """Exit code 2 and nothing written."""
    (port,) = free_ports(1)
    code, said = failed(config, tmp_path / "out", ["--runner=PortableRunner", f"--job_endpoint=127.0.0.1:{port}"])
    assert code == 2
    assert said.startswith(f"cleartitle: No job server answers at 127.0.0.1:{port}")
    assert not (tmp_path / "out").exists()
    note("no job server", "start", "exit 2 with a letter, nothing written")


def test_worker_pool_that_is_not_there_is_told(flink: Cluster, config: Path, tmp_path: Path, note: Note) -> None:
    """The engine tries the job again, and then it fails."""
    (port,) = free_ports(1)
    code, said = failed(config, tmp_path / "out", [*flink.options(), f"--environment_config=127.0.0.1:{port}"])
    assert code == 1
    assert "Connection refused" in said
    note("no worker pool", "measure", "exit 1 with a letter")


def test_worker_without_the_package_is_told(flink: Cluster, config: Path, tmp_path: Path, note: Note) -> None:
    """A Python that has Beam and not us, in Beam's own pool."""
    (tmp_path / "sitecustomize.py").write_text(ABSENT.format(ours=OURS))
    pool = ["-m", "apache_beam.runners.worker.worker_pool_main", "--service_port", "{port}"]
    path = os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]])  # it starts `python`
    with other_pool(tmp_path, pool, {"PYTHONPATH": str(tmp_path), "PATH": path}) as environment:
        code, said = failed(config, tmp_path / "out", [*flink.options(), environment])
    assert code == 1
    assert said.startswith("cleartitle: A worker does not have this package: it cannot import `")
    note("a worker without the package", "measure", "exit 1 with a letter that names it")


def test_worker_with_another_beam_is_told(flink: Cluster, config: Path, tmp_path: Path, note: Note) -> None:
    """Where it says that it has Beam 2.60.0, nothing is measured."""
    facts = tmp_path / "apache_beam-2.60.0.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: apache-beam\nVersion: 2.60.0\n")
    pool = ["-m", "beam_jobs", "workers", "--address", "127.0.0.1:{port}"]
    with other_pool(tmp_path, pool, {"PYTHONPATH": str(tmp_path)}) as environment:
        code, said = failed(config, tmp_path / "out", [*flink.options(), environment])
    assert code == 1
    assert said.startswith("cleartitle: A worker has other packages than the machine that sent the job")
    assert "  apache-beam: 2.60.0 here, " in said
    assert not list((tmp_path / "out" / "_work" / "measured").glob("part-*.json"))
    note("a worker with another Beam", "measure", "exit 1 with a letter that names both versions, nothing measured")
