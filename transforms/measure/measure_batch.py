"""Measure a batch: from what a reader yields to all that can be said of its documents alone."""

import pyarrow as pa
import pyarrow.compute as pc

from schemas.columns import MEASURED, RECORDS
from transforms.batches import digests, strings
from transforms.kernels.xxh3 import hash128
from transforms.measure.fingerprint import NearSettings, fingerprint
from transforms.measure.rights.find_rights import find_rights
from transforms.urls import url_columns


def measured_schema(near: NearSettings | None, carried: list[pa.Field]) -> pa.Schema:
    """Schema of a measured file: `MEASURED`, the bands, the carried columns."""
    return MEASURED.schema([*(near.fields() if near else []), *carried])


def doc_ids(batch: pa.RecordBatch, crawl: str) -> pa.Array:
    """The ids (`DIGEST`) of the documents of a batch of `RECORDS`: a hash of where they lie."""
    where = pc.binary_join_element_wise(pa.scalar(crawl), batch["source_file"], batch["locator"], "\0")
    return digests(hash128(*strings(where)))


def measure_batch(batch: pa.RecordBatch, crawl: str, near: NearSettings | None) -> pa.RecordBatch:
    """From `RECORDS` (and carried columns) to the columns of `measured_schema`."""
    columns: dict[str, pa.Array] = {name: batch[name] for name in batch.schema.names if name != "locator"}
    columns["doc_id"] = doc_ids(batch, crawl)
    columns |= url_columns(batch["url"])
    columns |= fingerprint(batch["text"], near)
    columns |= find_rights(batch["text"], batch["page_signals"])
    carried = [batch.schema.field(i) for i in range(len(RECORDS.columns), batch.num_columns)]
    schema = measured_schema(near, carried)
    return pa.record_batch([columns[name] for name in schema.names], schema=schema)
