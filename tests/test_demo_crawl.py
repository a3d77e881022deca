"""`demo.write_crawl` on made-up source distributions: what the demo's crawl holds, without a network."""

import doctest
import gzip
import hashlib
import io
import re
import subprocess
import sys
import tarfile
from collections import Counter
from datetime import UTC, datetime
from fnmatch import fnmatch
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml
from fastwarc.warc import ArchiveIterator, WarcRecord
from hypothesis import given
from hypothesis import strategies as st

from demo import write_crawl as crawl
from schemas.errors import WorkError

DEMO = Path(crawl.__file__).parent
NOON = datetime(2024, 2, 29, 12, 30, 15, tzinfo=UTC)
TEXT = "A table which is long. " + " ".join(f"Row {n} of it has the value {n * n}." for n in range(40))

PATHS_13 = ["core/a.html", "dialects/b.html", "errors.html", "faq/c.html", "glossary.html", "intro.html"]
PATHS_13 += ["orm/extensions/d.html"]
PATHS_14 = [*PATHS_13, "tutorial/e.html"]


def html(version: str, path: str) -> bytes:
    return f"<!DOCTYPE html><html><body><h1>{path} of {version}</h1><p>{TEXT}</p></body></html>".encode()


def make_sdist(directory: Path, version: str, paths: list[str]) -> Path:
    """A source distribution with `paths` in reverse order, and files that are no pages between them."""
    sdist = directory / f"made_up-{version}.tar.gz"
    members = {f"doc/{path}": html(version, path) for path in reversed(paths)}
    members |= {"doc/_static/style.css": b"p {}", "lib/doc/page.html": b"<p>not under doc/</p>", "setup.py": b""}
    with tarfile.open(sdist, "w:gz") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(f"made_up-{version}/{name}")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return sdist


def pin(sdist: Path) -> str:
    return f"made-up==1.0 --hash=sha256:{hashlib.sha256(sdist.read_bytes()).hexdigest()}"


