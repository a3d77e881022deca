"""A corpus to measure with: made-up English-like text with planted duplicates, the same bytes every time."""

import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

VOCABULARY = 60_000
ZIPF = 1.05
MEDIAN_WORDS = 480
NEAR_SHARE, EXACT_SHARE = 0.15, 0.05
EDITS = 0.03
"""Share of the words of a planted near-duplicate that are replaced; at word 5-grams that is a Jaccard of about 0.75."""


def build_corpus(directory: Path, documents: int, files: int) -> int:
    """Write `documents` rows (`id`, `url`, `text`) to Parquet files, zstd; returns the bytes of text.

    Of the documents 5 % repeat an earlier one exactly and 15 % nearly. What is there already is kept.
    """
    marker = directory / f"{documents}x{files}.bytes"
    if marker.exists():
        return int(marker.read_text())
    directory.mkdir(parents=True, exist_ok=True)
    for old in directory.iterdir():
        os.remove(old)
    random = np.random.default_rng(1)
    words = _vocabulary(random)
    chance = 1 / np.arange(1, VOCABULARY + 1) ** ZIPF
    total = 0
    pool: list[np.ndarray] = []
    for file, share in enumerate(np.array_split(np.arange(documents), files)):
        texts = []
        for _ in share:
            drawn = _document(random, chance / chance.sum(), pool)
            if len(pool) < 4096:
                pool.append(drawn)
            else:
                pool[int(random.integers(4096))] = drawn
            texts.append(b" ".join(words[drawn].tolist()).decode())
        total += sum(map(len, texts))
        urls = [f"https://host{i % 997}.example/{i % 31}/page-{i}" for i in share]
        table = pa.table({"id": [f"d{i}" for i in share], "url": urls, "text": pa.array(texts, pa.large_string())})
        pq.write_table(table, directory / f"crawl-{file:03d}.parquet", compression="zstd", row_group_size=8192)
    marker.write_text(str(total))
    return total


def _vocabulary(random: np.random.Generator) -> np.ndarray:
    letters = np.frombuffer(b"etaoinshrdlucmfwypvbgkjqxz", np.uint8)
    weights = np.linspace(2, 0.1, len(letters))
    made: set[bytes] = set()
    while len(made) < VOCABULARY:
        size = int(random.integers(2, 11))
        made.add(random.choice(letters, size, p=weights / weights.sum()).tobytes())
    plain = sorted(made)
    ends = random.choice([b"", b"", b"", b"", b"", b"", b",", b".", b".\n"], VOCABULARY)
    shuffled = random.permutation(VOCABULARY)
    return np.array([plain[i] + ends[i] for i in shuffled], object)


def _document(random: np.random.Generator, chance: np.ndarray, pool: list[np.ndarray]) -> np.ndarray:
    kind = random.random()
    if pool and kind < NEAR_SHARE + EXACT_SHARE:
        drawn = pool[int(random.integers(len(pool)))].copy()
        if kind < NEAR_SHARE:
            edited = random.random(len(drawn)) < EDITS
            drawn[edited] = random.integers(0, VOCABULARY, int(edited.sum()))
        return drawn
    size = max(5, int(random.lognormal(np.log(MEDIAN_WORDS), 0.9)))
    return random.choice(VOCABULARY, size, p=chance)
