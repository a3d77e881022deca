"""Write `docs/scale.md`: what a run of any size takes, computed from measured constants.

    python -m benchmarks.scale_paper > docs/scale.md

The formulas stand in `benchmarks/scale_costs.py` and `scale_limits.py`, the constants in `benchmarks/constants.json`,
which `python -m benchmarks.constants` measures, and prices in `benchmarks/prices.py`.
"""

import inspect
import sys
from collections.abc import Sequence
from typing import Final

from benchmarks.prices import MACHINES
from benchmarks.scale_constants import Constants
from benchmarks.scale_costs import (
    FORMULAS,
    MARKER_REQUESTS,
    OPEN_REQUESTS,
    WORKER_BYTES,
    Bill,
    Size,
    bill,
    driver_requests,
    steps,
)
from benchmarks.scale_limits import LIMITS, Limit, hurts_from
from benchmarks.scale_sources import assumptions, constants_section
from benchmarks.scale_words import amount, bytes_words, count_words, days_words, digits, dollars_words, flow, table
from transforms.part_store import MARKERS_AT_ONCE

DEFAULT_PART: Final = 32 << 20
LARGE_PART: Final = 256 << 20
SIZES: Final = (Size(1e6, DEFAULT_PART, 1), Size(1e9, LARGE_PART, 25), Size(1e11, LARGE_PART, 500))
_WAIT: Final = f"{MACHINES.request_seconds * 1000:.0f} ms"
_RATE: Final = f"{MACHINES.store_bytes_second / 1e6:.0f} MB/s"


def paper(constants: Constants) -> str:
    """The whole of `docs/scale.md`."""
    sections = [
        answer(constants),
        limits(constants),
        *(step_by_step(constants, size) for size in SIZES),
        formulas(),
        constants_section(constants),
        assumptions(),
        _LEFT_OUT,
    ]
    return flow("\n".join(sections))


def answer(constants: Constants) -> str:
    """Hours and money for each size, and what breaks first."""
    bills = [bill(constants, size) for size in SIZES]
    small = Size(SIZES[1].documents, DEFAULT_PART, SIZES[1].workers)
    header = (
        "documents|text|workers × vCPU|parts|CPU hours|time|of it between steps|on Dataflow|or on VMs with Flink|"
        "requests|dataset, a month"
    )
    rows = [
        [
            amount(size.documents),
            bytes_words(size.documents * constants.of_document("text_bytes")),
            f"{size.workers} × {MACHINES.cores}",
            f"{count_words(size.parts(constants))} of {bytes_words(size.part_bytes)}",
            digits(one.core_hours),
            days_words(one.hours),
            days_words(one.driver_hours),
            dollars_words(one.dataflow),
            dollars_words(one.flink),
            dollars_words(one.requests),
            dollars_words(one.month),
        ]
        for size, one in zip(SIZES, bills, strict=True)
    ]
    default, large = (sorted_limits(constants, part) for part in (DEFAULT_PART, LARGE_PART))
    return f"""# Scale on paper

Written by `python -m benchmarks.scale_paper` from `benchmarks/constants.json`; change the formulas, or measure anew by
`python -m benchmarks.constants`, and run it again. No whole run had more than a million documents. What follows is
arithmetic on what was measured on {constants.found["about"]["machine"]}, for documents of
{constants.of_document("text_bytes"):,.0f} bytes of text in Parquet on an object store, with near duplicates and all
indexes.

## The answer

{table(header.split("|"), rows)}

A million documents need no cluster: {days_words(bills[0].core_hours / 2)} of two cores is enough, without the minutes
that each of nine pipelines takes to start on a service. A billion need `plan.part_size: 256 MiB`: with the default of
32 MiB the same run takes
{days_words(bill(constants, small).hours)}. For a hundred billion, {_verdict(bills[-1])}.

**What breaks first.** With parts of 32 MiB, {_first(default)} With parts of 256 MiB, {_first(large)}
"""


def _verdict(one: Bill) -> str:
    work = one.core_hours / (SIZES[-1].cores * MACHINES.busy)
    return (
        f"{digits(one.core_hours)} hours of CPU would be {days_words(work)}\non {SIZES[-1].workers} workers, but "
        f"the run takes {days_words(one.hours)}: the rest is requests\nto the store. At that size it does not work "
        "as it is"
    )


def _first(found: Sequence[tuple[Limit, float | None]]) -> str:
    words = [f"{limit.what[0].lower()}{limit.what[1:]} (from {amount(start)})" for limit, start in found if start]
    return "; then ".join(words[:3]) + "."


