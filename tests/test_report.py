"""`cleartitle report`: what the manifest says, for people."""

import json
from pathlib import Path
from typing import Any

import pytest

from beam_jobs import cli
from beam_jobs.console.report import print_report
from tests.jobs import letter, manifest, run, write_config, write_jsonl
from tests.test_summary import MANIFEST as SUMMED

LONG = "https://a.example/" + "x" * 200
GROUP = {
    "id": "0123abcd",
    "documents": 12345,
    "samples": [
        {"doc_id": "d0", "url": LONG, "build": None},
        {"doc_id": "d1", "url": None, "build": "b2"},
        {"doc_id": "d2", "url": "https://a.example/[bold]:smile:\x1b[2J", "build": None},
    ],
}
MANIFEST: dict[str, Any] = SUMMED | {
    "duplicates": SUMMED["duplicates"]
    | {
        "survivor_policy": "longest, earliest",
        "verify": "jaccard",
        "threshold": 0.7,
        "ngram": 5,
        "bands": 25,
        "rows": 5,
        "against": [],
        "overlap": None,
        "within": True,
        "largest_clusters": [GROUP],
        "largest_texts": [],
    },
    "sources": [],
    "register": {},
    "takedowns": [],
    "rights_basis": {"crawl": 2000},
    "sources_by_loss": [
        {"source": "[bold]spam.example\x1b", "records": 2000, "dropped": 1998, "share": 0.999},
        {"source": "fine.example", "records": 1000, "dropped": 1, "share": 0.001},
    ],
}

DETAILS = f"""\
/data/dataset

how duplicates were found
┌───────────┬──────────────────────────────┐
│ survivor  │ longest, earliest            │
│ signature │ 25 bands x 5 rows of 5-grams │
│ threshold │ 0.7 by jaccard               │
└───────────┴──────────────────────────────┘

pairs that become candidates
┏━━━━━━━━━━━━┳━━━━━━━━┓
┃ similarity ┃  share ┃
┡━━━━━━━━━━━━╇━━━━━━━━┩
│ 0.5        │  54.8% │
│ 0.7        │  99.0% │
│ 1.0        │ 100.0% │
└────────────┴────────┘

largest clusters
  12,345 documents  0123abcd
    {LONG}
    d1  (build b2)
    https://a.example/[bold]:smile:\\x1b[2J

sources that lost most
┏━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━┳━━━━━━━━━┳━━━━━━━┓
┃ source                 ┃ documents ┃ dropped ┃ share ┃
┡━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━╇━━━━━━━━━╇━━━━━━━┩
│ [bold]spam.example\\x1b │     2,000 │   1,998 │ 99.9% │
│ fine.example           │     1,000 │       1 │  0.1% │
└────────────────────────┴───────────┴─────────┴───────┘
"""


@pytest.fixture(autouse=True)
def width(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


def report(capsys: pytest.CaptureFixture[str], **duplicates: Any) -> str:
    print_report(MANIFEST | {"duplicates": MANIFEST["duplicates"] | duplicates}, "/data/dataset")
    return "".join(f"{line.rstrip()}\n" for line in capsys.readouterr().out.splitlines())


def test_report_is_the_summary_and_then_the_details(capsys: pytest.CaptureFixture[str]) -> None:
    """URLs come out whole, and nothing from the crawl is markup or moves the cursor."""
    out = report(capsys)
    assert out.startswith("demo  build 0123456789abcdef\n┌")
    assert out[out.index("/data/dataset") :] == DETAILS


def test_report_names_the_stores_that_the_crawl_was_compared_with(capsys: pytest.CaptureFixture[str]) -> None:
    """And what was done with what they have too."""
    against = [{"build": "b1", "records": 5000}, {"build": "measured-b2", "records": 7}]
    out = report(capsys, against=against, overlap="report", within=False)
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in out.splitlines() if line.startswith("│")]
    assert [row for row in rows if row[0] in ("against", "overlap", "within the crawl")] == [
        ["against", "b1, 5,000 documents"],
        ["against", "measured-b2, 7 documents"],
        ["overlap", "report"],
        ["within the crawl", "not compared"],
    ]


def test_report_lists_clusters_in_which_a_bound_was_reached(capsys: pytest.CaptureFixture[str]) -> None:
    """By the id that the ledger has."""
    bounded = {"documents": 9, "clusters": 2, "samples": ["0a", "0b"]}
    out = report(capsys, bounded=bounded)
    assert "\nclusters in which a bound of comparisons was reached\n  0a\n  0b\n" in out


