"""Write parts: text and decisions together, each row where it belongs; the books of each part must balance."""

from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from typing import Any, Final

import apache_beam as beam
import pyarrow as pa
import pyarrow.parquet as pq

from schemas.columns import BUILD_ID, DOC_ID, QUARANTINE, REJECTED, REPLACED
from schemas.errors import BooksError, CleartitleError, WorkError
from schemas.reasons import KEEP
from transforms.decide.settle_decisions import REPLACED_SUFFIX
from transforms.part_store import Stage, copy_file, file_facts, file_size, join, open_input, part_path, write_file
from transforms.publish.build_index import INDEXES, run_suffix, write_runs
from transforms.publish.index_keys import LEDGER_COLUMNS
from transforms.publish.part_files import (
    TEXTS,
    fingerprints_schema,
    select_rows,
    texts_schema,
    texts_writer,
    write_fingerprints,
)
from transforms.tell_work import Work, work

FOLDERS: Final = ("documents", QUARANTINE.name, "ledger", "rejected", "fingerprints")


class _WritePart(beam.DoFn):
    def __init__(self, measured: Stage, decided: Stage, published: Stage, dataset: str):
        self.measured, self.decided, self.published, self.dataset = measured, decided, published, dataset

    def process(self, keyed: tuple[int, Iterable[int]]) -> None:
        number = keyed[0]
        try:
            with work("write", "part", number, [part_path("ledger", number, "parquet")]) as done:
                if "replaced" in (self.decided.marker(number) or {}):
                    self._publish_replaced(number, done)
                else:
                    self._publish(number, done)
        except (CleartitleError, OSError, pa.ArrowException) as error:
            raise WorkError(f"Publishing part {number} failed: {error}") from error

    def _publish(self, number: int, done: Work) -> None:
        held = [folder for folder in FOLDERS if folder != QUARANTINE.name or self._quarantined(number)]
        paths = {folder: part_path(join(self.dataset, folder), number, "parquet") for folder in held}
        with open_input(self.measured.path(number)) as stream, open_input(self.decided.path(number)) as decided:
            texts, ledger = pq.ParquetFile(stream), pq.read_table(decided)
            rows, text_bytes = _write_texts(texts, ledger, paths)
            prints = texts.read(columns=(schema := fingerprints_schema(texts.schema_arrow)).names).cast(schema)
        write_fingerprints(paths["fingerprints"], prints)
        copy_file(self.decided.path(number), paths["ledger"])
        rows |= {"rejected": self._reject(number, paths["rejected"]), "fingerprints": len(prints)}
        self._balance(number, rows, len(ledger))
        index = write_runs(self.published, number, ledger.select(LEDGER_COLUMNS), prints)
        files = {folder: {**file_facts(path), "rows": rows[folder]} for folder, path in paths.items()}
        facts = {"records": rows["ledger"], "kept_text_bytes": text_bytes, "files": files, "index": index}
        self.published.finish(number, facts, [run_suffix(index) for index in INDEXES])
        done.count(
            bytes_read=sum(file_size(stage.path(number)) or 0 for stage in (self.measured, self.decided)),
            records=rows["ledger"],
            documents=rows["documents"],
            quarantined=rows.get(QUARANTINE.name, 0),
            rejected=rows["rejected"],
            bytes_written=sum(int(one["bytes"]) for one in files.values()),
        )

    def _quarantined(self, number: int) -> int:
        return int((self.decided.marker(number) or {}).get("quarantined", 0))

    def _publish_replaced(self, number: int, done: Work) -> None:
        """A part of an earlier store, of which only the documents that are replaced are written down."""
        path = part_path(join(self.dataset, REPLACED.name), number, "parquet")
        copy_file(self.decided.path(number, REPLACED_SUFFIX), path)
        facts = {**file_facts(path), "rows": (self.decided.marker(number) or {})["replaced"]}
        self.published.finish(number, {"files": {REPLACED.name: facts}})
        done.count(replaced=int(facts["rows"]), bytes_written=int(facts["bytes"]))

    def _reject(self, number: int, path: str) -> int:
        with open_input(self.measured.path(number, "rejected.parquet")) as stream:
            table = pq.read_table(stream)
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
                "fingerprints": (rows["ledger"], rows["fingerprints"]),
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
    schemas = {
        decision: texts_schema(table, texts.schema_arrow) for decision, table in TEXTS.items() if table.name in paths
    }
    needed = {name for schema in schemas.values() for name in schema.names} - set(ledger.column_names)
    done = 0
    with ExitStack() as files:
        writers = {d: files.enter_context(texts_writer(paths[TEXTS[d].name], schema)) for d, schema in schemas.items()}
        for number in range(texts.num_row_groups):
            group = texts.read_row_group(number, columns=[DOC_ID.name, *sorted(needed)])
            said = ledger.slice(done, len(group))
            for decision, writer in writers.items():
                writer.write(select_rows(group, said, decision, schemas[decision]))
            done += len(group)
    rows = {"ledger": done, **{TEXTS[decision].name: writer.rows for decision, writer in writers.items()}}
    return rows, writers[KEEP].text_bytes


class WriteParts(beam.PTransform):
    """From part numbers to the files of the dataset, each part with a marker that lists them.

    Numbers of parts of earlier stores, for which decide lists what is replaced, give one file each, that list.
    """

    def __init__(self, measured: Stage, decided: Stage, published: Stage, dataset: str):
        super().__init__()
        self.write = _WritePart(measured, decided, published, dataset)

    def expand(self, numbers: beam.PCollection) -> beam.PCollection:
        return numbers | "Write" >> beam.ParDo(self.write).with_output_types(int)
