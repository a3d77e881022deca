"""New versions by takedowns: what is written and what is linked, the certificate, and what comes of faults."""

import errno
import json
import os
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lineage.catalog import open_dataset
from lineage.takedowns import take_out, takedown
from lineage.takedowns.claim_output import version_after
from lineage.verification import verify
from schemas.columns import TAKEN
from schemas.errors import InputError, OutputError, WorkError
from tests.jobs import ledger, manifest, table
from tests.takedown_data import BOOK, files, inodes, make_dataset, shared_dataset, text, write_request
from transforms.hold import hold
from transforms.part_store import file_facts
from transforms.publish.manifest import WORK
from transforms.takedowns.read_takedown import canonical, read_takedown

Row = dict[str, Any]

PIRATE = {"domains": ["pirate.example"]}
LATER = {"domains": ["later.example"]}
"""All in the second part."""
NOON = "2026-11-02T12:00:00+00:00"


@pytest.fixture(scope="module")
def old() -> Path:
    return shared_dataset()


def certificate(dataset: Path) -> Row:
    (path,) = (dataset / "takedowns").glob("*.json")
    return dict(json.loads(path.read_text()))


def assert_is_version(old: Path, new: Path, gone: list[Row]) -> None:
    """Check a new version against the old one and the rows that went: only what had to change did."""
    assert verify(str(new)).num_rows == 0
    before, after = ledger(old), ledger(new)
    left = {row["doc_id"] for row in gone}
    assert len(left) == len(gone)
    kept = {row["doc_id"] for row in after.values() if row["decision"] == "keep"}
    assert kept == {row["doc_id"] for row in before.values() if row["decision"] == "keep"} - left
    assert {row["doc_id"] for row in table(new, "documents")} == kept
    for name, row in after.items():
        if row["doc_id"] in left:
            assert (row["decision"], row["reason"]) == ("drop", "takedown")
            assert (row["marks"][0]["rule"], row["marks"][1:]) == ("takedown", before[name]["marks"])
        else:
            assert row == before[name]
            assert row["duplicate_of"] not in left
    parts = {row["part"] for row in gone}
    said, shared = inodes(old), inodes(new)
    for name in said.keys() & shared.keys() - {"manifest.json"}:
        if said[name] != shared[name]:
            assert name.split("/")[0] in ("ledger", "documents", "quarantine")
            assert int(name[-13:-8]) in parts


def test_only_parts_that_change_are_written(old: Path, tmp_path: Path, request_of: Any) -> None:
    """The files of all others are the same files under another name."""
    found = takedown(str(old), request_of(LATER), str(tmp_path / "new"))
    assert_is_version(old, tmp_path / "new", found.to_pylist())
    mine, theirs = inodes(tmp_path / "new"), inodes(old)
    takedown_id = certificate(tmp_path / "new")["id"]
    assert {name for name in mine if mine[name] != theirs.get(name)} == {
        "ledger/part-00001.parquet",
        "documents/part-00001.parquet",
        "manifest.json",
        f"takedowns/{takedown_id}.json",
        f"takedowns/{takedown_id}.parquet",
    }


def test_old_version_stays_as_it_is(old: Path, tmp_path: Path, request_of: Any) -> None:
    """Byte for byte, though files are shared."""
    before = files(old)
    takedown(
        str(old), request_of({**PIRATE, **LATER, "domains": ["held.example", "pirate.example"]}), str(tmp_path / "new")
    )
    assert files(old) == before
    assert not (tmp_path / "new" / "quarantine").exists()


