"""The measure of what rights signals cost: batches of the right size, and a rate for every part."""

import pytest

from benchmarks import rights
from benchmarks.rights import batches, measure, seconds
from transforms.measure.rights.find_rights import TRIGGERS


def test_texts_are_repeated_to_full_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """In their order, the last one of a batch whole."""
    monkeypatch.setattr(rights, "BATCH_BYTES", 6)
    monkeypatch.setattr(rights, "CORPUS_BYTES", 12)
    assert [batch.to_pylist() for batch in batches(["abc", "dé"])] == [["abc", "dé"], ["abc", "dé"]]


def test_first_run_is_not_measured() -> None:
    """It compiles; of the others the fastest counts."""
    runs: list[int] = []
    assert seconds(lambda: runs.append(len(runs))) >= 0
    assert runs == [0, 1, 2, 3]


def test_every_part_has_a_rate(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The whole first, then the search and each column."""
    monkeypatch.setattr(rights, "BATCH_BYTES", 10_000)
    monkeypatch.setattr(rights, "CORPUS_BYTES", 10_000)
    measure("made up", batches(["© 2019 Foo. All rights reserved. ISBN 0-13-110362-8 CC BY 4.0 arXiv:2101.00001 "]))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("made up: 0 MB; all signals ")
    assert [line.split()[0] for line in lines[1:]] == ["triggers", *TRIGGERS]
