"""Query values: what is looked for, in the form in which the ledger holds it.

>>> from lineage.lookups.queries import as_queries
>>> queries = as_queries({"url": "HTTP://A.example:80/b#c", "isbn": "0-13-110362-8"})
>>> [wanted.values.to_pylist() for wanted in normal_values(queries)]
[['a.example/b'], ['9780131103627']]
"""

import re
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple
from urllib.parse import unquote

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from lineage.lookups.queries import Query, refuse
from transforms.part_store import open_input
from transforms.urls import normal_urls, url_names

_HOST: Final = r"^(?:\[[0-9A-Fa-f:.]+\]|[^\s/?#@:\\\[\]]+)$"
_DOC_ID: Final = r"^[0-9a-f]{32}$"
_ISBN: Final = r"^(?:[0-9]\D{0,2}){9}(?:(?:[0-9]\D{0,2}){3}[0-9]|[0-9Xx])$"
_CALLED_ISBN: Final = r"(?i)^isbn(?:-1[03])?:?\s*"
"""What stands before a number that was copied with its name."""
_DOI_RESOLVER: Final = re.compile(r"(?:https?://)?(?:(?:dx|www)\.)?doi\.org/|doi:\s*", re.IGNORECASE)


class Wanted(NamedTuple):
    """All queries by one selector."""

    selector: str
    queries: npt.NDArray[np.int32]
    """Their numbers, int32 of shape (queries,), ascending."""
    written: pa.Array
    """Their values as given, string, blanks round them cut off where they mean nothing; of `warc`, the files."""
    values: pa.Array
    """The same in the form of the ledger; of texts, the texts."""
    offsets: pa.Array
    """Of `warc`: int64, null for all records of a file."""


class _Form(NamedTuple):
    """The form of the values of a selector."""

    normal: Callable[[pa.Array], pa.Array]
    """From strings as given; null where one is unusable."""
    why: Callable[[str], str]
    """Why a value is unusable, and what is expected."""
    trims: bool = True
    """Whether blanks round a value mean nothing."""


def normal_values(queries: Sequence[Query]) -> list[Wanted]:
    """The queries by selector, in the order in which selectors first come.

    Raises UsageError, naming every query whose value cannot be one of its kind.
    """
    numbers: dict[str, list[int]] = {}
    for number, query in enumerate(queries):
        numbers.setdefault(query.selector, []).append(number)
    found, unusable = [], []
    for selector, mine in numbers.items():
        written = pa.array([_trimmed(queries[number]) for number in mine], pa.string())
        values = _FORMS[selector].normal(written)
        offsets = pa.array([queries[number].offset for number in mine], pa.int64())
        found.append(Wanted(selector, np.array(mine, np.int32), written, values, offsets))
        unusable += [mine[i] for i in np.flatnonzero(np.asarray(values.is_null()))]
    asked = [queries[number] for number in sorted(unusable)]
    refuse([query.fault(_FORMS[query.selector].why(_trimmed(query))) for query in asked])
    return found


def _trimmed(query: Query) -> str:
    return query.value.strip() if _FORMS[query.selector].trims else query.value


def _as_given(values: pa.Array) -> pa.Array:
    return values


def _hosts(values: pa.Array) -> pa.Array:
    return _only(_parsed_hosts(values)["url_host_name"], pc.match_substring_regex(values, _HOST))


def _domains(values: pa.Array) -> pa.Array:
    hosts = _hosts(values)
    domains = _parsed_hosts(values)["url_host_registered_domain"]
    return _only(domains, pc.equal(domains, hosts))


def _parsed_hosts(values: pa.Array) -> dict[str, pa.Array]:
    return url_names(pc.binary_join_element_wise("http://", values, "/", ""))


def _why_no_domain(value: str) -> str:
    values = pa.array([value])
    host, domain = _hosts(values)[0].as_py(), _parsed_hosts(values)["url_host_registered_domain"][0].as_py()
    if host and domain:
        return f"its registered domain is `{domain}`; ask for that one, or for `{host}` as a host"
    return "expected a registered domain such as `example.org`; for other names ask for a host"


def _doc_ids(values: pa.Array) -> pa.Array:
    lower = pc.ascii_lower(values)
    return _only(lower, pc.match_substring_regex(lower, _DOC_ID))


def _isbns(values: pa.Array) -> pa.Array:
    from transforms.measure.rights.identifiers import ISBN  # reads a number as in a text; a tenth of a second to load

    numbers = pc.replace_substring_regex(values, _CALLED_ISBN, "")
    return _only(ISBN.declared(numbers), pc.match_substring_regex(numbers, _ISBN))


def _dois(values: pa.Array) -> pa.Array:
    plain = [unquote(_DOI_RESOLVER.sub("", value, count=1)).lower() for value in values.to_pylist()]
    declared = _declared_dois(values)
    return _only(declared, pc.equal(declared, pa.array(plain, pa.string())))


def _declared_dois(values: pa.Array) -> pa.Array:
    from transforms.measure.rights.identifiers import DOI  # as for ISBNs

    return DOI.declared(values)


def _why_no_doi(value: str) -> str:
    declared = _declared_dois(pa.array([value]))[0].as_py()
    if declared:
        return f"where a document has that, `{declared}` is recorded; ask for it"
    return "expected `10.`, four to nine digits, `/` and a name, such as `10.1000/182`, with or without resolver"


def _file_texts(values: pa.Array) -> pa.Array:
    return pa.array([_read_text(path)[0] for path in values.to_pylist()], pa.large_string())


def _read_text(path: str) -> tuple[str | None, str]:
    """The text of a file; or None, and why there is none."""
    try:
        with open_input(path) as file:
            text = file.read().decode("utf-8-sig")
    except OSError as error:
        return None, f"it cannot be read: {error.strerror or error}"
    except UnicodeDecodeError as error:
        return None, f"expected a text in UTF-8, but byte {error.start} is none"
    return (text, "") if text.strip() else (None, "the file is empty")


def _only(values: pa.Array, usable: pa.Array) -> pa.Array:
    """The values where they are usable, null elsewhere."""
    return pc.if_else(pc.fill_null(usable, False), values, pa.scalar(None, values.type))


def _always(words: str) -> Callable[[str], str]:
    return lambda _: words


_FORMS: Final = {
    "url": _Form(normal_urls, _always("expected an http or https URL with a host")),
    "url_prefix": _Form(normal_urls, _always("expected the beginning of an http or https URL, a whole host at least")),
    "host": _Form(_hosts, _always("expected a host alone, such as `www.example.org`")),
    "domain": _Form(_domains, _why_no_domain),
    "doc_id": _Form(_doc_ids, _always("expected 32 hex digits")),
    "record_id": _Form(lambda values: values, _always("expected a text"), trims=False),
    "warc": _Form(_as_given, _always("expected a file"), trims=False),
    "isbn": _Form(_isbns, _always("expected 10 or 13 digits, the last of which checks the others")),
    "doi": _Form(_dois, _why_no_doi),
    "text": _Form(_as_given, _always("expected a text"), trims=False),
    "text_file": _Form(_file_texts, lambda path: _read_text(path)[1], trims=False),
}
