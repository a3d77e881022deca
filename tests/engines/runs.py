"""Comparing all that two runs left, and a crawl that leads `curate` through every step that it has."""

from pathlib import Path
from typing import Any

import pytest

import beam_jobs.decide
from beam_jobs.connect import connect_components
from benchmarks.runners import contents, lasting
from tests.crawl_of_all_formats import similar, words, write_crawl
from tests.jobs import manifest, run, write_config, write_jsonl
from tests.takedown_data import write_request
from tests.test_near_duplicates import chained

MEMORY = "350 KiB"
"""`run.shuffle_memory`, of which a pass may send a seventh."""
CHUNK_BYTES = 8 << 10
EVERYTHING = ("documents", "quarantine", "ledger", "rejected", "fingerprints", "index_keys", "index_urls", "replaced")


def curate(config: Path, output: Path, *options: object, beam: list[str]) -> Path:
    """Make the dataset on the engine that the Beam options name; gives its directory."""
    assert run("curate", config, "--output", output, "--quiet", *options, "--", *beam) == 0
    return output


def assert_same(dataset: Path, expected: Path) -> None:
    """Check that two datasets are equal: every file byte for byte, and the manifest but for its times.

    What lies there must be what the manifest lists, with its size and its digest: nothing more, nothing less.
    """
    found = contents(dataset)
    listed = manifest(dataset)["files"]
    assert found == {path: facts["sha256"] for path, facts in listed.items()}
    assert {path: (dataset / path).stat().st_size for path in found} == {p: f["bytes"] for p, f in listed.items()}
    assert found == contents(expected)
    assert lasting(dataset) == lasting(expected)


def write_everything(place: Path) -> Path:
    """A crawl of all formats with chains of near duplicates, in many parts; its config, which asks for all there is.

    Lists, markers, publishers, a register, a policy that quarantines, an earlier dataset whose documents are replaced,
    a takedown, and so little memory that keys, components and judging take several passes.
    """
    write_crawl(place / "crawl")
    write_jsonl(place / "crawl" / "chains.jsonl", [row for seed in range(6) for row in chained(seed, 120)])
    _write_earlier(place)
    (place / "pirates.txt").write_text("a.example\n")
    (place / "phrases.txt").write_text("c03 c04 c05\n")
    write_config(place / "register.yaml", {"sources": [{"host": "x.example", "basis": "licensed", "contract": "K1"}]})
    write_request(place / "request.yaml", {"domains": ["d.example"]})
    blocked = {"name": "pirates", "path": "pirates.txt", "format": "domains", "category": "piracy"}
    sources = {
        "blocklists": [blocked],
        "allow": ["ok.a.example"],
        "markers": [{"name": "phrases", "path": "phrases.txt", "category": "stamp"}],
        "publishers": [{"name": "textbooks", "path": "shipped:publishers/textbooks.txt"}],
        "register": "register.yaml",
    }
    config = {
        "crawl": {"name": "everything", "root": "crawl", "files": ["crawl/*"]},
        "plan": {"part_size": "64 KiB"},
        "sources": sources,
        "policy": {"categories": {"stamp": "quarantine"}},
        "dedup": {"against": ["earlier"], "overlap": "new_replaces"},
        "takedowns": ["request.yaml"],
        "run": {"shuffle_memory": MEMORY},
    }
    return write_config(place / "everything.yaml", config)


def in_rounds(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let workers hold so little that components are connected in rounds; gives the list of what is told of them."""
    told: list[str] = []
    real: Any = connect_components

    def connect(*given: Any) -> None:
        real(*given[:-1], told.append, CHUNK_BYTES)

    monkeypatch.setattr(beam_jobs.decide, "connect_components", connect)
    return told


def _write_earlier(place: Path) -> None:
    """A dataset of an earlier crawl, made here, that shares texts with the crawl, and chains that go on in it."""
    rows = [
        {"id": f"e{number}", "text": text} for number, text in enumerate([words("f0é"), similar("c0"), words("e9")])
    ]
    write_jsonl(place / "earlier.jsonl", [*rows, *chained(0, 60)])
    config = write_config(place / "earlier.yaml", {"crawl": {"name": "earlier", "files": ["earlier.jsonl"]}})
    assert run("curate", config, "--output", place / "earlier", "--quiet") == 0
