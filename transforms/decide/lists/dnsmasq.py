"""Read what configurations of dnsmasq say of domains.

>>> import io
>>> from transforms.decide.lists.gather_entries import gather_entries
>>> from transforms.decide.lists.lines import line_blocks
>>> text = b"server=/a.example/\\naddress=/b.example/c.example/0.0.0.0\\nserver=/d.example/192.0.2.53\\n"
>>> blocked, _ = gather_entries(line_blocks(io.BytesIO(text)), DNSMASQ)
>>> blocked.domains.to_pylist(), blocked.unsupported
(['a.example', 'b.example', 'c.example'], {'server= with an upstream': 1})
"""

import re
from collections.abc import Sequence
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from transforms.decide.lists.domains import NAME, PUNYCODE, cut_names, say_domain
from transforms.decide.lists.gather_entries import UNREADABLE, Plain, Said, Syntax

_OPTION: Final = re.compile(r"([a-z0-9][a-z0-9-]*)\s*(?:=\s*(.*))?")
_COMMENT: Final = re.compile(r"(?:^|\s)#.*")


def before_spaced_sign(line: str) -> str:
    """A line without its comment, which begins at a `#` at the start or behind a blank."""
    return _COMMENT.sub("", line, count=1)


def _read(text: str) -> Sequence[Said]:
    """`server=/a/`, `local=/a/` and `address=/a/anything` answer no query for a domain as the DNS would.

    `server=/a/upstream` does: it only names who shall be asked.
    """
    option = _OPTION.fullmatch(text)
    if not option:
        return UNREADABLE
    name, value = option[1], option[2] or ""
    if name not in ("server", "local", "address"):
        return (Said("unsupported", f"option {name}"),)
    if not (value.startswith("/") and value.count("/") > 1):
        return (Said("unsupported", f"{name}= without a domain"),)
    *domains, target = value[1:].split("/")
    if target and name != "address":
        return (Said("unsupported", f"{name}= with an upstream"),)
    return tuple(said for domain in domains for said in say_domain(domain))


def _cut(lines: pa.Array) -> pa.Array:
    return cut_names(pc.list_element(pc.split_pattern(lines, "/", max_splits=2), 1))


DNSMASQ: Final = Syntax(
    before_spaced_sign,
    _read,
    Plain("domain", rf"^(?:(?:server|local)=/\.?{NAME}/|address=/\.?{NAME}/[0-9A-Fa-f.:#]*)[ \t\n]*$", PUNYCODE, _cut),
)
