"""JSON-LD: what a block says of the page, and that no block is an error."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.measure.readers import json_ld
from transforms.measure.readers.json_ld import json_ld_signals

Said = tuple[str, str | None, str]


def said(block: Any) -> list[Said]:
    """Kind, value and key of each signal of a block."""
    found = list(json_ld_signals(json.dumps(block)))
    assert all(signal.agent is None and signal.source.startswith("json-ld:") for signal in found)
    return [(signal.kind, signal.value, signal.source.removeprefix("json-ld:")) for signal in found]


@pytest.mark.parametrize(
    ("thing", "expected"),
    [
        ({"license": "https://a.org/by"}, [("licence", "https://a.org/by", "license")]),
        ({"license": {"name": "By", "url": "https://a.org/by"}}, [("licence", "https://a.org/by", "license")]),
        ({"license": {"@id": "https://a.org/by"}}, [("licence", "https://a.org/by", "license")]),
        ({"license": ["a", {"name": "b"}]}, [("licence", "a", "license"), ("licence", "b", "license")]),
        ({"author": "Jane"}, [("author", "Jane", "author")]),
        ({"author": {"@type": "Person", "name": "Jane"}}, [("author", "Jane", "author")]),
        (
            {"author": [{"name": "Jane"}, "Joe", {"name": " "}]},
            [("author", "Jane", "author"), ("author", "Joe", "author")],
        ),
        ({"author": {"@id": "#jane"}}, []),
        ({"author": "https://example.com/jane"}, []),
        ({"publisher": {"name": "Foo", "logo": {"license": "x"}}}, [("publisher", "Foo", "publisher")]),
        ({"isbn": 9780306406157}, [("isbn", "9780306406157", "isbn")]),
        ({"isbn": ["1", "2"]}, [("isbn", "1", "isbn"), ("isbn", "2", "isbn")]),
        ({"copyrightNotice": " © Foo\n"}, [("copyright", "© Foo", "copyrightNotice")]),
        ({"copyrightHolder": {"name": "Foo"}}, [("copyright", "© Foo", "copyrightHolder")]),
        ({"copyrightYear": 2020}, [("copyright", "© 2020", "copyrightYear")]),
        ({"copyrightYear": "2020", "copyrightHolder": "Foo"}, [("copyright", "© 2020 Foo", "copyrightHolder")]),
        (
            {"copyrightHolder": ["Foo", {"name": "Bar"}], "copyrightYear": 2020},
            [("copyright", "© 2020 Foo", "copyrightHolder"), ("copyright", "© 2020 Bar", "copyrightHolder")],
        ),
        ({"copyrightHolder": "", "copyrightYear": None}, []),
        ({"author": True, "isbn": 1.5, "license": None, "publisher": {}}, []),
        ({"name": "x", "headline": "license"}, []),
    ],
)
def test_things_are_read_by_the_names_of_schema_org(thing: dict[str, Any], expected: list[Said]) -> None:
    """Texts, numbers, objects with a name or an address, and lists of them."""
    assert said(thing) == expected
    assert said([thing]) == expected
    assert said({"@context": "https://schema.org", "@graph": [thing]}) == expected
    assert said({"@type": "WebPage", "mainEntity": {"@type": "Book", "workExample": [thing]}}) == expected


def test_name_that_stands_elsewhere_in_the_block_is_looked_up() -> None:
    """As the plugins of blogs write it: the article points to the organisation by its `@id`."""
    organisation = {"@type": "Organization", "@id": "https://a.org/#org", "name": "Foo"}
    article = {"@type": "Article", "publisher": {"@id": "https://a.org/#org"}, "author": {"@id": "https://a.org/#jane"}}
    assert said({"@graph": [article, organisation]}) == [("publisher", "Foo", "publisher")]


@pytest.mark.parametrize("type_", ["ImageObject", "schema:VideoObject", ["Thing", "AudioObject"], "Comment", "Review"])
def test_parts_of_a_page_do_not_speak_for_it(type_: Any) -> None:
    """The licence of a picture is not that of the text, and who comments did not write it."""
    part = {"@type": type_, "license": "https://a.org/by", "author": "Jane"}
    assert said({"@graph": [part, {"@type": "Article", "author": "Joe"}]}) == [("author", "Joe", "author")]
    assert said({"@type": "Article", "author": "Joe", "image": part, "comment": [part]}) == [
        ("author", "Joe", "author")
    ]


def test_signals_stand_in_the_order_of_the_block() -> None:
    """Things as they are listed, keys as they are written."""
    assert said([{"license": "b", "author": "a"}, {"author": "c"}]) == [
        ("licence", "b", "license"),
        ("author", "a", "author"),
        ("author", "c", "author"),
    ]


@pytest.mark.parametrize(
    "block",
    [
        "",
        "x",
        "null",
        "3",
        '"license"',
        "{'license': 'x'}",
        '{"license": "x"',
        '<!-- {"license": "x"} -->',
        "[" * 100_000,
        '{"@graph":' * 100_000,
        "1" * 5000,
        '{"@graph": [[[]], 1, null, "x", {"@graph": 1}]}',
        '{"license": {"url": {"url": "x"}}}',
        '{"author": {"@id": ["x"]}, "@id": {}}',
        '{"license": NaN}',
    ],
)
def test_block_that_cannot_be_used_says_nothing(block: str) -> None:
    """Broken JSON, other JSON, and nesting without end are no errors."""
    assert list(json_ld_signals(block)) == []


def test_odd_characters_do_not_break_a_block() -> None:
    """Raw line breaks in strings are common, and half a character can be escaped."""
    (signal,) = json_ld_signals('{"author": "Jane\nDoe \\ud800\\u0000"}')
    assert signal.value == "Jane Doe ?"


def test_long_and_deep_blocks_are_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bounds hold exactly."""
    block = '{"author": "Jane"}'
    monkeypatch.setattr(json_ld, "MAX_JSON", len(block))
    assert len(list(json_ld_signals(block))) == 1
    assert list(json_ld_signals(block + " ")) == []
    assert said("x") == []


links = ["@graph", "@id", "@type", "name", "url", "mainEntity", "workExample"]
rights = ["license", "author", "publisher", "isbn", "copyrightHolder", "copyrightYear", "copyrightNotice"]
keys = st.sampled_from(links + rights)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=12,
)


@settings(deadline=None)
@given(values)
def test_any_json_gives_words_or_nothing(block: Any) -> None:
    """Whatever stands where a name is expected."""
    for signal in json_ld_signals(json.dumps(block)):
        assert signal.value
        assert signal.kind in ("licence", "author", "publisher", "isbn", "copyright")


def test_name_is_not_lost_to_a_reference_that_has_none() -> None:
    """A thing may be pointed to by its `@id` after it was described."""
    graph = [
        {"@id": "#p", "@type": "Person", "name": "Jane"},
        {"@type": "Article", "author": {"@id": "#p"}},
        {"@type": "ProfilePage", "mainEntity": {"@id": "#p"}},
    ]
    assert [(one.kind, one.value) for one in json_ld_signals(json.dumps({"@graph": graph}))] == [("author", "Jane")]
