"""datatrove's MinHash deduplication with FineWeb's settings. Runs under a Python that has datatrove 0.10 and spaCy.

    python benchmarks/datatrove_pipeline.py CRAWL OUTPUT WORKERS

CRAWL holds Parquet files with `id` and `text`. Kept documents go to OUTPUT/kept as JSON Lines, gzip, which is
datatrove's own way; the seconds of each stage go to OUTPUT/seconds.json. Settings: word 5-grams, 14 buckets of 8
hashes, SHA-1 to 64 bits, English.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any


def main(crawl: str, output: str, workers: int) -> None:
    started = time.perf_counter()
    from datatrove.executor import LocalPipelineExecutor  # type: ignore[import-not-found]
    from datatrove.pipeline.dedup import (  # type: ignore[import-not-found]
        MinhashDedupBuckets,
        MinhashDedupCluster,
        MinhashDedupFilter,
        MinhashDedupSignature,
    )
    from datatrove.pipeline.dedup.minhash import MinhashConfig  # type: ignore[import-not-found]
    from datatrove.pipeline.readers import ParquetReader  # type: ignore[import-not-found]
    from datatrove.pipeline.writers import JsonlWriter  # type: ignore[import-not-found]
    from datatrove.utils.hashing import HashConfig  # type: ignore[import-not-found]

    settings = MinhashConfig(
        n_grams=5, num_buckets=14, hashes_per_bucket=8, hash_config=HashConfig(hash_fc="sha1", precision=64)
    )
    reader = ParquetReader(crawl, glob_pattern="*.parquet", read_metadata=False)
    signatures, pairs, removed, kept = (f"{output}/{name}" for name in ("signatures", "pairs", "removed", "kept"))
    stages: dict[str, tuple[list[Any], int]] = {
        "signatures": ([reader, MinhashDedupSignature(signatures, config=settings)], workers),
        "buckets": ([MinhashDedupBuckets(signatures, pairs, config=settings)], settings.num_buckets),
        "cluster": ([MinhashDedupCluster(pairs, removed, config=settings)], 1),
        "filter": ([reader, MinhashDedupFilter(removed), JsonlWriter(kept)], workers),
    }
    seconds = {"import": time.perf_counter() - started}
    for name, (steps, tasks) in stages.items():
        started = time.perf_counter()
        LocalPipelineExecutor(steps, tasks=tasks, workers=workers, logging_dir=f"{output}/logs/{name}").run()
        seconds[name] = time.perf_counter() - started
    Path(output, "seconds.json").write_text(json.dumps(seconds))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
