"""Settle decisions: all marks of a part together give each row one decision, and the part its ledger."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from schemas import reasons
from schemas.columns import BASIS, LEDGER, LINEAGE, RECORD_ID, REPLACED, RIGHTS
from transforms.batches import hex_digests
from transforms.decide.all_parts import OWN, AllParts
from transforms.decide.duplicate_rules import DuplicateRules
from transforms.decide.judge_members import VERDICTS
from transforms.decide.mark_duplicates import JudgePass
from transforms.decide.marks import Marks, count_marks, count_values, flatten, list_marks, settle_marks, takedown_ids
from transforms.decide.weigh_sources import read_marks, read_weighed
from transforms.ledger_files import write_ledger
from transforms.part_store import Stage, exists, file_size, part_path, read_arrow, write_file
from transforms.takedowns.mark_copies import mark_copies
from transforms.takedowns.match_selectors import Asked
from transforms.tell_work import Work, work

REPLACED_SUFFIX: Final = "replaced.parquet"
"""Of the file that lists the documents of a part of an earlier store that are replaced."""
_KINDS: Final = {reasons.URL: "same_url", reasons.EXACT: "exact", reasons.NEAR: "near"}
_RIGHTS: Final = [column.name for column in RIGHTS]
_BASIS: Final = [column.name for column in BASIS]
NARROW = ["doc_id", RECORD_ID.name, *(column.name for column in LINEAGE), "text_bytes", "text_digest", *_RIGHTS]
"""Measured columns that go to the ledger."""


class Settings(NamedTuple):
    """What settling must know beside the marks."""

    rules: DuplicateRules
    stores: tuple[str, ...]
    """Names of the earlier stores."""
    build_id: str
    takedowns: tuple[Asked, ...] = ()


def all_marks(
    table: pa.Table, weighed: pa.Table, sources: pa.Table, verdicts: pa.Table, settings: Settings
) -> pa.Table:
    """Every rule's marks on the rows of a part, in the schema `FLAT`.

    `table` has the columns `NARROW` and `weighed` those of `BASIS` of all rows; `sources` are the marks that weighing
    gave them, and `verdicts` (`VERDICTS`) speak of some.
    """
    rules = settings.rules
    empty = np.flatnonzero(np.asarray(table["text_digest"].is_null()))
    duplicate = reasons.MARK_FLAG if rules.duplicates == "flag" else reasons.MARK_DROP
    bounded = verdicts.filter(verdicts["bounded"])["row"].to_numpy().astype(np.int64)

    def witnessed(rule: str, action: str, kind: str, similarity: pa.Array | None) -> Marks:
        return _witnessed(Marks(rule, action, np.empty(0, np.int64)), verdicts, kind, similarity, settings)

    by_takedown = pc.equal(sources["rule"], reasons.TAKEDOWN)
    taint = witnessed(reasons.TAINT, reasons.MARK_FLAG, "taint", _column(verdicts, "taint_similarity"))
    return flatten(
        [
            sources.filter(by_takedown),
            mark_copies(verdicts, settings.takedowns, settings.stores, rules.signature),
            Marks(reasons.EMPTY_TEXT, reasons.MARK_DROP, empty),
            sources.filter(pc.invert(by_takedown)),
            witnessed(reasons.SAME_URL, duplicate, "same_url", None),
            witnessed(reasons.EXACT_DUPLICATE, duplicate, "exact", pa.repeat(1.0, len(verdicts))),
            witnessed(reasons.NEAR_DUPLICATE, duplicate, "near", _column(verdicts, "near_similarity")),
            _spare_entitled(taint, weighed) if rules.taint == "drop" else taint,
            witnessed(reasons.OVERLAP, reasons.MARK_FLAG, "overlap", _column(verdicts, "overlap_similarity")),
            Marks(reasons.COMPARISON_BOUND, reasons.MARK_FLAG, bounded),
        ]
    )


def _spare_entitled(taint: Marks, weighed: pa.Table) -> Marks:
    """Taint as it drops: not the copy that a contract or a licence allows, which a pirate's repeats as well."""
    basis = _column(weighed, "rights_basis").take(pa.array(taint.rows))
    action = pc.if_else(pc.equal(basis, reasons.CRAWL), reasons.MARK_DROP, reasons.MARK_FLAG)
    return replace(taint, fields={**taint.fields, "action": action})