def test_report_leaves_out_what_there_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    """Near duplicates are off, and no document is like another."""
    print_report(
        MANIFEST
        | {"sources_by_loss": []}
        | {"duplicates": MANIFEST["duplicates"] | {"candidate_curve": None, "bands": None, "largest_clusters": []}},
        "/data/dataset",
    )
    out = capsys.readouterr().out
    assert "│ near duplicates │ off " in out
    for title in ("candidates", "largest clusters", "equal texts", "bound", "sources"):
        assert title not in out


def test_report_lists_every_list_and_the_bases_of_the_register(capsys: pytest.CaptureFixture[str]) -> None:
    """Names are not markup; a list of publishers has no category; without a register nothing is said of bases."""
    one = {"name": "[bold]ut1", "category": "warez", "sha256": "0a" * 32, "entries": 4_500_000, "matches": 17}
    two = {"name": "books", "category": None, "sha256": "0b" * 32, "entries": 9, "matches": 0}
    told = {"sources": [one, two], "register": {"entries": 3}, "rights_basis": {"crawl": 1999, "licensed": 1}}
    print_report(MANIFEST | told, "/data/dataset")
    out = capsys.readouterr().out
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in out.splitlines() if line.startswith("│")]
    assert ["[bold]ut1", "warez", "0a" * 8, "4,500,000", "17"] in rows
    assert ["books", "", "0b" * 8, "9", "0"] in rows
    assert "\ndocuments by their basis\n  crawl: 1,999\n  licensed: 1\n" in out
    print_report(MANIFEST | told | {"register": {}}, "/data/dataset")
    assert "basis" not in capsys.readouterr().out


def test_report_lists_takedowns(capsys: pytest.CaptureFixture[str]) -> None:
    """With who asked, and how many documents are out by them; what others wrote is printed safely."""
    asked = {"reference": "R-1\x1b[2J", "requested_by": "Jane [bold]", "requested_on": "2026-11-02"}
    print_report(MANIFEST | {"takedowns": [{"id": "0123456789abcdef", "records": 1200, **asked}]}, "/data/dataset")
    assert (
        "takedowns\n  0123456789abcdef  1,200 documents  R-1\\x1b[2J, Jane [bold], 2026-11-02\n"
        in capsys.readouterr().out
    )


def test_report_of_a_finished_run_repeats_its_summary(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """From the manifest alone: the data files need not be there."""
    text = " ".join(f"word{i}" for i in range(20))
    write_jsonl(tmp_path / "a.jsonl", [{"url": f"https://a.example/{i}", "text": text} for i in range(3)])
    config = write_config(
        tmp_path / "c.yaml", {"crawl": {"name": "t", "files": ["a.jsonl"]}, "alarms": {"cluster_size": 2}}
    )
    out = tmp_path / "out"
    assert run("curate", config, "--output", out) == 0
    summary = capsys.readouterr().out
    found = manifest(out)
    assert len(found["alarms"]) == 2
    for name in found["files"]:
        (out / name).unlink()
    assert cli.run(["report", str(out)]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    assert captured.out.startswith(summary)
    assert "\nlargest groups of equal texts\n  3 documents  " in captured.out.removeprefix(summary)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "holds no finished dataset: there is no manifest.json in it.\nName the output directory"),
        ("{", "manifest.json cannot be read: "),
        ("[]", "manifest.json is no manifest of a dataset: it has no `format_version`."),
        ('{"name": "a web app"}', "manifest.json is no manifest of a dataset: it has no `format_version`."),
        ('{"format_version": 1}', "manifest.json is of format 1; this version of cleartitle reads format 4."),
    ],
)
def test_directory_without_a_dataset_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str | None, words: str
) -> None:
    """Exit code 2 and a letter, also for what another program or another version wrote."""
    if content is not None:
        (tmp_path / "manifest.json").write_text(content)
    assert cli.run(["report", str(tmp_path)]) == 2
    assert words in letter(capsys)


def test_path_that_does_not_exist_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As is a run that was not finished, and a file in the place of the directory."""
    write_jsonl(tmp_path / "file", [])
    (tmp_path / "begun" / "_work").mkdir(parents=True)
    for name in ("missing", "begun", "file"):
        assert cli.run(["report", str(tmp_path / name)]) == 2
        assert letter(capsys).startswith(f"{tmp_path / name} holds no finished dataset")


def test_manifest_survives_a_round_trip_through_json() -> None:
    """The test's manifest is of types that a file can hold."""
    assert json.loads(json.dumps(MANIFEST)) == MANIFEST
