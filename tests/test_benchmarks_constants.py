"""The constants behind docs/scale.md: engines that count, on pipelines whose figures are known."""

import doctest
import json
import threading
from pathlib import Path
from typing import Any

import apache_beam as beam
import pytest
import yaml

from beam_jobs.runners.options import beam_options
from benchmarks import by_hand, constants, measure_costs, metered
from benchmarks.by_hand import HandEngine, run_step
from benchmarks.constants import CONSTANTS, about, measure_rounds
from benchmarks.corpus import build_corpus
from benchmarks.measure_costs import OPTIONS, apart, run_by_hand, run_metered
from benchmarks.metered import Cost, MeteredEngine, driver_markers, step_of
from benchmarks.scale_constants import SHUFFLES, STEPS
from transforms.part_store import Stage, write_file
from transforms.shuffle import Packed
from transforms.spread_parts import SpreadParts

MEGABYTE = 1 << 20


class Send(beam.DoFn):  # type: ignore[misc]
    """Sends, for part n, n elements of ten bytes to each of two keys."""

    def process(self, part: tuple[int, Any]) -> Any:
        for _ in range(part[0]):
            yield 0, b"0123456789"
            yield 1, b"0123456789"


class Hold(beam.DoFn):  # type: ignore[misc]
    """Holds 40 MB for a moment."""

    def process(self, keyed: tuple[int, Any]) -> None:
        del keyed
        held = bytearray(40 * MEGABYTE)
        held[::4096] = bytes(len(held[::4096]))


def pipeline(root: beam.Pipeline) -> object:
    return (
        root
        | SpreadParts([2, 3])
        | "Send" >> beam.ParDo(Send()).with_output_types(Packed)
        | "Group" >> beam.GroupByKey()
        | "Hold" >> beam.ParDo(Hold()).with_output_types(int)
    )


# By hand


def test_by_hand_counts_what_every_step_sends() -> None:
    """Parts 2 and 3 send 2 × (2 + 3) elements of ten bytes; the step behind is called for two keys, and sends none."""
    engine = HandEngine(beam_options(OPTIONS))
    engine.run("job", pipeline)
    found = {name: (ran.calls, ran.elements, ran.bytes) for name, ran in engine.ran.items()}
    assert found == {"job/Send": (2, 10, 100), "job/Hold": (2, 0, 0)}


def test_by_hand_sees_the_memory_of_one_call() -> None:
    """40 MiB that were there for a moment; of the step before, nearly nothing."""
    engine = HandEngine(beam_options(OPTIONS))
    engine.run("job", pipeline)
    assert 38 * MEGABYTE < engine.ran["job/Hold"].most_bytes < 50 * MEGABYTE
    assert engine.ran["job/Send"].most_bytes < 5 * MEGABYTE


def test_by_hand_counts_files_of_a_run_that_are_opened(tmp_path: Path) -> None:
    """Two reads of a JSON file and none of a file that a library might open for itself."""
    for name in ("marker.json", "library.txt"):
        (tmp_path / name).write_text("{}")

    class Read(beam.DoFn):  # type: ignore[misc]
        def process(self, keyed: tuple[int, Any]) -> None:
            (tmp_path / "library.txt").read_bytes()
            with open(tmp_path / "marker.json", "rb"):
                pass

    assert run_step(Read(), {1: [0], 2: [0]})[0].opens == 2


def test_both_engines_plan_as_a_cluster_does() -> None:
    """One pass of each kind over partitions of 64 MiB, unless others are asked for."""
    options = beam_options(OPTIONS)
    assert [(e.local, e.partition_bytes) for e in (MeteredEngine(options), HandEngine(options))] == [
        (False, 64 * MEGABYTE)
    ] * 2
    assert HandEngine(options, cut_bytes=MEGABYTE).partition_bytes == MEGABYTE


# Metered


def test_metered_engine_books_cpu_and_files_by_pipeline(tmp_path: Path) -> None:
    """What is written between pipelines is the driver's; passes of a step are one step with two pipelines."""

    class Write(beam.DoFn):  # type: ignore[misc]
        def process(self, keyed: tuple[int, Any]) -> None:
            with write_file(str(tmp_path / f"{keyed[0]}.bin")) as file:
                file.write(bytes(1000))

    engine = MeteredEngine(beam_options(OPTIONS), place=tmp_path)
    with engine.metering():
        (tmp_path / "between").write_bytes(bytes(7))
        for number in (0, 1):
            engine.run(f"pair-{number}", lambda root, n=number: root | SpreadParts([n]) | beam.ParDo(Write()))  # type: ignore[misc]
        (tmp_path / "after").write_bytes(bytes(5))
    costs = engine.by_step()
    assert {name: (cost.written_bytes, cost.files, cost.pipelines) for name, cost in costs.items()} == {
        "driver": (12, 2, 0),
        "pair": (2000, 2, 2),
    }
    assert costs["pair"].cpu_seconds > 0