def test_manifest_says_what_changed(old: Path, tmp_path: Path, request_of: Any) -> None:
    """Counts, files, the version, and the takedown; all else is that of the build."""
    path = request_of(PIRATE, similarity=0.8)
    found = takedown(str(old), path, str(tmp_path / "new"))
    before, after, asked = manifest(old), manifest(tmp_path / "new"), read_takedown(path)
    assert after["version_id"] == version_after(before["version_id"], asked.id)
    assert after["takedowns"] == [
        {
            "id": asked.id,
            "sha256": asked.sha256,
            "reference": "R-7",
            "requested_by": "Jane Doe",
            "requested_on": "2026-11-02",
            "scope": "near_duplicates",
            "similarity": 0.8,
            "witnesses": "stay_out",
            "certificate": f"takedowns/{asked.id}.json",
            "records": len(found),
        }
    ]
    changed = {"version_id", "takedowns", "counts", "marks", "bytes", "files", "seal"}
    assert {name for name in before if before[name] != after[name]} == changed
    assert after["counts"]["dropped_by"]["takedown"] == after["marks"]["takedown"] == len(found)
    for name, facts in after["files"].items():
        assert file_facts(str(tmp_path / "new" / name)).items() <= facts.items()


def test_certificate_says_all_of_it(old: Path, tmp_path: Path, request_of: Any, monkeypatch: Any) -> None:
    """Who asked for what, what went and why, what matched nothing, and every file with its digests; but no text."""
    monkeypatch.setattr(take_out, "now", lambda: NOON)
    selectors = {"domains": ["pirate.example", "none.example"], "texts": [{"text": text("later")}], "isbns": [BOOK]}
    path = request_of(selectors)
    found = takedown(str(old), path, str(tmp_path / "new"))
    said, asked = certificate(tmp_path / "new"), read_takedown(path)
    before, after = manifest(old), manifest(tmp_path / "new")
    assert (said["id"], said["sha256"]) == (asked.id, asked.sha256)
    assert said["request"] == canonical(asked.request, asked.texts.to_pylist())
    assert said["carried_out"] == NOON
    assert said["version"] == {"before": before["version_id"], "after": after["version_id"]}
    assert said["records"] == found.to_pylist()
    assert said["matched_nothing"] == [{"selector": "domains", "matched": "none.example"}]
    assert (said["taken_out_before"], said["returned"], said["similarity"]) == (0, [], 0.7)
    assert said["counts"] == {"before": before["counts"], "after": after["counts"]}
    for one in said["files"]:
        for side, dataset in (("before", old), ("after", tmp_path / "new")):
            assert one[side] == file_facts(str(dataset / one["file"]))
    assert said["files_untouched"] == len(before["files"]) - len(said["files"])
    assert text("later")[:30] not in (tmp_path / "new" / "takedowns" / f"{asked.id}.json").read_text()
    assert read_takedown(str(tmp_path / "new" / "takedowns" / f"{asked.id}.json")).id == asked.id


def test_file_that_went_away_is_in_the_certificate(old: Path, tmp_path: Path, request_of: Any) -> None:
    """With nothing after it; the manifest does not list it any more."""
    takedown(str(old), request_of({"domains": ["held.example"]}), str(tmp_path / "new"))
    (one,) = [one for one in certificate(tmp_path / "new")["files"] if one["file"].startswith("quarantine/")]
    assert (one["before"], one["after"]) == (file_facts(str(old / one["file"])), None)
    assert one["file"] not in manifest(tmp_path / "new")["files"]


def test_evidence_holds_what_copies_are_found_by(old: Path, tmp_path: Path, request_of: Any) -> None:
    """Of texts and works with their copies: digests, bands and sets of shingles as a crawl would have them; no text."""
    path = request_of({**PIRATE, "texts": [{"text": text("new")}]})
    found = takedown(str(old), path, str(tmp_path / "new")).to_pylist()
    (parquet,) = (tmp_path / "new" / "takedowns").glob("*.parquet")
    evidence = pq.read_table(parquet)
    near = open_dataset(str(old)).near
    assert near is not None
    assert evidence.schema.equals(TAKEN.schema(near.fields()))
    assert json.loads(evidence.schema.metadata[b"fingerprint"]) == manifest(old)["fingerprint"]
    words, *works = evidence.to_pylist()
    assert words["doc_id"] == words["text_digest"]
    assert [work["doc_id"].hex() for work in works] == [row["doc_id"] for row in found if row["selector"] != "witness"]
    prints = {row["doc_id"]: row for row in table(old, "fingerprints")}
    for work in works:
        assert {
            name: prints[work["doc_id"]][name] for name in work.keys() & prints[work["doc_id"]].keys()
        }.items() <= work.items()
        assert len(set(work["shingles"])) == len(work["shingles"]) == work["shingle_count"]
    assert len(words["shingles"]) == 76


