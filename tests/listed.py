"""Lists built by hand for the tests of matching, and pages of a crawl to match them against."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from transforms.decide.lists.compile_list import CompiledFile, CompiledList
from transforms.decide.lists.entries import Entries, Pattern, ReadList
from transforms.decide.lists.match_lists import SourceMatches, match_lists
from transforms.urls import url_columns

Numbers = np.ndarray[tuple[int], np.dtype[np.int64]]


def numbered(count: int) -> Numbers:
    """Lines 1, 2, 3 and so on."""
    return np.arange(1, count + 1)


def entries(
    domains: Sequence[str] = (),
    prefixes: Sequence[str] = (),
    patterns: Sequence[str] = (),
    file: str | None = None,
    ignored: Sequence[tuple[int, str]] = (),
    unsupported: dict[str, int] | None = None,
) -> Entries:
    """What a file says; each kind of entry has lines of its own, from 1."""
    return Entries(
        file,
        pa.array(domains, pa.large_string()),
        numbered(len(domains)),
        pa.array(prefixes, pa.large_string()),
        numbered(len(prefixes)),
        tuple(Pattern(line, f"/{regex}/", regex) for line, regex in enumerate(patterns, 1)),
        unsupported or {},
        tuple(ignored),
        len(ignored),
    )


def listed(name: str, *blocks: Entries, exceptions: Sequence[Entries] = (), category: str = "piracy") -> ReadList:
    """A list of that name; its digest is made of the name."""
    return ReadList(name, category, f"sha256 of {name}", "domains", blocks, tuple(exceptions), ())


def compiled(*lists: ReadList) -> list[CompiledFile]:
    return list(CompiledList.compile(lists).files)


def pages(*urls: str | None) -> tuple[pa.Array, pa.Array]:
    """Columns `url_host_name` and `url` as a crawl has them."""
    column = pa.array(urls, pa.string())
    return url_columns(column)["url_host_name"], column


def match(blocklists: Sequence[ReadList], allowlists: Sequence[ReadList], *urls: str | None) -> SourceMatches:
    return match_lists(compiled(*blocklists), compiled(*allowlists), *pages(*urls))
