"""The part of the config that finding duplicates needs, and what follows from it."""

from dataclasses import dataclass, replace
from typing import Final, Literal

from configs.model import Dedup
from transforms.kernels import sketches
from transforms.kernels.survivors import Limits

TIE_DEVIATIONS: Final = 3
"""How far below the threshold an estimate may be for two documents with an equal band to be tied: one pair of 740 is
missed, by one of the ways that lead from one to the other."""
COMPARE_DEVIATIONS: Final = 4
"""How far below it may be for two texts to be compared: one pair of 31,000 is missed."""
UNBOUNDED: Final = 1 << 62


@dataclass(frozen=True)
class DuplicateRules:
    """When two documents are the same, who stays, and how many are compared; `bands` is 0 without near duplicates."""

    url: bool
    exact: bool
    survivor: tuple[str, ...]
    taint: Literal["drop", "flag", "ignore"]
    threshold: float = 1.0
    ngram: int = 1
    bands: int = 0
    rows: int = 0
    signature: bool = False
    """Near duplicates are decided by the estimate of their signatures; no text is read."""
    most_estimates: int = 1
    most_comparisons: int = 1
    duplicates: Literal["drop", "drop_all", "flag"] = "drop"
    overlap: Literal["old_stays", "new_replaces", "report"] = "old_stays"
    within: bool = True
    """Whether documents of this crawl are compared with each other."""
    takedowns: tuple[float | None, ...] = ()
    """Of each takedown the similarity from which copies of what it names go too; None where they do not."""

    @property
    def permutations(self) -> int:
        return self.bands * self.rows

    @property
    def sketch_words(self) -> int:
        return sketches.words(self.permutations)

    @property
    def copy_limits(self) -> tuple[float, ...]:
        """The distinct similarities of takedowns, the largest first."""
        return tuple(sorted({limit for limit in self.takedowns if limit is not None}, reverse=True))

    @property
    def pairs_texts(self) -> bool:
        """Whether equal texts make candidates: a copy of what was taken down goes, whatever becomes of duplicates."""
        return self.exact or bool(self.copy_limits)

    @property
    def least_to_tie(self) -> int:
        """Equal cells from which two documents with an equal band are tied."""
        return sketches.least_cells(min((self.threshold, *self.copy_limits)), self.permutations, TIE_DEVIATIONS)

    @property
    def limits(self) -> Limits:
        least = sketches.least_cells(self.threshold, self.permutations, COMPARE_DEVIATIONS)
        return Limits(self.threshold, self.signature, least, self.most_estimates, self.most_comparisons)

    def limits_of_copies(self, similarity: float) -> Limits:
        """Those by which copies of what was taken down are found: no bound lets one back in."""
        least = sketches.least_cells(similarity, self.permutations, COMPARE_DEVIATIONS)
        return Limits(similarity, self.signature, least, UNBOUNDED, UNBOUNDED)

    @property
    def policy(self) -> str:
        """The survivor policy, as the ledger records it."""
        return {"drop": ", ".join(self.survivor), "drop_all": "none", "flag": "flag"}[self.duplicates]

    @property
    def key_bytes(self) -> int:
        """What one key of one document sends when candidates are paired: key, row and sketch."""
        return 12 + 8 * self.sketch_words

    @property
    def member_bytes(self) -> int:
        """About what one document sends when it is judged."""
        return 150 + 8 * self.sketch_words


def duplicate_rules(dedup: Dedup) -> DuplicateRules:
    """What the section `dedup` of a config says."""
    rules = DuplicateRules(
        url=dedup.url is not None,
        exact=dedup.exact is not None,
        survivor=dedup.survivor_rules,
        duplicates=dedup.duplicates,
        taint=dedup.taint,
        overlap=dedup.overlap,
        within=dedup.within,
    )
    near = dedup.near
    if near is None:
        return rules
    return replace(
        rules,
        threshold=near.threshold,
        ngram=near.ngram,
        bands=near.bands,
        rows=near.rows,
        signature=near.verify == "signature",
        most_estimates=near.most_estimates,
        most_comparisons=near.most_comparisons,
    )
