"""Takedowns where dataset, new version or request lie on another file system, and where the crawl is not read."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lineage.catalog import open_dataset
from lineage.takedowns import take_out, takedown
from lineage.takedowns.claim_output import CLAIM, version_after
from lineage.takedowns.index_witnesses import index_witnesses
from lineage.takedowns.judge_anew import NONE_JUDGED, Judged
from lineage.takedowns.row_ids import row_ids
from lineage.verification import verify
from schemas.columns import INDEX_KEYS
from schemas.errors import ConfigError, OutputError
from tests.jobs import ledger
from tests.memory_files import MemoryFiles
from tests.tables import hex_of
from tests.takedown_data import edited, shared_dataset, text, write_request
from transforms.part_store import file_facts, join, part_path, write_json
from transforms.publish.build_index import INDEXES, write_index
from transforms.publish.index_keys import key_of
from transforms.publish.manifest import WORK
from transforms.takedowns.read_takedown import read_takedown

NOON = "2026-11-02T12:00:00+00:00"
STORE = "memory://bucket/datasets"


@pytest.fixture
def stored() -> Iterator[str]:
    """The dataset on an object store, in memory."""
    old = shared_dataset()
    MemoryFiles.files = {
        f"{STORE}/old/{path.relative_to(old)}": path.read_bytes() for path in old.rglob("*") if path.is_file()
    }
    yield f"{STORE}/old"
    MemoryFiles.files = {}


def under(directory: str) -> dict[str, bytes]:
    """Files of an object store below a directory, by their names there."""
    prefix = f"{directory}/"
    return {
        path.removeprefix(prefix): content for path, content in MemoryFiles.files.items() if path.startswith(prefix)
    }


def test_request_lies_on_any_file_system(stored: str, tmp_path: Path) -> None:
    """And so do its texts, whose paths start from where it lies."""
    local = write_request(tmp_path / "request.yaml", {"texts": ["books/a.txt"]})
    MemoryFiles.files["memory://bucket/asked/request.yaml"] = local.read_bytes()
    MemoryFiles.files["memory://bucket/asked/books/a.txt"] = b"A book."
    assert read_takedown("memory://bucket/asked/request.yaml").texts.to_pylist() == ["A book."]
    with pytest.raises(ConfigError, match=r"^memory://bucket/none.yaml: the takedown cannot be read: "):
        read_takedown("memory://bucket/none.yaml")


def test_version_on_an_object_store_is_that_of_a_local_disk(
    stored: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same bytes, every file copied; nothing is left beside them, and the old version is as it was."""
    monkeypatch.setattr(take_out, "now", lambda: NOON)
    request = str(write_request(tmp_path / "request.yaml", {"domains": ["later.example", "held.example"]}))
    before = under(stored)
    takedown(str(shared_dataset()), request, str(tmp_path / "new"))
    takedown(stored, request, f"{STORE}/new")
    local = tmp_path / "new"
    expected = {str(path.relative_to(local)): path.read_bytes() for path in local.rglob("*") if path.is_file()}
    assert under(f"{STORE}/new") == expected
    assert under(stored) == before


def test_output_on_an_object_store_must_lie_apart_too(stored: str, tmp_path: Path) -> None:
    """By their paths, as there are no links."""
    request = str(write_request(tmp_path / "request.yaml", {"domains": ["later.example"]}))
    for output in (stored, f"{stored}/", f"{stored}/new", STORE):
        with pytest.raises(OutputError, match="lie one in the other"):
            takedown(stored, request, output)


def test_output_that_can_only_be_read_is_answered_with_why(tmp_path: Path) -> None:
    """Behind http nothing can be written."""
    request = str(write_request(tmp_path / "request.yaml", {"domains": ["later.example"]}))
    with pytest.raises(OutputError) as error:
        takedown(str(shared_dataset()), request, "http://127.0.0.1:9/new")
    assert str(error.value).startswith("http://127.0.0.1:9/new cannot be written to: ")


def test_evidence_without_the_crawl_says_what_it_lacks(tmp_path: Path) -> None:
    """The set of a text that is not at hand is null; its bands are there all the same."""
    request = str(write_request(tmp_path / "request.yaml", {"domains": ["pirate.example"]}))
    takedown(str(shared_dataset()), request, str(tmp_path / "new"), crawl=False)
    (parquet,) = (tmp_path / "new" / "takedowns").glob("*.parquet")
    known = {row["doc_id"].hex(): row["shingles"] is not None for row in pq.read_table(parquet).to_pylist()}
    rows = {row["doc_id"]: row["decision"] for row in ledger(shared_dataset()).values()}
    assert known == {doc_id: rows[doc_id] == "keep" for doc_id in known}
    assert set(known.values()) == {True, False}


