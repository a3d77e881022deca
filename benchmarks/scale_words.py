"""Numbers in words, for tables that people read."""

import math
import re
import textwrap
from collections.abc import Iterable, Sequence
from typing import Final

_BINARY: Final = ("B", "KiB", "MiB")
_DECIMAL: Final = ("GB", "TB", "PB", "EB")
_NAMES: Final = ((1e12, "trillion"), (1e9, "billion"), (1e6, "million"))


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table without a newline at its end.

    >>> print(table(["step", "files"], [["write", "7"]]))
    | step | files |
    | --- | --- |
    | write | 7 |
    """
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(' '.join(cell.split()) for cell in line)} |" for line in lines)


def flow(text: str) -> str:
    """Markdown with its paragraphs and list items filled to 120 characters; headings and tables stay.

    >>> flow("# One\\n\\ntwo\\nthree\\n\\n- four\\n- five\\n")
    '# One\\n\\ntwo three\\n\\n- four\\n- five\\n'
    """
    return "\n\n".join(_flow_block(block) for block in text.strip().split("\n\n")) + "\n"


def _flow_block(block: str) -> str:
    if block.startswith(("#", "|")):
        return block
    if not block.startswith("- "):
        return _fill(block)
    return "\n".join(_fill(item, "  ") for item in re.split(r"\n(?=- )", block))


def _fill(text: str, indent: str = "") -> str:
    words = " ".join(text.split())
    return textwrap.fill(words, 120, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def digits(value: float, figures: int = 2) -> str:
    """A number to so many significant figures, its whole part never cut.

    >>> digits(1.234), digits(12.34), digits(1234.5), digits(0.0)
    ('1.2', '12', '1,200', '0')
    """
    if not value:
        return "0"
    places = figures - 1 - math.floor(math.log10(abs(value)))
    rounded = round(value, places)
    return f"{rounded:,.{max(0, places)}f}"


def amount(documents: float) -> str:
    """A large number of documents.

    >>> amount(1e6), amount(3.14e9), amount(1e11), amount(250_000)
    ('1 million', '3.1 billion', '100 billion', '250,000')
    """
    for unit, name in _NAMES:
        if documents >= unit * 0.995:
            return f"{digits(documents / unit).removesuffix('.0')} {name}"
    return digits(documents)


def count_words(value: float) -> str:
    """A count: whole up to 10,000, then to two figures; powers of ten beyond a trillion.

    >>> count_words(1234), count_words(123_456), count_words(2.4e12)
    ('1,234', '120,000', '2.4 × 10^12')
    """
    if value < 10_000:
        return f"{value:,.0f}"
    if value < 1e6:
        return digits(value)
    if value < 1e12:
        return amount(value)
    power = math.floor(math.log10(value))
    return f"{value / 10**power:.1f} × 10^{power}"


def bytes_words(value: float) -> str:
    """Bytes: binary units for what lies in memory, decimal ones from a gigabyte on.

    >>> bytes_words(0), bytes_words(32 << 20), bytes_words(5.9e9), bytes_words(1.2e15)
    ('0', '32 MiB', '5.9 GB', '1.2 PB')
    """
    if not value:
        return "0"
    if value < 1e9:
        power = min(2, int(math.log(max(value, 1), 1024)))
        whole = value / 1024**power
        return f"{f'{whole:,.0f}' if whole >= 10 else digits(whole).removesuffix('.0')} {_BINARY[power]}"
    power = min(3, math.floor(math.log10(value) / 3) - 3)
    return f"{digits(value / 10 ** (9 + 3 * power))} {_DECIMAL[power]}"


def days_words(hours: float) -> str:
    """A time.

    >>> days_words(0.02), days_words(0.5), days_words(7.25), days_words(100), days_words(50_000)
    ('1 min', '30 min', '7.2 h', '4.2 days', '5.7 years')
    """
    for limit, unit, name in (
        (1, 1 / 60, "min"),
        (48, 1, "h"),
        (24 * 730, 24, "days"),
        (math.inf, 24 * 365.25, "years"),
    ):
        if hours < limit:
            return f"{max(1, round(hours / unit))} min" if name == "min" else f"{digits(hours / unit)} {name}"
    raise ValueError(f"{hours} is not a time")


def dollars_words(value: float) -> str:
    """Dollars: cents up to ten, then two figures.

    >>> dollars_words(0.123), dollars_words(1234), dollars_words(2.5e6)
    ('$0.12', '$1,200', '$2.5 million')
    """
    return f"${value:.2f}" if value < 10 else f"${amount(value)}"
