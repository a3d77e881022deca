"""Judge members: inside each component, name for every document the survivor that it repeats.

Same URL, exact and near duplicates are settled together, in one walk in survivor order, because they share their
survivors: settled one after the other, the witness of an exact duplicate could itself be dropped by a URL.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from schemas.columns import DIGEST
from transforms.batches import digest_words, digests, fixed_bytes
from transforms.decide.all_parts import OWN, AllParts
from transforms.decide.duplicate_rules import DuplicateRules
from transforms.decide.order_survivors import Facts, order_survivors
from transforms.decide.ordinals import part_and_row
from transforms.decide.shingle_files import HELD_BYTES, ITEM, LoadedSets
from transforms.kernels.survivors import NONE, Found, Members, choose_survivors, find_sources, groups
from transforms.takedowns.match_copies import match_copies

I64 = npt.NDArray[np.int64]
Rows = dict[str, npt.NDArray[Any]]
"""Columns of some documents, in one order; every array of shape (rows, ...)."""
LoadSets = Callable[[I64, I64, I64], AbstractContextManager[LoadedSets]]
"""From part, start and size of each row to its sets; see `load_sets`."""

FLAGS: Final = ("excluded", "tainting", "entitled", "signed")
"""Boolean columns of `gather_members`."""
WITNESSES: Final = ("same_url", "exact", "near", "taint", "overlap", "taken")
VERDICTS: Final = pa.schema(
    [
        pa.field("row", pa.uint32(), False),
        pa.field("cluster_id", DIGEST),
        pa.field("cluster_size", pa.int64(), False),
        *(field for kind in WITNESSES for field in (pa.field(kind, DIGEST), pa.field(f"{kind}_store", pa.int32()))),
        pa.field("near_similarity", pa.float64()),
        pa.field("taint_similarity", pa.float64()),
        pa.field("overlap_similarity", pa.float64()),
        pa.field("taken_similarity", pa.float64()),
        pa.field("takedown", pa.int64()),
        pa.field("taken_text", pa.bool_(), False),
        pa.field("estimated", pa.bool_(), False),
        pa.field("bounded", pa.bool_(), False),
    ]
)
"""What is said of a row of a part that has candidates: `doc_id` and store of a witness of each kind, or null.

