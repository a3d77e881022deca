"""Why a witness came first: what the ledger tells of it is what decided, or is said not to be known."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lineage.explanations.find_loss import Loss, find_loss
from tests.explained import ledger_row, manifest, mark

OWN, ITS = "b" * 32, "a" * 32
START = datetime(2026, 1, 1, tzinfo=UTC)
RULES = ("source_priority", "longest", "shortest", "earliest", "latest", "url_shortest")


def own(*marks: dict[str, Any], **columns: Any) -> dict[str, Any]:
    return ledger_row(*marks, **{"doc_id": OWN, "duplicate_of": ITS, "decision": "drop", **columns})


def its(**columns: Any) -> dict[str, Any]:
    return ledger_row(**{"doc_id": ITS, **columns})


def with_register(**sections: Any) -> dict[str, Any]:
    return {**manifest(**sections), "register": {"sha256": "00", "sources": 1}}


def survivor(*rules: str) -> dict[str, Any]:
    return {"dedup": {"survivor": list(rules)}}


@pytest.mark.parametrize(
    ("rule", "mine", "other", "values"),
    [
        ("longest", {"text_bytes": 5}, {"text_bytes": 9}, (5, 9)),
        ("shortest", {"text_bytes": 9}, {"text_bytes": 5}, (9, 5)),
        ("earliest", {"fetch_time": None}, {"fetch_time": START}, (None, START)),
        ("latest", {"fetch_time": START}, {"fetch_time": START + timedelta(microseconds=1)}, None),
        ("url_shortest", {"url": "https://ä/"}, {"url": "https://a/"}, (11, 10)),
        ("url_shortest", {"url": None}, {"url": "https://a/"}, (None, 10)),
    ],
)
def test_first_rule_that_tells_two_documents_apart_is_named(
    rule: str, mine: dict[str, Any], other: dict[str, Any], values: tuple[Any, Any] | None
) -> None:
    """With what it looks at, of both; rules on which they agree come before it."""
    before = "longest" if rule in ("earliest", "latest") else "earliest"
    loss = find_loss(own(**mine), its(**other), manifest(**survivor(before, rule)))
    expected = values or (mine["fetch_time"], other["fetch_time"])
    assert loss == Loss(rule, *expected)


def test_smaller_doc_id_breaks_ties() -> None:
    """Two documents are never alike."""
    assert find_loss(own(), its(), manifest(**survivor("longest"))) == Loss("doc_id", OWN, ITS)


def test_priority_may_have_decided_where_there_is_a_register() -> None:
    """The ledger does not hold priorities; without a register all are equal."""
    rows = own(text_bytes=5), its(text_bytes=9)
    order = survivor("source_priority", "longest")
    assert find_loss(*rows, with_register(**order)) == Loss("longest", 5, 9, or_priority=True)
    assert find_loss(*rows, manifest(**order)) == Loss("longest", 5, 9)
    assert find_loss(*rows, with_register(**survivor("longest", "source_priority"))) == Loss("longest", 5, 9)


@pytest.mark.parametrize("own_id", [OWN, "0" * 32])
def test_priority_must_have_decided_where_all_else_speaks_for_the_loser(own_id: str) -> None:
    """By a rule, or by its `doc_id` where no rule tells them apart."""
    size = 9 if own_id == OWN else 5
    rows = own(text_bytes=size, doc_id=own_id), its(text_bytes=5)
    assert find_loss(*rows, with_register(**survivor("source_priority", "longest"))) == Loss("source_priority")


def test_nothing_is_said_where_the_ledger_contradicts_the_order() -> None:
    """Such as a row of a dataset that was changed: `verify` is for that."""
    assert find_loss(own(text_bytes=9), its(text_bytes=5), manifest(**survivor("longest"))) is None
    assert find_loss(own(doc_id="0" * 32), its(), manifest(**survivor("longest"))) is None


def test_what_other_rules_take_out_came_last() -> None:
    """Each rule once; what comes after the walk (an empty text, the duplicate itself, a takedown) is none of them."""
    marks = [
        mark("takedown", list="0"),
        mark("blocklist", list="a"),
        mark("blocklist", list="b"),
        mark("noai", "quarantine"),
        mark("isbn", "flag"),
        mark("near_duplicate", evidence=ITS),
        mark("taint", evidence="c" * 32),
    ]
    assert find_loss(own(*marks, text_bytes=9), its(), manifest()) == Loss("excluded", ["blocklist", "noai", "taint"])
    assert find_loss(own(mark("near_duplicate"), mark("takedown")), its(), manifest()) == Loss("doc_id", OWN, ITS)


@pytest.mark.parametrize(("certificate", "by"), [(None, "excluded"), ("takedowns/req.json", "doc_id")])
def test_takedown_of_the_config_came_before_the_walk(certificate: str | None, by: str) -> None:
    """What was taken out of the finished dataset had its place in the order before."""
    said = manifest(takedowns=[{"id": "req", "certificate": certificate}])
    loss = find_loss(own(mark("takedown", list="req"), mark("same_url", evidence=ITS)), its(), said)
    assert loss is not None
    assert loss.by == by


def test_documents_of_earlier_stores_come_first() -> None:
    """Whatever they are like, and whether or not this ledger has a document of that name."""
    for row in (None, its()):
        assert find_loss(own(duplicate_build="old"), row, manifest(against=["old"])) == Loss("earlier")


def test_under_none_no_order_was_lost() -> None:
    """Every document that has a duplicate is dropped."""
    row = own(survivor_policy="none")
    assert find_loss(row, its(), manifest(dedup={"survivor": "none"})) == Loss("none")


def test_under_flag_the_default_order_holds() -> None:
    """Duplicates are found as ever and only flagged."""
    row = own(survivor_policy="flag", decision="keep", text_bytes=5)
    assert find_loss(row, its(text_bytes=9), manifest(dedup={"survivor": "flag"})) == Loss("longest", 5, 9)


def test_witness_that_is_gone_tells_nothing() -> None:
    """There is nothing to compare with."""
    assert find_loss(own(), None, manifest()) is None


def slow_key(rule: str, row: dict[str, Any], priority: int) -> tuple[bool, Any]:
    """What a rule sorts by, none last."""
    match rule:
        case "source_priority":
            return False, -priority
        case "longest" | "shortest":
            return False, row["text_bytes"] * (-1 if rule == "longest" else 1)
        case "url_shortest":
            return row["url"] is None, len((row["url"] or "").encode())
        case _:
            seconds = ((row["fetch_time"] or START) - START) / timedelta(microseconds=1)
            return row["fetch_time"] is None, seconds * (-1 if rule == "latest" else 1)


documents = st.fixed_dictionaries(
    {
        "text_bytes": st.integers(1, 3),
        "fetch_time": st.none() | st.sampled_from([START, START + timedelta(microseconds=1)]),
        "url": st.none() | st.sampled_from(["https://a/", "https://ä/"]),
    }
)


@given(
    documents,
    documents,
    st.tuples(st.integers(0, 1), st.integers(0, 1)),
    st.lists(st.sampled_from(RULES), min_size=1, unique=True),
)
@settings(deadline=None, max_examples=300)
def test_true_reason_is_the_one_named_or_hidden(
    one: dict[str, Any], other: dict[str, Any], priorities: tuple[int, int], policy: list[str]
) -> None:
    """Against a slow sort that knows the priorities: what decided is named, or `source_priority` is said to be open."""
    rows = [ledger_row(doc_id=ITS, **one), ledger_row(doc_id=OWN, **other)]
    keys = [
        [*(slow_key(rule, row, priority) for rule in policy), row["doc_id"]]
        for row, priority in zip(rows, priorities, strict=True)
    ]
    first, last = (0, 1) if keys[0] < keys[1] else (1, 0)
    place = next(n for n in range(len(policy) + 1) if keys[first][n] != keys[last][n])
    truth = [*policy, "doc_id"][place]
    loss = find_loss(rows[last], rows[first], with_register(dedup={"survivor": policy}))
    assert loss is not None
    assert truth == loss.by or (truth == "source_priority" and loss.or_priority)
    known = find_loss(rows[last], rows[first], manifest(dedup={"survivor": policy}))
    if priorities[0] == priorities[1]:
        assert known is not None
        assert (known.by, known.or_priority) == (truth, False)
