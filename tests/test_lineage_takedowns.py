"""What a takedown takes out: what its selectors name, what repeats that, and what was dropped for it."""

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from configs.takedown import SELECTORS
from lineage.catalog import Dataset, open_dataset
from lineage.takedowns import row_ids as row_ids_module
from lineage.takedowns import spread_to_copies, takedown
from lineage.takedowns.leave_out import Rest
from lineage.takedowns.plan_takedown import RECORDS, Plan, plan_takedown
from lineage.takedowns.row_ids import places_of, row_ids
from lineage.takedowns.select_rows import select_rows
from schemas.errors import ConfigError, OutputError
from tests.jobs import ledger
from tests.takedown_data import BOOK, LATER, ROWS, edited, shared_dataset, text, write_request
from transforms.publish.index_keys import key_of
from transforms.takedowns.read_takedown import Takedown, read_takedown
from transforms.urls import normal_urls

Row = dict[str, Any]

TEXTS = {row["id"]: row["text"] for row in (*ROWS, *LATER)}
NGRAM = 5


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return open_dataset(str(shared_dataset()))


@pytest.fixture(scope="module")
def rows() -> dict[str, Row]:
    """Ledger rows by `record_id`."""
    return ledger(shared_dataset())


@pytest.fixture
def asked(tmp_path: Path) -> Any:
    """Reads a request for some selectors."""

    def asked(selectors: Row, **keys: Any) -> Takedown:
        return read_takedown(str(write_request(tmp_path / "request.yaml", selectors, **keys)))

    return asked


def shingles(content: str) -> set[tuple[str, ...]]:
    words = content.split()
    return {tuple(words[i : i + NGRAM]) for i in range(len(words) - NGRAM + 1)}


def jaccard(one: str, other: str) -> float:
    return len(shingles(one) & shingles(other)) / len(shingles(one) | shingles(other))


def by_record(plan: Plan, rows: dict[str, Row]) -> dict[str, Row]:
    """What goes, by `record_id`."""
    names = {row["doc_id"]: name for name, row in rows.items()}
    return {names[one["doc_id"]]: one for one in plan.records.to_pylist()}


def why(plan: Plan, rows: dict[str, Row]) -> dict[str, str]:
    return {name: one["selector"] for name, one in by_record(plan, rows).items()}


@cache
def normal_url(url: str) -> str:
    return str(normal_urls(pa.array([url]))[0])


def slow_hits(rows: Iterable[Row], takedown: Takedown) -> list[tuple[str, str, str]]:
    """What `select_rows` finds, by a look at every row for every selector: `doc_id`, kind, selector."""
    selectors, found = takedown.request.selectors, []
    for row in rows:
        host = row["url_host_name"]
        fits = {
            "urls": [one for one in selectors.urls if normal_url(one) == normal_url(row["url"])],
            "domains": [one for one in selectors.domains if host == one or host.endswith(f".{one}")],
            "isbns": [one for one in selectors.isbns if BOOK.replace("-", "") in {i["value"] for i in row["isbns"]}],
            "doc_ids": [one for one in selectors.doc_ids if one == row["doc_id"]],
            "texts": [
                name
                for name, words in zip(takedown.text_names, takedown.texts.to_pylist(), strict=True)
                if words.split() == TEXTS[row["record_id"]].split()
            ],
        }
        found += [(row["doc_id"], kind, one) for kind in SELECTORS for one in sorted(fits[kind])]
    return found


def hits(dataset: Dataset, takedown: Takedown) -> list[tuple[str, str, str]]:
    table = select_rows(dataset, takedown)
    doc_ids = dataset.ledger(places_of(table["id"].to_numpy()), ["doc_id"])["doc_id"]
    return list(zip(doc_ids.to_pylist(), table["selector"].to_pylist(), table["matched"].to_pylist(), strict=True))


urls = [
    "http://pirate.example/book#top",
    "https://same.example:443/page",
    "https://a.example/none",
    "same.example/page",
]
hosts = [
    "pirate.example",
    "cdn.pirate.example",
    "www.pirate.example",
    "irate.example",
    "second.example",
    "none.example",
]
words = [text("later"), f"\n{text('later')}  ", text("book"), "never seen", text("held") + " All rights reserved."]
selectors = st.fixed_dictionaries(
    {},
    optional={
        "urls": st.lists(st.sampled_from(urls), unique=True),
        "domains": st.lists(st.sampled_from(hosts), unique=True),
        "isbns": st.sampled_from([[BOOK], [BOOK.replace("-", "")]]),
        "doc_ids": st.lists(st.sampled_from(["record:book", "record:later-2", "0" * 32]), unique=True),
        "texts": st.lists(st.sampled_from(words), unique=True).map(lambda texts: [{"text": one} for one in texts]),
    },
).filter(lambda chosen: any(chosen.values()))


