"""What two datasets were made by, compared: configs key by key, and lists."""

from typing import Any

import pytest

from lineage.comparison.compare_manifests import changed_config, changed_lists
from tests.tables import Row


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ({"a": {"b": 1, "c": [1]}}, {"a": {"b": 1, "c": [1]}}, []),
        ({"a": {"b": 1}}, {"a": {"b": None, "c": 2}}, [("a.b", 1, None), ("a.c", None, 2)]),
        ({"a": ["x"]}, {"a": ["x", "y"]}, [("a", ["x"], ["x", "y"])]),
        (
            {"a": [{"name": "x", "p": 1}, {"name": "y", "p": 2}]},
            {"a": [{"name": "y", "p": 3}, {"name": "x", "p": 1}]},
            [("a.y.p", 2, 3)],
        ),
        (
            {"a": [{"name": "x", "p": 1}, {"name": "x", "p": 2}]},
            {"a": [{"name": "x", "p": 1}]},
            [
                ("a", [{"name": "x", "p": 1}, {"name": "x", "p": 2}], None),
                ("a.x.name", None, "x"),
                ("a.x.p", None, 1),
            ],
        ),
    ],
)
def test_configs_are_compared_key_by_key(old: Row, new: Row, expected: list[tuple[str, Any, Any]]) -> None:
    """Entries that have a name of their own by it, in whatever order; other lists as a whole."""
    found = changed_config({"config": old}, {"config": new})
    assert [(one["name"], one["old"], one["new"]) for one in found] == expected


def test_lists_are_compared_by_their_digests() -> None:
    """A list of several categories has a digest for each; the register is one of them."""
    sources = [
        {"kind": "blocklist", "name": "ut1", "category": name, "sha256": f"{name}1"} for name in ("adult", "warez")
    ]
    old = {"sources": sources, "register": None}
    new = {"sources": [sources[0], {**sources[1], "sha256": "new"}], "register": {"sha256": "r", "sources": 3}}
    assert changed_lists(old, new) == [
        {"name": "blocklist ut1 (warez)", "old": "warez1", "new": "new"},
        {"name": "register", "old": None, "new": "r"},
    ]
