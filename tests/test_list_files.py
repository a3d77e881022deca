"""Listing the crawl: which files, under which names, of which format, and where they may be cut."""

import gzip
import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from schemas.errors import InputError
from tests.memory_files import MemoryFiles
from transforms.measure import list_files as module
from transforms.measure.list_files import HASHED_BYTES, common_root, detect_format, expand, list_files, relative_name

WARC = b"WARC/1.0\r\nWARC-Type: warcinfo\r\n"
JSONL = b'{"id": 1, "text": "a"}\n'


def lz4(content: bytes) -> bytes:
    return bytes(pa.compress(content, "lz4", asbytes=True))


def as_is(content: bytes) -> bytes:
    return content


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "none": as_is,
    "gzip": gzip.compress,
    "zstd": zstandard.compress,
    "lz4": lz4,
}


def make(directory: Path, *names: str, content: bytes = JSONL) -> str:
    for name in names:
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return str(directory)


def parquet_bytes(rows: int, group: int) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table({"n": range(rows), "text": ["x" * n for n in range(rows)]}), sink, row_group_size=group)
    return sink.getvalue()


def listed(root: str, *patterns: str) -> list[str]:
    return [file.name for file in list_files([f"{root}/{pattern}" for pattern in patterns], root, "auto")]


def test_files_are_sorted_by_name_and_listed_once(tmp_path: Path) -> None:
    """However many patterns match them, and in whatever order these stand."""
    root = make(tmp_path, "b.jsonl", "a.jsonl", "sub/c.jsonl", "other.txt")
    assert listed(root, "sub/*", "*.jsonl", "b.*", "a.jsonl") == ["a.jsonl", "b.jsonl", "sub/c.jsonl"]


def test_two_stars_match_any_number_of_directories(tmp_path: Path) -> None:
    """None included; one star stays inside its directory."""
    root = make(tmp_path, "a.jsonl", "x/b.jsonl", "x/y/c.jsonl")
    assert listed(root, "**/*.jsonl") == ["a.jsonl", "x/b.jsonl", "x/y/c.jsonl"]
    assert listed(root, "*/*.jsonl") == ["x/b.jsonl"]


def test_directories_that_match_are_left_out(tmp_path: Path) -> None:
    """A directory is no file, whatever its name."""
    root = make(tmp_path, "a.jsonl", "b.jsonl/inside.txt")
    assert listed(root, "*.jsonl") == ["a.jsonl"]


def test_name_with_brackets_is_taken_literally_where_such_a_file_is(tmp_path: Path) -> None:
    """Otherwise the brackets are a pattern."""
    root = make(tmp_path, "crawl[1].jsonl", "crawl1.jsonl")
    assert expand(f"{root}/crawl[1].jsonl") == [f"{root}/crawl[1].jsonl"]
    os.remove(f"{root}/crawl[1].jsonl")
    assert expand(f"{root}/crawl[1].jsonl") == [f"{root}/crawl1.jsonl"]


def test_every_pattern_without_a_file_is_named(tmp_path: Path) -> None:
    """All of them at once, in the order of the config."""
    root = make(tmp_path, "a.jsonl")
    with pytest.raises(InputError) as refusal:
        listed(root, "z*.gz", "*.jsonl", "b/*")
    assert str(refusal.value) == (
        f"No file matches\n  {root}/z*.gz\n  {root}/b/*\n"
        "Correct crawl.files; relative patterns are relative to the config file."
    )


def test_dangling_link_is_named_with_the_fault(tmp_path: Path) -> None:
    """A file that a pattern matches is never passed over, for then its records would be missing unseen."""
    root = make(tmp_path, "a.jsonl")
    (tmp_path / "b.jsonl").symlink_to("nowhere")
    for pattern in ("*.jsonl", "b.jsonl"):
        with pytest.raises(InputError, match=r"b\.jsonl: No such file or directory\nNothing was begun\.$"):
            listed(root, pattern)


