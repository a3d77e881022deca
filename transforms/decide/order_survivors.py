"""Survivor order: which of several documents that repeat each other is kept."""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

I64 = npt.NDArray[np.int64]
LAST: Final = np.iinfo(np.int64).max


class Facts(NamedTuple):
    """What survivor policies look at; int64 of shape (rows,), `LAST` where the record does not say."""

    text_bytes: I64
    fetch_time: I64
    """Microseconds since 1970 in UTC."""
    url_bytes: I64
    priority: I64
    """Of the source, by the sources register; the larger survives."""


def _descending(values: I64) -> I64:
    return np.where(values == LAST, LAST, -values)


# A smaller key survives.
POLICIES: Final[dict[str, Callable[[Facts], I64]]] = {
    "source_priority": lambda facts: -facts.priority,
    "longest": lambda facts: _descending(facts.text_bytes),
    "shortest": lambda facts: facts.text_bytes,
    "earliest": lambda facts: facts.fetch_time,
    "latest": lambda facts: _descending(facts.fetch_time),
    "url_shortest": lambda facts: facts.url_bytes,
}


def order_survivors(
    policy: Sequence[str], facts: Facts, doc_id: npt.NDArray[np.uint64], first: Sequence[npt.NDArray[np.generic]] = ()
) -> I64:
    """Positions of the rows in survivor order, int64 of shape (rows,).

    >>> facts = Facts(np.array([5, 9, 9]), np.array([1, 7, 3]), np.array([1, 1, 1]), np.zeros(3, np.int64))
    >>> order_survivors(["longest", "earliest"], facts, np.zeros((3, 2), np.uint64)).tolist()
    [2, 1, 0]

    Rows are sorted by the `first` keys, then by the policies in turn, and last by `doc_id` (uint64, shape (rows, 2)),
    so that no two rows are ever alike.
    """
    keys = [*first, *(POLICIES[name](facts) for name in policy), doc_id[:, 0], doc_id[:, 1]]
    return np.lexsort(keys[::-1]).astype(np.int64)
