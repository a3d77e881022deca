"""Read ledger rows again from the crawl files, as they were measured, and as little else of the files as possible."""

import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from configs.model import Crawl
from lineage.catalog import Dataset
from lineage.texts.cut_excerpts import excerpt_lines, excerpt_records
from lineage.texts.find_crawl_files import check_digest, find_piece, places_of
from schemas.columns import RECORDS
from schemas.errors import InputError
from transforms.batches import BATCH_ROWS, hex_digests
from transforms.measure.map_columns import map_columns
from transforms.measure.measure_batch import doc_ids, measure_batch, measured_schema
from transforms.measure.plan_parts import Piece
from transforms.measure.read_records import ReadRules, read_records, read_stream
from transforms.measure.tally import Tally
from transforms.part_store import open_input

I64 = npt.NDArray[np.int64]
Batches = Iterable[pa.RecordBatch]

_WHERE: Final = ("doc_id", "source_file", "source_position", "warc_record_offset", "warc_record_length")
"""Columns of the ledger that say where a record is."""
_FOUND: Final = RECORDS.schema([pa.field("doc_id", pa.string())])


class Found(NamedTuple):
    """Records that were read again."""

    records: pa.Table
    """`RECORDS` and the `doc_id` in hex, in any order."""
    index: pa.Array
    """int64: for each place its row in `records`; null where it could not be read."""
    fault: pa.Array
    """string: why it could not be read; else null."""


def read_again(dataset: Dataset, places: pa.Table, crawl_root: str | None = None) -> pa.Table:
    """Ledger rows (`PLACES`) measured anew from the crawl files, in their order.

    Columns are those of `MEASURED` and the bands, then `fault` (string): why a row, which then is null in all other
    columns, could not be read. Files are looked for below `crawl_root` and where the config of the build says. One of
    another size than it had is not used; one that does not hold a record any more is read whole to say whether its
    digest is what it was. What comes out is for the caller to compare with the ledger. Carried columns are left out.
    """
    found = find_records(dataset, places, crawl_root)
    schema = measured_schema(dataset.near, [])
    batches = found.records.select(RECORDS.schema().names).combine_chunks().to_batches(BATCH_ROWS)
    crawl = dataset.manifest["crawl"]
    measured = pa.Table.from_batches([measure_batch(batch, crawl, dataset.near) for batch in batches], schema=schema)
    nullable = pa.schema([field.with_nullable(True) for field in schema])
    return measured.cast(nullable).take(found.index).append_column("fault", found.fault)


def find_records(dataset: Dataset, places: pa.Table, crawl_root: str | None = None) -> Found:
    """Read the records of ledger rows again, file by file; each is known by its `doc_id`."""
    crawl = Crawl.model_validate(dataset.manifest["config"]["crawl"])
    rules = map_columns([], crawl.model_copy(update={"carry": ()}))
    planned = {file["name"]: file for file in dataset.manifest["plan"]["files"]}
    said = dataset.ledger(places, _WHERE).combine_chunks()
    tables, faults = [_FOUND.empty_table()], np.full(len(said), None, object)
    for name, rows in _by_file(said["source_file"].combine_chunks()):
        wanted = said.take(pa.array(rows))
        records, fault = _of_file(wanted, planned[name], places_of(name, crawl, crawl_root), rules, crawl.name)
        faults[rows[np.asarray(_missing(wanted, records))]] = fault
        tables.append(records)
    records = pa.concat_tables(tables).combine_chunks()
    index = pc.index_in(said["doc_id"].combine_chunks(), records["doc_id"].combine_chunks()).cast(pa.int64())
    return Found(records, index, pa.array(faults, pa.string()))


