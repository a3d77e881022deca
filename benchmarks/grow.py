"""Grow a large corpus from a real one, the same bytes every time.

    python -m benchmarks.grow OUTPUT --documents 1000000 [--seed 1] [--planted 0.1] [--base sections.jsonl.xz]

The corpus grows by generations. Generation 0 is the real corpus, unchanged. Every later one is the real corpus in a
letter cipher of its own: letters stand for letters and digits for digits, so the sizes, the word frequencies and the
near-duplicates inside the generation are the real ones, and two generations share no word n-grams, but for a rare one
of numbers alone. Behind it follow planted copies, a stated share of the generation: documents of EARLIER generations
with a few words changed, so that duplicates cross files. The corpus ends at the stated number of documents, wherever in
a generation that is.

Columns: `id`, `url`, `text`; and the truth, `edit_of` (the id a planted copy was made of, null for others) and
`similarity` (the true Jaccard similarity to it, see `benchmarks.plant`).
"""

import argparse
import itertools
import json
import lzma
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.plant import plant_copies
from transforms.batches import strings

BASE = Path(__file__).resolve().parents[2] / "shared" / "data" / "civil" / "sections.jsonl.xz"
PLANTED = 0.1
AIMS = np.array([1.0, 0.95, 0.9, 0.85, 0.8, 0.75, 0.65, 0.5])
"""Similarities that planted copies aim at, equally often."""
LONG_BYTES = 300
"""Copies are made of texts of at least so many bytes: about 50 words, of which one changed leaves 0.8."""
HOSTS = 997
FILE_ROWS = 100_000
FEWEST_FILES = 4

SCHEMA = pa.schema(
    [
        pa.field("id", pa.string(), False),
        pa.field("url", pa.string(), False),
        pa.field("text", pa.large_string(), False),
        pa.field("edit_of", pa.string()),
        pa.field("similarity", pa.float64()),
    ]
)


class Corpus(NamedTuple):
    """A corpus in memory: text i is `data[offsets[i]:offsets[i + 1]]`."""

    ids: pa.Array
    data: npt.NDArray[np.uint8]
    offsets: npt.NDArray[np.int64]


