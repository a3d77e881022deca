"""Match copies: which documents of some components repeat what a takedown took out, and how similar they are."""

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from transforms.decide.duplicate_rules import DuplicateRules
from transforms.kernels.sketches import cells, count_differing
from transforms.kernels.survivors import Members, find_sources
from transforms.takedowns.match_selectors import NONE

I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

_CHANCE: Final = 1 / 4
"""Share of the cells of two sketches that are equal by chance; see `kernels/sketches.py`."""


class Copies(NamedTuple):
    """Of each member, arrays of shape (rows,)."""

    taken: I64
    """Row of what it repeats; `NONE` where it repeats nothing that was taken out."""
    similarity: F64
    """1 for an equal text."""
    estimated: Flags
    """The similarity is the estimate of sketches, as the set of what it repeats is not known."""


def match_copies(
    members: Members, takedown: I64, rules: DuplicateRules, rest: Callable[[], object] = lambda: None
) -> Copies:
    """Copies of the members that a takedown asks for with all copies: those with its number in `takedown`, int64 of
    shape (rows,), which is `NONE` for others.

    Equal texts are copies under any rules; other texts if their similarity reaches what the takedown says. A member
    names the first of those that it repeats, of the takedowns that ask for most similarity. `rest` as in
    `choose_survivors`.
    """
    copies = Copies(*(np.full(len(takedown), value) for value in (NONE, np.nan, False)))
    if not (takedown != NONE).any():
        return copies
    limit_of = np.array([np.nan if limit is None else limit for limit in rules.takedowns])
    limit = np.where(takedown == NONE, np.nan, limit_of[takedown])
    for similarity in rules.copy_limits:
        source, asked = limit == similarity, (takedown == NONE) & (copies.taken == NONE)
        found = find_sources(members, rules.limits_of_copies(similarity), source, asked, False, rest)
        _write(copies, found[0] != NONE, *found)
        if not rules.signature:
            _estimate(members, source & members.signed & (members.size == 0), similarity, rules, asked, copies)
    return copies


def _write(copies: Copies, rows: Flags, taken: I64, similarity: F64) -> None:
    copies.taken[rows], copies.similarity[rows] = taken[rows], similarity[rows]


def _estimate(
    members: Members, source: Flags, least: float, rules: DuplicateRules, asked: Flags, copies: Copies
) -> None:
    """Copies of those whose set of shingles is not known."""
    used = cells(rules.permutations)
    for row in np.flatnonzero(source):
        low, high = np.searchsorted(members.component, members.component[row] + np.arange(2))
        differing = np.empty(high - low, np.uint16)
        count_differing(np.ascontiguousarray(members.sketches[low:high].T), members.sketches[row], differing)
        similarity = np.maximum(0, (1 - differing / used - _CHANCE) / (1 - _CHANCE))
        mine = slice(low, high)
        rows = low + np.flatnonzero(
            asked[mine] & members.signed[mine] & (copies.taken[mine] == NONE) & (similarity >= least)
        )
        copies.taken[rows], copies.similarity[rows] = row, similarity[rows - low]
        copies.estimated[rows] = True
