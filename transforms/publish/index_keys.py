"""Index keys: by what the documents of a part can be found, as numbers of 48 bits.

>>> key_of("doc_id", pa.array(["0" * 32])).tolist() == key_of("doc_id", pa.array(["0" * 32])).tolist()
True

A key is a hash of its kind and its value. Two values may share one, so what is found is checked against the ledger.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from schemas.columns import is_near_field
from transforms.batches import fixed_bytes, strings
from transforms.kernels.minhash import band_keys
from transforms.kernels.radix_sort import sort_keys
from transforms.kernels.xxh3 import hash64

I64 = npt.NDArray[np.int64]
I32 = npt.NDArray[np.int32]

KEY_BITS: Final = 48
"""Enough that few of a hundred billion documents are looked at in vain, and few enough that sorted keys pack well."""
_COLUMNS: Final = {
    "doc_id": "doc_id",
    "record_id": "record_id",
    "text": "text_digest",
    "witness": "duplicate_of",
    "cluster": "cluster_id",
}
"""Columns of the ledger by the kind of key that they give."""
_FINDINGS: Final = {"isbn": "isbns", "doi": "dois"}
LEDGER_COLUMNS: Final = (
    *_COLUMNS.values(),
    *_FINDINGS.values(),
    "warc_record_id",
    "source_file",
    "source_position",
    "url_surtkey",
)
"""Columns of the ledger that indexing needs."""


def key_of(kind: str, values: pa.Array) -> I64:
    """Keys, int64 of shape (values,), of strings without null.

    Kinds are `doc_id`, `record_id` (a user's or a WARC-Record-ID), `place` (`place_of`), `isbn` (13 digits), `doi`,
    `text` (the hex digest), `witness` (the `doc_id` that is repeated) and `cluster`.
    """
    whole = pa.large_string()
    named = pc.binary_join_element_wise(pa.scalar(kind, whole), values.cast(whole), pa.scalar("\0", whole))
    return _cut(hash64(*strings(named)))


def place_of(files: pa.Array, positions: pa.Array) -> pa.Array:
    """Where records lie, as one string each: file, a zero byte, and position in decimal."""
    return pc.binary_join_element_wise(files, positions.cast(pa.string()), "\0")


def band_index_keys(fingerprints: pa.Table, bands: int) -> I64:
    """Keys of the bands of some fingerprints, int64 of shape (rows, bands)."""
    columns = (fixed_bytes(fingerprints[f"band_{band:02d}"].combine_chunks()) for band in range(bands))
    keys = [_cut(band_keys(values, band)) for band, values in enumerate(columns)]
    return np.stack(keys, axis=1) if keys else np.empty((len(fingerprints), 0), np.int64)


def part_keys(ledger: pa.Table, fingerprints: pa.Table) -> tuple[I64, I32]:
    """All keys of a part, sorted, and the row that each is a key of: by key, then row, none twice.

    `ledger` has the columns `LEDGER_COLUMNS`, and `fingerprints`, row beside row with it, those of its file.
    """
    found = [*_ledger_keys(ledger), *_band_keys(fingerprints)]
    keys, rows = sort_keys(*(np.concatenate(arrays) for arrays in zip(*found, strict=True)), KEY_BITS)
    if ((keys[1:] == keys[:-1]) & (rows[1:] < rows[:-1])).any():  # values of two kinds share a key by chance
        order = np.lexsort([rows, keys])
        keys, rows = keys[order], rows[order]
    new = np.r_[True, (keys[1:] != keys[:-1]) | (rows[1:] != rows[:-1])][: len(keys)]
    return keys[new], rows[new].astype(np.int32)


def _ledger_keys(ledger: pa.Table) -> Iterator[tuple[I64, I64]]:
    for kind, name in (*_COLUMNS.items(), ("record_id", "warc_record_id")):
        yield _present(kind, ledger[name].combine_chunks())
    yield _present("place", place_of(*(ledger[n].combine_chunks() for n in ("source_file", "source_position"))))
    for kind, name in _FINDINGS.items():
        listed = ledger[name].combine_chunks()
        rows = pc.list_parent_indices(listed).to_numpy().astype(np.int64)
        yield key_of(kind, pc.struct_field(listed.flatten(), "value")), rows


def _present(kind: str, values: pa.Array) -> tuple[I64, I64]:
    rows = np.flatnonzero(np.asarray(values.is_valid()))
    return key_of(kind, values.take(pa.array(rows))), rows


def _band_keys(fingerprints: pa.Table) -> Iterator[tuple[I64, I64]]:
    bands = sum(is_near_field(name) for name in fingerprints.column_names) - 1
    rows = np.flatnonzero(fingerprints["shingle_count"].to_numpy() > 0)
    keys = band_index_keys(fingerprints, max(0, bands))
    for band in range(keys.shape[1]):
        yield keys[rows, band], rows


def _cut(hashes: npt.NDArray[np.uint64]) -> I64:
    return (hashes >> np.uint64(64 - KEY_BITS)).astype(np.int64)
