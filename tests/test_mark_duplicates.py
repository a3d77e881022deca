"""Judging members: a witness that survives for every duplicate, the same whatever the order of arrival."""

import math
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.columns import DIGEST
from tests.tables import Row, digest_of, measured
from transforms.decide.mark_duplicates import VERDICTS, DuplicateRules, gather_members, judge_members
from transforms.decide.order_survivors import LAST

RULES = DuplicateRules(url=True, exact=True, threshold=0.5, bands=2, rows=2, survivor=("longest",), taint="flag")
NOTHING: Row = {name: None for name in VERDICTS.names if name not in ("row", "cluster_id", "cluster_size")}


@dataclass(frozen=True)
class Member:
    """A document in a component. Numbers stand for digests; equal texts have equal signatures, as in life."""

    doc_id: int
    component: int = 0
    url: int | None = None
    text: int | None = None
    text_bytes: int = 10
    signature: tuple[int, ...] | None = None
    blocked: bool = False

    def row(self) -> Row:
        return {
            "id": self.doc_id << 32 | self.doc_id,
            "component": self.component,
            "doc_id": digest_of(self.doc_id),
            "url_digest": None if self.url is None else digest_of(self.url),
            "text_digest": None if self.text is None else digest_of(self.text),
            "text_bytes": self.text_bytes,
            "fetch_time": LAST,
            "url_bytes": LAST,
            "blocked": self.blocked,
            "signed": self.signature is not None,
            "signature": np.array(self.signature or (0,) * 4, np.uint32).tobytes(),
        }


SCHEMA = pa.schema(
    {
        "id": pa.uint64(),
        "component": pa.uint64(),
        "doc_id": DIGEST,
        "url_digest": DIGEST,
        "text_digest": DIGEST,
        "text_bytes": pa.int64(),
        "fetch_time": pa.int64(),
        "url_bytes": pa.int64(),
        "blocked": pa.bool_(),
        "signed": pa.bool_(),
        "signature": pa.binary(16),
    }
)


def table_of(members: list[Member]) -> pa.Table:
    return pa.Table.from_pylist([member.row() for member in members], SCHEMA)


def judged(members: list[Member], rules: DuplicateRules = RULES) -> dict[int, Row]:
    """Verdicts by number of the document."""
    return {row.pop("id") >> 32: row for row in judge_members(table_of(members), rules).to_pylist()}


def marks_of(members: list[Member], rules: DuplicateRules = RULES) -> dict[int, Row]:
    """Only what is not null, without row and cluster."""
    return {
        number: {k: v for k, v in row.items() if k in NOTHING and v is not None}
        for number, row in judged(members, rules).items()
    }


def equal(a: Member, b: Member) -> int:
    if a.signature is None or b.signature is None:
        return -1
    return sum(x == y for x, y in zip(a.signature, b.signature, strict=True))


def slow_component(members: list[Member], rules: DuplicateRules) -> dict[int, Row]:
    """One document after the other, looking at all survivors; DESIGN's walk in words."""
    order = sorted(members, key=lambda m: (m.blocked, -m.text_bytes, m.doc_id))
    verdicts: dict[int, Row] = {}
    for member in order:
        verdicts[member.doc_id] = NOTHING | {
            "row": member.doc_id,
            "cluster_id": digest_of(min(m.doc_id for m in members)),
            "cluster_size": len(members),
        }
        sources = [m for m in order if m.blocked and not member.blocked and rules.taint != "ignore"]
        twin = next((m for m in sources if rules.exact and m.text is not None and m.text == member.text), None)
        like = next((m for m in sources if rules.permutations and equal(m, member) >= rules.least_equal), None)
        if source := twin or like:
            share = 1.0 if twin else equal(source, member) / rules.permutations
            verdicts[member.doc_id] |= {"taint": digest_of(source.doc_id), "taint_similarity": share}

    def barred(member: Member) -> bool:
        return member.blocked or (rules.taint == "drop" and verdicts[member.doc_id]["taint"] is not None)

    survivors: list[Member] = []
    for member in sorted(order, key=barred):
        found: dict[str, Member | None] = {
            "same_url": next((s for s in survivors if rules.url and s.url is not None and s.url == member.url), None),
            "exact": next((s for s in survivors if rules.exact and s.text is not None and s.text == member.text), None),
            "near": None,
        }
        if not found["exact"] and rules.permutations:
            found["near"] = next((s for s in survivors if equal(s, member) >= rules.least_equal), None)
        if near := found["near"]:
            verdicts[member.doc_id]["near_similarity"] = equal(near, member) / rules.permutations
        verdicts[member.doc_id] |= {kind: witness and digest_of(witness.doc_id) for kind, witness in found.items()}
        if not barred(member) and not any(found.values()):
            survivors.append(member)
    return verdicts


