"""Next in line: documents that were dropped only for one that goes are judged anew, with the crawl at hand."""

import re
import shutil
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lineage.catalog import open_dataset
from lineage.takedowns import row_ids, takedown
from lineage.verification import verify
from schemas.errors import InputError
from tests.jobs import ledger, manifest, run, table, write_config, write_jsonl
from tests.takedown_data import document, text, write_request
from transforms.publish.manifest import write_sealed_manifest

Row = dict[str, Any]

# Both are similar to the work, one at its end and the other at its beginning, and not to each other.
CLOSE, FAR = f"{text('work', 73)} {text('other', 8)}", f"{text('else', 8)} {text('work').partition(' work8 ')[2]}"
ROWS = [
    document("first", text("work") + " longest of all", "a.example"),
    document("second", CLOSE + " longer", "b.example"),
    document("third", CLOSE, "c.example"),
    document("far", FAR, "d.example"),
    document("stays", text("kept") + " longer", "a.example", "stays"),
    document("witnessed", text("kept"), "e.example"),
    document("url", text("url") + " longer", "u.example", "page"),
    document("url-2", text("otherwise"), "u.example", "page"),
    document("reserved", text("work") + " longest. All rights reserved.", "f.example"),
    *(document(f"fill-{number}", text(f"fill{number}x", 60), "fill.example") for number in range(20)),
]
LATER = [
    document("fourth", CLOSE + " longer", "g.example"),
    document("lone", text("lone"), "h.example"),
    *(document(f"more-{number}", text(f"more{number}x", 60), "more.example") for number in range(100)),
]


FIRST = "https://a.example/first"


def make(place: Path, **keys: Any) -> Path:
    for name, rows in (("a", ROWS), ("b", LATER)):
        write_jsonl(place / f"{name}.jsonl", rows)
    config = {
        "crawl": {"name": "next", "files": ["*.jsonl"]},
        "plan": {"part_size": "64 KiB"},
        "policy": {"signals": {"rights_reserved": "drop"}},
        **keys,
    }
    path = write_config(place / "next.yaml", config)
    assert run("curate", path, "--output", place / "dataset", "--quiet") == 0
    return place / "dataset"


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("next"))


def request(place: Path, urls: list[str], **keys: Any) -> str:
    keys = {"scope": "named", "witnesses": "next_in_line", **keys}
    return str(write_request(place / "request.yaml", {"urls": urls}, **keys))


def take_out(old: Path, place: Path, urls: list[str], **keys: Any) -> dict[str, Row]:
    """Ledger rows of the new version, by `record_id`; it is whole."""
    takedown(str(old), request(place, urls, **keys), str(place / "new"))
    assert verify(str(place / "new")).to_pylist() == []
    return ledger(place / "new")


