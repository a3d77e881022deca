"""Grow a large dataset from a real one, the same bytes every time.

    python -m benchmarks.grow_dataset DATASET OUTPUT --rows 10000000 [--seed 1] [--changed 0.05]

The dataset grows by generations, whole ones, until the ledger has at least so many rows. Generation 0 is the real
dataset, but for the build that its rows name; later ones are remapped (`benchmarks.remap_rows`). Files are written, and
the index is built, as `publish` does it, and the manifest says what there is: `cleartitle verify` finds no fault, but
nothing can be read again from a crawl, which there is none of. What the manifest says of the largest clusters, of
samples and alarms is that of the real dataset.

With `--changed` it is another build of the same crawl, as under one more blocklist: that share of the documents, which
nothing repeats, is dropped by it, whatever was decided of them before.
"""

import argparse
import hashlib
import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.drop_more import LIST, drop_more
from benchmarks.remap_rows import Base, Rows, remap
from lineage.catalog import Dataset, open_dataset
from schemas import reasons
from schemas.columns import BUILD_ID
from schemas.errors import CleartitleError
from transforms.decide.settle_decisions import count_decisions
from transforms.ledger_files import write_ledger
from transforms.part_store import Stage, file_facts, part_path, remove_tree, write_file
from transforms.publish.build_index import INDEXES, merge_range, plan_ranges, write_index, write_runs
from transforms.publish.index_keys import LEDGER_COLUMNS
from transforms.publish.manifest import WORK, write_sealed_manifest
from transforms.publish.part_files import TEXTS, select_rows, texts_writer, write_fingerprints
from transforms.publish.write_manifest import SUMS, add_up

_TIMES: Final = ("rejected_by", "not_documents", "urls_without_host")
Item = TypeVar("Item")
Result = TypeVar("Result")


class _Growth:
    """A dataset that grows in a directory: `write` each generation, then `finish`."""

    def __init__(self, dataset: Dataset, directory: Path, generations: int, seed: int, changed: float):
        self.dataset, self.base, self.directory = dataset, Base(dataset), directory
        self.generations, self.seed, self.changed = generations, seed, changed
        said = json.dumps([dataset.build_id, generations, seed, changed])
        self.digest = hashlib.sha256(said.encode()).hexdigest()
        self.runs = Stage(str(directory / WORK), self.digest)
        self.rejected = [dataset.read("rejected", part) for part in dataset.parts("ledger")]

    def write(self, generation: int) -> dict[str, Any]:
        """Write all parts of a generation; their books, files, and what the index needs to know of each."""
        rows = remap(self.base, generation, self.seed)
        rows = Rows(self._of_this_build(rows.ledger), rows.marks, rows.prints, rows.texts)
        if self.changed:
            rows = drop_more(rows, self.changed, np.random.default_rng([self.seed, generation, 2]))
        parts, done = self.dataset.parts("ledger"), 0
        files: dict[str, Any] = {}
        index = []
        for at, part in enumerate(parts):
            number = generation * len(parts) + at
            here = rows.slice(done, self.dataset.manifest["files"][part_path("ledger", part, "parquet")]["rows"])
            files |= self._write_part(number, here, _name_files(self.rejected[at], generation))
            index.append(write_runs(self.runs, number, here.ledger.select(LEDGER_COLUMNS), here.prints))
            done += len(here.ledger)
        kept = rows.ledger.filter(pc.equal(rows.ledger["decision"], reasons.KEEP))
        books = count_decisions(rows.ledger, rows.marks) | {"kept_text_bytes": pc.sum(kept["text_bytes"]).as_py() or 0}
        return {"books": books, "files": files, "index": index}

    def finish(self, written: list[dict[str, Any]]) -> None:
        """Build the index of what was written, and write the manifest."""
        ranges = plan_ranges(facts for one in written for facts in one["index"])
        parts = self.generations * len(self.rejected)
        files = {name: facts for one in written for name, facts in one["files"].items()}
        first: dict[str, list[Any]] = {index.name: [] for index in INDEXES}

        def merge(number: int) -> tuple[str, str, dict[str, Any], Any]:
            index = INDEXES[ranges[number].table]
            name = part_path(index.name, ranges[number].file, "parquet")
            table = merge_range(self.runs, range(parts), ranges[number])
            write_index(str(self.directory / name), table, index)
            return index.name, name, self._facts(name, len(table)), table[index.column][0].as_py()

        for index, name, facts, value in _spread(merge, range(len(ranges))):
            files[name] = facts
            first[index].append(value)
        remove_tree(self.runs.directory)
        books = add_up([one["books"] for one in written], [*SUMS, "kept_text_bytes"])
        write_sealed_manifest(str(self.directory), self._manifest(books, files, first))

    def _of_this_build(self, table: pa.Table) -> pa.Table:
        at = table.schema.get_field_index(BUILD_ID.name)
        return table.set_column(at, BUILD_ID.field(), pa.repeat(pa.scalar(self.digest[:16]), len(table)))

    def _write_part(self, number: int, rows: Rows, rejected: pa.Table) -> dict[str, dict[str, Any]]:
        names = {folder: part_path(folder, number, "parquet") for folder in ("ledger", "fingerprints", "rejected")}
        paths = {folder: str(self.directory / name) for folder, name in names.items()}
        write_ledger(paths["ledger"], rows.ledger)
        write_fingerprints(paths["fingerprints"], rows.prints)
        with write_file(paths["rejected"]) as file:
            pq.write_table(self._of_this_build(rejected), file, compression="zstd")
        files = {
            names["ledger"]: self._facts(names["ledger"], len(rows.ledger)),
            names["fingerprints"]: self._facts(names["fingerprints"], len(rows.prints)),
            names["rejected"]: self._facts(names["rejected"], len(rejected)),
        }
        for decision, table in TEXTS.items():
            schema = table.schema(list(rows.texts.schema)[2:])
            chosen = select_rows(rows.texts, rows.ledger, decision, schema)
            if decision == reasons.KEEP or len(chosen):
                name = part_path(table.name, number, "parquet")
                with texts_writer(str(self.directory / name), schema) as writer:
                    writer.write(chosen)
                files[name] = self._facts(name, len(chosen))
        return files

    def _facts(self, name: str, rows: int) -> dict[str, Any]:
        return {**file_facts(str(self.directory / name)), "rows": rows}

    def _manifest(self, books: Mapping[str, Any], files: Mapping[str, Any], first: Mapping[str, Any]) -> dict[str, Any]:
        was, times = self.dataset.manifest, self.generations
        decided = {name: books[name] or {} for name in SUMS}
        counted = {name: decided[name] or 0 for name in ("kept", "quarantined", "dropped")}
        counted["rejected"] = times * was["counts"]["rejected"]
        lists = [*was["sources"], *([LIST] if self.changed else [])]
        plan = {
            "files": [_name(file, g, "name") for g in range(times) for file in was["plan"]["files"]],
            "parts": [
                [[_name_file(name, g), *cut] for name, *cut in part]
                for g in range(times)
                for part in was["plan"]["parts"]
            ],
        }
        return {
            **was,
            "build_id": self.digest[:16],
            "version_id": self.digest[:16],
            "counts": {
                "records": sum(counted.values()),
                **counted,
                "dropped_by": decided["dropped_by"],
                "quarantined_by": decided["quarantined_by"],
            },
            **{name: decided[name] for name in ("marks", "flags", "rights_basis")},
            **{name: _times(was[name], times) for name in _TIMES},
            "duplicates": {
                **was["duplicates"],
                **{name: times * was["duplicates"][name] for name in ("members", "clusters")},
            },
            "bytes": {
                **{name: times * was["bytes"][name] for name in ("input", "text")},
                "kept_text": books["kept_text_bytes"],
                "written": sum(facts["bytes"] for facts in files.values()),
            },
            "files": files,
            "index": first,
            "sources": [{**one, "matches": decided["lists"].get(one["name"], 0)} for one in lists],
            "plan": plan,
            "plan_digest": hashlib.sha256(json.dumps(plan, sort_keys=True).encode()).hexdigest(),
        }


