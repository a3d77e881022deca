"""The sources register: what it says, and which documents a source covers."""

import doctest
import hashlib
import pickle
from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import transforms.decide.sources_register
from configs.reference import REGISTER
from configs.register import Source
from tests.memory_files import MemoryFiles
from transforms.decide.sources_register import Register, RegisterMatch
from transforms.urls import url_columns


def register(*sources: dict[str, object]) -> Register:
    """A register of sources, of the basis `public_domain` where they do not say it."""
    return Register.of([Source.model_validate({"basis": "public_domain", **source}) for source in sources])


def entries(found: Register, *rows: tuple[str | None, str]) -> list[int]:
    """Numbers of the sources of documents by URL and file name."""
    return match(found, *rows).entry.tolist()


def match(found: Register, *rows: tuple[str | None, str]) -> RegisterMatch:
    """What the register says of documents by URL and file name."""
    urls = pa.array([url for url, _ in rows], pa.string())
    files = pa.array([name for _, name in rows], pa.string())
    return found.match(url_columns(urls)["url_host_name"], urls, files)


# What it says


def test_register_is_read_with_its_digest(tmp_path: Path) -> None:
    """The file of the documents: a source of each kind, in its order."""
    path = tmp_path / "register.yaml"
    path.write_text(REGISTER)
    found = Register.read(str(path))
    assert found.sources == (
        Source(
            host="press.example",
            basis="licensed",
            contract="2026-017",
            priority=10,
            note="until the end of 2028",
        ),
        Source(prefix="https://www.example.org/open/", basis="open_licence", licence="CC-BY-4.0"),
        Source(input="gutenberg/*.jsonl.gz", basis="public_domain", priority=5),
        Source(host="blog.press.example", basis="crawl", note="not part of the contract"),
    )
    assert found.sha256 == hashlib.sha256(REGISTER.encode()).hexdigest()
    assert found.facts() == {"sha256": found.sha256, "sources": 4}
    said = match(
        found,
        ("https://www.press.example/a", "crawl/0.warc.gz"),
        ("http://www.example.org/open/b?c", "crawl/0.warc.gz"),
        (None, "gutenberg/1.jsonl.gz"),
        ("https://blog.press.example/", "crawl/0.warc.gz"),
        ("https://elsewhere.example/", "crawl/0.warc.gz"),
        (None, "crawl/0.warc.gz"),
    )
    assert said.basis.to_pylist() == ["licensed", "open_licence", "public_domain", "crawl", "crawl", "crawl"]
    assert said.reference.to_pylist() == ["2026-017", "CC-BY-4.0", None, None, None, None]
    assert said.priority.tolist() == [10, 0, 5, 0, 0, 0]
    assert said.entry.tolist() == [0, 1, 2, 3, -1, -1]
    assert (said.basis.type, said.reference.type, said.priority.dtype) == (pa.string(), pa.string(), np.int64)


def test_without_a_register_everything_is_of_the_crawl() -> None:
    """No file, no digest, no sources."""
    found = Register.read(None)
    said = match(found, ("https://a.example/", "0.warc"), (None, "1.warc"))
    assert said.basis.to_pylist() == ["crawl", "crawl"]
    assert said.reference.to_pylist() == [None, None]
    assert (said.priority.tolist(), said.entry.tolist()) == ([0, 0], [-1, -1])
    assert (found.sha256, found.facts()) == (None, None)


def test_register_lies_on_any_file_system() -> None:
    """It is opened as lists are."""
    MemoryFiles.files["memory://bucket/register.yaml"] = REGISTER.encode()
    assert len(Register.read("memory://bucket/register.yaml").sources) == 4


def test_register_can_be_sent_to_workers() -> None:
    """What was pickled says the same."""
    found = register({"host": "a.example"}, {"prefix": "b.example/x"}, {"input": "*.wet"})
    rows = [("http://a.example/", "0"), ("http://b.example/x", "0"), ("http://c.example/", "d/1.wet")]
    assert entries(pickle.loads(pickle.dumps(found)), *rows) == entries(found, *rows) == [0, 1, 2]


def test_batch_without_rows_has_no_answers() -> None:
    """An empty part is one too."""
    empty = pa.array([], pa.string())
    said = register({"host": "a.example"}).match(empty, empty, empty)
    assert [len(column) for column in said] == [0, 0, 0, 0]


# Which documents


@pytest.mark.parametrize(
    ("host", "url", "covered"),
    [
        ("example.org", "http://example.org/", True),
        ("example.org", "https://www.Example.ORG.:8443/x", True),
        ("example.org", "http://notexample.org/", False),
        ("example.org", "http://example.org.evil.example/", False),
        ("example.org", "http://me:example.org@evil.example/", False),
        ("EXAMPLE.org.", "http://a.example.org", True),
        ("bücher.example", "http://xn--bcher-kva.example/", True),
        ("xn--bcher-kva.example", "http://BÜCHER.example/", True),
        ("github.io", "https://github.io/", True),
        ("github.io", "https://me.github.io/", False),
        ("*.github.io", "https://me.github.io/", True),
        ("*.github.io", "https://github.io/", True),
        ("co.uk", "https://bbc.co.uk/", False),
        ("192.0.2.7", "http://192.0.2.7/", True),
        ("192.0.2.7", "http://1.192.0.2.7/", False),
        ("example.org", None, False),
        ("example.org", "mailto:me@example.org", False),
    ],
)
def test_host_covers_itself_and_its_subdomains(host: str, url: str | None, covered: bool) -> None:
    """By the rules of lists: at label borders, in any spelling; of a public suffix only the name itself."""
    assert entries(register({"host": host}), (url, "0")) == [0 if covered else -1]


