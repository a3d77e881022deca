"""Index witnesses: the index of a new version, in which documents are found by the witness that they name now."""

from bisect import bisect_right
from typing import Any

import numpy as np
import pyarrow as pa

from lineage.catalog import Dataset
from lineage.takedowns.judge_anew import Judged
from lineage.takedowns.row_ids import places_of
from schemas.columns import INDEX_KEYS
from transforms.part_store import file_facts, join, part_path
from transforms.publish.build_index import INDEXES, write_index
from transforms.publish.index_keys import key_of


def index_witnesses(dataset: Dataset, output: str, judged: Judged, first: list[int]) -> dict[str, dict[str, Any]]:
    """Write the files of `index_keys` to which the new witnesses of some rows belong; what the manifest says of them.

    `first`, the first key of each file, is brought up to date. Keys of the witnesses that they named before stay: what
    the index offers is checked against the ledger in any case.
    """
    named = judged.ledger["duplicate_of"].combine_chunks()
    has = np.asarray(named.is_valid())
    places = places_of(judged.ids[has])
    new = pa.table([key_of("witness", named.drop_null()), places["part"], places["row"]], schema=INDEX_KEYS.schema())
    file = np.array([max(0, bisect_right(first, key) - 1) for key in new["key"].to_pylist()], np.int64)
    files = {}
    (index,) = (one for one in INDEXES if one.name == INDEX_KEYS.name)
    for number in np.unique(file).tolist():
        both = pa.concat_tables([dataset.read(INDEX_KEYS.name, number), new.filter(pa.array(file == number))])
        table = both.sort_by([(name, "ascending") for name in both.column_names])
        name = part_path(INDEX_KEYS.name, number, "parquet")
        write_index(join(output, name), table, index)
        files[name] = {**file_facts(join(output, name)), "rows": len(table)}
        first[number] = table["key"][0].as_py()
    return files
