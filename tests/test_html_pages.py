"""HTML pages: their text with every notice in it, their signals, and pages that are hard to read."""

import doctest
import importlib
import io
import time
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import warc_files as make
from transforms.measure.readers import html_pages
from transforms.measure.readers.html_pages import read_html
from transforms.measure.readers.http_payload import BrokenPageError
from transforms.measure.readers.page_signals import Page
from transforms.measure.readers.pages import NotDocument, read_page
from transforms.measure.readers.warc import read_warc
from transforms.measure.readers.warc_records import Record
from transforms.measure.tally import Tally

WARC = Path(__file__).resolve().parents[2] / "shared" / "data" / "warc"
with_data = pytest.mark.skipif(not WARC.exists(), reason=f"needs the WARC files of {WARC}")


def text_of(html: str, *, main_content: bool = True) -> str:
    """The text of a page."""
    return read_html(html, main_content=main_content).text


@pytest.mark.parametrize(
    "module",
    ["header_signals", "html_pages", "html_signals", "json_ld", "keep_notices", "page_signals", "warc_records"],
)
def test_examples_in_docstrings_hold(module: str) -> None:
    """Each module has some."""
    outcome = doctest.testmod(importlib.import_module(f"transforms.measure.readers.{module}"))
    assert outcome.failed == 0
    assert outcome.attempted > 0


# Notices

NOTICE = "Copyright © 2001 by A. Author. All rights reserved. ISBN 0-306-40615-2"
IN_HTML = [
    NOTICE,
    NOTICE.replace("©", "&copy;"),
    NOTICE.replace("©", "&#xA9;"),
    NOTICE.replace("A. Author", "<b>A. Author</b>"),
]
TAGS = (
    *("p", "div", "footer", "aside", "nav", "form", "section", "header", "li", "td", "small", "address", "span"),
    *("blockquote", "pre", "h2", "dd", "center", "video"),
)
PLACES = [
    *(f"<{tag}>{{}}</{tag}>" for tag in TAGS),
    *(
        f"<div {hint}>{{}}</div>"
        for hint in ("class=footer", "id=footer", "role=contentinfo", "class=sidebar", "hidden")
    ),
    "<div style='display:none'><p>{}</p></div>",
    "<table><tr><td>x<td>{}</table>",
    "<footer><ul><li><a href=/>Home</a><li>{}</ul></footer>",
]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("main_content", [True, False])
def test_notice_stays_in_the_text_wherever_it_stands(place: str, main_content: bool) -> None:
    """Footers, side bars and menus are where notices stand, and what finding the main content drops."""
    for notice, tail in product(IN_HTML, ("", "<p>tail</p>", "</body>")):
        html = f"<html><body><nav>Menu</nav><main><p>Story of some length.</p></main>{place.format(notice)}{tail}"
        text = text_of(html, main_content=main_content)
        assert f" {NOTICE} " in f" {' '.join(text.split())} "
        assert text.count(NOTICE) == 1
        assert ("Menu" in text) is not main_content


@pytest.mark.parametrize(
    "place", ["<!-- {} -->", "<script>'{}'</script>", "<style>/* {} */</style>", "<template>{}</template>"]
)
@pytest.mark.parametrize("main_content", [True, False])
def test_notice_that_no_reader_sees_is_no_text(place: str, main_content: bool) -> None:
    """Comments, code and templates are not shown."""
    assert text_of(f"<p>Story.</p>{place.format(NOTICE)}", main_content=main_content) == "Story."


pieces = st.sampled_from(
    ["Menu", "Story.", "© 2020 Foo", "All rights reserved", "ISBN 0306406152", "CC BY 4.0", "Tail"]
)
places = st.sampled_from(
    ["<p>{}</p>", "<footer>{}</footer>", "<nav>{}</nav>", "<aside><p>{}</p></aside>", "<div>{}", "{}<br>"]
)


