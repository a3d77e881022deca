"""Read Parquet files by row groups.

>>> import io
>>> file, tally = io.BytesIO(), Tally()
>>> pq.write_table(pa.table({"id": [7, 8], "body": ["one", "two"]}), file)
>>> [batch] = read_parquet(file, "a.parquet", tally, ColumnMap((("record_id", "id"), ("text", "body"))))
>>> batch["record_id"].to_pylist(), batch["source_position"].to_pylist()
(['7', '8'], [0, 1])
"""

import io
import itertools
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import BinaryIO, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from schemas.errors import InputError
from schemas.reasons import BROKEN_FILE, INVALID_UTF8
from transforms.batches import BATCH_BYTES, BATCH_ROWS, hex_digests
from transforms.measure.readers.columns import (
    STRINGS,
    ColumnMap,
    is_text,
    plain,
    plain_type,
    record_batches,
    utf8_fault,
    valid_text,
)
from transforms.measure.tally import Tally

_BUFFER_BYTES: Final = 1 << 20


class _DamageError(Exception):
    """The file or a row group cannot be read on; the message is the fault in words."""


_FAULTS: Final = (_DamageError, pa.ArrowException, OSError, UnicodeDecodeError)
"""What a damaged file raises; the last where a column name in its footer is not UTF-8."""


def read_parquet(
    stream: BinaryIO,
    source_file: str,
    tally: Tally,
    columns: ColumnMap,
    *,
    first_group: int = 0,
    last_group: int | None = None,
    carry_types: Mapping[str, pa.DataType] = MappingProxyType({}),
) -> Iterator[pa.RecordBatch]:
    """Yield batches of `RECORDS` and the carried columns from row groups [first_group, last_group).

    Positions are row numbers in the file, from 0. Carried columns have the types in `carry_types`; else their own,
    without dictionaries; string where the file has no such column. Fixed-size binary ids become hex.

    A row with a string that is not valid UTF-8 is one rejected row, INVALID_UTF8. From a damaged row group the rows
    before the damage are kept, and the rest is one rejected row, BROKEN_FILE, at the first row lost; so is a file that
    cannot be opened. Raises InputError if a column has a type that cannot be used.
    """
    try:
        file = _open(stream)
    except _FAULTS as error:
        fault = f"the file cannot be opened as Parquet: {_damage(error)}"
        tally.reject(source_file, 0, BROKEN_FILE, fault, size=stream.seek(0, io.SEEK_END))
        return
    check_parquet_types(file.schema_arrow, columns, source_file)
    fields = [pa.field(name, _carried_type(name, file.schema_arrow, carry_types)) for name in columns.carry]
    sizes = _group_sizes(file)
    first_rows = list(itertools.accumulate(sizes, initial=0))
    for group in range(file.num_row_groups)[first_group:last_group]:
        row = first_rows[group]
        try:
            for batch in _row_group(file, group, columns):
                yield from _records(batch, row, source_file, tally, columns, fields)
                row += len(batch)
        except _DamageError as damage:
            lost = first_rows[group + 1] - row
            fault = f"row group {group}: {lost} of its {sizes[group]} rows cannot be read: {damage}"
            tally.reject(source_file, row, BROKEN_FILE, fault)


def parquet_schema(stream: BinaryIO) -> pa.Schema:
    """Columns and types of the file, as they are carried: without dictionaries. Raises InputError if it is damaged."""
    try:
        schema = _open(stream).schema_arrow
    except _FAULTS as error:
        raise InputError(f"This is no Parquet file that can be opened: {_damage(error)}") from error
    return pa.schema(field.with_type(_carried_type(field.name, schema, {})) for field in schema)


def row_group_bytes(stream: BinaryIO, size: int) -> tuple[int, ...]:
    """About how many of the `size` bytes of the file each row group takes; none if the file cannot be opened."""
    try:
        metadata = _open(stream).metadata
    except _FAULTS as error:
        _damage(error)
        return ()
    # Unpacked sizes, as for those of single columns see `_row_group`.
    unpacked = [max(metadata.row_group(group).total_byte_size, 0) for group in range(metadata.num_row_groups)]
    return tuple(size * own // max(sum(unpacked), 1) for own in unpacked)


def check_parquet_types(schema: pa.Schema, columns: ColumnMap, source_file: str) -> None:
    """Raises InputError naming every mapped column of a type that cannot be used, its type and what is accepted."""
    faults = []
    for ours, theirs in columns.columns:
        if theirs not in schema.names or (ours != "record_id" and ours not in STRINGS):
            continue
        type_ = plain_type(schema.types[schema.names.index(theirs)])
        accepted = "string or binary" if ours in STRINGS else "any type that is not nested"
        if pa.types.is_nested(type_) if ours == "record_id" else not (is_text(type_) or pa.types.is_null(type_)):
            faults.append(f'  column "{theirs}", read as {ours}, is {type_}; accepted: {accepted}\n')
    if faults:
        raise InputError(
            f"{source_file} has columns of types that cannot be used:\n{''.join(faults)}"
            "Name other columns in crawl.columns, or convert these."
        )


def _open(stream: BinaryIO) -> pq.ParquetFile:
    stream.seek(0)
    file = pq.ParquetFile(stream, buffer_size=_BUFFER_BYTES, page_checksum_verification=True)
    rows, sizes = file.metadata.num_rows, _group_sizes(file)
    if min(sizes, default=0) < 0 or sum(sizes) != rows:
        counts = f"{rows} rows in all, {sum(sizes)} in its row groups, {min(sizes, default=0)} in the smallest"
        raise _DamageError(f"its footer contradicts itself: {counts}")
    return file


def _group_sizes(file: pq.ParquetFile) -> list[int]:
    return [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)]


