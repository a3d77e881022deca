"""Near duplicates through the command: who stays, why, and the same bytes however the work is done."""

import glob
import random
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from beam_jobs import decide as decide_job
from tests.jobs import assert_books_balance, digests, ledger, manifest, run, table, write_config, write_jsonl
from tests.texts import jaccard, shingle_set

Row = dict[str, Any]
THRESHOLD = Fraction(7, 10)
PAGE = [f"word{number}" for number in range(100, 210)]


def text(words: list[str]) -> str:
    return " ".join(words)


def curate(place: Path, rows: list[Row], **config: Any) -> dict[str, Row]:
    """Ledger rows by id of a crawl of one file."""
    write_jsonl(place / "crawl.jsonl", rows)
    crawl = {"name": "t", "files": ["crawl.jsonl"], "columns": {"fetch_time": "time"} if "time" in rows[0] else {}}
    path = write_config(place / "config.yaml", {"crawl": crawl, **config})
    assert run("curate", path, "--output", place / "out", "--quiet") == 0
    return ledger(place / "out")


def assert_witnessed(rows: list[Row], found: dict[str, Row], threshold: Fraction = THRESHOLD) -> int:
    """Every near duplicate names a kept document that is as similar as it says, and similar enough; how many."""
    sets = {row["id"]: shingle_set(row["text"]) for row in rows}
    names = {row["doc_id"]: name for name, row in found.items()}
    dropped = {name: row for name, row in found.items() if row["reason"] == "near_duplicate"}
    for name, row in dropped.items():
        witness = names[row["duplicate_of"]]
        assert found[witness]["decision"] == "keep"
        similarity = jaccard(sets[name], sets[witness])
        assert similarity >= threshold
        assert row["similarity"] == float(similarity)
    return len(dropped)


def chained(seed: int, count: int) -> list[Row]:
    """Texts of which each is a copy of an earlier one with some words in a row changed: neighbours alike, ends not."""
    draw = random.Random(seed)
    pages = [[f"w{seed}x{word}" for word in range(40)]]
    while len(pages) < count:
        page, start, length = list(draw.choice(pages[-9:])), draw.randrange(38), draw.randrange(1, 5)
        page[start : start + length] = [f"v{len(pages)}x{k}" for k in range(length)]
        pages.append(page)
    return [{"id": f"{seed}-{number}", "text": text(page)} for number, page in enumerate(pages)]


POLICIES = {
    "longest": "long",
    "shortest": "short",
    "earliest": "early",
    "latest": "late",
    "url_shortest": "brief",
}


@pytest.mark.parametrize("policy", [*POLICIES, "none", "flag"])
def test_policy_says_which_of_similar_documents_stays(tmp_path: Path, policy: str) -> None:
    """Five versions of a page, each first by one policy; under `none` no version stays, under `flag` all do."""
    words = {"long": ["longer", "than", "others"], "short": ["x"]}
    times = {"early": "2001-01-01", "late": "2021-01-01"}
    rows = [
        {
            "id": name,
            "text": text([*PAGE, *words.get(name, ["change", "of"]), name]),
            "time": times.get(name, "2011-01-01"),
            "url": f"https://a.example/{'' if name == 'brief' else 'page/'}{number}",
        }
        for number, name in enumerate(POLICIES.values())
    ]
    survivor = policy if policy in ("none", "flag") else [policy]
    found = curate(tmp_path, [*rows, {"id": "other", "text": "nothing like it"}], dedup={"survivor": survivor})
    kept = {"none": [], "flag": [*POLICIES.values()]}.get(policy, [POLICIES.get(policy)])
    assert [name for name, row in found.items() if row["decision"] == "keep"] == [*kept, "other"]
    assert {row["survivor_policy"] for row in found.values()} == {policy}
    marked = [name for name, row in found.items() if "near_duplicate" in [mark["rule"] for mark in row["marks"]]]
    assert len(marked) == (5 if policy == "none" else 4)
    if policy == "none":
        named = {row["duplicate_of"] for name, row in found.items() if name != "other"}
        assert named <= {row["doc_id"] for name, row in found.items() if name != "other"}


