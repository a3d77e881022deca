"""Time lookups one by one in a process that has opened the dataset and answered a question before.

    python -m benchmarks.warm_lookups DATASET QUERIES.jsonl SECONDS.json

QUERIES holds a query a line, as for `cleartitle lookup --queries`; SECONDS becomes the list of their times. The first
query is asked once before, so that nothing is compiled, imported or opened for the first time while it is timed.
"""

import json
import sys
import time
from pathlib import Path

from lineage.catalog import open_dataset
from lineage.lookups.look_up import lookup


def time_lookups(directory: str, queries: Path) -> list[float]:
    """Seconds that each query of a file takes. Raises ValueError if one finds nothing, as all are of the dataset."""
    dataset = open_dataset(directory)
    asked = [json.loads(line) for line in queries.read_text().splitlines()]
    lookup(dataset, queries=asked[:1])
    seconds = []
    for query in asked:
        started = time.perf_counter()
        found = lookup(dataset, queries=[query])
        seconds.append(time.perf_counter() - started)
        if not found["found"][0].as_py():
            raise ValueError(f"{directory} holds the document, and this finds nothing: {query}")
    return seconds


if __name__ == "__main__":
    given = sys.argv[1:]
    Path(given[2]).write_text(json.dumps(time_lookups(given[0], Path(given[1]))))
