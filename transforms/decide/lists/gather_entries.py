"""Gather what the lines of a list say: plain lines by the column, all others one by one."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.decide.lists.entries import Entries, Pattern
from transforms.decide.lists.lines import LINE_BYTES, LineBlock
from transforms.decide.lists.regex_faults import regex_fault
from transforms.urls import normal_urls

I64 = npt.NDArray[np.int64]

IGNORED_SHOWN: Final = 20
_SHOWN_CHARACTERS: Final = 100
_KINDS: Final = ("domain", "prefix")
_STARRED: Final = r"^([A-Za-z][A-Za-z0-9+.-]*://)?\*\."
_NOTHING: Final = pa.scalar("", pa.large_string())


class Said(NamedTuple):
    """One thing that a line says; a line may say several, or nothing."""

    kind: Literal["domain", "prefix", "pattern", "unsupported", "unreadable"]
    value: str
    """A domain as `Entries` has it; a URL, with or without scheme; RE2; what is not supported; why it is no entry."""
    excepted: bool = False
    """Said of what shall not be blocked."""


UNREADABLE: Final = (Said("unreadable", ""),)
_TOO_LONG: Final = Said("unreadable", f"longer than {LINE_BYTES} bytes")


class Plain(NamedTuple):
    """Lines that are read by the column, since each of them says one thing, in one way."""

    kind: Literal["domain", "prefix"]
    regex: str
    never: str
    """A regex for lines that `regex` finds and that are not plain all the same."""
    cut: Callable[[pa.Array], pa.Array]
    """From lines with their blanks and line feeds (large_string) to values."""


class Syntax(NamedTuple):
    """How lines of a format are read. Both ways agree on plain lines."""

    uncomment: Callable[[str], str]
    read: Callable[[str], Sequence[Said]]
    """What a line says that is not empty, and has neither comment nor blanks around it."""
    plain: Plain | None = None


class _Found(NamedTuple):
    line: int
    written: str
    said: Said


class _Gathered:
    """What was found so far for one `Entries`."""

    def __init__(self) -> None:
        self._columns: dict[str, list[tuple[pa.Array, I64]]] = {kind: [] for kind in _KINDS}
        self._patterns: list[Pattern] = []
        self._unsupported: Counter[str] = Counter()
        self._ignored: list[tuple[int, str]] = []
        self._ignored_count = 0

    def take(self, found: Sequence[_Found], plain: tuple[str, pa.Array, I64] | None) -> None:
        """Add what the lines of a block say."""
        ignored = [(entry.line, fault) for entry in found if (fault := self._take_one(entry))]
        for kind in _KINDS:
            ignored += self._take_column(kind, [entry for entry in found if entry.said.kind == kind], plain)
        distinct: dict[int, str] = {}
        for line, text in ignored:
            # A line with several things that cannot be read is one line.
            distinct.setdefault(line, text)
        self._ignored += sorted(distinct.items())[: IGNORED_SHOWN - len(self._ignored)]
        self._ignored_count += len(distinct)

    def _take_one(self, found: _Found) -> str | None:
        """Add what is not of a column; what to show of a line that is ignored."""
        line, written, (kind, value, _) = found
        if kind == "unsupported":
            self._unsupported[value[:_SHOWN_CHARACTERS]] += 1
        if kind == "pattern":
            if fault := regex_fault(value):
                return _show(written, fault)
            self._patterns.append(Pattern(line, written, value))
        return _show(written, value) if kind == "unreadable" else None

    def _take_column(
        self, kind: str, found: Sequence[_Found], plain: tuple[str, pa.Array, I64] | None
    ) -> list[tuple[int, str]]:
        """Add the domains or the prefixes of a block in the order of their lines; lines that are ignored."""
        values = pa.array([entry.said.value for entry in found], pa.large_string())
        lines = np.array([entry.line for entry in found], np.int64)
        if plain and plain[0] == kind:
            values, lines = _in_order(pa.concat_arrays([values, plain[1]]), np.r_[lines, plain[2]])
        entries = normal_prefixes(values) if kind == "prefix" else values
        good = np.asarray(entries.is_valid())
        if good.any():
            self._columns[kind].append((entries.drop_null(), lines[good]))
        shown = map(_show, values.filter(entries.is_null()).to_pylist())
        return list(zip(lines[~good].tolist(), shown, strict=True))

    def entries(self, file: str | None) -> Entries:
        columns = {kind: self._joined(kind) for kind in _KINDS}
        return Entries(
            file,
            *columns["domain"],
            *columns["prefix"],
            tuple(self._patterns),
            dict(sorted(self._unsupported.items())),
            tuple(self._ignored),
            self._ignored_count,
        )

    def _joined(self, kind: str) -> tuple[pa.Array, I64]:
        values, lines = zip(*self._columns.pop(kind), strict=True) if self._columns[kind] else ((), ())
        empty = pa.array([], pa.large_string())
        return pa.concat_arrays([empty, *values]), np.concatenate([np.empty(0, np.int64), *lines])


def gather_entries(blocks: Iterable[LineBlock], syntax: Syntax, file: str | None = None) -> tuple[Entries, Entries]:
    """What the lines say shall be blocked, and what shall not.

    A line with bytes that are no UTF-8 outside its comment, or that is too long, is ignored, and so is a URL that no
    browser would take and a regular expression that `regex_fault` refuses.
    """
    blocked, excepted = _Gathered(), _Gathered()
    for block in blocks:
        is_plain, plain = _read_plain(block, syntax.plain)
        found = list(_read_odd(block, ~is_plain, syntax))
        found += [_Found(line, text.decode(errors="replace"), _TOO_LONG) for line, text in block.too_long]
        blocked.take([entry for entry in found if not entry.said.excepted], plain)
        excepted.take([entry for entry in found if entry.said.excepted], None)
    return blocked.entries(file), excepted.entries(file)


def _read_plain(
    block: LineBlock, plain: Plain | None
) -> tuple[npt.NDArray[np.bool_], tuple[str, pa.Array, I64] | None]:
    """Which lines are plain; kind, values and line numbers of these."""
    if plain is None:
        return np.zeros(len(block.lines), np.bool_), None
    found = pc.match_substring_regex(block.lines, plain.regex)
    is_plain = pc.and_not(found, pc.match_substring_regex(block.lines, plain.never))
    lines = block.lines.filter(is_plain).cast(pa.large_string())
    mask = np.asarray(is_plain)
    return mask, (plain.kind, plain.cut(lines), block.numbers[mask])


def _read_odd(block: LineBlock, odd: npt.NDArray[np.bool_], syntax: Syntax) -> Iterator[_Found]:
    lines = block.lines.filter(pa.array(odd)).to_pylist()
    for number, line in zip(block.numbers[odd].tolist(), lines, strict=True):
        text = syntax.uncomment(line.decode(errors="replace")).strip()
        if "\ufffd" in text:
            yield _Found(number, line.decode(errors="backslashreplace").strip(), UNREADABLE[0])
        elif text:
            yield from (_Found(number, text, said) for said in syntax.read(text))


def normal_prefixes(urls: pa.Array) -> pa.Array:
    """Prefixes of URLs, written with or without scheme, as `Entries` has them: large_string, null where it is no URL.

    >>> normal_prefixes(pa.array(["HTTPS://A.example/b/../C*", "*.a.example/x", "ftp://a.example/"])).to_pylist()
    ['a.example/C*', '*.a.example/x', None]

    `*` at the end, which says that the prefix may end inside of a name, stays, and so does `*.` in front. A prefix
    without scheme may be meant for either; a port that is https's own vanishes as it does with that scheme.
    """
    urls = urls.cast(pa.large_string())
    starred = pc.match_substring_regex(urls, _STARRED)
    urls = pc.replace_substring_regex(urls, _STARRED, r"\1")
    scheme = pc.if_else(pc.match_substring_regex(urls, r"^[^/?]*:443(?:[/?]|$)"), "https://", "http://")
    scheme = pc.if_else(pc.match_substring_regex(urls, r"^[A-Za-z][A-Za-z0-9+.-]*://"), "", scheme)
    whole = pc.binary_join_element_wise(scheme.cast(pa.large_string()), pc.utf8_rtrim(urls, characters="*"), _NOTHING)
    end = pc.if_else(pc.ends_with(urls, "*"), "*", "").cast(pa.large_string())
    front = pc.if_else(starred, "*.", "").cast(pa.large_string())
    return pc.binary_join_element_wise(front, normal_urls(whole), end, _NOTHING)


def _in_order(values: pa.Array, lines: I64) -> tuple[pa.Array, I64]:
    order = np.argsort(lines, kind="stable")
    return values.take(pa.array(order)), lines[order]


def _show(written: str, why: str = "") -> str:
    return written[:_SHOWN_CHARACTERS] + (f" ({why})" if why else "")
