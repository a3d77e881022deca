"""Lookup: every selector against a slow oracle over all rows of the ledger, and what an answer says."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lineage.catalog import PLACES, Dataset, open_dataset
from lineage.lookups.look_up import COLUMNS, answer_schema, lookup
from lineage.lookups.queries import SELECTORS
from schemas.errors import UsageError
from tests.jobs import table
from tests.lookup_data import ARTICLE, BOOK, DOI, ISBN, NEAR, URLS, WARC_ID, Row, Rows, curate, documents, normal, text

USABLE = [url for url in URLS if normal(url) is not None]
NORMAL = sorted({normal(url) or "" for url in USABLE})


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made once; nothing in it is changed."""
    return curate(tmp_path_factory.mktemp("lookups"), documents())


@pytest.fixture(scope="module")
def rows(place: Path) -> Rows:
    """The ledger, in its order."""
    return Rows(table(place, "ledger"))


@pytest.fixture(scope="module")
def dataset(place: Path) -> Dataset:
    return open_dataset(str(place))


def found(dataset: Dataset, **selectors: Any) -> list[list[str]]:
    """`doc_id`s by query, in the order of the answer."""
    answer = lookup(dataset, **selectors).to_pylist()
    by_query: list[list[str]] = [[] for _ in range(1 + max(row["query"] for row in answer))]
    for row in answer:
        assert row["found"] == (row["doc_id"] is not None)
        by_query[row["query"]] += [row["doc_id"]] if row["found"] else []
    return by_query


def where(rows: list[Row], holds: Callable[[Row], object]) -> list[str]:
    """`doc_id`s of the rows of which something holds, in the order of the ledger."""
    return [row["doc_id"] for row in rows if holds(row)]


def ids(rows: list[Row], *names: str) -> list[str]:
    return where(rows, lambda row: row["record_id"] in names)


def test_url_finds_all_pages_with_its_normal_form(dataset: Dataset, rows: list[Row]) -> None:
    """Scheme, the case of the host and a fragment do not count; order of arguments, `www.` and a port do."""
    for url in USABLE:
        assert found(dataset, url=url) == [where(rows, lambda row, url=url: normal(row["url"]) == normal(url))], url
    assert found(dataset, url="HTTP://me@WWW.EXAMPLE.com:80/x/../Book?b=2&a=1#top") == [ids(rows, "page-1")]
    assert found(dataset, url=["www.example.com/book?a=1&b=2", "https://example.com/book"]) == [[], []]


@st.composite
def prefixes(draw: st.DrawFn) -> str:
    """The beginning of a URL of the crawl, a little changed at its end or not."""
    url = draw(st.sampled_from(NORMAL))
    end = draw(st.integers(url.index("/") + 1, len(url)))
    return f"https://{url[:end]}{draw(st.sampled_from(['', '/', '?', 'x', '*']))}"


@settings(deadline=None, max_examples=60)
@given(asked=st.lists(prefixes(), min_size=1, max_size=4))
def test_url_prefix_may_end_anywhere_behind_the_host(dataset: Dataset, rows: list[Row], asked: list[str]) -> None:
    """What begins so, character by character, and nothing else; several at once answer as one by one."""
    expected = [where(rows, lambda row, p=prefix: (normal(row["url"]) or "").startswith(normal(p))) for prefix in asked]
    assert found(dataset, url_prefix=asked) == expected


@pytest.mark.parametrize("prefix", ["https://example.com", "example.com/", "HTTPS://Example.com/#x"])
def test_url_prefix_of_a_host_alone_finds_all_its_pages(dataset: Dataset, rows: list[Row], prefix: str) -> None:
    """Of that host and without a port, with any scheme; a host is never cut."""
    expected = where(rows, lambda row: (normal(row["url"]) or "").startswith("example.com/"))
    assert len(expected) > 2
    assert found(dataset, url_prefix=prefix) == [expected]


