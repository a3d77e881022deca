"""Explain: the facts of a document from ledger, index and manifest, and the page that says them."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from beam_jobs.ask.explain import WIDTH, page_lines
from lineage.explanations.explain import EXPLANATION, explain, explain_facts, facts_json
from lineage.explanations.gather_facts import MOST_MEMBERS
from schemas.errors import InputError
from tests.explained import HandMade, ledger_row, manifest, mark
from tests.explained_pages import BLOCKED, EARLIER, KEPT, NEAR, TAKEN

Row = dict[str, Any]

STORE = "fedcba9876543210"
REQUEST = "00112233445566ff"
CLUSTER = "0" * 32
TAKEDOWN = {
    "id": REQUEST,
    "sha256": "00",
    "reference": "DMCA-2026-114",
    "requested_by": "Jane Doe, Doe Books Ltd",
    "requested_on": "2026-11-02",
    "scope": "near_duplicates",
    "certificate": f"takedowns/{REQUEST}.json",
    "records": 1,
}


def doc_id(number: int) -> str:
    return f"{number:032x}"


def document(number: int, *marks: Row, **columns: Any) -> Row:
    """A row of that number, with a URL and a text of its own."""
    said = {
        "doc_id": doc_id(number),
        "record_id": f"r{number}",
        "url": f"https://host{number}.example/",
        "url_host_name": f"host{number}.example",
        "source_position": 100 * number,
        "text_digest": f"{number:032x}",
        "cluster_id": CLUSTER,
        "cluster_size": 5,
    }
    return ledger_row(*marks, **{**said, **columns})


def follower(number: int, witness: int, kind: str, similarity: float | None, **columns: Any) -> Row:
    """A document that is dropped as a duplicate."""
    rule = {"url": "same_url", "exact": "exact_duplicate", "near": "near_duplicate"}[kind]
    measured = {"value": similarity, "limit": 0.7, "method": "jaccard"} if kind == "near" else {"value": similarity}
    said = {
        "decision": "drop",
        "reason": rule,
        "duplicate_of": doc_id(witness),
        "duplicate_kind": kind,
        "similarity": similarity,
        "text_bytes": 90,
    }
    build = columns.get("duplicate_build")
    evidence = mark(rule, evidence=doc_id(witness), evidence_build=build, **measured)
    return document(number, evidence, **{**said, **columns})


def blocked(number: int) -> Row:
    """A document that three rules take out, one of them into quarantine, and that a fourth flags."""
    listed = {"list": "shadow", "list_sha256": "00ff", "category": "piracy", "line": 12, "matched": "example"}
    return document(
        number,
        mark("blocklist", **listed),
        mark("copyright_notice", "flag", matched="© 2019 Doe", source="text", start=0, end=11),
        mark("unlicensed", "quarantine"),
        mark("near_duplicate", value=0.83, limit=0.7, method="jaccard", evidence=doc_id(1)),
        decision="drop",
        reason="blocklist",
        duplicate_of=doc_id(1),
        duplicate_kind="near",
        similarity=0.83,
        source_file="a.warc.gz",
        warc_filename="a.warc.gz",
        warc_record_offset=4000,
        warc_record_length=1234,
        source_position=4000,
        content_digest="SHA1DIGEST",
        warc_record_id="urn:uuid:4",
        fetch_time=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        copyright_notices=[
            {"statement": "© 2019 Doe", "years": [2019], "holder": "Doe", "source": "text", "start": 0, "end": 11}
        ],
        reservations=[],
    )


def taken(number: int) -> Row:
    named = {"list": REQUEST, "list_sha256": "00"}
    return document(
        number,
        mark("takedown", **named, category="domains", matched="host7.example"),
        decision="drop",
        reason="takedown",
        takedown_id=REQUEST,
        cluster_id=None,
        cluster_size=1,
    )


ROWS = [
    document(1, mark("copyright_notice", "flag", matched="© Doe", source="text", start=0, end=6), text_bytes=100),
    follower(2, 1, "near", 0.75),
    follower(3, 1, "near", 5 / 6),
    blocked(4),
    follower(5, 1, "url", None),
    follower(6, 9, "near", 0.9, duplicate_build=STORE, cluster_id=doc_id(6), cluster_size=2),
    taken(7),
    document(8, cluster_id=None, cluster_size=1),
    follower(9, 7, "exact", 1.0, cluster_id=None, cluster_size=1),
]


def dataset(*more: Row, **facts: Any) -> HandMade:
    said = {**manifest(takedowns=[TAKEDOWN], against=[STORE]), **facts}
    return HandMade([*ROWS, *more], said)


def page(number: int, data: HandMade | None = None) -> str:
    return "\n".join(page_lines(explain(data or dataset(), doc_id(number)))) + "\n"


def section(name: str, number: int, data: HandMade | None = None) -> list[str]:
    rows = explain(data or dataset(), doc_id(number)).to_pylist()
    return [row["text"] for row in rows if row["section"] == name]


@pytest.mark.parametrize(("number", "expected"), [(1, KEPT), (3, NEAR), (4, BLOCKED), (6, EARLIER), (7, TAKEN)])
def test_page_is_the_golden_one(number: int, expected: str) -> None:
    """Word for word: kept, a near duplicate, out by several rules, a copy of an earlier crawl's, and taken out."""
    assert page(number) == expected


