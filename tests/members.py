"""Documents that have candidates, as the judges get them, and a slow judge on Python sets."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
import pyarrow as pa

from schemas.columns import DIGEST
from tests.slow_walk import Document, Verdict, equal_cells, slow_source, slow_walk
from tests.tables import Row, digest_of
from transforms.decide.all_parts import OWN, AllParts, EarlierStore, TakenStore
from transforms.decide.duplicate_rules import DuplicateRules
from transforms.decide.judge_members import LoadSets, judge_members, verdicts
from transforms.decide.order_survivors import LAST
from transforms.decide.shingle_files import I64, U64, LoadedSets
from transforms.part_store import Stage
from transforms.takedowns.match_selectors import NONE

OWN_PARTS = 2
STORES = tuple(EarlierStore(f"build{n}", f"dir{n}", (0,), 9, False, f"digest{n}") for n in range(2))
STORED = len(STORES)
"""Number, in place of a store's, of what takedowns have stored."""
PARTS = AllParts(Stage("measured", "digest"), OWN_PARTS, STORES, TakenStore(Stage("taken", "digest"), 1, 9))
RULES = DuplicateRules(
    url=True,
    exact=True,
    survivor=("source_priority", "longest"),
    taint="flag",
    threshold=0.5,
    bands=1,
    rows=32,
    most_estimates=1000,
    most_comparisons=1000,
)
KINDS = ("same_url", "exact", "near")
SCHEMA = pa.schema(
    {
        "id": pa.uint64(),
        "component": pa.uint64(),
        "doc_id": DIGEST,
        "url_digest": DIGEST,
        "text_digest": DIGEST,
        "text_bytes": pa.int64(),
        "fetch_time": pa.int64(),
        "url_bytes": pa.int64(),
        "priority": pa.int64(),
        "excluded": pa.bool_(),
        "tainting": pa.bool_(),
        "takedown": pa.int64(),
        "entitled": pa.bool_(),
        "signed": pa.bool_(),
        "sketch": pa.binary(8),
        "set_start": pa.int64(),
        "set_size": pa.int64(),
    }
)


BLOCKED = {"excluded": True, "tainting": True}


@dataclass(frozen=True)
class Member:
    """A document in a component. Numbers stand for digests; equal texts have equal sets and sketches, as in life."""

    doc_id: int
    component: int = 0
    url: int | None = None
    text: int | None = None
    text_bytes: int = 10
    shingles: frozenset[int] = frozenset()
    sketch: int = 0
    priority: int = 0
    excluded: bool = False
    """It may not survive."""
    tainting: bool = False
    entitled: bool = False
    """The register gives it a basis, so that taint does not drop it."""
    store: int = OWN
    takedown: int = NONE
    """Which takedown asks for it and its copies."""
    known: bool = True
    """Its set of shingles was stored; of other documents it is always at hand."""

    @property
    def part(self) -> int:
        """Those of this crawl lie in two parts, those of any other store in one."""
        return self.doc_id % OWN_PARTS if self.store == OWN else OWN_PARTS + self.store

    def document(self) -> Document:
        return Document(self.component, self.url, self.text, self.shingles, self.sketch)


def table_of(members: Sequence[Member], near: bool = True) -> pa.Table:
    """The table that the judges get; sets lie in the order of the members. Without `near` none is signed."""
    held = dict.fromkeys(range(PARTS.count), 0)
    rows = []
    for member in members:
        rows.append(
            {
                "id": member.part << 32 | member.doc_id,
                "component": member.component,
                "doc_id": digest_of(member.doc_id),
                "url_digest": None if member.url is None else digest_of(member.url),
                "text_digest": None if member.text is None else digest_of(member.text),
                "text_bytes": member.text_bytes,
                "fetch_time": LAST,
                "url_bytes": LAST,
                "priority": member.priority,
                **{name: getattr(member, name) for name in ("excluded", "tainting", "takedown", "entitled")},
                "signed": near and bool(member.shingles),
                "sketch": member.sketch.to_bytes(8, "little"),
                "set_start": held[member.part],
                "set_size": len(member.shingles) * member.known,
            }
        )
        held[member.part] += len(member.shingles) * member.known
    table = pa.Table.from_pylist(rows, SCHEMA)
    return table if near else table.drop_columns(["sketch", "set_start", "set_size"])


