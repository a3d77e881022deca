"""What follows from what was found: one of four actions for each category of lists and each rule on signals.

>>> policy = Policy(categories={"news": "flag"}, signals=Signals(noai="quarantine"))
>>> policy.category("news"), policy.category("piracy"), policy.action("noai"), policy.is_open("CC-BY-4.0")
('flag', 'drop', 'quarantine', True)
"""

import re
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field

from configs.values import Many, Section, Text, Words

Action = Literal["keep", "flag", "quarantine", "drop"]

# Without conditions but to name the author, the licence or changes; CC-BY-SA, which binds only what is adapted, is the
# one exception. Copyleft of software is for users to add.
_OPEN_LICENCES: Final = (
    "CC0-1.0",
    "PDM-1.0",
    "public-domain",
    "CC-BY",
    "CC-BY-SA",
    "OGL-UK",
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unlicense",
    "Zlib",
)

Agent = Annotated[
    str, Field(pattern=r"^[^\s,:]+$"), AfterValidator(str.lower), Words("the name of a crawler, such as `ccbot`")
]


class Signals(Section):
    """What happens to a document by each rule on signals: `keep` leaves no mark, `flag` leaves one, `quarantine` puts
    the document into `quarantine/`, `drop` drops it. What was found stands in the columns in any case.
    """

    pirated_marker: Action = "flag"
    """The text holds a phrase of `sources.markers` whose category `policy.categories` does not name."""
    tdm_reservation: Action = "keep"
    """The page reserves text and data mining (TDMRep, `tdm-reservation: 1`)."""
    noai: Action = "keep"
    """The page says `noai`."""
    noimageai: Action = "keep"
    """The page says `noimageai`."""
    noindex: Action = "keep"
    """The page says `noindex`."""
    copyright_notice: Action = "keep"
    """There is a copyright notice."""
    rights_reserved: Action = "keep"
    """There is a statement that all rights are reserved."""
    publisher_isbn: Action = "keep"
    """There is an ISBN of a publisher on a list of `sources.publishers`."""
    isbn: Action = "keep"
    """There is an ISBN."""
    issn: Action = "keep"
    """There is an ISSN."""
    doi: Action = "keep"
    """There is a DOI."""
    arxiv: Action = "keep"
    """There is an arXiv identifier."""
    licence: Action = "keep"
    """A licence is named."""
    unlicensed: Action = "keep"
    """The sources register gives no basis but `crawl`, and the page declares no licence of `open_licences`."""


class Policy(Section):
    """What follows from what lists and signals say of a document. Changing it reruns decide and publish only."""

    categories: dict[Text, Action] = Field(default_factory=dict)
    """What happens to sources and texts by the category of the list that they are on. A category of blocklists that is
    not named here is dropped; one of markers follows `signals.pirated_marker`."""
    signals: Signals = Signals()
    """What happens to a document by what it says itself."""
    agents: Many[Agent] = ("ccbot",)
    """Crawlers, in any case of letters: directives to them count beside those to everybody."""
    open_licences: Many[Text] = _OPEN_LICENCES
    """SPDX identifiers of licences by which a document may be used. One without a version covers all versions."""

    def category(self, name: str) -> Action:
        """What happens to a document that a blocklist of this category covers."""
        return self.categories.get(name, "drop")

    def marker(self, category: str) -> Action:
        """What happens to a text with a phrase of a marker list of this category."""
        return self.categories.get(category, self.signals.pirated_marker)

    def action(self, rule: str) -> Action:
        """What happens to a document by a rule on signals, one of the fields of `Signals`."""
        action: Action = getattr(self.signals, rule)
        return action

    def is_open(self, licence: str) -> bool:
        """Whether an SPDX identifier is one of `open_licences`, or a version of one.

        >>> [name for name in ("CC-BY", "cc-by-3.0-DE", "CC-BY-NC-4.0", "CC0-2.0") if Policy().is_open(name)]
        ['CC-BY', 'cc-by-3.0-DE']
        """
        return any(re.fullmatch(rf"{re.escape(name)}(-\d.*)?", licence, re.IGNORECASE) for name in self.open_licences)
