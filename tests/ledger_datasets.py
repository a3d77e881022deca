"""Datasets that have a ledger and a manifest, and nothing else: what comparing them needs."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.tables import Row, ledger
from transforms.ledger_files import write_ledger
from transforms.part_store import file_facts, part_path
from transforms.publish.manifest import FORMAT_VERSION, write_sealed_manifest


def dataset(directory: Path, *parts: Sequence[Row], **said: Any) -> str:
    """A dataset of ledgers alone, a file for each of the parts; `said` goes to its manifest."""
    files = {}
    for number, rows in enumerate(parts):
        name = part_path("ledger", number, "parquet")
        write_ledger(str(directory / name), ledger(rows))
        files[name] = {**file_facts(str(directory / name)), "rows": len(rows)}
    manifest = {
        "format_version": FORMAT_VERSION,
        "build_id": "b" * 16,
        "version_id": "b" * 16,
        "crawl": "demo",
        "files": files,
        "plan": {"files": [{"name": "crawl.jsonl"}]},
        "config": {},
        "sources": [],
        "register": None,
        "versions": {},
        "takedowns": [],
    }
    write_sealed_manifest(str(directory), {**manifest, **said})
    return str(directory)
