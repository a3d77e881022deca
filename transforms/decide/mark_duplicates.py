"""Mark duplicates: members of components are gathered, judged where components meet, and sent home as verdicts."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial

import apache_beam as beam
import numpy as np
import pyarrow as pa

from transforms.decide.all_parts import OWN, AllParts
from transforms.decide.duplicate_rules import DuplicateRules
from transforms.decide.gather_members import STANDING, gather_members, needed_columns
from transforms.decide.judge_members import WITNESSES, Rows, judge_members, verdicts
from transforms.decide.list_clusters import list_clusters, merge_clusters
from transforms.decide.ordinals import ordinals
from transforms.decide.shingle_files import ITEM, load_sets, write_sets
from transforms.decide.weigh_sources import read_weighed
from transforms.kernels.survivors import NONE
from transforms.part_store import Stage, file_size, join, part_path, read_arrow, write_arrow, write_json
from transforms.shuffle import Packed, split, unpack
from transforms.tell_work import Work, work


@dataclass(frozen=True)
class JudgePass:
    """Which components one pass takes, and over how many partitions it spreads them."""

    number: int
    passes: int
    partitions: int

    def directory(self, stage: Stage) -> str:
        """Where the pass leaves its files."""
        return join(stage.directory, f"pass-{self.number:05d}")

    def sets_directory(self, stage: Stage) -> str:
        """Where it leaves the sets, which nobody needs any more when it is done."""
        return join(self.directory(stage), "sets")


class _GatherMembers(beam.DoFn):
    def __init__(
        self,
        parts: AllParts,
        members: Stage,
        judged: Stage,
        weighed: Stage,
        rules: DuplicateRules,
        share: JudgePass,
    ):
        self.parts, self.members, self.judged = parts, members, judged
        self.weighed, self.rules, self.share = weighed, rules, share

    def process(self, part: tuple[int, Iterable[int]]) -> Iterator[Packed]:
        with work("judge", "part", part[0]) as done:
            yield from done.send(self._gather(part[0], done))

    def _gather(self, number: int, done: Work) -> Iterator[Packed]:
        members = read_arrow(part_path(self.members.directory, number, "arrow"))
        component = members["component"].to_numpy()
        # A component is named by an id; ids are dense, so a multiplication spreads them over passes and partitions.
        spread = (component * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(33)
        mine = np.flatnonzero(spread % np.uint64(self.share.passes) == self.share.number)
        if not len(mine):
            return
        target = (spread[mine] // np.uint64(self.share.passes)) % np.uint64(self.share.partitions)
        order = np.lexsort([component[mine], target])  # in which the judges ask for the sets
        mine, target = mine[order], target[order]
        row = members["row"].to_numpy()[mine]
        columns = needed_columns(self.rules, taken=number >= self.parts.documents)
        table = self.parts.read(number, columns)
        done.count(bytes_read=table.nbytes)
        table = table.take(pa.array(row))
        weighed = read_weighed(self.weighed, number, STANDING).take(pa.array(row))
        batch, sets = gather_members(table, component[mine], weighed, ordinals(number, row), self.rules)
        write_sets(self.share.sets_directory(self.judged), number, sets)
        done.count(bytes_written=sets.nbytes)
        yield from split(batch, target.astype(np.int64))


class _JudgeMembers(beam.DoFn):
    def __init__(self, parts: AllParts, judged: Stage, rules: DuplicateRules, share: JudgePass):
        self.parts, self.judged, self.rules, self.share = parts, judged, rules, share

    def process(self, keyed: tuple[int, Iterable[bytes]]) -> Iterator[Packed]:
        with work("judge", "partition", keyed[0]) as done:
            yield from done.send(self._judge(*keyed, done))

    def _judge(self, partition: int, values: Iterable[bytes], done: Work) -> Iterator[Packed]:
        load = partial(load_sets, self.share.sets_directory(self.judged))
        clusters, largest = [], 0
        for batch in judge_members(unpack(values), self.parts, self.rules, load):
            largest = max(largest, _count(batch, done))
            clusters.append(list_clusters({name: values[~batch["stored"]] for name, values in batch.items()}))
            wanted = (batch["store"] == OWN) | ((self.rules.overlap == "new_replaces") & ~batch["stored"])
            part = batch["part"][wanted]
            yield from split(verdicts(batch).filter(pa.array(wanted)), part)
        path = join(self.share.directory(self.judged), f"clusters-{partition:05d}.json")
        write_json(path, merge_clusters(clusters))
        done.note(component_members=largest)


def _count(batch: Rows, done: Work) -> int:
    """Count what was judged; returns the members of its largest component."""
    sizes = np.diff(np.flatnonzero(np.r_[True, np.diff(batch["component"]) != 0, True]))
    done.count(members=sizes.sum(), components=len(sizes), set_bytes=batch["set_size"].sum() * ITEM)
    done.count_each("marks", {kind: int((batch[kind] != NONE).sum()) for kind in WITNESSES})
    return int(sizes.max(initial=0))


class _WriteVerdicts(beam.DoFn):
    def __init__(self, judged: Stage, share: JudgePass):
        self.judged, self.share = judged, share

    def process(self, keyed: tuple[int, Iterable[bytes]]) -> None:
        number, values = keyed
        with work("judge", "file", number) as done:
            path = part_path(self.share.directory(self.judged), number, "arrow")
            write_arrow(path, unpack(values).sort_by("row"))
            done.count(bytes_written=file_size(path) or 0)


class MarkDuplicates(beam.PTransform):
    """From numbers of parts that have members to verdict files, one a part, for the components of one pass."""

    def __init__(
        self,
        parts: AllParts,
        members: Stage,
        judged: Stage,
        weighed: Stage,
        rules: DuplicateRules,
        share: JudgePass,
    ):
        super().__init__()
        self.gather = _GatherMembers(parts, members, judged, weighed, rules, share)
        self.judge = _JudgeMembers(parts, judged, rules, share)
        self.write = _WriteVerdicts(judged, share)

    def expand(self, parts: beam.PCollection) -> beam.PCollection:
        return (
            parts
            | "GatherMembers" >> beam.ParDo(self.gather).with_output_types(Packed)
            | "GroupComponents" >> beam.GroupByKey()
            | "JudgeMembers" >> beam.ParDo(self.judge).with_output_types(Packed)
            | "GroupParts" >> beam.GroupByKey()
            | "WriteVerdicts" >> beam.ParDo(self.write).with_output_types(int)
        )
