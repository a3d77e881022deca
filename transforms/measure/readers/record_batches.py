"""Collect documents that were read one by one into Arrow record batches of `RECORDS`.

>>> row = {"locator": "@0", "text": "one", "source_file": "a.warc", "source_position": 0}
>>> [batch.num_rows for batch in batch_rows([row, row])]
[2]
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

import pyarrow as pa

from schemas.columns import RECORDS, TEXT
from transforms.batches import BATCH_BYTES, BATCH_ROWS
from transforms.measure.readers.page_signals import PageSignal

_SIGNALS: Final = "page_signals"

Row = dict[str, str | int | list[PageSignal] | None]
"""Values by column name."""


def batch_rows(rows: Iterable[Row]) -> Iterator[pa.RecordBatch]:
    """Yield batches of at most `BATCH_ROWS` rows and `BATCH_BYTES` of text and page signals; a longer row is alone.

    A row gives values by column name, `fetch_time` in microseconds since 1970 UTC; what it leaves out is null. A row is
    taken from `rows` only when it is needed.
    """
    collected: list[dict[str, Any]] = []
    total = 0
    for row in rows:
        text, signals = row.get(TEXT.name), row.get(_SIGNALS)
        data = text.encode() if isinstance(text, str) else None
        said = [signal._asdict() for signal in signals] if isinstance(signals, list) else None
        size = len(data or b"") + sum(len(value) for signal in said or () for value in signal.values() if value)
        if collected and (len(collected) == BATCH_ROWS or total + size > BATCH_BYTES):
            yield _batch(collected)
            collected, total = [], 0
        collected.append({**row, TEXT.name: data, _SIGNALS: said})
        total += size
    if collected:
        yield _batch(collected)


def _batch(rows: list[dict[str, Any]]) -> pa.RecordBatch:
    schema = RECORDS.schema()
    arrays = [pa.array([row.get(field.name) for row in rows], field.type) for field in schema]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)