def _damage(error: Exception) -> str:
    """The fault in words if the file is damaged; a fault of the storage is raised again, as it may pass.

    Arrow says OSError for damage too, but of that very class and without a number.
    """
    if isinstance(error, OSError) and (type(error) is not OSError or error.errno is not None):
        raise error
    return str(error)


def _carried_type(name: str, schema: pa.Schema, given: Mapping[str, pa.DataType]) -> pa.DataType:
    own = schema.types[schema.names.index(name)] if name in schema.names else pa.string()
    return given.get(name, own.value_type if pa.types.is_dictionary(own) else own)


def _row_group(file: pq.ParquetFile, group: int, columns: ColumnMap) -> Iterator[pa.RecordBatch]:
    """Rows of a group in batches of about `BATCH_BYTES`. Raises _DamageError after the last row before the damage."""
    metadata = file.metadata.row_group(group)
    # A name with a dot also finds the leaf of that path, which `_records` leaves aside.
    names = [key for key in columns.keys if key in file.schema_arrow.names]
    # Sizes of single columns would be better, but asking for them ends the process if their statistics are damaged.
    fitting = BATCH_BYTES * metadata.num_rows // max(metadata.total_byte_size, 1)
    done, fault = 0, ""
    for rows in (max(1, min(BATCH_ROWS, fitting)), 1):  # a batch that fails is lost whole, so again row by row
        position = 0
        try:
            for batch in file.iter_batches(rows, row_groups=[group], columns=names, use_threads=False):
                position += len(batch)
                if position > done:
                    done = position
                    yield batch
        except _FAULTS as error:
            fault = _damage(error)
        else:
            fault = "it ends early"
            break
    if done < metadata.num_rows:
        raise _DamageError(fault)


def _records(
    batch: pa.RecordBatch,
    first_row: int,
    source_file: str,
    tally: Tally,
    columns: ColumnMap,
    fields: Sequence[pa.Field],
) -> Iterator[pa.RecordBatch]:
    """The batch as `RECORDS`, without the rows that hold invalid UTF-8."""
    given = dict(zip(batch.schema.names, batch.columns, strict=True))
    mapped = {ours: plain(given[theirs]) for ours, theirs in columns.columns if theirs in given}
    carried = [_carried(given.get(field.name), field, len(batch), source_file) for field in fields]
    faults: dict[int, str] = {}
    for ours, theirs in columns.columns:
        if ours in mapped and (ours in STRINGS or ours == "record_id"):
            mapped[ours] = _strings(mapped[ours], theirs, faults)
    for field, array in zip(fields, carried, strict=True):
        if is_text(field.type) and field.type not in (pa.binary(), pa.large_binary(), pa.binary_view()):
            _strings(array, field.name, faults)
    for row, fault in sorted(faults.items()):
        known = {ours: mapped[ours][row].as_py() for ours in ("record_id", "url") if ours in mapped}
        tally.reject(source_file, first_row + row, INVALID_UTF8, fault, **known)
    good = np.ones(len(batch), np.bool_)
    good[list(faults)] = False
    positions = pa.array(first_row + np.flatnonzero(good))
    if faults:
        mapped = {ours: array.filter(pa.array(good)) for ours, array in mapped.items()}
        carried = [array.filter(pa.array(good)) for array in carried]
    yield from record_batches(source_file, positions, mapped, list(zip(fields, carried, strict=True)))


def _strings(array: pa.Array, name: str, faults: dict[int, str]) -> pa.Array:
    """The values as strings; rows that are not valid UTF-8 become null and go to `faults`, unless they are there."""
    if pa.types.is_fixed_size_binary(array.type):
        return hex_digests(array)
    if not is_text(array.type):
        return array.cast(pa.string())
    texts = valid_text(array)
    if texts.null_count > array.null_count:
        for row in np.flatnonzero(pc.and_(texts.is_null(), array.is_valid())):
            fault = utf8_fault(array[row].cast(pa.large_binary()).as_py())
            faults.setdefault(int(row), f'column "{name}" is not valid UTF-8: {fault}')
    return texts


def _carried(array: pa.Array | None, field: pa.Field, rows: int, source_file: str) -> pa.Array:
    """The array in the type of its field; nulls where there is none. Raises InputError."""
    if array is None:
        return pa.nulls(rows, field.type)
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    try:
        return array if array.type == field.type else array.cast(field.type)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise InputError(
            f'{source_file} has a column "{field.name}" of type {array.type} that cannot be carried as {field.type}, '
            f"the type it has elsewhere: {error}\nConvert the files to one type, or do not carry the column."
        ) from error
