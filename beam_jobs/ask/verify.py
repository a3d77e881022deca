"""`cleartitle verify`: whether a dataset is what was published, byte for byte and in all that it says."""

import json
from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

import click

from beam_jobs.ask.options import format_option

if TYPE_CHECKING:
    from lineage.verification import Verification

MOST_PRINTED: Final = 20
"""Faults of one check that the table shows; JSON has all."""


@click.command("verify")
@click.argument("dataset")
@click.option(
    "--against-crawl",
    type=click.IntRange(min=1),
    metavar="N",
    help="Read N ledger rows again from the crawl files that are at hand, and compare them.",
)
@click.option("--crawl-root", metavar="DIR", help="Where the crawl files lie now.  [default: where the config says]")
@format_option("For people, or a JSON object for each fault, a line each.")
@click.option("--quiet", is_flag=True, help="Say only what is wrong.")
def verify_command(dataset: str, against_crawl: int | None, crawl_root: str | None, form: str, quiet: bool) -> int:
    """Check every file, count and decision of a dataset. Exit code 1 if anything is wrong with it."""
    from lineage.verification import examine

    if crawl_root is not None and against_crawl is None:
        raise click.UsageError("--crawl-root says where --against-crawl reads; name both.")
    found = examine(dataset, against_crawl, crawl_root)
    if form == "json":
        for fault in _rows(found):
            click.echo(json.dumps(fault, ensure_ascii=False))
    else:
        for line in fault_lines(found):
            click.echo(line)
    if not quiet:
        for line in account_lines(found):
            click.echo(line, err=form == "json")  # standard output has nothing but JSON then
    return 1 if len(found.faults) else 0


def fault_lines(found: "Verification") -> Iterator[str]:
    """A heading for each check that found faults, and the first of them, each with its place."""
    from lineage.verification import CHECKS
    from transforms.printable import printable

    counts = {one["values"]: one["counts"] for one in found.faults["check"].value_counts().to_pylist()}
    for check, faults in groupby(_rows(found), lambda fault: str(fault["check"])):
        yield f"{check}: {_faults(counts[check])}. What must hold: {CHECKS[check]}"
        for fault, _ in zip(faults, range(MOST_PRINTED), strict=False):
            yield f"  {printable(_place(fault))}: {printable(fault['fault'])}"
        if counts[check] > MOST_PRINTED:
            yield f"  and {counts[check] - MOST_PRINTED:,} more; --format json has all"


def account_lines(found: "Verification") -> Iterator[str]:
    """What each check looked at, and how it ended."""
    width = max(len(check) for check, _ in found.account)
    for check, line in found.account:
        yield f"{check:{width}}  {line}"
    yield _faults(len(found.faults)) if len(found.faults) else "whole: no fault was found"


def _rows(found: "Verification") -> Iterator[Mapping[str, Any]]:
    for batch in found.faults.to_batches():
        yield from batch.to_pylist()


def _faults(count: int) -> str:
    return f"{count:,} fault{'s' * (count > 1)}"


def _place(fault: Mapping[str, Any]) -> str:
    """File, row and document, as far as they are known."""
    names = {"row": "row {:,}", "doc_id": "doc_id {}"}
    known = [text.format(fault[name]) for name, text in names.items() if fault[name] is not None]
    return ", ".join([fault["file"] or "the dataset", *known])
