"""Holding a directory: one run at a time, and no hold outlives its process."""

import multiprocessing
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from schemas.errors import OutputError
from transforms.hold import hold


def _hold(directory: str, told: Connection) -> None:
    with hold(directory):
        told.send("held")
        told.recv()


def test_directory_that_is_held_cannot_be_held_by_another(tmp_path: Path) -> None:
    """The letter names it; when the other process is gone, killed or not, it can."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_hold, args=(str(tmp_path), theirs))
    process.start()
    assert ours.recv() == "held"
    with pytest.raises(OutputError, match=f"{tmp_path}: another run is writing there"), hold(str(tmp_path)):
        pass
    process.kill()
    process.join()
    with hold(str(tmp_path)):
        assert (tmp_path / "lock").exists()


def test_hold_ends_with_its_block(tmp_path: Path) -> None:
    """Also with one that fails."""
    with pytest.raises(ValueError, match="inside"), hold(str(tmp_path)):
        raise ValueError("inside")
    with hold(str(tmp_path)):
        pass


def test_directory_is_made_where_there_is_none(tmp_path: Path) -> None:
    """A run holds its output before it writes to it."""
    with hold(str(tmp_path / "new" / "_work")):
        assert (tmp_path / "new" / "_work").is_dir()


def test_what_lies_elsewhere_is_not_held() -> None:
    """Object stores have no locks."""
    with hold("memory://bucket/_work"), hold("memory://bucket/_work"):
        pass
