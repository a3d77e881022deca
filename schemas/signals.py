"""What a page itself may say of its rights: the kinds of `PAGE_SIGNAL`, and where signals are read.

A reader yields what HTTP header and HTML say, word for word; measuring brings it into the columns `RIGHTS`.
"""

from typing import Final

COPYRIGHT: Final = "copyright"
LICENCE: Final = "licence"
AUTHOR: Final = "author"
PUBLISHER: Final = "publisher"
ISBN: Final = "isbn"
ISSN: Final = "issn"
DOI: Final = "doi"

TDM_RESERVATION: Final = "tdm-reservation"
TDM_POLICY: Final = "tdm-policy"
NOAI: Final = "noai"
NOIMAGEAI: Final = "noimageai"
NOINDEX: Final = "noindex"

RESERVATIONS: Final = (TDM_RESERVATION, TDM_POLICY, NOAI, NOIMAGEAI, NOINDEX)
"""Kinds that go to the column `reservations`; the others are named as the column that they go to."""

TEXT: Final = "text"
"""The `source` of what stands in the text."""
SOURCES: Final = {
    "text": "The text of the document; `start` and `end` say where.",
    "http:NAME": "The field NAME of the HTTP response header, in lower case.",
    "meta:NAME": "`<meta name=NAME>` (or `property`, `http-equiv`, `itemprop`), in lower case.",
    "link:license": "A link with `rel=license`.",
    "link:creativecommons": "Any other link of the page to a licence of Creative Commons.",
    "json-ld:KEY": "The key KEY of a JSON-LD block.",
}
DECLARED: Final = ("http:", "meta:", "link:license", "json-ld:")
"""Sources by which a page declares a licence to be its own, rather than to name one."""
