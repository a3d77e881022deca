"""Write members: for each part the rows that belong to a component, and which."""

from collections.abc import Iterable, Iterator

import apache_beam as beam
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.decide.chunks import Chunks, Turn
from transforms.decide.ordinals import part_and_row
from transforms.part_store import file_size, part_path, write_arrow
from transforms.shuffle import Packed, unpack
from transforms.tell_work import work

SENT_BYTES = 12
"""What one member sends: a row (uint32) and a component (uint64)."""


def write_part(directory: str, part: int, rows: npt.NDArray[np.uint32], components: npt.NDArray[np.uint64]) -> int:
    """Write the members of one part; rows ascending, both of shape (members,). Returns the bytes of the file."""
    path = part_path(directory, part, "arrow")
    write_arrow(path, pa.table({"row": rows, "component": components}))
    return file_size(path) or 0


class _SendMembers(beam.DoFn):
    def __init__(self, labels: Chunks, turn: Turn):
        self.labels, self.turn = labels, turn

    def process(self, chunk: tuple[int, Iterable[int]]) -> Iterator[Packed]:
        with work("connect", "chunk", chunk[0]) as done:
            table = self.labels.read(chunk[0])
            done.count(rows=len(table), bytes_read=table.nbytes)
            parts, rows = part_and_row(table["node"].to_numpy())
            batch = pa.record_batch({"row": rows, "component": table["label"].combine_chunks()})
            yield from done.send(self.turn.send(batch, parts))


class _WriteMembers(beam.DoFn):
    def __init__(self, directory: str):
        self.directory = directory

    def process(self, keyed: tuple[int, Iterable[bytes]]) -> None:
        part, values = keyed
        with work("connect", "file", part) as done:
            table = unpack(values)
            rows, components = table["row"].to_numpy(), table["component"].to_numpy()
            order = np.argsort(rows)
            done.count(
                members=len(rows), bytes_written=write_part(self.directory, part, rows[order], components[order])
            )


class WriteMembers(beam.PTransform):
    """From numbers of chunks of labels to a file for each part that has members.

    A chunk has `node` uint64 and `label` uint64, the smallest id of the node's component; a file has `row` uint32,
    ascending, and `component` uint64.
    """

    def __init__(self, labels: Chunks, directory: str, turn: Turn):
        super().__init__()
        self.send = _SendMembers(labels, turn)
        self.write = _WriteMembers(directory)

    def expand(self, chunks: beam.PCollection) -> beam.PCollection:
        return (
            chunks
            | "SendMembers" >> beam.ParDo(self.send).with_output_types(Packed)
            | "GroupParts" >> beam.GroupByKey()
            | "WriteMembers" >> beam.ParDo(self.write).with_output_types(int)
        )
