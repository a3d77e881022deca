"""Check the index: sorted, an entry for each key of each ledger row, and no others."""

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from lineage.verification.digest_entries import MOST_ENTRIES, Entries
from lineage.verification.files import LEDGER, PRINTS, Files
from lineage.verification.findings import Findings, Flags
from lineage.verification.stretches import Stretch
from schemas.columns import INDEX_KEYS, INDEX_URLS
from transforms.batches import strings
from transforms.kernels.xxh3 import hash64
from transforms.part_store import MANIFEST, part_path
from transforms.publish.index_keys import part_keys

NEXT: Final = "next_in_line"
"""What a takedown says of witnesses so that documents name others than those that they are indexed by."""
_COLUMNS: Final = {INDEX_KEYS.name: "key", INDEX_URLS.name: "url_surtkey"}
"""What each index is sorted by first."""


def entries_of(stretch: Stretch) -> dict[str, Entries]:
    """What the indexes must hold of some ledger rows, by index; nothing where fingerprints are not at hand."""
    if stretch.prints is None:
        return {}
    keys, rows = part_keys(pa.Table.from_batches([stretch.ledger]), pa.Table.from_batches([stretch.prints]))
    urls = stretch.ledger["url_surtkey"]
    known = np.flatnonzero(np.asarray(urls.is_valid()))
    found = {name: Entries() for name in _COLUMNS}
    for at in range(0, len(keys), MOST_ENTRIES):
        share = slice(at, at + MOST_ENTRIES)
        found[INDEX_KEYS.name].add(_digest(keys[share], stretch.part, rows[share] + stretch.start))
    surts = hash64(*strings(urls.take(pa.array(known))))
    found[INDEX_URLS.name].add(_digest(surts, stretch.part, known + stretch.start))
    return found


def _digest(keys: npt.NDArray[np.integer], part: int, rows: npt.NDArray[np.integer]) -> Entries:
    return Entries.of(keys, np.full(len(keys), part), rows)


def check_index(files: Files, expected: Mapping[str, Entries], findings: Findings) -> None:
    """Compare the indexes with what all ledger rows must have in them (`entries_of`)."""
    if lack := files.lack(LEDGER, PRINTS, *_COLUMNS):
        findings.say("index", f"not checked: {lack}")
        return
    for name in _COLUMNS:
        found = Entries()
        for one in _read_index(files, name, findings):
            found.add(one)
        if name == INDEX_KEYS.name and any(one["witnesses"] == NEXT for one in files.takedowns.values()):
            line = f"sorted; not compared, as `witnesses: {NEXT}` leaves keys of former witnesses"
        else:
            line = f"{sum(found.counts.values()):,} entries, compared with the keys of all rows"
            _compare(name, expected.get(name, Entries()), found, findings)
        findings.say("index", f"{name}: {line}")


def _compare(name: str, expected: Entries, found: Entries, findings: Findings) -> None:
    for part in sorted({*expected.counts, *found.counts}):
        wanted, held = expected.counts.get(part, 0), found.counts.get(part, 0)
        file = part_path(LEDGER, part, "parquet")
        if wanted != held:
            findings.fault("index", f"{name} has {held:,} entries for its rows, which have {wanted:,} keys", file)
        elif expected.sums[part] != found.sums[part]:
            findings.fault("index", f"{name} has other entries for its rows than their keys", file)


def _read_index(files: Files, name: str, findings: Findings) -> Iterator[Entries]:
    """Digests of the entries of an index, batch by batch; what is not sorted is a fault."""
    firsts, last = [], None
    for number in files.parts(name):
        file_name, at = part_path(name, number, "parquet"), 0
        with files.open(file_name) as file:
            for batch in file.iter_batches(MOST_ENTRIES, use_threads=False):
                if at == 0:
                    firsts.append(batch[_COLUMNS[name]][0].as_py())
                joined = pa.Table.from_batches([batch] if last is None else [last, batch]).combine_chunks()
                if len(fallen := np.flatnonzero(_falls(joined, _COLUMNS[name]))):
                    row = at + len(batch) - len(joined) + int(fallen[0]) + 1
                    fault = f"it is not sorted: {len(fallen):,} rows, the first of them row {row:,}, do not come after"
                    findings.fault("index", f"{fault} the one before", file_name)
                last, at = batch.slice(len(batch) - 1), at + len(batch)
                keys = batch["key"].to_numpy() if name == INDEX_KEYS.name else hash64(*strings(batch["url_surtkey"]))
                yield Entries.of(keys, batch["part"].to_numpy(), batch["row"].to_numpy())
    if firsts != files.manifest["index"][name]:
        findings.fault("index", f"`index.{name}` does not say with what each file begins", MANIFEST)


def _falls(table: pa.Table, column: str) -> Flags:
    """Rows whose next row does not come after them; of shape (rows - 1,)."""
    fallen = np.zeros(len(table) - 1, np.bool_)
    equal = np.ones(len(table) - 1, np.bool_)
    for name in (column, "part", "row"):
        values = table[name].combine_chunks()
        before, after = values.slice(0, len(values) - 1), values.slice(1)
        fallen |= equal & np.asarray(pc.greater(before, after), np.bool_)
        equal &= np.asarray(pc.equal(before, after), np.bool_)
    return fallen | equal
