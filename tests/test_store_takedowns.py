"""Storing takedowns: texts and evidence in parts of bounded size, with the sets that similarity is computed from."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from configs.takedown import Selectors, TakedownRequest, TextSelector
from schemas.columns import DIGEST, TAKEN, TIME
from tests.tables import digest_of
from transforms.batches import strings
from transforms.decide.all_parts import AllParts
from transforms.decide.duplicate_rules import DuplicateRules
from transforms.decide.gather_members import gather_members, needed_columns
from transforms.decide.weigh_sources import WEIGHED, weigh_taken
from transforms.kernels.shingle_sets import shingle_sets
from transforms.measure.fingerprint import NearSettings, fingerprint
from transforms.part_store import Stage
from transforms.takedowns import store_takedowns as module
from transforms.takedowns.match_selectors import Asked
from transforms.takedowns.open_takedowns import asked_by
from transforms.takedowns.read_takedown import Takedown
from transforms.takedowns.store_takedowns import NUMBER, store_takedowns, taken_texts

NEAR = NearSettings(ngram=2, bands=3, rows=4)
RULES = DuplicateRules(True, True, ("longest",), "flag", 0.7, NEAR.ngram, NEAR.bands, NEAR.rows, takedowns=(0.7,))
EMPTY = Stage("measured", "digest")


def takedown(number: int, texts: list[str], evidence: str | None = None, scope: str = "near_duplicates") -> Takedown:
    sources = tuple(TextSelector(text=text) for text in texts)
    selectors = Selectors(domains=("a.example",), texts=sources)
    said = {"requested_by": "Jane", "requested_on": "2026-11-02", "reference": f"R-{number}", "scope": scope}
    request = TakedownRequest.model_validate({**said, "selectors": selectors})
    return Takedown(f"{number:016x}", f"{number:064x}", request, pa.array(texts, pa.large_string()), evidence)


def evidence_of(path: Path, texts: list[str], unknown: tuple[int, ...] = ()) -> str:
    """Evidence of documents with these texts; the sets of some are not known."""
    table = taken_texts(pa.array(texts, pa.large_string()), NEAR)
    sets = [None if row in unknown else row_set for row, row_set in enumerate(table["shingles"].to_pylist())]
    columns = {"doc_id": pa.array([digest_of(row) for row in range(len(texts))], DIGEST)}
    columns["shingles"] = pa.array(sets, TAKEN.schema().field("shingles").type)
    for name, column in columns.items():
        at = table.schema.get_field_index(name)
        table = table.set_column(at, table.schema.field(at), column)
    pq.write_table(table, path)
    return str(path)


def stored(place: Path, takedowns: list[Takedown], near: NearSettings | None = NEAR) -> AllParts:
    asked: list[Asked] = [asked_by(one, 0.7) for one in takedowns]
    return AllParts(EMPTY, 0, (), store_takedowns(takedowns, asked, near, Stage(str(place), "d")))


def everything(parts: AllParts, *names: str) -> list[tuple[object, ...]]:
    tables = [parts.read(number, names) for number in range(parts.count)]
    return [tuple(row.values()) for table in tables for row in table.to_pylist()]


def test_texts_and_evidence_stand_in_the_order_of_the_takedowns(tmp_path: Path) -> None:
    """Each row with the number of its takedown; those that ask for what they name alone leave nothing."""
    evidence = evidence_of(tmp_path / "e.parquet", ["three four", "five six"])
    takedowns = [takedown(1, ["one two"]), takedown(2, ["named"], scope="named"), takedown(3, [], evidence)]
    parts = stored(tmp_path / "taken", takedowns)
    text = fingerprint(pa.array(["one two"]), None)["text_digest"][0].as_py()
    assert everything(parts, "doc_id", NUMBER) == [(text, 0), (digest_of(0), 2), (digest_of(1), 2)]
    assert (parts.count, parts.documents, parts.taken and parts.taken.records) == (1, 0, 3)
    assert parts.read(0, ["url", "url_digest", "fetch_time"]).schema.types == [pa.string(), DIGEST, TIME]


def test_part_ends_when_it_takes_so_much_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows are cut in their order, however evidence was written."""
    texts = [f"word{n} other{n} third{n}" for n in range(40)]
    whole = everything(
        stored(tmp_path / "one", [takedown(1, [], evidence_of(tmp_path / "e.parquet", texts))]), "doc_id"
    )
    monkeypatch.setattr(module, "PART_BYTES", 1)
    monkeypatch.setattr(module, "_READ_ROWS", 16)
    parts = stored(tmp_path / "many", [takedown(1, ["text of one"], evidence_of(tmp_path / "e.parquet", texts))])
    assert [len(parts.read(number, ["doc_id"])) for number in range(parts.count)] == [1, 16, 16, 8]
    assert everything(parts, "doc_id")[1:] == whole


