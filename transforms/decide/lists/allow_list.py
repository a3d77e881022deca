"""Read the domains that a config lets in."""

import hashlib
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from schemas.errors import ConfigError
from transforms.decide.lists.domains import read_domain
from transforms.decide.lists.entries import Entries, ReadList


def allow_list(domains: Sequence[str]) -> ReadList:
    """The list that `sources.allow` is: named `allow`, of category `allow`, its lines counted from 1.

    >>> allow_list(["b.example", "*.BÜCHER.example"]).blocks[0].domains.to_pylist()
    ['b.example', '*.xn--bcher-kva.example']

    The domains are written as in a list of format `domains`. Raises ConfigError that names every entry that is none.
    """
    read = [read_domain(domain.strip()) for domain in domains]
    wrong = [f"`{domain}`" for domain, name in zip(domains, read, strict=True) if name is None]
    if wrong:
        raise ConfigError(
            f"sources.allow: {', '.join(wrong)} is no domain; write domains such as `example.org`, "
            "without scheme, port or path."
        )
    none = np.empty(0, np.int64)
    lines = np.arange(1, len(read) + 1)
    names, no_urls = pa.array(read, pa.large_string()), pa.array([], pa.large_string())
    digest = hashlib.sha256("\n".join(domains).encode()).hexdigest()
    return ReadList(
        "allow", "allow", digest, "domains", (Entries(None, names, lines, no_urls, none, (), {}, (), 0),), (), ()
    )
