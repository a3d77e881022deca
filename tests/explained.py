"""Ledger rows, marks and datasets written by hand, for the tests of explanations."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from configs.model import Config
from lineage.catalog import PLACES, Dataset
from lineage.explanations.find_changes import Change, find_changes
from schemas.columns import LEDGER
from schemas.structs import MARK

Row = dict[str, Any]

FIELDS = {field.name: None for field in MARK}
SCHEMA = LEDGER.schema()
REQUIRED = {
    "doc_id": "a" * 32,
    "source_file": "crawl.jsonl",
    "source_position": 0,
    "text_bytes": 100,
    "decision": "keep",
    "cluster_size": 1,
    "survivor_policy": "source_priority, longest, earliest",
    "rights_basis": "crawl",
    "build_id": "0123456789abcdef",
}
"""Values of columns that are never null; lists are empty."""


def mark(rule: str, action: str = "drop", **fields: Any) -> Row:
    assert fields.keys() <= FIELDS.keys()
    return {**FIELDS, "rule": rule, "action": action, **fields}


def ledger_row(*marks: Row, **columns: Any) -> Row:
    """A ledger row with the marks; what is not said is null, empty or `REQUIRED`."""
    assert columns.keys() <= set(SCHEMA.names)
    lists = {field.name: [] for field in SCHEMA if pa.types.is_list(field.type) and not field.nullable}
    return {**dict.fromkeys(SCHEMA.names), **lists, **REQUIRED, "marks": list(marks), **columns}


def config(**sections: Any) -> Row:
    """A config with all its defaults, as the manifest has it."""
    crawl = {"name": "demo", "files": ["/crawl/*.jsonl"]}
    return Config.model_validate({"crawl": crawl, **sections}).model_dump(mode="json")


def manifest(takedowns: Sequence[Row] = (), against: Sequence[str] = (), **sections: Any) -> Row:
    """The part of a manifest that explaining needs; `against` are earlier builds, which lie in `/store/BUILD`."""
    dedup = {**sections.pop("dedup", {}), "against": [f"/store/{build}" for build in against]}
    said = config(dedup=dedup, **sections)
    near = said["dedup"]["near"] or dict.fromkeys(("verify", "threshold", "ngram", "bands", "rows"))
    return {
        "build_id": REQUIRED["build_id"],
        "version_id": REQUIRED["build_id"],
        "crawl": "demo",
        "config": said,
        "config_digest": "c0ffee",
        "finished": "2026-11-22T13:55:01+00:00",
        "versions": {"cleartitle": "0.1.0"},
        "register": None,
        "takedowns": list(takedowns),
        "duplicates": {
            "survivor_policy": REQUIRED["survivor_policy"],
            **{name: near[name] for name in ("verify", "threshold", "ngram", "bands", "rows")},
            "against": [{"build": build, "records": 1} for build in against],
        },
    }


def ways(row: Row, **sections: Any) -> dict[str, list[str]]:
    """The ways of each change of a row, by rule; a rule has one change here."""
    changes = find_changes(row, manifest(**sections))
    assert len({change.rule for change in changes}) == len(changes)
    return {change.rule: change.ways for change in changes}


def rules(changes: Iterable[Change]) -> list[tuple[str, str]]:
    return [(change.rule, change.action) for change in changes]


class HandMade(Dataset):
    """A dataset of one ledger part in memory, with the worst of all indexes: every key is that of every row."""

    def __init__(self, rows: Sequence[Row], said: Mapping[str, Any] | None = None, replaced: Sequence[Row] = ()):
        self.directory = "dataset"
        self.manifest = dict(said or manifest())
        self.rows = pa.Table.from_pylist(list(rows), schema=SCHEMA)
        self.replaced = list(replaced)

    def find(self, kind: str, values: Sequence[str]) -> pa.Table:
        assert kind in ("doc_id", "witness", "cluster")
        places = [(query, 0, row) for query in range(len(values)) for row in range(len(self.rows))]
        columns = zip(*places, strict=True) if places else [[], [], []]
        return pa.table([list(column) for column in columns], schema=PLACES)

    def ledger(self, places: pa.Table, columns: Sequence[str] | None = None) -> pa.Table:
        rows = self.rows if columns is None else self.rows.select(columns)
        return rows.take(places["row"])

    def parts(self, folder: str) -> list[int]:
        return [0] if folder == "ledger" or (folder == "replaced" and self.replaced) else []

    def sql(self, query: str, parameters: Sequence[Any] = ()) -> pa.Table:
        assert "duplicate_of = ?" in query
        return pa.Table.from_pylist([row for row in self.replaced if row["duplicate_of"] == parameters[0]])
