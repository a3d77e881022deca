"""Files of a run, on a local disk and on an object store: whole or not there, and marked when done."""

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import OutputError
from tests.memory_files import MemoryFiles
from transforms import part_store as store
from transforms.part_store import Stage

NAME = st.text("abc.", min_size=1, max_size=4).filter(lambda name: name.strip("."))


@pytest.fixture(params=["local", "memory"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty directory of each kind."""
    MemoryFiles.files.clear()
    yield str(tmp_path) if request.param == "local" else "memory://bucket/run"
    MemoryFiles.files.clear()


def write(path: str, content: bytes) -> None:
    with store.write_file(path) as file:
        file.write(content)


def read(path: str) -> bytes:
    with store.open_input(path) as stream:
        return stream.read()


def fail_while_writing(path: str) -> None:
    with store.write_file(path) as file:
        file.write(b"half of")
        raise KeyError("the step failed")


def test_file_shows_only_when_its_block_ends(place: str) -> None:
    """Until then there is nothing under its name."""
    path = store.join(place, "a.bin")
    with store.write_file(path) as file:
        file.write(b"one ")
        assert not store.exists(path)
        file.write(b"two")
    assert read(path) == b"one two"


def test_file_of_a_failed_block_never_shows_and_leaves_nothing(place: str) -> None:
    """The error goes through, and no file is left under any name."""
    with pytest.raises(KeyError, match="the step failed"):
        fail_while_writing(store.join(place, "a.bin"))
    assert store.list_names(place) == []


def test_failed_block_leaves_the_earlier_file_as_it_was(place: str) -> None:
    """Overwriting is whole or not at all, too."""
    path = store.join(place, "a.bin")
    write(path, b"earlier")
    with pytest.raises(KeyError, match="the step failed"):
        fail_while_writing(path)
    assert (store.list_names(place), read(path)) == (["a.bin"], b"earlier")


def test_written_file_replaces_an_earlier_one(place: str) -> None:
    """A longer file leaves no tail behind."""
    path = store.join(place, "a.bin")
    write(path, b"a long one")
    write(path, b"short")
    assert read(path) == b"short"


def test_file_is_written_into_directories_that_are_not_there_yet(place: str) -> None:
    """All of them are made."""
    write(store.join(place, "x", "y", "a.bin"), b"1")
    assert (store.list_names(place), store.list_names(store.join(place, "x"))) == (["x"], ["y"])


def test_missing_file_is_an_oserror_and_missing_directory_is_empty(place: str) -> None:
    """As `open_input` and `list_names` say."""
    path = store.join(place, "none.bin")
    assert (store.exists(path), store.list_names(path)) == (False, [])
    with pytest.raises(OSError, match=r"none\.bin"):
        store.open_input(path)


def test_names_are_those_directly_in_the_directory_sorted(place: str) -> None:
    """A directory is one name however many files it holds; a directory with a longer name is another one."""
    for name in ("b", "a/2", "a/1", "c/d/e"):
        write(store.join(place, "in", *name.split("/")), b"")
    write(store.join(place, "inside"), b"")
    assert store.list_names(store.join(place, "in")) == ["a", "b", "c"]


def test_removed_tree_takes_all_in_it_and_nothing_beside_it(place: str) -> None:
    """Also where the name of a neighbour begins with its name."""
    for name in ("in/a", "in/b/c", "inside/a", "other"):
        write(store.join(place, *name.split("/")), b"")
    store.remove_tree(store.join(place, "in"))
    assert store.list_names(place) == ["inside", "other"]
    store.remove_tree(store.join(place, "other"))
    store.remove_tree(store.join(place, "was never there"))
    assert store.list_names(place) == ["inside"]


def test_copied_file_has_the_same_bytes(place: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """From a local disk to either place and back, across the size of a block."""
    source = str(tmp_path_factory.mktemp("source") / "a")
    content = bytes(range(256)) * 5000
    write(source, content)
    store.copy_file(source, store.join(place, "b"))
    store.copy_file(store.join(place, "b"), f"{source}.back")
    assert read(f"{source}.back") == content


def test_copy_of_a_missing_file_leaves_nothing(place: str) -> None:
    """The target does not show."""
    with pytest.raises(OSError, match="none"):
        store.copy_file(store.join(place, "none"), store.join(place, "b"))
    assert store.list_names(place) == []


@pytest.mark.parametrize("size", [0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1])
def test_file_facts_are_size_and_sha256(place: str, size: int) -> None:
    """Against hashing the whole content at once, around the size of a block."""
    path, content = store.join(place, "a"), b"x" * size
    write(path, content)
    assert store.file_facts(path) == {"bytes": size, "sha256": hashlib.sha256(content).hexdigest()}


@pytest.mark.parametrize("rows", [0, 3])
def test_arrow_table_comes_back_as_it_was_written(place: str, rows: int) -> None:
    """Schema, nulls and nullability included."""
    schema = pa.schema([pa.field("id", pa.uint64(), False), pa.field("digest", pa.binary(2))])
    table = pa.table({"id": list(range(rows)), "digest": [None, b"ab", b"cd"][:rows]}, schema)
    store.write_arrow(store.join(place, "a.arrow"), table)
    found = store.read_arrow(store.join(place, "a.arrow"))
    assert (found.schema, found.to_pylist()) == (schema, table.to_pylist())


def test_json_is_written_as_readable_utf8_with_a_newline_at_its_end(place: str) -> None:
    """People read it too."""
    path = store.join(place, "a.json")
    store.write_json(path, {"name": "größer", "n": 1})
    assert read(path).decode() == '{\n "name": "größer",\n "n": 1\n}\n'
    assert store.read_json(path) == {"name": "größer", "n": 1}


def test_local_file_that_is_being_written_is_hidden(tmp_path: Path) -> None:
    """Its name begins with a dot, so that globs and readers of directories pass it over."""
    with store.write_file(str(tmp_path / "a.bin")):
        (name,) = store.list_names(str(tmp_path))
        assert name.startswith(".a.bin.tmp-")
        assert store.is_unfinished(name)


def test_removed_symbolic_link_leaves_what_it_points_to(tmp_path: Path) -> None:
    """A link to a directory is removed, the directory is not."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    store.remove_tree(str(tmp_path / "link"))
    assert store.list_names(str(tmp_path)) == ["real"]


@given(st.lists(NAME, min_size=1, max_size=3))
def test_join_agrees_with_posix_paths(names: list[str]) -> None:
    """Against `os.path.join` below a plain directory, one that ends with a slash, and the root."""
    for directory in ("a/b", "a/b/", "/", "/a"):
        assert store.join(directory, *names) == os.path.join(directory, *names)


def test_join_and_part_path_keep_a_scheme() -> None:
    """Part numbers have five digits, and more where they need them."""
    assert store.join("memory://bucket/run/", "a", "b") == "memory://bucket/run/a/b"
    assert store.part_path("memory://bucket", 3, "json") == "memory://bucket/part-00003.json"
    assert store.part_path("/x", 1_234_567, "parquet") == "/x/part-1234567.parquet"


def test_stage_begins_once_and_again_with_the_same_digest(place: str) -> None:
    """The facts of the first beginning stay."""
    stage = Stage(store.join(place, "stage"), "a" * 64)
    stage.begin({"parts": 3})
    stage.begin({"parts": 4})
    assert store.read_json(store.join(stage.directory, "stage.json")) == {"digest": "a" * 64, "parts": 3}


def test_stage_of_another_digest_is_refused_with_both_digests(place: str) -> None:
    """The letter says where, what was found and what is wanted, and the two ways out."""
    Stage(place, "a" * 64).begin({})
    with pytest.raises(OutputError) as refusal:
        Stage(place, "b" * 64).begin({})
    assert str(refusal.value) == (
        f"{place} was begun with another config or other input files (digest {'a' * 16}, now {'b' * 16}).\n"
        "Restore them to go on with --resume, or start anew with --overwrite."
    )


def test_part_is_done_when_its_marker_carries_the_digest(place: str) -> None:
    """A marker of another digest is listed, and counts as not done."""
    stage, earlier = Stage(place, "now"), Stage(place, "earlier")
    earlier.finish(1, {"records": 7})
    stage.finish(12, {"records": 5})
    assert stage.marker(12) == {"digest": "now", "sizes": {}, "records": 5}
    assert (stage.marker(1), stage.marker(2)) == (None, None)
    assert (stage.listed(), stage.done(), earlier.done()) == ({1, 12}, {12}, {1})


def test_finished_part_can_be_finished_anew(place: str) -> None:
    """The later facts hold."""
    Stage(place, "earlier").finish(0, {"records": 1})
    Stage(place, "now").finish(0, {"records": 2})
    assert Stage(place, "now").marker(0) == {"digest": "now", "sizes": {}, "records": 2}
    assert Stage(place, "earlier").marker(0) is None


def test_stage_lists_only_markers_of_parts(place: str) -> None:
    """Neither its own file nor the parts' data count, and a directory that is not there has none."""
    stage = Stage(store.join(place, "stage"), "d")
    assert stage.listed() == set()
    stage.begin({})
    write(stage.path(0), b"")
    write(stage.path(1, "rejected.parquet"), b"")
    stage.finish(2, {})
    assert stage.listed() == {2}
    assert stage.path(1, "rejected.parquet") == store.join(stage.directory, "part-00001.rejected.parquet")


def test_sweep_removes_unfinished_files_and_nothing_else(tmp_path: Path) -> None:
    """What a killed run leaves has a hidden name; other hidden files are the user's."""
    ours = ".part-00001.parquet.tmp-0123"
    others = [".hidden", "a.tmp-1", "part-00001.parquet", "stage.json"]
    for name in (ours, *others):
        (tmp_path / name).touch()
    store.sweep(str(tmp_path))
    assert store.list_names(str(tmp_path)) == others


def test_sweep_of_an_object_store_does_nothing(place: str) -> None:
    """Nothing unfinished shows there, so a name is never a reason to delete."""
    MemoryFiles.files["memory://bucket/other/.a.tmp-1"] = b""
    store.sweep("memory://bucket/other")
    assert list(MemoryFiles.files) == ["memory://bucket/other/.a.tmp-1"]


def test_marker_is_plain_json(place: str) -> None:
    """Anyone can read how far a run has come."""
    stage = Stage(place, "d")
    stage.finish(3, {"records": 1})
    assert json.loads(read(stage.path(3, "json"))) == {"digest": "d", "sizes": {}, "records": 1}


@pytest.mark.parametrize("content", [None, b"cut"])
def test_part_whose_file_is_gone_or_cut_is_not_done(place: str, content: bytes | None) -> None:
    """A marker speaks of files; one that is not as long as it was does not count."""
    stage = Stage(store.join(place, "stage"), "d")
    write(stage.path(0), b"content")
    stage.finish(0, {"records": 1}, ["parquet"])
    assert stage.done() == {0}
    store.remove_tree(stage.path(0))
    if content is not None:
        write(stage.path(0), content)
    assert stage.done() == set()


def test_marker_that_is_no_json_is_no_marker(place: str) -> None:
    """As a disk that failed may leave it."""
    stage = Stage(store.join(place, "stage"), "d")
    write(store.part_path(stage.directory, 0, "json"), b'{"digest": "d", "si')
    assert stage.marker(0) is None


def test_stage_begun_for_something_else_is_replaced_only_with_overwrite(place: str) -> None:
    """Its files go, as they are of another config or input."""
    directory = store.join(place, "stage")
    Stage(directory, "earlier").begin({})
    write(store.join(directory, "part-00000.parquet"), b"old")
    with pytest.raises(OutputError, match="was begun with another config"):
        Stage(directory, "now").begin({})
    Stage(directory, "now").begin({}, overwrite=True)
    assert store.list_names(directory) == ["stage.json"]
    assert Stage(directory, "now").begun_for() == "now"
