"""`cleartitle curate` through its real main: what it decides, and that its books balance."""

import re
from pathlib import Path

import pytest

from tests.jobs import assert_books_balance, digests, ledger, manifest, run, table, write_config, write_jsonl

WORDS = re.findall(
    r"\w+", "the code of procedure says that an action shall be begun by filing a complaint with the clerk"
)
LONG = " ".join(f"{word}{i}" for i in range(10) for word in WORDS)
NEAR = LONG.replace("complaint4", "petition")
OTHER = " ".join(f"{word}{i}" for i in range(50, 60) for word in reversed(WORDS))


@pytest.fixture
def crawl(tmp_path: Path) -> Path:
    """A crawl in which every rule fires once."""
    rows = [
        {"id": "original", "url": "https://good.example/a", "text": LONG, "time": "2024-01-02"},
        {"id": "exact", "url": "https://mirror.example/a", "text": f"  {LONG.replace(' ', '  ')}\n"[:-1]},
        {"id": "near", "url": "https://notes.example/a", "text": NEAR},
        {"id": "blocked", "url": "https://books.pirate.example/x", "text": OTHER},
        {"id": "tainted", "url": "https://innocent.example/x", "text": OTHER},
        {"id": "same-url", "url": "http://good.example/a#top", "text": "short and new"},
        {"id": "empty", "url": "https://good.example/empty", "text": " \n "},
        {"id": "null", "url": "https://good.example/null", "text": None},
        {"id": "unlike", "url": "https://notpirate.example/x", "text": "nothing like the others at all"},
        {"id": "allowed", "url": "https://ok.pirate.example/", "text": "let in although its parent is listed"},
    ]
    write_jsonl(tmp_path / "crawl.jsonl", rows)
    (tmp_path / "pirates.txt").write_text("# pirates\npirate.example\n")
    config = {
        "crawl": {"name": "test", "files": ["crawl.jsonl"], "columns": {"fetch_time": "time"}},
        "sources": {
            "blocklists": [{"name": "pirates", "path": "pirates.txt", "format": "domains", "category": "piracy"}],
            "allow": ["ok.pirate.example"],
        },
    }
    return write_config(tmp_path / "config.yaml", config)


def test_every_rule_fires_with_its_evidence(crawl: Path, tmp_path: Path) -> None:
    """One row a rule: decision, reason, witness and how it repeats it."""
    assert run("curate", crawl, "--output", tmp_path / "out") == 0
    rows = ledger(tmp_path / "out")
    found = {name: (row["decision"], row["reason"], row["duplicate_kind"]) for name, row in rows.items()}
    # The longest survives, and the exact copy has more blanks.
    assert found == {
        "original": ("drop", "exact_duplicate", "exact"),
        "exact": ("keep", None, None),
        "near": ("drop", "near_duplicate", "near"),
        "blocked": ("drop", "blocklist", "exact"),
        "tainted": ("keep", None, None),
        "same-url": ("keep", None, None),
        "empty": ("drop", "empty_text", None),
        "null": ("drop", "empty_text", None),
        "unlike": ("keep", None, None),
        "allowed": ("keep", None, None),
    }
    assert rows["near"]["duplicate_of"] == rows["exact"]["doc_id"]
    assert rows["near"]["similarity"] >= 0.7
    assert rows["original"]["similarity"] == 1.0
    assert_books_balance(tmp_path / "out")


def test_marks_carry_list_digest_entry_and_line(crawl: Path, tmp_path: Path) -> None:
    """A blocked row says by which line of which file; the tainted one names the blocked document."""
    assert run("curate", crawl, "--output", tmp_path / "out") == 0
    rows = ledger(tmp_path / "out")
    source, allow = manifest(tmp_path / "out")["sources"]
    block = rows["blocked"]["marks"][0]
    assert {k: v for k, v in block.items() if v is not None} == {
        "rule": "blocklist",
        "action": "drop",
        "list": "pirates",
        "list_sha256": source["sha256"],
        "category": "piracy",
        "line": 2,
        "matched": "pirate.example",
    }
    (taint,) = rows["tainted"]["marks"]
    assert (taint["rule"], taint["action"], taint["evidence"]) == ("taint", "flag", rows["blocked"]["doc_id"])
    assert [(m["rule"], m["action"]) for m in rows["allowed"]["marks"]] == [("blocklist", "flag"), ("allowed", "flag")]
    assert (source["name"], source["entries"], source["matches"]) == ("pirates", 1, 2)
    assert (allow["name"], allow["kind"], allow["entries"], allow["matches"]) == ("allow", "allowlist", 1, 1)


def test_taint_drop_takes_the_copy_of_a_blocked_document_out(crawl: Path, tmp_path: Path) -> None:
    """With `taint: drop` the pirated text is nowhere in the dataset."""
    assert run("curate", crawl, "--output", tmp_path / "out", "--set", "dedup.taint=drop") == 0
    assert ledger(tmp_path / "out")["tainted"]["reason"] == "taint"
    assert OTHER not in [row["text"] for row in table(tmp_path / "out", "documents")]
    assert_books_balance(tmp_path / "out")


