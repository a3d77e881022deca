"""Tell work: what a worker tells the engine's counters and the log of each part, once, when it is finished.

>>> with work("survey", "part", 3) as done:
...     done.count(sources=2, bytes_read=100)

A part that fails counts nothing, so that what is done again is counted once where the engine forgets the attempt that
failed. No figure and no time enters a file. The names of all figures stand in `transforms/counters.py`.
"""

import logging
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

from apache_beam.metrics import Metrics

from schemas.names import NAMESPACE
from transforms import live_counts
from transforms.counters import STAGES
from transforms.shuffle import Packed

SLOW_SECONDS: Final = 600
"""A part that takes longer than this is warned of: parts are cut to take seconds."""


class Work:
    """What was done of one part, partition, chunk or range. Raises KeyError for a figure that is not in `STAGES`."""

    def __init__(self, stage: str, unit: str, number: int, files: Sequence[str]):
        self.stage, self.unit, self.number = stage, unit, number
        self.files = [files[0], files[-1]] if len(files) > 1 else list(files)
        self.figures = STAGES[stage]
        self._check(unit, self.figures.units)
        self.counts: Counter[str] = Counter({f"{unit}s": 1})
        self.values: dict[str, int] = {}
        self.logger = logging.getLogger(f"{NAMESPACE}.{stage}")

    def count(self, **counts: int) -> None:
        """Add to counters of the stage, by their names."""
        for name, value in counts.items():
            self._check(name, self.figures.counters)
            self.counts[name] += int(value)

    def count_each(self, name: str, counts: Mapping[str, int]) -> None:
        """Add to counters of one name, by what follows it: a reason, a rule or a kind."""
        self._check(f"{name}.*", self.figures.counters)
        self.counts.update({f"{name}.{key}": value for key, value in counts.items() if value})

    def note(self, **values: int) -> None:
        """Give distributions of the stage, by their names, the value of this part."""
        for name, value in values.items():
            self._check(name, self.figures.distributions)
            self.values[name] = int(value)

    def send(self, elements: Iterable[Packed]) -> Iterator[Packed]:
        """The elements, their bytes counted as they go to a shuffle."""
        for element in elements:
            self.count(shuffled_bytes=len(element[1]))
            yield element

    def warn(self, message: str) -> None:
        """Log a warning that names the part."""
        self._log(logging.WARNING, message)

    def __str__(self) -> str:
        """`part 3 (a.warc.gz … b.warc.gz)`."""
        return f"{self.unit} {self.number}" + (f" ({' … '.join(self.files)})" if self.files else "")

    def begin(self) -> None:
        """Log that it begins."""
        self._log(logging.INFO, "begun")

    def finish(self, seconds: float) -> None:
        """Tell the engine's counters and the log what was done."""
        milliseconds = round(1000 * seconds)
        for name, value in self.counts.items():
            Metrics.counter(NAMESPACE, f"{self.stage}.{name}").inc(value)
        for name, value in {**self.values, f"{self.unit}_ms": milliseconds}.items():
            Metrics.distribution(NAMESPACE, f"{self.stage}.{name}").update(value)
        live_counts.note_time(self.stage, milliseconds, str(self))
        told = {name: value for name, value in self.counts.items() if name != f"{self.unit}s"} | self.values
        words = ", ".join(f"{name} {value:,}" for name, value in told.items())
        self._log(logging.INFO, f"done in {seconds:.1f} s: {words}", seconds=round(seconds, 3), **told)
        if seconds > SLOW_SECONDS:
            self.warn(f"took {seconds / 60:,.0f} min. One such holds up the whole stage, and is lost if a worker dies.")

    def _check(self, name: str, known: Mapping[str, str]) -> None:
        if name not in known:
            raise KeyError(f"{self.stage}.{name} is not in STAGES")

    def _log(self, level: int, message: str, **fields: object) -> None:
        fields |= {"stage": self.stage, self.unit: self.number, "files": self.files}
        self.logger.log(level, "%s, %s: %s", self.stage, self, message, extra=fields)


@contextmanager
def work(stage: str, unit: str, number: int, files: Sequence[str] = ()) -> Iterator[Work]:
    """Do one part: its begin and its end are logged, and what the block counts is told when it ends without an error.

    `unit` is one of those that `STAGES` has of the stage; `files` are those that the part is read from. Must run on the
    thread that Beam calls the step on.
    """
    done = Work(stage, unit, number, files)
    done.begin()
    started = time.monotonic()
    yield done
    done.finish(time.monotonic() - started)
