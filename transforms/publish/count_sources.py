"""Count sources: how many documents each source brought, and how many of them were dropped.

>>> ledger = pa.table({
...     "url_host_registered_domain": ["a.example", "a.example", None, None],
...     "url_host_name": ["x.a.example", "a.example", "192.0.2.1", None],
...     "source_file": ["crawl.jsonl"] * 4,
...     "decision": ["keep", "drop", "keep", "drop"],
...     "reason": [None, "exact_duplicate", None, "blocklist"],
... })
>>> counted = count_sources(ledger)
>>> counted.to_pylist()[0]
{'source': 'a.example', 'records': 2, 'dropped': 1}
>>> rank_sources(counted, least=2, limit=0.4)["sources"]
[{'source': 'a.example', 'records': 2, 'dropped': 1, 'share': 0.5}]

A source is the registered domain of a document's URL; its host, where that is an IP address or a public suffix; and the
input file, where there is no usable URL. What a takedown, a blocklist or the policy takes out does not count: that loss
is what was asked for.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from schemas.errors import WorkError
from schemas.reasons import BLOCKLIST, DROP, POLICY_RULES, TAKEDOWN
from transforms.batches import strings
from transforms.kernels.xxh3 import hash64
from transforms.part_store import Stage, open_input, part_path, write_json
from transforms.shuffle import Packed, split, unpack
from transforms.tell_work import Work, work

SENT_BYTES: Final = 40
"""About what one source of one part sends: its name and two counts."""
MOST_SOURCES: Final = 20
"""Sources that are listed."""
_NAMES: Final = ("url_host_registered_domain", "url_host_name", "source_file")


def count_sources(ledger: pa.Table) -> pa.Table:
    """Distinct `source`s (string) of some ledger rows, with `records` and `dropped` (int64) of each, in any order."""
    ledger = ledger.filter(pc.invert(pc.is_in(ledger["reason"], pa.array([TAKEDOWN, BLOCKLIST, *POLICY_RULES]))))
    dropped = pc.equal(ledger["decision"], DROP).cast(pa.int64())
    records = pa.repeat(pa.scalar(1, pa.int64()), len(ledger))
    return add_counts(
        pa.table({"source": pc.coalesce(*(ledger[name] for name in _NAMES)), "records": records, "dropped": dropped})
    )


def add_counts(counts: pa.Table) -> pa.Table:
    """Rows of `count_sources` with the same source as one."""
    # Workers are busy with other parts; more threads in each would only make the order a matter of luck.
    found = counts.group_by("source", use_threads=False).aggregate([("records", "sum"), ("dropped", "sum")])
    return found.select(["source", "records_sum", "dropped_sum"]).rename_columns(["source", "records", "dropped"])


def rank_sources(counts: pa.Table, least: int, limit: float | None) -> dict[str, Any]:
    """The sources of at least `least` records with the highest shares dropped, ties by size, name.

    `above` is how many of at least `least` records have a share above `limit`; 0 without a limit.
    """
    share = pc.divide(counts["dropped"].cast(pa.float64()), counts["records"].cast(pa.float64()))
    large = counts.append_column("share", share).filter(pc.greater_equal(counts["records"], least))
    order = [("share", "descending"), ("records", "descending"), ("source", "ascending")]
    return {
        "above": 0 if limit is None else int(pc.sum(pc.greater(large["share"], limit)).as_py() or 0),
        "sources": large.sort_by(order).slice(0, MOST_SOURCES).to_pylist(),
    }


def merge_ranks(found: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """What `rank_sources` says of all sources, from what it says of disjoint sets of them."""
    merged: dict[str, Any] = {"above": 0, "sources": []}
    for one in found:
        merged = {name: merged[name] + one[name] for name in merged}
    first = sorted(merged["sources"], key=lambda s: (-s["share"], -s["records"], s["source"]))
    return {**merged, "sources": first[:MOST_SOURCES]}


class _CountPart(beam.DoFn):
    def __init__(self, decided: Stage, partitions: int):
        self.decided, self.partitions = decided, partitions

    def process(self, part: tuple[int, Iterable[int]]) -> Iterator[Packed]:
        with work("survey", "part", part[0]) as done:
            yield from done.send(self._count(part[0], done))

    def _count(self, number: int, done: Work) -> Iterator[Packed]:
        try:
            with open_input(self.decided.path(number)) as stream:
                ledger = pq.ParquetFile(stream).read(columns=[*_NAMES, "decision", "reason"], use_threads=False)
        except (OSError, pa.ArrowException) as error:
            raise WorkError(f"Counting the sources of part {number} failed: {error}") from error
        counts = count_sources(ledger).combine_chunks()
        done.count(sources=len(counts), bytes_read=ledger.nbytes)
        target = hash64(*strings(counts["source"].combine_chunks())) % np.uint64(self.partitions)
        for batch in counts.to_batches():
            yield from split(batch, target.astype(np.int64))


class _RankSources(beam.DoFn):
    def __init__(self, directory: str, least: int, limit: float | None):
        self.directory, self.least, self.limit = directory, least, limit

    def process(self, keyed: tuple[int, Iterable[bytes]]) -> None:
        partition, values = keyed
        with work("survey", "partition", partition):
            found = rank_sources(add_counts(unpack(values)), self.least, self.limit)
            write_json(part_path(self.directory, partition, "json"), found)


class CountSources(beam.PTransform):
    """From part numbers to files in `directory`, each with what `rank_sources` says of a share of the sources."""

    def __init__(self, decided: Stage, directory: str, partitions: int, least: int, limit: float | None):
        super().__init__()
        self.count = _CountPart(decided, partitions)
        self.rank = _RankSources(directory, least, limit)

    def expand(self, parts: beam.PCollection) -> beam.PCollection:
        return (
            parts
            | "CountPart" >> beam.ParDo(self.count).with_output_types(Packed)
            | "GroupSources" >> beam.GroupByKey()
            | "RankSources" >> beam.ParDo(self.rank).with_output_types(int)
        )
