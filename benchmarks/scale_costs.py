"""Costs of a run of any size, step by step: bytes, elements, files, requests, memory, CPU, hours and dollars.

Every function of a step says in its docstring the formulas that it computes; `docs/scale.md` prints them. D is
documents, P parts.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from beam_jobs.connect import ROW_BYTES
from beam_jobs.decide import HELD_TIMES
from benchmarks.prices import MACHINES, PRICES
from benchmarks.scale_constants import PARTITION_BYTES, SHUFFLES, Constants, cells, step_of
from configs.model import Run
from transforms.decide.shingle_files import HELD_BYTES
from transforms.part_store import MARKERS_AT_ONCE
from transforms.publish.build_index import INDEXES
from transforms.shuffle import PARTITION_BYTES as CHUNK_BYTES
from transforms.shuffle import partitions

WORKER_BYTES: Final = Run().shuffle_memory // HELD_TIMES
"""Edges that one worker connects: `run.shuffle_memory` by default, and what is held of it."""
OPEN_REQUESTS: Final = 2
"""A file that is opened is asked for its size and for its bytes."""
RUN_REQUESTS: Final = 3
"""A sorted run that a range is read from: its size, its footer, and the row groups."""
MARKER_REQUESTS: Final = 3
"""A marker: its size, its bytes, and the size of the file that it speaks of, which a listing tells of many at once."""


@dataclass(frozen=True)
class Size:
    """How much there is to do, how it is cut, and who does it."""

    documents: float
    part_bytes: int
    workers: int

    def parts(self, constants: Constants) -> int:
        return max(1, math.ceil(self.documents * constants.of_document("input_bytes") / self.part_bytes))

    @property
    def cores(self) -> int:
        return self.workers * MACHINES.cores


@dataclass(frozen=True)
class Step:
    """What a step needs; bytes, seconds and counts are those of all workers together."""

    name: str
    sent: float = 0
    elements: float = 0
    files: float = 0
    requests: float = 0
    """To read, of an object store."""
    memory: float = 0
    """Of a worker's process."""
    pipelines: int = 1
    read: float = 0
    written: float = 0
    cpu_seconds: float = 0

    def seconds(self, cores: int, start: float) -> float:
        """Wall clock, on so many cores."""
        waits = self.requests * MACHINES.request_seconds + (self.read + self.written) / MACHINES.store_bytes_second
        return self.pipelines * start + self.cpu_seconds / cores / MACHINES.busy + waits / cores


def measure(constants: Constants, size: Size) -> Step:
    """files = 3 P: measured records, rejected records, marker"""
    parts = size.parts(constants)
    return Step("measure", files=3 * parts, requests=_opens(constants, "measure", parts))


def weigh(constants: Constants, size: Size) -> Step:
    """files = 3 P: standing, marks, marker"""
    parts = size.parts(constants)
    return Step("weigh", files=3 * parts, requests=_opens(constants, "weigh", parts))


def pair(constants: Constants, size: Size) -> Step:
    """keys = 27 D; partitions Q = keys × 44 B / 64 MiB; elements = cells(P, Q, keys); files = Q"""
    parts, keys = size.parts(constants), constants.keys * size.documents
    spread = partitions(math.ceil(keys * KEY_BYTES), PARTITION_BYTES)
    sending, elements = constants.sending("keys"), cells(parts, spread, keys)
    sent = keys * sending.row + elements * sending.element
    return Step("pair", sent, elements, files=spread, requests=OPEN_REQUESTS * parts)


def connect(constants: Constants, size: Size) -> Step:
    """edges of up to 146 MiB: one worker; else rounds = 1 + log2(edges / 146 MiB), each of 3 pipelines, over chunks of
    8 MiB and Q = edges × 32 B / 64 MiB partitions; elements = 2 × 3 × cells(chunks, Q, 2 edges), as edges halve"""
    weight = size.documents * constants.of_document("edge_bytes")
    files = size.parts(constants) + 1
    opened = partitions(math.ceil(constants.keys * size.documents * KEY_BYTES), PARTITION_BYTES)
    if weight <= WORKER_BYTES:
        return Step("connect", files=files, requests=OPEN_REQUESTS * opened, memory=HELD_TIMES * weight)
    rounds = 1 + math.ceil(math.log2(weight / WORKER_BYTES))
    edges, chunks = weight / ROW_BYTES, weight / CHUNK_BYTES
    spread = partitions(math.ceil(2 * weight), PARTITION_BYTES)
    elements = 2 * 3 * cells(chunks, spread, 2 * edges)
    sent = edges * constants.rounds_sent + elements * constants.sending("keys").element
    return Step(
        "connect",
        sent,
        elements,
        files=files + 2 * (chunks + spread),
        requests=OPEN_REQUESTS * (opened + 4 * (chunks + spread)),
        memory=HELD_TIMES * WORKER_BYTES,
        pipelines=3 * rounds + 2,
        cpu_seconds=edges * constants.rounds_seconds,
    )


