"""Mark duplicates: inside each component, name for every document the survivor that it repeats.

Same URL, exact and near duplicates are settled together, in one walk in survivor order, because they share their
survivors: settled one after the other, the witness of an exact duplicate could itself be dropped by a URL.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import apache_beam as beam
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from schemas.columns import DIGEST
from transforms.batches import digest_words, digests, fixed_bytes
from transforms.decide.load_lists import SourceLists
from transforms.decide.order_survivors import LAST, Facts, order_survivors
from transforms.decide.pair_candidates import LEAST_SHINGLES
from transforms.kernels.survivors import NONE, choose_survivors, find_taint, groups
from transforms.part_store import Stage, join, part_path, read_arrow, write_arrow
from transforms.shuffle import Packed, split, unpack

I64 = npt.NDArray[np.int64]
VERDICTS = pa.schema(
    [
        pa.field("row", pa.uint32(), False),
        pa.field("cluster_id", DIGEST, False),
        pa.field("cluster_size", pa.int64(), False),
        pa.field("same_url", DIGEST),
        pa.field("exact", DIGEST),
        pa.field("near", DIGEST),
        pa.field("near_similarity", pa.float64()),
        pa.field("taint", DIGEST),
        pa.field("taint_similarity", pa.float64()),
    ]
)
"""What this step says of a row of a part that has candidates: the `doc_id` of a witness of each kind, or null."""


@dataclass(frozen=True)
class DuplicateRules:
    """The part of the config that this step needs. `permutations` is 0 where near-duplicates are not looked for."""

    url: bool
    exact: bool
    threshold: float
    bands: int
    rows: int
    survivor: tuple[str, ...]
    taint: str

    @property
    def permutations(self) -> int:
        return self.bands * self.rows

    @property
    def least_equal(self) -> int:
        """Equal hashes from which a pair counts as similar: threshold times permutations, rounded up."""
        return math.ceil(round(self.threshold * self.permutations, 6))

    @property
    def member_bytes(self) -> int:
        """About what one member sends through the shuffle."""
        return 100 + 4 * self.permutations


def gather_members(table: pa.Table, members: pa.Table, blocked: npt.NDArray[np.bool_], part: int) -> pa.RecordBatch:
    """What the walk must know of the members of one part; rows in the order of `members`.

    `table` has the needed measured columns of all rows of the part, `blocked` (bool, shape (rows,)) says which rows
    stand on a blocklist, `members` has `row` and `component`.
    """
    rows = members["row"].combine_chunks()
    taken = table.take(rows).combine_chunks()
    bands = [name for name in table.column_names if name.startswith("band_")]
    signature = np.concatenate([fixed_bytes(taken[name].combine_chunks()) for name in bands], axis=1) if bands else None
    columns = {
        "id": rows.to_numpy().astype(np.uint64) + np.uint64(part << 32),
        "component": members["component"].combine_chunks(),
        **{name: taken[name].combine_chunks() for name in ("doc_id", "url_digest", "text_digest", "text_bytes")},
        "fetch_time": pc.fill_null(taken["fetch_time"].combine_chunks().cast(pa.int64()), LAST),
        "url_bytes": pc.fill_null(pc.binary_length(taken["url"].combine_chunks()).cast(pa.int64()), LAST),
        "blocked": blocked[rows.to_numpy()],
        "signed": pc.greater_equal(taken["shingle_count"].combine_chunks(), LEAST_SHINGLES),
    }
    if signature is not None and len(rows):
        data = pa.py_buffer(np.ascontiguousarray(signature))
        columns["signature"] = pa.Array.from_buffers(pa.binary(signature.shape[1]), len(rows), [None, data])
    return pa.record_batch(columns)


def judge_members(table: pa.Table, rules: DuplicateRules) -> pa.Table:
    """Verdicts (schema `VERDICTS` and `id`) on all members of some whole components."""
    doc_id = digest_words(table["doc_id"].combine_chunks())
    component = table["component"].to_numpy()
    facts = Facts(*(table[name].to_numpy() for name in Facts._fields))
    blocked = _flags(table, "blocked")
    order = order_survivors(rules.survivor, facts, doc_id, [component])
    url, text, signed, signatures = _comparable(table, order, rules)
    starts = _starts(component[order])
    taint, taint_equal = np.full(len(order), NONE, np.int64), np.zeros(len(order), np.int64)
    if rules.taint != "ignore":
        taint, taint_equal = find_taint(starts, text, signatures, signed, blocked[order], rules.least_equal)
    barred = blocked[order] | ((taint != NONE) & (rules.taint == "drop"))
    # Those that may not survive come last, so that they meet every survivor; the sort keeps survivor order otherwise.
    last = np.lexsort([barred, component[order]])
    back = np.empty_like(last)
    back[last] = np.arange(len(last))
    found = choose_survivors(
        starts, url[last], text[last], signatures[last], signed[last], ~barred[last], rules.least_equal
    )
    same_url, exact, near = (np.where(w == NONE, NONE, last[w])[back] for w in found[:3])
    ordered = doc_id[order]
    smallest, size = _clusters(ordered, starts)
    permutations = max(rules.permutations, 1)
    columns = {
        "row": (table["id"].to_numpy()[order] & np.uint64(0xFFFFFFFF)).astype(np.uint32),
        "cluster_id": digests(smallest),
        "cluster_size": size,
        "same_url": _ids(ordered, same_url),
        "exact": _ids(ordered, exact),
        "near": _ids(ordered, near),
        "near_similarity": pa.array(found[3][back] / permutations, mask=near == NONE),
        "taint": _ids(ordered, taint),
        "taint_similarity": pa.array(
            taint_equal / permutations if rules.permutations else np.ones(len(taint)), mask=taint == NONE
        ),
    }
    return pa.table(columns, VERDICTS).append_column("id", pa.array(table["id"].to_numpy()[order]))


def _flags(table: pa.Table, name: str) -> npt.NDArray[np.bool_]:
    return np.asarray(table[name].to_numpy(), bool)


def _comparable(
    table: pa.Table, order: I64, rules: DuplicateRules
) -> tuple[I64, I64, npt.NDArray[np.bool_], npt.NDArray[np.uint32]]:
    """URL and text numbers, and which rows have which signature, all in survivor order."""

    def numbers(name: str, wanted: bool) -> I64:
        present = ~np.asarray(table[name].is_null()) & wanted
        return groups(digest_words(table[name].combine_chunks()), present)[order]

    signatures = np.zeros((len(order), 0), np.uint32)
    if rules.permutations:
        signatures = np.ascontiguousarray(fixed_bytes(table["signature"].combine_chunks())[order]).view(np.uint32)
    signed = _flags(table, "signed")[order] & bool(rules.permutations)
    return numbers("url_digest", rules.url), numbers("text_digest", rules.exact), signed, signatures


def _starts(component: npt.NDArray[np.uint64]) -> I64:
    """Borders of the runs of equal values, int64 of shape (runs + 1,)."""
    return np.r_[0, np.flatnonzero(component[1:] != component[:-1]) + 1, len(component)].astype(np.int64)


def _clusters(doc_id: npt.NDArray[np.uint64], starts: I64) -> tuple[npt.NDArray[np.uint64], I64]:
    """Smallest `doc_id` and size of the component of each row."""
    size = np.diff(starts)
    runs = np.repeat(np.arange(len(size)), size)
    order = np.lexsort([doc_id[:, 1], doc_id[:, 0], runs])
    return np.repeat(doc_id[order][starts[:-1]], size, axis=0), np.repeat(size, size)


def _ids(doc_id: npt.NDArray[np.uint64], rows: I64) -> pa.Array:
    return digests(doc_id[rows], rows == NONE)


class _GatherMembers(beam.DoFn):
    def __init__(self, measured: Stage, members: Stage, lists: SourceLists, rules: DuplicateRules, share: "Share"):
        self.measured, self.members, self.lists, self.rules, self.share = measured, members, lists, rules, share

    def process(self, part: tuple[int, Iterable[int]]) -> Iterator[Packed]:
        number = part[0]
        members = read_arrow(part_path(self.members.directory, number, "arrow"))
        component = members["component"].to_numpy()
        # A component is named by an id; ids are dense, so a multiplication spreads them over passes and partitions.
        spread = (component * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(33)
        mine = spread % np.uint64(self.share.passes) == self.share.number
        if not mine.any():
            return
        names = ["doc_id", "url", "url_digest", "text_digest", "text_bytes", "fetch_time", "shingle_count"]
        bands = [f"band_{band:02d}" for band in range(self.rules.bands)]
        table = pq.read_table(self.measured.path(number), columns=[*names, "url_host_name", *bands])
        blocked = self.lists.mark(table["url_host_name"].combine_chunks()).blocked
        batch = gather_members(table, members.filter(pa.array(mine)), blocked, number)
        target = (spread[mine] // np.uint64(self.share.passes)) % np.uint64(self.share.partitions)
        yield from split(batch, target.astype(np.int64))


@dataclass(frozen=True)
class Share:
    """Which components one pass takes, and over how many partitions it spreads them."""

    number: int
    passes: int
    partitions: int


class _JudgeMembers(beam.DoFn):
    def __init__(self, rules: DuplicateRules):
        self.rules = rules

    def process(self, keyed: tuple[int, Iterable[bytes]]) -> Iterator[Packed]:
        table = judge_members(unpack(keyed[1]), self.rules)
        part = (table["id"].to_numpy() >> np.uint64(32)).astype(np.int64)
        yield from split(table.drop_columns("id").combine_chunks().to_batches()[0], part)


class _WriteVerdicts(beam.DoFn):
    def __init__(self, verdicts: Stage, pass_number: int):
        self.verdicts, self.pass_number = verdicts, pass_number

    def process(self, keyed: tuple[int, Iterable[bytes]]) -> None:
        number, values = keyed
        write_arrow(verdict_path(self.verdicts, self.pass_number, number), unpack(values).sort_by("row"))


def verdict_path(verdicts: Stage, pass_number: int, part: int) -> str:
    """Where one pass writes its verdicts on the rows of one part."""
    return part_path(join(verdicts.directory, f"pass-{pass_number:05d}"), part, "arrow")


class MarkDuplicates(beam.PTransform):
    """From numbers of parts that have members to verdict files, one a part, for the components of one pass."""

    def __init__(
        self,
        measured: Stage,
        members: Stage,
        verdicts: Stage,
        lists: SourceLists,
        rules: DuplicateRules,
        share: Share,
    ):
        super().__init__()
        self.gather = _GatherMembers(measured, members, lists, rules, share)
        self.judge = _JudgeMembers(rules)
        self.write = _WriteVerdicts(verdicts, share.number)

    def expand(self, parts: beam.PCollection) -> beam.PCollection:
        return (
            parts
            | "GatherMembers" >> beam.ParDo(self.gather).with_output_types(Packed)
            | "GroupComponents" >> beam.GroupByKey()
            | "JudgeMembers" >> beam.ParDo(self.judge).with_output_types(Packed)
            | "GroupParts" >> beam.GroupByKey()
            | "WriteVerdicts" >> beam.ParDo(self.write).with_output_types(int)
        )
