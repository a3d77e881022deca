"""Which of several findings count: those that do not overlap, and the first in a declared value."""

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.batches import Strings, strings
from transforms.measure.rights.choose_findings import first_declared, without_overlaps
from transforms.measure.rights.findings import Found, Hits

Interval = tuple[int, int, int]
"""Row, start, end."""


def found_at(intervals: list[Interval]) -> Found:
    """Findings whose value is their number."""
    rows, starts, ends = np.array(intervals, np.int64).reshape(-1, 3).T
    return Found(rows, pa.array([str(number) for number in range(len(intervals))], pa.string()), starts, ends)


def chosen(intervals: list[Interval]) -> list[int]:
    found = without_overlaps(found_at(intervals))
    numbers = [int(value) for value in found.values.to_pylist()]
    columns = zip(found.rows.tolist(), found.starts.tolist(), found.ends.tolist(), strict=True)
    assert list(columns) == [intervals[number] for number in numbers]
    return numbers


@pytest.mark.parametrize(
    ("intervals", "expected"),
    [
        ([], []),
        ([(0, 0, 4)], [0]),
        ([(0, 0, 4), (0, 4, 8)], [0, 1]),
        ([(0, 4, 8), (0, 0, 4)], [1, 0]),
        ([(0, 0, 4), (0, 0, 9)], [1]),
        ([(0, 0, 9), (0, 3, 12), (0, 10, 14)], [0, 2]),
        ([(0, 5, 9), (0, 5, 9)], [0]),
        ([(0, 0, 9), (1, 9, 12), (1, 11, 13), (2, 13, 15)], [0, 1, 3]),
    ],
)
def test_first_then_longest_finding_is_kept(intervals: list[Interval], expected: list[int]) -> None:
    """In the order of their places; what is left out hides nothing."""
    assert chosen(intervals) == expected


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 40), st.integers(1, 8))))
def test_what_is_kept_does_not_overlap_and_covers_the_rest(pairs: list[tuple[int, int]]) -> None:
    """Every finding that is left out overlaps one that is kept and begins no later."""
    intervals = [(0, start, start + length) for start, length in pairs]
    kept = [intervals[number] for number in chosen(intervals)]
    assert all(first[2] <= second[1] for first, second in pairwise(kept))
    assert all(any(k[1] <= one[1] < k[2] for k in kept) for one in intervals)


def find_stars(texts: Strings, hits: Hits) -> Found:
    """Every trigger is a finding: its value is the byte after it. Last ones come first."""
    order = np.argsort(-hits.starts)
    after = [chr(texts.data[stop]) if stop < texts.data.size else "" for stop in hits.stops[order]]
    return Found(hits.rows[order], pa.array(after, pa.string()), hits.starts[order], hits.stops[order])


def test_first_finding_in_each_declared_value_counts() -> None:
    """Behind the label; null where there is none; one value cannot see another."""
    values = pa.array(["*a*b", "none", "", "x*c"])
    assert first_declared(find_stars, (b"*",), "", values).to_pylist() == ["a", None, None, "c"]
    assert first_declared(find_stars, (b"*",), "*1", values).to_pylist() == ["1"] * 4
    assert first_declared(find_stars, (b"*",), "", pa.array([], pa.string())).equals(pa.array([], pa.string()))


def test_declared_values_may_be_large_strings_and_slices() -> None:
    """Columns come as they come."""
    values = pa.array(["*z", "*a", "b", "*y"], pa.large_string())[1:3]
    assert first_declared(find_stars, (b"*",), "", values).to_pylist() == ["a", None]
    assert strings(values).offsets[0] > 0
