"""Mark signals: what the rights signals of a document mean under the policy."""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from configs.policy import Policy
from schemas import reasons, signals
from transforms.decide.marks import Marks
from transforms.decide.publishers import PublisherLists

I64 = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

COLUMNS: Final = (
    "reservations",
    "copyright_notices",
    "rights_reserved",
    "isbns",
    "issns",
    "dois",
    "arxiv_ids",
    "licences",
)
"""Measured columns that signals are read from."""
_RESERVED: Final = {
    reasons.TDM_RESERVATION: signals.TDM_RESERVATION,
    reasons.NOAI: signals.NOAI,
    reasons.NOIMAGEAI: signals.NOIMAGEAI,
    reasons.NOINDEX: signals.NOINDEX,
}
_FOUND: Final = {
    reasons.ISBN: "isbns",
    reasons.ISSN: "issns",
    reasons.DOI: "dois",
    reasons.ARXIV: "arxiv_ids",
    reasons.LICENCE: "licences",
}


def mark_signals(table: pa.Table, basis: pa.Array, policy: Policy, publishers: PublisherLists) -> Iterator[Marks]:
    """The marks of the rules on signals, in their order.

    `table` has the columns `COLUMNS` of some documents, row beside row with `basis`, their `rights_basis`. A rule whose
    action is `keep` leaves no mark. Where the register gives a basis, a reservation is only flagged: it takes back what
    the law allows everybody, not what a contract or a licence allows.
    """
    crawled = np.asarray(pc.equal(basis, reasons.CRAWL))
    yield from _mark_reservations(table, crawled, policy)
    yield from _mark_found(table, reasons.COPYRIGHT_NOTICE, "copyright_notices", "statement", policy)
    yield from _mark_found(table, reasons.RIGHTS_RESERVED, "rights_reserved", "value", policy)
    yield from _mark_publishers(table, policy, publishers)
    for rule, column in _FOUND.items():
        yield from _mark_found(table, rule, column, "value", policy)
    if (action := policy.action(reasons.UNLICENSED)) != reasons.KEEP:
        yield Marks(reasons.UNLICENSED, action, _unlicensed(table, crawled, policy))


def _exploded(column: pa.ChunkedArray) -> tuple[I64, pa.StructArray]:
    """The row of each item of a list column, and the items."""
    lists = column.combine_chunks()
    return pc.list_parent_indices(lists).to_numpy(zero_copy_only=False).astype(np.int64), lists.flatten()


def _mark_found(table: pa.Table, rule: str, column: str, name: str, policy: Policy) -> Iterator[Marks]:
    if (action := policy.action(rule)) != reasons.KEEP:
        rows, found = _exploded(table[column])
        yield Marks(rule, action, rows, {"matched": found.field(name), **_places(found)})


def _places(found: pa.StructArray) -> dict[str, Any]:
    return {name: found.field(name) for name in ("source", "start", "end")}


def _mark_reservations(table: pa.Table, crawled: Flags, policy: Policy) -> Iterator[Marks]:
    rows, found = _exploded(table["reservations"])
    agent = found.field("agent")
    heard = pc.or_(agent.is_null(), pc.is_in(pc.ascii_lower(agent), pa.array(policy.agents, pa.string())))
    for rule, signal in _RESERVED.items():
        if (action := policy.action(rule)) == reasons.KEEP:
            continue
        said = pc.and_(heard, pc.equal(found.field("signal"), signal))
        if signal == signals.TDM_RESERVATION:
            said = pc.and_(said, pc.fill_null(pc.equal(found.field("value"), "1"), False))
        for chosen, what in ((crawled[rows], action), (~crawled[rows], reasons.MARK_FLAG)):
            yield _mark_directives(rule, what, rows, found, np.asarray(said) & chosen)


def _mark_directives(rule: str, action: str, rows: I64, found: pa.StructArray, chosen: Flags) -> Marks:
    one = found.filter(pa.array(chosen))
    words = [one.field(name) for name in ("agent", "signal", "value")]
    matched = pc.binary_join_element_wise(*words, ": ", null_handling="skip")
    return Marks(rule, action, rows[chosen], {"matched": matched, "source": one.field("source")})


def _mark_publishers(table: pa.Table, policy: Policy, publishers: PublisherLists) -> Iterator[Marks]:
    action = policy.action(reasons.PUBLISHER_ISBN)
    if action == reasons.KEEP or not publishers.lists:
        return
    rows, found = _exploded(table["isbns"])
    for listed in publishers.lists:
        match = listed.match(found.field("value"))
        one = np.flatnonzero(match.line >= 0)
        at = pa.array(one)
        fields = {
            "list": listed.name,
            "list_sha256": listed.sha256,
            "category": match.publisher.take(at),
            "line": pa.array(match.line[one]),
            "matched": found.field("value").take(at),
            **_places(found.take(at)),
        }
        yield Marks(reasons.PUBLISHER_ISBN, action, rows[one], fields)


def _unlicensed(table: pa.Table, crawled: Flags, policy: Policy) -> I64:
    """Rows that nothing licenses: not the register, and not a licence that the page declares to be its own."""
    rows, found = _exploded(table["licences"])
    declared = np.zeros(len(found), np.bool_)
    for source in signals.DECLARED:
        declared |= np.asarray(pc.starts_with(found.field("source"), source))
    distinct = found.field("value").dictionary_encode()
    is_open = np.array([policy.is_open(licence) for licence in distinct.dictionary.to_pylist()], np.bool_)
    bare = crawled.copy()
    bare[rows[declared & is_open[distinct.indices.to_numpy()]]] = False
    return np.flatnonzero(bare)
