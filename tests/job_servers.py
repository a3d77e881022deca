"""Job servers that are programs of their own, as Prism and Flink's are: Beam's own service, or one that misbehaves."""

import os
import sys
from pathlib import Path
from typing import Final

from apache_beam.options.pipeline_options import PipelineOptions

SERVE: Final = """
from apache_beam.runners.portability.local_job_service import LocalJobServicer
service = LocalJobServicer()
service.start_grpc_server(port)
print("serving", flush=True)
signal.pause()
"""
"""What runs pipelines in the program itself, until it is ended."""

_PROGRAM: Final = """#!{python}
import os, signal, sys
with open({pids!r}, "a") as file:
    print(os.getpid(), file=file)
words = sys.argv
(port,) = [int(words[at + 1]) for at, word in enumerate(words) if word in ("--job_port", "--job-port")]
{body}"""


def write_job_server(place: Path, body: str = SERVE) -> Path:
    """A program that takes the arguments of Prism, or of `java` with Flink's job server, and serves at their port."""
    program = place / "job_server"
    program.write_text(_PROGRAM.format(python=sys.executable, pids=str(place / "pids"), body=body))
    program.chmod(0o755)
    return program


def pids(place: Path) -> list[int]:
    """The processes that ran the program that lies there."""
    return [int(line) for line in (place / "pids").read_text().split()]


def is_running(pid: int) -> bool:
    """Whether a process is there; one that has ended and that nobody has waited for is."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def served_by(name: str, program: Path) -> PipelineOptions:
    """Options of the runner `flink` or `prism`, whose job server is that program."""
    jar = program.with_name("job-server.jar")
    jar.touch()
    flink = [f"--job_server_java_launcher={program}", f"--flink_job_server_jar={jar}", "--flink_master=cluster:8081"]
    given = {
        "flink": ["--runner=FlinkRunner", *flink],
        "prism": ["--runner=PrismRunner", f"--prism_location={program}"],
    }
    return PipelineOptions([*given[name], "--environment_type=LOOPBACK"])
