"""The keys of the configuration in plain words, and `docs/config.md` written from them: `python -m configs.reference`.

>>> words(KEYS["dedup.near.threshold"])
'a number, above 0 and at most 1'
"""

import re
import sys
from collections.abc import Iterator, Sequence
from inspect import cleandoc
from math import inf
from types import NoneType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

import yaml
from annotated_types import Ge, Gt, Le, MinLen
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from configs.bands import candidate_curve
from configs.model import Config
from configs.near import SCHEMES
from configs.values import Words
from schemas.reference import markdown_table

SHORTEST: Final = """\
crawl:
  name: demo
  files: ["crawl/*.warc.gz"]      # globs; local or any Beam filesystem
  format: auto                    # auto | warc | wet | jsonl | parquet
  columns: {id: id, text: text, url: url}   # jsonl and parquet only
sources:
  blocklists:
    - {name: shadow-libraries, path: configs/blocklists/shadow_libraries.txt, format: domains, category: piracy}
  allow: []
dedup:
  exact: {}
  near: {threshold: 0.7, ngram: 5, bands: 25, rows: 5}
  survivor: [source_priority, longest, earliest]
  taint: flag                     # drop | flag | ignore
"""
"""A short, useful file, as the documents show it."""

_INTRODUCTION: Final = f"""# Configuration

Written by `python -m configs.reference`; change the classes in `configs/`, then run it again.
A config is one YAML file. Most keys have a default, so a useful file is short:

```yaml
{SHORTEST}```

`cleartitle config check FILE` lists every mistake at once; `cleartitle config show FILE` prints the config with all
defaults.

## Paths and --set

Relative paths in `crawl.files`, `crawl.root`, `sources.blocklists[].path` and `dedup.against` are relative to the
directory of the config file. Paths with a scheme, such as `gs://bucket/crawl/*.warc.gz`, are taken as they are.

`--set key.path=value` puts a value in place of the file's; a later one beats an earlier one. The value is read as
YAML, so lists and sections can be given: `--set dedup.near.threshold=0.8`, `--set 'crawl.files=["a/*.wet.gz"]'`,
`--set dedup.near=null`. An entry of a list is named by its index, from 0: `--set sources.blocklists.0.path=mine.txt`.
Paths given by `--set` are relative to the directory of the config file too. A preset fills in what nobody wrote, so
`--set dedup.near.preset=fineweb` does not change numbers that stand in the file.

Text that YAML would read as something else stands in quotes: `name: "2024"`, `allow: ["no"]`.
"""


class _Dumper(yaml.SafeDumper):
    """Writes line breaks as escapes: single quotes, PyYAML's choice, would fold them, and lose U+0085."""

    def represent_str(self, text: str) -> yaml.ScalarNode:
        style = '"' if re.search(r"[\n\r\x85\u2028\u2029]", text) else None
        return self.represent_scalar("tag:yaml.org,2002:str", text, style)


_Dumper.add_representer(str, _Dumper.represent_str)


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


def _one_of(alternatives: Sequence[str]) -> str:
    """`a, b or c`."""
    return " or ".join(filter(None, [", ".join(alternatives[:-1]), alternatives[-1]]))


def reference() -> str:
    """The whole of `docs/config.md`: a table for each section, in the order of the classes, and what presets find."""
    sections = ((path, section_of(annotation)) for path, annotation in KEYS.items())
    tables = (_section(path, section) for path, section in sections if section)
    return "\n".join([_INTRODUCTION, *tables, _candidates()])


def _keys(path: str, annotation: Any) -> Iterator[tuple[str, Any]]:
    yield path, annotation
    kind, section = _parts(annotation)[0], section_of(annotation)
    if get_origin(kind) is tuple:
        yield from _keys(f"{path}[]", get_args(kind)[0])
    for name, field in section.model_fields.items() if section else ():
        yield from _keys(f"{path}.{name}".removeprefix("."), _annotation(field))


def _annotation(field: FieldInfo) -> Any:
    """Annotation of a field as it was written; pydantic keeps type and marks apart."""
    return Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation


def _parts(annotation: Any) -> tuple[Any, list[Any], bool]:
    """Bare type, the marks that qualify it, and whether null is allowed."""
    members = [member for member in get_args(annotation) if member is not NoneType]
    nullable = NoneType in get_args(annotation)
    if nullable:
        (annotation,) = members
    kind, *marks = get_args(annotation) if get_origin(annotation) is Annotated else (annotation,)
    return kind, marks, nullable


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
                said.append(f"at least {_number(limit)}")
            case Gt(limit):
                said.append(f"above {_number(limit)}")
            case Le(limit):
                said.append(f"at most {_number(limit)}")
    return ", " + " and ".join(said) if said else ""


def _number(number: Any) -> str:
    """A number, whole KiB and MiB and GiB as such; no limit or default that is not a size is that large."""
    for unit in ("", " KiB", " MiB"):
        if number < 1024 or number % 1024:
            return f"{number}{unit}"
        number //= 1024
    return f"{number} GiB"


def _section(path: str, section: type[BaseModel]) -> str:
    defaults = _defaults(section)
    rows = [
        [
            f"`{name}`",
            words(_annotation(field)),
            _default(defaults[name]) if name in defaults else "required",
            field.description or "",
        ]
        for name, field in section.model_fields.items()
    ]
    title = f"## `{path}`" if path else "## Sections"
    table = markdown_table(["key", "type", "default", "meaning"], rows)
    return "\n\n".join([title, cleandoc(section.__doc__ or ""), *([table] if rows else [])]) + "\n"


def _defaults(section: type[BaseModel]) -> dict[str, Any]:
    """Defaults of the keys that have one; some depend on the keys before them."""
    defaults: dict[str, Any] = {}
    for name, field in section.model_fields.items():
        if not field.is_required():
            defaults[name] = field.get_default(call_default_factory=True, validated_data=defaults)
    return defaults


def _default(value: Any) -> str:
    match value:
        case BaseModel():
            return "`{}`"
        case bool() | str() | None:
            return f"`{in_yaml(value)}`"
        case tuple():
            return f"`{in_yaml(list(value))}`"
        case number:
            return f"`{_number(number)}`"


def _candidates() -> str:
    rows = [
        [
            name or "default",
            f"{scheme.ngram}",
            f"{scheme.bands} x {scheme.rows}",
            f"{scheme.threshold}",
            *(f"{share:.3f}" for share in candidate_curve(scheme.bands, scheme.rows).values()),
            scheme.source,
        ]
        for name, scheme in SCHEMES.items()
    ]
    head = ["preset", "ngram", "bands x rows", "threshold", *candidate_curve(1, 1), "source"]
    return f"""\
## What a preset finds

Two documents are compared if they share a band. Of the pairs at a Jaccard similarity `s`, the share that do is
`1 - (1 - s^rows)^bands`; a pair that shares no band is not found, however far above `threshold` it lies. Only the
numbers are those of the sources: words, hashes and comparison are ours.

{markdown_table(head, rows)}
"""


KEYS: Final[dict[str, Any]] = dict(_keys("", Config))
"""Every key path with its annotation, in order: `crawl`, `crawl.name` … `sources.blocklists[].name`; the empty path is
the whole."""


if __name__ == "__main__":
    sys.stdout.write(reference())
