"""The keys of a section in plain words, and values as YAML writes them.

>>> from configs.near import Near
>>> words(keys_of(Near)["threshold"])
'a number, above 0 and at most 1'
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from math import inf
from types import MappingProxyType, NoneType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import yaml
from annotated_types import Ge, Gt, Le, MinLen
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from configs.values import Words


class _Dumper(yaml.SafeDumper):
    """Writes line breaks as escapes: single quotes, PyYAML's choice, would fold them, and lose U+0085."""

    def represent_str(self, text: str) -> yaml.ScalarNode:
        style = '"' if re.search(r"[\n\r\x85\u2028\u2029]", text) else None
        return self.represent_scalar("tag:yaml.org,2002:str", text, style)


_Dumper.add_representer(str, _Dumper.represent_str)


@cache
def keys_of(section: type[BaseModel]) -> Mapping[str, Any]:
    """Every key path below a section with its annotation, in order: of the whole config `crawl`, `crawl.name` …
    `sources.blocklists[].name`. The empty path is the section itself, `[]` any entry of a list, `.*` any key of a
    section whose keys are free."""
    return MappingProxyType(dict(_keys("", section)))


def section_of(annotation: Any) -> type[BaseModel] | None:
    """The class of a section, be it null or not; None for any other annotation."""
    kind = _parts(annotation)[0]
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def is_text(annotation: Any) -> bool:
    """Whether text is expected."""
    return _parts(annotation)[0] is str


def words(annotation: Any) -> str:
    """What is expected of a value, in plain words."""
    kind, marks, nullable = _parts(annotation)
    return _words(kind, marks) + _limits(marks) + (", or null" if nullable else "")


def in_yaml(value: object) -> str:
    """A value as YAML writes it, on one line of at most 80 characters."""
    line = dump_yaml(value, flow=True).removesuffix("...\n").strip()
    return line if len(line) <= 80 else f"{line[:77]}..."


def dump_yaml(value: object, *, flow: bool) -> str:
    """YAML that loads again to the same value: in one line, or block by block."""
    return yaml.dump(value, Dumper=_Dumper, default_flow_style=flow, allow_unicode=True, sort_keys=False, width=inf)


def number_words(number: Any) -> str:
    """A number, whole KiB and MiB and GiB as such; no limit or default that is not a size is that large."""
    for unit in ("", " KiB", " MiB"):
        if number < 1024 or number % 1024:
            return f"{number}{unit}"
        number //= 1024
    return f"{number} GiB"


def annotation_of(field: FieldInfo) -> Any:
    """Annotation of a field as it was written; pydantic keeps type and marks apart."""
    return Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation


def _keys(path: str, annotation: Any) -> Iterator[tuple[str, Any]]:
    yield path, annotation
    kind, section = _parts(annotation)[0], section_of(annotation)
    if get_origin(kind) is tuple:
        yield from _keys(f"{path}[]", get_args(kind)[0])
    if get_origin(kind) is dict:
        yield from _keys(f"{path}.*", get_args(kind)[1])
    for name, field in section.model_fields.items() if section else ():
        yield from _keys(f"{path}.{name}".removeprefix("."), annotation_of(field))


def _parts(annotation: Any) -> tuple[Any, list[Any], bool]:
    """Bare type, the marks that qualify it, and whether null is allowed."""
    members = [member for member in get_args(annotation) if member is not NoneType]
    nullable = NoneType in get_args(annotation)
    if nullable:
        (annotation,) = members
    kind, *marks = get_args(annotation) if get_origin(annotation) is Annotated else (annotation,)
    return kind, marks, nullable


def _one_of(alternatives: Sequence[str]) -> str:
    """`a, b or c`."""
    return " or ".join(filter(None, [", ".join(alternatives[:-1]), alternatives[-1]]))


def _words(kind: Any, marks: Sequence[Any]) -> str:
    said = [mark.words for mark in marks if isinstance(mark, Words)]
    section = section_of(kind)
    if said:
        return said[-1]
    if section:
        keys = ", ".join(f"`{name}`" for name in section.model_fields)
        return f"a section with {keys}" if keys else "an empty section `{}`"
    if get_origin(kind) is tuple:
        least = " of at least one entry" if any(isinstance(mark, MinLen) for mark in marks) else ""
        return f"a list{least}, each entry {words(get_args(kind)[0])}"
    if get_origin(kind) is dict:
        return f"a section of any keys, each with {words(get_args(kind)[1])}"
    if get_origin(kind) is Union:
        return ", or ".join(words(member) for member in get_args(kind))
    if get_origin(kind) is Literal:
        return _one_of([f"`{word}`" for word in get_args(kind)])
    return {bool: "true or false", int: "a whole number", float: "a number"}[kind]


def _limits(marks: Sequence[Any]) -> str:
    said = []
    for mark in marks:
        match mark:
            case Ge(limit):
                said.append(f"at least {number_words(limit)}")
            case Gt(limit):
                said.append(f"above {number_words(limit)}")
            case Le(limit):
                said.append(f"at most {number_words(limit)}")
    return ", " + " and ".join(said) if said else ""
