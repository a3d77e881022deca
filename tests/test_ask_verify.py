"""`cleartitle verify`: exit codes, what people read, what programs read."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pyarrow as pa
import pytest
from click.testing import CliRunner, Result

from beam_jobs.ask.verify import MOST_PRINTED, account_lines, fault_lines, verify_command
from lineage.verification import CHECKS, FAULTS, Verification
from schemas.errors import InputError
from tests.verified import changed, ledger_rows, rewritten, shared_dataset, with_values

Row = dict[str, Any]
LEDGER = "ledger/part-00000.parquet"


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shared_dataset(tmp_path_factory.getbasetemp())


def verify(*arguments: object) -> tuple[int, Result]:
    """Exit code and output of the command; errors are raised."""
    words = [str(argument) for argument in arguments]
    result = CliRunner().invoke(verify_command, words, standalone_mode=False, catch_exceptions=False)
    if result.exception is not None:
        raise result.exception
    return result.return_value, result


def found(*rows: Row) -> Verification:
    blank = dict.fromkeys(FAULTS.names)
    faults = pa.Table.from_pylist([{**blank, **row} for row in rows], schema=FAULTS)
    return Verification(faults, [("files", "3 of 4 are as listed"), ("manifest", "sealed")])


def test_whole_dataset_ends_with_0_and_the_account(dataset: Path) -> None:
    """A line or more for each check, and a last one that says how it ended."""
    code, result = verify(dataset, "--against-crawl", 5)
    lines = result.stdout.splitlines()
    assert (code, result.stderr) == (0, "")
    assert list(dict.fromkeys(line.split()[0] for line in lines[:-1])) == list(CHECKS)
    assert lines[-2:] == [
        "crawl         5 of 5 rows read again from the crawl files and compared",
        "whole: no fault was found",
    ]


def test_damaged_dataset_ends_with_1_and_the_faults_first(dataset: Path) -> None:
    """Under the name of their check, with what must hold."""
    with changed(dataset, LEDGER, None):
        code, result = verify(dataset)
    lines = result.stdout.splitlines()
    assert code == 1
    assert lines[:2] == [
        f"files: 1 fault. What must hold: {CHECKS['files']}",
        f"  {LEDGER}: it is not there; restore it from a copy",
    ]
    assert lines[-1] == "1 fault"


def test_quiet_says_only_what_is_wrong(dataset: Path) -> None:
    """Nothing at all of a dataset that is whole."""
    assert verify(dataset, "--quiet")[1].output == ""
    with changed(dataset, LEDGER, None):
        code, result = verify(dataset, "--quiet")
    assert code == 1
    assert len(result.output.splitlines()) == 2


def test_json_has_a_line_for_each_fault_and_the_account_beside_it(dataset: Path) -> None:
    """Standard output is for programs; of a whole dataset it is empty."""
    row = next(n for n, row in enumerate(ledger_rows(dataset, 0)) if row["cluster_id"] is None)
    with rewritten(dataset, LEDGER, with_values("cluster_size", {row: 7})):
        code, result = verify(dataset, "--format", "json")
    faults = [json.loads(line) for line in result.stdout.splitlines()]
    assert code == 1
    assert ("decisions", LEDGER, 0, row) in [tuple(fault.values())[:4] for fault in faults]
    assert list(faults[0]) == FAULTS.names
    assert "manifest      sealed, format 4" in result.stderr
    code, result = verify(dataset, "--format", "json")
    assert (code, result.stdout) == (0, "")


def test_table_shows_the_first_faults_of_a_check_and_counts_the_others() -> None:
    """JSON has all of them."""
    many = [{"check": "index", "file": LEDGER, "row": n, "doc_id": "ab", "fault": "wrong"} for n in range(1234)]
    lines = list(fault_lines(found({"check": "books", "fault": "odd"}, *many)))
    assert lines[:2] == [f"books: 1 fault. What must hold: {CHECKS['books']}", "  the dataset: odd"]
    assert lines[2] == f"index: 1,234 faults. What must hold: {CHECKS['index']}"
    assert lines[3] == f"  {LEDGER}, row 0, doc_id ab: wrong"
    assert len(lines) == 3 + MOST_PRINTED + 1
    assert lines[-1] == f"  and {1234 - MOST_PRINTED:,} more; --format json has all"


def test_account_stands_in_columns() -> None:
    """The checks at the left, how it ended in the last line."""
    fault = {"check": "files", "fault": "gone"}
    lines = ["files     3 of 4 are as listed", "manifest  sealed"]
    assert list(account_lines(found())) == [*lines, "whole: no fault was found"]
    assert list(account_lines(found(fault))) == [*lines, "1 fault"]
    assert list(account_lines(found(fault, fault))) == [*lines, "2 faults"]


def test_text_of_a_crawl_does_nothing_to_the_terminal() -> None:
    """A fault may quote a URL, and a file may be called anything."""
    lines = list(fault_lines(found({"check": "books", "file": "a\x1b[2J", "fault": "`url` is `\x1b]0;x\x07`"})))
    assert lines[1] == "  a\\x1b[2J: `url` is `\\x1b]0;x\\x07`"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--crawl-root", "."], "--crawl-root says where --against-crawl reads; name both."),
        (["--against-crawl", "0"], "0 is not in the range x>=1"),
        (["--format", "xml"], "'xml' is not one of 'table', 'json'"),
    ],
)
def test_options_that_mean_nothing_are_refused(dataset: Path, arguments: list[str], message: str) -> None:
    """Before anything is read."""
    with pytest.raises(click.UsageError) as caught:
        verify(dataset, *arguments)
    assert message in caught.value.format_message()


def test_directory_without_a_dataset_is_refused_with_a_letter(tmp_path: Path) -> None:
    """There is nothing to verify, which is another exit code than a fault."""
    with pytest.raises(InputError, match="holds no finished dataset") as caught:
        verify(tmp_path)
    assert caught.value.exit_code == 2


def test_beam_is_not_loaded_for_a_local_dataset(dataset: Path) -> None:
    """It takes a second to import."""
    script = (
        "import sys; from beam_jobs.ask.verify import verify_command\n"
        f"code = verify_command.main([{str(dataset)!r}, '--quiet'], standalone_mode=False)\n"
        "sys.exit(code or 'apache_beam' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
