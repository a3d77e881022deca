"""Read network filters as Adblock Plus and uBlock Origin write them, as far as they say that a document be blocked.

>>> import io
>>> from transforms.decide.lists.lines import line_blocks
>>> lines = b"||a.example^$doc", b"||b.example/dl", b"@@||ok.a.example^", b"||c.example^$script", b"d.example##.ad"
>>> blocked, excepted = gather_filters(line_blocks(io.BytesIO(b"\\n".join(lines))))
>>> blocked.domains.to_pylist(), blocked.prefixes.to_pylist(), excepted.domains.to_pylist()
(['a.example'], ['b.example/dl*'], ['ok.a.example'])
>>> dict(blocked.unsupported)
{'cosmetic filter': 1, 'option script': 1}

The syntax: https://help.adblockplus.org/hc/en-us/articles/360062733293 and
https://github.com/gorhill/uBlock/wiki/Static-filter-syntax.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.decide.lists.domains import NAME, PUNYCODE, cut_names
from transforms.decide.lists.entries import Entries
from transforms.decide.lists.filter_patterns import say_pattern
from transforms.decide.lists.gather_entries import Plain, Said, Syntax, gather_entries
from transforms.decide.lists.lines import LineBlock

_COSMETIC: Final = re.compile(r"#@?(?:\?|\$\??|%)?#(?:\+js\(|\^)?|^[\w.,~*-]*\$\$")
_OPTIONS: Final = r"\$(~?[\w-]+(?:[=,].*)?)"
_REGEX_FILTER: Final = re.compile(rf"(/.+?/)(?:{_OPTIONS})?")
_FILTER: Final = re.compile(rf"(.*?)(?:{_OPTIONS})?")
_COMMENT: Final = re.compile(
    r"^\s*(?:!(?!#)|\[(?:adblock|ublock|adguard)[^\]]*\]\s*$|#+(?:\s|$)).*|\s#\s.*", re.IGNORECASE | re.DOTALL
)

_OF_DOCUMENTS: Final = frozenset(["document", "doc", "all"])
_ALWAYS: Final = frozenset(
    ["important", "match-case", "~third-party", "~3p", "first-party", "1p", "strict1p", "reason"]
)
"""Options that hold for a document of any site: it is its own first party."""
_OTHER_TYPES: Final = frozenset([
    "script", "image", "stylesheet", "css", "object", "xmlhttprequest", "xhr", "subdocument", "frame", "ping", "beacon",
    "websocket", "webrtc", "font", "media", "popup", "popunder", "other", "object-subrequest",
])  # fmt: skip

_HARMLESS: Final = _OF_DOCUMENTS | _ALWAYS | _OTHER_TYPES | {f"~{kind}" for kind in _OTHER_TYPES}


def gather_filters(blocks: Iterable[LineBlock], file: str | None = None) -> tuple[Entries, Entries]:
    """What filters block, and what they make exceptions of. What they say of anything but documents is counted."""
    conditional: Counter[str] = Counter()
    blocked, excepted = gather_entries(_unconditional(blocks, conditional), _FILTERS, file)
    return replace(blocked, unsupported=dict(sorted((conditional + Counter(blocked.unsupported)).items()))), excepted


def _unconditional(blocks: Iterable[LineBlock], skipped: Counter[str]) -> Iterator[LineBlock]:
    """The lines outside of `!#if` and `!#endif`; those within, which hold in some browsers only, are counted."""
    depth = 0
    for block in blocks:
        opens = np.asarray(pc.match_substring_regex(block.lines, r"^\s*!#if\b")).astype(np.int64)
        closes = np.asarray(pc.match_substring_regex(block.lines, r"^\s*!#endif\b")).astype(np.int64)
        depths = _depths(opens - closes, depth)
        depth = int(depths[-1]) if len(depths) else depth
        frame = (depths > 0) | (opens + closes > 0)
        filters = np.asarray(pc.match_substring_regex(block.lines, r"^\s*[^!\s]"))
        if inside := int(np.count_nonzero(frame & filters)):
            skipped["filter in an !#if block"] += inside
        yield block._replace(lines=block.lines.filter(pa.array(~frame)), numbers=block.numbers[~frame])


def _depths(
    steps: np.ndarray[tuple[int], np.dtype[np.int64]], before: int
) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Depth of nesting after each step; an end without a beginning means nothing."""
    sums = before + np.cumsum(steps)
    return sums - np.minimum(np.minimum.accumulate(sums), 0) if len(sums) else sums


def _uncomment(line: str) -> str:
    return _COMMENT.sub("", line)


def _read(text: str) -> Sequence[Said]:
    if text.startswith("!#"):
        return (Said("unsupported", f"directive {text.split()[0]}"),)
    if cosmetic := _COSMETIC.search(text):
        return (Said("unsupported", _name_of_cosmetic(cosmetic[0])),)
    excepted = text.startswith("@@")
    text = text.removeprefix("@@")
    pattern, options = _split(text)
    fault = next(filter(None, map(_never_of_documents, options)), None)
    types = {option for option in options if option in _OTHER_TYPES}
    if not fault and types and not _OF_DOCUMENTS.intersection(options):
        fault = min(types)
    said = Said("unsupported", f"option {fault}") if fault else say_pattern(pattern, "match-case" in options)
    return (said._replace(excepted=excepted),)


def _split(text: str) -> tuple[str, list[str]]:
    """Pattern, and options."""
    found = _REGEX_FILTER.fullmatch(text) or _FILTER.fullmatch(text)
    if not found:
        return text, []
    options = re.split(r"(?<!\\),", found[2] or "")
    return found[1], [option.strip().lower() for option in options if option.strip()]


def _never_of_documents(option: str) -> str | None:
    """Name of an option that keeps a filter from documents, or from those of some sites; None of any other."""
    name = option.partition("=")[0]
    return None if name in _HARMLESS else name


def _name_of_cosmetic(sign: str) -> str:
    if sign.endswith("+js("):
        return "scriptlet"
    return "HTML filter" if sign.endswith(("^", "$$")) else "cosmetic filter"


def _cut(lines: pa.Array) -> pa.Array:
    return cut_names(pc.utf8_ltrim(pc.list_element(pc.split_pattern(lines, "^", max_splits=1), 0), characters=" \t|"))


_FILTERS: Final = Syntax(
    _uncomment,
    _read,
    Plain("domain", rf"^\|\|{NAME}\^(?:\$(?:all|doc|document|important))?[ \t\n]*$", PUNYCODE, _cut),
)
