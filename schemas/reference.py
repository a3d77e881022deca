"""Writes `docs/columns.md`, the reference of tables and vocabularies: `python -m schemas.reference`.

>>> print(markdown_table(["key", "meaning"], [["a", "one | two"]]))
| key | meaning |
| --- | --- |
| a | one \\| two |
"""

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import pyarrow as pa

from schemas.columns import TABLES, Table
from schemas.reasons import DUPLICATE_KINDS, NOT_DOCUMENTS, REJECTIONS, RULES
from schemas.signals import SOURCES
from schemas.structs import FINDING, MARK, MARK_MEANINGS, NOTICE, PAGE_SIGNAL, RESERVATION

_INTRODUCTION: Final = """# Tables and vocabularies

Written by `python -m schemas.reference`; change `schemas/columns.py`, `structs.py`, `reasons.py` or `signals.py`, then
run it again.
Types are Arrow's; `null` says whether a value may be missing.
"""

_STRUCTS: Final = {
    "mark": MARK,
    "finding": FINDING,
    "notice": NOTICE,
    "reservation": RESERVATION,
    "signal": PAGE_SIGNAL,
}
"""What lists hold, by the name that it has in the tables."""


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table without a newline at its end; bars are escaped, and line breaks become spaces."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def reference() -> str:
    """The whole of `docs/columns.md`."""
    return "\n".join(
        [
            _INTRODUCTION,
            *(_table(table) for table in TABLES),
            _marks(),
            _structs(),
            _vocabulary("Sources of signals", "`source` of marks and signals: where they were read.", SOURCES),
            _vocabulary("Reasons", "`reason` in the ledger, in the order of the rules.", RULES),
            _vocabulary("Duplicate kinds", "`duplicate_kind` in the ledger.", DUPLICATE_KINDS),
            _vocabulary("Rejections", "`reason` in the rejected table.", REJECTIONS),
            _vocabulary("Not documents", "Records that were read, counted and left out by their kind.", NOT_DOCUMENTS),
        ]
    )


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _table(table: Table) -> str:
    rows = [[f"`{c.name}`", _type(c.type), "yes" if c.nullable else "no", c.meaning] for c in table.columns]
    return _section(f"`{table.name}`", table.meaning, ["column", "type", "null", "meaning"], rows)


def _marks() -> str:
    rows = [[f"`{f.name}`", _type(f.type), "yes" if f.nullable else "no", MARK_MEANINGS[f.name]] for f in MARK]
    return _section("Marks", "One entry of `marks` in the ledger.", ["field", "type", "null", "meaning"], rows)


def _structs() -> str:
    fields = [
        [f"`{name}`", f"`{field.name}`", _type(field.type), "yes" if field.nullable else "no"]
        for name, struct in _STRUCTS.items()
        if struct != MARK
        for field in struct
    ]
    meaning = "What lists of signals hold; the columns say what it means there."
    return _section("Signals", meaning, ["of", "field", "type", "null"], fields)


def _vocabulary(title: str, meaning: str, words: Mapping[str, str]) -> str:
    return _section(title, meaning, ["word", "meaning"], [[f"`{word}`", text] for word, text in words.items()])


def _section(title: str, meaning: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return f"## {title}\n\n{meaning}\n\n{markdown_table(header, rows)}\n"


def _type(kind: pa.DataType) -> str:
    named = (f"list of {name}s" for name, struct in _STRUCTS.items() if kind == pa.list_(struct))
    return next(named, f"`{kind}`")


if __name__ == "__main__":
    sys.stdout.write(reference())
