"""Relabel nodes: in edges or in labels, every node gives way to its label, which another partition may hold."""

from collections.abc import Iterable, Iterator

import apache_beam as beam
import numpy as np
import pyarrow as pa

from transforms.decide.chunks import Chunks
from transforms.kernels.components import contract, distinct, look_up, place
from transforms.part_store import exists, file_size, join, part_path, read_arrow, write_arrow
from transforms.shuffle import Packed, pack, split, unpack
from transforms.tell_work import work

SENT_BYTES = 28
"""What one node of one chunk sends: a chunk number (uint32) and a node, and in answer a node and a label (uint64)."""
_NONE = pa.table({"node": np.empty(0, np.uint64), "label": np.empty(0, np.uint64)})


def relabeled_columns(table: pa.Table) -> list[str]:
    """Columns whose nodes are relabeled: both ends of edges, and of labels the label alone."""
    return ["label"] if "label" in table.column_names else ["a", "b"]


class _AskLabels(beam.DoFn):
    def __init__(self, tables: Chunks, partitions: int):
        self.tables, self.partitions = tables, partitions

    def process(self, chunk: tuple[int, Iterable[int]]) -> Iterator[Packed]:
        with work("connect", "chunk", chunk[0]) as done:
            table = self.tables.read(chunk[0])
            done.count(rows=len(table), bytes_read=table.nbytes)
            nodes = distinct(np.concatenate([table[name].to_numpy() for name in relabeled_columns(table)]))
            batch = pa.record_batch({"chunk": np.full(len(nodes), chunk[0], np.uint32), "node": nodes})
            yield from done.send(split(batch, place(nodes, self.partitions)))


class _AnswerLabels(beam.DoFn):
    """Question by question: a partition is asked for a node by every chunk that has it, so all may be many."""

    def __init__(self, labels: str):
        self.labels = labels

    def process(self, keyed: tuple[int, Iterable[bytes]]) -> Iterator[Packed]:
        with work("connect", "partition", keyed[0]) as done:
            yield from done.send(self._answer(*keyed))

    def _answer(self, partition: int, questions: Iterable[bytes]) -> Iterator[Packed]:
        path = part_path(self.labels, partition, "arrow")
        known = read_arrow(path) if exists(path) else _NONE
        nodes, labels = known["node"].to_numpy(), known["label"].to_numpy()
        for question in questions:
            asked = unpack([question])
            found = look_up(asked["node"].to_numpy(), nodes, labels)
            batch = pa.record_batch({"node": asked["node"].combine_chunks(), "label": found})
            yield asked["chunk"][0].as_py(), pack(batch)


class _WriteRelabeled(beam.DoFn):
    def __init__(self, tables: Chunks, target: str):
        self.tables, self.target = tables, target

    def process(self, keyed: tuple[int, Iterable[bytes]]) -> None:
        with work("connect", "file", keyed[0]) as done:
            done.count(bytes_written=self._write(*keyed))

    def _write(self, chunk: int, answers: Iterable[bytes]) -> int:
        """The bytes of the file, 0 if no row is left."""
        found = unpack(answers)
        order = np.argsort(found["node"].to_numpy())
        nodes, labels = found["node"].to_numpy()[order], found["label"].to_numpy()[order]
        table = self.tables.read(chunk)
        renamed = {name: look_up(table[name].to_numpy(), nodes, labels) for name in relabeled_columns(table)}
        if "label" in renamed:
            relabeled = pa.table({"node": table["node"], "label": renamed["label"]})
        else:
            a, b = contract(renamed["a"], renamed["b"])
            relabeled = pa.table({"a": a, "b": b})
        if not len(relabeled):
            return 0
        path = join(self.target, self.tables.name(chunk))
        write_arrow(path, relabeled)
        return file_size(path) or 0


class RelabelNodes(beam.PTransform):
    """From numbers of chunks to a file for each that has rows left, with every node replaced by its label.

    Chunks are of edges (`a`, `b` uint64), which are contracted again, or of labels (`node`, `label` uint64). `labels`
    is a directory with a file for each of `partitions` of the nodes; a node that is in none of them stays. A chunk asks
    for each of its nodes once, and its answers are no more than its nodes.
    """

    def __init__(self, tables: Chunks, labels: str, partitions: int, target: str):
        super().__init__()
        self.ask = _AskLabels(tables, partitions)
        self.answer = _AnswerLabels(labels)
        self.write = _WriteRelabeled(tables, target)

    def expand(self, chunks: beam.PCollection) -> beam.PCollection:
        return (
            chunks
            | "AskLabels" >> beam.ParDo(self.ask).with_output_types(Packed)
            | "GroupNodes" >> beam.GroupByKey()
            | "AnswerLabels" >> beam.ParDo(self.answer).with_output_types(Packed)
            | "GroupChunks" >> beam.GroupByKey()
            | "WriteRelabeled" >> beam.ParDo(self.write).with_output_types(int)
        )
