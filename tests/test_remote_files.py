"""Files that lie elsewhere: behind http by ranges, on Beam file systems, and none of that for local ones."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from apache_beam.io.filesystem import BeamIOError

from tests.memory_files import MemoryFiles
from tests.range_server import Given, serve
from transforms.part_store import (
    exists,
    file_size,
    list_file_names,
    list_names,
    open_input,
    remove_tree,
    write_file,
)
from transforms.ranges import BLOCK_BYTES

CONTENT = bytes(range(256)) * 5000


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Given]:
    """A server with one file of five blocks."""
    (tmp_path / "file é.bin").write_bytes(CONTENT)
    with serve(tmp_path) as given:
        yield given


def test_file_behind_http_is_read_by_ranges(web: Given) -> None:
    """A footer costs a footer, not the file."""
    with open_input(f"{web.address}/file é.bin") as stream:
        stream.seek(-10, 2)
        assert stream.read() == CONTENT[-10:]
        assert stream.read() == b""
    assert web.bytes() == 10


def test_file_behind_http_is_read_whole_and_in_pieces(web: Given) -> None:
    """In requests of a block, however small the reads are."""
    with open_input(f"{web.address}/file é.bin") as stream:
        assert stream.read(100) == CONTENT[:100]
        assert stream.tell() == 100
        assert stream.read() == CONTENT[100:]
    assert web.ranges[0][2] == BLOCK_BYTES


def test_size_and_presence_behind_http(web: Given) -> None:
    """By HEAD requests; nothing can be listed."""
    assert file_size(f"{web.address}/file é.bin") == len(CONTENT)
    assert exists(f"{web.address}/file é.bin")
    assert not exists(f"{web.address}/other")
    assert file_size(f"{web.address}/other") is None
    assert list_names(web.address) == []


def test_file_that_is_not_behind_http_is_an_os_error(web: Given) -> None:
    """As on a disk."""
    with pytest.raises(FileNotFoundError):
        open_input(f"{web.address}/other")


def test_nothing_is_written_behind_http(web: Given) -> None:
    """The letter says so."""
    with pytest.raises(OSError, match="can be read only"), write_file(f"{web.address}/new") as file:
        file.write(b"x")


def test_object_store_is_reached_through_beam() -> None:
    """What is written there is read there."""
    with write_file("memory://bucket/a/b") as file:
        file.write(b"content")
    try:
        with open_input("memory://bucket/a/b") as stream:
            assert stream.read() == b"content"
        assert (exists("memory://bucket/a/b"), file_size("memory://bucket/a/b")) == (True, 7)
        assert list_names("memory://bucket") == ["a"]
    finally:
        MemoryFiles.files.clear()


def test_odd_name_on_an_object_store_is_no_pattern() -> None:
    """What is removed or listed is what the name says, and not what it would fit as a pattern."""
    MemoryFiles.files = {"memory://b/out[1]/x": b"", "memory://b/out1/x": b"", "memory://b/out[1]x": b""}
    try:
        assert (list_names("memory://b/out[1]"), list_file_names("memory://b/out[1]")) == (["x"], ["x"])
        remove_tree("memory://b/out[1]")
        assert sorted(MemoryFiles.files) == ["memory://b/out1/x", "memory://b/out[1]x"]
    finally:
        MemoryFiles.files.clear()


def test_missing_file_on_an_object_store_is_a_file_that_was_not_found() -> None:
    """Whatever error its file system has for that."""
    with pytest.raises(FileNotFoundError, match=r"^there is no memory://bucket/none$"):
        open_input("memory://bucket/none")
    assert file_size("memory://bucket/none") is None


def test_failure_of_a_file_system_is_told_in_its_own_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beam hands them on in a dict, by path."""

    def refuse(*_: object) -> None:
        raise BeamIOError("exists() operation failed", {"memory://bucket/a": RuntimeError("403 Forbidden")})

    monkeypatch.setattr(MemoryFiles, "exists", refuse)
    with pytest.raises(OSError, match=r"^memory://bucket/a: 403 Forbidden$"):
        exists("memory://bucket/a")
    monkeypatch.setattr(MemoryFiles, "_list", refuse)
    with pytest.raises(OSError, match=r"^memory://bucket/\*\*: .*403 Forbidden"):
        list_names("memory://bucket")


def test_asking_a_local_dataset_waits_neither_for_beam_nor_for_the_web() -> None:
    """Their imports take longer than the answer."""
    modules = "lineage.catalog", "transforms.part_store", "transforms.publish.manifest"
    heavy = "[m for m in ('apache_beam', 'aiohttp', 'boto3', 'duckdb', 'pandas') if m in sys.modules]"
    code = f"import sys, {', '.join(modules)}; print({heavy})"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"
