"""Check parts: one pass over the rows of each part, for all checks that look at rows."""

import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from lineage.verification.check_books import Books, check_texts, count_ledger, count_others
from lineage.verification.check_decisions import check_decisions
from lineage.verification.check_fingerprints import check_beside, check_made_anew
from lineage.verification.check_index import entries_of
from lineage.verification.digest_entries import Entries
from lineage.verification.files import DAMAGE, LEDGER, PRINTS, Files
from lineage.verification.findings import Findings
from lineage.verification.stretches import Stretch, read_stretches
from schemas.columns import REPLACED
from transforms.decide.marks import flat_marks
from transforms.part_store import part_path
from transforms.publish.part_files import TEXTS


@dataclass
class PartFound:
    """What the pass over a part, or over several, has found."""

    findings: Findings = field(default_factory=Findings)
    books: Books = field(default_factory=Counter)
    entries: dict[str, Entries] = field(default_factory=dict)
    """What the indexes must hold of it, by index."""
    texts: int = 0
    """Texts that were digested."""
    unread: set[str] = field(default_factory=set)
    """Ledger files of the parts that could not be read to their end."""

    def add(self, other: "PartFound") -> None:
        """Take over what the pass over the part that follows has found."""
        self.findings.add(other.findings)
        self.books.update(other.books)
        self.texts += other.texts
        self.unread |= other.unread
        for name, entries in other.entries.items():
            self.entries.setdefault(name, Entries()).add(entries)


def check_parts(files: Files) -> PartFound:
    """Look at all parts, a thread a core; each holds some thousand rows at a time."""
    total = PartFound()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        numbers = sorted({*files.parts(LEDGER), *files.parts(REPLACED.name)})
        for found in pool.map(lambda part: _check_part(files, part), numbers):
            total.add(found)
    return total


def _check_part(files: Files, part: int) -> PartFound:
    found = PartFound()
    try:
        found.books.update(count_others(files, part, found.findings))
        if files.is_whole(LEDGER, part):
            whole = set(TEXTS)
            for stretch in read_stretches(files, part):
                _check_stretch(stretch, files, whole, found)
        for decision, table in TEXTS.items():
            if files.is_whole(table.name, part):
                found.texts += check_made_anew(files, part, decision, found.findings)
    except DAMAGE as error:
        found.unread.add(part_path(LEDGER, part, "parquet"))
        found.findings.fault(
            "schemas", f"the rows of its part cannot be read: {error}", part_path(LEDGER, part, "parquet")
        )
    return found


def _check_stretch(stretch: Stretch, files: Files, whole: set[str], found: PartFound) -> None:
    """Look at some rows; `whole` are the decisions whose files still stand as the ledger stands."""
    doc_ids, marks = stretch.ledger["doc_id"], flat_marks(stretch.ledger)
    for wrong in check_decisions(stretch.ledger, marks, files):
        found.findings.rows("decisions", stretch.name, stretch.start, doc_ids, wrong)
    for wrong in check_beside(stretch):
        name = part_path(PRINTS, stretch.part, "parquet")
        found.findings.rows("fingerprints", name, stretch.start, doc_ids, wrong)
    found.books.update(count_ledger(stretch.ledger, marks))
    for decision in TEXTS:
        if decision in whole and not check_texts(stretch, decision, files, found.findings):
            whole.discard(decision)
    for name, entries in entries_of(stretch).items():
        found.entries.setdefault(name, Entries()).add(entries)
