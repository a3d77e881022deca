"""A Flink cluster on this machine, by hand.

python -m engines.flink up [--job-server-jar JAR]
python -m engines.flink status
python -m engines.flink down
"""

import argparse
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from engines.flink.cluster import Cluster
from engines.places import held
from schemas.errors import CleartitleError, UsageError


def main(arguments: Sequence[str] | None = None) -> int:
    """Start, show or stop the cluster; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m engines.flink", description="A Flink cluster on this machine.")
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="start it, and say how to run on it")
    up.add_argument("--job-server-jar", type=Path, metavar="JAR", help="Beam's job server for Flink, if it is at hand")
    commands.add_parser("status", help="say which of its processes run, and how to run on it")
    commands.add_parser("down", help="stop what `up` started")
    given = parser.parse_args(arguments)
    try:
        with held("flink-cluster") as directory:
            if given.command == "up":
                print(_up(directory, given.job_server_jar))
            elif given.command == "status":
                print(_describe(_find(directory)))
            else:
                _find(directory).stop()
    except CleartitleError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


def _up(directory: Path, jar: Path | None) -> str:
    if found := Cluster.find(directory):
        if all(process.alive() for process in found.processes.values()):
            return _describe(found)
        found.stop()
    return _describe(Cluster.start(directory, jar))


def _find(directory: Path) -> Cluster:
    if found := Cluster.find(directory):
        return found
    raise UsageError("No cluster was started here: python -m engines.flink up.")


def _describe(cluster: Cluster) -> str:
    processes = [
        f"  {name:<15}{process.pid:>8}  {'' if process.alive() else 'has ended; '}{process.log}"
        for name, process in cluster.processes.items()
    ]
    note = [cluster.server.note] if cluster.server.note else []
    run = f"  cleartitle curate CONFIG --output DIR -- {shlex.join(cluster.options())}"
    page = f"Flink {cluster.server.flink}, with its page at http://{cluster.rest}:"
    return "\n".join([*note, page, *processes, "", "To run on it:", "", run])


if __name__ == "__main__":
    sys.exit(main())
