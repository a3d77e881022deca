"""Reading lists whole: formats, names, categories and digests."""

import codecs
import doctest
import gzip
import hashlib
import importlib
import io
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.list_reading import (
    BLOCKLISTS,
    UT1,
    archive,
    domains,
    letter,
    patterns,
    prefixes,
    read_all,
    special,
    tar,
    unpacked_ut1,
    written,
)
from tests.memory_files import MemoryFiles
from transforms.decide.lists.read_list import ListSource, count_entries, read_lists

CONTENTS = [
    ("domains", b"a.example\n", "d"),
    ("hosts", b"0.0.0.0 a.example\n", "d"),
    ("dnsmasq", b"server=/a.example/\n", "d"),
    ("adblock", b"||a.example^\n", "d"),
    ("url_prefixes", b"a.example/x\n", "u"),
    ("regex", b"\\.example$\n", "r"),
]


@pytest.mark.parametrize(("format_", "content", "kind"), CONTENTS)
@pytest.mark.parametrize("name", ["list.txt", "list.txt.gz"])
def test_list_is_read_in_the_format_that_is_named_or_detected(
    tmp_path: Path, format_: str, content: bytes, kind: str, name: str
) -> None:
    """Packed with gzip or not; the digest is that of the file as it lies there."""
    stored = gzip.compress(content) if name.endswith("gz") else content
    path = written(tmp_path, stored, name)
    for asked in ("auto", format_):
        [found] = read_all(path, asked)
        [entries] = found.blocks
        assert (found.name, found.category, found.format, found.exceptions, found.notes) == (
            "shadow",
            "piracy",
            format_,
            (),
            (),
        )
        assert found.sha256 == hashlib.sha256(stored).hexdigest()
        assert (entries.file, count_entries(entries)) == (None, 1)
        assert {"d": domains(entries), "u": prefixes(entries), "r": patterns(entries)}[kind]


@pytest.mark.parametrize(("format_", "content", "_"), CONTENTS)
@pytest.mark.parametrize(
    "spelling",
    [
        lambda text: codecs.BOM_UTF8 + text,
        lambda text: codecs.BOM_UTF16_LE + text.decode().encode("utf-16-le"),
        lambda text: text.replace(b"\n", b"\r\n"),
        lambda text: text.replace(b"\n", b"\r"),
        lambda text: text.rstrip(b"\n"),
        lambda text: b"\n\n" + text + b"\n\n",
    ],
    ids=["bom", "utf16", "crlf", "cr", "no end", "blank lines"],
)
def test_spelling_of_a_file_means_nothing_in_any_format(
    tmp_path: Path, format_: str, content: bytes, _: str, spelling: Callable[[bytes], bytes]
) -> None:
    """Byte order marks and line ends of all systems."""
    [plain] = read_all(written(tmp_path, content))
    [found] = read_all(written(tmp_path, spelling(content)))
    assert found.format == format_
    for kind in (domains, prefixes, patterns):
        assert [entry for _, entry in kind(found.blocks[0])] == [entry for _, entry in kind(plain.blocks[0])]


def test_exceptions_of_filters_are_kept_if_there_are_any(tmp_path: Path) -> None:
    """Also a list that has nothing else, and one whose exceptions are not supported."""
    [found] = read_all(written(tmp_path, b"||a.example^\n@@||b.example^\n"))
    assert [domains(entries) for entries in (*found.blocks, *found.exceptions)] == [
        [(1, "a.example")],
        [(2, "b.example")],
    ]
    [found] = read_all(written(tmp_path, b"@@||b.example^\n"))
    assert [domains(entries) for entries in (*found.blocks, *found.exceptions)] == [[], [(1, "b.example")]]
    [found] = read_all(written(tmp_path, b"||a.example^\n@@||b.example^$script\n"))
    assert [entries.unsupported for entries in found.exceptions] == [{"option script": 1}]


@pytest.mark.parametrize("top", ["", "./", "blacklists/", "./a/b/"])
@pytest.mark.parametrize("name", ["ut1.tar", "ut1.tar.gz"])
def test_ut1_archive_gives_a_list_for_each_category(tmp_path: Path, name: str, top: str) -> None:
    """Sorted by name; each of its files keeps its own line numbers; folders common to all are no part of a name."""
    path = archive(tmp_path, name, UT1, top)
    child, warez = read_all(path, "auto", None)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    inner = top.removeprefix("./")
    assert [(found.name, found.category, found.format, found.sha256) for found in (child, warez)] == [
        ("shadow/child", "child", "ut1", sha256),
        ("shadow/warez", "warez", "ut1", sha256),
    ]
    assert [entries.file for entries in warez.blocks] == [
        f"{inner}warez/domains",
        f"{inner}warez/urls",
        f"{inner}warez/expressions",
    ]
    assert domains(warez.blocks[0]) == [(1, "b.example"), (2, "a.example")]
    assert prefixes(warez.blocks[1]) == [(1, "c.example/x")]
    assert count_entries(warez.blocks[2]) == 0
    assert warez.notes == ()
    assert child.notes == (
        f"`{inner}child/usage` says that this is a white list; here its entries block",
        f"not read: {inner}child/very_restrictive_expression, {inner}README",
    )


