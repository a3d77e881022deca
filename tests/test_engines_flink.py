"""Fetching, starting and stopping Flink, as far as it can be tested without Java: with stand-ins for its programs."""

import signal
import sys
import tarfile
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from engines.flink import __main__ as command_line
from engines.flink import distribution as distributions
from engines.flink.cluster import Cluster, Ports
from engines.flink.commands import need_java, need_program, run
from engines.flink.distribution import RELEASES, Release, distribution, release_of
from engines.flink.job_server import LIBRARY, PUBLISHED_FLINK, JobServer, job_server
from engines.flink.jvm import JOB_SERVER, TASK_MANAGER, java, write_conf
from engines.places import held, made, place
from schemas.errors import UsageError, WorkError

ABSENT = 'case "$*" in *dependency:get*) echo "Could not find artifact x in central"; exit 1;; esac'
LIBRARIES = 'for word; do case "$word" in -DoutputDirectory=*) out="${word#*=}";; esac; done; mkdir -p "$out"'
JARS = ("beam-runners-flink-1.19-2.70.0.jar", "beam-vendor-guava-0.1.jar", "flink-core-1.19.0.jar", "slf4j-api-2.jar")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where engines lie; the PATH has `bin` of the test before all else."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setenv("CLEARTITLE_ENGINES", str(tmp_path / "engines"))
    return tmp_path / "engines"


@pytest.fixture
def program(home: Path) -> Callable[[str, str], Path]:
    """Puts a shell script of that name on the PATH; gives the file that it writes its arguments to, a line a call."""

    def put(name: str, rest: str) -> Path:
        calls = home.parent / f"{name}.calls"
        path = home.parent / "bin" / name
        path.write_text(f'#!/bin/sh\necho "$@" >> {calls}\n{rest}\n')
        path.chmod(0o755)
        return calls

    return put


# Places


def test_place_lies_in_the_checkout_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the variable, under `build/engines`."""
    monkeypatch.delenv("CLEARTITLE_ENGINES", raising=False)
    assert place("x") == Path(__file__).resolve().parents[1] / "build" / "engines" / "x"


def test_made_makes_once_and_whole(home: Path) -> None:
    """What fails leaves nothing; what succeeds is not made again."""

    def fail(path: Path) -> None:
        path.write_text("half")
        raise WorkError("broken off")

    with held("x") as directory:
        with pytest.raises(WorkError):
            made(directory / "file", fail)
        assert [path.name for path in directory.iterdir()] == ["lock"]
        assert made(directory / "file", lambda path: path.mkdir()).is_dir()
        assert made(directory / "file", fail).is_dir()


def test_held_lets_one_in_at_a_time(home: Path) -> None:
    """Of eight at once, one makes it."""
    calls: list[Path] = []

    def make(path: Path) -> None:
        calls.append(path)
        path.touch()

    def hold(_: int) -> Path:
        with held("x") as directory:
            return made(directory / "file", make)

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(hold, range(8)))) == 1
    assert len(calls) == 1


# Programs


def test_missing_program_is_asked_for(home: Path) -> None:
    """Why it is needed, and where to read how to get it."""
    with pytest.raises(UsageError) as caught:
        need_program("no-such-program", "Weaving needs a loom")
    assert str(caught.value) == (
        "Weaving needs a loom, and there is no `no-such-program` on the PATH.\nInstall it; docs/flink.md says how."
    )


def test_missing_java_is_asked_for(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a PATH with nothing on it."""
    monkeypatch.setenv("PATH", str(home.parent / "bin"))
    with pytest.raises(UsageError, match="no `java` on the PATH"):
        need_java()


@pytest.mark.parametrize("version", ["11.0.2", "17.0.15", "21"])
def test_java_that_flink_runs_on_is_taken(program: Callable[[str, str], Path], version: str) -> None:
    """Java says its version on stderr."""
    program("java", f"echo 'openjdk version \"{version}\" 2025-04-15' >&2")
    need_java()


@pytest.mark.parametrize("version", ["1.8.0_392", "25.0.1", "9"])
def test_java_that_flink_does_not_run_on_is_refused(program: Callable[[str, str], Path], version: str) -> None:
    """The letter quotes what it is."""
    program("java", f"echo 'openjdk version \"{version}\"' >&2")
    with pytest.raises(UsageError) as caught:
        need_java()
    assert str(caught.value).startswith(f'Flink needs Java 11 to 21, and `java` is: openjdk version "{version}"\n')


def test_failed_program_is_told_with_its_words(program: Callable[[str, str], Path]) -> None:
    """The command, its exit code, and what it wrote on both streams."""
    program("mvn", "echo out; echo err >&2; exit 3")
    with pytest.raises(WorkError) as caught:
        run(["mvn", "get"], "It cannot be fetched")
    assert str(caught.value) == "It cannot be fetched; `mvn get` ended with 3:\n\nout\nerr"


# Distribution