def test_url_prefix_may_end_within_a_query(dataset: Dataset, rows: list[Row]) -> None:
    """Whose arguments stand in another order in the index."""
    expected = [ids(rows, "page-1", "page-2"), ids(rows, "page-1"), []]
    assert found(dataset, url_prefix=[f"www.example.com/Book{end}" for end in ("?", "?b=2&", "?c")]) == expected


def test_host_is_one_host_on_all_its_ports(dataset: Dataset, rows: list[Row]) -> None:
    """Also where the key of the index leaves out `www.`, turns numbers round or drops brackets."""
    hosts = sorted({row["url_host_name"] for row in rows if row["url_host_name"]})
    expected = [where(rows, lambda row, h=host: row["url_host_name"] == h) for host in hosts]
    assert found(dataset, host=hosts) == expected
    assert found(dataset, host=["EXAMPLE.com.", "BÜCHER.example", "www.example.org"]) == [
        where(rows, lambda row: row["url_host_name"] == "example.com"),
        where(rows, lambda row: row["url_host_name"] == "xn--bcher-kva.example"),
        [],
    ]


def test_domain_is_the_registered_one_with_all_hosts_beneath(dataset: Dataset, rows: list[Row]) -> None:
    """Not its neighbours in the index; `www.co.uk`, whose `www.` is no part of the key, included."""
    domains = sorted({row["url_host_registered_domain"] for row in rows if row["url_host_registered_domain"]})
    assert {"www.co.uk", "example.com", "example-x.com", "com.example"} <= set(domains)
    expected = [where(rows, lambda row, d=domain: row["url_host_registered_domain"] == d) for domain in domains]
    assert found(dataset, domain=domains) == expected
    assert found(dataset, domain="Example.COM") == [
        where(rows, lambda row: row["url_host_registered_domain"] == "example.com")
    ]


def test_ids_name_one_document(dataset: Dataset, rows: list[Row]) -> None:
    """A `doc_id` in any case; the user's id, or the WARC-Record-ID with or without its brackets."""
    for row in rows[::20]:
        assert found(dataset, doc_id=[row["doc_id"], row["doc_id"].upper()]) == [[row["doc_id"]]] * 2
    assert found(dataset, doc_id="0" * 32) == [[]]
    names = ["book", f"{WARC_ID}1", f"<{WARC_ID}2>", "BOOK", " book"]
    expected = [ids(rows, name.strip("<>")) for name in names]
    assert [len(one) for one in expected] == [1, 1, 1, 0, 0]
    assert found(dataset, record_id=names) == expected


@pytest.mark.parametrize("written", [ISBN, "978-0-13-110362-7", "0-13-110362-8", " 0131103628 ", "978 0 13 110362 7"])
def test_isbn_is_read_as_in_a_text(dataset: Dataset, rows: list[Row], written: str) -> None:
    """Of 10 or 13 digits; all documents that hold it, kept or not."""
    expected = where(rows, lambda row: ISBN in [isbn["value"] for isbn in row["isbns"]])
    assert len(expected) == 2
    assert found(dataset, isbn=written) == [expected]


@pytest.mark.parametrize("written", [DOI, "10.1000/ABC.1", "https://doi.org/10.1000/abc.1", "DOI: 10.1000%2FAbc.1"])
def test_doi_is_read_with_or_without_resolver(dataset: Dataset, rows: list[Row], written: str) -> None:
    """In any case, escaped or not."""
    assert found(dataset, doi=[written, "10.1000/abc.12"]) == [ids(rows, "article"), []]


FILES = ("deep/pages.jsonl", "filler.jsonl", "records.warc")


def test_crawl_file_is_meant_by_its_name_a_path_or_the_end_of_it(dataset: Dataset, rows: list[Row]) -> None:
    """Cut at a slash; without an offset it is all of its records."""
    for file in FILES:
        expected = where(rows, lambda row, f=file: row["source_file"] == f)
        asked = [file, f"/data/crawl/{file}", f"./{file}", file.rpartition("/")[2], f"x{file}", "data/" + file[1:]]
        assert found(dataset, warc=asked) == [*[expected] * 4, [], []]


