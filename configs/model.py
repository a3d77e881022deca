"""The configuration as classes; every key, its default, its limits and its meaning stand here and nowhere else.

>>> config = Config(crawl=Crawl(name="demo", files=("/data/crawl/*.warc.gz",)))
>>> config.dedup.near
Near(threshold=0.7, ngram=5, bands=25, rows=5)

`configs.load` reads a file into these classes and words the mistakes; `docs/config.md` is generated from them.
"""

import glob
import hashlib
import json
import os
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    Strict,
    ValidationInfo,
    field_validator,
)

from schemas.columns import DOCUMENTS, MEASURED, RECORDS

T = TypeVar("T")

BASE: Final = "base"
"""Validation context: the directory that relative paths start from; without it, the working directory."""

_OWN_COLUMNS: Final = {column.name for table in (DOCUMENTS, MEASURED, RECORDS) for column in table.columns}


@dataclass(frozen=True)
class Words:
    """Says in an annotation what is expected, in plain words, for the reference and for error messages."""

    words: str


def _absolute(path: str, info: ValidationInfo) -> str:
    return _join((info.context or {}).get(BASE, ""), path)


def _absolute_glob(pattern: str, info: ValidationInfo) -> str:
    return _join(glob.escape(os.path.abspath((info.context or {}).get(BASE, ""))), pattern)


def _join(base: str, path: str) -> str:
    return path if re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", path) else os.path.abspath(os.path.join(base, path))


def _distinct(values: tuple[T, ...]) -> tuple[T, ...]:
    counts = Counter(getattr(value, "name", value) for value in values)
    repeated = ", ".join(f"`{name}`" for name, count in counts.items() if count > 1)
    if repeated:
        raise ValueError(f"{repeated} stands here more than once; each may stand once")
    return values


def _bytes(value: object) -> object:
    match = isinstance(value, str) and re.fullmatch(r"(\d+)\s*(?:([KMGT])(I?))?B", value.upper(), re.ASCII)
    if not match:
        return value
    number, prefix, binary = match.groups()
    return int(number) * (1024 if binary else 1000) ** (" KMGT".index(prefix) if prefix else 0)


Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+$"), Words("text of letters, digits, `.`, `_` and `-`")]
Text = Annotated[str, Field(min_length=1), Words("non-empty text")]
Location = Annotated[str, Field(min_length=1), AfterValidator(_absolute), Words("a path")]
Glob = Annotated[str, Field(min_length=1), AfterValidator(_absolute_glob), Words("a path or glob")]
Domain = Annotated[
    str,
    Field(pattern=r"^[^\s/:@*?.]+(\.[^\s/:@*?.]+)*$"),
    Words("a domain such as `example.org`, without scheme, wildcard or path"),
]
Size = Annotated[int, BeforeValidator(_bytes), Words("a size in bytes, such as 33554432 or `32 MiB` or `64MB`")]
Many = Annotated[tuple[T, ...], Strict(False), AfterValidator(_distinct)]
"""A YAML list, each entry once."""

Format = Literal["auto", "warc", "wet", "jsonl", "parquet"]
SurvivorRule = Literal["source_priority", "longest", "shortest", "earliest", "latest", "url_shortest"]
Taint = Literal["drop", "flag", "ignore"]


class Section(BaseModel):
    """A mapping in which an unknown key, or a value of another type, is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True)


class Columns(Section):
    """Which columns of the crawl files hold what. JSONL and Parquet only; WARC and WET files have no columns.

    A column that is named here must exist. Left out, `id`, `text` and `url` are used where such columns exist.
    """

    id: Text | None = "id"
    """The user's own id of a record; it becomes `record_id`."""
    text: Text = "text"
    """The text."""
    url: Text | None = "url"
    """The URL."""
    fetch_time: Text | None = None
    """When the page was fetched."""
    content_digest: Text | None = None
    """Digest of the page as it was fetched."""
    warc_filename: Text | None = None
    """WARC file that the record was taken from."""
    warc_record_offset: Text | None = None
    """Byte offset of the record in that WARC file."""
    warc_record_length: Text | None = None
    """Bytes of the record in that WARC file."""
    warc_record_id: Text | None = None
    """WARC-Record-ID."""


