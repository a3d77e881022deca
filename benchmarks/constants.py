"""Measure the constants that `docs/scale.md` is computed from, and write `benchmarks/constants.json`.

    python -m benchmarks.constants [--documents 100000 400000] [--output benchmarks/constants.json] [--data DIR]
    python -m benchmarks.scale_paper > docs/scale.md

Each corpus of each size is run twice. Once on the local runner with one thread, where CPU seconds (of the process, not
of the clock, so that others at work on the machine disturb little) and bytes are noted pipeline by pipeline; and once
by hand, where every element of every shuffle is counted, and the memory that each call takes. Both plan as on a
cluster: one pass of each kind, over partitions of 64 MiB. Two sizes show whether a constant is one; two kinds of text,
long and short, tell what a document costs and what a byte.
"""

import argparse
import datetime
import json
import os
import platform
import subprocess
import time
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import apache_beam as beam
import numpy as np
import pyarrow as pa

from beam_jobs.connect import connect_components
from beam_jobs.prepare import prepare
from beam_jobs.runners.options import beam_options
from benchmarks.by_hand import HandEngine, resident
from benchmarks.corpus import build_corpus
from benchmarks.grow import BASE
from benchmarks.measure_costs import OPTIONS, apart, run_by_hand, run_metered
from benchmarks.runs import DATA, TOP, grown_corpus, write_config
from configs.load import load
from configs.near import Near
from transforms.decide.pair_candidates import key_columns
from transforms.measure.read_records import read_records
from transforms.measure.tally import Tally
from transforms.part_store import Stage, remove_tree, write_arrow

CONSTANTS: Final = Path(__file__).with_suffix(".json")
CUTS: Final = (64 << 20, 32 << 10)
"""Sizes of partitions: those of a cluster, and small ones, whose elements hold few rows."""
FILE_DOCUMENTS: Final = 25_000
ELEMENTS: Final = 200_000
ELEMENT_BYTES: Final = 500
CHUNK_BYTES: Final = 64 << 10
"""Edges are cut so small where rounds are counted, so that there are many chunks of few edges."""
PATHS: Final = (1 << 14, 1 << 16, 1 << 18)
WARC: Final = TOP.parent / "shared" / "data" / "warc" / "resiliparse"
PAGE_SECONDS: Final = 5.0
KEYS: Final = len(key_columns(url=True, exact=True, bands=Near().bands))
"""Of a document, by the config that says nothing."""


