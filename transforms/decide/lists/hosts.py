"""Read hosts files: an address, and the names that it is given.

>>> import io
>>> from transforms.decide.lists.gather_entries import gather_entries
>>> from transforms.decide.lists.lines import line_blocks
>>> text = b"127.0.0.1 localhost\\n0.0.0.0 a.example b.example # twins\\n"
>>> blocked, _ = gather_entries(line_blocks(io.BytesIO(text)), HOSTS)
>>> blocked.domains.to_pylist(), blocked.domain_lines.tolist()
(['a.example', 'b.example'], [2, 2])
"""

import ipaddress
from collections.abc import Iterator, Sequence
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from transforms.decide.lists.domains import NAME, PUNYCODE, before_sign, cut_names, read_domain
from transforms.decide.lists.gather_entries import UNREADABLE, Plain, Said, Syntax

_NOWHERE: Final = r"^[ \t]*(?:0\.0\.0\.0|127\.0\.0\.1|::1?)[ \t]+"
"""The addresses that nearly all such lists give."""
_OWN: Final = frozenset([
    "localhost", "localhost.localdomain", "localhost4", "localhost4.localdomain4", "localhost6",
    "localhost6.localdomain6", "local", "broadcasthost", "0.0.0.0", "127.0.0.1", "255.255.255.255", "::", "::1",
])  # fmt: skip
"""Names and addresses of the machine itself, with which hosts files begin."""


def _read(text: str) -> Sequence[Said]:
    address, *names = text.split()
    return tuple(_say(names)) if names and _is_address(address) else UNREADABLE


def _say(names: Sequence[str]) -> Iterator[Said]:
    for name in names:
        if name.lower() in _OWN or name.lower().startswith("ip6-"):
            continue
        domain = read_domain(name)
        yield Said("unreadable", f"{name[:100]} is no domain") if domain is None else Said("domain", domain)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _cut(lines: pa.Array) -> pa.Array:
    return cut_names(pc.replace_substring_regex(lines, _NOWHERE, "", max_replacements=1))


HOSTS: Final = Syntax(
    before_sign, _read, Plain("domain", rf"{_NOWHERE}{NAME}\.?[ \t\n]*$", rf"{PUNYCODE}|localdomain|[ \t]ip6-", _cut)
)