def test_named_scope_leaves_evidence_of_its_texts_alone(old: Path, tmp_path: Path, request_of: Any) -> None:
    """Copies of what else it names may come again."""
    takedown(str(old), request_of({**PIRATE, "texts": [{"text": text("new")}]}, scope="named"), str(tmp_path / "new"))
    (parquet,) = (tmp_path / "new" / "takedowns").glob("*.parquet")
    (words,) = pq.read_table(parquet).to_pylist()
    assert words["doc_id"] == words["text_digest"]


def test_request_that_matches_nothing_is_on_record(old: Path, tmp_path: Path, request_of: Any) -> None:
    """Every file is shared; the takedown is in the manifest, so that the next crawl knows of it."""
    assert len(takedown(str(old), request_of({"domains": ["none.example"]}), str(tmp_path / "new"))) == 0
    mine, theirs = inodes(tmp_path / "new"), inodes(old)
    assert {name for name in theirs if mine[name] != theirs[name]} == {"manifest.json"}
    assert [one["records"] for one in manifest(tmp_path / "new")["takedowns"]] == [0]
    assert verify(str(tmp_path / "new")).num_rows == 0


def test_done_again_into_the_same_output_changes_nothing(old: Path, tmp_path: Path, request_of: Any) -> None:
    """It says what went, and leaves every file as it is."""
    path = request_of(PIRATE)
    first = takedown(str(old), path, str(tmp_path / "new"))
    before = inodes(tmp_path / "new")
    assert takedown(str(old), path, str(tmp_path / "new")).equals(first)
    assert inodes(tmp_path / "new") == before


def test_what_a_run_left_beside_its_result_is_removed(old: Path, tmp_path: Path, request_of: Any) -> None:
    """It was killed right after the manifest, when all was done."""
    path, new = request_of(PIRATE), tmp_path / "new"
    takedown(str(old), path, str(new))
    before = files(new)
    (new / WORK).mkdir()
    (new / WORK / "takedown.json").write_text("{}")
    takedown(str(old), path, str(new))
    assert files(new) == before


def test_done_again_on_its_own_result_finds_nothing(old: Path, tmp_path: Path, request_of: Any) -> None:
    """The new directory is the same version, every file shared, with one entry in the manifest."""
    path = request_of(PIRATE)
    takedown(str(old), path, str(tmp_path / "new"))
    assert len(takedown(str(tmp_path / "new"), path, str(tmp_path / "newer"))) == 0
    one, other = files(tmp_path / "new"), files(tmp_path / "newer")
    assert one == other
    mine, theirs = inodes(tmp_path / "newer"), inodes(tmp_path / "new")
    assert {name for name in mine if mine[name] != theirs[name]} == {"manifest.json"}


