r"""Find the literal that every match of a regular expression must hold, so that most texts need not be searched for it.

>>> required_literal(r"(?i)/\?track=.*&key[0-9]+=x?"), required_literal(r"warez|/cracks/")
('/?track=', None)
"""

import re
from typing import Final

_TOKEN: Final = re.compile(
    r"\\[^0-9A-Za-z]"  # an escaped sign stands for itself
    r"|\\."  # a class or an assertion, or something with an argument
    r"|\[\^?\]?(?:\\.|\[:\^?\w+:\]|[^\]\\])*\]"
    r"|\{\d+(?:,\d*)?\}"
    r"|\(\?[a-zA-Z-]+\)"  # flags
    r"|.",
    re.DOTALL,
)
_WITH_ARGUMENT: Final = re.compile(r"\\[0-9pPQx]")
_STARTS: Final = ("http://www.", "https://www.")
"""What stands in every URL or in most of them tells nothing."""
_SPECIAL: Final = "()[]{}.*+?^$|\\"


def required_literal(regex: str) -> str | None:
    """The longest run of ASCII characters, in lower case, that stands in every match of an RE2 expression; or None.

    Of several the first; beginnings that most URLs have are left out. It looks at what stands outside of groups, and
    gives up where there is an alternative. A text that holds no such run, when it is in lower case, holds no match,
    whether or not the expression heeds case.
    """
    runs, run, depth = [], "", 0
    for token in _TOKEN.findall(regex):
        if _WITH_ARGUMENT.match(token) or (token == "|" and depth == 0):
            return None
        depth += (token == "(") - (token == ")")
        optional = token in ("*", "?") or token.startswith("{")
        if depth == 0 and (stands_for := _character(token)):
            run += stands_for
        else:
            runs.append(run[:-1] if optional else run)
            run = ""
    telling = (text for text in map(str.lower, [*runs, run]) if not any(text in start for start in _STARTS))
    return max(telling, key=len, default=None)


def _character(token: str) -> str:
    """What a token stands for if that is one ASCII character; else nothing."""
    character = token.removeprefix("\\") if len(token) == 2 else token
    special = character.isalnum() if len(token) == 2 else character in _SPECIAL
    return character if len(character) == 1 and character.isascii() and not special else ""
