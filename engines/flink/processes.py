"""Processes that belong to a cluster: started with a log file, known again by pid and time of start, ended for sure.

On Linux only: what is known of a process is read from /proc.
"""

import os
import select
import shutil
import signal
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from schemas.errors import WorkError

_GRACE_SECONDS = 10.0
_POLL_SECONDS = 0.1
_LOG_LINES = 12
"""Lines of a log that a letter quotes."""


@dataclass(frozen=True)
class Process:
    """A process that leads a group of its own, in which its children are too."""

    name: str
    pid: int
    born: int
    """When it was started, in ticks since the machine was: with the pid it names one process, for ever."""
    log: str

    def alive(self) -> bool:
        """Whether it runs; a process that has ended and was not waited for does not."""
        said = _stat(self.pid)
        return said is not None and said.state not in "ZX" and said.born == self.born

    def end(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Send a signal to the whole group and wait for the process; what does not heed it is killed."""
        if self.alive():
            handle = os.pidfd_open(self.pid)
            try:
                self._signal(number)
                if not select.select([handle], [], [], _GRACE_SECONDS)[0]:
                    self._signal(signal.SIGKILL)
                    select.select([handle], [], [])
            finally:
                os.close(handle)
        with suppress(ChildProcessError):  # another process started it
            os.waitpid(self.pid, os.WNOHANG)

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.pid, number)


def start(name: str, command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None) -> Process:
    """Start a program in a session of its own; what it writes is appended to the log."""
    program = shutil.which(command[0]) or command[0]
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    files = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(log), flags, 0o644),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    variables = {**os.environ, **(environment or {})}
    pid = os.posix_spawn(program, list(command), variables, file_actions=files, setsid=True)
    said = _stat(pid)
    return Process(name, pid, said.born if said else 0, str(log))


def wait_until(ready: Callable[[], bool], what: str, needed: Sequence[Process], seconds: float) -> None:
    """Ask until it is so. Raises WorkError, with the end of a log, if a needed process ends or the time is over."""
    deadline = time.monotonic() + seconds
    while not ready():
        for process in needed:
            if not process.alive():
                raise WorkError(f"{what}: the {process.name} has ended. {_end_of(process)}")
        if time.monotonic() > deadline:
            raise WorkError(f"{what} has not come about in {seconds:.0f} seconds. {_end_of(needed[-1])}")
        time.sleep(_POLL_SECONDS)


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that nothing listens at."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(one.getsockname()[1]) for one in sockets]
    for one in sockets:
        one.close()
    return ports


def listens(port: int) -> bool:
    """Whether something on 127.0.0.1 takes connections at the port."""
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def children_of(pid: int) -> list[int]:
    """Pids of a process's children, sorted."""
    pids = (int(name) for name in os.listdir("/proc") if name.isdigit())
    return sorted(one for one in pids if (said := _stat(one)) and said.parent == pid)


def _end_of(process: Process) -> str:
    lines = Path(process.log).read_text(errors="replace").splitlines()
    told = [line for line in lines if not line.startswith("\tat ")]  # where in Java it was says little here
    return f"{process.log} ends with:\n\n" + "\n".join(told[-_LOG_LINES:])


@dataclass(frozen=True)
class _Stat:
    state: str
    parent: int
    born: int


def _stat(pid: int) -> _Stat | None:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return _Stat(fields[0], int(fields[1]), int(fields[19]))
