"""Matching selectors: every document that a request names, by all kinds of selectors, as a slow reading finds it."""

import pickle
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from configs.takedown import SELECTORS, Selectors
from schemas.columns import DIGEST
from tests.tables import Row, digest_of, hex_of, measured
from transforms.takedowns.match_selectors import NEEDED, NONE, Asked, SelectorIndex
from transforms.urls import normal_urls, url_columns

DOMAINS = ("a.example", "b.a.example", "c.b.a.example", "ba.example", "192.0.2.1", "[2001:db8::1]")
HOSTS = (*DOMAINS, "www.a.example", "xa.example", "d.c.b.a.example", "1.192.example")
URLS = tuple(f"https://{host}/{page}" for host in ("a.example", "b.a.example") for page in ("", "x", "X", "x?q=1"))
WRITTEN = {"9780134685991": ("978-0-13-468599-1", "0134685997"), "9780306406157": ("9780306406157", "0-306-40615-2")}
TEXTS = tuple(range(100, 103))


class Document(NamedTuple):
    """What selectors can see of a document, by numbers where there are digests."""

    doc_id: int
    url: str | None
    host: str | None
    text: int | None
    isbns: tuple[str, ...]


DOCUMENTS = st.lists(
    st.builds(
        Document,
        st.integers(1, 6),
        st.none() | st.sampled_from(URLS),
        st.none() | st.sampled_from(HOSTS),
        st.none() | st.sampled_from(TEXTS),
        st.lists(st.sampled_from(list(WRITTEN)), max_size=3).map(tuple),
    ),
    max_size=8,
)