def sorted_limits(constants: Constants, part_bytes: int) -> list[tuple[Limit, float | None]]:
    """All limits, the one that hurts first before the others; those that never do are last."""
    found = [(limit, hurts_from(limit, constants, part_bytes)) for limit in LIMITS]
    return sorted(found, key=lambda pair: pair[1] or float("inf"))


def limits(constants: Constants) -> str:
    """What breaks, from where on, and what would mend it."""
    rows = []
    for limit, large in sorted_limits(constants, LARGE_PART):
        starts = [
            amount(start) if start else "no size" for start in (hurts_from(limit, constants, DEFAULT_PART), large)
        ]
        rows.append([limit.what, limit.formula, limit.hurts, *starts, limit.remedy])
    header = "what|formula|it hurts when|from, parts of 32 MiB|from, parts of 256 MiB|remedy, not done"
    size = SIZES[1]
    copied = size.documents * constants.of_document("dataset_bytes") / MACHINES.store_bytes_second
    takedown = (size.parts(constants) * 10 * MACHINES.request_seconds + 2 * copied) / 16 / 3600
    return f"""## What breaks first

Each line is something that grows faster than the documents, or that one worker or one process must bear alone. P is
parts, Q partitions, R files of the indexes, M members of components, B batches of judges.

{table(header.split("|"), rows)}

What does not break: from {amount(WORKER_BYTES / constants.of_document("edge_bytes"))} documents on, components are
connected in rounds of three pipelines each, no longer on one worker, which takes longer but holds at any size.
A job names its parts by runs of numbers, and the plan lies in files of 1,000 parts, so that what
is sent to an engine is small at any size; part numbers have 32 bits. A lookup is two binary searches at any size, but
begins by reading the manifest. A takedown is carried out by 16 threads of one process: at ten requests a part, and
every file read and written again, {days_words(takedown)} for a billion documents if it touches every part.
"""


def step_by_step(constants: Constants, size: Size) -> str:
    """What each step of a run of that size needs."""
    header = "step|pipelines|read|shuffled|elements|written|files|read requests|memory of a process|CPU hours|time"
    rows = [
        [
            step.name,
            str(step.pipelines),
            bytes_words(step.read),
            bytes_words(step.sent),
            count_words(step.elements),
            bytes_words(step.written),
            count_words(step.files),
            count_words(step.requests),
            bytes_words(step.memory),
            digits(step.cpu_seconds / 3600),
            days_words(step.seconds(size.cores, MACHINES.start_seconds) / 3600),
        ]
        for step in steps(constants, size)
    ]
    waited = days_words(bill(constants, size).driver_hours)
    rows.append(["between", *[""] * 6, count_words(driver_requests(constants, size)), "", "", waited])
    return f"""## {amount(size.documents).capitalize()} documents, step by step

{count_words(size.parts(constants))} parts of {bytes_words(size.part_bytes)}; {size.workers} × {MACHINES.cores} vCPUs.
Times are those of Dataflow, {MACHINES.start_seconds / 60:.0f} minutes a pipeline for its start included.

{table(header.split("|"), rows)}
"""


def formulas() -> str:
    """What the steps are computed by."""
    rows = [[name, inspect.getdoc(formula) or ""] for name, formula in FORMULAS.items()]
    return f"""## Formulas

`cells(a, b, n)` = a b (1 - exp(-n / (a b))): how many of a × b cells hold one of n rows or more, if chance places them.
It is how many elements a shuffle is sent and how many ranges are read: parts times partitions as long as rows are many,
and then nearly one for each row.

{table(["step", "what is not in step with the documents"], rows)}

- bytes read and written = D × bytes a document, as measured for that step
- shuffled = rows × bytes a row + elements × bytes an element
- CPU = a + b D + c × bytes of text, as fitted, + elements × CPU of an element; rounds: + edges × CPU of an edge
- memory of a process, one for each vCPU = that of an idle worker + what one call took × how much
  larger its part, partition or range is
- time of a step = pipelines × start + CPU / vCPUs / {MACHINES.busy} + (requests × {_WAIT} + bytes / {_RATE}) / vCPUs
- between the steps = P × ({MARKER_REQUESTS} requests × markers read in turn
  + {OPEN_REQUESTS} × markers read at once / {MARKERS_AT_ONCE}) a part × {_WAIT}
"""


_LEFT_OUT: Final = """## What is not in it

- Lists of millions of entries, phrases to look for in texts, takedowns and earlier stores: each adds to weigh, pair or
  judge in step with its size.
- The web's own share of duplicates: with more members, judging grows in step with them.
- The coders of Beam's portability layer on a real engine, retries, and workers that are lost.
- Components so large that the bounds of the walk are met (`most_estimates`, `most_comparisons`).
"""


if __name__ == "__main__":
    sys.stdout.write(paper(Constants.read()))
