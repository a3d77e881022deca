"""Search texts for phrases that mark them, such as the stamps of pirated copies.

>>> stamps = MarkerList("stamps", "piracy", "00", ("Downloaded  from Example",), (7,))
>>> found = MarkerLists((stamps,)).search(pa.array(["plain", "(downloaded from\\nEXAMPLE)"]))
>>> found.to_pylist()
[{'row': 1, 'list': 0, 'line': 7, 'matched': 'Downloaded  from Example', 'start': 1, 'end': 24}]
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from configs.sources import Markers
from transforms.batches import Strings, strings
from transforms.decide.text_lines import Line, read_each, read_lines, refuse
from transforms.kernels.original_places import original_places
from transforms.kernels.spaces import normalise
from transforms.kernels.windows import lower_ascii
from transforms.measure.rights.findings import cut
from transforms.measure.rights.triggers import find_triggers

I64 = npt.NDArray[np.int64]

LEAST_CHARACTERS: Final = 4
"""Shorter phrases are found by chance."""
FOUND: Final = pa.schema(
    [
        pa.field("row", pa.int64(), False),
        pa.field("list", pa.int32(), False),
        pa.field("line", pa.int64(), False),
        pa.field("matched", pa.string(), False),
        pa.field("start", pa.int64(), False),
        pa.field("end", pa.int64(), False),
    ]
)
"""A phrase in a text: the text's row, the number of the list, line and phrase as it stands there, and where it begins
and ends, in bytes of the text."""
_CHARACTER: Final = 4
"""Bytes that one may have."""
_PIECE: Final = 1 << 19
"""Bytes searched at a time: copies that stay in the processor's cache take half the time."""


@dataclass(frozen=True)
class MarkerList:
    """A list of phrases, and what it says of a text."""

    name: str
    category: str
    sha256: str
    """Of the file, hex."""
    phrases: tuple[str, ...]
    """As written."""
    lines: tuple[int, ...]
    """Where each phrase stands, from 1."""


@dataclass(frozen=True)
class MarkerLists:
    """All lists of phrases of a run."""

    lists: tuple[MarkerList, ...]

    @classmethod
    def read(cls, markers: Sequence[Markers]) -> "MarkerLists":
        """Read every list: UTF-8, one phrase a line.

        Raises ConfigError, a letter for every list that cannot be used: one that `read_lines` refuses, or with phrases
        that are too short or stand there twice.
        """
        return cls(read_each(markers, _read))

    def facts(self) -> list[dict[str, Any]]:
        """What the manifest says of each list."""
        return [
            {"name": one.name, "category": one.category, "sha256": one.sha256, "entries": len(one.phrases)}
            for one in self.lists
        ]

    @cached_property
    def _entries(self) -> pa.Table:
        """A row a phrase: `list`, `line`, `matched`, and `key`, its number in `_patterns`."""
        columns = {
            "list": [number for number, one in enumerate(self.lists) for _ in one.phrases],
            "line": [line for one in self.lists for line in one.lines],
            "matched": [phrase for one in self.lists for phrase in one.phrases],
        }
        schema = pa.schema([FOUND.field(name) for name in columns])
        number = {pattern: key for key, pattern in enumerate(self._patterns)}
        keys = [number[pattern] for one in self.lists for pattern in folded(one.phrases)]
        return pa.table(columns, schema=schema).append_column("key", pa.array(keys, pa.int64()))

    @cached_property
    def _patterns(self) -> tuple[bytes, ...]:
        return tuple(sorted({pattern for one in self.lists for pattern in folded(one.phrases)}))

    def search(self, text: pa.Array) -> pa.Table:
        """Every place of every phrase in a column of texts: rows of `FOUND`, sorted by row, start, list and line.

        ASCII letters match in either case, and any white space matches any other. Next to a phrase stands no letter and
        no digit (Unicode L, M, N). Phrases that overlap are all found, and one that is on two lists is found twice.
        """
        offsets = strings(text).offsets
        cuts = np.unique(np.searchsorted(offsets, np.arange(offsets[0], offsets[-1], _PIECE)))
        pieces = pairwise([*cuts.tolist(), len(text)] if self._patterns else [])
        found = [self._search(text[start:stop], start) for start, stop in pieces]
        return pa.concat_tables([FOUND.empty_table(), *found]).combine_chunks()

    def _search(self, text: pa.Array, row: int) -> pa.Table:
        """What stands in a few texts, of which the first is that `row` of all."""
        texts = strings(text)
        normal = Strings(*normalise(*texts))
        hits = find_triggers(normal, {"": self._patterns})[""]
        if not hits.rows.size:
            return FOUND.empty_table()
        starts = _places(texts, normal, hits.rows, hits.starts)
        ends = _places(texts, normal, hits.rows, hits.stops - 1) + 1
        alone = _alone(texts, hits.rows, starts, ends)
        places = pa.table({"key": hits.triggers, "row": hits.rows, "start": starts, "end": ends}).filter(alone)
        return _in_order(places.join(self._entries, "key", join_type="inner"), texts.offsets, row)


