"""What the benchmark of questions asks, how it measures, and its table; all on a few rows."""

import doctest
import json
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from benchmarks import lineage
from benchmarks.grow_dataset import grow_dataset
from benchmarks.lineage import CHANGED, Cost, draw_questions, main, measure, plant_isbns, prepare
from benchmarks.runs import Run
from benchmarks.warm_lookups import time_lookups
from lineage.catalog import open_dataset
from lineage.lookups.look_up import lookup
from tests.grown_base import make_base

QUERIES = 6


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("grown")
    grow_dataset(make_base(place), place / "old", 200)
    return place / "old"


@pytest.fixture(scope="module")
def questions(grown: Path) -> dict[str, list[dict[str, str]]]:
    return draw_questions(open_dataset(str(grown)), QUERIES)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that are run, which cost 1 s, 2 s, 3 s … and as many MiB."""
    commands: list[list[str]] = []

    def run(*words: object) -> Run:
        commands.append([str(word) for word in words[3:]])
        if "benchmarks.warm_lookups" in words:
            Path(str(words[-1])).write_text(json.dumps([0.5, 0.25]))
        if "--output" in words and "takedown" in words:
            Path(str(words[-1])).mkdir()
        return Run(len(commands), len(commands) << 20)

    monkeypatch.setattr(lineage, "run", run)
    return commands


# What is asked


def test_questions_are_of_documents_that_are_there(grown: Path, questions: dict[str, list[dict[str, str]]]) -> None:
    """Each kind finds something; the two ISBNs are all that there are."""
    assert {kind: len(queries) for kind, queries in questions.items()} == {
        **dict.fromkeys(("url", "url prefix", "domain", "doc_id", "record_id", "text", "edited text"), QUERIES),
        "isbn": 2,
    }
    for kind, queries in questions.items():
        found = lookup(str(grown), queries=queries, crawl=False)
        assert all(found["found"].to_pylist()), kind


def test_questions_are_the_same_every_time(grown: Path, questions: dict[str, list[dict[str, str]]]) -> None:
    """Whoever measures again measures the same."""
    assert draw_questions(open_dataset(str(grown)), QUERIES) == questions


def test_edited_texts_are_about_as_similar_as_stated(grown: Path, questions: dict[str, list[dict[str, str]]]) -> None:
    """None is equal to its text, and all reach the threshold."""
    found = lookup(str(grown), queries=questions["edited text"], crawl=False)
    best = [max(row["similarity"] for row in found.to_pylist() if row["query"] == query) for query in range(QUERIES)]
    assert max(best) < 1
    assert np.mean(best) == pytest.approx(0.8, abs=0.05)


def test_every_hundredth_document_gets_an_isbn_of_its_own(tmp_path: Path) -> None:
    """Over all files; ids and the other texts stay."""
    for number, rows in enumerate((150, 60)):
        columns = {
            "id": pa.array(map(str, range(rows))),
            "text": pa.array([f"t{n}" for n in range(rows)], pa.large_string()),
        }
        (tmp_path / "crawl").mkdir(exist_ok=True)
        pq.write_table(pa.table(columns), tmp_path / "crawl" / f"crawl-{number}.parquet")
    plant_isbns(tmp_path / "crawl", tmp_path / "planted")
    texts = [
        text for n in (0, 1) for text in pq.read_table(tmp_path / "planted" / f"crawl-{n}.parquet")["text"].to_pylist()
    ]
    assert [number for number, text in enumerate(texts) if "ISBN" in text] == [0, 100, 200]
    assert texts[:2] == ["t0\nISBN 9780000000002", "t1"]
    assert len({text[-13:] for text in texts if "ISBN" in text}) == 3


def test_datasets_are_made_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A crawl, its dataset, and two grown ones; the next call finds them."""
    calls: list[tuple[object, ...]] = []

    def grow(source: Path, target: Path, *how: object) -> None:
        calls.append((source.parent.name, target.name, *how))
        target.mkdir(parents=True)

    def curate(*words: object, threads: int) -> None:
        calls.append(words[:1])
        directory = Path(str(words[3]))
        directory.mkdir()
        (directory / "manifest.json").write_text("{}")

    monkeypatch.setattr(lineage, "run_cleartitle", curate)
    monkeypatch.setattr(lineage, "grow_dataset", grow)
    base = tmp_path / "base.jsonl"
    rows = [{"id": f"d{row}", "text": " ".join(f"w{row}x{place}" for place in range(60))} for row in range(20)]
    base.write_text("".join(json.dumps(row) + "\n" for row in rows))
    expected = (tmp_path / "lineage-30-90" / "old", tmp_path / "lineage-30-90" / "new")
    assert prepare(tmp_path, 90, 30, base) == prepare(tmp_path, 90, 30, base) == expected
    assert calls == [("curate",), ("lineage-30", "old", 90, 1, 0.0), ("lineage-30", "new", 90, 1, CHANGED)]
    assert len(pq.read_table(tmp_path / "lineage-30" / "crawl")) == 30
    assert capsys.readouterr().out.count("Growing a dataset of 90 rows") == 2


