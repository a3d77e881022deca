"""Intervals that do not overlap, chosen from the left."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.kernels.overlaps import apart


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 30), st.integers(1, 9))))
def test_interval_is_kept_where_the_last_kept_has_ended(pairs: list[tuple[int, int]]) -> None:
    """A loop over tuples agrees."""
    intervals = sorted((start, start + length) for start, length in pairs)
    kept, reached = [], 0
    for start, end in intervals:
        kept.append(start >= reached)
        reached = end if kept[-1] else reached
    starts, ends = np.array(intervals, np.int64).reshape(-1, 2).T
    assert apart(starts, ends).tolist() == kept
