"""`docs/config.md`, written from the classes of the configuration: `python -m configs.reference`."""

import sys
from collections.abc import Iterator
from inspect import cleandoc
from typing import Any, Final

from pydantic import BaseModel

from configs.bands import candidate_curve
from configs.model import Config
from configs.near import SCHEMES
from configs.register import Source
from configs.shipped import PREFIX, SHIPPED
from configs.takedown import TakedownRequest
from configs.words import annotation_of, in_yaml, keys_of, number_words, section_of, words
from schemas.reference import markdown_table

SHORTEST: Final = """\
crawl:
  name: demo
  files: ["crawl/*.warc.gz"]      # globs; local or any Beam filesystem
  format: auto                    # auto | warc | wet | jsonl | parquet
  columns: {id: id, text: text, url: url}   # jsonl and parquet only
sources:
  blocklists:
    - {name: shadow-libraries, path: "shipped:blocklists/shadow_libraries.txt", format: domains, category: piracy}
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

Relative paths are relative to the directory of the config file. Paths with a scheme, such as
`gs://bucket/crawl/*.warc.gz`, are taken as they are. `shipped:` stands before the name of a list that comes with
cleartitle: {", ".join(f"`{PREFIX}{name}`" for name in SHIPPED)}.

`--set key.path=value` puts a value in place of the file's; a later one beats an earlier one. The value is read as
YAML, so lists and sections can be given: `--set dedup.near.threshold=0.8`, `--set 'crawl.files=["a/*.wet.gz"]'`,
`--set dedup.near=null`. An entry of a list is named by its index, from 0: `--set sources.blocklists.0.path=mine.txt`.
Paths given by `--set` are relative to the directory of the config file too.

## Presets

A preset fills in what nobody wrote, neither in the file nor by `--set`. `preset: NAME` puts the file
`configs/presets/NAME.yaml` beneath the config: sections are filled key by key, lists of `sources` name by name. Entries
of the config keep their places, and those that only the preset has follow them. `dedup.near.preset` fills in numbers;
so `--set dedup.near.preset=fineweb` does not change numbers that stand in the file.

Text that YAML would read as something else stands in quotes: `name: "2024"`, `allow: ["no"]`.
"""

REGISTER: Final = """\
sources:
  - {host: press.example, basis: licensed, contract: "2026-017", priority: 10, note: until the end of 2028}
  - {prefix: "https://www.example.org/open/", basis: open_licence, licence: CC-BY-4.0}
  - {input: "gutenberg/*.jsonl.gz", basis: public_domain, priority: 5}
  - {host: blog.press.example, basis: crawl, note: not part of the contract}
"""
"""A register, as the documents show it."""

_REGISTER: Final = f"""\
# The sources register

`sources.register` names a YAML file such as

```yaml
{REGISTER}```
"""

TAKEDOWN: Final = """\
requested_by: Jane Doe, Doe Books Ltd
requested_on: 2026-11-02
reference: DMCA-2026-114
selectors:
  urls: ["https://a.example/book"]
  domains: [pirate.example]
  isbns: [978-0-13-468599-1]
  texts: [book.txt, {text: "The very words of the work, as they stand in it ..."}]
scope: near_duplicates          # or named: only what the selectors name
"""
"""A request to take work out, as the documents show it."""

_TAKEDOWN: Final = f"""\
# Takedowns

`cleartitle takedown DATASET --request FILE` and the key `takedowns` of a config name YAML files such as

```yaml
{TAKEDOWN}```

The key `takedowns` takes certificates too, which `cleartitle takedown` writes: `takedowns/ID.json` of the dataset, with
`takedowns/ID.parquet` beside it. [What a takedown does](lineage.md#take-work-out).
"""


def reference() -> str:
    """The whole of `docs/config.md`: a table for each section, in the order of the classes; what presets of
    `dedup.near` find; the register; and requests to take work out."""
    tables = (_section(path, section) for path, section in _sections(Config))
    register = _REGISTER, _section("sources[]", Source)
    request = [_section(path, section) for path, section in _sections(TakedownRequest)]
    return "\n".join([_INTRODUCTION, *tables, _candidates(), *register, _TAKEDOWN, *request])


def _sections(config: type[BaseModel]) -> Iterator[tuple[str, type[BaseModel]]]:
    return ((path, found) for path, annotation in keys_of(config).items() if (found := section_of(annotation)))


def _section(path: str, section: type[BaseModel]) -> str:
    defaults = _defaults(section)
    rows = [
        [
            f"`{name}`",
            words(annotation_of(field)),
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
        case bool() | str() | dict() | None:
            return f"`{in_yaml(value)}`"
        case tuple():
            return f"`{in_yaml(list(value))}`"
        case number:
            return f"`{number_words(number)}`"


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


if __name__ == "__main__":
    sys.stdout.write(reference())
