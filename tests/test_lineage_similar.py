"""Similar rows of a dataset against Python sets of shingles, one pair after the other."""

import json
import lzma
import random
from collections import defaultdict
from fractions import Fraction
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lineage.catalog import Dataset, open_dataset
from lineage.similarity import find_candidates, load_sets
from lineage.similarity import find_similar as finding
from lineage.similarity.find_similar import MATCHES, Prints, find_similar, prints_of_rows, prints_of_texts, taken
from schemas.columns import TAKEN
from schemas.errors import InputError
from tests.crawl_of_all_formats import all_places
from tests.jobs import run, write_config, write_jsonl
from tests.texts import jaccard, shingle_set
from transforms.batches import hex_digests
from transforms.measure.fingerprint import NearSettings

SECTIONS = Path(__file__).resolve().parents[2] / "shared" / "data" / "civil" / "sections.jsonl.xz"
NEAR = NearSettings(ngram=5, bands=25, rows=5)
THRESHOLD = 0.7
Match = tuple[int, int, float, str]
"""Query, number of the ledger row, similarity, method."""


def varied(seed: int, rows: int) -> list[str]:
    """Texts in families: copies with some words replaced, exact copies in another layout, short and empty ones."""
    draw = random.Random(seed)
    texts = []
    for number in range(rows):
        words = [f"f{number // 12}w{word}" for word in range(60)]
        for _ in range(draw.choice([0, 0, 1, 2, 3, 4])):
            words[draw.randrange(60)] = f"x{draw.randrange(9)}"
        texts.append(draw.choice([" ", "\n", "  "]).join(words))
    return [*texts, "", " ", "one", "one two", "one two"]


TEXTS = varied(1, 180)


def make_dataset(place: Path, texts: list[str], **dedup: object) -> Dataset:
    """A dataset of rows whose ids are their numbers."""
    write_jsonl(place / "a.jsonl", [{"id": str(n), "text": text} for n, text in enumerate(texts)])
    config = {"crawl": {"name": "similar", "files": ["a.jsonl"]}, "dedup": dedup, "plan": {"part_size": "64 KiB"}}
    assert run("curate", write_config(place / "c.yaml", config), "--output", place / "out", "--quiet") == 0
    return open_dataset(str(place / "out"))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("similar")
    make_dataset(place, TEXTS)
    return place


@pytest.fixture
def dataset(place: Path) -> Dataset:
    return open_dataset(str(place / "out"))


def numbered(dataset: Dataset, found: pa.Table) -> list[Match]:
    """Matches with the `record_id` of their row in place of part and row."""
    ids = dataset.ledger(found, ["record_id"])["record_id"].to_pylist() if len(found) else []
    columns = (found[name].to_pylist() for name in ("query", "similarity", "method"))
    return [(q, int(i), s, m) for i, q, s, m in zip(ids, *columns, strict=True)]


def rows(dataset: Dataset, numbers: list[int]) -> pa.Table:
    """Places of the rows with these `record_id`s."""
    places = all_places(dataset)
    where = {name: at for at, name in enumerate(dataset.ledger(places, ["record_id"])["record_id"].to_pylist())}
    return places.take(pa.array([where[str(number)] for number in numbers], pa.int64()))


def bands(prints: Prints, row: int) -> list[bytes]:
    return [prints.table[f"band_{band:02d}"][row].as_py() for band in range(NEAR.bands)]


def band_sets(texts: list[str], near: NearSettings = NEAR) -> list[frozenset[tuple[int, bytes]]]:
    """The bands of each text, with their numbers."""
    table = prints_of_texts(pa.array(texts, pa.string()), near).table
    columns = [table[f"band_{band:02d}"].to_pylist() for band in range(near.bands)]
    return [frozenset(enumerate(values)) for values in zip(*columns, strict=True)]


def slow_matches(dataset: Dataset, queries: list[str], texts: list[str], threshold: float = THRESHOLD) -> set[Match]:
    """Every query with every text: equal words or sets of shingles, which from the threshold of the build on are those
    of texts that share a band or the cluster of a match."""
    near = dataset.near or NEAR
    said = dataset.ledger(rows(dataset, list(range(len(texts)))), ["cluster_id"])["cluster_id"].to_pylist()
    theirs = list(zip(map(shingle_set, texts), band_sets(texts, near), said, strict=True))
    found: set[Match] = set()
    for q, (query, mine) in enumerate(zip(queries, band_sets(queries, near), strict=True)):
        words, shingles = query.split(), shingle_set(query)
        similar_to = {
            t: (1.0, "exact") if words == texts[t].split() else (float(similarity), "jaccard")
            for t, (other, *_) in enumerate(theirs)
            if words and texts[t].split()
            for similarity in [jaccard(shingles, other)]
            if words == texts[t].split() or similarity >= Fraction(threshold)
        }
        at_once = {t for t, (_, method) in similar_to.items() if method == "exact" or mine & theirs[t][1]}
        clusters = {theirs[t][2] for t in at_once} - {None}
        scanned = dataset.threshold is not None and threshold < dataset.threshold
        found |= {
            (q, t, *said) for t, said in similar_to.items() if scanned or t in at_once or theirs[t][2] in clusters
        }
    return found


