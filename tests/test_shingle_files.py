"""Shingle files: the sets of any rows of any parts, held or mapped, and files that are cut or gone."""

import re
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.decide import shingle_files as module
from transforms.decide.shingle_files import HELD_BYTES, I64, load_sets, write_sets

PARTS = st.dictionaries(st.integers(0, 3), st.lists(st.integers(0, (1 << 64) - 1), max_size=12), max_size=4)


@st.composite
def asked(draw: st.DrawFn) -> tuple[dict[int, list[int]], list[tuple[int, int, int]]]:
    """Files, and rows as (part, start, size) in any order; several rows may have one set."""
    parts = draw(PARTS)
    rows = []
    for _ in range(draw(st.integers(0, 8)) if parts else 0):
        part = draw(st.sampled_from(sorted(parts)))
        start = draw(st.integers(0, len(parts[part])))
        rows.append((part, start, draw(st.integers(0, len(parts[part]) - start))))
    return parts, rows


def columns(rows: list[tuple[int, int, int]]) -> tuple[I64, I64, I64]:
    part, start, size = np.array(rows, np.int64).reshape(-1, 3).T
    return part, start, size


def loaded(directory: str, rows: list[tuple[int, int, int]]) -> tuple[list[list[int]], int, bool]:
    """The set of each row, after a rest; the number of shingles that were read; whether they lie in a mapped file."""
    with load_sets(directory, *columns(rows)) as sets:
        sets.rest()
        found = [sets.shingles[at : at + row[2]].tolist() for at, row in zip(sets.start, rows, strict=True)]
        return found, len(sets.shingles), sets.mapped is not None


@settings(deadline=None, max_examples=100)
@given(asked(), st.sampled_from([0, 40, HELD_BYTES]), st.sampled_from([8, 24, 1 << 20]))
def test_every_row_gets_its_own_set(
    both: tuple[dict[int, list[int]], list[tuple[int, int, int]]], held: int, block: int
) -> None:
    """Of each file the range from the first set to the last is read, in blocks of any size, to memory or to a file."""
    parts, rows = both
    with tempfile.TemporaryDirectory() as directory, pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "HELD_BYTES", held)
        patch.setattr(module, "BLOCK_BYTES", block)
        for part, values in parts.items():
            write_sets(directory, part, np.array(values, np.uint64))
        found, read, mapped = loaded(directory, rows)
    assert found == [parts[part][start : start + size] for part, start, size in rows]
    wanted = [[(start, start + size) for p, start, size in rows if p == part and size] for part in parts]
    assert read == sum(max(high for _, high in ranges) - min(low for low, _ in ranges) for ranges in wanted if ranges)
    assert mapped == (read * 8 > held)


def test_sets_are_little_endian_words_of_64_bits(tmp_path: Path) -> None:
    """The file is the array, and its name says whose."""
    write_sets(str(tmp_path), 7, np.array([1, 1 << 56], np.uint64))
    assert (tmp_path / "part-00007.sets").read_bytes() == bytes([1, *[0] * 7, *[0] * 7, 1])


def test_rows_without_shingles_need_no_file(tmp_path: Path) -> None:
    """Not even that of their part."""
    assert loaded(str(tmp_path), [(5, 0, 0), (6, 9, 0)]) == ([[], []], 0, False)


@pytest.mark.parametrize("held", [0, HELD_BYTES], ids=["mapped", "held"])
def test_cut_file_is_named_with_what_to_do(tmp_path: Path, held: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The letter counts what is missing, and no set comes out short."""
    monkeypatch.setattr(module, "HELD_BYTES", held)
    write_sets(str(tmp_path), 0, np.arange(10, dtype=np.uint64))
    path = tmp_path / "part-00000.sets"
    path.write_bytes(path.read_bytes()[:-11])
    assert loaded(str(tmp_path), [(0, 0, 8)])[0] == [list(range(8))]
    letter = f"{path} is cut short by 11 bytes: remove the directory that it lies in, and decide again"
    with pytest.raises(OSError, match=f"^{re.escape(letter)}$"):
        loaded(str(tmp_path), [(0, 0, 3), (0, 8, 2)])


def test_file_that_is_gone_is_an_os_error(tmp_path: Path) -> None:
    """It names the path."""
    with pytest.raises(FileNotFoundError, match=r"part-00003\.sets"):
        loaded(str(tmp_path), [(3, 0, 1)])


def test_sets_of_a_giant_component_are_mapped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two files of 4 MB through a limit of 1 MB; what was let go of comes back from the file."""
    monkeypatch.setattr(module, "HELD_BYTES", 1 << 20)
    values = np.random.default_rng(4).integers(0, 1 << 63, (2, 1 << 19)).astype(np.uint64)
    for part in range(2):
        write_sets(str(tmp_path), part, values[part])
    rows = [(1, 5, 1 << 18), (0, 0, 1 << 19), (1, 0, 1 << 19)]
    with load_sets(str(tmp_path), *columns(rows)) as sets:
        assert sets.mapped is not None
        for _ in range(2):
            for at, (part, start, size) in zip(sets.start, rows, strict=True):
                assert (sets.shingles[at : at + size] == values[part, start : start + size]).all()
            sets.rest()


def test_only_the_range_that_is_asked_for_is_read(tmp_path: Path) -> None:
    """Other components of the part lie before and behind it."""
    write_sets(str(tmp_path), 0, np.arange(1000, dtype=np.uint64))
    assert loaded(str(tmp_path), [(0, 500, 2), (0, 504, 1)]) == ([[500, 501], [504]], 5, False)
