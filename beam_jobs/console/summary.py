"""The table a run ends with, and the alarms it raised."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from beam_jobs.console.progress import time_words
from schemas.reasons import COMPARISON_BOUND

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")


def size_words(count: float) -> str:
    """Bytes in words.

    >>> size_words(512), size_words(3 << 20), size_words(1536)
    ('512 B', '3.0 MiB', '1.5 KiB')
    """
    for unit in _UNITS:
        if count < 1024 or unit == _UNITS[-1]:
            break
        count /= 1024
    return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"


def print_summary(manifest: Mapping[str, Any], dataset: str) -> None:
    """Print what came in, what became of it and how long it took, and the alarms; last the dataset, alone on a line."""
    console = Console(highlight=False, emoji=False)
    console.print(_table(manifest))
    if curve := manifest["duplicates"]["candidate_curve"]:
        shares = "  ".join(f"{similarity}: {share:.1%}" for similarity, share in curve.items())
        console.print(f"pairs that become candidates, by similarity  {shares}", soft_wrap=True)
    for alarm in manifest["alarms"]:
        line = f"alarm {alarm['alarm']}: {alarm['message']}"
        console.print(line, style="yellow", markup=False, soft_wrap=True)
    console.print(dataset, soft_wrap=True, markup=False)


def _table(manifest: Mapping[str, Any]) -> Table:
    counts, sizes, duplicates = manifest["counts"], manifest["bytes"], manifest["duplicates"]
    seconds = sum(manifest["seconds"].values())
    table = Table(title=f"{manifest['crawl']}  build {manifest['build_id']}", title_justify="left", show_header=False)
    table.add_column()
    table.add_column(justify="right")
    table.add_column(justify="right")
    records = max(counts["records"], 1)

    def row(name: str, count: int, note: str | None = None) -> None:
        table.add_row(name, f"{count:,}", f"{count / records:.1%}" if note is None else note)

    row("records in", counts["records"], f"{size_words(sizes['text'])} of text")
    row("kept", counts["kept"])
    for decision in ("quarantined", "dropped"):
        if counts[decision] or decision == "dropped":
            row(decision, counts[decision])
        for reason, count in counts[f"{decision}_by"].items():
            row(f"  {reason}", count)
    row("rejected", counts["rejected"])
    for reason, count in manifest["rejected_by"].items():
        row(f"  {reason}", count)
    not_documents = manifest["not_documents"]
    row("not documents", sum(not_documents.values()), "")
    for kind, count in not_documents.items():
        row(f"  {kind}", count, "")
    if manifest["urls_without_host"]:
        row("URLs without host", manifest["urls_without_host"])
    notes = {COMPARISON_BOUND: f"in {duplicates['bounded']['clusters']:,} clusters"}
    for rule, count in manifest["flags"].items():
        row(f"flagged {rule}", count, notes.get(rule))
    if duplicates["clusters"]:
        row("clusters", duplicates["clusters"], f"largest {duplicates['largest_cluster']:,}")
    if duplicates["replaced"]:
        row("replaced", duplicates["replaced"], "in earlier stores")
    table.add_section()
    table.add_row("read", size_words(sizes["input"]), "")
    table.add_row("written", size_words(sizes["written"]), "")
    # After a resume, and for publish alone, the time is not that of all records.
    whole = "measure" in manifest["seconds"] and not manifest["resumed"] and seconds
    table.add_row("time", time_words(seconds), f"{counts['records'] / seconds:,.0f} documents/s" if whole else "")
    return table
