"""What would have to change for another decision: worked out from the marks of a document and the config that decided.

>>> config = {"dedup": {"near": {"threshold": 0.7}, "survivor": ["longest"]}}
>>> mark = {"rule": "near_duplicate", "action": "drop", "value": 0.83, "evidence": "ab", "evidence_build": None}
>>> (change,) = find_changes({"decision": "drop", "marks": [mark]}, {"config": config})
>>> change.ways[0]
'`dedup.near.threshold` above 0.83, as its similarity is 0.83'

Each mark that takes a document out can be lifted in one of several ways; all of them must be lifted together. Config
keys stand between backticks, as `cleartitle --set` takes them.
"""

from dataclasses import dataclass

import pyarrow as pa

from configs.policy import Policy, Signals
from lineage.explanations.ways import LIFTS, TAKES_OUT, Case, Fields, signal_key
from schemas import reasons
from schemas.columns import LEDGER
from transforms.decide.mark_signals import COLUMNS, mark_signals
from transforms.decide.publishers import PublisherLists


@dataclass(frozen=True)
class Change:
    """What would undo a mark."""

    rule: str
    action: str
    """What the mark does now: `drop`, `quarantine` or `flag`."""
    ways: list[str]
    """Each of them is enough: to lift the mark if it takes the document out, to make it do so if it is a flag."""


def find_changes(row: Fields, manifest: Fields) -> list[Change]:
    """What would lift each mark that takes a document out; of one that is kept, what would make each flag do so.

    `row` is its ledger row. Marks that the same ways undo, such as one rule's for several phrases, are one change.
    """
    kept = row["decision"] == reasons.KEEP
    ways, changes = TAKES_OUT if kept else LIFTS, []
    for mark in row["marks"]:
        if kept or mark["action"] != reasons.MARK_FLAG:
            case = Case(mark, row, manifest["config"])
            changes.append(Change(case.rule, mark["action"], ways[case.rule](case)))
    return [change for number, change in enumerate(changes) if change not in changes[:number]]


def settings_against(row: Fields, manifest: Fields) -> list[str]:
    """Keys of the policy that would take a kept document out for a signal that leaves no mark on it as they are."""
    if row["decision"] != reasons.KEEP:
        return []
    policy = manifest["config"]["policy"]
    signals = dict.fromkeys(Signals.model_fields, reasons.MARK_DROP)
    strict = Policy.model_validate({**policy, "signals": signals})
    columns = {name: pa.array([row[name]], LEDGER.schema().field(name).type) for name in COLUMNS}
    marks = mark_signals(pa.table(columns), pa.array([row["rights_basis"]]), strict, PublisherLists(()))
    fired = [mark.rule for mark in marks if len(mark.rows) and mark.action == reasons.MARK_DROP]
    there = {mark["rule"] for mark in row["marks"]}
    return [signal_key(rule) for rule in dict.fromkeys(fired) if rule not in there]
