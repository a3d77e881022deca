"""Building the index: runs of parts, ranges, merged files, against sorting everything at once."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.columns import INDEX_KEYS, INDEX_URLS
from tests.tables import hex_of, ledger, measured
from transforms.part_store import Stage
from transforms.publish import build_index
from transforms.publish.build_index import INDEXES, Index, merge_range, plan_ranges, write_index, write_runs
from transforms.publish.index_keys import LEDGER_COLUMNS, part_keys
from transforms.publish.part_files import fingerprints_schema

Part = tuple[pa.Table, pa.Table]
URLS = st.sampled_from([None, "com,a)/", "com,a)/b", "com,a,x)/", "org,b)/" + "x" * 5000, "org,c)/é"])


def part(number: int, urls: list[str | None]) -> Part:
    rows = [{"doc_id": hex_of(100 * number + i), "url_surtkey": url} for i, url in enumerate(urls)]
    table = measured([{"shingle_count": 3} for _ in urls], bands=2)
    return ledger(rows).select(LEDGER_COLUMNS), table.select(fingerprints_schema(table.schema).names)


def small(index: Index) -> Index:
    return index._replace(file_rows=7, group_rows=3, sample_rows=2)


def build(directory: Path, parts: list[Part]) -> dict[str, list[pa.Table]]:
    """The files of each index, in order."""
    stage = Stage(str(directory), "digest")
    facts = [write_runs(stage, number, *tables) for number, tables in enumerate(parts)]
    found: dict[str, list[pa.Table]] = {index.name: [] for index in INDEXES}
    for wanted in plan_ranges(facts):
        index = build_index.INDEXES[wanted.table]
        path = str(directory / "merged.parquet")
        write_index(path, merge_range(stage, range(len(parts)), wanted), index)
        assert wanted.file == len(found[index.name])
        found[index.name].append(pq.read_table(path))
    return found


@pytest.fixture
def many_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files and row groups of a few rows."""
    monkeypatch.setattr(build_index, "INDEXES", tuple(map(small, INDEXES)))


def rows_of(tables: list[pa.Table]) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for table in tables for row in table.to_pylist()]


@given(st.lists(st.lists(URLS, max_size=9), min_size=1, max_size=4))
@settings(deadline=None, max_examples=40)
def test_files_together_are_all_rows_sorted(tmp_path_factory: pytest.TempPathFactory, crawl: list[list[Any]]) -> None:
    """However many files and row groups they are cut into; rows without a URL have none in the index of URLs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(build_index, "INDEXES", tuple(map(small, INDEXES)))
        parts = [part(number, urls) for number, urls in enumerate(crawl)]
        found = build(tmp_path_factory.mktemp("index"), parts)
    expected = [(url, n, i) for n, urls in enumerate(crawl) for i, url in enumerate(urls) if url is not None]
    assert rows_of(found["index_urls"]) == sorted(expected, key=lambda row: (row[0].encode(), *row[1:]))
    keys = [(int(k), n, int(r)) for n, p in enumerate(parts) for k, r in zip(*part_keys(*p), strict=True)]
    assert rows_of(found["index_keys"]) == sorted(keys)


@pytest.mark.usefixtures("many_files")
def test_equal_values_stand_in_one_file(tmp_path: Path) -> None:
    """So one value touches one file, whatever their sizes."""
    found = build(tmp_path, [part(n, ["com,a)/", "com,b)/", "com,c)/"] * 4) for n in range(3)])
    files = [set(table["url_surtkey"].to_pylist()) for table in found["index_urls"]]
    assert len(files) > 1
    assert sum(map(len, files)) == 3


@pytest.mark.usefixtures("many_files")
def test_no_file_is_empty(tmp_path: Path) -> None:
    """The first value of each is in the manifest."""
    found = build(tmp_path, [part(n, [f"com,a)/{n}{i}" for i in range(30)]) for n in range(2)])
    assert min(len(table) for tables in found.values() for table in tables) > 0


def test_crawl_without_documents_has_no_index(tmp_path: Path) -> None:
    """There is nothing to find."""
    assert build(tmp_path, [part(0, [])]) == {"index_keys": [], "index_urls": []}


def test_files_have_the_schemas_that_the_columns_reference_shows(tmp_path: Path) -> None:
    """Encodings change nothing of it."""
    found = build(tmp_path, [part(0, ["com,a)/"])])
    assert found["index_keys"][0].schema == INDEX_KEYS.schema()
    assert found["index_urls"][0].schema == INDEX_URLS.schema()


def test_sorted_keys_pack_to_half_of_what_they_are(tmp_path: Path) -> None:
    """Differences of neighbours are small; 16 bytes a row would be the plain size."""
    urls: list[str | None] = [f"com,a)/{i}" for i in range(3000)]
    stage = Stage(str(tmp_path), "digest")
    (wanted, *_) = plan_ranges([write_runs(stage, 0, *part(0, urls))])
    table = merge_range(stage, [0], wanted)
    write_index(str(tmp_path / "x.parquet"), table, INDEXES[0])
    assert (tmp_path / "x.parquet").stat().st_size < 8 * len(table) + 2000
