"""What can be asked of a published dataset.

    import lineage

    lineage.lookup("dataset", url="https://a.example/book")
    lineage.explain("dataset", "0f3a5c7e9b1d2f4a6c8e0b2d4f6a8c0e")
    lineage.diff("dataset-2025", "dataset-2026")
    lineage.verify("dataset")
    lineage.takedown("dataset", "request.yaml", "dataset-2")
    lineage.open_dataset("dataset").sql("SELECT decision, count(*) FROM ledger GROUP BY ALL")

Each returns an Arrow table. A dataset is the path of a directory, on a local disk, on any Beam file system or behind
http(s), or what `open_dataset` gave; opened once, it answers many questions sooner.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from lineage.catalog import Dataset, open_dataset
    from lineage.comparison.compare import diff
    from lineage.explanations.explain import explain
    from lineage.lookups.look_up import lookup
    from lineage.takedowns import takedown
    from lineage.verification import verify

__all__ = ["Dataset", "diff", "explain", "lookup", "open_dataset", "takedown", "verify"]

_HOMES: Final = {
    "Dataset": "lineage.catalog",
    "diff": "lineage.comparison.compare",
    "explain": "lineage.explanations.explain",
    "lookup": "lineage.lookups.look_up",
    "open_dataset": "lineage.catalog",
    "takedown": "lineage.takedowns",
    "verify": "lineage.verification",
}


def __getattr__(name: str) -> Any:
    # Each verb loads what it needs itself, so that a lookup does not wait for what only a takedown needs.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
