"""Read lists of domains: one a line, in any of the spellings that lists have.

>>> import io
>>> from transforms.decide.lists.gather_entries import gather_entries
>>> from transforms.decide.lists.lines import line_blocks
>>> text = b"# mirrors\\nExample.org\\n*.b\\xc3\\xbccher.example # all of it\\n0.0.0.0 a.com\\n"
>>> blocked, _ = gather_entries(line_blocks(io.BytesIO(text)), DOMAINS)
>>> blocked.domains.to_pylist(), blocked.domain_lines.tolist(), blocked.ignored
(['example.org', '*.xn--bcher-kva.example'], [2, 3], ((4, '0.0.0.0 a.com'),))
"""

import re
from collections.abc import Sequence
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
from ada_url import URL, HostType

from transforms.decide.lists.gather_entries import UNREADABLE, Plain, Said, Syntax
from transforms.decide.lists.host_patterns import exact_host, host_regex, host_substring
from transforms.decide.lists.regex_faults import syntax_fault

NAME: Final = r"(?:[A-Za-z0-9_-]+\.)+[A-Za-z]{2,}"
"""A name that browsers take as it is, but for its case, if it has no punycode in it."""
PUNYCODE: Final = r"(?i)xn--"

_DOMAIN: Final = re.compile(r"(?:[a-z0-9_-]+\.)+[a-z0-9_-]+")
_TOP: Final = re.compile(r"[a-z]{2,}|xn--[a-z0-9-]+")
_IPV6: Final = re.compile(r"\[?[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*\]?")
_NEVER: Final = re.compile(r"[\s/\\?#@:%]")
"""What a URL parser would read as something else than a host, or skip."""
_NAME_CHARACTERS: Final = 253
"""Of a domain name, at most (RFC 1035); the time to write one in punycode grows with the square of its length."""
_PREFIXED: Final = re.compile(r"(full|domain|keyword|regexp|include):(.*)")


def read_domain(text: str) -> str | None:
    """A domain or IP address as `url_host_name` has it; None if it is none.

    `*.` or `.` in front becomes `*.`; only then a top-level domain will do, and never an address. Case means nothing, a
    dot at the end either; IDNs may be written in either form. An IPv4 address is four decimal numbers, an IPv6 address
    has brackets or not.
    """
    wild = re.match(r"\*?\.", text)
    name = text[wild.end() if wild else 0 :].removesuffix(".")
    address = _IPV6.fullmatch(name)
    if address:
        name = name if name.startswith("[") else f"[{name}]"
    elif _NEVER.search(name) or (len(name) > _NAME_CHARACTERS and not name.isascii()):
        return None
    try:
        parsed = URL(f"http://{name}/")
    except ValueError:
        return None
    host = parsed.hostname
    if address or parsed.host_type == HostType.IPV4:
        # Short and hexadecimal forms of IPv4, such as 1.2 and 0x7f.1, are more likely a mistake.
        return host if not wild and (address or host == name) else None
    if wild and (_TOP.fullmatch(host) or _DOMAIN.fullmatch(host)):
        return f"*.{host}"
    return host if not wild and _DOMAIN.fullmatch(host) else None


def say_domain(text: str) -> Sequence[Said]:
    """What a domain says that stands alone."""
    domain = read_domain(text)
    return UNREADABLE if domain is None else (Said("domain", domain),)


def cut_names(names: pa.Array) -> pa.Array:
    """Domains from plain names with blanks and line feeds around them, a dot at the end, `*.` or `.` in front."""
    names = pc.ascii_lower(pc.ascii_rtrim(pc.ascii_trim(names, characters=" \t\n"), characters="."))
    dotted = pc.starts_with(names, ".")
    return pc.replace_substring_regex(names, r"^\.", "*.") if pc.any(dotted).as_py() else names


def before_sign(line: str) -> str:
    """A line without its comment, which begins at `#`."""
    return line.partition("#")[0]


def _read(text: str) -> Sequence[Said]:
    """Also what the domain lists of v2fly have: `full:`, `domain:`, `keyword:`, `regexp:`, and `@attributes` behind."""
    text = _without_attributes(text)
    prefixed = _PREFIXED.fullmatch(text)
    if not prefixed:
        return say_domain(text)
    kind, value = prefixed[1], prefixed[2].strip()
    if kind == "include":
        return (Said("unsupported", "include:"),)
    if kind == "regexp":
        fault = syntax_fault(value) if value else "it is empty"
        return (Said("unreadable", fault) if fault else Said("pattern", host_regex(value)),)
    if kind == "keyword":
        return (Said("pattern", host_substring(value)),) if value else UNREADABLE
    domain = read_domain(value)
    if kind == "domain" or domain is None:
        return say_domain(value)
    return (Said("pattern", exact_host(domain)),)


def _without_attributes(text: str) -> str:
    words = text.split()
    while len(words) > 1 and words[-1].startswith(("@", "&")):
        words.pop()
    return " ".join(words)


DOMAINS: Final = Syntax(
    before_sign, _read, Plain("domain", rf"^[ \t]*(?:\*?\.)?{NAME}\.?[ \t\n]*$", PUNYCODE, cut_names)
)
