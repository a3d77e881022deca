"""Plan a takedown: what would go and why, and what nothing was found for; nothing is written."""

from collections import Counter
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from configs.takedown import SELECTORS
from lineage.catalog import Dataset
from lineage.takedowns.judge_anew import NONE_JUDGED, Judged, judge_anew
from lineage.takedowns.row_ids import places_of
from lineage.takedowns.select_rows import select_rows
from lineage.takedowns.spread_to_copies import spread_to_copies, threshold_of
from lineage.takedowns.spread_to_followers import spread_to_followers
from transforms.takedowns.read_takedown import Takedown

I64 = npt.NDArray[np.int64]

COPY: Final = "near_duplicates"
WITNESS: Final = "witness"
"""What stands in place of a selector for rows that none names."""
RECORDS: Final = pa.schema(
    [
        pa.field("doc_id", pa.string(), False),
        pa.field("url", pa.string()),
        pa.field("part", pa.int32(), False),
        pa.field("row", pa.int32(), False),
        pa.field("decision", pa.string(), False),
        pa.field("selector", pa.string(), False),
        pa.field("matched", pa.string()),
        pa.field("similarity", pa.float64()),
        pa.field("method", pa.string()),
        pa.field("evidence", pa.string()),
    ]
)
"""What goes: the document, its place in the ledger, the decision on it before, and the selector (or `near_duplicates`,
or `witness`) and what of it matched; of a copy how similar it is to which document, and how that was found."""
_WHY: Final = ("selector", "matched", "similarity", "method", "evidence")


@dataclass(frozen=True, eq=False)
class Plan:
    """What a takedown does to a dataset."""

    takedown: Takedown
    records: pa.Table
    """`RECORDS`, by part and row: those that change."""
    before: int
    """Rows that selectors name, or that are copies, and that a takedown took out before; they stay as they are."""
    counts: dict[str, dict[str, int]]
    """Rows by kind of selector and selector, those that went before among them; 0 for one that matches nothing."""
    works: I64
    """Row ids, sorted, of the selected and their copies: by what later copies are found. Of scope `named` none."""
    limit: float | None
    """Similarity from which a row is a copy; None of scope `named`."""

    judged: Judged
    """Rows that named one of them as their witness and were judged anew."""

    @property
    def parts(self) -> list[int]:
        """Numbers of the parts that have to be written again."""
        parts: list[int] = np.union1d(self.records["part"].to_numpy(), self.judged.ids >> 32).tolist()
        return parts

    @property
    def returned(self) -> pa.Table:
        """`doc_id` and `url` of the documents that come back."""
        return self.judged.ledger.select(["doc_id", "url"]).filter(pa.array(self.judged.returned))


def plan_takedown(dataset: Dataset, takedown: Takedown, crawl: bool = True) -> Plan:
    """Find all that a takedown takes out of a dataset. With `crawl` texts are read again from crawl files at hand."""
    hits = select_rows(dataset, takedown)
    selected, first = np.unique(hits["id"].to_numpy(), return_index=True)
    why = [_why(hits["id"], selector=hits["selector"], matched=hits["matched"]).take(pa.array(first))]
    works, limit = np.empty(0, np.int64), None
    if takedown.request.scope == COPY:
        copies = spread_to_copies(dataset, takedown, selected, crawl)
        selector = pa.repeat(COPY, len(copies))
        why.append(_why(copies["id"], selector=selector, **{name: copies[name] for name in _WHY[1:]}))
        works = np.union1d(selected, copies["id"].to_numpy())
        limit = threshold_of(dataset, takedown)
    gone = pa.concat_tables(why)
    gone_ids = np.sort(gone["id"].to_numpy())
    followers, judged = spread_to_followers(dataset, gone_ids), NONE_JUDGED
    if takedown.request.witnesses == "next_in_line":
        judged = judge_anew(dataset, gone_ids, followers)
        followers = np.setdiff1d(followers, judged.ids)
    why.append(_why(pa.array(followers), selector=pa.repeat(WITNESS, len(followers))))
    records, before = _records(dataset, pa.concat_tables(why).sort_by("id"))
    return Plan(takedown, records, before, _counts(takedown, hits), works, limit, judged)


def _why(ids: pa.ChunkedArray | pa.Array, **columns: pa.ChunkedArray | pa.Array) -> pa.Table:
    fields = [RECORDS.field(name) for name in _WHY]
    said = [columns.get(field.name, pa.nulls(len(ids), field.type)) for field in fields]
    return pa.table([ids, *said], schema=pa.schema([pa.field("id", pa.int64(), False), *fields]))


def _records(dataset: Dataset, why: pa.Table) -> tuple[pa.Table, int]:
    """What goes now, and how many rows went before."""
    places = places_of(why["id"].to_numpy())
    ledger = dataset.ledger(places, ["doc_id", "url", "decision", "takedown_id"])
    new = pc.is_null(ledger["takedown_id"])
    columns = {name: table[name] for table in (why, places, ledger) for name in table.column_names}
    records = pa.table([columns[name] for name in RECORDS.names], schema=RECORDS).filter(new)
    return records, len(why) - len(records)


def _counts(takedown: Takedown, hits: pa.Table) -> dict[str, dict[str, int]]:
    counted = Counter(zip(hits["selector"].to_pylist(), hits["matched"].to_pylist(), strict=True))
    written = {kind: getattr(takedown.request.selectors, kind) for kind in SELECTORS} | {"texts": takedown.text_names}
    return {kind: {one: counted[kind, one] for one in sorted(set(written[kind]))} for kind in SELECTORS}
