"""Takedowns in a config: what was asked out never comes back, through the real command."""

import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from schemas.columns import TAKEN
from tests.jobs import assert_books_balance, digests, ledger, letter, manifest, run, write_config, write_jsonl
from transforms.batches import digests as digest_column
from transforms.batches import strings
from transforms.kernels.xxh3 import hash128
from transforms.measure.fingerprint import NearSettings, fingerprint_facts
from transforms.part_store import file_facts
from transforms.takedowns.open_takedowns import FINGERPRINT
from transforms.takedowns.read_takedown import CERTIFICATE, CERTIFICATE_VERSION, canonical, read_takedown
from transforms.takedowns.store_takedowns import taken_texts

Row = dict[str, Any]
NEAR = NearSettings(ngram=5, bands=25, rows=5)
NGRAM = 5


def text(name: str, words: int = 204, other: int = 0) -> str:
    """A text of that name whose last words are `other` than those of the first such text."""
    return " ".join(f"{name}{'z' * (n >= words - other)}{n}" for n in range(words))


def jaccard(one: str, two: str) -> float:
    a, b = ({tuple(t.split()[i : i + NGRAM]) for i in range(len(t.split()) - NGRAM + 1)} for t in (one, two))
    return len(a & b) / len(a | b)


BOOK = text("book")
EDITED = text("book", other=22)
"""Similarity 0.8: 178 of 222 shingles."""
FAR = text("book", other=60)
"""Similarity 0.54."""


def document(record_id: str, content: str, host: str, **more: Any) -> Row:
    return {"id": record_id, "url": f"https://{host}/{record_id}", "text": content, **more}


CRAWL = [
    document("book", BOOK, "press.example"),
    document("edited", EDITED, "elsewhere.example"),
    document("far", FAR, "far.example"),
    document("exact", f"  {BOOK}\n", "mirror.example"),
    document("pirate-1", text("pirate1"), "cdn.pirate.example"),
    document("pirate-2", text("pirate2"), "notpirate.example"),
    document("isbn", f"{text('novel')} ISBN 978-0-13-468599-1", "novel.example"),
    document("pair-1", text("pair"), "pair.example"),
    document("pair-2", text("pair", other=2), "pair.example"),
    document("short", "only three words", "short.example"),
    document("short-2", "only three  words", "short.example"),
]


def ask(directory: Path, name: str, selectors: dict[str, Any], **more: Any) -> Path:
    """Write a request."""
    said = {"requested_by": "Jane Doe", "requested_on": "2026-11-02", "reference": name, "selectors": selectors, **more}
    path = directory / f"{name}.yaml"
    path.write_text(yaml.safe_dump(said))
    return path


