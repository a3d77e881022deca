"""Count copies: how many documents go because they are similar to a text of the request."""

from collections import Counter

import pyarrow as pa
import pyarrow.compute as pc

from lineage.takedowns.plan_takedown import COPY


def count_copies(records: pa.Table) -> Counter[str]:
    """Of rows that go, those that are similar to a text and no exact copy of it, by the name of the text."""
    copies = records.filter(pc.equal(records["selector"], COPY))
    return Counter(copies["matched"].drop_null().to_pylist())
