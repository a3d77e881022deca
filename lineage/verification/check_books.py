"""Check the books: every count of the manifest again from the files, and the tables with texts beside their ledger."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from lineage.verification.compare_rows import compare_rows
from lineage.verification.files import Files
from lineage.verification.findings import Findings, differ, faults_where
from lineage.verification.stretches import Stretch
from schemas import reasons
from schemas.columns import REJECTED, REPLACED
from transforms.decide.marks import count_marks, count_values
from transforms.part_store import MANIFEST, part_path
from transforms.publish.part_files import TEXTS

Books = Counter[str]
"""Counts by their place in the manifest, with dots between its steps."""


def count_ledger(ledger: pa.RecordBatch, marks: pa.Table) -> Books:
    """What some ledger rows add to the books; `marks` are theirs."""
    books: Books = Counter()
    for decision, name in reasons.DECIDED.items():
        rows = ledger.filter(pc.equal(ledger["decision"], decision))
        books[f"counts.{name}"] = len(rows)
        if decision == reasons.KEEP:
            books["bytes.kept_text"] = pc.sum(rows["text_bytes"]).as_py() or 0
        else:
            _enter(books, f"counts.{name}_by", count_values(rows["reason"]))
    counted = count_marks(marks)
    _enter(books, "marks", counted["marks"])
    _enter(books, "flags", counted["flags"])
    _enter(books, "sources", counted["lists"])
    _enter(books, "rights_basis", count_values(ledger["rights_basis"]))
    _enter(books, "takedowns", count_values(ledger["takedown_id"].drop_null()))
    books["counts.records"] = len(ledger)
    books["bytes.text"] = pc.sum(ledger["text_bytes"]).as_py() or 0
    books["urls_without_host"] = ledger["url_host_name"].null_count - ledger["url"].null_count
    return books


def count_others(files: Files, part: int, findings: Findings) -> Books:
    """What the rejected and the replaced rows of a part add to the books; their build is checked on the way."""
    books: Books = Counter()
    for folder in (REJECTED.name, REPLACED.name):
        if not files.is_whole(folder, part):
            continue
        name = part_path(folder, part, "parquet")
        with files.open(name) as file:
            table = file.read(columns=["build_id", *(["reason"] if folder == REJECTED.name else [])])
        build = table["build_id"].combine_chunks()
        if other := sorted(set(build.unique().to_pylist()) - {files.manifest["build_id"]}):
            findings.fault("books", f"it has rows of the build {other[0]}, which is not that of the manifest", name)
        if folder == REPLACED.name:
            books["duplicates.replaced"] = len(table)
        else:
            books["counts.records"] = books["counts.rejected"] = len(table)
            _enter(books, "rejected_by", count_values(table["reason"]))
    return books


def _enter(books: Books, place: str, counts: Mapping[str, int]) -> None:
    books.update({f"{place}.{name}": count for name, count in counts.items()})


def check_books(books: Books, files: Files, findings: Findings) -> None:
    """Compare the counts of all parts with the manifest."""
    said = _said(files.manifest)
    # A mark may name what is no list of the manifest: a takedown.
    books = Counter({name: n for name, n in books.items() if name in said or not name.startswith("sources.")})
    books["bytes.written"] = sum(file["bytes"] for file in files.manifest["files"].values())
    for name in sorted(name for name in {*said, *books} if said[name] != books[name]):
        findings.fault("books", f"`{name}` is {said[name]:,}, the files give {books[name]:,}", MANIFEST)
    findings.say("books", f"{len(said):,} counts of {said['counts.records']:,} records compared with the files")


def _said(manifest: Mapping[str, Any]) -> Books:
    books: Books = Counter()
    for name in ("marks", "flags", "rejected_by", "rights_basis"):
        _enter(books, name, manifest[name])
    counts = manifest["counts"]
    _enter(books, "counts", {name: value for name, value in counts.items() if not isinstance(value, dict)})
    for name in ("dropped_by", "quarantined_by"):
        _enter(books, f"counts.{name}", counts[name])
    _enter(books, "bytes", {name: manifest["bytes"].get(name, 0) for name in ("text", "kept_text", "written")})
    _enter(books, "sources", {one["name"]: one["matches"] for one in manifest["sources"]})
    _enter(books, "takedowns", {one["id"]: one["records"] for one in manifest["takedowns"]})
    books["duplicates.replaced"] = manifest["duplicates"].get("replaced", 0)
    books["urls_without_host"] = manifest["urls_without_host"]
    return books


def check_texts(stretch: Stretch, decision: str, files: Files, findings: Findings) -> bool:
    """Whether the rows with texts stand as their ledger rows stand; what differs is a fault.

    False where they are of other documents, so that what follows in the file cannot be compared either.
    """
    said = stretch.of(decision)
    if decision not in stretch.texts:
        return _check_absent(stretch, decision, len(said), files, findings)
    texts = stretch.texts[decision]
    found = texts.rows
    apart = differ(found["doc_id"], said["doc_id"].slice(0, len(found)))
    if apart.any():
        apart[apart.argmax() + 1 :] = False  # those that follow are shifted too
        here = said["doc_id"].slice(0, len(found))
        wrong = faults_where(apart, "it is of this document, where the ledger has ", here)
        findings.rows("books", texts.name, texts.start, found["doc_id"], wrong)
        return False
    if len(found) < len(said):
        findings.fault("books", f"it ends before {said['doc_id'][len(found)]}, which the ledger has", texts.name)
        return False
    columns = [name for name in found.schema.names if name in said.schema.names]
    for wrong in compare_rows(found, said, columns, "the ledger"):
        findings.rows("books", texts.name, texts.start, found["doc_id"], wrong)
    if stretch.is_last and texts.left:
        findings.fault("books", f"it has {texts.left:,} rows more than the ledger", texts.name)
    return True


def _check_absent(stretch: Stretch, decision: str, rows: int, files: Files, findings: Findings) -> bool:
    """A file that is damaged was named before; one that is not listed has no rows."""
    folder = TEXTS[decision].name
    if rows and not files.is_listed(folder, stretch.part):
        fault = f"{rows:,} rows or more are decided `{decision}`, and no file of {folder}/ holds this part"
        findings.fault("books", fault, stretch.name)
        return False
    return True
