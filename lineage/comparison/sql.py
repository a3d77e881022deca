"""What comparing asks of DuckDB, in SQL, in the order in which it is asked.

The views `old_ledger` and `new_ledger` hold the ledger files that differ, with the number of the file and of the row in
it. A row is narrowed to 40 bytes: its `doc_id` as a UUID (16 bytes, which sort like the hex digits) and a hash of all
that counts as a change. Only rows in which these differ are read again with more columns.
"""

from typing import Final

SIDES: Final = ("old", "new")

LEDGER: Final = """
CREATE VIEW {side}_ledger AS
SELECT *, file_index::UINTEGER AS part, file_row_number::UINTEGER AS place
FROM read_parquet(getvariable('{side}_files'), hive_partitioning = false)
"""
NO_LEDGER: Final = "CREATE VIEW {side}_ledger AS SELECT *, 0::UINTEGER AS part, 0::UINTEGER AS place FROM no_rows"

NARROW: Final = """
CREATE TEMP TABLE {side} AS
SELECT
    doc_id::UUID AS id, 0::UINTEGER AS nth, part, place,
    hash(decision, reason, duplicate_of, duplicate_build, duplicate_kind, takedown_id) AS said
FROM {side}_ledger
"""
"""The hash has 64 bits: one change in 10^19 is missed."""

REPEATED: Final = "SELECT count(*) - count(DISTINCT id) FROM {side}"

NUMBER: Final = """
UPDATE {side} SET nth = numbered.nth
FROM (
    SELECT part, place, row_number() OVER (PARTITION BY id ORDER BY part, place) - 1 AS nth
    FROM {side} WHERE id IN (SELECT id FROM {side} GROUP BY id HAVING count(*) > 1)
) AS numbered
WHERE {side}.part = numbered.part AND {side}.place = numbered.place
"""
"""Rows of one `doc_id` are told apart by their order, so that each is paired with the one of its number."""

DIFFERING: Final = """
CREATE TEMP TABLE differing AS
SELECT
    id, nth, old.part AS old_part, old.place AS old_place, new.part AS new_part, new.place AS new_place,
    CASE WHEN old.id IS NULL THEN 'added' WHEN new.id IS NULL THEN 'removed' ELSE 'changed' END AS change
FROM old FULL JOIN new USING (id, nth)
WHERE old.said IS DISTINCT FROM new.said
"""

GROUPS: Final = """
CREATE TEMP TABLE groups AS
SELECT
    change, o.decision AS old_decision, n.decision AS new_decision, o.reason AS old_reason, n.reason AS new_reason,
    coalesce(n.url_host_registered_domain, o.url_host_registered_domain) AS domain, count(*) AS documents
FROM differing
LEFT JOIN old_ledger AS o ON old_part = o.part AND old_place = o.place
LEFT JOIN new_ledger AS n ON new_part = n.part AND new_place = n.place
GROUP BY ALL
"""
"""Documents that differ, counted by all that totals are made of: a few rows for each domain."""

DECISIONS: Final = """
SELECT old_decision AS old, new_decision AS new, sum(documents)::BIGINT AS documents
FROM groups GROUP BY ALL ORDER BY documents DESC, old NULLS FIRST, new NULLS FIRST
"""

REASONS: Final = """
SELECT reason, sum(before)::BIGINT AS before, sum(after)::BIGINT AS after
FROM (
    SELECT old_reason AS reason, documents AS before, 0 AS after FROM groups
    UNION ALL SELECT new_reason, 0, documents FROM groups
)
WHERE reason IS NOT NULL GROUP BY reason ORDER BY reason
"""

DOMAINS: Final = """
SELECT
    domain,
    coalesce(sum(documents) FILTER (before AND NOT after), 0)::BIGINT AS lost,
    coalesce(sum(documents) FILTER (after AND NOT before), 0)::BIGINT AS gained
FROM (
    SELECT *, coalesce(old_decision = 'keep', false) AS before, coalesce(new_decision = 'keep', false) AS after
    FROM groups
)
GROUP BY domain HAVING lost + gained > 0
"""
LARGEST_DOMAINS: Final = f"SELECT * FROM ({DOMAINS}) ORDER BY lost + gained DESC, domain NULLS LAST LIMIT ?"
ALL_DOMAINS: Final = f"""
SELECT count(*) AS domains, coalesce(sum(lost), 0)::BIGINT AS lost, coalesce(sum(gained), 0)::BIGINT AS gained
FROM ({DOMAINS})
"""

