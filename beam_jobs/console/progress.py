"""Progress of a stage: a bar on a terminal, a line or an object every few seconds elsewhere, nothing with --quiet.

What is done is read from the markers that the parts leave in their directory, so that it is the same on every runner;
workers in this process also say how far they are inside a part.
"""

import logging
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from beam_jobs.logs import COMMAND, tell
from transforms import live_counts
from transforms.part_store import Stage, is_local

LINE_SECONDS = 5.0
_POLL_SECONDS = 0.25


@dataclass
class StageProgress:
    """How far a stage has come. `phase` names the step it is in, where it has several."""

    name: str
    stage: Stage
    parts: int
    phase: str = ""
    started: float = field(default_factory=time.monotonic)
    _documents: dict[int, int] = field(default_factory=dict)
    _resumed: int | None = None
    _warned: bool = False

    def update(self) -> None:
        """Read the markers of parts that have been finished since the last time.

        A failure, such as that of a request, is said the first time, and the next update tries again: it is not the
        work that failed.
        """
        try:
            self._read_markers()
        except Exception as error:  # each store has its own
            if not self._warned:
                said = f"the progress of {self.name} cannot be read; the work goes on, and it is tried again"
                cause = f"{type(error).__name__}: {error}"
                tell(f"{COMMAND}warning: {said} ({cause})", {"stage": self.name}, logging.WARNING)
            self._warned = True

    def _read_markers(self) -> None:
        for number in self.stage.listed() - self._documents.keys():
            marker = self.stage.marker(number)
            if marker is not None:
                self._documents[number] = int(marker.get("records", 0))  # parts of earlier stores have none
        if self._resumed is None:
            self._resumed = len(self._documents)

    @property
    def done(self) -> int:
        return len(self._documents)

    def fields(self) -> dict[str, str | int]:
        """What a machine reads out of `line`."""
        documents = sum(self._documents.values()) + live_counts.under_way(self.stage)
        return {"stage": self.name, "done": self.done, "parts": self.parts, "documents": documents, "phase": self.phase}

    def line(self) -> str:
        """`measure  3/12 parts  45,120 documents  9,024/s  40 s left`."""
        seconds = time.monotonic() - self.started
        under_way = live_counts.under_way(self.stage)
        documents = sum(self._documents.values()) + under_way
        fresh = self.done - (self._resumed or 0)
        words = [f"{self.name:<8}{self.done}/{self.parts} parts", f"{documents:,} documents"]
        new = sum(list(self._documents.values())[self._resumed or 0 :]) + under_way
        if new and seconds:
            words.append(f"{new / seconds:,.0f}/s")
        if fresh and self.done < self.parts:
            words.append(f"{time_words(seconds / fresh * (self.parts - self.done))} left")
        if self.phase and self.done < self.parts:
            words.append(self.phase)
        return "  ".join(words)


def time_words(seconds: float) -> str:
    """Time in words.

    >>> time_words(7.4), time_words(95), time_words(7300)
    ('7 s', '1 min 35 s', '2 h 1 min')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


class Reporter:
    """Shows the progress of stages, one after the other, on stderr."""

    def __init__(self, *, quiet: bool = False, as_json: bool = False):
        self.quiet, self.as_json = quiet, as_json
        # The file is bound now: while a pipeline runs, what else is written to stderr is held back.
        self.console = Console(file=sys.stderr, quiet=quiet, highlight=False)

    @contextmanager
    def watch(self, name: str, stage: Stage, parts: int) -> Iterator[StageProgress]:
        """Show the stage while the block runs; the last state is shown when it ends, however it ends."""
        progress = StageProgress(name, stage, parts)
        progress.update()
        stop = threading.Event()
        show = self._bar if self.console.is_terminal and not self.as_json else self._lines
        thread = threading.Thread(target=show, args=(progress, stop), daemon=True)
        thread.start()
        try:
            yield progress
        finally:
            stop.set()
            thread.join()

    def _bar(self, progress: StageProgress, stop: threading.Event) -> None:
        columns = (BarColumn(24), TextColumn("{task.description}"), TimeElapsedColumn())
        with Progress(*columns, console=self.console, refresh_per_second=4) as bar:
            task = bar.add_task(progress.line(), total=progress.parts)
            # Elsewhere each look is a request, which is paid for.
            while not stop.wait(_POLL_SECONDS if is_local(progress.stage.directory) else LINE_SECONDS):
                progress.update()
                bar.update(task, completed=progress.done, description=progress.line())
            progress.update()
            bar.update(task, completed=progress.done, description=progress.line())

    def _lines(self, progress: StageProgress, stop: threading.Event) -> None:
        while not stop.wait(LINE_SECONDS):
            self._say(progress)
        self._say(progress)

    def _say(self, progress: StageProgress) -> None:
        progress.update()
        if not self.as_json:
            self.console.print(progress.line(), soft_wrap=True)
        elif not self.quiet:
            tell(progress.line(), progress.fields())
