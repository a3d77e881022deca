"""How similar texts are found and compared, and the published numbers that have a name.

>>> near = Near(preset="fineweb", rows=9)
>>> near.ngram, near.bands, near.rows, near.threshold
(5, 14, 9, 0.719)
"""

from types import MappingProxyType
from typing import Annotated, Any, Final, Literal, NamedTuple, Self

from annotated_types import Ge, Le
from pydantic import Field, model_validator

from configs.bands import choose_bands
from configs.values import Count, Section

Preset = Literal["fineweb", "redpajama-v2", "slimpajama"]


class Scheme(NamedTuple):
    """The numbers that a preset stands for, and where they are from."""

    ngram: int
    bands: int
    rows: int
    threshold: float
    source: str


SCHEMES: Final = MappingProxyType[Preset | None, Scheme](
    {
        None: Scheme(5, 25, 5, 0.7, "Ours; it finds more pairs than are similar, and comparison decides."),
        "fineweb": Scheme(5, 14, 8, 0.719, "datatrove's example; it compares no texts, 0.719 is (1/bands)^(1/rows)."),
        "redpajama-v2": Scheme(13, 14, 9, 0.7, "Its configuration: the lowest of its similarities, 128 permutations."),
        "slimpajama": Scheme(13, 9, 13, 0.8, "Its paper and code: 128 permutations."),
    }
)
"""The default, which is None, and the presets."""


def _scheme(before: dict[str, Any]) -> Scheme:
    return SCHEMES[before["preset"]]


def _bands_and_rows(before: dict[str, Any]) -> tuple[int, int]:
    permutations = before["permutations"]
    scheme = _scheme(before)
    return choose_bands(before["threshold"], permutations) if permutations else (scheme.bands, scheme.rows)


class Near(Section):
    """Documents that share most of their word n-grams. `bands` x `rows` is the length of the MinHash signature.

    Give `bands` and `rows`, or `permutations`, or neither. `config show` writes out the numbers of a preset and those
    chosen from `permutations`; given so, they make the same build.
    """

    preset: Preset | None = None
    """Published numbers for `threshold`, `ngram`, `bands` and `rows`; a key given beside it counts in place of its
    number. Words, hashes and comparison are ours whatever the preset."""
    threshold: float = Field(default_factory=lambda before: _scheme(before).threshold, gt=0, le=1)
    """Jaccard similarity from which two documents are near duplicates."""
    ngram: int = Field(default_factory=lambda before: _scheme(before).ngram, ge=1, le=64)
    """Words in a shingle."""
    permutations: Annotated[int, Ge(1), Le(1000)] | None = None
    """MinHash values that `bands` and `rows` are to be chosen from, as datasketch chooses them for `threshold`; not
    all of them need be used. Once read it is null, since `bands` and `rows` say it."""
    bands: int = Field(default_factory=lambda before: _bands_and_rows(before)[0], ge=1, le=1000)
    """Bands of the signature; two documents with an equal band are compared. More bands find more."""
    rows: int = Field(default_factory=lambda before: _bands_and_rows(before)[1], ge=1, le=1000)
    """MinHash values in a band. More rows compare fewer."""
    verify: Literal["jaccard", "signature"] = "jaccard"
    """What decides whether two documents are similar: the Jaccard similarity of their sets of shingles, or its
    estimate from the signatures, which is faster and can be wrong; the ledger says which it was."""
    most_estimates: Count = 200_000
    """Survivors of its cluster, the first in survivor order, that a document is compared with by estimate."""
    most_comparisons: Count = 1000
    """Those of them, with the best estimates, whose texts it is compared with. A document for which such a bound was
    reached stays unless it has a proven witness; the manifest says where that was."""

    @model_validator(mode="after")
    def _write_out_permutations(self) -> Self:
        given = {"bands", "rows"} & self.model_fields_set
        if self.permutations and len(given) == 1:
            (alone,) = given
            raise ValueError(f"`permutations` goes with both `bands` and `rows` or neither, not with `{alone}` alone")
        product = self.bands * self.rows
        if self.permutations and given and product != self.permutations:
            raise ValueError(
                f"`bands` {self.bands} x `rows` {self.rows} = {product}, but `permutations` is {self.permutations}; "
                "make them equal, or leave out `permutations`, or leave out `bands` and `rows` to have them chosen"
            )
        object.__setattr__(self, "permutations", None)  # the class is frozen for all but its own validation
        return self
