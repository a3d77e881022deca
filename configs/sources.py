"""Which sources are kept out or let in, what marks a text, and what a register says: lists, by name and path.

>>> Blocklist(name="shadow", path="shipped:blocklists/shadow_libraries.txt", category="piracy").format
'auto'
"""

import warnings
from collections.abc import Iterator
from itertools import chain
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator

from configs.shipped import PREFIX, check_shipped
from configs.values import Domain, Location, Many, Section, Text, Words, absolute

ListFormat = Literal["auto", "domains", "hosts", "dnsmasq", "adblock", "ut1", "url_prefixes", "regex"]
LISTS: Final = ("blocklists", "allowlists", "markers", "publishers")
"""The keys of `Sources` that hold lists."""
REGISTER: Final = "register:"
"""The name under which the digest of the register stands among those of lists."""
_WITH_FOLDERS: Final = ("auto", "ut1")


def _locate(path: str, info: ValidationInfo) -> str:
    return check_shipped(path) if path.startswith(PREFIX) else absolute(path, info)


ListPath = Annotated[
    str,
    Field(min_length=1),
    AfterValidator(_locate),
    Words("a path, or `shipped:` and the name of a file that comes with cleartitle"),
]


class Blocklist(Section):
    """A list of sources to keep out."""

    name: Text
    """Name by which the ledger cites the list; no two lists share one."""
    path: ListPath
    """The file; of `ut1` also a folder or an archive."""
    format: ListFormat = "auto"
    """How the file is written; `auto` looks at it. The rules say what each format may hold."""
    category: Text | None = Field(default=None, validate_default=True)
    """Why these sources are kept out, such as `piracy`; `policy.categories` says what follows, and the ledger cites it.
    Of UT1 folders null: the names of the folders are the categories."""
    only: Many[Text] = ()
    """Of a UT1 folder or archive with several categories those to take; empty: all."""

    @field_validator("category")
    @classmethod
    def _known_or_told_by_folders(cls, category: str | None, info: ValidationInfo) -> str | None:
        form = info.data.get("format", "auto")
        if category is None and form not in _WITH_FOLDERS:
            raise ValueError(f"a list of format {form} names no category of its own; say one, such as `piracy`")
        return category

    @field_validator("only")
    @classmethod
    def _with_folders(cls, only: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        form = info.data.get("format", "auto")
        if only and form not in _WITH_FOLDERS:
            raise ValueError(f"a list of format {form} has no folders to choose from; leave it out")
        return only


class Allowlist(Section):
    """A list of sources that are let in though they stand on a blocklist."""

    name: Text
    """Name by which the ledger cites the list; no two lists share one."""
    path: ListPath
    """The file; of `ut1` also a folder or an archive."""
    format: ListFormat = "auto"
    """How the file is written, as of a blocklist."""


class Markers(Section):
    """A list of phrases that mark a text, such as the stamps of pirated copies."""

    name: Text
    """Name by which the ledger cites the list; no two lists share one."""
    path: ListPath
    """The file: one phrase a line."""
    category: Text
    """What the phrases say of a text. `policy.categories` says what follows; where it does not name the category,
    `policy.signals.pirated_marker` does."""


class Publishers(Section):
    """A list of publishers by the ISBNs that are theirs."""

    name: Text
    """Name by which the ledger cites the list; no two lists share one."""
    path: ListPath
    """The file: on each line a registrant prefix such as `978-0-13`, a tab, and the publisher."""


with warnings.catch_warnings():
    # What pydantic finds shadowed is a method of the class's class, which no instance has.
    warnings.filterwarnings("ignore", 'Field name "register" in "Sources" shadows', UserWarning)

    class Sources(Section):
        """Where documents may come from, and what tells of their origin. Names of lists are distinct."""

        blocklists: Many[Blocklist] = ()
        """Lists of sources to keep out."""
        allow: Many[Domain] = ()
        """Domains, with their subdomains, that are let in though they stand on a blocklist; of a public suffix such as
        `github.io` itself alone, unless `*.` goes before it."""
        allowlists: Many[Allowlist] = ()
        """Lists of sources that are let in though they stand on a blocklist."""
        markers: Many[Markers] = ()
        """Lists of phrases to look for in texts."""
        publishers: Many[Publishers] = ()
        """Lists of publishers whose ISBNs are told apart."""
        register: Location | None = None
        """The sources register: a YAML file that says of sources by which right they are used, and how they rank."""

        @model_validator(mode="after")
        def _names_apart(self) -> Self:
            # The ledger cites the entries of `allow` under that name.
            owners = {"allow": "allow", REGISTER: "register"}
            for kind, listed in self.all_lists():
                owner = owners.setdefault(listed.name, kind)
                if owner != kind:
                    raise ValueError(
                        f"`{listed.name}` in `{kind}` is a name in `{owner}` already; give each list its own"
                    )
            return self

        def all_lists(self) -> Iterator[tuple[str, Blocklist | Allowlist | Markers | Publishers]]:
            """Every list with its key, in the order of `LISTS`."""
            return chain.from_iterable(((kind, listed) for listed in getattr(self, kind)) for kind in LISTS)
