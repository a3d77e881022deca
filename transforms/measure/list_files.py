"""List the crawl: globs to files, each with its name, size, digest, format and the places where it may be cut."""

import glob
import itertools
import os
import re
import zlib
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import BinaryIO

import pyarrow as pa
import xxhash

from schemas.errors import InputError
from transforms.measure.readers.parquet import row_group_bytes
from transforms.part_store import is_local, open_input
from transforms.remote_files import match_remote, remote_checksum

HEAD_BYTES = 64 << 10
HASHED_BYTES = 1 << 20
# zstd: a frame, or a frame to be skipped, with which some writers begin.
MAGIC = {
    "gzip": re.compile(rb"\x1f\x8b"),
    "zstd": re.compile(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18"),
    "lz4": re.compile(rb"\x04\x22\x4d\x18"),
}
_SUFFIX = re.compile(r"\.(warc|wet|wat|jsonl|ndjson|parquet)(\.gz|\.zst|\.lz4)?$", re.IGNORECASE)
_WILDCARD = re.compile(r"[*?\[]")
_ESCAPED = re.compile(r"\[([*?\[])\]")
_MASK = 0xF0000
_FORMATS = {"warc": "warc", "wet": "warc", "wat": "warc", "jsonl": "jsonl", "ndjson": "jsonl", "parquet": "parquet"}


@dataclass(frozen=True)
class CrawlFile:
    """One input file. `format` is warc, jsonl, parquet, or unknown; `groups` are bytes of Parquet row groups."""

    path: str
    name: str
    bytes: int
    digest: str
    format: str
    compression: str
    groups: tuple[int, ...] = ()


def list_files(patterns: Sequence[str], root: str | None, format_: str) -> list[CrawlFile]:
    """Files that the patterns match, sorted by name.

    `root` is the directory that names are relative to, None: `common_root`. `format_` is `crawl.format`: auto, warc,
    wet, jsonl or parquet. Raises InputError if a pattern matches nothing or a file cannot be opened, naming all such.
    """
    root = common_root(patterns) if root is None else root.rstrip("/")
    matches = {pattern: expand(pattern) for pattern in patterns}
    if empty := [pattern for pattern, found in matches.items() if not found]:
        raise InputError(
            "No file matches\n"
            + "".join(f"  {pattern}\n" for pattern in empty)
            + "Correct crawl.files; relative patterns are relative to the config file."
        )
    paths = _distinct(path for found in matches.values() for path in found)
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda path: _inspect(path, root, format_), paths))
    if faults := [fault for fault in found if isinstance(fault, str)]:
        shown = "".join(f"  {fault}\n" for fault in faults[:10])
        more = f"  … and {len(faults) - 10} more\n" if len(faults) > 10 else ""
        raise InputError(
            f"{len(faults)} of {len(paths)} input files cannot be opened:\n{shown}{more}Nothing was begun."
        )
    return sorted((f for f in found if isinstance(f, CrawlFile)), key=lambda f: f.name)


def expand(pattern: str) -> list[str]:
    """Files that a glob matches; `**` stands for any number of directories."""
    if not is_local(pattern):
        return match_remote(pattern)
    if os.path.isfile(pattern):
        return [pattern]
    return [path for path in glob.glob(pattern, recursive=True) if not os.path.isdir(path)]


def _distinct(paths: Iterable[str]) -> list[str]:
    """Each file once, by its shortest name: links, and loops of them, give a file many."""
    names: dict[str, str] = {}
    for path in sorted(set(paths), key=lambda path: (len(path), path)):
        names.setdefault(os.path.realpath(path) if is_local(path) else path, path)
    return sorted(names.values())


def common_root(patterns: Sequence[str]) -> str:
    """Deepest directory common to all patterns, without a slash at its end.

    >>> common_root(["/data/a/*.warc.gz", "/data/b/x.warc"])
    '/data'
    """
    levels = zip(*(_literal(pattern).split("/")[:-1] for pattern in patterns), strict=False)
    return "/".join(names[0] for names in itertools.takewhile(lambda names: len(set(names)) == 1, levels))


def _literal(pattern: str) -> str:
    """The pattern up to its first wildcard; `[[]`, `[*]` and `[?]` stand for the characters themselves."""
    plain = _ESCAPED.sub(lambda found: chr(ord(found[1]) + _MASK), pattern)
    return "".join(chr(ord(c) - _MASK) if ord(c) >= _MASK else c for c in _WILDCARD.split(plain)[0])


def relative_name(path: str, root: str) -> str:
    """Name of a file in ids and lineage: relative to the root, or the whole path if it is not under it."""
    return path.removeprefix(f"{root}/")


def _inspect(path: str, root: str, format_: str) -> CrawlFile | str:
    """The file with its facts, or why it cannot be opened."""
    if any("\ud800" <= character <= "\udfff" for character in path):
        return f"{path!a}: its name is not text in UTF-8; rename it"
    try:
        with open_input(path) as stream:
            head = stream.read(HEAD_BYTES)
            size = stream.seek(0, os.SEEK_END)
            digest = _digest(path, stream)
            kind = detect_format(path, head) if format_ == "auto" else {"wet": "warc"}.get(format_, format_)
            compression = next((name for name, magic in MAGIC.items() if magic.match(head)), "none")
            groups = row_group_bytes(stream, size) if kind == "parquet" else ()
    except OSError as error:
        return f"{path}: {error.strerror or error}"
    return CrawlFile(path, relative_name(path, root), size, digest, kind, compression, groups)


def _digest(path: str, stream: BinaryIO) -> str:
    """XXH3-128 of the whole file; on an object store what that says of it (an etag or checksum) is enough."""
    if not is_local(path):
        return remote_checksum(path)
    stream.seek(0)
    digest = xxhash.xxh3_128()
    while block := stream.read(HASHED_BYTES):
        digest.update(block)
    return digest.hexdigest()


def detect_format(path: str, head: bytes) -> str:
    """Format by name where it is known, else by the first bytes: warc, jsonl, parquet or unknown."""
    if known := _SUFFIX.search(path):
        return _FORMATS[known[1].lower()]
    if head.startswith(b"PAR1"):
        return "parquet"
    start = _unpacked(head).lstrip(b"\xef\xbb\xbf\r\n\t ")
    if start.startswith(b"WARC/"):
        return "warc"
    return "jsonl" if start.startswith(b"{") else "unknown"


def _unpacked(head: bytes) -> bytes:
    """First bytes of the content under a compression."""
    try:
        if MAGIC["gzip"].match(head):
            return zlib.decompressobj(31).decompress(head, 256)
        for kind in ("zstd", "lz4"):
            if MAGIC[kind].match(head):
                return bytes(pa.CompressedInputStream(pa.BufferReader(head), kind).read(256))
    except (zlib.error, OSError):
        return b""  # damaged from the first byte: of no format that is known
    return head