def test_rest_of_a_run_with_the_crawl_is_finished_with_it(tmp_path: Path) -> None:
    """Without it other copies may be found, and the two halves would not fit."""
    request = str(write_request(tmp_path / "request.yaml", {"domains": ["pirate.example"]}))
    version = open_dataset(str(shared_dataset())).version_id
    claim = {"takedown": read_takedown(request).sha256, "version": version, "crawl": True, "began": NOON}
    write_json(join(str(tmp_path / "new"), WORK, CLAIM), claim)
    with pytest.raises(OutputError, match="or with another `--no-crawl`"):
        takedown(str(shared_dataset()), request, str(tmp_path / "new"), crawl=False)
    takedown(str(shared_dataset()), request, str(tmp_path / "new"))
    assert verify(str(tmp_path / "new")).num_rows == 0


def test_estimated_copies_are_marked_as_such(tmp_path: Path) -> None:
    """The mark in the ledger has the method, the value and the limit."""
    rows = ledger(shared_dataset())
    selectors = {"texts": [{"text": edited("book", 4)}]}
    request = str(write_request(tmp_path / "request.yaml", selectors, similarity=0.6))
    takedown(str(shared_dataset()), request, str(tmp_path / "new"), crawl=False)
    marks = {name: row["marks"][0] for name, row in ledger(tmp_path / "new").items() if row["takedown_id"]}
    methods = {name: mark["method"] for name, mark in marks.items()}
    assert methods == {name: "jaccard" if rows[name]["decision"] == "keep" else "signature" for name in methods}
    assert set(methods.values()) == {"jaccard", "signature"}
    for mark in marks.values():
        assert mark["limit"] == 0.6
        assert mark["value"] >= 0.6
        assert mark["matched"] == read_takedown(request).text_names[0]


def test_version_is_named_by_what_it_was_made_of() -> None:
    """One takedown of two versions makes two, and so do two takedowns of one."""
    named = {version_after(version, takedown) for version in ("a" * 16, "b" * 16) for takedown in ("c" * 16, "d" * 16)}
    assert len(named) == 4
    assert all(len(one) == 16 and int(one, 16) >= 0 for one in named)


class Indexed:
    """A dataset that has an index of keys and nothing else."""

    def __init__(self, directory: Path):
        self.directory = directory

    def read(self, folder: str, part: int) -> pa.Table:
        return pq.read_table(part_path(join(str(self.directory), folder), part, "parquet"))


def index_rows(directory: Path, number: int) -> list[tuple[int, int, int]]:
    return [tuple(row.values()) for row in Indexed(directory).read("index_keys", number).to_pylist()]


witnesses = st.lists(st.none() | st.integers(0, 30), min_size=1, max_size=8)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(0, 2**48 - 1), min_size=1, max_size=12), st.integers(1, 3), witnesses)
def test_index_with_new_witnesses_is_sorted_over_all_files(
    tmp_path_factory: pytest.TempPathFactory, keys: list[int], count: int, named: list[int | None]
) -> None:
    """Every new key stands where a search looks for it, also before the first; files without one are not written."""
    place = tmp_path_factory.mktemp("index")
    rows = sorted((key, 0, row) for row, key in enumerate(keys))
    cuts = np.array_split(np.arange(len(rows)), min(count, len(rows)))
    for number, cut in enumerate(cuts):
        table = pa.Table.from_pylist(
            [dict(zip(("key", "part", "row"), rows[i], strict=True)) for i in cut], INDEX_KEYS.schema()
        )
        write_index(part_path(str(place / "old" / "index_keys"), number, "parquet"), table, INDEXES[0])
    first = [rows[cut[0]][0] for cut in cuts]
    said = NONE_JUDGED.ledger.schema.empty_table()
    columns = {name: pa.nulls(len(named), said.schema.field(name).type) for name in said.column_names}
    columns["duplicate_of"] = pa.array([None if one is None else hex_of(one) for one in named], pa.string())
    judged = Judged(row_ids(pa.table({"part": [1] * len(named), "row": list(range(len(named)))})), pa.table(columns))
    dataset: Any = Indexed(place / "old")
    files = index_witnesses(dataset, str(place / "new"), judged, first)
    new = [
        (int(key_of("witness", pa.array([hex_of(one)]))[0]), 1, row) for row, one in enumerate(named) if one is not None
    ]
    written = [f"index_keys/part-{number:05d}.parquet" in files for number in range(len(cuts))]
    found = [index_rows(place / ("new" if w else "old"), number) for number, w in enumerate(written)]
    assert [row for rows in found for row in rows] == sorted([*rows, *new])
    assert first == [rows[0][0] for rows in found]
    assert any(written) == bool(new)
    for name, facts in files.items():
        path = place / "new" / name
        assert facts == {**file_facts(str(path)), "rows": pq.read_metadata(path).num_rows}


def test_text_that_is_in_the_crawl_twice_goes_twice(tmp_path: Path) -> None:
    """Equal texts are selected wherever they are, and however their blanks differ."""
    request = str(write_request(tmp_path / "request.yaml", {"texts": [{"text": f"\n {text('book')}\u3000"}]}))
    found = takedown(str(shared_dataset()), request, dry_run=True).to_pylist()
    rows = ledger(shared_dataset())
    selected = {row["doc_id"] for row in found if row["selector"] == "texts"}
    assert selected == {rows[name]["doc_id"] for name in ("book-2", "book-twin")}
