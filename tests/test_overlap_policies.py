"""Overlap policies: what is said of small groups of documents of this crawl and of two earlier stores."""

import itertools
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.columns import DIGEST
from tests.tables import digest_of
from transforms.decide.all_parts import OWN, AllParts, EarlierStore
from transforms.decide.duplicate_rules import DuplicateRules
from transforms.decide.judge_members import judge_members, verdicts
from transforms.decide.shingle_files import load_sets
from transforms.part_store import Stage

RULES = DuplicateRules(url=True, exact=True, survivor=("longest",), taint="flag")
KINDS = ("same_url", "exact")


class Document(NamedTuple):
    """A document of this crawl (`OWN`) or of a store, by the numbers of its URL and text."""

    store: int
    url: int
    text: int
    blocked: bool = False
    component: int = 0
    record: int | None = None
    """Which record it is; None: one of its own."""


NUMBER = st.integers(0, 3)
DOCUMENT = st.builds(Document, st.integers(OWN, 1), NUMBER, NUMBER, st.booleans(), st.just(0), st.none())
CASES = st.lists(DOCUMENT, max_size=9)


def judge(documents: list[Document], order: list[int] | None = None, **rules: Any) -> dict[int, dict[str, Any]]:
    """Verdicts on the documents by their numbers, which stand for their `doc_id` too; they arrive in some order."""
    chosen = list(range(len(documents))) if order is None else order
    numbers = np.array(chosen, np.int64)
    rows = [documents[number] for number in chosen]
    parts = np.array([row.store + 1 for row in rows], np.uint64)
    records = [number if row.record is None else row.record for number, row in zip(chosen, rows, strict=True)]
    zeros, no = np.zeros(len(rows), np.int64), np.zeros(len(rows), np.bool_)
    members = pa.table(
        {
            "id": (parts << np.uint64(32)) + numbers.astype(np.uint64),
            "component": np.array([row.component for row in rows], np.uint64),
            "doc_id": pa.array([digest_of(record) for record in records], DIGEST),
            "url_digest": pa.array([digest_of(row.url) for row in rows], DIGEST),
            "text_digest": pa.array([digest_of(row.text) for row in rows], DIGEST),
            **dict.fromkeys(("excluded", "tainting"), np.array([row.blocked for row in rows], np.bool_)),
            **dict.fromkeys(("entitled", "signed"), no),
            "takedown": zeros - 1,
            **dict.fromkeys(("text_bytes", "fetch_time", "url_bytes", "priority"), zeros),
        }
    )
    stores = tuple(EarlierStore(name, name, (0,), 9, False, name) for name in "ab")
    all_parts = AllParts(Stage("own", "digest"), 1, stores)
    batches = judge_members(members, all_parts, replace(RULES, **rules), partial(load_sets, "no sets"))
    return {row["row"]: row for batch in batches for row in verdicts(batch).to_pylist()}


def witnesses(verdict: dict[str, Any], kinds: tuple[str, ...] = KINDS) -> list[int]:
    return [int.from_bytes(verdict[kind], "big") for kind in kinds if verdict[kind] is not None]


def own_of(documents: list[Document]) -> list[int]:
    return [number for number, document in enumerate(documents) if document.store == OWN]


def repeated(documents: list[Document], number: int) -> list[int]:
    """Earlier documents, none of them blocked, with the URL or the text of that one."""
    mine = documents[number]
    return [
        other
        for other, theirs in enumerate(documents)
        if theirs.store != OWN and not theirs.blocked and (theirs.url == mine.url or theirs.text == mine.text)
    ]


@settings(deadline=None, max_examples=60)
@given(CASES)
def test_old_stays_and_every_repetition_has_a_witness_that_stays(documents: list[Document]) -> None:
    """What repeats an earlier document names one; a witness is kept, is not blocked, and has the URL or the text."""
    found = judge(documents)
    for number in own_of(documents):
        if repeated(documents, number):
            assert any(documents[witness].store != OWN for witness in witnesses(found[number]))
        for kind in KINDS:
            for witness in witnesses(found[number], (kind,)):
                mine, theirs = documents[number], documents[witness]
                assert mine.url == theirs.url if kind == "same_url" else mine.text == theirs.text
                assert found[number][f"{kind}_store"] == theirs.store
                assert not theirs.blocked
                assert theirs.store != OWN or not witnesses(found[witness])