def real_ids(chosen: Row, rows: dict[str, Row]) -> Row:
    """The selectors, with `doc_id`s in place of the names of records."""
    ids = [rows[one[7:]]["doc_id"] if one.startswith("record:") else one for one in chosen.get("doc_ids", [])]
    return {**chosen, "doc_ids": ids}


@settings(deadline=None, max_examples=25)
@given(selectors)
def test_selectors_find_what_a_look_at_every_row_finds(
    dataset: Dataset, rows: dict[str, Row], tmp_path_factory: pytest.TempPathFactory, chosen: Row
) -> None:
    """In the order of the ledger, of the kinds, and of the selectors."""
    path = write_request(tmp_path_factory.getbasetemp() / "selectors.yaml", real_ids(chosen, rows))
    takedown = read_takedown(str(path))
    in_order = [row for part in (ROWS, LATER) for row in (rows[one["id"]] for one in part)]
    assert hits(dataset, takedown) == slow_hits(in_order, takedown)


def test_domain_covers_its_hosts_and_ports(dataset: Dataset, rows: dict[str, Row], asked: Any) -> None:
    """And no name that merely ends like it; `www.` is a host beneath it like any other."""
    found = {
        domain: [
            name
            for name, one in why(plan_takedown(dataset, asked({"domains": [domain]}, scope="named")), rows).items()
            if one == "domains"
        ]
        for domain in ("pirate.example", "www.pirate.example", "example.org")
    }
    assert found == {
        "pirate.example": ["book", "book-3", "www", "other-port"],
        "www.pirate.example": ["www"],
        "example.org": [],
    }


def test_row_is_marked_by_its_first_selector(dataset: Dataset, rows: dict[str, Row], asked: Any) -> None:
    """Of kinds in their order, of one kind by how it is written; every selector counts all that it names."""
    chosen = {"domains": ["pirate.example", "cdn.pirate.example"], "doc_ids": [rows["book"]["doc_id"]]}
    chosen["urls"] = ["https://pirate.example/book"]
    plan = plan_takedown(dataset, asked(chosen, scope="named"))
    found = by_record(plan, rows)
    assert {name: (found[name]["selector"], found[name]["matched"]) for name in ("book", "book-3", "www")} == {
        "book": ("urls", "https://pirate.example/book"),
        "book-3": ("domains", "cdn.pirate.example"),
        "www": ("domains", "pirate.example"),
    }
    assert plan.counts == {
        "urls": {"https://pirate.example/book": 1},
        "domains": {"cdn.pirate.example": 1, "pirate.example": 4},
        "isbns": {},
        "doc_ids": {rows["book"]["doc_id"]: 1},
        "texts": {},
    }


def slow_copies(rows: dict[str, Row], sources: Iterable[str], limit: float) -> dict[str, tuple[float, str]]:
    """Other rows similar to one of the sources: how similar, and to which, the first `doc_id` of equals."""
    chosen = set(sources)
    found = {}
    for name in TEXTS.keys() - chosen:
        best = max((jaccard(TEXTS[name], TEXTS[one]), -int(rows[one]["doc_id"], 16), one) for one in chosen)
        if best[0] >= limit:
            found[name] = (best[0], rows[best[2]]["doc_id"])
    return found


@pytest.mark.parametrize("similarity", [None, 0.5, 0.95, 1.0])
def test_copies_of_what_is_selected_go_too(
    dataset: Dataset, rows: dict[str, Row], asked: Any, similarity: float | None
) -> None:
    """Whatever reaches the similarity of the request, or else that of the build, kept or dropped, on any host."""
    chosen = {"doc_ids": [rows[name]["doc_id"] for name in ("book-twin", "later-2")]}
    plan = plan_takedown(dataset, asked(chosen, similarity=similarity))
    copies = {
        name: (one["similarity"], one["evidence"])
        for name, one in by_record(plan, rows).items()
        if one["selector"] == "near_duplicates"
    }
    assert copies == slow_copies(rows, ["book-twin", "later-2"], similarity or 0.7)
    assert plan.limit == (similarity or 0.7)


