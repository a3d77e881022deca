"""Time and memory of the questions to a large dataset: lookups, diff, takedown, verify.

    python -m benchmarks.lineage [--rows 10000000] [--data DIR] [--verbs lookup diff takedown verify]

Two datasets are grown once, by `benchmarks.grow_dataset`, from one that `curate` makes of a grown corpus in which every
hundredth document holds an ISBN of its own: `old`, and `new`, another build of the same crawl in which 5 % of the
documents are decided otherwise. Each kind of lookup is measured for 200 documents drawn from the ledger: in a process
that has the dataset open, one query after the other, median and 99th percentile; and as a whole command, median of
five different ones. Peaks are those of `benchmarks.runs`; pages of mapped files count. Files were read shortly before,
so nothing waits for the disk. Aims, at 10 million rows: lookups by key 50 ms and by content 300 ms (medians, open
process), diff 30 s.
"""

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import yaml

from benchmarks.grow import BASE, LONG_BYTES, cipher
from benchmarks.grow_dataset import grow_dataset
from benchmarks.plant import plant_copies
from benchmarks.runs import DATA, SEED, Run, grown_corpus, run, run_cleartitle, write_config
from lineage.catalog import Dataset, open_dataset
from transforms.batches import strings

VERBS: Final = ("lookup", "diff", "takedown", "verify")
CHANGED: Final = 0.05
QUERIES: Final = 200
COMMANDS: Final = 5
MANY: Final = 1000
EDITED: Final = 0.8
"""Similarity that the edited texts aim at."""
ISBN_EVERY: Final = 100
_MIXED: Final = ("url", "domain", "doc_id", "record_id", "isbn")
Questions = Mapping[str, Sequence[Mapping[str, str]]]
"""Queries, as `cleartitle lookup --queries` reads them, by their kind."""


class Cost(NamedTuple):
    """What one kind of question costs."""

    command: Run
    """the whole command; of several, the median of the time and the largest peak"""
    seconds: Sequence[float] = ()
    """each query in an open process"""
    open_bytes: int = 0
    """peak of that process"""


# What is asked


def prepare(data: Path, rows: int, documents: int, corpus: Path = BASE) -> tuple[Path, Path]:
    """The directories of the two datasets of `rows` ledger rows under `data`, made if they are not there yet."""
    source, grown = data.resolve() / f"lineage-{documents}", data.resolve() / f"lineage-{documents}-{rows}"
    dataset = source / "dataset"
    if not (dataset / "manifest.json").exists():
        plant_isbns(grown_corpus(data, documents, corpus), source / "crawl")
        run_cleartitle("curate", write_config(source / "crawl"), "--output", dataset, "--overwrite", threads=2)
    for name, changed in (("old", 0.0), ("new", CHANGED)):
        if not (grown / name).exists():
            print(f"Growing a dataset of {rows:,} rows …", flush=True)
            grow_dataset(dataset, grown / name, rows, SEED, changed)
    return grown / "old", grown / "new"


def plant_isbns(corpus: Path, target: Path) -> None:
    """Copy a corpus; every hundredth document gets a line with an ISBN of its own."""
    target.mkdir(parents=True, exist_ok=True)
    done = 0
    for path in sorted(corpus.glob("*.parquet")):
        table = pq.read_table(path)
        number = np.arange(done, done + len(table))
        lines = pa.array([f"\nISBN {isbn(n)}" if n % ISBN_EVERY == 0 else "" for n in number.tolist()])
        text = pc.binary_join_element_wise(
            table["text"], lines.cast(pa.large_string()), pa.scalar("", pa.large_string())
        )
        at = table.schema.get_field_index("text")
        pq.write_table(table.set_column(at, table.schema.field(at), text), target / path.name, compression="zstd")
        done += len(table)