@pytest.fixture(scope="module")
def new(old: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The version from which the first of all copies is out."""
    place = tmp_path_factory.mktemp("new")
    take_out(old, place, [FIRST])
    return place / "new"


def test_crawl_was_decided_as_these_tests_need_it(old: Path) -> None:
    """One work with its copies in two parts, a document with another witness, and a pair with one URL."""
    rows = ledger(old)
    first = rows["first"]["doc_id"]
    assert len(open_dataset(str(old)).parts("ledger")) == 2
    dropped = {name for name, row in rows.items() if row["duplicate_of"] == first}
    assert dropped >= {"second", "third", "fourth", "far", "reserved"}


def test_next_in_line_comes_back_and_the_others_join_it(new: Path) -> None:
    """By the survivor policy of the build, over all parts; each names a witness that is kept now, and proof of it."""
    rows = ledger(new)
    back = "second" if rows["second"]["decision"] == "keep" else "fourth"  # of equals the first `doc_id`
    assert back == min(("second", "fourth"), key=lambda name: rows[name]["doc_id"])
    assert (rows[back]["reason"], rows[back]["duplicate_of"], rows[back]["marks"]) == (None, None, [])
    other = {"second": "fourth", "fourth": "second"}[back]
    assert (rows[other]["duplicate_kind"], rows[other]["similarity"]) == ("exact", 1.0)
    for name in (other, "third"):
        assert rows[name]["duplicate_of"] == rows[back]["doc_id"]
        assert rows[name]["decision"] == "drop"
        assert rows[name]["marks"][0]["evidence"] == rows[back]["doc_id"]
    assert rows["third"]["reason"] == "near_duplicate"
    assert rows["far"]["decision"] == "keep"  # it was similar to the work alone
    assert (rows["first"]["reason"], rows["first"]["marks"][0]["category"]) == ("takedown", "urls")


def test_document_that_comes_back_has_its_text(new: Path) -> None:
    """Read from the crawl, at its place among the documents of its part."""
    rows = ledger(new)
    texts = {row["record_id"]: row["text"] for row in table(new, "documents")}
    crawled = {row["id"]: row["text"] for row in (*ROWS, *LATER)}
    assert texts == {name: crawled[name] for name, row in rows.items() if row["decision"] == "keep"}
    assert list(texts) == [row["record_id"] for row in table(new, "ledger") if row["decision"] == "keep"]


def test_who_is_out_for_another_reason_stays_out(old: Path, new: Path) -> None:
    """The policy drops it, whatever becomes of its witness, which it names as before."""
    row = ledger(new)["reserved"]
    assert row == ledger(old)["reserved"]
    assert (row["reason"], row["duplicate_of"]) == ("rights_reserved", ledger(new)["first"]["doc_id"])


def test_who_is_kept_stays_and_others_are_as_they_were(old: Path, new: Path) -> None:
    """Only what named what goes is judged; nobody who was kept is asked again."""
    before, after = ledger(old), ledger(new)
    same = {name for name in before if before[name] == after[name]}
    assert before.keys() - same == {"first", "second", "third", "fourth", "far"}


def test_equal_url_is_judged_too(old: Path, tmp_path: Path) -> None:
    """Its text was never compared, and the page that had its URL is out."""
    rows = ledger(old)
    kept, dropped = sorted(("url", "url-2"), key=lambda name: str(rows[name]["decision"]))[::-1]
    assert [rows[name]["decision"] for name in (kept, dropped)] == ["keep", "drop"]
    path = write_request(
        tmp_path / "request.yaml", {"doc_ids": [rows[kept]["doc_id"]]}, scope="named", witnesses="next_in_line"
    )
    takedown(str(old), str(path), str(tmp_path / "new"))
    after = ledger(tmp_path / "new")
    assert [after[name]["decision"] for name in (kept, dropped)] == ["drop", "keep"]


def test_new_witness_is_found_by_the_index(new: Path) -> None:
    """With those who name it."""
    rows, version = ledger(new), open_dataset(str(new))
    back = next(name for name in ("second", "fourth") if rows[name]["decision"] == "keep")
    followers = {row["doc_id"] for row in rows.values() if row["duplicate_of"] == rows[back]["doc_id"]}
    found = version.ledger(version.find("witness", [rows[back]["doc_id"]]), ["doc_id"])["doc_id"].to_pylist()
    assert set(found) == followers
    assert len(followers) >= 2


def test_done_again_nobody_else_comes_back(new: Path, tmp_path: Path) -> None:
    """On its own result nothing is left to do."""
    again = request(tmp_path, [FIRST])
    assert len(takedown(str(new), again, dry_run=True)) == 0
    takedown(str(new), again, str(tmp_path / "newer"))
    assert ledger(tmp_path / "newer") == ledger(new)


def test_without_anybody_in_line_nothing_is_judged(old: Path, tmp_path: Path) -> None:
    """No crawl file is looked for."""
    rows = take_out(old, tmp_path, ["https://h.example/lone"])
    assert [name for name, row in rows.items() if row["takedown_id"]] == ["lone"]


def test_texts_that_are_not_at_hand_are_asked_for(old: Path, tmp_path: Path) -> None:
    """Nobody comes back unproven: the letter says what to do, and nothing is written."""
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    for name in ("a.jsonl", "b.jsonl"):
        shutil.move(old.parent / name, moved / name)
    try:
        with pytest.raises(InputError) as error:
            takedown(str(old), request(tmp_path, [FIRST]), str(tmp_path / "new"))
    finally:
        for name in ("a.jsonl", "b.jsonl"):
            shutil.move(moved / name, old.parent / name)
    assert str(error.value) == (
        "`witnesses: next_in_line` must compare 4 texts that neither the dataset nor crawl files hold.\n"
        "Put the crawl files where they lay when the dataset was made, or say `stay_out`."
    )
    assert not (tmp_path / "new").exists()


@pytest.fixture
def registered(tmp_path: Path) -> Path:
    """The dataset of a build in which the source of `third` has the largest priority."""
    sources = [
        {"host": "c.example", "basis": "crawl", "priority": 5},
        {"host": "a.example", "basis": "crawl", "priority": 9},
    ]
    write_config(tmp_path / "register.yaml", {"sources": sources})
    return make(tmp_path, sources={"register": "register.yaml"})


def test_register_says_who_is_next(registered: Path, tmp_path: Path) -> None:
    """By the priority of sources; a register that was changed since would say something else, and is refused."""
    rows = take_out(registered, tmp_path, [FIRST])
    assert [rows[name]["decision"] for name in ("third", "second")] == ["keep", "drop"]
    with (tmp_path / "register.yaml").open("a") as register:
        register.write("# changed\n")
    with pytest.raises(InputError, match=r"^The sources register was changed since the dataset was made"):
        takedown(str(registered), request(tmp_path, [FIRST]), str(tmp_path / "newer"))


def test_carried_columns_are_not_made_up(old: Path, tmp_path: Path) -> None:
    """They are not read again, so that nobody comes back without them."""
    said = manifest(old)
    said["config"]["crawl"]["carry"] = ["lang"]
    own = Path(shutil.copytree(old, tmp_path / "own"))
    write_sealed_manifest(str(own), said)
    with pytest.raises(InputError, match=r"would bring 2 documents back; their carried columns \(lang\) are not read"):
        takedown(str(own), request(tmp_path, [FIRST]), str(tmp_path / "new"))


def shingles(content: str) -> set[tuple[str, ...]]:
    words = re.findall(r"\w+", content)
    return {tuple(words[i : i + 5]) for i in range(len(words) - 4)}


def jaccard(one: str, other: str) -> float:
    return len(shingles(one) & shingles(other)) / len(shingles(one) | shingles(other))


@settings(deadline=None, max_examples=6)
@given(
    st.sets(
        st.sampled_from(["a.example/first", "e.example/witnessed", "a.example/stays", "u.example/page"]), min_size=1
    )
)
def test_all_that_comes_back_stands_by_itself(
    old: Path, tmp_path_factory: pytest.TempPathFactory, urls: set[str]
) -> None:
    """Whoever is kept repeats nobody who is; whoever is a duplicate names one who is, with its true similarity."""
    rows = take_out(old, tmp_path_factory.mktemp("any"), sorted(urls))
    texts = {row["id"]: row["text"] for row in (*ROWS, *LATER)}
    names = {row["doc_id"]: name for name, row in rows.items()}
    kept = [name for name, row in rows.items() if row["decision"] == "keep" and not name.startswith(("fill", "more"))]
    for one, other in combinations(kept, 2):
        assert jaccard(texts[one], texts[other]) < 0.7
        assert rows[one]["url"] != rows[other]["url"]
    for name, row in rows.items():
        if row["duplicate_of"] and not row["takedown_id"] and row["reason"] != "rights_reserved":
            witness = names[row["duplicate_of"]]
            assert witness in kept
            if row["duplicate_kind"] != "url":
                assert row["similarity"] == jaccard(texts[name], texts[witness])


def test_clusters_are_judged_alike_in_blocks(
    old: Path, new: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each by itself, as if its texts were all that fits."""
    monkeypatch.setattr(row_ids, "BLOCK_BYTES", 1)
    urls = [FIRST, "https://u.example/page"]
    found = take_out(old, tmp_path, urls)
    assert {name: row for name, row in ledger(new).items() if row["cluster_id"] == found["first"]["cluster_id"]} == {
        name: {**row, "takedown_id": ledger(new)[name]["takedown_id"], "marks": ledger(new)[name]["marks"]}
        for name, row in found.items()
        if row["cluster_id"] == found["first"]["cluster_id"]
    }
