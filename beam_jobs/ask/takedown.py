"""`cleartitle takedown`: take work out of a dataset, in a new version, with a certificate of what went."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import click

from beam_jobs.ask.options import format_option
from schemas.errors import UsageError

if TYPE_CHECKING:
    from lineage.takedowns.plan_takedown import Plan

SHOWN: Final = 20
"""Copies that are printed for people; JSON has all."""


@click.command("takedown")
@click.argument("dataset")
@click.option("--request", required=True, metavar="FILE", help="The request, in YAML: who asks, and what is to go.")
@click.option("--output", metavar="DIR", help="Directory for the new version; the old one stays as it is.")
@click.option("--dry-run", is_flag=True, help="Say what would go, and write nothing.")
@format_option("A summary for people, or JSON Lines: the counts, then a line for each document that goes.")
@click.option("--no-crawl", is_flag=True, help="Do not read texts that the dataset does not hold from crawl files.")
def takedown_command(dataset: str, request: str, output: str | None, dry_run: bool, form: str, no_crawl: bool) -> None:
    """Take out of a dataset what a request names, and what repeats it from anywhere."""
    from lineage.catalog import open_dataset
    from lineage.takedowns.take_out import read_request, take_out

    if output is None and not dry_run:
        raise UsageError("Name a directory for the new version as --output, or see what would go by --dry-run.")
    takedown = read_request(request)
    outcome = take_out(open_dataset(dataset), takedown, None if dry_run else output, not no_crawl)
    for line in json_lines(outcome.plan) if form == "json" else plan_lines(outcome.plan, dry_run):
        click.echo(line)
    if not dry_run:
        done = "holds this takedown already, finished; nothing was changed" if outcome.finished_before else "is written"
        click.echo(f"{output} {done}.", err=form == "json")


def json_lines(plan: "Plan") -> Iterator[str]:
    """The counts as one JSON object, then one for each document."""
    totals = {
        "id": plan.takedown.id,
        "records": len(plan.records),
        "taken_out_before": plan.before,
        "selectors": plan.counts,
        "decisions": _decisions(plan),
        "parts": plan.parts,
        "returned": plan.returned.to_pylist(),
    }
    yield json.dumps({"totals": totals})
    for batch in plan.records.to_batches():
        yield from (json.dumps(row) for row in batch.to_pylist())


def plan_lines(plan: "Plan", dry_run: bool) -> Iterator[str]:
    """What goes, in words."""
    from lineage.takedowns.count_copies import count_copies
    from transforms.printable import printable

    of_texts = count_copies(plan.records)
    request, verb = plan.takedown.request, "would go" if dry_run else "went"
    yield f"takedown {plan.takedown.id}: {printable(request.reference)}, {printable(request.requested_by)}"
    for kind, counts in plan.counts.items():
        for written, count in counts.items():
            found = of_texts[written]
            similar = f"no exact copy, {_documents(found)} similar" if found else "matches nothing"
            yield f"  {kind} {printable(written)}: {_documents(count) if count else similar}"
    why = Counter(plan.records["selector"].to_pylist())
    yield f"{_documents(len(plan.records))} {verb}" + (
        f"; {_documents(plan.before)} had gone before" if plan.before else ""
    )
    for decision, count in _decisions(plan).items():
        yield f"  {_BEFORE[decision]} before: {count:,}"
    copies, followers = (why[name] for name in ("near_duplicates", "witness"))
    if plan.limit is not None:
        yield f"  similar to what is named, by {plan.limit:g} or more: {copies:,}"
        yield from (f"    {printable(line)}" for line in _copies(plan))
    if followers:
        yield f"  dropped before as duplicates of what goes: {followers:,}"
    if plan.takedown.request.witnesses == "next_in_line":
        yield f"{_documents(len(plan.returned))} {'would come' if dry_run else 'came'} back"
        yield from (f"  {row['doc_id']} {printable(row['url'] or 'no URL')}" for row in plan.returned.to_pylist())
    parts = f"{len(plan.parts):,} part{'s' * (len(plan.parts) != 1)}"
    yield f"{parts} {'to write' if dry_run else 'written'} again"


_BEFORE: Final = {"keep": "kept", "quarantine": "quarantined", "drop": "dropped"}


def _documents(count: int) -> str:
    return f"{count:,} document{'s' * (count != 1)}"


def _decisions(plan: "Plan") -> dict[str, int]:
    counted = Counter(plan.records["decision"].to_pylist())
    return {decision: counted[decision] for decision in _BEFORE if counted[decision]}


def _copies(plan: "Plan") -> Iterator[str]:
    import pyarrow.compute as pc

    copies = plan.records.filter(pc.equal(plan.records["selector"], "near_duplicates"))
    for row in copies.slice(0, SHOWN).to_pylist():
        yield f"{row['doc_id']} {row['url'] or 'no URL'}"
        yield f"  {_said(row)}"
    if len(copies) > SHOWN:
        yield f"and {len(copies) - SHOWN:,} more; --format json has all"


def _said(row: dict[str, Any]) -> str:
    return f"{row['similarity']:.3f} ({row['method']}) to {row['evidence'] or row['matched']}"
