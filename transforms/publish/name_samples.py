"""Name samples: ordinals, which mean nothing once the run is over, as documents that can be looked up."""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import numpy as np
import pyarrow as pa

from transforms.batches import hex_digests
from transforms.decide.all_parts import OWN, AllParts
from transforms.decide.list_clusters import Group
from transforms.decide.ordinals import part_and_row

_READERS: Final = 8
"""Parts that are read at once: a few columns of each, so that on an object store the time is that of asking."""


def name_samples(groups: Sequence[Group], parts: AllParts) -> list[Group]:
    """The groups, each sample given by `doc_id`, `url` (may be null) and `build`, null for a document of this crawl."""
    names = _names((ordinal for group in groups for ordinal in group["samples"]), parts)
    return [{**group, "samples": [names[ordinal] for ordinal in group["samples"]]} for group in groups]


def _names(ordinals: Iterable[int], parts: AllParts) -> Mapping[int, dict[str, Any]]:
    wanted = np.unique(np.fromiter(ordinals, np.uint64))
    number, row = part_and_row(wanted)

    def read(part: int) -> list[dict[str, Any]]:
        table = parts.read(part, ["doc_id", "url"]).take(pa.array(row[number == part]))
        store = int(parts.stores(np.array([part]))[0])
        build = None if store == OWN else parts.earlier[store].build
        ids = hex_digests(table["doc_id"].combine_chunks()).to_pylist()
        return [{"doc_id": i, "url": url, "build": build} for i, url in zip(ids, table["url"].to_pylist(), strict=True)]

    with ThreadPoolExecutor(_READERS) as pool:
        found = [name for names in pool.map(read, np.unique(number).tolist()) for name in names]
    return dict(zip(wanted.tolist(), found, strict=True))