def _column(table: pa.Table, name: str) -> pa.Array:
    return table[name].combine_chunks()


def _witnessed(mark: Marks, verdicts: pa.Table, kind: str, similarity: pa.Array | None, settings: Settings) -> Marks:
    """The mark on the rows that have a witness of that kind, with the witness and how similar it is."""
    has = _column(verdicts, kind).is_valid()
    fields: dict[str, Any] = {
        "evidence": hex_digests(_column(verdicts, kind).filter(has)),
        "evidence_build": _builds(_column(verdicts, f"{kind}_store").filter(has), settings),
    }
    if similarity is not None:
        fields["value"] = similarity.filter(has)
        if mark.rule != reasons.EXACT_DUPLICATE:
            method = reasons.SIGNATURE if settings.rules.signature else reasons.JACCARD
            measured = fields["value"].is_valid()  # it is null for equal URLs
            fields["limit"] = pc.if_else(measured, settings.rules.threshold, pa.scalar(None, pa.float64()))
            fields["method"] = pc.if_else(measured, method, pa.scalar(None, pa.string()))
    return Marks(mark.rule, mark.action, _column(verdicts, "row").filter(has).to_numpy().astype(np.int64), fields)


def _builds(store: pa.Array, settings: Settings) -> pa.Array:
    """Names of the earlier stores by their numbers; null for this build."""
    earlier = pc.if_else(pc.equal(store, OWN), pa.scalar(None, store.type), store)
    return pa.array(settings.stores, pa.string()).take(earlier)


def settle(table: pa.Table, weighed: pa.Table, marks: pa.Table, verdicts: pa.Table, settings: Settings) -> pa.Table:
    """Ledger rows of a part, from what `all_marks` takes and gives."""
    rows = len(table)
    decision, reason = settle_marks(marks, rows)
    index = np.full(rows, -1, np.int64)
    index[verdicts["row"].to_numpy()] = np.arange(len(verdicts))
    spread = verdicts.take(pa.array(index, mask=index < 0)).combine_chunks()
    columns = {
        **{name: table[name] for name in NARROW},
        **{name: weighed[name] for name in _BASIS},
        "doc_id": hex_digests(table["doc_id"].combine_chunks()),
        "text_digest": hex_digests(table["text_digest"].combine_chunks()),
        "decision": decision,
        "reason": reason,
        "marks": list_marks(marks, rows),
        **duplicate_columns(spread, settings),
        "cluster_id": hex_digests(_column(spread, "cluster_id")),
        "cluster_size": pc.fill_null(_column(spread, "cluster_size"), 1),
        "takedown_id": takedown_ids(marks, rows),
        "survivor_policy": pa.repeat(settings.rules.policy, rows),
        "build_id": pa.repeat(settings.build_id, rows),
    }
    schema = LEDGER.schema()
    return pa.table([columns[name] for name in schema.names], schema=schema)


def duplicate_columns(verdicts: pa.Table, settings: Settings) -> dict[str, pa.Array]:
    """The columns `DUPLICATE`: of the witnesses of each row the first of same URL, exact, near; null if it has none."""
    witnesses = {kind: _column(verdicts, name) for kind, name in _KINDS.items()}
    none = pa.scalar(None, pa.string())
    kind = pc.coalesce(*(pc.if_else(witness.is_valid(), name, none) for name, witness in witnesses.items()))
    near = pc.if_else(pc.equal(kind, reasons.NEAR), _column(verdicts, "near_similarity"), None)
    return {
        "duplicate_of": hex_digests(pc.coalesce(*witnesses.values())),
        "duplicate_build": _builds(pc.coalesce(*(_column(verdicts, f"{n}_store") for n in _KINDS.values())), settings),
        "duplicate_kind": kind,
        "similarity": pc.if_else(pc.equal(kind, reasons.EXACT), 1.0, near),
    }


