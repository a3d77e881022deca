"""Check takedowns: each has its certificate, which is whole, and what that says is out is out by it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from lineage.verification.files import LEDGER, Files
from lineage.verification.findings import Findings
from schemas.errors import ConfigError
from transforms.part_store import MANIFEST, part_path, read_json
from transforms.takedowns.read_takedown import read_takedown


def check_takedowns(files: Files, findings: Findings) -> None:
    """Read the certificates that the manifest names; a takedown of the config of its crawl has none.

    That nothing is kept that was taken out follows from the marks, as `check_decisions` looks at them.
    """
    if len(files.takedowns) < len(files.manifest["takedowns"]):
        findings.fault("takedowns", "`takedowns` lists one of them twice", MANIFEST)
    certified = [one for one in files.takedowns.values() if one.get("certificate") is not None]
    for said in certified:
        name = said["certificate"]
        if name not in files.manifest["files"]:
            findings.fault("takedowns", f"`files` does not list {name}, the certificate of {said['id']}", MANIFEST)
        elif name in files.whole:
            for fault in _faults(files, said):
                findings.fault("takedowns", fault, name)
    rows = sum(one["records"] for one in files.takedowns.values())
    findings.say("takedowns", f"{len(files.takedowns):,}; certificates: {len(certified):,}; rows: {rows:,}")
    if lack := files.lack("takedowns", LEDGER) if certified else None:
        findings.say("takedowns", f"certificates not compared with all they name: {lack}")


def _faults(files: Files, said: Mapping[str, Any]) -> Iterator[str]:
    path = files.path(said["certificate"])
    try:
        takedown = read_takedown(path)
    except ConfigError as error:
        yield str(error)
        return
    for name in ("id", "sha256"):
        if (found := getattr(takedown, name)) != said[name]:
            yield f"its `{name}` is {found}, the manifest says {said[name]}"
    records = read_json(path)["records"]
    if len(records) != said["records"]:
        yield f"it names {len(records):,} documents, and {said['records']:,} rows of the ledger are out by it"
    yield from _not_out(files, takedown.id, records)


def _not_out(files: Files, takedown_id: str, records: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Which of the documents that a certificate names are not out by it."""
    for part in sorted({record["part"] for record in records}):
        if files.is_listed(LEDGER, part) and not files.is_whole(LEDGER, part):
            continue
        out = pa.array([], pa.string())
        if files.is_whole(LEDGER, part):
            with files.open(part_path(LEDGER, part, "parquet")) as file:
                ledger = file.read(columns=["doc_id", "takedown_id"], use_threads=False)
            out = ledger.filter(pc.equal(ledger["takedown_id"], takedown_id))["doc_id"].combine_chunks()
        ids = pa.array([record["doc_id"] for record in records if record["part"] == part], pa.string())
        for doc_id in ids.filter(pc.invert(pc.is_in(ids, out))).to_pylist():
            yield f"it names {doc_id}, which is not out by it in part {part}"
