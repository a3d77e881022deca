"""Pairing candidates through Beam: documents with an equal key end in one component, however the keys are cut."""

import itertools
from pathlib import Path

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from apache_beam.metrics import MetricsFilter
from apache_beam.options.pipeline_options import PipelineOptions

from tests.graphs import slow_components
from tests.tables import Row, digest_of, fingerprinted, measured
from transforms.decide import pair_candidates
from transforms.decide.all_parts import AllParts
from transforms.decide.pair_candidates import PairCandidates, PairPass, candidate_keys, key_columns, pass_of
from transforms.measure.fingerprint import NearSettings
from transforms.part_store import Stage, read_arrow
from transforms.spread_parts import SpreadParts

NEAR = NearSettings(ngram=2, bands=4, rows=2)
TEXTS = [" ".join(f"w{group}x{word}" for word in range(40)) for group in range(6)]
COLUMNS = key_columns(True, True, NEAR.bands)


@pytest.fixture
def parts(tmp_path: Path) -> AllParts:
    """Three parts with the same six texts, one of them each time with another end, and URLs that go across."""
    stage = Stage(str(tmp_path / "measured"), "m")
    Path(stage.directory).mkdir()
    for part in range(3):
        rows: list[Row] = [{"text": f"{text} end{part}" if group % 2 else text} for group, text in enumerate(TEXTS)]
        rows += [{"text": f"alone{part}", "url_digest": digest_of(77)}, {"text": ""}, {"text": f"other{part}"}]
        pq.write_table(fingerprinted(rows, NEAR), stage.path(part))
    return AllParts(stage, 3)


def components(parts: AllParts, where: Path, passes: list[PairPass], least: int = 0) -> dict[int, int]:
    """Node to smallest node of its component, from the edges of all passes."""
    pairs, edges = Stage(str(where), "p"), []
    for share in passes:
        with beam.Pipeline(options=PipelineOptions(["--runner=FnApiRunner"])) as root:
            root | SpreadParts(range(parts.count)) | "Step" >> PairCandidates(parts, pairs, share, 1, least)
    for path in sorted(where.glob("*.arrow")):
        table = read_arrow(str(path))
        assert (np.asarray(table["a"]) < np.asarray(table["b"])).all()
        assert pass_of(path.name) in {f"{share.number:05d}" for share in passes}
        edges += list(zip(table["a"].to_pylist(), table["b"].to_pylist(), strict=True))
    return slow_components(edges)


def test_documents_with_an_equal_key_are_connected(parts: AllParts, tmp_path: Path) -> None:
    """By URL, by text, or by a band; empty texts and others of their own are in no component."""
    found = components(parts, tmp_path / "pairs", [PairPass(0, tuple(COLUMNS), 0, 1, 3)])
    assert found == {part << 32 | row: row for part in range(3) for row in range(7)}


@pytest.mark.parametrize(("modulus", "partitions"), [(1, 1), (1, 50), (3, 2)])
def test_cuts_of_the_keys_change_no_component(parts: AllParts, tmp_path: Path, modulus: int, partitions: int) -> None:
    """Column by column and residue by residue, over any number of partitions."""
    cuts = [(name, residue) for name in COLUMNS for residue in range(modulus)]
    passes = [PairPass(n, (name,), residue, modulus, partitions) for n, (name, residue) in enumerate(cuts)]
    whole = components(parts, tmp_path / "whole", [PairPass(0, tuple(COLUMNS), 0, 1, 3)], least=20)
    assert components(parts, tmp_path / "cut", passes, least=20) == whole


def test_hot_key_is_counted_and_its_first_document_is_named(
    parts: AllParts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """By the worker that holds it; URL 77 is that of row 6 of all three parts, in whatever order they arrive."""
    monkeypatch.setattr(pair_candidates, "HOT_KEY_DOCUMENTS", 2)
    share, pairs = PairPass(0, ("url_digest",), 0, 1, 3), Stage(str(tmp_path / "pairs"), "p")
    with beam.Pipeline(options=PipelineOptions(["--runner=FnApiRunner"])) as root:
        root | SpreadParts(range(parts.count)) | "Step" >> PairCandidates(parts, pairs, share, 1, 0)
    found = root.result.metrics().query(MetricsFilter().with_name("pair.key_documents"))["distributions"]
    assert [one.result.max for one in found] == [3]
    (said,) = [record.getMessage() for record in caplog.records if record.name == "cleartitle.pair"]
    assert said.endswith(": 3 documents have one key in common; the first is row 6 of part 0.")


def test_keys_of_bands_are_even_and_of_digests_odd() -> None:
    """So the walk over them knows which are candidates in any case; a URL never has the key of a text."""
    table = fingerprinted([{"text": TEXTS[0], "url_digest": digest_of(1 << 64)}], NEAR)
    for name in COLUMNS:
        keys, rows = candidate_keys(table, [name])
        assert (keys % 2 == (0 if name.startswith("band") else 1)).all()
        assert rows.tolist() == [0]
    same = measured([{"url_digest": digest_of(5 << 64), "text_digest": digest_of(5 << 64)}])
    assert candidate_keys(same, ["url_digest"])[0] != candidate_keys(same, ["text_digest"])[0]


def test_empty_texts_have_no_keys() -> None:
    """Not even by their URL: what is empty is dropped for that and repeats nothing."""
    table = fingerprinted([{"text": "", "url_digest": digest_of(1)}, {"text": "...", "url_digest": digest_of(1)}], NEAR)
    keys, rows = candidate_keys(table, COLUMNS)
    assert rows.tolist() == [1, 1]  # punctuation has a text and a URL, and no words
    assert len(keys) == 2


def test_part_without_rows_has_no_keys() -> None:
    """And the types are the same."""
    keys, rows = candidate_keys(fingerprinted([], NEAR), COLUMNS)
    assert keys.dtype == np.uint64
    assert rows.dtype == np.int64
    assert len(keys) == len(rows) == 0
    assert (
        candidate_keys(pa.table({"text_digest": pa.nulls(0), "shingle_count": pa.array([], pa.int32())}), [])[0].size
        == 0
    )


@pytest.mark.parametrize("arrival", list(itertools.permutations(range(3))), ids=str)
def test_order_of_arrival_changes_no_edge(tmp_path: Path, arrival: tuple[int, ...]) -> None:
    """The third is like the first two, which are not alike. Who leads is a matter of order: that of the parts."""
    stage = Stage(str(tmp_path / "measured"), "m")
    Path(stage.directory).mkdir()
    for part, sketch in enumerate((bytes(8), b"\xff" * 8, b"\xff" * 4 + bytes(4))):
        table = fingerprinted([{"text": TEXTS[0]}], NEAR)
        at = table.schema.get_field_index("sketch")
        pq.write_table(table.set_column(at, table.schema.field(at), pa.array([sketch], pa.binary(8))), stage.path(part))
    step = PairCandidates(AllParts(stage, 3), Stage(str(tmp_path), "p"), PairPass(0, ("band_00",), 0, 1, 1), 1, 16)
    values = [value for part in range(3) for _, value in step.read.process((part, []))]
    step.write.process((0, [values[i] for i in arrival]))
    edges = read_arrow(str(tmp_path / "edges-00000-00000.arrow"))
    assert edges.to_pydict() == {"a": [0], "b": [2 << 32]}
