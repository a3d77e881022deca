"""Runs of commands with their time and memory, the tables of figures, and both benchmarks on a few documents."""

import doctest
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from benchmarks import datatrove_neardup, runs, scale
from benchmarks.datatrove_neardup import Side, judge, planted_left, run_datatrove, time_table
from benchmarks.runs import Run, grown_corpus, run, write_config
from benchmarks.scale import cost_table, growth_table, run_commands

MEGABYTE = 1 << 20


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A corpus to grow from: 20 texts of 60 words."""
    path = tmp_path / "base.jsonl"
    rows = [{"id": f"d{row}", "text": " ".join(f"w{row}x{place}" for place in range(60))} for row in range(20)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


# Runs


def test_peak_of_one_process_is_what_it_held() -> None:
    """200 MiB that were there for a moment are seen, beside the few of the interpreter."""
    idle = run(sys.executable, "-c", "")
    held = run(sys.executable, "-c", f"b'x' * {200 * MEGABYTE}; import time; time.sleep(0.2)")
    assert 0 < idle.peak_bytes < 60 * MEGABYTE
    assert 200 * MEGABYTE < held.peak_bytes < 260 * MEGABYTE
    assert idle.seconds < held.seconds


def test_peak_counts_descendants_together() -> None:
    """A process that holds 100 MiB while a child of its child holds 100 more."""
    hold = f"x = b'x' * {100 * MEGABYTE}; import time; time.sleep(0.6)"
    child = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {hold!r}])"
    parent = f"x = b'x' * {100 * MEGABYTE}; import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    assert 200 * MEGABYTE < run(sys.executable, "-c", parent).peak_bytes < 320 * MEGABYTE


def test_failed_command_tells_what_it_said() -> None:
    """The error names the command and its exit code, and ends with its output, of which only the end is kept."""
    code = "import sys; print('a' * 9000); print('so it ends', file=sys.stderr); sys.exit(3)"
    with pytest.raises(RuntimeError, match=r"(?s) failed with 3:\n.{3900,4000}so it ends\n$"):
        run(sys.executable, "-c", code)


def test_command_that_is_not_there_is_an_error() -> None:
    """As the system tells it."""
    with pytest.raises(FileNotFoundError, match="no-such-program"):
        run("/no-such-program")


def test_corpus_is_grown_once(base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The second call finds it; the config beside it reads all its files."""
    corpus = grown_corpus(tmp_path / "data", 50, base)
    assert capsys.readouterr().out == "Growing 50 documents …\n"
    assert grown_corpus(tmp_path / "data", 50, base) == corpus == tmp_path / "data" / "grown-50" / "crawl"
    assert capsys.readouterr().out == ""
    assert pq.read_table(corpus).num_rows == 50
    config = yaml.safe_load(write_config(corpus).read_text())
    assert config == {"crawl": {"name": "bench", "files": [f"{corpus}/*.parquet"]}}


# Growth with the corpus


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Commands are written down here instead of being run; each takes a second and 1,000 bytes more than the last."""
    made: list[list[str]] = []

    def record(*arguments: object, threads: int) -> Run:
        made.append([*map(str, arguments), str(threads)])
        return Run(float(len(made)), 1000 * len(made))

    monkeypatch.setattr(scale, "run_cleartitle", record)
    return made


def test_chosen_commands_run_anew_and_what_they_need_is_taken_as_it_is(tmp_path: Path, calls: list[list[str]]) -> None:
    """For decide alone the measured store is finished first, and not counted; publish stays out."""
    corpus = tmp_path / "crawl"
    costs = run_commands(corpus, ["decide"], 2, ["run.shuffle_memory=1 MiB"])
    config, store = str(tmp_path / "config.yaml"), str(tmp_path / "measure")
    setting = ["--set", "run.shuffle_memory=1 MiB", "2"]
    assert calls == [
        ["measure", config, "--output", store, "--resume", *setting],
        ["decide", config, "--measured", store, "--output", str(tmp_path / "decide"), "--overwrite", *setting],
    ]
    assert costs == {"decide": Run(2.0, 2000)}


def test_all_commands_run_in_order(tmp_path: Path, calls: list[list[str]]) -> None:
    """curate first, into a place of its own, then the stages, each on what the one before wrote."""
    costs = run_commands(tmp_path / "crawl", scale.COMMANDS, 1, [])
    assert list(costs) == [call[0] for call in calls] == ["curate", "measure", "decide", "publish"]
    assert all("--overwrite" in call for call in calls)
    assert calls[3][2:6] == ["--measured", str(tmp_path / "measure"), "--decided", str(tmp_path / "decide")]


def test_growth_is_told_from_each_size_to_the_next() -> None:
    """Ratio of the times, and what each further document adds to the peak."""
    costs = {10: {"decide": Run(1.0, 2000)}, 100: {"decide": Run(9.0, 2900)}, 1000: {"decide": Run(99.0, 20900)}}
    assert [line.split() for line in growth_table(costs).splitlines()[1:]] == [
        ["10", "100", "decide", "9.00", "10"],
        ["100", "1,000", "decide", "11.00", "20"],
    ]
    assert [line.split() for line in cost_table(costs).splitlines()[1:]] == [
        ["10", "decide", "1.00", "10", "0", "200"],
        ["100", "decide", "9.00", "11", "0", "29"],
        ["1,000", "decide", "99.00", "10", "0", "21"],
    ]


# Against datatrove


STAND_IN = """#!{python}
import gzip, json, sys
from pathlib import Path