@pytest.fixture
def place(tmp_path: Path) -> Path:
    write_jsonl(tmp_path / "crawl.jsonl", CRAWL)
    return tmp_path


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The dataset of the crawl without takedowns."""
    directory = tmp_path_factory.mktemp("plain")
    write_jsonl(directory / "crawl.jsonl", CRAWL)
    curate(directory, [])
    return directory / "out"


def curate(place: Path, requests: list[Path], *options: str, **config: Any) -> dict[str, Row]:
    """Make the dataset `out` anew; its ledger rows by `record_id`, once the books balance."""
    shutil.rmtree(place / "out", ignore_errors=True)
    config = {"crawl": {"name": "c", "files": ["crawl.jsonl"]}, "takedowns": [str(path) for path in requests], **config}
    assert run("curate", write_config(place / "c.yaml", config), "--output", place / "out", "--quiet", *options) == 0
    if "dedup" not in config or "against" not in config["dedup"]:  # whose documents are witnesses too
        assert_books_balance(place / "out")
    rows = ledger(place / "out")
    for row in rows.values():
        assert (row["takedown_id"] is None) == (row["reason"] != "takedown")
        assert row["reason"] != "takedown" or (row["decision"], row["marks"][0]["rule"]) == ("drop", "takedown")
    return rows


def said(row: Row, *names: str) -> tuple[Any, ...]:
    return tuple(row["marks"][0][name] for name in names)


def gone(rows: dict[str, Row]) -> set[str]:
    return {name for name, row in rows.items() if row["takedown_id"]}


def test_page_that_was_asked_out_takes_its_copies_along(place: Path) -> None:
    """The page by its URL, copies on other hosts by their texts, each with evidence; what is less similar stays."""
    request = ask(place, "R-1", {"urls": ["http://press.example/book#top"]})
    takedown = read_takedown(str(request))
    rows = curate(place, [request])
    assert gone(rows) == {"book", "edited", "exact"}
    names = ("action", "list", "list_sha256", "category", "matched", "value", "limit", "method", "evidence")
    by = ("drop", takedown.id, takedown.sha256)
    nothing = (None, None, None, None)
    assert said(rows["book"], *names) == (*by, "urls", "http://press.example/book#top", *nothing)
    evidence = rows["book"]["doc_id"]
    similar = ("near_duplicates", None, jaccard(BOOK, EDITED), 0.7, "jaccard", evidence)
    assert said(rows["edited"], *names) == (*by, *similar)
    assert said(rows["exact"], *names) == (*by, "near_duplicates", None, 1.0, 0.7, "jaccard", evidence)
    assert said(rows["edited"], "evidence_build") == (None,)
    assert rows["far"]["decision"] == "keep"
    assert manifest(place / "out")["takedowns"] == [
        {
            "id": takedown.id,
            "sha256": takedown.sha256,
            "reference": "R-1",
            "requested_by": "Jane Doe",
            "requested_on": "2026-11-02",
            "scope": "near_duplicates",
            "similarity": None,
            "witnesses": "stay_out",
            "certificate": None,
            "records": 3,
        }
    ]


def test_named_scope_takes_out_what_is_named_and_no_more(place: Path) -> None:
    """Of texts the exact copies, whatever their spaces; nothing similar. What is out bears witness to nothing."""
    (place / "book.txt").write_text(BOOK)
    selectors = {"texts": ["book.txt"], "urls": ["https://pair.example/pair-1"]}
    request = ask(place, "R-1", selectors, scope="named")
    rows = curate(place, [request])
    assert gone(rows) == {"book", "exact", "pair-1"}
    names = read_takedown(str(request)).text_names
    assert said(rows["book"], "category", "matched", "value", "evidence") == ("texts", names[0], None, None)
    assert (rows["pair-2"]["decision"], rows["pair-2"]["duplicate_of"]) == ("keep", None)
    assert rows["edited"]["decision"] == "keep"


@pytest.mark.parametrize("similarity", [0.85, 0.5])
def test_text_of_a_request_is_found_in_edited_copies(place: Path, similarity: float) -> None:
    """No document is evidence, so `matched` names the text; the request's own similarity counts."""
    rows = curate(place, [ask(place, "R-1", {"texts": [{"text": BOOK}]}, similarity=similarity)])
    similar = {"edited": jaccard(BOOK, EDITED), "far": jaccard(BOOK, FAR)}
    assert gone(rows) == {"book", "exact", *(name for name, value in similar.items() if value >= similarity)}
    name = read_takedown(str(place / "R-1.yaml")).text_names[0]
    for record_id in gone(rows) & similar.keys():
        found = said(rows[record_id], "category", "matched", "value", "limit", "method", "evidence", "evidence_build")
        # A copy may be met by the document that equals the text, too.
        texts = ("near_duplicates", name, similar[record_id], similarity, "jaccard", None, None)
        assert found == texts or found[:1] + found[2:5] == texts[:1] + texts[2:5]


