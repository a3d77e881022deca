"""Config files for tests: written, and read with what is said of them; phrases that return in it."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from configs.load import load
from schemas.errors import ConfigError

MINIMAL = "crawl: {name: demo, files: [crawl/*.warc.gz]}\n"
"""The shortest config."""

# Each stands in full in one golden text or here.
NAME = "`crawl.name`: expected text of letters, digits, `.`, `_` and `-`, got"
FILES = "`crawl.files`: expected a list of at least one entry, each entry a path or glob, got"
ROWS = "`dedup.near.rows`: expected a whole number, at least 1 and at most 1000, got"
QUOTES = "put it in quotes to make it text"
TOP_KEYS = "known here: preset, crawl, sources, policy, dedup, takedowns, alarms, plan, run"
LIST_PATH = "a path, or `shipped:` and the name of a file that comes with cleartitle"
NEAR = ("preset", "threshold", "ngram", "permutations", "bands", "rows", "verify", "most_estimates", "most_comparisons")
NEAR_KEYS = f"known here: {', '.join(NEAR)}"
MEND = "make them equal, or leave out `permutations`, or leave out `bands` and `rows` to have them chosen"


def write_config(directory: Path, text: str | bytes) -> str:
    """Writes `demo.yaml` and returns its path."""
    path = directory / "demo.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return str(path)


def complaint(directory: Path, text: str | bytes, overrides: Sequence[str] = ()) -> str:
    """What `load` says of a config that is wrong, which calls it `demo.yaml`."""
    path = write_config(directory, text)
    with pytest.raises(ConfigError) as error:
        load(path, overrides)
    return str(error.value).replace(path, "demo.yaml")
