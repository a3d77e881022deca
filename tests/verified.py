"""Datasets to verify: made by the command, and then damaged, or changed by someone who seals what he changed."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from lineage.verification import verify
from tests.jobs import run, write_config, write_jsonl
from transforms.publish.manifest import read_manifest, write_sealed_manifest

Row = dict[str, Any]
Manifest = dict[str, Any]
PARTS = 2


def text(name: str, words: int = 60) -> str:
    return " ".join(f"{name}{number}" for number in range(words))


def crawl_rows() -> list[Row]:
    """Documents of all fates: kept, quarantined, blocked, and repeated by URL, text and near text."""
    rows = [("url", f"a{n}.example", "page", text(f"u{n}x", 60 + 5 * n)) for n in range(2)]
    rows += [("same", "a0.example", "page", text("other"))]
    rows += [("text", f"b{n}.example", "t", text("text")) for n in range(3)]
    rows += [("near", f"c{n}.example", "n", f"{text('near')} tail{n}") for n in range(3)]
    rows += [("pirate", "pirate.example", "p", text("pirated")), ("copy", "d.example", "p", f"{text('pirated')} end")]
    rows += [
        ("notice", f"e{n}.example", "", f"© 2019 Harper {text(f'n{n}x')} ISBN 978-0-13-110362-7") for n in range(2)
    ]
    rows += [("empty", "f.example", "", " ")]
    rows += [("plain", f"g{n}.example", "", text(f"p{n}x", 400)) for n in range(30)]
    return [
        {"id": f"{kind}-{n}", "url": f"https://{host}/{page}", "text": content, "shelf": f"s{n % 3}"}
        for n, (kind, host, page, content) in enumerate(rows)
    ]


def config(place: Path, name: str, rows: Sequence[Row], **sections: Any) -> Path:
    """A crawl of some rows, in two files and so in two parts, and the config of its run."""
    for part in range(PARTS):
        path = write_jsonl(place / f"{name}-{part}.jsonl", list(rows[part::PARTS]))
        path.write_text(path.read_text() + "{broken\n")
    (place / "pirates.txt").write_text("pirate.example\n")
    blocklist = {"name": "pirates", "path": "pirates.txt", "category": "piracy"}
    said = {
        "crawl": {"name": name, "files": [f"{name}-*.jsonl"], "carry": ["shelf"]},
        "sources": {"blocklists": [blocklist]},
        "policy": {"signals": {"copyright_notice": "quarantine"}},
        "plan": {"part_size": "64 KiB"},
    }
    return write_config(place / f"{name}.yaml", said | sections)


def make_dataset(place: Path, name: str = "demo", rows: Sequence[Row] | None = None, **sections: Any) -> Path:
    """The dataset of a run over `crawl_rows`, or other rows."""
    path = config(place, name, crawl_rows() if rows is None else rows, **sections)
    assert run("curate", path, "--output", place / f"{name}-dataset", "--quiet") == 0
    return place / f"{name}-dataset"


@cache
def shared_dataset(session: Path) -> Path:
    """The dataset of `crawl_rows`, made once for all tests: whoever changes it brings it back to what it was."""
    (session / "verified").mkdir()
    return make_dataset(session / "verified")


def faults(dataset: Path, **arguments: Any) -> list[Row]:
    return list(verify(str(dataset), **arguments).to_pylist())


def sentences(dataset: Path, **arguments: Any) -> list[tuple[str, str | None, int | None, str]]:
    """Check, file, row and fault of all faults."""
    return [(one["check"], one["file"], one["row"], one["fault"]) for one in faults(dataset, **arguments)]


@contextmanager
def changed(dataset: Path, name: str, content: bytes | None) -> Iterator[None]:
    """The dataset with other bytes in a file, or without the file; afterwards it is what it was."""
    path = dataset / name
    before = path.read_bytes() if path.exists() else None
    path.unlink(missing_ok=True)
    try:
        if content is not None:
            path.write_bytes(content)
        yield
    finally:
        path.unlink(missing_ok=True)
        if before is not None:
            path.write_bytes(before)


@contextmanager
def resealed(dataset: Path, change: Callable[[Manifest], object]) -> Iterator[None]:
    """The dataset with another manifest, whose seal is right."""
    manifest = read_manifest(str(dataset))
    with changed(dataset, "manifest.json", b""):
        change(manifest)
        write_sealed_manifest(str(dataset), manifest)
        yield


@contextmanager
def forged(dataset: Path, name: str, content: bytes, rows: int | None = None) -> Iterator[None]:
    """The dataset with other bytes in a file, for which the manifest vouches."""

    def vouch(manifest: Manifest) -> None:
        facts = manifest["files"][name]
        manifest["bytes"]["written"] += len(content) - facts["bytes"]
        facts |= {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        if rows is not None:
            facts["rows"] = rows

    with changed(dataset, name, content), resealed(dataset, vouch):
        yield


@contextmanager
def rewritten(dataset: Path, name: str, change: Callable[[pa.Table], pa.Table]) -> Iterator[None]:
    """The dataset with another table in a file, for which the manifest vouches."""
    table = change(pq.read_table(dataset / name))
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    with forged(dataset, name, sink.getvalue().to_pybytes(), len(table)):
        yield


def with_values(column: str, values: dict[int, Any]) -> Callable[[pa.Table], pa.Table]:
    """A change that puts values into rows of a column."""

    def change(table: pa.Table) -> pa.Table:
        at = table.schema.get_field_index(column)
        held = table[column].to_pylist()
        for row, value in values.items():
            held[row] = value
        return table.set_column(at, table.schema.field(at), pa.array(held, table.schema.field(at).type))

    return change


def ledger_rows(dataset: Path, part: int) -> list[Row]:
    return list(pq.read_table(dataset / f"ledger/part-{part:05d}.parquet").to_pylist())


def place_of(dataset: Path, record_id: str) -> tuple[int, int]:
    """Part and row of a record in the ledger."""
    places = ((part, row) for part in range(PARTS) for row in range(len(ledger_rows(dataset, part))))
    return next((part, row) for part, row in places if ledger_rows(dataset, part)[row]["record_id"] == record_id)


TAKEDOWN = {
    "id": "0123456789abcdef",
    "sha256": "0123456789abcdef" * 4,
    "certificate": None,
    "records": 0,
    "witnesses": "stay_out",
}