@pytest.mark.parametrize(
    ("prefix", "url", "covered"),
    [
        ("https://example.org/open/", "https://example.org/open/a", True),
        ("https://example.org/open/", "http://www.example.org/open/", True),
        ("example.org/open/", "http://example.org/open", False),
        ("example.org/open", "http://example.org/open?x", True),
        ("example.org/open", "http://example.org/opening", False),
        ("example.org/open*", "http://example.org/opening", True),
        ("HTTPS://EXAMPLE.org:443/a/../Open", "http://example.org/Open/", True),
        ("example.org/Open", "http://example.org/open/", False),
        ("example.org/?id=", "http://example.org/?id=7", True),
        ("example.org:8080/x", "http://example.org/x", False),
        ("example.org/x", "http://example.org:8080/x", True),
    ],
)
def test_prefix_covers_what_goes_on_at_a_border(prefix: str, url: str, covered: bool) -> None:
    """By the rules of lists: in the normal form of URLs, without scheme."""
    assert entries(register({"prefix": prefix}), (url, "0")) == [0 if covered else -1]


@pytest.mark.parametrize(
    ("written", "name", "covered"),
    [
        ("books/a.jsonl", "books/a.jsonl", True),
        ("./books//a.jsonl", "books/a.jsonl", True),
        ("books/*.jsonl", "books/deep/a.jsonl", True),
        ("*.jsonl", "books/a.jsonl.gz", False),
        ("*", "anything", True),
        ("books/a?.jsonl", "books/a1.jsonl", True),
        ("books/[ab].jsonl", "books/b.jsonl", True),
        ("Books/*", "books/a", False),
        ("books", "books/a.jsonl", False),
    ],
)
def test_input_is_a_file_or_a_glob(written: str, name: str, covered: bool) -> None:
    """The whole name, with its case; `*` goes on beyond slashes."""
    assert entries(register({"input": written}), (None, name)) == [0 if covered else -1]


def test_input_beats_prefix_and_prefix_beats_host() -> None:
    """Whatever their order in the file, and however long they are."""
    found = register(
        {"host": "very.long.name.of.a.host.example"},
        {"prefix": "host.example/a"},
        {"input": "x*"},
        {"host": "b.example"},
    )
    url = "http://very.long.name.of.a.host.example/a/b"
    assert entries(found, (url, "xy"), (url, "y"), (url.replace("/a/b", "/b"), "y"), (None, "x")) == [2, 1, 0, 2]


def test_longest_of_a_kind_counts() -> None:
    """The most precise host and prefix; of globs the longest as written, then the first in the file."""
    hosts = register({"host": "a.example"}, {"host": "b.a.example"}, {"host": "c.b.a.example"})
    assert entries(hosts, *((f"http://{name}a.example/", "0") for name in ("", "d.", "b.", "d.b.", "c.b."))) == [
        *(0, 0, 1, 1, 2)
    ]
    prefixes = register({"prefix": "a.example/x/"}, {"prefix": "a.example/x/y"}, {"prefix": "a.example/"})
    assert entries(prefixes, *((f"http://a.example/{page}", "0") for page in ("x/y/z", "x/yz", "z"))) == [1, 0, 2]
    inputs = register({"input": "*"}, {"input": "a*"}, {"input": "*b"}, {"input": "a*b"})
    assert entries(inputs, *((None, name) for name in ("c", "ac", "cb", "ab"))) == [0, 1, 2, 3]


names = st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=3).map(
    lambda labels: ".".join([*labels, "org"])
)
globs = st.text("ab*", min_size=1, max_size=4)


@settings(deadline=None)
@given(
    st.sets(names, max_size=4),
    st.sets(globs, max_size=4),
    st.lists(st.tuples(st.none() | names, st.text("ab", max_size=4)), max_size=8),
)
def test_match_is_that_of_a_slow_reading(
    hosts: set[str], patterns: set[str], rows: list[tuple[str | None, str]]
) -> None:
    """Row by row: the longest glob that fits, else the longest host that is the row's or a parent of it."""
    sources = [*({"host": host} for host in sorted(hosts)), *({"input": pattern} for pattern in sorted(patterns))]

    def slow(host: str | None, name: str) -> int:
        inputs = [i for i, s in enumerate(sources) if "input" in s and fnmatchcase(name, s["input"])]
        if inputs:
            return min(inputs, key=lambda i: (-len(sources[i]["input"]), i))
        parents = [i for i, s in enumerate(sources) if "host" in s and host and f".{host}".endswith(f".{s['host']}")]
        return max(parents, key=lambda i: len(sources[i]["host"]), default=-1)

    found = register(*sources)
    expected = [slow(*row) for row in rows]
    assert entries(found, *((host and f"http://{host}/", name) for host, name in rows)) == expected


def test_docstring_example_runs() -> None:
    """The example of the module prints what it says."""
    assert doctest.testmod(transforms.decide.sources_register) == (0, 3)
