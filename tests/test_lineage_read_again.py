"""Ledger rows read again from the crawl: as they were measured, from every format, and nothing else is needed."""

import io
import json
import random
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from configs.model import Crawl
from lineage.catalog import Dataset, open_dataset
from lineage.texts import cut_excerpts
from lineage.texts import read_again as reading
from lineage.texts.cut_excerpts import excerpt_lines, excerpt_records
from lineage.texts.find_crawl_files import places_of
from lineage.texts.read_again import read_again
from tests import warc_files as make
from tests.crawl_of_all_formats import all_places, curate
from tests.jobs import run, write_config
from transforms.measure.readers.columns import ColumnMap
from transforms.measure.readers.jsonl import read_jsonl
from transforms.measure.readers.warc import read_warc
from transforms.measure.tally import Tally

WARC = Path(__file__).resolve().parents[2] / "shared" / "data" / "warc"
FILES = ("a.warc.gz", "b.warc", "c.wet.gz", "d.jsonl", "e.jsonl.gz", "f.parquet")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("all")
    curate(place)
    return place


@pytest.fixture
def dataset(place: Path) -> Dataset:
    return open_dataset(str(place / "out"))


@pytest.fixture
def moved(place: Path, tmp_path: Path) -> Path:
    """A copy of the crawl in another directory."""
    shutil.copytree(place / "crawl", tmp_path / "moved")
    return tmp_path / "moved"


def measured(place: Path) -> pa.Table:
    """What was measured, row by row with the ledger."""
    return pa.concat_tables(pq.read_table(path) for path in sorted((place / "measured").glob("part-?????.parquet")))


def of_file(dataset: Dataset, name: str) -> pa.Table:
    """The places of all rows of a file."""
    places = all_places(dataset)
    files = dataset.ledger(places, ["source_file"])["source_file"].to_pylist()
    return places.take([row for row, file in enumerate(files) if file == name])


def said(dataset: Dataset, places: pa.Table, column: str) -> list[object]:
    return list(dataset.ledger(places, [column])[column].to_pylist())


def faults(read: pa.Table) -> list[str]:
    return sorted({fault for fault in read["fault"].to_pylist() if fault})


# What comes out


def test_every_row_of_every_format_is_as_it_was_measured(place: Path, dataset: Dataset) -> None:
    """All columns but those carried: ids, URLs, digests, signatures, rights and text."""
    read = read_again(dataset, all_places(dataset))
    assert set(said(dataset, all_places(dataset), "source_file")) == set(FILES)
    assert read["fault"].null_count == len(read)
    assert read.drop_columns("fault").to_pylist() == measured(place).to_pylist()


@pytest.mark.parametrize("seed", range(6))
def test_some_rows_in_any_order_are_those_of_all(place: Path, dataset: Dataset, seed: int) -> None:
    """Also a row that is asked for twice, and the second record of a file with one id without the first."""
    places = all_places(dataset)
    rows = random.Random(seed).choices(range(len(places)), k=7)
    read = read_again(dataset, places.take(rows))
    assert read.drop_columns("fault").to_pylist() == measured(place).take(rows).to_pylist()


def test_each_row_alone_is_found(place: Path, dataset: Dataset) -> None:
    """Nothing depends on what else is asked for: not the numbers of repeated ids, nor the row group."""
    places = all_places(dataset)
    for row, expected in enumerate(measured(place).to_pylist()):
        (read,) = read_again(dataset, places.slice(row, 1)).to_pylist()
        assert read.pop("fault") is None
        assert read == expected


def test_no_row_gives_an_empty_table(dataset: Dataset) -> None:
    """With all its columns."""
    read = read_again(dataset, all_places(dataset).slice(0, 0))
    assert (len(read), read.column_names[0], read.column_names[-1]) == (0, "doc_id", "fault")


