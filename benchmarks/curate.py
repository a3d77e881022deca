"""Time every stage and the whole of `curate` from Parquet, against a plain copy of the same files.

    python -m benchmarks.curate [--documents 80000] [--threads 2] [--rounds 3]

Every round copies, curates, and copies again; ratios are taken inside a round, so that they hold on a noisy machine.
"""

import argparse
import json
import os
import resource
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median

import pyarrow.parquet as pq
import yaml

from benchmarks.corpus import build_corpus
from benchmarks.runs import DATA, run_cleartitle

STAGES = ("measure", "decide", "publish")


def copy(source: Path, target: Path, threads: int) -> float:
    """Seconds to read every Parquet file and write it again with the same codec, `threads` files at a time."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()

    def one(path: Path) -> None:
        with (
            pq.ParquetFile(path) as file,
            pq.ParquetWriter(target / path.name, file.schema_arrow, compression="zstd") as out,
        ):
            for group in range(file.num_row_groups):
                out.write_table(file.read_row_group(group, use_threads=False))

    started = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(one, sorted(source.glob("*.parquet"))))
    return time.perf_counter() - started


def curate(config: Path, output: Path, threads: int) -> dict[str, float]:
    """Seconds of each stage and of the whole command, run as a user runs it."""
    ran = run_cleartitle("curate", config, "--output", output, "--overwrite", threads=threads)
    manifest = json.loads((output / "manifest.json").read_text())
    seconds = {stage: manifest["seconds"][stage] for stage in STAGES}
    return {**seconds, "three stages": sum(seconds.values()), "whole command": ran.seconds}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=80_000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    print(f"Building {given.documents:,} documents …")
    text_bytes = build_corpus(DATA / "crawl", given.documents, files=4 * given.threads)
    config = DATA / "config.yaml"
    config.write_text(yaml.safe_dump({"crawl": {"name": "bench", "files": ["crawl/*.parquet"]}}))
    curate(config, DATA / "dataset", given.threads)  # compiles the kernels
    rounds = []
    for number in range(given.rounds):
        before = copy(DATA / "crawl", DATA / "copy", given.threads)
        times = curate(config, DATA / "dataset", given.threads)
        after = copy(DATA / "crawl", DATA / "copy", given.threads)
        rounds.append({"copy": (before + after) / 2, **times})
        print(
            f"round {number + 1} of {given.rounds}: copy {rounds[-1]['copy']:.2f} s, "
            f"curate {times['whole command']:.2f} s"
        )
    report(rounds, given.documents, text_bytes, given.threads, DATA / "dataset")


def report(rounds: list[dict[str, float]], documents: int, text_bytes: int, threads: int, dataset: Path) -> None:
    """Print medians over the rounds, and the ratio to the copy of the same round."""
    megabytes = text_bytes / 1e6
    print(f"\n{documents:,} documents, {megabytes:,.0f} MB of text, {threads} threads, median of {len(rounds)} rounds")
    print(f"{'':<16}{'seconds':>9}{'documents/s':>14}{'MB/s':>8}{'copies':>9}")
    for name in ("copy", *STAGES, "three stages", "whole command"):
        seconds = median(r[name] for r in rounds)
        ratio = median(r[name] / r["copy"] for r in rounds)
        print(f"{name:<16}{seconds:>9.2f}{documents / seconds:>14,.0f}{megabytes / seconds:>8.0f}{ratio:>9.2f}")
    counts = json.loads((dataset / "manifest.json").read_text())["counts"]
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"kept {counts['kept']:,}, dropped {counts['dropped_by']}")
    print(f"peak memory {peak:,.0f} MiB, {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
