"""Naming samples: ordinals become documents that anyone can look up, whichever store holds them."""

from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.tables import digest_of, hex_of, measured
from transforms.decide.all_parts import AllParts, EarlierStore
from transforms.part_store import Stage, part_path, write_file
from transforms.publish.name_samples import name_samples

OWN_PARTS, ROWS = 2, 3


def write(path: str, table: pa.Table) -> None:
    with write_file(path) as file:
        pq.write_table(table, file)


def rows_of(part: int) -> list[dict[str, Any]]:
    """Row i of a part has the number `10 * part + i`; the second of each part has no URL."""
    return [
        {"doc_id": digest_of(10 * part + i), "url": None if i == 1 else f"https://p{part}.example/{i}"}
        for i in range(ROWS)
    ]


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> AllParts:
    """Two parts of this crawl (0, 1), one of a measured store (2), one of a dataset (3)."""
    directory = tmp_path_factory.mktemp("stores")
    stage = Stage(str(directory / "own"), "digest")
    for number in range(OWN_PARTS):
        write(stage.path(number), measured(rows_of(number)))
    write(part_path(str(directory / "old"), 0, "parquet"), measured(rows_of(2)))
    table = measured(rows_of(3))
    write(part_path(str(directory / "set" / "fingerprints"), 0, "parquet"), table.select(["doc_id", "text_digest"]))
    write(part_path(str(directory / "set" / "ledger"), 0, "parquet"), pa.table({"decision": ["keep"] * len(table)}))
    write(part_path(str(directory / "set" / "documents"), 0, "parquet"), table.select(["url", "text"]))
    stores = (
        EarlierStore("measured-0123", str(directory / "old"), (0,), ROWS, False, "digest"),
        EarlierStore("4567", str(directory / "set"), (0,), ROWS, True, "digest"),
    )
    return AllParts(stage, OWN_PARTS, stores)


def expected(part: int, row: int) -> dict[str, Any]:
    build = {2: "measured-0123", 3: "4567"}.get(part)
    return {
        "doc_id": hex_of(10 * part + row),
        "url": None if row == 1 else f"https://p{part}.example/{row}",
        "build": build,
    }


PLACE = st.tuples(st.integers(0, 3), st.integers(0, ROWS - 1))


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(PLACE, min_size=1, max_size=3), max_size=4))
def test_samples_are_named_in_their_order(parts: AllParts, groups: list[list[tuple[int, int]]]) -> None:
    """Of any part and store, in several groups or twice in one; what else a group says stays."""
    numbered = [
        {"id": str(i), "documents": 9, "samples": [part << 32 | row for part, row in places]}
        for i, places in enumerate(groups)
    ]
    assert name_samples(numbered, parts) == [
        {"id": str(i), "documents": 9, "samples": [expected(*place) for place in places]}
        for i, places in enumerate(groups)
    ]


def test_only_the_parts_of_samples_are_read(parts: AllParts, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each once, and of it two columns."""
    read: list[tuple[int, list[str]]] = []
    really = AllParts.read

    def spy(self: AllParts, number: int, columns: list[str]) -> pa.Table:
        read.append((number, columns))
        return really(self, number, columns)

    monkeypatch.setattr(AllParts, "read", spy)
    name_samples([{"samples": [3 << 32, 1 << 32 | 2]}, {"samples": [3 << 32 | 1]}], parts)
    assert sorted(read) == [(1, ["doc_id", "url"]), (3, ["doc_id", "url"])]


def test_no_groups_read_nothing() -> None:
    """There need not be any part."""
    assert name_samples([], AllParts(Stage("nowhere", "digest"), 0)) == []
