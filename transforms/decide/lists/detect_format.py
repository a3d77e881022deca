"""Detect in which format a list is written, from its first lines.

>>> detect_format(b"0.0.0.0 a.example\\n"), detect_format(b"! Title\\na.example\\n"), detect_format(b"<html>")
('hosts', 'adblock', None)
"""

import codecs
import io
import re
from collections.abc import Iterable, Mapping
from typing import Final

from transforms.decide.lists.dnsmasq import DNSMASQ
from transforms.decide.lists.domains import DOMAINS
from transforms.decide.lists.expressions import EXPRESSIONS
from transforms.decide.lists.gather_entries import Syntax
from transforms.decide.lists.hosts import HOSTS
from transforms.decide.lists.lines import line_blocks
from transforms.decide.lists.regex_faults import regex_fault
from transforms.decide.lists.stored import GZIP, ListError
from transforms.decide.lists.url_prefixes import URL_PREFIXES

SAMPLE_BYTES: Final = 256 << 10
_SAMPLE_LINES: Final = 1000

SYNTAXES: Final[Mapping[str, Syntax]] = {
    "hosts": HOSTS,
    "dnsmasq": DNSMASQ,
    "domains": DOMAINS,
    "url_prefixes": URL_PREFIXES,
    "regex": EXPRESSIONS,
}
"""Formats whose lines stand for themselves; where two read the same lines, it is the first of them."""
_OF_FILTERS: Final = re.compile(r"\s*(?:!|\|\||@@|\[(?:adblock|ublock)|[\w.,~*-]+#@?[?$]?#)", re.IGNORECASE)
_OF_REGEX: Final = re.compile(r"[\\^$*+|(\[{]")
_PACKED: Final = {
    b"PK\x03\x04": "zip archive",
    b"BZh": "bzip2 file",
    b"\xfd7zXZ": "xz file",
    b"\x28\xb5\x2f\xfd": "zstd file",
    b"7z\xbc\xaf": "7z archive",
    GZIP: "gzip file inside of a gzip file",
}


def detect_format(head: bytes) -> str | None:
    """`ut1` for a tar archive, or the format that reads most of the lines; None if that is less than half of them.

    `head` are the first bytes of a list, unpacked. Raises ListError if they are of no text and no tar archive.
    """
    if head[257:262] == b"ustar":
        return "ut1"
    for magic, kind in _PACKED.items():
        if head.startswith(magic):
            raise ListError(f"is a {kind}. Unpack it; of packed lists, gzip and .tar.gz are read.")
    if b"\0" in head and not head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise ListError("is a binary file, and no list.")
    lines = [text for _, text in first_lines(head)]
    counts = {name: _count_read(lines, syntax) for name, syntax in SYNTAXES.items() if name != "regex"}
    counts["regex"] = sum(bool(_OF_REGEX.search(line)) and regex_fault(line) is None for line in lines)
    best = max(counts, key=lambda name: counts[name])
    certain = counts[best] * 2 > len(lines)
    # The lines of these two are nothing else, whatever stands between them.
    if not (certain and best in ("hosts", "dnsmasq")) and any(_OF_FILTERS.match(line) for line in lines):
        return "adblock"
    return best if certain else None


def first_lines(head: bytes) -> list[tuple[int, str]]:
    """Number and text of lines that are neither empty nor a comment with `#`; not the last if it may be cut."""
    whole = head[: head.rfind(b"\n") + 1] if len(head) == SAMPLE_BYTES else head
    texts = (
        (number, line.decode(errors="replace").strip())
        for block in line_blocks(io.BytesIO(whole))
        for number, line in zip(block.numbers.tolist(), block.lines.to_pylist(), strict=True)
    )
    return [(number, text) for number, text in texts if text and not text.startswith("#")][:_SAMPLE_LINES]


def _count_read(lines: Iterable[str], syntax: Syntax) -> int:
    """How many of the lines say what shall be blocked."""
    said = (syntax.read(syntax.uncomment(line).strip()) for line in lines)
    return sum(any(one.kind in ("domain", "prefix", "pattern") for one in line) for line in said)
