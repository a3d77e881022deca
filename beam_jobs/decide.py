"""Decide: a measured store to ledgers, in passes that bound the memory of a shuffle."""

import itertools
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from apache_beam import PTransform

from beam_jobs.connect import connect_components
from beam_jobs.console.progress import StageProgress
from beam_jobs.console.warn_of_giants import hottest_key, warn_of_components, warn_of_keys
from beam_jobs.job import Job, count_records
from beam_jobs.prepare import Prepared
from beam_jobs.runners.engine import Engine
from transforms.decide.all_parts import AllParts
from transforms.decide.list_clusters import merge_clusters
from transforms.decide.mark_duplicates import JudgePass, MarkDuplicates
from transforms.decide.pair_candidates import PairCandidates, PairPass, key_columns
from transforms.decide.settle_decisions import Settings, SettleDecisions
from transforms.decide.weigh_sources import WeighSources
from transforms.part_store import Stage, exists, join, list_file_names, read_json, remove_tree, write_json
from transforms.shuffle import partitions
from transforms.spread_parts import SpreadParts
from transforms.takedowns.store_takedowns import store_takedowns

CLUSTERS: Final = "clusters.json"
"""Beside the ledgers: `members`, `components`, `largest` of all components, and what `merge_clusters` says of them."""
HELD_TIMES = 7
"""A local runner holds a GroupByKey in memory at about this many times its payload; see ARCHITECTURE.md, "Passes"."""

LEAST_BYTES = 32 << 10
"""A pass takes so many in any case: starting a pass costs more than they do."""


def decide(prepared: Prepared, measured: Stage, directory: str, job: Job) -> Stage:
    """Decide on every measured record. Raises OutputError if the store is incomplete or of another config or input."""
    decided = Stage(directory, prepared.build_digest)
    decided.begin({"build_id": prepared.build_id}, overwrite=job.overwrite)
    steps = _Steps(prepared, measured, decided, job.engine)
    with job.reporter.watch("decide", decided, len(settled_parts(prepared, steps.parts))) as progress:
        steps.run(progress)
    return decided


def settled_parts(prepared: Prepared, parts: AllParts) -> list[int]:
    """Numbers of the parts for which decide leaves a marker: those of earlier stores only if they can be replaced."""
    return list(range(parts.documents if prepared.duplicates.overlap == "new_replaces" else parts.own))


