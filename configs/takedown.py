"""What a request to take work out may say: who asks, when, by which reference, for what, and how far it reaches.

>>> request = TakedownRequest(
...     requested_by="Jane Doe, Doe Books Ltd",
...     requested_on="2026-11-02",
...     reference="DMCA-2026-114",
...     selectors=Selectors(domains=("pirate.example",)),
... )
>>> request.scope, request.witnesses
('near_duplicates', 'stay_out')
"""

import datetime
import hashlib
from typing import Annotated, Any, Final, Literal, Self

from annotated_types import Gt, Le
from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator

from configs.values import Many, Section, Text, Words

Scope = Literal["near_duplicates", "named"]
Witnesses = Literal["stay_out", "next_in_line"]


def _real_date(written: str) -> str:
    try:
        return datetime.date.fromisoformat(written).strftime("%Y-%m-%d")
    except ValueError:
        raise ValueError(f"{written!r} is no day of the calendar; write it as year-month-day, 2026-11-02") from None


Day = Annotated[str, AfterValidator(_real_date), Words("a day such as 2026-11-02")]
Host = Annotated[
    str,
    Field(pattern=r"^[^\s/:@*?.]+(\.[^\s/:@*?.]+)*\.?$"),
    Words("a domain such as `example.org`, without scheme, path or `*`; all beneath it goes too"),
]
Isbn = Annotated[str, Field(pattern=r"^[0-9Xx -]{10,17}$"), Words("an ISBN of 10 or 13 digits")]
DocId = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$"), Words("a `doc_id`: 32 hex digits in lower case")]


class TextSelector(Section):
    """A work, given by its text: in a file, which a bare path names, or as it is."""

    path: Text | None = None
    """A file of UTF-8; a relative path starts from the directory of the request."""
    text: Text | None = None
    """The text itself."""
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$"), Words("64 hex digits")] | None = None
    """SHA-256 of the text in UTF-8, by which a certificate names it; a request does not."""
    bytes: Annotated[int, Gt(0)] | None = None
    """Its length, beside `sha256`."""

    @model_validator(mode="before")
    @classmethod
    def _a_bare_path_is_one(cls, data: Any) -> Any:
        if data == "":
            raise ValueError("the path is empty; name the file that holds the text")
        return {"path": data} if isinstance(data, str) else data

    @model_validator(mode="after")
    def _said_in_one_way(self) -> Self:
        if sum(value is not None for value in (self.path, self.text, self.sha256)) != 1:
            raise ValueError("a text is given by the path of its file, or as `text`; by one of the two")
        return self

    @property
    def name(self) -> str:
        """What tells it from others; no two of a request share it."""
        if self.path is not None:
            return self.path
        return f"sha256:{self.sha256 or hashlib.sha256((self.text or '').encode()).hexdigest()}"


TextSource = Annotated[TextSelector, Words("a path, or the text itself as `{text: ...}`")]


class Selectors(Section):
    """What is to go. Whatever one of them names goes."""

    urls: Many[Text] = ()
    """Pages, by URLs that are brought into the normal form in which crawls are compared."""
    domains: Many[Host] = ()
    """Hosts, with all beneath them."""
    isbns: Many[Isbn] = ()
    """Books: documents that hold or declare one of the numbers."""
    doc_ids: Many[DocId] = ()
    """Documents, as the ledger names them."""
    texts: Many[TextSource] = ()
    """Works, by their texts."""

    @model_validator(mode="after")
    def _at_least_one(self) -> Self:
        if not any(getattr(self, kind) for kind in SELECTORS):
            known = ", ".join(f"`{kind}`" for kind in SELECTORS)
            raise ValueError(f"nothing is selected; name at least one entry of {known}")
        return self


SELECTORS: Final = tuple(Selectors.model_fields)
"""The kinds of selectors, in the order in which one that fits gives a document its mark."""


class TakedownRequest(Section):
    """One request to take work out."""

    requested_by: Text
    """Who asks."""
    requested_on: Day
    """When it was asked."""
    reference: Text
    """By what the request is filed, such as the number of the case."""
    selectors: Selectors
    """What is to go."""
    scope: Scope = "near_duplicates"
    """`named`: what the selectors name, of texts the exact copies. `near_duplicates`: also what is similar to it, from
    whatever source."""
    similarity: Annotated[float, Gt(0), Le(1)] | None = None
    """Jaccard similarity from which a document goes too; null: the threshold by which the dataset was made. Under
    `takedowns` of a config copies are found by bands, so of those well below the threshold only some are."""
    witnesses: Witnesses = "stay_out"
    """What becomes of documents that were dropped only as duplicates of one that goes: they stay out, or the next in
    line comes back."""

    @field_validator("similarity")
    @classmethod
    def _where_texts_are_compared(cls, similarity: float | None, info: ValidationInfo) -> float | None:
        if similarity is not None and info.data.get("scope") == "named":
            raise ValueError("the scope `named` compares no texts; leave one of the two out")
        return similarity

    @field_validator("witnesses")
    @classmethod
    def _where_copies_may_stay(cls, witnesses: Witnesses, info: ValidationInfo) -> Witnesses:
        if witnesses == "next_in_line" and info.data.get("scope") == "near_duplicates":
            raise ValueError(
                "`next_in_line` would bring back copies, which the scope `near_duplicates` takes out; "
                "leave it out, or say `scope: named`"
            )
        return witnesses
