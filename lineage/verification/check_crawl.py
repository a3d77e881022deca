"""Check against the crawl: a sample of ledger rows, read again from the crawl files where these are at hand."""

from collections import Counter
from importlib.metadata import PackageNotFoundError, version
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lineage.catalog import PLACES, Dataset
from lineage.texts.read_texts import read_texts
from lineage.verification.compare_rows import compare_rows
from lineage.verification.files import LEDGER, PRINTS, Files
from lineage.verification.findings import Findings, RowFaults, differ, faults_where, flags
from schemas.columns import LINEAGE, RECORD_ID, RIGHTS, TEXT_FACTS
from transforms.batches import hex_digests, strings
from transforms.kernels.xxh3 import hash64
from transforms.measure.fingerprint import RULES_VERSION
from transforms.part_store import part_path
from transforms.publish.part_files import TEXTS

READ_ROWS: Final = 1024
"""Rows whose texts are held at a time."""
_SAME: Final = [RECORD_ID.name, *(column.name for table in (LINEAGE, TEXT_FACTS, RIGHTS) for column in table)]
"""Columns of the ledger that the record alone decides."""
_ABSENT: Final = "holds no record with its `doc_id`"
"""How `read_again` ends what it says of a row whose file is as it was when it was measured."""


def check_crawl(files: Files, rows: int, crawl_root: str | None, findings: Findings) -> None:
    """Read `rows` ledger rows again, kept or not, those with the smallest hashes of their `doc_id`."""
    if lack := files.lack(LEDGER, PRINTS, *(table.name for table in TEXTS.values())):
        findings.say("crawl", f"not checked: {lack}")
        return
    dataset, places, unread = Dataset(files.directory), sample(files, rows), Counter[str]()
    for start in range(0, len(places), READ_ROWS):
        _compare(dataset, places.slice(start, READ_ROWS), crawl_root, unread, findings)
    compared = len(places) - unread.total()
    findings.say("crawl", f"{compared:,} of {len(places):,} rows read again from the crawl files and compared")
    if unread:
        findings.say("crawl", f"{unread.total():,} rows not compared; of one of them {min(unread)}")
    if other := sorted(name for name, then in files.manifest["versions"].items() if _installed(name) != then):
        findings.say(
            "crawl", f"not of the versions by which the dataset was made, so that they may differ: {', '.join(other)}"
        )


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def sample(files: Files, rows: int) -> pa.Table:
    """Places (`PLACES`) of that many ledger rows, spread over all parts, by part and row."""
    hashes, parts, places = (np.empty(0, kind) for kind in (np.uint64, np.int32, np.int32))
    for part in files.parts(LEDGER):
        with files.open(part_path(LEDGER, part, "parquet")) as file:
            doc_ids = file.read(columns=["doc_id"], use_threads=False)["doc_id"].combine_chunks()
        hashes = np.concatenate([hashes, hash64(*strings(doc_ids))])
        parts = np.concatenate([parts, np.full(len(doc_ids), part, np.int32)])
        places = np.concatenate([places, np.arange(len(doc_ids), dtype=np.int32)])
        first = np.lexsort([places, parts, hashes])[:rows]
        hashes, parts, places = hashes[first], parts[first], places[first]
    order = np.lexsort([places, parts])
    return pa.table([np.zeros(len(order), np.int32), parts[order], places[order]], schema=PLACES)


def _compare(
    dataset: Dataset, places: pa.Table, crawl_root: str | None, unread: Counter[str], findings: Findings
) -> None:
    """Compare some rows; of those that cannot be read again `unread` counts why."""
    # The readers of all formats take a second to import.
    from lineage.texts.read_again import read_again

    planned = pa.array([file["name"] for file in dataset.manifest["plan"]["files"]], pa.string())
    ledger = dataset.ledger(places).combine_chunks()
    strange = ~flags(pc.is_in(ledger["source_file"], planned).combine_chunks())
    wrong = faults_where(strange, "the crawl has no file ", ledger["source_file"].combine_chunks())
    _report(LEDGER, wrong, places, ledger, findings)
    places, ledger = (table.filter(pa.array(~strange)) for table in (places, ledger))
    again = read_again(dataset, places, crawl_root)
    fault = again["fault"].combine_chunks()
    absent = flags(pc.ends_with(fault, _ABSENT))
    _report(LEDGER, faults_where(absent, fault), places, ledger, findings)
    unread.update(fault.filter(pa.array(~absent)).drop_null().to_pylist())
    read = fault.is_null()
    _compare_read(dataset, places.filter(read), ledger.filter(read), again.filter(read), findings)


def _compare_read(dataset: Dataset, places: pa.Table, ledger: pa.Table, again: pa.Table, findings: Findings) -> None:
    made = {name: again[name].combine_chunks() for name in again.column_names}
    said = pa.record_batch({**made, "text_digest": hex_digests(made["text_digest"])})
    for wrong in compare_rows(_batch(ledger), said, _SAME, "the crawl"):
        _report(LEDGER, wrong, places, ledger, findings)
    if dataset.manifest["fingerprint"]["rules"] == RULES_VERSION:
        prints = _batch(dataset.take(PRINTS, places))
        for name in prints.schema.names[1:]:
            wrong = faults_where(differ(prints[name], made[name]), f"`{name}` is not that of the crawl")
            _report(PRINTS, wrong, places, ledger, findings)
    held = read_texts(dataset, places, crawl=False)["text"].combine_chunks()
    wrong = faults_where(flags(pc.not_equal(held, made["text"])), "its text is not that of the crawl")
    _report(LEDGER, wrong, places, ledger, findings)


def _batch(table: pa.Table) -> pa.RecordBatch:
    return pa.record_batch({name: table[name].combine_chunks() for name in table.column_names})


def _report(folder: str, wrong: RowFaults, places: pa.Table, ledger: pa.Table, findings: Findings) -> None:
    """Faults of ledger rows, or of rows beside them, which may be of several parts."""
    part, row = (places[name].to_numpy() for name in ("part", "row"))
    for number in np.unique(part[wrong.rows]).tolist():
        mine = part[wrong.rows] == number
        one = RowFaults(wrong.rows[mine], wrong.faults.filter(pa.array(mine)))
        findings.rows("crawl", part_path(folder, number, "parquet"), row, ledger["doc_id"].combine_chunks(), one)