@st.composite
def components(draw: st.DrawFn) -> list[Member]:
    """A few components; a URL or text is in one of them only, for that is what makes a component."""
    hashes = st.none() | st.tuples(*[st.integers(0, 1)] * 4)
    members: list[Member] = []
    for component in range(draw(st.integers(1, 3))):
        signatures: dict[int, tuple[int, ...] | None] = {}
        for _ in range(draw(st.integers(1, 6))):
            url, text = draw(st.none() | st.integers(0, 2)), draw(st.none() | st.integers(0, 3))
            signature = draw(hashes)
            if text is not None:
                signature = signatures.setdefault(text, signature)
            number = 1 + len(members)
            length, blocked = draw(st.integers(1, 3)), draw(st.booleans())
            ours = [None if n is None else 10 * component + n for n in (url, text)]
            members.append(Member(number, component, ours[0], ours[1], length, signature, blocked))
    return members


ALL_RULES = st.builds(
    DuplicateRules,
    url=st.booleans(),
    exact=st.booleans(),
    threshold=st.sampled_from([0.25, 0.5, 0.7, 1.0]),
    bands=st.sampled_from([0, 2]),
    rows=st.just(2),
    survivor=st.just(("longest",)),
    taint=st.sampled_from(["drop", "flag", "ignore"]),
)


@settings(deadline=None, max_examples=150)
@given(components(), ALL_RULES)
def test_verdicts_agree_with_the_slow_walk(members: list[Member], rules: DuplicateRules) -> None:
    """Every column of every member, whatever is turned off."""
    expected: dict[int, Row] = {}
    for component in {member.component for member in members}:
        expected |= slow_component([m for m in members if m.component == component], rules)
    assert judged(members, rules) == expected


@settings(deadline=None, max_examples=60)
@given(components().flatmap(lambda rows: st.tuples(st.just(rows), st.permutations(rows))), ALL_RULES)
def test_verdicts_do_not_depend_on_the_order_of_arrival(
    both: tuple[list[Member], list[Member]], rules: DuplicateRules
) -> None:
    """The very same table, rows in the same order too."""
    members, shuffled = both
    assert judge_members(table_of(shuffled), rules).equals(judge_members(table_of(members), rules))


@settings(deadline=None, max_examples=60)
@given(components(), ALL_RULES)
def test_every_witness_survives_and_none_is_blocked(members: list[Member], rules: DuplicateRules) -> None:
    """The promise. A source of taint, on the other hand, is always a blocked document."""
    found = marks_of(members, rules)
    blocked = {member.doc_id for member in members if member.blocked}
    for marks in found.values():
        for kind in ("same_url", "exact", "near"):
            if kind in marks:
                witness = int.from_bytes(marks[kind], "big")
                assert witness not in blocked
                assert not {"same_url", "exact", "near"} & found[witness].keys()
                assert not (rules.taint == "drop" and "taint" in found[witness])
        if "taint" in marks:
            assert int.from_bytes(marks["taint"], "big") in blocked


