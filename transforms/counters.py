"""Counters: the names and the meanings of what is counted of each stage, and `docs/counters.md`, which lists them.

Counters and distributions of Beam have the names `stage.field`, as in `measure.records`, in the namespace `cleartitle`.
`python -m transforms.counters` prints the reference.
"""

import sys
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from schemas.reference import markdown_table


class Figures(NamedTuple):
    """What is told of one stage. A name that ends in `.*` stands for one counter for each reason, rule or kind."""

    units: Mapping[str, str]
    """What it does one after the other, and what each of them is; of `part` come `parts` and `part_ms`."""
    counters: Mapping[str, str]
    """The first is what the stage counts as its rows."""
    distributions: Mapping[str, str] = {}


_PART: Final = "a part of the crawl, or of an earlier store"
_PARTITION: Final = "a partition of a shuffle"
_COLUMNS: Final = "Bytes of the columns that were read, as they lie in memory."
_SHUFFLED: Final = "Bytes that were given to a shuffle, keys aside."
_WRITTEN: Final = "Bytes of the files that were written."

STAGES: Final[Mapping[str, Figures]] = {
    "measure": Figures(
        {"part": "a part of the crawl"},
        {
            "records": "Documents that were measured.",
            "rejected": "Records that could not be read.",
            "not_documents": "Records that were read and are no documents.",
            "text_bytes": "Bytes of the texts, in UTF-8.",
            "bytes_read": "Bytes of the crawl files, as they are packed there.",
            "bytes_written": _WRITTEN,
        },
    ),
    "weigh": Figures(
        {"part": _PART},
        {
            "records": "Documents that were weighed.",
            "marks.*": "Marks by that rule.",
            "excluded": "Documents that may not survive.",
            "bytes_read": f"{_COLUMNS} Texts, which are read where markers are looked for, do not count.",
            "bytes_written": _WRITTEN,
        },
    ),
    "pair": Figures(
        {"part": _PART, "partition": f"{_PARTITION}, by key"},
        {
            "keys": "Keys of URLs, texts and bands that documents are brought together by.",
            "edges": "Edges that were found: pairs of documents to be compared, or tied by way of others.",
            "bytes_read": _COLUMNS,
            "shuffled_bytes": _SHUFFLED,
            "bytes_written": _WRITTEN,
        },
        {
            "partition_keys": "Keys of each partition.",
            "key_documents": "Documents under the key of each partition that has most of them: the hot key.",
        },
    ),
    "connect": Figures(
        {
            "chunk": "some files of edges or of labels, or all of them",
            "partition": f"{_PARTITION}, by node or component",
            "file": "a file of relabeled edges, of labels, or of the members of a part",
        },
        {
            "rows": "Edges, and labels of nodes, that were read; in each round anew.",
            "members": "Documents that were found to be in a component.",
            "bytes_read": _COLUMNS,
            "shuffled_bytes": _SHUFFLED,
            "bytes_written": _WRITTEN,
        },
    ),
    "judge": Figures(
        {"part": _PART, "partition": f"{_PARTITION}, by component", "file": "a file of verdicts on a part"},
        {
            "members": "Documents that were judged.",
            "components": "Components that they are in.",
            "marks.*": "Documents with a witness of that kind.",
            "set_bytes": "Bytes of the sets of shingles that were at hand to be compared.",
            "bytes_read": f"{_COLUMNS} Texts count, as sets are made of them.",
            "shuffled_bytes": _SHUFFLED,
            "bytes_written": f"{_WRITTEN} The sets count.",
        },
        {"component_members": "Members of the largest component of each partition."},
    ),
    "settle": Figures(
        {"part": _PART},
        {
            "records": "Documents that were decided on.",
            "kept": "Documents that are kept.",
            "dropped.*": "Documents that are dropped for that reason.",
            "quarantined.*": "Documents that are quarantined for that reason.",
            "marks.*": "Marks by that rule.",
            "replaced": "Documents of earlier stores that are replaced.",
            "bytes_read": _COLUMNS,
            "bytes_written": _WRITTEN,
        },
    ),
    "survey": Figures(
        {"part": "a part of the crawl", "partition": f"{_PARTITION}, by source"},
        {
            "sources": "Sources, in each part anew.",
            "bytes_read": _COLUMNS,
            "shuffled_bytes": _SHUFFLED,
        },
    ),
    "write": Figures(
        {"part": _PART},
        {
            "records": "Rows of the ledger that were written.",
            "documents": "Documents that were written.",
            "quarantined": "Documents that were put in quarantine.",
            "rejected": "Records that could not be read, written as such.",
            "replaced": "Documents of earlier stores that are listed as replaced.",
            "bytes_read": "Bytes of the measured files and the ledgers.",
            "bytes_written": "Bytes of the files of the dataset, indexes aside.",
        },
    ),
    "index": Figures(
        {"range": "a file of an index"},
        {"keys": "Rows of the indexes that were written.", "bytes_written": "Bytes of their files."},
    ),
}
"""All figures that there are, in the order of the stages."""


_INTRODUCTION: Final = """# Counters

Written by `python -m transforms.counters`; change `transforms/counters.py`, then run it again.

The namespace of all of them is `cleartitle`. `*` stands for a reason, a rule or a kind of witness. Distributions have
a sum, a count, a least and a greatest value; those of times are in milliseconds. A part counts when it is finished, and
once for each pass that goes over it. What they are for is said in [operations.md](operations.md).
"""


def reference() -> str:
    """The whole of `docs/counters.md`."""
    sections = [
        f"## {stage}\n\n{markdown_table(['name', 'kind', 'meaning'], _rows(stage, figures))}\n"
        for stage, figures in STAGES.items()
    ]
    return "\n".join([_INTRODUCTION, *sections])


def _rows(stage: str, figures: Figures) -> Iterator[list[str]]:
    for unit, meaning in figures.units.items():
        yield [f"`{stage}.{unit}s`", "counter", f"How many were done: {meaning}."]
    for name, meaning in figures.counters.items():
        yield [f"`{stage}.{name}`", "counter", meaning]
    for name, meaning in figures.distributions.items():
        yield [f"`{stage}.{name}`", "distribution", meaning]
    for unit, meaning in figures.units.items():
        yield [f"`{stage}.{unit}_ms`", "distribution", f"How long each took: {meaning}."]


if __name__ == "__main__":
    sys.stdout.write(reference())
