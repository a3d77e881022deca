"""Read lists of regular expressions: one a line, searched for in the whole URL, whatever its case.

>>> import io
>>> from transforms.decide.lists.gather_entries import gather_entries
>>> from transforms.decide.lists.lines import line_blocks
>>> text = b"# copies\\n[/.]warez[/.]\\n(a)\\\\1\\n"
>>> blocked, _ = gather_entries(line_blocks(io.BytesIO(text)), EXPRESSIONS)
>>> [pattern.regex for pattern in blocked.patterns], blocked.ignored
(['(?i)[/.]warez[/.]'], ((3, '(a)\\\\1 (invalid escape sequence: \\\\1)'),))
"""

import re
from collections.abc import Sequence
from typing import Final

from transforms.decide.lists.gather_entries import Said, Syntax

_WORD_END: Final = re.compile(r"((?<!\\)(?:\\\\)*)\\[<>]")


def _no_comment_line(line: str) -> str:
    return "" if line.lstrip().startswith("#") else line


def _read(text: str) -> Sequence[Said]:
    return (Said("pattern", f"(?i){text}"),)


def _read_posix(text: str) -> Sequence[Said]:
    """What squidGuard and squid take: extended POSIX expressions; a flag `-i` says what holds here anyway."""
    regex = re.sub(r"^-i(?:\s+|$)", "", text)
    return _read(_WORD_END.sub(r"\1\\b", regex)) if regex else ()


EXPRESSIONS: Final = Syntax(_no_comment_line, _read)
"""RE2; `(?-i)` at the beginning makes case matter."""
POSIX_EXPRESSIONS: Final = Syntax(_no_comment_line, _read_posix)