def corpora(data: Path, documents: int) -> Iterable[tuple[str, Path]]:
    """Directories of Parquet files of each kind of text: made-up long ones, and, where they are, sections of law."""
    made = data / f"made-{documents}" / "crawl"
    build_corpus(made, documents, files=max(4, documents // FILE_DOCUMENTS))
    yield "made-up", made
    if BASE.exists():
        yield "civil", grown_corpus(data, documents)


def measure_corpus(kind: str, corpus: Path, cuts: Sequence[int]) -> dict[str, Any]:
    """What a corpus costs; its runs are removed one by the next."""
    config, place = write_config(corpus), corpus.parent / "constants"
    found = {"corpus": kind, **apart(run_metered, config, place)}
    return {**found, "by_hand": {str(cut): apart(run_by_hand, config, place, cut) for cut in cuts}}


def measure_elements() -> dict[str, Any]:
    """CPU seconds of an element of a shuffle on the local runner, small ones, beside a pipeline that sends none."""

    def spent(count: int) -> float:
        started = time.process_time()
        with beam.Pipeline(options=beam_options(OPTIONS)) as root:
            _ = (
                root
                | beam.Create([count]).with_output_types(int)
                | beam.FlatMap(_elements).with_output_types(tuple[int, bytes])
                | beam.GroupByKey()
                | beam.Map(_count).with_output_types(int)
            )
        return time.process_time() - started

    spent(1)
    return {"elements": ELEMENTS, "bytes": ELEMENT_BYTES, "cpu_seconds": spent(ELEMENTS) - spent(1)}


def measure_idle() -> dict[str, Any]:
    """Memory of a process that has imported what a worker needs."""
    return {"bytes": resident("VmRSS")}


def _elements(count: int) -> Iterable[tuple[int, bytes]]:
    return ((number % 1000, bytes(ELEMENT_BYTES)) for number in range(count))


def _count(keyed: tuple[int, Iterable[bytes]]) -> int:
    return sum(map(len, keyed[1]))


def measure_rounds(nodes: int, place: Path, chunk_bytes: int = CHUNK_BYTES) -> dict[str, Any]:
    """Rounds until a path of so many nodes, its edges in random order, is connected; and what they send.

    A path is the worst that contraction meets: of every other graph a round leaves fewer nodes.
    """
    remove_tree(str(place))
    random = np.random.default_rng(nodes)
    names = random.permutation(nodes).astype(np.uint64)
    order = random.permutation(nodes - 1)
    a, b = np.minimum(names[:-1], names[1:])[order], np.maximum(names[:-1], names[1:])[order]
    rows = chunk_bytes // 16
    for start in range(0, nodes - 1, rows):
        table = pa.table({"a": a[start : start + rows], "b": b[start : start + rows]})
        write_arrow(str(place / "pairs" / f"edges-00000-{start // rows:05d}.arrow"), table)
    told: list[str] = []
    engine = HandEngine(beam_options(OPTIONS), cut_bytes=chunk_bytes)
    pairs, members = (Stage(str(place / name), "rounds") for name in ("pairs", "members"))
    connect_components(pairs, members, str(place / "work"), engine, chunk_bytes, 50, told.append, chunk_bytes)
    return {
        "nodes": nodes,
        "chunks": -(-(nodes - 1) // rows),
        "rounds": sum(line.startswith("connecting") and not line.endswith("back") for line in told),
        "pipelines": len({name.split("/")[0] for name in engine.ran}),
        "sent_bytes": sum(ran.bytes for ran in engine.ran.values()),
        "cpu_seconds": sum(ran.cpu_seconds for ran in engine.ran.values()),
    }


def measure_pages(place: Path) -> dict[str, Any]:
    """CPU seconds of reading WARC records and taking the text out of their HTML, over the same few pages again."""
    corpus = place / "pages"
    corpus.mkdir(parents=True, exist_ok=True)
    config = corpus / "config.yaml"
    config.write_text(json.dumps({"crawl": {"name": "pages", "files": [f"{WARC}/warcfile.warc.gz"]}}))
    prepared = prepare(load(str(config), ()))
    pages = text_bytes = 0
    [piece] = prepared.plan.parts[0].pieces
    list(read_records(piece, prepared.read, Tally()))
    started = time.process_time()
    while time.process_time() - started < PAGE_SECONDS:
        for batch in read_records(piece, prepared.read, Tally()):
            pages += len(batch)
            text_bytes += batch["text"].nbytes
    return {"pages": pages, "text_bytes": text_bytes, "cpu_seconds": time.process_time() - started}


def about(documents: Sequence[int]) -> dict[str, Any]:
    """When, where and by what the constants were measured."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=TOP, capture_output=True, text=True)
    models = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "commit": commit.stdout.strip() or "unknown",
        "command": " ".join(["python -m benchmarks.constants --documents", *map(str, documents)]),
        "machine": f"{os.cpu_count()} cores, {models[0].partition(': ')[2] if models else platform.machine()}",
        "python": platform.python_version(),
        "versions": {name: version(name) for name in ("apache-beam", "pyarrow", "numpy", "numba")},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, nargs="+", default=[100_000, 400_000])
    parser.add_argument("--output", type=Path, default=CONSTANTS)
    parser.add_argument("--data", type=Path, default=DATA, help="where corpora are kept")
    given = parser.parse_args()
    data = given.data.resolve()
    for _, corpus in corpora(data, 1000):
        apart(run_metered, write_config(corpus), corpus.parent / "constants")  # compiles the kernels
    runs = []
    for number, documents in enumerate(sorted(given.documents)):
        for kind, corpus in corpora(data, documents):
            print(f"{documents:,} documents, {kind} …", flush=True)
            runs.append(measure_corpus(kind, corpus, CUTS[: 1 if number else 2]))
    print("elements, rounds, pages …", flush=True)
    constants = {
        "about": about(given.documents),
        "runs": runs,
        "keys": KEYS,
        "idle_bytes": apart(measure_idle)["bytes"],
        "elements": apart(measure_elements),
        "rounds": [apart(measure_rounds, nodes, data / "rounds" / str(nodes)) for nodes in PATHS],
        "pages": apart(measure_pages, data) if WARC.exists() else None,
    }
    given.output.write_text(json.dumps(constants, indent=1) + "\n")
    print(given.output)


if __name__ == "__main__":
    main()