def test_files_that_cannot_be_opened_are_named_up_to_ten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the fault of each, and how many more there are."""
    root = make(tmp_path, *(f"{n:02d}.jsonl" for n in range(13)))

    def refuse(path: str) -> BinaryIO:
        if path.endswith("00.jsonl"):
            return open(path, "rb")
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(module, "open_input", refuse)
    with pytest.raises(InputError) as refusal:
        listed(root, "*.jsonl")
    shown = "".join(f"  {root}/{n:02d}.jsonl: Permission denied\n" for n in range(1, 11))
    assert str(refusal.value) == (f"12 of 13 input files cannot be opened:\n{shown}  … and 2 more\nNothing was begun.")


@pytest.mark.parametrize("compression", PACKERS)
@pytest.mark.parametrize(("content", "expected"), [(WARC, "warc"), (JSONL, "jsonl"), (b"plain words", "unknown")])
def test_format_is_seen_in_the_content_under_its_compression(
    tmp_path: Path, compression: str, content: bytes, expected: str
) -> None:
    """Where the name says nothing."""
    root = make(tmp_path, "data.bin", content=PACKERS[compression](content))
    (file,) = list_files([f"{root}/*"], None, "auto")
    assert (file.format, file.compression) == (expected, compression)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.warc", "warc"),
        ("a.WARC.GZ", "warc"),
        ("a.warc.wet.gz", "warc"),
        ("a.wat.zst", "warc"),
        ("a.jsonl", "jsonl"),
        ("a.ndjson.lz4", "jsonl"),
        ("a.parquet", "parquet"),
        ("a.json", "unknown"),
        ("a.warc.txt", "unknown"),
        ("jsonl", "unknown"),
    ],
)
def test_format_goes_by_the_name_where_it_is_known(name: str, expected: str) -> None:
    """A known ending is believed without a look at the content, so that a damaged file keeps its format."""
    assert detect_format(name, b"\x00\x01") == expected


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"PAR1\x15\x04", "parquet"),
        (b"\xef\xbb\xbf  \r\n{}", "jsonl"),
        (b"\n\nWARC/1.1\r\n", "warc"),
        (b"", "unknown"),
        (b"[{}]", "unknown"),
        (b"\x1f\x8b\x08", "unknown"),
        (b"\x1f\x8b\xff\xffgarbage", "unknown"),
        (b"\x28\xb5\x2f\xfdgarbage", "unknown"),
        (b"\x04\x22\x4d\x18garbage", "unknown"),
    ],
)
def test_format_of_odd_beginnings(head: bytes, expected: str) -> None:
    """Marks and blanks in front are passed over; a damaged compression is of no format, and no error."""
    assert detect_format("data", head) == expected


@pytest.mark.parametrize("format_", ["warc", "wet", "jsonl", "parquet"])
def test_format_that_the_config_names_is_believed(tmp_path: Path, format_: str) -> None:
    """WET files are WARC files."""
    root = make(tmp_path, "a.bin")
    (file,) = list_files([f"{root}/a.bin"], None, format_)
    assert file.format == {"wet": "warc"}.get(format_, format_)


@pytest.mark.parametrize("place", [0, HASHED_BYTES - 1, HASHED_BYTES, 2 * HASHED_BYTES + 5, -1])
def test_digest_covers_every_byte(tmp_path: Path, place: int) -> None:
    """A byte that changes anywhere is another input, and so another build."""
    content = bytearray(range(256)) * (3 * HASHED_BYTES // 256)
    path = tmp_path / "a.jsonl"
    path.write_bytes(content)
    (before,) = list_files([str(path)], None, "auto")
    content[place] ^= 1
    path.write_bytes(content)
    (after,) = list_files([str(path)], None, "auto")
    assert before.digest != after.digest
    assert before.bytes == after.bytes == len(content)


def test_links_to_one_file_are_one_file(tmp_path: Path) -> None:
    """By its shortest name: a loop of links does not multiply a crawl."""
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.jsonl").write_text("{}")
    (tmp_path / "sub" / "loop").symlink_to(tmp_path / "sub")
    (tmp_path / "twin.jsonl").symlink_to(tmp_path / "sub" / "a.jsonl")
    assert [file.name for file in list_files([f"{tmp_path}/**/*.jsonl"], None, "auto")] == ["twin.jsonl"]


def test_zstd_may_begin_with_a_frame_to_be_skipped(tmp_path: Path) -> None:
    """As pzstd writes it."""
    skipped = b"\x50\x2a\x4d\x18\x04\x00\x00\x00abcd"
    (tmp_path / "a.jsonl.zst").write_bytes(skipped + zstandard.compress(b'{"text": "a"}\n'))
    (file,) = list_files([f"{tmp_path}/*"], None, "auto")
    assert (file.format, file.compression) == ("jsonl", "zstd")


def test_name_that_is_no_text_is_named(tmp_path: Path) -> None:
    """Such a name could not be written to the ledger."""
    os.close(os.open(os.fsencode(tmp_path) + b"/bad\xff.jsonl", os.O_CREAT))
    with pytest.raises(InputError, match="its name is not text in UTF-8"):
        list_files([f"{tmp_path}/*.jsonl"], None, "auto")


def test_root_of_escaped_patterns_is_the_directory_itself() -> None:
    """A directory whose own name has brackets, as a config in it makes it."""
    assert common_root(["/data[[]1]/crawl/*.gz", "/data[[]1]/more/*.gz"]) == "/data[1]"


def test_files_of_a_beam_filesystem_are_listed_like_local_ones(tmp_path: Path) -> None:
    """Same names, sizes, digests, formats and row groups; only the paths differ."""
    contents = {"a.parquet": parquet_bytes(10, 4), "x/b.bin": gzip.compress(WARC, mtime=0), "c.jsonl": JSONL}
    for name, content in contents.items():
        make(tmp_path, name, content=content)
        MemoryFiles.files[f"memory://crawl/2024/{name}"] = content
    local = list_files([f"{tmp_path}/**"], str(tmp_path), "auto")
    remote = list_files(["memory://crawl/2024/**"], None, "auto")
    assert [file.path for file in remote] == [f"memory://crawl/2024/{file.name}" for file in local]
    assert [vars(file) | {"path": ""} for file in remote] == [vars(file) | {"path": ""} for file in local]
    with pytest.raises(InputError, match=r"No file matches\n  memory://crawl/none/\*\n"):
        list_files(["memory://crawl/none/*"], None, "auto")


@pytest.mark.parametrize("group", [3, 10, 100])
def test_row_groups_share_the_bytes_of_the_file(tmp_path: Path, group: int) -> None:
    """In proportion to their unpacked sizes in the footer."""
    root = make(tmp_path, "a.parquet", content=parquet_bytes(10, group))
    (file,) = list_files([f"{root}/a.parquet"], None, "auto")
    sizes = [g["total_byte_size"] for g in pq.read_metadata(f"{root}/a.parquet").to_dict()["row_groups"]]
    assert list(file.groups) == [file.bytes * size // sum(sizes) for size in sizes]
    assert len(file.groups) == -(-10 // group)


@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1 garbage PAR1", parquet_bytes(10, 3)[:-20]])
def test_parquet_with_a_broken_footer_has_no_row_groups(tmp_path: Path, content: bytes) -> None:
    """It stays in the plan as a whole file, which the reader then rejects by name."""
    root = make(tmp_path, "a.parquet", content=content)
    (file,) = list_files([f"{root}/a.parquet"], None, "auto")
    assert (file.format, file.groups, file.bytes) == ("parquet", (), len(content))


@pytest.mark.parametrize(
    ("patterns", "root"),
    [
        (["/data/crawl/*.gz"], "/data/crawl"),
        (["/data/a/*.gz", "/data/ab/x.gz"], "/data"),
        (["/data/a?/x.gz", "/data/ab/x.gz"], "/data"),
        (["/data/[ab]/x.gz"], "/data"),
        (["/data/**/x.gz"], "/data"),
        (["/a.gz"], ""),
        (["memory://bucket/a/*.gz", "memory://bucket/b.gz"], "memory://bucket"),
        (["memory://one/a/*.gz", "memory://two/a/*.gz"], "memory:/"),
        (["memory://one/a/*.gz", "/data/x.gz"], ""),
    ],
)
def test_common_root_is_the_deepest_directory_of_all_patterns(patterns: list[str], root: str) -> None:
    """Whole directories count, not letters, and no wildcard is part of it."""
    assert common_root(patterns) == root


def test_names_are_relative_to_the_root_or_else_the_whole_path(tmp_path: Path) -> None:
    """Names are what ids are made of, so a slash at the end of the root must make no difference."""
    root = make(tmp_path, "in/a.jsonl", "out/b.jsonl")
    assert [f.name for f in list_files([f"{root}/*/*"], f"{root}/in/", "auto")] == [f"{root}/out/b.jsonl", "a.jsonl"]
    assert relative_name("memory://b/x/y.gz", "memory://b") == "x/y.gz"
    assert relative_name("/database/x", "/data") == "/database/x"
