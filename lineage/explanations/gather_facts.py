"""All facts that the explanation of one document rests on, read from ledger, index and manifest."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from lineage.catalog import Dataset
from lineage.explanations.find_changes import Change, find_changes, settings_against
from lineage.explanations.find_loss import Loss, Row, find_loss
from schemas import reasons
from schemas.columns import REPLACED
from schemas.errors import InputError
from transforms.decide.marks import count_values

MOST_MEMBERS: Final = 10
"""Documents of a cluster, and of those that repeat a document, that are named."""
_BRIEF: Final = ("doc_id", "url", "decision", "reason", "takedown_id", "text_bytes", "fetch_time", "rights_basis")
_FOLLOWER: Final = ("doc_id", "url", "decision", "duplicate_of", "duplicate_build", "duplicate_kind", "similarity")
_WHERE: Final = ("source_file", "source_position", "decision", "reason")


@dataclass(frozen=True)
class Members:
    """Documents that have something in common."""

    counts: dict[str, int]
    """How many there are: of a cluster by decision, of those that repeat a document by kind."""
    first: list[dict[str, Any]]
    """The first `MOST_MEMBERS` in the order of the ledger."""


@dataclass(frozen=True)
class Followers(Members):
    """The documents that name one as the one they repeat."""

    least: float | None
    """The lowest and the highest similarity of those that are near; null if none is."""
    most: float | None


@dataclass(frozen=True)
class Witness:
    """The document that one repeats."""

    doc_id: str
    build: str | None
    """The earlier build that holds it; null for this one."""
    store: str | None
    """Where that build was, as `dedup.against` names it."""
    kind: str
    similarity: float | None
    method: str | None
    survives: bool | None
    """Whether it is kept still; null where an earlier build holds it."""
    loss: Loss | None


@dataclass(frozen=True)
class Facts:
    """What is known of a document; `dataclasses.asdict` of it is what the command prints as JSON."""

    document: dict[str, Any]
    """Its ledger row."""
    part: int
    row: int
    others: list[dict[str, Any]]
    """Where further ledger rows have the same `doc_id`."""
    named: dict[str, dict[str, Any]]
    """What the ledger says of the documents of this build that marks and witness name, by `doc_id`."""
    witness: Witness | None
    cluster: Members
    followers: Followers
    replaces: list[dict[str, Any]]
    """Documents of earlier stores that it replaces: the first `MOST_MEMBERS` rows of `replaced`."""
    takedowns: list[dict[str, Any]]
    """What the manifest says of the takedowns among its marks."""
    build: dict[str, Any]
    """Who decided."""
    changes: list[Change]
    """What would lift each mark that takes it out, or, if it is kept, turn each flag into one that does."""
    settings: list[str]
    """Of a kept document, the settings that would take it out for what it says, though it has no mark for it."""


def gather_facts(dataset: Dataset, doc_id: str) -> Facts:
    """The facts of a document by its `doc_id`, 32 hex digits in lower case.

    Raises InputError if no ledger row has it.
    """
    found = _find(dataset, "doc_id", "doc_id", [doc_id]).to_pylist()
    if not found:
        raise InputError(
            f"No record of {dataset.directory} has the doc_id {doc_id}.\n"
            f"Look for it by its address: cleartitle lookup {dataset.directory} --url URL. If another build names it "
            "(as `duplicate_build` or `evidence_build`), ask the dataset of that build."
        )
    (document, *others) = found
    part, row = document.pop("part"), document.pop("row")
    named = _named(dataset, document)
    manifest = dataset.manifest
    return Facts(
        document=document,
        part=part,
        row=row,
        others=[{name: other[name] for name in ("part", "row", *_WHERE)} for other in others],
        named=named,
        witness=_witness(document, named, manifest),
        cluster=_cluster(dataset, document["cluster_id"]),
        followers=_followers(dataset, doc_id),
        replaces=_replaced(dataset, doc_id),
        takedowns=_takedowns(document, manifest),
        build=_build(manifest),
        changes=find_changes(document, manifest),
        settings=settings_against(document, manifest),
    )


def _find(
    dataset: Dataset, kind: str, column: str, values: Sequence[str], columns: Sequence[str] | None = None
) -> pa.Table:
    """Ledger rows whose column has one of the values, with `part` and `row`: value by value, as the ledger has them.

    The index gives candidates; what counts is the row.
    """
    places = dataset.find(kind, values)
    rows = dataset.ledger(places, columns)
    true = pc.fill_null(pc.equal(rows[column], pa.array(values, pa.string()).take(places["query"])), False)
    for name in ("part", "row"):
        rows = rows.append_column(name, places[name])
    return rows.filter(true)


def _named(dataset: Dataset, document: Row) -> dict[str, dict[str, Any]]:
    pairs = [(mark["evidence"], mark["evidence_build"]) for mark in document["marks"]]
    pairs.append((document["duplicate_of"], document["duplicate_build"]))
    here = sorted({doc_id for doc_id, build in pairs if doc_id and not build})
    rows = _find(dataset, "doc_id", "doc_id", here, _BRIEF).to_pylist() if here else []
    return {row["doc_id"]: {name: row[name] for name in _BRIEF} for row in reversed(rows)}


def _witness(document: Row, named: Mapping[str, Row], manifest: Mapping[str, Any]) -> Witness | None:
    doc_id, build, kind = (document[name] for name in ("duplicate_of", "duplicate_build", "duplicate_kind"))
    if doc_id is None:
        return None
    row = named.get(doc_id)
    near = [mark["method"] for mark in document["marks"] if mark["rule"] == reasons.NEAR_DUPLICATE]
    against = zip(manifest["duplicates"]["against"], manifest["config"]["dedup"]["against"], strict=True)
    return Witness(
        doc_id=doc_id,
        build=build,
        store=next((path for store, path in against if store["build"] == build), None),
        kind=kind,
        similarity=document["similarity"],
        method=near[0] if kind == reasons.NEAR and near else None,
        survives=None if build else row is not None and row["decision"] == reasons.KEEP,
        loss=find_loss(document, row, manifest),
    )


def _cluster(dataset: Dataset, cluster_id: str | None) -> Members:
    if cluster_id is None:
        return Members({}, [])
    rows = _find(dataset, "cluster", "cluster_id", [cluster_id], ["doc_id", "url", "decision", "cluster_id"])
    return Members(count_values(rows["decision"]), _first(rows, ["doc_id", "url", "decision"]))


def _followers(dataset: Dataset, doc_id: str) -> Followers:
    rows = _find(dataset, "witness", "duplicate_of", [doc_id], _FOLLOWER)
    rows = rows.filter(rows["duplicate_build"].is_null())
    similarity = rows["similarity"].filter(pc.equal(rows["duplicate_kind"], reasons.NEAR))
    bounds = pc.min_max(similarity).as_py()
    first = _first(rows, ["doc_id", "url", "decision", "duplicate_kind", "similarity"])
    return Followers(count_values(rows["duplicate_kind"]), first, bounds["min"], bounds["max"])


def _replaced(dataset: Dataset, doc_id: str) -> list[dict[str, Any]]:
    if not dataset.parts(REPLACED.name):
        return []
    query = (
        "SELECT build, doc_id, duplicate_kind, similarity FROM replaced "
        f"WHERE duplicate_of = ? ORDER BY build, doc_id LIMIT {MOST_MEMBERS}"
    )
    return list(dataset.sql(query, [doc_id]).to_pylist())


def _takedowns(document: Row, manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    ids = {mark["list"] for mark in document["marks"] if mark["rule"] == reasons.TAKEDOWN}
    return [dict(entry) for entry in manifest["takedowns"] if entry["id"] in ids]


def _build(manifest: Mapping[str, Any]) -> dict[str, Any]:
    duplicates = manifest["duplicates"]
    rules = ("survivor_policy", "verify", "threshold", "ngram", "bands", "rows")
    return {
        **{name: manifest[name] for name in ("build_id", "version_id", "crawl", "config_digest", "finished")},
        **{name: duplicates[name] for name in rules},
        "version": manifest["versions"]["cleartitle"],
    }


def _first(rows: pa.Table, names: Sequence[str]) -> list[dict[str, Any]]:
    return list(rows.select(names).slice(0, MOST_MEMBERS).to_pylist())