def test_longest_document_of_equal_texts_is_the_witness() -> None:
    """The others name it, with the marks of all that they share with it."""
    members = [Member(1, text=7, url=3), Member(2, text=7, text_bytes=20, url=3), Member(3, text=7)]
    witness = digest_of(2)
    assert marks_of(members) == {1: {"same_url": witness, "exact": witness}, 2: {}, 3: {"exact": witness}}


def test_blocked_document_never_survives_however_long_it_is() -> None:
    """It is itself a duplicate of the document that does."""
    members = [Member(1, text=7), Member(2, text=7, text_bytes=99, blocked=True)]
    assert marks_of(members) == {
        1: {"taint": digest_of(2), "taint_similarity": 1.0},
        2: {"exact": digest_of(1)},
    }


def test_dropped_taint_leaves_no_survivor() -> None:
    """Neither the blocked text nor its copy can be a witness, so neither is called a duplicate."""
    members = [Member(1, text=7), Member(2, text=7, blocked=True)]
    rules = replace(RULES, taint="drop")
    assert marks_of(members, rules) == {1: {"taint": digest_of(2), "taint_similarity": 1.0}, 2: {}}


def test_ignored_taint_is_not_looked_for() -> None:
    """The copy survives without a mark."""
    members = [Member(1, text=7), Member(2, text=7, blocked=True)]
    assert marks_of(members, replace(RULES, taint="ignore")) == {1: {}, 2: {"exact": digest_of(1)}}


def test_near_taint_has_the_share_of_equal_hashes() -> None:
    """Three of four hashes are equal."""
    members = [Member(1, signature=(1, 2, 3, 4)), Member(2, signature=(1, 2, 3, 5), blocked=True)]
    found = marks_of(members)
    assert found[1] == {"taint": digest_of(2), "taint_similarity": 0.75}
    assert found[2] == {"near": digest_of(1), "near_similarity": 0.75}


def test_chain_is_broken_where_the_witness_is_not_similar_enough() -> None:
    """2 is like 1, and 3 is like 2 alone: 3 survives, for 2 is no witness."""
    chain = [(1, 1, 1, 1), (1, 1, 2, 2), (3, 3, 2, 2)]
    members = [Member(1 + i, signature=s, text_bytes=9 - i) for i, s in enumerate(chain)]
    assert marks_of(members) == {1: {}, 2: {"near": digest_of(1), "near_similarity": 0.5}, 3: {}}


def test_cluster_is_the_component_with_its_smallest_doc_id() -> None:
    """Not that of the survivor; survivors have it too."""
    members = [Member(4, component=9, text_bytes=50), Member(2, component=9), Member(3, component=5)]
    found = judged(members)
    assert {n: (row["cluster_id"], row["cluster_size"]) for n, row in found.items()} == {
        4: (digest_of(2), 2),
        2: (digest_of(2), 2),
        3: (digest_of(3), 1),
    }


def test_verdicts_have_their_schema_and_the_row_of_each_id() -> None:
    """The row is the lower half of the id, the part the upper."""
    table = judge_members(table_of([Member(5), Member(6)]), RULES)
    assert table.drop_columns("id").schema == VERDICTS
    assert table.select(["row", "id"]).to_pylist() == [{"row": n, "id": n << 32 | n} for n in (5, 6)]


@pytest.mark.parametrize(
    ("off", "expected"),
    [
        ({"url": False}, {"exact"}),
        ({"exact": False}, {"same_url", "near", "near_similarity"}),
        ({"bands": 0}, {"same_url", "exact"}),
        ({"url": False, "exact": False}, {"near", "near_similarity"}),
        ({"url": False, "exact": False, "bands": 0}, set()),
    ],
)
def test_kind_that_is_off_leaves_no_mark(off: dict[str, Any], expected: set[str]) -> None:
    """The others are looked for all the same."""
    members = [Member(1, url=1, text=1, signature=(1, 2, 3, 4)), Member(2, url=1, text=1, signature=(1, 2, 3, 4))]
    assert set(marks_of(members, replace(RULES, **off))[2]) == expected