def test_release_that_is_not_known_is_refused() -> None:
    """The letter names those that are."""
    with pytest.raises(UsageError) as caught:
        release_of("2.2")
    assert str(caught.value) == "The job server is one for Flink 2.2; here Flink 1.19 or 1.20 can be started."


def test_releases_are_of_the_versions_that_they_stand_under() -> None:
    """A patch of that version, with a digest of 64 hex digits."""
    for flink, release in RELEASES.items():
        assert release.version.startswith(f"{flink}.")
        assert len(bytes.fromhex(release.sha256)) == 32


def test_distribution_is_fetched_by_this_python_with_its_digest(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pip checks the digest; of the archive only the jars of Flink stay. The second time nothing is fetched."""
    asked: list[str] = []

    def pip(command: list[str], failed: str) -> str:
        directory = Path(command[command.index("--dest") + 1])
        asked.append(Path(command[-1]).read_text())
        assert command[:4] == [sys.executable, "-m", "pip", "download"]
        name = "apache-flink-libraries-1.19.9"
        for path in ("deps/lib/flink-dist.jar", "deps/opt/python.jar", "setup.py"):
            (file := directory / "made" / name / path).parent.mkdir(parents=True, exist_ok=True)
            file.write_text(path)

        with tarfile.open(directory / f"{name}.tar.gz", "w:gz") as archive:
            archive.add(directory / "made" / name, name)
        return ""

    monkeypatch.setattr(distributions, "run", pip)
    for _ in range(2):
        lib = distribution(Release("1.19.9", "ab" * 32))
        assert lib == home / "flink-1.19.9" / "lib"
        assert [path.name for path in lib.iterdir()] == ["flink-dist.jar"]
    assert asked == [f"apache-flink-libraries==1.19.9 --hash=sha256:{'ab' * 32}\n"]
    assert sorted(path.name for path in lib.parent.iterdir()) == ["lib", "lock"]


# Job server


def test_published_job_server_is_preferred(program: Callable[[str, str], Path], home: Path) -> None:
    """Where Maven Central has it, it is fetched once and the library is not looked at."""
    calls = program("mvn", f"{LIBRARIES}\nfor w; do case $w in *:*:*) v=${{w##*:}};; esac; done\n"
                    f"echo jar > $out/beam-runners-flink-{PUBLISHED_FLINK}-job-server-$v.jar")  # fmt: skip
    server = job_server()
    assert (server.flink, server.note) == (PUBLISHED_FLINK, "")
    assert server.jar.read_text() == "jar\n"
    assert server.arguments() == ["-jar", str(server.jar)]
    assert server.cluster_jars() == [server.jar]
    assert job_server() == server
    assert len(calls.read_text().splitlines()) == 1


def test_library_stands_in_where_none_is_published(program: Callable[[str, str], Path], home: Path) -> None:
    """Its jars, and beside them one of a manifest alone that `java -jar` starts; and the note says so."""
    touch = "\n".join(f'echo x > "$out/{name}"' for name in JARS)
    calls = program("mvn", f"{ABSENT}\n{LIBRARIES}\n{touch}")
    server = job_server()
    assert server.jar.name == f"{LIBRARY[0]}-{LIBRARY[1]}.jar"
    assert server.flink == "1.19"
    assert server.note.endswith(f"this is the runner's library of {LIBRARY[1]}.")
    with zipfile.ZipFile(server.jar) as jar:
        manifest = jar.read("META-INF/MANIFEST.MF").decode()
    assert all(len(line) <= 72 for line in manifest.split("\r\n"))
    unfolded = manifest.replace("\r\n ", "")
    assert f"\r\nClass-Path: {' '.join(f'jars/{name}' for name in JARS)}\r\n" in unfolded
    assert "\r\nMain-Class: org.apache.beam.runners.flink.FlinkJobServerDriver\r\n" in unfolded
    assert job_server() == server
    assert len(calls.read_text().splitlines()) == 2


def test_job_server_of_the_library_ships_little(tmp_path: Path) -> None:
    """Its class path is what it ships; all else stands before that, and the cluster has it without Flink's own."""
    (tmp_path / "jars").mkdir()
    for name in JARS:
        (tmp_path / "jars" / name).touch()
    server = JobServer(tmp_path / f"{LIBRARY[0]}-{LIBRARY[1]}.jar", "1.19")
    jars = [tmp_path / "jars" / name for name in JARS]
    held_back, flag, shipped, main = server.arguments()
    assert held_back == f"-Xbootclasspath/a:{jars[1]}:{jars[2]}:{jars[3]}"
    assert (flag, shipped) == ("-cp", str(jars[0]))
    assert main.endswith(".FlinkJobServerDriver")
    assert server.cluster_jars() == jars[:2]


def test_maven_that_reaches_nothing_is_an_error(program: Callable[[str, str], Path]) -> None:
    """That no repository answers does not mean that none has it."""
    program("mvn", 'echo "Could not transfer artifact x: Connection refused"; exit 1')
    with pytest.raises(WorkError) as caught:
        job_server()
    assert str(caught.value).startswith("The job server for Flink cannot be fetched; `mvn ")
    assert str(caught.value).endswith("Connection refused")


def test_missing_maven_is_asked_for(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is left but the lock."""
    monkeypatch.setenv("PATH", str(home.parent / "bin"))
    with pytest.raises(UsageError, match="fetched with Maven, and there is no `mvn`"):
        job_server()
    assert [path.name for path in home.rglob("*") if path.is_file()] == ["lock"]


def test_named_job_server_is_taken_by_its_name(tmp_path: Path) -> None:
    """Of which Flink it is, its name says; one that says nothing, or is not there, is refused."""
    (jar := tmp_path / "beam-runners-flink-1.20-job-server-2.77.0.jar").touch()
    assert job_server(jar) == JobServer(jar, "1.20")
    (other := tmp_path / "server.jar").touch()
    for wrong in (other, tmp_path / "beam-runners-flink-1.19-job-server-2.77.0.jar"):
        with pytest.raises(UsageError, match=r"is not a job server for Flink"):
            job_server(wrong)


# Java and configuration


def test_task_manager_is_told_shares_that_fill_its_bounds(tmp_path: Path) -> None:
    """Flink checks them against each other; heap and direct memory are those that Java is given."""
    (conf := tmp_path / "conf").mkdir()
    write_conf(conf, rpc=6123, rest=8081, slots=2)
    lines = dict(line.split(": ", 1) for line in (conf / "config.yaml").read_text().splitlines())
    share = {
        name.removeprefix("taskmanager.memory."): int(value[:-1]) for name, value in lines.items() if "memory" in name
    }
    assert share["framework.heap.size"] + share["task.heap.size"] == TASK_MANAGER.heap
    direct = ("framework.off-heap.size", "task.off-heap.size", "network.max")
    assert sum(share[name] for name in direct) == TASK_MANAGER.direct
    assert share["network.min"] == share["network.max"]
    assert lines["taskmanager.cpu.cores"] == "2.0"
    assert (lines["rest.port"], lines["jobmanager.rpc.port"]) == ("8081", "6123")
    assert {lines[name] for name in lines if name.endswith(("address", "host"))} == {"127.0.0.1"}
    assert f"-Xmx{JOB_SERVER.heap}m" in java(JOB_SERVER)


# Command line


@pytest.fixture
def cluster(home: Path, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    """What `up` starts in place of a cluster: one process, written down as a cluster is."""

    def start_one(directory: Path, jar: Path | None = None) -> Cluster:
        made_up.directory = directory
        made_up._launch("worker pool", [sys.executable, "-c", "import signal; signal.pause()"])
        return made_up

    (home / "flink-cluster" / "log").mkdir(parents=True)
    made_up = Cluster(home / "flink-cluster", JobServer(Path("j.jar"), "1.19", "A note."), Ports(1, 2, 3, 4), {})
    monkeypatch.setattr(Cluster, "start", start_one)
    return made_up


def test_up_tells_how_to_run_and_down_ends_what_was_started(
    cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    """A second `up` finds the first; `down` ends it, and then there is none."""
    assert command_line.main(["up"]) == 0
    pool = cluster.worker_pool
    said = capsys.readouterr().out
    assert said.startswith("A note.\nFlink 1.19")
    assert f"\n  cleartitle curate CONFIG --output DIR -- {' '.join(cluster.options())}\n" in said
    assert [command_line.main(["up"]), command_line.main(["status"])] == [0, 0]
    assert capsys.readouterr().out == said * 2
    assert command_line.main(["down"]) == 0
    assert not pool.alive()
    assert command_line.main(["status"]) == 2
    assert capsys.readouterr().err == "No cluster was started here: python -m engines.flink up.\n"


def test_up_starts_anew_where_a_process_has_ended(cluster: Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    """A cluster that lost a process is ended; `status` names what it lost."""
    command_line.main(["up"])
    first = cluster.worker_pool
    first.end(signal.SIGKILL)
    command_line.main(["status"])
    assert f"{first.pid}  has ended; " in capsys.readouterr().out
    command_line.main(["up"])
    assert cluster.worker_pool.alive()
    assert cluster.worker_pool != first
    assert command_line.main(["down"]) == 0


def test_options_name_every_endpoint(cluster: Cluster) -> None:
    """By a job server that runs, and by Beam's runner that starts one."""
    assert cluster.options() == [
        "--runner=PortableRunner",
        "--job_endpoint=127.0.0.1:3",
        "--parallelism=4",
        "--environment_type=EXTERNAL",
        "--environment_config=127.0.0.1:4",
    ]
    assert cluster.flink_options()[:4] == [
        "--runner=FlinkRunner",
        "--flink_master=127.0.0.1:1",
        "--flink_version=1.19",
        "--flink_job_server_jar=j.jar",
    ]