SIZES: Final = """
SELECT
    count(*) AS records, count(*) FILTER (decision = 'keep') AS kept,
    coalesce(sum(text_bytes) FILTER (decision = 'keep'), 0)::BIGINT AS kept_text_bytes
FROM read_parquet(?, hive_partitioning = false)
"""

_STATE: Final = "CASE {0}_decision WHEN 'keep' THEN 'keep' ELSE concat_ws(' by ', {0}_decision, {0}_reason) END"
_TAKEDOWN: Final = "coalesce({0}_takedown_id, 'none')"
_WITNESS: Final = """coalesce(
    {0}_duplicate_of || coalesce(' of build ' || {0}_duplicate_build, '') || ' by ' || {0}_duplicate_kind, 'none')"""
_MARKS: Final = """
        list_transform({0}.marks, lambda m: concat(m.rule, ' (', m.action, ')', ' of ' || m.list, ': ' || m.matched))"""
_ONLY: Final = "nullif(array_to_string(list_filter({0}_marks, lambda m: NOT list_contains({1}_marks, m)), ', '), '')"
"""The marks of one side that the other has not, as one string."""


def _change(words: str, value: str) -> str:
    """SQL for words that say of a value what it was and what it is; null if it is the same."""
    old, new = (value.format(side) for side in SIDES)
    return f"CASE WHEN {old} <> {new} THEN concat('{words}', {old}, ' -> ', {new}) END"


ROWS: Final = f"""
WITH said AS (
    SELECT
        differing.*,
        o.decision AS old_decision, n.decision AS new_decision, o.reason AS old_reason, n.reason AS new_reason,
        o.duplicate_of AS old_duplicate_of, n.duplicate_of AS new_duplicate_of,
        o.duplicate_build AS old_duplicate_build, n.duplicate_build AS new_duplicate_build,
        o.duplicate_kind AS old_duplicate_kind, n.duplicate_kind AS new_duplicate_kind,
        o.takedown_id AS old_takedown_id, n.takedown_id AS new_takedown_id,
        coalesce(n.record_id, o.record_id) AS record_id, coalesce(n.url, o.url) AS url,
        coalesce(n.url_host_registered_domain, o.url_host_registered_domain) AS url_host_registered_domain,
        coalesce(n.source_file, o.source_file) AS source_file,{_MARKS.format("o")} AS old_marks,
        {_MARKS.format("n")} AS new_marks
    FROM (SELECT * FROM differing ORDER BY id, nth LIMIT ?) AS differing
    LEFT JOIN old_ledger AS o ON old_part = o.part AND old_place = o.place
    LEFT JOIN new_ledger AS n ON new_part = n.part AND new_place = n.place
)
SELECT
    change, replace(id::VARCHAR, '-', '') AS doc_id, record_id, url, url_host_registered_domain,
    old_decision, new_decision, old_reason, new_reason, old_duplicate_of, new_duplicate_of,
    old_takedown_id, new_takedown_id,
    CASE
        WHEN change = 'changed' THEN concat_ws('; ',
            {_change("", _STATE)},
            {_change("takedown ", _TAKEDOWN)},
            {_change("witness ", _WITNESS)},
            'came: ' || {_ONLY.format("new", "old")},
            'went: ' || {_ONLY.format("old", "new")})
        WHEN old_crawl <> new_crawl THEN concat('the builds are of different crawls, ', old_crawl, ' and ', new_crawl)
        WHEN change = 'added' AND source_file NOT IN (SELECT name FROM old_inputs)
            THEN 'its file was no input of the old build'
        WHEN change = 'removed' AND source_file NOT IN (SELECT name FROM new_inputs)
            THEN 'its file is no input of the new build'
        WHEN change = 'added' THEN 'the old build found no such record in its file'
        ELSE 'the new build finds no such record in its file'
    END AS why
FROM said, (SELECT getvariable('old_crawl') AS old_crawl, getvariable('new_crawl') AS new_crawl)
ORDER BY id, nth
"""