def _read(listed: Markers) -> MarkerList:
    what = f"Markers `{listed.name}`"
    sha256, lines = read_lines(what, listed.path)
    refuse(what, listed.path, _faults(lines))
    return MarkerList(
        listed.name, listed.category, sha256, tuple(line.text for line in lines), tuple(line.number for line in lines)
    )


def _faults(lines: Sequence[Line]) -> list[str]:
    faults, seen = [], dict[bytes, int]()
    for line, pattern in zip(lines, folded([line.text for line in lines]), strict=True):
        if len(pattern.decode()) < LEAST_CHARACTERS:
            faults.append(
                f"line {line.number}: `{line.text}` has fewer than {LEAST_CHARACTERS} characters and would be found by "
                "chance; write more of the phrase"
            )
        elif seen.setdefault(pattern, line.number) != line.number:
            faults.append(f"line {line.number}: `{line.text}` is on line {seen[pattern]} already; take one out")
    return faults


def folded(phrases: Sequence[str]) -> list[bytes]:
    """Phrases with white space normalised and ASCII letters in lower case, as texts are searched.

    >>> folded(["Read\\tMORE"])
    [b'read more']
    """
    data, offsets = normalise(*strings(pa.array(phrases, pa.large_string())))
    lowered = bytes(lower_ascii(data))
    return [lowered[start:end] for start, end in pairwise(offsets)]


def _places(texts: Strings, normal: Strings, rows: I64, places: I64) -> I64:
    """Where bytes of normalised texts stand in the texts."""
    order = np.argsort(places, kind="stable")
    found = np.empty_like(places)
    found[order] = original_places(texts.data, texts.offsets, normal.offsets, rows[order], places[order])
    return found


def _alone(texts: Strings, rows: I64, starts: I64, ends: I64) -> pa.Array:
    """Whether neither the character before nor the one after is a letter or a digit."""
    before = pc.match_substring_regex(cut(texts, rows, starts - _CHARACTER, starts), r"[\pL\pM\pN]$")
    after = pc.match_substring_regex(cut(texts, rows, ends, ends + _CHARACTER), r"^[\pL\pM\pN]")
    return pc.invert(pc.or_(before, after))


def _in_order(found: pa.Table, offsets: I64, row: int) -> pa.Table:
    """Sorted, with places counted from the texts' beginnings and rows from `row`."""
    found = found.sort_by([(name, "ascending") for name in ("row", "start", "list", "line")])
    first = pa.array(offsets[found["row"].to_numpy()])
    counted = {"row": pc.add(found["row"], row), **{name: pc.subtract(found[name], first) for name in ("start", "end")}}
    return pa.table([counted.get(name, found[name]) for name in FOUND.names], schema=FOUND)
