"""Pair candidates: documents with an equal URL, text or band become edges; no text travels."""

from collections.abc import Iterable, Iterator, Sequence

import apache_beam as beam
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from transforms.batches import digest_words, fixed_bytes
from transforms.kernels.candidates import connect, star_edges
from transforms.kernels.minhash import band_keys
from transforms.part_store import Stage, join, write_arrow
from transforms.shuffle import Packed, split, unpack

LEAST_SHINGLES = 2
"""Texts of one shingle have no near duplicates: it is a hash of 32 bits, and among millions of them many collide."""
KEY_BYTES = 16
"""A key and an id, both uint64, is what one column of one document sends."""
_SALTS = {"url_digest": np.uint64(0x9E3779B97F4A7C15), "text_digest": np.uint64(0)}


def key_columns(url: bool, exact: bool, bands: int) -> list[str]:
    """Measured columns whose equal values make candidates."""
    return ["url_digest"] * url + ["text_digest"] * exact + [f"band_{band:02d}" for band in range(bands)]


def candidate_keys(
    table: pa.Table, columns: Sequence[str], first_id: int
) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
    """Keys and ids of one part: uint64, both of shape (keys,).

    `table` holds `columns`, `text_digest` and `shingle_count` of all rows of a part; row i has id `first_id + i`.
    Empty texts have no keys. A key is 64 bits of a hash: a chance collision makes a needless candidate, never a
    decision.
    """
    ids = np.arange(first_id, first_id + len(table), dtype=np.uint64)
    text = ~np.asarray(table["text_digest"].is_null())
    shingled = text & (np.asarray(table["shingle_count"]) >= LEAST_SHINGLES)
    keys, kept = [np.empty(0, np.uint64)], [np.empty(0, np.uint64)]
    for name in columns:
        values = table[name].combine_chunks()
        if name in _SALTS:
            mine = text & ~np.asarray(values.is_null())
            key = digest_words(values)[:, 0] ^ _SALTS[name]
        else:
            mine = shingled
            key = band_keys(fixed_bytes(values), int(name.removeprefix("band_")))
        keys.append(key[mine])
        kept.append(ids[mine])
    return np.concatenate(keys), np.concatenate(kept)


class _ReadKeys(beam.DoFn):
    def __init__(self, measured: Stage, columns: Sequence[str], partitions: int):
        self.measured, self.columns, self.partitions = measured, list(columns), partitions

    def process(self, part: tuple[int, Iterable[int]]) -> Iterator[Packed]:
        number = part[0]
        needed = list(dict.fromkeys([*self.columns, "text_digest", "shingle_count"]))
        table = pq.read_table(self.measured.path(number), columns=needed)
        keys, ids = candidate_keys(table, self.columns, number << 32)
        target = (keys % np.uint64(self.partitions)).astype(np.int64)
        yield from split(pa.record_batch({"key": keys, "id": ids}), target)


class _WriteEdges(beam.DoFn):
    def __init__(self, pairs: Stage, pass_number: int):
        self.pairs, self.pass_number = pairs, pass_number

    def process(self, keyed: tuple[int, Iterable[bytes]]) -> None:
        partition, values = keyed
        table = unpack(values)
        nodes, roots = connect(*star_edges(table["key"].to_numpy(), table["id"].to_numpy()))
        other = nodes != roots
        path = join(self.pairs.directory, f"edges-{self.pass_number:05d}-{partition:05d}.arrow")
        write_arrow(path, pa.table({"a": roots[other], "b": nodes[other]}))


def pass_of(name: str) -> str:
    """The pass that wrote an edge file, as its name has it."""
    return name.split("-")[1]


class PairCandidates(beam.PTransform):
    """From part numbers to edge files of one pass: `a`, `b` uint64, the smaller id first.

    Edges are contracted inside each partition to a spanning star of every component found there, so that a partition
    with m ids writes fewer than m edges. Band columns are read in passes because a local runner keeps a whole
    GroupByKey in memory.
    """

    def __init__(self, measured: Stage, pairs: Stage, pass_number: int, columns: Sequence[str], partitions: int):
        super().__init__()
        self.read = _ReadKeys(measured, columns, partitions)
        self.write = _WriteEdges(pairs, pass_number)

    def expand(self, parts: beam.PCollection) -> beam.PCollection:
        return (
            parts
            | "ReadKeys" >> beam.ParDo(self.read).with_output_types(Packed)
            | "GroupKeys" >> beam.GroupByKey()
            | "WriteEdges" >> beam.ParDo(self.write).with_output_types(int)
        )
