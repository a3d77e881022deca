"""Write corpora that are hard for near-duplicate removal, the same bytes every time.

    python -m benchmarks.giants KIND N OUTPUT      OUTPUT ends in .jsonl or .parquet

    family    short texts, each a copy of some earlier one with one word changed: one component, joined by its
              links of at least 31/41 = 0.756 alone; at 2,000 pages most pairs have little in common
    near      pages of one template of 300 words with 3 words of their own: every pair at 289/303 = 0.954
    template  pages of one template of 304 words with 56 words of their own: every pair at 240/360 = 0.667
    drift     pages of 300 words, each the one before with 3 words changed: neighbours at 0.954 or a little more, and
              pages 100 or more apart have nothing in common
    same      one page of 300 words, N times
    empty     no text at all, N times

Similarity is the Jaccard similarity of sets of word 5-grams. Every word is seven letters long and stands for a number;
different numbers are different words, so the similarities are exact.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

BATCH_ROWS = 4096
LETTERS = 7
SCATTER = 1_000_000_007
"""Shares no divisor with 26, so it only shuffles the words: neighbouring numbers do not look alike."""
SCHEMA = pa.schema([pa.field("id", pa.string(), False), pa.field("text", pa.string(), False)])

Numbers = npt.NDArray[np.int64]


def template(pages: Numbers, words: int, own: int) -> Numbers:
    """Pages of one template with `own` words of their own in the middle; int64, shape (pages, words).

    >>> template(np.arange(2), words=4, own=2).tolist()
    [[0, 4, 5, 3], [0, 6, 7, 3]]
    """
    numbers = np.tile(np.arange(words), (len(pages), 1))
    first = (words - own) // 2
    numbers[:, first : first + own] = words + pages[:, None] * own + np.arange(own)
    return numbers


def drift(pages: Numbers, words: int, changed: int) -> Numbers:
    """Pages of which each is the one before with the next `changed` words changed; int64, shape (pages, words).

    >>> drift(np.arange(4), words=3, changed=1).tolist()
    [[0, 1, 2], [0, 4, 2], [0, 4, 8], [9, 4, 8]]
    """
    blocks = words // changed
    places = np.arange(words)
    last_change = pages[:, None] - (pages[:, None] - places // changed) % blocks
    return np.maximum(last_change, 0) * words + places


def family(pages: Numbers, words: int) -> Numbers:
    """Pages of which each is some earlier page with one word changed; int64, shape (pages, words).

    Which page and which word is drawn from the page's own number, so any page can be made without the others.
    """
    numbers = np.tile(np.arange(words), (len(pages), 1))
    left, member = np.arange(len(pages)), pages
    while (left := left[member > 0]).size:
        member = member[member > 0]
        drawn = _draw(member)
        place = (drawn % np.uint64(words)).astype(np.int64)
        untouched = numbers[left, place] < words  # a later change of the same word hides this one
        numbers[left[untouched], place[untouched]] = words + member[untouched]
        member = ((drawn >> np.uint64(32)) % member.astype(np.uint64)).astype(np.int64)
    return numbers


KINDS: Final[dict[str, Callable[[Numbers], Numbers]]] = {
    "family": partial(family, words=40),
    "near": partial(template, words=300, own=3),
    "template": partial(template, words=304, own=56),
    "drift": partial(drift, words=300, changed=3),
    "same": partial(template, words=300, own=0),
    "empty": partial(template, words=0, own=0),
}


def batches(kind: str, pages: int) -> Iterator[pa.RecordBatch]:
    """Batches of `SCHEMA`, at most 4,096 rows each; ids are p00000000, p00000001 and so on. KeyError for other kinds.

    >>> [batch] = batches("near", 2)
    >>> [len(text.split()) for text in batch["text"].to_pylist()]
    [300, 300]
    """
    for start in range(0, pages, BATCH_ROWS):
        chosen = np.arange(start, min(start + BATCH_ROWS, pages))
        texts = _texts(KINDS[kind](chosen))
        yield pa.record_batch([pa.array([f"p{page:08d}" for page in chosen.tolist()]), texts], schema=SCHEMA)


def write(kind: str, pages: int, path: Path) -> None:
    """Write a corpus as JSON Lines or, where the name ends in .parquet, as Parquet with zstd. Raises OSError."""
    if path.suffix == ".parquet":
        with pq.ParquetWriter(path, SCHEMA, compression="zstd") as out:
            for batch in batches(kind, pages):
                out.write_batch(batch)
    else:
        with path.open("w", encoding="utf-8", newline="\n") as lines:
            for batch in batches(kind, pages):
                lines.writelines(json.dumps(row) + "\n" for row in batch.to_pylist())


def _draw(numbers: Numbers) -> npt.NDArray[np.uint64]:
    """64 well-mixed bits of each number: the finaliser of SplitMix64."""
    mixed = numbers.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ mixed >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ mixed >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
    return mixed ^ mixed >> np.uint64(31)


def _texts(numbers: Numbers) -> pa.Array:
    """Text of each row of word numbers (below 26 ** 7): words in base 26 with a space between them."""
    rows, words = numbers.shape
    left = numbers * SCATTER % 26**LETTERS
    spelled = np.full((rows, words, LETTERS + 1), ord(" "), np.uint8)
    for place in range(LETTERS):
        left, digit = np.divmod(left, 26)
        spelled[:, :, place] = ord("a") + digit
    text = np.ascontiguousarray(spelled.reshape(rows, -1)[:, : max(words * (LETTERS + 1) - 1, 0)])
    offsets = np.arange(rows + 1, dtype=np.int32) * np.int32(text.shape[1])
    return pa.Array.from_buffers(pa.string(), rows, [None, pa.py_buffer(offsets), pa.py_buffer(text)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("pages", type=int, metavar="N")
    parser.add_argument("output", type=Path)
    given = parser.parse_args()
    if given.pages < 0 or given.output.suffix not in (".jsonl", ".parquet"):
        parser.error("N is at least 0, and OUTPUT ends in .jsonl or .parquet.")
    try:
        write(given.kind, given.pages, given.output)
    except OSError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