def test_chain_loses_nothing_without_a_witness(tmp_path: Path) -> None:
    """A is like B and B like C, but A is not like C: A and C stay, and B names the one that it is like."""
    pages = {"a": PAGE[:80], "b": PAGE[12:91], "c": PAGE[24:104]}
    a, b, c = (shingle_set(text(page)) for page in pages.values())
    assert min(jaccard(a, b), jaccard(b, c)) >= THRESHOLD > jaccard(a, c)
    rows = [{"id": name, "text": text(page)} for name, page in pages.items()]
    found = curate(tmp_path, rows)
    assert [row["decision"] for row in found.values()] == ["keep", "drop", "keep"]
    assert assert_witnessed(rows, found) == 1


@pytest.mark.parametrize(("threshold", "least"), [(0.5, 200), (0.7, 100), (0.9, 4)])
def test_every_removal_from_chains_has_a_witness(tmp_path: Path, threshold: float, least: int) -> None:
    """400 texts in five chains; and what stays has nearly nothing like it beside it."""
    rows = [row for seed in range(5) for row in chained(seed, 80)]
    found = curate(tmp_path, rows, dedup={"near": {"threshold": threshold}})
    exact = Fraction(str(threshold))
    assert assert_witnessed(rows, found, exact) >= least
    assert_books_balance(tmp_path / "out")
    kept = [shingle_set(row["text"]) for row in rows if found[row["id"]]["decision"] == "keep"]
    missed = sum(jaccard(a, b) >= exact for i, a in enumerate(kept) for b in kept[:i])
    assert missed <= len(rows) // 100


def test_texts_shorter_than_a_shingle_match_only_when_their_words_are_equal(tmp_path: Path) -> None:
    """They are one shingle of all their words, which is part of no longer text."""
    texts = ["one two three!!", "One, two three", "one two three four", "one two", "one two three four five six", "one"]
    found = curate(tmp_path, [{"id": str(i), "text": one} for i, one in enumerate(texts)])
    assert [row["reason"] for row in found.values()] == [None, "near_duplicate", None, None, None, None]
    assert [row["similarity"] for row in found.values()] == [None, 1.0, None, None, None, None]


def test_strange_texts_are_documents_like_others(tmp_path: Path) -> None:
    """One word; one word a million times, twice; and a text of 10 MB beside itself with one word more."""
    million, long = "again " * 1_000_000, " ".join(f"{number:09}" for number in range(1_000_000))
    rows = [
        {"id": "word", "text": "again"},
        {"id": "million", "text": million},
        {"id": "more", "text": million + "again"},
        {"id": "long", "text": long},
        {"id": "longer", "text": long + " end"},
    ]
    found = curate(tmp_path, rows)
    assert {name: row["reason"] for name, row in found.items()} == {
        "word": None,
        "million": "near_duplicate",
        "more": None,
        "long": "near_duplicate",
        "longer": None,
    }
    assert (found["million"]["similarity"], found["long"]["similarity"]) == (1.0, 999_996 / 999_997)


def test_document_of_50_mb_is_compared_like_any_other(tmp_path: Path) -> None:
    """Beside a short beginning of it, which is no duplicate."""
    page = text([f"{number:07x}" for number in range(6_250_000)])
    found = curate(tmp_path, [{"id": "giant", "text": page}, {"id": "piece", "text": page[:8000]}])
    assert [(row["decision"], row["text_bytes"]) for row in found.values()] == [("keep", 49_999_999), ("keep", 8000)]


def test_identical_documents_leave_one(tmp_path: Path) -> None:
    """A thousand times the same text: one stays, and all name it with similarity 1, as one cluster."""
    rows = [{"id": str(number), "text": text(PAGE)} for number in range(1000)]
    found = list(curate(tmp_path, rows).values())
    (kept,) = [row for row in found if row["decision"] == "keep"]
    assert kept["doc_id"] == min(row["doc_id"] for row in found)
    dropped = {(row["duplicate_of"], row["duplicate_kind"], row["similarity"]) for row in found if row is not kept}
    assert dropped == {(kept["doc_id"], "exact", 1.0)}
    assert {(row["cluster_id"], row["cluster_size"]) for row in found} == {(kept["doc_id"], 1000)}


