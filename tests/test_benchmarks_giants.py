"""Hard corpora: exactly as similar as they say, and the same bytes every time."""

import doctest
import hashlib
import json
import subprocess
import sys
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import giants
from benchmarks.giants import BATCH_ROWS, KINDS, batches, drift, family, template, write

TOP = Path(__file__).resolve().parents[1]


def texts(kind: str, pages: int) -> list[str]:
    return [text for batch in batches(kind, pages) for text in batch["text"].to_pylist()]


def jaccard(one: str, other: str) -> float:
    a, b = (set(zip(*(text.split()[i:] for i in range(5)), strict=False)) for text in (one, other))
    return len(a & b) / len(a | b) if a | b else 0.0


@pytest.mark.parametrize(
    ("kind", "similarity"), [("near", 289 / 303), ("template", 240 / 360), ("same", 1.0), ("empty", 0.0)]
)
def test_every_pair_of_pages_is_as_similar_as_stated(kind: str, similarity: float) -> None:
    """Of the pages of one template no pair differs from another."""
    assert {jaccard(one, other) for one, other in combinations(texts(kind, 30), 2)} == {similarity}


@pytest.mark.parametrize(("kind", "words"), [("near", 300), ("template", 304), ("drift", 300), ("family", 40)])
def test_pages_have_as_many_words_as_stated(kind: str, words: int) -> None:
    """Words are seven letters with one space between them, none at the ends; within a page no two are alike."""
    for text in texts(kind, 5):
        found = text.split(" ")
        assert len(found) == len(set(found)) == words
        assert {len(word) for word in found} == {7}
        assert text.replace(" ", "").isalpha()


def test_same_pages_are_one_page_and_empty_pages_have_no_text() -> None:
    """The two plainest kinds."""
    assert len(set(texts("same", 50))) == 1
    assert texts("empty", 3) == ["", "", ""]


def test_drifting_neighbours_are_near_and_ends_unlike() -> None:
    """Neighbours stay above 0.95, similarity falls with distance, and from 100 pages on nothing is shared."""
    pages = texts("drift", 140)
    assert {jaccard(one, other) >= 289 / 303 for one, other in pairwise(pages)} == {True}
    fall = [jaccard(pages[20], pages[20 + step]) for step in range(60)]
    assert fall == sorted(fall, reverse=True)
    assert {jaccard(pages[i], pages[i + 100]) for i in range(40)} == {0.0}


def test_family_is_one_component_of_pages_mostly_unlike() -> None:
    """Every page reaches 31/41 with some earlier one, so links at 0.7 join all; half of all pairs are unlike."""
    pages = texts("family", 120)
    similar = [[jaccard(page, earlier) for earlier in pages[:number]] for number, page in enumerate(pages)]
    assert min(max(row) for row in similar[1:]) >= 31 / 41
    assert np.median(np.concatenate(similar[1:])) < 0.3
    assert len(set(pages)) == 120


@given(st.lists(st.integers(0, 5000), min_size=1, max_size=6), st.sampled_from(sorted(KINDS)))
def test_page_depends_on_its_own_number_alone(numbers: list[int], kind: str) -> None:
    """Any pages, in any order, are those of the whole corpus."""
    together = KINDS[kind](np.array(numbers))
    assert [KINDS[kind](np.array([number]))[0].tolist() for number in numbers] == together.tolist()


@given(st.integers(0, 300), st.integers(1, 12), st.integers(1, 4))
def test_drift_equals_changing_the_words_one_page_at_a_time(pages: int, blocks: int, changed: int) -> None:
    """The slow way: take the page before, and give the next words new numbers."""
    words = blocks * changed
    page = list(range(words))
    for number in range(1, pages + 1):
        first = number % blocks * changed
        page[first : first + changed] = [number * words + place for place in range(first, first + changed)]
    assert drift(np.array([pages]), words, changed)[0].tolist() == page


@given(st.integers(1, 2000), st.integers(1, 40))
def test_family_page_is_an_earlier_page_with_one_word_of_its_own(page: int, words: int) -> None:
    """The page's own word stands once, and without it the page is that of a smaller number."""
    own = family(np.array([page]), words)[0]
    assert np.count_nonzero(own == words + page) == 1
    earlier = family(np.arange(page), words)
    assert (np.count_nonzero(earlier != own, axis=1) == 1).any()


@given(st.integers(1, 20), st.integers(0, 20))
def test_template_pages_share_all_but_their_own_words(pages: int, own: int) -> None:
    """Own words stand in the middle, and no other page has them."""
    made = template(np.arange(pages), 20, own)
    start = (20 - own) // 2
    middle, rest = made[:, start : start + own], np.delete(made, np.s_[start : start + own], axis=1)
    assert np.unique(middle).size == middle.size
    assert (rest == np.delete(np.arange(20), np.s_[start : start + own])).all()


# Writing


@pytest.mark.parametrize(
    ("kind", "digest"),
    [
        ("family", "5d8639aefc604c97"),
        ("near", "2fa414ebdd192be7"),
        ("template", "c870b05daf77ddf7"),
        ("drift", "3a233c5de073e5ad"),
        ("same", "e006dab181920f50"),
        ("empty", "2d41cd46a557461d"),
    ],
)
def test_jsonl_is_the_same_bytes_as_ever(kind: str, digest: str, tmp_path: Path) -> None:
    """A change of a generator shows."""
    write(kind, 100, tmp_path / "out.jsonl")
    assert hashlib.sha256((tmp_path / "out.jsonl").read_bytes()).hexdigest()[:16] == digest


def test_parquet_and_jsonl_hold_the_same_rows(tmp_path: Path) -> None:
    """More pages than a batch has: ids go on, one a page."""
    pages = BATCH_ROWS + 3
    write("family", pages, tmp_path / "out.parquet")
    write("family", pages, tmp_path / "out.jsonl")
    rows = pq.read_table(tmp_path / "out.parquet").to_pylist()
    assert rows == [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [row["id"] for row in rows] == [f"p{page:08d}" for page in range(pages)]


@pytest.mark.parametrize("name", ["out.jsonl", "out.parquet"])
def test_no_pages_are_an_empty_corpus(name: str, tmp_path: Path) -> None:
    """N may be 0."""
    write("near", 0, tmp_path / name)
    rows = pq.read_table(tmp_path / name).num_rows if name.endswith("parquet") else (tmp_path / name).stat().st_size
    assert rows == 0


def test_command_writes_the_file_and_refuses_other_words(tmp_path: Path) -> None:
    """A kind or a name it does not know, or a place that is not there, is told in a line."""

    def command(*words: object) -> subprocess.CompletedProcess[str]:
        line = [sys.executable, "-m", "benchmarks.giants", *map(str, words)]
        return subprocess.run(line, cwd=TOP, capture_output=True, text=True, check=False)

    assert command("near", 3, tmp_path / "out.jsonl").returncode == 0
    assert len((tmp_path / "out.jsonl").read_text().splitlines()) == 3
    assert "invalid choice: 'huge'" in command("huge", 3, tmp_path / "out.jsonl").stderr
    assert "OUTPUT ends in .jsonl or .parquet" in command("near", 3, tmp_path / "out.csv").stderr
    lost = command("near", 3, tmp_path / "none" / "out.jsonl")
    assert (lost.returncode, lost.stderr.count("\n")) == (1, 1)


def test_examples_run() -> None:
    """What the docstrings show is what comes out."""
    result = doctest.testmod(giants)
    assert (result.failed, result.attempted > 0) == (0, True)
