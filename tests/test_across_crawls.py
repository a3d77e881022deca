"""Across crawls: a second crawl is compared with what came before, end to end, with measured stores and datasets."""

import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.jobs import letter, manifest, run, table, write_config, write_jsonl
from tests.memory_files import MemoryFiles
from transforms.decide import all_parts

Row = dict[str, Any]
NGRAM, THRESHOLD = 5, 0.7
STORES = ("measured", "dataset")


def text(name: str, words: int = 80) -> str:
    return " ".join(f"{name}{number}" for number in range(words))


def similar(name: str) -> str:
    """The text of that name with another word at its end: 75 of 77 shingles are shared."""
    return text(name, 79) + " other"


def document(record_id: str, content: str, host: str = "new.example", page: str | None = None) -> Row:
    return {"id": record_id, "url": f"https://{host}/{page or record_id}", "text": content}


OLD = [
    document("o-url", text("url"), "old.example", "page"),
    document("o-text", text("text"), "old.example"),
    document("o-near", text("near"), "old.example"),
    document("o-pirate", text("pirate"), "pirate.example"),
    document("o-twin", text("twin") + " longest", "old.example"),
    document("o-twin-2", text("twin"), "old.example"),
    *(document(f"o-{number}", text(f"old{number}x", 150), "old.example") for number in range(60)),
]
NEW = [
    document("url", text("quite"), "old.example", "page"),
    document("text", f"  {text('text')}\n"),
    document("near", similar("near")),
    document("pirate", similar("pirate")),
    document("twin", text("twin")),
    document("fresh", text("fresh") + " longest"),
    document("fresh-2", text("fresh")),
    *(document(f"n-{number}", text(f"new{number}x", 150)) for number in range(60)),
]
REPEATED = {
    "url": ("o-url", "url", "same_url"),
    "text": ("o-text", "exact", "exact_duplicate"),
    "near": ("o-near", "near", "near_duplicate"),
    "pirate": ("o-pirate", "near", "near_duplicate"),
}


