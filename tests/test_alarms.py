"""Alarms end to end: what the manifest says of duplicates and sources, and how a build that looks wrong is refused."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.jobs import assert_books_balance, ledger, letter, manifest, run, table, write_config, write_jsonl
from transforms.measure.fingerprint import RULES_VERSION
from transforms.part_store import file_facts

TEXTS = [" ".join(f"text{text}word{i}" for i in range(30)) for text in range(8)]
COPIES = 5
LOW = ("alarms.cluster_size=4", "alarms.source_records=5", "alarms.source_loss=0.7", "alarms.removal_rate=0.3")
ALARMS = ("cluster_size", "source_loss", "removal_rate")


def sets(*changes: str) -> list[str]:
    return [word for change in changes for word in ("--set", change)]


def fail_on(*names: str) -> str:
    return f"alarms.fail_on=[{', '.join(names)}]"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A crawl of 20 documents, measured and decided: five of them have one text, and all of these are on one domain."""
    place = tmp_path_factory.mktemp("alarms")
    copies = [{"id": f"copy{i}", "url": f"https://spam.example/{i}", "text": TEXTS[0]} for i in range(COPIES)]
    near = [{"id": f"near{i}", "url": f"https://x.near.example/{i}", "text": f"{TEXTS[1]} {i}"} for i in range(3)]
    alone = [{"id": f"alone{i}", "url": f"https://192.0.2.{i}/", "text": TEXTS[2 + i]} for i in range(5)]
    short = [{"id": f"short{i}", "text": f"short {i % 5}"} for i in range(7)]
    for name, rows in (("a", copies), ("b", near + alone), ("c", short)):
        write_jsonl(place / f"{name}.jsonl", rows)
    (place / "d.jsonl").write_text("no JSON\n" * 100)
    write_config(place / "c.yaml", {"crawl": {"name": "t", "files": ["?.jsonl"]}})
    assert run("measure", place / "c.yaml", "--output", place / "m") == 0
    assert run("decide", place / "c.yaml", "--measured", place / "m", "--output", place / "d") == 0
    return place


def publish(place: Path, output: Path, *changes: str, decided: str = "d", resume: bool = False) -> int:
    stores = ["--measured", place / "m", "--decided", place / decided]
    options = ["--quiet", *(["--resume"] if resume else [])]
    return run("publish", place / "c.yaml", *stores, "--output", output, *options, *sets(*changes))


def published(place: Path, output: Path, *changes: str) -> dict[str, Any]:
    assert publish(place, output, *changes) == 0
    return manifest(output)


@pytest.fixture(scope="module")
def plain(place: Path) -> dict[str, Any]:
    """The manifest of the same build, published without a word about alarms."""
    return published(place, place / "plain")


def names(found: dict[str, Any]) -> list[str]:
    return [alarm["alarm"] for alarm in found["alarms"]]


def test_manifest_tells_of_duplicates_and_sources(place: Path, tmp_path: Path) -> None:
    """By which rules, how many, the largest groups with what one can look up, and who lost most."""
    found = published(place, tmp_path / "out", "alarms.source_records=5")
    rows = ledger(tmp_path / "out")
    duplicates = found["duplicates"]
    largest, texts = duplicates.pop("largest_clusters"), duplicates.pop("largest_texts")
    assert duplicates == {
        "survivor_policy": "source_priority, longest, earliest",
        "verify": "jaccard",
        "threshold": 0.7,
        "ngram": 5,
        "bands": 25,
        "rows": 5,
        "candidate_curve": {"0.5": 0.548, "0.6": 0.868, "0.7": 0.99, "0.8": 1.0, "0.9": 1.0, "1.0": 1.0},
        "against": [],
        "overlap": None,
        "within": True,
        "members": 12,
        "clusters": 4,
        "largest_cluster": 5,
        "bounded": {"documents": 0, "clusters": 0, "samples": []},
        "replaced": 0,
    }
    assert [(g["id"], g["documents"]) for g in largest[:2]] == [
        (rows["copy0"]["cluster_id"], 5),
        (rows["near0"]["cluster_id"], 3),
    ]
    assert [(g["id"], g["documents"]) for g in texts[:1]] == [(rows["copy0"]["text_digest"], 5)]
    spam = {(row["doc_id"], row["url"], None) for name, row in rows.items() if name.startswith("copy")}
    for group in (largest[0], texts[0]):
        assert {tuple(sample[k] for k in ("doc_id", "url", "build")) for sample in group["samples"]} < spam
    assert found["sources_by_loss"] == [
        {"source": "spam.example", "records": 5, "dropped": 4, "share": 0.8},
        {"source": "c.jsonl", "records": 7, "dropped": 2, "share": 2 / 7},
    ]
    assert found["fingerprint"] == {"rules": RULES_VERSION, "near": {"ngram": 5, "bands": 25, "rows": 5}}
    assert (found["format_version"], found["alarms"]) == (4, [])
    assert_books_balance(tmp_path / "out")


