"""Gathering members: their facts row by row, and the sets of their texts, each text once."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import WorkError
from tests.members import RULES
from tests.tables import Row, digest_of, fingerprinted, measured
from transforms.decide.duplicate_rules import DuplicateRules
from transforms.decide.gather_members import U64, gather_members, needed_columns
from transforms.decide.order_survivors import LAST
from transforms.kernels.shingles import hash_shingles, make_room
from transforms.measure.fingerprint import NearSettings

NEAR = NearSettings(ngram=2, bands=3, rows=2)
JACCARD = replace(RULES, ngram=2, bands=3, rows=2)
SIGNATURE = replace(JACCARD, signature=True)
EXACT = replace(RULES, bands=0, rows=0)
ONE_TO_FIVE = "one two three four five"


def hashes(text: str) -> set[int]:
    raw = text.encode()
    room = make_room(len(raw), NEAR.ngram)
    count = hash_shingles(np.frombuffer(raw, np.uint8), 0, len(raw), NEAR.ngram, 0, room)[2] if raw else 0
    return {int(value) for value in room.shingles[:count]}


def gathered(table: pa.Table, rules: DuplicateRules) -> tuple[pa.RecordBatch, U64]:
    rows = len(table)
    ids = np.arange(rows, dtype=np.uint64) + np.uint64(3 << 32)
    component = np.arange(rows, dtype=np.uint64) // np.uint64(2)
    weighed = pa.table(
        {
            "rights_basis": ["licensed" if row % 2 else "crawl" for row in range(rows)],
            "priority": [7 * row for row in range(rows)],
            "excluded": np.arange(rows) % 2 == 1,
            "tainting": np.arange(rows) > 1,
            "takedown": np.arange(rows) - 1,
        }
    )
    return gather_members(table.select(needed_columns(rules)), component, weighed, ids, rules)


def sets_of(table: pa.Table, rules: DuplicateRules) -> list[list[int]]:
    """The set of each row, as the batch says where it lies."""
    batch, sets = gathered(table, rules)
    places = zip(batch["set_start"].to_pylist(), batch["set_size"].to_pylist(), strict=True)
    return [sets[start : start + size].tolist() for start, size in places]


def test_facts_are_those_of_the_measured_rows() -> None:
    """Unknown times and URLs are last; lengths of URLs are in bytes of UTF-8; the rest is passed on."""
    rows: list[Row] = [
        {"text": ONE_TO_FIVE, "url": "http://ä.example/", "url_digest": digest_of(70)},
        {"text": "", "fetch_time": 5},
        {"text": "one"},
    ]
    table = fingerprinted(rows, NEAR)
    batch, _ = gathered(table, JACCARD)
    assert {name: batch[name].to_pylist() for name in batch.schema.names if not name.startswith("set_")} == {
        "id": [3 << 32, 3 << 32 | 1, 3 << 32 | 2],
        "component": [0, 0, 1],
        "doc_id": [digest_of(number) for number in range(3)],
        "url_digest": [digest_of(70), None, None],
        "text_digest": table["text_digest"].to_pylist(),
        "text_bytes": [len(ONE_TO_FIVE), 0, 3],
        "fetch_time": [LAST, 5, LAST],
        "url_bytes": [18, LAST, LAST],
        "priority": [0, 7, 14],
        "excluded": [False, True, False],
        "tainting": [False, False, True],
        "takedown": [-1, 0, 1],
        "entitled": [False, True, False],
        "signed": [True, False, True],
        "sketch": table["sketch"].to_pylist(),
    }


@given(st.lists(st.text("ab ", max_size=12) | st.sampled_from([ONE_TO_FIVE, ONE_TO_FIVE + "!"]), max_size=8))
@settings(deadline=None, max_examples=100)
def test_sets_are_the_shingles_of_the_texts_each_text_once(texts: list[str]) -> None:
    """Every row finds its own set; texts that are equal after normalisation share one, in order of their first rows."""
    table = fingerprinted([{"text": text} for text in texts], NEAR)
    assert [set(one) for one in sets_of(table, JACCARD)] == [hashes(text) for text in texts]
    distinct = [text for text in dict.fromkeys(" ".join(text.split()) for text in texts) if text]
    ends = np.cumsum([0, *(len(hashes(text)) for text in distinct)]).tolist()
    batch, sets = gathered(table, JACCARD)
    assert len(sets) == ends[-1]
    start = dict(zip(distinct, ends, strict=False))
    assert batch["set_start"].to_pylist() == [start.get(" ".join(text.split()), 0) for text in texts]


def test_signatures_are_sets_of_values_with_their_places() -> None:
    """Two sets share what two signatures have equal in one place; a value in another place is another permutation's."""
    table = fingerprinted([{"text": ONE_TO_FIVE}, {"text": "one two three four six"}, {"text": ""}], NEAR)
    values = [
        np.frombuffer(b"".join(table[f"band_{band:02d}"][row].as_py() for band in range(3)), "<u4").tolist()
        for row in range(2)
    ]
    expected = [[(place + 1) << 32 | value for place, value in enumerate(row)] for row in values]
    assert sets_of(table, SIGNATURE) == [*expected, []]


