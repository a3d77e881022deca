"""Check fingerprints: beside their ledger rows, and made anew from the texts that the dataset holds."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lineage.verification.compare_rows import compare_rows
from lineage.verification.files import LEDGER, PRINTS, Files
from lineage.verification.findings import Findings, RowFaults, differ, faults_where
from lineage.verification.stretches import Stretch
from transforms.batches import hex_digests
from transforms.measure.fingerprint import RULES_VERSION, fingerprint
from transforms.part_store import part_path
from transforms.publish.part_files import TEXTS

SIGNED_SHARE = 16
"""Every so manieth text is signed anew: finding its words costs more than all else together."""
BATCH_ROWS = 1024


def check_rows(files: Files, findings: Findings) -> set[str]:
    """Names of the files that have other rows than their ledger, and so do not lie beside it; each is a fault."""
    odd = set()
    for part in files.parts(PRINTS):
        if files.is_whole(PRINTS, part) and files.is_whole(LEDGER, part):
            name, rows, said = part_path(PRINTS, part, "parquet"), files.rows(PRINTS, part), files.rows(LEDGER, part)
            if rows != said:
                odd.add(name)
                findings.fault("fingerprints", f"it has {rows:,} rows, and the ledger of its part {said:,}", name)
    return odd


def check_beside(stretch: Stretch) -> Iterator[RowFaults]:
    """Where the fingerprints are not those of the ledger rows beside them."""
    if stretch.prints is None:
        return
    for name in ("doc_id", "text_digest"):
        found, said = hex_digests(stretch.prints[name]), stretch.ledger[name]
        yield faults_where(differ(found, said), f"`{name}` is `", found, "`, the ledger says `", said, "`")


def can_sign(files: Files, part: int) -> bool:
    """Whether signatures of a part can be made as they were made, and compared."""
    known = files.near is not None and files.manifest["fingerprint"]["rules"] == RULES_VERSION
    return known and files.is_whole(LEDGER, part) and files.is_whole(PRINTS, part)


def check_made_anew(files: Files, part: int, decision: str, findings: Findings) -> int:
    """Digest and length of all texts of a file, and some signatures; returns how many texts there were.

    Raises `DAMAGE`.
    """
    name = part_path(TEXTS[decision].name, part, "parquet")
    prints = _signed_prints(files, part, decision) if can_sign(files, part) else None
    done = 0
    with files.open(name) as file:
        for group in range(file.num_row_groups):
            table = file.read_row_group(group, ["doc_id", "text_bytes", "text_digest", "text"], use_threads=False)
            for batch in table.combine_chunks().to_batches(BATCH_ROWS):
                for wrong in _check_texts(batch):
                    findings.rows("fingerprints", name, done, batch["doc_id"], wrong)
                if prints is not None:
                    signed = batch.take(pa.array(np.arange(-done % SIGNED_SHARE, len(batch), SIGNED_SHARE)))
                    beside = prints.slice(-(-done // SIGNED_SHARE), len(signed))
                    _check_signatures(signed, beside, files, part, findings)
                done += len(batch)
    return done


def _check_texts(batch: pa.RecordBatch) -> Iterator[RowFaults]:
    made = fingerprint(batch["text"], None)
    expected = {"text_bytes": made["text_bytes"], "text_digest": hex_digests(made["text_digest"])}
    yield from compare_rows(batch, pa.record_batch(expected), list(expected), "the text")


def _signed_prints(files: Files, part: int, decision: str) -> pa.Table:
    """Fingerprints of every so manieth document of a decision, and `row`, that of each in its file."""
    with files.open(part_path(LEDGER, part, "parquet")) as file:
        decisions = file.read(columns=["decision"], use_threads=False)["decision"]
    wanted = np.flatnonzero(np.asarray(pc.equal(decisions, decision)))[::SIGNED_SHARE]
    found, start = [], 0
    with files.open(part_path(PRINTS, part, "parquet")) as file:
        for batch in file.iter_batches(BATCH_ROWS * SIGNED_SHARE, use_threads=False):
            mine = wanted[(wanted >= start) & (wanted < start + len(batch))]
            found.append(batch.take(pa.array(mine - start)).append_column("row", pa.array(mine)))
            start += len(batch)
        return pa.Table.from_batches(found) if found else file.schema_arrow.empty_table()


def _check_signatures(texts: pa.RecordBatch, prints: pa.Table, files: Files, part: int, findings: Findings) -> None:
    """Whether fingerprints are those of their texts; where the two are of other documents, that was said before."""
    near, prints = files.near, prints.combine_chunks()
    if near is None or not len(prints) or not hex_digests(prints["doc_id"].combine_chunks()).equals(texts["doc_id"]):
        return
    made = fingerprint(texts["text"], near)
    name = part_path(PRINTS, part, "parquet")
    wrong = np.zeros(len(texts), np.bool_)
    for column in ("shingle_count", *(field.name for field in near.fields())):
        wrong |= differ(prints[column].combine_chunks(), made[column])
    faults = faults_where(wrong, "its signature is not that of its text")
    findings.rows("fingerprints", name, prints["row"].to_numpy(), texts["doc_id"], faults)