def test_same_url_keeps_one_capture(tmp_path: Path) -> None:
    """Two texts under one URL: the survivor is chosen by the policy, the other names it and claims no similarity."""
    rows = [
        {"id": "old", "url": "https://a.example/p", "text": "first words", "t": "2020-01-01T00:00:00Z"},
        {"id": "new", "url": "http://a.example/p#x", "text": "other words than before", "t": "2024-01-01T00:00:00Z"},
    ]
    write_jsonl(tmp_path / "crawl.jsonl", rows)
    crawl = {"name": "t", "files": ["crawl.jsonl"], "columns": {"fetch_time": "t"}}
    config = write_config(tmp_path / "c.yaml", {"crawl": crawl, "dedup": {"survivor": ["earliest"]}})
    assert run("curate", config, "--output", tmp_path / "out") == 0
    new = ledger(tmp_path / "out")["new"]
    assert (new["reason"], new["duplicate_kind"], new["similarity"]) == ("same_url", "url", None)
    assert new["duplicate_of"] == ledger(tmp_path / "out")["old"]["doc_id"]
    assert run("curate", config, "--output", tmp_path / "latest", "--set", "dedup.survivor=[latest]") == 0
    assert ledger(tmp_path / "latest")["old"]["reason"] == "same_url"


def test_kinds_of_duplicates_can_be_turned_off(crawl: Path, tmp_path: Path) -> None:
    """`null` turns a kind off, and then nothing is dropped for it."""
    off = ["--set", "dedup.near=null", "--set", "dedup.exact=null", "--set", "dedup.url=null"]
    assert run("curate", crawl, "--output", tmp_path / "out", *off) == 0
    assert assert_books_balance(tmp_path / "out")["dropped_by"] == {"blocklist": 1, "empty_text": 2}


def test_output_is_the_same_for_any_workers_passes_and_place(crawl: Path, tmp_path: Path) -> None:
    """One worker or three, threads or one at a time, one pass or many, here or elsewhere: the same bytes."""
    assert run("curate", crawl, "--output", tmp_path / "one") == 0
    expected = digests(tmp_path / "one")
    elsewhere = tmp_path / "moved"
    elsewhere.mkdir()
    for name in ("crawl.jsonl", "pirates.txt", "config.yaml"):
        (elsewhere / name).write_bytes((tmp_path / name).read_bytes())
    variants = {
        "three": ["--", "--direct_num_workers=3"],
        "memory": ["--", "--direct_running_mode=in_memory", "--direct_num_workers=1"],
        "passes": ["--set", "run.shuffle_memory=1"],
    }
    for name, arguments in variants.items():
        assert run("curate", crawl, "--output", tmp_path / name, *arguments) == 0
        assert digests(tmp_path / name) == expected, name
    assert run("curate", elsewhere / "config.yaml", "--output", tmp_path / "there") == 0
    assert digests(tmp_path / "there") == expected


def test_carried_columns_reach_documents(tmp_path: Path) -> None:
    """Columns named in `carry` stand in documents under their own names."""
    write_jsonl(tmp_path / "c.jsonl", [{"id": 7, "text": "some text", "lang": "en", "score": 3}])
    config = write_config(
        tmp_path / "c.yaml", {"crawl": {"name": "t", "files": ["c.jsonl"], "carry": ["lang", "score"]}}
    )
    assert run("curate", config, "--output", tmp_path / "out") == 0
    (row,) = table(tmp_path / "out", "documents")
    assert (row["record_id"], row["lang"], row["score"]) == ("7", "en", "3")


def test_stages_alone_make_the_same_dataset(crawl: Path, tmp_path: Path) -> None:
    """measure, decide and publish by hand, against curate."""
    assert run("measure", crawl, "--output", tmp_path / "m") == 0
    assert run("decide", crawl, "--measured", tmp_path / "m", "--output", tmp_path / "d") == 0
    stores = ["--measured", tmp_path / "m", "--decided", tmp_path / "d"]
    assert run("publish", crawl, *stores, "--output", tmp_path / "p") == 0
    assert run("curate", crawl, "--output", tmp_path / "c") == 0
    assert digests(tmp_path / "p") == digests(tmp_path / "c")
    assert sorted(path.name for path in (tmp_path / "p").iterdir()) == [
        "documents",
        "fingerprints",
        "index_keys",
        "index_urls",
        "ledger",
        "manifest.json",
        "rejected",
    ]


def test_another_threshold_does_not_measure_again(crawl: Path, tmp_path: Path) -> None:
    """A kept work directory serves the next decision; the measured files are not touched."""
    work = tmp_path / "work"
    assert run("measure", crawl, "--output", work) == 0
    before = {path: path.stat().st_mtime_ns for path in work.iterdir()}
    for name, threshold in (("a", 0.7), ("b", 0.99)):
        change = ["--set", f"dedup.near.threshold={threshold}"]
        assert run("decide", crawl, "--measured", work, "--output", tmp_path / f"d{name}", *change) == 0
        stores = ["--measured", work, "--decided", tmp_path / f"d{name}"]
        assert run("publish", crawl, *stores, "--output", tmp_path / name, *change) == 0
    assert {path: path.stat().st_mtime_ns for path in work.iterdir()} == before
    assert ledger(tmp_path / "a")["near"]["decision"] == "drop"
    assert ledger(tmp_path / "b")["near"]["decision"] == "keep"
