"""The catalog: rows found through the indexes, on a disk, on an object store and behind http, and letters."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lineage.catalog import PLACES, Dataset, open_dataset
from schemas.errors import InputError
from tests.jobs import run, write_config, write_jsonl
from tests.memory_files import MemoryFiles
from tests.range_server import serve
from transforms.ledger_files import write_ledger
from transforms.publish import build_index

Row = dict[str, Any]
DOCUMENTS = 300


def curate(place: Path) -> Path:
    """A dataset of three parts with an index of several files and many row groups."""
    words = (" ".join(f"w{number // 2}x{i}" for i in range(60)) for number in range(DOCUMENTS))
    for number in range(3):
        rows = [
            {"id": f"r{i}", "url": f"https://host{i % 40}.example/{i}", "text": text}
            for i, text in enumerate(words, number * DOCUMENTS)
            if i < (number + 1) * DOCUMENTS
        ][: DOCUMENTS // 3]
        write_jsonl(place / f"{number}.jsonl", rows)
        words = (" ".join(f"w{n // 2}x{i}" for i in range(60)) for n in range(DOCUMENTS))
    crawl = {"name": "c", "files": ["*.jsonl"]}
    write_config(place / "c.yaml", {"crawl": crawl, "plan": {"part_size": "64 KiB"}})
    assert run("curate", place / "c.yaml", "--output", place / "dataset", "--quiet") == 0
    return place / "dataset"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Made once; nothing in it is changed."""
    with pytest.MonkeyPatch.context() as patch:
        small = [one._replace(file_rows=900, group_rows=64, sample_rows=16) for one in build_index.INDEXES]
        patch.setattr(build_index, "INDEXES", tuple(small))
        for module in ("transforms.publish.merge_index", "transforms.publish.write_parts", "beam_jobs.publish"):
            patch.setattr(f"{module}.INDEXES", tuple(small))
        yield curate(tmp_path_factory.mktemp("catalog"))


@pytest.fixture(scope="module")
def dataset(place: Path) -> Dataset:
    return open_dataset(str(place))


class Rows(list[Row]):
    """Rows that a failing example does not print."""

    def __repr__(self) -> str:
        return f"{len(self)} rows"


@pytest.fixture(scope="module")
def rows(place: Path) -> Rows:
    """The whole ledger, with the place of each row."""
    paths = sorted((place / "ledger").iterdir())
    tables = [pq.read_table(path).to_pylist() for path in paths]
    return Rows(row | {"part": part, "row": i} for part, table in enumerate(tables) for i, row in enumerate(table))


def places(found: pa.Table) -> list[tuple[int, int, int]]:
    return [tuple(row.values()) for row in found.to_pylist()]


def test_index_of_the_test_has_many_files(dataset: Dataset) -> None:
    """Else the searches below would have nothing to choose from."""
    assert len(dataset.parts("index_keys")) > 5
    assert len(dataset.parts("ledger")) == 3


def test_every_document_is_found_by_its_ids(dataset: Dataset, rows: Rows) -> None:
    """All in one question; the number of the value says whose the answer is."""
    for kind, column in (("doc_id", "doc_id"), ("record_id", "record_id"), ("text", "text_digest")):
        values = [row[column] for row in rows]
        expected = [(q, r["part"], r["row"]) for q, v in enumerate(values) for r in rows if r[column] == v]
        assert places(dataset.find(kind, values)) == expected


def test_value_that_is_not_there_finds_nothing(dataset: Dataset) -> None:
    """Nor does a question without values."""
    assert dataset.find("doc_id", ["0" * 32, "no id"]).schema == PLACES
    assert len(dataset.find("doc_id", ["0" * 32, "no id"])) == len(dataset.find("doc_id", [])) == 0


BOUNDS = st.sampled_from(["", "example,host1", "example,host3)/", "example,host39)/339", "z"])


@given(ranges=st.lists(st.tuples(BOUNDS, BOUNDS)))
@settings(deadline=None, max_examples=40)
def test_urls_are_found_by_ranges(dataset: Dataset, rows: Rows, ranges: list[tuple[str, str]]) -> None:
    """From the lower value on and below the upper one; a range that ends before it begins holds nothing."""
    expected = [
        (query, row["part"], row["row"])
        for query, (low, high) in enumerate(ranges)
        for row in rows
        if low <= row["url_surtkey"] < high
    ]
    assert places(dataset.find_urls(ranges)) == expected


