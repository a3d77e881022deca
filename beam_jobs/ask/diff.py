"""`cleartitle diff`: which documents came, went or were decided otherwise between two datasets, and why."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import click
import pyarrow as pa

from beam_jobs.ask.options import format_option
from schemas.errors import OutputError

if TYPE_CHECKING:
    from rich.console import Console

SHOWN: Final = 20
"""Documents that the table shows if nothing is said."""
Totals = Mapping[str, Any]


@click.command("diff")
@click.argument("old")
@click.argument("new")
@format_option("Tables, or JSON Lines: the totals, then a line for each document.")
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    help=f"At most so many documents, by doc_id.  [default: {SHOWN} in a table, else all]",
)
@click.option("--output", help="Write the documents to this file, .parquet or .jsonl, and print only the totals.")
def diff_command(old: str, new: str, form: str, limit: int | None, output: str | None) -> None:
    """Say which documents came, went or were decided otherwise between two datasets, and why."""
    from lineage.comparison.compare import compare

    if output is not None and not output.endswith((".parquet", ".jsonl")):
        raise OutputError(f"--output {output}: the name must end in .parquet or .jsonl, which says how it is written.")
    with compare(old, new) as comparison:
        totals = comparison.totals()
        if form == "json":
            click.echo(json.dumps({"totals": totals}))
        else:
            print_totals(totals)
        if output is not None:
            _write(output, comparison.rows(limit))
        elif form == "json":
            for line in json_lines(comparison.rows(limit)):
                click.echo(line)
        else:
            print_documents(comparison.rows(SHOWN if limit is None else limit), sum(totals["changes"].values()))


def json_lines(batches: Iterable[pa.RecordBatch]) -> Iterator[str]:
    """Rows as JSON objects, without a newline."""
    for batch in batches:
        yield from (json.dumps(row) for row in batch.to_pylist())


def _write(path: str, batches: Iterable[pa.RecordBatch]) -> None:
    import pyarrow.parquet as pq

    from lineage.comparison.compare import DIFFERENCES
    from transforms.part_store import write_file

    with write_file(path) as file:
        if path.endswith(".jsonl"):
            for line in json_lines(batches):
                file.write(f"{line}\n".encode())
        else:
            with pq.ParquetWriter(file, DIFFERENCES, compression="zstd") as writer:
                for batch in batches:
                    writer.write_batch(batch)


def print_totals(totals: Totals) -> None:
    """Print what differs, in numbers; what does not differ is left out."""
    console = _console()
    old, new = totals["old"], totals["new"]
    _print_table(console, "", ["", "old", "new"], _size_rows(old, new))
    if not any(totals["changes"].values()):
        _print(console, "\nno document differs")
    elif not totals["in_both"]:
        _print(
            console, "\nThe two have no document in common: they are of different crawls, or of crawls named otherwise."
        )
    changes = [[name, count] for name, count in totals["changes"].items() if count]
    _print_table(console, "documents that differ", ["change", "documents"], changes)
    decisions = [
        [one["old"] or "not there", one["new"] or "not there", one["documents"]] for one in totals["decisions"]
    ]
    _print_table(console, "their decisions", ["old", "new", "documents"], decisions)
    reasons = [[one["reason"], one["before"], one["after"]] for one in totals["reasons"]]
    _print_table(console, "their reasons", ["reason", "old", "new"], reasons)
    _print_table(console, "kept documents by domain", ["domain", "lost", "gained"], _domain_rows(totals))
    for title, name in (("config", "config"), ("content of lists", "lists"), ("versions", "versions")):
        lines = [f"  {one['name']}: {_said(one['old'])} -> {_said(one['new'])}" for one in totals[name]]
        _print(console, *([f"\n{title}"] if lines else []), *lines)
    for side in ("old", "new"):
        _print(console, *(f"\ntakedown {one}, only of the {side} one" for one in totals["takedowns"][side]))


def print_documents(batches: Iterable[pa.RecordBatch], documents: int) -> None:
    """Print documents that differ, two lines each, out of so many."""
    console, rows = _console(), [row for batch in batches for row in batch.to_pylist()]
    if rows:
        shown = f"the first {len(rows):,} of {documents:,}, by doc_id" if len(rows) < documents else "all, by doc_id"
        _print(console, f"\ndocuments that differ: {shown}")
    for row in rows:
        _print(
            console, f"  {row['change']}  {row['doc_id']}  {row['url'] or row['record_id'] or ''}", f"    {row['why']}"
        )


def _size_rows(old: Totals, new: Totals) -> list[list[Any]]:
    from beam_jobs.console.summary import size_words

    names = {"dataset": "dataset", "crawl": "crawl", "build_id": "build", "version_id": "version"}
    counts = {"records": "documents", "kept": "kept"}
    return [
        *([shown, old[name], new[name]] for name, shown in names.items()),
        *([shown, old[name], new[name]] for name, shown in counts.items()),
        ["text kept", *(size_words(one["kept_text_bytes"]) for one in (old, new))],
    ]


def _domain_rows(totals: Totals) -> list[list[Any]]:
    rows = [[one["domain"] or "no domain", one["lost"], one["gained"]] for one in totals["domains"]]
    rest = totals["other_domains"]
    return [*rows, *([[f"{rest['domains']:,} more", rest["lost"], rest["gained"]]] if rest["domains"] else [])]


def _said(value: object) -> str:
    return value if isinstance(value, str) else "none" if value is None else json.dumps(value, ensure_ascii=False)


def _console() -> "Console":
    from rich.console import Console

    return Console(highlight=False, emoji=False)


def _print(console: "Console", *lines: str) -> None:
    """Lines as they are, however wide; what a crawl put in them does nothing to a terminal."""
    from transforms.printable import printable

    for line in lines:
        start = "\n" if line.startswith("\n") else ""
        console.print(start + printable(line.removeprefix("\n")), markup=False, soft_wrap=True)


def _print_table(console: "Console", title: str, header: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """A table under its title; numbers stand to the right. Without rows nothing is printed."""
    from rich.table import Table
    from rich.text import Text

    from transforms.printable import printable

    if not rows:
        return
    table = Table()
    for number, name in enumerate(header):
        right = isinstance(rows[-1][number], int)
        table.add_column(name, overflow="fold", justify="right" if right else "left")
    for row in rows:
        table.add_row(*(f"{cell:,}" if isinstance(cell, int) else Text(printable(cell)) for cell in row))
    _print(console, *([f"\n{title}"] if title else []))
    console.print(table)
