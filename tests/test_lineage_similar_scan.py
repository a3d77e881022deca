"""Thresholds below that of the build: all rows are scanned, and what is found is what Python sets find."""

import random
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lineage.catalog import Dataset, open_dataset
from lineage.similarity import scan_sketches as scanning
from lineage.similarity.find_similar import MATCHES, find_similar, prints_of_rows, prints_of_texts
from lineage.similarity.scan_sketches import scan_sketches
from lineage.takedowns.leave_out import Rest
from lineage.takedowns.row_ids import row_ids
from tests.crawl_of_all_formats import all_places
from tests.test_lineage_similar import NEAR, Match, band_sets, make_dataset, numbered
from tests.texts import jaccard, shingle_set

THRESHOLDS = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7)
MARGIN = Fraction(3, 100)
"""With the four deviations of the sketch it makes a miss rarer than one in a million."""
WORDLESS = ["!!!", "!!! ", "...", "? !"]


def edited(seed: int, families: int, size: int) -> list[str]:
    """Families of texts with up to twelve of sixty words replaced, or cut short: similar to any degree."""
    draw = random.Random(seed)
    texts = []
    for number in range(families * size):
        words = [f"f{number % families}w{word}" for word in range(60)]
        for _ in range(draw.randrange(13)):
            words[draw.randrange(60)] = f"x{draw.randrange(99)}"
        texts.append(draw.choice([" ", "\n"]).join(words[: draw.choice([60, 60, 45, 30])]))
    return texts


CORPORA = [[*edited(seed, 6, size), *WORDLESS, "", "one two", "one two"] for seed, size in ((1, 40), (2, 16), (3, 16))]
"""The first is of several parts."""


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Builds of the corpora with a threshold of 0.8."""
    found = [tmp_path_factory.mktemp("scan") for _ in CORPORA]
    for place, texts in zip(found, CORPORA, strict=True):
        make_dataset(place, texts, near={"threshold": 0.8})
    return found


@pytest.fixture
def dataset(places: list[Path]) -> Dataset:
    return open_dataset(str(places[0] / "out"))


def slow_similar(queries: list[str], texts: list[str], least: Fraction) -> set[Match]:
    """Every query with every text by equal words or sets of shingles, and nothing else."""
    sets = [shingle_set(text) for text in texts]
    found: set[Match] = set()
    for q, query in enumerate(queries):
        mine = shingle_set(query)
        for t, text in enumerate(texts):
            if query.split() and query.split() == text.split():
                found.add((q, t, 1.0, "exact"))
            elif (similarity := jaccard(mine, sets[t])) >= least and mine:
                found.add((q, t, float(similarity), "jaccard"))
    return found


@given(number=st.integers(0, 2), seed=st.integers(0, 999), threshold=st.sampled_from(THRESHOLDS))
@settings(deadline=None, max_examples=25)
def test_every_pair_that_reaches_the_threshold_is_found(
    places: list[Path], number: int, seed: int, threshold: float
) -> None:
    """With a margin of the sketch's error; each with its true similarity, and none that does not reach it."""
    dataset, texts = open_dataset(str(places[number] / "out")), CORPORA[number]
    queries = [*random.Random(seed).sample(edited(number + 1, 6, 16) + edited(seed, 6, 4), 8), "!!!", "", "one  two"]
    matches = numbered(dataset, find_similar(dataset, prints_of_texts(pa.array(queries), NEAR), threshold))
    assert len(matches) == len(set(matches))
    assert set(matches) >= slow_similar(queries, texts, Fraction(str(threshold)) + MARGIN)
    assert set(matches) <= slow_similar(queries, texts, Fraction(str(threshold)))


@pytest.mark.parametrize("threshold", THRESHOLDS)
def test_kept_and_dropped_rows_find_each_other(dataset: Dataset, threshold: float) -> None:
    """All rows at once; bands alone would not have brought them."""
    rows = all_places(dataset)
    said = dataset.ledger(rows, ["record_id", "decision"]).to_pylist()
    texts = [CORPORA[0][int(row["record_id"])] for row in said]
    found = numbered(dataset, find_similar(dataset, prints_of_rows(dataset, rows), threshold))
    assert set(found) >= slow_similar(texts, CORPORA[0], Fraction(str(threshold)) + MARGIN)
    assert set(found) <= slow_similar(texts, CORPORA[0], Fraction(str(threshold)))
    decision = {int(row["record_id"]): row["decision"] for row in said}
    pairs = {(said[q]["decision"], decision[t]) for q, t, *_ in found if int(said[q]["record_id"]) != t}
    assert pairs == {(one, other) for one in ("keep", "drop") for other in ("keep", "drop")}
    keys = band_sets(CORPORA[0])
    apart = sum(keys[int(said[q]["record_id"])].isdisjoint(keys[t]) for q, t, *_ in found)
    assert apart > 20 or threshold >= 0.6


