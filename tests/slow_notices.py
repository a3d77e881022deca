"""Copyright notices found one marker at a time with Python's `re`, to check what the columns say.

The words of the grammar are the same; everything round them is done again in the most obvious way: markers are found
by looking at every place, windows are slices, and a notice is one dictionary.
"""

import re
from functools import cache
from itertools import pairwise
from typing import Any

from transforms.measure.rights import notice_words as words

STATEMENT_BYTES, BEFORE_BYTES = 300, 80
GAP = re.compile(r"(?:[ \t,.:0-9-]|[\u2000-\u203f]|[\u0080-\u00bf])*")
Spans = dict[str, tuple[int, int]]


@cache
def python_pattern(pattern: str) -> re.Pattern[str]:
    """A pattern of RE2 as one of `re`: classes are of ASCII there, and `$` is the end of the text."""
    out, in_class, at = "", False, 0
    while at < len(pattern):
        two, one = pattern[at : at + 2], pattern[at]
        if two == r"\x" and pattern[at + 2] == "{":
            end = pattern.index("}", at)
            out, at = out + re.escape(chr(int(pattern[at + 3 : end], 16))), end + 1
            continue
        if one == "\\":
            ascii_only = {r"\s": r"\t\n\f\r ", r"\w": "0-9A-Za-z_"}
            border = "(?:(?<![0-9A-Za-z_])(?=[0-9A-Za-z_])|(?<=[0-9A-Za-z_])(?![0-9A-Za-z_]))"
            plain = ascii_only.get(two, two)
            out += border if two == r"\b" else plain if in_class or two not in ascii_only else f"[{plain}]"
            at += 2
            continue
        in_class = (one == "[" and not in_class) or (in_class and one != "]")
        out, at = out + (r"\Z" if one == "$" and not in_class else one), at + 1
    return re.compile(out)


def spans(pattern: str, raw: bytes, start: int, stop: int) -> Spans | None:
    """Groups of a pattern that matches in a window, as places in `raw`."""
    window = raw[start:stop].decode(errors="ignore")
    match = python_pattern(pattern).search(window)
    if match is None:
        return None
    place = {name: match.span(name) for name in match.groupdict() if match.span(name)[0] >= 0}
    return {
        name: (start + len(window[:a].encode()), start + len(window[:b].encode())) for name, (a, b) in place.items()
    }


def matches(pattern: str, raw: bytes, start: int, stop: int) -> bool:
    return spans(pattern, raw, start, stop) is not None


def find_runs(raw: bytes) -> list[list[int]]:
    """First byte, end and kinds of markers that stand together."""
    lowered = raw.lower()
    kinds = dict(zip(words.MARKERS, words.KINDS, strict=True))
    hits = [
        (at, at + len(marker), kind)
        for at in range(len(raw))
        for marker, kind in sorted(kinds.items(), key=lambda item: len(item[0]))
        if lowered.startswith(marker, at)
    ]
    runs: list[list[int]] = []
    for start, stop, kind in hits:
        if runs and start - runs[-1][1] <= 24 and GAP.fullmatch(raw[runs[-1][1] : max(start, runs[-1][1])].decode()):
            runs[-1][1], runs[-1][2] = max(runs[-1][1], stop), runs[-1][2] | kind
        else:
            runs.append([start, stop, kind])
    return runs


def read_run(raw: bytes, start: int, floor: int, limit: int, kind: int) -> dict[str, Any] | None:
    """The notice that markers begin, without what stands before them; None if they begin none."""
    head = spans(words.HEAD, raw, start, limit)
    if head is None:
        return None
    rest = head["head"][1]
    date = max(head.get("years", (-1, -1))[1], head.get("between", (-1, -1))[1])
    dated, by = date >= 0, "by" in head
    if not (kind > words.PAREN or dated or by or matches(words.CAPITAL, raw, rest, rest + 4)):
        return None
    found = spans(words.DATED if dated else words.UNDATED, raw, rest, limit) or {}
    late = found["years"][1] if "years" in found else -1
    name = read_name(raw, start, found)
    between = raw[date:rest].decode() if dated else ""
    if name and (
        matches(words.NO_NAME, raw, *name)
        or ("." in between and not matches(words.CAPITALS, raw, *name))
        or ("\n" in between and not deeper(raw, floor, start, between))
    ):
        name = None
    if not is_notice(raw, start, floor, kind, name, dated, late >= 0, by):
        return None
    return {"start": start, "end": max(name[1] if name else -1, late, date), "name": name, "dated": dated or late >= 0}


