"""A crawl with everything that lookups must tell apart, and the rows of its ledger as an oracle reads them."""

from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa

from tests.jobs import run, write_config, write_jsonl
from tests.warc_files import http, response, warc_file
from transforms.urls import normal_urls

Row = dict[str, Any]


class Rows(list[Row]):
    """Rows that a failing example does not print."""

    def __repr__(self) -> str:
        return f"{len(self)} rows"


WARC_ID = "urn:uuid:6f1c2b7e-0000-4000-8000-000000000001"
ISBN, DOI = "9780131103627", "10.1000/abc.1"
URLS = (
    "http://example.com/",
    "https://www.example.com/Book?b=2&a=1",
    "https://www.example.com/Book?a=1&b=2",
    "https://www.example.com/book?b=2&a=1",
    "https://www2.example.com/book",
    "http://example.com:8080/book/",
    "https://example.com:80/book",
    "https://example.com:8080/book//page/",
    "https://example.com/books/1",
    "https://example.com/bookshop",
    "https://sub.example.com/a?",
    "https://example-x.com/a",
    "https://example.com.au/a",
    "https://com.example/a",
    "https://www.co.uk/",
    "https://www.www.co.uk/",
    "https://a.www.co.uk/x",
    "https://www.www.www.co.uk:81/x",
    "http://192.0.2.1/book",
    "http://[2001:db8::1]:8080/book",
    "https://bücher.example/größe",
    "https://quotes.example/it's%20'%25_*\"--;DROP TABLE ledger",
    "https://stars.example/*",
    "https://stars.example/anything",
    "https://localhost/x",
    "https://dot.example./x",
    "https://example.com/~",
    "mailto:me@example.com",
    None,
)


def text(name: str, words: int = 60) -> str:
    return " ".join(f"{name}{number}" for number in range(words))


BOOK = text("book")
ARTICLE = f"{text('article')} doi:10.1000/ABC.1"
NEAR = f"{text('book', 57)} other words here"
"""`BOOK`, edited: most of their shingles are the same."""


def documents() -> list[Row]:
    """Pages, each with a text of its own; an edited book, the book, a copy of it on another host; numbers."""
    pages = [{"id": f"page-{number}", "url": url, "text": text(f"p{number}x")} for number, url in enumerate(URLS)]
    others = [
        {"id": "near", "url": "https://edited.example/book", "text": NEAR},
        {"id": "book", "url": "https://library.example/book", "text": BOOK},
        {"id": "copy", "url": "https://pirate.example/book", "text": BOOK},
        {"id": "isbn", "url": "https://shop.example/isbn", "text": f"{text('isbn')} ISBN 0-13-110362-8"},
        {"id": "isbn-copy", "url": "https://copies.example/isbn", "text": f"{text('isbn')} ISBN 0-13-110362-8"},
        {"id": "article", "url": "https://journal.example/1", "text": ARTICLE},
        {"id": "x' OR 1=1 --", "url": "https://odd.example/1", "text": text("odd")},
        {"id": "taken", "url": "https://taken.example/1", "text": text("taken"), "file": "cc/a.warc.gz", "offset": 77},
    ]
    return [*pages, *others]


def curate(place: Path, rows: list[Row], name: str = "mixed") -> Path:
    """A dataset of two parts, from JSON Lines, whose rows may name a WARC file, and from a WARC file."""
    crawl = place / name
    (crawl / "deep").mkdir(parents=True)
    write_jsonl(crawl / "deep" / "pages.jsonl", rows)
    filler = [
        {"id": f"filler-{i}", "url": f"https://filler.example/{i}", "text": text(f"f{i}x", 90)} for i in range(99)
    ]
    write_jsonl(crawl / "filler.jsonl", filler)
    records = [
        response(http(text(f"w{i}x").encode(), "text/plain"), f"{WARC_ID}{i}", f"http://w.example/{i}") for i in (1, 2)
    ]
    (crawl / "records.warc").write_bytes(warc_file(records))
    columns = {"id": "id", "warc_filename": "file", "warc_record_offset": "offset"}
    config = {
        "crawl": {"name": name, "files": [f"{name}/**/*.jsonl", f"{name}/*.warc"], "columns": columns},
        "plan": {"part_size": "64 KiB"},
    }
    write_config(place / f"{name}.yaml", config)
    assert run("curate", place / f"{name}.yaml", "--output", place / f"{name}-dataset", "--quiet") == 0
    return place / f"{name}-dataset"


@cache
def normal(url: str | None) -> str | None:
    return normal_urls(pa.array([url], pa.string()))[0].as_py()
