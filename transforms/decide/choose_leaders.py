"""Choose leaders: every node takes, of the nodes it was found connected with, the one of least rank."""

from collections.abc import Iterable, Iterator

import apache_beam as beam
import pyarrow as pa

from transforms.decide.chunks import Chunks, Turn
from transforms.kernels.components import lead, least, place
from transforms.part_store import file_size, part_path, write_arrow
from transforms.shuffle import Packed, unpack
from transforms.tell_work import work

SENT_BYTES = 16
"""What one node of one chunk sends: a node and a leader, both uint64."""


class _SendLeaders(beam.DoFn):
    def __init__(self, edges: Chunks, salt: int, partitions: int, turn: Turn):
        self.edges, self.salt, self.partitions, self.turn = edges, salt, partitions, turn

    def process(self, chunk: tuple[int, Iterable[int]]) -> Iterator[Packed]:
        with work("connect", "chunk", chunk[0]) as done:
            table = self.edges.read(chunk[0])
            done.count(rows=len(table), bytes_read=table.nbytes)
            nodes, leaders = lead(table["a"].to_numpy(), table["b"].to_numpy(), self.salt)
            batch = pa.record_batch({"node": nodes, "label": leaders})
            yield from done.send(self.turn.send(batch, place(nodes, self.partitions)))


class _WriteLeaders(beam.DoFn):
    def __init__(self, target: str, salt: int):
        self.target, self.salt = target, salt

    def process(self, keyed: tuple[int, Iterable[bytes]]) -> None:
        partition, values = keyed
        with work("connect", "partition", partition) as done:
            table = unpack(values)
            nodes, leaders = least(table["node"].to_numpy(), table["label"].to_numpy(), self.salt)
            path = part_path(self.target, partition, "arrow")
            write_arrow(path, pa.table({"node": nodes, "label": leaders}))
            done.count(bytes_written=file_size(path) or 0)


class ChooseLeaders(beam.PTransform):
    """From numbers of chunks of edges (`a`, `b` uint64) to files of leaders, one for each partition of the nodes.

    A file has `node` uint64, ascending, and `label` uint64. A chunk sends each of its nodes once, however many edges
    the node has, so that a partition gets a node at most as often as there are chunks.
    """

    def __init__(self, edges: Chunks, target: str, salt: int, partitions: int, turn: Turn):
        super().__init__()
        self.send = _SendLeaders(edges, salt, partitions, turn)
        self.write = _WriteLeaders(target, salt)

    def expand(self, chunks: beam.PCollection) -> beam.PCollection:
        return (
            chunks
            | "SendLeaders" >> beam.ParDo(self.send).with_output_types(Packed)
            | "GroupNodes" >> beam.GroupByKey()
            | "WriteLeaders" >> beam.ParDo(self.write).with_output_types(int)
        )