# How it is measured


def test_open_process_times_each_query(grown: Path, questions: dict[str, list[dict[str, str]]], tmp_path: Path) -> None:
    """One after the other; a query that finds nothing would measure nothing, so it is an error."""
    (tmp_path / "q.jsonl").write_text("".join(json.dumps(query) + "\n" for query in questions["url"]))
    seconds = time_lookups(str(grown), tmp_path / "q.jsonl")
    assert len(seconds) == QUERIES
    assert min(seconds) > 0
    (tmp_path / "q.jsonl").write_text('{"url": "https://nobody.example/"}\n')
    with pytest.raises(ValueError, match="this finds nothing"):
        time_lookups(str(grown), tmp_path / "q.jsonl")


def test_commands_are_those_that_a_user_types(grown: Path, asked: list[list[str]]) -> None:
    """Each verb on the dataset, lookups of each kind five times, a takedown first as a dry run."""
    costs = dict(measure(lineage.VERBS, grown, grown.parent / "new", QUERIES))
    words = [" ".join(command) for command in asked]
    assert len([line for line in words if line.startswith(f"lookup {grown} --queries")]) == 7 * 5 + 2 + 1
    assert len([line for line in words if line.startswith(str(grown))]) == 8  # processes that have it open
    assert [line.split()[0] for line in words[-5:]] == ["diff", "diff", "takedown", "takedown", "verify"]
    assert words[-3].startswith(f"takedown {grown} --request")
    assert words[-3].endswith(" --dry-run")
    assert " --output " in words[-2]
    assert list(costs)[-6:] == [
        "1,000 lookups in a file",
        "diff, totals and 20 documents",
        "diff, all documents",
        "takedown, dry run",
        "takedown",
        "verify",
    ]
    # The first six commands are an open process and five lookups by URL.
    assert costs["lookup by url"] == Cost(Run(4, 6 << 20), [0.5, 0.25], 1 << 20)
    assert {path.name for path in grown.parent.iterdir()} >= {"old"}
    assert not [path for path in grown.parent.iterdir() if path.name.startswith("tmp")]


def test_takedown_asks_for_one_domain(grown: Path, asked: list[list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    """The request is one that the command takes: the dry run is run."""
    requests: list[dict[str, Any]] = []
    recorded = lineage.run

    def run(*words: object) -> Run:
        requests.append(yaml.safe_load(Path(str(words[words.index("--request") + 1])).read_text()))
        return recorded(*words)

    monkeypatch.setattr(lineage, "run", run)
    list(lineage.measure_takedown(grown, "host1.co.uk"))
    assert [request["selectors"] for request in requests] == [{"domains": ["host1.co.uk"]}] * 2


def test_only_chosen_verbs_are_measured(grown: Path, asked: list[list[str]]) -> None:
    """And nothing else is run."""
    assert list(dict(measure(["verify"], grown, grown, QUERIES))) == ["verify"]
    assert [command[0] for command in asked] == ["verify"]


# The table


def test_examples_run() -> None:
    """The table, and the check digit."""
    assert doctest.testmod(lineage).failed == 0


def test_main_prints_a_line_for_each_question(
    grown: Path, asked: list[list[str]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Under the header; what fails ends it with a letter."""
    monkeypatch.setattr(lineage, "prepare", lambda *_: (grown, grown))
    monkeypatch.setattr(sys, "argv", ["lineage", "--verbs", "diff", "--queries", "2"])
    main()
    lines = capsys.readouterr().out.splitlines()
    assert "\n".join(lines[:2]) == lineage.HEADER
    assert re.fullmatch(r"diff, totals and 20 documents +1\.00 +1", lines[2])
    assert len(lines) == 4

    def fail(*_: object) -> None:
        raise RuntimeError("diff failed with 1")

    monkeypatch.setattr(lineage, "run", fail)
    with pytest.raises(SystemExit, match="diff failed with 1"):
        main()