@pytest.fixture(scope="module")
def crawls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`old` and `new`, in two parts each: their configs, measured stores, and the old one as a dataset."""
    place = tmp_path_factory.mktemp("crawls")
    for name, rows in (("old", OLD), ("new", NEW)):
        write_jsonl(place / f"{name}.jsonl", rows)
        crawl = {"name": name, "files": [f"{name}.jsonl"]}
        write_config(place / f"{name}.yaml", {"crawl": crawl, "plan": {"part_size": "64 KiB"}})
        assert run("measure", place / f"{name}.yaml", "--output", place / f"{name}-measured", "--quiet") == 0
    assert run("curate", place / "old.yaml", "--output", place / "old-dataset", "--quiet") == 0
    (place / "pirates.txt").write_text("pirate.example\n")
    return place


def options(**dedup: object) -> list[str]:
    """Options that put keys in the section `dedup`; what JSON writes is YAML too."""
    return [f"--set=dedup.{key}={json.dumps(value)}" for key, value in dedup.items()]


def decide(crawls: Path, output: Path, *more: object, **dedup: object) -> dict[str, Row]:
    """Decide on the new crawl; its ledger rows by `record_id`."""
    config, measured = crawls / "new.yaml", crawls / "new-measured"
    command = ["decide", config, "--measured", measured, "--output", output, "--quiet", *options(**dedup), *more]
    assert run(*command) == 0
    return rows_of(output)


def decided(crawls: Path, **dedup: object) -> Path:
    """Decisions on the new crawl, which the tests of this module share."""
    output = crawls / hashlib.sha256(json.dumps(dedup).encode()).hexdigest()
    if not output.exists():
        decide(crawls, output, **dedup)
    return output


def rows_of(decided: Path) -> dict[str, Row]:
    return {row["record_id"]: row for path in parts(decided) for row in pq.read_table(path).to_pylist()}


def replaced_in(decided: Path) -> list[Row]:
    return [row for path in sorted(decided.glob("*.replaced.parquet")) for row in pq.read_table(path).to_pylist()]


def parts(decided: Path) -> list[Path]:
    return sorted(path for path in decided.glob("part-*.parquet") if "replaced" not in path.name)


def contents(decided: Path) -> dict[str, bytes]:
    """All files of the decisions that are published later."""
    return {path.name: path.read_bytes() for path in sorted(decided.glob("part-*.parquet"))}


def said_of(rows: dict[str, Row]) -> dict[str, tuple[str, str | None]]:
    return {name: (row["decision"], row["reason"]) for name, row in rows.items()}


def documents(crawls: Path, store: str) -> dict[str, str]:
    """`doc_id` in hex to `record_id` of all documents that a store of the old crawl holds."""
    if store == "dataset":
        return {row["doc_id"]: row["record_id"] for row in table(crawls / "old-dataset", "documents")}
    paths = (crawls / "old-measured").glob("part-?????.parquet")
    return {row["doc_id"].hex(): row["record_id"] for path in paths for row in pq.read_table(path).to_pylist()}


def build(crawls: Path, store: str) -> str:
    if store == "dataset":
        return str(manifest(crawls / "old-dataset")["build_id"])
    return f"measured-{json.loads((crawls / 'old-measured' / 'stage.json').read_text())['digest'][:16]}"


def shingles(content: str) -> set[tuple[str, ...]]:
    words = content.split()
    return {tuple(words[i : i + NGRAM]) for i in range(len(words) - NGRAM + 1)}


def jaccard(one: str, other: str) -> float:
    return len(shingles(one) & shingles(other)) / len(shingles(one) | shingles(other))


@pytest.mark.parametrize("store", STORES)
def test_old_documents_stay_and_drop_what_repeats_them(crawls: Path, store: str) -> None:
    """Each witness is named by its build and its `doc_id` there; the true similarity reaches the threshold."""
    rows = rows_of(decided(crawls, against=[f"old-{store}"]))
    held, texts = documents(crawls, store), {row["id"]: row["text"] for row in (*OLD, *NEW)}
    for name, (witness, kind, reason) in REPEATED.items():
        row = rows[name]
        assert (row["decision"], row["reason"], row["duplicate_kind"]) == ("drop", reason, kind)
        assert (held[row["duplicate_of"]], row["duplicate_build"]) == (witness, build(crawls, store))
        (mark,) = row["marks"]
        assert (mark["evidence"], mark["evidence_build"]) == (row["duplicate_of"], row["duplicate_build"])
        expected = None if kind == "url" else jaccard(texts[name], texts[witness])
        assert row["similarity"] == expected
        assert expected is None or expected >= THRESHOLD
    assert said_of(rows)["fresh"] == ("keep", None)
    # Duplicates inside the new crawl are of this build, and what neither has is kept.
    assert (rows["fresh-2"]["duplicate_of"], rows["fresh-2"]["duplicate_build"]) == (rows["fresh"]["doc_id"], None)
    assert all(row["decision"] == "keep" for name, row in rows.items() if name.startswith("n-"))


def test_dataset_knows_only_what_it_kept(crawls: Path) -> None:
    """A measured store has the two twins, a dataset the one that survived; each names what it has."""
    for store, witness, kind in (("measured", "o-twin-2", "exact"), ("dataset", "o-twin", "near")):
        row = rows_of(decided(crawls, against=[f"old-{store}"]))["twin"]
        assert (documents(crawls, store)[row["duplicate_of"]], row["duplicate_kind"]) == (witness, kind)


def test_document_of_two_stores_is_named_in_the_first(crawls: Path) -> None:
    """The same record has the same `doc_id` in both, so the order of `against` decides, not that of arrival."""
    for stores in (STORES, STORES[::-1]):
        rows = rows_of(decided(crawls, against=[f"old-{store}" for store in stores]))
        named = {rows[name]["duplicate_build"] for name in REPEATED}
        assert named == {build(crawls, stores[0])}


def test_new_documents_replace_and_the_list_says_which(crawls: Path) -> None:
    """Decisions are those of a run without `against`; the list names build, document and what replaces it."""
    output = decided(crawls, against=["old-dataset", "old-measured"], overlap="new_replaces")
    rows = rows_of(output)
    assert said_of(rows) == said_of(rows_of(decided(crawls)))
    assert {row["duplicate_build"] for row in rows.values()} == {None}
    numbers = [path.name[:10] for path in sorted(output.glob("*.replaced.parquet"))]
    assert numbers == ["part-00002", "part-00003", "part-00004", "part-00005"]
    held = documents(crawls, "measured")
    found = {(row["build"], held[row["doc_id"]]): row for row in replaced_in(output)}
    old = {witness: (name, kind) for name, (witness, kind, _) in REPEATED.items()}
    expected = {
        **{(build(crawls, store), witness): pair for store in STORES for witness, pair in old.items()},
        (build(crawls, "dataset"), "o-twin"): ("twin", "near"),
        (build(crawls, "measured"), "o-twin"): ("twin", "near"),
        (build(crawls, "measured"), "o-twin-2"): ("twin", "exact"),
    }
    assert found.keys() == expected.keys()
    for key, (name, kind) in expected.items():
        row = found[key]
        assert (row["duplicate_of"], row["duplicate_kind"]) == (rows[name]["doc_id"], kind)
        assert (row["duplicate_build"], row["build_id"]) == (None, rows[name]["build_id"])
        assert rows[name]["decision"] == "keep"


def test_document_that_goes_itself_replaces_nothing(crawls: Path) -> None:
    """Under the survivor policy `none` the group of `fresh` goes; one that repeats only earlier documents stays."""
    against = ["old-measured", "new-measured"]
    output = decided(crawls, against=against, overlap="new_replaces", survivor="none")
    rows = rows_of(output)
    assert {name for name, row in rows.items() if row["decision"] == "drop"} == {"fresh", "fresh-2"}
    assert rows["fresh"]["duplicate_of"] == rows["fresh-2"]["doc_id"]
    kept = {row["doc_id"] for row in rows.values() if row["decision"] == "keep"}
    assert {row["duplicate_of"] for row in replaced_in(output)} == kept


def test_report_flags_the_overlap_and_drops_nothing_for_it(crawls: Path) -> None:
    """The mark has the earlier document and how similar it is; the similarity of equal URLs was not measured."""
    rows = rows_of(decided(crawls, against=["old-dataset"], overlap="report"))
    assert said_of(rows) == said_of(rows_of(decided(crawls)))
    held = documents(crawls, "dataset")
    marks = {name: mark for name, row in rows.items() for mark in row["marks"] if mark["rule"] == "overlap"}
    assert {name: held[mark["evidence"]] for name, mark in marks.items()} == {
        **{name: witness for name, (witness, _, _) in REPEATED.items()},
        "twin": "o-twin",
    }
    assert {(mark["action"], mark["evidence_build"]) for mark in marks.values()} == {("flag", build(crawls, "dataset"))}
    measures = {name: (marks[name]["value"], marks[name]["limit"], marks[name]["method"]) for name in REPEATED}
    similarity = jaccard(text("near"), similar("near"))
    assert measures == {
        "url": (None, None, None),
        "text": (1.0, THRESHOLD, "jaccard"),
        "near": (similarity, THRESHOLD, "jaccard"),
        "pirate": (similarity, THRESHOLD, "jaccard"),
    }


def test_a_minus_b_leaves_the_duplicates_inside_a(crawls: Path) -> None:
    """What B has goes, by the same witnesses; nothing of B is in the output."""
    rows = rows_of(decided(crawls, against=["old-measured"], within=False))
    assert rows.keys() == {row["id"] for row in NEW}
    assert {name for name, row in rows.items() if row["decision"] == "drop"} == {*REPEATED, "twin"}
    assert {row["duplicate_build"] for row in rows.values()} == {None, build(crawls, "measured")}


def test_crawl_against_itself_is_dropped_whole(crawls: Path) -> None:
    """Every document is its own witness: the same `doc_id`, in the earlier build."""
    rows = rows_of(decided(crawls, against=["new-measured"]))
    assert {row["decision"] for row in rows.values()} == {"drop"}
    assert all(row["duplicate_of"] == row["doc_id"] for row in rows.values())
    assert all(row["duplicate_build"].startswith("measured-") for row in rows.values())


def test_earlier_document_on_a_blocklist_is_evidence_and_no_witness(crawls: Path, tmp_path: Path) -> None:
    """Today's list decides, whatever the earlier run thought of the source."""
    listed = {"name": "pirates", "path": "pirates.txt", "category": "piracy"}
    for taint, verdict in (("flag", ("keep", None)), ("drop", ("drop", "taint"))):
        more = [f"--set=sources.blocklists={json.dumps([listed])}"]
        row = decide(crawls, tmp_path / taint, *more, against=["old-dataset"], taint=taint)["pirate"]
        assert (row["decision"], row["reason"], row["duplicate_of"]) == (*verdict, None)
        (mark,) = row["marks"]
        assert (mark["rule"], mark["action"]) == ("taint", taint)
        assert documents(crawls, "dataset")[mark["evidence"]] == "o-pirate"
        assert mark["evidence_build"] == build(crawls, "dataset")