class Crawl(Section):
    """What is read."""

    name: Name
    """Name of the crawl. It is part of every `doc_id`: keep it, and the same record keeps its id."""
    files: Many[Glob] = Field(min_length=1)
    """Crawl files: local, or on any file system that Beam can read."""
    root: Location | None = None
    """Directory that file names in ids and in the lineage are relative to; null: the deepest one common to all
    patterns. Name it where patterns may be added later: one that lies elsewhere moves the default, and with it every
    `doc_id`."""
    format: Format = "auto"
    """Format of the files; `auto` looks at each file."""
    columns: Columns = Columns()
    """Columns of JSONL and Parquet files; without effect on WARC and WET."""
    carry: Many[Text] = ()
    """Columns of JSONL and Parquet files to carry along to `documents/`, under their own names."""
    main_content: bool = True
    """HTML: true takes the main text of a page, false all text that is visible."""

    @field_validator("carry")
    @classmethod
    def _beside_our_own(cls, carry: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        form = info.data.get("format")
        if carry and form in ("warc", "wet"):
            raise ValueError(f"files of format {form} have no columns to carry; leave it out")
        # DuckDB, which reads documents/, takes no notice of case.
        taken = [name for name in carry if name.lower() in _OWN_COLUMNS or re.fullmatch(r"band_\d+", name.lower())]
        if taken:
            names = ", ".join(f"`{name}`" for name in taken)
            raise ValueError(f"{names} would clash with our own column of that name; rename it in the crawl files")
        return carry


class Blocklist(Section):
    """A list of sources to keep out."""

    name: Text
    """Name by which the ledger cites the list; no two lists share one."""
    path: Location
    """The file."""
    format: Literal["domains"] = "domains"
    """How the file is written; `domains`: one domain a line, which stands for its subdomains too."""
    category: Text
    """Why these sources are kept out, such as `piracy`; cited in the ledger."""


class Sources(Section):
    """Which sources are kept out."""

    blocklists: Many[Blocklist] = ()
    """Lists of sources to keep out."""
    allow: Many[Domain] = ()
    """Domains, with their subdomains, that are let in though they stand on a blocklist."""


class SameUrl(Section):
    """Documents with the same normalised URL. It has no keys."""


class Exact(Section):
    """Documents with the same normalised text. It has no keys."""


class Near(Section):
    """Documents that share most of their word n-grams. `bands` x `rows` is the length of the MinHash signature."""

    threshold: float = Field(default=0.7, gt=0, le=1)
    """Jaccard similarity from which two documents are near duplicates."""
    ngram: int = Field(default=5, ge=1, le=64)
    """Words in a shingle."""
    bands: int = Field(default=25, ge=1, le=1000)
    """Bands of the signature; two documents with an equal band are compared. More bands find more."""
    rows: int = Field(default=5, ge=1, le=64)
    """MinHash values in a band. More rows compare fewer."""


class Dedup(Section):
    """Which duplicates are removed, and which document of several stays."""

    url: SameUrl | None = SameUrl()
    """Same URL; null turns it off. It removes documents without comparing their texts."""
    exact: Exact | None = Exact()
    """Same text; null turns it off."""
    near: Near | None = Near()
    """Similar text; null turns it off."""
    survivor: Many[SurvivorRule] = ("source_priority", "longest", "earliest")
    """Which of several duplicates stays: the first by the first rule, ties by the next; `doc_id` always breaks what
    ties are left. `source_priority` has no effect until sources carry priorities."""
    taint: Taint = "flag"
    """What happens to a document whose text is that of a blocked one, exactly or nearly: it is dropped, flagged in the
    ledger, or nothing."""


class Plan(Section):
    """How the input is cut into parts."""

    part_size: Size = Field(default=32 << 20, ge=64 << 10)
    """Target size of a part, as its input is stored. One part is one documents file and one ledger file."""


class Run(Section):
    """How a run spends the machine. Nothing here changes the output, nor its digest."""

    shuffle_memory: Size = Field(default=1 << 30, ge=1)
    """About how much memory one pass of a shuffle may take on a local runner; less memory, more passes."""


class Config(Section):
    """All that a run may be told."""

    crawl: Crawl
    """What is read."""
    sources: Sources = Sources()
    """Which sources are kept out."""
    dedup: Dedup = Dedup()
    """Which duplicates are removed."""
    plan: Plan = Plan()
    """How the input is cut into parts."""
    run: Run = Run()
    """How a run spends the machine."""


def digest(config: Config, list_digests: Mapping[str, str]) -> str:
    """SHA-256, in hex, of everything in the config that can change what the output says.

    `list_digests` gives for each blocklist, by name, the SHA-256 of its file, which stands for its path. The plan of
    the input stands for `crawl.files` and `crawl.root`; `run` changes nothing. KeyError if a blocklist has no digest.
    """
    content = config.model_dump(
        mode="json",
        exclude={"run": True, "crawl": {"files", "root"}, "sources": {"blocklists": {"__all__": {"path"}}}},
    )
    for blocklist in content["sources"]["blocklists"]:
        blocklist["sha256"] = list_digests[blocklist["name"]]
    return _sha256(content)


def measure_digest(config: Config) -> str:
    """SHA-256, in hex, of what measuring depends on: configs that share it can share a measured store."""
    measured: dict[str, Any] = {
        "crawl": {"name", "format", "columns", "carry", "main_content"},
        "dedup": {"near": {"ngram", "bands", "rows"}},
        "plan": True,
    }
    return _sha256(config.model_dump(mode="json", include=measured))


def _sha256(content: object) -> str:
    """Digest of the canonical JSON: keys sorted, no spaces, ASCII only."""
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