def assert_witnesses_are_found(dataset: Dataset) -> int:
    """Each dropped row finds its witness, and the witness it, as similar as the ledger says; how many there are."""
    places = all_places(dataset)
    said = dataset.ledger(places, ["doc_id", "duplicate_of", "similarity"]).to_pylist()
    at = {row["doc_id"]: number for number, row in enumerate(said)}
    number = {(row["part"], row["row"]): n for n, row in enumerate(places.to_pylist())}
    found = find_similar(dataset, prints_of_rows(dataset, places)).to_pylist()
    pairs = {(row["query"], number[row["part"], row["row"]]): row["similarity"] for row in found}
    dropped = [(n, at[row["duplicate_of"]], row["similarity"]) for n, row in enumerate(said) if row["duplicate_of"]]
    assert all(pairs[n, witness] == pairs[witness, n] == similarity for n, witness, similarity in dropped)
    return len(dropped)


# What is found


def test_every_row_finds_what_python_sets_find(dataset: Dataset) -> None:
    """Kept or dropped, each with its true similarity, for all rows at once."""
    found = find_similar(dataset, prints_of_rows(dataset, rows(dataset, list(range(len(TEXTS))))))
    assert found.schema == MATCHES
    matches = numbered(dataset, found)
    assert len(matches) == len(set(matches))
    assert set(matches) == slow_matches(dataset, TEXTS, TEXTS)
    assert {method for *_, method in matches} == {"exact", "jaccard"}


@given(seed=st.integers(2, 999), count=st.integers(0, 4), threshold=st.sampled_from([None, 0.5, 0.9, 1.0]))
@settings(deadline=None, max_examples=12)
def test_texts_that_are_no_rows_find_their_like(place: Path, seed: int, count: int, threshold: float | None) -> None:
    """For any threshold; from that of the build on they are held to what shares a band."""
    dataset = open_dataset(str(place / "out"))
    queries = random.Random(seed).choices(varied(seed, 180), k=count)
    prints = prints_of_texts(pa.array(queries, pa.string()), NEAR)
    expected = slow_matches(dataset, queries, TEXTS, threshold or THRESHOLD)
    assert set(numbered(dataset, find_similar(dataset, prints, threshold))) == expected


def test_matches_are_sorted_by_query_and_similarity(dataset: Dataset) -> None:
    """The most similar first, ties by place."""
    found = find_similar(dataset, prints_of_texts(pa.array([TEXTS[30], TEXTS[3]]), NEAR)).to_pylist()
    assert found == sorted(found, key=lambda row: (row["query"], -row["similarity"], row["part"], row["row"]))
    assert {row["query"] for row in found} == {0, 1}


def test_duplicates_that_the_ledger_proves_are_found(dataset: Dataset) -> None:
    """Each by the other, whichever of the two was kept."""
    assert assert_witnesses_are_found(dataset) > 50


def test_duplicates_without_a_common_band_are_found_by_their_cluster(tmp_path: Path) -> None:
    """With few bands many a document met its witness only because both share a band with a third."""
    near = NearSettings(ngram=5, bands=3, rows=4)
    texts = varied(5, 150)
    dataset = make_dataset(tmp_path, texts, near={"bands": near.bands, "rows": near.rows, "threshold": 0.6})
    keys = dict(enumerate(band_sets(texts, near)))
    said = dataset.sql(
        "SELECT l.record_id AS gone, k.record_id AS kept FROM ledger l JOIN ledger k ON k.doc_id = l.duplicate_of "
        "WHERE l.reason = 'near_duplicate'"
    ).to_pylist()
    assert any(keys[int(pair["gone"])].isdisjoint(keys[int(pair["kept"])]) for pair in said)
    assert assert_witnesses_are_found(dataset) > 20
    found = find_similar(dataset, prints_of_texts(pa.array(texts), near))
    assert set(numbered(dataset, found)) == slow_matches(dataset, texts, texts, 0.6)