import pyarrow.parquet as pq

program, crawl, output, workers = sys.argv[1:]
ids = [row["id"] for path in sorted(Path(crawl).glob("*.parquet")) for row in pq.read_table(path).to_pylist()]
Path(output, "kept").mkdir()
for worker in range(int(workers)):
    with gzip.open(Path(output, "kept", f"{{worker:05d}}.jsonl.gz"), "wt") as lines:
        lines.writelines(json.dumps({{"id": key}}) + chr(10) for key in ids[worker::3])
seconds = dict.fromkeys(["import", "signatures", "buckets", "cluster", "filter"], 0.5)
Path(output, "seconds.json").write_text(json.dumps(seconds))
"""


@pytest.fixture
def stand_in(tmp_path: Path) -> Path:
    """A program that takes the place of a Python with datatrove: of every three documents it drops the last."""
    path = tmp_path / "python"
    path.write_text(STAND_IN.format(python=sys.executable))
    path.chmod(0o755)
    return path


def test_datatrove_side_is_read_from_all_its_files(stand_in: Path, base: Path, tmp_path: Path) -> None:
    """Kept ids of every worker, stage times, and the stages that find near-duplicates; an older output is removed."""
    corpus = grown_corpus(tmp_path, 20, base)
    (corpus.parent / "datatrove" / "kept").mkdir(parents=True)
    side = run_datatrove(stand_in, corpus, 2)
    assert side.kept.to_pylist() == [f"d{row}" for start in (0, 1) for row in range(start, 20, 3)]
    assert side.near_seconds == 1.5
    assert side.run.seconds > 0


def test_datatrove_that_is_missing_is_told_with_its_words(base: Path, tmp_path: Path) -> None:
    """A Python without datatrove fails, and the error says why."""
    with pytest.raises(RuntimeError, match="No module named 'datatrove'"):
        run_datatrove(Path(sys.executable), grown_corpus(tmp_path, 4, base), 2)


def side_of(kept: list[str], seconds: float = 1.0) -> Side:
    return Side(Run(seconds, MEGABYTE), {"measure": seconds / 2, "publish": 9.0}, ("measure",), pa.array(kept))


def test_planted_copies_left_are_those_at_the_threshold_kept_with_their_source(tmp_path: Path) -> None:
    """A copy below 0.7 does not count, nor one whose source, or which itself, was dropped."""
    columns = {
        "id": ["a", "b", "c", "d", "e", "f"],
        "edit_of": [None, "a", "a", "a", "b", "a"],
        "similarity": [None, 0.7, 0.69, 1.0, 0.9, 0.8],
    }
    pq.write_table(pa.table(columns), tmp_path / "crawl.parquet")
    assert planted_left(tmp_path, pa.array(["a", "b", "c", "f"])) == (2, 4)
    assert planted_left(tmp_path, pa.array([], pa.string())) == (0, 4)


def test_times_stand_side_by_side_with_their_ratio() -> None:
    """Start-up is taken off both, and the stages are told apart."""
    table = time_table(side_of([], 41.0), side_of([], 5.0), side_of([], 1.0), side_of([], 3.0))
    assert [line.split()[-3:] for line in table.splitlines()[1:6]] == [
        ["41.00", "5.00", "8.2"],
        ["1.00", "3.00", "0.3"],
        ["40.00", "2.00", "20.0"],
        ["20.50", "2.50", "8.2"],
        ["1.00", "1.00", "1.0"],
    ]
    assert table.splitlines()[6:] == [
        "datatrove: measure 20.50 s, publish 9.00 s",
        "cleartitle: measure 2.50 s, publish 9.00 s",
    ]


def test_judge_sees_all_documents_and_what_each_side_kept(base: Path, tmp_path: Path) -> None:
    """It is given JSON Lines and a list of ids, and its JSON comes back; where it refuses, that is an error."""
    program = tmp_path / "judge.py"
    program.write_text(
        "import json, sys\n"
        "ids = {json.loads(line)['id'] for line in open(sys.argv[1])}\n"
        "kept = open(sys.argv[2]).read().split()\n"
        "sys.exit(1) if set(kept) - ids else print(json.dumps([len(ids), kept]))\n"
    )
    corpus = grown_corpus(tmp_path, 20, base)
    assert judge(program, corpus, [side_of(["d1", "d3"]), side_of([])]) == [[20, ["d1", "d3"]], [20, []]]
    with pytest.raises(subprocess.CalledProcessError):
        judge(program, corpus, [side_of(["stranger"])])


# Both commands, whole


def test_decide_alone_runs_on_a_store_that_is_made_for_it(base: Path, tmp_path: Path) -> None:
    """The commands are as the real `cleartitle` wants them, and the store stays for the next run."""
    corpus = grown_corpus(tmp_path, 60, base)
    costs = run_commands(corpus, ["decide"], 1, ["run.shuffle_memory=64 MiB"])
    assert list(costs) == ["decide"]
    assert costs["decide"].peak_bytes > 100 * MEGABYTE
    assert (corpus.parent / "measure" / "stage.json").is_file()


def test_scale_prints_both_tables(
    calls: list[list[str]],
    base: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Four documents warm up; then come the sizes, smallest first, whatever the order in which they were given."""
    words = ["--documents", "90", "60", "--stages", "measure", "--data", str(tmp_path / "data"), "--base", str(base)]
    monkeypatch.setattr(sys, "argv", ["scale", *words])
    scale.main()
    assert [call[0] for call in calls] == ["curate", "measure", "decide", "publish", "measure", "measure"]
    said = capsys.readouterr().out
    expected = cost_table({60: {"measure": Run(5.0, 5000)}, 90: {"measure": Run(6.0, 6000)}})
    assert expected in said
    assert said.endswith(growth_table({60: {"measure": Run(5.0, 5000)}, 90: {"measure": Run(6.0, 6000)}}) + "\n")


