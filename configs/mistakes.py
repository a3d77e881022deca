"""Word what is wrong with data that shall be a section: key path, value given, what was expected.

>>> from pydantic import ValidationError
>>> from configs.near import Near
>>> try:
...     Near.model_validate({"rows": 0})
... except ValidationError as error:
...     [mistake.sentence for mistake in list_mistakes(error, {"rows": 0}, Near)]
['`rows`: expected a whole number, at least 1 and at most 1000, got 0']
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import reduce
from operator import getitem
from typing import Any

from pydantic import BaseModel, ValidationError

from configs.words import in_yaml, is_text, keys_of, words
from schemas.errors import ConfigError


@dataclass(frozen=True)
class Mistake:
    """One mistake: the steps to its place, and the sentence that says it."""

    place: tuple[str, ...]
    sentence: str


def list_mistakes(error: ValidationError, data: object, section: type[BaseModel]) -> Iterator[Mistake]:
    """The mistakes that pydantic found in `data`, which was to be a `section`, each once."""
    keys = keys_of(section)
    for mistake in error.errors(include_url=False):
        if not _follows_from_another(mistake):
            yield Mistake(tuple(str(key) for key in mistake["loc"]), _sentence(mistake, data, keys))


def letter(path: str, sentences: Sequence[str]) -> ConfigError:
    """The letter that lists all mistakes of a file, one a line."""
    count = "1 mistake" if len(sentences) == 1 else f"{len(sentences)} mistakes"
    return ConfigError("\n  ".join([f"{path}: {count}", *sentences]))


def _follows_from_another(mistake: Any) -> bool:
    """Whether another mistake is the cause: a list is too short for its wrong entries, or a default needs a value."""
    kind = mistake["type"]
    return kind == "default_factory_not_called" or (kind == "too_short" and bool(mistake["input"]))


def _sentence(mistake: Any, data: Any, keys: Mapping[str, Any]) -> str:
    *section, key = mistake["loc"]
    path = ".".join(str(step) for step in mistake["loc"])
    match mistake["type"]:
        case "extra_forbidden":
            return _unknown(section, key, keys)
        case "invalid_key":  # a key that is no text, which is what is given
            return _unknown(section, in_yaml(mistake["input"]), keys)
        case "value_error":
            return f"`{path}`: {mistake['ctx']['error']}"
    if key == "[key]":  # of a section whose keys are free
        home = ".".join(str(step) for step in section[:-1])
        return f"`{home}`: a key is non-empty text, got {_written(mistake['input'], True)}"
    annotation = keys[_known(mistake["loc"], keys)]
    if mistake["type"] == "missing":
        return f"`{path}` is missing; expected {words(annotation)}"
    given = reduce(getitem, mistake["loc"], data)  # as written; pydantic's input may be a size in bytes by now
    return f"`{path}`: expected {words(annotation)}, got {_written(given, is_text(annotation))}"


def _written(given: object, expects_text: bool) -> str:
    """A value as it stands in the file, and how to make it text if it looked like text to the user."""
    quotes = "; put it in quotes to make it text" if isinstance(given, int | float) and expects_text else ""
    return f"{in_yaml(given)}{quotes}"


def _known(steps: Iterable[str | int], keys: Mapping[str, Any]) -> str:
    """Steps to a value as a path in `keys`."""
    path = ""
    for step in steps:
        if isinstance(step, int):
            path += "[]"
        else:
            path = f"{path}.*" if f"{path}.*" in keys else f"{path}.{step}".removeprefix(".")
    return path


def _unknown(steps: Sequence[str | int], key: str, keys: Mapping[str, Any]) -> str:
    section = _known(steps, keys)
    homes = {path: path.rpartition(".")[::2] for path in keys if path and not path.endswith(("[]", ".*"))}

    def likeness(path: str) -> tuple[float, bool]:
        """How like the key the last step of a known path is; its own section wins a tie."""
        home, name = homes[path]
        return SequenceMatcher(None, key.lower(), name).ratio(), home == section

    nearest = max(homes, key=likeness)
    ratio, at_home = likeness(nearest)
    meant = f" did you mean `{homes[nearest][1] if at_home else nearest}`?" if ratio >= 0.6 else ""
    known = ", ".join(name for home, name in homes.values() if home == section) or "no keys"
    return f"unknown key `{'.'.join(map(str, [*steps, key]))}`;{meant} known here: {known}"
