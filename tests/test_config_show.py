"""The way back from a config to YAML and JSON, and the examples of the classes."""

import doctest
import importlib
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from configs.load import load, show
from configs.model import Config, Crawl
from configs.values import BASE
from tests.config_data import config_data
from tests.config_files import MINIMAL, write_config

Write = Callable[[str], str]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a config file and returns its path."""
    return partial(write_config, tmp_path)


@settings(deadline=None)
@given(config_data.map(Config.model_validate))
def test_dumped_config_loads_back_equal(config: Config) -> None:
    """What goes into the manifest is the config again, in Python's types and in JSON's."""
    assert Config.model_validate(config.model_dump()) == config
    assert Config.model_validate(json.loads(json.dumps(config.model_dump(mode="json")))) == config


@settings(deadline=None)
@given(data=config_data)
def test_shown_config_loads_back_equal(tmp_path_factory: pytest.TempPathFactory, data: Any) -> None:
    """`show` writes YAML that loads to the same config, also about which columns were named."""
    directory = tmp_path_factory.getbasetemp()
    config = Config.model_validate(data, context={BASE: str(directory / "elsewhere")})
    path = directory / "shown.yaml"
    path.write_bytes(show(config).encode())
    again = load(str(path))
    assert again == config
    assert again.crawl.columns.model_fields_set == config.crawl.columns.model_fields_set
    assert show(again) == show(config)


def test_shown_config_keeps_every_line_break(write: Write) -> None:
    """Among line breaks is U+0085, which YAML reads as a newline unless it is escaped."""
    config = Config(crawl=Crawl(name="a", files=("/a\x85b", "/c\u2028d\r\ne", "/é")))
    assert load(write(show(config))) == config


def test_shown_config_names_every_section_and_default(write: Write, tmp_path: Path) -> None:
    """All keys are there in the order of the reference; columns that were not named stay out."""
    text = "dedup: {near: null}\npolicy: {categories: {news: flag}, open_licences: [CC0-1.0]}"
    assert show(load(write(MINIMAL + text))) == (
        "preset: null\n"
        "crawl:\n"
        "  name: demo\n"
        "  files:\n"
        f"  - {tmp_path}/crawl/*.warc.gz\n"
        "  root: null\n"
        "  format: auto\n"
        "  columns: {}\n"
        "  carry: []\n"
        "  main_content: true\n"
        "sources:\n"
        "  blocklists: []\n"
        "  allow: []\n"
        "  allowlists: []\n"
        "  markers: []\n"
        "  publishers: []\n"
        "  register: null\n"
        "policy:\n"
        "  categories:\n"
        "    news: flag\n"
        "  signals:\n"
        "    pirated_marker: flag\n"
        "    tdm_reservation: keep\n"
        "    noai: keep\n"
        "    noimageai: keep\n"
        "    noindex: keep\n"
        "    copyright_notice: keep\n"
        "    rights_reserved: keep\n"
        "    publisher_isbn: keep\n"
        "    isbn: keep\n"
        "    issn: keep\n"
        "    doi: keep\n"
        "    arxiv: keep\n"
        "    licence: keep\n"
        "    unlicensed: keep\n"
        "  agents:\n"
        "  - ccbot\n"
        "  open_licences:\n"
        "  - CC0-1.0\n"
        "dedup:\n"
        "  url: {}\n"
        "  exact: {}\n"
        "  near: null\n"
        "  survivor:\n"
        "  - source_priority\n"
        "  - longest\n"
        "  - earliest\n"
        "  taint: flag\n"
        "  against: []\n"
        "  overlap: old_stays\n"
        "  within: true\n"
        "takedowns: []\n"
        "alarms:\n"
        "  cluster_size: 10000\n"
        "  source_loss: 0.9\n"
        "  source_records: 1000\n"
        "  removal_rate: 0.9\n"
        "  fail_on: []\n"
        "plan:\n"
        "  part_size: 33554432\n"
        "run:\n"
        "  shuffle_memory: 1073741824\n"
        "  component_rounds: 50\n"
    )


@pytest.mark.parametrize(
    "module",
    [
        *("bands", "mistakes", "model", "near", "parse", "policy", "preset", "register", "shipped", "sources", "words"),
    ],
)
def test_docstring_example_runs(module: str) -> None:
    """The examples in the docstrings print what they say."""
    result = doctest.testmod(importlib.import_module(f"configs.{module}"))
    assert (result.failed, result.attempted > 0) == (0, True)
