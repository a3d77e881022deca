"""Turn the pattern of a filter into what is matched: a domain, a URL prefix, or else a regular expression.

>>> for pattern in ("||a.example^", "||a.example/dl", "|https://a.example/", "/ads/*^id="):
...     print(say_pattern(pattern, False)[:2])
('domain', 'a.example')
('prefix', 'http://a.example/dl*')
('pattern', '(?i)^https://a\\\\.example/')
('pattern', '(?i)/ads/.*(?:[^0-9A-Za-z_.%-]|$)id=')
"""

import re
from typing import Final
from urllib.parse import quote

from transforms.decide.lists.domains import read_domain
from transforms.decide.lists.gather_entries import Said

_ANY_HOST: Final = r"^[a-z]+://(?:[^/?]*\.)?"
"""Before a pattern that may begin at any label of the host."""
_SEPARATOR: Final = r"(?:[^0-9A-Za-z_.%-]|$)"
_HOST: Final = re.compile(r"\|\|((?:\*\.)?[^/^*|?]+)(\^|/[^*^|]*)?")
_ASCII: Final = "".join(map(chr, range(128)))


def say_pattern(pattern: str, match_case: bool) -> Said:
    """What the pattern of a filter says, its options taken off.

    `||host^` and a host that stands alone are domains. `||host/path` is a prefix that ends anywhere; the case of its
    path matters. Everything else is searched for in the URL: `*` is anything, `^` what cannot be part of a name, or
    the end, `|` an end of the URL, `||` the beginning of any label of the host, `/…/` encloses a regular expression.
    """
    if len(pattern) > 2 and pattern.startswith("/") and pattern.endswith("/"):
        return Said("pattern", pattern[1:-1] if match_case else f"(?i){pattern[1:-1]}")
    pattern = pattern.rstrip("*")
    if re.search(r"\s", pattern) or not pattern.strip("*^|"):
        return Said("unreadable", "" if pattern.strip("*^|") else "it matches every URL")
    if "#" in pattern:
        return Said("unsupported", "URL with a fragment")
    if domain := read_domain(pattern):
        return Said("domain", domain)
    anchored = _HOST.fullmatch(pattern)
    domain = anchored and read_domain(anchored[1])
    if anchored and domain and anchored[2] in ("^", "/"):
        return Said("domain", domain)
    if anchored and domain and anchored[2]:
        return Said("prefix", f"http://{domain.removeprefix('*.')}{anchored[2]}*")
    return Said("pattern", _regex(pattern) if match_case else f"(?i){_regex(pattern)}")


def _regex(pattern: str) -> str:
    if pattern.startswith("||"):
        begin, body = _ANY_HOST, pattern[2:]
    else:
        begin, body = ("^", pattern[1:]) if pattern.startswith("|") else ("", pattern.lstrip("*"))
    end = "$" if body.endswith("|") else ""
    pieces = re.split(r"(\*+|\^)", body.removesuffix("|"))
    return begin + "".join(_piece(piece) for piece in pieces) + end


def _piece(piece: str) -> str:
    if piece.startswith("*"):
        return ".*"
    # URLs are searched as they are sent, and what is not ASCII is sent escaped.
    return _SEPARATOR if piece == "^" else re.escape(quote(piece, safe=_ASCII))
