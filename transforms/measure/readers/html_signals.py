"""Read what the HTML of a page says of its rights: `<meta>`, licence links, microdata and JSON-LD.

>>> page = "<meta name=robots content=noai><footer><a rel='license nofollow' href=https://a.org/by>CC BY</a></footer>"
>>> [(signal.kind, signal.value, signal.source) for signal in html_signals(HTMLTree.parse(page))]
[('noai', None, 'meta:robots'), ('licence', 'https://a.org/by', 'link:license')]
"""

import re
from collections.abc import Iterator
from itertools import islice
from typing import Final

from resiliparse.parse.html import ElementNode, HTMLTree, NodeType

from schemas.signals import AUTHOR, COPYRIGHT, DOI, ISBN, ISSN, LICENCE, PUBLISHER, TDM_POLICY, TDM_RESERVATION
from transforms.measure.readers.json_ld import is_part, json_ld_signals
from transforms.measure.readers.page_signals import MAX_VALUE, PageSignal, robots_signals, said

MAX_ELEMENTS: Final = 5_000
"""Elements of one page that are looked at: of those that could say something, the first."""

_ELEMENTS: Final = (
    'meta, link[rel~="license" i], a[rel~="license" i], area[rel~="license" i], '
    'a[href*="creativecommons.org/" i], script[type*="ld+json" i], [itemprop]'
)
_CREATIVE_COMMONS: Final = re.compile(r"creativecommons\.org/(?:licen[sc]es?|publicdomain)/", re.IGNORECASE)
_META: Final = {
    "tdm-reservation": TDM_RESERVATION,
    "tdm-policy": TDM_POLICY,
    **dict.fromkeys(("copyright", "rights", "dc.rights", "dcterms.rights"), COPYRIGHT),
    **dict.fromkeys(("license", "dc.rights.license", "dc.license", "dcterms.license"), LICENCE),
    **dict.fromkeys(("author", "article.author", "dc.creator", "dcterms.creator", "citation_author"), AUTHOR),
    **dict.fromkeys(
        ("publisher", "article.publisher", "dc.publisher", "dcterms.publisher", "citation_publisher"), PUBLISHER
    ),
    **dict.fromkeys(("isbn", "citation_isbn", "prism.isbn", "books.isbn", "book.isbn"), ISBN),
    **dict.fromkeys(("issn", "citation_issn", "prism.issn", "prism.eissn"), ISSN),
    **dict.fromkeys(("doi", "citation_doi", "prism.doi"), DOI),
}
"""Kinds by the name of a `<meta>`, with `.` for `:`."""
_IDENTIFIERS: Final = ("dc.identifier", "dcterms.identifier")
_IDENTIFIER: Final = re.compile(
    r"\s*(?:(?P<doi>doi:|info:doi/|https?://(?:dx\.)?doi\.org/|10\.\d{4})|(?:urn:)?(?:(?P<isbn>isbn)|(?P<issn>issn)))",
    re.IGNORECASE,
)
_ALL_CRAWLERS: Final = ("robots", "x-robots-tag")
_CRAWLERS: Final = (
    "anthropic-ai",
    "applebot-extended",
    "chatgpt-user",
    "claude-user",
    "claude-web",
    "cohere-ai",
    "google-extended",
    "googlebot-image",
    "googlebot-news",
    "ia_archiver",
    "meta-externalagent",
    "mistralai-user",
    "perplexity-user",
    "slurp",
    "teoma",
    "yandex",
)
_CRAWLER_ENDS: Final = ("bot", "spider", "crawler")
_ITEM_KINDS: Final = {"author": AUTHOR, "isbn": ISBN, "license": LICENCE, "publisher": PUBLISHER}
_ITEM_NOTICES: Final = ("copyrightholder", "copyrightyear")
# An element may hold the whole page, and stand in all of it, and so may the next.
_NODES_WITHIN: Final = 30
_SCOPES_ABOVE: Final = 20


def html_signals(tree: HTMLTree) -> Iterator[PageSignal]:
    """Signals of a page in its order, repeats included; comments, `<template>` and other scripts say nothing.

    Time and memory are in step with the size of the page.
    """
    document = tree.document
    for element in document.query_selector_all(_ELEMENTS)[:MAX_ELEMENTS] if document else ():
        if element.tag == "meta":
            yield from _meta_signals(element)
        elif element.tag == "script":
            yield from json_ld_signals(element.text or "")
        else:
            yield from _link_signals(element)
        yield from _item_signals(element)


def _meta_signals(meta: ElementNode) -> Iterator[PageSignal]:
    content = _attribute(meta, "content")
    for attribute in ("name", "property", "http-equiv"):
        for name in _words(meta, attribute):
            key, source = name.replace(":", "."), f"meta:{name}"
            if key in _ALL_CRAWLERS:
                yield from robots_signals(content, source)
            elif key in _CRAWLERS or key.endswith(_CRAWLER_ENDS):
                yield from robots_signals(content, source, name)
            elif key in _META:
                yield from said(_META[key], content, source)
            elif key in _IDENTIFIERS and (found := _IDENTIFIER.match(content)):
                yield from said({"doi": DOI, "isbn": ISBN, "issn": ISSN}[str(found.lastgroup)], content, source)


def _link_signals(link: ElementNode) -> Iterator[PageSignal]:
    address = _attribute(link, "href")
    if "license" in _words(link, "rel"):
        yield from said(LICENCE, address, "link:license")
    elif _CREATIVE_COMMONS.search(address, 0, MAX_VALUE):
        yield from said(LICENCE, address, "link:creativecommons")


def _item_signals(element: ElementNode) -> Iterator[PageSignal]:
    """Microdata: a property of the page, or of what it is about, but not of a part of it."""
    for name in _words(element, "itemprop"):
        source = f"meta:{name}"
        if name not in (*_ITEM_KINDS, *_ITEM_NOTICES) or is_part(_type_of_item(element)):
            continue
        if name in _ITEM_NOTICES:
            yield from said(COPYRIGHT, f"© {_item_text(element)}", source)
        else:
            address = _attribute(element, "href") if name == "license" else ""
            yield from said(_ITEM_KINDS[name], address or _item_text(element), source)


def _attribute(element: ElementNode, name: str) -> str:
    return element.get_attribute(name) or ""


def _words(element: ElementNode, attribute: str) -> list[str]:
    return _attribute(element, attribute)[:MAX_VALUE].lower().split()


def _type_of_item(element: ElementNode) -> str:
    """Type of the item that an element is a property of; empty if it has none."""
    above = element.parent_element
    for _ in range(_SCOPES_ABOVE):
        if above is None or above.has_attribute("itemscope"):
            break
        above = above.parent_element
    return _attribute(above, "itemtype") if above else ""


def _item_text(element: ElementNode) -> str:
    """What an element is set to say, else the name of the thing that it describes, else its text."""
    nodes = list(islice(element, _NODES_WITHIN))
    elements = [node for node in nodes if isinstance(node, ElementNode)]
    named = next((node for node in elements if "name" in _words(node, "itemprop")), None)
    if named:
        nodes = list(islice(named, _NODES_WITHIN))
    texts = (node.value or "" for node in nodes if node.type == NodeType.TEXT)
    return _attribute(named or element, "content") or "".join(text[:MAX_VALUE] for text in texts)