@pytest.mark.parametrize("number", range(1, len(ROWS) + 1))
def test_lines_fit_a_terminal(number: int) -> None:
    """All that is ours is wrapped; only a long word of others goes beyond."""
    long = f"https://a.example/{'x' * 140}"
    data = HandMade([{**row, "url": long} for row in ROWS], dataset().manifest)
    assert all(len(line) <= WIDTH for line in page(number).splitlines())
    assert all(len(line) <= WIDTH for line in page(number, data).splitlines() if long not in line)


def test_explanation_is_a_table_of_statements() -> None:
    """Sections in their order, each with at least one statement, none of them empty or null."""
    table = explain(dataset(), doc_id(8))
    assert table.schema == EXPLANATION
    assert list(dict.fromkeys(table["section"].to_pylist())) == [
        "decision",
        "origin",
        "marks",
        "rights",
        "witness",
        "cluster",
        "witness for",
        "decided by",
        "another decision",
    ]
    assert all(table["text"].to_pylist())


def test_plain_document_has_only_what_a_policy_could_ask() -> None:
    """No mark, no cluster, no follower; without a licence it is, as everything of a crawl."""
    assert section("marks", 8) == ["None: no rule fired."]
    assert section("witness", 8) == ["None: it repeats no document that survives."]
    assert section("cluster", 8) == ["None: it was a candidate for no other document."]
    assert section("witness for", 8) == ["No document names it as the one that it repeats."]
    (setting,) = section("another decision", 8)
    assert setting.startswith("For what it says and has no mark for, `policy.signals.unlicensed` set to `drop` or")
    free = document(10, rights_basis="public_domain", cluster_id=None, cluster_size=1)
    assert section("another decision", 10, dataset(free)) == [
        "Nothing that the ledger knows speaks against it: a list, a register or a takedown would have to name it."
    ]


def test_doc_id_is_read_in_either_case() -> None:
    """Hex is hex."""
    row = document(0xABCDEF)
    lower, upper = (explain(dataset(row), name) for name in (row["doc_id"], row["doc_id"].upper()))
    assert lower.equals(upper)


@pytest.mark.parametrize("wrong", ["", "12", "g" * 32, "a" * 33, f"{doc_id(1)}\n", "%", "' OR 1=1 --", "\x1b[2J"])
def test_what_is_no_doc_id_is_a_letter(wrong: str) -> None:
    """Quotes, wildcards and SQL are data, and the wrong data."""
    with pytest.raises(InputError) as error:
        explain(dataset(), wrong)
    first, second = str(error.value).split("\n")
    assert first.isprintable()
    assert first.endswith("is no doc_id: that is 32 hex digits, as the ledger has them.")
    assert second == "Find one by an address: cleartitle lookup DATASET --url URL."


