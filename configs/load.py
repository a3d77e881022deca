"""Read a config file and `--set` overrides into a validated `Config`, naming all mistakes at once.

    config = load("configs/demo.yaml", ["dedup.near.threshold=0.8"])

A mistake is worded with the key path, the value given and what was expected; `show` is the way back.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from configs.mistakes import Mistake, letter, list_mistakes
from configs.model import Config
from configs.parse import parse_file, parse_yaml
from configs.preset import put_beneath
from configs.values import BASE
from configs.words import dump_yaml, in_yaml, words
from schemas.errors import ConfigError


def load(path: str, overrides: Sequence[str] = ()) -> Config:
    """The config in the YAML file at `path`, with `overrides` such as `crawl.name=demo` put in place.

    Relative paths, those of overrides too, are made absolute from the directory of the file. A preset is put beneath
    file and overrides. Raises ConfigError, whose message lists every mistake, one a line. Whether the files named exist
    is not looked at.
    """
    data: object = parse_file(_read(path), path, words(Config), "begins with a short config to start from")
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
        # An entry of a list keeps its place when a preset is put beneath it, so the places are those of the file.
        found = list_mistakes(error, put_beneath(data), Config)
        mistakes += [_with_override(mistake, settings) for mistake in found]
    if mistakes:
        raise letter(path, mistakes)
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


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except IsADirectoryError as error:
        raise ConfigError(f"{path}: this is a directory; name the config file in it") from error
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: there is no such file; check the path of the config") from error
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error


def _parse_override(override: str) -> _Setting:
    path, equals, text = override.partition("=")
    keys = tuple(path.split("."))
    if not equals or not all(keys):
        raise _BadOverrideError("expected key.path=value, such as dedup.near.threshold=0.8")
    try:
        return _Setting(override, keys, parse_yaml(text))
    except ValueError as error:
        raise _BadOverrideError(f"the value is {error}") from error


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


def _with_override(mistake: Mistake, settings: Sequence[_Setting]) -> str:
    """The sentence of a mistake, with the last --set that reaches its place, if there is one."""
    by = [s for s in settings if all(a == b for a, b in zip(s.keys, mistake.place, strict=False))]
    return mistake.sentence + (f" (with --set {by[-1].written})" if by else "")
