"""Connect components: edges of all passes to the component of every document that has a candidate."""

import itertools

import apache_beam as beam
import numpy as np
import pyarrow as pa

from transforms.decide.pair_candidates import pass_of
from transforms.kernels.candidates import connect
from transforms.part_store import Stage, join, list_file_names, part_path, read_arrow, write_arrow


class _Connect(beam.DoFn):
    """On one worker: edges were contracted partition by partition before, but all that is left must fit its memory."""

    def __init__(self, pairs: Stage, members: Stage):
        self.pairs, self.members = pairs, members

    def process(self, _element: object) -> None:
        nodes = roots = np.empty(0, np.uint64)
        names = (name for name in list_file_names(self.pairs.directory) if name.endswith(".arrow"))
        # Pass by pass, so that memory follows the documents and not the edges: most passes find the same pairs again.
        for _, found in itertools.groupby(names, key=pass_of):
            edges = pa.concat_tables(read_arrow(join(self.pairs.directory, name)) for name in found)
            nodes, roots = connect(np.r_[roots, edges["a"].to_numpy()], np.r_[nodes, edges["b"].to_numpy()])
        part = (nodes >> np.uint64(32)).astype(np.int64)
        numbers, counts = np.unique(part, return_counts=True)
        for number, count, stop in zip(numbers, counts, np.cumsum(counts), strict=True):
            mine = slice(stop - count, stop)
            rows = (nodes[mine] & np.uint64(0xFFFFFFFF)).astype(np.uint32)
            path = part_path(self.members.directory, int(number), "arrow")
            write_arrow(path, pa.table({"row": rows, "component": roots[mine]}))
        sizes = np.unique(roots, return_counts=True)[1]
        self.members.finish(
            0, {"members": len(nodes), "components": len(sizes), "largest": int(sizes.max()) if len(sizes) else 0}
        )


class ConnectComponents(beam.PTransform):
    """From one element to a file for each part that has members: `row` uint32, `component` uint64, rows ascending.

    A component is named by the smallest id in it. Components only bring candidates together; they never decide.
    """

    def __init__(self, pairs: Stage, members: Stage):
        super().__init__()
        self.connect = _Connect(pairs, members)

    def expand(self, start: beam.PCollection) -> beam.PCollection:
        return start | "Connect" >> beam.ParDo(self.connect).with_output_types(int)