def test_one_takedown_follows_another(old: Path, tmp_path: Path, request_of: Any) -> None:
    """What went by the first stays with it; the manifest names both."""
    first = takedown(
        str(old), request_of({"urls": ["https://pirate.example/book"]}, scope="named"), str(tmp_path / "1")
    )
    second = takedown(str(tmp_path / "1"), request_of({**PIRATE}, name="second.yaml"), str(tmp_path / "2"))
    assert not set(first["doc_id"].to_pylist()) & set(second["doc_id"].to_pylist())
    ids = [one["id"] for one in manifest(tmp_path / "2")["takedowns"]]
    taken = {row["doc_id"]: row["takedown_id"] for row in ledger(tmp_path / "2").values() if row["takedown_id"]}
    expected = dict.fromkeys(first["doc_id"].to_pylist(), ids[0]) | dict.fromkeys(second["doc_id"].to_pylist(), ids[1])
    assert taken == expected
    assert sorted(path.suffix for path in (tmp_path / "2" / "takedowns").iterdir()) == [".json"] * 2 + [".parquet"] * 2
    assert verify(str(tmp_path / "2")).num_rows == 0


some = st.fixed_dictionaries(
    {"scope": st.sampled_from(["named", "near_duplicates"])},
    optional={
        "domains": st.lists(
            st.sampled_from(["pirate.example", "later.example", "mirror.example", "none.example"]), unique=True
        ),
        "urls": st.lists(st.sampled_from(["same.example/page", "pirate.example/book"]), unique=True),
        "texts": st.sampled_from([[{"text": text("book")}], [{"text": text("later")}, {"text": text("held")}]]),
    },
).filter(lambda chosen: any(chosen.get(kind) for kind in ("domains", "urls", "texts")))


@settings(deadline=None, max_examples=5, suppress_health_check=[HealthCheck.too_slow])
@given(some)
def test_any_takedown_leaves_a_whole_version(old: Path, tmp_path_factory: pytest.TempPathFactory, chosen: Row) -> None:
    """Books, witnesses, digests and indexes hold; nothing else changed; the second time nothing is found."""
    place = tmp_path_factory.mktemp("any")
    scope = chosen["scope"]
    selectors = {kind: entries for kind, entries in chosen.items() if kind != "scope"}
    path = str(write_request(place / "request.yaml", selectors, scope=scope))
    assert_is_version(old, place / "new", takedown(str(old), path, str(place / "new")).to_pylist())
    turned = {kind: entries[::-1] for kind, entries in selectors.items()}
    again = str(write_request(place / "turned.yaml", turned, scope=scope))
    assert len(takedown(str(place / "new"), again, dry_run=True)) == 0


@pytest.mark.parametrize(
    ("dedup", "went"),
    [
        ({"near": None}, {"book", "book-3", "www", "other-port"}),
        ({"survivor": "flag"}, {"book", "book-2", "book-3", "book-twin", "www", "other-port"}),
    ],
)
def test_takedown_follows_how_the_build_dealt_with_duplicates(tmp_path: Path, dedup: Row, went: set[str]) -> None:
    """Without fingerprints only equal texts are copies; copies that were flagged and kept go."""
    old = make_dataset(tmp_path, dedup=dedup)
    path = write_request(tmp_path / "request.yaml", PIRATE)
    found = takedown(str(old), str(path), str(tmp_path / "new"))
    names = {row["doc_id"]: name for name, row in ledger(old).items()}
    assert {names[one] for one in found["doc_id"].to_pylist()} == went
    assert verify(str(tmp_path / "new")).to_pylist() == []


def refusal(old: Path, path: str, output: object) -> str:
    with pytest.raises(OutputError) as error:
        takedown(str(old), path, str(output))
    return str(error.value)


def test_output_must_lie_apart_from_the_dataset(old: Path, tmp_path: Path, request_of: Any) -> None:
    """In it, round it, itself, or itself by another name: nothing is ever changed in place."""
    (tmp_path / "link").symlink_to(old)
    path, before = request_of(PIRATE), files(old)
    for output in (old, old / "new", old.parent, tmp_path / "link", f"{old}/ledger/.."):
        assert refusal(old, path, output) == (
            f"{output} and the dataset {old} lie one in the other.\n"
            "A takedown makes a new version and leaves the old one as it is: choose a directory apart from it."
        )
    assert files(old) == before


