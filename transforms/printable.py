"""Print what others wrote."""


def printable(text: str) -> str:
    """A text from a crawl as one line that does nothing to a terminal.

    >>> printable("https://a.example/größe\\x1b[2J")
    'https://a.example/größe\\\\x1b[2J'
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
