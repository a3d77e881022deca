"""Components inside a partition, and the pieces of a round of contraction."""

from itertools import count, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.graphs import components, ends, slow_components
from transforms.kernels.components import (
    connect,
    contract,
    distinct,
    lead,
    least,
    look_up,
    mix,
    place,
    tally,
    unmix,
)

WORD = st.integers(0, 2**64 - 1)
SMALL = st.integers(0, 12)
EDGES = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=60)
MILLION = 1_000_000


def u64(values):
    return np.array(list(values), np.uint64)


def columns(rows, width=2):
    """Columns of rows as uint64."""
    return [u64(row[i] for row in rows) for i in range(width)]


def as_dict(keys, values):
    return dict(zip(keys.tolist(), values.tolist(), strict=True))


@settings(deadline=None)
@given(EDGES)
def test_connect_names_components_by_their_smallest_node(edges):
    """Union-find agrees with merging sets, in any order of the edges, loops and repeats included."""
    nodes, roots = connect(*columns(edges))
    assert as_dict(nodes, roots) == slow_components(edges)
    assert nodes.tolist() == sorted(nodes.tolist())


@pytest.mark.parametrize("shape", ["path", "star", "grid", "sparse", "dense"])
def test_connect_agrees_with_scipy_on_a_million_nodes(shape):
    """Ids are spread over 64 bits, and edges arrive in random order and direction."""
    ids = np.sort(np.random.default_rng(3).choice(2**62, MILLION, replace=False)).astype(np.uint64) << np.uint64(2)
    a, b = (ids[end] for end in ends(shape, MILLION))
    nodes, roots = connect(a, b)
    expected = components(a, b)
    assert (nodes == expected[0]).all()
    assert (roots == expected[1]).all()


@settings(deadline=None)
@given(EDGES)
def test_contract_keeps_components_in_the_fewest_edges(edges):
    """One edge for every member but the smallest, to the smallest; nothing for a node that has only loops."""
    a, b = contract(*columns(edges))
    expected = {(root, node) for node, root in slow_components(edges).items() if node != root}
    assert sorted(zip(a.tolist(), b.tolist(), strict=True)) == sorted(expected)


@given(st.lists(WORD), st.integers(0, 1000))
def test_unmix_undoes_mix_for_any_id_and_salt(ids, salt):
    """So no two ids have one rank, and none is lost."""
    assert unmix(mix(u64(ids), salt), salt).tolist() == ids


def test_mix_makes_another_order_for_every_salt():
    """Of neighbours, about half change their order from one round to the next."""
    ids = np.arange(10_000, dtype=np.uint64)
    rises = [mix(ids, salt)[1:] > mix(ids, salt)[:-1] for salt in range(4)]
    shares = [(one == other).mean() for i, one in enumerate(rises) for other in rises[:i]]
    assert all(0.48 < share < 0.52 for share in shares)


def test_mix_is_the_finalizer_of_murmurhash3():
    """Value by value in plain integers; it must never change, as files of a broken run depend on it."""
    for word in (0, 1, 7 << 32, 2**64 - 1):
        x = (word + 5 * 0x9E3779B97F4A7C15) % 2**64
        for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
            x = (x ^ x >> 33) * factor % 2**64
        assert mix(u64([word]), 5).tolist() == [x ^ x >> 33]


@pytest.mark.parametrize("step", [1, 1 << 32, 8])
def test_place_spreads_ids_that_lie_in_a_row(step):
    """Rows of a part, first rows of parts, every eighth: each of 8 partitions gets an eighth, give or take 5 %."""
    places = place(np.arange(80_000, dtype=np.uint64) * np.uint64(step), 8)
    assert abs(np.bincount(places, minlength=8) - 10_000).max() < 500


@given(st.lists(st.tuples(SMALL, WORD), min_size=1), st.integers(0, 9))
def test_least_finds_the_value_of_least_rank_of_every_key(rows, salt):
    """Against min over lists, one key after the other; keys come out ascending."""
    keys, values = least(*columns(rows), salt)
    rank = {value: int(mix(u64([value]), salt)[0]) for _, value in rows}
    assert as_dict(keys, values) == {k: min((v for key, v in rows if key == k), key=rank.get) for k, _ in rows}
    assert keys.tolist() == sorted({k for k, _ in rows})