def test_document_that_is_not_there_is_a_letter() -> None:
    """Though every row of this dataset is a candidate: what counts is the ledger."""
    with pytest.raises(InputError) as error:
        explain(dataset(), doc_id(99))
    assert str(error.value) == (
        f"No record of dataset has the doc_id {doc_id(99)}.\n"
        "Look for it by its address: cleartitle lookup dataset --url URL. If another build names it (as "
        "`duplicate_build` or `evidence_build`), ask the dataset of that build."
    )


def test_rows_that_share_a_doc_id_are_named() -> None:
    """The page is of the first; the others are told by their places."""
    twin = document(1, source_file="other.jsonl", source_position=7, decision="drop", reason="empty_text")
    data = dataset(twin)
    assert section("origin", 1, data)[-2:] == [
        "2 ledger rows have this doc_id; this page is of the first. The others:",
        f"- part 0, row {len(ROWS)}: `other.jsonl`, position 7, drop",
    ]
    assert explain_facts(data, doc_id(1)).document["decision"] == "keep"
    assert explain_facts(data, doc_id(2)).named[doc_id(1)]["decision"] == "keep"


def test_followers_are_those_of_this_build_alone() -> None:
    """Document 6 repeats one of an earlier store that has, by chance, the id of document 9 here."""
    assert explain_facts(dataset(), doc_id(9)).followers.counts == {}
    found = explain_facts(dataset(), doc_id(1)).followers
    assert found.counts == {"near": 3, "url": 1}
    assert (found.least, found.most) == (0.75, 5 / 6)
    assert [one["doc_id"] for one in found.first] == [doc_id(n) for n in (2, 3, 4, 5)]


def test_large_groups_are_counted_and_their_first_named() -> None:
    """By decision of all members, by kind of all followers; the first ten in the order of the ledger."""
    many = [follower(100 + n, 1, "exact", 1.0) for n in range(3000)]
    facts = explain_facts(dataset(*many), doc_id(1))
    assert facts.cluster.counts == {"drop": 3004, "keep": 1}
    assert facts.followers.counts == {"exact": 3000, "near": 3, "url": 1}
    assert len(facts.cluster.first) == len(facts.followers.first) == MOST_MEMBERS
    assert section("witness for", 1, dataset(*many))[-1] == "- and 2,994 more"


def test_witness_that_was_taken_out_does_not_survive() -> None:
    """Document 9 repeats 7, which a takedown took out: that is said, and by which."""
    assert section("witness", 9)[:2] == [
        f"It repeats {doc_id(7)} (https://host7.example/): the same text.",
        f"That document does not survive itself: drop, reason `takedown`, by takedown {REQUEST}.",
    ]
    assert explain_facts(dataset(), doc_id(9)).witness.survives is False


def test_witness_that_no_row_has_is_said() -> None:
    """Such a dataset is damaged; the page says what to do, and the rest of it stands."""
    lost = follower(10, 77, "exact", 1.0)
    assert section("witness", 10, dataset(lost)) == [
        f"It repeats {doc_id(77)}: the same text.",
        "That document is not in the ledger; `cleartitle verify` says what else is missing.",
    ]


def test_witness_in_a_measured_store_cannot_be_looked_up() -> None:
    """Nothing was decided there."""
    store = "measured-0123456789abcdef"
    copy = follower(10, 77, "near", 0.9, duplicate_build=store)
    data = HandMade([copy], manifest(against=[store]))
    assert section("witness", 10, data)[1] == (
        f"That document is in the measured store `/store/{store}`, which `dedup.against` names: "
        "nothing was decided on it there."
    )


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"text_bytes": 90}, "It lost by `longest`: 90 bytes of text against 100 bytes of text."),
        (
            {"text_bytes": 100, "doc_id": doc_id(500)},
            "It lost by the larger doc_id, which breaks ties.",
        ),
    ],
)
def test_loss_is_said_by_its_rule(columns: Row, expected: str) -> None:
    """With what the rule looks at, of both."""
    data = dataset(follower(500, 1, "exact", 1.0, **columns))
    assert section("witness", 500, data)[-1] == expected


