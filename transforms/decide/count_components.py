"""Count components: how many members each has, and the smallest id among them, which names it."""

from collections.abc import Iterable, Iterator

import apache_beam as beam
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.decide.chunks import Chunks, Turn
from transforms.kernels.components import place, tally
from transforms.part_store import Stage, file_size, write_arrow
from transforms.shuffle import Packed, unpack
from transforms.tell_work import work

SENT_BYTES = 24
"""What one label of one chunk sends: a label, an id and a count, 64 bits each."""


class _SendCounts(beam.DoFn):
    def __init__(self, labels: Chunks, partitions: int, turn: Turn):
        self.labels, self.partitions, self.turn = labels, partitions, turn

    def process(self, chunk: tuple[int, Iterable[int]]) -> Iterator[Packed]:
        with work("connect", "chunk", chunk[0]) as done:
            table = self.labels.read(chunk[0])
            done.count(rows=len(table), bytes_read=table.nbytes)
            ones = np.ones(len(table), np.int64)
            labels, ids, counts = tally(table["label"].to_numpy(), table["node"].to_numpy(), ones)
            batch = pa.record_batch({"label": labels, "id": ids, "count": counts})
            yield from done.send(self.turn.send(batch, place(labels, self.partitions)))


class _WriteNames(beam.DoFn):
    def __init__(self, names: Stage):
        self.names = names

    def process(self, keyed: tuple[int, Iterable[bytes]]) -> None:
        partition, values = keyed
        with work("connect", "partition", partition) as done:
            table = unpack(values)
            labels, ids, counts = tally(*(table[name].to_numpy() for name in ("label", "id", "count")))
            path = self.names.path(partition, "arrow")
            write_arrow(path, pa.table({"node": labels, "label": ids}))
            self.names.finish(partition, component_facts(ids, counts), ["arrow"])
            done.count(bytes_written=file_size(path) or 0)


def component_facts(names: npt.NDArray[np.uint64], sizes: npt.NDArray[np.int64]) -> dict[str, int]:
    """What a marker says of components, from the smallest id and the number of members of each.

    >>> component_facts(np.array([7, 3, 5], np.uint64), np.array([2, 4, 4]))
    {'members': 10, 'components': 3, 'largest': 4, 'largest_id': 3}

    `names` is uint64 and `sizes` int64, both of shape (components,). `largest_id` is the name of the largest, the least
    of several; without components it is left out.
    """
    largest = int(sizes.max(initial=0))
    facts = {"members": int(sizes.sum()), "components": len(sizes), "largest": largest}
    return facts | ({"largest_id": int(names[sizes == largest].min())} if largest else {})


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
