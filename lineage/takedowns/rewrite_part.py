"""Rewrite a part: its ledger with some rows changed, and its texts without those that are out now."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from lineage.takedowns.count_changes import Counts, count_rows
from schemas.columns import QUARANTINE
from transforms.ledger_files import write_ledger
from transforms.part_store import file_facts, join, open_input, part_path
from transforms.publish.part_files import TEXTS, texts_writer

I64 = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

LEDGER: Final = "ledger"


@dataclass(frozen=True, eq=False)
class Revision:
    """What changes in a part."""

    rows: I64
    """Numbers of ledger rows, int64 of shape (rows,), ascending."""
    ledger: pa.Table
    """`LEDGER`, shape (rows,): what they become."""
    returned: pa.Table | None = None
    """Those that are kept now and were not before, in their order: `LEDGER` and `text`."""


@dataclass(frozen=True)
class Rewritten:
    """What became of a part."""

    files: dict[str, dict[str, Any] | None]
    """What the manifest says of its new files, by name; None for a quarantine that holds nothing any more."""
    less: Counts
    """What the rows that changed counted for before, and after."""
    more: Counts


def revise(ledger: pa.Table, revision: Revision) -> pa.Table:
    """The ledger of a part with what changes in place.

    >>> table = pa.table({"decision": ["keep", "keep", "drop"]})
    >>> revise(table, Revision(np.array([1]), pa.table({"decision": ["drop"]})))["decision"].to_pylist()
    ['keep', 'drop', 'drop']
    """
    index = np.arange(len(ledger))
    index[revision.rows] = len(ledger) + np.arange(len(revision.rows))
    return pa.concat_tables([ledger, revision.ledger]).combine_chunks().take(pa.array(index))


def rewrite_part(source: str, target: str, part: int, change: Callable[[pa.Table], Revision]) -> Rewritten:
    """Write the files of a part that change, from one dataset to another; `change` says what becomes of its ledger.

    Whoever is not kept or quarantined any more leaves `documents` or `quarantine`; whoever is kept again is inserted.
    """
    name = part_path(LEDGER, part, "parquet")
    with open_input(join(source, name)) as stream:
        before = pq.read_table(stream, use_threads=False)
    revision = change(before)
    after = revise(before, revision)
    write_ledger(join(target, name), after)
    files: dict[str, dict[str, Any] | None] = {name: _facts(join(target, name), len(after))}
    for decision, table in TEXTS.items():
        held, holds = (np.asarray(pc.equal(ledger["decision"], decision)) for ledger in (before, after))
        name = part_path(table.name, part, "parquet")
        if table is QUARANTINE and held.any() and not holds.any():
            files[name] = None
        elif (held != holds).any():
            _rewrite_texts(join(source, name), join(target, name), held, holds, revision.returned)
            files[name] = _facts(join(target, name), int(holds.sum()))
    return Rewritten(files, count_rows(before.take(pa.array(revision.rows))), count_rows(revision.ledger))


def _rewrite_texts(source: str, target: str, held: Flags, holds: Flags, returned: pa.Table | None) -> None:
    with open_input(source) as stream:
        file = pq.ParquetFile(stream)
        with texts_writer(target, file.schema_arrow) as writer:
            for group in _groups(file, held, holds, returned):
                writer.write(group)


def _facts(path: str, rows: int) -> dict[str, Any]:
    return {**file_facts(path), "rows": rows}


def _groups(file: pq.ParquetFile, held: Flags, holds: Flags, returned: pa.Table | None) -> Iterator[pa.Table]:
    """Row group by row group of a file of texts what it shall hold; `held` and `holds` say it of the ledger's rows."""
    rows, new = np.flatnonzero(held), np.flatnonzero(holds & ~held)
    inserted = file.schema_arrow.empty_table()
    if returned is not None and len(new):
        inserted = returned.select(inserted.column_names).cast(inserted.schema)
    done = placed = 0
    for number in range(file.num_row_groups):
        group = file.read_row_group(number, use_threads=False)
        mine = rows[done : done + len(group)]
        stop = int(np.searchsorted(new, mine[-1])) if len(mine) else placed
        stays = np.flatnonzero(holds[mine])
        order = np.argsort(np.concatenate([mine[stays], new[placed:stop]]))
        both = pa.concat_tables([group.take(pa.array(stays)), inserted[placed:stop]])
        yield both.take(pa.array(order))
        done, placed = done + len(group), stop
    yield inserted[placed:]
