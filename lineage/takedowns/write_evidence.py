"""Write the evidence of a takedown: by what later crawls find copies of what was taken out, without any text."""

import json
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lineage.catalog import Dataset
from lineage.similarity.find_similar import prints_of_rows, prints_of_texts, taken
from lineage.takedowns.plan_takedown import Plan
from lineage.takedowns.row_ids import cut_blocks, places_of
from schemas.columns import TAKEN
from transforms.part_store import write_file
from transforms.takedowns.open_takedowns import FINGERPRINT


def write_evidence(path: str, dataset: Dataset, plan: Plan, crawl: bool) -> int:
    """Write the table `TAKEN` of a takedown, and return its number of rows: texts by name, then works by row."""
    schema = TAKEN.schema(dataset.near.fields() if dataset.near else [])
    schema = schema.with_metadata({FINGERPRINT: json.dumps(dataset.manifest["fingerprint"], sort_keys=True)})
    rows = 0
    with (
        write_file(path) as file,
        pq.ParquetWriter(file, schema, compression="none", use_dictionary=False, write_statistics=False) as writer,
    ):
        for table in _tables(dataset, plan, crawl):
            writer.write_table(table.cast(schema))
            rows += len(table)
    return rows


def _tables(dataset: Dataset, plan: Plan, crawl: bool) -> Iterator[pa.Table]:
    order = pa.array(np.argsort(plan.takedown.text_names))
    yield taken(dataset, None, prints_of_texts(plan.takedown.texts.take(order), dataset.near))
    text_bytes = dataset.ledger(places_of(plan.works), ["text_bytes"])["text_bytes"].to_numpy()
    for block in cut_blocks(text_bytes):
        places = places_of(plan.works[block])
        yield taken(dataset, places, prints_of_rows(dataset, places, crawl))
