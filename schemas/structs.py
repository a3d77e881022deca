"""What lists in a row hold: marks, findings, notices, reservations, page signals."""

from typing import Final

import pyarrow as pa

MARK: Final = pa.struct(
    [
        pa.field("rule", pa.string(), False),
        pa.field("action", pa.string(), False),
        pa.field("list", pa.string()),
        pa.field("list_sha256", pa.string()),
        pa.field("category", pa.string()),
        pa.field("file", pa.string()),
        pa.field("line", pa.int64()),
        pa.field("matched", pa.string()),
        pa.field("source", pa.string()),
        pa.field("start", pa.int64()),
        pa.field("end", pa.int64()),
        pa.field("value", pa.float64()),
        pa.field("limit", pa.float64()),
        pa.field("method", pa.string()),
        pa.field("evidence", pa.string()),
        pa.field("evidence_build", pa.string()),
    ]
)
MARK_MEANINGS: Final = {
    "rule": "The rule that fired.",
    "action": "`drop`, `quarantine`, or `flag` for a mark that is only recorded.",
    "list": "Name of the list, for rules that match lists.",
    "list_sha256": "SHA-256 of the list as it was read; of a folder, see the rules.",
    "category": "Category of the list; of an ISBN, the publisher.",
    "file": "File of the folder or archive that the entry stands in; null where the list is one file.",
    "line": "Line of the entry in its file, from 1.",
    "matched": "What matched: the entry of a list, the statement, the number, the directive.",
    "source": "Where a signal was read: `text`, or a place of the page such as `http:x-robots-tag`.",
    "start": "Where it begins, in bytes of the text; null where it does not stand in the text.",
    "end": "Where it ends, in bytes of the text.",
    "value": "The measured value, for rules with a limit.",
    "limit": "The limit it was compared with.",
    "method": "How a similarity was measured: `jaccard`, or `signature` for the estimate by MinHash.",
    "evidence": "`doc_id` of the document that the mark points to.",
    "evidence_build": "The earlier build that holds that document; null for this one.",
}

FINDING: Final = pa.struct(
    [
        pa.field("value", pa.string(), False),
        pa.field("source", pa.string(), False),
        pa.field("start", pa.int64()),
        pa.field("end", pa.int64()),
    ]
)
"""A signal in a normal form, where it was read, and where in the text it stands, in bytes."""
NOTICE: Final = pa.struct(
    [
        pa.field("statement", pa.string(), False),
        pa.field("years", pa.list_(pa.int16()), False),
        pa.field("holder", pa.string()),
        pa.field("source", pa.string(), False),
        pa.field("start", pa.int64()),
        pa.field("end", pa.int64()),
    ]
)
RESERVATION: Final = pa.struct(
    [
        pa.field("signal", pa.string(), False),
        pa.field("value", pa.string()),
        pa.field("agent", pa.string()),
        pa.field("source", pa.string(), False),
    ]
)
PAGE_SIGNAL: Final = pa.struct(
    [
        pa.field("kind", pa.string(), False),
        pa.field("value", pa.string()),
        pa.field("agent", pa.string()),
        pa.field("source", pa.string(), False),
    ]
)