def test_empty_documents_are_dropped_as_empty_and_never_compared(tmp_path: Path) -> None:
    """Nothing is like nothing: no witness, no cluster, and nothing is kept."""
    found = curate(tmp_path, [{"id": str(number), "text": " \n" * (number % 3)} for number in range(50)])
    assert {(row["reason"], row["duplicate_of"], row["cluster_size"]) for row in found.values()} == {
        ("empty_text", None, 1)
    }
    assert assert_books_balance(tmp_path / "out")["kept"] == 0


def test_estimates_are_called_estimates(tmp_path: Path) -> None:
    """`verify: signature` compares signatures only; the marks say so, and the witnesses survive all the same."""
    rows = chained(1, 60)
    found = curate(tmp_path, rows, dedup={"near": {"verify": "signature"}})
    marks = [mark for row in found.values() for mark in row["marks"] if mark["rule"] == "near_duplicate"]
    assert {mark["method"] for mark in marks} == {"signature"}
    assert all((mark["value"] * 125).is_integer() and mark["value"] >= 0.7 for mark in marks)
    assert len(marks) > 10
    assert_books_balance(tmp_path / "out")


def test_comparison_bound_is_recorded_where_it_is_met(tmp_path: Path) -> None:
    """With one comparison a document some stay, and say so; every removal still has its witness."""
    rows = [row for seed in range(3) for row in chained(seed, 80)]
    found = curate(tmp_path, rows, dedup={"near": {"most_estimates": 2, "most_comparisons": 1}})
    bounded = [row for row in found.values() if "comparison_bound" in [mark["rule"] for mark in row["marks"]]]
    assert bounded
    assert all(row["decision"] == "keep" for row in bounded)
    assert_witnessed(rows, found)


