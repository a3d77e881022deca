"""`cleartitle explain`: one page, in words, on what was decided of one document, and why."""

import textwrap
from collections.abc import Iterator
from itertools import groupby
from typing import Final

import click
import pyarrow as pa

from beam_jobs.ask.options import format_option

WIDTH: Final = 100
"""Columns of a line; only a long word goes beyond them."""


@click.command("explain")
@click.argument("dataset")
@click.argument("doc_id")
@format_option("A page in words, or all facts as one JSON object.")
def explain_command(dataset: str, doc_id: str, form: str) -> None:
    """Say of one document where it comes from, what was decided and why, and what would change that."""
    from lineage.explanations.explain import explain, explain_facts, facts_json

    if form == "json":
        click.echo(facts_json(explain_facts(dataset, doc_id)))
    else:
        click.echo("\n".join(page_lines(explain(dataset, doc_id))))


def page_lines(explanation: pa.Table) -> Iterator[str]:
    """The lines of a page: a heading for each section, its statements beneath it, an empty line between."""
    for number, (section, rows) in enumerate(groupby(explanation.to_pylist(), lambda row: str(row["section"]))):
        yield from ["", section] if number else [section]
        for row in rows:
            belongs = row["text"].startswith("- ")
            yield from textwrap.wrap(
                row["text"],
                WIDTH,
                initial_indent="    " if belongs else "  ",
                subsequent_indent="      " if belongs else "    ",
                break_long_words=False,
                break_on_hyphens=False,
            )
