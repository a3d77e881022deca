"""The sections of the civil code: what is dropped, and what is left beside its like, by two measures of similarity."""

import importlib.util
import json
import lzma
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from tests.jobs import assert_books_balance, ledger, manifest, run, write_config
from tests.texts import jaccard, shingle_set

SHARED = Path(__file__).resolve().parents[2] / "shared"
SECTIONS = SHARED / "data" / "civil" / "sections.jsonl.xz"
JUDGE = SHARED / "tools" / "evaluate_dedup.py"
pytestmark = pytest.mark.skipif(not SECTIONS.exists(), reason=f"{SECTIONS} is not here")


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    with lzma.open(SECTIONS, "rt", encoding="utf-8") as lines:
        return {row["id"]: row["text"] for row in map(json.loads, lines)}


@pytest.fixture(scope="module")
def dataset(texts: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sections curated with the settings that a user has who says nothing."""
    place = tmp_path_factory.mktemp("civil")
    lines = (json.dumps({"id": name, "text": text}) + "\n" for name, text in texts.items())
    (place / "sections.jsonl").write_text("".join(lines))
    config = write_config(place / "c.yaml", {"crawl": {"name": "civil", "files": ["sections.jsonl"]}})
    assert run("curate", config, "--output", place / "out", "--quiet") == 0
    return place / "out"


@pytest.fixture(scope="module")
def decided(dataset: Path) -> dict[str, dict[str, Any]]:
    return ledger(dataset)


def test_every_dropped_section_has_a_witness(texts: dict[str, str], decided: dict[str, dict[str, Any]]) -> None:
    """It is kept, and its true similarity, computed again from both texts, is what the ledger says and reaches 0.7."""
    names = {row["doc_id"]: name for name, row in decided.items()}
    dropped = {name: row for name, row in decided.items() if row["decision"] == "drop"}
    assert {row["reason"] for row in dropped.values()} == {"near_duplicate", "exact_duplicate"}
    for name, row in dropped.items():
        witness = names[row["duplicate_of"]]
        assert decided[witness]["decision"] == "keep"
        if row["duplicate_kind"] == "near":
            similarity = jaccard(shingle_set(texts[name]), shingle_set(texts[witness]))
            assert similarity >= Fraction(7, 10)
            assert row["similarity"] == float(similarity)
        else:
            assert texts[name].split() == texts[witness].split()


def test_books_balance_and_no_bound_is_met(dataset: Path) -> None:
    """22,106 sections come in, and nobody stays because too many were like it."""
    counts = assert_books_balance(dataset)
    assert counts["records"] == 22_106
    assert 3_600 < counts["dropped"] < 3_800
    assert "comparison_bound" not in manifest(dataset)["marks"]


@pytest.mark.skipif(not JUDGE.exists(), reason=f"{JUDGE} is not here")
def test_independent_judge_finds_no_loss_and_few_misses(
    texts: dict[str, str], decided: dict[str, dict[str, Any]]
) -> None:
    """By words and hashes that are not ours: nothing is dropped without its like, and at most 12 stay beside theirs."""
    spec = importlib.util.spec_from_file_location("evaluate_dedup", JUDGE)
    assert spec is not None
    assert spec.loader is not None
    judge = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(judge)
    found = judge.evaluate(texts, {name for name, row in decided.items() if row["decision"] == "keep"})
    assert found["dropped_without_kept"]["0.7"] == 0
    assert found["kept_beside_kept"]["0.7"] <= 12
    assert found["kept_beside_kept"]["0.8"] == 0