def test_copy_names_the_most_similar_source(dataset: Dataset, rows: dict[str, Row], asked: Any) -> None:
    """Not the first, and with the method by which they were compared."""
    chosen = {"doc_ids": [rows[name]["doc_id"] for name in ("book", "book-2")]}
    found = by_record(plan_takedown(dataset, asked(chosen)), rows)
    assert (found["book-twin"]["similarity"], found["book-twin"]["method"]) == (1.0, "exact")
    assert found["book-twin"]["evidence"] == rows["book-2"]["doc_id"]
    assert found["book-3"]["method"] == "jaccard"


def test_blocks_of_sources_find_what_one_look_finds(
    dataset: Dataset, rows: dict[str, Row], asked: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each row at most once, though not always by its most similar source; similarities are true in any case."""
    takedown = asked({"domains": ["pirate.example", "first.example"], "texts": [{"text": text("later")}]})
    whole = plan_takedown(dataset, takedown).records
    monkeypatch.setattr(spread_to_copies, "FIRST_ROWS", 1)
    monkeypatch.setattr(row_ids_module, "BLOCK_ROWS", 1)
    parted = plan_takedown(dataset, takedown).records
    assert parted.select(["doc_id", "selector", "matched"]).equals(whole.select(["doc_id", "selector", "matched"]))
    names = {row["doc_id"]: name for name, row in rows.items()}
    for row in parted.to_pylist():
        if row["evidence"]:
            assert row["similarity"] == jaccard(TEXTS[names[row["doc_id"]]], TEXTS[names[row["evidence"]]])


def test_rows_that_are_left_out_are_not_found(dataset: Dataset) -> None:
    """By none of their keys; all others are, and the dataset itself is as it was."""
    keys = key_of("text", dataset.read("ledger", 0, ["text_digest"])["text_digest"].combine_chunks())
    everything = row_ids(dataset.find_keys(keys))
    rest = Rest(dataset, everything[:5])
    assert set(row_ids(rest.find_keys(keys)).tolist()) == set(everything.tolist()) - set(everything[:5].tolist())
    assert row_ids(dataset.find_keys(keys)).tolist() == everything.tolist()


def test_text_of_the_request_is_a_source(dataset: Dataset, rows: dict[str, Row], asked: Any) -> None:
    """It has no `doc_id`, so a copy names it in `matched`; the very text is selected by it."""
    takedown = asked({"texts": [{"text": edited("book", 3)}, {"text": edited("later", 5)}]})
    found = by_record(plan_takedown(dataset, takedown), rows)
    assert {name: one["selector"] for name, one in found.items()} == {
        "book-3": "texts",
        **dict.fromkeys(["book", "book-2", "book-twin", "later", "later-2"], "near_duplicates"),
    }
    assert (found["later"]["matched"], found["later"]["evidence"]) == (takedown.text_names[1], None)
    assert found["later"]["similarity"] == jaccard(TEXTS["later"], edited("later", 5))
    assert (found["book"]["matched"], found["book"]["evidence"]) == (None, rows["book-3"]["doc_id"])


def test_ledger_proves_what_texts_cannot(dataset: Dataset, rows: dict[str, Row], asked: Any) -> None:
    """Without the crawl the texts of dropped rows are not at hand: a witness is proof, the rest is estimated."""
    chosen = {"doc_ids": [rows["book"]["doc_id"], rows["later-2"]["doc_id"]]}
    found = by_record(plan_takedown(dataset, asked(chosen), crawl=False), rows)
    for name, witness in (("book-2", "book"), ("book-3", "book"), ("later", "later-2")):
        assert found[name]["method"] == "jaccard"
        assert found[name]["similarity"] == jaccard(TEXTS[name], TEXTS[witness])
    twin = {"doc_ids": [rows["book-3"]["doc_id"]]}
    found = by_record(plan_takedown(dataset, asked(twin), crawl=False), rows)
    assert {name: one["method"] for name, one in found.items()} == {
        "book": "jaccard",
        "book-3": None,
        **dict.fromkeys(["book-2", "book-twin"], "signature"),
    }


def test_named_scope_takes_no_copies(dataset: Dataset, rows: dict[str, Row], asked: Any) -> None:
    """Only what was dropped for one that goes is marked with it, so that no row names a witness that is out."""
    plan = plan_takedown(dataset, asked({"urls": ["https://pirate.example/book"]}, scope="named"))
    assert why(plan, rows) == {"book": "urls", **dict.fromkeys(["book-2", "book-3", "book-twin"], "witness")}
    assert (plan.limit, plan.works.tolist()) == (None, [])
    plan = plan_takedown(dataset, asked({"texts": [{"text": text("book")}]}, scope="named"))
    assert why(plan, rows) == {"book-2": "texts", "book-twin": "texts"}


def test_same_url_follows_its_witness(dataset: Dataset, rows: dict[str, Row], asked: Any) -> None:
    """Though its text is another one, it was dropped for one that goes."""
    witness = next(rows[name] for name in ("page", "page-2") if rows[name]["decision"] == "keep")
    follower = next(name for name in ("page", "page-2") if rows[name]["duplicate_of"] == witness["doc_id"])
    found = by_record(plan_takedown(dataset, asked({"doc_ids": [witness["doc_id"]]})), rows)
    assert (found[follower]["selector"], found[follower]["similarity"]) == ("witness", None)


def test_quarantined_and_dropped_rows_go_like_kept_ones(dataset: Dataset, rows: dict[str, Row], asked: Any) -> None:
    """The decision before is said of each."""
    found = by_record(plan_takedown(dataset, asked({"domains": ["held.example", "mirror.example"]})), rows)
    assert {name: found[name]["decision"] for name in ("quarantined", "book-2", "book")} == {
        "quarantined": "quarantine",
        "book-2": "drop",
        "book": "keep",
    }


def test_plan_says_which_parts_change(dataset: Dataset, asked: Any) -> None:
    """Those with a row that goes, and no other."""
    assert plan_takedown(dataset, asked({"domains": ["later.example"]})).parts == [1]
    assert plan_takedown(dataset, asked({"domains": ["pirate.example", "later.example"]})).parts == [0, 1]
    assert plan_takedown(dataset, asked({"domains": ["none.example"]})).parts == []


def test_order_of_selectors_does_not_matter(dataset: Dataset, asked: Any) -> None:
    """Nor that of their entries."""
    chosen: Row = {"domains": ["pirate.example", "later.example"], "isbns": [BOOK], "texts": [{"text": text("book")}]}
    turned = {kind: entries[::-1] for kind, entries in reversed(chosen.items())}
    plans = [plan_takedown(dataset, asked(one)) for one in (chosen, turned)]
    assert plans[0].records.equals(plans[1].records)
    assert plans[0].takedown.id == plans[1].takedown.id


@pytest.mark.parametrize("data", ["'; DROP VIEW ledger; --", "%", "_", "*", 'a"b', "\\"])
def test_signs_of_sql_are_data(dataset: Dataset, asked: Any, data: str) -> None:
    """They match what has them, and nothing has."""
    plan = plan_takedown(dataset, asked({"urls": [f"https://pirate.example/{data}"], "texts": [{"text": data}]}))
    assert len(plan.records) == 0


def test_python_api_returns_what_goes(tmp_path: Path) -> None:
    """As an Arrow table; a dry run writes nothing and needs no output."""
    request = str(write_request(tmp_path / "request.yaml", {"isbns": [BOOK]}))
    found = takedown(str(shared_dataset()), request, str(tmp_path / "out"), dry_run=True)
    assert found.schema == RECORDS
    assert found.select(["url", "part", "row", "decision", "selector", "matched"]).to_pylist() == [
        {
            "url": "https://shop.example/isbn",
            "part": 0,
            "row": 7,
            "decision": "keep",
            "selector": "isbns",
            "matched": BOOK,
        }
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["request.yaml"]


def test_output_or_dry_run_must_be_named(tmp_path: Path) -> None:
    """Else there is nothing to do."""
    request = str(write_request(tmp_path / "request.yaml", {"isbns": [BOOK]}))
    with pytest.raises(
        OutputError, match=r"^There is no output: name a directory for the new version, or ask for a dry"
    ):
        takedown(str(shared_dataset()), request)


def test_wrong_request_is_refused_before_the_dataset_is_looked_at(tmp_path: Path) -> None:
    """What is wrong with it is the letter."""
    with pytest.raises(ConfigError, match="the takedown cannot be read: No such file"):
        takedown(str(shared_dataset()), str(tmp_path / "none.yaml"), dry_run=True)