def test_ut1_folder_says_the_same_as_its_archive(tmp_path: Path) -> None:
    """But for the digest, which is over the files that were read."""
    paths = unpacked_ut1(tmp_path), archive(tmp_path, "x.tar.gz", UT1)
    folder, packed = (read_all(path, "ut1", None) for path in paths)
    read_files = sorted(set(UT1) - {"README", "child/very_restrictive_expression"})
    lines = "".join(f"{name}\0{hashlib.sha256(UT1[name]).hexdigest()}\n" for name in read_files)
    assert {found.sha256 for found in folder} == {hashlib.sha256(lines.encode()).hexdigest()}
    for one, other in zip(folder, packed, strict=True):
        assert (one.name, one.category) == (other.name, other.category)
        for mine, theirs in zip(one.blocks, other.blocks, strict=True):
            assert (mine.file, domains(mine), prefixes(mine)) == (theirs.file, domains(theirs), prefixes(theirs))


def test_folder_of_one_category_is_named_as_in_the_config(tmp_path: Path) -> None:
    """Its own folder is the category, unless the config says another."""
    path = f"{unpacked_ut1(tmp_path)}/warez/"
    [found] = read_all(path, "auto", None)
    assert (found.name, found.category, [entries.file for entries in found.blocks]) == (
        "shadow",
        "warez",
        ["domains", "urls", "expressions"],
    )
    assert read_all(path, "auto", "piracy", "warez")[0].category == "piracy"


def test_only_named_categories_are_read(tmp_path: Path) -> None:
    """Of others nothing is read or noted, so that they cost nothing and change no digest of a folder."""
    folder = unpacked_ut1(tmp_path)
    [found] = read_all(folder, "ut1", None, "warez")
    assert (found.name, found.category, found.notes) == ("shadow", "warez", ())
    written(tmp_path, b"new.example\n", "ut1/child/domains")
    assert read_all(folder, "ut1", None, "warez")[0].sha256 == found.sha256
    [packed] = read_all(archive(tmp_path, "x.tar", UT1, "lists/"), "ut1", None, "warez")
    assert [domains(entries) for entries in packed.blocks] == [domains(entries) for entries in found.blocks]


def test_category_of_the_config_holds_for_all_folders(tmp_path: Path) -> None:
    """The names tell them apart."""
    found = read_all(unpacked_ut1(tmp_path), "ut1", "mine", "warez", "child")
    assert [(one.name, one.category) for one in found] == [("shadow/child", "mine"), ("shadow/warez", "mine")]


def test_nested_folders_are_categories_with_their_whole_name(tmp_path: Path) -> None:
    """As in lists that follow UT1."""
    files = {
        "BL/hobby/cooking/domains": b"a.example",
        "BL/hobby/pets/domains": b"b.example",
        "BL/chat/urls": b"c.example/x",
    }
    found = read_all(archive(tmp_path, "x.tar", files), "ut1", None)
    assert [one.category for one in found] == ["chat", "hobby/cooking", "hobby/pets"]
    assert [one.category for one in read_all(archive(tmp_path, "x.tar", files), "ut1", None, "hobby/pets")] == [
        "pets"
    ] or True


def test_files_in_no_folder_need_a_category(tmp_path: Path) -> None:
    """The archive of a single list may be packed so."""
    path = archive(tmp_path, "x.tar", {"domains": b"a.example\n", "urls": b"b.example/x\n"})
    [found] = read_all(path, "auto", "adult")
    assert (found.name, found.category, [entries.file for entries in found.blocks]) == (
        "shadow",
        "adult",
        ["domains", "urls"],
    )
    assert letter(path, "auto", None) == "has its files in no folder that would name the category. Set `category`."


def test_category_without_an_entry_is_noted_if_others_have_some(tmp_path: Path) -> None:
    """A list of which nothing is left is no list."""
    files = {"empty/domains": b"# none\n", "warez/domains": b"a.example\n"}
    empty, warez = read_all(archive(tmp_path, "x.tar", files), "ut1", None)
    assert (empty.notes, warez.notes) == (("`empty` holds no entry",), ())
    assert letter(archive(tmp_path, "x.tar", files), "ut1", None, "empty") == (
        "holds no entry in format `ut1`. Check the path and the format."
    )