def isbn(number: int) -> str:
    """An ISBN of 13 digits with a right check digit.

    >>> isbn(13468599)
    '9780134685991'
    """
    digits = f"978{number:09d}"
    total = sum(int(digit) * (1 + 2 * (place % 2)) for place, digit in enumerate(digits))
    return f"{digits}{-total % 10}"


def draw_questions(dataset: Dataset, queries: int) -> dict[str, list[dict[str, str]]]:
    """Queries by their kind, each for a document drawn from the dataset, the same ones every time."""
    random = np.random.default_rng(SEED)
    rows = dataset.ledger(_places(dataset, "ledger", queries, random)).to_pylist()
    wanted = "SELECT isbns[1].value AS isbn FROM ledger WHERE len(isbns) > 0 ORDER BY md5(doc_id) LIMIT ?"
    texts = _long_texts(dataset, queries, random)
    return {
        "url": [{"url": row["url"]} for row in rows],
        "url prefix": [{"url_prefix": row["url"].rpartition("/")[0] + "/"} for row in rows],
        "domain": [{"domain": row["url_host_registered_domain"]} for row in rows],
        "doc_id": [{"doc_id": row["doc_id"]} for row in rows],
        "record_id": [{"record_id": row["record_id"]} for row in rows],
        "isbn": dataset.sql(wanted, [queries]).to_pylist(),
        "text": [{"text": text} for text in texts.to_pylist()],
        "edited text": [{"text": text} for text in _edited(texts, random).to_pylist()],
    }


def _places(dataset: Dataset, folder: str, count: int, random: np.random.Generator) -> pa.Table:
    """Places of `count` rows, drawn from all files of a folder."""
    parts = dataset.parts(folder)
    ends = np.cumsum([dataset.manifest["files"][f"{folder}/part-{part:05d}.parquet"]["rows"] for part in parts])
    rows = np.sort(random.choice(int(ends[-1]), min(count, int(ends[-1])), replace=False))
    file = np.searchsorted(ends, rows, "right")
    return pa.table({"part": np.array(parts)[file], "row": rows - np.r_[0, ends][file]})


def _long_texts(dataset: Dataset, count: int, random: np.random.Generator) -> pa.Array:
    """Kept texts that are long enough to be edited to a stated similarity."""
    drawn = dataset.take("documents", _places(dataset, "documents", 4 * count, random), ["text_bytes", "text"])
    return drawn.filter(pc.greater_equal(drawn["text_bytes"], LONG_BYTES))["text"].combine_chunks()[:count]


def _edited(texts: pa.Array, random: np.random.Generator) -> pa.Array:
    view, count = strings(texts), len(texts)
    first, last = int(view.offsets[0]), int(view.offsets[-1])
    out = np.empty(last - first, np.uint8)
    same, turns = np.tile(cipher(SEED, 0), (count, 1)), random.integers(1, 26, count)
    aims, phases = np.full(count, EDITED), random.random(count)
    plant_copies(view.data, view.offsets, np.arange(count), same, aims, phases, turns, out)
    buffers = [None, pa.py_buffer(view.offsets - first), pa.py_buffer(out)]
    return pa.Array.from_buffers(pa.large_string(), count, buffers)


# What it costs


def measure_lookups(directory: Path, questions: Questions) -> Iterator[tuple[str, Cost]]:
    """Each kind of lookup in an open process and as a command; last, many queries in one command."""
    for kind, queries in questions.items():
        with tempfile.TemporaryDirectory() as place:
            file, seconds = Path(place) / "queries.jsonl", Path(place) / "seconds.json"
            _write_lines(file, queries)
            opened = run(sys.executable, "-m", "benchmarks.warm_lookups", directory, file, seconds)
            ran = []
            for query in queries[:COMMANDS]:
                _write_lines(file, [query])
                ran.append(_ask("lookup", directory, "--queries", file))
            whole = Run(median(one.seconds for one in ran), max(one.peak_bytes for one in ran))
            yield f"lookup by {kind}", Cost(whole, json.loads(seconds.read_text()), opened.peak_bytes)
    mixed = [query for kind in _MIXED for query in questions[kind]]
    many = [mixed[number % len(mixed)] for number in range(MANY)]
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "queries.jsonl"
        _write_lines(file, many)
        yield f"{MANY:,} lookups in a file", Cost(_ask("lookup", directory, "--queries", file, "--format", "json"))


