"""Read lists of domains and compile them for matching.

>>> shadow = read_list(b"# mirrors\\n*.Example.org\\nb\\xc3\\xbccher.example\\n0.0.0.0 a.com\\n", "shadow", "piracy")
>>> sorted(zip(shadow.lines.tolist(), shadow.entries.to_pylist()))
[(2, 'example.org'), (3, 'xn--bcher-kva.example')]
>>> shadow.ignored
((4, '0.0.0.0 a.com'),)
"""

import codecs
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from ada_url import URL, HostType

from schemas.errors import ConfigError
from transforms.batches import strings
from transforms.kernels.domains import bucket_starts, hash_domains

I64 = npt.NDArray[np.int64]

IGNORED_SHOWN: Final = 20
_IGNORED_CHARACTERS: Final = 100

_BLANK: Final = r"^\s*(?:#|$)"
_PLAIN: Final = r"^[ \t]*(?:\*?\.)?(?:[A-Za-z0-9_-]+\.)+[A-Za-z]{2,}\.?[ \t\r\n]*$"
_DOMAIN: Final = re.compile(r"(?:[a-z0-9_-]+\.)+[a-z0-9_-]+")
_IPV6: Final = re.compile(r"\[?[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*\]?")
_NEVER: Final = re.compile(r"[\s/\\?@:%]")
"""What a URL parser would read as something else than a host, or skip."""


@dataclass(frozen=True, eq=False)
class DomainList:
    """A compiled list; entry i is `entries[i]`, from line `lines[i]`. Entries are in the order of their hashes."""

    name: str
    category: str
    sha256: str
    """SHA-256 of the bytes that were read, hex."""
    entries: pa.Array
    """large_string: domains as `url_host_name` writes them, repeats left out"""
    lines: I64
    """int64, shape (entries,): the first line with that entry, from 1"""
    hashes: npt.NDArray[np.uint64]
    """uint64, shape (entries,), ascending: `hash_domains` of the entries"""
    starts: npt.NDArray[np.int32]
    """`bucket_starts` of the hashes"""
    ignored: tuple[tuple[int, str], ...]
    """The first 20 lines that are no domain: number and text, cut at 100 characters"""
    ignored_count: int


def read_list(text: bytes, name: str, category: str) -> DomainList:
    """Compile a file of format `domains`: one domain a line, which stands for itself and its subdomains.

    `*.` or `.` in front and a dot at the end mean nothing; case means nothing; IDNs may be written in either form. An
    IP address (IPv4 as four decimal numbers, IPv6 with or without brackets) stands for itself alone. `#` and what
    follows it is a comment. Blanks at both ends, empty lines, CRLF and a UTF-8 byte order mark are allowed. Where an
    entry repeats, its first line counts. Any other line is ignored and counted: a name without a dot, a line of a
    hosts file, a URL, a rule of another format (`!` begins no comment here), bytes that are no UTF-8.

    Raises ConfigError if no line holds a domain.
    """
    lines = _split_lines(text.removeprefix(codecs.BOM_UTF8))
    plain = np.asarray(pc.and_not(pc.match_substring_regex(lines, _PLAIN), pc.match_substring_regex(lines, "(?i)xn--")))
    blank = np.asarray(pc.match_substring_regex(lines, _BLANK))
    odd = np.flatnonzero(~plain & ~blank)
    odd_lines = lines.take(pa.array(odd)).to_pylist()
    read = [_read_line(line) for line in odd_lines]
    good = np.array([domain is not None for domain in read], np.bool_)

    ignored = [(int(odd[i]) + 1, _show(odd_lines[i])) for i in np.flatnonzero(~good)[:IGNORED_SHOWN]]
    if not plain.any() and not good.any():
        raise ConfigError(_nothing_in(name, len(lines), len(odd), ignored))
    found = pc.ascii_lower(pc.ascii_trim(lines.filter(pa.array(plain)).cast(pa.large_string()), characters="*. \t\r\n"))
    return _compile(
        name,
        category,
        hashlib.sha256(text).hexdigest(),
        pa.concat_arrays([found, pa.array(read, pa.large_string()).drop_null()]),
        np.r_[np.flatnonzero(plain), odd[good]] + 1,
        tuple(ignored),
        int(np.count_nonzero(~good)),
    )


