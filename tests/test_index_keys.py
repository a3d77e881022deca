"""Keys of the index: every value by which a document can be found, against a slow twin."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import xxhash
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tables import digest_of, hex_of, ledger, measured
from transforms.publish import index_keys
from transforms.publish.index_keys import KEY_BITS, LEDGER_COLUMNS, band_index_keys, key_of, part_keys, place_of
from transforms.publish.part_files import fingerprints_schema


def slow_key(kind: str, value: str) -> int:
    return xxhash.xxh3_64_intdigest(f"{kind}\0{value}".encode()) >> (64 - KEY_BITS)


def finding(value: str) -> dict[str, Any]:
    return {"value": value, "source": "text", "start": 0, "end": 1}


def part(rows: list[dict[str, Any]], bands: int = 2, shingles: int = 5) -> tuple[pa.Table, pa.Table]:
    """Ledger and fingerprints of some documents."""
    table = measured([{"shingle_count": shingles} for _ in rows], bands=bands)
    prints = table.select(fingerprints_schema(table.schema).names)
    return ledger(rows).select(LEDGER_COLUMNS), prints


def pairs(rows: list[dict[str, Any]], **options: int) -> list[tuple[int, int]]:
    keys, places = part_keys(*part(rows, **options))
    return list(zip(keys.tolist(), places.tolist(), strict=True))


@given(st.sampled_from(["doc_id", "isbn"]), st.lists(st.text()))
@settings(deadline=None)
def test_key_is_the_upper_bits_of_a_hash_of_kind_and_value(kind: str, values: list[str]) -> None:
    """XXH3-64, as any program can compute it."""
    assert key_of(kind, pa.array(values, pa.string())).tolist() == [slow_key(kind, value) for value in values]


def test_place_is_file_and_position() -> None:
    """A zero byte parts them: no file name holds one."""
    assert place_of(pa.array(["a.warc.gz"]), pa.array([12])).to_pylist() == ["a.warc.gz\x0012"]


def test_document_is_found_by_all_that_names_it() -> None:
    """Ids, place, text, witness, cluster, ISBNs, DOIs and bands."""
    row = {
        "doc_id": hex_of(7),
        "record_id": "mine",
        "warc_record_id": "urn:uuid:1",
        "text_digest": hex_of(8),
        "duplicate_of": hex_of(9),
        "cluster_id": hex_of(10),
        "source_file": "a.warc.gz",
        "source_position": 12,
        "isbns": [finding("9780134685991")],
        "dois": [finding("10.1000/182")],
    }
    named = {
        "doc_id": [hex_of(7)],
        "record_id": ["mine", "urn:uuid:1"],
        "text": [hex_of(8)],
        "witness": [hex_of(9)],
        "cluster": [hex_of(10)],
        "place": ["a.warc.gz\x0012"],
        "isbn": ["9780134685991"],
        "doi": ["10.1000/182"],
    }
    expected = {slow_key(kind, value) for kind, values in named.items() for value in values}
    prints = part([row])[1]
    expected |= set(band_index_keys(prints, 2).ravel().tolist())
    assert pairs([row]) == sorted((key, 0) for key in expected)


@pytest.mark.parametrize("name", ["record_id", "text_digest", "duplicate_of", "cluster_id", "warc_record_id"])
def test_null_has_no_key(name: str) -> None:
    """What is not there is found by nothing."""
    row = {"record_id": "r", "text_digest": hex_of(1), "duplicate_of": hex_of(2), "cluster_id": hex_of(3)}
    row["warc_record_id"] = "w"
    assert len(pairs([row | {name: None}])) == len(pairs([row])) - 1


def test_value_that_a_document_names_twice_has_one_key() -> None:
    """An ISBN on two pages of a book; a record id that is the WARC's."""
    once = {"isbns": [finding("9780134685991")], "record_id": "w", "warc_record_id": None}
    twice = {"isbns": [finding("9780134685991")] * 2, "record_id": "w", "warc_record_id": "w"}
    assert pairs([once]) == pairs([twice])


def test_text_without_shingles_has_no_band_keys() -> None:
    """All such texts share their bands."""
    assert len(pairs([{}], shingles=5)) - len(pairs([{}], shingles=0)) == 2


def test_part_without_near_fingerprints_has_the_other_keys() -> None:
    """Bands are off."""
    assert band_index_keys(part([{}], bands=0)[1], 0).shape == (1, 0)
    assert (slow_key("doc_id", hex_of(0)), 0) in pairs([{}], bands=0)


def test_part_without_documents_has_no_keys() -> None:
    """A part of rejected records alone."""
    keys, rows = part_keys(*part([]))
    assert (len(keys), len(rows), keys.dtype, rows.dtype) == (0, 0, np.int64, np.int32)


@given(st.lists(st.fixed_dictionaries({"cluster": st.integers(0, 3), "isbn": st.integers(0, 2)}), max_size=20))
@settings(deadline=None, max_examples=30)
def test_keys_are_sorted_with_their_rows_and_none_is_there_twice(rows: list[dict[str, int]]) -> None:
    """By key, then row."""
    found = pairs([{"cluster_id": hex_of(r["cluster"]), "isbns": [finding(str(r["isbn"]))]} for r in rows])
    assert found == sorted(set(found))


def test_kinds_that_share_a_key_by_chance_are_sorted_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """With keys of two bits nearly all do."""
    monkeypatch.setattr(index_keys, "_cut", lambda hashes: (hashes >> np.uint64(62)).astype(np.int64))
    found = pairs([{} for _ in range(30)])
    assert found == sorted(set(found))
    assert {key for key, _ in found} <= {0, 1, 2, 3}
    assert digest_of(1) != digest_of(2)