def test_record_lies_at_an_offset_of_its_file(dataset: Dataset, rows: list[Row]) -> None:
    """Every record is found by its place; between two of them there is none."""
    asked = [f"{row['source_file']}:{row['source_position']}" for row in rows]
    assert found(dataset, warc=asked) == [[row["doc_id"]] for row in rows]
    assert found(dataset, warc=[f"{asked[0]}1", {"file": "pages.jsonl", "offset": 1}]) == [[], []]


def test_row_of_a_table_is_found_by_the_warc_file_that_it_names(dataset: Dataset, rows: list[Row]) -> None:
    """Though it was read from another file."""
    asked = [
        "cc/a.warc.gz",
        "a.warc.gz:77",
        {"file": "s3/cc/a.warc.gz", "offset": 77},
        "cc/a.warc.gz:78",
        "b/a.warc.gz",
    ]
    assert found(dataset, warc=asked) == [*[ids(rows, "taken")] * 3, [], []]


def test_text_finds_copies_and_what_is_like_it(dataset: Dataset, rows: list[Row], tmp_path: Path) -> None:
    """Exact ones first, kept or not, then the others with their true similarity; a file and its text answer alike."""
    path = tmp_path / "book.txt"
    path.write_bytes(b"\xef\xbb\xbf" + BOOK.encode())
    answer = lookup(dataset, text=[BOOK, text("nowhere")], text_file=str(path)).to_pylist()
    assert [row["found"] for row in answer] == [*[True] * 3, False, *[True] * 3]
    names = {row["doc_id"]: row["record_id"] for row in rows}
    said = [(names.get(row["doc_id"]), row["method"], row["similarity"]) for row in answer]
    assert said[:3] == [("book", "exact", 1.0), ("copy", "exact", 1.0), ("near", "jaccard", jaccard(BOOK, NEAR))]
    assert said[3:] == [(None, None, None), *said[:3]]
    assert {row["decision"] for row in answer[:3]} == {"keep", "drop"}
    assert answer[0]["value"] == BOOK[:79] + "…"
    assert answer[4]["value"] == str(path)


def jaccard(one: str, other: str) -> float:
    first, second = ({tuple(words[i : i + 5]) for i in range(len(words) - 4)} for words in (one.split(), other.split()))
    return len(first & second) / len(first | second)


HOSTILE = ("' OR 1=1 --", "%", "_", "*", '"; DROP TABLE ledger; --', "book%", "\0", "${HOME}", "x' OR 1=1 --")


def test_values_are_data(dataset: Dataset, rows: list[Row]) -> None:
    """Quotes, wildcards and SQL find what is so named, and else nothing."""
    assert found(dataset, record_id=HOSTILE) == [ids(rows, value) for value in HOSTILE]
    assert found(dataset, warc=HOSTILE) == [[]] * len(HOSTILE)
    assert found(dataset, url_prefix=[f"https://stars.example/{value}" for value in "*%_"]) == [
        ids(rows, "page-22"),
        [],
        [],
    ]
    quotes = "https://quotes.example/it's%20'%25_*\"--;DROP TABLE ledger"
    assert found(dataset, url=quotes, url_prefix="https://quotes.example/it's%20'") == [ids(rows, "page-21")] * 2


def test_answer_has_the_columns_that_it_promises(dataset: Dataset, rows: list[Row]) -> None:
    """Those of the ledger as they are there, and who says it; a question without an answer has a row of nulls."""
    (row,) = [row for row in rows if row["reason"] == "exact_duplicate" and row["record_id"] in ("book", "copy")]
    answer = lookup(dataset, url="none.example", record_id=row["record_id"])
    assert answer.schema == answer_schema()
    nothing, copy = answer.to_pylist()
    who = {"dataset": dataset.directory, "build_id": dataset.build_id, "version_id": dataset.version_id}
    said = {name: row["similarity" if name == "duplicate_similarity" else name] for name in COLUMNS}
    asked = {"query": 1, "selector": "record_id", "value": row["record_id"], "found": True}
    assert copy == {**asked, **who, **said, "similarity": None, "method": None}
    assert (copy["decision"], len(copy["marks"])) == ("drop", 1)
    asked = {"query": 0, "selector": "url", "value": "none.example", "found": False}
    assert nothing == {**asked, **who, **dict.fromkeys((*COLUMNS, "similarity", "method"))}


