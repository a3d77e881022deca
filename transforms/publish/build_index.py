"""Build the index: each part leaves its keys sorted, and ranges of the keys of all parts are merged to sorted files.

A range of keys is read from each part's file through the statistics of its row groups, so that memory holds one range.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from schemas.columns import INDEX_KEYS, INDEX_URLS
from transforms.kernels.radix_sort import sort_keys
from transforms.part_store import Stage, open_input, write_file
from transforms.publish.index_keys import KEY_BITS, part_keys


class Index(NamedTuple):
    """How one index is cut and written."""

    name: str
    """of its folder, and of its runs"""
    column: str
    """that it is sorted by first"""
    file_rows: int
    group_rows: int
    sample_rows: int
    """One of so many values of a run says where files may begin."""
    writing: Mapping[str, Any]


INDEXES: Final = (
    Index(INDEX_KEYS.name, "key", 4 << 20, 64 << 10, 64 << 10, {"compression": "none"}),
    Index(INDEX_URLS.name, "url_surtkey", 1 << 20, 16 << 10, 8 << 10, {"compression": "zstd"}),
)
_ENCODINGS: Final = {
    "key": "DELTA_BINARY_PACKED",
    "url_surtkey": "DELTA_BYTE_ARRAY",
    "row": "DELTA_BINARY_PACKED",
}


class Range(NamedTuple):
    """What one file of an index holds: values from `lower` on (None: the first) and below `upper` (None: all)."""

    table: int
    """Number of the index."""
    file: int
    lower: Any
    upper: Any


def run_suffix(index: Index) -> str:
    """What a part's run of an index is called, behind the part's number."""
    return f"{index.name}.parquet"


def write_runs(stage: Stage, number: int, ledger: pa.Table, fingerprints: pa.Table) -> dict[str, Any]:
    """Write the sorted keys and URLs of a part; return, by index, their number and samples of them."""
    keys, rows = part_keys(ledger, fingerprints)
    urls = ledger["url_surtkey"].combine_chunks()
    order = pc.array_sort_indices(urls)[: len(urls) - urls.null_count]  # stable, null last
    runs = ([pa.array(keys), pa.array(rows)], [urls.take(order), order.cast(pa.int32())])
    facts = {}
    for index, columns in zip(INDEXES, runs, strict=True):
        run = pa.table(columns, names=[index.column, "row"])
        with write_file(stage.path(number, run_suffix(index))) as file:
            pq.write_table(run, file, compression="none", use_dictionary=False, row_group_size=index.group_rows)
        samples = run[index.column].take(pa.array(np.arange(0, len(run), index.sample_rows)))
        facts[index.name] = {"rows": len(run), "samples": samples.to_pylist()}
    return facts


def plan_ranges(facts: Iterable[Mapping[str, Any]]) -> list[Range]:
    """The files of all indexes, from what `write_runs` said of each part: each index by itself, in its order."""
    found = list(facts)
    ranges = []
    for number, index in enumerate(INDEXES):
        samples = sorted(value for part in found for value in part[index.name]["samples"])
        count = -(-sum(part[index.name]["rows"] for part in found) // index.file_rows)
        bounds = sorted({samples[len(samples) * i // count] for i in range(1, count)} - set(samples[:1]))
        if count:
            ranges += [Range(number, file, *pair) for file, pair in enumerate(pairwise([None, *bounds, None]))]
    return ranges


def merge_range(stage: Stage, parts: Sequence[int], wanted: Range) -> pa.Table:
    """Rows of one file of an index: those of its range in the runs of all `parts`, sorted."""
    index = INDEXES[wanted.table]
    pieces = []
    for part in parts:
        run = _read_range(stage.path(part, run_suffix(index)), index, wanted)
        pieces.append(run.add_column(1, "part", pa.repeat(pa.scalar(part, pa.int32()), len(run))))
    table = pa.concat_tables(pieces).combine_chunks()
    if index.name == INDEX_URLS.name:
        return table.take(pc.sort_indices(table["url_surtkey"].combine_chunks())).cast(INDEX_URLS.schema())
    part, row = (table[name].to_numpy().astype(np.int64) for name in ("part", "row"))
    keys, places = sort_keys(table["key"].to_numpy(), part << 32 | row, KEY_BITS)
    columns = [keys, (places >> 32).astype(np.int32), places.astype(np.int32)]
    return pa.table([pa.array(column) for column in columns], schema=INDEX_KEYS.schema())


def _read_range(path: str, index: Index, wanted: Range) -> pa.Table:
    with open_input(path) as stream:
        file = pq.ParquetFile(stream)
        groups = [n for n in range(file.num_row_groups) if _meets(file.metadata.row_group(n).column(0), wanted)]
        run = file.read_row_groups(groups, use_threads=False)
    for bound, holds in ((wanted.lower, pc.greater_equal), (wanted.upper, pc.less)):
        if bound is not None:
            run = run.filter(holds(run[index.column], bound))
    return run


def _meets(column: Any, wanted: Range) -> bool:
    found = column.statistics
    if found is None or not found.has_min_max:  # of values that are very long
        return True
    return (wanted.upper is None or found.min < wanted.upper) and (wanted.lower is None or found.max >= wanted.lower)


def write_index(path: str, table: pa.Table, index: Index) -> None:
    """Write a file of an index, whole or not at all."""
    encodings = {name: _ENCODINGS[name] for name in table.column_names if name in _ENCODINGS}
    with write_file(path) as file:
        pq.write_table(
            table,
            file,
            use_dictionary=["part"],
            column_encoding=encodings,
            row_group_size=index.group_rows,
            **index.writing,
        )