def test_fingerprints_are_files_of_the_dataset(place: Path, plain: dict[str, Any]) -> None:
    """With size, rows and SHA-256; there is no `replaced/` without earlier stores."""
    folders = {name.split("/")[0] for name in plain["files"]}
    assert folders == {"documents", "ledger", "rejected", "fingerprints", "index_keys", "index_urls"}
    for name, facts in plain["files"].items():
        assert file_facts(str(place / "plain" / name)).items() < facts.items()
    rows, prints = (table(place / "plain", folder) for folder in ("ledger", "fingerprints"))
    assert [row["doc_id"].hex() for row in prints] == [row["doc_id"] for row in rows]


@pytest.mark.parametrize(
    ("limits", "raised"),
    [
        ((4, 0.79, 0.39), {"cluster_size": 5, "source_loss": 0.8, "removal_rate": 0.4}),
        ((5, 0.8, 0.4), {}),
    ],
    ids=["above", "at"],
)
def test_alarm_is_raised_above_its_limit_and_not_at_it(
    place: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    limits: tuple[float, ...],
    raised: dict[str, float],
) -> None:
    """In the manifest and in the summary. Unreadable records, of which there are 100, do not count as removed."""
    changes = [f"alarms.{name}={limit}" for name, limit in zip(ALARMS, limits, strict=True)]
    found = published(place, tmp_path / "out", "alarms.source_records=5", *changes)
    assert {alarm["alarm"]: alarm["value"] for alarm in found["alarms"]} == raised
    shown = [line for line in capsys.readouterr().out.splitlines() if line.startswith("alarm ")]
    assert shown == [f"alarm {alarm['alarm']}: {alarm['message']}" for alarm in found["alarms"]]


def test_alarms_can_be_turned_off(place: Path, tmp_path: Path) -> None:
    """Null for each."""
    found = published(place, tmp_path / "out", "alarms.source_records=1", *(f"alarms.{name}=null" for name in ALARMS))
    assert found["alarms"] == []


@pytest.mark.parametrize("name", ALARMS)
def test_alarm_that_may_fail_refuses_to_publish(
    place: Path, plain: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """Exit code 1, a letter, and neither a manifest nor a document; a raised limit and --resume publish the rest."""
    out = tmp_path / "out"
    assert publish(place, out, *LOW, fail_on(name)) == 1
    said = letter(capsys)
    assert said.startswith(f"Nothing is published, as `alarms.fail_on` names {name}:\n  {name}: ")
    assert f"The decisions lie in {place / 'd'}," in said
    assert [path.name for path in out.iterdir()] == ["_work"]
    assert list(out.rglob("*.parquet")) == []
    high = {"cluster_size": "5", "source_loss": "0.8", "removal_rate": "0.5"}[name]
    assert publish(place, out, *LOW, fail_on(name), f"alarms.{name}={high}", resume=True) == 0
    found = manifest(out)
    assert found["files"] == plain["files"]
    assert found["build_id"] == plain["build_id"]
    assert name not in names(found)
    assert len(set(names(found))) == 2


def test_alarm_that_may_fail_and_is_not_raised_refuses_nothing(place: Path, tmp_path: Path) -> None:
    """All three, at their defaults."""
    assert published(place, tmp_path / "out", fail_on(*ALARMS))["alarms"] == []


def stamps(directory: Path) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in directory.rglob("*") if path.is_file()}


