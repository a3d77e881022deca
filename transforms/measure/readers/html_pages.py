r"""Read an HTML page: its text, with every notice of rights in it, and what it says of rights elsewhere.

>>> read_html("<meta name=author content=Jane><p>Story.<footer>&copy; 2020 Jane</footer>")
Page(text='Story.\n\n© 2020 Jane', signals=[PageSignal(kind='author', value='Jane', agent=None, source='meta:author')])
"""

import re
from typing import Final

from resiliparse.extract.html2text import extract_plain_text
from resiliparse.parse.html import HTMLTree

from transforms.measure.readers.html_signals import html_signals
from transforms.measure.readers.http_payload import BrokenPageError
from transforms.measure.readers.keep_notices import keep_notices, may_hold_notice
from transforms.measure.readers.page_signals import Page, distinct

MAX_TAGS: Final = 10_000_000
"""HTML with more `<` is an error: a parsed tag takes about 300 bytes of memory."""
MAX_NESTED_TAGS: Final = 1 << 26
"""Finding the main content takes about 60 ns for each tag and each `div` or `article` around it. A page that would take
longer than about 4 s is read without it, as if `main_content` were false."""

_BLOCK_TAG: Final = re.compile(r"<(/?)(?:div|article)\b", re.IGNORECASE)


def read_html(html: str, *, main_content: bool = True) -> Page:
    r"""Visible text of an HTML page, or its main content and every notice of the rest; and its signals of rights.

    >>> page = "<nav>Home</nav><p>Text.<footer>All rights reserved."
    >>> read_html(page).text, read_html(page, main_content=False).text
    ('Text.\n\nAll rights reserved.', 'Home\n\nText.\n\nAll rights reserved.')

    The whole text of a page that `MAX_NESTED_TAGS` forbids; raises BrokenPageError for one that `MAX_TAGS` does.
    """
    tags = html.count("<")
    if tags > MAX_TAGS:
        raise BrokenPageError(f"The HTML has {tags} tags; up to {MAX_TAGS} can be parsed.")
    if main_content and tags * tags > MAX_NESTED_TAGS and _nested_tags(html) > MAX_NESTED_TAGS:
        main_content = False
    tree = HTMLTree.parse(html)
    text = extract_plain_text(tree, main_content=main_content)
    if main_content and may_hold_notice(html):
        text = keep_notices(text, extract_plain_text(tree, main_content=False))
    return Page(text.replace("\0", ""), distinct(html_signals(tree)))


def _nested_tags(html: str) -> int:
    """Number of pairs of a tag and a `div` or `article` that it stands in, if those are closed in order."""
    depth = last = total = 0
    for tag in _BLOCK_TAG.finditer(html):
        total += depth * html.count("<", last, tag.start())
        last = tag.start()
        depth = max(0, depth - 1) if tag[1] else depth + 1
    return total + depth * html.count("<", last)
