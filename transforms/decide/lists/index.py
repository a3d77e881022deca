"""Indexes of what a list says, and what they say of pages: at most one entry each.

>>> index = DomainIndex.build(pa.array(["apple.com", "web.de"]), [1, 2])
>>> found = index.match(pa.array(["www.apple.com", "wapple.com", "web.de.example", None]))
>>> found.tolist(), index.written(found[:1]).to_pylist()
([0, -1, -1, -1], ['apple.com'])

An index is a few Arrow arrays, so that it can be written to a file and mapped into memory by many processes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.batches import strings
from transforms.decide.lists.pages import Pages
from transforms.decide.lists.public_suffixes import is_public_suffix
from transforms.kernels.domains import ITSELF, bucket_starts, hash_domains, match_suffixes
from transforms.kernels.prefixes import OPEN, link_prefixes, match_prefixes

I64 = npt.NDArray[np.int64]

_STARRED: Final = np.uint8(2)
"""Bit of the scope of an entry that was written with `*.` in front: its subdomains are covered in any case."""
_STAR, _NOTHING = (pa.scalar(text, pa.large_string()) for text in ("*.", ""))
_PREFIX: Final = r"(?s)^(?P<star>(?:\*\.)?)(?P<host>\[[^\]]*\]|[^:/?]*)(?P<rest>.*?)(?P<end>\*?)$"


@dataclass(frozen=True, eq=False)
class DomainIndex:
    """Domains, in the order of their hashes. Each covers itself and its subdomains, at label borders.

    Not so a public suffix (`github.io`, `co.uk`), which covers the host of that name alone, unless it is written with
    `*.` in front; and an IP address, which has no subdomains.
    """

    entries: pa.Array
    """large_string, shape (entries,): as `url_host_name` writes hosts, without `*.`; repeats are left out"""
    scopes: pa.Array
    """uint8, shape (entries,): bits `ITSELF` and `_STARRED`"""
    lines: pa.Array
    """int32, shape (entries,): the first line with that entry"""
    hashes: pa.Array
    """uint64, shape (entries,), ascending: `hash_domains` of the entries"""
    starts: pa.Array
    """int32: `bucket_starts` of the hashes"""

    @classmethod
    def build(cls, domains: pa.Array, lines: I64 | Sequence[int]) -> "DomainIndex":
        """Index domains, written as `url_host_name` does, with or without `*.` in front; lines ascend."""
        domains = domains.cast(pa.large_string())
        starred = pc.starts_with(domains, "*.")
        names = domains
        if pc.any(starred).as_py():
            names = pc.replace_with_mask(domains, starred, pc.utf8_slice_codeunits(domains.filter(starred), 2))
        scopes = _scopes(names, starred)
        # Without entries no kernel is loaded, which takes longer than all the rest of a small run's preparation.
        hashes = hash_domains(*strings(names)) if len(names) else np.empty(0, np.uint64)
        order = np.argsort(hashes, kind="stable")
        names, scopes = names.take(pa.array(order)), scopes[order]
        # Equal entries have come to stand side by side, the first line first. Only where another entry has their very
        # hash one may be left over between them, and matching takes the first.
        repeats = np.zeros(len(names), np.bool_)
        repeats[1:] = np.asarray(pc.equal(names[1:], names[:-1])) & ((scopes[:-1] != ITSELF) | (scopes[1:] == ITSELF))
        order, scopes = order[~repeats], scopes[~repeats]
        return cls(
            names.filter(pa.array(~repeats)) if repeats.any() else names,
            pa.array(scopes),
            pa.array(np.asarray(lines, np.int64)[order], pa.int32()),
            pa.array(hashes[order]),
            pa.array(bucket_starts(hashes[order])),
        )

    def __len__(self) -> int:
        return len(self.entries)

    def match(self, hosts: pa.Array, *, parents: bool = False) -> I64:
        """Number of the longest entry that covers each host, or -1: int64 of shape (hosts,); null is covered by none.

        With `parents`, of the longest that covers it and is not the host itself.
        """
        if not len(self):
            return np.full(len(hosts), -1)
        hashes, starts, scopes = (np.asarray(array) for array in (self.hashes, self.starts, self.scopes))
        return match_suffixes(*strings(hosts), *strings(self.entries), hashes, starts, scopes, parents)

    def find(self, pages: Pages) -> tuple[I64, I64]:
        """The rows that an entry covers, ascending, and the numbers of the longest."""
        return pages.spread(self.match(pages.hosts))

    def written(self, numbers: I64) -> pa.Array:
        """Entries as they were written: large_string of shape (numbers,)."""
        starred = np.asarray(self.scopes)[numbers] & _STARRED > 0
        names = self.entries.take(pa.array(numbers))
        return pc.if_else(starred, pc.binary_join_element_wise(_STAR, names, _NOTHING), names)

    def suffixes(self) -> pa.Array:
        """The entries that cover one host alone because they are public suffixes, in the order of their lines."""
        numbers = np.flatnonzero(np.asarray(self.scopes) & ITSELF)
        return self.entries.take(pa.array(numbers[np.argsort(np.asarray(self.lines)[numbers])]))


@dataclass(frozen=True, eq=False)
class PrefixIndex:
    """URL prefixes, `host[:port]/path?query`, by host and then by what follows it, which is their rest.

    Each covers the URLs of its host, and of the hosts that a domain of that name covers, whose rest begins with its own
    and goes on at a border: it ends there, `/`, `?` or `&` comes next, or the prefix itself ends with `/`, `?`, `=` or
    `&`. A prefix that ends in `*` needs no border. One without a port covers all ports.
    """

    hosts: DomainIndex
    """the distinct hosts; their numbers are those of the groups"""
    parents: pa.Array
    """int32, shape (hosts,): number of the longest other host that covers it as a parent domain, or -1"""
    groups: pa.Array
    """int32, shape (hosts + 1,): the prefixes of host g are `groups[g]` to `groups[g + 1]`"""
    entries: pa.Array
    """large_string, shape (entries,): the prefixes as they were written; repeats are left out"""
    rests: pa.Array
    """large_string, shape (entries,): what follows the host, without `*` at its end"""
    scopes: pa.Array
    """uint8, shape (entries,): bits `ITSELF`, `_STARRED` and `OPEN`"""
    links: pa.Array
    """int32, shape (entries,): `link_prefixes` of the rests"""
    lines: pa.Array
    """int32, shape (entries,): the first line with that entry"""

    @classmethod
    def build(cls, prefixes: pa.Array, lines: I64 | Sequence[int]) -> "PrefixIndex":
        """Index prefixes in the form of `normal_urls`, with or without `*` at the end; lines ascend."""
        prefixes = prefixes.cast(pa.large_string())
        star, names, rests, end = pc.extract_regex(prefixes, _PREFIX).flatten()
        # Whether a public suffix stands for its subdomains is asked of each prefix, so here all hosts do.
        hosts = DomainIndex.build(
            pc.binary_join_element_wise(_STAR, distinct := pc.unique(names), _NOTHING), range(len(distinct))
        )
        scopes = _scopes(names, pc.equal(star, "*.")) | np.where(pc.equal(end, "*"), OPEN, np.uint8(0))
        group = hosts.match(names)
        keys = pa.table({"group": group, "rest": rests, "scope": scopes})
        order = np.asarray(pc.sort_indices(keys, [(name, "ascending") for name in keys.column_names]))  # it is stable
        keys = keys.take(pa.array(order)).combine_chunks()
        repeats = np.zeros(len(order), np.bool_)
        repeats[1:] = np.logical_and.reduce([pc.equal(column[1:], column[:-1]) for column in keys.columns])
        keys, order = keys.filter(pa.array(~repeats)).combine_chunks(), order[~repeats]
        group, rests, scopes = (column.combine_chunks() for column in keys.columns)
        groups = np.searchsorted(np.asarray(group), np.arange(len(hosts) + 1)).astype(np.int32)
        return cls(
            hosts,
            pa.array(hosts.match(hosts.entries, parents=True), pa.int32()),
            pa.array(groups),
            prefixes.take(pa.array(order)),
            rests,
            scopes,
            pa.array(link_prefixes(*strings(rests), groups) if len(rests) else [], pa.int32()),
            pa.array(np.asarray(lines, np.int64)[order], pa.int32()),
        )

    def __len__(self) -> int:
        return len(self.entries)

    def match(self, hosts: pa.Array, urls: pa.Array) -> I64:
        """Number of the longest prefix that covers each row, or -1: int64 of shape (rows,).

        `hosts` and `urls` are columns `url_host_name` and `url`. A prefix that names the port of the URL comes before
        one without a port; then that with the longest rest; then that with the longest host.
        """
        rows, numbers = self.find(Pages(hosts, urls))
        found = np.full(len(hosts), -1)
        found[rows] = numbers
        return found

    def find(self, pages: Pages) -> tuple[I64, I64]:
        """The rows that a prefix covers, ascending, and the numbers of the longest."""
        rows, groups = pages.spread(self.hosts.match(pages.hosts))
        if not len(rows):
            return rows, groups
        parts = pages.parts(rows)
        whole = np.asarray(pc.equal(pages.hosts_of(rows), self.hosts.entries.take(pa.array(groups))))
        rests = parts.rests()
        found = self._longest(rests, groups, whole)
        again = np.flatnonzero((found < 0) & np.asarray(pc.starts_with(rests, ":")))
        without_port = pc.replace_substring_regex(rests.take(pa.array(again)), "^:[0-9]+", "")
        found[again] = self._longest(without_port, groups[again], whole[again])
        return rows[found >= 0], found[found >= 0]

    def _longest(self, texts: pa.Array, groups: I64, whole: npt.NDArray[np.bool_]) -> I64:
        parents, starts, links, scopes = map(np.asarray, (self.parents, self.groups, self.links, self.scopes))
        return match_prefixes(*strings(texts), groups, whole, parents, starts, *strings(self.rests), links, scopes)

    def written(self, numbers: I64) -> pa.Array:
        """Prefixes as they were written: large_string of shape (numbers,)."""
        return self.entries.take(pa.array(numbers))


def _scopes(names: pa.Array, starred: pa.Array) -> npt.NDArray[np.uint8]:
    return np.where(starred, _STARRED, np.where(is_public_suffix(names), ITSELF, np.uint8(0)))
