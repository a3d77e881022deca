"""Marks for rights signals: what the policy makes of what was measured."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from configs.policy import Policy, Signals
from configs.sources import Publishers
from schemas.columns import RIGHTS
from schemas.reasons import POLICY_RULES
from tests.tables import NO_RIGHTS, Row
from transforms.decide.mark_signals import COLUMNS, mark_signals
from transforms.decide.marks import flatten, list_marks
from transforms.decide.publishers import PublisherLists

NOTICE = {"statement": "© 2020 Foo", "years": [2020], "holder": "Foo", "source": "text", "start": 3, "end": 14}
NONE = PublisherLists.read([])


def finding(value: str, source: str = "text", start: int | None = 5) -> Row:
    return {"value": value, "source": source, "start": start, "end": None if start is None else start + len(value)}


def said(signal: str, value: str | None = None, agent: str | None = None, source: str = "http:x-robots-tag") -> Row:
    return {"signal": signal, "value": value, "agent": agent, "source": source}


def marks_of(
    rows: list[Row], policy: Policy, publishers: PublisherLists = NONE, basis: str = "crawl"
) -> list[list[Row]]:
    """The marks of each row, without what is null."""
    schema = pa.schema([column.field() for column in RIGHTS])
    table = pa.Table.from_pylist([{**NO_RIGHTS, **row} for row in rows], schema).select(COLUMNS)
    bases = pa.array([basis] * len(rows))
    column = list_marks(flatten(mark_signals(table, bases, policy, publishers)), len(rows))
    return [[{k: v for k, v in mark.items() if v is not None} for mark in row] for row in column.to_pylist()]


def signals(**actions: Any) -> Policy:
    return Policy(signals=Signals(**actions))


FIRING: dict[str, tuple[Row, Row]] = {
    "tdm_reservation": (
        {"reservations": [said("tdm-reservation", "1", source="http:tdm-reservation")]},
        {"matched": "tdm-reservation: 1", "source": "http:tdm-reservation"},
    ),
    "noai": ({"reservations": [said("noai")]}, {"matched": "noai", "source": "http:x-robots-tag"}),
    "noimageai": ({"reservations": [said("noimageai")]}, {"matched": "noimageai", "source": "http:x-robots-tag"}),
    "noindex": (
        {"reservations": [said("noindex", None, "CCBot", "meta:ccbot")]},
        {"matched": "CCBot: noindex", "source": "meta:ccbot"},
    ),
    "copyright_notice": (
        {"copyright_notices": [NOTICE]},
        {"matched": "© 2020 Foo", "source": "text", "start": 3, "end": 14},
    ),
    "rights_reserved": (
        {"rights_reserved": [finding("en")]},
        {"matched": "en", "source": "text", "start": 5, "end": 7},
    ),
    "isbn": ({"isbns": [finding("978")]}, {"matched": "978", "source": "text", "start": 5, "end": 8}),
    "issn": ({"issns": [finding("1234")]}, {"matched": "1234", "source": "text", "start": 5, "end": 9}),
    "doi": ({"dois": [finding("10.1/x", "meta:doi", None)]}, {"matched": "10.1/x", "source": "meta:doi"}),
    "arxiv": ({"arxiv_ids": [finding("2101")]}, {"matched": "2101", "source": "text", "start": 5, "end": 9}),
    "licence": ({"licences": [finding("MIT")]}, {"matched": "MIT", "source": "text", "start": 5, "end": 8}),
    "unlicensed": ({}, {}),
}


def test_every_rule_on_signals_is_tried_here() -> None:
    """Those on lists of phrases and of publishers aside, which have tests of their own."""
    assert {*FIRING, "pirated_marker", "publisher_isbn"} == set(POLICY_RULES)


@pytest.mark.parametrize("rule", FIRING)
@pytest.mark.parametrize("action", ["flag", "quarantine", "drop"])
def test_rule_leaves_a_mark_with_its_action_and_evidence(rule: str, action: str) -> None:
    """The row that fires it is marked; a row without the signal is not."""
    row, evidence = FIRING[rule]
    licensed = {"licences": [finding("CC-BY-4.0", "link:license", None)]}
    other = licensed if rule == "unlicensed" else {}
    assert marks_of([other, row], signals(**{rule: action})) == [[], [{"rule": rule, "action": action, **evidence}]]


def test_keep_leaves_no_mark_at_all() -> None:
    """The signals stand in their columns; the default says nothing of them."""
    assert marks_of([row for row, _ in FIRING.values()], Policy()) == [[] for _ in FIRING]


def test_several_signals_of_a_row_are_marks_in_the_order_of_the_rules() -> None:
    """One for each finding, whatever order the columns have."""
    row = {"isbns": [finding("1"), finding("2")], "copyright_notices": [NOTICE], "reservations": [said("noai")]}
    (marks,) = marks_of([row], signals(isbn="flag", copyright_notice="flag", noai="drop"))
    assert [(mark["rule"], mark["matched"]) for mark in marks] == [
        ("noai", "noai"),
        ("copyright_notice", "© 2020 Foo"),
        ("isbn", "1"),
        ("isbn", "2"),
    ]


@pytest.mark.parametrize("value", ["0", "", "yes", None])
def test_tdm_reservation_other_than_one_reserves_nothing(value: str | None) -> None:
    """TDMRep knows 0 and 1; only 1 says that the rights are reserved."""
    assert marks_of([{"reservations": [said("tdm-reservation", value)]}], signals(tdm_reservation="drop")) == [[]]


@pytest.mark.parametrize(("agent", "heard"), [("googlebot", False), ("ccbot", True), ("CCBot", True), (None, True)])
def test_directive_counts_if_it_is_to_all_or_to_a_named_crawler(agent: str | None, heard: bool) -> None:
    """What is said to another crawler alone is recorded in the column and decides nothing."""
    (marks,) = marks_of([{"reservations": [said("noai", None, agent)]}], signals(noai="drop"))
    assert bool(marks) == heard


@pytest.mark.parametrize("basis", ["licensed", "open_licence", "public_domain"])
def test_basis_of_the_register_beats_reservations_and_is_a_licence(basis: str) -> None:
    """A reservation is then flagged; nothing else is spared."""
    row = {"reservations": [said("noai"), said("tdm-reservation", "1")], "copyright_notices": [NOTICE]}
    policy = signals(noai="drop", tdm_reservation="quarantine", copyright_notice="quarantine", unlicensed="drop")
    (marks,) = marks_of([row], policy, basis=basis)
    assert [(mark["rule"], mark["action"]) for mark in marks] == [
        ("tdm_reservation", "flag"),
        ("noai", "flag"),
        ("copyright_notice", "quarantine"),
    ]


@pytest.mark.parametrize(
    ("licence", "source", "counts"),
    [
        ("CC-BY-4.0", "link:license", True),
        ("CC-BY-4.0", "meta:dcterms.rights", True),
        ("CC-BY-4.0", "http:link", True),
        ("CC-BY-4.0", "json-ld:license", True),
        ("CC-BY-4.0", "text", False),
        ("CC-BY-4.0", "link:creativecommons", False),
        ("CC-BY-NC-4.0", "link:license", False),
        ("All mine", "link:license", False),
    ],
)
def test_only_a_declared_open_licence_is_one(licence: str, source: str, counts: bool) -> None:
    """A licence that a text merely names may be that of a picture, or of something it speaks of."""
    (marks,) = marks_of([{"licences": [finding(licence, source, None)]}], signals(unlicensed="drop"))
    assert (marks == []) == counts


def test_publisher_isbn_names_publisher_list_line_and_place(tmp_path: Path) -> None:
    """Two lists that know the number leave two marks; a number of nobody on a list leaves none."""
    (tmp_path / "books.txt").write_text("# ours\n978-0-13\tPearson (Prentice Hall)\n978-0-07\tMcGraw Hill\n")
    (tmp_path / "more.txt").write_text("978-0-13\tPearson\n")
    lists = PublisherLists.read(
        [Publishers(name=name, path=str(tmp_path / f"{name}.txt")) for name in ("books", "more")]
    )
    rows = [{"isbns": [finding("9780131103627", start=8), finding("9783161484100")]}, {}]
    found, none = marks_of(rows, signals(publisher_isbn="quarantine"), lists)
    assert none == []
    assert [(m["list"], m["category"], m["line"], m["matched"], m["start"]) for m in found] == [
        ("books", "Pearson (Prentice Hall)", 2, "9780131103627", 8),
        ("more", "Pearson", 1, "9780131103627", 8),
    ]
    assert [m["list_sha256"] for m in found] == [listed.sha256 for listed in lists.lists]