def sets_of(members: Sequence[Member]) -> dict[int, U64]:
    """The sets of each part, one after the other."""
    values: dict[int, list[int]] = {}
    for member in members:
        values.setdefault(member.part, []).extend(sorted(member.shingles) if member.known else [])
    return {part: np.array(shingles, np.uint64) for part, shingles in values.items()}


def loader(sets: dict[int, U64]) -> LoadSets:
    """Loads from a dictionary instead of files."""

    @contextmanager
    def load(part: I64, start: I64, size: I64) -> Iterator[LoadedSets]:
        pieces = [sets[p][a : a + n] for p, a, n in zip(part.tolist(), start, size, strict=True)]
        yield LoadedSets(np.concatenate([np.empty(0, np.uint64), *pieces]), np.cumsum(size) - size)

    return load


def judged(members: Sequence[Member], rules: DuplicateRules = RULES, load: LoadSets | None = None) -> dict[int, Row]:
    """Verdicts by `doc_id`, without the row; digests as numbers and nulls left out."""
    found = {}
    table = table_of(members, near=rules.permutations > 0)
    for batch in judge_members(table, PARTS, rules, load or loader(sets_of(members))):
        for doc_id, row in zip(batch["doc_id"][:, 1].tolist(), verdicts(batch).to_pylist(), strict=True):
            assert row.pop("row") == doc_id
            values = {k: int.from_bytes(v, "big") if isinstance(v, bytes) else v for k, v in row.items()}
            found[doc_id] = {name: value for name, value in values.items() if value is not None}
    return found


def marks_of(members: Sequence[Member], rules: DuplicateRules = RULES) -> dict[int, Row]:
    """Witnesses and similarities only, where there are any; stores only where they are earlier ones."""
    return {
        doc_id: {
            name: value
            for name, value in row.items()
            if name not in ("cluster_id", "cluster_size")
            and value is not False
            and not (name.endswith("_store") and value == OWN)
        }
        for doc_id, row in judged(members, rules).items()
    }


def slow_judge(members: Sequence[Member], rules: DuplicateRules) -> dict[int, Row]:
    """What `judged` gives, component by component and document by document; those without ours are left out."""
    found: dict[int, Row] = {}
    for component in sorted({member.component for member in members if member.store == OWN}):
        mine = [m for m in members if m.component == component]
        found |= _slow_component(sorted(mine, key=lambda m: (-m.priority, -m.text_bytes, m.doc_id)), rules)
    return found


def _slow_component(members: list[Member], rules: DuplicateRules) -> dict[int, Row]:
    rows: dict[int, Row] = {}
    documents = [_under(rules, member.document()) for member in members]
    in_stores = [m.doc_id for m in members if m.store != STORED]
    copies = set()
    for at, member in enumerate(members):
        rows[member.doc_id] = {"cluster_size": len(in_stores), "taken_text": False, "estimated": False}
        if len(in_stores) > 1:
            rows[member.doc_id]["cluster_id"] = min(in_stores)
        if member.takedown == NONE and _write_copy(rows[member.doc_id], at, members, rules):
            copies.add(member.doc_id)
    for at, member in enumerate(members):
        if not member.tainting and member.store != STORED and rules.taint != "ignore":
            tainting = [m.tainting for m in members]
            _write(rows[member.doc_id], "taint", members, *slow_source(at, documents, tainting, rules.limits, False))
        if member.store == OWN and rules.overlap == "report":
            earlier = [m.store in range(STORED) and not m.excluded and m.doc_id not in copies for m in members]
            _write(rows[member.doc_id], "overlap", members, *slow_source(at, documents, earlier, rules.limits, True))

    def barred(member: Member) -> bool:
        tainted = rules.taint == "drop" and "taint" in rows[member.doc_id]
        return member.excluded or member.doc_id in copies or (tainted and not member.entitled)

    def rank(member: Member) -> int:
        if member.store in range(STORED):
            return 0 if rules.overlap == "old_stays" else 3
        return 2 if barred(member) else 1

    order = sorted(members, key=rank)
    among_ours = rules.within or rules.overlap == "new_replaces"
    walked = [
        replace(
            _under(rules, m.document()),
            judged=m.store != STORED
            and (rules.overlap == "new_replaces" if m.store != OWN else rules.within or rules.overlap == "old_stays"),
            offers=not barred(m) and (rules.overlap == "old_stays" if m.store != OWN else among_ours),
        )
        for m in order
    ]
    found = slow_walk(walked, rules.limits)
    for row in range(len(found)):
        _write_verdict(rows[order[row].doc_id], order, row, found, rules)
    gone = {m.doc_id for m in members if m.store == OWN and set(KINDS) & rows[m.doc_id].keys()}
    for member in members:
        if rules.duplicates == "drop_all" and member.store != OWN:
            for kind in KINDS:
                if rows[member.doc_id].get(kind) in gone:
                    _erase(rows[member.doc_id], kind)
    for member, verdict in zip(order, found, strict=True):
        stays = not barred(member) and not set(KINDS) & rows[member.doc_id].keys()
        rows[member.doc_id]["bounded"] = verdict.bounded and stays
    return rows


