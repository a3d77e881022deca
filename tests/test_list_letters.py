"""Lists that cannot be used: a letter for each, with what is wrong, where, and what to do."""

import gzip
import os
from pathlib import Path

import pytest

from tests.list_reading import UT1, domains, letter, read_all, tar, unpacked_ut1, written


def test_missing_file_is_named() -> None:
    """With what the system says."""
    assert letter("/gone/list.txt") == ": No such file or directory."


def test_folder_that_cannot_be_listed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not taken for an empty one."""
    folder = unpacked_ut1(tmp_path)
    scandir = os.scandir

    def refuse(path: str) -> object:
        if path.endswith("warez"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert letter(folder, "ut1", None) == "/warez: Permission denied."


def test_file_of_a_folder_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """A link to nothing, for one."""
    folder = unpacked_ut1(tmp_path)
    (folder / "warez" / "domains").unlink()
    (folder / "warez" / "domains").symlink_to("gone")
    assert letter(folder, "ut1", None) == "/warez/domains: No such file or directory."


NOTHING = "holds no entry in format `{}`{} Check the path and the format."
UNREADABLE = ": {} of its lines cannot be read, the first of them line {}: `{}`."
UNKNOWN = (
    "is in no format that its first lines tell, such as line {}: `{}`. "
    "Name its format: hosts, dnsmasq, domains, url_prefixes, regex, adblock, ut1."
)
EMPTY = "is empty. Fetch it again, or take the list out of the config."
UNPACK = "Unpack it; of packed lists, gzip and .tar.gz are read."
CUT = "is damaged or cut short: {}. Fetch it again."
GZIP_CUT = CUT.format("Compressed file ended before the end-of-stream marker was reached")
OF_UT1 = "is not in format `ut1`: that is a folder or a tar archive."


@pytest.mark.parametrize(
    ("content", "format_", "expected"),
    [
        (b"", "auto", EMPTY),
        (gzip.compress(b""), "domains", EMPTY),
        (b"# only\n# comments\n", "domains", NOTHING.format("domains", ".")),
        (b"# only comments\n", "auto", UNKNOWN.format(1, "# only comments")),
        (b"\n<html>\n<body>Not found</body>\n", "auto", UNKNOWN.format(2, "<html>")),
        (
            b"# hosts\n\n0.0.0.0 a.example\n0.0.0.0 b.example\n",
            "domains",
            NOTHING.format("domains", UNREADABLE.format(2, 3, "0.0.0.0 a.example") + " It looks like format `hosts`."),
        ),
        (
            b"||a.example^\n",
            "hosts",
            NOTHING.format("hosts", UNREADABLE.format(1, 1, "||a.example^") + " It looks like format `adblock`."),
        ),
        (
            b"||a.example^$script\na.example##.ad\nb.example##.ad\n",
            "auto",
            NOTHING.format("adblock", "; what is not supported: cosmetic filter (2), option script (1)."),
        ),
        (b"(a\n", "regex", NOTHING.format("regex", UNREADABLE.format(1, 1, "(a (missing ): (?i)(a)"))),
        (b"a.example\n", "ut1", f"{OF_UT1} It looks like format `domains`."),
        (b"This is no list\n", "ut1", OF_UT1),
        (tar(*UT1.items()), "hosts", "is not in format `hosts`: that is one file of text. It looks like format `ut1`."),
        (b"PK\x03\x04rubbish", "domains", f"is a zip archive. {UNPACK}"),
        (b"\x7fELF\0\0\0", "auto", "is a binary file, and no list."),
        (gzip.compress(gzip.compress(b"a.example\n")), "auto", f"is a gzip file inside of a gzip file. {UNPACK}"),
        (gzip.compress(b"a.example\n")[:-4], "auto", GZIP_CUT),
        (tar(("a/domains", b"a.example\n" * 100))[:900], "auto", CUT.format("unexpected end of data")),
        (
            tar(("../domains", b"a.example\n")),
            "auto",
            "holds `../domains` which leads out of it, to `../domains`. Do not trust this archive.",
        ),
        (tar(("a", b"")), "auto", "holds no file `domains`, `urls` or `expressions`, as a UT1 list does; it holds a."),
        (tar(("a/domains", b"x.y"), ("./a/domains", b"x.y")), "auto", "holds `a/domains` twice."),
    ],
    ids=lambda value: "content" if isinstance(value, bytes) else None,
)
def test_list_that_cannot_be_used_gets_a_letter(tmp_path: Path, content: bytes, format_: str, expected: str) -> None:
    """What is wrong, the first line that could not be read, what the file looks like, what to do."""
    assert letter(written(tmp_path, content), format_) == expected


def test_archive_is_damaged_also_behind_its_last_file(tmp_path: Path) -> None:
    """A checksum that is wrong at the very end, as a download that was cut leaves it."""
    packed = gzip.compress(tar(*UT1.items()))
    expected = (
        "is damaged or cut short: Compressed file ended before the end-of-stream marker was reached. Fetch it again."
    )
    assert letter(written(tmp_path, packed[:-8], "x.tar.gz"), "auto", None) == expected


def test_options_of_one_format_are_refused_for_another(tmp_path: Path) -> None:
    """`only` and a missing category are of UT1."""
    path = written(tmp_path, b"a.example\n")
    assert letter(path, "auto", "piracy", "warez") == (
        "is in format `domains`; `only` chooses folders of a list in format `ut1`."
    )
    assert letter(path, "domains", None) == (
        "needs a category: it is in format `domains`, and only folders of `ut1` bring their own."
    )
    assert letter(tmp_path, "hosts") == "is a folder, and format `hosts` is one file. Name the file."


def test_category_that_is_not_there_is_named_beside_those_that_are(tmp_path: Path) -> None:
    """All that are missing at once."""
    assert letter(unpacked_ut1(tmp_path), "ut1", None, "warez", "porn", "are") == (
        "has no category `porn`, `are`. It has child, warez."
    )


def test_folder_without_lists_says_what_it_holds(tmp_path: Path) -> None:
    """A hundred names at most."""
    expected = "holds no file `domains`, `urls` or `expressions`, as a UT1 list does; it holds {}."
    assert letter(tmp_path) == expected.format("nothing")
    for number in range(102):
        written(tmp_path, b"a.example\n", f"{number:03}")
    assert letter(tmp_path) == expected.format(", ".join(f"{number:03}" for number in range(100)) + " and 2 more")


def test_fifty_megabytes_on_one_line_are_one_line_that_is_ignored(tmp_path: Path) -> None:
    """Beside a good line it is counted; alone it is no list."""
    line = b"a.example," * (5 << 20)
    [found] = read_all(written(tmp_path, b"a.example\n" + line + b"\nb.example\n"), "domains")
    assert domains(found.blocks[0]) == [(1, "a.example"), (3, "b.example")]
    shown = f"{line[:100].decode()} (longer than 65536 bytes)"
    assert found.blocks[0].ignored == ((2, shown),)
    assert letter(written(tmp_path, line), "domains").startswith(
        f"holds no entry in format `domains`: 1 of its lines cannot be read, the first of them line 1: `{shown}`."
    )
    assert letter(written(tmp_path, line)).startswith(
        "is in no format that its first lines tell, such as line 1: `a.example,a"
    )


def test_random_bytes_are_no_list(tmp_path: Path) -> None:
    """Whatever format is named."""
    path = written(tmp_path, os.urandom(100_000))
    for format_ in ("auto", "domains", "adblock", "regex"):
        assert letter(path, format_) == "is a binary file, and no list."
