"""Components of edge files: the same bytes on one worker, in rounds, on any workers, and after any break."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from apache_beam import Pipeline
from apache_beam.options.pipeline_options import PipelineOptions
from hypothesis import HealthCheck, given, settings

import beam_jobs.connect
from beam_jobs.connect import connect_components
from beam_jobs.runners.engine import Engine
from schemas.errors import WorkError
from tests.graphs import I64, U64, components, ends
from tests.memory_files import MemoryFiles
from tests.test_kernel_components import EDGES
from transforms.part_store import Stage, read_arrow, write_arrow

ROWS = 1000
"""Rows of a part: ids are a part number and a row, as those of documents."""
NODES, ROUNDS, CHUNK = 12_000, 200 << 10, 40 << 10
"""So many nodes in a grid have twice the bytes of edges that a worker may hold here: several rounds and passes."""


def options(workers: int = 1, mode: str = "in_memory") -> PipelineOptions:
    arguments = [f"--direct_num_workers={workers}", f"--direct_running_mode={mode}"]
    return PipelineOptions(["--runner=FnApiRunner", *arguments])


def ids(numbers: I64, rows: int = ROWS) -> U64:
    return (numbers // rows << 32 | numbers % rows).astype(np.uint64)


def lay(place: Path | str, a: U64, b: U64, files: int = 6) -> Stage:
    """A pairs stage of three passes, with the edges spread over files as they come; one more file has none."""
    pairs = Stage(f"{place}/pairs", "pairs")
    pairs.begin({})
    low, high = np.minimum(a, b), np.maximum(a, b)
    for number in range(files + 1):
        mine = slice(len(a) * number // files, len(a) * (number + 1) // files)
        table = pa.table({"a": low[mine], "b": high[mine]})
        write_arrow(f"{pairs.directory}/edges-{number % 3:05d}-{number:05d}.arrow", table)
    return pairs


def members_of(place: Path | str) -> Stage:
    stage = Stage(f"{place}/members", "members")
    stage.begin({})
    return stage


class _Watched(Engine):
    """An engine that lets a `Run` run its pipelines."""

    run_of: "Run"

    def run(self, name: str, build: Callable[[Pipeline], object]) -> None:
        self.run_of.run(self, name, build)


class Run:
    """A run over edges in `place`; remembers what it was told and how many pipelines it ran."""

    def __init__(self, place: Path):
        self.place, self.told, self.pipelines, self.chunk = place, list[str](), 0, CHUNK
        self.members = members_of(place)
        self.after_pipeline: Callable[[], None] = lambda: None
        self.in_processes: tuple[int, ...] = ()

    def run(self, engine: Engine, name: str, build: Callable[[Pipeline], object]) -> None:
        """Run a pipeline of an engine, in processes if it is one of `in_processes`."""
        other = Engine(options(2, "multi_processing")) if self.pipelines in self.in_processes else engine
        Engine.run(other, name, build)
        self.pipelines += 1
        self.after_pipeline()

    def connect(self, memory: int = ROUNDS, most: int = 50, beam: PipelineOptions | None = None) -> dict[str, bytes]:
        """The files of `members` after a run whose workers hold no more than `memory`."""
        work = f"{self.members.directory}/rounds"
        pairs = Stage(f"{self.place}/pairs", "pairs")
        engine = _Watched(beam or options())
        engine.run_of = self
        connect_components(pairs, self.members, work, engine, memory, most, self.told.append, self.chunk)
        return {path.name: path.read_bytes() for path in sorted(Path(self.members.directory).iterdir())}


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A run over a grid that takes several rounds."""
    lay(tmp_path, *(ids(end) for end in ends("grid", NODES)))
    return Run(tmp_path)


