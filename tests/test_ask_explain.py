"""`cleartitle explain` on real datasets: what it prints, and that its advice is true."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from beam_jobs.ask.explain import explain_command
from lineage.explanations.explain import explain, explain_facts
from schemas.errors import InputError
from tests.jobs import ledger, run, write_config, write_jsonl

Row = dict[str, Any]


def text(name: str, words: int = 80) -> str:
    return " ".join(f"{name}{number}" for number in range(words))


def document(record_id: str, content: str, url: str, time: str | None = None) -> Row:
    return {"id": record_id, "text": content, "url": url, "time": time}


NOTICE = "\n© 2019 Harper & Daughters"
OLD = [document("old", text("old"), "https://old.example/")]
NEW = [
    document("kept", text("alpha") + NOTICE, "https://a.example/kept", "2026-01-02T03:04:05Z"),
    document("near", text("alpha") + " end", "https://b.example/near\x1b[2J", "2026-01-02T03:04:05Z"),
    document("exact", text("alpha") + NOTICE, "https://c.example/exact"),
    document("url", text("beta"), "https://a.example/kept"),
    document("pirate", text("gamma") + " long long", "https://lib.pirate.example/book"),
    document("tainted", text("gamma"), "https://d.example/book"),
    document("stamped", text("delta") + " stolen by nobody", "https://e.example/"),
    document("empty", " ", "https://f.example/"),
    document("again", text("old") + " more", "https://g.example/"),
    document("both", text("alpha") + " ISBN 978-0-13-110362-7", "https://i.example/"),
]
DECIDED = {
    "kept": ("keep", None),
    "near": ("drop", "near_duplicate"),
    "exact": ("drop", "exact_duplicate"),
    "url": ("drop", "same_url"),
    "pirate": ("drop", "blocklist"),
    "tainted": ("drop", "taint"),
    "stamped": ("quarantine", "pirated_marker"),
    "empty": ("drop", "empty_text"),
    "again": ("drop", "near_duplicate"),
    "both": ("drop", "near_duplicate"),
}


@pytest.fixture(scope="module")
def crawl(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A crawl of which every rule takes something out, measured and as a dataset, made against an older one."""
    place = tmp_path_factory.mktemp("crawl")
    write_jsonl(place / "old.jsonl", OLD)
    write_jsonl(place / "new.jsonl", NEW)
    (place / "pirates.txt").write_text("# hosts\npirate.example\n")
    (place / "stamps.txt").write_text("stolen by nobody\n")
    columns = {"fetch_time": "time"}
    old = {"crawl": {"name": "old", "files": ["old.jsonl"], "columns": columns}}
    new = {
        "crawl": {"name": "new", "files": ["new.jsonl"], "columns": columns},
        "sources": {
            "blocklists": [{"name": "pirates", "path": "pirates.txt", "category": "piracy"}],
            "markers": [{"name": "stamps", "path": "stamps.txt", "category": "stamp"}],
        },
        "policy": {"signals": {"pirated_marker": "quarantine", "copyright_notice": "flag", "isbn": "quarantine"}},
        "dedup": {"taint": "drop", "against": ["old"]},
    }
    assert run("curate", write_config(place / "old.yaml", old), "--output", place / "old", "--quiet") == 0
    work = ("--work", place / "work")
    assert run("curate", write_config(place / "new.yaml", new), "--output", place / "new", "--quiet", *work) == 0
    return place


@pytest.fixture(scope="module")
def rows(crawl: Path) -> dict[str, Row]:
    return ledger(crawl / "new")