def read_name(raw: bytes, start: int, found: Spans) -> tuple[int, int] | None:
    """The holder, trimmed, and without what stands in front of the marker too."""
    if "name" not in found:
        return None
    first, last = found["name"][0], max(found[ending][1] for ending in words.ENDINGS if ending in found)
    trimmed = spans(words.TRIMMED, raw, first, last)
    assert trimmed is not None
    last = trimmed["name"][1]
    front, name = raw[:start].rstrip(b" "), raw[first:last]
    for at in range(len(name)):
        if front.endswith(name[at:]):
            break
    else:
        return first, last
    while 0 < at < len(name) and name[at - 1 : at] != b" ":
        at += 1
    rest = name[:at].rstrip(b" ")
    if rest and len(name) - at >= 4:
        return first, first + len(rest)
    return first, last


def deeper(raw: bytes, floor: int, start: int, between: str) -> bool:
    line = raw[floor:start].decode(errors="ignore").split("\n")[-1]
    following = between.split("\n")[1]
    return len(following) - len(following.lstrip(" \t")) > len(line) - len(line.lstrip(" \t"))


def is_notice(
    raw: bytes, start: int, floor: int, kind: int, name: tuple[int, int] | None, dated: bool, late: bool, by: bool
) -> bool:
    before = (raw, floor, start)
    compound = name is not None and not dated and matches(words.COMPOUND, raw, *name)
    if kind > words.PAREN:
        mojibake = matches(words.MOJIBAKE, raw, start - 2, start + 4) if start >= 2 else False
        if start >= 2 and matches(words.LETTER_E, raw, start - 2, start + 4):
            return False
        return dated or late or (name is not None and not compound and not mojibake)
    if matches(words.GLUED, *before):
        return False
    capitals = name is not None and matches(words.CAPITALS, raw, *name)
    at_start, upper = matches(words.LINE_START, *before), raw[start : start + 1] == b"C"
    if kind == words.PAREN:
        return (dated or (capitals and (late or not at_start))) and not matches(words.NUMBERED, *before)
    if compound or not (name or upper):
        return False
    owners = name is not None and matches(words.OWNERS, raw, *name)
    claimed = (by and (upper or capitals)) or (capitals and (owners or (late and upper)))
    return dated or bool(name and at_start and claimed)


def find_slowly(text: str) -> list[tuple[str, str | None]]:
    """Statement and holder of every notice of a text, by place."""
    raw = text.encode()
    runs = find_runs(raw)
    found = []
    for before, (start, _, kind), after in zip([[0], *runs], runs, [*runs[1:], [len(raw)]], strict=False):
        floor, limit = max(before[0], start - BEFORE_BYTES), min(after[0], start + STATEMENT_BYTES)
        notice = read_run(raw, start, floor, limit, kind)
        if notice:
            found.append(notice | {"floor": floor})
    for last, notice in pairwise([{"dated": False, "end": 0}, *found]):
        floor = max(notice["floor"], last["end"] if last["dated"] else 0)
        look_before(raw, notice, floor)
    kept: list[dict[str, Any]] = []
    for notice in sorted(found, key=lambda n: (n["start"], -n["end"])):
        if not kept or notice["start"] >= kept[-1]["end"]:
            kept.append(notice)
    return [(raw[n["start"] : n["end"]].decode(), raw[slice(*n["name"])].decode() if n["name"] else None) for n in kept]


def look_before(raw: bytes, notice: dict[str, Any], floor: int) -> None:
    """Give a notice without a holder the one before its marker, and one without years those before it."""
    start = notice["start"]
    before = spans(words.HOLDER_BEFORE, raw, floor, start)
    if notice["name"] is None and before and not matches(words.NO_HOLDER, raw, *before["name"]):
        notice["name"], notice["start"] = before["name"], before.get("word", before["name"])[0]
        return
    years = spans(words.YEARS_BEFORE, raw, floor, start)
    if years and not notice["dated"]:
        notice["start"] = years["years"][0]
