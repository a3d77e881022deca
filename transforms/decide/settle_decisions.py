"""Settle decisions: all marks of a part together give each row one decision, and the part its ledger."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

import apache_beam as beam
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from schemas import reasons
from schemas.columns import LEDGER, LINEAGE, RECORD_ID, REPLACED
from transforms.batches import hex_digests
from transforms.decide.all_parts import OWN, AllParts
from transforms.decide.duplicate_rules import DuplicateRules
from transforms.decide.judge_members import VERDICTS
from transforms.decide.load_lists import SourceLists
from transforms.decide.mark_duplicates import JudgePass
from transforms.decide.mark_sources import SourceMarks
from transforms.decide.marks import Marks, list_marks
from transforms.decide.marks import reasons as drop_reasons
from transforms.part_store import Stage, exists, part_path, read_arrow, write_file

REPLACED_SUFFIX: Final = "replaced.parquet"
"""Of the file that lists the documents of a part of an earlier store that are replaced."""
_KINDS: Final = {reasons.URL: "same_url", reasons.EXACT: "exact", reasons.NEAR: "near"}
NARROW = ["doc_id", RECORD_ID.name, *(column.name for column in LINEAGE), "text_bytes", "text_digest"]
"""Measured columns that go to the ledger."""


class Settings(NamedTuple):
    """What settling must know beside the marks."""

    rules: DuplicateRules
    stores: tuple[str, ...]
    """Names of the earlier stores."""
    build_id: str


def all_marks(table: pa.Table, sources: SourceMarks, verdicts: pa.Table, settings: Settings) -> list[Marks]:
    """Every rule's marks on the rows of a part, in the order in which the rules are applied."""
    rules = settings.rules
    empty = np.flatnonzero(np.asarray(table["text_digest"].is_null()))
    allowed = np.flatnonzero(sources.allowed >= 0)
    duplicate = reasons.MARK_FLAG if rules.duplicates == "flag" else reasons.MARK_DROP
    taint = reasons.MARK_DROP if rules.taint == "drop" else reasons.MARK_FLAG
    bounded = verdicts.filter(verdicts["bounded"])["row"].to_numpy().astype(np.int64)

    def witnessed(rule: str, action: str, kind: str, similarity: pa.Array | None) -> Marks:
        return _witnessed(Marks(rule, action, np.empty(0, np.int64)), verdicts, kind, similarity, settings)

    return [
        Marks(reasons.EMPTY_TEXT, reasons.MARK_DROP, empty),
        *_list_marks(sources),
        witnessed(reasons.SAME_URL, duplicate, "same_url", None),
        witnessed(reasons.EXACT_DUPLICATE, duplicate, "exact", pa.repeat(1.0, len(verdicts))),
        witnessed(reasons.NEAR_DUPLICATE, duplicate, "near", _column(verdicts, "near_similarity")),
        witnessed(reasons.TAINT, taint, "taint", _column(verdicts, "taint_similarity")),
        witnessed(reasons.OVERLAP, reasons.MARK_FLAG, "overlap", _column(verdicts, "overlap_similarity")),
        Marks(reasons.COMPARISON_BOUND, reasons.MARK_FLAG, bounded),
        Marks(reasons.ALLOWED, reasons.MARK_FLAG, allowed, {"matched": sources.allowed_entries(allowed)}),
    ]


def _list_marks(sources: SourceMarks) -> Iterable[Marks]:
    for listed, entry in zip(sources.lists, sources.entries, strict=True):
        rows = np.flatnonzero(entry >= 0)
        at = pa.array(entry[rows])
        fields = {
            "list": listed.name,
            "list_sha256": listed.sha256,
            "category": listed.category,
            "line": pa.array(listed.lines).take(at),
            "matched": listed.entries.take(at),
        }
        blocked = sources.blocked[rows]
        yield Marks(reasons.BLOCKLIST, reasons.MARK_DROP, rows[blocked], _pick(fields, blocked))
        # An allow entry beats the list: what the list said is recorded all the same.
        yield Marks(reasons.BLOCKLIST, reasons.MARK_FLAG, rows[~blocked], _pick(fields, ~blocked))