def printed(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """What the command writes to stdout."""
    explain_command.main([str(argument) for argument in arguments], standalone_mode=False)
    return capsys.readouterr().out


def ways(crawl: Path, row: Row) -> list[str]:
    """All ways of all changes of a document."""
    found = [way for change in explain_facts(str(crawl / "new"), row["doc_id"]).changes for way in change.ways]
    assert found
    return found


def decide(crawl: Path, output: Path, settings: list[str]) -> dict[str, tuple[str, str | None]]:
    """Decision and reason of each document under other settings."""
    command = ["decide", crawl / "new.yaml", "--measured", crawl / "work" / "measured", "--output", output, "--quiet"]
    assert run(*command, *(f"--set={setting}" for setting in settings)) == 0
    found = pq.read_table(sorted(output.glob("part-*.parquet"))[0]).to_pylist()
    return {row["record_id"]: (row["decision"], row["reason"]) for row in found}


def test_documents_are_decided_as_the_tests_below_take_them(rows: dict[str, Row]) -> None:
    """What follows explains these."""
    assert {name: (row["decision"], row["reason"]) for name, row in rows.items()} == DECIDED


@pytest.mark.parametrize(
    ("settings", "lifted"),
    [
        (
            ["dedup.near.threshold=0.99", "policy.signals.pirated_marker=flag", "policy.signals.isbn=flag"],
            {"near": None, "again": None, "both": None, "stamped": None},
        ),
        (["dedup.near.threshold=0.99"], {"both": "isbn"}),
        (
            ["dedup.url=null", "dedup.taint=flag", "policy.categories.stamp=flag"],
            {"url": None, "tainted": None, "stamped": None},
        ),
        (["sources.allow=[lib.pirate.example]", "dedup.overlap=report"], {"pirate": None, "again": None}),
        (
            ["dedup.survivor=flag", "policy.categories.piracy=flag", "policy.signals.isbn=flag"],
            {"near": None, "exact": None, "url": None, "again": None, "pirate": None, "both": None},
        ),
        (["dedup.survivor=[shortest]"], {"url": None}),
    ],
    ids=lambda value: " ".join(value),
)
def test_what_is_said_to_lift_a_mark_does(
    crawl: Path, rows: dict[str, Row], tmp_path: Path, settings: list[str], lifted: dict[str, str | None]
) -> None:
    """The explanation names each key, and decide under it says otherwise: kept, or quarantined by what is left."""
    found = decide(crawl, tmp_path / "decided", settings)
    for name, reason in lifted.items():
        assert found[name] == (("quarantine" if reason else "keep"), reason)
    words = {name: " ".join(ways(crawl, rows[name])) for name in lifted}
    for key in (setting.split("=")[0] for setting in settings):
        assert [name for name in lifted if f"`{key}`" in words[name]], key


def test_equal_texts_stay_duplicates_without_exact_alone(crawl: Path, tmp_path: Path) -> None:
    """Which is why the explanation names `dedup.near` beside `dedup.exact`."""
    assert decide(crawl, tmp_path / "decided", ["dedup.exact=null"])["exact"] == ("drop", "near_duplicate")


def test_what_is_said_to_take_a_kept_document_out_does(crawl: Path, rows: dict[str, Row], tmp_path: Path) -> None:
    """Its flag made to drop, and each setting against what it has no mark for."""
    facts = explain_facts(str(crawl / "new"), rows["kept"]["doc_id"])
    keys = re.findall(r"`(policy\.[^`]+)`", " ".join([*facts.settings, *facts.changes[0].ways]))
    assert keys == ["policy.signals.unlicensed", "policy.signals.copyright_notice"]
    for number, key in enumerate(keys):
        found = decide(crawl, tmp_path / str(number), [f"{key}=drop"])
        assert found["kept"] == ("drop", key.rpartition(".")[2])


def test_page_is_printed_with_headings(crawl: Path, rows: dict[str, Row], capsys: pytest.CaptureFixture[str]) -> None:
    """The page of the Python API, wrapped; hostile URLs are harmless."""
    out = printed(capsys, crawl / "new", rows["near"]["doc_id"])
    assert out.startswith("decision\n  Dropped: its text is not in the dataset.\n  Reason `near_duplicate`: The simil")
    assert "\n\norigin\n  doc_id " in out
    assert "url `https://b.example/near\\x1b[2J`\n" in out
    assert "\x1b" not in out
    statements = [row["text"] for row in explain(str(crawl / "new"), rows["near"]["doc_id"]).to_pylist()]
    assert [word for statement in statements for word in statement.split()] == [
        word for line in out.splitlines() if line.startswith(" ") for word in line.split()
    ]


def test_json_is_one_object(crawl: Path, rows: dict[str, Row], capsys: pytest.CaptureFixture[str]) -> None:
    """With the ledger row as it is, and what was looked up beside it."""
    (line,) = printed(capsys, crawl / "new", rows["near"]["doc_id"].upper(), "--format", "json").splitlines()
    facts = json.loads(line)
    assert facts["document"].keys() == rows["near"].keys()
    assert facts["document"]["url"] == "https://b.example/near\x1b[2J"
    assert facts["document"]["marks"] == rows["near"]["marks"]
    assert facts["witness"]["doc_id"] == rows["kept"]["doc_id"]
    assert facts["witness"]["loss"]["by"] == "longest"


def test_index_finds_witness_cluster_and_followers(crawl: Path, rows: dict[str, Row]) -> None:
    """The real index, not the one of hand-made datasets."""
    facts = explain_facts(str(crawl / "new"), rows["kept"]["doc_id"])
    assert facts.followers.counts == {"exact": 1, "near": 2, "url": 1}
    members = [row["doc_id"] for row in rows.values() if row["cluster_id"] == rows["kept"]["cluster_id"]]
    assert sorted(one["doc_id"] for one in facts.cluster.first) == sorted(members)
    assert sum(facts.cluster.counts.values()) == rows["kept"]["cluster_size"]
    assert explain_facts(str(crawl / "new"), rows["both"]["doc_id"]).witness.loss.own == ["isbn"]


def test_witness_of_an_earlier_build_is_named_with_its_dataset(crawl: Path, rows: dict[str, Row]) -> None:
    """Where `dedup.against` said it was, which answers by its own ledger."""
    witness = explain_facts(str(crawl / "new"), rows["again"]["doc_id"]).witness
    assert witness.store == str(crawl / "old")
    assert witness.survives is None
    assert explain_facts(witness.store, witness.doc_id).document["record_id"] == "old"


def test_every_document_can_be_explained(crawl: Path, rows: dict[str, Row]) -> None:
    """Each page says the reason, and each that is out says how it would be in."""
    for row in rows.values():
        page = explain(str(crawl / "new"), row["doc_id"])
        said = " ".join(page["text"].to_pylist())
        assert (f"Reason `{row['reason']}`" in said) == (row["decision"] != "keep")
        assert ("it would be kept" in said) == (row["decision"] != "keep")


def test_wrong_arguments_are_letters(crawl: Path, tmp_path: Path) -> None:
    """No dataset, no such document; the command raises what the user reads."""
    for arguments, words in (
        ([tmp_path, "0" * 32], "holds no finished dataset"),
        ([crawl / "new", "0" * 32], "has the doc_id"),
        ([crawl / "new", "x"], "is no doc_id"),
    ):
        with pytest.raises(InputError, match=words):
            explain_command.main([str(argument) for argument in arguments], standalone_mode=False)


def test_explaining_never_loads_beam(crawl: Path, rows: dict[str, Row]) -> None:
    """Beam takes longer to load than the answer."""
    code = (
        "import sys; from beam_jobs.ask.explain import explain_command as c; "
        f"c.main([{str(crawl / 'new')!r}, {rows['near']['doc_id']!r}], standalone_mode=False); "
        "sys.exit('apache_beam' in sys.modules)"
    )
    root = Path(__file__).resolve().parents[1]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, stdout=subprocess.DEVNULL).returncode == 0
