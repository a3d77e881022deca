"""Carry out a takedown: a new version of the dataset in another directory, in which only what changes is written."""

import os
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lineage.catalog import Dataset
from lineage.takedowns.claim_output import version_after
from lineage.takedowns.count_changes import Counts, add_counts
from lineage.takedowns.index_witnesses import index_witnesses
from lineage.takedowns.mark_rows import mark_rows, read_records
from lineage.takedowns.plan_takedown import WITNESS, Plan
from lineage.takedowns.rewrite_part import LEDGER, Revision, Rewritten, rewrite_part
from lineage.takedowns.row_ids import row_ids
from lineage.takedowns.write_certificate import FOLDER, write_certificate
from lineage.takedowns.write_evidence import write_evidence
from schemas.columns import INDEX_KEYS
from schemas.errors import InputError, WorkError
from transforms.part_store import file_facts, file_size, join, link_or_copy, part_path, read_json, sweep
from transforms.publish.manifest import write_sealed_manifest
from transforms.publish.part_files import TEXTS
from transforms.takedowns.open_takedowns import refer

Facts = Mapping[str, Any]

_FOLDERS: Final = (LEDGER, *(table.name for table in TEXTS.values()))
"""Folders whose files change with decisions."""


def carry_out(dataset: Dataset, plan: Plan, output: str, carried_out: str, crawl: bool) -> None:
    """Write the new version to an output that was claimed for it; its manifest appears last.

    Files that stay as they are become hard links of the old ones where the disk has them, else copies. Done again after
    it was interrupted, it gives the same bytes. Raises InputError if the old version was changed since it was written,
    WorkError if something cannot be read or written.
    """
    try:
        _check_whole(dataset, plan)
        rewritten = _rewrite_parts(dataset, plan, output)
        manifest = _revised(dataset, plan, output, rewritten)
        old = dataset.manifest["files"]
        same = [name for name, facts in manifest["files"].items() if old.get(name) == facts]
        _link(dataset.directory, output, old, same)
        if not _nothing_new(dataset, plan):
            _record(dataset, plan, output, manifest, carried_out, crawl)
        for folder in ("", *{name.partition("/")[0] for name in manifest["files"]}):
            sweep(join(output, folder))
        write_sealed_manifest(output, manifest)
    except (OSError, pa.ArrowException) as error:
        raise WorkError(
            f"The takedown of {dataset.directory} to {output} failed: {error}.\n"
            "What is done is kept; the same command goes on from there."
        ) from error


def _nothing_new(dataset: Dataset, plan: Plan) -> bool:
    """Whether the dataset is a version from which the same takedown took everything out before, with a certificate."""
    known = _known(dataset, plan)
    return known is not None and known["certificate"] is not None and not len(plan.records)


def _known(dataset: Dataset, plan: Plan) -> Facts | None:
    """What the manifest says of the same takedown; if the crawl was decided by it, it has no certificate yet."""
    return next((one for one in dataset.manifest["takedowns"] if one["id"] == plan.takedown.id), None)


def _check_whole(dataset: Dataset, plan: Plan) -> None:
    """Raise InputError unless every file is as long as the manifest says, and those to write again have its bytes."""
    again = {part_path(folder, part, "parquet") for part in plan.parts for folder in _FOLDERS}

    def fault(name: str, facts: Facts) -> str | None:
        path = join(dataset.directory, name)
        size = file_size(path)
        if size != facts["bytes"]:
            return f"{path} " + ("is gone" if size is None else f"has {size:,} bytes, not {facts['bytes']:,}")
        if name in again and file_facts(path)["sha256"] != facts["sha256"]:
            return f"{path} has other bytes"
        return None

    files = dataset.manifest["files"]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        faults = [found for found in pool.map(fault, files, files.values()) if found]
    if faults:
        raise InputError(
            f"{faults[0]}: the dataset was changed after it was written, so no new version is made of it.\n"
            f"`cleartitle verify {dataset.directory}` says what else is damaged."
        )