@settings(deadline=None, max_examples=60)
@given(CASES)
def test_a_minus_b_drops_exactly_what_b_has(documents: list[Document]) -> None:
    """Documents of this crawl are not looked at, whatever they share with each other."""
    found = judge(documents, within=False)
    for number in own_of(documents):
        named = witnesses(found[number])
        assert bool(named) == bool(repeated(documents, number))
        assert set(named) <= set(repeated(documents, number))


@settings(deadline=None, max_examples=60)
@given(CASES)
def test_report_flags_exactly_what_is_there_and_decides_as_without(documents: list[Document]) -> None:
    """Equal texts come before equal URLs as evidence."""
    found, alone = judge(documents, overlap="report"), judge([d for d in documents if d.store == OWN])
    numbers = own_of(documents)
    for place, number in enumerate(numbers):
        evidence = witnesses(found[number], ("overlap",))
        same = repeated(documents, number)
        texts = [other for other in same if documents[other].text == documents[number].text]
        assert evidence == (texts or same)[:1]
        assert witnesses(found[number]) == [numbers[witness] for witness in witnesses(alone[place])]


@settings(deadline=None, max_examples=60)
@given(CASES)
def test_new_replaces_exactly_what_a_kept_document_repeats(documents: list[Document]) -> None:
    """Documents of this crawl are decided on as if nothing had come before."""
    found, alone = judge(documents, overlap="new_replaces"), judge([d for d in documents if d.store == OWN])
    numbers = own_of(documents)
    for place, number in enumerate(numbers):
        assert witnesses(found[number]) == [numbers[witness] for witness in witnesses(alone[place])]
    kept = [number for number in numbers if not witnesses(found[number]) and not documents[number].blocked]
    for number, verdict in found.items():
        if documents[number].store != OWN:
            mine = documents[number]
            same = [k for k in kept if documents[k].url == mine.url or documents[k].text == mine.text]
            assert set(witnesses(verdict)) <= set(same)
            assert bool(witnesses(verdict)) == bool(same)


@settings(deadline=None, max_examples=60)
@given(CASES)
def test_what_is_dropped_with_its_whole_group_replaces_nothing(documents: list[Document]) -> None:
    """Under the survivor policy `none` too, only repetitions inside this crawl drop, and only what stays replaces."""
    found = judge(documents, overlap="new_replaces", duplicates="drop_all")
    for verdict in found.values():
        named = witnesses(verdict)
        assert all(documents[witness].store == OWN for witness in named)
    for number, verdict in found.items():
        if documents[number].store != OWN:
            assert not any(witnesses(found[witness]) for witness in witnesses(verdict))


@settings(deadline=None, max_examples=60)
@given(st.data(), CASES, st.sampled_from(["old_stays", "new_replaces", "report"]))
def test_order_of_arrival_changes_nothing(data: st.DataObject, documents: list[Document], overlap: str) -> None:
    """Rows are of one order, whichever worker sent them first."""
    order = data.draw(st.permutations(range(len(documents))))
    assert judge(documents, order, overlap=overlap) == judge(documents, overlap=overlap)


def test_document_in_two_stores_is_that_of_the_first() -> None:
    """The same record has one `doc_id` wherever it lies, so nothing else tells the two apart."""
    documents = [Document(store, 1, 1, record=7) for store in (OWN, 0, 1)]
    for order in itertools.permutations(range(3)):
        found = judge(documents, list(order))
        assert (found[0]["same_url_store"], found[0]["exact_store"]) == (0, 0)


def test_groups_of_earlier_documents_alone_are_not_looked_at() -> None:
    """They would raise alarms over what an earlier run has settled."""
    documents = [Document(OWN, 1, 1), Document(0, 1, 1), Document(0, 2, 2, component=1), Document(1, 2, 2, component=1)]
    assert judge(documents).keys() == {0, 1}
