"""Map columns: which columns of JSON Lines and Parquet files hold what, checked against the files themselves."""

from collections.abc import Iterable, Mapping, Sequence

import pyarrow as pa

from configs.model import Crawl
from schemas.errors import InputError
from transforms.measure.list_files import CrawlFile
from transforms.measure.read_records import ReadRules
from transforms.measure.readers.columns import ColumnMap
from transforms.measure.readers.jsonl import jsonl_keys
from transforms.measure.readers.parquet import check_parquet_types, parquet_schema
from transforms.part_store import open_input


def map_columns(files: Sequence[CrawlFile], crawl: Crawl) -> ReadRules:
    """Reading rules for the files. Raises InputError, naming file, column and the columns there are.

    A column that the config names must exist in every Parquet file, and in the first lines of some JSON Lines file:
    its keys may come and go from line to line. The text column must be there whether it is named or not.
    """
    named = {ours: theirs for ours, theirs in crawl.columns.model_dump().items() if theirs is not None}
    wanted = {named[ours] for ours in {*crawl.columns.model_fields_set, "text"} & named.keys()} | set(crawl.carry)
    schemas = {file.name: _schema(file) for file in files if file.format == "parquet" and file.groups}
    faults = [_missing(name, wanted, schema.names) for name, schema in schemas.items()]
    keys = {file.name: _keys(file) for file in files if file.format == "jsonl"}
    if any(keys.values()):
        seen = dict.fromkeys(key for found in keys.values() for key in found)
        faults.append(_missing(", ".join(list(keys)[:3]), wanted, seen))
    if found := [fault for fault in faults if fault]:
        raise InputError("\n".join(found[:10]) + "\nCorrect crawl.columns or crawl.carry.")
    pairs = tuple(("record_id" if ours == "id" else ours, theirs) for ours, theirs in named.items())
    columns = ColumnMap(pairs, crawl.carry)
    for name, schema in schemas.items():
        check_parquet_types(schema, columns, name)
    types = _carry_types(schemas, crawl.carry, beside_json=bool(keys))
    return ReadRules(columns, crawl.main_content, types)


def _schema(file: CrawlFile) -> pa.Schema:
    with open_input(file.path) as stream:
        return parquet_schema(stream)


def _keys(file: CrawlFile) -> list[str]:
    with open_input(file.path) as stream:
        return jsonl_keys(stream, file.compression)


def _missing(where: str, wanted: Iterable[str], there: Iterable[str]) -> str | None:
    """What is wrong with the columns of a file, or None."""
    there = list(there)
    missing = sorted(set(wanted) - set(there))
    if not missing:
        return None
    names = ", ".join(f"`{name}`" for name in missing)
    return f"{where} has no column {names}. Its columns are: {', '.join(there)}."


def _carry_types(
    schemas: Mapping[str, pa.Schema], carry: Sequence[str], *, beside_json: bool
) -> dict[str, pa.DataType]:
    """Arrow types of the carried columns; strings from JSON Lines. Raises InputError where files disagree."""
    types: dict[str, pa.DataType] = dict.fromkeys(carry, pa.string()) if beside_json else {}
    for name, schema in schemas.items():
        for column in carry:
            found = schema.field(column).type
            if types.setdefault(column, found) != found:
                raise InputError(
                    f"The carried column `{column}` is {types[column]} in some files and {found} in {name}.\n"
                    "Carry columns that have one type throughout, or make two crawls of the files."
                )
    return types