def test_columns_that_are_read_follow_the_rules() -> None:
    """No text for signatures, no bands for texts, neither without near duplicates."""
    assert {"text", "sketch"} <= set(needed_columns(JACCARD))
    assert "band_00" not in needed_columns(JACCARD)
    assert set(needed_columns(SIGNATURE)) - set(needed_columns(EXACT)) == {"sketch", "band_00", "band_01", "band_02"}
    assert not {"text", "sketch", "band_00"} & set(needed_columns(EXACT))


def test_without_near_duplicates_there_are_no_sets() -> None:
    """Nor a sketch, and no document is signed, whatever the store has."""
    batch, sets = gathered(measured([{}, {}]), EXACT)
    assert len(sets) == 0
    assert not {"sketch", "set_start", "set_size"} & set(batch.schema.names)
    assert batch["signed"].to_pylist() == [False, False]


@pytest.mark.parametrize("rules", [JACCARD, SIGNATURE], ids=["jaccard", "signature"])
@pytest.mark.parametrize("texts", [[], ["", ""]], ids=["no rows", "no words"])
def test_nothing_to_compare_is_an_empty_array(rules: DuplicateRules, texts: list[str]) -> None:
    """Of the type that is written, with rows of size 0."""
    batch, sets = gathered(fingerprinted([{"text": text} for text in texts], NEAR), rules)
    assert sets.dtype == np.uint64
    assert len(sets) == 0
    assert batch["set_size"].to_pylist() == [0] * len(texts)


def test_a_table_in_chunks_gives_what_the_whole_gives() -> None:
    """A part with several row groups is read as several chunks."""
    whole = fingerprinted([{"text": ONE_TO_FIVE}, {"text": "one two"}, {"text": ONE_TO_FIVE}], NEAR)
    chunks = pa.concat_tables([whole.slice(0, 1), whole.slice(1)])
    for rules in (JACCARD, SIGNATURE):
        (one, sets), (other, same) = gathered(whole, rules), gathered(chunks, rules)
        assert one.equals(other)
        assert sets.tolist() == same.tolist()


def test_text_that_was_changed_after_it_was_measured_is_refused() -> None:
    """The letter says so; the room for its shingles was made by what was measured."""
    table = fingerprinted([{"text": "one two three four"}], NearSettings(RULES.ngram, RULES.bands, RULES.rows))
    text = table.schema.get_field_index("text")
    changed = table.set_column(text, "text", pa.array([" ".join(map(str, range(99)))], pa.large_string()))
    with pytest.raises(WorkError, match="Measure its crawl again"):
        gathered(changed, RULES)
