"""`fingerprint` on small columns of every kind, and on the civil sections."""

import doctest
import json
import lzma
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import xxhash
from datasketch import MinHash
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.columns import DIGEST, MEASURED, SKETCH
from transforms.kernels.shingles import hash_shingles, make_room
from transforms.measure import fingerprint as module
from transforms.measure.fingerprint import RULES_VERSION, NearSettings, fingerprint, fingerprint_facts

SECTIONS = Path(__file__).resolve().parents[2] / "shared" / "data" / "civil" / "sections.jsonl.xz"
NEAR = NearSettings(ngram=5, bands=25, rows=5)
TEXTS = ["One two three four five six", None, "", " \n\u3000", "a  b", "a b", "caf\u00e9 \U0001f600", "x" * 300]


def as_lists(columns: dict[str, pa.Array]) -> dict[str, list[object]]:
    return {name: values.to_pylist() for name, values in columns.items()}


def digest_of(text: str | None) -> bytes | None:
    normal = re.sub(r"\s+", " ", text or "").strip(" ").encode()
    return xxhash.xxh3_128_digest(normal) if normal else None


def bands_of(text: str, near: NearSettings) -> list[bytes]:
    """The band columns of a text that has words, by datasketch."""
    raw = text.encode()
    room = make_room(len(raw), near.ngram)
    _, _, count = hash_shingles(np.frombuffer(raw, np.uint8), 0, len(raw), near.ngram, 0, room)
    sketch = MinHash(num_perm=near.bands * near.rows, seed=1, hashfunc=int, scheme="affine32")
    sketch.update_batch((room.shingles[:count] >> np.uint64(32)).tolist())
    return [sketch.hashvalues[at : at + near.rows].tobytes() for at in range(0, near.bands * near.rows, near.rows)]


def test_fingerprint_has_the_columns_of_the_measured_table() -> None:
    """Names, types and nullability are those of the schema, bands in order and the sketch behind."""
    columns = fingerprint(pa.array(TEXTS, pa.large_string()), NEAR)
    schema = MEASURED.schema(NEAR.fields())
    assert list(columns) == [name for name in schema.names if name in columns]
    assert list(columns)[3:] == [*(f"band_{band:02d}" for band in range(25)), SKETCH]
    for name, values in columns.items():
        values.validate(full=True)
        assert values.type == schema.field(name).type
        assert len(values) == len(TEXTS)
        assert schema.field(name).nullable or values.null_count == 0


def test_fingerprint_measures_each_text() -> None:
    """Bytes of the text as given, digest of the normalised text, shingles of its words."""
    columns = as_lists(fingerprint(pa.array(TEXTS, pa.large_string()), NEAR))
    assert columns["text_bytes"] == [len((text or "").encode()) for text in TEXTS]
    assert columns["text_digest"] == [digest_of(text) for text in TEXTS]
    assert columns["shingle_count"] == [2, 0, 0, 0, 1, 1, 1, 1]


def test_bands_are_the_signature_of_datasketch_cut_in_pieces() -> None:
    """Band k holds values k * rows to (k + 1) * rows, little endian; a text without words holds 0xFF."""
    near = NearSettings(ngram=2, bands=3, rows=4)
    columns = as_lists(fingerprint(pa.array(["one two three four", "", None]), near))
    assert [columns[f"band_{band:02d}"][0] for band in range(3)] == bands_of("one two three four", near)
    assert [columns[f"band_{band:02d}"][1:] for band in range(3)] == [[b"\xff" * 16] * 2] * 3