def test_without_near_duplicates_any_store_will_do(crawls: Path, tmp_path: Path) -> None:
    """URLs and texts are compared by digests, which a store has whatever signatures it holds."""
    write_config(tmp_path / "c.yaml", {"crawl": {"name": "new", "files": [str(crawls / "new.jsonl")]}})
    keys = options(near=None, against=[str(crawls / "old-measured")])
    assert run("measure", tmp_path / "c.yaml", "--output", tmp_path / "m", "--quiet", *keys) == 0
    command = ["decide", tmp_path / "c.yaml", "--measured", tmp_path / "m", "--output", tmp_path / "d", "--quiet"]
    assert run(*command, *keys) == 0
    rows = rows_of(tmp_path / "d")
    assert {name for name, row in rows.items() if row["decision"] == "drop"} == {"url", "text", "twin"}


def test_signatures_of_a_dataset_can_decide(crawls: Path, tmp_path: Path) -> None:
    """Bands lie in fingerprints/, so an estimate needs no text of the earlier build."""
    options = "--set=dedup.near.verify=signature"
    row = decide(crawls, tmp_path / "d", options, against=["old-dataset"])["near"]
    assert (row["reason"], row["marks"][0]["method"]) == ("near_duplicate", "signature")
    assert documents(crawls, "dataset")[row["duplicate_of"]] == "o-near"


