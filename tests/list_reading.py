"""Lists of sources: made, read, and what is found in them."""

import gzip
import io
import tarfile
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from schemas.errors import ConfigError
from transforms.decide.lists.entries import Entries, ReadList
from transforms.decide.lists.gather_entries import Syntax, gather_entries
from transforms.decide.lists.lines import line_blocks
from transforms.decide.lists.read_list import ListSource, read_lists

BLOCKLISTS = Path(__file__).resolve().parents[2] / "shared" / "data" / "blocklists"


def read(text: str | bytes, syntax: Syntax) -> Entries:
    """What a list of that syntax blocks."""
    blocked, _ = gather_entries(line_blocks(io.BytesIO(text if isinstance(text, bytes) else text.encode())), syntax)
    return blocked


def domains(entries: Entries) -> list[tuple[int, str]]:
    """Line and domain of each entry that is one."""
    return list(zip(entries.domain_lines.tolist(), entries.domains.to_pylist(), strict=True))


def prefixes(entries: Entries) -> list[tuple[int, str]]:
    """Line and prefix of each entry that is one."""
    return list(zip(entries.prefix_lines.tolist(), entries.prefixes.to_pylist(), strict=True))


def patterns(entries: Entries) -> list[tuple[int, str]]:
    """Line and regular expression of each entry that is one."""
    return [(pattern.line, pattern.regex) for pattern in entries.patterns]


def searched(regex: str, urls: Sequence[str]) -> list[str]:
    """The URLs in which the regular expression is found."""
    found = pc.match_substring_regex(pa.array(urls, pa.string()), regex).to_pylist()
    return [url for url, one in zip(urls, found, strict=True) if one]


def says(text: str, syntax: Syntax) -> tuple[list[str], list[str], list[str]]:
    """Domains, prefixes and regular expressions of a text that is understood whole."""
    found = read(text, syntax)
    if found.ignored or found.unsupported:
        raise ValueError(f"not understood: {found.ignored} {found.unsupported}")
    return tuple([entry for _, entry in kind(found)] for kind in (domains, prefixes, patterns))  # type: ignore[return-value]


def tar(*members: tarfile.TarInfo | tuple[str, bytes], format_: int = tarfile.GNU_FORMAT) -> bytes:
    """An archive of files, or of members as they are."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=format_) as archive:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                archive.addfile(member)
            else:
                info = tarfile.TarInfo(member[0])
                info.size = len(member[1])
                archive.addfile(info, io.BytesIO(member[1]))
    return stream.getvalue()


def special(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


UT1 = {
    "warez/domains": b"b.example\na.example\n",
    "warez/urls": b"c.example/x\n",
    "warez/expressions": b"",
    "warez/usage": b"black\n",
    "child/domains": b"d.example\n",
    "child/usage": b"# a comment about black\nwhite\n",
    "child/very_restrictive_expression": b"x",
    "README": b"x",
}


def read_all(path: str | Path, format_: str = "auto", category: str | None = "piracy", *only: str) -> list[ReadList]:
    return read_lists(ListSource("shadow", str(path), format_, category, only))


def letter(path: str | Path, format_: str = "auto", category: str | None = "piracy", *only: str) -> str:
    """What the user is told, without the beginning that is the same for all."""
    with pytest.raises(ConfigError) as caught:
        read_all(path, format_, category, *only)
    head = f"List `shadow`: {path}"
    assert str(caught.value).startswith(head)
    return str(caught.value)[len(head) :].lstrip()


def written(directory: Path, content: bytes, name: str = "list.txt") -> Path:
    path = directory / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def unpacked_ut1(directory: Path, files: dict[str, bytes] | None = None) -> Path:
    for name, content in (files or UT1).items():
        written(directory, content, f"ut1/{name}")
    return directory / "ut1"


def archive(directory: Path, name: str, files: dict[str, bytes], top: str = "") -> Path:
    content = tar(*[(f"{top}{path}", text) for path, text in files.items()])
    return written(directory, gzip.compress(content) if name.endswith("gz") else content, name)
