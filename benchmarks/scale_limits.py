"""Limits: what grows faster than the documents, from how many documents on it hurts, and what would mend it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from benchmarks.prices import MACHINES
from benchmarks.scale_constants import Constants
from benchmarks.scale_costs import (
    KEY_BYTES,
    MEMBER_BYTES,
    Size,
    connect,
    driver_seconds,
    held_bytes,
    index,
    judge,
    pair,
)

LIST_KEYS: Final = 1000
"""Keys that one request to list an object store answers with."""
POLL_SECONDS: Final = 5.0
HOT_SHARE: Final = 0.001
"""Of the documents, that are assumed to have one text, or to hang together: error pages, templates."""
MANIFEST_BYTES: Final = 1 << 30
FILE_BYTES: Final = 1e9
"""Of a file of the crawl, as Common Crawl has them."""
OPENERS: Final = 16
"""Threads of `list_files`."""
SMALLEST, LARGEST = 1e5, 1e13


@dataclass(frozen=True)
class Limit:
    """A quantity that grows with the documents, and the level from which it hurts."""

    what: str
    formula: str
    hurts: str
    """The level, in words."""
    strain: Callable[[Constants, Size], float]
    """The quantity as a share of the level: it hurts from 1 on."""
    remedy: str


def hurts_from(limit: Limit, constants: Constants, part_bytes: int) -> float | None:
    """Documents from which a limit hurts; None if it does not up to 10^13."""

    def strain(documents: float) -> float:
        return limit.strain(constants, Size(documents, part_bytes, 1))

    if strain(LARGEST) < 1:
        return None
    low, high = SMALLEST, LARGEST
    while high / low > 1.001:
        middle = (low * high) ** 0.5
        low, high = (low, middle) if strain(middle) >= 1 else (middle, high)
    return high


def _driver(constants: Constants, size: Size) -> float:
    return driver_seconds(constants, size) / 3600


def _polls(constants: Constants, size: Size) -> float:
    return 3 * size.parts(constants) / LIST_KEYS * MACHINES.request_seconds / POLL_SECONDS


def _reads_for(requests: Callable[[Constants, Size], float]) -> Callable[[Constants, Size], float]:
    """Hours that threads wait for requests, all together, against a hundred."""
    return lambda constants, size: requests(constants, size) * MACHINES.request_seconds / 3600 / 100


def _heads_for(what: str, sent: Callable[[Constants, Size], float]) -> Callable[[Constants, Size], float]:
    """Bytes that elements have of themselves, against those of their rows."""

    def strain(constants: Constants, size: Size) -> float:
        sending = constants.sending(what)
        rows = constants.rows(constants.run, what) * size.documents / int(constants.run["documents"])
        return sent(constants, size) * sending.element / (rows * sending.row)

    return strain


def _edge_heads(constants: Constants, size: Size) -> float:
    edges = size.documents * constants.of_document("edge_bytes") / 16
    return connect(constants, size).elements * constants.sending("keys").element / (edges * constants.rounds_sent)


def _manifest(constants: Constants, size: Size) -> float:
    return constants.of_part("manifest_bytes") * size.parts(constants) / MANIFEST_BYTES


def _input(constants: Constants, size: Size) -> float:
    files = size.documents * constants.of_document("input_bytes") / FILE_BYTES
    return 3 * files * MACHINES.request_seconds / OPENERS / 3600


def _on_one_worker(call: str, sender: str, row_bytes: int) -> Callable[[Constants, Size], float]:
    """Memory of a worker that gets a share of all documents under one key."""

    def strain(constants: Constants, size: Size) -> float:
        times = held_bytes(constants, call) * constants.calls[call]["calls"] / constants.calls[sender]["bytes"]
        return float(HOT_SHARE * size.documents * row_bytes * (1 + times) / (MACHINES.memory_gb * 1e9))

    return strain


LIMITS: Final = (
    Limit(
        "The machine that sends the jobs reads the marker of every part several times",
        "parts × (3 requests × markers read in turn + 2 × markers read at once / 16) × 30 ms",
        "an hour of waiting",
        _driver,
        "one journal a stage in place of a marker a part",
    ),
    Limit(
        "The progress line lists all files of a stage each time",
        "3 P / 1,000 requests each 5 s",
        "a list takes longer than 5 s",
        _polls,
        "ask the engine's counters in place of the store",
    ),
    Limit(
        "Every range of an index opens the sorted run of every part",
        "P × R × 3 requests",
        "threads wait for requests for 100 hours in all",
        _reads_for(lambda constants, size: index(constants, size).requests),
        "merge in two levels, runs of 1,000 parts first; or send the runs through the shuffle of the engine",
    ),
    Limit(
        "Judges read sets by ranges, of every part's file one for each batch",
        "cells(P, B, M) × 2 requests",
        "threads wait for requests for 100 hours in all",
        _reads_for(lambda constants, size: judge(constants, size).requests),
        "send the sets through the shuffle of the engine; or larger batches",
    ),
    Limit(
        "Keys come in elements of few rows, for every part sends to every partition",
        "cells(P, Q, 27 D) × bytes an element against 27 D × bytes a row",
        "heads of elements weigh as much as the keys",
        _heads_for("keys", lambda constants, size: pair(constants, size).elements),
        "larger parts; or two shuffles in turn, to √Q groups of partitions and then inside each",
    ),
    Limit(
        "Members come in elements of few rows",
        "cells(P, Q, M) × bytes an element against M × bytes a row",
        "heads of elements weigh as much as the members",
        _heads_for("members", lambda constants, size: judge(constants, size).elements / 2),
        "as for keys",
    ),
    Limit(
        "Verdicts come home in elements of few rows",
        "cells(P, Q, M) × bytes an element against M × bytes a row",
        "heads of elements weigh as much as the verdicts",
        _heads_for("verdicts", lambda constants, size: judge(constants, size).elements / 2),
        "as for keys; and send the schema once",
    ),
    Limit(
        "Rounds of components send nodes from every chunk to every partition",
        "6 cells(chunks, Q, 2 edges) × bytes an element against edges × bytes an edge",
        "heads of elements weigh as much as the nodes",
        _edge_heads,
        "chunks that grow with the edges: `chunk_bytes` of `connect_components` is 8 MiB",
    ),
    Limit(
        "The manifest names every file, and the plan every piece, in one JSON",
        "P × bytes of the manifest a part",
        "1 GiB, which every question to the dataset reads and parses",
        _manifest,
        "lists of files beside the manifest, in Parquet, by digest",
    ),
    Limit(
        "Every file of the crawl is opened by 16 threads of one process before the work starts",
        "files of 1 GB × 3 requests × 30 ms / 16",
        "an hour of waiting",
        _input,
        "list sizes and digests by the pages of the store, which hold both",
    ),
    Limit(
        "One key that 0.1 % of the documents share is paired by one worker",
        "0.001 D × 44 B, and what holding it takes",
        "all memory of a worker",
        _on_one_worker("pair-0/WriteEdges", "pair-0/ReadKeys", KEY_BYTES),
        "tie the keys of each part to their first before they are sent",
    ),
    Limit(
        "One component of 0.1 % of the documents is judged by one worker",
        "0.001 D × 182 B, and what holding it takes",
        "all memory of a worker",
        _on_one_worker("judge-0/JudgeMembers", "judge-0/GatherMembers", MEMBER_BYTES),
        "judge equal texts as one member; cut a component by survivors that were found before",
    ),
)
"""In no order; the document sorts them by where they hurt."""
