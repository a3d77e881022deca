"""What the measured constants say: of a document, of a row and an element of a shuffle, of a step."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
from scipy.optimize import nnls

CONSTANTS: Final = Path(__file__).with_name("constants.json")
PARTITION_BYTES: Final = 64 << 20
"""Of a cluster; `beam_jobs/runners/engine.py`."""
STEPS: Final = ("measure", "weigh", "pair", "connect", "judge", "settle", "survey", "write", "index")
SHUFFLES: Final = {
    "keys": "pair-0/ReadKeys",
    "members": "judge-0/GatherMembers",
    "verdicts": "judge-0/JudgeMembers",
    "sources": "survey/CountPart",
}
"""Senders of the shuffles, by what they send."""


@dataclass(frozen=True)
class Spent:
    """CPU seconds of a step: what it takes in any case, by a document, and by a byte of its text."""

    fixed: float
    document: float
    byte: float
    worst: float
    """Largest share by which a run that was measured lies off this."""

    def seconds(self, documents: float, text_bytes: float) -> float:
        return self.fixed + self.document * documents + self.byte * text_bytes


@dataclass(frozen=True)
class Sending:
    """Bytes of a shuffle: of each row, and of each element whatever it holds."""

    row: float
    element: float


class Constants:
    """The constants of `constants.json`, for texts like those of one of its corpora."""

    def __init__(self, found: Mapping[str, Any], corpus: str = "made-up"):
        self.found, self.corpus = found, corpus
        self.runs: Sequence[Mapping[str, Any]] = found["runs"]
        mine = sorted((run for run in self.runs if run["corpus"] == corpus), key=lambda run: int(run["documents"]))
        self.twice, self.run = mine[0], mine[-1]
        """The run whose shuffles were cut in two ways, and the largest."""

    @classmethod
    def read(cls, path: Path = CONSTANTS) -> "Constants":
        return cls(json.loads(path.read_text()))

    def of_document(self, name: str) -> float:
        """A figure of the largest run, by document."""
        return float(self.run[name]) / float(self.run["documents"])

    def of_part(self, name: str) -> float:
        """What each further part adds to a figure, from the smallest run to the largest."""
        few, many = self.twice, self.run
        return float(many[name] - few[name]) / float(many["parts"] - few["parts"])

    def step_bytes(self, step: str, name: str) -> float:
        """`read_bytes` or `written_bytes` of a step, by document."""
        return float(self.run["steps"][step][name]) / float(self.run["documents"])

    def spent(self, step: str) -> Spent:
        """CPU of a step, fitted to all runs: least squares of the relative errors, no coefficient below zero."""
        seconds = np.array([run["steps"][step]["cpu_seconds"] for run in self.runs])
        facts = np.array([[1.0, run["documents"], run["text_bytes"]] for run in self.runs])
        units = facts.max(axis=0)
        found, _ = nnls(facts / units / seconds[:, None], np.ones(len(seconds)))
        fixed, document, byte = (float(value) for value in found / units)
        worst = float(np.abs(facts @ (found / units) / seconds - 1).max())
        return Spent(fixed, document, byte, worst)

    def sending(self, what: str) -> Sending:
        """From the same rows in few elements and in many."""
        few, many = sorted(
            (ran[SHUFFLES[what]] for ran in self.twice["by_hand"].values()), key=lambda ran: int(ran["elements"])
        )
        element = (many["bytes"] - few["bytes"]) / (many["elements"] - few["elements"])
        return Sending((few["bytes"] - few["elements"] * element) / self.rows(self.twice, what), element)

    def rows(self, run: Mapping[str, Any], what: str) -> int:
        """Rows that a run sends through a shuffle; of sources, one a document at most."""
        return {
            "keys": self.keys * int(run["documents"]),
            "members": int(run["members"]),
            "verdicts": int(run["members"]),
            "sources": int(run["documents"]),
        }[what]

    @property
    def keys(self) -> int:
        """Keys of a document: its URL, its text, and its bands."""
        return int(self.found["keys"])

    @cached_property
    def calls(self) -> Mapping[str, Mapping[str, float]]:
        """What each step did in the largest run when it was run by hand, by pipeline and class."""
        return dict(self.run["by_hand"][str(PARTITION_BYTES)])

    def opens(self, step: str) -> float:
        """Files that a step opens for each part."""
        return sum(int(ran["opens"]) for name, ran in self.calls.items() if step_of(name) == step) / int(
            self.run["parts"]
        )

    @property
    def rounds_sent(self) -> float:
        """Bytes that connecting in rounds sends for each edge, at the most that was measured."""
        return max(float(one["sent_bytes"] / (one["nodes"] - 1)) for one in self.found["rounds"])

    @property
    def rounds_seconds(self) -> float:
        """CPU seconds that connecting in rounds takes for each edge, in the largest graph that was measured."""
        one = self.found["rounds"][-1]
        return float(one["cpu_seconds"]) / (int(one["nodes"]) - 1)

    @property
    def element_seconds(self) -> float:
        """CPU seconds of an element of a shuffle, whatever it holds."""
        return float(self.found["elements"]["cpu_seconds"]) / float(self.found["elements"]["elements"])

    @property
    def idle_bytes(self) -> int:
        """Memory of a worker that has everything imported and nothing to do."""
        return int(self.found["idle_bytes"])


def step_of(call: str) -> str:
    """The step that a call belongs to.

    >>> step_of("pair-0/ReadKeys"), step_of("settle/Settle")
    ('pair', 'settle')
    """
    return call.split("/")[0].split("-")[0]


def cells(rows_of: float, columns: float, rows: float) -> float:
    """How many of `rows_of` x `columns` cells hold at least one of so many rows that fall into them by chance.

    That is how many elements a shuffle is sent: parts times partitions if rows are many, else nearly one for each row.

    >>> cells(10, 8, 1e6), round(cells(1e6, 1e6, 1e6))
    (80.0, 1000000)
    """
    return rows_of * columns * -math.expm1(-rows / (rows_of * columns))
