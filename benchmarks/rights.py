"""Measure what finding rights signals costs on one core, whole and by part, on real text.

    python -m benchmarks.rights

The texts are the sections of the civil codes, the pages of a WARC file, and documentation, licences and pages of the
packages that `benchmarks.notices` fetches; each repeated to 64 MB, in batches as measuring makes them. Aim: 100 MB/s.
"""

import json
import lzma
import time
from collections.abc import Callable, Iterator
from itertools import cycle

import pyarrow as pa

from benchmarks.notices import WARC, archives, fetch, members, read_text
from schemas.structs import PAGE_SIGNAL
from transforms.batches import BATCH_BYTES, strings
from transforms.measure.readers.warc import read_warc
from transforms.measure.rights.find_rights import DETECTORS, NOTICES, TRIGGERS, find_rights
from transforms.measure.rights.notices import find_notices
from transforms.measure.rights.triggers import find_triggers
from transforms.measure.tally import Tally

CIVIL = WARC / "civil" / "sections.jsonl.xz"
PAGES = WARC / "warc" / "resiliparse" / "warcfile.warc.gz"
CORPUS_BYTES = 64_000_000
RUNS = 3
ENDINGS = (".rst", ".txt", ".md", ".html", "LICENSE", "COPYING", "README", "METADATA")


def civil_texts() -> Iterator[str]:
    """Sections of codes of civil procedure: next to no signals."""
    with lzma.open(CIVIL, "rt", encoding="utf-8") as lines:
        yield from (json.loads(line)["text"] for line in lines)


def page_texts() -> Iterator[str]:
    """Whole web pages, footers included."""
    with open(PAGES, "rb") as stream:
        for batch in read_warc(stream, PAGES.name, Tally(), main_content=False):
            yield from batch["text"].to_pylist()


def package_texts() -> Iterator[str]:
    """Documentation, licences and web pages in packages: many signals."""
    fetch()
    for name in archives():
        yield from (read_text(name, member) for member in members(name) if member.endswith(ENDINGS))


def batches(texts: list[str]) -> list[pa.Array]:
    """The texts, repeated until there are `CORPUS_BYTES`, in arrays of about `BATCH_BYTES`."""
    arrays: list[pa.Array] = []
    batch: list[str] = []
    size = 0
    for text in cycle(texts):
        batch.append(text)
        size += len(text.encode())
        if size >= BATCH_BYTES:
            arrays.append(pa.array(batch, pa.large_string()))
            batch, size = [], 0
        if len(arrays) * BATCH_BYTES >= CORPUS_BYTES:
            return arrays
    return arrays


def seconds(work: Callable[[], object]) -> float:
    """Processor time of the fastest of a few runs, after one that compiles."""
    work()
    times = []
    for _ in range(RUNS):
        started = time.process_time()
        work()
        times.append(time.process_time() - started)
    return min(times)


def measure(name: str, arrays: list[pa.Array]) -> None:
    """Print the rate of the whole, and for each part its rate and its share of the time."""
    views = [strings(array) for array in arrays]
    total = sum(view.data.size for view in views)
    hits = [find_triggers(view, TRIGGERS) for view in views]
    silent = [pa.nulls(len(array), pa.list_(PAGE_SIGNAL)) for array in arrays]
    parts: dict[str, Callable[[], object]] = {
        "triggers": lambda: [find_triggers(view, TRIGGERS) for view in views],
        NOTICES: lambda: [find_notices(view, found[NOTICES]) for view, found in zip(views, hits, strict=True)],
    }
    for column, (detector, _) in DETECTORS.items():
        parts[column] = lambda column=column, detector=detector: [  # type: ignore[misc]
            detector.find(view, found[column]) for view, found in zip(views, hits, strict=True)
        ]
    whole = seconds(lambda: [find_rights(*both) for both in zip(arrays, silent, strict=True)])
    print(f"{name}: {total / 1e6:.0f} MB; all signals {total / 1e6 / whole:.0f} MB/s a core")
    for part, work in parts.items():
        spent = seconds(work)
        rate = f"{total / 1e6 / spent:9,.0f} MB/s {100 * spent / whole:5.1f} %"
        found = sum(hit[part].rows.size for hit in hits) / (total / 1e6) if part in TRIGGERS else None
        print(f"  {part:18} {rate}", f"{found:8.1f} triggers a MB" if found is not None else "")


def main() -> None:
    for name, read, needed in (
        ("civil codes", civil_texts, CIVIL),
        ("web pages", page_texts, PAGES),
        ("packages", package_texts, None),
    ):
        if needed and not needed.exists():
            print(f"{name}: left out, as {needed} is not here")
        else:
            measure(name, batches(list(read())))


if __name__ == "__main__":
    main()