def some(values: tuple[Any, ...]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(st.sampled_from(values), max_size=3, unique=True).map(tuple)


@st.composite
def requests(draw: st.DrawFn) -> tuple[Asked, ...]:
    """Takedowns with a selector each at least; texts are named by their numbers."""
    found = []
    for number in range(draw(st.integers(0, 4))):
        selected = {
            "urls": draw(some(tuple(url.upper().replace("HTTPS", "http") for url in URLS[:2]) + URLS)),
            "domains": draw(some(DOMAINS)),
            "isbns": draw(some(tuple(form for forms in WRITTEN.values() for form in forms))),
            "doc_ids": draw(some(tuple(hex_of(n) for n in range(1, 6)))),
        }
        texts = draw(some(TEXTS))
        if not texts and not any(selected.values()):
            selected["domains"] = ("a.example",)
        selectors = Selectors.model_construct(**{**dict.fromkeys(SELECTORS, ()), **selected})
        digests = pa.array([digest_of(text) for text in texts], DIGEST)
        limit = draw(st.sampled_from([None, 0.5, 0.7]))
        names = tuple(f"text {text}" for text in texts)
        found.append(Asked(f"{number:016x}", f"{number:064x}", selectors, limit, digests, names))
    return tuple(found)


def table_of(documents: list[Document]) -> pa.Table:
    """Measured rows, with the columns that are asked for."""

    def row(document: Document) -> Row:
        isbns = [{"value": isbn, "source": "text", "start": None, "end": None} for isbn in document.isbns]
        text = None if document.text is None else digest_of(document.text)
        ids = {"doc_id": digest_of(document.doc_id), "text_digest": text}
        return {**ids, "url_host_name": document.host, "isbns": isbns}

    table = measured([row(document) for document in documents])
    at = table.schema.get_field_index("url_digest")
    urls = url_columns(pa.array([document.url for document in documents], pa.string()))["url_digest"]
    return table.set_column(at, table.schema.field(at), urls).select(NEEDED)


def fits(kind: str, selector: str, document: Document) -> bool:
    """Whether a selector names a document, as its kind is documented."""
    match kind:
        case "urls":
            normal = normal_urls(pa.array([selector, document.url], pa.string())).to_pylist()
            return document.url is not None and normal[0] == normal[1]
        case "domains":
            host = document.host or ""
            return host == selector or host.endswith(f".{selector}")
        case "isbns":
            return any(selector in WRITTEN[isbn] for isbn in document.isbns)
        case "doc_ids":
            return selector == hex_of(document.doc_id)
        case _:
            return selector == f"text {document.text}"


def slow_marks(documents: list[Document], asked: tuple[Asked, ...]) -> list[tuple[int, str, str, str]]:
    """Row, takedown, kind and selector: of each document and takedown the first that fits."""
    found = []
    for row, document in enumerate(documents):
        for one in asked:
            written = {kind: getattr(one.selectors, kind) for kind in SELECTORS} | {"texts": one.text_names}
            named = [(k, s) for k in SELECTORS for s in sorted(written[k]) if fits(k, s, document)]
            found += [(row, one.id, *named[0])] if named else []
    return found


@settings(deadline=None, max_examples=150)
@given(DOCUMENTS, requests())
def test_marks_agree_with_the_slow_reading(documents: list[Document], asked: tuple[Asked, ...]) -> None:
    """Row by row, takedown by takedown; and the takedown whose copies go is the one that asks for least similarity."""
    marks, spreading = SelectorIndex.build(asked).mark(table_of(documents))
    rows = marks.table().to_pylist()
    expected = slow_marks(documents, asked)
    assert [(m["row"], m["list"], m["category"], m["matched"]) for m in rows] == expected
    assert {(m["rule"], m["action"], m["list_sha256"][-16:] == m["list"]) for m in rows} <= {("takedown", "drop", True)}
    limits = {one.id: (one.limit, number) for number, one in enumerate(asked) if one.limit is not None}
    for row in range(len(documents)):
        mine = [limits[takedown] for at, takedown, *_ in expected if at == row and takedown in limits]
        assert spreading[row] == (min(mine)[1] if mine else NONE)


@settings(deadline=None, max_examples=30)
@given(DOCUMENTS, requests(), st.randoms(use_true_random=False))
def test_order_of_selectors_in_a_request_means_nothing(
    documents: list[Document], asked: tuple[Asked, ...], random: Any
) -> None:
    """Their order is no part of what a takedown is known by, so it must not be seen in the ledger."""

    def shuffled(values: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(random.sample(values, len(values)))

    kinds = [kind for kind in SELECTORS if kind != "texts"]
    other = []
    for one in asked:
        selected = {kind: shuffled(getattr(one.selectors, kind)) for kind in kinds}
        selectors = one.selectors.model_copy(update=selected)
        other.append(Asked(one.id, one.sha256, selectors, one.limit, one.text_digests, one.text_names))
    table = table_of(documents)
    first, second = (SelectorIndex.build(requests).mark(table) for requests in (asked, other))
    assert first[0].table().equals(second[0].table())
    assert np.array_equal(first[1], second[1])


def test_without_takedowns_nothing_is_marked() -> None:
    """And nothing is looked at: the columns need not even be there."""
    marks, spreading = SelectorIndex.build(()).mark(pa.table({"doc_id": pa.nulls(2, DIGEST)}))
    assert len(marks.table()) == 0
    assert spreading.tolist() == [NONE, NONE]


@pytest.mark.parametrize("page", ["x' OR '1'='1", "%", "*", ".*", "?*"])
def test_signs_of_query_languages_are_data(page: str) -> None:
    """They name the page of that very name, and none beside it."""
    url = f"https://a.example/{page}"
    index = SelectorIndex.build([Asked("a" * 16, "a" * 64, Selectors(urls=(url,)), None)])
    documents = [Document(1, address, "a.example", None, ()) for address in ("https://a.example/x", url)]
    assert index.mark(table_of(documents))[0].rows.tolist() == [1]


def test_index_comes_back_from_a_pickle() -> None:
    """It goes to workers that way."""
    index = SelectorIndex.build([Asked("a" * 16, "a" * 64, Selectors(domains=("a.example",)), 0.7)])
    table = table_of([Document(1, None, "www.a.example", None, ())])
    marks, spreading = pickle.loads(pickle.dumps(index)).mark(table)
    assert marks.table().equals(index.mark(table)[0].table())
    assert spreading.tolist() == [0]