@settings(deadline=None, max_examples=200)
@given(st.lists(st.tuples(places, pieces), max_size=10))
def test_main_content_keeps_what_the_whole_text_says_of_rights(page: list[tuple[str, str]]) -> None:
    """Each notice of the whole text stands in the shorter one; and the quick look at the HTML changes nothing."""
    html = "".join(place.format(piece) for place, piece in page)
    kept = " ".join(text_of(html).split())
    for _, piece in page:
        assert piece in kept or piece in ("Menu", "Story.", "Tail")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(html_pages, "may_hold_notice", lambda html: True)
        assert " ".join(text_of(html).split()) == kept


# From the record


def page_of(block: bytes, kind: str = "response", content_type: str = "") -> Page:
    """What a record with that block is read as."""
    found = read_page(Record({"warc-type": kind, "content-type": content_type}, block, 0, len(block)))
    assert not isinstance(found, NotDocument)
    return found


def test_signals_of_header_and_html_are_one_list() -> None:
    """The header first, then the page in its order, and repeats left out."""
    html = b"<meta name=robots content='noai, noindex, noai'><p>x<meta name=author content=Jane>"
    page = page_of(make.http(html, fields={"X-Robots-Tag": "noai", "tdm-reservation": "1"}))
    assert [(signal.kind, signal.source) for signal in page.signals or ()] == [
        ("noai", "http:x-robots-tag"),
        ("tdm-reservation", "http:tdm-reservation"),
        ("noai", "meta:robots"),
        ("noindex", "meta:robots"),
        ("author", "meta:author"),
    ]


def test_signals_are_null_only_where_there_is_neither_header_nor_html() -> None:
    """A response always has a header, and HTML is HTML also without one."""
    assert page_of(make.http(b"<p>x")).signals == []
    assert page_of(make.http(b"x", "text/plain")).signals == []
    assert [
        signal.kind for signal in page_of(make.http(b"x", "text/plain", {"X-Robots-Tag": "noai"})).signals or ()
    ] == ["noai"]
    assert page_of(b"<p>x", "resource", "text/html").signals == []
    assert page_of(b"x", "resource", "text/plain").signals is None
    assert page_of(b"x", "conversion", "text/plain").signals is None


# Pages that are hard to read


@pytest.mark.parametrize(
    "html", ["", "<", "<!--", "<table><tr><td>", "&#0;&#xD800;&#x110000;", "<svg><title>", "\ufffd" * 99]
)
def test_odd_html_has_some_text(html: str) -> None:
    """No error, and nothing that cannot be written as UTF-8."""
    text_of(html).encode()


@pytest.mark.parametrize("closing", ["", "</div>" * 20_000])
def test_deep_nesting_takes_time_in_step_with_the_page(closing: str) -> None:
    """Looking for the main content of 20,000 open `div`s takes 8 s, and four times as long for twice as many."""
    start = time.process_time()
    assert text_of("<div>" * 20_000 + "x" + closing) == "x"
    assert time.process_time() - start < 2


