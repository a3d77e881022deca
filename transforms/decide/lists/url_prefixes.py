"""Read lists of URL prefixes: one a line, with or without scheme.

>>> import io
>>> from transforms.decide.lists.gather_entries import gather_entries
>>> from transforms.decide.lists.lines import line_blocks
>>> text = b"https://A.example/Books\\na.example/dl*\\nb.example\\na.example/#!album\\n"
>>> blocked, _ = gather_entries(line_blocks(io.BytesIO(text)), URL_PREFIXES)
>>> blocked.prefixes.to_pylist(), blocked.domains.to_pylist(), blocked.unsupported
(['a.example/Books', 'a.example/dl*'], ['b.example'], {'URL with a fragment': 1})
"""

import re
from collections.abc import Sequence
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from transforms.decide.lists.dnsmasq import before_spaced_sign
from transforms.decide.lists.domains import read_domain
from transforms.decide.lists.gather_entries import UNREADABLE, Plain, Said, Syntax

_HOST: Final = r"(?:(?:[a-z0-9_-]+\.)+[a-z]{2,}|(?:(?:0|[1-9][0-9]{0,2})\.){3}(?:0|[1-9][0-9]{0,2}))"
_URL: Final = re.compile(r"(https?://)?([^/?#\\\s]*?)(:[0-9]+)?([/?#].*)?", re.IGNORECASE)


def _read(text: str) -> Sequence[Said]:
    if domain := read_domain(text):
        return (Said("domain", domain),)
    found = _URL.fullmatch(text)
    domain = found and read_domain(found[2])
    if not found or not domain or re.search(r"\s", text):
        return UNREADABLE
    scheme, port, page = found[1] or "", found[3] or "", (found[4] or "").removesuffix("#")
    if "#" in page:
        return (Said("unsupported", "URL with a fragment"),)
    if "*" in page.rstrip("*"):
        return (Said("unsupported", "wildcard inside a URL"),)
    if page.rstrip("*") in ("", "/") and not port:
        return (Said("domain", domain),)
    return (Said("prefix", f"{scheme}{domain}{port}{page}"),)


def _cut(lines: pa.Array) -> pa.Array:
    return pc.ascii_trim(lines, characters=" \t\n")


URL_PREFIXES: Final = Syntax(
    before_spaced_sign,
    _read,
    Plain("prefix", rf"^(?:https?://)?{_HOST}/[!-\"$-)+-~]+\*?[ \t\n]*$", r"/\*[ \t\n]*$", _cut),
)
