"""All parts: numbers of this crawl first, then those of earlier stores, and columns wherever they lie."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.columns import FINGERPRINTS, near_fields
from schemas.errors import WorkError
from tests.memory_files import MemoryFiles
from transforms.decide.all_parts import OWN, AllParts, EarlierStore
from transforms.part_store import Stage, join, part_path, write_file

PRINTS = FINGERPRINTS.schema(near_fields(2, 1, 8))


def write(path: str, table: pa.Table) -> None:
    with write_file(path) as file:
        pq.write_table(table, file)


def prints(rows: int) -> pa.Table:
    """Fingerprints of some documents; the last byte of each value is the row."""

    def column(field: pa.Field) -> pa.Array:
        if pa.types.is_integer(field.type):
            return pa.array(range(rows), field.type)
        width = field.type.byte_width
        return pa.array([bytes(width - 1) + bytes([row]) for row in range(rows)], field.type)

    return pa.table([column(field) for field in PRINTS], schema=PRINTS)


def texts(rows: int) -> pa.Table:
    """Documents as they are published: with identifiers in hex, and a column of the user's own."""
    hexes = [f"{row:032x}" for row in range(rows)]
    words = [f"text {row}" for row in range(rows)]
    return pa.table({"doc_id": hexes, "text_digest": hexes, "text": words, "band_name": words})


def store(directory: str, *, published: bool, parts: tuple[int, ...] = (0,)) -> EarlierStore:
    return EarlierStore("build", directory, parts, 0, published, "digest")


@pytest.fixture
def dataset(tmp_path: Path) -> EarlierStore:
    """One part of three kept documents."""
    decisions = pa.table({"decision": ["keep"] * 3})
    write(part_path(join(str(tmp_path), "ledger"), 0, "parquet"), decisions)
    write(part_path(join(str(tmp_path), "fingerprints"), 0, "parquet"), prints(3))
    write(part_path(join(str(tmp_path), "documents"), 0, "parquet"), texts(3))
    return store(str(tmp_path), published=True)


@given(st.integers(0, 5), st.lists(st.integers(0, 3), max_size=4))
def test_numbers_belong_to_the_store_that_counting_on_finds(own: int, sizes: list[int]) -> None:
    """Own parts first, then each store in its turn; a store may have no parts."""
    stores = tuple(store(f"dir{i}", published=False, parts=tuple(range(size))) for i, size in enumerate(sizes))
    parts = AllParts(Stage("own", "digest"), own, stores)
    owners = [OWN] * own + [i for i, size in enumerate(sizes) for _ in range(size)]
    assert parts.count == len(owners)
    assert parts.stores(np.arange(parts.count)).tolist() == owners


def test_part_is_read_from_whoever_holds_it(tmp_path: Path) -> None:
    """Parts of earlier stores under their own numbers; on a disk and on an object store."""
    MemoryFiles.files.clear()
    places = {"own": str(tmp_path / "own"), "a": str(tmp_path / "a"), "b": "memory://bucket/b"}
    for name, place in places.items():
        for number in range(2):
            write(part_path(place, number, "parquet"), pa.table({"text": [f"{name}{number}"], "url": ["u"]}))
    stores = tuple(store(places[name], published=False, parts=(0, 1)) for name in ("a", "b"))
    parts = AllParts(Stage(places["own"], "digest"), 2, stores)
    found = [parts.read(number, ["text"]).to_pydict() for number in range(parts.count)]
    assert found == [{"text": [name]} for name in ("own0", "own1", "a0", "a1", "b0", "b1")]
    MemoryFiles.files.clear()


def test_dataset_reads_prints_and_texts_row_beside_row(dataset: EarlierStore) -> None:
    """In the order asked for; digests are bytes, as in a measured store, though documents/ has them in hex."""
    names = ["text", "band_01", "doc_id", "sketch", "text_digest", "shingle_count", "url_digest"]
    found = dataset.read(0, names)
    assert found.column_names == names
    assert found["text"].to_pylist() == ["text 0", "text 1", "text 2"]
    for name in names[1:]:
        assert found[name].combine_chunks() == prints(3)[name].combine_chunks()
        assert found.schema.field(name).type == PRINTS.field(name).type


def test_dataset_gives_fingerprints_of_kept_documents_alone(dataset: EarlierStore) -> None:
    """Those of all others lie beside them."""
    decisions = ["drop", "keep", "quarantine", "keep", "keep"]
    write(part_path(join(dataset.directory, "ledger"), 0, "parquet"), pa.table({"decision": decisions}))
    write(part_path(join(dataset.directory, "fingerprints"), 0, "parquet"), prints(5))
    found = dataset.read(0, ["shingle_count", "text"])
    assert found["shingle_count"].to_pylist() == [1, 3, 4]
    assert found["text"].to_pylist() == ["text 0", "text 1", "text 2"]


@pytest.mark.parametrize("names", [["text"], ["doc_id"], ["band_name"]])
def test_dataset_opens_only_the_file_that_has_the_columns(dataset: EarlierStore, names: list[str]) -> None:
    """Texts alone need no fingerprints, fingerprints alone no texts; `band_name` is the user's and no band."""
    other = "documents" if names == ["doc_id"] else "fingerprints"
    Path(dataset.directory, other, "part-00000.parquet").unlink()
    assert dataset.read(0, names).column_names == names


@pytest.mark.parametrize("fault", ["gone", "cut", "without a column", "of other rows"])
def test_file_that_breaks_during_the_run_is_a_letter(dataset: EarlierStore, fault: str) -> None:
    """The store and the part are named, and what to do; it was whole when the run began."""
    path = Path(dataset.directory, "fingerprints", "part-00000.parquet")
    if fault == "gone":
        path.unlink()
    elif fault == "cut":
        path.write_bytes(path.read_bytes()[:-20])
    elif fault == "without a column":
        write(str(path), prints(3).drop_columns(["sketch"]))
    else:
        write(str(path), prints(2))
    with pytest.raises(WorkError) as error:
        dataset.read(0, ["sketch", "text"])
    said = str(error.value)
    assert said.startswith(f"Part 0 of {dataset.directory}, which `dedup.against` names, cannot be read: ")
    assert said.endswith("\nIt was whole when the run began. Restore it as it was and go on with --resume.")


def test_measured_store_that_breaks_is_a_letter_too(tmp_path: Path) -> None:
    """With the system's reason."""
    broken = store(str(tmp_path), published=False)
    with pytest.raises(WorkError, match=f"^Part 0 of {tmp_path}, .* No such file or directory"):
        broken.read(0, ["text"])
