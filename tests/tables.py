"""Small tables for the tests: a row is a dictionary with what matters to the test, the rest is filled in."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from schemas.columns import LEDGER, MEASURED, RIGHTS, near_fields
from transforms.decide.all_parts import OWN
from transforms.decide.judge_members import VERDICTS, WITNESSES
from transforms.kernels.sketches import words
from transforms.measure.fingerprint import NearSettings, fingerprint

Row = dict[str, Any]
NO_RIGHTS: Row = {column.name: None if column.nullable else [] for column in RIGHTS}
"""What is measured of a text without any signal, in an input without pages."""


def digest_of(number: int) -> bytes:
    """A digest of 16 bytes that sorts like its number."""
    return number.to_bytes(16, "big")


def hex_of(number: int) -> str:
    """The same in hex, as the ledger has it."""
    return digest_of(number).hex()


def measured(rows: Sequence[Row], *, bands: int = 0, band_rows: int = 1, carried: Sequence[pa.Field] = ()) -> pa.Table:
    """A measured table; row i has doc_id and text_digest of its number, bands and a sketch of zeros."""
    near = near_fields(bands, band_rows, 8 * words(bands * band_rows))
    schema = MEASURED.schema([*near, *carried])

    def filled(number: int, row: Row) -> Row:
        text = row.get("text", f"text {number}")
        return {
            "doc_id": digest_of(number),
            "source_file": "crawl.jsonl",
            "source_position": number,
            "text": text,
            "text_bytes": len(text.encode()),
            "text_digest": digest_of(number),
            "shingle_count": 9,
            **NO_RIGHTS,
            **{field.name: bytes(field.type.byte_width) for field in near},
            **row,
        }

    return pa.Table.from_pylist([filled(i, row) for i, row in enumerate(rows)], schema)


def fingerprinted(rows: Sequence[Row], near: NearSettings) -> pa.Table:
    """A measured table in which digests, counts, bands and sketches are those of the texts."""
    table = measured(rows, bands=near.bands, band_rows=near.rows)
    for name, column in fingerprint(table["text"].combine_chunks(), near).items():
        at = table.schema.get_field_index(name)
        table = table.set_column(at, table.schema.field(name), column)
    return table


def ledger(rows: Sequence[Row]) -> pa.Table:
    """A ledger table; row i has the doc_id of its number and is kept, if it does not say otherwise."""

    def filled(number: int, row: Row) -> Row:
        return {
            "doc_id": hex_of(number),
            "source_file": "crawl.jsonl",
            "source_position": number,
            "text_bytes": 0,
            "decision": "keep",
            "marks": [],
            "cluster_size": 1,
            "survivor_policy": "longest",
            "rights_basis": "crawl",
            **NO_RIGHTS,
            "build_id": "0123456789abcdef",
            **row,
        }

    return pa.Table.from_pylist([filled(i, row) for i, row in enumerate(rows)], LEDGER.schema())


def verdicts(rows: Sequence[Row]) -> pa.Table:
    """Verdicts on rows of a part; each is of a cluster of two with the smallest doc_id, its witnesses of this crawl."""

    def filled(row: Row) -> Row:
        stores = {f"{kind}_store": OWN for kind in WITNESSES if kind in row}
        flags = dict.fromkeys(("bounded", "taken_text", "estimated"), False)
        return {"cluster_id": digest_of(0), "cluster_size": 2, **flags, **stores, **row}

    return pa.Table.from_pylist([filled(row) for row in rows], VERDICTS)
