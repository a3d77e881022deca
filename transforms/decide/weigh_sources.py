"""Weigh sources: what lists, markers, register and policy say of every document, before duplicates are looked for."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import apache_beam as beam
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from configs.policy import Policy
from configs.sources import REGISTER
from schemas import reasons
from schemas.columns import BASIS, TEXT
from transforms.decide.all_parts import AllParts
from transforms.decide.lists.load_lists import SourceLists
from transforms.decide.lists.match_lists import Match, SourceMatches
from transforms.decide.mark_signals import COLUMNS, mark_signals
from transforms.decide.markers import MarkerLists
from transforms.decide.marks import FLAT, Marks, count_values, flatten, marked_rows
from transforms.decide.publishers import PublisherLists
from transforms.decide.sources_register import Register
from transforms.part_store import Stage, file_size, read_arrow, write_arrow
from transforms.takedowns.match_selectors import NEEDED, SelectorIndex
from transforms.takedowns.store_takedowns import NUMBER
from transforms.tell_work import Work, work

I64 = npt.NDArray[np.int64]

WEIGHED: Final = pa.schema(
    [
        *(column.field() for column in BASIS),
        pa.field("priority", pa.int64(), False),
        pa.field("excluded", pa.bool_(), False),
        pa.field("tainting", pa.bool_(), False),
        pa.field("takedown", pa.int64(), False),
    ]
)
"""A row a document: its basis; the priority of its source; whether a mark drops or quarantines it, so that it cannot
survive; whether that is because it is pirated or listed, which taints what repeats it; and the number of the takedown
that asks for it and its copies, or -1."""
MARKS_SUFFIX: Final = "marks.arrow"
_SUFFIXES: Final = ("arrow", MARKS_SUFFIX)
_TAINTING: Final = (reasons.BLOCKLIST, reasons.PIRATED_MARKER)
_EXCLUDING: Final = (reasons.MARK_DROP, reasons.MARK_QUARANTINE)
_PLACE: Final = ("url", "url_host_name", "source_file")


@dataclass(frozen=True)
class SourceRules:
    """All that says what may be in: lists, register and policy."""

    lists: SourceLists
    markers: MarkerLists
    publishers: PublisherLists
    register: Register
    policy: Policy
    takedowns: SelectorIndex = field(default_factory=lambda: SelectorIndex.build(()))
    notes: tuple[str, ...] = ()
    """Warnings that do not come from the lists."""

    def digests(self) -> dict[str, str]:
        """SHA-256 of every list by its name, and of the register."""
        found = {one.name: one.sha256 for one in self.lists.references}
        found |= {one.name: one.sha256 for one in self.markers.lists}
        found |= {one.name: one.sha256 for one in self.publishers.lists}
        return found if self.register.sha256 is None else {**found, REGISTER: self.register.sha256}

    def facts(self) -> list[dict[str, Any]]:
        """What the manifest says of every list."""
        others = {"markers": self.markers.facts(), "publishers": self.publishers.facts()}
        return [*self.lists.facts(), *({"kind": kind, **one} for kind, facts in others.items() for one in facts)]

    def warnings(self) -> list[str]:
        """What the user should be told before the work starts."""
        return [*self.lists.warnings(), *self.notes]

    def weigh(self, table: pa.Table, texts: Iterable[pa.Array]) -> tuple[pa.Table, pa.Table]:
        """Rows of `WEIGHED` and marks (`FLAT`) of some documents.

        `table` has their measured columns `needed_columns`; `texts`, their texts in pieces, is asked for only where
        markers are looked for.
        """
        url, host, file = (table[name].combine_chunks() for name in _PLACE)
        registered = self.register.match(host, url, file)
        taken, takedown = self.takedowns.mark(table)
        marks = flatten(
            [
                taken,
                *_mark_lists(self.lists.match(host, url), self.policy),
                *self._mark_texts(texts),
                *mark_signals(table, registered.basis, self.policy, self.publishers),
            ]
        )
        columns: dict[str, Any] = {
            "rights_basis": registered.basis,
            "rights_reference": registered.reference,
            "priority": registered.priority,
            "excluded": marked_rows(marks, len(table), _EXCLUDING),
            "tainting": marked_rows(marks, len(table), _EXCLUDING, _TAINTING),
            "takedown": takedown,
        }
        return pa.table(columns, schema=WEIGHED), marks

    def _mark_texts(self, texts: Iterable[pa.Array]) -> Iterator[Marks]:
        actions = [self.policy.marker(listed.category) for listed in self.markers.lists]
        if all(action == reasons.KEEP for action in actions):
            return
        start = 0
        for text in texts:
            found = self.markers.search(text)
            for number, (listed, action) in enumerate(zip(self.markers.lists, actions, strict=True)):
                if action != reasons.KEEP:
                    hits = found.filter(pa.array(found["list"].to_numpy() == number)).combine_chunks()
                    yield _mark_hits(listed.name, listed.sha256, listed.category, action, hits, start)
            start += len(text)


def needed_columns() -> list[str]:
    """Measured columns, the text aside, that `SourceRules.weigh` needs."""
    return list(dict.fromkeys([*_PLACE, *COLUMNS, *NEEDED]))


def weigh_taken(takedown: pa.ChunkedArray) -> pa.Table:
    """Rows of `WEIGHED` of what takedowns took, each with the number of its takedown."""
    standing = {"rights_basis": reasons.CRAWL, "priority": 0, "excluded": True, "tainting": False}
    columns = [
        takedown if name == "takedown" else pa.repeat(pa.scalar(standing.get(name), kind), len(takedown))
        for name, kind in zip(WEIGHED.names, WEIGHED.types, strict=True)
    ]
    return pa.table(columns, schema=WEIGHED)


def _mark_hits(name: str, sha256: str, category: str, action: str, hits: pa.Table, start: int) -> Marks:
    fields: dict[str, Any] = {"list": name, "list_sha256": sha256, "category": category, "source": TEXT.name}
    fields |= {column: hits[column].combine_chunks() for column in ("line", "matched", "start", "end")}
    return Marks(reasons.PIRATED_MARKER, action, hits["row"].to_numpy() + start, fields)


def _mark_lists(found: SourceMatches, policy: Policy) -> Iterator[Marks]:
    for match in found.blocks:
        if (action := policy.category(match.category)) != reasons.KEEP:
            yield _mark_entries(reasons.BLOCKLIST, action, match, ~match.excused)
            # An exception beats the list: what the list said is recorded all the same.
            yield _mark_entries(reasons.BLOCKLIST, reasons.MARK_FLAG, match, match.excused)
    for match in found.allows:
        yield _mark_entries(reasons.ALLOWED, reasons.MARK_FLAG, match, np.ones(len(match.rows), np.bool_))


def _mark_entries(rule: str, action: str, match: Match, chosen: npt.NDArray[np.bool_]) -> Marks:
    fields = {
        "list": match.list,
        "list_sha256": match.sha256,
        "category": match.category,
        "file": match.file,
        "line": pa.array(match.lines[chosen]),
        "matched": match.matched.filter(pa.array(chosen)),
    }
    return Marks(rule, action, match.rows[chosen], {name: value for name, value in fields.items() if value is not None})


class _Weigh(beam.DoFn):
    def __init__(self, parts: AllParts, weighed: Stage, rules: SourceRules):
        self.parts, self.weighed, self.rules = parts, weighed, rules

    def process(self, part: tuple[int, Iterable[int]]) -> None:
        number = part[0]
        with work("weigh", "part", number) as done:
            if number >= self.parts.documents:
                table = self.parts.read(number, [NUMBER])
                self._write(number, weigh_taken(table[NUMBER]), FLAT.empty_table(), done)
            else:
                table = self.parts.read(number, needed_columns())
                # What an earlier store holds was searched when it was decided, and its texts are many.
                texts = self.parts.own_texts(number) if number < self.parts.own else ()
                self._write(number, *self.rules.weigh(table, texts), done)
            done.count(bytes_read=table.nbytes)

    def _write(self, number: int, weighed: pa.Table, marks: pa.Table, done: Work) -> None:
        write_arrow(self.weighed.path(number, "arrow"), weighed)
        write_arrow(self.weighed.path(number, MARKS_SUFFIX), marks)
        self.weighed.finish(number, {"records": len(weighed)}, _SUFFIXES)
        done.count(
            records=len(weighed),
            excluded=pc.sum(weighed["excluded"]).as_py() or 0,
            bytes_written=sum(file_size(self.weighed.path(number, suffix)) or 0 for suffix in _SUFFIXES),
        )
        done.count_each("marks", count_values(marks["rule"]))


class WeighSources(beam.PTransform):
    """From part numbers to two files each: rows of `WEIGHED`, and marks."""

    def __init__(self, parts: AllParts, weighed: Stage, rules: SourceRules):
        super().__init__()
        self.weigh = _Weigh(parts, weighed, rules)

    def expand(self, parts: beam.PCollection) -> beam.PCollection:
        return parts | "Weigh" >> beam.ParDo(self.weigh).with_output_types(int)


def read_weighed(weighed: Stage, number: int, columns: Sequence[str]) -> pa.Table:
    """Some columns of `WEIGHED` of all documents of a part."""
    return read_arrow(weighed.path(number, "arrow")).select(columns)


def read_marks(weighed: Stage, number: int) -> pa.Table:
    """The marks (`FLAT`) that weighing gave the documents of a part."""
    return read_arrow(weighed.path(number, MARKS_SUFFIX))
