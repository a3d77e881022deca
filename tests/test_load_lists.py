"""Loading lists: all faults before the run begins, and never another list than the one the run began with."""

import hashlib
import pickle
from pathlib import Path

import pyarrow as pa
import pytest

from configs.model import Blocklist
from schemas.errors import ConfigError, WorkError
from tests.memory_files import MemoryFiles
from transforms.decide.load_lists import ListReference, SourceLists


def listed(directory: Path, name: str, content: bytes | None) -> Blocklist:
    """A blocklist of the config; without content its file is missing."""
    path = directory / f"{name}.txt"
    if content is not None:
        path.write_bytes(content)
    return Blocklist(name=name, path=str(path), category=f"category of {name}")


def test_lists_are_read_in_the_order_of_the_config(tmp_path: Path) -> None:
    """With the SHA-256 of each file as it was read."""
    contents = {"b": b"b.example\n", "a": b"a.example\nc.example\n"}
    blocklists = [listed(tmp_path, name, content) for name, content in contents.items()]
    lists = SourceLists.read(blocklists, ["good.example"])
    assert lists == SourceLists(
        tuple(
            ListReference(name, f"category of {name}", f"{tmp_path}/{name}.txt", hashlib.sha256(content).hexdigest())
            for name, content in contents.items()
        ),
        ("good.example",),
    )
    assert [set(loaded.entries.to_pylist()) for loaded in lists.compiled()] == [
        {"b.example"},
        {"a.example", "c.example"},
    ]


def test_lists_mark_hosts_as_the_entries_say(tmp_path: Path) -> None:
    """Blocklists and the allow list together, also after the lists have travelled to a worker."""
    lists = SourceLists.read([listed(tmp_path, "a", b"a.example\n")], ["ok.a.example"])
    for here in (lists, pickle.loads(pickle.dumps(lists))):
        marks = here.mark(pa.array(["x.a.example", "ok.a.example", "b.example", None]))
        assert marks.blocked.tolist() == [True, False, False, False]


def test_run_without_lists_blocks_nothing() -> None:
    """No list and no allow list are no error."""
    lists = SourceLists.read([], [])
    assert (lists.compiled(), lists.compiled_allow(), lists.facts()) == ([], None, [])
    assert lists.mark(pa.array(["a.example", None])).blocked.tolist() == [False, False]


def test_missing_file_is_named_with_its_list(tmp_path: Path) -> None:
    """Name, path and what the system says."""
    with pytest.raises(ConfigError) as refusal:
        SourceLists.read([listed(tmp_path, "a", None)], [])
    assert str(refusal.value) == f"Blocklist `a`: {tmp_path}/a.txt: No such file or directory."


def test_all_faults_are_named_at_once(tmp_path: Path) -> None:
    """A line for each list that cannot be used; those that can are not mentioned."""
    blocklists = [
        listed(tmp_path, "gone", None),
        listed(tmp_path, "good", b"a.example\n"),
        listed(tmp_path, "empty", b""),
        Blocklist(name="folder", path=str(tmp_path), category="c"),
    ]
    with pytest.raises(ConfigError) as refusal:
        SourceLists.read(blocklists, [])
    assert str(refusal.value) == (
        f"Blocklist `gone`: {tmp_path}/gone.txt: No such file or directory.\n"
        "Blocklist `empty` is empty: it has 0 lines and no domain in them. Check its path.\n"
        f"Blocklist `folder`: {tmp_path}: Is a directory."
    )


def test_allow_entry_that_is_no_domain_is_a_config_error() -> None:
    """Before anything is done."""
    with pytest.raises(ConfigError, match="`http://x` is no domain"):
        SourceLists.read([], ["ok.example", "http://x"])


def test_list_that_changed_since_the_run_began_fails_the_work(tmp_path: Path) -> None:
    """A worker that reads it later sees another file: two halves of a dataset must not use two lists."""
    listed(tmp_path, "a", b"other.example\n")
    reference = ListReference("a", "c", f"{tmp_path}/a.txt", hashlib.sha256(b"a.example\n").hexdigest())
    lists = SourceLists((reference,), ())
    message = f"{tmp_path}/a.txt changed while the run used it. Begin anew with --overwrite."
    for use in (lists.compiled, lists.facts, lambda: lists.mark(pa.array(["a.example"]))):
        with pytest.raises(WorkError) as refusal:
            use()
        assert str(refusal.value) == message


def test_list_that_is_gone_when_a_worker_needs_it_is_an_oserror(tmp_path: Path) -> None:
    """The step that needs it says which part it was."""
    with pytest.raises(FileNotFoundError, match=r"gone\.txt"):
        SourceLists((ListReference("gone", "c", f"{tmp_path}/gone.txt", "0"),), ()).compiled()


def test_file_is_read_once_in_a_process(tmp_path: Path) -> None:
    """Later uses take what was compiled, even if the file is gone."""
    lists = SourceLists.read([listed(tmp_path, "a", b"a.example\n")], [])
    (tmp_path / "a.txt").unlink()
    assert lists.compiled()[0] is lists.compiled()[0]


def test_list_may_lie_on_a_beam_filesystem() -> None:
    """As all that the config names."""
    MemoryFiles.files["memory://lists/a.txt"] = b"a.example\n"
    lists = SourceLists.read([Blocklist(name="a", path="memory://lists/a.txt", category="c")], [])
    assert lists.compiled()[0].entries.to_pylist() == ["a.example"]
    with pytest.raises(
        ConfigError, match=r"^Blocklist `b`: memory://lists/b\.txt: .*there is no memory://lists/b\.txt"
    ):
        SourceLists.read([Blocklist(name="b", path="memory://lists/b.txt", category="c")], [])


def test_facts_count_entries_and_show_ignored_lines(tmp_path: Path) -> None:
    """What the manifest says, in values that JSON can hold."""
    content = b"# comment\na.example\na.example\nnot a domain\nb.example\n"
    lists = SourceLists.read([listed(tmp_path, "a", content)], ["x.example"])
    assert lists.facts() == [
        {
            "name": "a",
            "category": "category of a",
            "sha256": hashlib.sha256(content).hexdigest(),
            "entries": 2,
            "ignored": 1,
            "ignored_lines": [[4, "not a domain"]],
        }
    ]
