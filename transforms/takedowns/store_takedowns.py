"""Store takedowns: what copies of their texts and evidence are found by becomes parts beside those of the crawl."""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from schemas.columns import DIGEST, TAKEN, TIME, URL_DIGEST
from transforms.batches import strings
from transforms.decide.all_parts import TakenStore
from transforms.kernels.shingle_sets import shingle_sets
from transforms.measure.fingerprint import NearSettings, fingerprint
from transforms.part_store import Stage, open_input, write_arrow
from transforms.takedowns.match_selectors import Asked
from transforms.takedowns.read_takedown import Takedown

SHINGLES: Final = "shingles"
NUMBER: Final = "takedown"
"""Column that says which takedown a row is of, by its number."""
PART_BYTES: Final = 32 << 20
"""A part ends when it takes so much memory."""
_READ_ROWS: Final = 256
"""Rows of evidence that are read at a time: the sets of books weigh half a megabyte each."""


def store_takedowns(
    takedowns: Sequence[Takedown], asked: Sequence[Asked], near: NearSettings | None, stage: Stage
) -> TakenStore:
    """Write the parts, if that was not done before.

    What a takedown asks for itself alone is not stored. A part has the columns `TAKEN` and those of `near`, `NUMBER`,
    and, all null, the other columns that candidates are found and judged by.
    """
    if (done := stage.marker(0)) is None:
        parts = records = 0
        for table in _cut(_read_all(takedowns, asked, near)):
            write_arrow(stage.path(parts, "arrow"), table)
            parts, records = parts + 1, records + len(table)
        done = {"parts": parts, "records": records}
        stage.finish(0, done)
    return TakenStore(stage, int(done["parts"]), int(done["records"]))


def taken_texts(texts: pa.Array, near: NearSettings | None) -> pa.Table:
    """Texts as rows of `TAKEN`, with the columns of `near`, under their digests in place of a `doc_id`.

    >>> table = taken_texts(pa.array(["one two three"]), NearSettings(ngram=2, bands=1, rows=4))
    >>> table["doc_id"].equals(table["text_digest"]), table["shingle_count"].to_pylist()
    (True, [2])

    Texts that are empty after normalisation are left out.
    """
    columns = fingerprint(texts, near)
    sets = pa.nulls(len(texts), TAKEN.schema().field(SHINGLES).type)
    if near is not None:
        room = np.empty(int(pc.sum(columns["shingle_count"]).as_py() or 0), np.uint64)
        sizes = shingle_sets(*strings(texts), near.ngram, room)
        offsets = np.r_[0, np.cumsum(sizes)]
        sets = pa.LargeListArray.from_arrays(pa.array(offsets), pa.array(room[: offsets[-1]]), type=sets.type)
    schema = TAKEN.schema(near.fields() if near else [])
    columns |= {"doc_id": columns["text_digest"], SHINGLES: sets}
    table = pa.table([columns[name] for name in schema.names], schema=schema)
    return table.filter(table["text_digest"].is_valid())


def _read_all(takedowns: Sequence[Takedown], asked: Sequence[Asked], near: NearSettings | None) -> Iterator[pa.Table]:
    """What is stored, a few rows at a time, in the order of the takedowns."""
    schema = TAKEN.schema(near.fields() if near else [])
    for number, (takedown, one) in enumerate(zip(takedowns, asked, strict=True)):
        if one.limit is None:
            continue
        yield _complete(taken_texts(takedown.texts, near), number)
        if takedown.evidence is None:
            continue
        with open_input(takedown.evidence) as stream:
            for batch in pq.ParquetFile(stream).iter_batches(_READ_ROWS, columns=schema.names):
                yield _complete(pa.Table.from_batches([batch]).select(schema.names).cast(schema), number)


def _complete(table: pa.Table, number: int) -> pa.Table:
    empty = {"url": pa.string(), URL_DIGEST.name: DIGEST, "fetch_time": TIME}
    for name, kind in empty.items():
        table = table.append_column(name, pa.nulls(len(table), kind))
    return table.append_column(NUMBER, pa.array(np.full(len(table), number)))


def _cut(tables: Iterator[pa.Table]) -> Iterator[pa.Table]:
    """The tables joined to parts."""
    held: list[pa.Table] = []
    for table in filter(len, tables):
        held.append(table)
        if sum(one.nbytes for one in held) >= PART_BYTES:
            yield pa.concat_tables(held).combine_chunks()
            held = []
    if held:
        yield pa.concat_tables(held).combine_chunks()
