"""The job server: the Java program that takes a pipeline from Beam's Python SDK and submits it to Flink.

Published with each release of Beam as one jar. Where Maven Central as it is reached here has none for the installed
release, it is put together from the runner's library, whose newest release with all that it needs is older; the
protocol between the two has been the same since.
"""

import os
import re
import zipfile
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Final, NamedTuple

from engines.flink.commands import need_program, run
from engines.places import held, made
from schemas.errors import UsageError, WorkError

PUBLISHED_FLINK: Final = "1.20"
"""Which of the job servers of the installed release is asked for: the last for Flink 1."""
LIBRARY: Final = ("beam-runners-flink-1.19", "2.70.0")
_JOB_SERVICE: Final = ("beam-runners-java-job-service", "2.65.0")
_LOG: Final = ("slf4j-simple", "2.0.16")
_LIBRARY_JAR: Final = f"{LIBRARY[0]}-{LIBRARY[1]}.jar"
_JARS: Final = "jars"
_SHIPPED: Final = (LIBRARY[0], "flink-clients", "flink-java", "flink-optimizer", "flink-streaming-java")
_MAIN: Final = "org.apache.beam.runners.flink.FlinkJobServerDriver"
_JAR_NAME: Final = re.compile(r"beam-runners-flink-(\d+\.\d+)")
_ABSENT: Final = ("was not found in", "Could not find artifact", "Missing:")
"""How Maven says that a repository answered and has no such file."""
_LINE: Final = 70
_POM: Final = """<project xmlns="http://maven.apache.org/POM/4.0.0">
<modelVersion>4.0.0</modelVersion><groupId>cleartitle</groupId><artifactId>job-server</artifactId><version>1</version>
<dependencyManagement><dependencies>
{managed}</dependencies></dependencyManagement><dependencies>
{wanted}</dependencies></project>
"""


class JobServer(NamedTuple):
    """A job server: its jar, the version of Flink that it speaks to (such as `1.19`), and what a user should know."""

    jar: Path
    flink: str
    note: str = ""

    def cluster_jars(self) -> list[Path]:
        """What a Flink that lies apart needs to run its jobs."""
        return [path for path in self._jars() if not path.name.startswith(("flink-", "slf4j-"))]

    def arguments(self) -> list[str]:
        """What `java` takes to start it for a cluster that has `cluster_jars`.

        A job server ships its whole class path with each job. To send 157 MB nine times a run would take longer than
        the jobs, so all but the few jars that must know each other stand where Java looks before that.
        """
        if self.jar.name != _LIBRARY_JAR:
            return ["-jar", str(self.jar)]
        shipped = [str(path) for path in self._jars() if path.name.startswith(_SHIPPED)]
        held = [str(path) for path in self._jars() if not path.name.startswith(_SHIPPED)]
        return [f"-Xbootclasspath/a:{os.pathsep.join(held)}", "-cp", os.pathsep.join(shipped), _MAIN]

    def _jars(self) -> list[Path]:
        return sorted((self.jar.parent / _JARS).iterdir()) if self.jar.name == _LIBRARY_JAR else [self.jar]


def job_server(jar: Path | None = None) -> JobServer:
    """The job server in `jar`, or that of the installed Beam release, fetched first if it is not there.

    Raises UsageError where there is no Maven or the jar's name does not say for which Flink it is, WorkError if it
    cannot be fetched.
    """
    return _named(jar) if jar else _fetched(version("apache-beam"))


def _named(jar: Path) -> JobServer:
    found = _JAR_NAME.search(jar.name)
    if found is None or not jar.is_file():
        raise UsageError(
            f"{jar} is not a job server for Flink that is called as Beam calls it: "
            "beam-runners-flink-FLINK-job-server-BEAM.jar."
        )
    return JobServer(jar.resolve(), found[1])


def _fetched(beam: str) -> JobServer:
    with held(f"beam-flink-{beam}") as directory:
        library = directory / _LIBRARY_JAR
        published = directory / f"beam-runners-flink-{PUBLISHED_FLINK}-job-server-{beam}.jar"
        if not library.exists() and _fetch_published(beam, published):
            return _named(published)
        jars = made(directory / _JARS, _fetch_library)
        made(library, lambda jar: _write_thin(jar, sorted(path.name for path in jars.iterdir())))
    note = f"Maven Central has no job server of Beam {beam} for Flink: this is the runner's library of {LIBRARY[1]}."
    return _named(library)._replace(note=note)


def _fetch_published(beam: str, jar: Path) -> bool:
    """Whether it is there, or could be fetched."""
    artifact = f"-Dartifact=org.apache.beam:beam-runners-flink-{PUBLISHED_FLINK}-job-server:{beam}"

    def fetch(unfinished: Path) -> None:
        place = f"-DoutputDirectory={unfinished.parent}"
        _maven(["dependency:get", "dependency:copy", artifact, "-Dtransitive=false", place])

    try:
        made(jar, fetch)
    except WorkError as error:
        if any(words in str(error) for words in _ABSENT):
            return False
        raise
    return True


def _fetch_library(jars: Path) -> None:
    pom = jars.parent / "pom.xml"
    managed, wanted = _dependency("org.apache.beam", *_JOB_SERVICE), _dependency("org.apache.beam", *LIBRARY)
    pom.write_text(_POM.format(managed=managed, wanted=wanted + _dependency("org.slf4j", *_LOG)))
    _maven(["--file", str(pom), "dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={jars}"])


def _dependency(group: str, name: str, release: str) -> str:
    lines = f"<groupId>{group}</groupId><artifactId>{name}</artifactId><version>{release}</version>"
    return f"<dependency>{lines}</dependency>\n"


def _maven(arguments: Sequence[str]) -> None:
    need_program("mvn", "Beam's job server for Flink is fetched with Maven")
    run(["mvn", "--batch-mode", "--quiet", *arguments], "The job server for Flink cannot be fetched")


def _write_thin(jar: Path, names: Sequence[str]) -> None:
    """A jar of a manifest alone: where to start, and which jars beside it to load and to ship to the cluster."""
    lines = ["Manifest-Version: 1.0", f"Main-Class: {_MAIN}", f"Class-Path: {' '.join(f'{_JARS}/{n}' for n in names)}"]
    with zipfile.ZipFile(jar, "w") as file:
        file.writestr("META-INF/MANIFEST.MF", "".join(f"{_folded(line)}\r\n" for line in lines))


def _folded(line: str) -> str:
    """A line of a manifest, which goes on behind a blank after `_LINE` characters."""
    first, rest = line[:_LINE], line[_LINE:]
    return "\r\n ".join([first, *(rest[i : i + _LINE - 1] for i in range(0, len(rest), _LINE - 1))])
