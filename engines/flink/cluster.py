"""A cluster of Flink on 127.0.0.1: JobManager, TaskManagers, Beam's job server and a pool of Python workers.

Five processes, as they would stand on several machines; the disk that they share stands for a shared filesystem.
"""

import json
import os
import shutil
import signal
import sys
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from engines.flink.commands import need_java
from engines.flink.distribution import distribution, release_of
from engines.flink.job_server import JobServer, job_server
from engines.flink.jvm import JOB_MANAGER, JOB_SERVER, TASK_MANAGER, Memory, java, logging_to, write_conf
from engines.flink.processes import Process, children_of, free_ports, listens, start, wait_until

TASK_MANAGERS: Final = 2
SLOTS: Final = 2
"""Task slots of each TaskManager."""
_STATE: Final = "cluster.json"
_FLINK: Final = "org.apache.flink.runtime"
_START_SECONDS: Final = 120.0
_HOST: Final = "127.0.0.1"
_TOP: Final = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Ports:
    """Where on 127.0.0.1 the processes listen."""

    rest: int
    rpc: int
    jobs: int
    workers: int


class Cluster:
    """A cluster in a directory, which holds its configuration, its logs, and a file that says what belongs to it."""

    def __init__(self, directory: Path, server: JobServer, ports: Ports, processes: Mapping[str, Process]):
        self.directory, self.server, self.ports = directory, server, ports
        self.processes = dict(processes)
        self.rest = f"{_HOST}:{ports.rest}"

    @classmethod
    def start(cls, directory: Path, jar: Path | None = None) -> "Cluster":
        """Start a cluster and wait until all of it answers; `jar` is a job server to use in place of a fetched one.

        Raises UsageError where Java or Maven is missing, WorkError if anything cannot be fetched or does not start.
        """
        need_java()
        server = job_server(jar)
        distribution(release_of(server.flink))
        rest, rpc, jobs, workers = free_ports(4)
        cluster = cls(directory.resolve(), server, Ports(rest, rpc, jobs, workers), {})
        try:
            cluster._start()
        except BaseException:
            cluster.stop()
            raise
        return cluster

    @classmethod
    def find(cls, directory: Path) -> "Cluster | None":
        """The cluster that was started in a directory and not stopped; None if there is none."""
        if not (path := directory / _STATE).exists():
            return None
        said = json.loads(path.read_text())
        server = JobServer(Path(said["jar"]), said["flink"], said["note"])
        processes = {name: Process(**facts) for name, facts in said["processes"].items()}
        return cls(directory.resolve(), server, Ports(**said["ports"]), processes)

    @property
    def job_manager(self) -> Process:
        return self.processes["JobManager"]

    @property
    def task_managers(self) -> list[Process]:
        return [self.processes[_name(number)] for number in range(TASK_MANAGERS)]

    @property
    def job_server(self) -> Process:
        return self.processes["job server"]

    @property
    def worker_pool(self) -> Process:
        return self.processes["worker pool"]

    def options(self) -> list[str]:
        """What a command of ours takes after `--` to run here."""
        endpoint, slots = f"--job_endpoint={_HOST}:{self.ports.jobs}", TASK_MANAGERS * SLOTS
        return ["--runner=PortableRunner", endpoint, f"--parallelism={slots}", *self._environment()]

    def flink_options(self) -> list[str]:
        """As `options`, by Beam's FlinkRunner, which starts a job server of its own for the command."""
        version, jar = f"--flink_version={self.server.flink}", f"--flink_job_server_jar={self.server.jar}"
        return ["--runner=FlinkRunner", f"--flink_master={self.rest}", version, jar, *self._environment()]

    def workers(self) -> list[int]:
        """Pids of the Python workers, which are grandchildren of the pool: it forks them from a process that waits."""
        return [worker for child in children_of(self.worker_pool.pid) for worker in children_of(child)]

    def get(self, path: str) -> Any:
        """What Flink's REST API answers, such as to `/overview` or `/jobs`. Raises OSError."""
        with urllib.request.urlopen(f"http://{self.rest}{path}", timeout=30) as answer:
            return json.load(answer)

    def cancel(self, job: str) -> None:
        """Cancel a job by its id, as the button of Flink's page does. Raises OSError."""
        request = urllib.request.Request(f"http://{self.rest}/jobs/{job}?mode=cancel", method="PATCH")
        urllib.request.urlopen(request, timeout=30).close()

    def kill_task_manager(self, number: int) -> None:
        """End a TaskManager as a machine ends that loses power."""
        self.processes[_name(number)].end(signal.SIGKILL)

    def start_task_manager(self, number: int) -> None:
        """Start a TaskManager, the first time or in place of one that ended."""
        (disk := self.task_manager_disk(number)).mkdir(exist_ok=True)
        self._launch_flink(_name(number), TASK_MANAGER, "taskexecutor.TaskManagerRunner", "-D", f"io.tmp.dirs={disk}")

    def task_manager_disk(self, number: int) -> Path:
        """Where a TaskManager, and no other process, has what it spills and shuffles."""
        return self.directory / "tmp" / f"task-manager-{number}"

    def wait(self) -> None:
        """Wait until every TaskManager has registered and every slot is free. Raises WorkError."""
        wait_until(self._is_free, "The registering of all TaskManagers", self.task_managers, _START_SECONDS)

    def stop(self) -> None:
        """End all processes that were started, those that ask for others first."""
        for process in reversed(self.processes.values()):
            process.end()
        (self.directory / _STATE).unlink(missing_ok=True)

    def _start(self) -> None:
        for name in ("conf", "log", "tmp", "artifacts"):
            shutil.rmtree(self.directory / name, ignore_errors=True)  # of a cluster that was here before
            (self.directory / name).mkdir(parents=True)
        ports = self.ports
        write_conf(self.directory / "conf", ports.rpc, ports.rest, SLOTS)
        self._launch_flink("JobManager", JOB_MANAGER, "entrypoint.StandaloneSessionClusterEntrypoint")
        for number in range(TASK_MANAGERS):
            self.start_task_manager(number)
        pool = [sys.executable, "-m", "beam_jobs", "workers", "--address", f"{_HOST}:{ports.workers}"]
        self._launch("worker pool", pool, {"PYTHONPATH": str(_TOP)})
        self._launch("job server", self._job_server_command())
        for port, process in ((ports.jobs, self.job_server), (ports.workers, self.worker_pool)):
            wait_until(partial(listens, port), f"An answer of the {process.name}", [process], _START_SECONDS)
        self.wait()

    def _job_server_command(self) -> list[str]:
        listen = ["--job-host", _HOST, "--job-port", str(self.ports.jobs), "--artifact-port", "0"]
        place = ["--artifacts-dir", str(self.directory / "artifacts"), "--expansion-port", "0"]
        return [*java(JOB_SERVER), *self.server.arguments(), "--flink-master", self.rest, *listen, *place]

    def _launch(self, name: str, command: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
        self.processes[name] = start(name, command, self._log(name), environment)
        server = self.server._asdict() | {"jar": str(self.server.jar)}
        said = {**server, "ports": asdict(self.ports), "processes": {n: asdict(p) for n, p in self.processes.items()}}
        (self.directory / _STATE).write_text(json.dumps(said, indent=1))

    def _launch_flink(self, name: str, memory: Memory, main: str, *more: str) -> None:
        conf = self.directory / "conf"
        jars = [distribution(release_of(self.server.flink)) / "*", *self.server.cluster_jars()]
        options = [*logging_to(self._log(name), conf), "-cp", _path(jars)]
        self._launch(name, [*java(memory), *options, f"{_FLINK}.{main}", "--configDir", str(conf), *more])

    def _log(self, name: str) -> Path:
        return self.directory / "log" / f"{name.lower().replace(' ', '-')}.log"

    def _environment(self) -> list[str]:
        return ["--environment_type=EXTERNAL", f"--environment_config={_HOST}:{self.ports.workers}"]

    def _is_free(self) -> bool:
        try:
            found = self.get("/overview")
        except OSError:
            return False
        return bool(found["taskmanagers"] == TASK_MANAGERS and found["slots-available"] == TASK_MANAGERS * SLOTS)


def _path(jars: Sequence[Path]) -> str:
    return os.pathsep.join(map(str, jars))


def _name(number: int) -> str:
    return f"TaskManager {number}"
