"""Load lists: the blocklists of a run, by reference, so that a pipeline carries their paths and not their entries."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import pyarrow as pa

from configs.model import Blocklist
from schemas.errors import ConfigError, WorkError
from transforms.decide.mark_sources import SourceMarks, mark_sources
from transforms.decide.read_lists import DomainList, allow_list, read_list
from transforms.part_store import open_input


@dataclass(frozen=True)
class ListReference:
    """Where a list lies and what it held when the run began."""

    name: str
    category: str
    path: str
    sha256: str


@dataclass(frozen=True)
class SourceLists:
    """All lists of a run. Each process reads a list once, when it first needs it."""

    references: tuple[ListReference, ...]
    allow: tuple[str, ...]

    @classmethod
    def read(cls, blocklists: Sequence[Blocklist], allow: Sequence[str]) -> "SourceLists":
        """Read every list once, to check it. Raises ConfigError that names all lists that cannot be read."""
        references, faults = [], []
        for listed in blocklists:
            try:
                with open_input(listed.path) as stream:
                    reference = ListReference(listed.name, listed.category, listed.path, _sha256(stream.read()))
                references.append(reference)
                _load(reference)
            except OSError as error:
                faults.append(f"Blocklist `{listed.name}`: {listed.path}: {error.strerror or error}.")
            except ConfigError as error:
                faults.append(str(error))
        if faults:
            raise ConfigError("\n".join(faults))
        lists = cls(tuple(references), tuple(allow))
        lists.compiled_allow()
        return lists

    def compiled(self) -> list[DomainList]:
        """The lists as they match. Raises WorkError if a file has changed since the run began."""
        return [_load(reference) for reference in self.references]

    def compiled_allow(self) -> DomainList | None:
        return _allow(self.allow) if self.allow else None

    def mark(self, hosts: pa.Array) -> SourceMarks:
        """What the lists say of a column of hosts."""
        return mark_sources(hosts, self.compiled(), self.compiled_allow())

    def warnings(self) -> list[str]:
        """A letter for each list with lines that are not taken."""
        return [
            f"blocklist `{loaded.name}`: {loaded.ignored_count} lines are no domain and are ignored, the first of them "
            f"line {loaded.ignored[0][0]}: {loaded.ignored[0][1]}"
            for loaded in self.compiled()
            if loaded.ignored
        ]

    def facts(self) -> list[dict[str, Any]]:
        """What the manifest says of each list."""
        return [
            {
                "name": loaded.name,
                "category": loaded.category,
                "sha256": loaded.sha256,
                "entries": len(loaded.entries),
                "ignored": loaded.ignored_count,
                "ignored_lines": [list(line) for line in loaded.ignored],
            }
            for loaded in self.compiled()
        ]


def _sha256(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()


@cache
def _load(reference: ListReference) -> DomainList:
    with open_input(reference.path) as stream:
        text = stream.read()
    if _sha256(text) != reference.sha256:
        raise WorkError(f"{reference.path} changed while the run used it. Begin anew with --overwrite.")
    return read_list(text, reference.name, reference.category)


_allow = cache(allow_list)
