"""docs/scale.md: it is what the constants and formulas say, and these are what a real small run does."""

import doctest
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from beam_jobs.runners.options import beam_options
from benchmarks import scale_constants, scale_costs, scale_paper, scale_words
from benchmarks.by_hand import HandEngine
from benchmarks.corpus import build_corpus
from benchmarks.measure_costs import OPTIONS, curate_with, run_metered
from benchmarks.prices import MACHINES, PRICES
from benchmarks.scale_constants import PARTITION_BYTES, STEPS, Constants, cells
from benchmarks.scale_costs import FORMULAS, Size, bill, driver_requests, driver_seconds, index_ranges, steps
from benchmarks.scale_limits import LIMITS, hurts_from
from configs.model import Dedup
from transforms.decide.duplicate_rules import duplicate_rules
from transforms.publish.count_sources import SENT_BYTES

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS, PARTS = 2000, 10
CUT = 128 << 10
MIB = 1 << 20


@pytest.fixture(scope="module")
def constants() -> Constants:
    return Constants.read()


# The document


def test_committed_document_is_the_generated_one(constants: Constants) -> None:
    """A change of a constant, a price or a formula goes with its document."""
    written = (ROOT / "docs" / "scale.md").read_text("utf-8")
    assert written == scale_paper.paper(constants), "run: python -m benchmarks.scale_paper > docs/scale.md"


def test_document_has_a_row_for_every_step_and_limit(constants: Constants) -> None:
    """Nine steps for each of three sizes; every limit with its remedy; and the answer before all of them."""
    written = scale_paper.paper(constants)
    for step in STEPS:
        assert written.count(f"\n| {step} | ") == 5  # three sizes, the formulas, the constants
    assert all(f"| {limit.what} |" in written and limit.remedy in written for limit in LIMITS)
    assert written.index("## The answer") < written.index("**What breaks first.**") < written.index("## What breaks")


def test_steps_are_in_the_order_of_a_run() -> None:
    """Formulas and constants speak of the same nine."""
    assert tuple(FORMULAS) == STEPS


# Cells


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 2000))
def test_cells_are_what_chance_fills(parts: int, partitions: int, rows: int) -> None:
    """Near the exact expectation, all cells less those that every row misses; and never more than there can be."""
    every = parts * partitions
    exact = every * (1 - (1 - 1 / every) ** rows)
    found = cells(parts, partitions, rows)
    assert 0 < found <= min(every, rows)
    assert math.isclose(found, exact, rel_tol=0.6 / every + 1e-9) or every < 3


# By hand for one size


