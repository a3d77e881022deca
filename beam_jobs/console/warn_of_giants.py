"""Warn of giants: a key or a component that very many documents share is said before one worker has to hold it."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from beam_jobs.console.summary import size_words
from beam_jobs.logs import COMMAND, tell
from beam_jobs.runners.engine import Distribution, StepReport
from transforms.decide.all_parts import AllParts
from transforms.decide.duplicate_rules import DuplicateRules
from transforms.printable import printable
from transforms.publish.name_samples import name_samples

MEMORY_SHARE: Final = 4
"""What takes more than one of so many parts of `run.shuffle_memory` on one worker is a giant."""
SHARE: Final = 10
"""So is what has more than one of so many documents, and more than `FEW` of them."""
FEW: Final = 10_000


def hottest_key(steps: Iterable[StepReport]) -> dict[str, int]:
    """For the marker of a pass, `key_documents`: how many documents share its largest key, if the engine counts."""
    found = [step.metrics.get("pair.key_documents") for step in steps]
    most = [one.max for one in found if isinstance(one, Distribution)]
    return {"key_documents": max(most)} if most else {}


def warn_of_keys(passes: Iterable[Mapping[str, Any]], rules: DuplicateRules, records: int, memory: int) -> None:
    """Warn if a pass of pairing, by its marker, found a key that very many of all `records` documents share.

    `memory` is what a run may take, in bytes.
    """
    documents = max((int(found.get("key_documents", 0)) for found in passes), default=0)
    if _is_giant(documents, rules.key_bytes, records, memory):
        size = documents * rules.key_bytes
        _warn(
            f"{documents:,} of {records:,} documents have one key in common: a URL, a text, or a band of their "
            f"signatures. One worker held {size_words(size)} of them while they were paired. Where that is too much, "
            "look for an empty or an error page that the crawl repeats, and take its site out with a blocklist.",
            {"documents": documents, "bytes": size},
        )


def warn_of_components(
    found: Mapping[str, Any], parts: AllParts, rules: DuplicateRules, records: int, memory: int
) -> None:
    """Warn if the largest component is a giant; `found` is what connecting says of all of them."""
    documents = int(found.get("largest", 0))
    if not _is_giant(documents, rules.member_bytes, records, memory):
        return
    sample = _sample(parts, found["largest_id"])
    size, most = documents * rules.member_bytes, documents * rules.most_comparisons
    _warn(
        f"{documents:,} of {records:,} documents hang together in one component, that of "
        f"{printable(sample['url'] or sample['doc_id'])}. One worker will hold {size_words(size)} and compare at most "
        f"{most:,} pairs of texts for it, while the others are done. Where that is too much, look at that page: a "
        "template or an error page that the crawl repeats can be taken out with a blocklist; a higher "
        "`dedup.near.threshold` ties less together, and a lower `dedup.near.most_comparisons` ends sooner.",
        {"documents": documents, "bytes": size, "comparisons": most, "doc_id": sample["doc_id"], "url": sample["url"]},
    )


def _is_giant(documents: int, size: int, records: int, memory: int) -> bool:
    return documents * size * MEMORY_SHARE > memory or documents > max(FEW, records // SHARE)


def _sample(parts: AllParts, ordinal: int) -> Mapping[str, Any]:
    groups: Sequence[Mapping[str, Any]] = name_samples([{"samples": [ordinal]}], parts)
    sample: Mapping[str, Any] = groups[0]["samples"][0]
    return sample


def _warn(message: str, fields: Mapping[str, object]) -> None:
    tell(f"{COMMAND}warning: {message}", fields, logging.WARNING)
