"""Connected components: union-find inside a partition, and what lets partitions contract one graph together."""

import numba
import numpy as np
import numpy.typing as npt

U64 = npt.NDArray[np.uint64]

_STEP, _MASK = 0x9E3779B97F4A7C15, 0xFFFFFFFFFFFFFFFF
_FACTORS = (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53)
_INVERSES = tuple(pow(factor, -1, 1 << 64) for factor in reversed(_FACTORS))
_SHIFT = np.uint64(33)


def connect(a: U64, b: U64) -> tuple[U64, U64]:
    """Connected components of the graph with edges a[i] - b[i] (uint64, shape (edges,)).

    >>> nodes, roots = connect(np.array([7, 2, 4], np.uint64), np.array([9, 7, 5], np.uint64))
    >>> nodes.tolist(), roots.tolist()
    ([2, 4, 5, 7, 9], [2, 4, 4, 2, 2])

    Returns (nodes, roots), both of shape (nodes,): the ids that occur, ascending, and the smallest id of the component
    that each belongs to. Union-find with path halving; time grows as edges times log nodes, for the sorting.
    """
    nodes, index = np.unique(np.concatenate([a, b]), return_inverse=True)
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


def contract(a: U64, b: U64) -> tuple[U64, U64]:
    """Fewest edges with the same components: a star around the smallest id of each, as (smallest, other).

    >>> a, b = contract(np.array([7, 2, 7], np.uint64), np.array([9, 7, 7], np.uint64))
    >>> a.tolist(), b.tolist()
    ([2, 2], [7, 9])
    """
    nodes, roots = connect(a, b)
    other = nodes != roots
    return roots[other], nodes[other]


def mix(ids: U64, salt: int) -> U64:
    """Rank of every id in an order that looks random; no two ids share one, and each `salt` makes another order.

    The finalizer of MurmurHash3 (Appleby, 2011), a bijection of 64 bits, after adding a multiple of an odd number.
    """
    return _scramble(ids + np.uint64(salt * _STEP & _MASK), _FACTORS)


def unmix(ranks: U64, salt: int) -> U64:
    """The ids that have these ranks.

    >>> unmix(mix(np.array([7, 0], np.uint64), salt=3), salt=3).tolist()
    [7, 0]
    """
    return _scramble(ranks, _INVERSES) - np.uint64(salt * _STEP & _MASK)


def _scramble(words: U64, factors: tuple[int, ...]) -> U64:
    """Shift and multiply in turn; a shift of more than half the bits undoes itself."""
    words = words ^ (words >> _SHIFT)
    for factor in factors:
        words = words * np.uint64(factor)
        words ^= words >> _SHIFT
    return words


def place(ids: U64, partitions: int) -> npt.NDArray[np.int64]:
    """The partition of every id, from 0 to `partitions` - 1; ids that lie close together are spread."""
    return (mix(ids, 0) % np.uint64(partitions)).astype(np.int64)


def lead(a: U64, b: U64, salt: int) -> tuple[U64, U64]:
    """Nodes of a partition's edges, ascending, and the node of least rank in the component that each has there."""
    nodes, roots = connect(a, b)
    heads, leaders = least(roots, nodes, salt)
    return nodes, leaders[np.searchsorted(heads, roots)]


def least(keys: U64, values: U64, salt: int) -> tuple[U64, U64]:
    """Distinct keys, ascending, and of the values of each the one whose rank by `mix` is least.

    Both arguments are uint64 of shape (n,) with n > 0; the order of the rows is of no matter.
    """
    order = np.argsort(keys)
    starts = _starts(keys[order])
    return keys[order][starts], unmix(np.minimum.reduceat(mix(values, salt)[order], starts), salt)


def tally(keys: U64, ids: U64, counts: npt.NDArray[np.int64]) -> tuple[U64, U64, npt.NDArray[np.int64]]:
    """Distinct keys, ascending, and of each the smallest id and the sum of the counts.

    >>> keys, ids, counts = tally(*(np.array(v, np.uint64) for v in ([8, 3, 8], [6, 5, 4])), np.array([1, 1, 2]))
    >>> keys.tolist(), ids.tolist(), counts.tolist()
    ([3, 8], [5, 4], [1, 3])

    All three are of shape (n,) with n > 0.
    """
    order = np.argsort(keys)
    starts = _starts(keys[order])
    return keys[order][starts], np.minimum.reduceat(ids[order], starts), np.add.reduceat(counts[order], starts)


def distinct(values: U64) -> U64:
    """The distinct values, ascending; `np.unique` hashes where no inverse is asked for, and takes far longer."""
    ordered = np.sort(values)
    return ordered[_starts(ordered)]


def _starts(ordered: U64) -> npt.NDArray[np.intp]:
    """Where each distinct value of a sorted array begins."""
    changed = np.ones(len(ordered), np.bool_)
    changed[1:] = ordered[1:] != ordered[:-1]
    return np.flatnonzero(changed)


def look_up(asked: U64, nodes: U64, labels: U64) -> U64:
    """The label of each node that is asked for; one that is not among `nodes` (ascending) is its own label.

    >>> look_up(*(np.array(values, np.uint64) for values in ([5, 6, 5], [5, 9], [1, 2]))).tolist()
    [1, 6, 1]
    """
    if not len(nodes):
        return asked
    at = np.minimum(np.searchsorted(nodes, asked), len(nodes) - 1)
    return np.where(nodes[at] == asked, labels[at], asked)