@pytest.fixture
def bucket(crawls: Path) -> Iterator[str]:
    """The stores of the old crawl, on what behaves like an object store."""
    MemoryFiles.files.clear()
    for path in crawls.glob("old-*/**/*.*"):
        MemoryFiles.files[f"memory://bucket/{path.relative_to(crawls)}"] = path.read_bytes()
    yield "memory://bucket"
    MemoryFiles.files.clear()


def test_moved_store_gives_the_same_bytes(crawls: Path, tmp_path: Path, bucket: str) -> None:
    """Its content counts and not its place: relative to the config, in another directory, on another file system."""
    stores = ["old-dataset", "old-measured"]
    here = decided(crawls, against=stores, overlap="new_replaces")
    for store in stores:
        shutil.copytree(crawls / store, tmp_path / "moved" / store)
    for name, place in {"there": tmp_path / "moved", "remote": bucket}.items():
        decide(crawls, tmp_path / name, against=[f"{place}/{store}" for store in stores], overlap="new_replaces")
        assert contents(tmp_path / name) == contents(here)


def test_changed_store_is_another_build(crawls: Path, tmp_path: Path) -> None:
    """One document less in the earlier crawl, and the decisions are of another build."""
    write_jsonl(tmp_path / "old.jsonl", OLD[1:])
    shutil.copy(crawls / "old.yaml", tmp_path)
    assert run("measure", tmp_path / "old.yaml", "--output", tmp_path / "m", "--quiet") == 0
    before = rows_of(decided(crawls, against=["old-measured"]))
    after = decide(crawls, tmp_path / "after", against=[str(tmp_path / "m")])
    assert before["fresh"]["build_id"] != after["fresh"]["build_id"]
    assert (said_of(before)["url"], said_of(after)["url"]) == (("drop", "same_url"), ("keep", None))