class _Steps:
    """The steps of decide, each of which leaves files and a marker, so that a broken run goes on where it was."""

    def __init__(self, prepared: Prepared, measured: Stage, decided: Stage, engine: Engine):
        self.prepared, self.measured, self.decided, self.engine = prepared, measured, decided, engine
        self.rules = prepared.duplicates
        self.parts = AllParts(measured, len(prepared.plan.parts), prepared.earlier)
        self.weighed, self.members = self._step("sources"), self._step("members")
        own = count_records(measured, self.parts.own, "measure")
        self.records = own + sum(store.records for store in prepared.earlier)

    def run(self, progress: StageProgress) -> None:
        left = sorted(set(settled_parts(self.prepared, self.parts)) - self.decided.done())
        clusters = join(self.decided.directory, CLUSTERS)
        if not left and exists(clusters):
            return
        self._store_takedowns()
        self._weigh(progress)
        pairs = self._pair(progress)
        self._connect(pairs, progress)
        self._warn_of_giants(pairs)
        judged, passes = self._judge(progress)
        write_json(clusters, self._list_clusters(judged, passes))
        progress.phase = "settling"
        stores = tuple(store.build for store in self.prepared.earlier)
        settings = Settings(self.rules, stores, self.prepared.build_id, self.prepared.sources.takedowns.takedowns)
        settle = SettleDecisions(self.parts, self.decided, judged, passes, self.weighed, settings)
        self.engine.run("settle", lambda root: root | SpreadParts(left) | "Settle" >> settle)

    def _step(self, name: str) -> Stage:
        """Where a step leaves its files. How it is cut is part of the name: another engine or memory cuts otherwise."""
        step = Stage(join(self.decided.directory, name), self.decided.digest)
        step.begin({})
        return step

    def _store_takedowns(self) -> None:
        prepared, asked = self.prepared, self.prepared.sources.takedowns.takedowns
        taken = store_takedowns(prepared.takedowns, asked, prepared.near, self._step("sources/takedowns"))
        self.parts = replace(self.parts, taken=taken)
        self.records += taken.records

    def _weigh(self, progress: StageProgress) -> None:
        left = sorted(set(range(self.parts.count)) - self.weighed.done())
        if not left:
            return
        progress.phase = "weighing sources"
        sources, lists = self.prepared.sources, join(self.decided.directory, "lists")
        rules = replace(sources, lists=sources.lists.store(lists))
        step = WeighSources(self.parts, self.weighed, rules)
        self.engine.run("weigh", lambda root: root | SpreadParts(left) | "Weigh" >> step)
        remove_tree(lists)

    def _pair(self, progress: StageProgress) -> Stage:
        rules = self.rules
        columns = key_columns(rules.url, rules.pairs_texts, rules.bands)
        column_bytes = max(1, self.records * rules.key_bytes)
        passes = _pair_passes(columns, column_bytes, self._shuffle_bytes(), self.engine.partition_bytes)
        pairs = self._step(f"pairs-{_cut(passes)}")
        for share in passes:
            progress.phase = f"pairing candidates, pass {share.number + 1} of {len(passes)}"
            if pairs.marker(share.number) is None:
                step = PairCandidates(self.parts, pairs, share, rules.sketch_words, rules.least_to_tie)
                self._run_pass(f"pair-{share.number}", pairs, share.number, range(self.parts.count), step)
        return pairs

    def _connect(self, pairs: Stage, progress: StageProgress) -> None:
        def tell(phase: str) -> None:
            progress.phase = phase

        work = join(self.decided.directory, "components")
        rounds = self.prepared.config.run.component_rounds
        connect_components(pairs, self.members, work, self.engine, self._worker_bytes(), rounds, tell)

    def _warn_of_giants(self, pairs: Stage) -> None:
        memory = self.prepared.config.run.shuffle_memory
        passes = [marker for marker in pairs.markers(sorted(pairs.listed())) if marker]
        warn_of_keys(passes, self.rules, self.records, memory)
        warn_of_components(self.members.marker(0) or {}, self.parts, self.rules, self.records, memory)

    def _judge(self, progress: StageProgress) -> tuple[Stage, list[JudgePass]]:
        found = self.members.marker(0) or {}
        payload = int(found["members"]) * self.rules.member_bytes
        count = min(max(1, -(-payload // self._shuffle_bytes())), int(found["components"]))
        spread = partitions(payload // max(1, count), self.engine.partition_bytes)
        judged = self._step(f"verdicts-{count}-{spread}")
        holders = sorted(_numbers(self.members.directory))
        passes = [JudgePass(number, count, spread) for number in range(count)]
        for share in passes:
            progress.phase = f"judging duplicates, pass {share.number + 1} of {count}"
            if judged.marker(share.number) is None:
                step = MarkDuplicates(self.parts, self.members, judged, self.weighed, self.rules, share)
                self._run_pass(f"judge-{share.number}", judged, share.number, holders, step)
            remove_tree(share.sets_directory(judged))
        return judged, passes

    def _list_clusters(self, judged: Stage, passes: Sequence[JudgePass]) -> dict[str, Any]:
        """What the passes found, in one: those who read it need not know how many passes there were."""
        directories = [share.directory(judged) for share in passes]
        paths = [join(d, name) for d in directories for name in list_file_names(d) if name.startswith("clusters-")]
        facts = self.members.marker(0) or {}
        counts = {name: facts[name] for name in ("members", "components", "largest")}
        return {**counts, **merge_clusters(read_json(path) for path in paths)}

    def _run_pass(self, name: str, stage: Stage, number: int, parts: Sequence[int], step: PTransform) -> None:
        self.engine.run(name, lambda root: root | SpreadParts(parts) | step)
        stage.finish(number, hottest_key(self.engine.steps[-1:]))

    def _worker_bytes(self) -> int:
        """Bytes of a shuffle that one machine can hold."""
        return max(LEAST_BYTES, self.prepared.config.run.shuffle_memory // HELD_TIMES)

    def _shuffle_bytes(self) -> int:
        """Bytes that one pass may send through a shuffle: a cluster keeps them on its disks, so one pass will do."""
        return self._worker_bytes() if self.engine.local else sys.maxsize


def _cut(passes: Sequence[PairPass]) -> str:
    """What says which keys each pass takes and where they go: columns of a pass, residues, partitions."""
    first = passes[0] if passes else PairPass(0, (), 0, 1, 0)
    return f"{len(first.columns)}-{first.modulus}-{first.partitions}"


def _pair_passes(columns: Sequence[str], column_bytes: int, budget: int, partition_bytes: int) -> list[PairPass]:
    """Columns in runs that keep to the budget; a column that is larger than it is cut by the residues of its keys."""
    modulus = -(-column_bytes // budget)
    width = max(1, budget // column_bytes)
    runs = [tuple(columns[start : start + width]) for start in range(0, len(columns), width)]
    shares = itertools.product(runs, range(modulus))
    return [
        PairPass(number, run, residue, modulus, partitions(column_bytes * len(run) // modulus, partition_bytes))
        for number, (run, residue) in enumerate(shares)
    ]


def _numbers(directory: str) -> list[int]:
    return [int(name[len("part-") : -len(".arrow")]) for name in list_file_names(directory) if name.endswith(".arrow")]
