"""`cleartitle lookup`: whether documents were in datasets, what was decided of them, and why."""

import json
import math
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

import click

from beam_jobs.ask.options import format_option
from lineage.lookups.queries import SELECTORS, Query, as_queries, read_queries
from schemas.errors import UsageError
from schemas.reasons import DECIDED
from transforms.part_store import open_input

if TYPE_CHECKING:
    import pyarrow as pa

SHOWN: Final = 20
"""Documents of a query that are printed for people if nothing is said."""
_METAVARS: Final = {"warc": "FILE[:OFFSET]", "text_file": "FILE"}
_PRINTED: Final = (
    "doc_id",
    "url",
    "decision",
    "reason",
    "takedown_id",
    "duplicate_of",
    "duplicate_build",
    "duplicate_kind",
    "duplicate_similarity",
    "record_id",
    "source_file",
    "source_position",
)
"""Columns that are printed for people."""
_JSON_ROWS: Final = 1024
"""Rows that are Python objects at a time."""


def _selectors(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command an option for each selector; a text comes from a file."""
    for name, meaning in reversed(SELECTORS.items()):
        if name != "text":
            option = f"--{name.replace('_', '-')}"
            words = f"{meaning[0].upper()}{meaning[1:]}."
            command = click.option(option, name, multiple=True, metavar=_METAVARS.get(name), help=words)(command)
    return command


@click.command("lookup")
@click.argument("datasets", nargs=-1, required=True)
@_selectors
@click.option("--queries", "file", metavar="FILE", help='JSON Lines such as {"url": "a.example"}; `-` is stdin.')
@format_option("For people, or JSON Lines with all that is found.")
@click.option(
    "--limit", type=click.IntRange(min=0), default=SHOWN, show_default=True, help="Documents of a query in a table."
)
@click.option("--no-crawl", is_flag=True, help="Estimate how similar a text is to one that only the crawl files hold.")
def lookup_command(
    datasets: tuple[str, ...], file: str | None, form: str, limit: int, no_crawl: bool, **selectors: tuple[str, ...]
) -> None:
    """Look documents up in datasets: were they in, what was decided, and why.

    Each option may come several times, in any mix; each value is a question of its own. Values are data: nothing in
    them is a wildcard.
    """
    from lineage.lookups.look_up import COLUMNS, answer

    queries = [*as_queries(selectors), *(_read_file(file) if file else ())]
    found = answer(datasets, queries, COLUMNS if form == "json" else _PRINTED, not no_crawl)
    for line in json_lines(found) if form == "json" else answer_lines(found, limit):
        click.echo(line)


def _read_file(file: str) -> list[Query]:
    if file == "-":
        return read_queries(sys.stdin.buffer, "stdin")
    try:
        with open_input(file) as lines:
            return read_queries(lines, file, os.path.dirname(file))
    except OSError as error:
        raise UsageError(f"--queries {file}: it cannot be read: {error.strerror or error}.") from error


def json_lines(found: "pa.Table") -> Iterator[str]:
    """An answer as JSON objects, in ASCII; what a mark leaves open is not in it."""
    import pyarrow.compute as pc

    at = found.schema.get_field_index("fetch_time")
    times = pc.strftime(found["fetch_time"], format="%Y-%m-%dT%H:%M:%SZ")
    for batch in found.set_column(at, "fetch_time", times).to_batches(_JSON_ROWS):
        for row in batch.to_pylist():
            marks = row["marks"] and [{k: v for k, v in mark.items() if v is not None} for mark in row["marks"]]
            yield json.dumps({**row, "marks": marks})


def answer_lines(found: "pa.Table", limit: int) -> Iterator[str]:
    """An answer in words: query by query, dataset by dataset, at most `limit` documents each."""
    from transforms.printable import printable

    asked: set[int] = set()
    answered: set[int] = set()
    for group in _groups(found):
        first = group.slice(0, 1).to_pylist()[0]
        if first["query"] not in asked:
            yield f"{first['selector']} {printable(first['value'])}"
        asked.add(first["query"])
        place = f"{printable(first['dataset'])}, version {first['version_id']}"
        if not first["found"]:
            yield f"  no document in {place}"
            continue
        answered.add(first["query"])
        yield f"  in {place}: {_counts(group)}"
        for row in group.slice(0, limit).to_pylist():
            yield from (f"    {printable(line)}" for line in _row_lines(row))
        if len(group) > limit:
            yield f"    … and {len(group) - limit:,} more; --limit shows more of them, --format json all"
    if len(asked) > 1:
        yield f"{len(asked):,} queries, {len(asked) - len(answered):,} of them without any document"


def _groups(found: "pa.Table") -> Iterator["pa.Table"]:
    """The rows of one query in one dataset after another."""
    import numpy as np

    query = found["query"].to_numpy()
    dataset = found["dataset"].combine_chunks().dictionary_encode().indices.to_numpy()
    borders = np.flatnonzero((np.diff(query) != 0) | (np.diff(dataset) != 0)) + 1
    starts, ends = np.r_[0, borders], np.r_[borders, len(found)]
    return (found.slice(start, end - start) for start, end in zip(starts.tolist(), ends.tolist(), strict=True))


def _counts(group: "pa.Table") -> str:
    counts = Counter({one["values"]: one["counts"] for one in group["decision"].value_counts().to_pylist()})
    words = [f"{counts[decision]:,} {word}" for decision, word in DECIDED.items() if counts[decision]]
    return f"{len(group):,} document{'s' * (len(group) > 1)}, {', '.join(words)}"


def _row_lines(row: Mapping[str, Any]) -> Iterator[str]:
    """What is said of a document."""
    reason = f": {row['reason']}" if row["reason"] else ""
    alike = "" if row["similarity"] is None else f", similarity {_share(row['similarity'])} ({row['method']})"
    yield f"{row['doc_id']} {DECIDED[row['decision']]}{reason}{alike}"
    yield f"  {row['url'] or 'no URL'}"
    if row["duplicate_of"]:
        alike = "" if row["duplicate_similarity"] is None else f", {_share(row['duplicate_similarity'])}"
        build = f" of build {row['duplicate_build']}" if row["duplicate_build"] else ""
        yield f"  repeats {row['duplicate_of']}{build} ({row['duplicate_kind']}{alike})"
    if row["takedown_id"]:
        yield f"  taken out by takedown {row['takedown_id']}"
    record = f", record {row['record_id']}" if row["record_id"] else ""
    yield f"  from {row['source_file']} at {row['source_position']}{record}"


def _share(value: float) -> str:
    """Three decimals, the rest cut off, so that what is not quite equal does not look so."""
    return f"{math.floor(value * 1000) / 1000:.3f}"