def count_decisions(ledger: pa.Table, marks: pa.Table) -> dict[str, Any]:
    """Counts of a part for its marker: records by decision, reason, basis, takedown, and what `count_marks` counts."""
    grouped = ledger.group_by(["decision", "reason"], use_threads=False).aggregate([([], "count_all")]).to_pylist()

    def by(decision: str) -> dict[str | None, int]:
        found = {one["reason"]: one["count_all"] for one in grouped if one["decision"] == decision}
        return dict(sorted(found.items()))

    dropped, quarantined = by(reasons.DROP), by(reasons.QUARANTINED)
    return {
        "records": len(ledger),
        "kept": sum(by(reasons.KEEP).values()),
        "dropped": sum(dropped.values()),
        "dropped_by": dropped,
        "quarantined": sum(quarantined.values()),
        "quarantined_by": quarantined,
        "rights_basis": count_values(ledger["rights_basis"]),
        "takedowns": count_values(ledger["takedown_id"].drop_null()),
        **count_marks(marks),
    }


class _Settle(beam.DoFn):
    def __init__(
        self,
        parts: AllParts,
        decided: Stage,
        judged: Stage,
        passes: Sequence[JudgePass],
        weighed: Stage,
        settings: Settings,
    ):
        self.parts, self.decided, self.weighed, self.settings = parts, decided, weighed, settings
        self.directories = [share.directory(judged) for share in passes]

    def process(self, part: tuple[int, Iterable[int]]) -> None:
        with work("settle", "part", part[0]) as done:
            self._settle_or_replace(part[0], done)

    def _settle_or_replace(self, number: int, done: Work) -> None:
        paths = [part_path(directory, number, "arrow") for directory in self.directories]
        tables = [VERDICTS.empty_table(), *(read_arrow(path) for path in paths if exists(path))]
        verdicts = pa.concat_tables(tables).combine_chunks()
        if number < self.parts.own:
            self._settle(number, verdicts, done)
        else:
            self._replace(number, verdicts, done)

    def _settle(self, number: int, verdicts: pa.Table, done: Work) -> None:
        table = self.parts.read(number, NARROW).combine_chunks()
        weighed = read_weighed(self.weighed, number, _BASIS)
        marks = all_marks(table, weighed, read_marks(self.weighed, number), verdicts, self.settings)
        ledger = settle(table, weighed, marks, verdicts, self.settings)
        write_ledger(self.decided.path(number), ledger)
        facts = count_decisions(ledger, marks)
        self.decided.finish(number, facts, ["parquet"])
        done.count(records=facts["records"], kept=facts["kept"], bytes_read=table.nbytes)
        done.count(bytes_written=file_size(self.decided.path(number)) or 0)
        done.count_each("dropped", facts["dropped_by"])
        done.count_each("quarantined", facts["quarantined_by"])
        done.count_each("marks", facts["marks"])

    def _replace(self, number: int, verdicts: pa.Table, done: Work) -> None:
        """Of an earlier store only the documents that are replaced are written down, in their order there."""
        verdicts = verdicts.sort_by("row")  # they come pass by pass
        doc_id = self.parts.read(number, ["doc_id"])["doc_id"].take(verdicts["row"])
        build = self.settings.stores[self.parts.stores(np.array([number]))[0]]
        columns = {
            "build": pa.repeat(build, len(verdicts)),
            "doc_id": hex_digests(doc_id.combine_chunks()),
            **duplicate_columns(verdicts, self.settings),
            "build_id": pa.repeat(self.settings.build_id, len(verdicts)),
        }
        schema = REPLACED.schema()
        table = pa.table([columns[name] for name in schema.names], schema=schema)
        table = table.filter(table["duplicate_of"].is_valid())
        with write_file(self.decided.path(number, REPLACED_SUFFIX)) as file:
            pq.write_table(table, file, compression="zstd")
        self.decided.finish(number, {"replaced": len(table)}, [REPLACED_SUFFIX])
        done.count(replaced=len(table), bytes_written=file_size(self.decided.path(number, REPLACED_SUFFIX)) or 0)


class SettleDecisions(beam.PTransform):
    """From part numbers to ledger files, each with a marker that counts its decisions.

    For parts of earlier stores, if they are given, to lists of the documents that are replaced.
    """

    def __init__(
        self,
        parts: AllParts,
        decided: Stage,
        judged: Stage,
        passes: Sequence[JudgePass],
        weighed: Stage,
        settings: Settings,
    ):
        super().__init__()
        self.settle = _Settle(parts, decided, judged, passes, weighed, settings)

    def expand(self, parts: beam.PCollection) -> beam.PCollection:
        return parts | "Settle" >> beam.ParDo(self.settle).with_output_types(int)
