"""Sets of shingles of whole texts, to check similarities that the ledger claims."""

from fractions import Fraction

import numpy as np

from transforms.kernels.shingles import hash_shingles, make_room


def shingle_set(text: str, n: int = 5) -> frozenset[int]:
    """The hashes of all word n-grams of a text, in one go."""
    raw = text.encode()
    room = make_room(len(raw), n)
    count = hash_shingles(np.frombuffer(raw, np.uint8), 0, len(raw), n, 0, room)[2] if raw else 0
    return frozenset(room.shingles[:count].tolist())


def jaccard(a: frozenset[int], b: frozenset[int]) -> Fraction:
    return Fraction(len(a & b), len(a | b)) if a or b else Fraction(0)