def test_text_alone_is_named_and_clusters_do_not_count_it(place: Path) -> None:
    """The crawl holds one edited copy and no equal one. It has no cluster, as the request's text is no document."""
    write_jsonl(place / "crawl.jsonl", [CRAWL[1], CRAWL[4]])
    request = ask(place, "R-1", {"texts": [{"text": BOOK}]})
    row = curate(place, [request])["edited"]
    name = read_takedown(str(request)).text_names[0]
    expected = ("near_duplicates", name, jaccard(BOOK, EDITED), None, None)
    assert said(row, "category", "matched", "value", "evidence", "evidence_build") == expected
    assert (row["cluster_id"], row["cluster_size"]) == (None, 1)
    assert manifest(place / "out")["duplicates"]["largest_clusters"] == []


def test_domain_goes_with_all_beneath_it_though_it_is_allowed_and_licensed(place: Path) -> None:
    """A takedown beats allow lists and the register, and comes before what lists and policy say."""
    (place / "register.yaml").write_text("sources: [{host: pirate.example, basis: licensed, contract: K-1}]")
    (place / "bad.txt").write_text("pirate.example\n")
    blocked = {"name": "bad", "path": "bad.txt", "format": "domains", "category": "piracy"}
    sources = {"blocklists": [blocked], "allow": ["pirate.example"], "register": "register.yaml"}
    request = ask(place, "R-1", {"domains": ["Pirate.example."]})
    rows = curate(place, [request], sources=sources)
    assert gone(rows) == {"pirate-1"}
    assert [mark["rule"] for mark in rows["pirate-1"]["marks"]] == ["takedown", "blocklist", "allowed"]
    assert said(rows["pirate-1"], "category", "matched") == ("domains", "Pirate.example.")


def test_isbns_and_doc_ids_name_documents(place: Path, plain: Path) -> None:
    """Ten digits or thirteen, with hyphens or not; a row names the first of two takedowns that it has marks of."""
    doc_id = ledger(plain)["far"]["doc_id"]
    first = ask(place, "R-1", {"isbns": ["0-13-468599-7"], "doc_ids": [doc_id]}, scope="named")
    second = ask(place, "R-2", {"urls": ["https://far.example/far"]}, scope="named")
    rows = curate(place, [first, second])
    one, two = (read_takedown(str(path)) for path in (first, second))
    assert gone(rows) == {"isbn", "far"}
    assert said(rows["isbn"], "category", "matched") == ("isbns", "0-13-468599-7")
    assert [(m["list"], m["category"]) for m in rows["far"]["marks"]] == [(one.id, "doc_ids"), (two.id, "urls")]
    assert [entry["records"] for entry in manifest(place / "out")["takedowns"]] == [2, 0]


