"""Which bands and rows a similarity asks for, and which pairs they find.

>>> choose_bands(0.8, 128)
(9, 13)
>>> candidate_curve(9, 13)
{'0.5': 0.001, '0.6': 0.012, '0.7': 0.084, '0.8': 0.399, '0.9': 0.929, '1.0': 1.0}

Two documents of Jaccard similarity s have r equal rows in a band with probability s^r, so at least one equal band of b
with probability 1 - (1 - s^r)^b: section 3.4 of Leskovec, Rajaraman, Ullman, Mining of Massive Datasets.
"""

import math
from functools import cache
from typing import Final

import numpy as np

_DIGITS: Final = 12
"""Errors equal to so many digits are equal: rounding must not choose, lest two machines choose differently."""


def candidate_probability(similarity: float, bands: int, rows: int) -> float:
    """Probability that two documents of this Jaccard similarity, 0 to 1, are candidates: 1 - (1 - s^rows)^bands."""
    return 1 - (1 - similarity**rows) ** bands


def candidate_curve(bands: int, rows: int) -> dict[str, float]:
    """`candidate_probability` at the similarities 0.5, 0.6 to 1.0, which are the keys, to three digits."""
    return {f"{tenths / 10:.1f}": round(candidate_probability(tenths / 10, bands, rows), 3) for tenths in range(5, 11)}


@cache
def choose_bands(threshold: float, permutations: int) -> tuple[int, int]:
    """The bands and rows, of at most `permutations` values in all, with the least error at `threshold`, 0 to 1.

    The error is the area under the curve of candidates below the threshold, where it should be 0, and above it up to
    1, where it is short of 1; both count alike. This is the choice of datasketch's `MinHashLSH` with its default
    weights. Of equal errors, as 2 permutations have at 0.5, the fewest bands win, then the fewest rows. Time grows a
    little faster than the square of `permutations`: 0.2 s for 1000.
    """
    # The curve is a polynomial in s of at most this degree, and n nodes integrate those below 2n without error.
    nodes, weights = np.polynomial.legendre.leggauss(permutations // 2 + 1)
    unit = (nodes + 1) / 2
    below, above = unit * threshold, threshold + unit * (1 - threshold)
    least, best = math.inf, (0, 0)
    for bands in range(1, permutations + 1):
        rows = np.arange(1, permutations // bands + 1)[:, None]
        found = (1 - (1 - below**rows) ** bands) @ weights * threshold
        missed = (1 - above**rows) ** bands @ weights * (1 - threshold)
        error = np.round(found + missed, _DIGITS)
        row = int(error.argmin())
        if error[row] < least:
            least, best = float(error[row]), (bands, row + 1)
    return best
