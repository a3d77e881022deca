"""Connect components: edges of all passes to the component of every document that has a candidate, on one worker."""

import itertools

import apache_beam as beam
import numpy as np
import pyarrow as pa

from transforms.decide.chunks import arrow_names
from transforms.decide.count_components import component_facts
from transforms.decide.ordinals import part_and_row
from transforms.decide.pair_candidates import pass_of
from transforms.decide.write_members import write_part
from transforms.kernels.components import connect
from transforms.part_store import Stage, join, read_arrow
from transforms.tell_work import Work, work


class _Connect(beam.DoFn):
    def __init__(self, pairs: Stage, members: Stage):
        self.pairs, self.members = pairs, members

    def process(self, _element: object) -> None:
        with work("connect", "chunk", 0) as done:
            self._connect(done)

    def _connect(self, done: Work) -> None:
        nodes = roots = np.empty(0, np.uint64)
        # Pass by pass, so that memory follows the documents and not the edges: most passes find the same pairs again.
        for _, names in itertools.groupby(arrow_names(self.pairs.directory), key=pass_of):
            edges = pa.concat_tables(read_arrow(join(self.pairs.directory, name)) for name in names)
            done.count(rows=len(edges), bytes_read=edges.nbytes)
            nodes, roots = connect(
                np.concatenate([roots, edges["a"].to_numpy()]), np.concatenate([nodes, edges["b"].to_numpy()])
            )
        parts, rows = part_and_row(nodes)
        numbers, counts = np.unique(parts, return_counts=True)
        for number, count, stop in zip(numbers, counts, np.cumsum(counts), strict=True):
            mine = slice(stop - count, stop)
            done.count(bytes_written=write_part(self.members.directory, int(number), rows[mine], roots[mine]))
        self.members.finish(0, component_facts(*np.unique(roots, return_counts=True)))
        done.count(members=len(nodes))


class ConnectComponents(beam.PTransform):
    """From one element to a file for each part that has members: `row` uint32, `component` uint64, rows ascending.

    A component is named by the smallest id in it. Components only bring candidates together; they never decide. All
    is done by the worker that gets the element: for edges that fit it. `beam_jobs/connect.py` has a way for any number.
    """

    def __init__(self, pairs: Stage, members: Stage):
        super().__init__()
        self.connect = _Connect(pairs, members)

    def expand(self, start: beam.PCollection) -> beam.PCollection:
        return start | "Connect" >> beam.ParDo(self.connect).with_output_types(int)
