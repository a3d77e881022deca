"""From equal keys to edges, and from edges to connected components."""

import numba
import numpy as np
import numpy.typing as npt

U64 = npt.NDArray[np.uint64]


def star_edges(keys: U64, ids: U64) -> tuple[U64, U64]:
    """Tie every id to the smallest id that has the same key.

    >>> a, b = star_edges(np.array([5, 9, 5, 5], np.uint64), np.array([3, 1, 2, 7], np.uint64))
    >>> a.tolist(), b.tolist()
    ([2, 2], [3, 7])

    Both arguments are uint64 of shape (n,); returns (smallest, other), each of shape (edges,), in no stated order.
    A key with m ids gives m - 1 edges, which connect the same ids as all m (m - 1) / 2 pairs would.
    """
    order = np.argsort(keys)
    sorted_keys, sorted_ids = keys[order], ids[order]
    starts = np.flatnonzero(np.r_[True, sorted_keys[1:] != sorted_keys[:-1]]) if len(keys) else np.empty(0, np.intp)
    counts = np.diff(np.r_[starts, len(keys)])
    shared = np.repeat(counts > 1, counts)
    smallest = np.repeat(np.minimum.reduceat(sorted_ids, starts), counts) if len(keys) else sorted_ids
    chosen = shared & (smallest != sorted_ids)
    return smallest[chosen], sorted_ids[chosen]


def connect(a: U64, b: U64) -> tuple[U64, U64]:
    """Connected components of the graph with edges a[i] - b[i] (uint64, shape (edges,)).

    Returns (nodes, roots), both of shape (nodes,): the ids that occur, ascending, and the smallest id of the component
    that each belongs to. Union-find with path halving; time grows as edges times log nodes, for the sorting.
    """
    nodes, index = np.unique(np.r_[a, b], return_inverse=True)
    parent = np.arange(len(nodes), dtype=np.int64)
    _union(index[: len(a)].astype(np.int64), index[len(a) :].astype(np.int64), parent)
    return nodes, nodes[parent]


@numba.njit(nogil=True, cache=True)
def _find(parent: npt.NDArray[np.int64], node: int) -> int:
    while parent[node] != node:
        parent[node] = parent[parent[node]]
        node = parent[node]
    return node


@numba.njit(nogil=True, cache=True)
def _union(a: npt.NDArray[np.int64], b: npt.NDArray[np.int64], parent: npt.NDArray[np.int64]) -> None:
    """Join the ends of every edge; the root of a tree is its smallest node. Leaves `parent` flat."""
    for edge in range(a.size):
        left, right = _find(parent, a[edge]), _find(parent, b[edge])
        if left < right:
            parent[right] = left
        elif right < left:
            parent[left] = right
    for node in range(parent.size):
        parent[node] = _find(parent, node)
