"""Find statements that all rights are reserved, in about forty languages."""

from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.batches import Strings
from transforms.kernels.overlaps import apart
from transforms.measure.rights.findings import Detector, Found, Hits, find_spans, undeclared
from transforms.measure.rights.reserved_words import PHRASES, Phrases
from transforms.measure.rights.triggers import spellings

PHRASE_BYTES = 200
"""The longest phrases have less."""


_OPENINGS: Final = tuple(
    (language, case) for language, phrases in PHRASES.items() for case in spellings(phrases.openings)
)
_LANGUAGES: Final = np.array([language for language, _ in _OPENINGS])


def _find(texts: Strings, hits: Hits) -> Found:
    spoken = _LANGUAGES[hits.triggers]
    found = [
        _find_phrases(texts, hits.only(spoken == language), language) for language in PHRASES if language in spoken
    ]
    rows, starts, ends = (np.concatenate([part[i] for part in found]) for i in (0, 2, 3))
    return Found(rows, pa.concat_arrays([part.values for part in found]), starts, ends)


def _find_phrases(texts: Strings, hits: Hits, language: str) -> Found:
    pattern = _pattern(PHRASES[language])
    starts, ends = find_spans(texts, hits.rows, hits.starts, hits.starts + PHRASE_BYTES, pattern)["phrase"]
    chosen = (ends >= 0) & ~_after_letter(texts, hits)
    rows, starts, ends = hits.rows[chosen], starts[chosen], ends[chosen]
    chosen = apart(starts, ends)
    values = pa.array([language]).take(pa.array(np.zeros(np.count_nonzero(chosen), np.int64)))
    return Found(rows[chosen], values, starts[chosen], ends[chosen])


def _after_letter(texts: Strings, hits: Hits) -> npt.NDArray[np.bool_]:
    """Whether an ASCII letter stands before a hit: it is the end of a word then."""
    before = texts.data[np.maximum(hits.starts - 1, 0)] & 0xDF
    return (hits.starts > texts.offsets[hits.rows]) & (before >= ord("A")) & (before <= ord("Z"))


def _pattern(phrases: Phrases) -> str:
    words = phrases.words.replace(" ", r"\s+")
    return rf"(?i)^(?P<phrase>{words})"


RESERVED: Final = Detector(tuple(case for _, case in _OPENINGS), _find, undeclared)
"""Values are tags of languages (BCP 47). White space may be any behind the first words; exceptions are not read."""
