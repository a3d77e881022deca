"""Listing clusters: the largest groups against a count on Python lists, batch by batch and merged."""

from collections import defaultdict
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tables import hex_of
from transforms.decide.judge_members import Rows
from transforms.decide.list_clusters import MOST_GROUPS, MOST_SAMPLES, list_clusters, merge_clusters

Judged = tuple[int, int | None, bool]
"""cluster, text and whether a bound was met"""
BATCHES = st.lists(
    st.lists(st.tuples(st.integers(0, 30), st.none() | st.integers(0, 30), st.booleans()), max_size=60), max_size=3
)


def words(number: int) -> tuple[int, int]:
    """A digest as two words; numbers of 30 and above differ in the upper one only."""
    return (number // 30, number % 30)


def hex_digest(number: int) -> str:
    return hex_of((number // 30) << 64 | number % 30)


def batch(rows: list[Judged], first_id: int = 0) -> Rows:
    return {
        "id": np.arange(first_id, first_id + len(rows), dtype=np.uint64),
        "cluster_id": np.array([words(cluster) for cluster, _, _ in rows], np.uint64).reshape(-1, 2),
        "text_digest": np.array([words(text or 0) for _, text, _ in rows], np.uint64).reshape(-1, 2),
        "text": np.array([-1 if text is None else text for _, text, _ in rows], np.int64),
        "bounded": np.array([bounded for _, _, bounded in rows], bool),
    }


def slow_groups(keys: list[tuple[int, int]]) -> list[dict[str, Any]]:
    """Groups of two and more, the largest first, of (id, key)."""
    groups: dict[int, list[int]] = defaultdict(list)
    for ordinal, key in keys:
        groups[key].append(ordinal)
    listed: list[dict[str, Any]] = [
        {"id": hex_digest(key), "documents": len(ids), "samples": ids[:MOST_SAMPLES]}
        for key, ids in groups.items()
        if len(ids) > 1
    ]
    return sorted(listed, key=lambda group: (-group["documents"], group["id"]))[:MOST_GROUPS]


def slow_lists(rows: list[Judged], first_id: int) -> dict[str, Any]:
    numbered = list(enumerate(rows, first_id))
    hurt = sorted({cluster for cluster, _, bounded in rows if bounded})
    return {
        "clusters": slow_groups([(i, cluster) for i, (cluster, _, _) in numbered]),
        "texts": slow_groups([(i, text) for i, (_, text, _) in numbered if text is not None]),
        "bounded": {
            "documents": sum(bounded for _, _, bounded in rows),
            "clusters": len(hurt),
            "samples": [hex_digest(cluster) for cluster in hurt][:MOST_GROUPS],
        },
    }


@settings(deadline=None)
@given(BATCHES)
def test_groups_are_those_of_a_count_in_python(batches: list[list[Judged]]) -> None:
    """Sizes, ids and first documents of the largest groups; ties by id; groups of one are none."""
    for rows in batches:
        assert list_clusters(batch(rows, 7 << 32)) == slow_lists(rows, 7 << 32)


@settings(deadline=None)
@given(BATCHES)
def test_merged_lists_do_not_depend_on_the_order_of_the_batches(batches: list[list[Judged]]) -> None:
    """Largest first over all of them, and bounds added up, however they are merged."""
    lists = [list_clusters(batch(rows, 1000 * number)) for number, rows in enumerate(batches)]
    merged = merge_clusters(lists)
    for kind in ("clusters", "texts"):
        every = [group for one in lists for group in one[kind]]
        ordered = sorted(every, key=lambda group: (-group["documents"], group["id"]))
        sizes = [(group["documents"], group["id"]) for group in ordered[:MOST_GROUPS]]
        assert [(group["documents"], group["id"]) for group in merged[kind]] == sizes
    for name in ("documents", "clusters"):
        assert merged["bounded"][name] == sum(one["bounded"][name] for one in lists)
    backwards = merge_clusters(lists[::-1])
    assert backwards["bounded"] == merged["bounded"]
    if len(lists) > 1:
        assert merge_clusters([merge_clusters(lists[:1]), merge_clusters(lists[1:])]) == merged


def test_no_batches_have_no_groups() -> None:
    """The shape is the same all the same."""
    nothing = {"clusters": [], "texts": [], "bounded": {"documents": 0, "clusters": 0, "samples": []}}
    assert merge_clusters([]) == nothing
    assert list_clusters(batch([])) == nothing


def test_lists_keep_to_their_bounds() -> None:
    """Of 50 clusters of five the first 20 are listed, each with three documents; 50 that were bounded are counted."""
    rows: list[Judged] = [(cluster, cluster, True) for cluster in range(50) for _ in range(5)]
    found = list_clusters(batch(rows))
    assert [group["id"] for group in found["clusters"]] == [hex_digest(cluster) for cluster in range(MOST_GROUPS)]
    assert found["clusters"][1] == {"id": hex_digest(1), "documents": 5, "samples": [5, 6, 7]}
    assert found["texts"] == found["clusters"]
    assert (found["bounded"]["documents"], found["bounded"]["clusters"]) == (250, 50)
    assert len(found["bounded"]["samples"]) == MOST_GROUPS
