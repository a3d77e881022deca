"""Settle decisions: all marks of a part together give each row one decision, and the part its ledger."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import apache_beam as beam
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from schemas import reasons
from schemas.columns import LEDGER, LINEAGE, RECORD_ID
from transforms.batches import hex_digests
from transforms.decide.load_lists import SourceLists
from transforms.decide.mark_duplicates import VERDICTS, DuplicateRules, verdict_path
from transforms.decide.mark_sources import SourceMarks
from transforms.decide.marks import Marks, list_marks
from transforms.decide.marks import reasons as drop_reasons
from transforms.part_store import Stage, exists, read_arrow, write_file

NARROW = ["doc_id", RECORD_ID.name, *(column.name for column in LINEAGE), "text_bytes", "text_digest"]
"""Measured columns that go to the ledger."""


def all_marks(table: pa.Table, sources: SourceMarks, verdicts: pa.Table, rules: DuplicateRules) -> list[Marks]:
    """Every rule's marks on the rows of a part, in the order in which the rules are applied."""
    empty = np.flatnonzero(np.asarray(table["text_digest"].is_null()))
    allowed = np.flatnonzero(sources.allowed >= 0)
    return [
        Marks(reasons.EMPTY_TEXT, reasons.MARK_DROP, empty),
        *_list_marks(sources),
        _witnessed(reasons.SAME_URL, reasons.MARK_DROP, verdicts, "same_url", None, None),
        _witnessed(reasons.EXACT_DUPLICATE, reasons.MARK_DROP, verdicts, "exact", pa.scalar(1.0), None),
        _witnessed(reasons.NEAR_DUPLICATE, reasons.MARK_DROP, verdicts, "near", "near_similarity", rules.threshold),
        _witnessed(
            reasons.TAINT,
            reasons.MARK_DROP if rules.taint == "drop" else reasons.MARK_FLAG,
            verdicts,
            "taint",
            "taint_similarity",
            rules.threshold,
        ),
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


def _witnessed(
    rule: str, action: str, verdicts: pa.Table, witness: str, value: str | pa.Scalar | None, limit: float | None
) -> Marks:
    found = verdicts.filter(verdicts[witness].is_valid()).combine_chunks()
    fields: dict[str, Any] = {"evidence": hex_digests(found[witness].combine_chunks())}
    if isinstance(value, str):
        fields |= {"value": found[value].combine_chunks(), "limit": limit}
    elif value is not None:
        fields["value"] = value.as_py()
    return Marks(rule, action, found["row"].to_numpy().astype(np.int64), fields)


def settle(table: pa.Table, marks: Sequence[Marks], verdicts: pa.Table, build_id: str) -> pa.Table:
    """Ledger rows of a part: `table` has the columns `NARROW` of all rows, `verdicts` (`VERDICTS`) speak of some."""
    rows = len(table)
    reason = drop_reasons(marks, rows)
    dropped = reason.is_valid()
    index = np.full(rows, -1, np.int64)
    index[verdicts["row"].to_numpy()] = np.arange(len(verdicts))
    spread = verdicts.take(pa.array(index, mask=index < 0)).combine_chunks()
    kind, witness = _duplicate(spread)
    similarity = pc.if_else(
        pc.equal(kind, reasons.EXACT),
        1.0,
        pc.if_else(pc.equal(kind, reasons.NEAR), spread["near_similarity"].combine_chunks(), None),
    )
    columns = {
        **{name: table[name] for name in NARROW},
        "doc_id": hex_digests(table["doc_id"].combine_chunks()),
        "text_digest": hex_digests(table["text_digest"].combine_chunks()),
        "decision": pc.if_else(dropped, reasons.DROP, reasons.KEEP),
        "reason": reason,
        "marks": list_marks(marks, rows),
        "duplicate_of": hex_digests(witness),
        "duplicate_kind": kind,
        "similarity": similarity,
        "cluster_id": hex_digests(spread["cluster_id"].combine_chunks()),
        "cluster_size": pc.fill_null(spread["cluster_size"].combine_chunks(), 1),
        "build_id": pa.repeat(pa.scalar(build_id), rows),
    }
    schema = LEDGER.schema()
    return pa.table([columns[name] for name in schema.names], schema=schema)


def _duplicate(spread: pa.Table) -> tuple[pa.Array, pa.Array]:
    """Kind and `doc_id` of the witness of each row: the first of same URL, exact, near; null where there is none."""
    witnesses = [spread[name].combine_chunks() for name in ("same_url", "exact", "near")]
    kinds = (reasons.URL, reasons.EXACT, reasons.NEAR)
    kind = pc.coalesce(
        *(pc.if_else(w.is_valid(), k, pa.scalar(None, pa.string())) for w, k in zip(witnesses, kinds, strict=True))
    )
    return kind, pc.coalesce(*witnesses)


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
    def __init__(self, measured: Stage, decided: Stage, verdicts: Stage, lists: SourceLists, rules: DuplicateRules):
        self.measured, self.decided, self.verdicts, self.lists, self.rules = measured, decided, verdicts, lists, rules

    def process(self, part: tuple[int, Iterable[int]]) -> None:
        number = part[0]
        table = pq.read_table(self.measured.path(number), columns=NARROW).combine_chunks()
        paths = [verdict_path(self.verdicts, p, number) for p in sorted(self.verdicts.done())]
        verdicts = pa.concat_tables([VERDICTS.empty_table(), *(read_arrow(p) for p in paths if exists(p))])
        hosts = table["url_host_name"].combine_chunks()
        marks = all_marks(table, self.lists.mark(hosts), verdicts, self.rules)
        ledger = settle(table, marks, verdicts.combine_chunks(), self.decided.digest[:16])
        with write_file(self.decided.path(number)) as file:
            pq.write_table(ledger, file, compression="zstd")
        self.decided.finish(number, count_marks(ledger, marks), ["parquet"])


class SettleDecisions(beam.PTransform):
    """From part numbers to ledger files, each with a marker that counts its decisions."""

    def __init__(self, measured: Stage, decided: Stage, verdicts: Stage, lists: SourceLists, rules: DuplicateRules):
        super().__init__()
        self.settle = _Settle(measured, decided, verdicts, lists, rules)

    def expand(self, parts: beam.PCollection) -> beam.PCollection:
        return parts | "Settle" >> beam.ParDo(self.settle).with_output_types(int)
