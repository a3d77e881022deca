"""Remap the rows of a dataset to those of a later generation: other works on other sites, alike among themselves.

Texts are put in a letter cipher (`benchmarks.grow`) and fingerprinted anew. Of documents whose text the dataset does
not hold, digest and MinHash values follow those of the held texts that have the same, value by value, so that what was
similar stays similar; all others are mixed with a number of the generation. Ids, URLs and file names are remapped one
to one, and whoever names a document (witness, cluster, evidence) names it by its new id. The rest stays as it was.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.grow import cipher
from lineage.catalog import Dataset
from schemas.columns import DOCUMENTS, LEDGER
from schemas.reasons import KEEP, QUARANTINED
from transforms.batches import Strings, digest_words, digests, fixed_bytes, hex_digests, strings
from transforms.decide.marks import FLAT, list_marks
from transforms.kernels.sketches import sketch
from transforms.measure.fingerprint import NearSettings, fingerprint
from transforms.publish.part_files import TEXTS
from transforms.urls import url_columns

I64 = npt.NDArray[np.int64]
U32 = npt.NDArray[np.uint32]

NO_SHINGLES: Final = 0xFFFFFFFF
"""The MinHash values of a text without shingles."""
_NAMED: Final = ("record_id", "warc_record_id", "source_file", "warc_filename")
_SITE: Final = r"^(?P<site>[^/?#]*//[^/?#]*)(?P<page>(?s:.*))$"
_ISBN_STEP: Final = 1_000_003


@dataclass(frozen=True)
class Rows:
    """Rows of a dataset, side by side."""

    ledger: pa.Table
    marks: pa.Table
    """those of the ledger, in the schema `FLAT`"""
    prints: pa.Table
    texts: pa.Table
    """`doc_id` as bytes, `text` and what the crawl carries along; null where the dataset does not hold the text"""

    def slice(self, start: int, rows: int) -> "Rows":
        """Some of the rows, without marks: what is written of a part."""
        cut = (table.slice(start, rows) for table in (self.ledger, self.prints, self.texts))
        ledger, prints, texts = cut
        return Rows(ledger, FLAT.empty_table(), prints, texts)


@dataclass(frozen=True)
class _Sites:
    """URLs as number of the site and the page on it; the mark of a generation goes between the halves of a site."""

    number: pa.Array
    page: pa.Array
    halves: list[tuple[str, str | None]]


class Base:
    """All rows of a dataset, and what in them refers to what. Memory holds them all, with their texts."""

    def __init__(self, dataset: Dataset):
        self.near = dataset.near
        ledger = _read(dataset, "ledger").select(LEDGER.schema().names)
        flat = ledger["marks"].combine_chunks()
        parents = pc.list_parent_indices(flat).cast(pa.int64())
        marks = pa.table([parents, *flat.flatten().flatten()], schema=FLAT)
        prints = _read(dataset, "fingerprints")
        self.rows = Rows(ledger, marks, prints, _texts(dataset, ledger, prints["doc_id"].combine_chunks()))
        here = pc.is_null(ledger["duplicate_build"]), pc.is_null(marks["evidence_build"])
        self.named = {
            "duplicate_of": self._rows_of(pc.if_else(here[0], ledger["duplicate_of"], None)),
            "cluster_id": self._rows_of(ledger["cluster_id"]),
            "evidence": self._rows_of(pc.if_else(here[1], marks["evidence"], None)),
        }
        self.sites = _sites(ledger["url"].combine_chunks())
        self.held = np.flatnonzero(np.asarray(self.rows.texts["text"].combine_chunks().is_valid()))
        self.lost = np.setdiff1d(np.arange(len(ledger)), self.held)
        self.values = _values(prints, self.near)
        digest = prints["text_digest"].combine_chunks()
        self.equal = _twins(pc.index_in(digest.take(pa.array(self.lost)), digest.take(pa.array(self.held))), self.held)
        self.twins = [[_matches(column, self.held, self.lost) for column in band.T] for band in self.values]

    def _rows_of(self, doc_ids: pa.ChunkedArray) -> pa.Array:
        """Rows of the documents that are named; null for one that is not here."""
        return pc.index_in(doc_ids, value_set=self.rows.ledger["doc_id"].combine_chunks()).combine_chunks()


def remap(base: Base, generation: int, seed: int) -> Rows:
    """The rows of a generation; of generation 0 those of the dataset, as they are."""
    if generation == 0:
        return base.rows
    rows, mark = base.rows, f"g{generation:04d}"
    salt = np.random.default_rng([seed, generation]).integers(0, 1 << 64, dtype=np.uint64)
    words = digest_words(rows.prints["doc_id"].combine_chunks())
    words[:, 1] ^= salt  # ids sort by their upper half, so that the smallest of a cluster stays the smallest
    ids = digests(words)
    names = hex_digests(ids)
    renamed = {
        column: pc.coalesce(names.take(of), (rows.marks if column == "evidence" else rows.ledger)[column])
        for column, of in base.named.items()
    }
    urls = _urls(base.sites, rows.ledger["url"].combine_chunks(), mark)
    text = _cipher(rows.texts["text"].combine_chunks(), cipher(seed, generation))
    prints = {"doc_id": ids, **url_columns(urls), **_fingerprints(base, text, salt)}
    marks = _replace(rows.marks, {"evidence": renamed.pop("evidence")})
    said = {
        **{name: pc.binary_join_element_wise(mark, rows.ledger[name], "/") for name in _NAMED},
        **{name: column for name, column in prints.items() if name.startswith("url_")},
        **renamed,
        "doc_id": names,
        "url": urls,
        "text_digest": hex_digests(prints["text_digest"]),
        "marks": list_marks(marks, len(names)),
        "isbns": _isbns(rows.ledger["isbns"].combine_chunks(), generation),
    }
    texts = _replace(rows.texts, {"doc_id": ids, "text": text})
    return Rows(_replace(rows.ledger, said), marks, _replace(rows.prints, prints), texts)


def _replace(table: pa.Table, columns: dict[str, Any]) -> pa.Table:
    """The table with other values in some of its columns; what is no column of it is left out."""
    return pa.table([columns.get(name, table[name]) for name in table.column_names], schema=table.schema)


def _read(dataset: Dataset, folder: str) -> pa.Table:
    return pa.concat_tables(dataset.read(folder, part) for part in dataset.parts(folder)).combine_chunks()


def _texts(dataset: Dataset, ledger: pa.Table, doc_ids: pa.Array) -> pa.Table:
    """The texts that the dataset holds, each at its ledger row, and the carried columns."""
    held = {decision: table.name for decision, table in TEXTS.items() if dataset.parts(table.name)}
    own = {column.name for table in (DOCUMENTS, LEDGER) for column in table.columns} - {"text"}
    tables = {decision: _read(dataset, folder) for decision, folder in held.items()}
    tables = {
        decision: table.select([n for n in table.column_names if n not in own]) for decision, table in tables.items()
    }
    order, done = np.full(len(ledger), -1, np.int64), 0
    for decision in (KEEP, QUARANTINED):
        at = np.flatnonzero(np.asarray(pc.equal(ledger["decision"], decision)))
        order[at] = np.arange(done, done + len(at))
        done += len(at)
    texts = pa.concat_tables(tables.values()).take(pa.array(order, mask=order < 0)).combine_chunks()
    return texts.add_column(0, "doc_id", doc_ids)


def _sites(urls: pa.Array) -> _Sites:
    found = pc.extract_regex(urls, _SITE)
    sites = pc.struct_field(found, "site").dictionary_encode()
    domains = url_columns(sites.dictionary)["url_host_registered_domain"].to_pylist()
    halves = [_halves(*pair) for pair in zip(sites.dictionary.to_pylist(), domains, strict=True)]
    return _Sites(sites.indices, pc.struct_field(found, "page"), halves)


def _halves(site: str, domain: str | None) -> tuple[str, str | None]:
    """A site up to the end of the first label of its registered domain, and what follows; whole where it has none.

    >>> _halves("https://www.a.co.uk:80", "a.co.uk"), _halves("http://127.0.0.1", None)
    (('https://www.a', '.co.uk:80'), ('http://127.0.0.1', None))
    """
    start = site.lower().rfind(domain) if domain else -1
    end = start + len((domain or "").partition(".")[0])
    return (site[:end], site[end:]) if start >= 0 else (site, None)


def _urls(sites: _Sites, old: pa.Array, mark: str) -> pa.Array:
    """The URLs on sites of the generation; those without a registered domain as they were."""
    marked = pa.array([site if rest is None else f"{site}-{mark}{rest}" for site, rest in sites.halves], pa.string())
    return pc.coalesce(pc.binary_join_element_wise(marked.take(sites.number), sites.page, ""), old)


def _cipher(text: pa.Array, table: npt.NDArray[np.uint8]) -> pa.Array:
    """Texts (large_string) with each byte put through a table, uint8 of shape (256,); null stays null."""
    view: Strings = strings(text)
    first, last = view.offsets[0], view.offsets[-1]
    data = pa.py_buffer(table[view.data[first:last]])
    valid = pa.array(np.asarray(text.is_valid())).buffers()[1]
    return pa.Array.from_buffers(pa.large_string(), len(text), [valid, pa.py_buffer(view.offsets - first), data])


def _isbns(findings: pa.ListArray, generation: int) -> pa.Array:
    """Each ISBN becomes another one, of the same prefix and with a right check digit."""
    found = findings.flatten()
    digits = strings(pc.struct_field(found, "value")).data[: 13 * len(found)].reshape(-1, 13).astype(np.int64) - 48
    powers = 10 ** np.arange(8, -1, -1)
    number = (digits[:, 3:12] @ powers + generation * _ISBN_STEP) % 10**9
    digits[:, 3:12] = number[:, None] // powers % 10
    digits[:, 12] = -(digits[:, :12] @ np.tile([1, 3], 6)) % 10
    text = pa.py_buffer((digits + 48).astype(np.uint8))
    offsets = pa.py_buffer(np.arange(0, 13 * len(found) + 1, 13, dtype=np.int32))
    values = pa.Array.from_buffers(pa.string(), len(found), [None, offsets, text])
    others = [found.field(n) for n in range(1, found.type.num_fields)]
    return pa.ListArray.from_arrays(
        findings.offsets, pa.StructArray.from_arrays([values, *others], fields=list(found.type))
    )


def _values(prints: pa.Table, near: NearSettings | None) -> U32:
    """MinHash values, uint32 of shape (bands, rows, r)."""
    bands = near.bands if near else 0
    columns = [fixed_bytes(prints[f"band_{band:02d}"].combine_chunks()).view("<u4") for band in range(bands)]
    return np.stack(columns) if columns else np.empty((0, len(prints), 0), np.uint32)


def _twins(found: pa.Array, held: I64) -> I64:
    """Rows of the texts that were found among the held ones; -1 for none."""
    number = pc.fill_null(found, -1).to_numpy().astype(np.int64)
    return np.where(number < 0, -1, held[number]) if len(held) else number


def _matches(values: U32, held: I64, lost: I64) -> I64:
    """For each lost row a held row with its value, of values of shape (rows,); -1 for none."""
    order = held[np.argsort(values[held], kind="stable")]
    at = np.searchsorted(values[order], values[lost])
    found = order[np.minimum(at, len(order) - 1)] if len(order) else np.full(len(lost), -1)
    return np.where((at < len(order)) & (values[found] == values[lost]), found, -1)


def _fingerprints(base: Base, text: pa.Array, salt: np.uint64) -> dict[str, pa.Array]:
    """Fingerprints of all rows: of the texts where they are held, else as the values that they share say."""
    fresh = fingerprint(text.take(pa.array(base.held)), base.near)
    digest = base.rows.prints["text_digest"].combine_chunks()
    words = digest_words(digest)
    words[base.held] = digest_words(fresh["text_digest"])
    alike = base.equal >= 0
    words[base.lost[alike]] = words[base.equal[alike]]
    words[base.lost[~alike]] ^= salt
    columns = {"text_digest": digests(words, np.asarray(digest.is_null()))}
    if base.near is None:
        return columns
    values = base.values.copy()
    values[:, base.held] = _values(pa.table(fresh), base.near)
    mixed = base.values[:, base.lost] ^ np.uint32(salt >> np.uint64(32))
    mixed[base.values[:, base.lost] == NO_SHINGLES] = NO_SHINGLES
    for band, columns_of in enumerate(base.twins):
        for at, twin in enumerate(columns_of):
            values[band, base.lost, at] = np.where(twin >= 0, values[band, twin, at], mixed[band, :, at])
    arrays = [*values, sketch(values).astype("<u8", copy=False)]
    return columns | {
        field.name: pa.Array.from_buffers(field.type, len(text), [None, pa.py_buffer(array)])
        for field, array in zip(base.near.fields(), arrays, strict=True)
    }
