"""Read a config file and `--set` overrides into a validated `Config`, naming all mistakes at once.

    config = load("configs/demo.yaml", ["dedup.near.threshold=0.8"])

A mistake is worded with the key path, the value given and what was expected; `show` is the way back.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import reduce
from operator import getitem
from typing import Any, Final

import yaml
from pydantic import ValidationError

from configs.model import Config
from configs.reference import KEYS, dump_yaml, in_yaml, is_text, words
from configs.values import BASE
from schemas.errors import ConfigError

_TYPES: Final = {f"tag:yaml.org,2002:{name}" for name in ("null", "bool", "int", "float", "str", "seq", "map")}
"""The types of JSON, all that a config needs; YAML's others, such as dates and sets, are none of ours."""


def load(path: str, overrides: Sequence[str] = ()) -> Config:
    """The config in the YAML file at `path`, with `overrides` such as `crawl.name=demo` put in place.

    Relative paths, those of overrides too, are made absolute from the directory of the file. Raises ConfigError, whose
    message lists every mistake, one a line. Whether the files named exist is not looked at.
    """
    data = _parse_file(path)
    mistakes, settings = [], []
    for override in overrides:
        try:
            setting = _parse_override(override)
            data = _put(data, setting.keys, setting.value)
            settings.append(setting)
        except _BadOverrideError as mistake:
            mistakes.append(f"--set {override}: {mistake}")
    try:
        config = Config.model_validate(data, context={BASE: os.path.dirname(os.path.abspath(path))})
    except ValidationError as error:
        mistakes += _sentences(error, data, settings)
    if mistakes:
        count = "1 mistake" if len(mistakes) == 1 else f"{len(mistakes)} mistakes"
        raise ConfigError("\n  ".join([f"{path}: {count}", *mistakes]))
    return config


def show(config: Config) -> str:
    """YAML of the config with all defaults, which loads again to an equal config.

    Of `crawl.columns` only those named are shown, since a column that is named must exist.
    """
    data = config.model_dump(mode="json")
    data["crawl"]["columns"] = config.crawl.columns.model_dump(mode="json", exclude_unset=True)
    return dump_yaml(data, flow=False)


class _BadOverrideError(Exception):
    """What is wrong with one --set."""


@dataclass(frozen=True)
class _Setting:
    """One --set: as it was written, and its parts."""

    written: str
    keys: tuple[str, ...]
    value: object


class _Loader(yaml.SafeLoader):
    """A safe loader of JSON's types, for which a key written twice is a mistake and a date is text."""

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        seen = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    raise _not_valid(f"the key `{key.value}` stands twice in one section", key)
                seen.add(key.value)
        return node

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except (ValueError, KeyError):
            raise _not_valid(f"`{node.value}` is not a value of the type {node.tag}", node) from None


_Loader.yaml_constructors = {
    tag: make for tag, make in yaml.SafeLoader.yaml_constructors.items() if tag is None or tag in _TYPES
}
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag in _TYPES or tag == "tag:yaml.org,2002:merge"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _not_valid(problem: str, node: yaml.Node) -> yaml.constructor.ConstructorError:
    return yaml.constructor.ConstructorError(problem=problem, problem_mark=node.start_mark)


def _parse_file(path: str) -> object:
    try:
        with open(path, encoding="utf-8-sig") as file:
            text = file.read()
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: byte {error.start} is not UTF-8; save the config as UTF-8") from error
    except IsADirectoryError as error:
        raise ConfigError(f"{path}: this is a directory; name the config file in it") from error
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: there is no such file; check the path of the config") from error
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    try:
        data = yaml.load(text, _Loader)
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: this is not valid YAML: {_where_and_why(error)}") from error
    if data is None:
        raise ConfigError(f"{path}: the file says nothing; docs/config.md begins with a short config to start from")
    if not isinstance(data, dict):
        raise ConfigError(f"{path}: expected {words(KEYS[''])}, got {in_yaml(data)}")
    return data


