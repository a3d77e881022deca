"""Compare two datasets by their ledgers: which documents came, went or were decided otherwise, and why.

    table = diff("dataset-2025", "dataset-2026")      # a row for each document that differs
    with compare("dataset-2025", "dataset-2026") as comparison:
        comparison.totals()                           # counts only; no row is fetched

Documents are paired by `doc_id`; where one repeats inside a ledger, in the order in which they stand. Two documents
differ if their decision, reason, witness or takedown does. No text is read, and of the ledgers only what is needed: ids
and what counts as a change of all rows, more of rows that differ, and nothing of files that both datasets share.
"""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import duckdb
import pyarrow as pa

from lineage.catalog import Dataset, open_dataset
from lineage.comparison import sql
from lineage.comparison.compare_manifests import changed_config, changed_lists, changed_versions
from lineage.duckdb_files import connect, location
from schemas.columns import LEDGER
from schemas.errors import InputError
from transforms.part_store import part_path

MEMORY: Final = "2GB"
"""What DuckDB may hold; it puts the rest on the disk."""
BATCH_ROWS: Final = 64 << 10
DOMAINS: Final = 20
"""Domains that totals name: those with the most documents lost and gained."""

DIFFERENCES: Final = pa.schema(
    [
        pa.field("change", pa.string(), False),
        pa.field("doc_id", pa.string(), False),
        pa.field("record_id", pa.string()),
        pa.field("url", pa.string()),
        pa.field("url_host_registered_domain", pa.string()),
        pa.field("old_decision", pa.string()),
        pa.field("new_decision", pa.string()),
        pa.field("old_reason", pa.string()),
        pa.field("new_reason", pa.string()),
        pa.field("old_duplicate_of", pa.string()),
        pa.field("new_duplicate_of", pa.string()),
        pa.field("old_takedown_id", pa.string()),
        pa.field("new_takedown_id", pa.string()),
        pa.field("why", pa.string(), False),
    ]
)
"""A document that differs: `change` is `added`, `removed` or `changed`, `why` says in words what and for what reason.

What it is found by (`record_id`, `url`) is that of the new ledger, where it is there."""


def diff(old: str | Dataset, new: str | Dataset) -> pa.Table:
    """The documents that differ between two datasets, as a table of `DIFFERENCES` sorted by `doc_id`.

    Raises InputError if one of them is no finished dataset, or cannot be read.
    """
    with compare(old, new) as comparison:
        return pa.Table.from_batches(comparison.rows(), DIFFERENCES)


@contextmanager
def compare(old: str | Dataset, new: str | Dataset) -> Iterator["Comparison"]:
    """Compare two datasets, as long as the block lasts. Raises InputError as `diff` does."""
    before, after = open_dataset(old), open_dataset(new)
    with tempfile.TemporaryDirectory(prefix="cleartitle-diff-") as directory, connect() as connection:
        connection.execute("SET memory_limit = ?", [MEMORY])
        connection.execute("SET temp_directory = ?", [directory])
        connection.execute("SET preserve_insertion_order = false")
        try:
            _pair(connection, before, after)
            yield Comparison(before, after, connection)
        except duckdb.Error as error:
            raise InputError(
                f"The ledgers of {before.directory} and {after.directory} cannot be compared: {_reason(error)}\n"
                f"`cleartitle verify` says of each whether it is damaged; {directory} must have room for what does not "
                "fit in memory (set TMPDIR to have it elsewhere)."
            ) from error


def _reason(error: duckdb.Error) -> str:
    """What DuckDB says, without the lines in which it shows where; of a file elsewhere, what the reader said last."""
    lines = str(error).strip().splitlines()
    return lines[-1] if any(line.lstrip().startswith('File "') for line in lines) else lines[0]


