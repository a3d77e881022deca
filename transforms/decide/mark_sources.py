"""Mark sources: which lists a host stands on, by which entry, and whether the allow list lets it in.

>>> from transforms.decide.read_lists import allow_list, read_list
>>> shadow = read_list(b"listed.example\\n", "shadow", "piracy")
>>> hosts = pa.array(["a.listed.example", "notlisted.example", None, "ok.listed.example"])
>>> marks = mark_sources(hosts, [shadow], allow_list(["ok.listed.example"]))
>>> marks.entries[0].tolist(), marks.blocked.tolist()
([0, -1, -1, 0], [True, False, False, False])
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.batches import strings
from transforms.decide.read_lists import DomainList
from transforms.kernels.domains import match_suffixes

I64 = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class SourceMarks:
    """What the lists say of each row of a batch. Entries are numbers into `DomainList.entries`, or -1."""

    lists: tuple[DomainList, ...]
    entries: tuple[I64, ...]
    """for each list, int64 of shape (rows,)"""
    allow: DomainList | None
    allowed: I64
    """int64, shape (rows,): the entry of the allow list"""

    @property
    def blocked(self) -> npt.NDArray[np.bool_]:
        """bool, shape (rows,): on a blocklist, and not on the allow list, which beats them all."""
        listed = np.zeros(len(self.allowed), np.bool_)
        for entry in self.entries:
            listed |= entry >= 0
        return listed & (self.allowed < 0)

    def allowed_entries(self, rows: I64) -> pa.Array:
        """The entries of the allow list that let `rows` in: string array of shape (rows,), null where none does."""
        if self.allow is None:
            return pa.nulls(len(rows), pa.large_string())
        entry = self.allowed[rows]
        return self.allow.entries.take(pa.array(entry, mask=entry < 0))


def mark_sources(hosts: pa.Array, lists: Sequence[DomainList], allow: DomainList | None) -> SourceMarks:
    """Match a `url_host_name` column, with its nulls and repeats, against blocklists and the allow list.

    A row that several lists match has an entry of each. A null row matches nothing.
    """
    distinct = hosts.dictionary_encode()
    rows = np.asarray(pc.fill_null(distinct.indices, len(distinct.dictionary)))

    def match(domains: DomainList) -> I64:
        return np.append(match_hosts(distinct.dictionary, domains), -1)[rows]

    allowed = np.full(len(hosts), -1) if allow is None else match(allow)
    return SourceMarks(tuple(lists), tuple(match(domains) for domains in lists), allow, allowed)


def match_hosts(hosts: pa.Array, domains: DomainList) -> I64:
    """Number of the entry that covers each host, or -1: int64 of shape (hosts,).

    `hosts` are distinct, not null, and written as in `url_host_name`. The entry is the host itself or a parent of it at
    a label border (`listed.com` covers `a.listed.com`, not `notlisted.com`), the longest if there are several. An IP
    address is covered by itself alone.
    """
    return match_suffixes(*strings(hosts), *strings(domains.entries), domains.hashes, domains.starts)
