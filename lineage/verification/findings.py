"""Findings: what is wrong with a dataset, one row a fault, and the account of what was looked at.

>>> batch = pa.record_batch({"doc_id": ["aa", "bb"], "size": [1, None]})
>>> wrong = faults_where(np.array([False, True]), "the size is ", batch["size"])
>>> findings = Findings()
>>> findings.rows("books", "ledger/part-00003.parquet", 0, batch["doc_id"], wrong)
>>> findings.table().to_pylist()[0]["row"], findings.table()["fault"].to_pylist()
(1, ['the size is null'])
"""

import re
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

I64 = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

FAULTS: Final = pa.schema(
    [
        pa.field("check", pa.string(), False),
        pa.field("file", pa.string()),
        pa.field("part", pa.int32()),
        pa.field("row", pa.int64()),
        pa.field("doc_id", pa.string()),
        pa.field("fault", pa.string(), False),
    ]
)
"""A fault: the check that found it, the file in the dataset, its part and its row from 0, and what is wrong."""
CHECKS: Final = {
    "manifest": "It is sealed, of this format, and says all that it must say.",
    "files": "Each listed file is there, byte for byte, and no other lies beside it.",
    "schemas": "Each file can be read, and has the columns and the number of rows that it must have.",
    "books": "The counts of the manifest are those of the ledgers; documents and quarantine are what the ledger says.",
    "decisions": "Each decision follows from its marks, and each mark has the evidence that it needs.",
    "witnesses": "Each document that is repeated exists and survives; clusters are as large as they say.",
    "fingerprints": "Digests, lengths and signatures are those of the texts.",
    "index": "The indexes are sorted and lead to every ledger row by each of its keys, and nowhere else.",
    "takedowns": "Certificates are whole, and what they took out is out.",
    "crawl": "Ledger rows are what the crawl files give when they are read again.",
}
"""The checks, in their order."""
_PART: Final = re.compile(r"/part-(\d+)\.")


class RowFaults(NamedTuple):
    """What is wrong with some rows of a table: their numbers, int64 of shape (faults,), and as many sentences."""

    rows: I64
    faults: pa.Array


@dataclass
class Findings:
    """Collects faults, in the order in which they are found, and lines of the account."""

    account: list[tuple[str, str]] = field(default_factory=list)
    """Check, and what it looked at or could not look at."""
    _faults: list[pa.Table] = field(default_factory=list)

    def say(self, check: str, line: str) -> None:
        self.account.append((check, line))

    def fault(self, check: str, fault: str, file: str | None = None) -> None:
        """One thing that is wrong with a file, or with the dataset."""
        one = {"check": check, "file": file, "part": part_of(file), "fault": fault}
        self._faults.append(pa.Table.from_pylist([one], schema=FAULTS))

    def rows(self, check: str, file: str, start: int | I64, doc_ids: pa.Array, wrong: RowFaults) -> None:
        """Faults of rows of a batch, whose `doc_ids` these are.

        `start` is the row of the file that the batch begins with; or, of shape (rows,), that of each of its rows.
        """
        if not (count := len(wrong.rows)):
            return
        rows = wrong.rows + start if isinstance(start, int) else start[wrong.rows]
        columns = {
            "check": pa.repeat(check, count),
            "file": pa.repeat(file, count),
            "part": pa.repeat(pa.scalar(part_of(file), pa.int32()), count),
            "row": pa.array(rows),
            "doc_id": doc_ids.take(pa.array(wrong.rows)),
            "fault": wrong.faults,
        }
        self.tell(pa.table(columns, schema=FAULTS))

    def tell(self, faults: pa.Table) -> None:
        """Faults that are of the schema `FAULTS` already."""
        self._faults.append(faults)

    def table(self) -> pa.Table:
        """All faults (`FAULTS`), in the order of the checks and else as they were found."""
        table = pa.concat_tables([FAULTS.empty_table(), *self._faults])
        check = pc.index_in(table["check"], pa.array(list(CHECKS))).to_numpy()
        return table.take(pa.array(np.argsort(check, kind="stable")))

    def sorted_account(self) -> list[tuple[str, str]]:
        """The account in the order of the checks."""
        return sorted(self.account, key=lambda said: list(CHECKS).index(said[0]))

    def add(self, other: "Findings") -> None:
        """Take over what another check, or another part, has found."""
        self.account += other.account
        self._faults += other._faults

    @property
    def count(self) -> int:
        return sum(map(len, self._faults))


def part_of(file: str | None) -> int | None:
    """The part whose file this is.

    >>> part_of("ledger/part-00012.parquet"), part_of("manifest.json")
    (12, None)
    """
    found = _PART.search(file or "")
    return int(found[1]) if found else None


def faults_where(wrong: Flags, *pieces: str | pa.Array, rows: I64 | None = None) -> RowFaults:
    """A sentence for each place where `wrong` is true; arrays among its pieces are as long as `wrong`.

    Places are rows; where they are not, such as marks, `rows` says which row each belongs to. A null reads `null`.
    """
    if not len(at := np.flatnonzero(wrong)):
        return RowFaults(at, pa.array([], pa.string()))
    words = [pa.repeat(p, len(at)) if isinstance(p, str) else _words(p.take(pa.array(at))) for p in pieces]
    return RowFaults(at if rows is None else rows[at], pc.binary_join_element_wise(*words, ""))


def flags(values: pa.Array) -> Flags:
    """Booleans as numpy; a null is false."""
    return np.asarray(pc.fill_null(values, False), np.bool_)


def differ(one: pa.Array, other: pa.Array | pa.Scalar) -> Flags:
    """Where two arrays of plain values differ; two nulls do not."""
    return flags(pc.not_equal(one, other)) | flags(pc.xor(one.is_valid(), pc.is_valid(other)))


def _words(values: pa.Array) -> pa.Array:
    return pc.fill_null(values.cast(pa.string()), "null")
