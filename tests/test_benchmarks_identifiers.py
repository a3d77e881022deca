"""The made-up numbers that the detectors are measured with: right ones are right, wrong ones are not."""

import re
from pathlib import Path

import pytest

from benchmarks import identifiers as bench
from tests.slow_numbers import as_isbn13, digits_of, is_right

COUNT = 200


@pytest.fixture
def make() -> bench.Maker:
    return bench.Maker(7)


def test_right_numbers_have_their_check_digits(make: bench.Maker) -> None:
    """By the sums of the slow twin; each stands in its text as it says."""
    for kind, name, samples in bench.right_numbers(make, COUNT):
        assert len(samples) == COUNT
        assert all(sample.written in sample.text for sample in samples)
        if name in ("ISBN", "ISSN"):
            assert all(is_right(digits_of(sample.written.encode())) for sample in samples), kind
        if name == "ISBN":
            assert all(as_isbn13(digits_of(sample.written.encode())) == sample.value for sample in samples)


def test_wrong_numbers_differ_from_right_ones_by_one_error(make: bench.Maker) -> None:
    """None has a right check digit but ISBN-13s whose swapped digits differ by 5."""
    for kind, _, _, texts in bench.wrong_numbers(make, COUNT):
        passing = [text for text in texts if is_right(digits_of(text.split()[-1].encode()))]
        assert len(texts) == COUNT
        assert (len(passing) > 0) == (kind == "ISBN-13, neighbours swapped")


def test_same_seed_makes_the_same_numbers() -> None:
    """So that figures can be compared."""
    first, second = (list(bench.right_numbers(bench.Maker(3), 20)) for _ in range(2))
    assert first == second
    assert list(bench.right_numbers(bench.Maker(4), 20)) != first


def test_detectors_reach_their_aim(make: bench.Maker) -> None:
    """Recall of 0.99 for every way to write every kind; nothing in telephone numbers, dates and the like."""
    for kind, name, samples in bench.right_numbers(make, COUNT):
        assert bench.count_found(samples, bench.DETECTORS[name]) >= 0.99 * COUNT, kind
    for kind, texts in bench.other_digits(make, COUNT):
        found = sum(len(one) for detector in bench.DETECTORS.values() for one in bench.find(detector, texts))
        assert found == 0 or kind in ("13 digits from 978 on", "10 digits behind ISBN")


def test_number_counts_as_found_only_if_its_span_is_exact() -> None:
    """Nothing besides it, and not a byte more or less."""
    right = bench.Sample("ISBN 0-13-110362-8.", "9780131103627", "0-13-110362-8")
    samples = [right, right._replace(written="0-13-110362-8."), right._replace(text=f"{right.text} ISBN 0131101633")]
    assert bench.count_found(samples, bench.ISBN) == 1


def test_command_prints_three_tables(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """With or without the real text."""
    monkeypatch.setattr("sys.argv", ["identifiers", "--numbers", "20", "--sections", str(tmp_path / "none")])
    bench.main()
    printed = capsys.readouterr().out
    assert [len(table.splitlines()) for table in printed.split("\n\n")] == [7, 7, 10]
    assert re.search(r"ISBN-13, a digit changed +20 +0 +0\.00%", printed)
