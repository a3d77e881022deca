"""Turn what is said of hosts into regular expressions for whole URLs, `scheme://host[:port]/path?query`.

>>> import re
>>> regex = host_regex(r"^a\\d+\\.example$")
>>> [bool(re.search(regex, url)) for url in ("http://a1.example:8080/", "http://b.a1.example/", "http://b/a1.example/")]
[True, False, False]
"""

import re
from typing import Final

_HOST_END: Final = r"(?::[0-9]+)?/"
_TOKEN: Final = re.compile(r"\\.|\[\^?\]?(?:\\.|\[:\^?\w+:\]|[^\]\\])*\]|.", re.DOTALL)


def exact_host(host: str) -> str:
    """RE2 for URLs of this very host."""
    return f"^[a-z]+://{re.escape(host)}{_HOST_END}"


def host_substring(text: str) -> str:
    """RE2 for URLs with `text` in the host."""
    return f"(?i)^[a-z]+://[^/:]*{re.escape(text)}[^/]*/"


def host_regex(regex: str) -> str:
    """RE2 for URLs in whose host a regular expression is found.

    `^` and `$` come to mean the ends of the host, and nothing that stands for any character goes on beyond it.
    """
    inside = "".join(_of_host(token) for token in _TOKEN.findall(regex))
    return f"(?i)^[a-z]+:(?://[^/]*|)(?:{inside})"


def _of_host(token: str) -> str:
    if token in _OF_HOST:
        return _OF_HOST[token]
    return f"[^/{token[2:]}" if token.startswith("[^") else token


_OF_HOST: Final = {".": "[^/]", "^": "//", "$": _HOST_END, r"\D": "[^0-9/]", r"\W": r"[^\w/]", r"\S": r"[^\s/]"}
