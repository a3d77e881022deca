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
from transforms.decide.ordinals import ordinals, part_and_row
from transforms.kernels.candidates import order_by_partition, tie_candidates
from transforms.kernels.components import contract
from transforms.kernels.minhash import band_keys
from transforms.kernels.most_frequent import most_frequent
from transforms.part_store import Stage, file_size, join, write_arrow
from transforms.shuffle import Packed, pack, unpack
from transforms.tell_work import Work, work

U64 = npt.NDArray[np.uint64]
_SALTS = {"url_digest": np.uint64(0x9E3779B97F4A7C15), "text_digest": np.uint64(0)}
HOT_KEY_DOCUMENTS = 1_000_000
"""Documents under one key from which a worker says where the first of them is; all of them lie on that worker."""
_ODD = np.uint64(1)
_PART = b"part"
"""Where a packed batch says which part its rows are of."""


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
        with work("pair", "part", part[0]) as done:
            yield from done.send(self._read(part[0], done))

    def _read(self, number: int, done: Work) -> Iterator[Packed]:
        needed = dict.fromkeys([*self.share.columns, "text_digest", "shingle_count", *[SKETCH] * bool(self.words)])
        table = self.parts.read(number, list(needed))
        done.count(bytes_read=table.nbytes)
        keys, rows = candidate_keys(table, self.share.columns)
        places, starts = order_by_partition(keys, self.share.modulus, self.share.residue, self.share.partitions)
        keys, rows = keys[places], rows[places]
        done.count(keys=len(keys))
        columns: dict[str, Any] = {"key": keys, "row": rows.astype(np.uint32)}
        if self.words:
            sketches = fixed_bytes(table[SKETCH].combine_chunks()).view(np.uint64)[rows]
            columns["sketch"] = pa.Array.from_buffers(
                pa.binary(8 * self.words), len(rows), [None, pa.py_buffer(sketches)]
            )
        batch = pa.record_batch(columns).replace_schema_metadata({_PART: str(number)})
        for partition in np.flatnonzero(np.diff(starts)):
            start, stop = starts[partition : partition + 2]
            yield int(partition), pack(batch.slice(start, stop - start))


def _in_order(values: Iterable[bytes], words: int) -> tuple[U64, U64, U64]:
    """Keys, ids and sketches of a partition; parts in the order of their numbers, not of their arrival."""
    batches = sorted((unpack([value]) for value in values), key=_part)
    ids = [ordinals(_part(batch), batch["row"].to_numpy()) for batch in batches]
    table = pa.concat_tables(batch.replace_schema_metadata() for batch in batches).combine_chunks()
    sketches = (
        fixed_bytes(table["sketch"].combine_chunks()).view(np.uint64) if words else np.zeros((len(table), 0), "u8")
    )
    return table["key"].to_numpy(), np.concatenate(ids), sketches


def _part(batch: pa.Table) -> int:
    return int(batch.schema.metadata[_PART])


class _WriteEdges(beam.DoFn):
    def __init__(self, pairs: Stage, share: PairPass, words: int, least_cells: int):
        self.pairs, self.share, self.words, self.least_cells = pairs, share, words, least_cells

    def process(self, keyed: tuple[int, Iterable[bytes]]) -> None:
        partition, values = keyed
        with work("pair", "partition", partition) as done:
            keys, ids, sketches = _in_order(values, self.words)
            first, documents = most_frequent(keys)
            if documents > HOT_KEY_DOCUMENTS:  # said before they are tied, which is what may take too long
                (part,), (row,) = part_and_row(ids[first : first + 1])
                done.warn(f"{documents:,} documents have one key in common; the first is row {row} of part {part}.")
            a, b = contract(*tie_candidates(keys, ids, sketches, self.least_cells))
            path = join(self.pairs.directory, f"{self.share}-{partition:05d}.arrow")
            write_arrow(path, pa.table({"a": a, "b": b}))
            done.count(edges=len(a), bytes_written=file_size(path) or 0)
            done.note(partition_keys=len(keys), key_documents=documents)


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