def grow_dataset(source: Path, directory: Path, rows: int, seed: int = 1, changed: float = 0.0) -> int:
    """Write a dataset of at least that many ledger rows; return how many they are.

    The directory shows when all is written; it must not exist. Memory holds the real dataset, and a generation for
    each core. Raises FileExistsError, InputError if there is no dataset, and ValueError if it cannot be grown.
    """
    if directory.exists():
        raise FileExistsError(f"{directory} is there already; remove it, or name another one.")
    dataset = open_dataset(str(source))
    if dataset.manifest["takedowns"] or dataset.parts("replaced"):
        raise ValueError(f"{source} has takedowns, or documents that replace others; grow a dataset without them.")
    here: int = dataset.manifest["counts"]["records"] - dataset.manifest["counts"]["rejected"]
    if not here:
        raise ValueError(f"{source} has no documents, of which others could be made.")
    unfinished = directory.with_name(f"{directory.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    generations = -(-rows // here)
    growth = _Growth(dataset, unfinished, generations, seed, changed)
    growth.finish(_spread(growth.write, range(generations)))
    unfinished.rename(directory)
    return generations * here


def _spread(work: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """The results of the work on all items, in their order, a thread for each core."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(work, items))


def _times(value: Any, count: int) -> Any:
    return {name: count * one for name, one in value.items()} if isinstance(value, dict) else count * value


def _name_file(name: str, generation: int) -> str:
    return f"g{generation:04d}/{name}" if generation else name


def _name(facts: Mapping[str, Any], generation: int, key: str) -> dict[str, Any]:
    return {**facts, key: _name_file(facts[key], generation)}


def _name_files(rejected: pa.Table, generation: int) -> pa.Table:
    names = [_name_file(name, generation) for name in rejected["source_file"].to_pylist()]
    at = rejected.schema.get_field_index("source_file")
    return rejected.set_column(at, rejected.schema.field(at), pa.array(names, pa.string()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--rows", type=int, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--changed", type=float, default=0.0)
    given = parser.parse_args()
    if given.rows < 1 or given.seed < 0 or not 0 <= given.changed < 1:
        parser.error("--rows is at least 1, --seed at least 0, --changed at least 0 and below 1.")
    started = time.perf_counter()
    try:
        rows = grow_dataset(given.dataset, given.output, given.rows, given.seed, given.changed)
    except (OSError, ValueError, CleartitleError) as error:
        sys.exit(str(error))
    print(f"{rows:,} ledger rows in {time.perf_counter() - started:.1f} s: {given.output}")


if __name__ == "__main__":
    main()
