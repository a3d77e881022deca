"""Queries: what is looked for, as a call or the lines of a file say it.

>>> read_queries([b'{"host": "a.example"}', b'{"warc": {"file": "a.warc.gz", "offset": 12}}'], "queries.jsonl")[1]
Query(selector='warc', value='a.warc.gz', offset=12, where='line 2 of queries.jsonl: ')
"""

import json
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Final, NamedTuple

from schemas.errors import UsageError
from transforms.part_store import is_local

SELECTORS: Final = {
    "url": "a page, by its URL in any way of writing it",
    "url_prefix": "pages whose URL begins so; the prefix may end anywhere behind the host",
    "host": "pages of one host",
    "domain": "pages of all hosts under one registered domain",
    "doc_id": "a document, as the ledger names it",
    "record_id": "a record, by the user's own id or its WARC-Record-ID",
    "warc": "the record at an offset of a crawl file, or all records of the file",
    "isbn": "documents that hold or declare an ISBN of 10 or 13 digits",
    "doi": "documents that hold or declare a DOI",
    "text": "documents with this text, or one like it",
    "text_file": "documents with the text of a file (UTF-8), or one like it",
}
"""By what documents are looked for, in the order of their numbers in a call."""

_FLAT: Final = ("warc_filename", "warc_record_offset")
_FILE_AND_OFFSET: Final = re.compile(r"(.+):([0-9]{1,18})", re.DOTALL)
_LARGEST: Final = 2**63 - 1
_SHOWN_FAULTS: Final = 20
_SHOWN_CHARACTERS: Final = 80


class Query(NamedTuple):
    """One question."""

    selector: str
    value: str
    """As given; of `warc`, the file."""
    offset: int | None = None
    """Of `warc`: where the record begins in the file; None for all records."""
    where: str = ""
    """Where the question stands, for letters: empty, or such as `line 2 of queries.jsonl: `."""

    def shown(self) -> str:
        """The value as an answer repeats it; of a text, how it begins."""
        if self.selector == "text":
            return _shorten(self.value)
        return self.value if self.offset is None else f"{self.value}:{self.offset}"

    def fault(self, why: str) -> str:
        """The line of a letter that says why it cannot be answered."""
        # It brings all of the config along, which answers can do without.
        from transforms.printable import printable

        return f"{self.where}{self.selector} `{printable(_shorten(self.value))}`: {why}"


class _UnusableError(ValueError):
    """A question that is none; the message says why."""


def as_queries(selectors: Mapping[str, Any], queries: Iterable[object] = ()) -> list[Query]:
    """The questions of a call: selector by selector a value or several, or None; then `queries`, an object each.

    >>> [query.selector for query in as_queries({"doi": "10.1000/1", "url": None}, [{"url": "a.example"}])]
    ['doi', 'url']

    Raises UsageError, naming every one that is unusable.
    """
    found: list[tuple[str, object]] = []
    for selector, given in selectors.items():
        several = isinstance(given, Sequence) and not isinstance(given, str)
        found += [("", {selector: value}) for value in (given if several else [given]) if value is not None]
    found += [(f"query {number}: ", query) for number, query in enumerate(queries)]
    return _read_all(found, _read)


def read_queries(lines: Iterable[bytes], name: str, directory: str = "") -> list[Query]:
    """The questions of a file in JSON Lines, an object each; empty lines are none.

    Relative paths in it start from `directory`. Raises UsageError, naming every line that is unusable by its number,
    from 1, and the `name` of the file.
    """
    found = [(f"line {number} of {name}: ", line) for number, line in enumerate(lines, 1) if line.strip()]
    return [_from(directory, query) for query in _read_all(found, lambda line: _read(_parse(line)))]


def refuse(faults: Sequence[str]) -> None:
    """Raise UsageError if there are faults: a letter with all of them, or with the first twenty."""
    if not faults:
        return
    count = "1 query" if len(faults) == 1 else f"{len(faults):,} queries"
    lines = [f"{count} cannot be answered, so nothing was looked up:", *faults[:_SHOWN_FAULTS]]
    if len(faults) > _SHOWN_FAULTS:
        lines.append(f"… and {len(faults) - _SHOWN_FAULTS:,} more")
    raise UsageError("\n  ".join(lines))


def _read_all(found: Iterable[tuple[str, Any]], read: Callable[[Any], Query]) -> list[Query]:
    queries, faults = [], []
    for where, said in found:
        try:
            queries.append(read(said)._replace(where=where))
        except _UnusableError as error:
            faults.append(f"{where}{error}")
    refuse(faults)
    return queries


def _from(directory: str, query: Query) -> Query:
    if query.selector != "text_file" or not is_local(query.value):
        return query
    return query._replace(value=os.path.join(directory, query.value))


def _parse(line: bytes) -> object:
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        raise _UnusableError(f"no JSON: {error}") from error


def _read(said: object) -> Query:
    """The question that an object with one selector is."""
    if not isinstance(said, Mapping):
        raise _UnusableError(f'expected an object such as {{"url": "https://a.example/"}}, got {_written(said)}')
    if _FLAT[0] in said and set(said) <= set(_FLAT):
        said = {"warc": dict(zip(("file", "offset"), (said[key] for key in _FLAT if key in said), strict=False))}
    if len(said) != 1:
        raise _UnusableError(f"expected an object with one selector, got {_written(list(said))}")
    ((selector, value),) = said.items()
    if selector not in SELECTORS:
        near = get_close_matches(str(selector), SELECTORS, 1)
        meant = f" did you mean `{near[0]}`?" if near else ""
        raise _UnusableError(f"unknown selector {_written(selector)};{meant} known here: {', '.join(SELECTORS)}")
    return _read_warc(value) if selector == "warc" else Query(selector, _text(selector, value))


def _read_warc(said: object) -> Query:
    if not isinstance(said, Mapping):
        written = _text("warc", said)
        cut = _FILE_AND_OFFSET.fullmatch(written)
        return Query("warc", cut[1], int(cut[2])) if cut else Query("warc", written)
    offset = said.get("offset")
    whole = isinstance(offset, int) and not isinstance(offset, bool) and 0 <= offset <= _LARGEST
    if not set(said) <= {"file", "offset"} or not (whole or offset is None):
        raise _UnusableError(f"warc: expected `file` and `offset`, a whole number, got {_written(said)}")
    return Query("warc", _text("warc", said.get("file")), offset)


def _text(selector: str, value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise _UnusableError(f"{selector}: expected text, got {_written(value)}")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise _UnusableError(f"{selector}: expected text in UTF-8, got {_written(value)}") from error
    return value


def _written(value: object) -> str:
    """Anything, as a letter shows it: JSON if it can be, in ASCII."""
    return _shorten(json.dumps(value, default=repr))


def _shorten(text: str) -> str:
    """A text, or how it begins.

    >>> _shorten("a" * 100) == "a" * 79 + "…"
    True
    """
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[: _SHOWN_CHARACTERS - 1]}…"