def judge(constants: Constants, size: Size) -> Step:
    """members M; partitions Q = M × 182 B / 64 MiB; elements = 2 cells(P, Q, M), there and back; batches
    B = max(Q, sets / 64 MiB); reads of sets = cells(P, B, M); files = 2 P + Q"""
    parts, members = size.parts(constants), size.documents * constants.of_document("members")
    spread = partitions(math.ceil(members * MEMBER_BYTES), PARTITION_BYTES)
    there, back, elements = constants.sending("members"), constants.sending("verdicts"), cells(parts, spread, members)
    ranges = cells(parts, judge_batches(constants, size), members)
    return Step(
        "judge",
        members * (there.row + back.row) + elements * (there.element + back.element),
        2 * elements,
        files=2 * parts + spread,
        requests=OPEN_REQUESTS * (3 * parts + ranges),
    )


def judge_batches(constants: Constants, size: Size) -> float:
    """Batches of components whose sets judges hold, 64 MiB at a time; each reads a range of each part's file."""
    members = size.documents * constants.of_document("members")
    sets = size.documents * constants.step_bytes("judge", "written_bytes")
    return max(partitions(math.ceil(members * MEMBER_BYTES), PARTITION_BYTES), sets / HELD_BYTES)


def settle(constants: Constants, size: Size) -> Step:
    """files = 2 P: ledger, marker"""
    parts = size.parts(constants)
    return Step("settle", files=2 * parts, requests=_opens(constants, "settle", parts))


def survey(constants: Constants, size: Size) -> Step:
    """rows = D, if no two documents of a part have one source; Q = D × 40 B / 64 MiB; elements = cells(P, Q, D)"""
    parts, spread = size.parts(constants), partitions(math.ceil(size.documents * SOURCE_BYTES), PARTITION_BYTES)
    sending, elements = constants.sending("sources"), cells(parts, spread, size.documents)
    sent = size.documents * SOURCE_BYTES + elements * sending.element
    return Step("survey", sent, elements, files=spread, requests=_opens(constants, "survey", parts))


def write(constants: Constants, size: Size) -> Step:
    """files = 7 P: documents, ledger, rejected, fingerprints, two sorted runs, marker; 8 P with a quarantine"""
    parts = size.parts(constants)
    return Step("write", files=7 * parts, requests=_opens(constants, "write", parts))


def index(constants: Constants, size: Size) -> Step:
    """ranges R = keys of the index / 4 Mi + D / 1 Mi; every range opens the run of every part: P × R; files = 2 R"""
    ranges = index_ranges(constants, size)
    return Step("index", files=2 * ranges, requests=RUN_REQUESTS * size.parts(constants) * ranges)


def index_ranges(constants: Constants, size: Size) -> int:
    """Files of the indexes."""
    rows = {name: count / constants.run["documents"] for name, count in constants.run["index_rows"].items()}
    return sum(math.ceil(size.documents * rows[one.name] / one.file_rows) for one in INDEXES)


_FORMULAS: Final[tuple[Callable[[Constants, Size], Step], ...]] = (
    measure, weigh, pair, connect, judge, settle, survey, write, index,
)  # fmt: skip
FORMULAS: Final = {formula.__name__: formula for formula in _FORMULAS}
KEY_BYTES, MEMBER_BYTES, SOURCE_BYTES = 44, 182, 40
"""What `DuplicateRules.key_bytes`, its `member_bytes` and `count_sources.SENT_BYTES` are by default."""


def steps(constants: Constants, size: Size) -> list[Step]:
    """All steps, with what is in step with documents and bytes of text: bytes of files, and CPU."""
    found = []
    text_bytes = size.documents * constants.of_document("text_bytes")
    for name, formula in FORMULAS.items():
        step = formula(constants, size)
        spent = constants.spent(name).seconds(size.documents, text_bytes)
        found.append(
            replace(
                step,
                read=size.documents * constants.step_bytes(name, "read_bytes"),
                written=size.documents * constants.step_bytes(name, "written_bytes"),
                cpu_seconds=step.cpu_seconds + spent + step.elements * constants.element_seconds,
                memory=constants.idle_bytes + max(step.memory, _memory(constants, size, name)),
            )
        )
    return found


