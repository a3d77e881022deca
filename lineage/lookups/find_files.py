"""Lookup files: ledger rows of crawl files, or of the records at given offsets of them."""

from collections.abc import Iterable, Sequence
from posixpath import basename
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lineage.catalog import PLACES, Dataset
from lineage.lookups.query_values import Wanted
from transforms.publish.index_keys import place_of

_SOURCE: Final = ("source_file", "source_position")
_WARC: Final = ("warc_filename", "warc_record_offset")
_MEANT: Final = pa.schema(
    [pa.field("file", pa.string()), pa.field("offset", pa.int64()), pa.field("query", pa.int32(), False)]
)
"""A file by its name in the ledger, and a query that means it, or with an offset a record of it."""


def find_files(dataset: Dataset, wanted: Wanted) -> pa.Table:
    """Rows (`PLACES`, in no order, some perhaps twice) of files, or of the records at their offsets.

    A file is meant by its name in the ledger, by a path that ends in that name, or by an end of that name, cut at a
    slash. It is the file that was read, or the WARC file that a row of a table names as its own. Where a record lies is
    in the index; other rows are found by reading these columns of the parts that the plan says may hold them.
    """
    asked = _Asked(wanted)
    plan = dataset.manifest["plan"]
    meant = asked.meant(file["name"] for file in plan["files"])
    read = set(meant.filter(meant["offset"].is_null())["file"].to_pylist())
    if dataset.manifest["config"]["crawl"]["columns"]["warc_filename"]:
        read |= {file["name"] for file in plan["files"] if file["format"] != "warc"}
    scanned = [
        _scan(dataset, part, asked, meant)
        for part, pieces in enumerate(plan["parts"])
        if any(name in read for name, _, _ in pieces)
    ]
    return pa.concat_tables([_find_records(dataset, meant.filter(meant["offset"].is_valid())), *scanned])


class _Asked:
    """Which files queries mean."""

    def __init__(self, wanted: Wanted):
        columns = wanted.values.to_pylist(), wanted.offsets.to_pylist(), wanted.queries.tolist()
        self._queries = list(zip(*columns, strict=True))

    def meant(self, names: Iterable[str]) -> pa.Table:
        """Those of the names that are meant (`_MEANT`), a row for each query."""
        by_end: dict[str, list[str]] = {}
        for name in names:
            by_end.setdefault(basename(name), []).append(name)
        rows = [
            (name, offset, query)
            for file, offset, query in self._queries
            for name in _meant(file, by_end.get(basename(file), []))
        ]
        columns = zip(*rows, strict=True) if rows else ([], [], [])
        return pa.table([pa.array(column, field.type) for column, field in zip(columns, _MEANT, strict=True)], _MEANT)


def _meant(file: str, names: Sequence[str]) -> list[str]:
    """Of some names in the ledger that end alike those that a file is meant by.

    >>> _meant("a.gz", ["x/a.gz", "y/a.gz"]), _meant("x/a.gz", ["a.gz", "x/a.gz"]), _meant("/crawl/x/a.gz", ["a.gz"])
    (['x/a.gz', 'y/a.gz'], ['x/a.gz'], ['a.gz'])
    """
    if file in names:
        return [file]
    behind = [name for name in names if f"/{file}".endswith(f"/{name}")]
    return [name for name in names if name.endswith(f"/{file}")] + sorted(behind, key=len)[-1:]


def _find_records(dataset: Dataset, meant: pa.Table) -> pa.Table:
    """Rows by the index: records at offsets of files that were read."""
    sought = place_of(meant["file"].combine_chunks(), meant["offset"].combine_chunks())
    found = dataset.find("place", sought.to_pylist())
    rows = dataset.ledger(found, _SOURCE)
    there = place_of(*(rows[name].combine_chunks() for name in _SOURCE))
    asked = found["query"].combine_chunks()
    found = found.set_column(0, "query", meant["query"].take(asked))
    return found.filter(pc.equal(there, sought.take(asked))).cast(PLACES)


def _scan(dataset: Dataset, part: int, asked: _Asked, sources: pa.Table) -> pa.Table:
    """Rows of a part by reading it. `sources` are files of the plan that are meant; rows may name others."""
    ledger = dataset.read("ledger", part, [*_SOURCE, *_WARC])
    number, row = np.full(len(ledger), part, np.int32), np.arange(len(ledger), dtype=np.int32)
    planned = {file["name"] for file in dataset.manifest["plan"]["files"]}
    named = [name for name in pc.unique(ledger["warc_filename"]).drop_null().to_pylist() if name not in planned]
    found = []
    for columns, meant in ((_SOURCE, sources), (_WARC, asked.meant(named))):
        rows = pa.table([*ledger.select(columns).columns, number, row], [*_MEANT.names[:2], *PLACES.names[1:]])
        whole, single = (meant.filter(which) for which in (meant["offset"].is_null(), meant["offset"].is_valid()))
        found.append(rows.join(whole.drop("offset"), "file", join_type="inner"))
        found.append(rows.join(single, ["file", "offset"], join_type="inner"))
    return pa.concat_tables([one.select(PLACES.names).cast(PLACES) for one in found])
