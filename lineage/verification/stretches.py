"""Stretches: the ledger of a part some thousand rows at a time, with what stands beside these rows in other files."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from lineage.verification.files import LEDGER, PRINTS, Files, RowReader
from schemas.columns import TEXT
from transforms.ledger_files import LEDGER_ROWS
from transforms.part_store import part_path
from transforms.publish.part_files import TEXTS

STRETCH_ROWS: Final = 2 * LEDGER_ROWS


@dataclass(frozen=True)
class Texts:
    """Rows of a file of documents or of quarantined ones, without their texts."""

    name: str
    start: int
    """Row of the file that the first of them is."""
    rows: pa.RecordBatch
    left: int
    """Rows of the file that follow."""


@dataclass(frozen=True)
class Stretch:
    """Ledger rows of a part, in their order, and what other files say of them, where these can be relied on."""

    part: int
    start: int
    ledger: pa.RecordBatch
    prints: pa.RecordBatch | None
    """Row beside row with `ledger`."""
    texts: Mapping[str, Texts]
    """By decision; as many as the ledger has of it, or fewer at the end of a file that is too short."""
    is_last: bool

    @property
    def name(self) -> str:
        """The ledger file."""
        return part_path(LEDGER, self.part, "parquet")

    def of(self, decision: str) -> pa.RecordBatch:
        """The ledger rows with a decision."""
        return self.ledger.filter(pc.equal(self.ledger["decision"], decision))


def read_stretches(files: Files, part: int) -> Iterator[Stretch]:
    """All rows of a part whose ledger is whole; one empty stretch if it has none. Raises `DAMAGE`."""
    with ExitStack() as opened:

        def reader(folder: str) -> RowReader:
            file = opened.enter_context(files.open(part_path(folder, part, "parquet")))
            return RowReader(file, STRETCH_ROWS, TEXT.name)

        ledger = reader(LEDGER)
        prints = reader(PRINTS) if files.is_whole(PRINTS, part) else None
        texts = {d: reader(table.name) for d, table in TEXTS.items() if files.is_whole(table.name, part)}
        while True:
            start, rows = ledger.at, ledger.take(STRETCH_ROWS)
            beside = {}
            for decision, file in texts.items():
                count = pc.sum(pc.equal(rows["decision"], decision)).as_py() or 0
                name = part_path(TEXTS[decision].name, part, "parquet")
                beside[decision] = Texts(name, file.at, file.take(count), file.rows - file.at)
            printed = prints.take(len(rows)) if prints else None
            yield Stretch(part, start, rows, printed, beside, is_last=ledger.at == ledger.rows)
            if ledger.at == ledger.rows:
                return
