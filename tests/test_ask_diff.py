"""The command `diff`: tables for people, JSON Lines for programs, files for the rest, and letters."""

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from beam_jobs.ask.diff import SHOWN, diff_command
from lineage.comparison.compare import DIFFERENCES, diff
from schemas.errors import InputError, OutputError
from tests.jobs import run, write_config, write_jsonl
from tests.ledger_datasets import dataset
from tests.tables import hex_of

LISTED: dict[str, Any] = {"decision": "drop", "reason": "blocklist"}


def ask(*arguments: object) -> None:
    diff_command.main([str(argument) for argument in arguments], standalone_mode=False)


@pytest.fixture
def pair(tmp_path: Path) -> tuple[str, str]:
    """30 documents of one host; in the new build a list drops 25 of them, and one came."""
    rows = [
        {
            "doc_id": hex_of(n),
            "url": f"https://a.example/{n}",
            "url_host_registered_domain": "a.example",
            "text_bytes": 9,
        }
        for n in range(30)
    ]
    mark = {"rule": "blocklist", "action": "drop", "list": "pirates", "matched": "a.example"}
    after = [*({**row, **LISTED, "marks": [mark]} for row in rows[:25]), *rows[25:], {"doc_id": hex_of(40)}]
    made = {
        "config": {"dedup": {"taint": "drop"}},
        "sources": [{"kind": "blocklist", "name": "pirates", "sha256": "f"}],
    }
    said = {"config": {"dedup": {"taint": "flag"}}}
    return dataset(tmp_path / "old", rows, **said), dataset(tmp_path / "new", after, build_id="c" * 16, **made)


