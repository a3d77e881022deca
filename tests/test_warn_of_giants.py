"""Giants: a key or a component that one worker could not hold is said before it has to."""

import logging
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from beam_jobs.console.warn_of_giants import FEW, hottest_key, warn_of_components, warn_of_keys
from beam_jobs.runners.engine import Distribution, StepReport
from tests.members import RULES
from tests.tables import digest_of, fingerprinted
from transforms.decide.all_parts import AllParts
from transforms.decide.duplicate_rules import DuplicateRules
from transforms.measure.fingerprint import NearSettings
from transforms.part_store import Stage

MEMORY = 1 << 30
RULES_OF_NEAR: DuplicateRules = replace(RULES, bands=25, rows=5, most_comparisons=64)
LEADER = (1 << 32) + 2
"""Row 2 of part 1."""


@pytest.fixture
def parts(tmp_path: Path) -> AllParts:
    """Two parts of three documents, one of them without a URL."""
    stage = Stage(str(tmp_path), "m")
    for part in range(2):
        urls = ["http://a.example/", None, "http://a.example/[red]\n"]
        rows = [{"text": "t", "doc_id": digest_of(10 * part + row), "url": url} for row, url in enumerate(urls)]
        pq.write_table(fingerprinted(rows, NearSettings(2, 4, 4)), stage.path(part))
    return AllParts(stage, 2)


def found(largest: int, leader: int = LEADER) -> dict[str, int]:
    return {"members": largest, "components": 1, "largest": largest, "largest_id": leader}


def paired(*largest: int) -> list[dict[str, int]]:
    """Markers of passes of pairing, the last by an engine that keeps no counters."""
    spread = [Distribution(one, 1, 1, one) for one in largest]
    steps = [StepReport(f"pair-{n}", 1.0, {"pair.key_documents": one}) for n, one in enumerate(spread)]
    return [hottest_key([step]) for step in (*steps, StepReport("pair", 1.0, {}))]


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]


@pytest.mark.parametrize(
    ("largest", "records", "memory", "warned"),
    [
        (FEW, 2 * FEW, MEMORY, False),  # few, however large their share
        (FEW + 1, 10 * FEW, MEMORY, True),
        (FEW + 1, 10 * (FEW + 1), MEMORY, False),  # a tenth
        (FEW + 2, 10 * (FEW + 1), MEMORY, True),
        (100, 10**6, 4 * 100 * RULES_OF_NEAR.member_bytes, False),  # a quarter of the memory
        (100, 10**6, 4 * 100 * RULES_OF_NEAR.member_bytes - 1, True),
        (0, 0, MEMORY, False),
    ],
)
def test_giant_is_much_of_all_or_much_of_the_memory(
    parts: AllParts, caplog: pytest.LogCaptureFixture, largest: int, records: int, memory: int, warned: bool
) -> None:
    """More than a tenth of the documents and more than ten thousand, or more than a quarter of `run.shuffle_memory`."""
    warn_of_components(found(largest), parts, RULES_OF_NEAR, records, memory)
    assert len(warnings(caplog)) == warned


def test_warning_of_a_component_says_what_it_takes_and_where_to_look(
    parts: AllParts, caplog: pytest.LogCaptureFixture
) -> None:
    """Members, bytes on one worker, comparisons at most, the page it is about, and what can be done."""
    warn_of_components(found(1_000_000), parts, RULES_OF_NEAR, 3_000_000, MEMORY)
    (said,) = warnings(caplog)
    size = 1_000_000 * RULES_OF_NEAR.member_bytes
    assert said.startswith(
        "cleartitle: warning: 1,000,000 of 3,000,000 documents hang together in one component, that of "
        "http://a.example/[red]\\n. One worker will hold "
        f"{size / (1 << 20):.1f} MiB and compare at most 64,000,000 pairs of texts"
    )
    assert "`dedup.near.threshold`" in said
    told = vars(caplog.records[0])
    assert {name: told[name] for name in ("documents", "bytes", "comparisons", "url", "doc_id")} == {
        "documents": 1_000_000,
        "bytes": size,
        "comparisons": 64_000_000,
        "url": "http://a.example/[red]\n",
        "doc_id": digest_of(12).hex(),
    }


def test_component_of_a_page_without_url_is_named_by_its_id(parts: AllParts, caplog: pytest.LogCaptureFixture) -> None:
    """By which `cleartitle lookup` finds it once the dataset is there."""
    warn_of_components(found(20_000, leader=1), parts, RULES_OF_NEAR, 30_000, MEMORY)
    assert f"that of {digest_of(1).hex()}. " in warnings(caplog)[0]


def test_run_without_components_needs_no_leader(parts: AllParts, caplog: pytest.LogCaptureFixture) -> None:
    """Where nothing is paired, or a marker of an earlier version is resumed from."""
    warn_of_components({"members": 0, "components": 0, "largest": 0}, parts, RULES_OF_NEAR, 5, MEMORY)
    warn_of_components({}, parts, RULES_OF_NEAR, 5, MEMORY)
    assert warnings(caplog) == []


@pytest.mark.parametrize(("largest", "warned"), [((3, FEW + 1, 8), True), ((3, FEW), False), ((), False)])
def test_hot_key_of_any_pass_is_warned_of(
    caplog: pytest.LogCaptureFixture, largest: tuple[int, ...], warned: bool
) -> None:
    """The largest group under one key, from the counters of all passes; an engine may keep none."""
    warn_of_keys(paired(*largest), RULES_OF_NEAR, 5 * FEW, MEMORY)
    assert len(warnings(caplog)) == warned
    if warned:
        assert warnings(caplog)[0].startswith(
            "cleartitle: warning: 10,001 of 50,000 documents have one key in common: a URL, a text, or a band"
        )
        assert vars(caplog.records[0])["bytes"] == (FEW + 1) * RULES_OF_NEAR.key_bytes