def test_refused_curate_resumes_without_deciding_again(
    place: Path, plain: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The letter names all three and where the work is; taken out of `fail_on`, the same command then publishes."""
    out = tmp_path / "out"
    assert run("curate", place / "c.yaml", "--output", out, "--quiet", *sets(*LOW, fail_on(*ALARMS))) == 1
    said = letter(capsys).partition("cleartitle: Nothing is published")[2]  # before it, a warning of what was rejected
    assert [line.split(":")[0] for line in said.splitlines()[1:5]] == [
        "  cluster_size", "  cluster_size", "  source_loss", "  removal_rate"
    ]  # fmt: skip
    assert f"The decisions lie in {out / '_work' / 'decided'}," in said
    assert not (out / "manifest.json").exists()
    assert not (out / "documents").exists()
    before = stamps(out / "_work" / "decided")
    assert run("curate", place / "c.yaml", "--output", out, "--quiet", "--resume", *sets(*LOW, fail_on(*ALARMS))) == 1
    assert stamps(out / "_work" / "decided") == before
    assert run("curate", place / "c.yaml", "--output", out, "--quiet", "--resume", *sets(*LOW)) == 0
    found = manifest(out)
    assert set(names(found)) == set(ALARMS)
    assert found["resumed"] is True
    assert found["files"] == plain["files"]
    assert not (out / "_work").exists()


def test_account_is_the_same_for_any_passes(place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Verdicts that a broken run left under another number of passes do no harm."""
    monkeypatch.setattr("beam_jobs.decide.LEAST_BYTES", 1)
    decided, found = tmp_path / "work" / "decided", []
    for passes, memory in enumerate(("1GiB", "5KiB"), start=1):
        out = tmp_path / f"out{passes}"
        arguments = ["--output", out, "--work", tmp_path / "work", "--quiet", *sets(*LOW, "dedup.near=null")]
        assert run("curate", place / "c.yaml", *arguments, "--set", f"run.shuffle_memory={memory}") == 0
        assert len(list(decided.glob("verdicts-*"))) == passes
        found.append({name: manifest(out)[name] for name in ("duplicates", "alarms", "sources_by_loss", "files")})
        for path in (*decided.glob("part-*"), decided / "clusters.json"):
            path.unlink()
    assert found[0] == found[1]


def test_decisions_without_their_account_are_unfinished(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The letter says how to finish them, and then only the account is written again."""
    decided = tmp_path / "d"
    decide = ["decide", place / "c.yaml", "--measured", place / "m", "--output", decided, "--quiet"]
    assert run(*decide) == 0
    (decided / "clusters.json").unlink()
    before = stamps(decided)
    capsys.readouterr()
    assert publish(place, tmp_path / "out", decided=str(decided)) == 2
    assert letter(capsys) == (
        f"{decided} lacks clusters.json, in which decide says what it found.\n"
        f"Finish it first: cleartitle decide CONFIG --output {decided} --resume."
    )
    assert run(*decide, "--resume") == 0
    assert stamps(decided) == before | {str(decided / "clusters.json"): stamps(decided)[str(decided / "clusters.json")]}
    assert publish(place, tmp_path / "out", decided=str(decided), resume=True) == 0


@pytest.mark.parametrize(
    ("changes", "clusters", "texts"),
    [(("dedup.near=null",), 3, 3), (("dedup.near=null", "dedup.exact=null", "dedup.url=null"), 0, 0)],
    ids=["near off", "all off"],
)
def test_what_has_no_meaning_is_null(
    place: Path, tmp_path: Path, changes: Sequence[str], clusters: int, texts: int
) -> None:
    """Without near duplicates there are no bands; without any rule there is no cluster."""
    assert run("curate", place / "c.yaml", "--output", tmp_path / "out", "--quiet", *sets(*changes)) == 0
    found = manifest(tmp_path / "out")["duplicates"]
    near = ("verify", "threshold", "ngram", "bands", "rows", "candidate_curve")
    assert [found[name] for name in near] == [None] * len(near)
    assert (found["clusters"], len(found["largest_clusters"]), len(found["largest_texts"])) == (
        clusters,
        clusters,
        texts,
    )
    assert found["largest_cluster"] == (5 if clusters else 0)
    assert manifest(tmp_path / "out")["fingerprint"]["near"] is None


def test_clusters_in_which_a_bound_was_reached_are_named(place: Path, tmp_path: Path) -> None:
    """Many texts that are alike but not similar, and one comparison each."""
    common = [f"common{i}" for i in range(60)]
    rows = [{"id": str(n), "text": " ".join([*common, *(f"own{n}x{i}" for i in range(40))])} for n in range(12)]
    write_jsonl(tmp_path / "a.jsonl", rows)
    near = {"threshold": 0.45, "ngram": 1, "bands": 50, "rows": 2, "most_estimates": 1, "most_comparisons": 1}
    config = write_config(tmp_path / "c.yaml", {"crawl": {"name": "t", "files": ["a.jsonl"]}, "dedup": {"near": near}})
    assert run("curate", config, "--output", tmp_path / "out", "--quiet") == 0
    flagged = [r for r in ledger(tmp_path / "out").values() if "comparison_bound" in {m["rule"] for m in r["marks"]}]
    bounded = manifest(tmp_path / "out")["duplicates"]["bounded"]
    assert flagged
    assert bounded == {
        "documents": len(flagged),
        "clusters": 1,
        "samples": sorted({row["cluster_id"] for row in flagged}),
    }


def test_replaced_documents_are_part_of_the_dataset(place: Path, tmp_path: Path) -> None:
    """Their lists are files with sums, they are counted apart, and a sample of an earlier store names it."""
    write_jsonl(tmp_path / "new.jsonl", [{"id": f"new{i}", "text": TEXTS[i]} for i in range(3)])
    dedup = {"against": [str(place / "m")], "overlap": "new_replaces"}
    config = write_config(tmp_path / "c.yaml", {"crawl": {"name": "t2", "files": ["new.jsonl"]}, "dedup": dedup})
    out = tmp_path / "out"
    assert run("curate", config, "--output", out) == 0
    found, rows = manifest(out), table(out, "replaced")
    (store,) = found["duplicates"]["against"]
    assert store["build"].startswith("measured-")
    assert store["records"] == 20
    assert {row["build"] for row in rows} == {store["build"]}
    kept = {row["doc_id"] for row in table(out, "documents")}
    assert {row["duplicate_of"] for row in rows} <= kept
    assert len(rows) == found["duplicates"]["replaced"] == COPIES + 3 + 1
    assert (found["duplicates"]["overlap"], found["counts"]["records"]) == ("new_replaces", 3)
    lists = {name: facts["rows"] for name, facts in found["files"].items() if name.startswith("replaced/")}
    assert sum(lists.values()) == len(rows)
    assert sorted(path.name for path in (out / "replaced").iterdir()) == [name.split("/")[1] for name in sorted(lists)]
    builds = [sample["build"] for sample in found["duplicates"]["largest_clusters"][0]["samples"]]
    assert builds[0] is None
    assert store["build"] in builds
    assert_books_balance(out)
    (out / "manifest.json").unlink()
    assert run("curate", config, "--output", out, "--overwrite") == 2  # nothing says any more that a run wrote it
    (out / "manifest.json").write_text(json.dumps(found))
    assert run("curate", config, "--output", out, "--overwrite") == 0
    assert manifest(out)["files"] == found["files"]
