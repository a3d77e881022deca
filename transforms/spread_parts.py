"""Spread parts: part numbers as a keyed collection that a runner can hand to as many workers as it has."""

from collections.abc import Iterable

import apache_beam as beam


class SpreadParts(beam.PTransform):
    """From the pipeline's root to (part number, ()) pairs, grouped by number.

    A GroupByKey rather than Reshuffle: its keys are the numbers themselves, not random ones.
    """

    def __init__(self, numbers: Iterable[int]):
        super().__init__()
        self.numbers = sorted(numbers)

    def expand(self, root: beam.pvalue.PBegin) -> beam.PCollection:
        return (
            root
            | "ListParts" >> beam.Create([(number, 0) for number in self.numbers]).with_output_types(tuple[int, int])
            | "SpreadParts" >> beam.GroupByKey()
        )
