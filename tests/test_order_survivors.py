"""Survivor order, against Python's own sort on tuples."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.decide.order_survivors import LAST, POLICIES, Facts, order_survivors

Document = tuple[int | None, int | None, int | None, tuple[int, int], tuple[int, bool], int]
"""text bytes, fetch time, bytes of the URL, doc_id, keys that come before the policies, and priority of the source"""

FACT = st.none() | st.integers(0, 3)
DOC_ID = st.tuples(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1)) | st.tuples(st.just(7), st.integers(0, 40))
DOCUMENTS = st.lists(
    st.tuples(FACT, FACT, FACT, DOC_ID, st.tuples(st.integers(0, 2), st.booleans()), st.integers(-2, 2)),
    max_size=20,
    unique_by=lambda document: document[3],
)


def largest_first(value: int | None) -> tuple[bool, int]:
    return value is None, -(value or 0)


def smallest_first(value: int | None) -> tuple[bool, int]:
    return value is None, value or 0


ORACLES: dict[str, Callable[[Document], tuple[bool, int]]] = {
    "source_priority": lambda document: largest_first(document[5]),
    "longest": lambda document: largest_first(document[0]),
    "shortest": lambda document: smallest_first(document[0]),
    "earliest": lambda document: smallest_first(document[1]),
    "latest": lambda document: largest_first(document[1]),
    "url_shortest": lambda document: smallest_first(document[2]),
}


def facts_of(documents: list[Document]) -> Facts:
    columns = [[LAST if d[k] is None else d[k] for d in documents] for k in range(3)]
    return Facts(*(np.array(column, np.int64) for column in columns), np.array([d[5] for d in documents], np.int64))


def ids_of(documents: list[Document]) -> np.ndarray[tuple[int, int], np.dtype[np.uint64]]:
    return np.array([d[3] for d in documents], np.uint64).reshape(-1, 2)


def test_every_policy_has_an_oracle_here() -> None:
    """A new policy is not forgotten below."""
    assert list(POLICIES) == list(ORACLES)


@given(DOCUMENTS, st.lists(st.sampled_from(list(ORACLES)), max_size=4, unique=True))
def test_order_agrees_with_sorting_tuples(documents: list[Document], policy: list[str]) -> None:
    """Policies in turn, unknown facts last in either direction, ties by `doc_id` as an unsigned number of 128 bits."""
    expected = sorted(
        range(len(documents)), key=lambda i: ([ORACLES[name](documents[i]) for name in policy], documents[i][3])
    )
    found = order_survivors(policy, facts_of(documents), ids_of(documents))
    assert (found.dtype.name, found.tolist()) == ("int64", expected)


@given(DOCUMENTS)
def test_first_keys_come_before_every_policy(documents: list[Document]) -> None:
    """In the order in which they are given: component, then blocked."""
    first = [np.array([d[4][0] for d in documents], np.uint64), np.array([d[4][1] for d in documents], bool)]
    expected = sorted(
        range(len(documents)), key=lambda i: (documents[i][4], ORACLES["longest"](documents[i]), documents[i][3])
    )
    assert order_survivors(["longest"], facts_of(documents), ids_of(documents), first).tolist() == expected


@given(DOCUMENTS.flatmap(lambda rows: st.tuples(st.just(rows), st.permutations(range(len(rows))))))
def test_order_does_not_depend_on_the_order_of_arrival(both: tuple[list[Document], list[int]]) -> None:
    """Rows that come in another order are put in the same one, since no two ids are equal."""
    documents, arrival = both
    shuffled = [documents[i] for i in arrival]
    policy = ["source_priority", "longest", "earliest"]
    found = order_survivors(policy, facts_of(shuffled), ids_of(shuffled))
    expected = order_survivors(policy, facts_of(documents), ids_of(documents))
    assert [shuffled[i] for i in found] == [documents[i] for i in expected]


@pytest.mark.parametrize("policy", ["longest", "shortest", "earliest", "latest", "url_shortest"])
def test_document_without_the_fact_comes_last(policy: str) -> None:
    """Whichever end of the scale is wanted."""
    known, unknown = np.array([5, LAST, 9]), np.array([[0, 3], [0, 1], [0, 2]], np.uint64)
    assert order_survivors([policy], Facts(known, known, known, np.zeros(3, np.int64)), unknown)[-1] == 1


def test_unknown_policy_is_a_key_error() -> None:
    """The config names them all; there is no default."""
    with pytest.raises(KeyError, match="prettiest"):
        order_survivors(["prettiest"], facts_of([]), ids_of([]))