@given(st.lists(st.tuples(SMALL, WORD, st.integers(0, 2**40)), min_size=1))
def test_tally_finds_smallest_id_and_sum_of_every_key(rows):
    """Against min and sum over lists."""
    keys, ids, counts = tally(*columns(rows, 2), np.array([row[2] for row in rows], np.int64))
    assert keys.tolist() == sorted({row[0] for row in rows})
    for key, smallest, total in zip(keys.tolist(), ids.tolist(), counts.tolist(), strict=True):
        mine = [row[1:] for row in rows if row[0] == key]
        assert (smallest, total) == (min(row[0] for row in mine), sum(row[1] for row in mine))


@given(st.lists(WORD))
def test_distinct_is_sorted_without_repeats(values):
    """As a set, sorted."""
    assert distinct(u64(values + values)).tolist() == sorted(set(values))


@given(st.dictionaries(SMALL, WORD), st.lists(SMALL))
def test_look_up_leaves_nodes_without_a_label_as_they_are(labels, asked):
    """As `dict.get` with the node itself as the default."""
    nodes = sorted(labels)
    found = look_up(u64(asked), u64(nodes), u64(labels[node] for node in nodes))
    assert found.tolist() == [labels.get(node, node) for node in asked]


@settings(deadline=None)
@given(EDGES.filter(bool), st.integers(1, 9))
def test_lead_gives_every_node_the_least_rank_of_its_component(edges, salt):
    """Against the smallest rank over all nodes with the same root."""
    nodes, leaders = lead(*columns(edges), salt)
    root = slow_components(edges)
    rank = {node: int(mix(u64([node]), salt)[0]) for node in root}
    assert as_dict(nodes, leaders) == {
        node: min((other for other in root if root[other] == root[node]), key=rank.get) for node in root
    }


@pytest.mark.parametrize("empty", [lambda: lead(u64([]), u64([]), 1), lambda: least(u64([]), u64([]), 1)])
def test_nothing_has_no_leaders(empty):
    """A file without edges is no error."""
    assert [column.tolist() for column in empty()] == [[], []]


def rounds(edges, chunks):
    """Contract and expand as the rounds of a run do, with arrays for files; yields the nodes left by each round."""
    a, b = edges
    levels = []
    for salt in count(1):
        kept = a != b
        a, b = a[kept], b[kept]
        if not len(a):
            break
        cut = [np.arange(len(a)) % chunks == chunk for chunk in range(chunks)]
        found = [lead(a[mine], b[mine], salt) for mine in cut if mine.any()]
        levels.append(least(*(np.concatenate(column) for column in zip(*found, strict=True)), salt))
        a, b = look_up(a, *levels[-1]), look_up(b, *levels[-1])
    nodes, labels = levels[0] if levels else (u64([]), u64([]))
    for level in levels[1:]:
        labels = look_up(labels, *level)
    return nodes, labels, [len(level[0]) for level in levels]


@settings(deadline=None)
@given(EDGES, st.integers(1, 5))
def test_rounds_connect_what_merging_sets_connects(edges, chunks):
    """Nodes have one label exactly if they are in one component, whatever the chunks; every round takes nodes."""
    nodes, labels, left = rounds(columns(edges), chunks)
    expected = slow_components([edge for edge in edges if edge[0] != edge[1]])
    assert nodes.tolist() == sorted(expected)
    label = as_dict(nodes, labels)
    for one in label:
        for other in label:
            assert (label[one] == label[other]) == (expected[one] == expected[other])
    assert all(after < before for before, after in pairwise(left))


@pytest.mark.parametrize("shape", ["path", "star", "grid", "sparse", "dense"])
def test_round_halves_the_nodes_even_where_chunks_never_grow(shape):
    """50,000 nodes in 500 chunks to the end; a path, the worst of them, comes closest to a half."""
    left = rounds([end.astype(np.uint64) for end in ends(shape, 50_000)], 500)[2]
    assert all(after < 0.52 * before for before, after in pairwise(left) if before > 1000)
    assert len(left) <= 16
