"""Match selectors: which documents the takedowns of the config name, and by what.

>>> asked = Asked("a" * 16, "a" * 64, Selectors(domains=("pirate.example",), isbns=("978-0-13-468599-1",)), None)
>>> table = pa.table({
...     "doc_id": pa.nulls(2, DIGEST),
...     "url_digest": pa.nulls(2, DIGEST),
...     "url_host_name": ["www.pirate.example", "other.example"],
...     "text_digest": pa.nulls(2, DIGEST),
...     "isbns": pa.array([[], [{"value": "9780134685991"}]], pa.list_(pa.struct({"value": pa.string()}))),
... })
>>> marks, spreading = SelectorIndex.build([asked]).mark(table)
>>> marks.rows.tolist(), marks.fields["matched"].to_pylist()
([0, 1], ['pirate.example', '978-0-13-468599-1'])
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from configs.takedown import SELECTORS, Selectors
from schemas import reasons
from schemas.columns import DIGEST
from transforms.decide.marks import Marks
from transforms.takedowns.normal_selectors import normal_selectors
from transforms.urls import url_columns

I64 = npt.NDArray[np.int64]

NONE: Final = -1
_COLUMNS: Final = {
    "urls": "url_digest",
    "domains": "url_host_name",
    "isbns": "isbns",
    "doc_ids": "doc_id",
    "texts": "text_digest",
}
NEEDED: Final = tuple(_COLUMNS.values())
"""Measured columns that selectors are matched against."""
_SELECTORS: Final = pa.schema(
    {"takedown": pa.int64(), "category": pa.string(), "written": pa.string(), "key": pa.binary()}
)


@dataclass(frozen=True, eq=False)
class Asked:
    """What one takedown asks for."""

    id: str
    sha256: str
    selectors: Selectors
    limit: float | None
    """Similarity from which copies of what it names go too; None where they do not."""
    text_digests: pa.Array = field(default_factory=lambda: pa.array([], DIGEST))
    """`text_digest` of each of its texts."""
    text_names: tuple[str, ...] = ()
    """How marks name each of them."""
    content: str = ""
    """SHA-256, in hex, of all that it does to a build: its request, and the evidence of its certificate."""


@dataclass(frozen=True, eq=False)
class _Kind:
    """The selectors of one kind: key k is that of `selectors[starts[k]:starts[k + 1]]`."""

    keys: pa.Array
    """binary, distinct: digests, ISBNs of 13 digits, domains"""
    starts: I64
    selectors: I64

    @classmethod
    def build(cls, keys: pa.Array, selectors: I64) -> "_Kind":
        """From the key of each of some selectors."""
        encoded = keys.dictionary_encode()
        codes = np.asarray(encoded.indices)
        order = np.argsort(codes, kind="stable")
        starts = np.searchsorted(codes[order], np.arange(len(encoded.dictionary) + 1))
        return cls(encoded.dictionary, starts, selectors[order])

    def find(self, values: pa.Array) -> tuple[I64, I64]:
        """Places of the values that are keys, and selectors: a place once for each selector with its key."""
        key = np.asarray(pc.fill_null(pc.index_in(values.cast(pa.binary()), self.keys, skip_nulls=True), NONE))
        places = np.flatnonzero(key != NONE)
        first, count = self.starts[key[places]], np.diff(self.starts)[key[places]]
        within = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
        return np.repeat(places, count), self.selectors[np.repeat(first, count) + within]

    def find_hosts(self, hosts: pa.Array) -> tuple[I64, I64]:
        """The same for hosts that are one of the domains or lie beneath it."""
        found = []
        for dots in np.unique(np.asarray(pc.count_substring(self.keys.cast(pa.string()), "."))):
            ends = pc.extract_regex(hosts, rf"(?:^|\.)(?P<end>(?:[^.]+\.){{{dots}}}[^.]+)$")
            found.append(self.find(pc.struct_field(ends, "end")))
        return _join(found)

    def find_listed(self, lists: pa.Array) -> tuple[I64, I64]:
        """The same for lists that hold a key, as `value`."""
        places, selectors = self.find(pc.struct_field(lists.flatten(), "value"))
        return np.asarray(pc.list_parent_indices(lists)).astype(np.int64)[places], selectors


@dataclass(frozen=True, eq=False)
class SelectorIndex:
    """The selectors of all takedowns by their keys; it can be pickled.

    Selectors are numbered by takedown, kind and how they are written, so that their order in a request means nothing.
    """

    takedowns: tuple[Asked, ...]
    kinds: dict[str, _Kind]
    takedown: I64
    """int64, shape (selectors,): number of the takedown"""
    category: pa.Array
    """string, shape (selectors,)"""
    written: pa.Array
    """string, shape (selectors,)"""

    @classmethod
    def build(cls, takedowns: Sequence[Asked]) -> "SelectorIndex":
        """The index of what some takedowns ask for."""
        tables = [_SELECTORS.empty_table(), *(_selectors(number, one) for number, one in enumerate(takedowns))]
        table = pa.concat_tables(tables).combine_chunks()
        number, category, written, key = (_column(table, name) for name in _SELECTORS.names)
        kinds = {}
        for kind in SELECTORS:
            mine = np.flatnonzero(np.asarray(pc.equal(category, kind)))
            if len(mine):
                kinds[kind] = _Kind.build(key.take(pa.array(mine)), mine)
        return cls(tuple(takedowns), kinds, np.asarray(number), category, written)

    def mark(self, table: pa.Table) -> tuple[Marks, I64]:
        """Marks on what is named, and for each row the takedown that asks for its copies too: int64, or `NONE`.

        `table` has the columns `NEEDED`. A row has one mark of each takedown, by its first selector that fits. Of
        several takedowns that ask for copies of a row that one counts which asks for the least similarity.
        """
        rows, selectors = _join([self._find(kind, table) for kind in self.kinds])
        # Selectors ascend by takedown: of a row and a takedown the least is the first that fits.
        order = np.lexsort([selectors, rows])
        _, first = np.unique(np.stack([rows, self.takedown[selectors]])[:, order], axis=1, return_index=True)
        rows, selectors = rows[order[first]], selectors[order[first]]
        return self._marks(rows, selectors), self._spreading(rows, self.takedown[selectors], len(table))

    def _find(self, kind: str, table: pa.Table) -> tuple[I64, I64]:
        index, column = self.kinds[kind], _column(table, _COLUMNS[kind])
        match kind:
            case "domains":
                return index.find_hosts(column)
            case "isbns":
                return index.find_listed(column)
            case _:
                return index.find(column)

    def _marks(self, rows: I64, selectors: I64) -> Marks:
        number, at = pa.array(self.takedown[selectors]), pa.array(selectors)
        fields = {
            "list": pa.array([one.id for one in self.takedowns], pa.string()).take(number),
            "list_sha256": pa.array([one.sha256 for one in self.takedowns], pa.string()).take(number),
            "category": self.category.take(at),
            "matched": self.written.take(at),
        }
        return Marks(reasons.TAKEDOWN, reasons.MARK_DROP, rows, fields)

    def _spreading(self, rows: I64, takedown: I64, count: int) -> I64:
        limit = np.array([np.nan if one.limit is None else one.limit for one in self.takedowns], np.float64)[takedown]
        order = np.lexsort([takedown, limit])
        order = order[~np.isnan(limit[order])][::-1]  # who is written last counts
        found = np.full(count, NONE, np.int64)
        found[rows[order]] = takedown[order]
        return found


def _selectors(number: int, asked: Asked) -> pa.Table:
    """What one takedown names, in the schema `_SELECTORS`; by kind, then as it is written."""
    normal = normal_selectors(asked.selectors)
    keys = {
        **normal,
        "urls": url_columns(pa.array(asked.selectors.urls, pa.string()))["url_digest"],
        "doc_ids": pa.array([bytes.fromhex(one) for one in asked.selectors.doc_ids], DIGEST),
        "texts": asked.text_digests,
    }
    tables = []
    for kind in SELECTORS:
        written = asked.text_names if kind == "texts" else getattr(asked.selectors, kind)
        columns = [[number] * len(written), [kind] * len(written), written, keys[kind].cast(pa.binary())]
        tables.append(pa.table([pa.array(c, t) for c, t in zip(columns, _SELECTORS.types, strict=True)], _SELECTORS))
    return pa.concat_tables([table.sort_by("written") for table in tables])


def _join(found: Sequence[tuple[I64, I64]]) -> tuple[I64, I64]:
    nothing = np.empty(0, np.int64)
    return np.concatenate([nothing, *(a for a, _ in found)]), np.concatenate([nothing, *(b for _, b in found)])


def _column(table: pa.Table, name: str) -> pa.Array:
    return table[name].combine_chunks()
