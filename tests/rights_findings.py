"""What a detector of rights signals finds in texts, as plain tuples."""

import numpy as np
import pyarrow as pa

from transforms.batches import strings
from transforms.measure.rights.findings import Detector
from transforms.measure.rights.triggers import find_triggers

Finding = tuple[str, int, int]
"""Value, start, end."""


def find_in(detector: Detector, *texts: str | bytes | None) -> list[list[Finding]]:
    """The findings in each text, by start; texts are a batch that is itself a slice of a larger one."""
    raw = [text.encode() if isinstance(text, str) else text for text in texts]
    column = pa.array([b"ISBN arXiv:", *raw, b"10.1 978"], pa.large_binary()).view(pa.large_string())
    view = strings(column[1:-1])
    hits = find_triggers(view, {"": detector.triggers})[""]
    listed: list[list[Finding]] = [[] for _ in texts]
    if not hits.rows.size:
        return listed
    found = detector.find(view, hits)
    assert found.values.type == pa.string()
    assert found.values.null_count == 0
    starts, ends = found.starts - view.offsets[found.rows], found.ends - view.offsets[found.rows]
    assert np.all((starts >= 0) & (starts < ends) & (found.ends <= view.offsets[found.rows + 1]))
    rows = zip(found.rows.tolist(), found.values.to_pylist(), starts.tolist(), ends.tolist(), strict=True)
    for row, value, start, end in sorted(rows, key=lambda one: one[2]):
        listed[row].append((value, start, end))
    return listed


def values_in(detector: Detector, text: str) -> list[str]:
    return [value for value, _, _ in find_in(detector, text)[0]]


def written_in(detector: Detector, text: str) -> list[tuple[str, str]]:
    """Each value with the words of the text that it was read from."""
    raw = text.encode()
    return [(value, raw[start:end].decode()) for value, start, end in find_in(detector, text)[0]]