def test_records_are_read_in_excerpts_of_bounded_size(
    place: Path, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An excerpt for each record gives what one for all of them gives."""
    monkeypatch.setattr(cut_excerpts, "EXCERPT_BYTES", 1)
    read = read_again(dataset, all_places(dataset))
    assert read.drop_columns("fault").to_pylist() == measured(place).to_pylist()


@pytest.mark.skipif(not WARC.exists(), reason=f"needs the WARC files of {WARC}")
def test_real_files_are_read_as_they_were_measured(tmp_path: Path) -> None:
    """Of many writers, packed in many ways, and damaged: records cut out of them, or the whole file where need be."""
    crawl = {"name": "real", "files": [f"{WARC}/*/*.{kind}*" for kind in ("warc", "wet")], "format": "warc"}
    config = write_config(tmp_path / "c.yaml", {"crawl": crawl, "dedup": {"near": None}})
    assert run("curate", config, "--output", tmp_path / "out", "--quiet") == 0
    assert run("measure", config, "--output", tmp_path / "measured", "--quiet") == 0
    dataset = open_dataset(str(tmp_path / "out"))
    read = read_again(dataset, all_places(dataset))
    assert len(read) > 100
    assert faults(read) == []
    assert read.drop_columns("fault").to_pylist() == measured(tmp_path).to_pylist()


# How little is read


@pytest.mark.parametrize("name", ["a.warc.gz", "b.warc", "c.wet.gz", "d.jsonl"])
def test_only_the_bytes_of_the_record_are_needed(dataset: Dataset, moved: Path, name: str) -> None:
    """All other bytes of the file may be damaged."""
    places = of_file(dataset, name).slice(1, 1)
    (start,), (length,) = said(dataset, places, "source_position"), said(dataset, places, "warc_record_length")
    content = (moved / name).read_bytes()
    stop = content.index(b"\n", start) + 1 if length is None else start + length
    (moved / name).write_bytes(bytes(start) + content[start:stop] + bytes(len(content) - stop))
    expected = read_again(dataset, places).to_pylist()
    assert read_again(dataset, places, str(moved)).to_pylist() == expected
    assert expected[0]["fault"] is None


def test_packed_lines_are_read_no_further_than_needed(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rest of the file is not unpacked when the last row that is wanted was found."""
    monkeypatch.setattr("transforms.measure.readers.jsonl.BLOCK_BYTES", 1)
    count = 0
    read_records = reading.read_records

    def counted(*arguments: object) -> object:
        nonlocal count
        for batch in read_records(*arguments):  # type: ignore[arg-type]
            count += len(batch)
            yield batch

    monkeypatch.setattr(reading, "read_records", counted)
    assert faults(read_again(dataset, of_file(dataset, "e.jsonl.gz").slice(0, 2))) == []
    assert count == 2


def test_only_row_groups_with_a_row_are_read(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neighbours among them in one go."""
    pieces = []
    read_records = reading.read_records

    def noted(piece: object, *arguments: object) -> object:
        pieces.append((piece.start, piece.stop))  # type: ignore[attr-defined]
        return read_records(piece, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(reading, "read_records", noted)
    places = of_file(dataset, "f.parquet").take([1, 3, 7])
    assert faults(read_again(dataset, places)) == []
    assert pieces == [(0, 2), (3, 4)]


@given(
    st.lists(st.sampled_from(['{"text": "a"}', '{"text": null, "id": 1}', " ", "", "{", '{"text": 2}\r']), max_size=9)
)
@settings(deadline=None)
def test_lines_taken_together_read_as_in_their_file(lines: list[str]) -> None:
    """Whatever lies between them: blank lines, broken ones, other line ends."""
    data, columns = "\n".join(lines).encode(), ColumnMap((("text", "text"), ("record_id", "id")))
    whole = [
        row
        for batch in read_jsonl(io.BytesIO(data), "f", Tally(), columns, compression="none")
        for row in batch.to_pylist()
    ]
    for wanted in (whole, whole[::2], whole[1:]):
        positions = np.array([row["source_position"] for row in wanted], np.int64)
        found = [
            row
            for excerpt in excerpt_lines(io.BytesIO(data), positions)
            for batch in read_jsonl(io.BytesIO(excerpt.data), "f", Tally(), columns, compression="none")
            for row in excerpt.back_in_file(batch, False).to_pylist()
        ]
        assert found == wanted


@given(st.lists(st.sampled_from(["", "urn:1", "urn:2", "urn:3"]), min_size=1, max_size=6), st.booleans())
@settings(deadline=None)
def test_records_taken_together_read_as_in_their_file(ids: list[str], gzipped: bool) -> None:
    """All of them, and without the first; but for the locator of an id that the file has repeated."""
    data = make.warc_file([make.conversion(f"text {n}", name) for n, name in enumerate(ids)], gzipped=gzipped)
    whole = [row for batch in read_warc(io.BytesIO(data), "f", Tally()) for row in batch.to_pylist()]
    for wanted in (whole, whole[1:]):
        places = [
            np.array([row[name] for row in wanted], np.int64) for name in ("source_position", "warc_record_length")
        ]
        found = [
            row
            for excerpt in excerpt_records(io.BytesIO(data), *places)
            for batch in read_warc(io.BytesIO(excerpt.data), "f", Tally())
            for row in excerpt.back_in_file(batch, True).to_pylist()
        ]
        if wanted is whole or whole[0]["record_id"] is None:
            assert found == wanted
        assert [row["text"] for row in found] == [row["text"] for row in wanted]


# Where the files are


def test_files_are_looked_for_below_the_root_that_is_given(place: Path, moved: Path, tmp_path: Path) -> None:
    """The crawl may have moved since; where it was measured it is found as well."""
    shutil.copytree(place / "out", tmp_path / "out")
    (place / "crawl").rename(place / "away")
    try:
        dataset = open_dataset(str(tmp_path / "out"))
        gone = read_again(dataset, all_places(dataset))
        there = read_again(dataset, all_places(dataset), str(moved))
    finally:
        (place / "away").rename(place / "crawl")
    assert gone["doc_id"].null_count == len(gone)
    assert faults(gone) == [f"it is not at hand: there is no {place}/crawl/{name}" for name in FILES]
    assert there.drop_columns("fault").to_pylist() == measured(place).to_pylist()


@pytest.mark.parametrize(
    ("name", "root", "expected"),
    [
        ("a/1.warc", None, ["/data/a/1.warc"]),
        ("a/1.warc", "/mnt/", ["/mnt/a/1.warc", "/data/a/1.warc"]),
        ("/else/2.warc", "/mnt", ["/else/2.warc"]),
        ("s3://bucket/3.warc", None, ["s3://bucket/3.warc"]),
    ],
)
def test_place_of_a_file_follows_from_its_name_and_the_roots(name: str, root: str | None, expected: list[str]) -> None:
    """A file that did not lie under the root keeps its whole path for a name."""
    crawl = Crawl(name="demo", files=("/data/a/*.warc", "/data/b/*.warc"))
    assert places_of(name, crawl, root) == expected


def test_root_of_the_config_is_preferred_to_that_of_the_patterns() -> None:
    """As when the names were made."""
    crawl = Crawl(name="demo", files=("/data/a/*.warc",), root="/data")
    assert places_of("a/1.warc", crawl, None) == ["/data/a/1.warc"]


# What is wrong with them


def test_file_of_another_size_is_not_used(dataset: Dataset, moved: Path, place: Path) -> None:
    """It is said, and the file where the config says is used instead; without that one nothing is."""
    with (moved / "d.jsonl").open("ab") as file:
        file.write(b"\n")
    rows = of_file(dataset, "d.jsonl")
    assert faults(read_again(dataset, rows, str(moved))) == []
    size = (place / "crawl" / "d.jsonl").stat().st_size
    (place / "crawl" / "d.jsonl").rename(place / "d")
    try:
        read = read_again(dataset, rows, str(moved))
    finally:
        (place / "d").rename(place / "crawl" / "d.jsonl")
    assert faults(read) == [f"{moved}/d.jsonl has {size + 1} bytes, and had {size} when it was measured"]
    assert read["text"].null_count == len(read)


@pytest.mark.parametrize("name", FILES)
def test_file_that_lost_its_records_is_named_with_its_digests(dataset: Dataset, moved: Path, name: str) -> None:
    """A file of the right size that holds none of them: its rows are null and the fault says that it was changed."""
    size = (moved / name).stat().st_size
    (moved / name).write_bytes(b"{}\n" + bytes(size - 3))
    (fault,) = faults(read_again(dataset, of_file(dataset, name), str(moved)))
    digest = next(f["digest"] for f in dataset.manifest["plan"]["files"] if f["name"] == name)
    assert fault.startswith(f"{moved}/{name} was changed: its digest is ")
    assert fault.endswith(f", and was {digest} when it was measured")


def test_record_that_was_changed_is_read_as_it_is_now(dataset: Dataset, moved: Path) -> None:
    """The caller compares it with the ledger."""
    content = (moved / "d.jsonl").read_bytes()
    (moved / "d.jsonl").write_bytes(content.replace(b"d00 ", b"x00 "))
    places = of_file(dataset, "d.jsonl").slice(0, 1)
    read = read_again(dataset, places, str(moved))
    assert read["text"][0].as_py().startswith("x00 d01")
    assert read["fault"].to_pylist() == [None]


def test_root_that_cannot_be_read_is_passed_over(dataset: Dataset, moved: Path) -> None:
    """A file system that is not installed, and a directory where a file should be."""
    places = of_file(dataset, "b.warc")
    assert faults(read_again(dataset, places, "nosuch://bucket")) == []
    (moved / "b.warc").unlink()
    (moved / "b.warc").mkdir()
    assert faults(read_again(dataset, places, str(moved))) == []


def test_names_with_odd_characters_are_read(tmp_path: Path) -> None:
    """Wildcards and quotes in a file name are part of it, also where its digest is compared."""
    (tmp_path / "crawl").mkdir()
    line = json.dumps({"id": "1", "text": "some text"}) + "\n"
    (tmp_path / "crawl" / "it's [1]*.jsonl").write_text(line)
    config = write_config(tmp_path / "c.yaml", {"crawl": {"name": "odd", "files": ["crawl/*"]}})
    assert run("curate", config, "--output", tmp_path / "out", "--quiet") == 0
    dataset = open_dataset(str(tmp_path / "out"))
    assert read_again(dataset, all_places(dataset))["text"].to_pylist() == ["some text"]
    (tmp_path / "crawl" / "it's [1]*.jsonl").write_text(" " * (len(line) - 1) + "\n")
    (fault,) = faults(read_again(dataset, all_places(dataset)))
    assert "was changed: its digest is " in fault
