"""Read the categories of UT1, a folder each with files `domains`, `urls`, `expressions` and `usage`."""

import posixpath
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from transforms.decide.lists.domains import DOMAINS
from transforms.decide.lists.entries import Entries
from transforms.decide.lists.expressions import POSIX_EXPRESSIONS
from transforms.decide.lists.gather_entries import Syntax, gather_entries
from transforms.decide.lists.lines import Readable, line_blocks
from transforms.decide.lists.list_members import Member
from transforms.decide.lists.stored import ListError
from transforms.decide.lists.url_prefixes import URL_PREFIXES

_SYNTAXES: Final[Mapping[str, Syntax]] = {
    "domains": DOMAINS,
    "urls": URL_PREFIXES,
    "expressions": POSIX_EXPRESSIONS,
}
_USAGE: Final = "usage"
_NAMES_SHOWN: Final = 100


class Category(NamedTuple):
    """What a folder says."""

    name: str
    """Of the folder; with folders above it, as far as these are not common to all."""
    blocks: tuple[Entries, ...]
    notes: tuple[str, ...]


@dataclass
class _Seen:
    """What was found on the way through the files."""

    folders: dict[str, dict[str, Entries]] = field(default_factory=dict)
    """Of every category there is; what it says if it was chosen."""
    notes: dict[str, list[str]] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)


def read_categories(members: Iterable[Member], only: Sequence[str], top: str) -> list[Category]:
    """The categories by name, or only those that are named; of others nothing is read.

    `top` is the name of the category whose files lie in no folder. Raises ListError if there is no category, or not
    one that is named.
    """
    seen = _Seen()
    for member in members:
        _take(member, only, top, seen)
    if not seen.folders:
        raise ListError(
            "holds no file `domains`, `urls` or `expressions`, as a UT1 list does; "
            f"it holds {_join(seen.unread) if seen.unread else 'nothing'}."
        )
    names = _short_names(sorted(seen.folders))
    _check_only(only, seen, names)
    chosen = [folder for folder in names if _is_chosen(folder, only)]
    common = [f"not read: {_join(seen.unread)}"] if seen.unread else []
    common += [f"`{link}` is a link to `{target}` and is not read" for link, target in seen.links.items()]
    return [
        Category(
            names[folder],
            tuple(seen.folders[folder][kind] for kind in _SYNTAXES if kind in seen.folders[folder]),
            tuple(seen.notes.get(folder, [])) + (tuple(common) if folder == chosen[0] else ()),
        )
        for folder in chosen
    ]


def _take(member: Member, only: Sequence[str], top: str, seen: _Seen) -> None:
    folder, kind = posixpath.dirname(member.name) or top, posixpath.basename(member.name)
    if member.link is not None:
        seen.links[member.name] = member.link
        return
    if kind in _SYNTAXES:
        read = seen.folders.setdefault(folder, {})
        if kind in read:
            raise ListError(f"holds `{member.name}` twice.")
    if not _is_chosen(folder, only):
        return
    if kind in _SYNTAXES:
        with member.open() as stream:
            read[kind], _ = gather_entries(line_blocks(stream), _SYNTAXES[kind], member.name)
    elif kind == _USAGE:
        with member.open() as stream:
            white = _says_white(stream)
        if white:
            note = f"`{member.name}` says that this is a white list; here its entries block"
            seen.notes.setdefault(folder, []).append(note)
    else:
        seen.unread.append(member.name)


def _is_chosen(folder: str, only: Sequence[str]) -> bool:
    return not only or any(f"/{folder}".endswith(f"/{name.strip('/')}") for name in only)


def _check_only(only: Sequence[str], seen: _Seen, names: Mapping[str, str]) -> None:
    missing = [f"`{name}`" for name in only if not any(_is_chosen(folder, [name]) for folder in names)]
    if missing:
        links = [f"{link} (a link to {target})" for link, target in sorted(seen.links.items())]
        raise ListError(f"has no category {', '.join(missing)}. It has {_join([*sorted(names.values()), *links])}.")


def _short_names(folders: Sequence[str]) -> dict[str, str]:
    """The folders without those above that are common to all."""
    common = posixpath.commonpath(folders)
    return {
        folder: posixpath.relpath(folder, common) if folder != common else posixpath.basename(folder)
        for folder in folders
    }


def _says_white(usage: Readable) -> bool:
    lines = [line for block in line_blocks(usage) for line in block.lines.to_pylist() if not line.startswith(b"#")]
    words = {word for line in lines for word in line.lower().split()}
    return b"white" in words and b"black" not in words


def _join(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMES_SHOWN:,} more" if len(names) > _NAMES_SHOWN else ""
    return ", ".join(names[:_NAMES_SHOWN]) + more