@dataclass(frozen=True)
class Comparison:
    """Two datasets whose documents were paired; made by `compare`."""

    old: Dataset
    new: Dataset
    connection: duckdb.DuckDBPyConnection

    def rows(self, limit: int | None = None) -> Iterator[pa.RecordBatch]:
        """The documents that differ, as batches of `DIFFERENCES`, sorted by `doc_id`; the first `limit` of them.

        Take all batches before anything else is asked of the comparison.
        """
        found = self.connection.sql(sql.ROWS, params=[limit]).to_arrow_reader(BATCH_ROWS)
        for batch in found:
            yield pa.RecordBatch.from_arrays(batch.columns, schema=DIFFERENCES)

    def totals(self) -> dict[str, Any]:
        """What differs, in numbers, as JSON can hold it.

        * `old`, `new`: which datasets these are, and how many documents, kept ones, and bytes of kept text they have
        * `in_both`: documents that both have
        * `changes`: documents `added`, `removed` and `changed`
        * `decisions`: how many documents went from decision `old` to `new`; null where they are not there
        * `reasons`: of the documents that differ, how many each reason took out `before` and `after`
        * `domains`: kept documents `lost` and `gained` by registered domain, those with the most of both first;
          `other_domains` counts the rest
        * `config`, `lists`, `versions`: what differs in how the two were made
        * `takedowns`: ids of those that only one of them has
        """
        decisions = self._query(sql.DECISIONS)
        removed = sum(one["documents"] for one in decisions if one["new"] is None)
        added = sum(one["documents"] for one in decisions if one["old"] is None)
        changed = sum(one["documents"] for one in decisions) - removed - added
        domains = self._query(sql.LARGEST_DOMAINS, DOMAINS)
        (all_domains,) = self._query(sql.ALL_DOMAINS)
        old, new = self.old.manifest, self.new.manifest
        sizes = self._sizes(self.old)
        return {
            "old": sizes,
            "new": self._sizes(self.new),
            "in_both": sizes["records"] - removed,
            "changes": {"added": added, "removed": removed, "changed": changed},
            "decisions": decisions,
            "reasons": self._query(sql.REASONS),
            "domains": domains,
            "other_domains": {
                "domains": all_domains["domains"] - len(domains),
                **{side: all_domains[side] - sum(one[side] for one in domains) for side in ("lost", "gained")},
            },
            "config": changed_config(old, new),
            "lists": changed_lists(old, new),
            "versions": changed_versions(old, new),
            "takedowns": _takedowns(old, new),
        }

    def _sizes(self, dataset: Dataset) -> dict[str, Any]:
        (sizes,) = self._query(sql.SIZES, list(_ledger_files(dataset).values()))
        names = {name: dataset.manifest[name] for name in ("crawl", "build_id", "version_id")}
        return {"dataset": dataset.directory, **names, **sizes}

    def _query(self, query: str, *parameters: object) -> list[dict[str, Any]]:
        return list(self.connection.sql(query, params=parameters).to_arrow_table().to_pylist())


def _pair(connection: duckdb.DuckDBPyConnection, old: Dataset, new: Dataset) -> None:
    """Make the tables `differing` and `groups` of `compare_sql`."""
    connection.register("no_rows", LEDGER.schema().empty_table())
    for side, dataset, other in (("old", old, new), ("new", new, old)):
        files = _files_to_compare(dataset, other)
        inputs = [file["name"] for file in dataset.manifest["plan"]["files"]]
        connection.register(f"{side}_inputs", pa.table({"name": pa.array(inputs, pa.string())}))
        connection.execute(f"SET VARIABLE {side}_crawl = ?", [dataset.manifest["crawl"]])
        connection.execute(f"SET VARIABLE {side}_files = ?", [files])
        connection.execute((sql.LEDGER if files else sql.NO_LEDGER).format(side=side))
        connection.execute(sql.NARROW.format(side=side))
        if connection.sql(sql.REPEATED.format(side=side)).fetchall() != [(0,)]:
            connection.execute(sql.NUMBER.format(side=side))
    connection.execute(sql.DIFFERING)
    connection.execute("DROP TABLE old; DROP TABLE new")
    connection.execute(sql.GROUPS)


def _files_to_compare(dataset: Dataset, other: Dataset) -> list[str]:
    """Ledger files of a dataset, but those that the other has, byte for byte, as the same part."""
    mine, theirs = dataset.manifest["files"], other.manifest["files"]
    files = _ledger_files(dataset)
    return [file for name, file in files.items() if mine[name]["sha256"] != theirs.get(name, {}).get("sha256")]


def _ledger_files(dataset: Dataset) -> dict[str, str]:
    """Where DuckDB finds the ledger files, by their names in the manifest."""
    parts = dataset.parts(LEDGER.name)
    return {part_path(LEDGER.name, part, "parquet"): location(dataset.path(LEDGER.name, part)) for part in parts}


def _takedowns(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, list[str]]:
    ids = [{str(one["id"]) for one in manifest["takedowns"]} for manifest in (old, new)]
    return {"old": sorted(ids[0] - ids[1]), "new": sorted(ids[1] - ids[0])}