def allow_list(domains: Sequence[str]) -> DomainList:
    """Compile the domains of `sources.allow`, which are written as in a blocklist; line numbers count from 1.

    Raises ConfigError that names every entry that is no domain.
    """
    read = [_read_domain(domain) for domain in domains]
    wrong = [f"`{domain}`" for domain, name in zip(domains, read, strict=True) if name is None]
    if wrong:
        raise ConfigError(
            f"sources.allow: {', '.join(wrong)} is no domain; write domains such as `example.org`, "
            "without scheme, port or path."
        )
    digest = hashlib.sha256("\n".join(domains).encode()).hexdigest()
    numbers = np.arange(1, len(read) + 1)
    return _compile("allow", "allow", digest, pa.array(read, pa.large_string()), numbers, (), 0)


def _split_lines(text: bytes) -> pa.Array:
    """Lines with their line feeds, large_binary, without a copy."""
    data = np.frombuffer(text, np.uint8)
    ends = np.flatnonzero(data == ord("\n")) + 1
    last = [] if text.endswith(b"\n") or not text else [len(text)]
    offsets = np.r_[0, ends, last].astype(np.int64)
    return pa.Array.from_buffers(pa.large_binary(), len(offsets) - 1, [None, pa.py_buffer(offsets), pa.py_buffer(text)])


def _read_line(line: bytes) -> str | None:
    try:
        return _read_domain(line.partition(b"#")[0].decode())
    except UnicodeDecodeError:
        return None


def _read_domain(text: str) -> str | None:
    """A domain or IP address as `url_host_name` has it; None if it is none."""
    name = re.sub(r"^\*?\.", "", text.strip()).removesuffix(".")
    address = _IPV6.fullmatch(name)
    if address:
        name = name if name.startswith("[") else f"[{name}]"
    elif _NEVER.search(name):
        return None
    try:
        parsed = URL(f"http://{name}/")
    except ValueError:
        return None
    host = parsed.hostname
    if address:
        return host
    # Short and hexadecimal forms of IPv4, such as 1.2 and 0x7f.1, are more likely a mistake.
    if parsed.host_type == HostType.IPV4 and host != name:
        return None
    return host if _DOMAIN.fullmatch(host) else None


def _compile(
    name: str,
    category: str,
    sha256: str,
    found: pa.Array,
    lines: I64,
    ignored: tuple[tuple[int, str], ...],
    ignored_count: int,
) -> DomainList:
    by_line = np.argsort(lines)
    found = found.take(pa.array(by_line))
    hashes = hash_domains(*strings(found))
    order = np.argsort(hashes, kind="stable")
    found, hashes = found.take(pa.array(order)), hashes[order]
    # Equal entries have come to stand side by side, the first line first. Only where another entry has their very hash
    # one may be left over between them, and matching takes the first.
    first = np.append(True, np.asarray(pc.not_equal(found[1:], found[:-1])))[: len(found)]
    return DomainList(
        name,
        category,
        sha256,
        found.filter(pa.array(first)),
        lines[by_line][order][first],
        hashes[first],
        bucket_starts(hashes[first]),
        ignored,
        ignored_count,
    )


def _show(line: bytes) -> str:
    return line.decode(errors="backslashreplace").strip()[:_IGNORED_CHARACTERS]


def _nothing_in(name: str, lines: int, ignored_count: int, ignored: Sequence[tuple[int, str]]) -> str:
    if not ignored:
        return f"Blocklist `{name}` is empty: it has {lines} lines and no domain in them. Check its path."
    number, text = ignored[0]
    return (
        f"Blocklist `{name}` holds no domain: {ignored_count} of its {lines} lines are neither a domain nor a comment, "
        f"the first of them line {number}: `{text}`. "
        "Format `domains` is one domain a line, such as `example.org`; check the path and the format."
    )
