"""Connect: edge files to members of components, in rounds of contraction where no worker could hold all edges.

A round (`ChooseLeaders`, `RelabelNodes`) lets every node take as its leader the node of least rank among itself and
those that it is connected with inside one chunk of edges, and puts leaders in the place of nodes. When nothing is left,
leaders are replaced by their own leaders, last round first; then components are counted and get their names.

Why it is right: a leader is in the component of its node, and an edge goes only when its ends have one leader. Why it
ends: an edge joins two nodes, and of a component's nodes the one of highest rank is nobody's leader, for whoever could
take it has an edge to a lower one; so every round takes a node, or more, from each component that is left. Why it ends
soon: ranks are drawn anew for each round, and then the nodes shrink by a constant factor in expectation (Bögeholz,
Brand and Todor, "In-database connected component analysis", ICDE 2020): rounds grow as the logarithm of the nodes,
paths included. Chunks grow together as edges get fewer, and the round that has all in one chunk is the last.

What is bounded: a chunk is contracted to fewer edges than nodes before it sends anything, and sends or asks for each
node once. So a node of any number of edges reaches a partition at most as often as there are chunks, and what a worker
holds is a chunk, or a partition of nodes spread by a hash.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import count

import apache_beam as beam

from beam_jobs.runners.engine import Engine
from schemas.errors import WorkError
from transforms.decide import choose_leaders, count_components, relabel_nodes, write_members
from transforms.decide.choose_leaders import ChooseLeaders
from transforms.decide.chunks import Chunks, Turn, arrow_names
from transforms.decide.connect_components import ConnectComponents
from transforms.decide.count_components import CountComponents
from transforms.decide.relabel_nodes import RelabelNodes
from transforms.decide.write_members import WriteMembers
from transforms.part_store import Stage, file_size, join, read_arrow, remove_tree
from transforms.shuffle import PARTITION_BYTES, partitions
from transforms.spread_parts import SpreadParts

ROW_BYTES = 16
"""A row of edges or of labels is two nodes, both uint64."""


def connect_components(
    pairs: Stage,
    members: Stage,
    work: str,
    engine: Engine,
    payload_bytes: int,
    max_rounds: int,
    tell: Callable[[str], None],
    chunk_bytes: int = PARTITION_BYTES,
) -> None:
    """Write the members of all components of the edges in `pairs`, and marker 0 of `members`; nothing if it is there.

    `payload_bytes` is what one machine may hold; edges of no more than that are connected on one worker, which takes
    about seven times their bytes, and a local shuffle is cut to that. `work` is a directory for what passes between
    rounds; it is removed at the end, and a run that was broken goes on from what is in it. `tell` is told of each
    step, in a few words. The files are the same for any of these settings. Raises WorkError if anything is left to
    connect after `max_rounds`.
    """
    if members.marker(0) is None:
        edges = _weigh(pairs.directory)
        # A worker holds a chunk in any case: to go below it would take more rounds and save nothing.
        limit = max(payload_bytes, chunk_bytes)
        if edges.bytes <= limit:
            tell("connecting components")
            step = ConnectComponents(pairs, members)
            engine.run("connect", lambda root: root | SpreadParts([0]) | "Connect" >> step)
        else:
            digest = f"{members.digest} of {pairs.directory} by {chunk_bytes}, {engine.partition_bytes}"
            journal = Stage(work, digest)
            journal.begin({}, overwrite=True)
            rounds = _Rounds(journal, members, engine, limit, chunk_bytes, tell)
            rounds.name(rounds.expand(rounds.contract(edges, max_rounds)))
    remove_tree(work)


@dataclass(frozen=True)
class _Files:
    """Arrow files of a directory: how many, and bytes of all and of the largest."""

    directory: str
    files: int
    bytes: int
    largest: int

    @property
    def rows(self) -> int:
        """No fewer than there are."""
        return self.bytes // ROW_BYTES


def _weigh(directory: str) -> _Files:
    sizes = [file_size(join(directory, name)) or 0 for name in arrow_names(directory)]
    return _Files(directory, len(sizes), sum(sizes), max(sizes, default=0))


@dataclass(frozen=True)
class _Level:
    """Labels of the nodes of one round, in files by partition."""

    labels: _Files
    partitions: int


class _Rounds:
    """Steps that each fill a directory; the journal has a marker for each that is done, also after its files went."""

    def __init__(
        self,
        journal: Stage,
        members: Stage,
        engine: Engine,
        limit: int,
        chunk_bytes: int,
        tell: Callable[[str], None],
    ):
        self.journal, self.members, self.engine = journal, members, engine
        self.limit, self.chunk_bytes, self.tell = limit, chunk_bytes, tell
        self.steps, self.pipelines = count(), count()

    def contract(self, edges: _Files, max_rounds: int) -> list[_Level]:
        """The leaders of every round, until no edge is left."""
        levels: list[_Level] = []
        while edges.files:
            number = len(levels)
            if number == max_rounds:
                raise WorkError(_letter(edges, max_rounds))
            self.tell(f"connecting components, round {number + 1}")
            level = self._choose(edges, number)
            left = self._relabel(f"edges-{number + 1}", edges, level, self._chunk_size(edges))
            if number:
                remove_tree(edges.directory)
            levels.append(level)
            edges = left
        return levels

    def expand(self, levels: Sequence[_Level]) -> _Level:
        """The final label of every node of the first round."""
        *wider, level = levels
        for number, leaders in reversed(list(enumerate(wider))):
            self.tell(f"connecting components, round {number + 1} back")
            labels = self._relabel(f"labels-{number}", leaders.labels, level, 1)
            for used in (leaders, level):
                remove_tree(used.labels.directory)
            level = _Level(labels, leaders.partitions)
        return level

    def name(self, level: _Level) -> None:
        """Name components by their smallest ids, and write members part by part."""
        self.tell("counting components")
        labels = level.labels
        names = Stage(join(self.journal.directory, "names"), self.journal.digest)
        payload = labels.rows * count_components.SENT_BYTES
        spread = partitions(payload, self.engine.partition_bytes)

        def count_all(_: str) -> None:
            self._run_turns(
                labels.files, payload, lambda turn: CountComponents(Chunks(labels.directory), names, spread, turn)
            )

        named = self._step("names", count_all)
        facts = [marker for marker in names.markers(sorted(names.listed())) if marker]
        final = self._relabel("components", labels, _Level(named, spread), 1)
        self._run_turns(
            final.files,
            final.rows * write_members.SENT_BYTES,
            lambda turn: WriteMembers(Chunks(final.directory), self.members.directory, turn),
        )
        totals = {key: sum(int(fact[key]) for fact in facts) for key in ("members", "components")}
        largest = max(facts, key=lambda fact: (fact["largest"], -fact["largest_id"]))
        self.members.finish(0, {**totals, **{key: largest[key] for key in ("largest", "largest_id")}})

    def _chunk_size(self, edges: _Files) -> int:
        """Files that are read at once: all, if they are within the limit."""
        return edges.files if edges.bytes <= self.limit else max(1, self.chunk_bytes // edges.largest)

    def _choose(self, edges: _Files, number: int) -> _Level:
        chunks = Chunks(edges.directory, self._chunk_size(edges))
        payload = 2 * edges.rows * choose_leaders.SENT_BYTES  # an edge has two nodes
        spread = partitions(payload, self.engine.partition_bytes)

        def choose(target: str) -> None:
            # Salt 0 places nodes in partitions.
            self._run_turns(
                -(-edges.files // chunks.size),
                payload,
                lambda turn: ChooseLeaders(chunks, target, number + 1, spread, turn),
            )

        return _Level(self._step(f"leaders-{number}", choose), spread)

    def _relabel(self, name: str, tables: _Files, level: _Level, size: int) -> _Files:
        chunks = Chunks(tables.directory, size)
        total = -(-tables.files // size)

        def relabel(target: str) -> None:
            step = RelabelNodes(chunks, level.labels.directory, level.partitions, target)
            passes = min(total, self._passes(2 * tables.rows * relabel_nodes.SENT_BYTES))
            for number in range(passes):
                share = range(total * number // passes, total * (number + 1) // passes)
                self._run(share, step)

        return self._step(name, relabel)

    def _step(self, name: str, run: Callable[[str], None]) -> _Files:
        """Fill a directory, from the start if it was not finished: another limit may have cut other chunks."""
        number = next(self.steps)
        directory = join(self.journal.directory, name)
        found = self.journal.marker(number)
        if found is not None:
            return _Files(directory, found["files"], found["bytes"], found["largest"])
        remove_tree(directory)
        run(directory)
        files = _weigh(directory)
        self.journal.finish(number, asdict(files))
        return files

    def _run_turns(self, chunks: int, payload: int, make: Callable[[Turn], beam.PTransform]) -> None:
        passes = self._passes(payload)
        for number in range(passes):
            self._run(range(chunks), make(Turn(number, passes)))

    def _run(self, chunks: Sequence[int], step: beam.PTransform) -> None:
        name = f"connect-{next(self.pipelines)}"
        self.engine.run(name, lambda root: root | SpreadParts(chunks) | step)

    def _passes(self, payload: int) -> int:
        """How often a shuffle of so many bytes is begun: a cluster keeps it on its disks."""
        if not self.engine.local:
            return 1
        return max(1, -(-payload // self.limit))


def _letter(edges: _Files, rounds: int) -> str:
    left = sum(len(read_arrow(join(edges.directory, name))) for name in arrow_names(edges.directory))
    return (
        f"Components are not connected after {rounds} rounds: {left:,} edges still join nodes with different labels.\n"
        f"Set `run.component_rounds`, now {rounds}, to {2 * rounds} and go on with --resume."
    )
