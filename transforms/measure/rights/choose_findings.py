"""Choose among findings: of those that overlap, or of those in one declared value."""

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.batches import Strings, strings
from transforms.kernels.overlaps import apart
from transforms.measure.rights.findings import Found, Hits
from transforms.measure.rights.triggers import find_triggers

Find = Callable[[Strings, Hits], Found]


def without_overlaps(found: Found) -> Found:
    """Of findings that overlap the one that begins first, or the longer one.

    >>> found = Found(np.zeros(2, np.int64), pa.array(["short", "long"]), np.array([3, 3]), np.array([5, 9]))
    >>> without_overlaps(found).values.to_pylist()
    ['long']
    """
    order = np.lexsort((-found.ends, found.starts))
    chosen = order[apart(found.starts[order], found.ends[order])]
    return Found(found.rows[chosen], found.values.take(pa.array(chosen)), found.starts[chosen], found.ends[chosen])


def first_declared(find: Find, triggers: tuple[bytes, ...], label: str, values: pa.Array) -> pa.Array:
    """What `find` finds first in each of `values` (strings, none null) behind a label, as a string array.

    Null where it finds nothing.
    """
    texts = strings(pc.binary_join_element_wise(label, values.cast(pa.string()), ""))
    hits = find_triggers(texts, {"": triggers})[""]
    found = find(texts, hits)
    order = np.argsort(found.starts, kind="stable")
    rows, first = np.unique(found.rows[order], return_index=True)
    taken = np.full(len(values), -1, np.int64)
    taken[rows] = order[first]
    return found.values.take(pa.array(taken, mask=taken < 0))
