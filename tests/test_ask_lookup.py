"""`cleartitle lookup`: what it prints for people and for programs, and its letters."""

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.jobs import ledger, letter, run, table
from tests.lookup_data import BOOK, ISBN, Row, curate, text

SMALL = [
    {"id": "book", "url": "https://library.example/book", "text": BOOK + " and more"},
    {"id": "copy", "url": "https://pirate.example/book", "text": BOOK + " and more"},
    {"id": "near", "url": "https://pirate.example/near", "text": BOOK},
    {"id": "odd\x1b[2J", "url": "https://[odd].example/\x1b[2J[red]", "text": text("odd") + f" ISBN {ISBN}"},
    {"id": None, "url": None, "text": text("nameless"), "file": "cc/a.warc.gz", "offset": 77},
    *({"id": f"p{i}", "url": f"https://many.example/{i}", "text": text(f"m{i}x")} for i in range(25)),
]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made once; nothing in it is changed."""
    return curate(tmp_path_factory.mktemp("lookup"), SMALL, "small")


@pytest.fixture(scope="module")
def rows(dataset: Path) -> dict[str, Row]:
    """Ledger rows by `record_id`."""
    return ledger(dataset)


def printed(capsys: pytest.CaptureFixture[str], *arguments: object) -> list[str]:
    """What a look-up prints, line by line."""
    capsys.readouterr()
    assert run("lookup", *arguments) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out.splitlines()


def asked(capsys: pytest.CaptureFixture[str], *arguments: object) -> list[dict[str, Any]]:
    return [json.loads(line) for line in printed(capsys, *arguments, "--format", "json")]


def version(dataset: Path) -> str:
    return str(json.loads((dataset / "manifest.json").read_text())["version_id"])


def test_table_says_what_became_of_each_document(
    dataset: Path, rows: dict[str, Row], capsys: pytest.CaptureFixture[str]
) -> None:
    """Decision, reason and witness, and where it comes from; and "no" in so many words."""
    dropped, kept = sorted((rows["book"], rows["copy"]), key=lambda row: row["decision"])
    near = rows["near"]
    lines = printed(capsys, dataset, "--host", "none.example", "--domain", "pirate.example", "--record-id", "book")
    place = f"{dataset}, version {version(dataset)}"
    said = {
        kept["doc_id"]: [f"    {kept['doc_id']} kept", f"      {kept['url']}"],
        dropped["doc_id"]: [
            f"    {dropped['doc_id']} dropped: exact_duplicate",
            f"      {dropped['url']}",
            f"      repeats {kept['doc_id']} (exact, 1.000)",
        ],
        near["doc_id"]: [
            f"    {near['doc_id']} dropped: near_duplicate",
            f"      {near['url']}",
            f"      repeats {kept['doc_id']} (near, 0.965)",
        ],
    }
    for row in (kept, dropped, near):
        said[row["doc_id"]].append(
            f"      from {row['source_file']} at {row['source_position']}, record {row['record_id']}"
        )
    copy, book = rows["copy"], rows["book"]
    counts = "2 documents, 1 kept, 1 dropped" if copy is kept else "2 documents, 2 dropped"
    assert lines == [
        "host none.example",
        f"  no document in {place}",
        "domain pirate.example",
        f"  in {place}: {counts}",
        *said[copy["doc_id"]],
        *said[near["doc_id"]],
        "record_id book",
        f"  in {place}: 1 document, 1 {'kept' if book is kept else 'dropped'}",
        *said[book["doc_id"]],
        "3 queries, 1 of them without any document",
    ]


def test_text_is_answered_with_similarities(
    dataset: Path, rows: dict[str, Row], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """How similar, and how that was measured; three decimals, never rounded up."""
    path = tmp_path / "book.txt"
    path.write_text(BOOK)
    lines = printed(capsys, dataset, "--text-file", path, "--no-crawl")
    assert f"    {rows['near']['doc_id']} dropped: near_duplicate, similarity 1.000 (exact)" in lines
    assert sum(", similarity 0.965 (jaccard)" in line for line in lines) == 2


def test_table_shows_some_and_counts_all(dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Twenty of each query, or as many as are asked for; JSON is never cut."""
    for limit, shown in ((None, 20), (3, 3), (0, 0), (25, 25)):
        lines = printed(capsys, dataset, "--host", "many.example", *([] if limit is None else ["--limit", limit]))
        assert lines[1].endswith(": 25 documents, 25 kept")
        assert sum(line.startswith("      https://many.example/") for line in lines) == shown
        rest = [f"    … and {25 - shown} more; --limit shows more of them, --format json all"]
        assert lines[2 + 3 * shown :] == (rest if shown < 25 else [])
    assert len(asked(capsys, dataset, "--host", "many.example", "--limit", 1)) == 25