def driver_requests(constants: Constants, size: Size) -> float:
    """Requests that the machine which sends the jobs makes: markers of all parts, several times each."""
    in_turn = MARKER_REQUESTS * constants.of_part("driver_markers")
    return (in_turn + OPEN_REQUESTS * constants.of_part("driver_markers_at_once")) * size.parts(constants)


def driver_seconds(constants: Constants, size: Size) -> float:
    """How long it waits for them."""
    in_turn = MARKER_REQUESTS * constants.of_part("driver_markers")
    at_once = OPEN_REQUESTS * constants.of_part("driver_markers_at_once") / MARKERS_AT_ONCE
    return (in_turn + at_once) * size.parts(constants) * MACHINES.request_seconds


def _opens(constants: Constants, step: str, parts: int) -> float:
    return OPEN_REQUESTS * constants.opens(step) * parts


def _memory(constants: Constants, size: Size, name: str) -> float:
    """What a call of the step takes, by what it was measured to take for a smaller part, partition or range."""
    calls = [call for call in constants.calls if step_of(call) == name]
    return max(held_bytes(constants, call) * max(1.0, _grown(constants, size, call)) for call in calls) + (
        HELD_BYTES if name == "judge" else 0
    )


def held_bytes(constants: Constants, call: str) -> float:
    """What one call took, without the sets that judges hold: of these there are no more at any size."""
    ran = constants.calls[call]
    if not call.endswith("/JudgeMembers"):
        return ran["most_bytes"]
    sets = float(constants.run["steps"]["judge"]["written_bytes"]) / ran["calls"]
    return max(0.0, ran["most_bytes"] - min(sets, HELD_BYTES))


def _grown(constants: Constants, size: Size, call: str) -> float:
    """How many times larger what a call holds is than when it was measured."""
    kind, ran, run = call.split("/")[1], constants.calls[call], constants.run
    if kind == "MergeRange":
        return float(INDEXES[0].file_rows * ran["calls"] / sum(run["index_rows"].values()))
    if kind in _SENDERS:
        return PARTITION_BYTES * ran["calls"] / constants.calls[_SENDERS[kind]]["bytes"]
    if kind in _WHOLE_PARTS:
        return size.part_bytes * float(run["parts"]) / float(run["input_bytes"])
    return 1.0


_SENDERS: Final = {
    "WriteEdges": SHUFFLES["keys"],
    "JudgeMembers": SHUFFLES["members"],
    "RankSources": SHUFFLES["sources"],
}
"""Steps that hold a partition, and who sends it."""
_WHOLE_PARTS: Final = ("Weigh", "ReadKeys", "GatherMembers", "WriteVerdicts", "Settle", "CountPart", "WritePart")
"""Steps that hold columns of a whole part. Measuring holds a row group, whatever the part."""


@dataclass(frozen=True)
class Bill:
    """What a run takes and costs."""

    hours: float
    """From the order to the dataset, with the waits of the machine that sends the jobs."""
    driver_hours: float
    core_hours: float
    dataflow: float
    """Dollars: workers and shuffle."""
    flink: float
    """Dollars: machines and disks of a cluster that stands for the whole run."""
    requests: float
    """Dollars, on either."""
    month: float
    """Dollars: the dataset, kept for a month."""


def bill(constants: Constants, size: Size) -> Bill:
    """Hours and dollars of a run."""
    found = steps(constants, size)
    driver = driver_seconds(constants, size) / 3600
    on_dataflow = sum(step.seconds(size.cores, MACHINES.start_seconds) for step in found) / 3600
    on_flink = sum(step.seconds(size.cores, 0) for step in found) / 3600 + driver
    sent = sum(step.sent for step in found) / 1e9
    memory = size.workers * MACHINES.memory_gb
    reads, writes = sum(step.requests for step in found), sum(step.files for step in found)
    disk = 2 * max(step.sent for step in found) / 1e9
    return Bill(
        hours=on_dataflow + driver,
        driver_hours=driver,
        core_hours=sum(step.cpu_seconds for step in found) / 3600,
        dataflow=on_dataflow * (size.cores * PRICES.dataflow_core_hour + memory * PRICES.dataflow_gb_hour)
        + 2 * sent * PRICES.dataflow_shuffled_gb,
        flink=on_flink * (size.cores * PRICES.machine_core_hour + memory * PRICES.machine_gb_hour)
        + disk * PRICES.disk_gb_month * on_flink / MACHINES.month_hours,
        requests=(reads + driver_requests(constants, size)) / 1000 * PRICES.read_requests_1000
        + writes / 1000 * PRICES.write_requests_1000,
        month=size.documents * constants.of_document("dataset_bytes") / 1e9 * PRICES.stored_gb_month,
    )
