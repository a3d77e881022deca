"""`demo.show_witness` on tiny ledgers: which page it picks, how it shows it, and what it says when it cannot."""

import doctest
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo import show_witness
from schemas.columns import LEDGER
from schemas.errors import InputError
from schemas.reasons import DROP, EXACT_DUPLICATE, KEEP, NEAR_DUPLICATE
from schemas.structs import MARK
from tests.tables import NO_RIGHTS

A, B, C, D = ("a" * 32, "b" * 32, "c" * 32, "d" * 32)
NO_MARK = dict.fromkeys(field.name for field in MARK)


def row(doc_id: str, **given: Any) -> dict[str, Any]:
    """A kept row of the ledger in which all that may be null is null."""
    empty = {column.name: None for column in LEDGER.columns}
    required = {
        "source_file": "a.warc.gz",
        "source_position": 7,
        "text_bytes": 80,
        "cluster_size": 1,
        "survivor_policy": "longest",
        "rights_basis": "crawl",
        **NO_RIGHTS,
        "build_id": "f00d",
    }
    return {**empty, **required, "doc_id": doc_id, "decision": KEEP, "marks": [], **given}


def dropped(doc_id: str, reason: str, witness: str, **given: Any) -> dict[str, Any]:
    return row(doc_id, decision=DROP, reason=reason, duplicate_of=witness, **given)


def write_dataset(directory: Path, *parts: list[dict[str, Any]]) -> Path:
    """A dataset of which there is only the ledger, one file a part."""
    (directory / "ledger").mkdir()
    for number, rows in enumerate(parts):
        table = pa.Table.from_pylist(rows, LEDGER.schema())
        pq.write_table(table, directory / "ledger" / f"part-{number:05d}.parquet")
    return directory


def test_first_near_duplicate_by_doc_id_is_picked(tmp_path: Path) -> None:
    """Neither the order of parts and rows nor an exact duplicate with a smaller doc_id changes which page is shown."""
    parts = [
        [row(D), dropped(C, NEAR_DUPLICATE, D)],
        [dropped(B, NEAR_DUPLICATE, D), dropped(A, EXACT_DUPLICATE, D)],
    ]
    page, witness = show_witness.find_pair(write_dataset(tmp_path, *parts))
    assert (page["doc_id"], witness["doc_id"]) == (B, D)


def test_exact_duplicate_is_picked_where_none_is_near(tmp_path: Path) -> None:
    """Without a near duplicate the first exact one is shown."""
    rows = [dropped(C, EXACT_DUPLICATE, A), dropped(B, EXACT_DUPLICATE, A), row(A)]
    page, witness = show_witness.find_pair(write_dataset(tmp_path, rows))
    assert (page["doc_id"], witness["doc_id"]) == (B, A)


def test_pair_is_printed_field_by_field(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The whole output for one pair: long values wrapped, nulls left out, the witness beside."""
    fetched = datetime(2021, 3, 30, 12, tzinfo=UTC)
    mark = {**NO_MARK, "rule": NEAR_DUPLICATE, "action": DROP, "value": 0.9375, "limit": 0.7, "evidence": A}
    page = dropped(
        B,
        NEAR_DUPLICATE,
        A,
        url="https://notes.example/sqlalchemy/orm/extensions/hybrid.html",
        fetch_time=fetched,
        similarity=0.9375,
        marks=[mark],
    )
    dataset = write_dataset(tmp_path, [page, row(A, url="https://docs.example/", text_bytes=81, fetch_time=fetched)])
    assert show_witness.main([str(dataset)]) == 0
    assert (
        capsys.readouterr().out
        == f"""\
                            dropped                              its witness
                            -----------------------------------  -----------------------------------
doc_id                      {B}     {A}
url                         https://notes.example/sqlalchemy/or  https://docs.example/
                            m/extensions/hybrid.html
fetch_time                  2021-03-30T12:00:00+00:00            2021-03-30T12:00:00+00:00
source_file                 a.warc.gz
source_position             7
text_bytes                  80                                   81
decision                    drop                                 keep
reason                      near_duplicate
marks                       rule near_duplicate, action drop,
                            value 0.9375, limit 0.7, evidence
                            {A}
duplicate_of                {A}
similarity                  0.9375
cluster_size                1
survivor_policy             longest
rights_basis                crawl
build_id                    f00d
"""
    )


@given(url=st.text(max_size=300), other=st.one_of(st.none(), st.text(max_size=300)))
def test_output_is_never_wider_than_100_columns(url: str, other: str | None) -> None:
    """Whatever the values, each line has at most 100 characters, and the values lose none but spaces."""
    page, witness = dropped(B, NEAR_DUPLICATE, A, url=url), row(A, url=other)
    shown = show_witness.format_pair(page, witness)
    assert all(len(line) <= 100 for line in shown.split("\n"))


def test_directory_without_ledger_is_no_dataset(tmp_path: Path) -> None:
    """The letter names the directory and how to make a dataset."""
    with pytest.raises(InputError) as caught:
        show_witness.find_pair(tmp_path)
    assert str(caught.value) == f"{tmp_path} is no dataset: it has no folder 'ledger'. Make one first: make demo"


def test_dataset_without_duplicates_has_no_witness(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where no page was dropped as a duplicate the command says so on stderr and fails."""
    dataset = write_dataset(tmp_path, [row(A), row(B, decision=DROP, reason="blocklist")])
    assert show_witness.main([str(dataset)]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == f"No page of {dataset} was dropped as a duplicate, so there is no witness to show.\n"


def test_witness_without_a_row_is_reported(tmp_path: Path) -> None:
    """A ledger that lacks the witness is named as incomplete, with both ids."""
    dataset = write_dataset(tmp_path, [dropped(B, NEAR_DUPLICATE, A)])
    with pytest.raises(InputError, match=f"^Page {B} of .* is a duplicate of {A}, which has no row in this ledger"):
        show_witness.find_pair(dataset)


def test_command_without_dataset_exits_2() -> None:
    """The command as a person starts it: without its argument it says how it is meant, on stderr."""
    top = Path(show_witness.__file__).parent.parent
    done = subprocess.run([sys.executable, "-m", "demo.show_witness"], cwd=top, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "Say which dataset: python -m demo.show_witness DATASET\n"


def test_examples_in_docstrings_run() -> None:
    """The examples of the module are true."""
    assert doctest.testmod(show_witness) == (0, 1)