def test_signature_column_is_not_needed_without_near_duplicates() -> None:
    """`gather_members` sends none then."""
    table = table_of([Member(1, text=1), Member(2, text=1)]).drop_columns("signature")
    assert judge_members(table, replace(RULES, bands=0))["exact"].to_pylist() == [None, digest_of(1)]


@pytest.mark.parametrize(
    ("threshold", "bands", "rows", "least"),
    [(0.7, 25, 5, 88), (0.57, 100, 1, 57), (0.55, 100, 1, 55), (0.07, 100, 1, 7), (1.0, 25, 5, 125), (0.001, 2, 2, 1)],
)
def test_least_equal_is_the_threshold_rounded_up_to_whole_hashes(
    threshold: float, bands: int, rows: int, least: int
) -> None:
    """0.57 times 100 is 56.999… and 0.55 times 100 is 55.000…1 in floating point; 57 and 55 of 100 are meant."""
    assert replace(RULES, threshold=threshold, bands=bands, rows=rows).least_equal == least


@given(st.integers(1, 1000), st.integers(1, 200), st.integers(1, 16))
def test_least_equal_agrees_with_exact_fractions(thousandths: int, bands: int, rows: int) -> None:
    """For every threshold of up to three digits."""
    rules = replace(RULES, threshold=thousandths / 1000, bands=bands, rows=rows)
    assert rules.least_equal == math.ceil(Fraction(thousandths, 1000) * bands * rows)


def members_table(rows: list[int], components: list[int]) -> pa.Table:
    return pa.table({"row": pa.array(rows, pa.uint32()), "component": pa.array(components, pa.uint64())})


def test_gather_takes_the_rows_of_the_members_from_any_slice() -> None:
    """Rows count from the start of the slice; unknown times and URLs are last, lengths are in bytes of UTF-8."""
    rows: list[Row] = [
        {},
        {"url": "http://ä.example/", "url_digest": digest_of(70), "band_00": b"abcd", "band_01": b"efgh"},
        {"text_digest": None, "shingle_count": 0, "text_bytes": 0},
        {"fetch_time": 5, "text_bytes": 77},
    ]
    whole = measured(rows, bands=2)
    for table in (whole.slice(1), pa.concat_tables([whole.slice(1, 1), whole.slice(2)])):
        batch = gather_members(table, members_table([2, 0, 1], [40, 40, 30]), np.array([True, False, False]), 3)
        assert {name: batch[name].to_pylist() for name in batch.schema.names} == {
            "id": [3 << 32 | 2, 3 << 32, 3 << 32 | 1],
            "component": [40, 40, 30],
            "doc_id": [digest_of(3), digest_of(1), digest_of(2)],
            "url_digest": [None, digest_of(70), None],
            "text_digest": [digest_of(3), digest_of(1), None],
            "text_bytes": [77, 6, 0],
            "fetch_time": [5, LAST, LAST],
            "url_bytes": [LAST, 18, LAST],
            "blocked": [False, True, False],
            "signed": [True, True, False],
            "signature": [bytes(8), b"abcdefgh", bytes(8)],
        }


def test_gathered_members_can_be_judged() -> None:
    """The columns of the one step are those of the other, types included."""
    table = measured([{"text_digest": digest_of(9)}, {"text_digest": digest_of(9)}], bands=2, band_rows=2)
    batch = gather_members(table, members_table([0, 1], [0, 0]), np.array([False, False]), 0)
    found = judge_members(pa.Table.from_batches([batch]), RULES)
    assert found["exact"].to_pylist() == [None, digest_of(0)]


def test_gather_sends_no_signature_where_there_are_no_bands() -> None:
    """Near-duplicates are off then."""
    batch = gather_members(measured([{}]), members_table([0], [0]), np.array([False]), 0)
    assert "signature" not in batch.schema.names
