"""Edges from equal keys, and components from edges."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from transforms.kernels.candidates import connect, star_edges

SMALL = st.integers(0, 9)


def u64(values):
    return np.array(values, np.uint64)


def slow_components(edges):
    """Components by merging sets: node to smallest node of its set."""
    sets = []
    for edge in edges:
        touching = [s for s in sets if s & set(edge)]
        sets = [s for s in sets if s not in touching] + [set(edge).union(*touching)]
    return {node: min(s) for s in sets for node in s}


@settings(deadline=None)
@given(st.lists(st.tuples(SMALL, st.integers(0, 2**64 - 1)), unique_by=lambda pair: pair[1]))
def test_star_edges_tie_each_id_to_the_smallest_with_its_key(pairs):
    """The edges are exactly (smallest id of the key, any other id of the key)."""
    a, b = star_edges(u64([k for k, _ in pairs]), u64([i for _, i in pairs]))
    expected = set()
    for key in {k for k, _ in pairs}:
        ids = sorted(i for k, i in pairs if k == key)
        expected |= {(ids[0], other) for other in ids[1:]}
    assert set(zip(a.tolist(), b.tolist(), strict=True)) == expected
    assert len(a) == len(expected)


def test_star_edges_of_one_id_twice_under_a_key_make_no_loop():
    """An id that has the same key twice, as a document with two equal bands, is not tied to itself."""
    a, b = star_edges(u64([5, 5, 5]), u64([1, 1, 2]))
    assert (a.tolist(), b.tolist()) == ([1], [2])


def test_star_edges_of_nothing_are_none():
    """No keys, no edges."""
    a, b = star_edges(u64([]), u64([]))
    assert (len(a), len(b), a.dtype, b.dtype) == (0, 0, np.uint64, np.uint64)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=60))
def test_connect_names_components_by_their_smallest_node(edges):
    """Union-find agrees with merging sets, in any order of the edges."""
    nodes, roots = connect(u64([a for a, _ in edges]), u64([b for _, b in edges]))
    assert dict(zip(nodes.tolist(), roots.tolist(), strict=True)) == slow_components(edges)
    assert nodes.tolist() == sorted(nodes.tolist())


@pytest.mark.parametrize("shape", ["path", "star", "grid", "random"])
def test_connect_agrees_with_scipy_on_a_large_graph(shape):
    """200,000 nodes with ids spread over 64 bits and edges in random order."""
    random = np.random.default_rng(7)
    count = 200_000
    line = np.arange(count)
    ends = {
        "path": (line[:-1], line[1:]),
        "star": (np.zeros(count - 1, int), line[1:]),
        "grid": (np.r_[line[:-500], line[:-1]], np.r_[line[500:], line[1:]]),
        "random": (random.integers(0, count, count), random.integers(0, count, count)),
    }
    order = random.permutation(len(ends[shape][0]))
    a, b = (end[order] for end in ends[shape])
    ids = np.sort(random.choice(2**62, count, replace=False)).astype(np.uint64)
    nodes, roots = connect(ids[a], ids[b])
    expected = connected_components(coo_matrix((np.ones(len(a)), (a, b)), shape=(count, count)), directed=False)[1]
    label = expected[np.searchsorted(ids, nodes)]
    first = np.full(label.max() + 1, count, np.int64)
    np.minimum.at(first, label, np.searchsorted(ids, nodes))
    assert (roots == ids[first[label]]).all()
