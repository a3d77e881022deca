"""Texts with rights signals, and the columns of a few of them."""

from typing import Any

import numpy as np
import pyarrow as pa

from schemas.structs import PAGE_SIGNAL
from transforms.batches import Strings, strings
from transforms.measure.rights.find_rights import find_rights
from transforms.measure.rights.findings import cut
from transforms.measure.rights.notices import TRIGGERS, find_notices
from transforms.measure.rights.triggers import find_triggers


def view(*texts: str | bytes | None) -> Strings:
    """A column of texts as the detectors see it; not at the start of its buffer, as after a slice."""
    rows = [b"before ", *(text.encode() if isinstance(text, str) else text for text in texts), b" after"]
    offsets = np.cumsum([0, *(len(row or b"") for row in rows)]).astype(np.int64)
    data = np.frombuffer(b"".join(row or b"" for row in rows), np.uint8)
    assert strings(pa.array(["x"])).offsets.dtype == offsets.dtype
    return Strings(data, offsets[1:-1])


def rights(*texts: str | None, signals: list[Any] | None = None) -> dict[str, list[Any]]:
    """The columns of RIGHTS of some texts, as Python lists."""
    page = pa.array(signals if signals is not None else [None] * len(texts), pa.list_(PAGE_SIGNAL))
    columns = find_rights(pa.array(texts, pa.large_string()), page)
    return {name: column.to_pylist() for name, column in columns.items()}


def signal(
    kind: str, value: str | None = None, source: str = "meta:x", agent: str | None = None
) -> dict[str, str | None]:
    return {"kind": kind, "value": value, "agent": agent, "source": source}


def statements(*texts: str | bytes | None) -> list[tuple[str, list[int], str | None]]:
    """Statement, years and holder of the notices of texts."""
    batch = view(*texts)
    found = find_notices(batch, find_triggers(batch, {"": TRIGGERS})[""])
    words = cut(batch, found.rows, found.starts, found.ends).to_pylist()
    holders = cut(batch, found.rows, found.holder_starts, found.holder_ends).to_pylist()
    years = np.split(found.years, found.year_offsets[1:-1]) if words else []
    named = (found.holder_starts >= 0).tolist()
    return [
        (statement, own.tolist(), holder if there else None)
        for statement, own, holder, there in zip(words, years, holders, named, strict=True)
    ]
