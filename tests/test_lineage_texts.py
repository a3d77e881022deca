"""Texts of ledger rows: those held by the dataset, and the others out of the crawl where it is at hand."""

import json
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lineage.catalog import Dataset, open_dataset
from lineage.texts.read_texts import READ, read_texts
from tests.crawl_of_all_formats import all_places
from tests.jobs import run, write_config, write_jsonl

ROWS = 300
PIRATES = ("7", "42", "43", "250")


def text(number: int) -> str:
    """A text of its own, of which each tenth repeats the one before, and each hundredth is empty."""
    own = number - 1 if number % 10 == 1 else number
    return "" if number % 100 == 5 else " ".join(f"é{own}w{word}" for word in range(40))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset of three parts: most rows are kept, four quarantined, the rest dropped."""
    place = tmp_path_factory.mktemp("texts")
    names = {str(n): "pirate.example" if str(n) in PIRATES else "a.example" for n in range(ROWS)}
    rows = [{"id": n, "url": f"https://{host}/{n}", "text": text(int(n))} for n, host in names.items()]
    write_jsonl(place / "a.jsonl", rows)
    (place / "pirates.txt").write_text("pirate.example\n")
    config = {
        "crawl": {"name": "texts", "files": ["a.jsonl"]},
        "sources": {"blocklists": [{"name": "p", "path": "pirates.txt", "format": "domains", "category": "piracy"}]},
        "policy": {"categories": {"piracy": "quarantine"}},
        "plan": {"part_size": "64 KiB"},
    }
    assert run("curate", write_config(place / "c.yaml", config), "--output", place / "out", "--quiet") == 0
    return place


@pytest.fixture
def dataset(place: Path) -> Dataset:
    return open_dataset(str(place / "out"))


def origins(dataset: Dataset) -> list[str]:
    """Where the text of each row is, by what the ledger says."""
    folders = {"keep": "documents", "quarantine": "quarantine", "drop": "crawl"}
    return [folders[d] for d in dataset.ledger(all_places(dataset), ["decision"])["decision"].to_pylist()]


def test_every_text_is_that_of_its_row(dataset: Dataset) -> None:
    """Kept, quarantined and dropped ones, over all parts."""
    places = all_places(dataset)
    read = read_texts(dataset, places)
    ids = dataset.ledger(places, ["record_id"])["record_id"].to_pylist()
    assert read.schema == READ
    assert len(dataset.parts("ledger")) > 1
    assert read["text"].to_pylist() == [text(int(name)) for name in ids]
    assert read["origin"].to_pylist() == origins(dataset)
    assert {"documents", "quarantine", "crawl"} == set(origins(dataset))


def test_dataset_alone_holds_no_dropped_text(dataset: Dataset) -> None:
    """Without the crawl they are null, and so is their origin."""
    places = all_places(dataset)
    whole, read = read_texts(dataset, places).to_pylist(), read_texts(dataset, places, crawl=False).to_pylist()
    nothing = {"text": None, "origin": None}
    assert read == [nothing if row["origin"] == "crawl" else row for row in whole]


@given(rows=st.lists(st.integers(0, ROWS - 1), max_size=12), crawl=st.booleans())
@settings(deadline=None, max_examples=30)
def test_some_texts_are_those_of_all_in_the_order_asked_for(place: Path, rows: list[int], crawl: bool) -> None:
    """Any rows, in any order, repeated or none at all."""
    dataset = open_dataset(str(place / "out"))
    places = all_places(dataset)
    expected = read_texts(dataset, places, crawl).take(pa.array(rows, pa.int64()))
    assert read_texts(dataset, places.take(pa.array(rows, pa.int64())), crawl).to_pylist() == expected.to_pylist()


def test_texts_that_changed_since_are_not_given_out(dataset: Dataset, place: Path, tmp_path: Path) -> None:
    """A crawl file of the right size with other words: its texts are not those of the ledger."""
    content = (place / "a.jsonl").read_text(encoding="utf-8")
    (tmp_path / "a.jsonl").write_text(content.replace("w39", "v39"), encoding="utf-8")
    places = all_places(dataset)
    (place / "a.jsonl").rename(place / "away")
    try:
        read = read_texts(dataset, places, crawl_root=str(tmp_path))
        gone = read_texts(dataset, places)
    finally:
        (place / "away").rename(place / "a.jsonl")
    empty = [index for index, row in enumerate(read.to_pylist()) if row["origin"] == "crawl"]
    assert dataset.ledger(places.take(empty), ["reason"])["reason"].to_pylist() == ["empty_text"] * 3
    assert gone.to_pylist() == read_texts(dataset, places, crawl=False).to_pylist()


def test_held_texts_need_neither_beam_nor_a_reader(place: Path) -> None:
    """What makes a command slow to start is imported only when a crawl file is to be read."""
    program = f"""
import sys, json
from lineage.catalog import open_dataset
from lineage.similarity.find_similar import find_similar, prints_of_rows
from lineage.texts.read_texts import read_texts
import pyarrow as pa
dataset = open_dataset({str(place / "out")!r})
places = pa.table({{"part": pa.array([0], pa.int32()), "row": pa.array([3], pa.int32())}})
texts = read_texts(dataset, places)["origin"].to_pylist()
found = find_similar(dataset, prints_of_rows(dataset, places), crawl=False)["method"].to_pylist()
print(json.dumps([texts, found[:1], [n for n in ("apache_beam", "resiliparse", "fastwarc") if n in sys.modules]]))
"""
    root = Path(__file__).resolve().parents[1]
    done = subprocess.run([sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [["documents"], ["exact"], []]