@given(wanted=st.lists(st.integers(0, DOCUMENTS - 1), max_size=12))
@settings(deadline=None, max_examples=30)
def test_ledger_rows_come_in_the_order_of_their_places(dataset: Dataset, rows: Rows, wanted: list[int]) -> None:
    """Across parts, and more than once where they are asked for more than once."""
    columns = [pa.array([rows[i][name] for i in wanted], pa.int32()) for name in ("part", "row")]
    asked = pa.table([pa.array(range(len(wanted)), pa.int32()), *columns], schema=PLACES)
    assert dataset.ledger(asked, ["record_id"])["record_id"].to_pylist() == [rows[i]["record_id"] for i in wanted]
    assert dataset.ledger(asked).schema.names == list(rows[0])[:-2]


def test_rows_are_taken_out_of_the_row_group_that_holds_them(dataset: Dataset, tmp_path: Path) -> None:
    """Groups in between are not read."""
    ledger = pa.table({"n": np.arange(20_000)})
    write_ledger(str(tmp_path / "l.parquet"), ledger)
    assert pq.ParquetFile(tmp_path / "l.parquet").num_row_groups == 3
    opened = Dataset(dataset.directory)
    opened.path = lambda *_: str(tmp_path / "l.parquet")  # type: ignore[method-assign]
    row = [19_999, 3, 8192, 8191, 3]
    asked = pa.table({"query": row, "part": [0] * 5, "row": row}).cast(PLACES)
    assert opened.ledger(asked)["n"].to_pylist() == row


def test_sql_takes_values_as_parameters(dataset: Dataset, rows: Rows) -> None:
    """What looks like SQL is data."""
    query = "SELECT record_id FROM ledger WHERE record_id = ? ORDER BY 1"
    assert dataset.sql(query, ["r7"]).to_pylist() == [{"record_id": "r7"}]
    assert dataset.sql(query, ["r7' OR '1'='1"]).to_pylist() == []
    assert dataset.sql("SELECT count(*) AS n FROM index_urls").to_pylist() == [{"n": len(rows)}]


def test_view_shows_what_the_manifest_lists(place: Path, tmp_path: Path) -> None:
    """A stray file in a folder is none of the dataset's; and a path may look like a glob, or hold a quote."""
    there = tmp_path / "it's [1] *odd*"
    there.symlink_to(place)
    found = open_dataset(str(there)).sql("SELECT count(*) AS n FROM ledger").to_pylist()
    assert found == [{"n": DOCUMENTS}]


def test_dataset_says_what_it_is(dataset: Dataset) -> None:
    """From its manifest."""
    assert dataset.version_id == dataset.build_id == dataset.manifest["build_id"]
    assert dataset.near is not None
    assert (dataset.near.ngram, dataset.near.bands, dataset.near.rows, dataset.threshold) == (5, 25, 5, 0.7)
    assert open_dataset(dataset) is dataset


def test_lookup_behind_http_reads_few_bytes(place: Path, rows: Rows) -> None:
    """Footers and row groups, by ranges; no server but one that gives files."""
    with serve(place) as given:
        there = open_dataset(given.address)
        before = given.bytes()
        found = there.find("doc_id", [rows[5]["doc_id"]])
        assert places(found) == [(0, rows[5]["part"], rows[5]["row"])]
        size = sum(path.stat().st_size for path in (place / "index_keys").iterdir())
        assert given.bytes() - before < size / 3
        assert there.ledger(found, ["record_id"])["record_id"].to_pylist() == [rows[5]["record_id"]]
        assert there.sql("SELECT count(*) AS n FROM ledger").to_pylist() == [{"n": DOCUMENTS}]


def test_lookup_on_an_object_store_is_the_same(place: Path, rows: Rows) -> None:
    """Through Beam's file systems."""
    MemoryFiles.files.update(
        {f"memory://b/{path.relative_to(place)}": path.read_bytes() for path in place.rglob("*") if path.is_file()}
    )
    try:
        there = open_dataset("memory://b")
        found = there.find("record_id", ["r9"])
        assert there.ledger(found, ["doc_id"]).to_pylist() == [
            {"doc_id": row["doc_id"]} for row in rows if row["record_id"] == "r9"
        ]
        assert there.sql("SELECT count(*) AS n FROM ledger").to_pylist() == [{"n": DOCUMENTS}]
    finally:
        MemoryFiles.files.clear()


def test_file_that_is_gone_is_named(place: Path, tmp_path: Path) -> None:
    """With what says more."""
    there = tmp_path / "dataset"
    there.mkdir()
    (there / "manifest.json").write_bytes((place / "manifest.json").read_bytes())
    with pytest.raises(InputError) as error:
        open_dataset(str(there)).find("record_id", ["r9"])
    assert "cannot be read" in str(error.value)
    assert f"`cleartitle verify {there}` says what else is damaged." in str(error.value)
