"""Loading lists: all faults before the run begins, one index for all processes, and what is told of each list."""

import hashlib
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest

from configs.sources import Allowlist, Blocklist
from schemas.errors import ConfigError
from tests.listed import pages
from tests.memory_files import MemoryFiles
from transforms.decide.lists import load_lists
from transforms.decide.lists.compile_list import CompiledList, content_digest
from transforms.decide.lists.load_lists import SourceLists
from transforms.decide.lists.match_lists import SourceMatches
from transforms.decide.lists.read_list import ListSource, read_lists

ROOT = Path(__file__).resolve().parents[1]
URLS = (
    "http://x.a.example/",
    "http://ok.a.example/",
    "http://b.example/x/1",
    "http://c.example/",
    "http://d.example/7",
    None,
)


def write(path: Path, content: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return str(path)


def block(name: str, path: object, category: str | None = "piracy", form: str = "domains") -> Blocklist:
    return Blocklist.model_validate({"name": name, "path": str(path), "category": category, "format": form})


def allow(name: str, path: object, form: str = "domains") -> Allowlist:
    return Allowlist.model_validate({"name": name, "path": str(path), "format": form})


def said(found: SourceMatches) -> list[list[tuple[str, str | None, list[int], list[str], list[bool]]]]:
    """List, file, rows, entries and excuses of all blocks, then of all allows."""
    return [
        [(m.list, m.file, m.rows.tolist(), m.matched.to_pylist(), m.excused.tolist()) for m in matches]
        for matches in found
    ]


@pytest.fixture
def lists(tmp_path: Path) -> SourceLists:
    """A list of every kind of index: a UT1 folder of two categories, an Adblock list, an allow list, and an entry."""
    write(tmp_path / "ut1" / "warez" / "domains", "a.example\n")
    write(tmp_path / "ut1" / "warez" / "urls", "b.example/x\n")
    write(tmp_path / "ut1" / "hacking" / "expressions", "/[0-9]$\n")
    filters = write(tmp_path / "filters", "[Adblock Plus 2.0]\n||a.example^\n@@||ok.a.example^\n/x/1\n")
    mine = write(tmp_path / "mine", "c.example\nd.example\n")
    blocks = [block("ut1", tmp_path / "ut1", None, "ut1"), block("filters", filters, "ads", "adblock")]
    return SourceLists.read(blocks, ["b.example"], [allow("mine", mine)])


def test_lists_match_as_their_entries_say(lists: SourceLists) -> None:
    """In the order of the config, whatever the format."""
    assert said(lists.match(*pages(*URLS))) == [
        [
            ("ut1/hacking", "hacking/expressions", [2, 4], ["/[0-9]$"] * 2, [True, True]),
            ("ut1/warez", "warez/domains", [0, 1], ["a.example"] * 2, [False, False]),
            ("ut1/warez", "warez/urls", [2], ["b.example/x"], [True]),
            ("filters", None, [0, 1], ["a.example"] * 2, [False, True]),
            ("filters", None, [2], ["/x/1"], [True]),
        ],
        [
            ("allow", None, [2], ["b.example"], [False]),
            ("mine", None, [4], ["d.example"], [False]),
            ("filters", None, [1], ["ok.a.example"], [False]),
        ],
    ]


def test_references_name_the_lists_of_the_config(tmp_path: Path) -> None:
    """In its order, each with the SHA-256 of its file; `sources.allow` stands in the config itself."""
    contents = {"b": "b.example\n", "a": "a.example\nc.example\n", "ok": "d.example\n"}
    b, a, ok = (write(tmp_path / name, content) for name, content in contents.items())
    lists = SourceLists.read([block("b", b, "spam"), block("a", a)], ["good.example"], [allow("ok", ok)])
    assert [(one.name, one.category, one.sha256) for one in lists.references] == [
        (name, category, hashlib.sha256(contents[name].encode()).hexdigest())
        for name, category in (("b", "spam"), ("a", "piracy"), ("ok", "allow"))
    ]


def test_folder_with_categories_is_one_list_of_the_config(lists: SourceLists) -> None:
    """With a digest and a file; the manifest tells of each category."""
    assert [(one.name, one.category) for one in lists.references] == [
        ("ut1", None), ("filters", "ads"), ("mine", "allow")
    ]  # fmt: skip
    assert [(one["kind"], one["name"], one["category"]) for one in lists.facts()] == [
        ("blocklist", "ut1/hacking", "hacking"),
        ("blocklist", "ut1/warez", "warez"),
        ("blocklist", "filters", "ads"),
        ("allowlist", "allow", "allow"),
        ("allowlist", "mine", "allow"),
    ]


def test_run_without_lists_blocks_nothing(tmp_path: Path) -> None:
    """No list and no allow entry are no error."""
    lists = SourceLists.read([]).store(str(tmp_path / "none"))
    assert (lists.references, lists.facts(), lists.warnings()) == ((), [], [])
    assert lists.match(*pages("http://a.example", None)) == ((), ())


def test_list_that_is_shipped_is_found() -> None:
    """By its name under `configs/`."""
    lists = SourceLists.read([block("shadow", "shipped:blocklists/shadow_libraries.txt")])
    (found,) = lists.match(*pages("https://www.libgen.is/book", "https://archive.org/")).blocks
    assert (found.rows.tolist(), found.matched.to_pylist()) == ([0], ["libgen.is"])


# Faults


def test_all_faults_are_named_at_once(tmp_path: Path) -> None:
    """A letter for each list that cannot be used; those that can are not mentioned."""
    good, empty = write(tmp_path / "good", "a.example\n"), write(tmp_path / "empty", "")
    with pytest.raises(ConfigError) as refusal:
        SourceLists.read(
            [block("gone", tmp_path / "gone"), block("good", good), block("empty", empty)],
            ["http://x"],
            [allow("lost", tmp_path / "lost")],
        )
    letters = str(refusal.value).splitlines()
    assert [letter.split(":")[0] for letter in letters] == [
        "List `gone`",
        "List `empty`",
        "sources.allow",
        "List `lost`",
    ]
    assert letters[0] == f"List `gone`: {tmp_path}/gone: No such file or directory."


def test_unusable_filter_is_told_before_the_run_begins(tmp_path: Path) -> None:
    """A list of which nothing can be read is no list."""
    path = write(tmp_path / "list", "(?=a)\n(b\n")
    with pytest.raises(ConfigError, match=r"List `list`: .*/list holds no entry in format `regex`"):
        SourceLists.read([block("list", path, "piracy", "regex")])


# Storing and loading


def forget(monkeypatch: pytest.MonkeyPatch) -> None:
    """As another process, which has nothing at hand."""
    monkeypatch.setattr(load_lists, "_COMPILED", {})


def test_stored_lists_match_as_those_that_were_read(
    lists: SourceLists, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also after they have travelled to a worker."""
    before, facts, warnings = said(lists.match(*pages(*URLS))), lists.facts(), lists.warnings()
    stored = lists.store(str(tmp_path / "store"))
    assert said(stored.match(*pages(*URLS))) == before
    sent = pickle.dumps(stored)
    forget(monkeypatch)
    received = pickle.loads(sent)
    assert said(received.match(*pages(*URLS))) == before
    assert (received.facts(), received.warnings(), received.references) == (facts, warnings, lists.references)
    assert len(sent) < 2_000


def test_stored_lists_match_in_another_process_with_another_hash_seed(lists: SourceLists, tmp_path: Path) -> None:
    """And the same list read there comes to lie under the same name."""
    stored = lists.store(str(tmp_path / "store"))
    (tmp_path / "pickled").write_bytes(pickle.dumps((stored, *pages(*URLS))))
    code = (
        "import pickle, sys; from tests.test_load_lists import *; path = Path(sys.argv[1]); "
        "stored, hosts, urls = pickle.loads((path / 'pickled').read_bytes()); "
        "print(said(stored.match(hosts, urls))); "
        "print(SourceLists.read([block('filters', path / 'filters', 'ads', 'adblock')]).references[0].content)"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "7", "PYTHONPATH": str(ROOT)}
    run = [sys.executable, "-c", code, str(tmp_path)]
    answer = subprocess.run(run, env=environment, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert answer.splitlines() == [str(said(lists.match(*pages(*URLS)))), lists.references[1].content]


def test_lists_that_are_not_stored_match_in_no_other_process(
    lists: SourceLists, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is nothing that one could load."""
    forget(monkeypatch)
    with pytest.raises(LookupError, match="`ut1` was read in another process and is not stored"):
        lists.match(*pages("http://a.example"))


def test_lists_are_files_named_by_their_content(lists: SourceLists, tmp_path: Path) -> None:
    """One a list, written once: a run that resumes finds them there."""
    directory = tmp_path / "store"
    lists.store(str(directory))
    files = {path.name: path.stat() for path in directory.iterdir()}
    assert sorted(files) == sorted(f"{one.content}.arrow" for one in (*lists.blocklists, *lists.allowlists))
    again = lists.store(str(directory))
    assert {path.name: path.stat() for path in directory.iterdir()} == files
    assert again.directory == str(directory)


def test_content_depends_on_all_that_matching_tells(tmp_path: Path) -> None:
    """Name and category as well as entries; not on where the list lies."""
    here, there = (write(tmp_path / place / "list", "a.example\n") for place in ("here", "there"))
    other = write(tmp_path / "other", "# moved\na.example\n")
    lists = [block("a", here), block("a", there), block("b", here), block("a", here, "spam"), block("a", other)]
    contents = [SourceLists.read([one]).references[0].content for one in lists]
    assert (contents[0] == contents[1], len(set(contents))) == (True, 4)


def test_storing_lets_go_of_the_copy_in_memory(tmp_path: Path) -> None:
    """What is mapped from a file is memory of none of the processes."""
    path = write(tmp_path / "list", "".join(f"host-{number}.example\n" for number in range(100_000)))
    before = pa.total_allocated_bytes()
    lists = SourceLists.read([block("list", path)])
    held = pa.total_allocated_bytes() - before
    stored = lists.store(str(tmp_path / "store"))
    kept = pa.total_allocated_bytes() - before
    assert held > 2_000_000
    assert kept < held / 100
    assert [one.rows.tolist() for one in stored.match(*pages("http://host-99999.example/")).blocks] == [[0]]


def test_lists_may_lie_and_be_stored_on_a_beam_filesystem(monkeypatch: pytest.MonkeyPatch) -> None:
    """There each process reads the file."""
    MemoryFiles.files["memory://lists/a.txt"] = b"a.example\n"
    stored = SourceLists.read([block("a", "memory://lists/a.txt")]).store("memory://run/lists")
    forget(monkeypatch)
    assert said(stored.match(*pages("http://x.a.example/")))[0] == [("a", None, [0], ["a.example"], [False])]
    assert f"memory://run/lists/{stored.references[0].content}.arrow" in MemoryFiles.files


def test_stored_list_that_is_gone_is_an_oserror(
    lists: SourceLists, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The step that needs it says which part it was."""
    stored = lists.store(str(tmp_path / "store"))
    forget(monkeypatch)
    (tmp_path / "store" / f"{lists.blocklists[0].content}.arrow").unlink()
    with pytest.raises(FileNotFoundError, match=lists.blocklists[0].content):
        stored.match(*pages("http://a.example"))


def test_file_is_read_once_in_a_process(lists: SourceLists, tmp_path: Path) -> None:
    """Later uses take what is at hand, even if the files are gone."""
    stored = lists.store(str(tmp_path / "store"))
    before = said(stored.match(*pages(*URLS)))
    for path in (tmp_path / "store").iterdir():
        path.unlink()
    assert said(stored.match(*pages(*URLS))) == before


def test_table_of_a_list_holds_no_copy(lists: SourceLists, tmp_path: Path) -> None:
    """One row a file of the list, its arrays those of the indexes."""
    read = read_lists(ListSource("ut1", str(tmp_path / "ut1"), "ut1", None))
    compiled = CompiledList.compile(read)
    table = compiled.table()
    assert [batch.num_rows for batch in table.to_batches()] == [1] * len(compiled.files)
    again = CompiledList.of(table)
    for one, other in zip(compiled.files, again.files, strict=True):
        mine, theirs = one.domains.entries.buffers()[1], other.domains.entries.buffers()[1]
        assert (mine.address, one.file) == (theirs.address, other.file)
    assert content_digest(again.table()) == content_digest(table) == lists.references[0].content


# What is told


def test_facts_are_all_that_the_manifest_says_of_a_list(tmp_path: Path) -> None:
    """In values that JSON can hold; of lines that are ignored the first 20, of public suffixes too."""
    lines = ["||a.example^", "||a.example^", "||github.io^", "||b.example/x", "/ads/*.js", "@@||c.example^"]
    content = "\n".join([*lines, "a.example##.ad", "||d.example^$script", "||e.example^$script", "/(?=x)/"])
    lists = SourceLists.read([block("filters", write(tmp_path / "list", content), "ads", "adblock")])
    (facts,) = lists.facts()
    assert {name: facts[name] for name in ("kind", "name", "category", "sha256", "format")} == {
        "kind": "blocklist",
        "name": "filters",
        "category": "ads",
        "sha256": hashlib.sha256(content.encode()).hexdigest(),
        "format": "adblock",
    }
    assert (facts["entries"], facts["blocks"]) == (5, {"domains": 2, "prefixes": 1, "patterns": 1})
    assert facts["exceptions"] == {"domains": 1, "prefixes": 0, "patterns": 0}
    assert (facts["public_suffixes"], facts["public_suffixes_shown"]) == (1, ["github.io"])
    assert sum(facts["unsupported"].values()) == 3
    assert (facts["ignored"], [line["line"] for line in facts["ignored_lines"]]) == (1, [10])
    assert facts["notes"] == []


def test_user_is_told_what_is_not_taken_as_it_may_have_been_meant(tmp_path: Path) -> None:
    """A letter for each list and matter; a list in which all is well is not mentioned."""
    first = write(tmp_path / "first", "a.example\nco.uk\nnot a domain\ngithub.io\n/x\n")
    well = write(tmp_path / "well", "a.example\n*.github.io\n")
    lists = SourceLists.read([block("first", first)], ["co.uk"], [allow("well", well)])
    narrow = "entries that are public suffixes, such as `co.uk`, and cover the host of that very name alone"
    advice = "Write `*.co.uk` to cover all that is registered under it."
    assert lists.warnings() == [
        "blocklist `first`: lines that cannot be read and are ignored: 2, the first line 3: not a domain",
        f"blocklist `first`: {narrow}: 2. {advice}",
        f"allowlist `allow`: {narrow}: 1. {advice}",
    ]


def test_user_is_told_of_notes_and_of_what_is_not_supported(tmp_path: Path) -> None:
    """With the file of a folder that a line stands in, and the kinds with their numbers."""
    write(tmp_path / "ut1" / "child" / "domains", "a.example\nb c\n")
    write(tmp_path / "ut1" / "child" / "usage", "white\n")
    filters = write(tmp_path / "filters", "||a.example^\na.example##.ad\n||b.example^$script\n||c.example^$script\n")
    lists = SourceLists.read([block("ut1", tmp_path / "ut1", None, "ut1"), block("f", filters, "ads", "adblock")])
    white, ignored, unsupported = lists.warnings()
    assert white.startswith("blocklist `ut1`: `child/usage` says that this is a white list")
    assert ignored == (
        "blocklist `ut1`: lines that cannot be read and are ignored: 1, the first line 2 of child/domains: b c"
    )
    assert unsupported.startswith("blocklist `f`: lines that say what is not supported and are left out: cosmetic ")
    assert unsupported.endswith(" (1), option script (2)")