def test_main_content_is_given_up_where_nesting_forbids_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole text of the page is read then, and that depends on the page alone."""
    html = "<nav>Menu</nav><div><div><p>Story</div></div>"
    assert text_of(html) == "Story"
    monkeypatch.setattr(html_pages, "MAX_NESTED_TAGS", 5)
    assert text_of(html) == "Menu\n\nStory"
    assert text_of("<nav>Menu</nav><section><p>Story</section>") == "Story"


@settings(deadline=None)
@given(
    st.lists(
        st.sampled_from(["<div>", "<ARTICLE class=x>", "</div>", "</article >", "text", "<p>", "<divx>"]), max_size=30
    )
)
def test_nested_tags_agree_with_a_count_tag_by_tag(pieces: list[str]) -> None:
    """The sum over all tags of the elements that are open after it."""
    depth = expected = 0
    for piece in pieces:
        depth += piece in ("<div>", "<ARTICLE class=x>")
        depth -= piece in ("</div>", "</article >") and depth > 0
        expected += depth * piece.count("<")
    assert html_pages._nested_tags("".join(pieces)) == expected


def test_html_with_too_many_tags_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """They would take more memory than a worker has; the message has the number."""
    monkeypatch.setattr(html_pages, "MAX_TAGS", 3)
    assert text_of("<p>a<p>b<p>c") == "a\n\nb\n\nc"
    with pytest.raises(BrokenPageError, match="The HTML has 4 tags; up to 3 can be parsed"):
        text_of("<p>a<p>b<p>c<p>d")


PARTS = """
<div> </div> < > <!-- <p a=' " & &#0; &#xD800; <svg> </svg> <table> <td> <meta\tname=robots\tcontent= noai <template>
<script\ttype='application/ld+json'> {"author": </script> © <a\trel=license\thref= <![CDATA[ </body> <title> <select>
<frameset> itemprop=author
"""
hostile = st.sampled_from([part.replace("\t", " ") for part in PARTS.split(" ")]) | st.text(max_size=3)


@settings(deadline=None, max_examples=300)
@given(st.lists(hostile, max_size=30).map("".join), st.booleans())
def test_any_html_is_a_page(html: str, main_content: bool) -> None:
    """Unclosed tags and odd characters are no errors, and what comes out can be written as UTF-8."""
    page = read_html(html.encode("utf-8", "replace").decode(), main_content=main_content)
    page.text.encode()
    assert "\0" not in page.text
    for signal in page.signals or ():
        "".join(part or "" for part in signal).encode()


# Real pages


@with_data
def test_real_pages_say_what_was_read_in_them() -> None:
    """All signals of a crawl of Wikipedia and of fifty records of Common Crawl, checked by reading the pages."""
    found = {}
    for name in ("cc-whirlwind/whirlwind.warc.gz", "resiliparse/warcfile.warc.gz"):
        with (WARC / name).open("rb") as stream:
            for batch in read_warc(stream, name, Tally()):
                for url, signals in zip(batch["url"].to_pylist(), batch["page_signals"].to_pylist(), strict=True):
                    found[url] = [tuple(signal.values()) for signal in signals]
    webmaster = [
        ("author", "Markus Zimmerli, Movetec GmbH", None, "meta:author"),
        ("copyright", "Movetec GmbH, Markus Zimmerli", None, "meta:copyright"),
        ("publisher", "Movetec.ch, Webdesign, Hosting und Domainregistrationen", None, "meta:publisher"),
    ]
    assert {url: signals for url, signals in found.items() if signals} == {
        "https://an.wikipedia.org/wiki/Escopete": [
            ("licence", "https://creativecommons.org/licenses/by-sa/4.0/deed.an", None, "link:license"),
            ("licence", "https://creativecommons.org/licenses/by-sa/4.0/", None, "link:creativecommons"),
            ("author", "Colaboradores de los proyectos Wikimedia", None, "json-ld:author"),
            ("publisher", "Wikimedia Foundation, Inc.", None, "json-ld:publisher"),
        ],
        "http://035.psb556.com/24/i/u_1090813/article.html": [("noindex", None, None, "meta:robots")],
        "http://06.live-radsport.ch/fahrerstatistik_801/Anthony_Ravard.html": webmaster,
        "http://06.live-radsport.ch/tippspiel/stats_140_petzi.html": webmaster,
    }
    assert len(found) == 17


@with_data
def test_real_pages_keep_their_notices() -> None:
    """What finding the main content loses of the same records, by reading them: one line each of nine pages."""
    lost = []
    for name in ("cc-whirlwind/whirlwind.warc.gz", "resiliparse/warcfile.warc.gz"):
        data = (WARC / name).read_bytes()
        kept = texts_of(data)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(html_pages, "may_hold_notice", lambda html: False)
            main = texts_of(data)
        assert all(longer.startswith(text) for longer, text in zip(kept, main, strict=True))
        lost += [longer[len(text) :] for longer, text in zip(kept, main, strict=True) if longer != text]
    assert [line.count("\n") for line in lost] == [2] * 9
    holders = [
        "Creative Commons",
        "【婢】",
        "© 2020 П",
        "BONDTEK",
        "© 2012-2019",
        "2017-2027",
        "2017-2023",
        "一览",
        "Allfree BV",
    ]
    assert [holder in line for holder, line in zip(holders, lost, strict=True)] == [True] * 9


def texts_of(data: bytes) -> list[str]:
    """The texts of a WARC file."""
    return [text for batch in read_warc(io.BytesIO(data), "a", Tally()) for text in batch["text"].to_pylist()]
