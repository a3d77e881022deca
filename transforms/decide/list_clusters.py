"""List clusters: the largest groups of documents that a run found, for the manifest and its alarms."""

import heapq
from collections.abc import Iterable
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from transforms.decide.judge_members import Rows

MOST_GROUPS: Final = 20
"""Groups of each kind that are listed."""
MOST_SAMPLES: Final = 3
"""Documents that stand for a group, the first in survivor order."""

Group = dict[str, Any]
"""`id` (hex), `documents` and the `samples`, ordinals of some of them."""


def list_clusters(batch: Rows) -> dict[str, Any]:
    """The largest clusters and groups of equal texts of a judged batch, and the clusters that reached a bound."""
    bounded = np.flatnonzero(batch["bounded"])
    hurt = np.unique(batch["cluster_id"][bounded], axis=0)
    return {
        "clusters": _largest(batch["cluster_id"], batch["id"], np.ones(len(batch["id"]), bool)),
        "texts": _largest(batch["text_digest"], batch["id"], batch["text"] >= 0),
        "bounded": {
            "documents": len(bounded),
            "clusters": len(hurt),
            "samples": [_hex(words) for words in hurt[:MOST_GROUPS]],
        },
    }


def merge_clusters(found: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """One list of many, the largest groups first, ties by id."""
    clusters: list[Group] = []
    texts: list[Group] = []
    bounded: dict[str, Any] = {"documents": 0, "clusters": 0, "samples": []}
    for one in found:
        clusters, texts = _first(clusters + one["clusters"]), _first(texts + one["texts"])
        for name in bounded:
            bounded[name] += one["bounded"][name]
        bounded["samples"] = sorted(bounded["samples"])[:MOST_GROUPS]
    return {"clusters": clusters, "texts": texts, "bounded": bounded}


def _first(groups: list[Group]) -> list[Group]:
    return heapq.nsmallest(MOST_GROUPS, groups, key=lambda group: (-group["documents"], group["id"]))


def _largest(
    digest: npt.NDArray[np.uint64], ordinal: npt.NDArray[np.uint64], present: npt.NDArray[np.bool_]
) -> list[Group]:
    """The largest groups of rows with equal digests; rows of a group are sampled in their order."""
    rows = np.flatnonzero(present)
    order = rows[np.lexsort([digest[rows, 1], digest[rows, 0]])]
    ordered = digest[order]
    starts = np.flatnonzero(np.r_[True, (ordered[1:] != ordered[:-1]).any(axis=1)]) if len(order) else rows
    sizes = np.diff(np.r_[starts, len(order)])
    chosen = [g for g in np.lexsort([np.arange(len(sizes)), -sizes])[:MOST_GROUPS] if sizes[g] > 1]
    return [
        {
            "id": _hex(ordered[starts[g]]),
            "documents": int(sizes[g]),
            "samples": [int(i) for i in ordinal[order[starts[g] : starts[g] + min(sizes[g], MOST_SAMPLES)]]],
        }
        for g in chosen
    ]


def _hex(words: npt.NDArray[np.uint64]) -> str:
    return f"{int(words[0]):016x}{int(words[1]):016x}"
