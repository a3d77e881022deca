"""Triggers in batches of texts, windows round them, and the spans of patterns."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.rights_data import view
from transforms.measure.rights import triggers
from transforms.measure.rights.find_rights import TRIGGERS
from transforms.measure.rights.findings import Hits, cut, find_spans, left, undeclared
from transforms.measure.rights.triggers import find_triggers

GROUPS = {"letters": (b"a", b"ab", b"\xc3\xa9"), "words": (b"ab", b"b a")}


def slow_hits(texts: list[str], group: tuple[bytes, ...]) -> list[tuple[int, int, int, int]]:
    """Row, first byte in the row, end and trigger of every place, by looking at every place."""
    found = [
        (row, at, at + len(trigger), number)
        for row, text in enumerate(texts)
        for number, trigger in enumerate(group)
        for at in range(len(text.encode()))
        if text.encode().lower().startswith(trigger, at)
    ]
    return sorted(found, key=lambda hit: hit[:3])


def as_tuples(hits: Hits, offsets: np.ndarray) -> list[tuple[int, int, int, int]]:
    starts, stops = hits.starts - offsets[hits.rows], hits.stops - offsets[hits.rows]
    return list(zip(hits.rows.tolist(), starts.tolist(), stops.tolist(), hits.triggers.tolist(), strict=True))


@settings(deadline=None)
@given(st.lists(st.text("abAB é", max_size=12), max_size=6), st.sampled_from([3, 7, 1 << 18]))
def test_triggers_are_found_wherever_they_stand(texts: list[str], size: int) -> None:
    """Overlapping ones too, across slices, and never across the border of two texts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(triggers, "SLICE", size)
        found = find_triggers(view(*texts), GROUPS)
    for name, group in GROUPS.items():
        assert as_tuples(found[name], view(*texts).offsets) == slow_hits(texts, group)


def test_batch_without_texts_has_no_triggers() -> None:
    """No rows, null rows and empty rows are fine."""
    for texts in (view(), view(None), view("", None, "")):
        assert all(hits.rows.size == 0 for hits in find_triggers(texts, TRIGGERS).values())


def test_triggers_of_all_detectors_are_lower_case_and_once() -> None:
    """Upper case would never match, and a trigger twice would be counted once."""
    for group in TRIGGERS.values():
        assert all(trigger and trigger == trigger.lower() for trigger in group)
        assert len(set(group)) == len(group)


def test_threads_find_the_same() -> None:
    """The automaton is shared and never changes."""
    texts = view(*["copyright © ISBN all rights reserved"] * 50)
    expected = find_triggers(texts, TRIGGERS)
    with ThreadPoolExecutor(8) as pool:
        for found in pool.map(lambda _: find_triggers(texts, TRIGGERS), range(32)):
            for name, hits in found.items():
                assert all((a == b).all() for a, b in zip(hits, expected[name], strict=True))


def test_windows_are_cut_at_rows_and_characters() -> None:
    """And `left` says where they begin."""
    texts = view("née", "x")
    rows, starts = np.array([0, 0, 1]), texts.offsets[[0, 0, 1]] + np.array([-3, 2, -1])
    assert cut(texts, rows, starts, starts + 6).to_pylist() == ["né", "e", "x"]
    assert (left(texts, rows, starts) - texts.offsets[rows]).tolist() == [0, 3, 0]


def test_spans_are_places_in_the_buffer() -> None:
    """Of every named group; -1 where the pattern or the group does not match."""
    texts = view("é a1", "b", "c2")
    rows = np.arange(3)
    spans = find_spans(texts, rows, texts.offsets[:-1], texts.offsets[1:], "(?P<letter>[ac])(?P<one>1)?")
    relative = [np.where(place < 0, -1, place - texts.offsets[:-1]).tolist() for place in spans["letter"]]
    assert relative == [[3, -1, 0], [4, -1, 1]]
    assert spans["one"][1].tolist() == [texts.offsets[0] + 5, -1, -1]


def test_no_window_has_no_spans_but_all_groups() -> None:
    """The pattern is not even compiled."""
    nothing = np.empty(0, np.int64)
    spans = find_spans(view("a"), nothing, nothing, nothing, "(?P<one>a)(?P<two>b)")
    assert {name: [place.size for place in span] for name, span in spans.items()} == {"one": [0, 0], "two": [0, 0]}


def test_undeclared_signal_has_no_normal_form() -> None:
    """One null for each value."""
    assert undeclared(cut(view("a", "b"), np.arange(2), np.zeros(2, np.int64), np.zeros(2, np.int64))).to_pylist() == [
        None,
        None,
    ]
