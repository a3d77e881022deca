"""Digest entries: what an index leads to, as a sum that does not depend on the order, by part.

>>> keys, rows = np.array([5, 7, 7]), np.array([0, 0, 1])
>>> one, other = Entries.of(keys, np.zeros(3, np.int64), rows), Entries()
>>> for at in (2, 0, 1):
...     other.add(Entries.of(keys[[at]], np.array([0]), rows[[at]]))
>>> one == other, one.counts
(True, {0: 3})

Two sets of entries with equal sums are the same but for a chance of one in 2**64. So an index of any size is compared
with its ledger in the memory of one batch.
"""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

I64 = npt.NDArray[np.int64]

MOST_ENTRIES = 1 << 20
"""Entries that are digested at once: sums of so many halves of 64 bits are exact in a float64."""
_STEP, _TURN, _MIX = (np.uint64(n) for n in (0x9E3779B97F4A7C15, 0xD6E8FEB86659FD93, 0xBF58476D1CE4E5B9))
_LOW = np.uint64(0xFFFFFFFF)
_MODULUS = 1 << 64


@dataclass
class Entries:
    """Number of entries by part, and the sum of their hashes modulo 2**64."""

    counts: dict[int, int] = field(default_factory=dict)
    sums: dict[int, int] = field(default_factory=dict)

    @classmethod
    def of(
        cls, keys: npt.NDArray[np.integer], parts: npt.NDArray[np.integer], rows: npt.NDArray[np.integer]
    ) -> "Entries":
        """Digest at most `MOST_ENTRIES` entries: keys of up to 64 bits, parts from 0, and rows, of shape (entries,)."""
        mixed = keys.astype(np.uint64) * _STEP + rows.astype(np.uint64) * _TURN
        mixed = (mixed ^ (mixed >> np.uint64(31))) * _MIX
        mixed ^= mixed >> np.uint64(29)
        found, place = np.unique(parts, return_inverse=True)
        count = np.bincount(place, minlength=len(found))
        low, high = (np.bincount(place, half.astype(np.float64)) for half in (mixed & _LOW, mixed >> np.uint64(32)))
        sums = [(int(a) + (int(b) << 32)) % _MODULUS for a, b in zip(low, high, strict=True)]
        numbers = found.tolist()
        return cls(dict(zip(numbers, count.tolist(), strict=True)), dict(zip(numbers, sums, strict=True)))

    def add(self, other: "Entries") -> None:
        for part, count in other.counts.items():
            self.counts[part] = self.counts.get(part, 0) + count
            self.sums[part] = (self.sums.get(part, 0) + other.sums[part]) % _MODULUS