@pytest.fixture(scope="module")
def sdists(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    directory = tmp_path_factory.mktemp("sdists")
    return make_sdist(directory, "1.3", PATHS_13), make_sdist(directory, "1.4", PATHS_14)


@pytest.fixture(scope="module")
def files(sdists: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The crawl files by name."""
    return {path.name: path for path in crawl.write_crawl(*sdists, tmp_path_factory.mktemp("crawl"))}


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """pip without any index: a call fails at once."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "nowhere"))


def read(path: Path) -> list[tuple[str, str, bytes]]:
    """Type, URL and payload of each record, as FastWARC reads them."""
    with path.open("rb") as stream:
        return [
            (r.headers["WARC-Type"], r.headers.get("WARC-Target-URI") or "", r.reader.read()) for r in records(stream)
        ]


def records(stream: io.BufferedReader | io.BytesIO) -> ArchiveIterator:
    return ArchiveIterator(stream, strict_mode=True)


def urls(path: Path) -> list[str]:
    return [url for kind, url, _ in read(path) if kind == "response"]


def first_record(data: bytes) -> WarcRecord:
    return next(records(io.BytesIO(data)))


def jaccard(one: bytes, other: bytes) -> float:
    """Jaccard similarity of the sets of word 5-grams."""
    a, b = ({tuple(words[i : i + 5]) for i in range(len(words) - 4)} for words in (one.split(), other.split()))
    return len(a & b) / len(a | b)


# The files


def test_crawl_is_the_same_bytes_when_written_again(
    sdists: tuple[Path, Path], files: dict[str, Path], tmp_path: Path
) -> None:
    """Two runs over the same pages write the same bytes."""
    again = crawl.write_crawl(*sdists, tmp_path)
    assert [path.name for path in again] == list(files)
    assert [path.read_bytes() for path in again] == [path.read_bytes() for path in files.values()]


def test_every_file_begins_with_one_warcinfo(files: dict[str, Path]) -> None:
    """A crawl file says first what it is."""
    for path in files.values():
        kinds = [kind for kind, _, _ in read(path)]
        assert kinds[0] == "warcinfo"
        assert kinds.count("warcinfo") == 1


def test_record_ids_are_unique_over_all_files(files: dict[str, Path]) -> None:
    """The same URL at two times, and a URL's request and response, are different records."""
    ids: Counter[str] = Counter()
    for path in files.values():
        with path.open("rb") as stream:
            ids.update(str(record.record_id) for record in records(stream))
    assert set(ids.values()) == {1}


def test_release_13_holds_all_pages_in_sorted_order(files: dict[str, Path]) -> None:
    """Each page under doc/ becomes one response under its public URL, with its bytes unchanged."""
    responses = [(url, body) for kind, url, body in read(files["sqlalchemy-13.warc.gz"]) if kind == "response"]
    assert responses == [(f"https://docs.sqlalchemy.org/en/13/{path}", html("1.3", path)) for path in PATHS_13]


def test_release_14_lacks_what_only_the_pirate_has(files: dict[str, Path]) -> None:
    """The site of 1.4 holds the pages that 1.3 has too; then come the refetched ones and the oddities."""
    site = "https://docs.sqlalchemy.org/en/14/"
    again = ["errors.html", "glossary.html", "intro.html"]
    assert urls(files["sqlalchemy-14.warc.gz"]) == [site + p for p in [*PATHS_13, *again, "gone.html", "logo.png"]]


def test_mirror_repeats_pages_byte_for_byte(files: dict[str, Path]) -> None:
    """The mirror's pages are exact duplicates of those of 1.3, under another host."""
    whole = read(files["mirror.warc.gz"])[1:-1]
    assert [(url, body) for _, url, body in whole] == [
        (f"https://mirror.example/sqlalchemy/13/{path}", html("1.3", path))
        for path in ["dialects/b.html", "faq/c.html"]
    ]


def test_mirror_ends_in_the_middle_of_a_record(files: dict[str, Path]) -> None:
    """The last record is cut short: its payload is not as long as its header says."""
    data = files["mirror.warc.gz"].read_bytes()
    start = data.rindex(b"\x1f\x8b\x08\x00\x00\x00\x00\x00")
    whole = crawl.write_response(
        "https://mirror.example/sqlalchemy/13/core/a.html",
        crawl.RELEASED_13 + 31 * crawl.DAY,
        html("1.3", "core/a.html"),
    )
    assert data[start:] == whole[: len(whole) // 2]


def test_edited_pages_are_near_duplicates_and_shorter(files: dict[str, Path]) -> None:
    """A page with edits is not the page, but shares at least 0.7 of its word 5-grams; the original is longer."""
    _, (_, url, edited), (_, empty_url, empty) = read(files["edited.warc.gz"])
    original = html("1.3", "orm/extensions/d.html")
    assert url == "https://notes.example/sqlalchemy/orm/extensions/d.html"
    assert len(edited) < len(original)
    assert 0.7 <= jaccard(original, edited) < 1
    assert (empty_url, empty) == ("https://notes.example/sqlalchemy/empty.html", crawl.EMPTY_PAGE)


def test_pirate_holds_copies_and_pages_of_its_own(files: dict[str, Path]) -> None:
    """One folder is also on the good host, byte for byte; the other is the pirate's alone."""
    pirate = {url: body for _, url, body in read(files["pirate.warc.gz"])[1:]}
    good = {url: body for _, url, body in read(files["sqlalchemy-14.warc.gz"])}
    shelf = "https://library.pirate-books.example/shelf/"
    assert list(pirate) == [f"{shelf}faq/c.html", f"{shelf}tutorial/e.html"]
    assert pirate[f"{shelf}faq/c.html"] == good["https://docs.sqlalchemy.org/en/14/faq/c.html"]
    assert html("1.4", "tutorial/e.html") not in good.values()


def test_refetched_pages_come_later_with_another_text(files: dict[str, Path]) -> None:
    """The same URL comes twice, a week apart, and the text has changed."""
    with files["sqlalchemy-14.warc.gz"].open("rb") as stream:
        fetches = [
            (record.record_date, record.reader.read())
            for record in records(stream)
            if record.headers.get("WARC-Target-URI") == "https://docs.sqlalchemy.org/en/14/intro.html"
        ]
    (first, before), (second, after) = fetches
    assert (second - first).days == 6  # a week less the seconds between the two places in the file
    assert before != after


def test_non_documents_are_a_request_a_404_and_an_image(files: dict[str, Path]) -> None:
    """Three records of the 1.4 site are no documents."""
    with files["sqlalchemy-14.warc.gz"].open("rb") as stream:
        kinds = [
            (record.headers["WARC-Type"], record.http_headers.status_code, record.http_content_type)
            for record in records(stream)
            if record.http_headers is not None
        ]
    assert kinds[-3:] == [("request", None, None), ("response", 404, "text/html"), ("response", 200, "image/png")]


# One record


def test_record_is_written_as_the_standard_says() -> None:
    """The bytes of a record, field by field."""
    record = crawl.write_record(
        "request", NOON, "https://a.example/", b"GET /", {"WARC-Target-URI": "https://a.example/"}
    )
    assert record[:10] == b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff"  # neither a time nor an operating system
    assert re.sub(rb"uuid:[0-9a-f-]{36}", b"uuid:...", gzip.decompress(record)) == (
        b"WARC/1.1\r\n"
        b"WARC-Type: request\r\n"
        b"WARC-Record-ID: <urn:uuid:...>\r\n"
        b"WARC-Date: 2024-02-29T12:30:15Z\r\n"
        b"WARC-Target-URI: https://a.example/\r\n"
        b"Content-Length: 5\r\n"
        b"\r\n"
        b"GET /\r\n\r\n"
    )


@given(body=st.binary(max_size=2000), path=st.text("abcxyz019-_~/%", max_size=30))
def test_response_comes_back_from_fastwarc_as_it_was(body: bytes, path: str) -> None:
    """Any payload survives, its SHA-1 verifies, and URL, time and type are what was given."""
    url = f"https://a.example/{path}"
    record = first_record(crawl.write_response(url, NOON, body))
    assert record.verify_payload_digest()
    assert record.headers["WARC-Target-URI"] == url
    assert record.record_date == NOON
    assert (record.http_headers.status_code, record.http_content_type) == (200, "text/html")
    assert record.http_headers["Content-Length"] == str(len(body))
    assert record.reader.read() == body


@given(
    pages=st.dictionaries(
        st.text(max_size=3), st.sampled_from([b"", b"a which b", b" such as which ", b"in order to "])
    )
)
def test_edit_makes_each_edit_in_each_page(pages: dict[str, bytes]) -> None:
    """Edited pages keep their paths, hold none of the old words, and are at most as long."""
    edited = crawl.edit(pages)
    assert list(edited) == list(pages)
    assert not any(old in page for old, _ in crawl.EDITS for page in edited.values())
    assert all(len(edited[path]) <= len(page) for path, page in pages.items())


# Fetching


def test_pages_of_an_archive_without_pages_are_refused(tmp_path: Path) -> None:
    """An archive without doc/*.html is named in the error."""
    sdist = make_sdist(tmp_path, "1.3", [])
    with pytest.raises(WorkError, match=rf"^{re.escape(str(sdist))} has no HTML page under doc/"):
        crawl.read_pages(sdist)


@pytest.mark.usefixtures("no_network")
def test_fetched_archive_is_used_again(sdists: tuple[Path, Path]) -> None:
    """An archive in the directory with the pinned digest is taken without asking the index."""
    assert [crawl.fetch_sdist(pin(path), path.parent) for path in sdists] == list(sdists)


@pytest.mark.usefixtures("no_network")
def test_fetch_without_network_says_what_to_do(tmp_path: Path) -> None:
    """Where pip fails, the letter names the pin, pip's own words and two ways out; a wrong archive is not used."""
    make_sdist(tmp_path, "1.3", ["a.html"])
    with pytest.raises(WorkError) as caught:
        crawl.fetch_sdist(f"made-up==1.0 --hash=sha256:{'0' * 64}", tmp_path)
    letter = str(caught.value)
    assert letter.startswith("The demo needs made-up==1.0, and pip could not fetch it:\n\n")
    assert "No matching distribution found for made-up==1.0" in letter
    assert letter.endswith(f"(its sha256 is in sdists.txt) into {tmp_path}.")


@pytest.mark.usefixtures("no_network")
def test_command_writes_the_crawl_and_names_the_files(
    sdists: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command takes the pinned archives from the directory and prints a line for each file."""
    for sdist in sdists:
        (tmp_path / sdist.name).write_bytes(sdist.read_bytes())
    pins = tmp_path / "sdists.txt"
    pins.write_text("# a comment\n" + "".join(f"{pin(sdist)}\n" for sdist in sdists))
    monkeypatch.setattr(crawl, "PINS", pins)
    assert crawl.main([str(tmp_path)]) == 0
    written = sorted(tmp_path.glob("*.warc.gz"))
    assert sorted(capsys.readouterr().out.splitlines()) == [f"{p}  {p.stat().st_size:,} bytes" for p in written]
    assert len(written) == 5


def test_command_without_directory_exits_2() -> None:
    """The command as a person starts it: without its argument it says how it is meant, on stderr."""
    done = subprocess.run([sys.executable, "-m", "demo.write_crawl"], cwd=DEMO.parent, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "Say where the crawl shall be written: python -m demo.write_crawl DIR\n"


def test_command_refuses_a_directory_that_is_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A path at which a file lies is named, with the reason."""
    file = tmp_path / "data"
    file.touch()
    assert crawl.main([str(file)]) == 2
    assert capsys.readouterr().err == f"{file} cannot be made a directory: File exists. Name another.\n"


# What lies beside it


def test_config_takes_the_crawl_files_and_not_the_archives(files: dict[str, Path]) -> None:
    """The glob of the demo's config matches every file that is written, and no source distribution."""
    [glob] = yaml.safe_load((DEMO / "config.yaml").read_text())["crawl"]["files"]
    assert all(fnmatch(f"data/{name}", glob) for name in files)
    assert not fnmatch("data/sqlalchemy-1.4.54.tar.gz", glob)


def test_blocklist_names_the_parent_of_the_pirate_only() -> None:
    """The pirate's host is found through its parent domain; no other host of the crawl is listed."""
    listed = [line for line in (DEMO / "blocklist.txt").read_text().splitlines() if not line.startswith("#")]
    hosts = [urlsplit(site).hostname or "" for site in (crawl.SITE_13, crawl.SITE_14, crawl.MIRROR, crawl.NOTES)]
    assert listed == [str(urlsplit(crawl.PIRATE).hostname).partition(".")[2]]
    assert not any(host.endswith(listed[0]) for host in hosts)


def test_pins_are_two_releases_with_their_digests() -> None:
    """Old release first, each pinned to one version and one SHA-256."""
    pins = [line for line in crawl.PINS.read_text().splitlines() if not line.startswith("#")]
    assert [re.sub("[0-9a-f]{64}$", "", line) for line in pins] == [
        "sqlalchemy==1.3.24 --hash=sha256:",
        "sqlalchemy==1.4.54 --hash=sha256:",
    ]


def test_examples_in_docstrings_run() -> None:
    """The examples of the module are true."""
    assert doctest.testmod(crawl) == (0, 1)