def test_costs_add_up_field_by_field() -> None:
    """Every field of one to that of the other."""
    assert Cost(0.5, 1, 2, 3, 4) + Cost(0.25, 10, 20, 30, 40) == Cost(0.75, 11, 22, 33, 44)
    assert step_of("connect-17") == "connect"


def test_markers_that_the_driver_reads_are_counted_and_those_of_others_are_not(tmp_path: Path) -> None:
    """Two reads here, of which one finds nothing; one in a thread of another; and two at once."""
    stage = Stage(str(tmp_path), "digest")
    stage.finish(3, {})
    with driver_markers() as read:
        assert stage.marker(3) is not None
        assert stage.marker(4) is None
        thread = threading.Thread(target=stage.marker, args=(3,))
        thread.start()
        thread.join()
        assert len(stage.markers([3, 5])) == 2
    assert (read.in_turn, read.at_once) == ([3, 4], [3, 5])


# Whole measurements, small


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus of 300 documents in four parts."""
    place = tmp_path_factory.mktemp("constants")
    build_corpus(place / "crawl", 300, 4)
    path = place / "config.yaml"
    crawl = {"name": "bench", "files": [f"{place}/crawl/*.parquet"]}
    path.write_text(yaml.safe_dump({"crawl": crawl, "plan": {"part_size": "64 KiB"}}))
    return path


def test_metered_run_tells_every_step(config: Path, tmp_path: Path) -> None:
    """All nine steps and the driver; counts are those of the run, and each step but the lists has written."""
    found = run_metered(config, tmp_path / "run")
    assert set(found["steps"]) == {*STEPS, "driver"}
    assert (found["documents"], found["parts"], found["index_rows"]["index_urls"]) == (300, 4, 300)
    assert found["steps"]["measure"]["written_bytes"] > found["text_bytes"]
    assert all(found["steps"][step]["files"] > 0 for step in STEPS)
    assert found["driver_markers_at_once"] >= found["parts"]


def test_small_partitions_send_the_same_rows_in_more_elements(config: Path, tmp_path: Path) -> None:
    """Two cuts of the same keys: the more elements, the more bytes. That difference is what an element costs."""
    few, many = (run_by_hand(config, tmp_path / str(cut), cut) for cut in (1 << 26, 1 << 13))
    for name in SHUFFLES.values():
        assert few[name]["calls"] == many[name]["calls"] or name == SHUFFLES["verdicts"]
    keys = SHUFFLES["keys"]
    assert few[keys]["elements"] == 8 * 4
    assert many[keys]["elements"] == -(-300 * 27 * 44 // (1 << 13)) * 4
    element = (many[keys]["bytes"] - few[keys]["bytes"]) / (many[keys]["elements"] - few[keys]["elements"])
    assert 300 < element < 700


def test_rounds_connect_a_path_in_rounds_that_grow_with_its_chunks(tmp_path: Path) -> None:
    """256 edges are a chunk; four chunks take no fewer rounds than two, and each round is three pipelines."""
    two, four = (measure_rounds(nodes, tmp_path / str(nodes), 4096) for nodes in (512, 1024))
    assert (two["chunks"], four["chunks"]) == (2, 4)
    assert 1 < two["rounds"] <= four["rounds"] <= 5
    assert four["pipelines"] == 3 * four["rounds"] + 2
    assert four["sent_bytes"] > 2 * two["sent_bytes"]


def test_process_of_its_own_hands_back_what_it_finds() -> None:
    """The call runs elsewhere, and its answer comes here."""
    assert apart(constants.measure_idle)["bytes"] > 100 * MEGABYTE


def test_about_says_when_where_and_how() -> None:
    """Date, commit, machine, command and versions, none of them empty."""
    said = about([10])
    assert said["command"] == "python -m benchmarks.constants --documents 10"
    assert set(said) == {"date", "commit", "command", "machine", "python", "versions"}
    assert all(said.values())


def test_committed_constants_hold_what_the_paper_needs() -> None:
    """Two kinds of text and two sizes of each, every step, both cuts of the smaller size."""
    found = json.loads(CONSTANTS.read_text())
    kinds = {run["corpus"] for run in found["runs"]}
    assert kinds == {"made-up", "civil"}
    for kind in kinds:
        mine = [run for run in found["runs"] if run["corpus"] == kind]
        assert len(mine) == len({run["documents"] for run in mine}) == 2
        assert len(min(mine, key=lambda run: int(run["documents"]))["by_hand"]) == 2
        assert all(set(run["steps"]) == {*STEPS, "driver"} for run in mine)
    assert found["keys"] == constants.KEYS == 27


def test_examples_run() -> None:
    """What the docstrings show is what comes out."""
    for module in (metered, by_hand, measure_costs):
        assert doctest.testmod(module).failed == 0
