"""The marks column, against a loop over rows and rules."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.columns import MARK
from transforms.decide.marks import Marks, list_marks, reasons

ROWS = 8
EMPTY: dict[str, Any] = {field.name: None for field in MARK}


@st.composite
def rule_marks(draw: st.DrawFn) -> Marks:
    """A rule's marks on some rows, in any order; some fields as columns, some the same for all, some left out."""
    rows = draw(st.lists(st.integers(0, ROWS - 1), unique=True, max_size=ROWS))
    fields: dict[str, Any] = {}
    if draw(st.booleans()):
        fields["matched"] = pa.array([draw(st.none() | st.text(max_size=3)) for _ in rows], pa.large_string())
        fields["line"] = pa.array([draw(st.integers(1, 99)) for _ in rows], pa.int64())
    if draw(st.booleans()):
        fields |= {"limit": draw(st.floats(0, 1)), "list": draw(st.text(max_size=3))}
    name, action = draw(st.sampled_from("abcd")), draw(st.sampled_from(["drop", "flag"]))
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
    column = list_marks(marks, ROWS)
    column.validate(full=True)
    assert column.type == pa.list_(MARK)
    assert column.to_pylist() == slow_marks(marks)


@given(st.lists(rule_marks(), max_size=5))
def test_reason_is_the_first_rule_that_drops(marks: list[Marks]) -> None:
    """Marks that only flag give no reason, wherever they stand."""
    column = reasons(marks, ROWS)
    dropping = [[mark["rule"] for mark in row if mark["action"] == "drop"] for row in slow_marks(marks)]
    assert (column.type, column.to_pylist()) == (pa.string(), [next(iter(rules), None) for rules in dropping])


def test_part_without_rows_has_no_marks() -> None:
    """The columns are empty and of their types."""
    none = [Marks("a", "drop", np.empty(0, np.int64))]
    assert list_marks(none, 0).equals(pa.array([], pa.list_(MARK)))
    assert reasons(none, 0).equals(pa.array([], pa.string()))


def test_row_that_no_rule_marks_has_an_empty_list() -> None:
    """Not null: the ledger says that nothing fired."""
    assert list_marks([], 2).to_pylist() == [[], []]
    assert reasons([], 2).to_pylist() == [None, None]


def test_fields_are_cast_to_the_type_of_the_ledger() -> None:
    """Matched entries come as large_string, list lines as any integer."""
    fields: dict[str, Any] = {"matched": pa.array(["a.com"], pa.large_string()), "line": pa.array([3], pa.uint8())}
    (mark,) = Marks("a", "drop", np.array([0]), fields).structs().to_pylist()
    assert mark == EMPTY | {"rule": "a", "action": "drop", "matched": "a.com", "line": 3}


def test_field_of_a_type_that_does_not_fit_is_refused() -> None:
    """A word where a number belongs is a fault of ours, and raises."""
    with pytest.raises(pa.ArrowInvalid, match="many"):
        Marks("a", "drop", np.array([0]), {"line": pa.array(["many"])}).structs()