`taken` is what it repeats of what a takedown took out, `takedown` the number of that takedown; `taken_text` says that
it is a text of the request, by its digest, and `estimated` that the similarity is that of sketches."""


def judge_members(table: pa.Table, parts: AllParts, rules: DuplicateRules, load: LoadSets) -> Iterator[Rows]:
    """Judge all members of some whole components, batch by batch of components, each batch sorted and with witnesses.

    `table` has the columns of `gather_members`; `parts` says which of them are of earlier stores. The arrays of a batch
    are those of the members (digests as uint64 of shape (rows, 2)) in the order in which they were judged, and, by the
    names of `VERDICTS`, the row of each witness in the batch, or -1.
    """
    # Rows come in any order, and one document may lie in several stores: of equal rows the first part's comes first.
    rows = _rows(table.sort_by("id"), parts, rules)
    if parts.count > parts.own:  # what earlier documents are to each other is no matter of this run
        own = rows["component"][rows["store"] == OWN]
        rows = _take(rows, np.flatnonzero(np.isin(rows["component"], own)))
    facts = Facts(*(rows.pop(name) for name in Facts._fields))
    rows = _take(rows, order_survivors(rules.survivor, facts, rows["doc_id"], [rows["component"]]))
    for start, stop in _batches(rows["component"], rows["set_size"]):
        batch = {name: values[start:stop] for name, values in rows.items()}
        with load(batch["part"], batch["set_start"], batch["set_size"]) as sets:
            yield _judge({**batch, "set_start": sets.start}, sets, rules)


def verdicts(batch: Rows) -> pa.RecordBatch:
    """A batch of `judge_members` as rows of the schema `VERDICTS`."""
    columns: dict[str, Any] = {
        "row": part_and_row(batch["id"])[1],
        "cluster_id": digests(batch["cluster_id"], batch["cluster_size"] == 1),
        "cluster_size": batch["cluster_size"],
        "bounded": batch["bounded"],
        "takedown": pa.array(batch["takedown"][batch["taken"]], mask=batch["taken"] == NONE),
        # A text of a request lies under its digest where documents have their `doc_id`.
        "taken_text": (batch["taken"] != NONE) & (batch["doc_id"] == batch["text_digest"])[batch["taken"]].all(axis=1),
        "estimated": batch["estimated"],
    }
    for kind in WITNESSES:
        witness, none = batch[kind], batch[kind] == NONE
        columns[kind] = digests(batch["doc_id"][witness], none)
        columns[f"{kind}_store"] = pa.array(batch["store"][witness].astype(np.int32), mask=none)
        if f"{kind}_similarity" in VERDICTS.names:
            similarity = batch[f"{kind}_similarity"]
            columns[f"{kind}_similarity"] = pa.array(similarity, mask=none | np.isnan(similarity))
    return pa.record_batch([columns[name] for name in VERDICTS.names], schema=VERDICTS)


def _rows(table: pa.Table, parts: AllParts, rules: DuplicateRules) -> Rows:
    count = len(table)
    text = _numbers(table, "text_digest", rules.exact)
    part, _ = part_and_row(table["id"].to_numpy())
    rows: Rows = {
        "id": table["id"].to_numpy(),
        "part": part,
        "store": parts.stores(part),
        "stored": part >= parts.documents,
        "component": table["component"].to_numpy(),
        "doc_id": digest_words(table["doc_id"].combine_chunks()),
        "text_digest": digest_words(table["text_digest"].combine_chunks()),
        "url": _numbers(table, "url_digest", rules.url),
        "text": text,
        "same_text": text if rules.exact else _numbers(table, "text_digest", rules.pairs_texts),
        "takedown": table["takedown"].to_numpy(),
        **{name: np.asarray(table[name].to_numpy(), bool) for name in FLAGS},
        **{name: table[name].to_numpy() for name in Facts._fields},
        "sketch": np.zeros((count, 0), np.uint64),
        "set_start": np.zeros(count, np.int64),
        "set_size": np.zeros(count, np.int64),
    }
    if rules.permutations:
        rows["sketch"] = fixed_bytes(table["sketch"].combine_chunks()).view("<u8")
        rows |= {name: table[name].to_numpy() for name in ("set_start", "set_size")}
    return rows


def _numbers(table: pa.Table, name: str, wanted: bool) -> I64:
    present = ~np.asarray(table[name].is_null()) & wanted
    return groups(digest_words(table[name].combine_chunks()), present)


def _take(rows: Rows, order: I64) -> Rows:
    return {name: values[order] for name, values in rows.items()}


def _batches(component: npt.NDArray[np.uint64], set_size: I64) -> Iterator[tuple[int, int]]:
    """Runs of whole components whose sets can be held; a larger component is a run by itself."""
    borders = _borders(component)
    ends = np.r_[0, np.cumsum(set_size)][borders] * ITEM
    start = 0
    while start < len(borders) - 1:
        stop = max(start + 1, int(np.searchsorted(ends, ends[start] + HELD_BYTES, "right")) - 1)
        yield int(borders[start]), int(borders[stop])
        start = stop


def _borders(component: npt.NDArray[np.generic]) -> I64:
    """Borders of the runs of equal values, int64 of shape (runs + 1,)."""
    if not len(component):
        return np.zeros(1, np.int64)
    return np.r_[0, np.flatnonzero(component[1:] != component[:-1]) + 1, len(component)].astype(np.int64)


def _judge(rows: Rows, sets: LoadedSets, rules: DuplicateRules) -> Rows:
    """Witnesses of the members of some components, which come in survivor order."""
    stored, tainting = rows["stored"], rows["tainting"]
    earlier = (rows["store"] != OWN) & ~stored
    members = _members(rows, sets)
    copies = match_copies(members._replace(text=rows["same_text"]), rows["takedown"], rules, sets.rest)
    rows |= {"taken": copies.taken, "taken_similarity": copies.similarity, "estimated": copies.estimated}
    excluded = rows["excluded"] | (copies.taken != NONE)
    asked = ~tainting & ~stored & (rules.taint != "ignore")
    rows |= _sources(members, sets, rules, "taint", tainting, asked, False)
    asked = (rows["store"] == OWN) & (rules.overlap == "report")
    rows |= _sources(members, sets, rules, "overlap", earlier & ~excluded, asked, True)
    barred = excluded | ((rows["taint"] != NONE) & (rules.taint == "drop") & ~rows["entitled"])
    stays = earlier & (rules.overlap == "old_stays")
    # Who may not survive comes last, so that it meets every survivor; the sort keeps survivor order otherwise.
    rank = np.select([stays, earlier, barred], [0, 3, 2], 1)
    order = np.lexsort([rank, rows["component"]])
    rows, rank = _follow(_take(rows, order), order), rank[order]
    judges_new, judges_earlier = rules.within or rules.overlap == "old_stays", rules.overlap == "new_replaces"
    judged = np.select([stored, earlier], [False, judges_earlier], judges_new)[order]
    offers = ~barred[order] & ((rank == 0) | ((rank == 1) & (rules.within or judges_earlier)))
    found = choose_survivors(_members(rows, sets), rules.limits, judged, offers, sets.rest)
    found = found._replace(bounded=found.bounded & ~barred[order])
    return rows | _clusters(rows) | _witnesses(found, rules, rows["store"] == OWN)


def _members(rows: Rows, sets: LoadedSets) -> Members:
    borders = _borders(rows["component"])
    return Members(
        component=np.repeat(np.arange(len(borders) - 1), np.diff(borders)),
        url=rows["url"],
        text=rows["text"],
        signed=rows["signed"],
        sketches=np.ascontiguousarray(rows["sketch"]),
        shingles=sets.shingles,
        start=rows["set_start"],
        size=rows["set_size"],
    )


def _sources(
    members: Members,
    sets: LoadedSets,
    rules: DuplicateRules,
    name: str,
    source: npt.NDArray[np.bool_],
    asked: npt.NDArray[np.bool_],
    by_url: bool,
) -> Rows:
    first, similarity = find_sources(members, rules.limits, source, asked, by_url, sets.rest)
    return {name: first, f"{name}_similarity": similarity}


def _follow(rows: Rows, order: I64) -> Rows:
    """The rows, taken in a new order, with the witnesses found before pointing to where they are now."""
    back = np.empty_like(order)
    back[order] = np.arange(len(order))
    return rows | {name: np.where(rows[name] == NONE, NONE, back[rows[name]]) for name in ("taint", "overlap", "taken")}


def _witnesses(found: Found, rules: DuplicateRules, own: npt.NDArray[np.bool_]) -> Rows:
    columns: Rows = {
        "same_url": found.same_url,
        "exact": found.exact,
        "near": found.near,
        "near_similarity": found.similarity,
    }
    if rules.duplicates == "drop_all":
        for kind in ("same_url", "exact", "near"):
            _name_followers(columns, kind, own)
        gone = own & np.any([columns[kind] != NONE for kind in ("same_url", "exact", "near")], axis=0)
        for kind in ("same_url", "exact", "near"):
            columns[kind][~own & gone[columns[kind]]] = NONE  # what is dropped too replaces nothing
    # A bound matters only to what stays.
    columns["bounded"] = found.bounded & np.all([columns[kind] == NONE for kind in ("same_url", "exact", "near")], 0)
    return columns


def _name_followers(columns: Rows, kind: str, own: npt.NDArray[np.bool_]) -> None:
    """Let every survivor that others of this crawl joined name the first of them, as none of such a group is kept."""
    witness = columns[kind]
    followers = np.flatnonzero(own & (witness != NONE))[::-1]
    leaders = witness[followers]
    named = witness.copy()
    named[leaders] = followers
    if kind == "near":
        columns["near_similarity"] = columns["near_similarity"].copy()
        columns["near_similarity"][leaders] = columns["near_similarity"][followers]
    columns[kind] = named


def _clusters(rows: Rows) -> Rows:
    """Smallest `doc_id` and size of the component of each row; what takedowns have stored does not count."""
    borders = _borders(rows["component"])
    members = np.diff(borders)
    doc_id, stored = rows["doc_id"], rows["stored"]
    order = np.lexsort([doc_id[:, 1], doc_id[:, 0], stored, np.repeat(np.arange(len(members)), members)])
    return {
        "cluster_id": np.repeat(doc_id[order][borders[:-1]], members, axis=0),
        "cluster_size": np.repeat(np.add.reduceat(~stored, borders[:-1], dtype=np.int64), members),
    }