def test_two_workers_and_many_passes_give_the_same_bytes(crawls: Path, tmp_path: Path) -> None:
    """Order of arrival decides nothing, also where one document lies in three stores."""
    against = ["old-measured", "old-dataset", "new-measured"]
    passes = "--set=run.shuffle_memory=600 KB"
    decide(crawls, tmp_path / "two", passes, "--", "--direct_num_workers=2", against=against)
    assert contents(tmp_path / "two") == contents(decided(crawls, against=against))


def test_broken_decide_resumes_to_the_same_bytes(
    crawls: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The earlier store goes away while its documents are compared: a letter, and --resume does the rest."""
    real = all_parts._read

    def fail(path: str, columns: list[str]) -> object:
        if "old-dataset" in path and "text" in columns:
            raise OSError(5, "the disk is gone", path)
        return real(path, columns)

    whole = decided(crawls, against=["old-dataset"])
    monkeypatch.setattr(all_parts, "_read", fail)
    command = ["decide", crawls / "new.yaml", "--measured", crawls / "new-measured", "--output", tmp_path / "d"]
    capsys.readouterr()
    assert run(*command, "--quiet", *options(against=["old-dataset"])) == 1
    said = letter(capsys)
    assert f"of {crawls}/old-dataset, which `dedup.against` names, cannot be read: " in said
    assert said.endswith("Restore it as it was and go on with --resume.")
    monkeypatch.undo()
    decide(crawls, tmp_path / "d", "--resume", against=["old-dataset"])
    assert contents(tmp_path / "d") == contents(whole)


def test_chain_of_datasets_names_each_build(crawls: Path, tmp_path: Path) -> None:
    """Dataset 2 is made against dataset 1; build 3 against 2 alone knows nothing of 1, against both it knows both."""
    second = tmp_path / "second"
    command = ["curate", crawls / "new.yaml", "--output", second, "--quiet", *options(against=["old-dataset"])]
    assert run(*command) == 0
    rows = [document("again", text("text"), "c.example"), document("newer", text("fresh"), "c.example")]
    write_jsonl(tmp_path / "third.jsonl", rows)
    config = write_config(tmp_path / "third.yaml", {"crawl": {"name": "third", "files": ["third.jsonl"]}})
    assert run("measure", config, "--output", tmp_path / "m", "--quiet") == 0
    first = str(crawls / "old-dataset")
    named = []
    for number, against in enumerate((["second"], ["second", first])):
        output = tmp_path / f"d{number}"
        command = ["decide", config, "--measured", tmp_path / "m", "--output", output, "--quiet"]
        assert run(*command, *options(against=against)) == 0
        named.append([row["duplicate_build"] for row in rows_of(output).values()])
    two = manifest(second)["build_id"]
    assert named == [[None, two], [build(crawls, "dataset"), two]]


def test_published_dataset_holds_nothing_of_the_earlier_one(crawls: Path, tmp_path: Path) -> None:
    """Documents are those that the ledger keeps, all of the new crawl; replaced/ stands beside them."""
    output = tmp_path / "out"
    keys = options(against=["old-dataset"], overlap="new_replaces")
    assert run("curate", crawls / "new.yaml", "--output", output, "--quiet", *keys) == 0
    kept = [row["doc_id"] for row in table(output, "ledger") if row["decision"] == "keep"]
    assert [row["doc_id"] for row in table(output, "documents")] == kept
    assert not set(kept) & documents(crawls, "measured").keys()
    replaced = table(output, "replaced")
    assert {row["build"] for row in replaced} == {build(crawls, "dataset")}
    assert {row["duplicate_of"] for row in replaced} <= set(kept)
    assert len(replaced) == len(REPEATED) + 1