def test_a_billion_documents_by_hand(constants: Constants) -> None:
    """Parts, partitions, elements and files of pairing, and what the index reads, from the raw constants alone."""
    run, size = constants.run, Size(1e9, 256 * MIB, 25)
    found = {step.name: step for step in steps(constants, size)}
    parts = math.ceil(1e9 * run["input_bytes"] / run["documents"] / (256 * MIB))
    keys = 27e9
    spread = -(-27_000_000_000 * 44 // (64 * MIB))
    assert found["pair"].files == spread == 17703
    elements = parts * spread * (1 - math.exp(-keys / parts / spread))
    assert math.isclose(found["pair"].elements, elements, rel_tol=1e-9)
    sending = constants.sending("keys")
    assert math.isclose(found["pair"].sent, keys * sending.row + elements * sending.element, rel_tol=1e-9)
    assert found["measure"].files == 3 * parts
    assert found["write"].files == 7 * parts
    rows = {name: 1e9 * count / run["documents"] for name, count in run["index_rows"].items()}
    ranges = math.ceil(rows["index_keys"] / (4 << 20)) + math.ceil(rows["index_urls"] / (1 << 20))
    assert (found["index"].files, found["index"].requests) == (2 * ranges, 3 * parts * ranges)


def test_bill_adds_up_by_hand(constants: Constants) -> None:
    """Workers by the hour, shuffled gigabytes twice, requests by the thousand, and what is stored."""
    size = Size(1e9, 256 * MIB, 25)
    found, said = steps(constants, size), bill(constants, size)
    seconds = [
        240 * step.pipelines
        + step.cpu_seconds / 100 / 0.7
        + (step.requests * 0.03 + (step.read + step.written) / 50e6) / 100
        for step in found
    ]
    waits = driver_seconds(constants, size)
    assert math.isclose(said.hours, (sum(seconds) + waits) / 3600)
    assert math.isclose(said.driver_hours, waits / 3600)
    workers = 100 * PRICES.dataflow_core_hour + 25 * 32 * PRICES.dataflow_gb_hour
    sent = sum(step.sent for step in found) / 1e9
    assert math.isclose(said.dataflow, sum(seconds) / 3600 * workers + 2 * sent * PRICES.dataflow_shuffled_gb)
    assert said.flink < said.dataflow
    reads = sum(step.requests for step in found) + driver_requests(constants, size)
    writes = sum(step.files for step in found)
    assert math.isclose(said.requests, reads * 0.0004 / 1000 + writes * 0.005 / 1000)


def test_more_documents_never_cost_less(constants: Constants) -> None:
    """Ten times the documents take no less of anything, in any step."""
    for few, many in zip(
        steps(constants, Size(1e7, 32 * MIB, 4)), steps(constants, Size(1e8, 32 * MIB, 4)), strict=True
    ):
        for name in ("sent", "elements", "files", "requests", "read", "written", "cpu_seconds", "memory"):
            assert getattr(few, name) <= getattr(many, name), (few.name, name)


def test_defaults_are_those_of_the_rules() -> None:
    """Bytes by which partitions are planned, and the partition of a cluster."""
    rules = duplicate_rules(Dedup())
    planned = (rules.key_bytes, rules.member_bytes, SENT_BYTES)
    assert planned == (scale_costs.KEY_BYTES, scale_costs.MEMBER_BYTES, scale_costs.SOURCE_BYTES)
    assert HandEngine(beam_options(OPTIONS)).partition_bytes == PARTITION_BYTES


# Limits


def test_a_limit_hurts_from_where_its_strain_reaches_one(constants: Constants) -> None:
    """Just below it does not, just above it does; and each that says a size lies inside the range that is searched."""
    for limit in LIMITS:
        start = hurts_from(limit, constants, 256 * MIB)
        if start is not None:
            assert limit.strain(constants, Size(start * 1.01, 256 * MIB, 1)) >= 1, limit.what
            assert limit.strain(constants, Size(start * 0.98, 256 * MIB, 1)) < 1.01, limit.what


def test_larger_parts_move_what_goes_by_parts(constants: Constants) -> None:
    """Eight times the part: markers wait eight times later; memory for one key stays where it was."""
    by_words = {limit.what.split()[0]: limit for limit in LIMITS}
    small, large = (hurts_from(by_words["The"], constants, size * MIB) for size in (32, 256))
    assert small is not None
    assert large is not None
    assert math.isclose(large / small, 8, rel_tol=0.01)
    hot = next(limit for limit in LIMITS if limit.what.startswith("One key"))
    assert hurts_from(hot, constants, 32 * MIB) == hurts_from(hot, constants, 256 * MIB)


# Against a real run


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """2,000 made-up documents in ten files, each of which is a part."""
    place = tmp_path_factory.mktemp("scale")
    build_corpus(place / "crawl", DOCUMENTS, PARTS)
    path = place / "config.yaml"
    crawl = {"name": "bench", "files": [f"{place}/crawl/*.parquet"]}
    path.write_text(yaml.safe_dump({"crawl": crawl, "plan": {"part_size": "512 KiB"}}))
    return path


@pytest.fixture(scope="module")
def engine(config: Path) -> HandEngine:
    """The run by hand, over partitions of 128 KiB."""
    engine = HandEngine(beam_options(OPTIONS), cut_bytes=CUT)
    curate_with(config, engine, config.parent / "by-hand")
    return engine


@pytest.fixture(scope="module")
def metered(config: Path) -> dict[str, Any]:
    return run_metered(config, config.parent / "metered")


def test_keys_are_sent_as_the_formula_says(engine: HandEngine, constants: Constants) -> None:
    """Elements: every part to every partition, as rows are many. Bytes: within 2 %."""
    sent, sending = engine.ran["pair-0/ReadKeys"], constants.sending("keys")
    keys, spread = 27 * DOCUMENTS, -(-27 * DOCUMENTS * scale_costs.KEY_BYTES // CUT)
    assert sent.elements == PARTS * spread == round(cells(PARTS, spread, keys))
    assert math.isclose(sent.bytes, keys * sending.row + sent.elements * sending.element, rel_tol=0.02)
    assert engine.ran["pair-0/WriteEdges"].calls == spread


def test_members_and_verdicts_are_sent_as_the_formula_says(
    engine: HandEngine, metered: dict[str, Any], constants: Constants
) -> None:
    """There and back, every part has something for every partition. Bytes: within 5 %."""
    members = metered["members"]
    for what, call in (("members", "judge-0/GatherMembers"), ("verdicts", "judge-0/JudgeMembers")):
        sent, sending = engine.ran[call], constants.sending(what)
        assert math.isclose(sent.elements, cells(PARTS, 8, members), rel_tol=0.02)
        assert math.isclose(sent.bytes, members * sending.row + sent.elements * sending.element, rel_tol=0.05)


def test_sets_are_read_by_a_range_for_each_part_and_batch(engine: HandEngine, metered: dict[str, Any]) -> None:
    """Judges open as many files as there are elements, for here a batch is a partition."""
    judge = engine.ran["judge-0/JudgeMembers"]
    assert judge.opens == judge.elements
    assert math.isclose(judge.opens, cells(PARTS, 8, metered["members"]), rel_tol=0.02)


def test_index_opens_every_run_for_every_range(engine: HandEngine) -> None:
    """Two indexes of one file each, ten parts: twenty opens; and each file is read once more for its digest."""
    merge = engine.ran["index/MergeRange"]
    assert (merge.calls, merge.opens) == (2, 2 * PARTS + 2)


def test_files_are_written_as_the_formulas_say(engine: HandEngine, metered: dict[str, Any]) -> None:
    """Of every step, by parts, partitions and ranges; eight partitions are the fewest."""
    files = {name: step["files"] for name, step in metered["steps"].items()}
    expected = {
        "measure": 3 * PARTS,
        "weigh": 3 * PARTS,
        "pair": 8,
        "connect": PARTS + 1,
        "judge": 2 * PARTS + 8,
        "settle": 2 * PARTS,
        "survey": 8,
        "write": 7 * PARTS,
        "index": 2 * 2,
    }
    assert {name: files[name] for name in expected} == expected


def test_made_up_run_agrees_with_the_formulas_of_its_size(metered: dict[str, Any]) -> None:
    """Constants that are made of this run alone say of its size what it did: parts, files, ranges of the index."""
    again = {**metered, "parts": PARTS + 1, "documents": DOCUMENTS}
    own = Constants({"runs": [{**metered, "corpus": "made-up"}, {**again, "corpus": "made-up"}], "keys": 27})
    size = Size(DOCUMENTS, math.ceil(metered["input_bytes"] / PARTS), 1)
    assert size.parts(own) == PARTS
    assert index_ranges(own, size) == 2


# CPU


def test_fitted_seconds_find_what_made_them() -> None:
    """Runs that take 2 s, 30 µs a document and 4 ns a byte are fitted by just these, without an error."""
    runs = [
        {
            "corpus": "made-up",
            "documents": documents,
            "text_bytes": text,
            "steps": {"weigh": {"cpu_seconds": 2 + 3e-5 * documents + 4e-9 * text}},
        }
        for documents, text in ((25_000, 15e7), (100_000, 6e8), (25_000, 14e6), (100_000, 55e6))
    ]
    spent = Constants({"runs": runs}).spent("weigh")
    found = (spent.fixed, spent.document, spent.byte)
    assert all(map(math.isclose, found, (2, 3e-5, 4e-9)))
    assert spent.worst < 1e-9
    assert math.isclose(spent.seconds(1e6, 1e9), 2 + 30 + 4)


def test_elements_cost_cpu_of_their_own(constants: Constants) -> None:
    """What a step takes is its fitted time and the elements that it sends."""
    size = Size(1e9, 32 * MIB, 25)
    pair = next(step for step in steps(constants, size) if step.name == "pair")
    fitted = constants.spent("pair").seconds(1e9, 1e9 * constants.of_document("text_bytes"))
    assert math.isclose(pair.cpu_seconds, fitted + pair.elements * constants.element_seconds)


def test_time_falls_with_workers_but_not_the_starts(constants: Constants) -> None:
    """Twice the cores halve the work of a step; what a pipeline takes to start stays."""
    step = steps(constants, Size(1e9, 256 * MIB, 25))[0]
    one, two = (step.seconds(cores, MACHINES.start_seconds) - MACHINES.start_seconds for cores in (50, 100))
    assert math.isclose(one, 2 * two)


def test_examples_run() -> None:
    """What the docstrings show is what comes out."""
    for module in (scale_words, scale_constants):
        result = doctest.testmod(module)
        assert (result.failed, result.attempted > 0) == (0, True)


def test_command_prints_the_document() -> None:
    """`python -m benchmarks.scale_paper` writes the file to standard output, byte for byte."""
    command = [sys.executable, "-m", "benchmarks.scale_paper"]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    assert (printed.stdout, printed.stderr) == ((ROOT / "docs" / "scale.md").read_bytes(), b"")
