"""The most frequent value: how often it is there, and where it is first."""

from collections import Counter

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.kernels.most_frequent import most_frequent

CLOSE = st.integers(0, 12)
"""Values that are often equal, and, with all bits above, those that are only alike in the lower ones."""
VALUES = st.lists(CLOSE | CLOSE.map(lambda value: value << 60) | st.integers(0, 2**64 - 1), max_size=80)


@settings(deadline=None)
@given(VALUES)
def test_most_frequent_is_what_counting_one_by_one_finds(values: list[int]) -> None:
    """Of several that are as frequent, the one that comes first."""
    counts = Counter(values)
    most = max(counts.values(), default=0)
    first = next((place for place, value in enumerate(values) if counts[value] == most), -1)
    assert most_frequent(np.array(values, np.uint64)) == (first, most)


def test_most_frequent_of_many_values_is_found_among_them() -> None:
    """A hundred thousand that differ, one of which is there twice."""
    values = np.arange(100_000, dtype=np.uint64) << np.uint64(20)
    values[77_777] = values[55_555]
    assert most_frequent(values) == (55_555, 2)