def _pick(fields: dict[str, Any], chosen: npt.NDArray[np.bool_]) -> dict[str, Any]:
    return {k: v.filter(pa.array(chosen)) if isinstance(v, pa.Array) else v for k, v in fields.items()}


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


def settle(table: pa.Table, marks: Sequence[Marks], verdicts: pa.Table, settings: Settings) -> pa.Table:
    """Ledger rows of a part: `table` has the columns `NARROW` of all rows, `verdicts` (`VERDICTS`) speak of some."""
    rows = len(table)
    reason = drop_reasons(marks, rows)
    dropped = reason.is_valid()
    index = np.full(rows, -1, np.int64)
    index[verdicts["row"].to_numpy()] = np.arange(len(verdicts))
    spread = verdicts.take(pa.array(index, mask=index < 0)).combine_chunks()
    columns = {
        **{name: table[name] for name in NARROW},
        "doc_id": hex_digests(table["doc_id"].combine_chunks()),
        "text_digest": hex_digests(table["text_digest"].combine_chunks()),
        "decision": pc.if_else(dropped, reasons.DROP, reasons.KEEP),
        "reason": reason,
        "marks": list_marks(marks, rows),
        **duplicate_columns(spread, settings),
        "cluster_id": hex_digests(_column(spread, "cluster_id")),
        "cluster_size": pc.fill_null(_column(spread, "cluster_size"), 1),
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


def count_marks(ledger: pa.Table, marks: Sequence[Marks]) -> dict[str, Any]:
    """Counts of a part for its marker: records, kept, dropped, dropped by reason; marks by rule and list; flags."""
    by_reason = {str(r["values"]): int(r["counts"]) for r in ledger["reason"].drop_null().value_counts().to_pylist()}
    by_rule, by_list, flags = Counter[str](), Counter[str](), Counter[str]()
    for mark in marks:
        by_rule[mark.rule] += len(mark.rows)
        if mark.action == reasons.MARK_FLAG:
            flags[mark.rule] += len(mark.rows)
        if isinstance(name := mark.fields.get("list"), str):
            by_list[name] += len(mark.rows)
    dropped = sum(by_reason.values())
    return {
        "records": len(ledger),
        "kept": len(ledger) - dropped,
        "dropped": dropped,
        "dropped_by": by_reason,
        "marks": +by_rule,
        "flags": +flags,
        "lists": by_list,
    }


class _Settle(beam.DoFn):
    def __init__(
        self,
        parts: AllParts,
        decided: Stage,
        judged: Stage,
        passes: Sequence[JudgePass],
        lists: SourceLists,
        settings: Settings,
    ):
        self.parts, self.decided, self.lists, self.settings = parts, decided, lists, settings
        self.directories = [share.directory(judged) for share in passes]

    def process(self, part: tuple[int, Iterable[int]]) -> None:
        number = part[0]
        paths = [part_path(directory, number, "arrow") for directory in self.directories]
        tables = [VERDICTS.empty_table(), *(read_arrow(path) for path in paths if exists(path))]
        verdicts = pa.concat_tables(tables).combine_chunks()
        if number < self.parts.own:
            self._settle(number, verdicts)
        else:
            self._replace(number, verdicts)

    def _settle(self, number: int, verdicts: pa.Table) -> None:
        table = self.parts.read(number, NARROW).combine_chunks()
        marks = all_marks(table, self.lists.mark(_column(table, "url_host_name")), verdicts, self.settings)
        ledger = settle(table, marks, verdicts, self.settings)
        with write_file(self.decided.path(number)) as file:
            pq.write_table(ledger, file, compression="zstd")
        self.decided.finish(number, count_marks(ledger, marks), ["parquet"])

    def _replace(self, number: int, verdicts: pa.Table) -> None:
        """Of an earlier store only the documents that are replaced are written down."""
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
        lists: SourceLists,
        settings: Settings,
    ):
        super().__init__()
        self.settle = _Settle(parts, decided, judged, passes, lists, settings)

    def expand(self, parts: beam.PCollection) -> beam.PCollection:
        return parts | "Settle" >> beam.ParDo(self.settle).with_output_types(int)
