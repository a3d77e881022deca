"""Where the figures of `docs/scale.md` come from: constants and how each was measured, the check, the assumptions."""

from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from benchmarks.prices import MACHINES, PRICES, REGION, SOURCES, TAKEN
from benchmarks.scale_constants import SHUFFLES, STEPS, Constants
from benchmarks.scale_words import bytes_words, table
from transforms.part_store import MARKERS_AT_ONCE

CHECK_DOCUMENTS, CHECK_TEXT_BYTES, CHECK_SECONDS, CHECK_CORES = 1_000_000, 549_257_239, 38.4, 2
"""A run that was measured, of sections of law: `python -m benchmarks.scale --documents 1000000 --stages curate`."""


def constants_section(constants: Constants) -> str:
    """Constants, how each was measured, and the check against a run that was not used for them."""
    about = constants.found["about"]
    versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    costs = "step|CPU in any case|CPU a document|CPU a byte of text|largest error|read a document|written a document"
    corpora = "texts|documents|text a document|members of components|edges a document|CPU a document"
    sendings = {what: constants.sending(what) for what in SHUFFLES}
    rows = {what: f"{one.row:.0f} B" for what, one in sendings.items()} | {"sources": "40 B, as it is planned"}
    sent = [[what, rows[what], f"{one.element:,.0f} B"] for what, one in sendings.items()]
    return f"""## Constants

Measured on {about["date"]} at commit {about["commit"]} by `{about["command"]}`,
on {about["machine"]}, Python {about["python"]}, {versions}.

{table(corpora.split("|"), _runs(constants))}

The paper uses the made-up texts, which are as long as web pages; a fifth of them are planted duplicates
(`benchmarks/corpus.py`). The sections of law (`benchmarks/grow.py`) are a tenth as long and more alike; from both kinds
together one can tell what a document costs and what a byte.

{table(costs.split("|"), _costs(constants))}

CPU is that of the process (user and system, all threads; `os.times`) on the local runner with one thread, pipeline by
pipeline, fitted to all runs by least squares of the relative errors; the largest error is that of the worst run. Bytes
read are those that the process asked the system for (`rchar` of `/proc/self/io`) and the sizes of files that it mapped;
bytes written are the sizes of new files when a pipeline ends.

{table(["shuffle of", "a row", "an element"], sent)}

Elements were counted with the same steps run by hand (`benchmarks/by_hand.py`), over partitions of two sizes: the same
rows in more elements tell what an element costs. It is an Arrow stream, whose schema stands in each. On the local
runner an element takes {constants.element_seconds * 1e6:.0f} µs of CPU whatever it holds.

Memory is the peak of the process (`VmHWM`) above what it held before a call; an idle worker holds
{bytes_words(constants.idle_bytes)}. The machine that sends the jobs reads {constants.of_part("driver_markers"):.1f}
markers of each part one by one, and {constants.of_part("driver_markers_at_once"):.1f} of them {MARKERS_AT_ONCE} at a
time; the manifest has {constants.of_part("manifest_bytes"):,.0f} bytes for each part.

{_pages(constants.found["pages"])}
Components of a path, the worst there is, its edges in random order, in chunks of 4,096:

{table(["nodes", "log2(nodes)", "chunks", "rounds", "pipelines", "sent, by edge", "CPU, by edge"], _rounds(constants))}

A round halves what is left of a path: rounds = 1 + log2(chunks), for what fits one chunk is connected at once.

{_check(constants)}"""


def _runs(constants: Constants) -> Iterable[list[str]]:
    for run in constants.runs:
        spent, count = sum(step["cpu_seconds"] for step in run["steps"].values()), run["documents"]
        yield [
            run["corpus"],
            f"{count:,}",
            f"{run['text_bytes'] / count:,.0f} B",
            f"{run['members'] / count:.1%}",
            f"{run['edge_bytes'] / count:.1f} B",
            f"{spent / count * 1e6:.0f} µs",
        ]


def _costs(constants: Constants) -> Iterable[list[str]]:
    for name in STEPS:
        spent = constants.spent(name)
        yield [
            name,
            f"{spent.fixed:.2f} s",
            f"{spent.document * 1e6:.1f} µs",
            f"{spent.byte * 1e9:.2f} ns",
            f"{spent.worst:.0%}",
            f"{constants.step_bytes(name, 'read_bytes'):,.0f} B",
            f"{constants.step_bytes(name, 'written_bytes'):,.0f} B",
        ]


def _rounds(constants: Constants) -> Iterable[list[str]]:
    for one in constants.found["rounds"]:
        yield [
            f"{one['nodes']:,}",
            str(int(one["nodes"]).bit_length() - 1),
            *(str(one[name]) for name in ("chunks", "rounds", "pipelines")),
            f"{one['sent_bytes'] / (one['nodes'] - 1):.0f} B",
            f"{one['cpu_seconds'] / (one['nodes'] - 1) * 1e6:.0f} µs",
        ]


def _pages(pages: dict[str, Any] | None) -> str:
    if pages is None:
        return ""
    rate, text = pages["pages"] / pages["cpu_seconds"], pages["text_bytes"] / pages["pages"]
    return f"""Pages in WARC files must be parsed before all that: {rate:,.0f} pages a second and core (those of one
WARC file again and again, {text:,.0f} bytes of text each). A billion of them add {1e9 / rate / 3600:,.0f} hours of CPU
to measuring.
"""


def _check(constants: Constants) -> str:
    spent = sum(constants.spent(name).seconds(CHECK_DOCUMENTS, CHECK_TEXT_BYTES) for name in STEPS)
    wall = spent / CHECK_CORES
    return f"""## Check

A million sections of law, which none of the constants was measured on: `python -m benchmarks.scale --documents 1000000
--stages curate` took {CHECK_SECONDS} s by the clock on {CHECK_CORES} cores of the same machine, start-up included.
The constants say {spent:.0f} s of CPU, which is {wall:.0f} s on cores that never wait: {wall / CHECK_SECONDS - 1:+.0%}.
They leave out start-up, the passes that a local runner takes where a cluster takes one, and cores that wait for others.
"""


def assumptions() -> str:
    """Prices, machines and what is taken for granted."""
    prices = [[field.name.replace("_", " "), f"${getattr(PRICES, field.name):g}"] for field in fields(PRICES)]
    sources = "; ".join(f"{what}: {where}" for what, where in SOURCES.items())
    wait, rate = f"{MACHINES.request_seconds * 1000:.0f} ms", f"{MACHINES.store_bytes_second / 1e6:.0f} MB/s"
    return f"""## Assumptions

List prices of {REGION} in {TAKEN}, without discounts, spot machines or egress
({sources}).
They are assumptions: look them up, and change them in `benchmarks/prices.py`.

{table(["price", "US dollars"], prices)}

- A worker has {MACHINES.cores} vCPUs and {MACHINES.memory_gb:.0f} GB, and for each vCPU a thread of work; a vCPU does
  what a core of the machine above does. Where vCPUs are hyperthreads it does a little more than half of that.
- Workers are busy for {MACHINES.busy:.0%} of a step. A request takes {wait}, and a thread gets {rate} from the store.
  More threads than vCPUs (`--number_of_worker_harness_threads`) would hide some of the waiting, at the price of memory.
- Dataflow starts a pipeline in {MACHINES.start_seconds / 60:.0f} minutes and bills the workers meanwhile. What its
  shuffle processes is counted twice, written and read. A Flink cluster stands for the whole run, and its disks hold
  the largest shuffle twice.
- All lies in one region; what `_work` holds during the run is not billed by the month.
"""