def test_loss_by_priority_is_said_as_far_as_it_is_known() -> None:
    """The ledger does not hold priorities: they may, or must, have decided."""
    registered = {"register": {"sha256": "00", "sources": 1}}
    shorter, longer = (follower(n, 1, "exact", 1.0, text_bytes=size) for n, size in ((500, 90), (501, 200)))
    data = dataset(shorter, longer, **registered)
    assert section("witness", 500, data)[-1] == (
        "It lost by `source_priority`, which the ledger does not hold, or else by `longest`: "
        "90 bytes of text against 100 bytes of text."
    )
    assert section("witness", 501, data)[-1] == (
        "It lost by `source_priority`: the register gives its source less. The ledger does not hold priorities."
    )


def test_replaced_documents_of_earlier_stores_are_named() -> None:
    """As `dedup.overlap: new_replaces` lists them."""
    listed = {"build": STORE, "doc_id": doc_id(70), "duplicate_kind": "near", "similarity": 0.8}
    replaced = [{**listed, "duplicate_of": doc_id(number)} for number in (8, 9)]
    data = HandMade(ROWS, dataset().manifest, replaced)
    assert section("witness for", 8, data)[1:] == [
        "It replaces documents of earlier stores, as `replaced/` says; the first of them:",
        f"- {doc_id(70)} of build `{STORE}`, near",
    ]


def test_version_after_takedowns_is_told_from_the_build() -> None:
    """Decisions are those of the build; the dataset is a later version of it."""
    assert section("decided by", 8, dataset(version_id="ffff"))[:2] == [
        "Build 0123456789abcdef of the crawl `demo`, finished 2026-11-22T13:55:01+00:00.",
        "Version ffff of it, which takedowns made.",
    ]


def test_build_without_near_duplicates_says_so() -> None:
    """No threshold and no bands."""
    data = HandMade(ROWS, manifest(dedup={"near": None}, against=[STORE]))
    assert section("decided by", 8, data)[-1] == "Near duplicates were not looked for."


def test_json_has_all_facts_and_whole_values() -> None:
    """One object in ASCII; what the page cuts is whole; times are ISO 8601."""
    statement = "© 2019 " + "Doe \x9b" * 500
    notice = {"statement": statement, "years": [2019], "holder": None, "source": "text", "start": 0, "end": 9}
    row = document(10, fetch_time=datetime(2026, 1, 2, tzinfo=UTC), copyright_notices=[notice])
    line = facts_json(explain_facts(dataset(row), doc_id(10)))
    assert line.isascii()
    assert "\n" not in line
    facts = json.loads(line)
    assert facts["document"]["copyright_notices"][0]["statement"] == statement
    assert facts["document"]["fetch_time"] == "2026-01-02T00:00:00+00:00"
    assert statement[:100].replace("\x9b", "\\x9b") in page(10, dataset(row)).replace("\n    ", " ")
    assert statement not in page(10, dataset(row))


def test_json_holds_what_the_page_says() -> None:
    """Witness, cluster, followers, takedown, build, and the ways out."""
    facts = json.loads(facts_json(explain_facts(dataset(), doc_id(3))))
    assert facts["witness"] == {
        "doc_id": doc_id(1),
        "build": None,
        "store": None,
        "kind": "near",
        "similarity": 5 / 6,
        "method": "jaccard",
        "survives": True,
        "loss": {"by": "longest", "own": 90, "its": 100, "or_priority": False},
    }
    assert facts["cluster"]["counts"] == {"drop": 4, "keep": 1}
    assert facts["named"][doc_id(1)]["url"] == "https://host1.example/"
    assert [change["rule"] for change in facts["changes"]] == ["near_duplicate"]
    assert json.loads(facts_json(explain_facts(dataset(), doc_id(7))))["takedowns"] == [TAKEDOWN]
