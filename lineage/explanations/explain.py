"""Explain: why one document was kept or dropped, on what evidence, and what would have to change.

page = explain("dataset", "0f3a5c1e9d7b2486a0c4e8f1b3d5a792")
page.filter(pc.equal(page["section"], "another decision"))["text"].to_pylist()
"""

import json
import re
from dataclasses import asdict
from datetime import datetime
from typing import Final

import pyarrow as pa

from lineage.catalog import Dataset, open_dataset
from lineage.explanations.gather_facts import Facts, gather_facts
from lineage.explanations.quote import quoted
from lineage.explanations.words import page
from schemas.errors import InputError

EXPLANATION: Final = pa.schema([pa.field("section", pa.string(), False), pa.field("text", pa.string(), False)])
"""A statement a row; one that begins with `- ` belongs to the one before."""


def explain(dataset: str | Dataset, doc_id: str) -> pa.Table:
    """The explanation of a document as rows of `EXPLANATION`.

    `doc_id` is 32 hex digits, in either case. What others wrote (URLs, statements, entries) is shown without characters
    that do something to a terminal, and cut where it is long; `explain_facts` has it whole. Raises InputError if
    `doc_id` has another form, if no record of the dataset has it, or if there is no whole dataset.
    """
    sections, texts = zip(*page(explain_facts(dataset, doc_id)), strict=True)
    return pa.table([sections, texts], schema=EXPLANATION)


def explain_facts(dataset: str | Dataset, doc_id: str) -> Facts:
    """What `explain` puts in words. Raises InputError likewise."""
    if not re.fullmatch(r"[0-9a-fA-F]{32}", doc_id):
        raise InputError(
            f"{quoted(doc_id)} is no doc_id: that is 32 hex digits, as the ledger has them.\n"
            "Find one by an address: cleartitle lookup DATASET --url URL."
        )
    return gather_facts(open_dataset(dataset), doc_id.lower())


def facts_json(facts: Facts) -> str:
    """The facts as one line of JSON in ASCII; times as ISO 8601."""
    return json.dumps(asdict(facts), default=datetime.isoformat)