def _rewrite_parts(dataset: Dataset, plan: Plan, output: str) -> list[Rewritten]:
    part, judged = plan.records["part"].to_numpy(), plan.judged

    def rewrite(number: int) -> Rewritten:
        records = plan.records[slice(*np.searchsorted(part, [number, number + 1]))]
        mine = slice(*np.searchsorted(judged.ids, [number << 32, (number + 1) << 32]))
        rows = np.concatenate([records["row"].to_numpy().astype(np.int64), judged.ids[mine] & 0xFFFFFFFF])
        order = np.argsort(rows)
        texts = judged.ledger[mine].filter(pa.array(judged.returned[mine]))

        def change(ledger: pa.Table) -> Revision:
            marked = mark_rows(ledger.take(records["row"]), records, plan.takedown, plan.limit)
            both = pa.concat_tables([marked, judged.ledger[mine].select(ledger.column_names)])
            return Revision(rows[order], both.take(pa.array(order)), texts)

        return rewrite_part(dataset.directory, output, number, change)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(rewrite, plan.parts))


def _link(source: str, target: str, files: Mapping[str, Facts], names: Iterable[str]) -> None:
    def link(name: str) -> None:
        if file_size(join(target, name)) != files[name]["bytes"]:  # there already if a run was interrupted
            link_or_copy(join(source, name), join(target, name))

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(link, names))


def _revised(dataset: Dataset, plan: Plan, output: str, rewritten: Iterable[Rewritten]) -> dict[str, Any]:
    """The manifest of the new version, without certificate and evidence."""
    if _nothing_new(dataset, plan):
        return dict(dataset.manifest)
    done = list(rewritten)
    more, less = sum((one.more for one in done), Counts()), sum((one.less for one in done), Counts())
    manifest = add_counts(dataset.manifest, more, less)
    for name, facts in (item for one in done for item in one.files.items()):
        if facts is None:
            del manifest["files"][name]
        else:
            manifest["files"][name] = facts
    index = manifest["index"][INDEX_KEYS.name]
    manifest["files"] |= index_witnesses(dataset, output, plan.judged, index)
    manifest["version_id"] = version_after(dataset.version_id, plan.takedown.id)
    return manifest


def _record(dataset: Dataset, plan: Plan, output: str, manifest: dict[str, Any], carried_out: str, crawl: bool) -> None:
    """Write evidence and certificate, and enter them and the takedown in the manifest."""
    takedown = plan.takedown
    plan, earlier = _with_earlier(dataset, plan)
    parquet, certificate = (join(FOLDER, f"{takedown.id}.{suffix}") for suffix in ("parquet", "json"))
    rows = write_evidence(join(output, parquet), dataset, plan, crawl)
    evidence = file_facts(join(output, parquet))
    write_certificate(join(output, certificate), dataset, manifest, plan, evidence, earlier, carried_out)
    manifest["files"][parquet] = {**evidence, "rows": rows}
    records = len(earlier) + len(plan.records)
    manifest["files"][certificate] = {**file_facts(join(output, certificate)), "rows": records}
    manifest["bytes"]["written"] = sum(facts["bytes"] for facts in manifest["files"].values())
    entry = {**refer([takedown])[0], "certificate": certificate, "records": records}
    manifest["takedowns"] = [*(one for one in manifest["takedowns"] if one["id"] != takedown.id), entry]


def _with_earlier(dataset: Dataset, plan: Plan) -> tuple[Plan, list[Facts]]:
    """The records of what the same takedown took out before, and the plan with the works among them.

    They are those of its certificate; without one the ledger tells them.
    """
    known = _known(dataset, plan)
    if known is None:
        return plan, []
    if known["certificate"] is not None:
        return plan, read_json(join(dataset.directory, known["certificate"]))["records"]
    earlier = read_records(dataset, plan.takedown.id)
    if plan.limit is not None:
        works = row_ids(earlier.filter(pc.not_equal(earlier["selector"], WITNESS)))
        plan = replace(plan, works=np.union1d(plan.works, works))
    return plan, earlier.to_pylist()
