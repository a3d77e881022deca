"""The command `cleartitle takedown`: what it prints, what it needs, and its exit codes."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from beam_jobs.ask.takedown import SHOWN, plan_lines
from lineage.catalog import open_dataset
from lineage.takedowns.plan_takedown import RECORDS, Plan, plan_takedown
from tests.jobs import ledger, letter, run
from tests.takedown_data import BOOK, shared_dataset, text, write_request
from transforms.takedowns.read_takedown import read_takedown

ROOT = Path(__file__).resolve().parents[1]
SELECTORS = {"domains": ["pirate.example", "none.example"], "isbns": [BOOK]}


@pytest.fixture
def request_file(tmp_path: Path) -> Path:
    return write_request(tmp_path / "request.yaml", SELECTORS)


def said(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().out.splitlines()


def test_dry_run_says_what_would_go(request_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By selector, by the decision before, the copies with their proof, and the parts; nothing is written."""
    shared_dataset()
    capsys.readouterr()
    assert run("takedown", shared_dataset(), "--request", request_file, "--dry-run") == 0
    rows = ledger(shared_dataset())
    ids = {name: row["doc_id"] for name, row in rows.items()}
    assert said(capsys) == [
        f"takedown {read_takedown(str(request_file)).id}: R-7, Jane Doe",
        "  domains none.example: matches nothing",
        "  domains pirate.example: 4 documents",
        f"  isbns {BOOK}: 1 document",
        "7 documents would go",
        "  kept before: 4",
        "  dropped before: 3",
        "  similar to what is named, by 0.7 or more: 2",
        f"    {ids['book-2']} https://mirror.example/book-2",
        f"      0.962 (jaccard) to {ids['book']}",
        f"    {ids['book-twin']} https://blog.example/book-twin",
        f"      0.962 (jaccard) to {ids['book']}",
        "1 part to write again",
    ]
    assert [path.name for path in request_file.parent.iterdir()] == ["request.yaml"]