def test_queries_with_one_text_find_the_same(dataset: Dataset) -> None:
    """Also with another layout of it; empty ones find nothing."""
    words = TEXTS[7].split()
    texts = pa.array([" ".join(words), "", "\n".join(words), None, " \t"])
    by_query = defaultdict(list)
    for query, *match in numbered(dataset, find_similar(dataset, prints_of_texts(texts, NEAR))):
        by_query[query].append(match)
    assert set(by_query) == {0, 2}
    assert by_query[0] == by_query[2]


@pytest.mark.parametrize("limit", [1, 50])
def test_work_in_small_blocks_finds_the_same(dataset: Dataset, monkeypatch: pytest.MonkeyPatch, limit: int) -> None:
    """However few texts, hits and shingles are held at a time."""
    places = all_places(dataset).slice(0, 60)
    whole = find_similar(dataset, prints_of_rows(dataset, places))
    monkeypatch.setattr(finding, "BLOCK_TEXTS", limit)
    monkeypatch.setattr(find_candidates, "MOST_HITS", limit)
    monkeypatch.setattr(load_sets, "BLOCK_SHINGLES", limit)
    assert find_similar(dataset, prints_of_rows(dataset, places)).equals(whole)


@pytest.mark.skipif(not SECTIONS.exists(), reason=f"{SECTIONS} is not here")
def test_sections_of_the_civil_code_find_their_like(tmp_path: Path) -> None:
    """Real texts, of which many are templates of each other."""
    with lzma.open(SECTIONS, "rt", encoding="utf-8") as lines:
        texts = [json.loads(line)["text"] for _, line in zip(range(300), lines, strict=False)]
    dataset = make_dataset(tmp_path, texts)
    found = find_similar(dataset, prints_of_rows(dataset, rows(dataset, list(range(len(texts))))))
    assert set(numbered(dataset, found)) == slow_matches(dataset, texts, texts)


# Where texts cannot be had


def test_rows_whose_text_is_gone_are_estimated(dataset: Dataset) -> None:
    """Without the crawl: kept rows by their texts, dropped ones by the share of equal values of two signatures."""
    prints = prints_of_texts(pa.array([TEXTS[n] + " tail" for n in (0, 14, 100)]), NEAR)
    known = numbered(dataset, find_similar(dataset, prints))
    found = numbered(dataset, find_similar(dataset, prints, crawl=False))
    kept = {int(name) for name in dataset.sql("SELECT record_id FROM documents")["record_id"].to_pylist()}
    assert [match for match in found if match[3] == "jaccard"] == [
        match for match in known if any(TEXTS[match[1]].split() == TEXTS[row].split() for row in kept)
    ]
    estimated = [match for match in found if match[3] == "signature"]
    theirs = prints_of_texts(pa.array(TEXTS), NEAR)
    assert estimated
    for query, row, similarity, _ in estimated:
        assert similarity >= THRESHOLD
        mine, other = (np.frombuffer(b"".join(bands(p, n)), "<u4") for p, n in ((prints, query), (theirs, row)))
        assert similarity == np.mean(mine == other)


def test_sources_whose_text_is_gone_are_estimated(dataset: Dataset) -> None:
    """A dropped row as the source, without the crawl: rows with its very text are exact, all others estimates."""
    said = dataset.sql("SELECT record_id FROM ledger WHERE reason = 'near_duplicate' ORDER BY ALL")["record_id"]
    dropped = [int(name) for name in said.to_pylist()]
    prints = prints_of_rows(dataset, rows(dataset, dropped), crawl=False)
    found = numbered(dataset, find_similar(dataset, prints, crawl=False))
    assert (prints.sets.size == load_sets.UNKNOWN).all()
    assert {match[3] for match in found} == {"exact", "signature"}
    equal = {(query, row) for query, row, _, method in found if method == "exact"}
    words = [text.split() for text in TEXTS]
    assert equal == {(q, n) for q, row in enumerate(dropped) for n in range(len(TEXTS)) if words[n] == words[row]}


def test_text_of_a_copy_that_is_kept_serves_the_dropped_one(dataset: Dataset) -> None:
    """An exact copy is compared by the text of its witness, so that no crawl is needed."""
    pairs = dataset.sql(
        "SELECT l.record_id AS gone, d.record_id AS kept FROM ledger l JOIN documents d "
        "ON d.text_digest = l.text_digest WHERE l.reason = 'exact_duplicate' ORDER BY ALL"
    ).to_pylist()
    gone, kept = (rows(dataset, [int(pair[name]) for pair in pairs]) for name in ("gone", "kept"))
    assert len(pairs) > 10
    assert sets_of(prints_of_rows(dataset, gone, crawl=False)) == [None] * len(pairs)
    both = sets_of(prints_of_rows(dataset, pa.concat_tables([gone, kept]), crawl=False))
    assert both[: len(pairs)] == both[len(pairs) :]
    assert None not in both


