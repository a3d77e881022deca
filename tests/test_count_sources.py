"""Counting sources: records and losses of each, however they are spread over parts and partitions."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from beam_jobs.runners.engine import Engine
from beam_jobs.runners.options import beam_options
from schemas.errors import WorkError
from tests.tables import Row, ledger
from transforms.part_store import Stage, list_names, read_json, write_file
from transforms.publish.count_sources import (
    MOST_SOURCES,
    CountSources,
    add_counts,
    count_sources,
    merge_ranks,
    rank_sources,
)
from transforms.spread_parts import SpreadParts

ASKED_FOR = ("blocklist", "pirated_marker", "noai", "unlicensed")

Counts = dict[str, tuple[int, int]]
ROW = st.fixed_dictionaries(
    {
        "url_host_registered_domain": st.sampled_from([None, "a.example", "b.example", "größe.example"]),
        "url_host_name": st.sampled_from([None, "192.0.2.1", "x.a.example"]),
        "source_file": st.sampled_from(["one.jsonl", "two.jsonl"]),
        "decision": st.sampled_from(["keep", "drop"]),
        "reason": st.sampled_from([None, *ASKED_FOR, "exact_duplicate", "taint"]),
    }
)
COUNTS = st.dictionaries(
    st.text("abc", min_size=1, max_size=3),
    st.tuples(st.integers(0, 6), st.integers(0, 6)).filter(any),
    max_size=30,
)


def slow_count(rows: list[Row]) -> Counts:
    """One row after the other; what a blocklist or the policy takes out is no loss."""
    found: Counts = {}
    for row in rows:
        if row.get("reason") in ASKED_FOR:
            continue
        name = row["url_host_registered_domain"] or row["url_host_name"] or row["source_file"]
        records, dropped = found.get(name, (0, 0))
        found[name] = records + 1, dropped + (row["decision"] == "drop")
    return found


def slow_rank(counts: Counts, least: int, limit: float | None) -> dict[str, Any]:
    """All sources in a list, sorted."""
    listed = [
        {"source": name, "records": records, "dropped": dropped, "share": dropped / records}
        for name, (records, dropped) in counts.items()
        if records >= least
    ]
    return {
        "above": 0 if limit is None else sum(source["share"] > limit for source in listed),
        "sources": sorted(listed, key=lambda s: (-s["share"], -s["records"], s["source"]))[:MOST_SOURCES],
    }


def table_of(counts: Counts) -> pa.Table:
    return pa.table(
        {
            "source": pa.array(counts, pa.string()),
            "records": pa.array([records for records, _ in counts.values()], pa.int64()),
            "dropped": pa.array([dropped for _, dropped in counts.values()], pa.int64()),
        }
    )


def counts_of(table: pa.Table) -> Counts:
    return {row["source"]: (row["records"], row["dropped"]) for row in table.to_pylist()}


@given(st.lists(ROW, max_size=20))
def test_counts_agree_with_counting_one_by_one(rows: list[Row]) -> None:
    """The registered domain is the source; without one the host is, and without that the file."""
    assert counts_of(count_sources(ledger(rows))) == slow_count(rows)


@given(st.lists(st.lists(ROW, max_size=8), max_size=4))
def test_counts_of_parts_add_up_to_those_of_all(parts: list[list[Row]]) -> None:
    """A source may be in every part."""
    tables = [count_sources(ledger(rows)) for rows in [[], *parts]]
    assert counts_of(add_counts(pa.concat_tables(tables))) == slow_count([row for rows in parts for row in rows])


@given(COUNTS.map(lambda c: {k: (a + b, b) for k, (a, b) in c.items()}), st.integers(1, 5), st.none() | st.floats(0, 1))
def test_rank_agrees_with_a_sorted_list(counts: Counts, least: int, limit: float | None) -> None:
    """The list and the number above the limit are of the large ones."""
    assert rank_sources(table_of(counts), least, limit) == slow_rank(counts, least, limit)


@given(COUNTS.map(lambda c: {k: (a + b, b) for k, (a, b) in c.items()}), st.integers(1, 4))
def test_ranks_of_disjoint_sources_merge_to_that_of_all(counts: Counts, shares: int) -> None:
    """However the sources are spread over partitions."""
    names = sorted(counts)
    ranks = [rank_sources(table_of({n: counts[n] for n in names[i::shares]}), 2, 0.5) for i in range(shares)]
    assert merge_ranks(ranks) == slow_rank(counts, 2, 0.5)


def test_rank_of_no_source_is_zero() -> None:
    """A crawl in which nothing could be read."""
    assert merge_ranks([]) == rank_sources(table_of({}), 1, 0.5) == slow_rank({}, 1, 0.5)


def test_share_at_the_limit_is_not_above_it() -> None:
    """An alarm wants more than the limit."""
    counts = table_of({"a": (10, 9), "b": (100, 91)})
    assert rank_sources(counts, 1, 0.9)["above"] == 1
    assert rank_sources(counts, 101, 0.9)["above"] == 0


PARTS = [
    [{"url_host_registered_domain": f"s{i % 7}.example", "decision": "drop" if i % 3 else "keep"} for i in range(40)],
    [],
    [{"url_host_registered_domain": f"s{i % 5}.example"} for i in range(30)] + [{"url_host_name": "192.0.2.1"}],
]


def decided(directory: Path) -> Stage:
    stage = Stage(str(directory / "decided"), "digest")
    for number, rows in enumerate(PARTS):
        with write_file(stage.path(number)) as file:
            pq.write_table(ledger(rows), file)
    return stage


def count(stage: Stage, directory: Path, partitions: int, workers: int = 1) -> dict[str, Any]:
    step = CountSources(stage, str(directory), partitions, 5, 0.3)
    options = beam_options([f"--direct_num_workers={workers}"])
    Engine(options).run("survey", lambda root: root | SpreadParts(range(len(PARTS))) | "Count" >> step)
    return merge_ranks(read_json(str(directory / name)) for name in list_names(str(directory)))


@pytest.mark.parametrize(("partitions", "workers"), [(1, 1), (8, 3)])
def test_transform_agrees_with_counting_one_by_one(tmp_path: Path, partitions: int, workers: int) -> None:
    """Over parts of which one is empty, in any number of partitions and workers."""
    rows = [
        {"url_host_registered_domain": None, "url_host_name": None, "decision": "keep"} | r for p in PARTS for r in p
    ]
    found = count(decided(tmp_path), tmp_path / "sources", partitions, workers)
    assert found == slow_rank(slow_count(rows), 5, 0.3)


@pytest.mark.parametrize("content", [None, b"PAR1 no more"], ids=["gone", "damaged"])
def test_ledger_that_cannot_be_read_fails_by_number(tmp_path: Path, content: bytes | None) -> None:
    """The letter names the part, not a traceback."""
    stage = decided(tmp_path)
    path = Path(stage.path(1))
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    with pytest.raises(WorkError, match=r"^Counting the sources of part 1 failed: "):
        count(stage, tmp_path / "sources", 2)


def test_step_sends_sources_not_rows(tmp_path: Path) -> None:
    """A part of many documents of one source sends one row."""
    stage = Stage(str(tmp_path), "digest")
    with write_file(stage.path(0)) as file:
        pq.write_table(ledger([{"url_host_registered_domain": "a.example"}] * 500), file)
    sent = list(CountSources(stage, "unused", 8, 1, None).count.process((0, [])))
    ((_, packed),) = sent
    assert counts_of(pa.ipc.open_stream(packed).read_all()) == {"a.example": (500, 0)}