def _where_and_why(error: yaml.YAMLError) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        mark = error.problem_mark
        why = ", ".join(filter(None, [error.context, error.problem])).replace(r"'\x00'", "the end")
        return f"line {mark.line + 1}, column {mark.column + 1}: {why}"
    return " ".join(str(error).split())


def _parse_override(override: str) -> _Setting:
    path, equals, text = override.partition("=")
    keys = tuple(path.split("."))
    if not equals or not all(keys):
        raise _BadOverrideError("expected key.path=value, such as dedup.near.threshold=0.8")
    try:
        return _Setting(override, keys, yaml.load(text, _Loader))
    except yaml.YAMLError as error:
        raise _BadOverrideError(f"the value is not valid YAML: {_where_and_why(error)}") from error


def _put(data: object, keys: Sequence[str], value: object) -> object:
    """A copy of `data` with `value` at the path `keys`; sections that are not there are made."""
    if not keys:
        return value
    key, *rest = keys
    match data:
        case None:
            return {key: _put(None, rest, value)}
        case dict():
            return {**data, key: _put(data.get(key), rest, value)}
        case list() if key.isdecimal() and int(key) < len(data):
            index = int(key)
            return [*data[:index], _put(data[index], rest, value), *data[index + 1 :]]
        case list():
            raise _BadOverrideError(f"`{key}` is no index of a list of {len(data)}; the first entry is 0")
        case _:
            raise _BadOverrideError(f"`{key}` cannot be set in {in_yaml(data)}, which is not a section")


def _sentences(error: ValidationError, data: object, settings: Sequence[_Setting]) -> Iterator[str]:
    for mistake in error.errors(include_url=False):
        if not _follows_from_another(mistake):
            path = tuple(str(key) for key in mistake["loc"])
            by = [setting for setting in settings if all(a == b for a, b in zip(setting.keys, path, strict=False))]
            yield _sentence(mistake, data) + (f" (with --set {by[-1].written})" if by else "")


def _follows_from_another(mistake: Any) -> bool:
    """Whether another mistake is the cause: a list is too short for its wrong entries, or a default needs a value."""
    kind = mistake["type"]
    return kind == "default_factory_not_called" or (kind == "too_short" and bool(mistake["input"]))


def _sentence(mistake: Any, data: Any) -> str:
    *section, key = mistake["loc"]
    path = ".".join(str(step) for step in mistake["loc"])
    match mistake["type"]:
        case "extra_forbidden":
            return _unknown(section, key)
        case "invalid_key":  # a key that is no text, which is what is given
            return _unknown(section, in_yaml(mistake["input"]))
        case "value_error":
            return f"`{path}`: {mistake['ctx']['error']}"
    annotation = KEYS[_known(mistake["loc"])]
    if mistake["type"] == "missing":
        return f"`{path}` is missing; expected {words(annotation)}"
    given = reduce(getitem, mistake["loc"], data)  # as written; pydantic's input may be a size in bytes by now
    quotes = "; put it in quotes to make it text" if isinstance(given, int | float) and is_text(annotation) else ""
    return f"`{path}`: expected {words(annotation)}, got {in_yaml(given)}{quotes}"


def _known(steps: Iterable[str | int]) -> str:
    """Steps to a value as a path in `KEYS`."""
    return ".".join("[]" if isinstance(step, int) else step for step in steps).replace(".[]", "[]")


def _unknown(steps: Sequence[str | int], key: str) -> str:
    section = _known(steps)
    homes = {path: path.rpartition(".")[::2] for path in KEYS if path and not path.endswith("[]")}

    def likeness(path: str) -> tuple[float, bool]:
        """How like the key the last step of a known path is; its own section wins a tie."""
        home, name = homes[path]
        return SequenceMatcher(None, key.lower(), name).ratio(), home == section

    nearest = max(homes, key=likeness)
    ratio, at_home = likeness(nearest)
    meant = f" did you mean `{homes[nearest][1] if at_home else nearest}`?" if ratio >= 0.6 else ""
    known = ", ".join(name for home, name in homes.values() if home == section) or "no keys"
    return f"unknown key `{'.'.join(map(str, [*steps, key]))}`;{meant} known here: {known}"
