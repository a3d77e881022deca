"""Licences that are named: Creative Commons, those of SPDX, dedications to the public domain.

>>> licence_id(pa.array(["https://creativecommons.org/licenses/by-nc-sa/4.0/", "Apache-2.0", "ask us"])).to_pylist()
['CC-BY-NC-SA-4.0', 'Apache-2.0', None]
"""

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.batches import Strings
from transforms.measure.rights.choose_findings import first_declared, without_overlaps
from transforms.measure.rights.findings import I64, NOTHING, Detector, Found, Hits, cut, find_spans
from transforms.measure.rights.licence_names import DECLARATION, ENDS, EXPRESSION, FORMS, read_names, spdx_id, to_search
from transforms.measure.rights.triggers import spellings

_AHEAD, _BEHIND = 400, 80
"""Bytes that are looked at from where a name begins, and up to where one ends."""
_ALPHANUMERIC: Final = np.array([chr(byte).isalnum() and byte < 0x80 for byte in range(256)])
_UP_TO: Final = f"(?:^|[^0-9A-Za-z]){to_search(ENDS.pattern)}$"


def _by_trigger() -> dict[bytes, str]:
    """What may stand where a trigger begins a word. Patterns are compiled for every batch, so they are kept apart."""
    forms: dict[bytes, list[str]] = {trigger: [EXPRESSION] for trigger in spellings([DECLARATION])}
    for form in FORMS:
        for trigger in spellings(form.triggers):
            forms.setdefault(trigger, []).append(form.pattern)
    return {trigger: f"^{to_search(*patterns)}(?:[^0-9A-Za-z]|$)" for trigger, patterns in forms.items()}


_FROM: Final = _by_trigger()
_PATTERNS: Final = (*dict.fromkeys(_FROM.values()), _UP_TO)
_TRIGGERS: Final = (*_FROM, *spellings(ENDS.triggers))
_PATTERN_OF: Final = np.array([_PATTERNS.index(_FROM.get(trigger, _UP_TO)) for trigger in _TRIGGERS])
"""Number of the pattern of each trigger."""


def _find(texts: Strings, hits: Hits) -> Found:
    inside = _ALPHANUMERIC[texts.data[np.maximum(hits.starts - 1, 0)]] & (hits.starts > texts.offsets[hits.rows])
    hits = hits.only(~inside)
    if not hits.rows.size:
        return NOTHING
    pattern = _PATTERN_OF[hits.triggers]
    ends = hits.triggers >= len(_FROM)
    starts = np.where(ends, hits.starts - _BEHIND, hits.starts)
    stops = np.where(ends, hits.stops, hits.starts + _AHEAD)
    spans = []
    for number in np.unique(pattern):
        some = pattern == number
        spans.append(_spans(texts, hits.rows[some], starts[some], stops[some], _PATTERNS[number]))
    return without_overlaps(_read(texts, *(np.concatenate(columns) for columns in zip(*spans, strict=True))))


def _spans(texts: Strings, rows: I64, starts: I64, stops: I64, pattern: str) -> tuple[I64, I64, I64]:
    """Rows, starts and ends of what the group `name` of a pattern matches in windows of the texts."""
    begins, ends = find_spans(texts, rows, starts, stops, pattern)["name"]
    found = ends >= 0
    return rows[found], begins[found], ends[found]


def _read(texts: Strings, rows: I64, starts: I64, ends: I64) -> Found:
    """What names say. Each way to write one is read once, however often it stands in a batch."""
    written = cut(texts, rows, starts, ends).dictionary_encode()
    names = [read_names(text) for text in written.dictionary.to_pylist()]
    counts = np.array([len(some) for some in names], np.int64)
    flat = [name for some in names for name in some]
    begins, stops, values = zip(*flat, strict=True) if flat else ((), (), ())
    which = np.asarray(written.indices)
    hit = np.repeat(np.arange(len(which)), counts[which])
    first = np.cumsum(counts) - counts
    place = np.arange(len(hit)) - np.repeat(np.cumsum(counts[which]) - counts[which], counts[which])
    name = first[which[hit]] + place
    begin, stop = np.array(begins, np.int64)[name], np.array(stops, np.int64)[name]
    return Found(rows[hit], pa.array(values, pa.string()).take(pa.array(name)), starts[hit] + begin, starts[hit] + stop)


def licence_id(values: pa.Array) -> pa.Array:
    """What pages declare to be their licence, links or words (strings, none null), as identifiers.

    A string array; null where the value names no licence that is known. Of several it is the first.
    """
    distinct = values.cast(pa.string()).dictionary_encode()
    exact = pa.array([spdx_id(value.strip()) for value in distinct.dictionary.to_pylist()], pa.string())
    known = pc.coalesce(exact, first_declared(_find, _TRIGGERS, "", distinct.dictionary))
    return known.take(distinct.indices)


LICENCE: Final = Detector(_TRIGGERS, _find, licence_id)
"""Values are SPDX identifiers; without a version where none is named; `public-domain`, `project-gutenberg`."""
