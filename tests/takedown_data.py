"""A small crawl in two parts with works to take out of it, its dataset, and requests."""

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.jobs import run, write_config, write_jsonl

Row = dict[str, Any]

BOOK = "978-0-13-468599-1"


def text(name: str, words: int = 80) -> str:
    return " ".join(f"{name}{number}" for number in range(words))


def edited(name: str, words: int = 6) -> str:
    """The text of that name with other words at its end: of 76 shingles of 5 words `words` fewer are shared."""
    return f"{text(name, 80 - words)} {text('other', words)}"


def document(record_id: str, content: str, host: str, page: str | None = None) -> Row:
    return {"id": record_id, "url": f"https://{host}/{page or record_id}", "text": content}


ROWS = [
    document("book", text("book") + " one word longer", "pirate.example"),
    document("book-2", text("book"), "mirror.example"),
    document("book-3", edited("book", 3), "cdn.pirate.example"),
    document("book-twin", text("book"), "blog.example"),
    document("www", text("www"), "www.pirate.example"),
    document("other-port", text("port"), "pirate.example:8080"),
    document("not-pirate", text("not"), "notpirate.example"),
    document("isbn", f"{text('isbn')} ISBN {BOOK}", "shop.example"),
    document("page", text("page"), "same.example", "page"),
    document("page-2", text("quite"), "same.example", "page"),
    document("quarantined", text("held") + " All rights reserved.", "held.example"),
    *(document(f"first-{number}", text(f"first{number}x", 150), "first.example") for number in range(50)),
]
LATER = [
    document("later", text("later") + " one word longer", "later.example"),
    document("later-2", text("later"), "later.example"),
    *(document(f"second-{number}", text(f"second{number}x", 150), "second.example") for number in range(50)),
]
"""Of the second part."""


def make_dataset(place: Path, **keys: Any) -> Path:
    """The dataset of `ROWS` and `LATER`, in two parts, with a quarantine in the first."""
    for name, rows in (("a", ROWS), ("b", LATER)):
        write_jsonl(place / f"{name}.jsonl", rows)
    config = {
        "crawl": {"name": "demo", "files": ["*.jsonl"]},
        "plan": {"part_size": "128 KiB"},
        "policy": {"signals": {"rights_reserved": "quarantine"}},
        **keys,
    }
    assert run("curate", write_config(place / "demo.yaml", config), "--output", place / "dataset", "--quiet") == 0
    return place / "dataset"


@cache
def shared_dataset() -> Path:
    """One such dataset for all tests, which only read it; its crawl files lie beside it."""
    place = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, place)
    return make_dataset(place)


def write_request(path: Path, selectors: dict[str, Any], **keys: Any) -> Path:
    """A request file, which is right if its selectors are."""
    said = {"requested_by": "Jane Doe", "requested_on": "2026-11-02", "reference": "R-7", "selectors": selectors}
    path.write_text(yaml.safe_dump({**said, **keys}), encoding="utf-8")
    return path


def inodes(dataset: Path) -> dict[str, int]:
    return {str(path.relative_to(dataset)): path.stat().st_ino for path in dataset.rglob("*") if path.is_file()}


def files(dataset: Path) -> dict[str, bytes]:
    return {str(path.relative_to(dataset)): path.read_bytes() for path in dataset.rglob("*") if path.is_file()}