@pytest.fixture
def single_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    """Starting pipelines is what takes time here, so most tests do without passes."""
    monkeypatch.setattr(beam_jobs.connect._Rounds, "_passes", lambda *_: 1)


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What one worker writes for the same grid."""
    place = tmp_path_factory.mktemp("unbroken")
    lay(place, *(ids(end) for end in ends("grid", NODES)))
    return Run(place).connect(1 << 30)


def assert_members(stage: Stage, a: U64, b: U64) -> None:
    """Check every file of members, and the marker, against scipy."""
    nodes, roots = components(a, b)
    parts = nodes >> np.uint64(32)
    names = {path.name for path in Path(stage.directory).iterdir()}
    assert names == {"stage.json", "part-00000.json", *(f"part-{part:05d}.arrow" for part in np.unique(parts))}
    for part in np.unique(parts):
        table = read_arrow(stage.path(int(part), "arrow"))
        assert table.schema == pa.schema({"row": pa.uint32(), "component": pa.uint64()})
        assert (table["row"].to_numpy() == nodes[parts == part] & np.uint64(0xFFFFFFFF)).all()
        assert (table["component"].to_numpy() == roots[parts == part]).all()
    names, sizes = np.unique(roots, return_counts=True)
    marker = stage.marker(0)
    assert marker is not None
    assert [marker[key] for key in ("members", "components", "largest")] == [len(nodes), len(sizes), sizes.max()]
    assert marker["largest_id"] == names[np.argmax(sizes)]  # the first of several


@pytest.mark.parametrize("shape", ["path", "star"])
def test_million_nodes_are_connected_in_two_rounds_of_partitions_of_the_usual_size(tmp_path: Path, shape: str) -> None:
    """Edges in random order over 40 files, and workers that hold one partition, as little as can be."""
    a, b = (ids(end, 50_000) for end in ends(shape, 1_000_000))
    lay(tmp_path, a, b, 40)
    run = Run(tmp_path)
    said: list[str] = []
    pairs = Stage(f"{tmp_path}/pairs", "pairs")
    connect_components(pairs, run.members, f"{tmp_path}/work", Engine(options()), 1, 2, said.append)
    assert_members(run.members, a, b)
    assert said == [
        "connecting components, round 1",
        "connecting components, round 2",
        "connecting components, round 1 back",
        "counting components",
    ]
    assert not (tmp_path / "work").exists()


@pytest.mark.usefixtures("single_pass")
@pytest.mark.parametrize("shape", ["grid", "sparse", "dense"])
def test_rounds_write_the_bytes_of_one_worker(tmp_path: Path, shape: str) -> None:
    """Whatever the shape: the files and the marker, byte by byte, and what scipy finds."""
    a, b = (ids(end) for end in ends(shape, NODES))
    lay(tmp_path / "one", a[a != b], b[a != b])
    lay(tmp_path / "many", a[a != b], b[a != b])
    one, many = Run(tmp_path / "one"), Run(tmp_path / "many")
    assert one.connect(1 << 30) == many.connect(50 << 10 if shape == "sparse" else 150 << 10)
    assert one.told == ["connecting components"]
    assert "connecting components, round 1" in many.told
    assert_members(one.members, a[a != b], b[a != b])


@pytest.mark.usefixtures("single_pass")
@settings(deadline=None, max_examples=3, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(EDGES.map(lambda edges: [(a, b) for a, b in edges if a != b]).filter(bool))
def test_any_small_graph_is_connected_alike(tmp_path_factory: pytest.TempPathFactory, edges: list[list[int]]) -> None:
    """A few edges a file; a file weighs some hundred bytes beside its edges, so this takes rounds too."""
    place = tmp_path_factory.mktemp("small")
    a, b = (ids(np.array(column), 8) for column in zip(*edges, strict=True))
    lay(place, a, b, 3)
    run = Run(place)
    run.chunk = 1
    run.connect(1200)
    assert "connecting components, round 1" in run.told
    assert_members(run.members, a, b)


def test_no_edges_make_no_members(tmp_path: Path) -> None:
    """A crawl without any candidates: a marker that says so, and no file."""
    lay(tmp_path, np.empty(0, np.uint64), np.empty(0, np.uint64), 1)
    run = Run(tmp_path)
    assert list(run.connect(1 << 30)) == ["part-00000.json", "stage.json"]
    marker = run.members.marker(0) or {}
    assert [marker[key] for key in ("members", "components", "largest")] == [0, 0, 0]


@pytest.mark.usefixtures("single_pass")
@pytest.mark.parametrize("workers", [1, 3])
def test_threads_change_no_byte(run: Run, unbroken: dict[str, bytes], workers: int) -> None:
    """One, or three at a time."""
    assert run.connect(beam=options(workers, "multi_threading")) == unbroken
    assert "connecting components, round 2" in run.told


@pytest.mark.usefixtures("single_pass")
def test_processes_change_no_byte(run: Run, unbroken: dict[str, bytes]) -> None:
    """The first round and the last step by two processes, which know only files and settings; the rest by threads."""
    run.in_processes = (0, 1, 7)
    assert run.connect() == unbroken
    assert run.pipelines == 8


def test_done_members_are_left_alone(run: Run, unbroken: dict[str, bytes]) -> None:
    """No pipeline is run again; only what a killed run left of its rounds is removed."""
    assert run.connect(1 << 30) == unbroken
    (run.place / "members/rounds/leaders-0").mkdir(parents=True)
    assert run.connect() == unbroken
    assert run.pipelines == 1


@pytest.mark.usefixtures("single_pass")
def test_run_that_does_not_converge_says_what_to_set_and_goes_on_from_there(
    run: Run, unbroken: dict[str, bytes]
) -> None:
    """The rounds that are done are kept: with more of them allowed, no pipeline of theirs is run again."""
    with pytest.raises(WorkError) as caught:
        run.connect(most=1)
    left = run.place / "members/rounds/edges-1"
    rows = sum(len(read_arrow(str(path))) for path in left.iterdir())
    assert rows > 0
    assert str(caught.value) == (
        f"Components are not connected after 1 rounds: {rows:,} edges still join nodes with different labels.\n"
        "Set `run.component_rounds`, now 1, to 2 and go on with --resume."
    )
    assert run.members.marker(0) is None
    before = run.pipelines
    with pytest.raises(WorkError):
        run.connect(most=1)
    assert run.pipelines == before
    assert run.connect() == unbroken


@pytest.mark.usefixtures("single_pass")
def test_run_broken_between_any_two_steps_goes_on_and_does_nothing_twice(run: Run, unbroken: dict[str, bytes]) -> None:
    """Broken at the first sight of every step: as many pipelines in all as an unbroken run has."""
    seen: set[str] = set()

    class _BreakingList(list[str]):
        def append(self, words: str) -> None:
            super().append(words)
            if words not in seen:
                seen.add(words)
                raise KeyboardInterrupt

    run.told = _BreakingList()
    breaks = 0
    while run.members.marker(0) is None:
        try:
            assert run.connect() == unbroken
        except KeyboardInterrupt:
            breaks += 1
    in_all = run.pipelines
    assert breaks == len(seen) >= 4
    for path in Path(run.members.directory).glob("part-*"):
        path.unlink()
    assert run.connect() == unbroken
    assert run.pipelines == 2 * in_all


def test_run_broken_inside_a_step_starts_that_step_anew(run: Run, unbroken: dict[str, bytes]) -> None:
    """Four times after a pass, before the marker, with half a file left; and it goes on with other memory."""

    def break_off() -> None:
        if run.pipelines in (1, 6, 11, 18):
            steps = (path for path in Path(run.members.directory, "rounds").iterdir() if path.is_dir())
            newest = max(steps, key=lambda path: path.stat().st_mtime_ns)
            (newest / "part-99999.arrow").write_bytes(b"half a file")
            raise KeyboardInterrupt

    run.after_pipeline = break_off
    breaks = 0
    while run.members.marker(0) is None:
        try:
            assert run.connect(ROUNDS + 20_000 * (breaks % 3)) == unbroken
        except KeyboardInterrupt:
            breaks += 1
    assert breaks == 4


@pytest.mark.usefixtures("single_pass")
def test_rounds_of_other_edges_are_of_no_use(run: Run, unbroken: dict[str, bytes]) -> None:
    """Another number of passes makes other edge files: rounds that were begun on the old ones are begun anew."""
    other = lay(run.place / "other", *(ids(end) for end in ends("star", NODES)))
    with pytest.raises(WorkError, match="after 1 rounds"):
        connect_components(
            other, run.members, f"{run.members.directory}/rounds", Engine(options()), CHUNK, 1, run.told.append, CHUNK
        )
    assert run.connect() == unbroken


@pytest.mark.usefixtures("single_pass")
def test_rounds_work_on_an_object_store() -> None:
    """Without directories, renames or maps of files, and nothing is left of the rounds."""
    MemoryFiles.files.clear()
    a, b = (ids(end) for end in ends("grid", NODES))
    pairs, members = lay("memory://crawl", a, b), members_of("memory://crawl")
    said: list[str] = []
    engine = Engine(options())
    connect_components(pairs, members, "memory://crawl/members/rounds", engine, ROUNDS, 50, said.append, CHUNK)
    roots = components(a, b)[1]
    found = [read_arrow(members.path(part, "arrow"))["component"].to_numpy() for part in range(NODES // ROWS)]
    assert (np.concatenate(found) == roots).all()
    assert "connecting components, round 2" in said
    assert not [path for path in MemoryFiles.files if "rounds" in path]
    MemoryFiles.files.clear()
