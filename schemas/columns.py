"""Column names and Arrow schemas of every table, each defined once.

>>> LEDGER.schema().names[:2]
['doc_id', 'record_id']

A table is a list of `Column`s; `docs/columns.md` is generated from it. Names of URL and crawl columns are those of
Common Crawl's columnar index.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pyarrow as pa

from schemas.structs import FINDING, MARK, NOTICE, PAGE_SIGNAL, RESERVATION

TIME: Final = pa.timestamp("us", tz="UTC")
DIGEST: Final = pa.binary(16)
"""128 bits as 16 bytes, big endian, so that hex and bytes sort alike."""


@dataclass(frozen=True)
class Column:
    """One column: its name, Arrow type, whether it may be null, and what it means."""

    name: str
    type: pa.DataType
    meaning: str
    nullable: bool = True

    def field(self) -> pa.Field:
        return pa.field(self.name, self.type, self.nullable)


@dataclass(frozen=True)
class Table:
    """A named list of columns."""

    name: str
    meaning: str
    columns: tuple[Column, ...]

    def schema(self, extra: Sequence[pa.Field] = ()) -> pa.Schema:
        """Arrow schema of the table, followed by the `extra` fields (carried columns, bands)."""
        return pa.schema([*(c.field() for c in self.columns), *extra])


DOC_ID: Final = Column(
    "doc_id",
    pa.string(),
    "32 hex digits: XXH3-128 of crawl name, file, and WARC-Record-ID or position. The same record has the same id in "
    "every build, as long as the file's name under `crawl.root` is the same.",
    nullable=False,
)
RECORD_ID: Final = Column("record_id", pa.string(), "The user's own id (`crawl.columns.id`), or the WARC-Record-ID.")
LINEAGE: Final = (
    Column("url", pa.string(), "The URL as the crawl gives it."),
    Column("url_surtkey", pa.string(), "SURT key, as in Common Crawl's index: `com,example)/path`."),
    Column("url_host_name", pa.string(), "Host in lower case, IDNs in punycode."),
    Column("url_host_registered_domain", pa.string(), "Registered domain by the ICANN part of the Public Suffix List."),
    Column("fetch_time", TIME, "When the page was fetched (WARC-Date)."),
    Column("content_digest", pa.string(), "WARC-Payload-Digest; SHA-1 in base32 without its prefix."),
    Column("warc_filename", pa.string(), "WARC file, relative to `crawl.root`."),
    Column("warc_record_offset", pa.int64(), "Byte offset of the record in the file as stored."),
    Column("warc_record_length", pa.int64(), "Bytes of the record in the file as stored."),
    Column("warc_record_id", pa.string(), "WARC-Record-ID without angle brackets."),
    Column("source_file", pa.string(), "Input file of any format, relative to `crawl.root`.", nullable=False),
    Column(
        "source_position",
        pa.int64(),
        "Where the record begins: byte offset in the file as stored (WARC, WET), byte offset in the unpacked text "
        "(JSONL), row number from 0 (Parquet).",
        nullable=False,
    ),
)
TEXT_FACTS: Final = (
    Column("text_bytes", pa.int64(), "Length of the text in bytes of UTF-8.", nullable=False),
    Column("text_digest", pa.string(), "XXH3-128 of the normalised text, hex; null if it is empty."),
)
RIGHTS: Final = (
    Column(
        "copyright_notices",
        pa.list_(NOTICE),
        "Copyright notices: the statement as it stands, the years it names, its holder (null if it names none), "
        "`source` (`text`, or a place of the page) and its place in the text in bytes.",
        nullable=False,
    ),
    Column(
        "rights_reserved",
        pa.list_(FINDING),
        "Statements that all rights are reserved; `value` is their language (BCP 47).",
        nullable=False,
    ),
    Column("isbns", pa.list_(FINDING), "ISBNs with a right check digit, as 13 digits.", nullable=False),
    Column("issns", pa.list_(FINDING), "ISSNs with a right check digit, as `1234-5679`.", nullable=False),
    Column("dois", pa.list_(FINDING), "DOIs in lower case, without resolver.", nullable=False),
    Column("arxiv_ids", pa.list_(FINDING), "arXiv identifiers, without `arXiv:`.", nullable=False),
    Column(
        "licences",
        pa.list_(FINDING),
        "Licences that are named: SPDX identifiers; of Creative Commons and GNU, without version where none is named.",
        nullable=False,
    ),
    Column(
        "reservations",
        pa.list_(RESERVATION),
        "What HTTP header and HTML say of mining and indexing; null where the input holds neither. `agent` is the "
        "crawler that a directive names; null for all.",
    ),
    Column("page_authors", pa.list_(pa.string()), "Authors that the HTML names as such; null where there is none."),
    Column("page_publishers", pa.list_(pa.string()), "Publishers that the HTML names; null where there is none."),
)
"""Rights signals, measured on every document before anything else is done to it."""
BASIS: Final = (
    Column(
        "rights_basis",
        pa.string(),
        "`licensed`, `open_licence`, `public_domain` or `crawl`, by the sources register; `crawl` if it is silent.",
        nullable=False,
    ),
    Column("rights_reference", pa.string(), "Contract or licence that the register names for the source."),
)
CLUSTER: Final = (
    Column(
        "cluster_id",
        pa.string(),
        "Smallest `doc_id` of the documents that were candidates for each other; null if there was no candidate.",
    ),
    Column("cluster_size", pa.int64(), "Documents in that cluster; 1 if there was no candidate.", nullable=False),
)
DUPLICATE: Final = (
    Column(
        "duplicate_of",
        pa.string(),
        "`doc_id` of the surviving document that this one repeats. Under the survivor policy `none` that one is "
        "dropped too, and names this one or another. A takedown may have taken it out since.",
    ),
    Column("duplicate_build", pa.string(), "The earlier build that holds `duplicate_of`; null for this one."),
    Column("duplicate_kind", pa.string(), "`url`, `exact` or `near`: how it repeats it."),
    Column(
        "similarity",
        pa.float64(),
        "Similarity to `duplicate_of`: 1 for exact; for near the Jaccard similarity of the two sets of shingles, or "
        "its estimate by MinHash where `dedup.near.verify` is `signature` (the mark's `method` says so); null for url.",
    ),
)
TAKEDOWN_ID: Final = Column(
    "takedown_id",
    pa.string(),
    "The takedown by which the document is out, as `takedowns` in the manifest lists it; null for all others.",
)
BUILD_ID: Final = Column(
    "build_id", pa.string(), "16 hex digits: digest of config, input, lists and version.", nullable=False
)
TEXT: Final = Column("text", pa.large_string(), "The text, in UTF-8.")
URL_DIGEST: Final = Column("url_digest", DIGEST, "XXH3-128 of the normalised URL; null if there is none.")
TEXT_DIGEST: Final = Column("text_digest", DIGEST, "XXH3-128 of the normalised text; null if it is empty.")
SHINGLE_COUNT: Final = Column(
    "shingle_count", pa.int32(), "Shingles hashed, repeats included; 0: no near-duplicate check.", nullable=False
)
SKETCH: Final = "sketch"

_IDENTITY: Final = {c.name: c for c in LINEAGE}

RECORDS: Final = Table(
    "records",
    "What a reader yields: one row a document, nothing derived yet.",
    (
        Column(
            "locator",
            pa.string(),
            "What makes the record unique inside its file: WARC-Record-ID (`#2`, `#3` … appended where a file repeats "
            "one), or the position. Hashed into `doc_id`.",
            nullable=False,
        ),
        RECORD_ID,
        *(
            _IDENTITY[name]
            for name in (
                "url",
                "fetch_time",
                "content_digest",
                "warc_filename",
                "warc_record_offset",
                "warc_record_length",
                "warc_record_id",
                "source_file",
                "source_position",
            )
        ),
        Column(
            "page_signals",
            pa.list_(PAGE_SIGNAL),
            "What HTTP header and HTML say of rights, as it stands there; null where the input holds neither.",
        ),
        TEXT,
    ),
)
MEASURED: Final = Table(
    "measured",
    "One row a document: the text and what can be said by looking at it alone. Bands and carried columns follow.",
    (
        Column("doc_id", DIGEST, "As in the ledger, as bytes.", nullable=False),
        RECORD_ID,
        *LINEAGE,
        URL_DIGEST,
        Column("text_bytes", pa.int64(), "Length of the text in bytes of UTF-8.", nullable=False),
        TEXT_DIGEST,
        SHINGLE_COUNT,
        *RIGHTS,
        TEXT,
    ),
)
FINGERPRINTS: Final = Table(
    "fingerprints",
    "What documents are found by, kept or not, row beside row with `ledger`. Bands follow.",
    (
        Column("doc_id", DIGEST, "As in the ledger, as bytes.", nullable=False),
        URL_DIGEST,
        TEXT_DIGEST,
        SHINGLE_COUNT,
    ),
)
LEDGER: Final = Table(
    "ledger",
    "One row for every document that came in, kept or dropped; no text.",
    (
        DOC_ID,
        RECORD_ID,
        *LINEAGE,
        *TEXT_FACTS,
        Column("decision", pa.string(), "`keep`, `quarantine` or `drop`.", nullable=False),
        Column(
            "reason",
            pa.string(),
            "The first rule that drops the row; if none does, the first that quarantines it; null if it is kept.",
        ),
        Column("marks", pa.list_(MARK), "All rules that fired, with their evidence.", nullable=False),
        *DUPLICATE,
        *CLUSTER,
        Column(
            "survivor_policy",
            pa.string(),
            "The survivor rules in their order; `none` if every duplicate is dropped, `flag` if none is.",
            nullable=False,
        ),
        TAKEDOWN_ID,
        *BASIS,
        *RIGHTS,
        BUILD_ID,
    ),
)
DOCUMENTS: Final = Table(
    "documents",
    "The kept documents with their text and lineage. Carried columns follow.",
    (DOC_ID, RECORD_ID, *LINEAGE, *TEXT_FACTS, *CLUSTER, *BASIS, *RIGHTS, BUILD_ID, TEXT),
)
QUARANTINE: Final = Table(
    "quarantine",
    "The quarantined documents with their text, and with all that the ledger says of them. Carried columns follow.",
    (*LEDGER.columns, TEXT),
)
REPLACED: Final = Table(
    "replaced",
    "Documents of earlier stores that documents of this build replace (`dedup.overlap: new_replaces`).",
    (
        Column("build", pa.string(), "The earlier build, or the measured store, that holds the document.", False),
        DOC_ID,
        *DUPLICATE,
        BUILD_ID,
    ),
)
REJECTED: Final = Table(
    "rejected",
    "Records that could not be read: where, why, how many bytes.",
    (
        _IDENTITY["source_file"],
        _IDENTITY["source_position"],
        Column("bytes", pa.int64(), "Bytes that were not read, counted like the position; null if unknown."),
        Column("reason", pa.string(), "Why; see the list of rejections.", nullable=False),
        Column("detail", pa.string(), "The fault in words.", nullable=False),
        RECORD_ID,
        _IDENTITY["url"],
        BUILD_ID,
    ),
)
_PLACE: Final = (
    Column("part", pa.int32(), "Number of the ledger file.", nullable=False),
    Column("row", pa.int32(), "Row in it, from 0.", nullable=False),
)
INDEX_KEYS: Final = Table(
    "index_keys",
    "Which ledger rows have a key: a `doc_id`, an ISBN, a band of a signature and so on. Sorted by all columns, over "
    "all files, so that one key lies in one row group. What is found here is checked against the ledger.",
    (
        Column("key", pa.int64(), "48 bits of a hash of kind and value.", nullable=False),
        *_PLACE,
    ),
)
INDEX_URLS: Final = Table(
    "index_urls",
    "Where the documents of a URL, a host or a domain are. Sorted by all columns, over all files.",
    (
        Column("url_surtkey", pa.string(), "As in the ledger; rows without one are not here.", nullable=False),
        *_PLACE,
    ),
)
TAKEN: Final = Table(
    "takedowns",
    "What was taken out by a request, without its text: what a later crawl finds copies of it by. Bands follow.",
    (
        Column("doc_id", DIGEST, "As in the ledger, as bytes; of a text of the request, its digest.", nullable=False),
        Column("text_bytes", pa.int64(), "Length of the text in bytes of UTF-8.", nullable=False),
        TEXT_DIGEST,
        SHINGLE_COUNT,
        Column(
            "shingles",
            pa.large_list(pa.field("item", pa.uint64(), False)),
            "The distinct hashes of its shingles; null where the text was not at hand.",
        ),
    ),
)
TABLES: Final = (
    DOCUMENTS,
    QUARANTINE,
    LEDGER,
    FINGERPRINTS,
    INDEX_KEYS,
    INDEX_URLS,
    REJECTED,
    REPLACED,
    TAKEN,
    MEASURED,
    RECORDS,
)


def near_fields(bands: int, rows: int, sketch_bytes: int) -> list[pa.Field]:
    """Fields `band_00`, `band_01` …, `rows` MinHash values (uint32, little endian) each, and `sketch`.

    >>> [f.name for f in near_fields(2, 5, 8)], near_fields(2, 5, 8)[0].type
    (['band_00', 'band_01', 'sketch'], FixedSizeBinaryType(fixed_size_binary[20]))

    The bands side by side are the whole signature, as datasketch's `MinHash(scheme="affine32")` holds it. The sketch,
    two bits of each value, is what similarities are estimated from. Without bands there are none of these fields.
    """
    fields = [pa.field(f"band_{band:02d}", pa.binary(4 * rows), False) for band in range(bands)]
    return [*fields, pa.field(SKETCH, pa.binary(sketch_bytes), False)] if bands else []


def is_near_field(name: str) -> bool:
    """Whether a measured column of that name is one of `near_fields`.

    >>> [name for name in ("band_00", "sketch", "band_name", "text") if is_near_field(name)]
    ['band_00', 'sketch']
    """
    return name == SKETCH or re.fullmatch(r"band_\d+", name) is not None
