"""What a page shows of values that others wrote: on one line, harmless, and of bearable length."""

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Final

from transforms.printable import printable

MOST_CHARACTERS: Final = 160
"""Of a value, as it is shown."""
_DECIMALS: Final = Decimal("0.0001")


def shown(text: str) -> str:
    """A text from a crawl or a list, cut with `…` where it is long.

    >>> shown("x" * 200) == "x" * 159 + "…", shown("a\\nb")
    (True, 'a\\\\nb')
    """
    line = printable(text[: MOST_CHARACTERS + 1])
    return line if len(line) <= MOST_CHARACTERS else line[: MOST_CHARACTERS - 1] + "…"


def quoted(text: str) -> str:
    """`shown` between backticks."""
    return f"`{shown(text)}`"


def at_least(value: float) -> str:
    """A similarity with four decimals at most, rounded down, so that none looks as if it reached a limit.

    >>> at_least(0.69999), at_least(0.83), at_least(1.0)
    ('0.6999', '0.83', '1')
    """
    return _rounded(value, ROUND_FLOOR)


def at_most(value: float) -> str:
    """A similarity with four decimals at most, rounded up.

    >>> at_most(0.83), at_most(0.833333)
    ('0.83', '0.8334')
    """
    return _rounded(value, ROUND_CEILING)


def one_of(words: list[str], last: str) -> str:
    """Words in a row, with another word before the last.

    >>> one_of(["a"], "or"), one_of(["a", "b", "c"], "and")
    ('a', 'a, b and c')
    """
    return f" {last} ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def _rounded(value: float, rounding: str) -> str:
    return f"{Decimal(str(value)).quantize(_DECIMALS, rounding).normalize():f}"
