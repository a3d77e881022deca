"""Pair candidates: documents with an equal URL, text or band become edges; no text travels."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from schemas.columns import SKETCH
from transforms.batches import digest_words, fixed_bytes
from transforms.decide.all_parts import AllParts
from transforms.kernels.candidates import tie_candidates
from transforms.kernels.components import connect
from transforms.kernels.minhash import band_keys
from transforms.part_store import Stage, join, write_arrow
from transforms.shuffle import Packed, split, unpack

U64 = npt.NDArray[np.uint64]
_SALTS = {"url_digest": np.uint64(0x9E3779B97F4A7C15), "text_digest": np.uint64(0)}
_ODD = np.uint64(1)


def key_columns(url: bool, exact: bool, bands: int) -> list[str]:
    """Measured columns whose equal values make candidates."""
    return ["url_digest"] * url + ["text_digest"] * exact + [f"band_{band:02d}" for band in range(bands)]


@dataclass(frozen=True)
class PairPass:
    """Which keys one pass takes: those of `columns` that leave `residue` modulo `modulus`, over how many partitions."""

    number: int
    columns: tuple[str, ...]
    residue: int
    modulus: int
    partitions: int

    def __str__(self) -> str:
        return f"edges-{self.number:05d}"


def pass_of(name: str) -> str:
    """The pass that wrote an edge file, as its name has it."""
    return name.split("-")[1]


def candidate_keys(table: pa.Table, columns: Sequence[str]) -> tuple[U64, npt.NDArray[np.int64]]:
    """Keys of one part and their rows: uint64 and int64, both of shape (keys,).

    `table` holds `columns`, `text_digest` and `shingle_count` of all rows of a part. Empty texts have no keys. A key is
    63 bits of a hash: a chance collision makes a needless candidate, never a decision. The lowest bit says whether
    equal keys are candidates in any case (1: URL, text), or only if their sketches are not hopeless (0: bands).
    """
    text = ~np.asarray(table["text_digest"].is_null())
    shingled = text & (np.asarray(table["shingle_count"]) > 0)
    keys, kept = [np.empty(0, np.uint64)], [np.empty(0, np.int64)]
    for name in columns:
        values = table[name].combine_chunks()
        if name in _SALTS:
            mine = text & ~np.asarray(values.is_null())
            key = (digest_words(values)[:, 0] ^ _SALTS[name]) | _ODD
        else:
            mine = shingled
            key = band_keys(fixed_bytes(values), int(name.removeprefix("band_"))) & ~_ODD
        keys.append(key[mine])
        kept.append(np.flatnonzero(mine))
    return np.concatenate(keys), np.concatenate(kept)


class _ReadKeys(beam.DoFn):
    def __init__(self, parts: AllParts, share: PairPass, words: int):
        self.parts, self.share, self.words = parts, share, words

    def process(self, part: tuple[int, Iterable[int]]) -> Iterator[Packed]:
        number = part[0]
        needed = dict.fromkeys([*self.share.columns, "text_digest", "shingle_count", *[SKETCH] * bool(self.words)])
        table = self.parts.read(number, list(needed))
        keys, rows = candidate_keys(table, self.share.columns)
        spread = keys >> _ODD
        mine = spread % np.uint64(self.share.modulus) == self.share.residue
        keys, rows, spread = keys[mine], rows[mine], spread[mine] // np.uint64(self.share.modulus)
        columns: dict[str, Any] = {"key": keys, "id": rows.astype(np.uint64) + np.uint64(number << 32)}
        if self.words:
            columns["sketch"] = table[SKETCH].combine_chunks().take(pa.array(rows))
        yield from split(pa.record_batch(columns), (spread % np.uint64(self.share.partitions)).astype(np.int64))


class _WriteEdges(beam.DoFn):
    def __init__(self, pairs: Stage, share: PairPass, words: int, least_cells: int):
        self.pairs, self.share, self.words, self.least_cells = pairs, share, words, least_cells

    def process(self, keyed: tuple[int, Iterable[bytes]]) -> None:
        partition, values = keyed
        table = unpack(values)
        sketches = np.zeros((len(table), 0), np.uint64)
        if self.words:
            sketches = fixed_bytes(table["sketch"].combine_chunks()).view("<u8")
        edges = tie_candidates(table["key"].to_numpy(), table["id"].to_numpy(), sketches, self.least_cells)
        nodes, roots = connect(*edges)
        other = nodes != roots
        path = join(self.pairs.directory, f"{self.share}-{partition:05d}.arrow")
        write_arrow(path, pa.table({"a": roots[other], "b": nodes[other]}))


class PairCandidates(beam.PTransform):
    """From part numbers to edge files of one pass: `a`, `b` uint64, the smaller id first.

    Edges are contracted inside each partition to a spanning star of every component found there, so that a partition
    with m ids writes fewer than m edges. Keys are read in passes because a local runner keeps a whole GroupByKey in
    memory. `words` is the length of a sketch in words of 64 bits, and `least_cells` how many cells must be equal for
    two documents with an equal band to be worth an edge.
    """

    def __init__(self, parts: AllParts, pairs: Stage, share: PairPass, words: int, least_cells: int):
        super().__init__()
        self.read = _ReadKeys(parts, share, words)
        self.write = _WriteEdges(pairs, share, words, least_cells)

    def expand(self, parts: beam.PCollection) -> beam.PCollection:
        return (
            parts
            | "ReadKeys" >> beam.ParDo(self.read).with_output_types(Packed)
            | "GroupKeys" >> beam.GroupByKey()
            | "WriteEdges" >> beam.ParDo(self.write).with_output_types(int)
        )
