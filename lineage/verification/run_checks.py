"""Run the checks, each on what those before it left standing."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import pyarrow as pa

from lineage.catalog import Dataset
from lineage.verification.check_books import check_books
from lineage.verification.check_crawl import check_crawl
from lineage.verification.check_files import check_files
from lineage.verification.check_fingerprints import SIGNED_SHARE, check_rows
from lineage.verification.check_index import check_index
from lineage.verification.check_manifest import check_manifest
from lineage.verification.check_parts import PartFound, check_parts
from lineage.verification.check_schemas import check_schemas
from lineage.verification.check_takedowns import check_takedowns
from lineage.verification.check_witnesses import check_witnesses
from lineage.verification.files import DAMAGE, LEDGER, PRINTS, Files
from lineage.verification.findings import Findings
from schemas.columns import REJECTED, REPLACED
from transforms.measure.fingerprint import RULES_VERSION
from transforms.publish.part_files import TEXTS


@dataclass(frozen=True)
class Verification:
    """What was looked at, and what is wrong."""

    faults: pa.Table
    """`FAULTS`, in the order of the checks; empty if the dataset is whole."""
    account: list[tuple[str, str]]
    """The name of a check, and what it looked at or could not look at; each check has a line or more."""


def verify(dataset: str | Dataset, against_crawl: int | None = None, crawl_root: str | None = None) -> pa.Table:
    """All faults of a dataset, one a row (`FAULTS`); none if it is whole. For the account see `examine`.

    With `against_crawl` so many ledger rows are read again from the crawl files, below `crawl_root` or where the config
    of the build says. Raises InputError where there is no finished dataset, or one of another format.
    """
    return examine(dataset, against_crawl, crawl_root).faults


def examine(dataset: str | Dataset, against_crawl: int | None = None, crawl_root: str | None = None) -> Verification:
    """As `verify`, with an account of what was looked at."""
    findings = Findings()
    place = dataset if isinstance(dataset, str) else dataset.directory
    directory = place.rstrip("/") or place
    manifest = check_manifest(directory, findings)
    if manifest is not None:
        files = Files(directory, manifest, frozenset())
        files = replace(files, whole=frozenset(check_files(directory, manifest, findings)))
        files = replace(files, whole=files.whole - check_schemas(files, findings))
        files = replace(files, whole=files.whole - check_rows(files, findings))
        _check_content(files, findings)
        if against_crawl is not None:
            with _going_on("crawl", findings):
                check_crawl(files, against_crawl, crawl_root, findings)
    return Verification(findings.table(), findings.sorted_account())


def _check_content(files: Files, findings: Findings) -> None:
    found = check_parts(files)
    findings.add(found.findings)
    files = replace(files, whole=files.whole - found.unread)
    _say_rows(files, found, findings)
    if lack := files.lack(LEDGER, REJECTED.name, REPLACED.name):
        findings.say("books", f"counts not compared: {lack}")
    else:
        check_books(found.books, files, findings)
    with _going_on("witnesses", findings):
        check_witnesses(files, findings)
    with _going_on("index", findings):
        check_index(files, found.entries, findings)
    check_takedowns(files, findings)


@contextmanager
def _going_on(check: str, findings: Findings) -> Iterator[None]:
    """A file that cannot be read to its end is a fault; what was found before stands, and the next check follows."""
    try:
        yield
    except DAMAGE as error:
        findings.fault(check, f"it ended early: {error}")
        findings.say(check, "ended early")


def _say_rows(files: Files, found: PartFound, findings: Findings) -> None:
    """What the pass over the rows looked at, and what it could not look at."""
    findings.say("decisions", f"{found.books['counts.records'] - found.books['counts.rejected']:,} ledger rows")
    signed = f", one of {SIGNED_SHARE} signed anew" if files.near else ""
    findings.say("fingerprints", f"{found.texts:,} texts digested anew{signed}")
    if files.near and files.manifest["fingerprint"]["rules"] != RULES_VERSION:
        findings.say("fingerprints", "signatures not made anew: they were made by the rules of another version")
    texts = [table.name for table in TEXTS.values()]
    for check, needed in {"decisions": [], "books": texts, "fingerprints": [PRINTS, *texts]}.items():
        if lack := files.lack(LEDGER, *needed):
            findings.say(check, f"some rows not compared: {lack}")
