"""The files of a part: which rows and columns go to which of them, and how each is written."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from schemas.columns import DOC_ID, DOCUMENTS, FINGERPRINTS, MEASURED, QUARANTINE, TEXT, Table, is_near_field
from schemas.errors import BooksError
from schemas.reasons import KEEP, QUARANTINED
from transforms.batches import hex_digests
from transforms.ledger_files import LEDGER_ROWS
from transforms.part_store import write_file

TEXTS: Final = {KEEP: DOCUMENTS, QUARANTINED: QUARANTINE}
"""Tables with texts, by the decision whose documents they hold; each lies in the folder of its name."""
GROUP_BYTES: Final = 4 << 20
"""A row group of a table with texts takes about this much, which is what must be read for one text."""

ROW_BYTES: Final = 512
"""About what the other columns of a row take."""


def texts_schema(table: Table, measured: pa.Schema) -> pa.Schema:
    """Schema of a file of `DOCUMENTS` or `QUARANTINE`, with the carried columns of the measured file."""
    own = {column.name for column in MEASURED.columns}
    return table.schema([field for field in measured if field.name not in own and not is_near_field(field.name)])


def fingerprints_schema(measured: pa.Schema) -> pa.Schema:
    """Schema of a fingerprints file: `FINGERPRINTS` and the bands and the sketch of the measured file."""
    return FINGERPRINTS.schema([field for field in measured if is_near_field(field.name)])


def select_rows(texts: pa.Table, ledger: pa.Table, decision: str, schema: pa.Schema) -> pa.Table:
    """The rows of `texts` whose ledger rows, in the same order, have the decision; with what the ledger says of them.

    Raises BooksError where the two do not speak of the same records.
    """
    if not hex_digests(texts[DOC_ID.name].combine_chunks()).equals(ledger[DOC_ID.name].combine_chunks()):
        raise BooksError("The measured rows and the ledger rows are not of the same records: measure and decide again.")
    chosen = pc.equal(ledger["decision"], decision)
    said, found = ledger.filter(chosen), texts.filter(chosen)
    columns = [(said if name in ledger.column_names else found)[name] for name in schema.names]
    return pa.table(columns, schema=schema)


class TextsWriter:
    """Writes a file of documents or of quarantined ones, table by table, in row groups of about `GROUP_BYTES`."""

    def __init__(self, file: pq.ParquetWriter):
        self.file, self.rows, self.text_bytes = file, 0, 0

    def write(self, table: pa.Table) -> None:
        """Write the rows, of which each table given begins a row group."""
        ends = np.r_[0, np.cumsum(pc.fill_null(pc.binary_length(table[TEXT.name]), 0).to_numpy() + ROW_BYTES)]
        start = 0
        while start < len(table):
            stop = max(start + 1, int(np.searchsorted(ends, ends[start] + GROUP_BYTES, "right")) - 1)
            self.file.write_table(table[start:stop])
            start = stop
        self.rows += len(table)
        self.text_bytes += pc.sum(table["text_bytes"]).as_py() or 0


@contextmanager
def texts_writer(path: str, schema: pa.Schema) -> Iterator[TextsWriter]:
    """Open a file of documents or of quarantined ones, which shows when the block ends without an error."""
    # Statistics of texts would be whole texts, once a row group.
    told = [field.name for field in schema if field.name != TEXT.name and not pa.types.is_nested(field.type)]
    with (
        write_file(path) as file,
        pq.ParquetWriter(file, schema, compression="zstd", write_statistics=told) as writer,
    ):
        yield TextsWriter(writer)


def write_fingerprints(path: str, table: pa.Table) -> None:
    """Write the fingerprints of a part; hashes do not pack, so nothing tries to."""
    with write_file(path) as file:
        pq.write_table(
            table, file, compression="none", use_dictionary=False, write_statistics=False, row_group_size=LEDGER_ROWS
        )
