"""Find copyright notices: statement, years and holder."""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.batches import Strings
from transforms.kernels.notices import join_markers, read_years, without_repeats
from transforms.kernels.overlaps import apart
from transforms.measure.rights import notice_words as words
from transforms.measure.rights.findings import I64, Hits, cut, find_spans

TRIGGERS: Final = words.MARKERS
STATEMENT_BYTES = 300
"""A statement ends here if it has not ended before."""
BEFORE_BYTES = 80
"""How far before its marker a holder may begin."""

_KINDS: Final = np.array(words.KINDS, np.int64)

Flags = npt.NDArray[np.bool_]
Span = tuple[I64, I64]
"""First byte and end, -1 where there is none."""


class Notices(NamedTuple):
    """Copyright notices by place, no two of which overlap; int64 of shape (notices,), bytes of `Strings.data`."""

    rows: I64
    starts: I64
    ends: I64
    holder_starts: I64
    """-1 where no holder is named."""
    holder_ends: I64
    years: npt.NDArray[np.int16]
    """Of all notices one after another: those of notice i are `years[year_offsets[i]:year_offsets[i + 1]]`."""
    year_offsets: I64


class _Markers(NamedTuple):
    """Markers that stand together, and what follows them; int64 of shape (markers,), -1 for what is not there."""

    rows: I64
    starts: I64
    kinds: I64
    floors: I64
    """Where what stands before them begins at the earliest."""
    limits: I64
    """Where the statement ends at the latest."""
    heads: I64
    """Where the holder begins if there is one."""
    dates: I64
    """End of the years before it."""
    by: I64
    """End of the word `by` before it."""

    def only(self, chosen: Flags) -> "_Markers":
        return _Markers(*(column[chosen] for column in self))


def find_notices(texts: Strings, hits: Hits) -> Notices:
    """Copyright notices round the hits of `TRIGGERS`.

    >>> from transforms.measure.rights.triggers import find_triggers
    >>> text = "By Foo, Inc. Copyright (c) 1998-99, 2004 Foo, Inc. All rights reserved.".encode()
    >>> texts = Strings(np.frombuffer(text, np.uint8), np.array([0, len(text)]))
    >>> found = find_notices(texts, find_triggers(texts, {"": TRIGGERS})[""])
    >>> text[found.starts[0] : found.ends[0]], text[found.holder_starts[0] : found.holder_ends[0]], found.years.tolist()
    (b'Copyright (c) 1998-99, 2004 Foo, Inc.', b'Foo, Inc.', [1998, 1999, 2004])

    A statement goes from the first marker, or the years or holder before it, to the end of the holder or the years.
    """
    markers = _read_markers(texts, hits)
    names, years = _read_after(texts, markers)
    notices = _judge(texts, markers, names, years)
    markers, names, years = markers.only(notices), (names[0][notices], names[1][notices]), years[notices]
    ends = np.max([names[1], years, markers.dates], axis=0)
    floors = _behind_dated(markers, ends, (years >= 0) | (markers.dates >= 0))
    starts, names = _read_before(texts, markers._replace(floors=floors), names, years)
    order = np.lexsort((-ends, starts))
    order = order[apart(starts[order], ends[order])]
    statements = starts[order], ends[order]
    holders = names[0][order], names[1][order]
    return Notices(markers.rows[order], *statements, *holders, *read_years(texts.data, *statements))


def _read_markers(texts: Strings, hits: Hits) -> _Markers:
    rows, starts, _, kinds = join_markers(texts.data, hits.rows, hits.starts, hits.stops, _KINDS[hits.triggers])
    # Up to the next markers and back to those before: no byte is read more than a few times, however many there are.
    limits = np.minimum(np.append(starts[1:], texts.data.size), starts + STATEMENT_BYTES)
    limits = np.minimum(limits, texts.offsets[rows + 1])
    floors = np.maximum(np.append(0, starts[:-1]), starts - BEFORE_BYTES)
    floors = np.maximum(floors, texts.offsets[rows])
    spans = find_spans(texts, rows, starts, limits, words.HEAD)
    heads = spans["head"][1]
    dates = np.maximum(spans["years"][1], spans["between"][1])
    markers = _Markers(rows, starts, kinds, floors, limits, heads, dates, spans["by"][1])
    capital = _matches(cut(texts, rows, heads, heads + 4), words.CAPITAL)
    strong = kinds > words.PAREN
    return markers.only((heads >= 0) & (strong | (dates >= 0) | (markers.by >= 0) | capital))


