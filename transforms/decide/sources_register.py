"""The sources register: by which right each document is used, and how its source ranks.

>>> register = Register.of((Source(host="a.example", basis="licensed", contract="2024-17", priority=5),))
>>> match = register.match(*(pa.array([value]) for value in ("www.a.example", "http://www.a.example/x", "0.jsonl")))
>>> match.basis.to_pylist(), match.reference.to_pylist(), match.priority.tolist()
(['licensed'], ['2024-17'], [5])
"""

import hashlib
import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pydantic import ValidationError

from configs.mistakes import letter, list_mistakes
from configs.parse import parse_file
from configs.register import PLACES, RegisterFile, Source
from configs.words import in_yaml, keys_of, words
from schemas.errors import ConfigError
from schemas.reasons import CRAWL
from transforms.decide.lists.domains import read_domain
from transforms.decide.lists.gather_entries import normal_prefixes
from transforms.decide.lists.index import DomainIndex, PrefixIndex
from transforms.decide.lists.pages import Pages
from transforms.part_store import open_input

I64 = npt.NDArray[np.int64]


class RegisterMatch(NamedTuple):
    """What the register says of each row of a batch."""

    basis: pa.Array
    """string, shape (rows,): `crawl` where no source fits"""
    reference: pa.Array
    """string, shape (rows,): contract or licence; null where none is named"""
    priority: I64
    """int64, shape (rows,): 0 where no source fits"""
    entry: I64
    """int64, shape (rows,): number of the source, from 0 in the order of the file, or -1"""


class _Place(NamedTuple):
    """Where a source lies."""

    number: int
    """of the source"""
    key: str
    """one of `PLACES`"""
    value: str | None
    """in the one form in which it can be compared; null if it is no host or URL"""


@dataclass(frozen=True, eq=False)
class Register:
    """The sources, indexed; without any, every document is of the crawl. It can be pickled."""

    sources: tuple[Source, ...]
    hosts: DomainIndex
    prefixes: PrefixIndex
    inputs: tuple[_Place, ...]
    """file names and globs, the longest first"""
    sha256: str | None = None
    """SHA-256 of the file, hex; None without a file"""

    @classmethod
    def read(cls, path: str | None) -> "Register":
        """The register in a file, on any file system; an empty one if `path` is null.

        Raises ConfigError, whose message lists every mistake, one a line; a source is named by its index, from 0. Two
        sources of the same host, prefix or input are a mistake, also if they agree.
        """
        if path is None:
            return cls.of(())
        try:
            with open_input(path) as stream:
                content = stream.read()
        except OSError as error:
            raise ConfigError(f"{path}: the sources register cannot be read: {error.strerror or error}") from error
        data = parse_file(content, path, words(RegisterFile), "ends with a register to start from")
        try:
            sources = RegisterFile.model_validate(data).sources
        except ValidationError as error:
            sentences = [mistake.sentence for mistake in list_mistakes(error, data, RegisterFile)]
            raise letter(path, sentences) from error
        if faults := list(_faults(sources)):
            raise letter(path, faults)
        return cls.of(sources, hashlib.sha256(content).hexdigest())

    @classmethod
    def of(cls, sources: Sequence[Source], sha256: str | None = None) -> "Register":
        """The register of sources whose places are right and all different, as `read` finds them to be."""
        found = {key: [place for place in _places(sources) if place.key == key] for key in PLACES}
        values = {key: pa.array([place.value for place in places], pa.large_string()) for key, places in found.items()}
        numbers = {key: [place.number for place in places] for key, places in found.items()}
        hosts = DomainIndex.build(values["host"], numbers["host"])
        prefixes = PrefixIndex.build(values["prefix"], numbers["prefix"])
        inputs = sorted(found["input"], key=lambda place: -len(place.value or ""))
        return cls(tuple(sources), hosts, prefixes, tuple(inputs), sha256)

    def match(self, hosts: pa.Array, urls: pa.Array, source_files: pa.Array) -> RegisterMatch:
        """What is known of some documents by their columns `url_host_name`, `url` and `source_file`.

        An input beats a prefix, which beats a host. Of inputs that fit the longest pattern counts, then the first in
        the file; of prefixes and hosts the longest.
        """
        entry = np.full(len(hosts), -1)
        pages = Pages(hosts, urls)
        for index in (self.hosts, self.prefixes):
            rows, numbers = index.find(pages)
            entry[rows] = np.asarray(index.lines)[numbers]
        files = source_files.dictionary_encode()
        inputs = np.array([self._by_input(name) for name in files.dictionary.to_pylist()], np.int64)
        named = inputs[np.asarray(files.indices)]
        entry = np.where(named >= 0, named, entry)
        # What holds where no source fits stands behind those of the sources, where -1 finds it.
        at = pa.array(entry % (len(self.sources) + 1))
        return RegisterMatch(
            pa.array([*(source.basis for source in self.sources), CRAWL]).take(at),
            pa.array([*(source.reference for source in self.sources), None], pa.string()).take(at),
            np.array([*(source.priority for source in self.sources), 0])[np.asarray(at)],
            entry,
        )

    def facts(self) -> dict[str, Any] | None:
        """What the manifest says of the register; None without a file."""
        return None if self.sha256 is None else {"sha256": self.sha256, "sources": len(self.sources)}

    def _by_input(self, name: str) -> int:
        return next((place.number for place in self.inputs if fnmatchcase(name, place.value or "")), -1)


def _places(sources: Sequence[Source]) -> Iterator[_Place]:
    for number, source in enumerate(sources):
        for key in PLACES:
            if (written := getattr(source, key)) is not None:
                yield _Place(number, key, _normal(key, written))


def _normal(key: str, written: str) -> str | None:
    match key:
        case "host":
            return read_domain(written)
        case "prefix":
            prefix: str | None = normal_prefixes(pa.array([written]))[0].as_py()
            return prefix
        case _:
            return posixpath.normpath(written)


def _faults(sources: Sequence[Source]) -> Iterator[str]:
    """A sentence for each place that is none, and for each that another source has already."""
    first: dict[tuple[str, str], int] = {}
    for number, key, value in _places(sources):
        if value is None:
            expected = words(keys_of(RegisterFile)[f"sources[].{key}"])
            yield f"`sources.{number}.{key}`: expected {expected}, got {in_yaml(getattr(sources[number], key))}"
            continue
        # `*.` in front says how far a host reaches; two answers for one name are two all the same.
        name = value.removeprefix("*.") if key == "host" else value
        earlier = first.setdefault((key, name), number)
        if earlier != number:
            yield f"`sources.{earlier}` and `sources.{number}` both answer for the {key} {name}; take one of them out"
