"""Merge the index: from the sorted runs of all parts to the files of the indexes, each a range of keys."""

from collections.abc import Iterable, Sequence
from typing import Any

import apache_beam as beam
import pyarrow as pa

from schemas.errors import WorkError
from transforms.part_store import Stage, file_facts, join, part_path
from transforms.publish.build_index import INDEXES, Range, merge_range, write_index
from transforms.tell_work import work


class _MergeRange(beam.DoFn):
    def __init__(self, runs: Stage, parts: int, ranges: Sequence[Range], merged: Stage, dataset: str):
        self.runs, self.parts, self.ranges, self.merged, self.dataset = runs, parts, ranges, merged, dataset

    def process(self, keyed: tuple[int, Iterable[int]]) -> None:
        wanted = self.ranges[keyed[0]]
        index = INDEXES[wanted.table]
        path = part_path(join(self.dataset, index.name), wanted.file, "parquet")
        try:
            with work("index", "range", keyed[0], [part_path(index.name, wanted.file, "parquet")]) as done:
                table = merge_range(self.runs, range(self.parts), wanted)
                write_index(path, table, index)
                first = table[index.column][0].as_py() if len(table) else None
                facts = file_facts(path)
                self.merged.finish(keyed[0], {"file": {**facts, "rows": len(table)}, "first": first})
                done.count(keys=len(table), bytes_written=int(facts["bytes"]))
        except (OSError, pa.ArrowException) as error:
            raise WorkError(f"Writing the index {path} failed: {error}") from error


class MergeIndex(beam.PTransform):
    """From numbers of `ranges` to files of the indexes, each with a marker that says what it is.

    `runs` holds what `write_runs` wrote of each of the `parts`.
    """

    def __init__(self, runs: Stage, parts: int, ranges: Sequence[Range], merged: Stage, dataset: str):
        super().__init__()
        self.merge = _MergeRange(runs, parts, ranges, merged, dataset)

    def expand(self, numbers: beam.PCollection) -> beam.PCollection:
        return numbers | "Merge" >> beam.ParDo(self.merge).with_output_types(int)


def index_facts(merged: Stage, ranges: Sequence[Range]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the manifest says of the indexes: their files by path, and by index the first value of each file."""
    files: dict[str, Any] = {}
    first: dict[str, Any] = {index.name: [] for index in INDEXES}
    for wanted, found in zip(ranges, merged.markers(range(len(ranges))), strict=True):
        name, marker = INDEXES[wanted.table].name, found or {}
        files[part_path(name, wanted.file, "parquet")] = marker["file"]
        first[name].append(marker["first"])
    return files, first
