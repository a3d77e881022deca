"""The columns of rights signals, of texts and pages together."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.columns import RIGHTS
from schemas.signals import RESERVATIONS
from schemas.structs import PAGE_SIGNAL
from tests.rights_data import rights, signal
from transforms.measure.rights.find_rights import find_rights
from transforms.measure.rights.nested import flatten, nest

SIGNALS = pa.list_(PAGE_SIGNAL)
TEXT = (
    "Foo © 2019. All rights reserved. ISBN 0-13-110362-8, ISSN 2049-3630, doi:10.1000/xyz1, arXiv:2101.00001. CC BY 4.0"
)


def test_columns_are_those_of_the_schema() -> None:
    """All of them, in their order, with their types, and valid to the last child."""
    columns = find_rights(pa.array([TEXT, None, ""]), pa.array([[], None, None], SIGNALS))
    assert list(columns) == [column.name for column in RIGHTS]
    for column in RIGHTS:
        assert columns[column.name].type == column.type
        columns[column.name].validate(full=True)
        assert column.nullable or columns[column.name].null_count == 0


def test_text_says_everything_at_once() -> None:
    """Each signal in its column, with its place in bytes of the text."""
    columns = rights(TEXT)
    values = {name: [finding["value"] for finding in rows[0]] for name, rows in list(columns.items())[1:7]}
    assert values == {
        "rights_reserved": ["en"],
        "isbns": ["9780131103627"],
        "issns": ["2049-3630"],
        "dois": ["10.1000/xyz1"],
        "arxiv_ids": ["2101.00001"],
        "licences": ["CC-BY-4.0"],
    }
    assert columns["copyright_notices"][0] == [
        {"statement": "Foo © 2019", "years": [2019], "holder": "Foo", "source": "text", "start": 0, "end": 11}
    ]
    raw = TEXT.encode()
    findings = [finding for rows in list(columns.values())[1:7] for finding in rows[0]]
    assert {finding["source"] for finding in findings} == {"text"}
    assert [raw[finding["start"] : finding["end"]].decode() for finding in findings] == [
        "All rights reserved",
        "0-13-110362-8",
        "2049-3630",
        "10.1000/xyz1",
        "2101.00001",
        "CC BY 4.0",
    ]


def test_row_without_text_says_nothing() -> None:
    """Null and empty texts have empty lists, and null where the page is silent."""
    columns = rights(None, "", "x")
    for column in RIGHTS:
        assert columns[column.name] == [None if column.nullable else []] * 3


NOTICE_SIGNALS: list[tuple[str, dict[str, Any]]] = [
    ("© 2020 Foo Inc.", {"statement": "© 2020 Foo Inc.", "years": [2020], "holder": "Foo Inc."}),
    ("Foo Inc., all we say", {"statement": "Foo Inc., all we say", "years": [], "holder": None}),
    ("Site of Foo. © 2020 Foo | Home", {"statement": "© 2020 Foo", "years": [2020], "holder": "Foo"}),
    ("© ", {"statement": "© ", "years": [], "holder": None}),
]


@pytest.mark.parametrize(("value", "expected"), NOTICE_SIGNALS)
def test_notice_of_a_page_is_read_like_one_of_the_text(value: str, expected: dict[str, Any]) -> None:
    """What has no form of a notice is a statement all the same: the page calls it one."""
    columns = rights("x", signals=[[signal("copyright", value, "meta:copyright")]])
    assert columns["copyright_notices"] == [[expected | {"source": "meta:copyright", "start": None, "end": None}]]


def test_page_stands_behind_the_text_in_its_own_order() -> None:
    """Read and unread notices of a page keep the order of its signals."""
    page = [signal("copyright", value) for value in ("first", "© 2001 Second", "third")]
    columns = rights("© 2019 Foo", "y", signals=[page, page[:1]])
    assert [[n["statement"] for n in row] for row in columns["copyright_notices"]] == [
        ["© 2019 Foo", "first", "© 2001 Second", "third"],
        ["first"],
    ]


@pytest.mark.parametrize(
    ("kind", "value", "column", "expected"),
    [
        ("isbn", "0-13-110362-8", "isbns", ["9780131103627"]),
        ("isbn", "0-13-110362-9", "isbns", []),
        ("issn", "2049-3630", "issns", ["2049-3630"]),
        ("issn", "2049-3631", "issns", []),
        ("doi", "https://doi.org/10.1000/ABC", "dois", ["10.1000/abc"]),
        ("doi", "none", "dois", []),
        ("licence", "https://creativecommons.org/licenses/by/4.0/", "licences", ["CC-BY-4.0"]),
        ("licence", "Our own terms", "licences", ["Our own terms"]),
    ],
)
def test_page_declares_numbers_and_licences(kind: str, value: str, column: str, expected: list[str]) -> None:
    """In normal form; wrong numbers are left out, and unknown licences keep their words."""
    found = rights("x", signals=[[signal(kind, value, "meta:dc.x")]])[column][0]
    assert found == [{"value": word, "source": "meta:dc.x", "start": None, "end": None} for word in expected]


def test_reservations_are_kept_word_for_word() -> None:
    """With their agent and source; other signals are none."""
    page = [signal(kind, "1", "http:x", "bot") for kind in RESERVATIONS] + [signal("author", "Jane")]
    expected = [{"signal": kind, "value": "1", "agent": "bot", "source": "http:x"} for kind in RESERVATIONS]
    assert rights("x", "y", "z", signals=[page, [], None])["reservations"] == [expected, [], None]


def test_authors_and_publishers_are_null_where_there_is_none() -> None:
    """Names in the order of the page; signals without a value name nobody."""
    page = [signal("author", "Jane"), signal("publisher", "Foo"), signal("author", "Al"), signal("author", None)]
    columns = rights("x", "y", "z", signals=[page, [signal("author", None)], None])
    assert (columns["page_authors"], columns["page_publishers"]) == (
        [["Jane", "Al"], None, None],
        [["Foo"], None, None],
    )


def test_slice_is_read_like_a_copy() -> None:
    """Offsets of texts and signals that do not begin at 0."""
    texts = pa.array(["© 2001 A", TEXT, None, "© 2002 B"], pa.large_string())
    page = pa.array([[signal("author", "A")], [signal("isbn", "0131103628")], None, [signal("noai")]], SIGNALS)
    whole, part = find_rights(texts, page), find_rights(texts[1:], page[1:])
    assert all(part[name].to_pylist() == column[1:].to_pylist() for name, column in whole.items())


def test_batch_without_rows_has_empty_columns() -> None:
    """Of the right types."""
    columns = find_rights(pa.array([], pa.string()), pa.array([], SIGNALS))
    assert [(len(columns[c.name]), columns[c.name].type) for c in RIGHTS] == [(0, c.type) for c in RIGHTS]


def test_threads_find_the_same() -> None:
    """Nothing is shared that changes."""
    texts, page = pa.array([TEXT] * 20), pa.array([[signal("isbn", "0131103628")]] * 20, SIGNALS)
    expected = find_rights(texts, page)
    with ThreadPoolExecutor(4) as pool:
        for columns in pool.map(lambda _: find_rights(texts, page), range(8)):
            assert all(columns[name].equals(column) for name, column in expected.items())


VALUES = st.one_of(st.none(), st.text(max_size=8), st.sampled_from(["© 2001 Foo", "0131103628", "CC BY 4.0"]))
KINDS = st.sampled_from(["copyright", "licence", "isbn", "issn", "doi", "author", "publisher", "noai", "unheard of"])
ROWS = st.lists(st.one_of(st.none(), st.lists(st.builds(signal, KINDS, VALUES), max_size=3)), max_size=4)


@settings(deadline=None, max_examples=25)
@given(ROWS)
def test_any_signals_are_taken(rows: list[list[dict[str, str | None]] | None]) -> None:
    """Nothing is raised, lengths agree, and rows do not know each other."""
    texts = ["© 2019 Foo"] * len(rows)
    together = rights(*texts, signals=rows)
    for number, row in enumerate(rows):
        alone = rights("© 2019 Foo", signals=[row])
        assert {name: column[number] for name, column in together.items()} == {n: c[0] for n, c in alone.items()}


def test_flat_signals_know_their_rows() -> None:
    """Null and empty lists have none."""
    flat = flatten(pa.array([None, [signal("a", "1"), signal("b", "2")], [], [signal("a", "3")]], SIGNALS)[1:])
    assert (flat.rows.tolist(), flat.of("a").values.to_pylist()) == ([0, 0, 2], ["1", "3"])
    assert flat.of().rows.size == 0


def test_nested_null_beats_values() -> None:
    """A row that is said to be null is null."""
    rows, values = flatten(pa.array([[signal("a")], None], SIGNALS)).rows, pa.array(["x"])
    assert nest([(rows, values)], 2, null=pa.array([False, True]).to_numpy(zero_copy_only=False)).to_pylist() == [
        ["x"],
        None,
    ]