def test_table_shows_totals_and_the_first_documents(pair: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    """What differs in numbers, in the config and the lists, and as many documents as fit a screen."""
    ask(*pair)
    said = capsys.readouterr().out
    lines = [" ".join(line.replace("│", " ").split()) for line in said.splitlines()]
    for expected in (
        "build " + "b" * 16 + " " + "c" * 16,
        "documents 30 31",
        "kept 30 6",
        "text kept 270 B 45 B",
        "added 1",
        "changed 25",
        "keep drop 25",
        "not there keep 1",
        "blocklist 0 25",
        "a.example 25 0",
        "dedup.taint: flag -> drop",
        "blocklist pirates: none -> f",
        "documents that differ: the first 20 of 26, by doc_id",
        f"changed {hex_of(0)} https://a.example/0",
        "keep -> drop by blocklist; came: blocklist (drop) of pirates: a.example",
    ):
        assert expected in lines
    assert said.count("keep -> drop by blocklist; ") == SHOWN


def test_limit_says_how_many_documents(pair: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    """None at all, or more than the default."""
    for limit, shown in ((0, 0), (26, 25)):
        ask(*pair, "--limit", limit)
        assert capsys.readouterr().out.count("keep -> drop by blocklist; ") == shown


def test_equal_datasets_are_said_to_be(pair: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    """No empty tables."""
    ask(pair[0], pair[0])
    said = capsys.readouterr().out
    assert "no document differs" in said
    assert "documents that differ" not in said


def test_crawls_without_a_common_document_are_said_to_be(
    tmp_path: Path, pair: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """It is no mistake to ask, but rarely what was meant."""
    ask(pair[0], dataset(tmp_path / "other", [{"doc_id": hex_of(99)}]))
    assert "The two have no document in common" in capsys.readouterr().out


def test_json_gives_the_totals_and_every_document(pair: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    """The rows are those of the table that the API gives."""
    ask(*pair, "--format", "json")
    first, *rows = map(json.loads, capsys.readouterr().out.splitlines())
    assert first["totals"]["changes"] == {"added": 1, "removed": 0, "changed": 25}
    assert rows == diff(*pair).to_pylist()


@pytest.mark.parametrize("form", ["table", "json"])
def test_documents_go_to_a_file(
    form: str, pair: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Parquet or JSON Lines, by the name; totals alone are printed."""
    expected = diff(*pair)
    for name in ("diff.parquet", "diff.jsonl"):
        ask(*pair, "--format", form, "--output", tmp_path / name)
        assert "keep -> drop" not in capsys.readouterr().out
    assert pq.read_table(tmp_path / "diff.parquet").equals(expected)
    lines = (tmp_path / "diff.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == expected.to_pylist()


def test_file_of_no_difference_has_the_columns(pair: tuple[str, str], tmp_path: Path) -> None:
    """A program that reads it meets the same schema."""
    ask(pair[0], pair[0], "--output", tmp_path / "diff.parquet")
    assert pq.read_table(tmp_path / "diff.parquet").equals(DIFFERENCES.empty_table())


def test_text_of_a_crawl_does_nothing_to_a_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Escapes come out as letters, and brackets are no markup."""
    url = "https://a.example/\x1b[2J[red]\n"
    row = {"url": url, "url_host_registered_domain": "a\x1b[2J[red]"}
    ask(dataset(tmp_path / "old", [row]), dataset(tmp_path / "new", [{**row, **LISTED}]))
    said = capsys.readouterr().out
    assert "\x1b" not in said
    assert r"https://a.example/\x1b[2J[red]\n" in said
    assert r"a\x1b[2J[red]" in said


def test_file_of_another_name_is_refused(pair: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    """Before anything is read."""
    with pytest.raises(OutputError, match=r"--output diff\.csv: the name must end in \.parquet or \.jsonl"):
        ask(*pair, "--output", "diff.csv")
    assert capsys.readouterr().out == ""


def test_directory_without_a_dataset_is_refused(pair: tuple[str, str], tmp_path: Path) -> None:
    """Nothing is written."""
    with pytest.raises(InputError, match="holds no finished dataset"):
        ask(pair[0], tmp_path, "--output", tmp_path / "diff.jsonl")
    assert not (tmp_path / "diff.jsonl").exists()


def test_two_builds_of_a_crawl_differ_by_their_list(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """From `curate` to the words: the list takes out the witness, and its copy survives in its place."""
    text = " ".join(f"word{number}" for number in range(80))
    rows = [
        {"id": "first", "url": "https://pirate.example/1", "text": text + " longest"},
        {"id": "copy", "url": "https://good.example/2", "text": text},
        {"id": "other", "url": "https://good.example/3", "text": "Something else altogether."},
    ]
    write_jsonl(tmp_path / "crawl.jsonl", rows)
    config = write_config(tmp_path / "c.yaml", {"crawl": {"name": "demo", "files": ["crawl.jsonl"]}})
    (tmp_path / "pirates.txt").write_text("pirate.example\n")
    lists = [{"name": "pirates", "path": str(tmp_path / "pirates.txt"), "category": "piracy"}]
    old, new = tmp_path / "old", tmp_path / "new"
    assert run("curate", config, "--output", old, "--quiet") == 0
    option = f"--set=sources.blocklists={json.dumps(lists)}"
    assert run("curate", config, "--output", new, "--quiet", option) == 0
    capsys.readouterr()
    ask(old, new, "--format", "json")
    first, *found = map(json.loads, capsys.readouterr().out.splitlines())
    ids = {row["record_id"]: row["doc_id"] for row in found}
    assert {row["record_id"]: row["why"] for row in found} == {
        "first": f"keep -> drop by blocklist; witness none -> {ids['copy']} by near; "
        "came: blocklist (drop) of pirates: pirate.example, near_duplicate (drop)",
        "copy": f"drop by near_duplicate -> keep; witness {ids['first']} by near -> none; "
        "came: taint (flag); went: near_duplicate (drop)",
    }
    totals = first["totals"]
    assert totals["domains"] == [
        {"domain": "good.example", "lost": 0, "gained": 1},
        {"domain": "pirate.example", "lost": 1, "gained": 0},
    ]
    assert [one["name"] for one in totals["lists"]] == ["blocklist pirates (piracy)"]
    assert {one["name"] for one in totals["config"]} >= {"sources.blocklists.pirates.path"}
    assert totals["versions"] == []
