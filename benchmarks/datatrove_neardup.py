"""Near-duplicate removal by datatrove and by cleartitle: the same files, the same number of workers, the same machine.

    python -m benchmarks.datatrove_neardup --python /path/to/venv/bin/python [--documents 100000] [--workers 2]

The Python named is one with `datatrove[io,processing]` 0.10 and spaCy; datatrove is no dependency of this project.
Its four MinHash stages run with FineWeb's settings (see `benchmarks.datatrove_pipeline`), cleartitle with its defaults.
The corpus is grown by `benchmarks.grow`; 22,106 documents are the real sections alone.

Times are seconds of wall clock:

    whole command      all that a user waits for. Both read Parquet and write what they keep.
    start-up           the whole command on four documents: imports, processes, runners
    near stages        what finds the duplicates: datatrove's signatures, buckets and cluster; measure and decide
    peak               memory of the process and its descendants together

Each side runs on the four documents twice, and the second run counts, so that compiled kernels are there.
Where the judge named by --judge is at hand, it says of both what was lost (documents dropped while none that was kept
is similar) and what was left (documents kept beside a similar one), by exact Jaccard similarity.
"""

import argparse
import gzip
import json
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.grow import BASE
from benchmarks.runs import DATA, TOP, Run, grown_corpus, run, run_cleartitle, write_config

JUDGE = TOP.parent / "shared" / "tools" / "evaluate_dedup.py"
FEW = 4
THRESHOLD = 0.7


@dataclass(frozen=True)
class Side:
    """What one side took, and what it kept."""

    run: Run
    stages: dict[str, float]
    """Seconds of each stage, as the program itself says."""
    near: tuple[str, ...]
    """Which of them find near-duplicates."""
    kept: pa.Array
    """Ids of the kept documents."""

    @property
    def near_seconds(self) -> float:
        return sum(self.stages[name] for name in self.near)


def run_datatrove(python: Path, corpus: Path, workers: int) -> Side:
    """Run datatrove on a corpus, under the Python that has it. Raises RuntimeError if that fails."""
    output = corpus.parent / "datatrove"
    shutil.rmtree(output, ignore_errors=True)
    output.mkdir()
    ran = run(python, TOP / "benchmarks" / "datatrove_pipeline.py", corpus, output, workers)
    stages = json.loads((output / "seconds.json").read_text())
    kept = []
    for path in sorted((output / "kept").iterdir()):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            kept += [json.loads(line)["id"] for line in lines]
    return Side(ran, stages, ("signatures", "buckets", "cluster"), pa.array(kept, pa.string()))


def run_curate(corpus: Path, threads: int) -> Side:
    """Run `cleartitle curate` on a corpus. Raises RuntimeError if that fails."""
    output = corpus.parent / "curated"
    ran = run_cleartitle("curate", write_config(corpus), "--output", output, "--overwrite", threads=threads)
    stages = json.loads((output / "manifest.json").read_text())["seconds"]
    kept = pq.read_table(output / "documents", columns=["record_id"])["record_id"].combine_chunks()
    return Side(ran, stages, ("measure", "decide"), kept)


def planted_left(corpus: Path, kept: pa.Array) -> tuple[int, int]:
    """Planted copies at 0.7 or above: how many are kept beside the document they repeat, and how many there are."""
    rows = pq.read_table(corpus, columns=["id", "edit_of", "similarity"])
    rows = rows.filter(pc.field("similarity") >= THRESHOLD)
    both = pc.and_(pc.is_in(rows["id"], value_set=kept), pc.is_in(rows["edit_of"], value_set=kept))
    return pc.sum(both, min_count=0).as_py(), len(rows)


def judge(program: Path, corpus: Path, sides: Iterable[Side]) -> list[dict[str, Any]]:
    """The judge's figures for each side. Raises CalledProcessError if it refuses."""
    documents, chosen = corpus.parent / "documents.jsonl", corpus.parent / "kept.txt"
    with documents.open("w", encoding="utf-8") as lines:
        for path in sorted(corpus.glob("*.parquet")):
            rows = pq.read_table(path, columns=["id", "text"]).to_pylist()
            lines.writelines(json.dumps(row) + "\n" for row in rows)
    figures = []
    for side in sides:
        chosen.write_text("".join(f"{key}\n" for key in side.kept.to_pylist()), encoding="utf-8")
        done = subprocess.run([sys.executable, program, documents, chosen], check=True, capture_output=True, text=True)
        figures.append(json.loads(done.stdout))
    return figures


def time_table(theirs: Side, ours: Side, their_start: Side, our_start: Side) -> str:
    """Times and memory side by side, with the ratio of theirs to ours."""
    rows = {
        "whole command, s": (theirs.run.seconds, ours.run.seconds),
        "start-up, s": (their_start.run.seconds, our_start.run.seconds),
        "less start-up, s": (
            theirs.run.seconds - their_start.run.seconds,
            ours.run.seconds - our_start.run.seconds,
        ),
        "near stages, s": (theirs.near_seconds, ours.near_seconds),
        "peak, MiB": (theirs.run.peak_bytes / 2**20, ours.run.peak_bytes / 2**20),
    }
    lines = [f"{'':<20}{'datatrove':>12}{'cleartitle':>12}{'ratio':>9}"]
    lines += [f"{name:<20}{a:>12,.2f}{b:>12,.2f}{a / b:>9.1f}" for name, (a, b) in rows.items()]
    for name, side in (("datatrove", theirs), ("cleartitle", ours)):
        lines.append(f"{name}: " + ", ".join(f"{stage} {seconds:.2f} s" for stage, seconds in side.stages.items()))
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", type=Path, required=True)
    parser.add_argument("--documents", type=int, default=100_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--base", type=Path, default=BASE)
    parser.add_argument("--judge", type=Path, default=JUDGE)
    given = parser.parse_args()
    try:
        few, corpus = (grown_corpus(given.data, count, given.base) for count in (FEW, given.documents))
        their_start = [run_datatrove(given.python, few, given.workers) for _ in range(2)][1]
        our_start = [run_curate(few, given.workers) for _ in range(2)][1]
        ours = run_curate(corpus, given.workers)
        theirs = run_datatrove(given.python, corpus, given.workers)
    except (OSError, RuntimeError, ValueError) as error:
        sys.exit(str(error))
    print(f"\n{given.documents:,} documents, {given.workers} workers")
    print(time_table(theirs, ours, their_start, our_start))
    for name, side in (("datatrove", theirs), ("cleartitle", ours)):
        left, planted = planted_left(corpus, side.kept)
        print(f"{name} kept {len(side.kept):,}; {left:,} of {planted:,} planted copies beside their source")
    if given.judge.exists():
        for name, figures in zip(("datatrove", "cleartitle"), judge(given.judge, corpus, (theirs, ours)), strict=True):
            print(f"{name}: {json.dumps(figures)}")


if __name__ == "__main__":
    main()
