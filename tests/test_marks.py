"""The marks column, against a loop over rows and rules."""

from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.structs import MARK
from transforms.decide.marks import FLAT, Marks, count_marks, flatten, list_marks, marked_rows, settle_marks

ROWS = 8
EMPTY: dict[str, Any] = {field.name: None for field in MARK}


@st.composite
def rule_marks(draw: st.DrawFn) -> Marks:
    """A rule's marks on some rows, in any order; some fields as columns, some the same for all, some left out."""
    rows = draw(st.lists(st.integers(0, ROWS - 1), max_size=ROWS))
    fields: dict[str, Any] = {}
    if draw(st.booleans()):
        fields["matched"] = pa.array([draw(st.none() | st.text(max_size=3)) for _ in rows], pa.large_string())
        fields["line"] = pa.array([draw(st.integers(1, 99)) for _ in rows], pa.int64())
    if draw(st.booleans()):
        fields |= {"limit": draw(st.floats(0, 1)), "list": draw(st.text(max_size=3))}
    name, action = draw(st.sampled_from("abcd")), draw(st.sampled_from(["drop", "quarantine", "flag"]))
    return Marks(name, action, np.array(rows, np.int64), fields)


def slow_marks(marks: list[Marks]) -> list[list[dict[str, Any]]]:
    """One row after the other, one rule after the other."""
    expected: list[list[dict[str, Any]]] = [[] for _ in range(ROWS)]
    for mark in marks:
        for at, row in enumerate(mark.rows.tolist()):
            values = {k: v[at].as_py() if isinstance(v, pa.Array) else v for k, v in mark.fields.items()}
            expected[row].append(EMPTY | {"rule": mark.rule, "action": mark.action} | values)
    return expected


@given(st.lists(rule_marks(), max_size=5))
def test_list_marks_agree_with_the_slow_ones(marks: list[Marks]) -> None:
    """For every row all its marks, in the order of the rules, with all fields."""
    column = list_marks(flatten(marks), ROWS)
    column.validate(full=True)
    assert column.type == pa.list_(MARK)
    assert column.to_pylist() == slow_marks(marks)


@given(st.lists(rule_marks(), max_size=5))
def test_decision_is_the_strongest_action_and_reason_the_first_rule_with_it(marks: list[Marks]) -> None:
    """Dropped before quarantined before kept; marks that only flag give no reason, wherever they stand."""
    decisions, reasons = settle_marks(flatten(marks), ROWS)
    for row, decision, reason in zip(slow_marks(marks), decisions.to_pylist(), reasons.to_pylist(), strict=True):
        strongest = next((action for action in ("drop", "quarantine") if any(m["action"] == action for m in row)), None)
        assert decision == (strongest or "keep")
        assert reason == next((m["rule"] for m in row if m["action"] == strongest), None)


@given(st.lists(rule_marks(), max_size=5), st.sets(st.sampled_from("abcd")))
def test_marked_rows_are_those_with_such_a_mark(marks: list[Marks], rules: set[str]) -> None:
    """Of one of the actions, and of one of the rules where they are named."""
    rows = slow_marks(marks)
    found = marked_rows(flatten(marks), ROWS, ["drop", "quarantine"], sorted(rules))
    assert found.tolist() == [any(m["action"] != "flag" and m["rule"] in rules for m in row) for row in rows]
    found = marked_rows(flatten(marks), ROWS, ["flag"])
    assert found.tolist() == [any(m["action"] == "flag" for m in row) for row in rows]


@given(st.lists(rule_marks(), max_size=5))
def test_counts_are_those_of_the_marks(marks: list[Marks]) -> None:
    """Marks by rule and by list; flags by the rows that have them; names in their order."""
    rows = slow_marks(marks)
    every = [m for row in rows for m in row]
    counts = count_marks(flatten(marks))
    assert counts["marks"] == Counter(m["rule"] for m in every)
    assert counts["lists"] == Counter(m["list"] for m in every if m["list"] is not None)
    flags = Counter(rule for row in rows for rule in {m["rule"] for m in row if m["action"] == "flag"})
    assert counts["flags"] == flags
    assert all(list(found) == sorted(found) for found in counts.values())


@given(st.lists(rule_marks(), max_size=5), st.integers(0, 5))
def test_flat_marks_can_be_flattened_with_others(marks: list[Marks], some: int) -> None:
    """What one step wrote to a file and what another adds come out as if they had been made together."""
    assert flatten([flatten(marks[:some]), *marks[some:]]).equals(flatten(marks))


def test_part_without_rows_has_no_marks() -> None:
    """The columns are empty and of their types."""
    none = flatten([Marks("a", "drop", np.empty(0, np.int64))])
    assert none.schema == FLAT
    assert list_marks(none, 0).equals(pa.array([], pa.list_(MARK)))
    assert settle_marks(none, 0) == (pa.array([], pa.string()), pa.array([], pa.string()))


def test_row_that_no_rule_marks_has_an_empty_list() -> None:
    """Not null: the ledger says that nothing fired."""
    none = flatten([])
    assert list_marks(none, 2).to_pylist() == [[], []]
    assert [column.to_pylist() for column in settle_marks(none, 2)] == [["keep", "keep"], [None, None]]


def test_fields_are_cast_to_the_type_of_the_ledger() -> None:
    """Matched entries come as large_string, list lines as any integer."""
    fields: dict[str, Any] = {"matched": pa.array(["a.com"], pa.large_string()), "line": pa.array([3], pa.uint8())}
    (mark,) = Marks("a", "drop", np.array([0]), fields).table().to_pylist()
    assert mark == EMPTY | {"row": 0, "rule": "a", "action": "drop", "matched": "a.com", "line": 3}


def test_field_of_a_type_that_does_not_fit_is_refused() -> None:
    """A word where a number belongs is a fault of ours, and raises."""
    with pytest.raises(pa.ArrowInvalid, match="many"):
        Marks("a", "drop", np.array([0]), {"line": pa.array(["many"])}).table()
