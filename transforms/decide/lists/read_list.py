"""Read a list of sources in any format, from a file, a folder or an archive on any filesystem."""

import posixpath
import tarfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Final

from schemas.errors import ConfigError
from transforms.decide.lists.adblock import gather_filters
from transforms.decide.lists.detect_format import SAMPLE_BYTES, SYNTAXES, detect_format, first_lines
from transforms.decide.lists.entries import Entries, ReadList
from transforms.decide.lists.gather_entries import gather_entries
from transforms.decide.lists.lines import line_blocks
from transforms.decide.lists.list_members import Folder, archive_members, is_folder
from transforms.decide.lists.stored import ListError, Stored, damaged, unpacked
from transforms.decide.lists.ut1 import Category, read_categories
from transforms.part_store import open_input

FORMATS: Final = ("auto", *SYNTAXES, "adblock", "ut1")
Opener = Callable[[str], BinaryIO]


@dataclass(frozen=True)
class ListSource:
    """A list as the config names it."""

    name: str
    path: str
    format: str
    """One of `FORMATS`."""
    category: str | None
    """None: each folder of a UT1 list is a category; no other list can do without."""
    only: tuple[str, ...] = ()
    """The folders that are taken of a UT1 list; none: all."""


def read_lists(source: ListSource, open_file: Opener = open_input) -> list[ReadList]:
    """What a list says, or each category of it if it is a UT1 folder or archive with several, sorted by name.

    A list with a category that is read in full is named as in the config, else `name/folder`. Raises ConfigError, a
    letter with the name and the path, where nothing can be read, be it in part: a file that is missing, empty, damaged,
    binary or in another format, an archive that is a bomb or leads out of itself, a category that is not there.
    """
    try:
        if is_folder(source.path):
            return _read_folder(source, open_file)
        return _read_file(source, open_file)
    except OSError as error:
        where = error.filename or source.path
        raise ConfigError(f"List `{source.name}`: {where}: {error.strerror or error}.") from error
    except (ListError, tarfile.TarError) as error:
        fault = error if isinstance(error, ListError) else damaged(error)
        raise ConfigError(f"List `{source.name}`: {source.path} {fault}") from error


def _read_folder(source: ListSource, open_file: Opener) -> list[ReadList]:
    if source.format not in ("auto", "ut1"):
        raise ListError(f"is a folder, and format `{source.format}` is one file. Name the file.")
    folder = Folder(source.path, open_file)
    categories = read_categories(folder.members(), source.only, posixpath.basename(source.path.rstrip("/")))
    return _lists_of(source, categories, folder.sha256())


def _read_file(source: ListSource, open_file: Opener) -> list[ReadList]:
    with unpacked(Stored(open_file(source.path))) as stream:
        head = stream.read(SAMPLE_BYTES)
    if not head:
        raise ListError("is empty. Fetch it again, or take the list out of the config.")
    looks = detect_format(head)
    format_ = _choose_format(source, looks, head)
    stored = Stored(open_file(source.path))
    with unpacked(stored) as stream:
        if format_ == "ut1":
            categories = read_categories(archive_members(stream), source.only, "")
            return _lists_of(source, categories, stored.sha256())
        blocks = line_blocks(stream)
        filters = format_ == "adblock"
        blocked, excepted = gather_filters(blocks) if filters else gather_entries(blocks, SYNTAXES[format_])
    if not count_entries(blocked) + count_entries(excepted):
        raise ListError(_nothing_in(blocked, format_, looks))
    said = count_entries(excepted) or excepted.unsupported or excepted.ignored
    category = str(source.category)
    return [ReadList(source.name, category, stored.sha256(), format_, (blocked,), (excepted,) if said else (), ())]


def _choose_format(source: ListSource, looks: str | None, head: bytes) -> str:
    format_ = looks if source.format == "auto" else source.format
    if format_ is None:
        line, text = next(iter(first_lines(head)), (1, head[:100].decode(errors="replace").strip()))
        raise ListError(
            f"is in no format that its first lines tell, such as line {line}: `{text[:100]}`. "
            f"Name its format: {', '.join(FORMATS[1:])}."
        )
    if (format_ == "ut1") != (looks == "ut1"):
        what = "a folder or a tar archive" if format_ == "ut1" else "one file of text"
        seems = f" It looks like format `{looks}`." if looks else ""
        raise ListError(f"is not in format `{format_}`: that is {what}.{seems}")
    if format_ != "ut1" and source.only:
        raise ListError(f"is in format `{format_}`; `only` chooses folders of a list in format `ut1`.")
    if format_ != "ut1" and source.category is None:
        raise ListError(f"needs a category: it is in format `{format_}`, and only folders of `ut1` bring their own.")
    return format_


def _lists_of(source: ListSource, categories: Sequence[Category], sha256: str) -> list[ReadList]:
    counts = [sum(map(count_entries, found.blocks)) for found in categories]
    if not any(counts):
        first = max((entries for found in categories for entries in found.blocks), key=lambda one: one.ignored_count)
        raise ListError(_nothing_in(first, "ut1", None))
    lists = []
    for found, count in zip(categories, counts, strict=True):
        category = source.category or found.name
        if not category:
            raise ListError("has its files in no folder that would name the category. Set `category`.")
        name = f"{source.name}/{found.name}" if len(categories) > 1 else source.name
        notes = found.notes if count else (f"`{found.name}` holds no entry", *found.notes)
        lists.append(ReadList(name, category, sha256, "ut1", found.blocks, (), notes))
    return lists


def count_entries(entries: Entries) -> int:
    """Number of domains, prefixes and patterns."""
    return len(entries.domains) + len(entries.prefixes) + len(entries.patterns)


def _nothing_in(entries: Entries, format_: str, looks: str | None) -> str:
    letter = f"holds no entry in format `{format_}`"
    if entries.ignored:
        line, text = entries.ignored[0]
        letter += f": {entries.ignored_count:,} of its lines cannot be read, the first of them line {line}: `{text}`"
    if entries.unsupported:
        kinds = ", ".join(f"{kind} ({count:,})" for kind, count in entries.unsupported.items())
        letter += f"; what is not supported: {kinds}"
    seems = f" It looks like format `{looks}`." if looks not in (None, format_) else ""
    return f"{letter}.{seems} Check the path and the format."
