"""The table a run ends with."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beam_jobs.console.summary import print_summary, size_words

MANIFEST: dict[str, Any] = {
    "crawl": "demo",
    "build_id": "0123456789abcdef",
    "counts": {
        "records": 2000,
        "kept": 1500,
        "quarantined": 0,
        "dropped": 400,
        "rejected": 100,
        "dropped_by": {"blocklist": 250, "near_duplicate": 150},
        "quarantined_by": {},
    },
    "marks": {"allowed": 3, "blocklist": 253, "near_duplicate": 180, "taint": 12},
    "flags": {"allowed": 3, "taint": 12},
    "not_documents": {"request": 2000, "warcinfo": 1},
    "bytes": {"input": 5 << 20, "text": 3 << 20, "kept_text": 2 << 20, "written": 1536},
    "seconds": {"measure": 60.5, "decide": 30.0, "publish": 9.5},
    "resumed": False,
    "duplicates": {
        "candidate_curve": {"0.5": 0.548, "0.7": 0.99, "1.0": 1.0},
        "clusters": 1234,
        "largest_cluster": 56,
        "replaced": 0,
        "bounded": {"documents": 0, "clusters": 0, "samples": []},
    },
    "alarms": [],
    "rejected_by": {},
    "urls_without_host": 0,
}

TABLE = """\
demo  build 0123456789abcdef
┌──────────────────┬────────────┬─────────────────┐
│ records in       │      2,000 │ 3.0 MiB of text │
│ kept             │      1,500 │           75.0% │
│ dropped          │        400 │           20.0% │
│   blocklist      │        250 │           12.5% │
│   near_duplicate │        150 │            7.5% │
│ rejected         │        100 │            5.0% │
│ not documents    │      2,001 │                 │
│   request        │      2,000 │                 │
│   warcinfo       │          1 │                 │
│ flagged allowed  │          3 │            0.1% │
│ flagged taint    │         12 │            0.6% │
│ clusters         │      1,234 │      largest 56 │
├──────────────────┼────────────┼─────────────────┤
│ read             │    5.0 MiB │                 │
│ written          │    1.5 KiB │                 │
│ time             │ 1 min 40 s │  20 documents/s │
└──────────────────┴────────────┴─────────────────┘
pairs that become candidates, by similarity  0.5: 54.8%  0.7: 99.0%  1.0: 100.0%
/data/dataset
"""


@pytest.fixture(autouse=True)
def width(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


def summary(capsys: pytest.CaptureFixture[str], dataset: str = "/data/dataset", **changes: Any) -> str:
    print_summary(MANIFEST | changes, dataset)
    captured = capsys.readouterr()
    assert captured.err == ""
    return "".join(f"{line.rstrip()}\n" for line in captured.out.splitlines())


def test_summary_tells_what_came_in_and_what_became_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    """Shares are of all records; marks that dropped nothing are flags; the dataset stands alone on the last line."""
    assert summary(capsys) == TABLE


def test_summary_of_nothing_divides_by_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """An empty crawl in no time."""
    counts = {**dict.fromkeys(MANIFEST["counts"], 0), "dropped_by": {}, "quarantined_by": {}}
    out = summary(capsys, counts=counts, marks={}, flags={}, not_documents={}, seconds={})
    rows = [[name, *rest] for name, rest in rows_of(out).items()]
    assert rows[:4] == [
        ["records in", "0", "3.0 MiB of text"],
        ["kept", "0", "0.0%"],
        ["dropped", "0", "0.0%"],
        ["rejected", "0", "0.0%"],
    ]
    assert rows[-1] == ["time", "0 s", ""]


def test_summary_says_what_was_quarantined_and_why(capsys: pytest.CaptureFixture[str]) -> None:
    """Between kept and dropped; where nothing was, there is no such line."""
    counts = MANIFEST["counts"] | {"kept": 1400, "quarantined": 100, "quarantined_by": {"noai": 60, "unlicensed": 40}}
    names = list(rows_of(summary(capsys, counts=counts)))
    assert names[1:6] == ["kept", "quarantined", "noai", "unlicensed", "dropped"]


def rows_of(out: str) -> dict[str, list[str]]:
    cells = [[cell.strip() for cell in line.split("│")[1:-1]] for line in out.splitlines() if line.startswith("│")]
    return {name: rest for name, *rest in cells}


def test_summary_without_candidates_speaks_of_none(capsys: pytest.CaptureFixture[str]) -> None:
    """Near duplicates are off, and no URL and no text is there twice."""
    duplicates = MANIFEST["duplicates"] | {"candidate_curve": None, "clusters": 0, "largest_cluster": 0}
    out = summary(capsys, duplicates=duplicates)
    assert "clusters" not in rows_of(out)
    assert "candidates" not in out


def test_summary_says_what_was_replaced_and_where_a_bound_was_reached(capsys: pytest.CaptureFixture[str]) -> None:
    """Replaced documents are no share of the records, and bounded ones lie in so many clusters."""
    bounded = {"documents": 30, "clusters": 2, "samples": ["0a", "0b"]}
    duplicates = MANIFEST["duplicates"] | {"replaced": 1500, "bounded": bounded}
    rows = rows_of(summary(capsys, duplicates=duplicates, flags={"comparison_bound": 30, "overlap": 20}))
    assert rows["flagged comparison_bound"] == ["30", "in 2 clusters"]
    assert rows["flagged overlap"] == ["20", "1.0%"]
    assert rows["replaced"] == ["1,500", "in earlier stores"]


def test_alarms_stand_above_the_path_each_on_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    """However long they are; what looks like markup or an emoji in a URL is neither."""
    messages = ["x " * 100 + "(end).", "look at https://a.example/[bold]:smile:."]
    alarms = [{"alarm": "cluster_size", "value": 2, "limit": 1, "message": message} for message in messages]
    lines = summary(capsys, alarms=alarms).splitlines()
    assert lines[-3:] == [*(f"alarm cluster_size: {message}" for message in messages), "/data/dataset"]


def test_path_is_printed_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    """On one line however long, and brackets in it are no markup: the next command reads it."""
    path = "/data/[bold]:smile:" + "x" * 200
    assert summary(capsys, path).splitlines()[-1] == path


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (1 << 30, "1.0 GiB"),
        (5 << 50, "5.0 PiB"),
        (1 << 60, "1024.0 PiB"),
    ],
)
def test_sizes_are_in_units_of_1024(count: int, words: str) -> None:
    """Bytes are whole; there is no unit above PiB."""
    assert size_words(count) == words


@given(st.integers(0, 1 << 60))
def test_size_words_are_right_to_a_tenth(count: int) -> None:
    """Read back, they differ by no more than what one digit after the point rounds away."""
    number, unit = size_words(count).split()
    scale = 1024 ** ("B", "KiB", "MiB", "GiB", "TiB", "PiB").index(unit)
    assert abs(float(number) * scale - count) <= 0.0501 * scale
