"""Steps of a takedown against slow twins: row ids, the closest source, followers."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lineage.catalog import open_dataset
from lineage.takedowns.plan_takedown import plan_takedown
from lineage.takedowns.row_ids import places_of, row_ids
from lineage.takedowns.spread_to_copies import METHODS, Pairs, closest
from lineage.takedowns.spread_to_followers import spread_to_followers
from schemas.columns import LEDGER
from schemas.errors import ConfigError
from tests.jobs import run, write_config, write_jsonl
from tests.takedown_data import write_request
from transforms.takedowns.read_takedown import read_takedown


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2**31 - 1)), unique=True))
def test_row_ids_stand_for_places(places: list[tuple[int, int]]) -> None:
    """There and back, in their order."""
    table = pa.table({name: pa.array([one[i] for one in places], pa.int32()) for i, name in enumerate(["part", "row"])})
    ids = row_ids(table)
    assert places_of(ids).select(["part", "row"]).to_pydict() == table.to_pydict()
    assert [places[i] for i in np.argsort(ids)] == sorted(places)


def slow_closest(pairs: list[tuple[int, int, float, int]], limit: float) -> dict[int, tuple[int, float]]:
    """What `closest` finds, by row: of each pair the most reliable, of each row the most similar source."""
    known: dict[tuple[int, int], tuple[int, float]] = {}
    for source, row, similarity, method in pairs:
        known[source, row] = min(known.get((source, row), (len(METHODS), 0.0)), (method, similarity))
    best: dict[int, tuple[float, int]] = {}
    for (source, row), (_, similarity) in known.items():
        if similarity >= limit:
            best[row] = max(best.get(row, (0.0, 0)), (similarity, -source))
    return {row: (-source, similarity) for row, (similarity, source) in best.items()}


similarities = st.sampled_from([0.5, 0.7, 0.8, 1.0])
some_pairs = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 4), similarities, st.integers(0, 2)),
    unique_by=lambda pair: (pair[0], pair[1], pair[3]),
)


@settings(deadline=None)
@given(some_pairs)
def test_closest_source_is_that_of_a_slow_search(pairs: list[tuple[int, int, float, int]]) -> None:
    """A proven similarity counts before an estimate, also where it is lower."""
    columns: list[Any] = [np.array([pair[i] for pair in pairs], np.float64 if i == 2 else np.int64) for i in range(4)]
    found = closest(Pairs(*columns), 0.7)
    assert found.id.tolist() == sorted(set(found.id.tolist()))
    sources = zip(found.source.tolist(), found.similarity.tolist(), strict=True)
    assert dict(zip(found.id.tolist(), sources, strict=True)) == slow_closest(pairs, 0.7)


class Witnesses:
    """A dataset of one part in which row i names `witness[i]` as what it repeats, or nothing."""

    def __init__(self, rows: list[tuple[int | None, str, bool]]):
        named = [None if witness is None else f"{witness:032x}" for witness, _, _ in rows]
        marks = [[{"rule": "near_duplicate", "action": "drop", "evidence": one}] if one else [] for one in named]
        self.manifest = {"takedowns": [{"id": "t"}]}
        self.table = pa.table(
            {
                "doc_id": [f"{i:032x}" for i in range(len(rows))],
                "duplicate_of": pa.array(named, pa.string()),
                "duplicate_build": pa.nulls(len(rows), pa.string()),
                "decision": pa.array([decision for _, decision, _ in rows], pa.string()),
                "takedown_id": pa.array(["t" if taken else None for _, _, taken in rows], pa.string()),
                "cluster_id": pa.repeat(f"{0:032x}", len(rows)),
                "marks": pa.array(marks, LEDGER.schema().field("marks").type),
            }
        )

    def ledger(self, places: pa.Table, columns: list[str]) -> pa.Table:
        return self.table.take(places["row"]).select(columns)

    def find(self, kind: str, values: list[str]) -> pa.Table:
        """All rows as candidates for every value, as if all keys were one."""
        query = np.repeat(np.arange(len(values)), len(self.table))
        row = np.tile(np.arange(len(self.table)), len(values))
        return pa.table([pa.array(c.astype(np.int32)) for c in (query, row * 0, row)], ["query", "part", "row"])


def slow_followers(rows: list[tuple[int | None, str, bool]], gone: set[int]) -> set[int]:
    """What follows, one row at a time until nothing does any more."""
    found = gone | {i for i, (_, _, taken) in enumerate(rows) if taken}
    while new := {
        i
        for i, (witness, decision, taken) in enumerate(rows)
        if i not in found and witness in found and decision == "drop" and not taken
    }:
        found |= new
    return found - gone - {i for i, (_, _, taken) in enumerate(rows) if taken}


graph = st.lists(
    st.tuples(st.none() | st.integers(0, 7), st.sampled_from(["drop", "drop", "keep", "quarantine"]), st.booleans()),
    min_size=8,
    max_size=8,
)


@settings(deadline=None)
@given(graph, st.sets(st.integers(0, 7), min_size=1))
def test_followers_are_those_of_a_slow_walk(rows: list[tuple[int | None, str, bool]], gone: set[int]) -> None:
    """To the end of every chain, and round every circle; who is kept stands by itself, who was taken out stays out."""
    dataset: Any = Witnesses(rows)
    assert spread_to_followers(dataset, np.array(sorted(gone))).tolist() == sorted(slow_followers(rows, gone))


def test_path_with_characters_that_cannot_be_seen_is_refused(tmp_path: Path) -> None:
    """A zero byte would end it."""
    path = write_request(tmp_path / "request.yaml", {"texts": ["a\0b"]})
    with pytest.raises(ConfigError, match="is no path: it holds characters that cannot be seen"):
        read_takedown(str(path))


def test_domain_covers_what_is_beneath_it_whatever_its_first_label(tmp_path: Path) -> None:
    """A SURT key lacks one `www` in front, of the domain or of a host beneath it."""
    hosts = ["www.a.example", "www.www.a.example", "www2.www.a.example", "x.www.a.example", "www.www.a.example:81"]
    others = ["a.example", "x.a.example", "wwww.a.example", "www.b.example"]
    rows = [{"id": host, "url": f"https://{host}/", "text": f"text of {host}"} for host in (*hosts, *others)]
    write_jsonl(tmp_path / "crawl.jsonl", rows)
    write_config(tmp_path / "c.yaml", {"crawl": {"name": "c", "files": ["crawl.jsonl"]}})
    assert run("curate", tmp_path / "c.yaml", "--output", tmp_path / "dataset", "--quiet") == 0
    asked = read_takedown(str(write_request(tmp_path / "request.yaml", {"domains": ["www.a.example"]}, scope="named")))
    plan = plan_takedown(open_dataset(str(tmp_path / "dataset")), asked)
    assert sorted(plan.records["url"].to_pylist()) == sorted(f"https://{host}/" for host in hosts)