def _under(rules: DuplicateRules, document: Document) -> Document:
    """A document as the rules let it be seen."""
    return replace(
        document,
        url=document.url if rules.url else None,
        text=document.text if rules.exact else None,
        shingles=document.shingles if rules.permutations else frozenset(),
    )


def _write_copy(row: Row, at: int, members: list[Member], rules: DuplicateRules) -> bool:
    """What a document repeats of what was taken out, by the takedown that asks for most similarity; whether it does."""
    documents = [m.document() for m in members]
    if not rules.permutations:
        documents = [replace(document, shingles=frozenset()) for document in documents]
    # No text has shingles of these numbers, so that what is not known is like nothing.
    compared = [
        d if m.known or not d.shingles else replace(d, shingles=frozenset({-m.doc_id}))
        for m, d in zip(members, documents, strict=True)
    ]
    for limit in rules.copy_limits:
        sources = [m.takedown != NONE and rules.takedowns[m.takedown] == limit for m in members]
        found, share = slow_source(at, compared, sources, rules.limits_of_copies(limit), False)
        estimated = found is None
        for other, is_source in enumerate(sources):
            if (
                found is None
                and is_source
                and not members[other].known
                and documents[at].shingles
                and documents[other].shingles
            ):
                equal = equal_cells(documents[at].sketch, documents[other].sketch)
                estimate = max(Fraction(0), (Fraction(equal, 32) - Fraction(1, 4)) / Fraction(3, 4))
                found, share = (other, estimate) if estimate >= limit else (None, None)
        if found is not None:
            _write(row, "taken", members, found, share)
            source = members[found]
            row |= {"takedown": source.takedown, "taken_text": source.doc_id == source.text, "estimated": estimated}
            return True
    return False


def _write_verdict(row: Row, order: list[Member], at: int, found: list[Verdict], rules: DuplicateRules) -> None:
    for kind in KINDS:
        witness, said = getattr(found[at], kind), found[at]
        if witness is None and rules.duplicates == "drop_all":
            joined = [i for i, verdict in enumerate(found) if getattr(verdict, kind) == at]
            followers = [i for i in joined if order[i].store == OWN]
            if followers:
                witness, said = followers[0], found[followers[0]]
        _write(row, kind, order, witness, said.similarity if kind == "near" else None)


def _write(row: Row, kind: str, members: list[Member], witness: int | None, share: Fraction | None) -> None:
    if witness is not None:
        row |= {kind: members[witness].doc_id, f"{kind}_store": members[witness].store}
        if share is not None:
            row[f"{kind}_similarity"] = float(share)


def _erase(row: Row, kind: str) -> None:
    for name in (kind, f"{kind}_store", f"{kind}_similarity"):
        row.pop(name, None)