# Prints


def test_prints_of_rows_are_those_of_their_texts(dataset: Dataset) -> None:
    """Fingerprints of the dataset and sets of shingles, with the crawl at hand."""
    by_rows, by_texts = (
        prints_of_rows(dataset, rows(dataset, list(range(len(TEXTS))))),
        prints_of_texts(pa.array(TEXTS), NEAR),
    )
    assert by_rows.table.to_pylist() == by_texts.table.to_pylist()
    for one, other, text in zip(sets_of(by_rows), sets_of(by_texts), TEXTS, strict=True):
        assert one == other == shingle_set(text)


def sets_of(prints: Prints) -> list[frozenset[int] | None]:
    sets = prints.sets
    return [
        None if size < 0 else frozenset(sets.shingles[start : start + size].tolist())
        for start, size in zip(sets.start, sets.size, strict=True)
    ]


def test_taken_rows_hold_prints_and_sets_and_no_text(dataset: Dataset) -> None:
    """In the schema of the certificate's evidence, with null for a set that is unknown."""
    places = rows(dataset, list(range(30)))
    ids = dataset.ledger(places, ["doc_id"])["doc_id"].to_pylist()
    for crawl in (True, False):
        prints = prints_of_rows(dataset, places, crawl)
        table = taken(dataset, places, prints)
        assert table.schema == TAKEN.schema(NEAR.fields())
        table.validate(full=True)
        assert hex_digests(table["doc_id"].combine_chunks()).to_pylist() == ids
        found = [None if one is None else frozenset(one) for one in table["shingles"].to_pylist()]
        assert found == sets_of(prints)
        assert (None in found) is not crawl
        assert table["text_bytes"].to_pylist() == [len(text.encode()) for text in TEXTS[:30]]


def test_taken_texts_are_known_by_their_digest(dataset: Dataset) -> None:
    """Texts of a request are no rows of the dataset."""
    table = taken(dataset, None, prints_of_texts(pa.array(["one two", TEXTS[0]]), NEAR))
    assert table["doc_id"].equals(table["text_digest"])
    assert [len(shingles) for shingles in table["shingles"].to_pylist()] == [1, len(shingle_set(TEXTS[0]))]


def test_nothing_finds_nothing(dataset: Dataset) -> None:
    """No texts, no rows, and texts without a word."""
    none = rows(dataset, [])
    for prints in (prints_of_texts(pa.array([], pa.string()), NEAR), prints_of_rows(dataset, none)):
        assert find_similar(dataset, prints).equals(MATCHES.empty_table())
        assert len(prints) == 0
    assert taken(dataset, none, prints_of_rows(dataset, none)).equals(TAKEN.schema(NEAR.fields()).empty_table())


def test_build_without_near_duplicates_finds_equal_texts(tmp_path: Path) -> None:
    """Its fingerprints are digests."""
    dataset = make_dataset(tmp_path, TEXTS[:40], near=None)
    prints = prints_of_texts(pa.array([TEXTS[3], TEXTS[3] + " more"]), dataset.near)
    expected = {(0, n, 1.0, "exact") for n, text in enumerate(TEXTS[:40]) if text.split() == TEXTS[3].split()}
    assert set(numbered(dataset, find_similar(dataset, prints))) == expected
    by_rows = prints_of_rows(dataset, rows(dataset, [3]))
    assert {match[1:] for match in numbered(dataset, find_similar(dataset, by_rows))} == {m[1:] for m in expected}
    assert taken(dataset, rows(dataset, [3]), by_rows)["shingles"].to_pylist() == [None]


def test_prints_of_other_settings_are_refused(dataset: Dataset) -> None:
    """They could only miss what is there."""
    with pytest.raises(InputError) as error:
        find_similar(dataset, prints_of_texts(pa.array(["a"]), NearSettings(3, 25, 5)))
    assert str(error.value) == (
        "The texts were not fingerprinted as the documents of the dataset were.\n"
        "  texts:   NearSettings(ngram=3, bands=25, rows=5)\n"
        "  dataset: NearSettings(ngram=5, bands=25, rows=5)\n"
        "Make their prints with `dataset.near`."
    )


def test_text_with_more_shingles_than_its_fingerprint_says_is_refused() -> None:
    """The file of texts and that of fingerprints are not of the same rows."""
    with pytest.raises(InputError, match="A text has more shingles than its fingerprint says"):
        load_sets.sets_of_texts(pa.array(["one two three"]), np.array([1]), 1)
