"""What a list of sources says, in whatever format it was written: domains, URL prefixes and patterns."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

I64 = npt.NDArray[np.int64]


class Pattern(NamedTuple):
    """An entry that is searched for in URLs."""

    line: int
    written: str
    regex: str
    """RE2, searched in the normalised URL."""


@dataclass(frozen=True, eq=False)
class Entries:
    """One file of a list; the entries of each kind in the order of their lines, which count from 1."""

    file: str | None
    """The file of a folder or archive, such as `warez/domains`; None for a list that is one file."""
    domains: pa.Array
    """large_string, shape (domains,): as `url_host_name` writes hosts; `*.` in front where the line has `*.` or `.`"""
    domain_lines: I64
    prefixes: pa.Array
    """large_string, shape (prefixes,): normalised URLs without their scheme, such as `host/path?query`"""
    prefix_lines: I64
    patterns: tuple[Pattern, ...]
    unsupported: Mapping[str, int]
    """Lines that mean something which is not supported, counted by what it is, such as `option script`."""
    ignored: tuple[tuple[int, str], ...]
    """The first 20 lines that say nothing in this format: number and text, cut at 100 characters."""
    ignored_count: int


@dataclass(frozen=True, eq=False)
class ReadList:
    """What a list says. A UT1 folder or archive gives one for each of its categories."""

    name: str
    category: str
    sha256: str
    """Hex, of the file or archive as it was read; of a folder, of the names and digests of its files."""
    format: str
    blocks: tuple[Entries, ...]
    exceptions: tuple[Entries, ...]
    """They beat the blocks of this list, and of no other."""
    notes: tuple[str, ...]
    """What the user should be told."""