def test_what_is_stored_is_stored_once(tmp_path: Path) -> None:
    """A run that goes on finds it as it was and looks at nothing else; one that was killed before writes it again."""
    evidence = evidence_of(tmp_path / "e.parquet", ["one two"])
    before = everything(stored(tmp_path / "taken", [takedown(1, [], evidence)]), "doc_id")
    assert everything(stored(tmp_path / "taken", []), "doc_id") == before
    (tmp_path / "taken" / "part-00000.json").unlink()
    assert everything(stored(tmp_path / "taken", [takedown(1, [], evidence)]), "doc_id") == before


def test_without_near_settings_only_digests_are_stored(tmp_path: Path) -> None:
    """Evidence with fingerprints does no harm."""
    evidence = evidence_of(tmp_path / "e.parquet", ["three four"])
    parts = stored(tmp_path / "taken", [takedown(1, ["one two"], evidence)], None)
    assert everything(parts, "text_bytes", "shingle_count")[0] == (7, 0)
    assert len(everything(parts, "text_digest")) == 2
    with pytest.raises(KeyError):
        parts.read(0, ["band_00"])


def test_no_takedowns_are_no_parts(tmp_path: Path) -> None:
    """Nor are takedowns that leave nothing."""
    assert stored(tmp_path / "none", []).count == 0
    assert stored(tmp_path / "named", [takedown(1, ["a text"], scope="named")]).count == 0


@settings(deadline=None, max_examples=40)
@given(st.lists(st.text(st.sampled_from("ab \n.")), max_size=6))
def test_sets_of_texts_are_those_of_the_kernel(texts: list[str]) -> None:
    """Text by text, with the fingerprints that measuring gives; texts without content are left out."""
    array = pa.array(texts, pa.large_string())
    table = taken_texts(array, NEAR)
    expected = fingerprint(array, NEAR)
    full = np.asarray(expected["text_digest"].is_valid())
    assert table.schema == TAKEN.schema(NEAR.fields())
    for name in ("text_bytes", "text_digest", "shingle_count", "sketch", "band_02"):
        assert table[name].to_pylist() == expected[name].filter(pa.array(full)).to_pylist()
    sets = []
    for text in (text for text, content in zip(texts, full, strict=True) if content):
        room = np.empty(len(text) + 1, np.uint64)
        size = int(shingle_sets(*strings(pa.array([text])), NEAR.ngram, room)[0])
        sets.append(room[:size].tolist())
    assert table["shingles"].to_pylist() == sets


def test_stored_sets_are_gathered_as_those_of_texts(tmp_path: Path) -> None:
    """What was taken has its set from the store, and an empty one where its text was not at hand."""
    texts = ["one two three", "four five six", "seven eight nine"]
    parts = stored(tmp_path / "taken", [takedown(1, [], evidence_of(tmp_path / "e.parquet", texts, unknown=(1,)))])
    table = parts.read(0, needed_columns(RULES, taken=True))
    weighed = weigh_taken(parts.read(0, [NUMBER])[NUMBER])
    assert weighed.schema == WEIGHED
    assert weighed.select(["excluded", "tainting", "takedown"]).to_pylist()[0] == {
        "excluded": True,
        "tainting": False,
        "takedown": 0,
    }
    ids = np.arange(3, dtype=np.uint64)
    batch, sets = gather_members(table, ids, weighed, ids, RULES)
    places = zip(batch["set_start"].to_pylist(), batch["set_size"].to_pylist(), strict=True)
    expected = [one or [] for one in parts.read(0, ["shingles"])["shingles"].to_pylist()]
    assert [sets[start : start + size].tolist() for start, size in places] == expected
    assert batch["set_size"].to_pylist() == [2, 0, 2]
    assert batch["signed"].to_pylist() == [True] * 3
