"""Fingerprint texts: what exact and near duplicates are found by."""

from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa

from schemas.columns import near_fields
from transforms.batches import Strings, digests, strings
from transforms.kernels.minhash import permutations, signatures
from transforms.kernels.sketches import sketch, words
from transforms.kernels.spaces import digest

RULES_VERSION: Final = 3
"""Of the rules by which texts and URLs are normalised, words are found and signatures are drawn: fingerprints of
different versions are not compared."""


@dataclass(frozen=True)
class NearSettings:
    """How signatures are made: of word `ngram`-grams, in `bands` bands of `rows` values each."""

    ngram: int
    bands: int
    rows: int

    def fields(self) -> list[pa.Field]:
        """Fields of the columns that a measured store has for them."""
        return near_fields(self.bands, self.rows, 8 * words(self.bands * self.rows))


def fingerprint_facts(near: NearSettings | None) -> dict[str, Any]:
    """How fingerprints are made; stores and datasets say it of theirs."""
    return {"rules": RULES_VERSION, "near": asdict(near) if near else None}


def fingerprint(text: pa.Array, near: NearSettings | None) -> dict[str, pa.Array]:
    """The columns of `MEASURED` that a text alone decides, by name.

    >>> text = pa.array(["One two\\nthree", " one  two three", ""])
    >>> columns = fingerprint(text, NearSettings(ngram=2, bands=1, rows=4))
    >>> list(columns), columns["shingle_count"].to_pylist()
    (['text_bytes', 'text_digest', 'shingle_count', 'band_00', 'sketch'], [2, 2, 0])
    >>> columns["band_00"][0] == columns["band_00"][1], columns["text_digest"][2].is_valid
    (True, False)

    `text` is a string or large_string array; a null counts as an empty text. Without `near` every `shingle_count` is
    0 and there are no bands and no sketch. A text without shingles has bands of 0xFF bytes.
    """
    view = strings(text)
    words, lengths = digest(*view)
    columns = {
        "text_bytes": pa.array(np.diff(view.offsets)),
        "text_digest": digests(words, lengths == 0),
    }
    if near is None:
        return columns | {"shingle_count": pa.array(np.zeros(len(text), np.int32))}
    return columns | _sign(view, near)


def _sign(texts: Strings, near: NearSettings) -> dict[str, pa.Array]:
    rows = texts.offsets.size - 1
    values = np.empty((near.bands, rows, near.rows), "<u4")
    counts = np.empty(rows, np.int32)
    signatures(*texts, *permutations(near.bands * near.rows), near.ngram, values, counts)
    columns = [*values, sketch(values).astype("<u8", copy=False)]
    return {"shingle_count": pa.array(counts)} | {
        field.name: pa.Array.from_buffers(field.type, rows, [None, pa.py_buffer(column)])
        for field, column in zip(near.fields(), columns, strict=True)
    }
