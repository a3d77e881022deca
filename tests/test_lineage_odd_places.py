"""Asking datasets in odd places: of very long URLs, behind odd directory names, behind servers that fail."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

import lineage
from schemas.errors import InputError
from tests.jobs import letter, run, write_config, write_jsonl
from transforms.part_store import open_input
from transforms.publish import build_index

LONG = "x" * 5000
"""Longer than what Parquet keeps statistics of."""


def curate(place: Path, rows: list[dict[str, Any]], files: str = "crawl.jsonl") -> Path:
    (place / files).parent.mkdir(parents=True, exist_ok=True)
    write_jsonl(place / files, rows)
    config = {"crawl": {"name": "c", "files": ["**/*.jsonl"]}, "dedup": {"near": None, "exact": None, "url": None}}
    write_config(place / "c.yaml", config)
    assert run("curate", place / "c.yaml", "--output", place / "dataset", "--quiet") == 0
    return place / "dataset"


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten documents, every third dropped for want of text."""
    rows = [{"id": str(i), "url": f"https://a.example/{i}", "text": "" if i % 3 else f"text {i}"} for i in range(10)]
    return curate(tmp_path_factory.mktemp("plain"), rows)


@pytest.mark.parametrize("long", ["a", "m", "z"], ids=["first", "in the middle", "last"])
@pytest.mark.parametrize("group_rows", [1, 3, 50])
def test_urls_are_found_beside_very_long_ones(
    tmp_path: Path, long: str, group_rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row group without statistics hides neither its own values nor those of the groups beside it."""
    small = tuple(one._replace(group_rows=group_rows) for one in build_index.INDEXES)
    for module in ("build_index", "merge_index", "write_parts"):
        monkeypatch.setattr(f"transforms.publish.{module}.INDEXES", small)
    urls = [f"https://{host}.example/{i}" for host in "bkt" for i in range(5)]
    urls += [f"https://{long}.example/{LONG}{i}" for i in range(4)]
    dataset = str(curate(tmp_path, [{"id": url[-9:], "url": url, "text": f"text {url[:30]}"} for url in urls]))
    found = lineage.lookup(dataset, url=urls)
    assert found["url"].to_pylist() == urls
    assert lineage.lookup(dataset, domain=f"{long}.example")["found"].to_pylist() == [True] * 4


@pytest.mark.parametrize("name", ["decision=keep/part=7", "file=3", "crawl=2026", "br\\[x]", "o'q [x] ü\\*", "a\\b"])
def test_name_of_a_directory_says_nothing(plain: Path, tmp_path: Path, name: str) -> None:
    """Neither a column nor a glob: what is asked is what the files hold."""
    there = tmp_path / name / "dataset"
    there.parent.mkdir(parents=True)
    there.symlink_to(plain)
    counts = "SELECT decision, count(*) AS n FROM ledger GROUP BY ALL ORDER BY ALL"
    assert lineage.open_dataset(str(there)).sql(counts).to_pylist() == [
        {"decision": "drop", "n": 6},
        {"decision": "keep", "n": 4},
    ]
    assert lineage.verify(str(there)).to_pylist() == []
    assert len(lineage.diff(str(plain), str(there))) == 0


@pytest.mark.parametrize("spelling", ["<urn:uuid:7>", "urn:uuid:7"])
@pytest.mark.parametrize("asked", ["<urn:uuid:7>", "urn:uuid:7"])
def test_record_ids_are_found_with_and_without_their_brackets(tmp_path: Path, spelling: str, asked: str) -> None:
    """Some tables keep them, and what a lookup prints can be looked up."""
    dataset = str(curate(tmp_path, [{"id": spelling, "text": "a"}, {"id": "urn:uuid:8", "text": "b"}]))
    assert lineage.lookup(dataset, record_id=asked)["record_id"].to_pylist() == [spelling]


def test_file_is_meant_by_its_own_name_before_all_others(tmp_path: Path) -> None:
    """Though that of another one ends it."""
    write_jsonl(tmp_path / "a.jsonl", [{"id": "outer", "text": "outer"}])
    dataset = str(curate(tmp_path, [{"id": "inner", "text": "inner"}], "sub dir/a.jsonl"))

    def records(warc: str) -> list[str]:
        return lineage.lookup(dataset, warc=warc)["record_id"].to_pylist()

    assert records("sub dir/a.jsonl") == records("sub dir/a.jsonl:0") == ["inner"]
    assert records(f"{tmp_path}/sub dir/a.jsonl") == ["inner"]
    assert records("a.jsonl") == records(f"{tmp_path}/a.jsonl") == ["outer"]


@pytest.mark.parametrize("name", ["quarantine/part-00000.parquet", "takedowns/x.json", "extra.parquet"])
def test_verify_names_files_that_nobody_listed(plain: Path, tmp_path: Path, name: str) -> None:
    """Also in folders of which the manifest has no file, and beside it."""
    there = tmp_path / "dataset"
    for path in (one for one in plain.rglob("*") if one.is_file()):
        (there / path.relative_to(plain)).parent.mkdir(parents=True, exist_ok=True)
        (there / path.relative_to(plain)).write_bytes(path.read_bytes())
    (there / name).parent.mkdir(exist_ok=True)
    (there / name).write_bytes(b"x")
    (fault,) = lineage.verify(str(there)).to_pylist()
    assert (fault["check"], fault["file"]) == ("files", name)


@contextmanager
def failing(directory: Path, status: int | None, spared: str) -> Iterator[str]:
    """A server that answers with a status to all but one file, or (None) ignores that ranges are asked for."""

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self._answer(b"")

        def do_GET(self) -> None:
            self._answer((directory / self.path[1:]).read_bytes() if (directory / self.path[1:]).is_file() else b"")

        def _answer(self, body: bytes) -> None:
            there = (directory / self.path[1:]).is_file()
            ok = there and (status is None or self.path.endswith(spared))
            self.send_response(200 if ok else status or 404)
            size = (directory / self.path[1:]).stat().st_size if ok else 0
            self.send_header("Content-Length", str(size))
            self.end_headers()
            self.wfile.write(body if ok else b"")

        def log_message(self, *_: object) -> None:
            """Nothing goes to stderr."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("status", [500, 403, 503])
def test_server_that_fails_is_not_a_dataset_that_is_gone(
    plain: Path, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """The letter says what the server said; exit code 2, as for any dataset that cannot be read."""
    with failing(plain, status, "nothing") as address:
        assert run("lookup", address, "--doc-id", "0" * 32) == 2
        expected = f"{address}/manifest.json cannot be read: {address}/manifest.json: the server answered {status}"
        assert letter(capsys) == expected


def test_server_without_the_file_has_no_dataset(plain: Path) -> None:
    """404 means that there is none."""
    with failing(plain, 404, "nothing") as address, pytest.raises(InputError, match="holds no finished dataset"):
        lineage.open_dataset(address)


def test_server_that_gives_no_ranges_is_said_to_be_one(plain: Path) -> None:
    """What it gives instead would be taken for the range."""
    with failing(plain, None, "") as address, open_input(f"{address}/ledger/part-00000.parquet") as stream:
        stream.seek(-8, 2)
        with pytest.raises(OSError, match="the server gives no ranges of files"):
            stream.read(8)