def test_what_a_crawl_wrote_does_nothing_to_a_terminal(
    dataset: Path, rows: dict[str, Row], capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither its URLs and ids, nor what is asked; as JSON all of it is there."""
    lines = printed(capsys, dataset, "--record-id", "odd\x1b[2J")
    assert lines[0] == r"record_id odd\x1b[2J"
    assert lines[3] == r"      https://[odd].example/\x1b[2J[red]"
    assert lines[4].endswith(r", record odd\x1b[2J")
    (row,) = asked(capsys, dataset, "--record-id", "odd\x1b[2J")
    assert (row["value"], row["url"]) == ("odd\x1b[2J", "https://[odd].example/\x1b[2J[red]")


def test_document_without_url_and_id_is_shown_by_its_place(dataset: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Both may be missing."""
    (nameless,) = [row for row in table(dataset, "ledger") if row["url"] is None and row["record_id"] is None]
    lines = printed(capsys, dataset, "--doc-id", nameless["doc_id"])
    assert lines[3:] == ["      no URL", f"      from {nameless['source_file']} at {nameless['source_position']}"]


def test_json_has_an_object_a_row(dataset: Path, rows: dict[str, Row], capsys: pytest.CaptureFixture[str]) -> None:
    """With all columns, times in ISO 8601, and marks without what they leave open."""
    near, page, nothing = asked(
        capsys, dataset, "--url", "pirate.example/near", "--url", "w.example/1", "--isbn", "080442957X"
    )
    mark = {
        "rule": "near_duplicate",
        "action": "drop",
        "value": rows["near"]["similarity"],
        "limit": 0.7,
        "method": "jaccard",
        "evidence": rows["near"]["duplicate_of"],
    }
    assert near["marks"] == [mark]
    assert (near["duplicate_similarity"], near["similarity"]) == (rows["near"]["similarity"], None)
    assert page["fetch_time"] == "2024-05-18T01:58:10.000000Z"
    assert [one["found"] for one in (near, page, nothing)] == [True, True, False]
    assert (nothing["marks"], nothing["doc_id"], nothing["dataset"]) == (None, None, str(dataset))
    assert near.keys() == nothing.keys()


def test_queries_come_from_a_file_or_stdin(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """After those of the command; paths in a file start from where it lies."""
    (tmp_path / "book.txt").write_text(BOOK)
    lines = [
        '{"text_file": "book.txt"}',
        "",
        '{"warc": {"file": "records.warc", "offset": 0}}',
        '{"host": "none.example"}',
    ]
    file = tmp_path / "queries.jsonl"
    file.write_text("\n".join(lines))
    found = asked(capsys, dataset, "--queries", file, "--doc-id", "0" * 32)
    assert [(row["query"], row["found"]) for row in found] == [(0, False), *[(1, True)] * 3, (2, True), (3, False)]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(file.read_bytes())))
    again = asked(capsys, dataset, "--queries", "-")
    assert [row["doc_id"] for row in again] == [row["doc_id"] for row in found[1:]]


def test_unusable_queries_are_a_letter(dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All that are wrong, with their lines; nothing is printed besides, and the exit code is 2."""
    file = tmp_path / "queries.jsonl"
    file.write_text('{"url": "a.example"}\n{"isbn": "9780131103628"}\n{"doc_id": "x"}\n')
    capsys.readouterr()
    assert run("lookup", dataset, "--host", "a.example/x", "--queries", file) == 2
    assert letter(capsys).splitlines() == [
        "3 queries cannot be answered, so nothing was looked up:",
        "  host `a.example/x`: expected a host alone, such as `www.example.org`",
        f"  line 2 of {file}: isbn `9780131103628`: expected 10 or 13 digits, the last of which checks the others",
        f"  line 3 of {file}: doc_id `x`: expected 32 hex digits",
    ]
    assert run("lookup", dataset, "--queries", tmp_path / "none") == 2
    assert letter(capsys) == f"--queries {tmp_path}/none: it cannot be read: No such file or directory."
    assert run("lookup", dataset) == 2
    assert letter(capsys) == "Nothing was asked: name what to look up, such as a URL."
    assert run("lookup", tmp_path, "--host", "a.example") == 2
    assert letter(capsys).startswith(f"{tmp_path} holds no finished dataset: ")


def test_looking_up_starts_no_beam(dataset: Path) -> None:
    """The command is quick to start: what a job needs is not loaded."""
    script = (
        "import sys; from beam_jobs import cli; "
        f"assert cli.run(['lookup', {str(dataset)!r}, '--record-id', 'book', '--format', 'json']) == 0; "
        "print(*({'apache_beam', 'rich', 'pydantic', 'configs.model'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[1:] == [""]