def _read_after(texts: Strings, markers: _Markers) -> tuple[Span, I64]:
    """Holder after the markers, and the end of the years after it."""
    starts, ends, years = (np.full(markers.rows.size, -1) for _ in range(3))
    for chosen, pattern in ((markers.dates >= 0, words.DATED), (markers.dates < 0, words.UNDATED)):
        rows = markers.rows[chosen]
        spans = find_spans(texts, rows, markers.heads[chosen], markers.limits[chosen], pattern)
        last = np.max([spans[name][1] for name in words.ENDINGS], axis=0)
        trimmed = find_spans(texts, rows, spans["name"][0], last, words.TRIMMED)["name"]
        starts[chosen] = spans["name"][0]
        front = texts.offsets[rows], markers.starts[chosen]
        ends[chosen] = np.where(last >= 0, without_repeats(texts.data, *front, *trimmed), -1)
        if "years" in spans:
            years[chosen] = spans["years"][1]
    holders = cut(texts, markers.rows, starts, ends)
    stopped, broken, indented = _after_years(texts, markers)
    no_name = _matches(holders, words.NO_NAME) | (stopped & ~_matches(holders, words.CAPITALS)) | (broken & ~indented)
    return (np.where(no_name, -1, starts), np.where(no_name, -1, ends)), years


def _after_years(texts: Strings, markers: _Markers) -> tuple[Flags, Flags, Flags]:
    """Whether a full stop or a line break follows the years, and the new line is indented more than the marker's."""
    rows, starts = markers.rows, np.where(markers.dates >= 0, markers.dates, markers.heads)
    between = cut(texts, rows, starts, markers.heads)
    line = find_spans(texts, rows, markers.floors, markers.starts, words.INDENT_OF_LINE)["indent"]
    next_line = find_spans(texts, rows, starts, markers.heads, words.INDENT)["indent"]
    indented = next_line[1] - next_line[0] > line[1] - line[0]
    return _matches(between, r"\."), _matches(between, r"\n"), indented


def _judge(texts: Strings, markers: _Markers, names: Span, years: I64) -> Flags:
    """Which of them are notices.

    A sign needs years or a holder. `(c)` may number a paragraph, and the word `copyright` may stand in any sentence:
    they need years, or a holder that looks like one, at a place where notices stand.
    """
    rows, starts = markers.rows, markers.starts
    before, holder = cut(texts, rows, markers.floors, starts), cut(texts, rows, *names)
    dated, named, late, by = markers.dates >= 0, names[0] >= 0, years >= 0, markers.by >= 0
    capitals, owners = _matches(holder, words.CAPITALS), _matches(holder, words.OWNERS)
    compound = _matches(holder, words.COMPOUND) & ~dated
    at_start, upper = _matches(before, words.LINE_START), texts.data[starts] == ord("C")

    sign = (markers.kinds > words.PAREN) & (dated | late | (named & ~compound))
    round_it = cut(texts, rows, starts - 2, starts + 4)
    sign &= (dated | late | ~_matches(round_it, words.MOJIBAKE)) & ~_matches(round_it, words.LETTER_E)
    paren = (markers.kinds == words.PAREN) & (dated | (capitals & (late | ~at_start)))
    paren &= ~_matches(before, words.NUMBERED)
    claimed = (by & (upper | capitals)) | (capitals & (owners | (late & upper)))
    word = (markers.kinds == words.WORD) & (named | upper) & (dated | (claimed & named & at_start)) & ~compound
    return sign | ((paren | word) & ~_matches(before, words.GLUED))


def _behind_dated(markers: _Markers, ends: I64, dated: Flags) -> I64:
    """Where what stands before each notice begins, if the notice before it has its years and so is complete."""
    behind = (markers.rows[1:] == markers.rows[:-1]) & dated[:-1]
    return np.maximum(markers.floors, np.append(0, np.where(behind, ends[:-1], 0))[: ends.size])


def _read_before(texts: Strings, markers: _Markers, names: Span, years: I64) -> tuple[I64, Span]:
    """Where the statements begin, and their holders: what is not behind the marker may stand before it."""
    rows, starts = markers.rows, markers.starts
    spans = find_spans(texts, rows, markers.floors, starts, words.HOLDER_BEFORE)
    first, last = spans["name"]
    taken = (names[0] < 0) & (first >= 0) & ~_matches(cut(texts, rows, first, last), words.NO_HOLDER)
    holder = np.where(taken, first, names[0]), np.where(taken, last, names[1])
    earlier = find_spans(texts, rows, markers.floors, starts, words.YEARS_BEFORE)["years"][0]
    undated = (years < 0) & (markers.dates < 0) & (earlier >= 0)
    with_word = np.where(spans["word"][0] >= 0, spans["word"][0], first)
    return np.where(taken, with_word, np.where(undated, earlier, starts)), holder


def _matches(strings: pa.Array, pattern: str) -> Flags:
    if len(strings) == 0:
        return np.empty(0, np.bool_)
    return pc.match_substring_regex(strings, pattern).to_numpy(zero_copy_only=False)
