"""Texts of ledger rows: out of the dataset, which holds those kept and quarantined, else out of the crawl."""

from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from lineage.catalog import Dataset
from schemas.columns import TEXT
from transforms.batches import hex_digests
from transforms.measure.fingerprint import fingerprint
from transforms.publish.part_files import TEXTS

I64 = npt.NDArray[np.int64]

CRAWL: Final = "crawl"
"""`origin` of a text that was read again."""
READ: Final = pa.schema([TEXT.field(), pa.field("origin", pa.string())])
_NOT_HELD: Final = len(TEXTS)
"""Number of the folder of a row whose text the dataset does not hold."""


def read_texts(dataset: Dataset, places: pa.Table, crawl: bool = True, crawl_root: str | None = None) -> pa.Table:
    """The texts of ledger rows (`PLACES`), in their order: `text`, and `origin`, which says where it was read.

    `origin` is `documents`, `quarantine`, or `crawl` for a text that the dataset does not hold and that was read again
    from the crawl files, below `crawl_root` or where the config of the build says; both are null where the file is not
    at hand or its text is not that of the ledger any more. Without `crawl` no crawl file is looked for. All texts are
    in memory at once: ask for as many as fit.
    """
    folder, rank = _held(dataset, places)
    tables, taken = [READ.empty_table()], []
    for number in np.unique(folder):
        rows = np.flatnonzero(folder == number)
        here = places.take(pa.array(rows))
        if number != _NOT_HELD:
            tables.append(_read(dataset, list(TEXTS.values())[number].name, here["part"], rank[rows]))
        else:
            tables.append(_read_again(dataset, here, crawl_root) if crawl else _nothing(len(rows)))
        taken.append(rows)
    order = np.argsort(np.concatenate([np.empty(0, np.int64), *taken]))
    return pa.concat_tables(tables).take(pa.array(order))


def _held(dataset: Dataset, places: pa.Table) -> tuple[I64, I64]:
    """The number of the folder that holds each row, in the order of `TEXTS`, and its row in that folder's file.

    The n-th row of such a file is the n-th of the ledger's rows with its decision.
    """
    part, row = (places[name].to_numpy() for name in ("part", "row"))
    folder, rank = np.full(len(part), _NOT_HELD), np.zeros(len(part), np.int64)
    for number in np.unique(part):
        decisions = dataset.read("ledger", int(number), ["decision"])["decision"]
        mine = np.flatnonzero(part == number)
        for code, decision in enumerate(TEXTS):
            chosen = np.asarray(pc.equal(decisions, decision))
            here = mine[chosen[row[mine]]]
            folder[here], rank[here] = code, np.cumsum(chosen)[row[here]] - 1
    return folder, rank


def _read(dataset: Dataset, folder: str, part: pa.ChunkedArray, row: I64) -> pa.Table:
    texts = dataset.take(folder, pa.table({"part": part, "row": row}), [TEXT.name])
    return texts.append_column("origin", pa.repeat(folder, len(row))).cast(READ)


def _read_again(dataset: Dataset, places: pa.Table, crawl_root: str | None) -> pa.Table:
    # The readers of all formats take a second to import, and most texts lie in the dataset.
    from lineage.texts.read_again import find_records

    found = find_records(dataset, places, crawl_root)
    texts = found.records[TEXT.name].combine_chunks().take(found.index)
    digests = hex_digests(fingerprint(texts, None)["text_digest"])
    said = dataset.ledger(places, ["text_digest"])["text_digest"].combine_chunks()
    same = pc.and_(found.index.is_valid(), pc.equal(pc.fill_null(digests, ""), pc.fill_null(said, "")))
    null = pa.scalar(None, pa.string())
    return pa.table([pc.if_else(same, texts, null.cast(TEXT.type)), pc.if_else(same, CRAWL, null)], schema=READ)


def _nothing(rows: int) -> pa.Table:
    return pa.table([pa.nulls(rows, field.type) for field in READ], schema=READ)
