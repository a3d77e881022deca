"""Count components: how many members each has, and the smallest id among them, which names it."""

from collections.abc import Iterable, Iterator

import apache_beam as beam
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.decide.chunks import Chunks, Turn
from transforms.kernels.components import place, tally
from transforms.part_store import Stage, write_arrow
from transforms.shuffle import Packed, unpack

SENT_BYTES = 24
"""What one label of one chunk sends: a label, an id and a count, 64 bits each."""


class _SendCounts(beam.DoFn):
    def __init__(self, labels: Chunks, partitions: int, turn: Turn):
        self.labels, self.partitions, self.turn = labels, partitions, turn

    def process(self, chunk: tuple[int, Iterable[int]]) -> Iterator[Packed]:
        table = self.labels.read(chunk[0])
        labels, ids, counts = tally(table["label"].to_numpy(), table["node"].to_numpy(), np.ones(len(table), np.int64))
        batch = pa.record_batch({"label": labels, "id": ids, "count": counts})
        yield from self.turn.send(batch, place(labels, self.partitions))


class _WriteNames(beam.DoFn):
    def __init__(self, names: Stage):
        self.names = names

    def process(self, keyed: tuple[int, Iterable[bytes]]) -> None:
        partition, values = keyed
        table = unpack(values)
        labels, ids, counts = tally(*(table[name].to_numpy() for name in ("label", "id", "count")))
        write_arrow(self.names.path(partition, "arrow"), pa.table({"node": labels, "label": ids}))
        self.names.finish(partition, component_facts(counts), ["arrow"])


def component_facts(sizes: npt.NDArray[np.int64]) -> dict[str, int]:
    """What a marker says of components, from the number of members of each (int64, shape (components,))."""
    return {"members": int(sizes.sum()), "components": len(sizes), "largest": int(sizes.max(initial=0))}


class CountComponents(beam.PTransform):
    """From numbers of chunks of labels to a file of names for each partition of the labels.

    A file has `node` uint64, a label, and `label` uint64, the smallest id that bears it; so labels are relabeled with
    it as with any other. The marker of a partition says `members`, `components` and `largest` of its components.
    """

    def __init__(self, labels: Chunks, names: Stage, partitions: int, turn: Turn):
        super().__init__()
        self.send = _SendCounts(labels, partitions, turn)
        self.write = _WriteNames(names)

    def expand(self, chunks: beam.PCollection) -> beam.PCollection:
        return (
            chunks
            | "SendCounts" >> beam.ParDo(self.send).with_output_types(Packed)
            | "GroupLabels" >> beam.GroupByKey()
            | "WriteNames" >> beam.ParDo(self.write).with_output_types(int)
        )
