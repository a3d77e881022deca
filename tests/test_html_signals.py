"""HTML: what `<meta>`, links, microdata and JSON-LD of a page say of its rights, in the order of the page."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from resiliparse.parse.html import HTMLTree

from transforms.measure.readers import html_signals as module
from transforms.measure.readers.html_signals import html_signals

Said = tuple[str, str | None, str | None, str]


def said(html: str) -> list[Said]:
    """Kind, value, agent and source of each signal of a page."""
    return [tuple(signal) for signal in html_signals(HTMLTree.parse(html))]


def meta(kind: str, value: str, name: str) -> Said:
    """A signal of a `<meta>`."""
    return kind, value, None, f"meta:{name}"


CC = "https://creativecommons.org/licenses/by/4.0/"
META = [
    ('<meta name="tdm-reservation" content="1">', meta("tdm-reservation", "1", "tdm-reservation")),
    ('<META NAME="TDM-Policy" CONTENT=" https://a.org/p ">', meta("tdm-policy", "https://a.org/p", "tdm-policy")),
    ('<meta name="robots" content="noai">', ("noai", None, None, "meta:robots")),
    ('<meta http-equiv="X-Robots-Tag" content="noimageai">', ("noimageai", None, None, "meta:x-robots-tag")),
    ('<meta name="GoogleBot" content="noindex">', ("noindex", None, "googlebot", "meta:googlebot")),
    ('<meta name="GPTBot" content="none">', ("noindex", "none", "gptbot", "meta:gptbot")),
    ('<meta name="google-extended" content="noai">', ("noai", None, "google-extended", "meta:google-extended")),
    ('<meta name="Bytespider" content="noai">', ("noai", None, "bytespider", "meta:bytespider")),
    ('<meta name="copyright" content="&copy; 2020 Foo">', meta("copyright", "© 2020 Foo", "copyright")),
    ('<meta name="DC.Rights" content="Foo">', meta("copyright", "Foo", "dc.rights")),
    (f'<meta name="DC.Rights" content="{CC}">', meta("licence", CC, "dc.rights")),
    ('<meta property="dcterms:rights" content="Foo">', meta("copyright", "Foo", "dcterms:rights")),
    ('<meta name="dc.rights.license" content="CC BY">', meta("licence", "CC BY", "dc.rights.license")),
    ('<meta name="author" content="Jane\n Doe">', meta("author", "Jane Doe", "author")),
    ('<meta property="article:author" content="Jane">', meta("author", "Jane", "article:author")),
    ('<meta name="citation_author" content="Doe, J.">', meta("author", "Doe, J.", "citation_author")),
    ('<meta name="dcterms.creator" content="Jane">', meta("author", "Jane", "dcterms.creator")),
    ('<meta name="citation_publisher" content="Foo">', meta("publisher", "Foo", "citation_publisher")),
    ('<meta property="article:publisher" content="Foo">', meta("publisher", "Foo", "article:publisher")),
    ('<meta name="citation_isbn" content="978-0-306-40615-7">', meta("isbn", "978-0-306-40615-7", "citation_isbn")),
    ('<meta property="books:isbn" content="0306406152">', meta("isbn", "0306406152", "books:isbn")),
    ('<meta name="citation_doi" content="10.1000/182">', meta("doi", "10.1000/182", "citation_doi")),
    ('<meta name="prism.issn" content="0317-8471">', meta("issn", "0317-8471", "prism.issn")),
    ('<meta name="DC.Identifier" content="doi:10.1000/182">', meta("doi", "doi:10.1000/182", "dc.identifier")),
    ('<meta name="DC.Identifier" content="10.1000/182">', meta("doi", "10.1000/182", "dc.identifier")),
    (
        '<meta name="dc.identifier" content="https://doi.org/10.1000/182">',
        meta("doi", "https://doi.org/10.1000/182", "dc.identifier"),
    ),
    (
        '<meta name="dcterms.identifier" content="urn:ISBN:0306406152">',
        meta("isbn", "urn:ISBN:0306406152", "dcterms.identifier"),
    ),
    ('<meta name="dc.identifier" content="ISSN 0317-8471">', meta("issn", "ISSN 0317-8471", "dc.identifier")),
    ('<meta itemprop="isbn" content="0306406152">', meta("isbn", "0306406152", "isbn")),
]
LINKS = [
    ('<link rel="license" href="/by">', ("licence", "/by", None, "link:license")),
    (f'<a rel="external LICENSE" href="{CC}">x</a>', ("licence", CC, None, "link:license")),
    (f'<a href="{CC}">x</a>', ("licence", CC, None, "link:creativecommons")),
    (
        '<a href="//www.CreativeCommons.org/publicdomain/zero/1.0/">x</a>',
        ("licence", "//www.CreativeCommons.org/publicdomain/zero/1.0/", None, "link:creativecommons"),
    ),
]
ITEMS = [
    ('<span itemprop="isbn">0306406152</span>', meta("isbn", "0306406152", "isbn")),
    ('<p itemprop="name author">Jane <b>Doe</b></p>', meta("author", "Jane Doe", "author")),
    (
        '<p itemprop="author" itemscope itemtype="https://schema.org/Person">By <i itemprop="name">Jane</i></p>',
        meta("author", "Jane", "author"),
    ),
    (
        '<p itemprop="publisher" itemscope><meta itemprop="name" content="Foo"></p>',
        meta("publisher", "Foo", "publisher"),
    ),
    ('<a itemprop="license" href="/by">x</a>', meta("licence", "/by", "license")),
    ('<span itemprop="license">CC BY</span>', meta("licence", "CC BY", "license")),
    ('<span itemprop="copyrightHolder">Foo</span>', meta("copyright", "© Foo", "copyrightholder")),
    ('<span itemprop="copyrightYear">2020</span>', meta("copyright", "© 2020", "copyrightyear")),
]
BLOCKS = [
    (
        '<script type="application/ld+json">{"author": "Jane"}</script>',
        ("author", "Jane", None, "json-ld:author"),
    ),
    (
        '<SCRIPT TYPE="application/LD+JSON; charset=utf-8">{"license": "/by"}</SCRIPT>',
        ("licence", "/by", None, "json-ld:license"),
    ),
]
ELEMENTS = [*META, *LINKS, *ITEMS, *BLOCKS]


@pytest.mark.parametrize(("element", "signal"), ELEMENTS)
def test_element_says_one_thing(element: str, signal: Said) -> None:
    """Wherever it stands: in the head, in the body, in `<noscript>`, alone."""
    assert said(element) == [signal]
    assert said(f"<html><head>{element}</head><body></body></html>") == [signal]
    assert said(f"<body><div><footer>{element}</footer></div>") == [signal]
    assert said(f"<body><noscript>{element}</noscript>") == [signal]


@pytest.mark.parametrize(
    "element",
    [
        '<meta name="robots" content="index, follow, max-snippet: 20">',
        '<meta name="robots">',
        '<meta content="noai">',
        '<meta name="author" content="">',
        '<meta name="author" content="https://example.com/jane">',
        '<meta property="article:author" content="https://example.com/jane">',
        '<meta property="article:publisher" content="https://example.com/">',
        '<meta property="og:site_name" content="Foo">',
        '<meta name="dc.identifier" content="https://example.com/1">',
        '<meta name="robotsx" content="noai">',
        '<a rel="licensee" href="/by">x</a>',
        '<a rel="license">x</a>',
        '<a href="https://creativecommons.org/about/">x</a>',
        '<link rel="alternate" href="https://example.com/license">',
        '<p itemprop="name">Jane</p>',
        '<p itemprop="author"><img src="x"></p>',
        '<script type="application/json">{"author": "Jane"}</script>',
        '<script type="application/ld+json">{"author": </script>',
        '<!-- <meta name="robots" content="noai"> -->',
        '<template><meta name="robots" content="noai"></template>',
        "<script>'<meta name=robots content=noai>'</script>",
        '<textarea><meta name="robots" content="noai"></textarea>',
    ],
)
def test_element_says_nothing(element: str) -> None:
    """Other directives, names that are addresses, and what is no element of the page."""
    assert said(element) == []


@pytest.mark.parametrize("type_", ["https://schema.org/ImageObject", "http://schema.org/Comment", "schema:Review"])
def test_parts_of_a_page_do_not_speak_for_it(type_: str) -> None:
    """Who comments did not write the page; what lies further out, or inside of the part, is judged by itself."""
    part = f'<div itemscope itemtype="{type_}"><b itemprop="author">Joe</b><a itemprop="license" href="/x">x</a></div>'
    page = f'<div itemscope itemtype="https://schema.org/Article"><b itemprop="author">Jane</b>{part}</div>'
    assert said(page) == [meta("author", "Jane", "author")]


def test_one_element_may_say_several_things() -> None:
    """By its different attributes."""
    element = '<meta name="author" property="article:author dc:creator" itemprop="publisher" content="Jane">'
    assert [(kind, source) for kind, _, _, source in said(element)] == [
        ("author", "meta:author"),
        ("author", "meta:article:author"),
        ("author", "meta:dc:creator"),
        ("publisher", "meta:publisher"),
    ]


@settings(deadline=None)
@given(st.lists(st.sampled_from(ELEMENTS), max_size=12), st.sampled_from(["", "<p>text</p>", "<div>", "</body>"]))
def test_signals_stand_in_the_order_of_the_page(elements: list[tuple[str, Said]], between: str) -> None:
    """Whatever kinds are mixed, those of the parser's tree come one after the other."""
    assert said(f"<body>{between.join(element for element, _ in elements)}") == [signal for _, signal in elements]


def test_elements_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of those that may say something the first are read."""
    monkeypatch.setattr(module, "MAX_ELEMENTS", 2)
    assert len(said('<meta name="author" content="Jane">' * 3)) == 2


@pytest.mark.parametrize(
    "html",
    [
        '<meta name="author" content="x">' * 20_000,
        '<div itemprop="author">' * 20_000 + "x",
        '<div itemscope itemprop="author name">' * 10_000 + "x" * 1_000_000,
        '<meta name="' + "a " * 1_000_000 + '" content="x">',
        '<meta name="author" content="' + "x " * 1_000_000 + '">',
        '<a rel="license" href="' + "x" * 2_000_000 + '">',
        '<script type="application/ld+json">' + "[" * 500_000 + "</script>",
        '<script type="application/ld+json">{}</script>' * 20_000,
        "<div>" * 100_000 + '<b itemprop="author">x</b>' * 10_000,
    ],
)
def test_hostile_page_takes_time_in_step_with_its_size(html: str) -> None:
    """Neither many elements, nor deep ones, nor long attributes are read again and again."""
    start = time.process_time()
    assert all(len(signal[1] or "") <= 1000 for signal in said(html))
    assert time.process_time() - start < 5