@pytest.fixture(scope="module")
def crawl(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four files, some ten parts, with chains across them."""
    place = tmp_path_factory.mktemp("crawl")
    rows = [row for seed in range(12) for row in chained(seed, 120)]
    for number in range(4):
        write_jsonl(place / f"{number}.jsonl", rows[number::4])
    crawl = {"name": "t", "files": ["*.jsonl"]}
    return write_config(place / "c.yaml", {"crawl": crawl, "plan": {"part_size": "64 KiB"}})


@pytest.fixture(scope="module")
def expected(crawl: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What one worker makes of it."""
    out = tmp_path_factory.mktemp("expected") / "out"
    assert run("curate", crawl, "--output", out, "--quiet") == 0
    counts = assert_books_balance(out)
    assert counts["dropped_by"]["near_duplicate"] > 400
    return digests(out)


@pytest.mark.parametrize(
    "options",
    [
        ["--direct_num_workers=2", "--direct_running_mode=multi_threading"],
        ["--direct_num_workers=7", "--direct_running_mode=multi_threading"],
        ["--direct_num_workers=2", "--direct_running_mode=multi_processing"],
    ],
    ids=["2 threads", "7 threads", "2 processes"],
)
def test_any_workers_make_the_same_bytes(
    crawl: Path, expected: dict[str, str], tmp_path: Path, options: list[str]
) -> None:
    """Parts, pairs and components are judged by whoever is free."""
    assert run("curate", crawl, "--output", tmp_path / "out", "--quiet", "--", *options) == 0
    assert digests(tmp_path / "out") == expected


def test_order_in_which_files_are_listed_makes_the_same_bytes(
    crawl: Path, expected: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file system lists them as it likes."""
    found = glob.glob
    monkeypatch.setattr(glob, "glob", lambda *arguments, **more: found(*arguments, **more)[::-1])
    assert run("curate", crawl, "--output", tmp_path / "out", "--quiet") == 0
    assert digests(tmp_path / "out") == expected


def test_many_passes_make_the_same_bytes(crawl: Path, expected: dict[str, str], tmp_path: Path) -> None:
    """Keys and components in as many passes as the memory asks for; a column of keys is more than one pass here."""
    kept = ["--work", tmp_path / "work", "--set", "run.shuffle_memory=400000"]
    assert run("curate", crawl, "--output", tmp_path / "out", "--quiet", *kept) == 0
    assert digests(tmp_path / "out") == expected
    names = {step: next((tmp_path / "work" / "decided").glob(f"{step}-*")).name for step in ("pairs", "verdicts")}
    columns, residues, _ = map(int, names["pairs"].split("-")[1:])
    assert columns == 1
    assert residues > 1
    assert int(names["verdicts"].split("-")[1]) > 1


@pytest.mark.parametrize("step", ["pairs", "verdicts"])
def test_broken_passes_are_resumed_where_they_were(
    crawl: Path, expected: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """The second pass of a step dies before its marker: the first is not run again, and the bytes are the same."""
    real, done = decide_job._Steps._run_pass, list[int]()

    def count_and_run(steps: Any, name: str, stage: Any, number: int, *rest: Any) -> None:
        if f"/{step}-" in stage.directory:
            done.append(number)
        real(steps, name, stage, number, *rest)

    def run_one(steps: Any, name: str, stage: Any, number: int, *rest: Any) -> None:
        if f"/{step}-" in stage.directory and number == 1:
            raise OSError(28, "No space left on device")
        real(steps, name, stage, number, *rest)

    command = ["curate", crawl, "--output", tmp_path / "out", "--quiet", "--set", "run.shuffle_memory=1200000"]
    monkeypatch.setattr(decide_job._Steps, "_run_pass", run_one)
    assert run(*command) == 1
    assert not (tmp_path / "out" / "manifest.json").exists()
    monkeypatch.setattr(decide_job._Steps, "_run_pass", count_and_run)
    assert run(*command, "--resume") == 0
    assert done[0] == 1
    assert digests(tmp_path / "out") == expected


def test_run_that_is_resumed_with_other_memory_misses_no_key(
    crawl: Path, expected: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two passes, first of 14 and 13 columns, then of 25 and 2: what the first one did says nothing of those."""
    cut, step = decide_job._pair_passes, decide_job._Steps._run_pass
    width = 14

    def cut_to_width(columns: list[str], column_bytes: int, _: int, partition_bytes: int) -> list[Any]:
        return cut(columns, column_bytes, width * column_bytes, partition_bytes)

    def die(steps: Any, name: str, *rest: Any) -> None:
        if name == "pair-1":
            raise KeyboardInterrupt
        step(steps, name, *rest)

    monkeypatch.setattr(decide_job, "_pair_passes", cut_to_width)
    monkeypatch.setattr(decide_job._Steps, "_run_pass", die)
    command = ["curate", crawl, "--output", tmp_path / "out", "--quiet"]
    assert run(*command) == 1
    monkeypatch.setattr(decide_job._Steps, "_run_pass", step)
    width = 25
    assert run(*command, "--resume") == 0
    assert digests(tmp_path / "out") == expected


def spread(rows: list[Row], files: int) -> Callable[[Path], dict[str, tuple[str, str | None]]]:
    """Curate the rows from so many files, and say of each what was decided and by which witness."""

    def decide(place: Path) -> dict[str, tuple[str, str | None]]:
        place.mkdir()
        for number in range(files):
            write_jsonl(place / f"{number}.jsonl", rows[number::files])
        config = write_config(place / "c.yaml", {"crawl": {"name": "t", "files": ["*.jsonl"]}})
        assert run("curate", config, "--output", place / "out", "--quiet") == 0
        names = {row["doc_id"]: row["record_id"] for row in table(place / "out", "ledger")}
        return {
            name: (row["decision"], names.get(row["duplicate_of"] or "")) for name, row in ledger(place / "out").items()
        }

    return decide


def test_records_spread_over_files_are_decided_alike(tmp_path: Path) -> None:
    """Where a record lies changes its `doc_id` and no decision, as lengths leave no ties to break."""
    pages = [[f"p{page}w{word}" for word in range(60)] for page in range(40)]
    rows = [
        {"id": f"{number}-{extra}", "text": text([*page, "x" * (1 + extra), "y" * (1 + number)])}
        for number, page in enumerate(pages)
        for extra in range(5)
    ]
    expected = spread(rows, 1)(tmp_path / "one")
    assert sum(decision == "keep" for decision, _ in expected.values()) == 40
    shuffled = random.Random(3).sample(rows, len(rows))
    assert spread(shuffled, 3)(tmp_path / "three") == expected


def test_manifest_counts_near_duplicates_as_the_ledger_does(tmp_path: Path) -> None:
    """One number in three places: counts, marks and rows."""
    rows = chained(2, 60)
    found = curate(tmp_path, rows)
    near = assert_witnessed(rows, found)
    facts = manifest(tmp_path / "out")
    assert facts["counts"]["dropped_by"] == {"near_duplicate": near}
    assert facts["marks"] == {"near_duplicate": near}
