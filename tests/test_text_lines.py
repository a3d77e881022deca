"""Lists written by hand: their lines, their digest, and letters about what cannot be read."""

import hashlib
from pathlib import Path

import pytest

from schemas.errors import ConfigError
from transforms.decide.text_lines import MOST_BYTES, read_each, read_lines, refuse


def lines_of(folder: Path, content: bytes) -> list[tuple[int, str]]:
    path = folder / "list.txt"
    path.write_bytes(content)
    sha256, lines = read_lines("List `a`", str(path))
    assert sha256 == hashlib.sha256(content).hexdigest()
    return [tuple(line) for line in lines]


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        (b"one\ntwo\n", [(1, "one"), (2, "two")]),
        (b"one\r\n\r\ntwo", [(1, "one"), (3, "two")]),
        (b"one\rtwo\r", [(1, "one"), (2, "two")]),
        (b"\xef\xbb\xbfone\n", [(1, "one")]),
        (b"# comment\n  # comment too\none # is not\n", [(3, "one # is not")]),
        ("\u3000one\u00a0\u2028two \n".encode(), [(1, "one\u00a0\u2028two")]),
        (b"a\tb\n", [(1, "a\tb")]),
        (b"x" * MOST_BYTES, [(1, "x" * MOST_BYTES)]),
    ],
)
def test_lines_are_numbered_and_trimmed(tmp_path: Path, content: bytes, lines: list[tuple[int, str]]) -> None:
    """Comments and blank lines count, but are left out; only LF, CRLF and CR end a line."""
    assert lines_of(tmp_path, content) == lines


@pytest.mark.parametrize(
    ("content", "letter"),
    [
        (b"", "is empty: no line but comments. Check its path."),
        (b"\n# only\n", "is empty: no line but comments. Check its path."),
        (b"one\n\0", "is no text: it holds bytes of zero. Check its path, or save it as UTF-8."),
        ("one".encode("utf-16"), "is no text: it holds bytes of zero. Check its path, or save it as UTF-8."),
        (b"one\ntw\xf6\n", "is not in UTF-8, first in line 2. Save it as UTF-8."),
        (b"x\n" * MOST_BYTES, "is larger than 1 MiB. Check that it is the right file."),
    ],
)
def test_file_that_is_no_list_is_refused(tmp_path: Path, content: bytes, letter: str) -> None:
    """With its path, and what to do."""
    with pytest.raises(ConfigError) as caught:
        lines_of(tmp_path, content)
    assert str(caught.value) == f"List `a`: {tmp_path / 'list.txt'} {letter}"


def test_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """So is a folder in its place."""
    with pytest.raises(ConfigError, match=r"List `a`: .*gone\.txt: No such file or directory\."):
        read_lines("List `a`", str(tmp_path / "gone.txt"))
    with pytest.raises(ConfigError, match=r"Is a directory\."):
        read_lines("List `a`", str(tmp_path))


def test_refuse_shows_ten_faults_and_counts_the_rest() -> None:
    """And says nothing where there are none."""
    refuse("List `a`", "a.txt", [])
    with pytest.raises(ConfigError) as caught:
        refuse("List `a`", "a.txt", [f"line {number}: wrong" for number in range(1, 13)])
    shown = str(caught.value).splitlines()
    assert shown[0] == "List `a`: a.txt cannot be used:"
    assert shown[1::9] == ["  line 1: wrong", "  line 10: wrong"]
    assert shown[11:] == ["  and 2 more"]


def test_read_each_reads_all_and_gathers_every_letter() -> None:
    """In the order of the lists."""

    def read(name: str) -> str:
        if name.islower():
            raise ConfigError(f"{name} is wrong")
        return name * 2

    assert read_each(["A", "B"], read) == ("AA", "BB")
    with pytest.raises(ConfigError, match=r"^a is wrong\nb is wrong$"):
        read_each(["a", "B", "b"], read)


@pytest.mark.parametrize(("content", "line"), [(b"\xef\xbb\xbfa\n\xff", 2), (b"a\rb\r\xff", 3), (b"a\r\n\xff", 2)])
def test_line_that_is_not_utf8_is_counted_as_lines_are(tmp_path: Path, content: bytes, line: int) -> None:
    """Behind a byte order mark too, whatever ends lines."""
    with pytest.raises(ConfigError, match=f"is not in UTF-8, first in line {line}"):
        lines_of(tmp_path, content)
