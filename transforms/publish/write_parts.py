"""Write parts: text and decisions together, each row where it belongs; the books of each part must balance."""

from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from typing import Any, Final

import apache_beam as beam
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from schemas.columns import (
    BUILD_ID,
    DOC_ID,
    DOCUMENTS,
    FINGERPRINTS,
    MEASURED,
    QUARANTINE,
    REJECTED,
    REPLACED,
    Table,
    is_near_field,
)
from schemas.errors import BooksError, CleartitleError, WorkError
from schemas.reasons import KEEP, QUARANTINED
from transforms.batches import hex_digests
from transforms.decide.settle_decisions import REPLACED_SUFFIX
from transforms.part_store import Stage, copy_file, file_facts, join, open_input, part_path, write_file

FOLDERS: Final = ("documents", QUARANTINE.name, "ledger", "rejected", "fingerprints")
_TEXTS: Final = {KEEP: DOCUMENTS, QUARANTINED: QUARANTINE}
"""Tables with texts, by the decision whose documents they hold; each lies in the folder of its name."""


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


class _WritePart(beam.DoFn):
    def __init__(self, measured: Stage, decided: Stage, published: Stage, dataset: str):
        self.measured, self.decided, self.published, self.dataset = measured, decided, published, dataset

    def process(self, keyed: tuple[int, Iterable[int]]) -> None:
        number = keyed[0]
        try:
            if "replaced" in (self.decided.marker(number) or {}):
                self._publish_replaced(number)
            else:
                self._publish(number)
        except (CleartitleError, OSError, pa.ArrowException) as error:
            raise WorkError(f"Publishing part {number} failed: {error}") from error

    def _publish(self, number: int) -> None:
        held = [folder for folder in FOLDERS if folder != QUARANTINE.name or self._quarantined(number)]
        paths = {folder: part_path(join(self.dataset, folder), number, "parquet") for folder in held}
        with open_input(self.measured.path(number)) as stream, open_input(self.decided.path(number)) as decided:
            texts, ledger = pq.ParquetFile(stream), pq.read_table(decided)
            rows, text_bytes = _write_texts(texts, ledger, paths)
            rows["fingerprints"] = _write_fingerprints(texts, ledger, paths["fingerprints"])
        copy_file(self.decided.path(number), paths["ledger"])
        rows["rejected"] = self._reject(number, paths["rejected"])
        self._balance(number, rows, len(ledger))
        files = {folder: {**file_facts(path), "rows": rows[folder]} for folder, path in paths.items()}
        self.published.finish(number, {"records": rows["ledger"], "kept_text_bytes": text_bytes, "files": files})

    def _quarantined(self, number: int) -> int:
        return int((self.decided.marker(number) or {}).get("quarantined", 0))

    def _publish_replaced(self, number: int) -> None:
        """A part of an earlier store, of which only the documents that are replaced are written down."""
        path = part_path(join(self.dataset, REPLACED.name), number, "parquet")
        copy_file(self.decided.path(number, REPLACED_SUFFIX), path)
        facts = {**file_facts(path), "rows": (self.decided.marker(number) or {})["replaced"]}
        self.published.finish(number, {"files": {REPLACED.name: facts}})

    def _reject(self, number: int, path: str) -> int:
        table = pq.read_table(self.measured.path(number, "rejected.parquet"))
        build = pa.repeat(pa.scalar(self.published.digest[:16]), len(table))
        with write_file(path) as file:
            pq.write_table(
                table.append_column(BUILD_ID.field(), build).cast(REJECTED.schema()), file, compression="zstd"
            )
        return len(table)

    def _balance(self, number: int, rows: dict[str, int], decided: int) -> None:
        measured = self.measured.marker(number) or {}
        counts = self.decided.marker(number) or {}
        check_books(
            f"part {number}",
            {
                "measured records": (measured.get("records"), rows["ledger"]),
                "ledger rows": (decided, rows["ledger"]),
                "decisions": (sum(counts.get(name, 0) for name in ("kept", "quarantined", "dropped")), rows["ledger"]),
                "documents": (counts.get("kept"), rows["documents"]),
                "quarantine": (self._quarantined(number), rows.get(QUARANTINE.name, 0)),
                "fingerprints": (counts.get("kept"), rows["fingerprints"]),
                "rejected": (measured.get("rejected"), rows["rejected"]),
            },
        )


def check_books(whose: str, pairs: dict[str, tuple[Any, Any]]) -> None:
    """Raise BooksError, naming every pair of counts that should be equal and is not."""
    if wrong := [f"  {name}: {a} counted, {b} written" for name, (a, b) in pairs.items() if a != b]:
        raise BooksError(f"The books of {whose} do not balance, so nothing is published:\n" + "\n".join(wrong))


def _write_texts(texts: pq.ParquetFile, ledger: pa.Table, paths: Mapping[str, str]) -> tuple[dict[str, int], int]:
    """Write the tables with texts that have a path; their rows by folder and those of the ledger, and bytes kept.

    Measuring bounds the text of a row group, of which one at a time is held.
    """
    tables = {decision: table for decision, table in _TEXTS.items() if table.name in paths}
    schemas = {decision: texts_schema(table, texts.schema_arrow) for decision, table in tables.items()}
    needed = {name for schema in schemas.values() for name in schema.names} - set(ledger.column_names)
    rows, text_bytes = {"ledger": 0, **{table.name: 0 for table in tables.values()}}, 0
    with ExitStack() as files:
        writers = {}
        for decision, schema in schemas.items():
            file = files.enter_context(write_file(paths[tables[decision].name]))
            writers[decision] = files.enter_context(pq.ParquetWriter(file, schema, compression="zstd"))
        for number in range(texts.num_row_groups):
            group = texts.read_row_group(number, columns=[DOC_ID.name, *sorted(needed)])
            said = ledger.slice(rows["ledger"], len(group))
            for decision, writer in writers.items():
                chosen = select_rows(group, said, decision, schemas[decision])
                writer.write_table(chosen)
                rows[tables[decision].name] += len(chosen)
                if decision == KEEP:
                    text_bytes += pc.sum(chosen["text_bytes"]).as_py() or 0
            rows["ledger"] += len(group)
    return rows, text_bytes


def _write_fingerprints(texts: pq.ParquetFile, ledger: pa.Table, path: str) -> int:
    """What the kept documents are found by, row beside row with them; hashes do not pack, so nothing tries to."""
    schema = fingerprints_schema(texts.schema_arrow)
    measured = texts.read(columns=schema.names).select(schema.names)
    # A ledger that is longer is refused when the books are balanced.
    kept = measured.filter(pc.equal(ledger["decision"].slice(0, len(measured)), KEEP))
    with write_file(path) as file:
        pq.write_table(kept.cast(schema), file, compression="none", use_dictionary=False, write_statistics=False)
    return len(kept)


class WriteParts(beam.PTransform):
    """From part numbers to the files of the dataset, each part with a marker that lists them.

    Numbers of parts of earlier stores, for which decide lists what is replaced, give one file each, that list.
    """

    def __init__(self, measured: Stage, decided: Stage, published: Stage, dataset: str):
        super().__init__()
        self.write = _WritePart(measured, decided, published, dataset)

    def expand(self, numbers: beam.PCollection) -> beam.PCollection:
        return numbers | "Write" >> beam.ParDo(self.write).with_output_types(int)
