"""Graphs whose components are known: by scipy for large ones, by merging sets for small ones."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]


def ends(shape: str, count: int) -> tuple[I64, I64]:
    """Edges between nodes 0 to count - 1, in a random order of arrival and direction that never changes."""
    random = np.random.default_rng(7)
    line, side = np.arange(count), int(count**0.5)
    right = line[line % side != side - 1][:-1]
    a, b = {
        "path": (line[:-1], line[1:]),
        "star": (np.full(count - 1, count // 2), np.delete(line, count // 2)),
        "grid": (np.r_[line[:-side], right], np.r_[line[side:], right + 1]),
        "sparse": tuple(random.integers(0, count, (2, count // 3))),
        "dense": tuple(random.integers(0, count, (2, 2 * count))),
    }[shape]
    order, turned = random.permutation(len(a)), random.random(len(a)) < 0.5
    return np.where(turned, a, b)[order], np.where(turned, b, a)[order]


def components(a: U64, b: U64) -> tuple[U64, U64]:
    """Nodes, ascending, and the smallest of the component of each, by scipy."""
    nodes, index = np.unique(np.r_[a, b], return_inverse=True)
    edges = coo_matrix((np.ones(len(a)), (index[: len(a)], index[len(a) :])), shape=(len(nodes), len(nodes)))
    count, label = connected_components(edges, directed=False)
    first = np.full(count, len(nodes), np.int64)
    np.minimum.at(first, label, np.arange(len(nodes)))
    return nodes, nodes[first[label]]


def slow_components(edges: Iterable[tuple[int, int]]) -> dict[int, int]:
    """Node to smallest node of its component, by merging sets."""
    sets: list[set[int]] = []
    for edge in edges:
        touching = [s for s in sets if s & set(edge)]
        sets = [s for s in sets if s not in touching] + [set(edge).union(*touching)]
    return {node: min(s) for s in sets for node in s}