def test_every_selector_can_be_asked_at_once(dataset: Dataset, rows: list[Row]) -> None:
    """In a mix, numbered in the order of the selectors, queries last; each answers as it does alone."""
    values = {
        "url": "https://library.example/book",
        "url_prefix": "https://library.example/b",
        "host": "library.example",
        "domain": "library.example",
        "doc_id": ids(rows, "book")[0],
        "record_id": "book",
        "warc": "filler.jsonl",
        "isbn": ISBN,
        "doi": DOI,
        "text": ARTICLE,
    }
    assert {*values, "text_file"} == SELECTORS.keys()
    queries = [{"host": "nowhere.example"}, {"warc_filename": "cc/a.warc.gz", "warc_record_offset": 77}]
    together = found(dataset, **values, queries=queries)
    assert together[:-2] == [found(dataset, **{name: value})[0] for name, value in values.items()]
    assert all(together[:-2])
    assert together[-2:] == [[], ids(rows, "taken")]
    mixed = [{name: value} for name, value in values.items()]
    assert found(dataset, queries=[*mixed[::-1], *mixed]) == together[:-2][::-1] + together[:-2]


def test_thousands_of_queries_are_one_call(dataset: Dataset, rows: list[Row]) -> None:
    """They are answered in batches, and each finds its own."""
    asked = [row["doc_id"] for row in rows] * 20
    assert found(dataset, doc_id=asked) == [[doc_id] for doc_id in asked]


def test_chance_hits_of_the_index_are_no_answers(
    dataset: Dataset, rows: list[Row], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keys are hashes: if all were the same, what the ledger says would still be all that is found."""
    asked = {"doc_id": rows[3]["doc_id"], "record_id": "copy", "doi": DOI, "isbn": ISBN, "warc": "pages.jsonl:0"}
    expected = [found(dataset, **{selector: value}) for selector, value in asked.items()]
    everything = dataset.find("doc_id", [row["doc_id"] for row in rows])
    everything = everything.set_column(0, PLACES.field("query"), pa.array([0] * len(rows), pa.int32()))
    monkeypatch.setattr(dataset, "find", lambda kind, values: everything)
    assert [found(dataset, **{selector: value}) for selector, value in asked.items()] == expected


def test_several_datasets_answer_in_the_order_given(dataset: Dataset, place: Path, tmp_path: Path) -> None:
    """Each says of every question what it has, or that it has nothing."""
    other = tmp_path / "other"
    shutil.copytree(place, other)
    answer = lookup([str(other), dataset], record_id=["book", "none"]).to_pylist()
    assert [(row["query"], row["dataset"], row["record_id"]) for row in answer] == [
        (0, str(other), "book"),
        (0, str(place), "book"),
        (1, str(other), None),
        (1, str(place), None),
    ]


def test_dataset_that_comes_twice_is_a_mistake(dataset: Dataset, place: Path, tmp_path: Path) -> None:
    """By whatever path."""
    link = tmp_path / "link"
    link.symlink_to(place)
    for again in (f"{place}/", str(link)):
        with pytest.raises(UsageError) as error:
            lookup([dataset, again], host="a.example")
        assert str(error.value) == f"{again.rstrip('/')} is the same dataset as {place}. Name each of them once."


def test_nothing_asked_is_a_mistake(dataset: Dataset) -> None:
    """Of nobody, or nothing."""
    with pytest.raises(UsageError, match=r"^Nothing was asked: name what to look up, such as a URL\.$"):
        lookup(dataset, url=[], host=None)
    with pytest.raises(UsageError, match=r"^No dataset was named: "):
        lookup([], url="a.example")
