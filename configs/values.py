"""What a value of the configuration may be: the types that keys share, and the base of every section."""

import glob
import os
import re
from collections import Counter
from dataclasses import dataclass
from typing import Annotated, Final, TypeVar

from annotated_types import Ge, Le
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, Strict, ValidationInfo

T = TypeVar("T")

BASE: Final = "base"
"""Validation context: the directory that relative paths start from; without it, the working directory."""


@dataclass(frozen=True)
class Words:
    """Says in an annotation what is expected, in plain words, for the reference and for error messages."""

    words: str


def distinct(values: tuple[T, ...]) -> tuple[T, ...]:
    """The values, each of which must stand there once; those with a name are told apart by it."""
    counts = Counter(getattr(value, "name", value) for value in values)
    repeated = ", ".join(f"`{name}`" for name, count in counts.items() if count > 1)
    if repeated:
        raise ValueError(f"{repeated} stands here more than once; each may stand once")
    return values


def absolute(path: str, info: ValidationInfo) -> str:
    """The path, a relative one taken from the directory in the validation context."""
    return _join((info.context or {}).get(BASE, ""), path)


def _absolute_glob(pattern: str, info: ValidationInfo) -> str:
    return _join(glob.escape(os.path.abspath((info.context or {}).get(BASE, ""))), pattern)


def _join(base: str, path: str) -> str:
    return path if re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", path) else os.path.abspath(os.path.join(base, path))


def _bytes(value: object) -> object:
    match = isinstance(value, str) and re.fullmatch(r"(\d+)\s*(?:([KMGT])(I?))?B", value.upper(), re.ASCII)
    if not match:
        return value
    number, prefix, binary = match.groups()
    return int(number) * (1024 if binary else 1000) ** (" KMGT".index(prefix) if prefix else 0)


Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+$"), Words("text of letters, digits, `.`, `_` and `-`")]
Text = Annotated[str, Field(min_length=1), Words("non-empty text")]
Location = Annotated[str, Field(min_length=1), AfterValidator(absolute), Words("a path")]
Glob = Annotated[str, Field(min_length=1), AfterValidator(_absolute_glob), Words("a path or glob")]
Domain = Annotated[
    str,
    Field(pattern=r"^(\*\.)?[^\s/:@*?.]+(\.[^\s/:@*?.]+)*\.?$"),
    Words("a domain such as `example.org` or `*.github.io`, without scheme or path"),
]
Size = Annotated[int, BeforeValidator(_bytes), Words("a size in bytes, such as 33554432 or `32 MiB` or `64MB`")]
Count = Annotated[int, Ge(1)]
Share = Annotated[float, Ge(0), Le(1)]
Many = Annotated[tuple[T, ...], Strict(False), AfterValidator(distinct)]
"""A YAML list, each entry once."""


class Section(BaseModel):
    """A mapping in which an unknown key, or a value of another type, is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True)
