"""The walk in survivor order, against a slow one on Python sets and lists."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.kernels.survivors import NONE, choose_survivors, equal_hashes, find_taint, groups

PERMUTATIONS = 4


@st.composite
def components(draw):
    """Some components of documents: numbers of URL and text, signature or none, and whether it is barred."""
    rows = []
    for component in range(draw(st.integers(1, 4))):
        for _ in range(draw(st.integers(1, 7))):
            text = draw(st.integers(-1, 3))
            # Equal texts have equal signatures; several texts may share one too.
            signature = tuple(draw(st.lists(st.integers(0, 1), min_size=PERMUTATIONS, max_size=PERMUTATIONS)))
            rows.append((component, draw(st.integers(-1, 4)), text, signature, draw(st.booleans())))
    by_text = {}
    signed_by_text = {}
    result = []
    for component, url, text, signature, barred in rows:
        # A digest lies in one component only: that is what made it a component.
        url = url if url < 0 else component * 10 + url
        text = text if text < 0 else component * 10 + text
        signature = by_text.setdefault(text, signature) if text >= 0 else signature
        signed = signed_by_text.setdefault(text, draw(st.booleans()) or draw(st.booleans())) if text >= 0 else True
        result.append((component, url, text, signature, signed, barred))
    return result


def arrays(rows):
    component = np.array([row[0] for row in rows])
    starts = np.r_[0, np.flatnonzero(np.diff(component)) + 1, len(rows)].astype(np.int64)
    return (
        starts,
        np.array([row[1] for row in rows], np.int64),
        np.array([row[2] for row in rows], np.int64),
        np.array([row[3] for row in rows], np.uint32).reshape(len(rows), PERMUTATIONS),
        np.array([row[4] for row in rows], bool),
        np.array([row[5] for row in rows], bool),
    )


def equal(a, b):
    return sum(x == y for x, y in zip(a, b, strict=True))


def slow_walk(rows, least_equal):
    """One document after the other, looking at every survivor of its component."""
    survivors, verdicts = [], []
    for i, (component, url, text, signature, signed, barred) in enumerate(rows):
        mine = [s for s in survivors if rows[s][0] == component]
        same_url = next((s for s in mine if url >= 0 and rows[s][1] == url), NONE)
        exact = next((s for s in mine if text >= 0 and rows[s][2] == text), NONE)
        near = NONE
        if exact == NONE and signed:
            similar = (s for s in mine if rows[s][4] and equal(rows[s][3], signature) >= least_equal)
            near = next(similar, NONE)
        verdicts.append((same_url, exact, near))
        if not barred and verdicts[-1] == (NONE, NONE, NONE):
            survivors.append(i)
    return verdicts


@settings(deadline=None, max_examples=300)
@given(components(), st.integers(1, PERMUTATIONS))
def test_walk_agrees_with_the_slow_one(rows, least_equal):
    """Same witnesses of all three kinds for every document."""
    starts, url, text, signatures, signed, barred = arrays(rows)
    same_url, exact, near, near_equal = choose_survivors(starts, url, text, signatures, signed, ~barred, least_equal)
    assert list(zip(same_url.tolist(), exact.tolist(), near.tolist(), strict=True)) == slow_walk(rows, least_equal)
    for i in np.flatnonzero(near != NONE):
        assert near_equal[i] == equal(rows[i][3], rows[near[i]][3]) >= least_equal


@settings(deadline=None, max_examples=300)
@given(components(), st.integers(1, PERMUTATIONS))
def test_every_witness_survives(rows, least_equal):
    """The promise: whatever a removed document points to is kept, and is related to it as the column says."""
    starts, url, text, signatures, signed, barred = arrays(rows)
    found = choose_survivors(starts, url, text, signatures, signed, ~barred, least_equal)[:3]
    survives = ~barred & np.logical_and.reduce([witness == NONE for witness in found])
    for witness, number in zip(found, (url, text, None), strict=True):
        has = np.flatnonzero(witness != NONE)
        assert survives[witness[has]].all()
        if number is not None:
            assert (number[has] == number[witness[has]]).all()


@settings(deadline=None, max_examples=300)
@given(components(), st.integers(1, PERMUTATIONS))
def test_taint_names_the_first_blocked_document_with_the_text(rows, least_equal):
    """Against all blocked documents of the component, one by one."""
    starts, _, text, signatures, signed, blocked = arrays(rows)
    taint, taint_equal = find_taint(starts, text, signatures, signed, blocked, least_equal)
    for i, (component, _, own, signature, is_signed, is_blocked) in enumerate(rows):
        sources = [j for j, row in enumerate(rows) if row[0] == component and row[5]]
        same = next((j for j in sources if own >= 0 and rows[j][2] == own), NONE)
        similar = (j for j in sources if is_signed and rows[j][4] and equal(rows[j][3], signature) >= least_equal)
        expected = NONE if is_blocked else same if same != NONE else next(similar, NONE)
        assert taint[i] == expected
        if expected != NONE:
            assert taint_equal[i] == (PERMUTATIONS if same != NONE else equal(rows[expected][3], signature))


def test_groups_number_digests_and_leave_absent_ones_out():
    """Both words of a digest count; an absent one has no number whatever its words say."""
    words = np.array([[1, 2], [1, 3], [1, 2], [1, 2]], np.uint64)
    numbers = groups(words, np.array([True, True, True, False]))
    assert (numbers[0] == numbers[2], numbers[0] != numbers[1], numbers[3]) == (True, True, NONE)


def test_equal_hashes_count_places_not_values():
    """A value in another place of the signature is another permutation's."""
    assert equal_hashes(np.array([[1, 2, 3], [3, 2, 1]], np.uint32), 0, 1) == 1


def test_walk_over_no_components_is_empty():
    """No rows, no witnesses."""
    none = np.zeros(0, np.int64)
    flags = np.zeros(0, bool)
    found = choose_survivors(np.zeros(1, np.int64), none, none, np.zeros((0, 4), np.uint32), flags, flags, 1)
    assert [len(part) for part in found] == [0, 0, 0, 0]