def test_takedown_says_what_went_and_where(
    request_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And the second time that it was done before."""
    command = ["takedown", shared_dataset(), "--request", request_file, "--output", tmp_path / "new"]
    capsys.readouterr()
    assert run(*command) == 0
    lines = said(capsys)
    assert lines[4] == "7 documents went"
    assert lines[-2:] == ["1 part written again", f"{tmp_path}/new is written."]
    assert run(*command) == 0
    assert said(capsys)[-1] == f"{tmp_path}/new holds this takedown already, finished; nothing was changed."
    assert run("takedown", tmp_path / "new", "--request", request_file, "--dry-run") == 0
    assert "0 documents would go; 7 documents had gone before" in said(capsys)


def test_json_has_all_of_it(request_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The counts, then a line for each document; what is said of the output goes to stderr."""
    shared_dataset()
    capsys.readouterr()
    command = ["takedown", shared_dataset(), "--request", request_file, "--format", "json"]
    assert run(*command, "--output", tmp_path / "new") == 0
    out, err = capsys.readouterr()
    totals, *rows = map(json.loads, out.splitlines())
    plan = plan_takedown(open_dataset(str(shared_dataset())), read_takedown(str(request_file)))
    assert rows == plan.records.to_pylist()
    assert totals == {
        "totals": {
            "id": plan.takedown.id,
            "records": 7,
            "taken_out_before": 0,
            "selectors": plan.counts,
            "decisions": {"keep": 4, "drop": 3},
            "parts": [0],
            "returned": [],
        }
    }
    assert err == f"{tmp_path}/new is written.\n"


def test_nothing_that_matches_is_no_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is said, and the exit code is 0."""
    path = write_request(tmp_path / "request.yaml", {"urls": ["https://none.example/%22;DROP%20TABLE"]})
    shared_dataset()
    capsys.readouterr()
    assert run("takedown", shared_dataset(), "--request", path, "--dry-run") == 0
    assert said(capsys)[1:3] == [
        "  urls https://none.example/%22;DROP%20TABLE: matches nothing",
        "0 documents would go",
    ]


def test_followers_and_who_comes_back_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of scope `named`, by what becomes of witnesses."""
    rows = ledger(shared_dataset())
    for witnesses, expected in (
        ("stay_out", ["  dropped before as duplicates of what goes: 3", "1 part to write again"]),
        ("next_in_line", ["1 document would come back", "1 part to write again"]),
    ):
        selectors = {"urls": ["https://pirate.example/book"]}
        path = write_request(tmp_path / "request.yaml", selectors, scope="named", witnesses=witnesses)
        capsys.readouterr()
        assert run("takedown", shared_dataset(), "--request", path, "--dry-run") == 0
        lines = said(capsys)
        assert [line for line in lines if line in expected] == expected
        names = ("book-2", "book-twin")
        back = [line.split()[0] for line in lines if line.endswith(("/book-2", "/book-twin"))]
        assert back == ([min(rows[name]["doc_id"] for name in names)] if witnesses == "next_in_line" else [])


def test_copies_beyond_the_first_are_counted(request_file: Path) -> None:
    """People see some of them, and where the rest is."""
    found = plan_takedown(open_dataset(str(shared_dataset())), read_takedown(str(request_file)))
    copy = next(row for row in found.records.to_pylist() if row["selector"] == "near_duplicates")
    records = type(found.records).from_pylist([copy] * (SHOWN + 3), RECORDS)
    plan = Plan(found.takedown, records, 0, found.counts, found.works, found.limit, found.judged)
    lines = list(plan_lines(plan, True))
    assert sum("(jaccard)" in line for line in lines) == SHOWN
    assert "    and 3 more; --format json has all" in lines


def test_terminal_is_safe_from_what_a_request_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Control characters are shown, not obeyed."""
    path = write_request(tmp_path / "request.yaml", {"urls": ["https://a.example/\x1b[2J"]}, reference="R\x1b[31m")
    shared_dataset()
    capsys.readouterr()
    assert run("takedown", shared_dataset(), "--request", path, "--dry-run") == 0
    assert "\x1b" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "first"),
    [
        ([], "Name a directory for the new version as --output, or see what would go by --dry-run."),
        (["--output", ""], "--output is empty; name a directory."),
    ],
)
def test_command_that_cannot_be_carried_out_is_wrong(
    request_file: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], first: str
) -> None:
    """Exit code 2, before anything is looked for."""
    shared_dataset()
    capsys.readouterr()
    assert run("takedown", shared_dataset(), "--request", request_file, *arguments) == 2
    assert letter(capsys).splitlines()[0] == first


def test_wrong_request_or_dataset_is_wrong(
    request_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, with the letter of who reads them."""
    shared_dataset()
    capsys.readouterr()
    none = write_request(tmp_path / "none.yaml", {})
    assert run("takedown", shared_dataset(), "--request", none, "--dry-run") == 2
    assert letter(capsys).startswith(f"{none}: 1 mistake")
    assert run("takedown", tmp_path, "--request", request_file, "--dry-run") == 2
    assert letter(capsys).startswith(f"{tmp_path} holds no finished dataset")


def test_certificate_is_no_request(request_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It has no texts; the letter says what it is for."""
    assert run("takedown", shared_dataset(), "--request", request_file, "--output", tmp_path / "new") == 0
    (certificate,) = (tmp_path / "new" / "takedowns").glob("*.json")
    capsys.readouterr()
    assert run("takedown", shared_dataset(), "--request", certificate, "--dry-run") == 2
    assert letter(capsys).startswith(f"{certificate}: this is the certificate of a takedown that was carried out.")


def test_crawl_is_not_read_if_so_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What cannot be compared is estimated then, and said to be."""
    rows = ledger(shared_dataset())
    path = write_request(tmp_path / "request.yaml", {"doc_ids": [rows["book-3"]["doc_id"]]})
    found: dict[bool, Any] = {}
    for no_crawl in (False, True):
        capsys.readouterr()
        options = ["--no-crawl"] if no_crawl else []
        assert run("takedown", shared_dataset(), "--request", path, "--dry-run", *options) == 0
        found[no_crawl] = sorted(line.split()[1] for line in said(capsys) if line.startswith("      "))
    assert found == {False: ["(jaccard)"] * 3, True: ["(jaccard)", "(signature)", "(signature)"]}


def test_dry_run_needs_no_beam(tmp_path: Path) -> None:
    """It takes a second to load, and nobody who asks should wait for it."""
    path = write_request(tmp_path / "request.yaml", {**SELECTORS, "texts": [{"text": text("later")}]})
    arguments = ["takedown", str(shared_dataset()), "--request", str(path), "--dry-run", "--no-crawl"]
    code = f"import sys; from beam_jobs import cli; sys.exit(cli.run({arguments}) or 'apache_beam' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=False).returncode == 0


def test_text_of_which_there_are_only_similar_ones_does_not_match_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """They are counted with it, also in the certificate; a text that is given twice counts once."""
    work = "of its own ".join(text("book").rpartition("book40")[::2])
    selectors = {"texts": [{"text": work}, {"text": text("later")}, {"text": f"{text('later')}\n"}, {"text": "none"}]}
    path = write_request(tmp_path / "request.yaml", selectors)
    shared_dataset()
    capsys.readouterr()
    assert run("takedown", shared_dataset(), "--request", path, "--output", tmp_path / "new") == 0
    names = read_takedown(str(path)).text_names
    counts = {
        line.split(": ")[0].split()[-1]: line.split(": ")[1] for line in said(capsys) if line.startswith("  texts")
    }
    assert counts[names[0]].startswith("no exact copy, ")
    assert counts[names[3]] == "matches nothing"
    (written,) = (tmp_path / "new" / "takedowns").glob("*.json")
    assert json.loads(written.read_text())["matched_nothing"] == [{"selector": "texts", "matched": names[3]}]
