"""Compile a list that was read into indexes, and these into a table that a file can hold and processes can share."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Final

import pyarrow as pa

from transforms.decide.lists.entries import Entries, ReadList
from transforms.decide.lists.index import DomainIndex, PrefixIndex
from transforms.decide.lists.patterns import PatternIndex

Facts = dict[str, Any]
Index = DomainIndex | PrefixIndex | PatternIndex

_KINDS: Final = {"domains": DomainIndex, "prefixes": PrefixIndex, "patterns": PatternIndex}
_SHOWN: Final = 20


@dataclass(frozen=True, eq=False)
class CompiledFile:
    """One file of a list, ready to match; its fields are those of `ReadList` and `Entries`."""

    list: str
    category: str
    sha256: str
    file: str | None
    excepts: bool
    """Whether it says what shall not be blocked."""
    domains: DomainIndex
    prefixes: PrefixIndex
    patterns: PatternIndex

    def indexes(self) -> tuple[Index, ...]:
        return self.domains, self.prefixes, self.patterns


@dataclass(frozen=True, eq=False)
class CompiledList:
    """What one list of the config says, be it in several categories."""

    files: tuple[CompiledFile, ...]
    facts: tuple[Facts, ...]
    """What the manifest says of it, for each category."""

    @classmethod
    def compile(cls, read: Iterable[ReadList]) -> "CompiledList":
        files, facts = [], []
        for listed in read:
            blocks = [_compile(listed, entries, excepts=False) for entries in listed.blocks]
            exceptions = [_compile(listed, entries, excepts=True) for entries in listed.exceptions]
            files += [*blocks, *exceptions]
            facts.append(_facts(listed, blocks, exceptions))
        return cls(tuple(files), tuple(facts))

    def table(self) -> pa.Table:
        """A row a file, each a batch of its own so that no index is copied; the facts are metadata of the schema."""
        batches = [
            pa.record_batch(
                {
                    **{name: pa.array([getattr(file, name)], kind) for name, kind in _PLAIN.items()},
                    **{name: _pack(getattr(file, name)) for name in _KINDS},
                }
            )
            for file in self.files
        ]
        return pa.Table.from_batches(batches).replace_schema_metadata({"facts": json.dumps(self.facts)})

    @classmethod
    def of(cls, table: pa.Table) -> "CompiledList":
        """The list of a `table`, without a copy of it."""
        files = []
        for batch in table.to_batches():
            values = {name: batch[name][0].as_py() for name in _PLAIN}
            values |= {name: _unpack(kind, batch[name]) for name, kind in _KINDS.items()}
            files.append(CompiledFile(**values))
        return cls(tuple(files), tuple(json.loads(table.schema.metadata[b"facts"])))


_PLAIN: Final = {
    "list": pa.string(),
    "category": pa.string(),
    "sha256": pa.string(),
    "file": pa.string(),
    "excepts": pa.bool_(),
}


def content_digest(table: pa.Table) -> str:
    """SHA-256 of all that a `CompiledList.table` holds, hex."""
    digest = hashlib.sha256(table.schema.serialize())
    for batch in table.to_batches():
        for column in batch.columns:
            for buffer in column.buffers():
                digest.update(buffer or b"")
    return digest.hexdigest()


def _compile(listed: ReadList, entries: Entries, *, excepts: bool) -> CompiledFile:
    return CompiledFile(
        listed.name,
        listed.category,
        listed.sha256,
        entries.file,
        excepts,
        DomainIndex.build(entries.domains, entries.domain_lines),
        PrefixIndex.build(entries.prefixes, entries.prefix_lines),
        PatternIndex.build(entries.patterns),
    )


def _pack(index: Any) -> pa.StructArray:
    """An index as one row: a struct of lists, and of structs where an index is in it."""
    values = {field.name: getattr(index, field.name) for field in fields(index)}
    packed = [_pack(value) if is_dataclass(value) else _one_row(value) for value in values.values()]
    return pa.StructArray.from_arrays(packed, names=list(values))


def _one_row(values: pa.Array) -> pa.LargeListArray:
    return pa.LargeListArray.from_arrays(pa.array([0, len(values)], pa.int64()), values)


def _unpack(kind: Any, row: pa.StructArray) -> Any:
    def value(name: str, of: Any) -> Any:
        column = row.field(name)
        return _unpack(of, column) if is_dataclass(of) else column.flatten()

    return kind(**{field.name: value(field.name, field.type) for field in fields(kind)})


def _facts(listed: ReadList, blocks: Sequence[CompiledFile], exceptions: Sequence[CompiledFile]) -> Facts:
    read = [*listed.blocks, *listed.exceptions]
    unsupported = sorted({what for entries in read for what in entries.unsupported})
    ignored = [{"file": entries.file, "line": line, "text": text} for entries in read for line, text in entries.ignored]
    counts, excepted = _counts(blocks), _counts(exceptions)
    suffixes = [name for file in (*blocks, *exceptions) for name in file.domains.suffixes().to_pylist()]
    return {
        "name": listed.name,
        "category": listed.category,
        "sha256": listed.sha256,
        "format": listed.format,
        "entries": sum(counts.values()) + sum(excepted.values()),
        "blocks": counts,
        "exceptions": excepted,
        "public_suffixes": len(suffixes),
        "public_suffixes_shown": suffixes[:_SHOWN],
        "unsupported": {what: sum(entries.unsupported.get(what, 0) for entries in read) for what in unsupported},
        "ignored": sum(entries.ignored_count for entries in read),
        "ignored_lines": ignored[:_SHOWN],
        "notes": list(listed.notes),
    }


def _counts(files: Sequence[CompiledFile]) -> dict[str, int]:
    return {name: sum(len(getattr(file, name)) for file in files) for name in _KINDS}