def _by_file(files: pa.Array) -> Iterator[tuple[str, I64]]:
    """The files that are named, sorted, and for each the rows that name it."""
    order = pc.sort_indices(files).to_numpy().astype(np.int64)  # stable
    runs = pc.run_end_encode(files.take(pa.array(order)))
    start = 0
    for name, stop in zip(runs.values.to_pylist(), runs.run_ends.to_pylist(), strict=True):
        yield name, order[start:stop]
        start = stop


def _missing(wanted: pa.Table, records: pa.Table) -> pa.Array:
    return pc.invert(pc.is_in(wanted["doc_id"].combine_chunks(), records["doc_id"].combine_chunks()))


def _of_file(
    wanted: pa.Table, planned: Mapping[str, Any], places: list[str], rules: ReadRules, crawl: str
) -> tuple[pa.Table, str | None]:
    """Those records of one file that can be read, and why the others cannot."""
    piece = find_piece(planned, places)
    if isinstance(piece, str):
        return _FOUND.empty_table(), piece
    try:
        records = _choose(_excerpts(piece, wanted, rules), wanted, crawl)
        # The second record with an id has another locator in its file than alone; others have no place of their own.
        if len(left := wanted.filter(_missing(wanted, records))):
            # Where a record is broken, those that follow it count as others.
            if changed := check_digest(planned, piece):
                return records, changed
            records = pa.concat_tables([records, _choose(_whole(piece, left, rules), left, crawl)])
        if pc.any(_missing(wanted, records)).as_py():
            return records, f"{piece.path} holds no record with its `doc_id`"
        return records, None
    except (OSError, pa.ArrowException, InputError) as error:
        return _FOUND.empty_table(), f"{piece.path} cannot be read: {error}"


def _choose(batches: Batches, wanted: pa.Table, crawl: str) -> pa.Table:
    """The records that are wanted; reading ends with the last of them."""
    found = [_FOUND.empty_table()]
    left = pc.count_distinct(wanted["doc_id"]).as_py()
    for batch in batches if left else ():
        ids = hex_digests(doc_ids(batch, crawl))
        table = pa.table([*batch.columns, ids], schema=_FOUND)
        found.append(table.filter(pc.is_in(ids, wanted["doc_id"].combine_chunks())))
        left -= len(found[-1])
        if left <= 0:
            break
    return pa.concat_tables(found)


def _excerpts(piece: Piece, wanted: pa.Table, rules: ReadRules) -> Iterator[pa.RecordBatch]:
    """What is read from the places of the records alone, where the format allows that."""
    warc = piece.format == "warc"
    if not warc and (piece.format != "jsonl" or piece.compression != "none"):
        return
    if warc:
        wanted = wanted.filter(wanted["warc_record_length"].is_valid())
    positions, first = np.unique(wanted["source_position"].to_numpy(), return_index=True)
    lengths = wanted["warc_record_length"].to_numpy()[first]
    with open_input(piece.path) as stream:
        cut = excerpt_records(stream, positions, lengths) if warc else excerpt_lines(stream, positions)
        for excerpt in cut:
            for batch in read_stream(io.BytesIO(excerpt.data), piece, rules, Tally()):
                yield excerpt.back_in_file(batch, warc)


def _whole(piece: Piece, wanted: pa.Table, rules: ReadRules) -> Iterator[pa.RecordBatch]:
    """What is read from the whole file, or from the row groups of a Parquet file that hold the rows."""
    for part in _groups(piece, wanted) if piece.format == "parquet" else (piece,):
        yield from read_records(part, rules, Tally())


def _groups(piece: Piece, wanted: pa.Table) -> Iterator[Piece]:
    """Runs of the row groups that hold the rows."""
    with open_input(piece.path) as stream:
        metadata = pq.ParquetFile(stream).metadata
        ends = np.cumsum([metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)])
    groups = np.unique(np.searchsorted(ends, wanted["source_position"].to_numpy(), "right"))
    for run in np.split(groups, np.flatnonzero(np.diff(groups) > 1) + 1):
        yield replace(piece, start=int(run[0]), stop=int(run[-1]) + 1)
