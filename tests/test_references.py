"""The references say what the definitions say: docs/config.md and docs/columns.md are generated."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

import configs.reference
import schemas.reference
from configs.load import load
from configs.model import Config
from configs.parse import parse_yaml
from configs.reference import REGISTER, SHORTEST, TAKEDOWN
from configs.register import RegisterFile
from configs.takedown import SELECTORS, TakedownRequest
from configs.words import in_yaml, is_text, keys_of, section_of, words
from schemas.columns import TABLES
from schemas.reasons import DUPLICATE_KINDS, NOT_DOCUMENTS, REJECTIONS, RULES
from schemas.reference import markdown_table
from schemas.structs import MARK, MARK_MEANINGS

ROOT = Path(__file__).resolve().parents[1]
KEYS = keys_of(Config)
SOURCE_KEYS = keys_of(RegisterFile)
CONFIG, COLUMNS = (ROOT / "docs" / name for name in ("config.md", "columns.md"))


@pytest.mark.parametrize(
    ("module", "path"), [(configs.reference, CONFIG), (schemas.reference, COLUMNS)], ids=["config", "columns"]
)
def test_committed_reference_is_the_generated_one(module: ModuleType, path: Path) -> None:
    """A change of a definition goes with its reference."""
    assert path.read_text("utf-8") == module.reference(), f"run: python -m {module.__name__} > docs/{path.name}"


@pytest.mark.parametrize(("name", "path"), [("configs.reference", CONFIG), ("schemas.reference", COLUMNS)])
def test_command_prints_the_reference(name: str, path: Path) -> None:
    """`python -m …` writes the file to standard output, byte for byte."""
    printed = subprocess.run([sys.executable, "-m", name], cwd=ROOT, capture_output=True, check=True)
    assert (printed.stdout, printed.stderr) == (path.read_bytes(), b"")


# The config


def cells(line: str) -> list[str]:
    """Cells of a row of a Markdown table."""
    return [cell.strip() for cell in line.strip("|").split("|")]


def config_rows() -> dict[str, list[str]]:
    """Type, default and meaning in docs/config.md, by key path; those of the register begin with `sources[]`."""
    rows, section = {}, ""
    for line in CONFIG.read_text("utf-8").splitlines():
        if line.startswith("## "):
            section = line.removeprefix("## ").strip("`").replace("Sections", "")
        elif line.startswith("| `"):
            key, *rest = cells(line)
            rows[f"{section}.{key.strip('`')}".removeprefix(".")] = rest
    return rows


def test_every_key_has_its_row() -> None:
    """Keys stand in the order of the classes, with what is expected, a default and a meaning that is a sentence."""
    sources = {path: kind for path, kind in SOURCE_KEYS.items() if path.startswith("sources[].")}
    keys = {**KEYS, **sources, **keys_of(TakedownRequest)}
    expected = {path: words(kind) for path, kind in keys.items() if path and not path.endswith(("[]", ".*"))}
    rows = config_rows()
    assert {path: row[0] for path, row in rows.items()} == expected
    assert [path for path, (_, default, meaning) in rows.items() if not default or not meaning.endswith(".")] == []


@pytest.mark.parametrize(
    ("key", "kind", "default"),
    [
        ("crawl", words(KEYS["crawl"]), "required"),
        ("crawl.name", "text of letters, digits, `.`, `_` and `-`", "required"),
        ("crawl.files", "a list of at least one entry, each entry a path or glob", "required"),
        ("crawl.root", "a path, or null", "`null`"),
        ("crawl.columns.url", "non-empty text, or null", "`url`"),
        ("crawl.carry", "a list, each entry non-empty text", "`[]`"),
        ("crawl.main_content", "true or false", "`true`"),
        (
            "sources.blocklists[].format",
            "`auto`, `domains`, `hosts`, `dnsmasq`, `adblock`, `ut1`, `url_prefixes` or `regex`",
            "`auto`",
        ),
        (
            "sources.markers[].path",
            "a path, or `shipped:` and the name of a file that comes with cleartitle",
            "required",
        ),
        ("policy.categories", "a section of any keys, each with `keep`, `flag`, `quarantine` or `drop`", "`{}`"),
        ("policy.signals.pirated_marker", "`keep`, `flag`, `quarantine` or `drop`", "`flag`"),
        ("policy.agents", "a list, each entry the name of a crawler, such as `ccbot`", "`[ccbot]`"),
        ("sources[].host", words(SOURCE_KEYS["sources[].host"]), "`null`"),
        ("sources[].basis", "`licensed`, `open_licence`, `public_domain` or `crawl`", "required"),
        ("sources[].priority", "a whole number, at least -1000 and at most 1000", "`0`"),
        ("dedup.exact", "an empty section `{}`, or null", "`{}`"),
        ("dedup.near", words(KEYS["dedup.near"]), "`{}`"),
        ("dedup.near.preset", "`fineweb`, `redpajama-v2` or `slimpajama`, or null", "`null`"),
        ("dedup.near.threshold", "a number, above 0 and at most 1", "`0.7`"),
        ("dedup.near.ngram", "a whole number, at least 1 and at most 64", "`5`"),
        ("dedup.near.permutations", "a whole number, at least 1 and at most 1000, or null", "`null`"),
        ("dedup.near.bands", "a whole number, at least 1 and at most 1000", "`25`"),
        ("dedup.near.rows", "a whole number, at least 1 and at most 1000", "`5`"),
        (
            "dedup.survivor",
            (
                "`none` or `flag`, or a list, "
                "each entry `source_priority`, `longest`, `shortest`, `earliest`, `latest` or `url_shortest`"
            ),
            "`[source_priority, longest, earliest]`",
        ),
        ("dedup.against", "a list, each entry a path", "`[]`"),
        ("alarms.cluster_size", "a whole number, at least 1, or null", "`10000`"),
        ("alarms.removal_rate", "a number, at least 0 and at most 1, or null", "`0.9`"),
        ("dedup.taint", "`drop`, `flag` or `ignore`", "`flag`"),
        ("plan.part_size", "a size in bytes, such as 33554432 or `32 MiB` or `64MB`, at least 64 KiB", "`32 MiB`"),
        ("run.shuffle_memory", "a size in bytes, such as 33554432 or `32 MiB` or `64MB`, at least 1", "`1 GiB`"),
    ],
)
def test_key_is_described_in_plain_words(key: str, kind: str, default: str) -> None:
    """Type, limits and default of each sort of key read as a person would write them."""
    assert config_rows()[key][:2] == [kind, default]


def test_every_preset_has_its_curve() -> None:
    """The default and each preset: its numbers, the share of pairs found at each similarity, and the source."""
    _, part = CONFIG.read_text("utf-8").split("## What a preset finds\n")
    part, _ = part.split("\n# The sources register\n")
    head, _, *rows = [cells(line) for line in part.splitlines() if line.startswith("|")]
    assert head == [
        "preset",
        "ngram",
        "bands x rows",
        "threshold",
        *("0.5", "0.6", "0.7", "0.8", "0.9", "1.0"),
        "source",
    ]
    assert [row[:-1] for row in rows] == [
        ["default", "5", "25 x 5", "0.7", "0.548", "0.868", "0.990", "1.000", "1.000", "1.000"],
        ["fineweb", "5", "14 x 8", "0.719", "0.053", "0.211", "0.565", "0.924", "1.000", "1.000"],
        ["redpajama-v2", "13", "14 x 9", "0.7", "0.027", "0.132", "0.438", "0.867", "0.999", "1.000"],
        ["slimpajama", "13", "9 x 13", "0.8", "0.001", "0.012", "0.084", "0.399", "0.929", "1.000"],
    ]
    assert [row[-1] for row in rows if not row[-1].endswith(".")] == []


def test_shown_file_loads(tmp_path: Path) -> None:
    """The first YAML of the page is the shortest useful file, and it is right."""
    shown = CONFIG.read_text("utf-8").split("```yaml\n")[1].split("```")[0]
    assert shown == SHORTEST
    path = tmp_path / "demo.yaml"
    path.write_text(shown)
    assert load(str(path)).crawl.name == "demo"


def shown_below(title: str) -> str:
    """The first YAML below a title of the page."""
    return CONFIG.read_text("utf-8").split(title)[1].split("```yaml\n")[1].split("```")[0]


def test_shown_takedown_is_right() -> None:
    """The YAML at the end of the page is a request with selectors of nearly every kind."""
    shown = shown_below("# Takedowns\n")
    assert shown == TAKEDOWN
    request = TakedownRequest.model_validate(parse_yaml(shown))
    assert [kind for kind in SELECTORS if getattr(request.selectors, kind)] == ["urls", "domains", "isbns", "texts"]


def test_shown_register_is_right() -> None:
    """The YAML at the end of the page is a register, with a source of every kind."""
    shown = shown_below("# The sources register\n")
    assert shown == REGISTER
    sources = RegisterFile.model_validate(yaml.safe_load(shown)).sources
    assert [source.basis for source in sources] == ["licensed", "open_licence", "public_domain", "crawl"]


def test_text_and_sections_are_told_apart() -> None:
    """An annotation knows whether it wants text, and whether it is a section."""
    assert [key for key in ("crawl", "crawl.name", "crawl.root", "crawl.carry") if is_text(KEYS[key])] == [
        "crawl.name",
        "crawl.root",
    ]
    assert [key for key, kind in KEYS.items() if section_of(kind)] == [
        "",
        "crawl",
        "crawl.columns",
        "sources",
        "sources.blocklists[]",
        "sources.allowlists[]",
        "sources.markers[]",
        "sources.publishers[]",
        "policy",
        "policy.signals",
        "dedup",
        "dedup.url",
        "dedup.exact",
        "dedup.near",
        "alarms",
        "plan",
        "run",
    ]


@pytest.mark.parametrize(
    ("value", "line"),
    [
        (None, "null"),
        (False, "false"),
        (0.7, "0.7"),
        ("2024", "'2024'"),
        ("a\nb", '"a\\nb"'),
        ({"a": [1, "é"]}, "{a: [1, é]}"),
        (["a\x85b", "  "], "[\"a\\Nb\", '  ']"),
        ("a " * 30 + "b", "a " * 30 + "b"),
        ("x" * 80, "x" * 80),
        ("x" * 81, "x" * 77 + "..."),
    ],
)
def test_value_is_written_on_one_line(value: object, line: str) -> None:
    """As in YAML, so that it can be told what was text and what was not; cut where it is long."""
    assert in_yaml(value) == line


# The tables and vocabularies


def sections() -> dict[str, list[list[str]]]:
    """Rows of each table in docs/columns.md, by title."""
    _, *parts = COLUMNS.read_text("utf-8").split("\n## ")
    return {
        part.splitlines()[0].strip("`"): [cells(line) for line in part.splitlines() if line.startswith("| `")]
        for part in parts
    }


def test_every_table_has_its_columns() -> None:
    """A row a column: name, Arrow type, whether null may be, meaning."""
    found = sections()
    for table in TABLES:
        assert [row[0] for row in found[table.name]] == [f"`{column.name}`" for column in table.columns]
        assert [row[2] for row in found[table.name]] == ["yes" if column.nullable else "no" for column in table.columns]
    kinds = {row[0]: row[1] for row in found["ledger"]}
    assert [kinds[f"`{name}`"] for name in ("doc_id", "fetch_time", "marks", "similarity")] == [
        "`string`",
        "`timestamp[us, tz=UTC]`",
        "list of marks",
        "`double`",
    ]
    assert found["measured"][0][:3] == ["`doc_id`", "`fixed_size_binary[16]`", "no"]


def test_every_field_of_a_mark_has_its_row() -> None:
    """The meanings are those of the fields, no more and no fewer."""
    assert list(MARK_MEANINGS) == [field.name for field in MARK]
    assert [(row[0], row[3]) for row in sections()["Marks"]] == [(f"`{k}`", v) for k, v in MARK_MEANINGS.items()]


@pytest.mark.parametrize(
    ("title", "vocabulary"),
    [
        ("Reasons", RULES),
        ("Duplicate kinds", DUPLICATE_KINDS),
        ("Rejections", REJECTIONS),
        ("Not documents", NOT_DOCUMENTS),
    ],
)
def test_every_word_of_a_vocabulary_has_its_row(title: str, vocabulary: Mapping[str, str]) -> None:
    """Words in the order of their definition, with their meaning."""
    assert sections()[title] == [[f"`{word}`", meaning] for word, meaning in vocabulary.items()]


@given(st.lists(st.lists(st.text(), min_size=2, max_size=2)))
def test_markdown_row_is_one_line_with_its_cells(rows: list[list[str]]) -> None:
    """Whatever stands in a cell, a row stays a row: no line break, no bar that is not escaped."""
    lines = markdown_table(["a", "b"], rows).split("\n")
    assert lines[:2] == ["| a | b |", "| --- | --- |"]
    assert len(lines) == len(rows) + 2
    assert {line.replace("\\|", "").count("|") for line in lines} == {3}
