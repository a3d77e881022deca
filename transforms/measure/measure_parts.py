"""Measure parts: read each part once and write its text with all that can be said of a record alone."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, Final

import apache_beam as beam
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from schemas.errors import CleartitleError, WorkError
from transforms import live_counts
from transforms.measure.fingerprint import NearSettings
from transforms.measure.measure_batch import measure_batch, measured_schema
from transforms.measure.plan_parts import PARTS_A_FILE, Part, read_parts
from transforms.measure.read_records import ReadRules, read_records
from transforms.measure.tally import Tally
from transforms.part_store import Stage, file_size, write_file
from transforms.tell_work import Work, work

GROUP_BYTES = 64 << 20
"""A row group of a measured file ends when it takes this much memory, which is what a reader of it needs."""

_SUFFIXES: Final = ("parquet", "rejected.parquet")
"""Of the files of a part."""


class _MeasurePart(beam.DoFn):
    def __init__(self, store: Stage, crawl: str, rules: ReadRules, near: NearSettings | None, codec: str):
        self.store, self.crawl, self.rules, self.near, self.codec = store, crawl, rules, near, codec
        self.parts: dict[int, list[Part]] = {}

    def process(self, keyed: tuple[int, Iterable[int]]) -> None:
        part: Part | int = keyed[0]
        try:
            part = self._part(keyed[0])
            with work("measure", "part", part.number, [piece.name for piece in part.pieces]) as done:
                self._measure(part, done)
        except (CleartitleError, OSError, pa.ArrowException, MemoryError) as error:
            raise WorkError(f"Measuring {part} failed: {error or type(error).__name__}") from error
        finally:
            live_counts.clear(self.store, keyed[0])

    def _part(self, number: int) -> Part:
        """The part of that number; those that stand in the same file are kept for the next call."""
        start = number - number % PARTS_A_FILE
        if start not in self.parts:
            self.parts = {start: read_parts(self.store, start)}
        return self.parts[start][number - start]

    def _measure(self, part: Part, done: Work) -> None:
        tally = Tally()
        facts: dict[str, Any] = {"records": 0, "urls_without_host": 0, "text_bytes": 0, "input_bytes": part.bytes}
        schema = measured_schema(self.near, self.rules.carried())
        with write_file(self.store.path(part.number)) as file, writer_of_texts(file, schema, self.codec) as writer:
            for group in _row_groups(self._batches(part, tally)):
                writer.write_table(group, row_group_size=len(group))
                facts["records"] += len(group)
                facts["urls_without_host"] += group["url"].length() - group["url"].null_count
                facts["urls_without_host"] -= group["url_host_name"].length() - group["url_host_name"].null_count
                facts["text_bytes"] += pc.sum(group["text_bytes"]).as_py() or 0
        rejected = tally.table()
        with write_file(self.store.path(part.number, "rejected.parquet")) as file:
            pq.write_table(rejected, file)
        facts |= {
            "rejected": len(rejected),
            "rejected_by": dict(sorted(Counter(rejected["reason"].to_pylist()).items())),
            "not_documents": dict(sorted(tally.not_documents.items())),
        }
        live_counts.clear(self.store, part.number)
        self.store.finish(part.number, facts, _SUFFIXES)
        done.count(
            bytes_read=part.bytes,
            not_documents=tally.not_documents.total(),
            bytes_written=sum(file_size(self.store.path(part.number, suffix)) or 0 for suffix in _SUFFIXES),
            **{name: facts[name] for name in ("records", "rejected", "text_bytes")},
        )
        if len(rejected) > facts["records"]:
            done.warn(
                f"{len(rejected):,} records cannot be read, more than the {facts['records']:,} that can: "
                f"{max(facts['rejected_by'], key=facts['rejected_by'].get)} is the most frequent reason."
            )

    def _batches(self, part: Part, tally: Tally) -> Iterator[pa.RecordBatch]:
        documents = 0
        for piece in part.pieces:
            for batch in read_records(piece, self.rules, tally):
                yield measure_batch(batch, self.crawl, self.near)
                documents += len(batch)
                live_counts.note(self.store, part.number, documents)


def writer_of_texts(file: pa.NativeFile, schema: pa.Schema, codec: str) -> pq.ParquetWriter:
    """Writer for measured files: quick to write and read again; columns of hashes are not packed at all."""
    plain = [f.name for f in schema if pa.types.is_fixed_size_binary(f.type) or f.name == "text"]
    return pq.ParquetWriter(
        file,
        schema,
        compression={name: codec if name == "text" or name not in plain else "none" for name in schema.names},
        use_dictionary=[name for name in schema.names if name not in plain],
        write_statistics=False,
    )


def _row_groups(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    group: list[pa.RecordBatch] = []
    size = 0
    for batch in batches:
        group.append(batch)
        size += batch.nbytes
        if size >= GROUP_BYTES:
            yield pa.Table.from_batches(group)
            group, size = [], 0
    if group:
        yield pa.Table.from_batches(group)


class MeasureParts(beam.PTransform):
    """From part numbers to measured files, each with its rejected records and a marker that counts them.

    `codec` is that of the texts, in Parquet's words: `none` for files that are soon removed, `lz4` for those kept.
    """

    def __init__(self, store: Stage, crawl: str, rules: ReadRules, near: NearSettings | None, codec: str):
        super().__init__()
        self.measure = _MeasurePart(store, crawl, rules, near, codec)

    def expand(self, numbers: beam.PCollection) -> beam.PCollection:
        return numbers | "Measure" >> beam.ParDo(self.measure).with_output_types(int)
