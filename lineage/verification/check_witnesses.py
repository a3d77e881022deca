"""Check witnesses: what each document repeats exists and survives, and clusters are as large as they say."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import duckdb
import pyarrow as pa

from lineage.duckdb_files import connect, location, read_parquet
from lineage.verification.files import LEDGER, Files
from lineage.verification.findings import FAULTS, Findings
from schemas.columns import REPLACED
from schemas.reasons import EXACT_DUPLICATE, KEEP, MARK_DROP, NEAR_DUPLICATE, SAME_URL, TAINT
from transforms.part_store import part_path

MEMORY: Final = "1GB"
"""What DuckDB may take; the rest of what it sorts and joins goes to a temporary directory."""

_CLAIMS: Final = """
WITH claims AS (
    SELECT file, row, doc_id, takedown_id, survivor_policy, unnest(marks) AS mark,
        len([m FOR m IN marks IF m.action = $drop]) AS drops
    FROM ledger WHERE len(marks) > 0
), named AS (
    SELECT *, mark.rule AS rule, mark.evidence AS evidence FROM claims
    WHERE list_contains($rules, mark.rule) AND mark.evidence IS NOT NULL AND mark.evidence_build IS NULL
), dead AS (
    SELECT named.*, witness.doc_id AS witness, witness.decision, witness.takedown_id AS taken,
        count(*) FILTER (mark.action = $drop) OVER (PARTITION BY named.file, named.row) AS dead_drops
    FROM named LEFT JOIN ledger AS witness ON witness.doc_id = evidence
    WHERE witness.doc_id IS NULL OR NOT (
        witness.decision = $keep
        OR rule = $taint
        OR (named.survivor_policy = 'none' AND witness.duplicate_of IS NOT NULL)
        OR (named.takedown_id IS NOT NULL AND witness.takedown_id IS NOT NULL)
    )
)
SELECT 'witnesses' AS "check", file, row, doc_id,
    CASE WHEN witness IS NULL THEN format('its mark `{}` names {}, which no ledger row has', rule, evidence)
    ELSE format('its mark `{}` names {}, which does not survive: it is decided `{}`', rule, evidence, decision)
    END AS fault
FROM dead WHERE taken IS NULL OR (drops > 0 AND drops = dead_drops)
"""
"""Marks whose evidence is no document of this build, or one that does not survive. Who taints is out itself. Under the
survivor policy `none` a survivor goes too and names another; and a takedown takes out what repeats what it took out,
unless another mark drops that, or none does: then it is as it was, and names what went."""
_CLUSTERS: Final = """
WITH clusters AS (
    SELECT min(file) AS file, cluster_id, count(*) AS rows, min(doc_id) AS first,
        min(cluster_size) AS least, max(cluster_size) AS most
    FROM ledger WHERE cluster_id IS NOT NULL GROUP BY cluster_id
)
SELECT 'witnesses' AS "check", file, NULL AS row, first AS doc_id,
    format('the cluster {} of this document and {} others says that it has {} to {} documents',
        cluster_id, rows - 1, least, most) AS fault
FROM clusters WHERE rows > most OR ($alone AND (rows < least OR least < most OR first <> cluster_id))
"""
"""Clusters that have more documents than they say; or, where none of another build can be in them, fewer."""
_REPLACED: Final = """
WITH replaced AS (
    SELECT 'replaced/' || parse_filename(filename) AS file, file_row_number AS row, doc_id, build, duplicate_of
    FROM read_parquet($files, hive_partitioning = false, filename = true, file_row_number = true)
)
SELECT 'witnesses' AS "check", replaced.file, replaced.row, replaced.doc_id,
    CASE WHEN NOT list_contains($stores, build) THEN format('{} is none of `duplicates.against`', build)
    WHEN witness.doc_id IS NULL THEN format('{} replaces it, which no ledger row has', replaced.duplicate_of)
    ELSE format('{} replaces it, which is decided `{}`', replaced.duplicate_of, witness.decision) END AS fault
FROM replaced LEFT JOIN ledger AS witness ON witness.doc_id = replaced.duplicate_of
WHERE NOT list_contains($stores, build) OR witness.doc_id IS NULL
    OR (witness.decision <> $keep AND witness.takedown_id IS NULL)
"""
_AS_FAULTS: Final = """
SELECT "check", file, CAST(regexp_extract(file, 'part-(\\d+)', 1) AS INTEGER) AS part, CAST(row AS BIGINT) AS row,
    doc_id, fault
FROM ({query}) ORDER BY file, row, doc_id, fault
"""


def check_witnesses(files: Files, findings: Findings) -> None:
    """Join the ledgers with themselves, in DuckDB: in bounded memory, whatever their size."""
    if lack := files.lack(LEDGER, REPLACED.name):
        findings.say("witnesses", f"not checked: {lack}")
        return
    rules = [SAME_URL, EXACT_DUPLICATE, NEAR_DUPLICATE, TAINT]
    with _ledger(files) as connection:
        _ask(connection, _CLAIMS, {"rules": rules, "keep": KEEP, "drop": MARK_DROP, "taint": TAINT}, findings)
        _ask(connection, _CLUSTERS, {"alone": not files.stores}, findings)
        if replaced := _locations(files, REPLACED.name):
            named = {"files": replaced, "stores": files.stores, "keep": KEEP}
            _ask(connection, _REPLACED, named, findings)
        counted = "SELECT count(duplicate_of), count(DISTINCT cluster_id) FROM ledger"
        ((repeats, clusters),) = connection.execute(counted).fetchall()
    findings.say("witnesses", f"{repeats:,} documents repeat another, in {clusters:,} clusters")


@contextmanager
def _ledger(files: Files) -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB with the view `ledger`, whose rows say their file and their place in it."""
    with tempfile.TemporaryDirectory() as directory, connect() as connection:
        connection.execute(f"SET memory_limit = '{MEMORY}'")
        connection.execute("SET temp_directory = $directory", {"directory": directory})
        paths = [files.path(part_path(LEDGER, part, "parquet")) for part in files.parts(LEDGER)]
        connection.execute(
            "CREATE VIEW ledger AS SELECT *, 'ledger/' || parse_filename(filename) AS file, file_row_number AS row "
            f"FROM {read_parquet(paths, ', filename = true, file_row_number = true')}"
        )
        yield connection


def _locations(files: Files, folder: str) -> list[str]:
    return [location(files.path(part_path(folder, part, "parquet"))) for part in files.parts(folder)]


def _ask(connection: duckdb.DuckDBPyConnection, query: str, named: dict[str, Any], findings: Findings) -> None:
    found: pa.Table = connection.sql(_AS_FAULTS.replace("{query}", query), params=named).to_arrow_table()
    findings.tell(found.cast(FAULTS))
