"""Decide: a measured store to ledgers, in passes that bound the memory of a shuffle."""

from collections.abc import Sequence

from apache_beam.options.pipeline_options import PipelineOptions

from beam_jobs.job import Job, count_records
from beam_jobs.options import run_pipeline
from beam_jobs.prepare import Prepared
from beam_jobs.progress import StageProgress
from transforms.decide.connect_components import ConnectComponents
from transforms.decide.mark_duplicates import MarkDuplicates, Share
from transforms.decide.pair_candidates import KEY_BYTES, PairCandidates, key_columns
from transforms.decide.settle_decisions import SettleDecisions
from transforms.part_store import Stage, join, list_file_names
from transforms.shuffle import partitions
from transforms.spread_parts import SpreadParts

HELD_TIMES = 7
"""A local runner holds a GroupByKey in memory at about this many times its payload; see ARCHITECTURE.md, "Passes"."""


def decide(prepared: Prepared, measured: Stage, directory: str, job: Job) -> Stage:
    """Decide on every measured record. Raises OutputError if the store is incomplete or of another config or input."""
    decided = Stage(directory, prepared.build_digest)
    decided.begin({"build_id": prepared.build_id}, overwrite=job.overwrite)
    steps = _Steps(prepared, measured, decided, job.options)
    with job.reporter.watch("decide", decided, len(prepared.plan.parts)) as progress:
        steps.run(progress)
    return decided


class _Steps:
    """The steps of decide, each of which leaves files and a marker, so that a broken run goes on where it was."""

    def __init__(self, prepared: Prepared, measured: Stage, decided: Stage, options: PipelineOptions):
        self.prepared, self.measured, self.decided, self.options = prepared, measured, decided, options
        self.numbers = [part.number for part in prepared.plan.parts]
        self.members = self._step("members")
        self.records = count_records(measured, len(self.numbers), "measure")

    def run(self, progress: StageProgress) -> None:
        left = sorted(set(self.numbers) - self.decided.done())
        if not left:
            return
        pairs = self._pair(progress)
        progress.phase = "connecting components"
        if 0 not in self.members.done():
            step = ConnectComponents(pairs, self.members)
            run_pipeline(self.options, lambda root: root | SpreadParts([0]) | "Connect" >> step)
        verdicts = self._judge(progress)
        progress.phase = "settling"
        lists, rules = self.prepared.lists, self.prepared.duplicates
        settle = SettleDecisions(self.measured, self.decided, verdicts, lists, rules)
        run_pipeline(self.options, lambda root: root | SpreadParts(left) | "Settle" >> settle)

    def _step(self, name: str) -> Stage:
        """Where a step leaves its files. Passes are part of the name: another number of them cuts otherwise."""
        step = Stage(join(self.decided.directory, name), self.decided.digest)
        step.begin({})
        return step

    def _pair(self, progress: StageProgress) -> Stage:
        rules = self.prepared.duplicates
        columns = key_columns(rules.url, rules.exact, rules.bands)
        column_bytes = max(1, self.records * KEY_BYTES)
        shares = _shares(columns, self._passes(column_bytes * len(columns)))
        pairs = self._step(f"pairs-{len(shares)}")
        for number, chosen in enumerate(shares):
            progress.phase = f"pairing candidates, pass {number + 1} of {len(shares)}"
            if number not in pairs.done():
                step = PairCandidates(self.measured, pairs, number, chosen, partitions(column_bytes * len(chosen)))
                self._run_pass(pairs, number, self.numbers, step)
        return pairs

    def _judge(self, progress: StageProgress) -> Stage:
        rules = self.prepared.duplicates
        found = self.members.marker(0) or {}
        payload = int(found["members"]) * rules.member_bytes
        passes = min(self._passes(payload), int(found["components"]))
        verdicts = self._step(f"verdicts-{passes}")
        holders = sorted(_numbers(self.members.directory))
        for number in range(passes):
            progress.phase = f"judging duplicates, pass {number + 1} of {passes}"
            if number not in verdicts.done():
                share = Share(number, passes, partitions(payload // passes))
                step = MarkDuplicates(self.measured, self.members, verdicts, self.prepared.lists, rules, share)
                self._run_pass(verdicts, number, holders, step)
        return verdicts

    def _run_pass(self, stage: Stage, number: int, parts: Sequence[int], step: PairCandidates | MarkDuplicates) -> None:
        run_pipeline(self.options, lambda root: root | SpreadParts(parts) | "Step" >> step)
        stage.finish(number, {})

    def _passes(self, payload_bytes: int) -> int:
        return max(1, -(-payload_bytes * HELD_TIMES // self.prepared.config.run.shuffle_memory))


def _shares(columns: Sequence[str], count: int) -> list[Sequence[str]]:
    """Columns in at most `count` runs of about equal length."""
    size = -(-len(columns) // count) if columns else 1
    return [columns[start : start + size] for start in range(0, len(columns), size)]


def _numbers(directory: str) -> list[int]:
    return [int(name[len("part-") : -len(".arrow")]) for name in list_file_names(directory) if name.endswith(".arrow")]