def read_base(path: Path) -> Corpus:
    """Read JSON Lines with `id` and `text`, plain or `.xz`. Raises OSError, or ValueError naming what is missing."""
    with (lzma.open if path.suffix == ".xz" else open)(path, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    if not rows or not all(isinstance(row, dict) and {"id", "text"} <= row.keys() for row in rows):
        raise ValueError(f"{path} must hold a JSON object with `id` and `text` on each line, and at least one.")
    text = strings(pa.array([row["text"] for row in rows], pa.large_string()))
    if not (np.diff(text.offsets) >= LONG_BYTES).any():
        raise ValueError(f"{path} has no text of {LONG_BYTES} bytes or more, of which copies could be planted.")
    return Corpus(pa.array([row["id"] for row in rows], pa.string()), text.data, text.offsets)


def cipher(seed: int, generation: int) -> npt.NDArray[np.uint8]:
    """What each byte becomes in a generation: uint8, shape (256,). In generation 0 all stay as they are."""
    table = np.arange(256, dtype=np.uint8)
    if generation:
        random = np.random.default_rng([seed, generation])
        letters = random.permutation(26).astype(np.uint8)
        table[0x41:0x5B], table[0x61:0x7B] = 0x41 + letters, 0x61 + letters
        table[0x30:0x3A] = 0x30 + random.permutation(10)
    return table


def generations(base: Corpus, seed: int, planted: float = PLANTED) -> Iterator[pa.Table]:
    """Tables of `SCHEMA` without end: generation 0, then generation 1, its planted copies, generation 2, and so on."""
    copies = round(len(base.ids) * planted / (1 - planted))
    ciphers = cipher(seed, 0)[None]
    for generation in itertools.count():
        text = ciphers[generation][base.data]
        yield _table(_ids(base.ids, generation), text, base.offsets, pa.nulls(len(base.ids)), pa.nulls(len(base.ids)))
        if generation and copies:
            yield _planted(base, ciphers[:generation], copies, np.random.default_rng([seed, generation, 1]))
        ciphers = np.vstack([ciphers, cipher(seed, generation + 1)])


def grow(base: Corpus, directory: Path, documents: int, seed: int, planted: float = PLANTED) -> int:
    """Write a corpus of that many documents to Parquet files, zstd; return the bytes of its text.

    The files hold equally many rows, at most 100,000. Memory holds one generation. The directory shows when all is
    written; it must not exist. Raises FileExistsError.
    """
    if directory.exists():
        raise FileExistsError(f"{directory} is there already; remove it, or name another one.")
    unfinished = directory.with_name(f"{directory.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    files = max(FEWEST_FILES, -(-documents // FILE_ROWS))
    tables = generations(base, seed, planted)
    left, text_bytes = next(tables), 0
    for number in range(files):
        rows = documents * (number + 1) // files - documents * number // files
        with pq.ParquetWriter(unfinished / f"crawl-{number:05d}.parquet", SCHEMA, compression="zstd") as out:
            while rows:
                left = left if len(left) else next(tables)
                taken = left[:rows]
                out.write_table(taken)
                text_bytes += strings_bytes(taken["text"])
                left, rows = left[len(taken) :], rows - len(taken)
    unfinished.rename(directory)
    return text_bytes


def strings_bytes(column: pa.ChunkedArray) -> int:
    """Bytes of all texts of a column."""
    return sum(int(offsets[-1] - offsets[0]) for _, offsets in map(strings, column.chunks))


def _ids(ids: pa.Array, generation: int) -> pa.Array:
    return pa.compute.binary_join_element_wise(_prefixes(generation + 1)[-1], ids, "")


def _prefixes(count: int) -> pa.Array:
    """What generations put before the ids of the real corpus; generation 0 nothing."""
    return pa.array(["", *(f"g{generation:04d}/" for generation in range(1, count))], pa.string())


def _planted(base: Corpus, earlier: npt.NDArray[np.uint8], copies: int, random: np.random.Generator) -> pa.Table:
    """Copies of documents of the `earlier` generations, whose ciphers are uint8 of shape (generations, 256)."""
    rows = random.choice(np.flatnonzero(np.diff(base.offsets) >= LONG_BYTES), copies)
    sources = random.integers(0, len(earlier), copies)
    aims = random.choice(AIMS, copies)
    offsets = np.concatenate([[0], np.cumsum(np.diff(base.offsets)[rows])])
    text = np.empty(offsets[-1], np.uint8)
    turns = random.integers(1, 26, copies)
    found = plant_copies(base.data, base.offsets, rows, earlier[sources], aims, random.random(copies), turns, text)
    names = pa.array([f"g{len(earlier):04d}/planted-{number:05d}" for number in range(copies)], pa.string())
    edit_of = pa.compute.binary_join_element_wise(_prefixes(len(earlier)).take(sources), base.ids.take(rows), "")
    return _table(names, text, offsets, edit_of, pa.array(found))


def _table(
    ids: pa.Array, text: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int64], edit_of: pa.Array, similarity: pa.Array
) -> pa.Table:
    hosts = pa.array([f"https://host{number}.example/" for number in range(HOSTS)])
    urls = pa.compute.binary_join_element_wise(hosts.take(pa.array(np.arange(len(ids)) % HOSTS)), ids, "")
    buffers = [None, pa.py_buffer(np.ascontiguousarray(offsets)), pa.py_buffer(text)]
    texts = pa.Array.from_buffers(pa.large_string(), len(ids), buffers)
    return pa.table([ids, urls, texts, edit_of.cast(pa.string()), similarity.cast(pa.float64())], schema=SCHEMA)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path)
    parser.add_argument("--documents", type=int, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--planted", type=float, default=PLANTED)
    parser.add_argument("--base", type=Path, default=BASE)
    given = parser.parse_args()
    if given.documents < 1 or given.seed < 0 or not 0 <= given.planted < 1:
        parser.error("--documents is at least 1, --seed at least 0, --planted at least 0 and below 1.")
    started = time.perf_counter()
    try:
        text_bytes = grow(read_base(given.base), given.output, given.documents, given.seed, given.planted)
    except (OSError, ValueError) as error:
        sys.exit(str(error))
    seconds = time.perf_counter() - started
    print(f"{given.documents:,} documents, {text_bytes / 1e6:,.0f} MB of text in {seconds:.1f} s: {given.output}")


if __name__ == "__main__":
    main()
