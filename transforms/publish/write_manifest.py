"""What the manifest says of counts and files, once the books of all parts balance."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from schemas.columns import QUARANTINE, REPLACED
from transforms.part_store import Stage, part_path
from transforms.publish.write_parts import FOLDERS, check_books

SUMS: Final = (
    "kept",
    "dropped",
    "dropped_by",
    "quarantined",
    "quarantined_by",
    "marks",
    "flags",
    "lists",
    "rights_basis",
)
"""What the markers of decide say of their parts, to be added up."""


def add_up(markers: Iterable[Mapping[str, Any]], names: Iterable[str]) -> dict[str, Any]:
    """Sum numbers, and tables of numbers, of the same name over all markers; tables come out sorted by key.

    >>> add_up([{"n": 1, "by": {"b": 1}}, {"n": 2, "by": {"a": 1, "b": 1}}], ["n", "by"])
    {'n': 3, 'by': {'a': 1, 'b': 2}}
    """
    sums: dict[str, Any] = dict.fromkeys(names, 0)
    for marker in markers:
        for name in sums:
            value = marker[name]
            if isinstance(value, Mapping):
                sums[name] = Counter(sums[name] or {}) + Counter(value)
            else:
                sums[name] += value
    return {k: dict(sorted(v.items())) if isinstance(v, Counter) else v for k, v in sums.items()}


def balance(measured: Stage, decided: Stage, published: Stage, parts: int, earlier: int = 0) -> dict[str, Any]:
    """Counts of the whole dataset and its files. Raises BooksError unless every part is there and all counts agree.

    The `parts` of the crawl are numbered from 0, and after them `earlier` parts whose documents can be replaced.
    """
    numbers, others = range(parts), range(parts, parts + earlier)
    stages = [[marker or {} for marker in stage.markers(numbers)] for stage in (measured, decided, published)]
    found, copied = ([marker or {} for marker in stage.markers(others)] for stage in (decided, published))
    whole = [*zip(*stages, strict=True), *zip(found, copied, strict=True)]
    check_books("all parts", {"parts done": (sum(map(all, whole)), len(whole))})
    read = add_up(
        stages[0],
        ["records", "rejected", "rejected_by", "not_documents", "urls_without_host", "text_bytes", "input_bytes"],
    )
    said = add_up(stages[1], SUMS)
    wrote = add_up(stages[2], ["records", "kept_text_bytes"])
    replaced = sum(marker["replaced"] for marker in found)
    files = {**_files(FOLDERS, numbers, stages[2]), **_files([REPLACED.name], others, copied)}
    rows = dict.fromkeys([*FOLDERS, REPLACED.name], 0)
    for path, facts in files.items():
        rows[path.partition("/")[0]] += facts["rows"]
    _check(read, said, wrote, rows, replaced)
    return {
        "counts": {
            "records": read["records"] + read["rejected"],
            "kept": said["kept"],
            "quarantined": said["quarantined"],
            "dropped": said["dropped"],
            "rejected": read["rejected"],
            "dropped_by": said["dropped_by"] or {},
            "quarantined_by": said["quarantined_by"] or {},
        },
        "marks": said["marks"] or {},
        "flags": said["flags"] or {},
        "rejected_by": read["rejected_by"] or {},
        "not_documents": read["not_documents"] or {},
        "urls_without_host": read["urls_without_host"],
        "rights_basis": said["rights_basis"] or {},
        "list_matches": said["lists"] or {},
        "replaced": replaced,
        "bytes": {
            "input": read["input_bytes"],
            "text": read["text_bytes"],
            "kept_text": wrote["kept_text_bytes"],
            "written": sum(facts["bytes"] for facts in files.values()),
        },
        "files": files,
    }


def _check(
    read: Mapping[str, Any], said: Mapping[str, Any], wrote: Mapping[str, Any], rows: Mapping[str, int], replaced: int
) -> None:
    """Raise BooksError unless what was read, decided and written of the whole dataset agrees."""
    decided = said["kept"] + said["quarantined"] + said["dropped"]
    check_books(
        "the dataset",
        {
            "records": (read["records"], wrote["records"]),
            "kept": (said["kept"], rows["documents"]),
            "quarantined": (said["quarantined"], rows[QUARANTINE.name]),
            "decisions": (decided, rows["ledger"]),
            "dropped by reason": (said["dropped"], sum((said["dropped_by"] or {}).values())),
            "quarantined by reason": (said["quarantined"], sum((said["quarantined_by"] or {}).values())),
            "fingerprints": (read["records"], rows["fingerprints"]),
            "rejected": (read["rejected"], rows["rejected"]),
            "replaced": (replaced, rows[REPLACED.name]),
        },
    )


def _files(
    folders: Iterable[str], numbers: Iterable[int], markers: Sequence[Mapping[str, Any]]
) -> dict[str, dict[str, Any]]:
    """What the markers of parts say of their files, by path in the dataset, folder by folder."""
    return {
        part_path(folder, number, "parquet"): marker["files"][folder]
        for folder in folders
        for number, marker in zip(numbers, markers, strict=True)
        if folder in marker["files"]
    }
