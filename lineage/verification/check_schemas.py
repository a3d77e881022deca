"""Check the schemas: each file can be read, has the columns of its table, and as many rows as the manifest says."""

import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pyarrow as pa

from lineage.verification.files import DAMAGE, Files
from lineage.verification.findings import Findings
from schemas.columns import (
    DOCUMENTS,
    FINGERPRINTS,
    INDEX_KEYS,
    INDEX_URLS,
    LEDGER,
    QUARANTINE,
    REJECTED,
    REPLACED,
    TAKEN,
)

_TEXTS = (DOCUMENTS, QUARANTINE)
_SIGNED = (FINGERPRINTS, TAKEN)
_PLAIN = (LEDGER, REJECTED, REPLACED, INDEX_KEYS, INDEX_URLS)


def check_schemas(files: Files, findings: Findings) -> set[str]:
    """Names of the Parquet files that cannot be read or are not of their table; each has its faults."""
    names = sorted(name for name in files.whole if name.endswith(".parquet"))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        faults = dict(zip(names, pool.map(lambda name: _faults(files, name), names), strict=True))
    for name, found in faults.items():
        for fault in found:
            findings.fault("schemas", fault, name)
    wrong = {name for name, found in faults.items() if found}
    right = len(names) - len(wrong)
    findings.say("schemas", f"{right:,} of {len(names):,} Parquet files have the columns and rows they must have")
    return wrong


def _faults(files: Files, name: str) -> list[str]:
    try:
        with files.open(name) as file:
            schema, rows = file.schema_arrow.remove_metadata(), file.metadata.num_rows
    except DAMAGE as error:
        return [f"it cannot be read as Parquet: {error}"]
    said = files.manifest["files"][name].get("rows", rows)
    counted = [f"it has {rows:,} rows, the manifest says {said:,}"] if rows != said else []
    return [*_columns(name.partition("/")[0], schema, files), *counted]


def _columns(folder: str, schema: pa.Schema, files: Files) -> list[str]:
    bands = files.near.fields() if files.near else []
    wanted = {table.name: table.schema() for table in (*_PLAIN, *_TEXTS)}
    wanted |= {table.name: table.schema(bands) for table in _SIGNED}
    if folder not in wanted:
        return [f"there is no table `{folder}`"]
    expected = {field.name: field for field in wanted[folder]}
    if folder in {table.name for table in _TEXTS}:
        # The type of a carried column is that of the crawl files, which the manifest does not say.
        carried = files.manifest["config"]["crawl"]["carry"]
        expected |= {
            name: schema.field(name) if name in schema.names else pa.field(name, pa.null()) for name in carried
        }
    return list(_compare(expected, schema))


def _compare(expected: Mapping[str, Any], schema: pa.Schema) -> Iterator[str]:
    found = {field.name: field for field in schema}
    for name in [*expected, *(name for name in found if name not in expected)]:
        if name not in found:
            yield f"the column `{name}` is missing"
        elif name not in expected:
            yield f"the column `{name}` is none of this table"
        elif found[name] != expected[name]:
            yield f"the column `{name}` is {_type(found[name])}, and must be {_type(expected[name])}"
    if found.keys() == expected.keys() and list(found) != list(expected):
        yield f"the columns stand in another order: {', '.join(found)}"


def _type(field: pa.Field) -> str:
    return f"{field.type}{'' if field.nullable else ' not null'}"
