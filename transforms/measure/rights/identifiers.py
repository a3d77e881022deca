"""Identifiers of what was published: ISBN, ISSN, DOI and arXiv.

>>> ISBN.declared(pa.array(["978-0-13-110362-7", "0131103628", "1234567890"])).to_pylist()
['9780131103627', '9780131103627', None]
>>> DOI.declared(pa.array(["https://doi.org/10.1000/ABC.1"])).to_pylist()
['10.1000/abc.1']
"""

from functools import partial
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.batches import Strings
from transforms.kernels.book_numbers import find_bare_isbns, find_numbers
from transforms.kernels.doi_names import find_dois, normal_dois
from transforms.measure.rights.choose_findings import Find, first_declared, without_overlaps
from transforms.measure.rights.findings import Detector, Found, Hits, cut, find_spans

_LABEL: Final = 0
"""Index of the trigger that is a label, in those of ISBN; the others begin a number."""
_ISBN_TRIGGERS: Final = (b"isbn", b"978", b"979")
_ISSN_TRIGGERS: Final = (b"issn",)
_DOI_TRIGGERS: Final = tuple(b"10.%d" % digit for digit in range(1, 10))
_ARXIV_TRIGGERS: Final = (b"arxiv",)

_ARXIV_BYTES: Final = 64
_MONTH: Final = "(?:0[1-9]|1[0-2])"
_ARCHIVES: Final = (
    "acc-phys|adap-org|alg-geom|ao-sci|astro-ph|atom-ph|bayes-an|chao-dyn|chem-ph|cmp-lg|comp-gas|cond-mat|cs|dg-ga"
    "|funct-an|gr-qc|hep-ex|hep-lat|hep-ph|hep-th|math|math-ph|mtrl-th|nlin|nucl-ex|nucl-th|patt-sol|physics|plasm-ph"
    "|q-alg|q-bio|quant-ph|solv-int|stat|supr-con"
)
# Identifiers as https://info.arxiv.org/help/arxiv_identifier.html has them: since 1501 of five digits, from 0704 on of
# four, before of an archive and seven digits.
_ARXIV: Final = (
    r"^(?i:arxiv)(?:\.org/(?:abs|pdf|html|format|ps|e-print)/|\.|[ \xA0]?:?[ \xA0]?)"
    rf"(?P<id>(?:(?:1[5-9]|[2-9][0-9]){_MONTH}\.[0-9]{{5}}|(?:0[7-9]|1[0-4]){_MONTH}\.[0-9]{{4}}"
    rf"|(?:{_ARCHIVES})(?:\.[A-Za-z]{{2}})?/(?:9[1-9]|0[0-7]){_MONTH}[0-9]{{3}})(?:v[1-9][0-9]?)?)(?:[^0-9A-Za-z]|$)"
)
# What sites hang on to a DOI in the addresses of their pages.
_DOI_TAIL: Final = (
    r"(?i)^(10\.[0-9.]+(?:/|%2F).+?)"
    r"(?:(?:v[0-9]+)?\.full|\.(?:pdf|html?|xml|epub)|/(?:full|fulltext|abstract|e?pdf|html|meta))+$"
)


def _find_isbns(texts: Strings, hits: Hits) -> Found:
    labels, bare = hits.only(hits.triggers == _LABEL), hits.only(hits.triggers != _LABEL)
    first, stop = texts.offsets[bare.rows], texts.offsets[bare.rows + 1]
    pairs = [
        (labels, find_numbers(texts.data, texts.offsets[labels.rows + 1], labels.stops, False)),
        (bare, find_bare_isbns(texts.data, first, stop, bare.starts)),
    ]
    rows = np.concatenate([some.rows[numbers[:, 0]] for some, numbers in pairs])
    _, starts, ends, values = np.concatenate([numbers for _, numbers in pairs]).T
    return without_overlaps(Found(rows, pa.array(values).cast(pa.string()), starts, ends))


def _find_issns(texts: Strings, hits: Hits) -> Found:
    hit, starts, ends, numbers = find_numbers(texts.data, texts.offsets[hits.rows + 1], hits.stops, True).T
    leading, check = np.divmod(numbers, 100)
    digits = pc.utf8_lpad(pa.array(leading).cast(pa.string()), 7, "0")
    checks = pa.array([*"0123456789X"]).take(pa.array(check))
    halves = pc.utf8_slice_codeunits(digits, 0, 4), pc.utf8_slice_codeunits(digits, 4)
    last = pc.binary_join_element_wise(halves[1], checks, "")
    return Found(hits.rows[hit], pc.binary_join_element_wise(halves[0], last, "-"), starts, ends)


def _find_dois(texts: Strings, hits: Hits) -> Found:
    ends = find_dois(texts.data, texts.offsets[hits.rows], texts.offsets[hits.rows + 1], hits.starts)
    found = ends >= 0
    rows, starts, ends = hits.rows[found], hits.starts[found], ends[found]
    written = pc.replace_substring_regex(cut(texts, rows, starts, ends), _DOI_TAIL, r"\1")
    ends = starts + pc.binary_length(written).to_numpy()
    data, offsets = normal_dois(texts.data, starts, ends)
    names = pa.Array.from_buffers(pa.large_string(), len(rows), [None, pa.py_buffer(offsets), pa.py_buffer(data)])
    return without_overlaps(Found(rows, names.cast(pa.string()), starts, ends))


def _find_arxiv_ids(texts: Strings, hits: Hits) -> Found:
    """The label may stand inside a word, as in `10.48550/arXiv.2101.00001`."""
    starts, ends = find_spans(texts, hits.rows, hits.starts, hits.starts + _ARXIV_BYTES, _ARXIV)["id"]
    found = ends >= 0
    rows, starts, ends = hits.rows[found], starts[found], ends[found]
    return Found(rows, cut(texts, rows, starts, ends).cast(pa.string()), starts, ends)


def _detector(find: Find, triggers: tuple[bytes, ...], label: str) -> Detector:
    return Detector(triggers, find, partial(first_declared, find, triggers, label))


ISBN: Final = _detector(_find_isbns, _ISBN_TRIGGERS, "ISBN ")
"""Values are the thirteen digits; an ISBN of ten digits is found only behind a label."""
ISSN: Final = _detector(_find_issns, _ISSN_TRIGGERS, "ISSN ")
"""Values are written `1234-5679`."""
DOI: Final = _detector(_find_dois, _DOI_TRIGGERS, "doi:")
"""Values are decoded and in lower case, as DOIs that differ in case are the same."""
ARXIV: Final = _detector(_find_arxiv_ids, _ARXIV_TRIGGERS, "arXiv:")
"""Values are as written, with the version if it is named."""
