"""Find the rights signals of documents: what the text says, and what the page says beside it."""

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas import signals
from schemas.columns import RIGHTS
from schemas.structs import FINDING, NOTICE, RESERVATION
from transforms.batches import Strings, strings
from transforms.measure.rights import notices
from transforms.measure.rights.findings import I64, NOTHING, Detector, Hits, cut
from transforms.measure.rights.identifiers import ARXIV, DOI, ISBN, ISSN
from transforms.measure.rights.licences import LICENCE
from transforms.measure.rights.nested import PageSignals, Values, flatten, nest, struct
from transforms.measure.rights.notices import Notices, find_notices
from transforms.measure.rights.reserved import RESERVED
from transforms.measure.rights.triggers import find_triggers

SIGNALS_VERSION: Final = 1
"""Of the rules by which signals are read: a store that was measured by others is measured anew."""
NOTICES: Final = "copyright_notices"
DETECTORS: Final[dict[str, tuple[Detector, str | None]]] = {
    "rights_reserved": (RESERVED, None),
    "isbns": (ISBN, signals.ISBN),
    "issns": (ISSN, signals.ISSN),
    "dois": (DOI, signals.DOI),
    "arxiv_ids": (ARXIV, None),
    "licences": (LICENCE, signals.LICENCE),
}
"""By column: what finds it in texts, and the kind of the page signals that declare it."""
TRIGGERS: Final = {NOTICES: notices.TRIGGERS} | {name: detector.triggers for name, (detector, _) in DETECTORS.items()}
NAMES: Final = {"page_authors": signals.AUTHOR, "page_publishers": signals.PUBLISHER}


def find_rights(text: pa.Array, page_signals: pa.Array) -> dict[str, pa.Array]:
    """The columns `RIGHTS` of a batch, row beside row.

    >>> from schemas.columns import PAGE_SIGNAL
    >>> text = pa.array(["Copyright 2019 Foo. All rights reserved.", None])
    >>> columns = find_rights(text, pa.nulls(2, pa.list_(PAGE_SIGNAL)))
    >>> [(notice["years"], notice["holder"]) for notice in columns["copyright_notices"][0].as_py()]
    [([2019], 'Foo')]
    >>> columns["rights_reserved"][0].as_py(), columns["isbns"].to_pylist(), columns["reservations"].to_pylist()
    ([{'value': 'en', 'source': 'text', 'start': 20, 'end': 39}], [[], []], [None, None])

    `text` is a string or large_string array, `page_signals` a list array of PAGE_SIGNAL. In each row stand first what
    the text says, by place, and then what the page says, in its order and without a place. Where the page says
    something else than a notice of a known form, all of it is a statement without years and holder; a licence that is
    not known stands there in the page's words; a number that is wrong is left out.
    """
    texts, page = strings(text), flatten(page_signals)
    hits = find_triggers(texts, TRIGGERS)
    columns = {NOTICES: _notices(texts, hits[NOTICES], _with_value(page.of(signals.COPYRIGHT)))}
    for name, (detector, kind) in DETECTORS.items():
        declared = _with_value(page.of(kind) if kind else page.of())
        columns[name] = nest([_findings(texts, hits[name], detector), _declared(detector, declared)], len(text))
    said = page.of(*signals.RESERVATIONS)
    reservations = struct(RESERVATION, said.kinds, said.values, said.agents, said.sources)
    columns["reservations"] = nest([(said.rows, reservations)], len(text), np.asarray(page_signals.is_null()))
    for name, kind in NAMES.items():
        said = _with_value(page.of(kind))
        columns[name] = nest([(said.rows, said.values)], len(text), np.bincount(said.rows, minlength=len(text)) == 0)
    return {column.name: columns[column.name] for column in RIGHTS}


def _with_value(page: PageSignals) -> PageSignals:
    return page.only(page.values.is_valid())


def _findings(texts: Strings, hits: Hits, detector: Detector) -> Values:
    """What a detector finds in the texts, by place."""
    found = detector.find(texts, hits) if hits.rows.size else NOTHING
    order = np.argsort(found.starts, kind="stable")
    rows, starts, ends = found.rows[order], found.starts[order], found.ends[order]
    places = _in_rows(texts, rows, starts, ends)
    return rows, struct(FINDING, found.values.take(pa.array(order)), _in_text(rows), *places)


def _declared(detector: Detector, page: PageSignals) -> Values:
    """What pages declare, as a detector reads it."""
    values = detector.declared(page.values) if page.rows.size else page.values
    if detector is LICENCE:
        values = pc.coalesce(values, page.values)
    page = page._replace(values=values).only(values.is_valid())
    return page.rows, struct(FINDING, page.values, page.sources, *_nowhere(page.rows))


def _notices(texts: Strings, hits: Hits, page: PageSignals) -> pa.Array:
    found = find_notices(texts, hits)
    places = _in_rows(texts, found.rows, found.starts, found.ends)
    there = struct(NOTICE, *_parts(texts, found), _in_text(found.rows), *places)
    said = strings(page.values)
    read = find_notices(said, find_triggers(said, {NOTICES: notices.TRIGGERS})[NOTICES])
    plain = _plain(said, np.setdiff1d(np.arange(page.rows.size), read.rows))
    signal = np.append(read.rows, plain.rows)
    parts = zip(_parts(said, read), _parts(said, plain), strict=True)
    sources = page.sources.take(pa.array(signal))
    beside = struct(NOTICE, *(pa.concat_arrays(pair) for pair in parts), sources, *_nowhere(signal))
    order = np.argsort(signal, kind="stable")
    return nest([(found.rows, there), (page.rows[signal[order]], beside.take(pa.array(order)))], texts.offsets.size - 1)


def _plain(said: Strings, rows: I64) -> Notices:
    """Statements that have no form: all that is said, without years and holder."""
    holders, offsets = np.full(rows.size, -1), np.zeros(rows.size + 1, np.int64)
    return Notices(rows, said.offsets[rows], said.offsets[rows + 1], holders, holders, np.empty(0, np.int16), offsets)


def _parts(texts: Strings, found: Notices) -> tuple[pa.Array, pa.Array, pa.Array]:
    """Statements, years and holders."""
    statements = cut(texts, found.rows, found.starts, found.ends).cast(pa.string())
    years = pa.ListArray.from_arrays(pa.array(found.year_offsets.astype(np.int32)), pa.array(found.years))
    holders = cut(texts, found.rows, found.holder_starts, found.holder_ends).cast(pa.string())
    return statements, years, pc.if_else(pa.array(found.holder_starts >= 0), holders, pa.scalar(None, pa.string()))


def _in_text(rows: I64) -> pa.Array:
    """The source of what stands in the text, once for each."""
    return pa.array([signals.TEXT]).take(pa.array(np.zeros(rows.size, np.int64)))


def _in_rows(texts: Strings, rows: I64, starts: I64, ends: I64) -> tuple[pa.Array, pa.Array]:
    """Places counted from the start of their rows."""
    return pa.array(starts - texts.offsets[rows]), pa.array(ends - texts.offsets[rows])


def _nowhere(rows: I64) -> tuple[pa.Array, pa.Array]:
    """Start and end of what does not stand in the text."""
    return pa.nulls(rows.size, pa.int64()), pa.nulls(rows.size, pa.int64())
