"""How a ledger is written: in row groups so small that one row can be read in milliseconds."""

from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from transforms.part_store import write_file

LEDGER_ROWS: Final = 8192
"""Rows of a row group: a smaller one is read sooner, but packs worse and makes the footer longer."""


def write_ledger(path: str, ledger: pa.Table) -> None:
    """Write the ledger of a part, whole or not at all."""
    with write_file(path) as file:
        pq.write_table(ledger, file, compression="zstd", row_group_size=LEDGER_ROWS)
