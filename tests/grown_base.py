"""A small real dataset to grow from: all decisions, duplicates of every kind, ISBNs, two parts, a rejected record."""

import json
import random
from pathlib import Path

from tests.jobs import run, write_config

WORDS = 60
COUNT = 140


def text_of(number: int, words: int = WORDS) -> str:
    draw = random.Random(number)
    return " ".join(f"{draw.choice('abcdefgh')}{draw.choice('aeiou')}word{draw.randrange(900)}" for _ in range(words))


def make_base(directory: Path) -> Path:
    """Write a crawl and curate it; the directory of the dataset."""
    rows = [
        {"id": f"d{number}", "url": f"https://www.host{number % 7}.co.uk/page/{number}", "text": text_of(number)}
        for number in range(COUNT)
    ]
    rows += [
        {"id": "near", "url": "https://near.example/1", "text": text_of(3, WORDS - 1)},
        {"id": "near-2", "url": "https://near.example/2", "text": text_of(3, WORDS - 2) + " else"},
        {"id": "exact", "url": "http://127.0.0.1/3", "text": text_of(4) + "\n"},
        {"id": "same url", "url": "https://www.host5.co.uk/page/5", "text": text_of(900)},
        {"id": "listed", "url": "https://pirate.example/6", "text": text_of(901)},
        {"id": "listed-2", "url": "https://pirate.example/7", "text": text_of(901)},
        {"id": "book", "url": "https://books.example/8", "text": text_of(902) + "\nISBN 978-0-13-468599-1"},
        {"id": "held", "url": "https://books.example/9", "text": text_of(903) + "\nISSN 0317-8471"},
        {"id": "empty", "url": None, "text": ""},
    ]
    lines = [*map(json.dumps, rows), "no json"]
    (directory / "crawl.jsonl").write_text("".join(f"{line}\n" for line in lines))
    (directory / "pirates.txt").write_text("pirate.example\n")
    config = {
        "crawl": {"name": "small", "files": ["crawl.jsonl"]},
        "sources": {"blocklists": [{"name": "pirates", "path": "pirates.txt", "category": "piracy"}]},
        "policy": {"signals": {"issn": "quarantine", "isbn": "flag"}},
        "plan": {"part_size": "64 KiB"},
    }
    path = write_config(directory / "config.yaml", config)
    assert run("curate", path, "--output", directory / "dataset", "--quiet") == 0
    return directory / "dataset"
