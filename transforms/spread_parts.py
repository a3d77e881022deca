"""Spread parts: part numbers as a keyed collection that a runner can hand to as many workers as it has."""

from collections.abc import Iterable, Iterator
from types import FunctionType
from typing import Any

import apache_beam as beam

from transforms.versions import check_versions, worker_versions

Run = tuple[int, int]
Part = tuple[int, Iterable[int]]
"""A number, and nothing that matters."""


def runs(numbers: Iterable[int]) -> list[Run]:
    """Numbers as runs [start, stop), ascending.

    >>> runs([3, 1, 2, 7])
    [(1, 4), (7, 8)]
    """
    found: list[Run] = []
    for number in sorted(numbers):
        if found and found[-1][1] == number:
            found[-1] = (found[-1][0], number + 1)
        else:
            found.append((number, number + 1))
    return found


def _count(run: Run) -> Iterator[tuple[int, int]]:
    return zip(range(*run), bytes(run[1] - run[0]), strict=True)


def _by_value(function: Any) -> FunctionType:
    """The function so that it is pickled whole, without a name to import and without a path of this machine.

    A worker without this package then gets as far as to say so. A name that it cannot import would fail before it has
    a way to tell, and the engine would wait for minutes.
    """
    return FunctionType(function.__code__.replace(co_filename="cleartitle"), {}, function.__name__)


class _CheckWorker(beam.DoFn):
    """Hands on what it gets, if the worker has the packages of the machine that sent the job."""

    def __init__(self) -> None:
        self.sent = worker_versions()

    def setup(self) -> None:
        check_versions(self.sent)

    def process(self, part: Part) -> Iterator[Part]:
        yield part


class SpreadParts(beam.PTransform):
    """From the pipeline's root to (part number, ()) pairs, grouped by number.

    Numbers travel in runs, so that a job of millions of parts is small when it is sent. A GroupByKey rather than
    Reshuffle: its keys are the numbers themselves, not random ones. A worker whose packages are of other versions than
    those of the machine that sends the job ends it with a WorkError.
    """

    def __init__(self, numbers: Iterable[int]):
        super().__init__()
        self.runs = runs(numbers)

    def expand(self, root: beam.pvalue.PBegin) -> beam.PCollection:
        return (
            root
            # Beam would shuffle the runs first, by coders written in Python.
            | "ListRuns" >> beam.Create(self.runs, reshuffle=False).with_output_types(Run)
            | "ListParts" >> beam.FlatMap(_by_value(_count)).with_output_types(tuple[int, int])
            | "SpreadParts" >> beam.GroupByKey()
            | "CheckWorker" >> beam.ParDo(_CheckWorker()).with_output_types(Part)
        )
