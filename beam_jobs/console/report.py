"""Report: what the manifest of a finished dataset says, in full."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from beam_jobs.console.summary import print_summary
from transforms.printable import printable


def print_report(manifest: Mapping[str, Any], dataset: str) -> None:
    """Print the summary, then how duplicates were found, the largest groups, lists, bases, and what lost most."""
    print_summary(manifest, dataset)
    console, found = Console(highlight=False, emoji=False), manifest["duplicates"]

    def section(title: str, lines: Sequence[str | Table]) -> None:
        for line in (f"\n{title}", *lines) if lines else ():
            # A URL must come out whole and as it is.
            console.print(line, markup=False, soft_wrap=isinstance(line, str))

    section("how duplicates were found", [_rules(found)])
    section("pairs that become candidates", [_curve(found["candidate_curve"])] if found["candidate_curve"] else [])
    section("largest clusters", _groups(found["largest_clusters"]))
    section("largest groups of equal texts", _groups(found["largest_texts"]))
    section("clusters in which a bound of comparisons was reached", [f"  {i}" for i in found["bounded"]["samples"]])
    section("lists of sources, phrases and publishers", [_lists(manifest["sources"])] if manifest["sources"] else [])
    bases = [f"  {basis}: {count:,}" for basis, count in manifest["rights_basis"].items()]
    section("documents by their basis", bases if manifest["register"] else [])
    section("takedowns", [f"  {_takedown(one)}" for one in manifest["takedowns"]])
    lost = manifest["sources_by_loss"]
    section("sources that lost most", [_sources(lost)] if lost else [])


def _takedown(one: Mapping[str, Any]) -> str:
    who = printable(f"{one['reference']}, {one['requested_by']}, {one['requested_on']}")
    return f"{one['id']}  {one['records']:,} documents  {who}"


def _rules(found: Mapping[str, Any]) -> Table:
    table = Table(show_header=False)
    table.add_row("survivor", found["survivor_policy"])
    if found["bands"]:
        table.add_row("signature", f"{found['bands']} bands x {found['rows']} rows of {found['ngram']}-grams")
        table.add_row("threshold", f"{found['threshold']} by {found['verify']}")
    else:
        table.add_row("near duplicates", "off")
    for store in found["against"]:
        table.add_row("against", f"{store['build']}, {store['records']:,} documents")
    if found["against"]:
        table.add_row("overlap", found["overlap"])
        table.add_row("within the crawl", "compared" if found["within"] else "not compared")
    return table


def _curve(curve: Mapping[str, float]) -> Table:
    table = _columns("similarity", "share")
    for similarity, share in curve.items():
        table.add_row(similarity, f"{share:.1%}")
    return table


def _groups(groups: Sequence[Mapping[str, Any]]) -> list[str]:
    lines = []
    for group in groups:
        lines.append(f"  {group['documents']:,} documents  {group['id']}")
        for sample in group["samples"]:
            build = f"  (build {sample['build']})" if sample["build"] else ""
            lines.append(f"    {printable(sample['url'] or sample['doc_id'])}{build}")
    return lines


def _lists(lists: Sequence[Mapping[str, Any]]) -> Table:
    table = Table()
    for name in ("list", "category", "sha256"):
        table.add_column(name, overflow="fold")
    for name in ("entries", "matches"):
        table.add_column(name, justify="right")
    for one in lists:
        words = one["name"], one.get("category") or "", one["sha256"][:16]
        table.add_row(*(Text(printable(word)) for word in words), f"{one['entries']:,}", f"{one['matches']:,}")
    return table


def _sources(sources: Sequence[Mapping[str, Any]]) -> Table:
    table = _columns("source", "documents", "dropped", "share")
    for source in sources:
        counts = f"{source['records']:,}", f"{source['dropped']:,}", f"{source['share']:.1%}"
        table.add_row(Text(printable(source["source"])), *counts)
    return table


def _columns(first: str, *numbers: str) -> Table:
    table = Table()
    table.add_column(first, overflow="fold")
    for name in numbers:
        table.add_column(name, justify="right")
    return table
