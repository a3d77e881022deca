"""Read what JSON-LD blocks of a page say of its rights, by https://schema.org names.

>>> found = json_ld_signals('{"@type": "Book", "isbn": "978-0-306-40615-7", "author": {"name": "Jane Doe"}}')
>>> [(signal.kind, signal.value, signal.source) for signal in found]
[('isbn', '978-0-306-40615-7', 'json-ld:isbn'), ('author', 'Jane Doe', 'json-ld:author')]
"""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from schemas.signals import AUTHOR, COPYRIGHT, ISBN, LICENCE, PUBLISHER
from transforms.measure.readers.page_signals import PageSignal, said

MAX_JSON: Final = 1_000_000
"""Characters of a block; a longer one is not read."""
_PARTS: Final = ("imageobject", "videoobject", "audioobject", "mediaobject", "comment", "review", "rating")
"""A thing whose type names one of these is not the page: the licence of a picture is not that of the text."""
_MAX_DEPTH: Final = 20
_KINDS: Final = {
    "license": LICENCE,
    "copyrightNotice": COPYRIGHT,
    "author": AUTHOR,
    "publisher": PUBLISHER,
    "isbn": ISBN,
}
_WITHIN: Final = ("@graph", "mainEntity", "mainEntityOfPage", "workExample")

Thing = Mapping[str, Any]


def json_ld_signals(block: str) -> Iterator[PageSignal]:
    """Signals of one block, in its order: of the things it describes, not of their parts (pictures, comments, reviews).

    A name that stands elsewhere in the block, by `@id`, is looked up there. `copyrightHolder` and `copyrightYear` make
    one notice, `© YEAR HOLDER`. What is no JSON, or longer than `MAX_JSON`, says nothing.
    """
    if len(block) > MAX_JSON:
        return
    try:
        content = json.loads(block, strict=False)
    except (ValueError, RecursionError):
        return
    things = list(_things(content, _MAX_DEPTH))
    names = {str(thing["@id"]): thing["name"] for thing in things if "@id" in thing and thing.get("name")}
    for thing in things:
        if not is_part(str(thing.get("@type", ""))):
            yield from _signals(thing, names)


def is_part(type_: str) -> bool:
    """Whether things of the type are parts of a page.

    >>> is_part("http://schema.org/ImageObject"), is_part("https://schema.org/Book")
    (True, False)
    """
    return any(part in type_.lower() for part in _PARTS)


def _things(content: object, depth: int) -> Iterator[Thing]:
    """Objects of a block: itself, those in lists, and those that `_WITHIN` leads to."""
    if depth and isinstance(content, list):
        for item in content:
            yield from _things(item, depth - 1)
    elif depth and isinstance(content, dict):
        yield content
        for key in _WITHIN:
            yield from _things(content.get(key), depth - 1)


def _signals(thing: Thing, names: Thing) -> Iterator[PageSignal]:
    for key, value in thing.items():
        source = f"json-ld:{key}"
        if key in _KINDS:
            for words in _licences(value) if _KINDS[key] == LICENCE else _words(value, names):
                yield from said(_KINDS[key], words, source)
        elif key == "copyrightHolder" or (key == "copyrightYear" and "copyrightHolder" not in thing):
            year = _words(thing.get("copyrightYear"), names)[:1]
            for holder in _words(thing.get("copyrightHolder"), names) or [""]:
                yield from said(COPYRIGHT, " ".join(["©", *year, holder]), source)


def _licences(value: object) -> list[str]:
    """Addresses of the licences, or else their names."""
    return _texts(value, lambda thing: [thing.get(key) for key in ("url", "@id", "name")])


def _words(value: object, names: Thing) -> list[str]:
    return _texts(value, lambda thing: [thing.get("name"), names.get(str(thing.get("@id"))), thing.get("@value")])


def _texts(value: object, choose: Callable[[Thing], list[object]]) -> list[str]:
    """Texts and numbers of a value, or of the items of a list; of an object the first that `choose` finds."""
    texts = []
    for item in value if isinstance(value, list) else [value]:
        choices = choose(item) if isinstance(item, dict) else [item]
        said_by = [str(choice) for choice in choices if isinstance(choice, str | int) and not isinstance(choice, bool)]
        texts += [text for text in said_by if text.strip()][:1]
    return texts
