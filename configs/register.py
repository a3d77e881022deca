"""What a sources register may say: by which right a source is used, and how it ranks.

>>> Source(host="example.org", basis="licensed", contract="2024-17", priority=10).reference
'2024-17'
"""

from typing import Annotated, Final, Literal, Self

from annotated_types import Ge, Le
from pydantic import Field, Strict, field_validator, model_validator

from configs.values import Domain, Section, Text, Words

Basis = Literal["licensed", "open_licence", "public_domain", "crawl"]

PLACES: Final = ("host", "prefix", "input")
"""The keys that say where a source lies."""
_REFERENCES: Final = {"licensed": "contract", "open_licence": "licence"}
"""What a basis rests on: a key that goes with that basis and with no other."""

UrlPrefix = Annotated[
    str,
    Field(pattern=r"^[^\s#*]+\*?$"),
    Words("the beginning of a URL, such as `https://example.org/open/`, without `#`"),
]


class Source(Section):
    """One source, which is a `host`, a `prefix` or an `input`, and what is known of its rights.

    Of several that fit a document, `input` beats `prefix`, which beats `host`; of one kind the longest counts.
    """

    host: Domain | None = None
    """A domain with its subdomains; of a public suffix such as `github.io` itself alone, unless `*.` goes before it."""
    prefix: UrlPrefix | None = None
    """The beginning of URLs, to the end of a name or an argument; with `*` at its end it may end anywhere. `http` and
    `https` are alike, and the scheme may be left out."""
    input: Annotated[str, Field(min_length=1), Words("the name of an input file, or a glob")] | None = None
    """An input file, relative to `crawl.root`, as `source_file` in the ledger has it; `*` stands for any characters,
    slashes too, and `?` and `[…]` mean what they mean in a shell."""
    basis: Basis
    """By which right the documents of this source are used."""
    contract: Text | None = None
    """The contract, which `licensed` must name; it goes to the ledger."""
    licence: Text | None = None
    """The licence, best as an SPDX identifier, which `open_licence` must name; it goes to the ledger."""
    priority: Annotated[int, Ge(-1000), Le(1000)] = 0
    """Of several copies that of the source with the largest priority survives first, by the rule `source_priority`; a
    source that is not registered has 0."""
    note: Text | None = None
    """For those who read the register."""

    @field_validator("input")
    @classmethod
    def _relative(cls, name: str | None) -> str | None:
        if name and (name.startswith("/") or "://" in name):
            raise ValueError(f"input files are named relative to `crawl.root`, as in the ledger, and {name} is not")
        return name

    @model_validator(mode="after")
    def _one_place_and_its_reference(self) -> Self:
        places = [f"`{place}`" for place in PLACES if getattr(self, place) is not None]
        if len(places) != 1:
            said = f"{' and '.join(places)} are given" if places else "none is given"
            raise ValueError(f"a source is one of `host`, `prefix` and `input`; {said}")
        for basis, key in _REFERENCES.items():
            named = getattr(self, key) is not None
            if self.basis == basis and not named:
                raise ValueError(f"the basis `{basis}` rests on a {key}; name it as `{key}`")
            if self.basis != basis and named:
                raise ValueError(f"`{key}` goes with the basis `{basis}`, not with `{self.basis}`; take one out")
        return self

    @property
    def reference(self) -> str | None:
        """The contract or licence that the basis rests on."""
        return self.contract or self.licence


class RegisterFile(Section):
    """The file that `sources.register` names."""

    sources: Annotated[tuple[Source, ...], Strict(False)] = Field(min_length=1)
    """The sources; two of the same host, prefix or input are a mistake."""
