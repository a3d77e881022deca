"""Load lists: the lists of a run, by reference, so that a pipeline carries their names and not their entries."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

import pyarrow as pa

from configs.shipped import shipped_path
from configs.sources import Allowlist, Blocklist
from schemas.errors import ConfigError
from transforms.decide.lists.allow_list import allow_list
from transforms.decide.lists.compile_list import CompiledFile, CompiledList, Facts, content_digest
from transforms.decide.lists.entries import ReadList
from transforms.decide.lists.match_lists import SourceMatches, match_lists
from transforms.decide.lists.read_list import ListSource, read_lists
from transforms.part_store import exists, is_local, join, read_arrow, write_arrow

_ALLOW: Final = "allow"
"""Category of the lists that let in, and name of that in `sources.allow`."""
_COMPILED: Final[dict[str, CompiledList]] = {}
"""The lists that this process has at hand, by the digests of their content."""


@dataclass(frozen=True)
class ListReference:
    """A list of the config, and what it held when the run began."""

    name: str
    category: str | None
    """None where folders of the list are its categories."""
    sha256: str
    content: str
    """SHA-256 of its indexes, hex; the name of the file that holds them."""


@dataclass(frozen=True)
class SourceLists:
    """All lists of a run. A process loads each when it first needs it, and keeps it."""

    blocklists: tuple[ListReference, ...] = ()
    allowlists: tuple[ListReference, ...] = ()
    directory: str | None = None
    """Where the indexes lie; None if `store` was not called, and then only the process that read them can match."""

    @classmethod
    def read(
        cls, blocklists: Sequence[Blocklist], allow: Sequence[str] = (), allowlists: Sequence[Allowlist] = ()
    ) -> "SourceLists":
        """Read and index every list once. Raises ConfigError with a letter for each list that cannot be used."""
        faults: list[str] = []

        def take(name: str, category: str | None, read: Callable[[], list[ReadList]]) -> list[ListReference]:
            try:
                return [_compile(name, category, read())]
            except ConfigError as error:
                faults.append(str(error))
                return []

        blocking, allowing = list[ListReference](), list[ListReference]()
        for block in blocklists:
            source = ListSource(block.name, shipped_path(block.path), block.format, block.category, block.only)
            blocking += take(block.name, block.category, partial(read_lists, source))
        if allow:
            allowing += take(_ALLOW, _ALLOW, lambda: [allow_list(allow)])
        for let in allowlists:
            source = ListSource(let.name, shipped_path(let.path), let.format, _ALLOW)
            allowing += take(let.name, _ALLOW, partial(read_lists, source))
        if faults:
            raise ConfigError("\n".join(faults))
        return cls(tuple(blocking), tuple(allowing))

    @property
    def references(self) -> tuple[ListReference, ...]:
        """The lists that the config names by their paths, in its order: blocklists, then allow lists."""
        return tuple(listed for listed in (*self.blocklists, *self.allowlists) if listed.name != _ALLOW)

    def store(self, directory: str) -> "SourceLists":
        """Write the indexes to files in a directory, unless they are there, and return the lists that load from it.

        A file on a local disk is mapped into memory, so that all processes of a machine share it; this one lets go of
        its own copy.
        """
        for listed in (*self.blocklists, *self.allowlists):
            path = _path(directory, listed)
            if not exists(path):
                write_arrow(path, self._load(listed).table())
            if is_local(path):
                _COMPILED[listed.content] = CompiledList.of(read_arrow(path))
        pa.default_memory_pool().release_unused()
        return replace(self, directory=directory)

    def match(self, hosts: pa.Array, urls: pa.Array) -> SourceMatches:
        """What the lists say of columns `url_host_name` and `url`, whatever stands in them."""
        return match_lists(self._files(self.blocklists), self._files(self.allowlists), hosts, urls)

    def facts(self) -> list[dict[str, Any]]:
        """What the manifest says of each list, or of each category of a list that has several."""
        return [{"kind": kind, **facts} for kind, facts in self._facts()]

    def warnings(self) -> list[str]:
        """A letter for each thing in a list that is not taken as it may have been meant."""
        return [f"{kind} `{facts['name']}`: {text}" for kind, facts in self._facts() for text in _warn(facts)]

    def _facts(self) -> Iterator[tuple[str, Facts]]:
        for kind, references in (("blocklist", self.blocklists), ("allowlist", self.allowlists)):
            for listed in references:
                yield from ((kind, facts) for facts in self._load(listed).facts)

    def _files(self, references: Sequence[ListReference]) -> list[CompiledFile]:
        return [file for listed in references for file in self._load(listed).files]

    def _load(self, listed: ListReference) -> CompiledList:
        if listed.content not in _COMPILED:
            if self.directory is None:
                raise LookupError(f"list `{listed.name}` was read in another process and is not stored")
            _COMPILED[listed.content] = CompiledList.of(read_arrow(_path(self.directory, listed)))
        return _COMPILED[listed.content]


def _compile(name: str, category: str | None, read: Sequence[ReadList]) -> ListReference:
    compiled = CompiledList.compile(read)
    content = content_digest(compiled.table())
    _COMPILED[content] = compiled
    return ListReference(name, category, read[0].sha256, content)


def _path(directory: str, listed: ListReference) -> str:
    return join(directory, f"{listed.content}.arrow")


def _warn(facts: Facts) -> Iterator[str]:
    yield from facts["notes"]
    if facts["ignored"]:
        first = facts["ignored_lines"][0]
        where = f"line {first['line']}" + (f" of {first['file']}" if first["file"] else "")
        yield f"lines that cannot be read and are ignored: {facts['ignored']:,}, the first {where}: {first['text']}"
    if facts["unsupported"]:
        kinds = ", ".join(f"{what} ({count:,})" for what, count in facts["unsupported"].items())
        yield f"lines that say what is not supported and are left out: {kinds}"
    if facts["public_suffixes"]:
        name = facts["public_suffixes_shown"][0]
        yield (
            f"entries that are public suffixes, such as `{name}`, and cover the host of that very name alone: "
            f"{facts['public_suffixes']:,}. Write `*.{name}` to cover all that is registered under it."
        )
