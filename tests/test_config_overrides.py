"""What `--set` means: a value in place of the file's."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from configs.load import load
from configs.model import Exact
from configs.near import Near
from configs.reference import SHORTEST
from tests.config_files import MINIMAL, write_config

Write = Callable[[str], str]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a config file and returns its path."""
    return partial(write_config, tmp_path)


@pytest.mark.parametrize(
    ("override", "key", "value"),
    [
        ("dedup.near.threshold=0.8", "dedup.near.threshold", 0.8),
        ("dedup.near.threshold=1", "dedup.near.threshold", 1.0),
        ("dedup.near=null", "dedup.near", None),
        ("dedup.near=", "dedup.near", None),
        ("dedup.near={rows: 7}", "dedup.near", Near(rows=7)),
        ("dedup.exact={}", "dedup.exact", Exact()),
        ("dedup.near={preset: fineweb}", "dedup.near", Near(preset="fineweb")),
        ("dedup.survivor=[longest]", "dedup.survivor", ("longest",)),
        ("dedup.survivor=none", "dedup.survivor", "none"),
        ("dedup.against=[/a, /b]", "dedup.against", ("/a", "/b")),
        ("alarms.removal_rate=null", "alarms.removal_rate", None),
        ("run.component_rounds=3", "run.component_rounds", 3),
        ("crawl.files=[/a, /b]", "crawl.files", ("/a", "/b")),
        ("crawl.files.0=/c", "crawl.files", ("/c",)),
        ("crawl.name='2024'", "crawl.name", "2024"),
        ("crawl.columns.text=a=b", "crawl.columns.text", "a=b"),
        ("plan.part_size=64MB", "plan.part_size", 64_000_000),
        ("sources.allow=[example.org]", "sources.allow", ("example.org",)),
        ("sources.register=/r.yaml", "sources.register", "/r.yaml"),
        ("policy.signals.noai=drop", "policy.signals.noai", "drop"),
        ("policy.categories.phishing=flag", "policy.categories", {"phishing": "flag"}),
        ("policy.agents=[GPTBot]", "policy.agents", ("gptbot",)),
    ],
)
def test_override_beats_the_file(write: Write, override: str, key: str, value: object) -> None:
    """The value is YAML; it replaces what the file says there, and makes the sections on the way."""
    found: Any = load(write(MINIMAL), [override])
    for step in key.split("."):
        found = getattr(found, step)
    assert found == value


def test_override_reaches_into_a_list(write: Write, tmp_path: Path) -> None:
    """An index names an entry; its path starts from the config file as any other, and the rest stays."""
    (blocklist,) = load(write(SHORTEST), ["sources.blocklists.0.path=x/mine.txt"]).sources.blocklists
    assert (blocklist.name, blocklist.path) == ("shadow-libraries", f"{tmp_path}/x/mine.txt")


def test_override_turns_on_what_the_file_turned_off(write: Write) -> None:
    """A key of a section that is null turns the section on."""
    path = write(MINIMAL + "dedup: {near: null}")
    assert load(path, ["dedup.near.rows=9"]).dedup.near == Near(rows=9)


def test_later_override_beats_an_earlier_one(write: Write) -> None:
    """Overrides are put in place in their order."""
    path = write(MINIMAL)
    assert load(path, ["crawl.name=a", "crawl.name=b"]).crawl.name == "b"
    assert load(path, ["dedup.near.rows=3", "dedup.near={}"]).dedup.near == Near()


def test_override_leaves_the_other_user_of_an_anchor_alone(write: Write) -> None:
    """Two lists written once by an anchor are two all the same."""
    text = "crawl: {name: a, files: &list [/x], carry: *list}"
    crawl = load(write(text), ["crawl.files.0=/y"]).crawl
    assert (crawl.files, crawl.carry) == (("/y",), ("/x",))