def test_output_that_holds_something_else_is_refused(old: Path, tmp_path: Path, request_of: Any) -> None:
    """And left as it is."""
    path = request_of(PIRATE)
    (tmp_path / "file").write_text("x")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letters").write_text("mine")
    assert refusal(old, path, tmp_path / "file") == f"{tmp_path}/file is a file; --output names a directory."
    assert refusal(old, path, "") == "--output is empty; name a directory."
    full = f"{tmp_path}/full holds letters, and no takedown.\nChoose an empty directory."
    assert refusal(old, path, tmp_path / "full") == full
    assert files(tmp_path / "full") == {"letters": b"mine"}


def test_output_that_holds_another_version_is_refused(old: Path, tmp_path: Path, request_of: Any) -> None:
    """Of the same dataset by another request, or of another dataset."""
    takedown(str(old), request_of(LATER), str(tmp_path / "new"))
    before = files(tmp_path / "new")
    version = manifest(tmp_path / "new")["version_id"]
    assert refusal(old, request_of(PIRATE), tmp_path / "new") == (
        f"{tmp_path}/new holds a finished dataset, version {version}, which this takedown does not make of {old}, "
        f"version {manifest(old)['version_id']}.\nChoose an empty directory."
    )
    assert files(tmp_path / "new") == before


def test_output_that_nobody_can_write_to_is_answered_with_why(old: Path, tmp_path: Path, request_of: Any) -> None:
    """Here it lies beneath a file."""
    (tmp_path / "file").write_text("x")
    letter = f"{tmp_path}/file/new cannot be written to: Not a directory."
    assert refusal(old, request_of(PIRATE), tmp_path / "file" / "new") == letter


def test_two_runs_never_write_to_one_output(old: Path, tmp_path: Path, request_of: Any) -> None:
    """The second is told so; when the first has let go it goes on."""
    path, new = request_of(PIRATE), tmp_path / "new"
    with hold(str(new / WORK)):
        assert refusal(old, path, new).startswith(f"{new}/_work: another run is writing there at this moment.")
        assert list(files(new)) == ["_work/lock"]
    takedown(str(old), path, str(new))
    assert verify(str(new)).num_rows == 0


def fail(after: int) -> Any:
    """A stand-in for `os.replace` that fails as a full disk does, after so many files."""
    real, done = os.replace, []

    def replace(source: str, target: str) -> None:
        done.append(target)
        if len(done) > after:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(source, target)

    return replace


@pytest.mark.parametrize("after", [1, 4, 11, 13])
def test_run_that_was_cut_short_goes_on_to_the_same_bytes(
    old: Path, tmp_path: Path, request_of: Any, monkeypatch: Any, after: int
) -> None:
    """Wherever it ended; until then there is no manifest, and another takedown may not take its place."""
    path, new = request_of(PIRATE), tmp_path / "new"
    monkeypatch.setattr(take_out, "now", lambda: NOON)
    takedown(str(old), path, str(tmp_path / "whole"))
    with monkeypatch.context() as full_disk:
        full_disk.setattr(os, "replace", fail(after))
        with pytest.raises(WorkError) as error:
            takedown(str(old), path, str(new))
    assert str(error.value).startswith(f"The takedown of {old} to {new} failed: [Errno 28] No space left on device")
    assert not (new / "manifest.json").exists()
    with pytest.raises(InputError, match="holds a dataset that is not finished"):
        open_dataset(str(new))
    rest = f"{new} holds the rest of a takedown that was begun with another request"
    assert refusal(old, request_of(LATER, name="other.yaml"), new).startswith(rest)
    (new / "ledger").mkdir(exist_ok=True)
    (new / "ledger" / ".part-00000.parquet.tmp-0f3a").write_text("half")
    monkeypatch.setattr(take_out, "now", lambda: "2026-11-03T12:00:00+00:00")
    takedown(str(old), path, str(new))
    assert files(new) == files(tmp_path / "whole")