def slow_sketch(bands: list[bytes]) -> bytes:
    """The upper two bits of each value times an odd constant, 32 cells in a little-endian word."""
    values = np.frombuffer(b"".join(bands), "<u4").tolist()
    bits = sum((value * 0x9E3779B1 % (1 << 32) >> 30) << 2 * place for place, value in enumerate(values[:256]))
    return bytes(bits.to_bytes(8 * -(-min(len(values), 256) // 32), "little"))


@pytest.mark.parametrize(("bands", "rows"), [(1, 1), (4, 8), (3, 11), (25, 5), (20, 16)])
def test_sketch_is_two_bits_of_each_value(bands: int, rows: int) -> None:
    """Of the first 256 values at most, as the column stores them."""
    near = NearSettings(ngram=2, bands=bands, rows=rows)
    columns = fingerprint(pa.array(["one two three four", "five six", ""]), near)
    assert columns[SKETCH].type == near.fields()[-1].type
    for row in range(3):
        assert columns[SKETCH][row].as_py() == slow_sketch(
            [columns[f"band_{b:02d}"][row].as_py() for b in range(bands)]
        )


def test_facts_name_the_version_of_the_rules_and_the_settings() -> None:
    """What two stores must have in common to be compared."""
    assert fingerprint_facts(NEAR) == {"rules": RULES_VERSION, "near": {"ngram": 5, "bands": 25, "rows": 5}}
    assert fingerprint_facts(None) == {"rules": RULES_VERSION, "near": None}


def test_fingerprint_without_near_has_no_bands() -> None:
    """Without settings nothing is signed, and every count is 0."""
    columns = fingerprint(pa.array(TEXTS, pa.large_string()), None)
    assert list(columns) == ["text_bytes", "text_digest", "shingle_count"]
    assert columns["shingle_count"] == pa.array([0] * len(TEXTS), pa.int32())


@given(
    texts=st.lists(st.none() | st.text("ab \u3000.", max_size=90), max_size=8),
    cut=st.tuples(st.integers(0, 8), st.integers(0, 8)),
)
@settings(deadline=None)
def test_fingerprint_of_a_slice_is_the_slice_of_the_fingerprint(texts: list[str | None], cut: tuple[int, int]) -> None:
    """A row's columns depend on its text alone: not on the batch, its offset, or the width of the offsets."""
    whole = pa.array(texts, pa.large_string())
    part = whole.slice(*cut)
    expected = {name: values.slice(*cut).to_pylist() for name, values in fingerprint(whole, NEAR).items()}
    assert as_lists(fingerprint(part, NEAR)) == expected
    assert as_lists(fingerprint(part.cast(pa.string()), NEAR)) == expected


def test_fingerprint_of_an_empty_column_is_empty() -> None:
    """No rows in, no rows out, with the same types."""
    columns = fingerprint(pa.array([], pa.large_string()), NEAR)
    assert {len(values) for values in columns.values()} == {0}
    assert (columns["text_digest"].type, columns["band_24"].type) == (DIGEST, pa.binary(20))


def test_fingerprint_gives_the_same_from_many_threads() -> None:
    """The kernels release the interpreter and share nothing."""
    text = pa.array([f"{row} is the number of this row and {row * row} its square" for row in range(3000)])
    with ThreadPoolExecutor(4) as threads:
        results = list(threads.map(lambda _: as_lists(fingerprint(text, NEAR)), range(4)))
    assert results == [as_lists(fingerprint(text, NEAR))] * 4


@pytest.mark.skipif(not SECTIONS.exists(), reason=f"{SECTIONS} is not here")
def test_fingerprint_of_the_civil_sections_equals_the_libraries() -> None:
    """Every 50th section: digests as xxhash and a regular expression give them, bands as datasketch does."""
    with lzma.open(SECTIONS, "rt", encoding="utf-8") as lines:
        texts = [json.loads(line)["text"] for line in lines][::50]
    columns = as_lists(fingerprint(pa.array(texts, pa.large_string()), NEAR))
    assert columns["text_digest"] == [digest_of(text) for text in texts]
    bands = [columns[field.name] for field in NEAR.fields() if field.name != SKETCH]
    assert [list(row) for row in zip(*bands, strict=True)] == [bands_of(text, NEAR) for text in texts]


def test_examples_in_the_docstrings_hold() -> None:
    """What the documentation shows is what happens."""
    assert doctest.testmod(module) == (0, 4)