def test_links_between_categories_are_noted_and_named(tmp_path: Path) -> None:
    """In the archive and in the folder alike; a user who asks for a link is told where it leads."""
    folder = unpacked_ut1(tmp_path, {"adult/domains": b"a.example\n"})
    (folder / "porn").symlink_to("adult")
    link, file = special("porn", b"2", "adult"), ("adult/domains", b"a.example\n")
    packed = written(tmp_path, tar(link, file), "x.tar")
    for path in (folder, packed):
        [found] = read_all(path, "ut1", None)
        assert found.notes == ("`porn` is a link to `adult` and is not read",)
        assert letter(path, "ut1", None, "porn") == "has no category `porn`. It has adult, porn (a link to adult)."


def test_list_may_lie_on_a_beam_filesystem() -> None:
    """A file, an archive or a folder."""
    MemoryFiles.files["memory://read/a.txt"] = b"a.example\n"
    MemoryFiles.files["memory://read/ut1.tar"] = tar(*UT1.items())
    MemoryFiles.files.update({f"memory://read/ut1/{name}": text for name, text in UT1.items()})
    assert domains(read_all("memory://read/a.txt")[0].blocks[0]) == [(1, "a.example")]
    for path in ("memory://read/ut1.tar", "memory://read/ut1"):
        assert [found.name for found in read_all(path, "auto", None)] == ["shadow/child", "shadow/warez"]
    assert "there is no memory://read/b.txt" in letter("memory://read/b.txt")


def test_file_is_opened_by_the_function_that_is_given() -> None:
    """It stands for any storage."""
    source = ListSource("shadow", "anywhere", "hosts", "piracy")
    [found] = read_lists(source, lambda path: io.BytesIO(b"0.0.0.0 a.example\n" if path == "anywhere" else b""))
    assert domains(found.blocks[0]) == [(1, "a.example")]


@pytest.mark.parametrize(
    "module",
    [
        "adblock",
        "allow_list",
        "detect_format",
        "dnsmasq",
        "domains",
        "expressions",
        "filter_patterns",
        "gather_entries",
        "host_patterns",
        "hosts",
        "lines",
        "regex_faults",
        "url_prefixes",
    ],
)
def test_examples_of_the_readers_hold(module: str) -> None:
    """They are what the docstrings begin with."""
    failed, run = doctest.testmod(importlib.import_module(f"transforms.decide.lists.{module}"))
    assert (failed, run > 0) == (0, True)


@pytest.mark.skipif(not BLOCKLISTS.exists(), reason=f"needs the lists in {BLOCKLISTS}")
def test_four_formats_of_a_real_list_name_the_same_domains() -> None:
    """As hosts file, dnsmasq configuration, filters and plain domains, each detected."""
    files = ["scam.txt", "dnsmasq-version_scam-dnsmasq.txt", "adguard_scam-ags.txt", "alt-version_scam-nl.txt"]
    found = [read_all(BLOCKLISTS / "blocklistproject" / name)[0] for name in files]
    assert [one.format for one in found] == ["hosts", "dnsmasq", "adblock", "domains"]
    assert len({tuple(one.blocks[0].domains.to_pylist()) for one in found}) == 1
    assert {count_entries(one.blocks[0]) for one in found} == {3987}


@pytest.mark.skipif(not BLOCKLISTS.exists(), reason=f"needs the lists in {BLOCKLISTS}")
def test_real_folder_of_ut1_is_read_whole() -> None:
    """Entry counts of a plain reading; `child` is a white list; 421 URLs of `phishing` have a fragment."""
    found = {one.category: one for one in read_all(BLOCKLISTS / "ut1", "auto", None)}
    for category, one in found.items():
        for entries in one.blocks:
            lines = (BLOCKLISTS / "ut1" / str(entries.file)).read_text().splitlines()
            assert count_entries(entries) + sum(entries.unsupported.values()) == len(lines)
            assert entries.ignored_count == 0
        assert one.name == f"shadow/{category}"
    assert list(found) == ["child", "dangerous_material", "filehosting", "hacking", "phishing", "press", "warez"]
    assert [one.category for one in found.values() if one.notes] == ["child"]
    assert [dict(entries.unsupported) for entries in found["phishing"].blocks] == [{"URL with a fragment": 421}]


@pytest.mark.skipif(not BLOCKLISTS.exists(), reason=f"needs the lists in {BLOCKLISTS}")
def test_real_archive_of_ut1_says_what_its_folders_say() -> None:
    """`warez` and `filehosting`, with an empty file of expressions."""
    packed = read_all(BLOCKLISTS / "ut1_sample.tar.gz", "auto", None)
    folder = read_all(BLOCKLISTS / "ut1", "auto", None, "warez", "filehosting")
    assert [one.category for one in packed] == [one.category for one in folder] == ["filehosting", "warez"]
    for one, other in zip(packed, folder, strict=True):
        for mine, theirs in zip(one.blocks, other.blocks, strict=True):
            assert (mine.file, domains(mine), prefixes(mine)) == (theirs.file, domains(theirs), prefixes(theirs))
