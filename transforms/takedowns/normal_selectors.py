"""Selectors in the form in which the columns of documents have them, so that equal means equal.

>>> normal = normal_selectors(Selectors(isbns=("0-13-110362-8",), domains=("Bücher.example.",)))
>>> normal["isbns"].to_pylist(), normal["domains"].to_pylist(), normal["urls"].to_pylist()
(['9780131103627'], ['xn--bcher-kva.example'], [])
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
import pyarrow as pa

from configs.takedown import Selectors, TakedownRequest
from configs.words import in_yaml, keys_of, words
from transforms.decide.lists.domains import read_domain
from transforms.measure.rights.identifiers import ISBN
from transforms.urls import normal_urls, url_columns

NORMAL: Final = ("urls", "domains", "isbns", "doc_ids")
"""The kinds of selectors that have such a form."""
_WORDS: Final = {"urls": "an http or https URL", "isbns": "an ISBN whose check digit is right"}
"""What is expected, where the shape of the text does not say it all."""


def normal_selectors(selectors: Selectors) -> dict[str, pa.Array]:
    """By kind, string arrays as long as the selectors of that kind; null where a selector is unusable.

    * `urls`: what `normal_urls` gives.
    * `domains`: as `url_host_name`; the document's is equal to it, or ends with a dot and it.
    * `isbns`: 13 digits, as `value` in the column `isbns`.
    * `doc_ids`: as in the ledger.
    """
    written = {kind: pa.array(getattr(selectors, kind), pa.string()) for kind in NORMAL}
    return written | {
        "urls": normal_urls(written["urls"]),
        "domains": pa.array([read_domain(domain) for domain in selectors.domains], pa.string()),
        "isbns": ISBN.declared(written["isbns"]),
    }


def list_unusable(selectors: Selectors) -> Iterator[str]:
    """A sentence for each selector that can name nothing, or nobody's: no URL, a wrong ISBN, a domain like `co.uk`."""
    keys = keys_of(TakedownRequest)
    normal = normal_selectors(selectors)
    for kind, values in normal.items():
        expected = _WORDS.get(kind, words(keys[f"selectors.{kind}[]"]))
        for number in np.flatnonzero(np.asarray(values.is_null())).tolist():
            written = in_yaml(getattr(selectors, kind)[number])
            yield f"`selectors.{kind}.{number}`: expected {expected}, got {written}"
    for number in _public_suffixes(normal["domains"]):
        yield (
            f"`selectors.domains.{number}`: under {normal['domains'][number]} anybody may register a domain, "
            "so it is nobody's; name the domains or hosts below it"
        )


def _public_suffixes(domains: pa.Array) -> list[int]:
    """Places of names such as `co.uk`, to which no registered domain belongs; addresses are none of them."""
    names = domains.to_pylist()
    urls = pa.array([name and f"http://{name}/" for name in names], pa.string())
    registered = url_columns(urls)["url_host_registered_domain"].to_pylist()
    return [i for i, name in enumerate(names) if name and registered[i] is None and not _is_address(name)]


def _is_address(host: str) -> bool:
    return host.startswith("[") or host.rpartition(".")[2].isdigit()
