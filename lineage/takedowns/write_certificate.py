"""Write the certificate of a takedown: who asked for what, what went and why, and which files changed."""

from collections.abc import Mapping, Sequence
from typing import Any

from lineage.catalog import Dataset
from lineage.takedowns.count_copies import count_copies
from lineage.takedowns.plan_takedown import Plan
from transforms.part_store import write_json
from transforms.takedowns.read_takedown import CERTIFICATE, CERTIFICATE_VERSION, canonical

Facts = Mapping[str, Any]
FOLDER = "takedowns"
"""Of a dataset, for certificates and their evidence."""


def write_certificate(
    path: str, dataset: Dataset, after: Facts, plan: Plan, evidence: Facts, earlier: Sequence[Facts], carried_out: str
) -> None:
    """Write the certificate as JSON.

    `after` is the manifest of the new version, but for what is written with the certificate and after it; `evidence`
    are the facts of the Parquet beside it; `earlier` are records that the same takedown took out of versions before.
    """
    before = dataset.manifest
    takedown, copies = plan.takedown, count_copies(plan.records)
    named = {record["matched"] for record in earlier}
    changed = {name for name, facts in before["files"].items() if after["files"].get(name) != facts}
    write_json(
        path,
        {
            "format": CERTIFICATE,
            "format_version": CERTIFICATE_VERSION,
            "id": takedown.id,
            "sha256": takedown.sha256,
            "request": canonical(takedown.request, takedown.texts.to_pylist()),
            "carried_out": carried_out,
            "crawl": before["crawl"],
            "build": before["build_id"],
            "version": {"before": before["version_id"], "after": after["version_id"]},
            "similarity": plan.limit,
            "evidence": {"file": f"{takedown.id}.parquet", **evidence},
            "matched_nothing": [
                {"selector": kind, "matched": written}
                for kind, counts in plan.counts.items()
                for written, count in counts.items()
                if not count and not copies[written] and written not in named
            ],
            "taken_out_before": plan.before,
            "records": [*earlier, *plan.records.to_pylist()],
            "returned": plan.returned.to_pylist(),
            "counts": {"before": before["counts"], "after": after["counts"]},
            "files": [
                {"file": name, "before": _size(before["files"][name]), "after": _size(after["files"].get(name))}
                for name in sorted(changed)
            ],
            "files_untouched": len(before["files"]) - len(changed),
        },
    )


def _size(facts: Facts | None) -> dict[str, Any] | None:
    return {name: facts[name] for name in ("bytes", "sha256")} if facts else None