@pytest.mark.parametrize("threshold", [0.2, 0.5])
def test_work_in_small_pieces_finds_the_same(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch, threshold: float
) -> None:
    """However few rows and pairs are held at a time."""
    prints = prints_of_texts(pa.array(CORPORA[0][:20]), NEAR)
    whole = find_similar(dataset, prints, threshold)
    monkeypatch.setattr(scanning, "BLOCK_ROWS", 7)
    monkeypatch.setattr(scanning, "ROOM", 16)
    monkeypatch.setattr(scanning, "MOST_HITS", 20)
    pieces = [len(piece.text) for piece in scan_sketches(dataset, prints, threshold)]
    assert len(pieces) > 5
    assert max(pieces) <= 20
    assert find_similar(dataset, prints, threshold).equals(whole)


def test_all_candidates_of_few_texts_are_one_piece(dataset: Dataset) -> None:
    """Of rows with one text the one that the dataset holds serves all, so what is dropped needs no crawl for it."""
    prints = prints_of_texts(pa.array(CORPORA[0][:20]), NEAR)
    (piece,) = scan_sketches(dataset, prints, 0.4)
    assert len(dataset.parts("fingerprints")) > 1
    assert len(set(piece.places["part"].to_pylist())) > 1
    pairs = list(zip(piece.text.tolist(), piece.place.tolist(), strict=True))
    assert pairs == sorted(set(pairs))
    codes = row_ids(piece.places)
    assert codes.tolist() == sorted(set(codes.tolist()))


def test_rows_that_are_left_out_are_not_scanned(dataset: Dataset) -> None:
    """As they are not found by keys; also those with a text without words."""
    queries = prints_of_texts(pa.array([CORPORA[0][0], *WORDLESS]), NEAR)
    whole = find_similar(dataset, queries, 0.3)
    ids = row_ids(whole)
    gone = np.unique(ids)[::2]
    left = find_similar(Rest(dataset, gone), queries, 0.3)
    assert 0 < len(left) < len(whole)
    assert left.equals(whole.filter(pa.array(~np.isin(ids, gone))))


def test_rows_are_scanned_only_below_the_threshold_of_the_build(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From it on the bands serve, as without a threshold."""
    asked: list[str] = []
    read = dataset.read

    def noted(folder: str, part: int, columns: Sequence[str] | None = None) -> pa.Table:
        asked.append(folder)
        return read(folder, part, columns)

    monkeypatch.setattr(dataset, "read", noted)
    prints = prints_of_texts(pa.array([CORPORA[0][0]]), NEAR)
    for threshold in (None, 0.8, 0.9, 1.0):
        assert len(find_similar(dataset, prints, threshold)) > 0
        assert "fingerprints" not in asked
    find_similar(dataset, prints, 0.7999)
    assert "fingerprints" in asked


def test_texts_without_words_find_their_copies(dataset: Dataset) -> None:
    """They have no sketch; and nothing finds what is empty."""
    found = find_similar(
        dataset, prints_of_texts(pa.array(["!!!", "", None, "other words than theirs", "?"]), NEAR), 0.2
    )
    expected = {(0, n, 1.0, "exact") for n, text in enumerate(CORPORA[0]) if text.split() == ["!!!"]}
    assert set(numbered(dataset, found)) == expected
    assert find_similar(dataset, prints_of_texts(pa.array([], pa.string()), NEAR), 0.2).equals(MATCHES.empty_table())


def test_build_without_near_duplicates_finds_equal_texts_at_any_threshold(tmp_path: Path) -> None:
    """It has no sketches."""
    texts = CORPORA[0][:20]
    dataset = make_dataset(tmp_path, texts, near=None)
    prints = prints_of_texts(pa.array([texts[3]]), None)
    expected = {(0, n, 1.0, "exact") for n, text in enumerate(texts) if text.split() == texts[3].split()}
    assert set(numbered(dataset, find_similar(dataset, prints, 0.2))) == expected
    assert list(scan_sketches(dataset, prints, 0.2)) == []
