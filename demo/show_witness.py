"""Show why one page was dropped: its row of the ledger beside the surviving page that it repeats.

    python -m demo.show_witness demo/dataset

A dataset is plain Parquet: this needs pyarrow and the names of the columns, nothing else of the framework.
"""

import sys
import textwrap
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from schemas.errors import CleartitleError, InputError, UsageError
from schemas.reasons import EXACT_DUPLICATE, NEAR_DUPLICATE

WITNESS_FIELDS = ("doc_id", "url", "fetch_time", "text_bytes", "decision")
NAME_WIDTH, CELL_WIDTH = 26, 35
"""Characters; three cells and the gaps between them fit 100 columns."""

Row = dict[str, Any]


def find_pair(dataset: Path) -> tuple[Row, Row]:
    """The ledger rows of a dropped page and of its witness.

    The page is the first by `doc_id` of those dropped as near duplicates, or else as exact ones. Raises InputError if
    there is no such page, or no row of its witness.
    """
    ledger = dataset / "ledger"
    if not ledger.is_dir():
        raise InputError(f"{dataset} is no dataset: it has no folder 'ledger'. Make one first: make demo")
    for reason in (NEAR_DUPLICATE, EXACT_DUPLICATE):
        dropped = _rows(ledger, "reason", reason)
        if dropped:
            break
    else:
        raise InputError(f"No page of {dataset} was dropped as a duplicate, so there is no witness to show.")
    page = min(dropped, key=lambda row: str(row["doc_id"]))
    witnesses = _rows(ledger, "doc_id", page["duplicate_of"])
    if not witnesses:
        raise InputError(
            f"Page {page['doc_id']} of {dataset} is a duplicate of {page['duplicate_of']}, which has no row in this "
            "ledger. Is a part of it missing? cleartitle verify tells."
        )
    return page, witnesses[0]


def _rows(ledger: Path, column: str, value: str) -> list[Row]:
    table: pa.Table = pq.read_table(ledger, filters=[(column, "==", value)])
    return list(table.to_pylist())


def format_pair(page: Row, witness: Row) -> str:
    """The two rows side by side, field by field, nulls left out; at most 100 columns wide."""
    shown = {name: witness[name] for name in WITNESS_FIELDS}
    lines = [_line("", "dropped", "its witness"), _line("", "-" * CELL_WIDTH, "-" * CELL_WIDTH)]
    for name, value in page.items():
        if value is None and shown.get(name) is None:
            continue
        cells = (textwrap.wrap(_text(row.get(name)), CELL_WIDTH) for row in (page, shown))
        for index, (left, right) in enumerate(zip_longest(*cells, fillvalue="")):
            lines.append(_line("" if index else name, left, right))
    return "\n".join(lines)


def _line(name: str, left: str, right: str) -> str:
    return f"{name:{NAME_WIDTH}}  {left:{CELL_WIDTH}}  {right}".rstrip()


def _text(value: Any) -> str:
    """A value in words.

    >>> _text([{"rule": "near_duplicate", "action": "drop", "line": None, "value": 0.93}])
    'rule near_duplicate, action drop, value 0.93'
    """
    match value:
        case None:
            return ""
        case float():
            return f"{value:.4g}"
        case datetime():
            return value.isoformat()
        case Mapping():
            return ", ".join(f"{key} {_text(item)}" for key, item in value.items() if item is not None)
        case list():
            return "; ".join(_text(item) for item in value)
        case _:
            return str(value)


def main(argv: Sequence[str]) -> int:
    """Run the command; returns its exit code."""
    try:
        if len(argv) != 1:
            raise UsageError("Say which dataset: python -m demo.show_witness DATASET")
        print(format_pair(*find_pair(Path(argv[0]))))
    except CleartitleError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
