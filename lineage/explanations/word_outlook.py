"""What would have to change for another decision, in words."""

from collections.abc import Iterator, Sequence
from typing import Final

from lineage.explanations.find_changes import Change
from lineage.explanations.gather_facts import Facts
from lineage.explanations.quote import at_least, one_of
from schemas import reasons

_COMPARED: Final = (reasons.SAME_URL, reasons.EXACT_DUPLICATE, reasons.NEAR_DUPLICATE, reasons.TAINT)
"""Rules by which a document is out for what another one is."""


def outlook_words(facts: Facts) -> Iterator[str]:
    """What would have to change for another decision, and what would then be decided."""
    yield from _to_take_out(facts) if facts.document["decision"] == reasons.KEEP else _to_keep(facts)


def _to_keep(facts: Facts) -> Iterator[str]:
    """What would lift its marks, and what would then be decided."""
    changes = facts.changes
    if len(changes) > 1:
        yield "All of these must be lifted together:"
    yield from _ways("To lift", changes)
    flags = sum(mark["action"] == reasons.MARK_FLAG for mark in facts.document["marks"])
    flagged = f", with {flags:,} mark{'s' * (flags > 1)} that only flag{'s' * (flags == 1)} it" if flags else ""
    held = [f"`{change.rule}`" for change in changes if change.action == reasons.MARK_QUARANTINE]
    if held and len(held) < len(changes):
        yield f"With what drops it lifted it would be quarantined, by {one_of(list(dict.fromkeys(held)), 'and')}."
    yield f"With {'all of ' if len(changes) > 1 else ''}that lifted, and all else as it is, it would be kept{flagged}."
    if any(change.rule in _COMPARED for change in changes):
        yield "It stays out if it then repeats another surviving document of its cluster."
    else:
        yield "It stays out if it then repeats another document that survives, or one that comes back with it."


def _to_take_out(facts: Facts) -> Iterator[str]:
    """What would make its flags take it out, and what else would."""
    yield from _ways("To be taken out by", facts.changes)
    if facts.settings:
        keys = one_of(facts.settings, "or")
        yield f"For what it says and has no mark for, {keys} set to `drop` or `quarantine` would take it out."
    followers = facts.followers
    if followers.counts:
        yield "A `dedup.survivor` order that puts a document that repeats it first would take it out in its place."
    if followers.most is not None and followers.least is not None:
        bounds = f"from {at_least(followers.least)} to {at_least(followers.most)}"
        yield f"Those that are near have similarities {bounds}; `dedup.near.threshold` is {facts.build['threshold']}."
    if not facts.changes and not facts.settings and not followers.counts:
        yield "Nothing that the ledger knows speaks against it: a list, a register or a takedown would have to name it."


def _ways(begin: str, changes: Sequence[Change]) -> Iterator[str]:
    for change in changes:
        if len(change.ways) == 1:
            yield f"{begin} `{change.rule}`: {change.ways[0]}."
        else:
            yield f"{begin} `{change.rule}`, one of:"
            yield from (f"- {way}" for way in change.ways)