def measure_takedown(directory: Path, domain: str) -> Iterator[tuple[str, Cost]]:
    """Take one domain out, first as a dry run; the new version is removed again."""
    with tempfile.TemporaryDirectory(dir=directory.parent) as place:
        request = {
            "requested_by": "Jane Doe",
            "requested_on": "2026-11-02",
            "reference": "benchmark",
            "selectors": {"domains": [domain]},
        }
        file = Path(place) / "request.yaml"
        file.write_text(yaml.safe_dump(request))
        yield "takedown, dry run", Cost(_ask("takedown", directory, "--request", file, "--dry-run"))
        yield "takedown", Cost(_ask("takedown", directory, "--request", file, "--output", Path(place) / "output"))
        shutil.rmtree(Path(place) / "output")


def measure(verbs: Sequence[str], old: Path, new: Path, queries: int) -> Iterator[tuple[str, Cost]]:
    """What each of the verbs costs, in their order here."""
    questions = draw_questions(open_dataset(str(old)), queries)
    if "lookup" in verbs:
        yield from measure_lookups(old, questions)
    if "diff" in verbs:
        yield "diff, totals and 20 documents", Cost(_ask("diff", old, new))
        with tempfile.TemporaryDirectory() as place:
            yield "diff, all documents", Cost(_ask("diff", old, new, "--output", Path(place) / "diff.parquet"))
    if "takedown" in verbs:
        yield from measure_takedown(old, questions["domain"][0]["domain"])
    if "verify" in verbs:
        yield "verify", Cost(_ask("verify", old))


def cost_line(what: str, cost: Cost) -> str:
    """A line of the table.

    >>> print(HEADER); print(cost_line("lookup by url", Cost(Run(1.25, 200 << 20), [0.001, 0.003], 100 << 20)))
                                        open process                 command
    question                      median ms   p99 ms      MiB   seconds      MiB
    lookup by url                       2.0      3.0      100      1.25      200
    """
    times = f"{'':>9}{'':>9}{'':>9}"
    if cost.seconds:
        middle, late = (1000 * float(np.quantile(cost.seconds, share)) for share in (0.5, 0.99))
        times = f"{middle:>9.1f}{late:>9.1f}{cost.open_bytes >> 20:>9,}"
    return f"{what:<30}{times}{cost.command.seconds:>10.2f}{cost.command.peak_bytes >> 20:>9,}"


HEADER: Final = (
    f"{'':<30}{'open process':>18}{'':>9}{'command':>15}\n"
    f"{'question':<30}{'median ms':>9}{'p99 ms':>9}{'MiB':>9}{'seconds':>10}{'MiB':>9}"
)


def _ask(*words: object) -> Run:
    return run(sys.executable, "-m", "beam_jobs", *words)


def _write_lines(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--documents", type=int, default=100_000, help="of the real dataset that grows")
    parser.add_argument("--queries", type=int, default=QUERIES, help="of each kind")
    parser.add_argument("--verbs", nargs="+", choices=VERBS, default=VERBS)
    parser.add_argument("--data", type=Path, default=DATA, help="where corpora and datasets are kept")
    parser.add_argument("--base", type=Path, default=BASE, help="the corpus to grow from")
    given = parser.parse_args()
    try:
        old, new = prepare(given.data, given.rows, given.documents, given.base)
        print(HEADER)
        for what, cost in measure(given.verbs, old, new, given.queries):
            print(cost_line(what, cost), flush=True)
    except (OSError, RuntimeError, ValueError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