def test_neardup_runs_whole_on_a_few_documents(
    stand_in: Path, base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """From growing to the last line, with the real `cleartitle` and a stand-in for datatrove."""
    shared = ["--data", str(tmp_path / "data"), "--base", str(base), "--documents", "60"]
    words = ["neardup", *shared, "--python", str(stand_in), "--workers", "1", "--judge", str(tmp_path / "none")]
    monkeypatch.setattr(sys, "argv", words)
    datatrove_neardup.main()
    said = capsys.readouterr().out
    assert "datatrove kept 20; " in said
    assert re.search(r"^near stages, s +1\.50 +[\d.]+ +[\d.]+$", said, re.MULTILINE)
    assert re.search(r"^cleartitle kept \d+; 0 of \d+ planted copies beside their source$", said, re.MULTILINE)


@pytest.mark.parametrize("module", [scale, datatrove_neardup])
def test_base_that_is_missing_is_told_in_a_line(
    module: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both benchmarks leave with the letter of the reader, not with a traceback."""
    words = ["x", "--data", str(tmp_path), "--base", str(tmp_path / "none.jsonl"), "--python", sys.executable]
    monkeypatch.setattr(sys, "argv", words[:5] if module is scale else words)
    with pytest.raises(SystemExit, match=r"none\.jsonl"):
        module.main()  # type: ignore[attr-defined]
    assert os.listdir(tmp_path) == []


def test_top_is_the_project() -> None:
    """Where commands run: the directory that holds the packages."""
    assert (runs.TOP / "beam_jobs" / "cli.py").is_file()


def test_examples_run() -> None:
    """What the docstrings show is what comes out."""
    result = doctest.testmod(scale)
    assert (result.failed, result.attempted > 0) == (0, True)
