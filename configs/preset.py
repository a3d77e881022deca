"""Put a preset beneath a config: what the config does not say is taken from `configs/presets/NAME.yaml`.

>>> filled = put_beneath({"preset": "cautious", "dedup": {"taint": "flag"}})
>>> filled["dedup"]["taint"], filled["policy"]["signals"]["noai"], filled["sources"]["blocklists"][0]["name"]
('flag', 'drop', 'shadow-libraries')
"""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal, get_args

import yaml

from configs.values import Section

Preset = Literal["permissive", "cautious", "licensed-only"]

_FOLDER: Final = Path(__file__).parent / "presets"


def put_beneath(data: Any) -> Any:
    """`data`, which is that of a whole config, filled up from the preset that it names; as it is if it names none.

    Sections are filled key by key, lists of named entries (blocklists, markers …) name by name: entries that `data` has
    keep their places, and those that only the preset has follow. Anything else is that of `data`. Doing it twice is
    doing it once.
    """
    given = _mapping(data)
    name = None if given is None else given.get("preset")
    return _fill(given, _read(name)) if name in get_args(Preset) else data


@cache
def _read(name: str) -> Any:
    """The data of a preset, which may itself name one to stand on."""
    return put_beneath(yaml.safe_load((_FOLDER / f"{name}.yaml").read_text("utf-8")))


def _fill(given: Any, below: Any) -> Any:
    section = _mapping(given)
    if section is not None and isinstance(below, dict):
        return {**below, **{key: _fill(value, below[key]) if key in below else value for key, value in section.items()}}
    if isinstance(given, list | tuple) and isinstance(below, list) and all(isinstance(entry, dict) for entry in below):
        return _fill_entries(given, below)
    return given


def _fill_entries(given: Sequence[Any], below: Sequence[dict[str, Any]]) -> list[Any]:
    names = [(_mapping(entry) or {}).get("name") for entry in given]
    filled = [
        _fill(entry, next((other for other in below if other["name"] == name), None))
        for name, entry in zip(names, given, strict=True)
    ]
    return [*filled, *(entry for entry in below if entry["name"] not in names)]


def _mapping(value: Any) -> Mapping[Any, Any] | None:
    """A section as a mapping of what was said in it; None for what is no section."""
    if isinstance(value, Section):
        return {name: getattr(value, name) for name in type(value).model_fields if name in value.model_fields_set}
    return value if isinstance(value, dict) else None
