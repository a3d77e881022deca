"""Why the witness of a document came before it in survivor order, as far as the ledger tells."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from configs.model import Dedup
from schemas import reasons
from schemas.columns import TIME
from transforms.decide.order_survivors import LAST, POLICIES, Facts

Row = Mapping[str, Any]

EARLIER: Final = "earlier"
EXCLUDED: Final = "excluded"
SOURCE_PRIORITY: Final = "source_priority"
_EXCLUDING: Final = (reasons.BLOCKLIST, *reasons.POLICY_RULES, reasons.TAINT)


@dataclass(frozen=True)
class Loss:
    """What decided that another document came first.

    `by` is a survivor rule; `doc_id`, which breaks ties; `earlier`, as documents of earlier stores come first;
    `excluded`, as what other rules take out comes last; or `none`, under which no document of several stays.
    """

    by: str
    own: Any = None
    """What the rule looks at, of this document; for `excluded` the rules that take it out."""
    its: Any = None
    """The same of its witness."""
    or_priority: bool = False
    """`source_priority` is asked before `by` and may have decided: the ledger does not hold priorities."""


def find_loss(row: Row, witness: Row | None, manifest: Mapping[str, Any]) -> Loss | None:
    """Why the `witness` that a ledger row names came first; None if it has none, or the ledger does not tell.

    `witness` is the ledger row of that document, None if this dataset has none.
    """
    if row["duplicate_build"]:
        return Loss(EARLIER)
    if witness is None:
        return None
    if row["survivor_policy"] == "none":
        return Loss("none")
    if found := _excluding(row, manifest):
        return Loss(EXCLUDED, found)
    return _compare(row, witness, manifest)


def _excluding(row: Row, manifest: Mapping[str, Any]) -> list[str]:
    """The rules that took the document out before duplicates were looked for."""
    # A takedown with a certificate here was carried out on the finished dataset.
    known = {entry["id"] for entry in manifest["takedowns"] if entry["certificate"] is None}
    out = [mark for mark in row["marks"] if mark["action"] != reasons.MARK_FLAG]
    rules = [mark["rule"] for mark in out if mark["rule"] in _EXCLUDING or mark["list"] in known]
    return list(dict.fromkeys(rules))


def _compare(row: Row, witness: Row, manifest: Mapping[str, Any]) -> Loss | None:
    """The first rule of the order by which the two differ."""
    both, or_priority = _facts(row, witness), False
    for rule in Dedup(survivor=manifest["config"]["dedup"]["survivor"]).survivor_rules:
        if rule == SOURCE_PRIORITY:
            or_priority = manifest["register"] is not None
            continue
        own, its = POLICIES[rule](both).tolist()
        if its < own:
            return Loss(rule, _value(rule, row), _value(rule, witness), or_priority)
        if own < its:  # it would have come first, had not an earlier rule said otherwise
            return Loss(SOURCE_PRIORITY) if or_priority else None
    if witness["doc_id"] < row["doc_id"]:
        return Loss("doc_id", row["doc_id"], witness["doc_id"], or_priority)
    return Loss(SOURCE_PRIORITY) if or_priority else None


def _facts(*rows: Row) -> Facts:
    """What survivor rules look at; priorities are not known and taken as equal."""
    times = pa.array([row["fetch_time"] for row in rows], TIME).cast(pa.int64())
    urls = [LAST if row["url"] is None else len(row["url"].encode()) for row in rows]
    texts = [row["text_bytes"] for row in rows]
    return Facts(np.array(texts), pc.fill_null(times, LAST).to_numpy(), np.array(urls), np.zeros(len(rows), np.int64))


def _value(rule: str, row: Row) -> Any:
    if rule == "url_shortest":
        return None if row["url"] is None else len(row["url"].encode())
    return row["fetch_time" if rule in ("earliest", "latest") else "text_bytes"]
