"""Compare what two manifests say of how their builds were made: config, lists and versions."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

Change = dict[str, Any]
"""A `name`, and what it was (`old`) and is (`new`); null on the side that has it not."""


def changed_config(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
    """Keys of the configs that differ, by name; a list of named things is compared by their names.

    >>> changed_config(
    ...     {"config": {"dedup": {"taint": "flag"}, "sources": {"allow": [{"name": "a", "path": "a.txt"}]}}},
    ...     {"config": {"dedup": {"taint": "drop"}, "sources": {"allow": []}}},
    ... )  # doctest: +NORMALIZE_WHITESPACE
    [{'name': 'dedup.taint', 'old': 'flag', 'new': 'drop'},
     {'name': 'sources.allow.a.name', 'old': 'a', 'new': None},
     {'name': 'sources.allow.a.path', 'old': 'a.txt', 'new': None}]
    """
    return _changes(*(dict(_keys(manifest["config"])) for manifest in (old, new)))


def changed_lists(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
    """Lists, and the sources register, whose content differs: SHA-256, by kind and name."""
    return _changes(*(dict(_digests(manifest)) for manifest in (old, new)))


def changed_versions(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
    """Versions of cleartitle and its libraries that differ."""
    return _changes(old["versions"], new["versions"])


def _changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
    return [
        {"name": name, "old": old.get(name), "new": new.get(name)}
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name)
    ]


def _keys(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """The values of a config by dotted key."""
    inner = value if isinstance(value, Mapping) else _by_name(value)
    if inner is None:
        yield name, value
    for key, one in (inner or {}).items():
        yield from _keys(one, f"{name}.{key}" if name else str(key))


def _by_name(value: Any) -> dict[str, Any] | None:
    """The entries of a list by their names; None unless all have one of their own."""
    if not isinstance(value, list) or not all(isinstance(one, Mapping) and "name" in one for one in value):
        return None
    named = {one["name"]: one for one in value}
    return named if len(named) == len(value) else None


def _digests(manifest: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    for facts in manifest["sources"]:
        category = f" ({facts['category']})" if facts.get("category") else ""
        yield f"{facts['kind']} {facts['name']}{category}", facts["sha256"]
    if manifest["register"]:
        yield "register", manifest["register"]["sha256"]