def test_without_near_duplicates_only_equal_texts_go_and_it_is_said(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever else `dedup` turns off: a copy of a text that is too short for shingles goes too."""
    request = ask(place, "R-1", {"urls": ["https://press.example/book", "https://short.example/short"]})
    rows = curate(place, [request], dedup={"near": None, "exact": None, "url": None})
    assert gone(rows) == {"book", "exact", "short", "short-2"}
    assert "warning: `dedup.near` is null, so of what `takedowns` take out only equal texts" in letter(capsys)


def certify(place: Path, request: Path, taken: pa.Table, near: NearSettings | None = NEAR) -> Path:
    """Write a certificate of the request with the evidence beside it, as `cleartitle takedown` does."""
    takedown = read_takedown(str(request))
    evidence = place / f"{takedown.id}.parquet"
    facts = json.dumps(fingerprint_facts(near))
    pq.write_table(taken.replace_schema_metadata({FINGERPRINT: facts}), evidence)
    certificate = {
        "format": CERTIFICATE,
        "format_version": CERTIFICATE_VERSION,
        "id": takedown.id,
        "sha256": takedown.sha256,
        "request": canonical(takedown.request, takedown.texts.to_pylist()),
        "evidence": {"file": evidence.name, **file_facts(str(evidence))},
    }
    path = place / f"{takedown.id}.json"
    path.write_text(json.dumps(certificate))
    return path


def taken(contents: list[str], known: bool = True) -> pa.Table:
    """Evidence of documents with these texts."""
    table = taken_texts(pa.array(contents, pa.large_string()), NEAR)
    ids = digest_column(hash128(*strings(pa.array([f"id of {content}" for content in contents]))))
    table = table.set_column(0, TAKEN.schema().field("doc_id"), ids)
    if not known:
        at = table.schema.get_field_index("shingles")
        table = table.set_column(at, table.schema.field(at), pa.nulls(len(table), table.schema.field(at).type))
    return table


@pytest.mark.parametrize("known", [True, False], ids=["shingles", "sketch"])
def test_certificate_keeps_copies_out_of_the_next_crawl(place: Path, known: bool) -> None:
    """What was taken from another dataset is found by its fingerprints, by estimate where its text was not at hand."""
    write_jsonl(place / "crawl.jsonl", CRAWL[1:])
    certificate = certify(place, ask(place, "R-1", {"urls": ["https://press.example/book"]}), taken([BOOK], known))
    rows = curate(place, [certificate])
    assert gone(rows) == {"edited", "exact"}
    takedown = read_takedown(str(certificate))
    evidence = taken([BOOK])["doc_id"][0].as_py().hex()
    names = ("category", "matched", "limit", "evidence", "evidence_build")
    for name in ("edited", "exact"):
        assert said(rows[name], *names) == ("near_duplicates", None, 0.7, evidence, f"takedown-{takedown.id}")
    assert said(rows["exact"], "value", "method") == (1.0, "jaccard")
    value, method = said(rows["edited"], "value", "method")
    if known:
        assert (value, method) == (jaccard(BOOK, EDITED), "jaccard")
    else:
        assert (abs(value - jaccard(BOOK, EDITED)) < 0.2, method) == (True, "signature")
    assert manifest(place / "out")["duplicates"]["against"] == []


def test_certificate_finds_copies_by_signatures_where_the_config_compares_no_texts(place: Path) -> None:
    """`dedup.near.verify: signature`: no set is needed, and every similarity is an estimate."""
    write_jsonl(place / "crawl.jsonl", CRAWL[1:])
    request = ask(place, "R-1", {"urls": ["https://press.example/book"]}, similarity=0.6)
    rows = curate(place, [certify(place, request, taken([BOOK], known=False))], dedup={"near": {"verify": "signature"}})
    assert gone(rows) == {"edited", "exact"}
    assert said(rows["edited"], "method", "limit") == ("signature", 0.6)


def test_certificate_of_a_text_finds_it_again(place: Path) -> None:
    """Its text is not in it, its digest is; equal texts go under any scope."""
    (place / "book.txt").write_text(BOOK)
    texts = taken_texts(pa.array([BOOK], pa.large_string()), NEAR)
    digest = texts["text_digest"][0].as_py().hex()
    rows = curate(place, [certify(place, ask(place, "R-1", {"texts": ["book.txt"]}, scope="named"), texts)])
    assert gone(rows) == {"book", "exact"}
    assert said(rows["book"], "category", "matched") == ("texts", f"text_digest:{digest}")


def test_certificate_with_other_fingerprints_is_refused(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Copies would be missed in silence, so nothing is begun."""
    certificate = certify(
        place, ask(place, "R-1", {"urls": ["https://a.example/"]}), taken([BOOK]), NearSettings(4, 25, 5)
    )
    config = {"crawl": {"name": "c", "files": ["crawl.jsonl"]}, "takedowns": [str(certificate)]}
    assert run("curate", write_config(place / "c.yaml", config), "--output", place / "out", "--quiet") == 2
    assert letter(capsys).splitlines() == [
        f"`takedowns` names {certificate}, a certificate whose fingerprints are not made as those of this run.",
        f"  there: {json.dumps(fingerprint_facts(NearSettings(4, 25, 5)))}",
        f"  here:  {json.dumps(fingerprint_facts(NEAR))}",
        "Give `dedup.near` the settings that it was made with, or make it again with these.",
    ]
    assert not (place / "out").exists()


def test_all_wrong_takedowns_are_named_before_any_work(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One that is not there, one that asks for nothing, and one request under two names."""
    one = ask(place, "R-1", {"domains": ["a.example"]})
    again = shutil.copy(one, place / "again.yaml")
    paths = [one, place / "lost.yaml", ask(place, "R-2", {"domains": []}), again]
    config = {"crawl": {"name": "c", "files": ["crawl.jsonl"]}, "takedowns": [str(path) for path in paths]}
    assert run("config", "check", write_config(place / "c.yaml", config)) == 2
    said_of = letter(capsys)
    assert f"{place}/lost.yaml: the takedown cannot be read: No such file or directory" in said_of
    assert f"{place}/R-2.yaml" in said_of
    assert f"`takedowns` names one request twice, {one} and {again}; name one of them." in said_of


def test_dataset_that_holds_what_was_asked_out_is_no_witness(place: Path, plain: Path) -> None:
    """An earlier dataset still has the page: its document takes the copies of this crawl out, and is no survivor."""
    write_jsonl(place / "crawl.jsonl", [CRAWL[0], CRAWL[7]])
    old, build = ledger(plain), manifest(plain)["build_id"]
    request = ask(place, "R-1", {"urls": ["https://elsewhere.example/edited"]})
    rows = curate(place, [request], crawl={"name": "new", "files": ["crawl.jsonl"]}, dedup={"against": [str(plain)]})
    assert (rows["book"]["reason"], rows["pair-1"]["reason"]) == ("takedown", "near_duplicate")
    assert said(rows["book"], "evidence", "evidence_build") == (old["edited"]["doc_id"], build)
    assert rows["book"]["duplicate_of"] is None


def test_decisions_are_the_same_for_any_workers_and_passes(place: Path) -> None:
    """Two threads and passes of a few kilobytes give the same bytes, wherever the requests lie."""
    (place / "book.txt").write_text(BOOK)
    request = ask(place, "R-1", {"texts": ["book.txt"], "domains": ["pirate.example"], "isbns": ["9780134685991"]})
    certificate = certify(place, ask(place, "R-2", {"urls": ["https://x.example/"]}), taken([text("pair"), text("q")]))
    curate(place, [request, certificate])
    found, build = digests(place / "out"), manifest(place / "out")["build_id"]
    moved = place / "moved"
    moved.mkdir()
    for path in place.glob("*.json"):
        shutil.copy(path, moved)
        shutil.copy(path.with_suffix(".parquet"), moved)
    request.rename(moved / request.name)
    (place / "book.txt").rename(moved / "book.txt")
    requests = [moved / request.name, moved / certificate.name]
    curate(place, requests, "--", "--direct_num_workers=2", run={"shuffle_memory": 1})
    assert (digests(place / "out"), manifest(place / "out")["build_id"]) == (found, build)


def test_another_takedown_reads_the_crawl_no_second_time(place: Path) -> None:
    """The measured store is of the crawl alone: with another takedown only decide and publish run again."""
    request = ask(place, "R-1", {"urls": ["https://press.example/book"]})
    config = {"crawl": {"name": "c", "files": ["crawl.jsonl"]}}
    without, with_it = (
        write_config(place / f"{name}.yaml", {**config, "takedowns": paths})
        for name, paths in (("a", []), ("b", [str(request)]))
    )
    measured = place / "measured"
    assert run("measure", without, "--output", measured, "--quiet") == 0
    decided = place / "decided"
    assert run("decide", with_it, "--measured", measured, "--output", decided, "--quiet") == 0
    # Decisions of a run that was killed after the takedowns were stored go on from there.
    for path in decided.glob("part-*"):
        path.unlink()
    (decided / "clusters.json").unlink()
    assert run("decide", with_it, "--measured", measured, "--output", decided, "--quiet", "--resume") == 0
    output = place / "out"
    command = ["publish", with_it, "--measured", measured, "--decided", decided, "--output", output, "--quiet"]
    assert run(*command) == 0
    assert gone(ledger(output)) == {"book", "edited", "exact"}
