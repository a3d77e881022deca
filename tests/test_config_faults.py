"""What is said of a --set that cannot be put in place, and of a file that cannot be read."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from configs.load import load
from configs.model import Config
from configs.reference import SHORTEST
from schemas.errors import ConfigError
from tests.config_files import FILES, MEND, MINIMAL, NAME, NEAR_KEYS, QUOTES, ROWS, TOP_KEYS, complaint

SYNTAX = "expected key.path=value, such as dedup.near.threshold=0.8"
INDEX = "is no index of a list of 1; the first entry is 0"
INVALID = "this is not valid YAML: line"
TAG = "could not determine a constructor for the tag 'tag:yaml.org,2002:"
EMPTY = "the file says nothing; docs/config.md begins with a short config to start from"
SECTIONS = (
    "expected a section with `preset`, `crawl`, `sources`, `policy`, `dedup`, `takedowns`, `alarms`, `plan`, `run`, got"
)

Complain = Callable[..., str]


@pytest.fixture
def complain(tmp_path: Path) -> Complain:
    """What `load` says of a config."""
    return partial(complaint, tmp_path)


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("dedup.near.treshold=1", f"unknown key `dedup.near.treshold`; did you mean `threshold`? {NEAR_KEYS}"),
        (
            "dedup.near={permutations: 128, bands: 16, rows: 9}",
            f"`dedup.near`: `bands` 16 x `rows` 9 = 144, but `permutations` is 128; {MEND}",
        ),
        ("dedup.near.rows=0", f"{ROWS} 0"),
        ("dedup.near={rows: 0}", f"{ROWS} 0"),
        ("crawl.name=2024", f"{NAME} 2024; {QUOTES}"),
        ("foo.bar=1", f"unknown key `foo`; {TOP_KEYS}"),
        ("crawl.root.x=1", "`crawl.root`: expected a path, or null, got {x: 1}"),
        (
            "sources.allow.0=a",
            (
                "`sources.allow`: expected a list, each entry a domain such as `example.org` or `*.github.io`, "
                "without scheme or path, got {'0': a}"
            ),
        ),
    ],
)
def test_mistake_from_an_override_names_it(complain: Complain, override: str, sentence: str) -> None:
    """Whoever made the mistake on the command line is not sent to the file."""
    assert complain(MINIMAL, [override]) == f"demo.yaml: 1 mistake\n  {sentence} (with --set {override})"


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("crawl.files.1=/a", f"`1` {INDEX}"),
        ("crawl.files.x=/a", f"`x` {INDEX}"),
        ("crawl.files.-1=/a", f"`-1` {INDEX}"),
        ("crawl.name.x=1", "`x` cannot be set in demo, which is not a section"),
        ("taint", SYNTAX),
        ("=1", SYNTAX),
        ("dedup..near=1", SYNTAX),
        (
            "crawl={a: 1, a: 2}",
            "the value is not valid YAML: line 1, column 8: the key `a` stands twice in one section",
        ),
        (
            "crawl.files=*",
            (
                "the value is not valid YAML: line 1, column 2: while scanning an alias, "
                "expected alphabetic or numeric character, but found the end"
            ),
        ),
    ],
)
def test_override_that_cannot_be_put_in_place_is_a_mistake(complain: Complain, override: str, sentence: str) -> None:
    """It is quoted with what is wrong with it."""
    assert complain(MINIMAL, [override]) == f"demo.yaml: 1 mistake\n  --set {override}: {sentence}"


def test_mistakes_of_file_and_overrides_are_listed_together(complain: Complain) -> None:
    """Overrides that cannot be read come first; those that can are put in place; the last one on a key is named."""
    overrides = ["nonsense", "dedup.near.rows=0", "dedup.near.rows=-1"]
    assert complain("crawl: {name: a, files: []}", overrides).splitlines() == [
        "demo.yaml: 3 mistakes",
        f"  --set nonsense: {SYNTAX}",
        f"  {FILES} []",
        f"  {ROWS} -1 (with --set dedup.near.rows=-1)",
    ]


def test_override_can_mend_the_file(tmp_path: Path) -> None:
    """A mistake in the file that an override replaces is none."""
    path = tmp_path / "demo.yaml"
    path.write_text("crawl: {name: 2024, files: [a]}")
    assert load(str(path), ["crawl.name=demo"]).crawl.name == "demo"


# Files


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", EMPTY),
        (b"# only this\n---\n", EMPTY),
        (b"[1]", f"{SECTIONS} [1]"),
        (b"crawl", f"{SECTIONS} crawl"),
        (b"&a [*a]", f"{SECTIONS} &id001 [*id001]"),
        (b"crawl: \xff", "byte 7 is not UTF-8; save the file as UTF-8"),
        ("crawl: {}".encode("utf-16"), "byte 0 is not UTF-8; save the file as UTF-8"),
        (b"crawl:\n  name: a\n  name: b", f"{INVALID} 3, column 3: the key `name` stands twice in one section"),
        (b"a: 1\n  b: 2", f"{INVALID} 2, column 4: mapping values are not allowed here"),
        (
            b"crawl:\n\tname: a",
            (
                f"{INVALID} 2, column 1: while scanning for the next token, "
                "found character '\\t' that cannot start any token"
            ),
        ),
        (
            b"--- {}\n--- {}",
            f"{INVALID} 2, column 1: expected a single document in the stream, but found another document",
        ),
        (
            b"a: \x01",
            (
                "this is not valid YAML: unacceptable character #x0001: special characters are not allowed "
                'in "<unicode string>", position 3'
            ),
        ),
        (b"a: 0b_", f"{INVALID} 1, column 4: `0b_` is not a value of the type tag:yaml.org,2002:int"),
        (b"a: !!bool x", f"{INVALID} 1, column 4: `x` is not a value of the type tag:yaml.org,2002:bool"),
        (b"a: !!set {x}", f"{INVALID} 1, column 4: {TAG}set'"),
        (b"a: !!python/object/apply:os.getcwd []", f"{INVALID} 1, column 4: {TAG}python/object/apply:os.getcwd'"),
        (b"? [a]\n: b", f"{INVALID} 1, column 3: while constructing a mapping, found unhashable key"),
    ],
)
def test_file_that_is_no_config_is_answered_with_the_place(complain: Complain, content: bytes, sentence: str) -> None:
    """What cannot be read as a mapping is one mistake, with line and column where there is one."""
    assert complain(content) == f"demo.yaml: {sentence}"


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("absent.yaml", "there is no such file; check the path of the config"),
        (".", "this is a directory; name the config file in it"),
        ("file/demo.yaml", "cannot be read: Not a directory"),
    ],
)
def test_file_that_cannot_be_read_is_answered_with_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, sentence: str
) -> None:
    """The path is named as the user gave it; the command ends with exit code 2."""
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    with pytest.raises(ConfigError) as error:
        load(path)
    assert (str(error.value), error.value.exit_code) == (f"{path}: {sentence}", 2)


# Anything


def load_or_complain(path: Path, overrides: Sequence[str] = ()) -> Config | str:
    """The config, or what is said of it; any other exception is a fault."""
    try:
        return load(str(path), overrides)
    except ConfigError as error:
        return str(error)


@settings(deadline=None)
@given(
    text=st.text("abc01 :-?[]{},&*!|>'\"%@`#~<.=\n\t\\é", max_size=40), override=st.text("a.=[]{}:*&! ", max_size=12)
)
def test_no_text_makes_another_error(tmp_path_factory: pytest.TempPathFactory, text: str, override: str) -> None:
    """Whatever stands in the file or on the command line, the answer is a letter."""
    path = tmp_path_factory.getbasetemp() / "text.yaml"
    path.write_text(text, "utf-8")
    assert str(load_or_complain(path, [override])).startswith(f"{path}: ")


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text("ab \n'é", max_size=5)
keys = st.sampled_from(
    ["crawl", "name", "files", "columns", "dedup", "near", "rows", "sources", "blocklists", "a.b", 3, True]
)
data = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4))


@settings(deadline=None)
@given(changes=st.dictionaries(st.sampled_from(["crawl", "sources", "dedup", "plan", "x"]), data, min_size=1))
def test_no_data_makes_another_error(tmp_path_factory: pytest.TempPathFactory, changes: dict[str, Any]) -> None:
    """A config with anything in place of a section loads, or each of its mistakes has a line."""
    path = tmp_path_factory.getbasetemp() / "data.yaml"
    path.write_text(yaml.safe_dump({**yaml.safe_load(SHORTEST), **changes}, allow_unicode=True), "utf-8")
    answer = load_or_complain(path)
    if isinstance(answer, str):
        first, *lines = answer.splitlines()
        assert first == f"{path}: {len(lines)} mistake{'s' if len(lines) > 1 else ''}"
        assert all(line.startswith(("  `", "  unknown key `")) for line in lines)
