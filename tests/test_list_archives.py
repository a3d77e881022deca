"""Archives and folders of lists: read as streams, in bounds, and refused by name where they are dangerous."""

import gzip
import hashlib
import io
import os
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.list_reading import special, tar
from tests.memory_files import MemoryFiles
from transforms.decide.lists import list_members, stored
from transforms.decide.lists.list_members import Folder, archive_members, is_folder
from transforms.decide.lists.stored import ListError, Stored, unpacked
from transforms.part_store import open_input


def contents(archive: bytes) -> list[tuple[str, bytes]]:
    """Names and contents of the files in it."""
    found = []
    for member in archive_members(io.BytesIO(archive)):
        with member.open() as stream:
            found.append((member.name, stream.read()))
    return found


def letter(archive: bytes, error: type[Exception] = ListError) -> str:
    with pytest.raises(error) as caught:
        contents(archive)
    return str(caught.value)


@pytest.mark.parametrize("format_", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_archive_gives_its_files_in_order(format_: int) -> None:
    """With long names and with names of any alphabet; folders and a `./` in front are no part of it."""
    long = "/".join(["x" * 60] * 3)
    folder = special("./b/", tarfile.DIRTYPE)
    files = [("./b/domains", b"b.example\n"), (f"{long}/ü", b""), ("a/urls", b"x" * 100_000)]
    expected = [("b/domains", b"b.example\n"), (f"{long}/ü", b""), ("a/urls", b"x" * 100_000)]
    assert contents(tar(folder, *files, format_=format_)) == expected


def test_member_that_is_not_opened_is_passed_over() -> None:
    """Its bytes are read and thrown away, so that the digest is that of the whole archive."""
    archive = tar(("a", b"1" * 5000), ("b", b"2" * 5000), ("c", b"3" * 5000))
    source = Stored(io.BytesIO(archive))
    with unpacked(source) as stream:
        read = [member.open().read() for member in archive_members(stream) if member.name == "b"]
    assert read == [b"2" * 5000]
    assert (source.sha256(), source.count) == (hashlib.sha256(archive).hexdigest(), len(archive))


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["tar", "tar.gz"])
def test_digest_is_that_of_the_file_to_its_very_end(pack: Callable[[bytes], bytes]) -> None:
    """Zeros behind the archive too."""
    packed = pack(tar(("a", b"1")) + bytes(3 << 20))
    source = Stored(io.BytesIO(packed))
    with unpacked(source) as stream:
        assert [member.name for member in archive_members(stream)] == ["a"]
    assert source.sha256() == hashlib.sha256(packed).hexdigest()


OUT = "which leads out of it, to `{}`. Do not trust this archive."


@pytest.mark.parametrize(
    ("member", "expected"),
    [
        (("../evil/domains", b""), f"holds `../evil/domains` {OUT.format('../evil/domains')}"),
        (("a/../../domains", b""), f"holds `a/../../domains` {OUT.format('a/../../domains')}"),
        (("/etc/domains", b""), f"holds `/etc/domains` {OUT.format('/etc/domains')}"),
        (special("../d", tarfile.DIRTYPE), f"holds `../d` {OUT.format('../d')}"),
        (special("a/domains", tarfile.SYMTYPE, "../../x"), f"holds `a/domains`, a link, {OUT.format('../x')}"),
        (
            special("a/domains", tarfile.SYMTYPE, "/etc/passwd"),
            f"holds `a/domains`, a link, {OUT.format('/etc/passwd')}",
        ),
        (special("a/domains", tarfile.LNKTYPE, "../x"), f"holds `a/domains`, a link, {OUT.format('../x')}"),
        (
            special("a/domains", tarfile.CHRTYPE),
            "holds `a/domains`, which is no plain file. Do not trust this archive.",
        ),
        (
            special("a/domains", tarfile.BLKTYPE),
            "holds `a/domains`, which is no plain file. Do not trust this archive.",
        ),
        (
            special("a/domains", tarfile.FIFOTYPE),
            "holds `a/domains`, which is no plain file. Do not trust this archive.",
        ),
    ],
)
def test_archive_that_climbs_out_is_refused_by_name(member: tarfile.TarInfo | tuple[str, bytes], expected: str) -> None:
    """Nothing is ever written, but an archive made to attack is no list to trust."""
    assert letter(tar(("good/domains", b"a.example\n"), member)) == expected


def test_link_inside_of_the_archive_is_told_and_not_followed() -> None:
    """UT1 itself has such: names of categories that were renamed."""
    archive = tar(special("l/porn", tarfile.SYMTYPE, "adult"), special("l/b", tarfile.LNKTYPE, "l/adult/domains"))
    assert [(m.name, m.link) for m in archive_members(io.BytesIO(archive))] == [
        ("l/porn", "l/adult"),
        ("l/b", "l/adult/domains"),
    ]


def test_sparse_member_is_refused() -> None:
    """A few bytes of it stand for any number of zeros, which no bound on the archive would see."""
    info = tarfile.TarInfo("a/domains")
    header = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    header[156:157] = tarfile.GNUTYPE_SPARSE
    header[483:495] = b"77777777777\0"  # the size that it pretends to have
    header[148:156] = b"        "
    header[148:156] = f"{sum(header):06o}\0 ".encode()
    assert (
        letter(bytes(header) + bytes(1024)) == "holds `a/domains`, which is no plain file. Do not trust this archive."
    )


@pytest.mark.parametrize(
    ("cut", "expected"),
    [
        (100, "truncated header"),
        (513, "unexpected end of data"),
        (1000, "unexpected end of data"),
        (1536 + 10, "truncated header"),
    ],
)
def test_archive_cut_short_is_damaged(cut: int, expected: str) -> None:
    """In a header or in a member."""
    assert letter(tar(("a", b"1" * 600), ("b", b"2" * 600))[:cut], tarfile.ReadError) == expected


def test_header_with_a_wrong_checksum_is_damage_and_not_the_end() -> None:
    """What comes behind it would be lost in silence."""
    archive = bytearray(tar(("a", b"1"), ("b", b"2")))
    archive[1024 + 3] ^= 1
    assert letter(bytes(archive), tarfile.ReadError) == "bad checksum"


def test_header_of_any_length_is_not_read_into_memory() -> None:
    """Of names and attributes, a megabyte is more than enough."""
    header = special("@", tarfile.XHDTYPE)
    header.size = 3 << 30
    assert letter(header.tobuf() + bytes(1024), tarfile.ReadError) == "a header of 3,221,225,472 bytes"


def test_archive_of_too_many_members_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of them takes memory."""
    monkeypatch.setattr(list_members, "_MOST_MEMBERS", 3)
    assert len(contents(tar(*[(str(i), b"") for i in range(3)]))) == 3
    assert letter(tar(*[(str(i), b"") for i in range(4)])) == "holds more than 3 members, as no list does."


def unpack(packed: bytes) -> bytes:
    with unpacked(Stored(io.BytesIO(packed))) as stream:
        return stream.read()


def test_gzip_file_is_unpacked_and_any_other_left() -> None:
    """Files of several gzip members too, and empty ones."""
    text = b"a.example\n" * 100_000
    assert unpack(text) == unpack(gzip.compress(text)) == text
    assert unpack(gzip.compress(b"a") + gzip.compress(b"b")) == b"ab"
    assert unpack(b"") == unpack(gzip.compress(b"")) == b""


@pytest.mark.parametrize(
    "packed",
    [
        gzip.compress(b"a.example\n" * 1000)[:-1],
        gzip.compress(b"a.example\n" * 1000)[:30],
        gzip.compress(b"a.example\n")[:5],
        gzip.compress(b"a.example\n") + b"rubbish",
        gzip.compress(b"a.example\n")[:-8] + b"12345678",
        b"\x1f\x8brubbish",
        b"\x1f\x8b\x08\0\0\0\0\0\0\xff\xff\xff\xff",
    ],
    ids=["last byte", "data", "header", "behind", "checksum", "no header", "no data"],
)
def test_gzip_file_that_is_damaged_is_told(packed: bytes) -> None:
    """Cut anywhere, followed by something else, with a wrong checksum or no data at all."""
    with pytest.raises(ListError, match=r"^is damaged or cut short: .*\. Fetch it again\.$"):
        unpack(packed)


def test_archive_bomb_is_stopped_by_its_ratio() -> None:
    """A few megabytes of zeros are still borne, as small files may have a good ratio; then it ends."""
    stream = unpacked(Stored(io.BytesIO(gzip.compress(bytes(32 << 20), 6))))
    assert len(stream.read(7 << 20)) == 7 << 20
    with pytest.raises(ListError) as caught:
        stream.read()
    stream.close()
    assert str(caught.value).startswith("looks like an archive bomb: ")
    assert str(caught.value).endswith(
        "A list may unpack to 4,294,967,296 bytes, and beyond 8,388,608 to 200 times its size."
    )


def test_archive_bomb_is_stopped_by_its_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever its ratio."""
    monkeypatch.setattr(stored, "MOST_BYTES", 1_000_000)
    assert len(unpack(gzip.compress(os.urandom(1_000_000)))) == 1_000_000
    with pytest.raises(ListError, match=r"^looks like an archive bomb: .* A list may unpack to 1,000,000 bytes"):
        unpack(gzip.compress(os.urandom(1_000_001)))


def folder(path: str) -> Folder:
    return Folder(path, open_input)


def test_folder_gives_its_files_by_name(tmp_path: Path) -> None:
    """In all folders below; in the order of whole names; links are told and not followed."""
    for name in ("warez/urls", "warez/domains", "a/b/domains", "README"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "cracks").symlink_to("warez")
    members = list(folder(str(tmp_path)).members())
    assert [(member.name, member.link) for member in members] == [
        ("README", None),
        ("a/b/domains", None),
        ("cracks", "warez"),
        ("warez/domains", None),
        ("warez/urls", None),
    ]
    with members[1].open() as stream:
        assert stream.read() == b"a/b/domains"


def test_digest_of_a_folder_is_that_of_the_files_that_were_opened(tmp_path: Path) -> None:
    """Names and digests, by name; a file that is not read does not count."""
    for name in ("b", "a", "c"):
        (tmp_path / name).write_text(f"text of {name}")
    read = folder(f"{tmp_path}/")
    for member in reversed(list(read.members())):
        if member.name != "c":
            with member.open() as stream:
                stream.read()
    lines = "".join(f"{name}\0{hashlib.sha256(f'text of {name}'.encode()).hexdigest()}\n" for name in "ab")
    assert read.sha256() == hashlib.sha256(lines.encode()).hexdigest()


def test_folder_may_lie_on_an_object_store() -> None:
    """Where folders are but names with slashes in them."""
    for name in ("ut1/warez/domains", "ut1/adult/domains", "ut10/domains"):
        MemoryFiles.files[f"memory://folders/{name}"] = name.encode()
    assert [member.name for member in folder("memory://folders/ut1").members()] == ["adult/domains", "warez/domains"]
    assert is_folder("memory://folders/ut1")
    assert is_folder("memory://folders/ut1/")
    assert not is_folder("memory://folders/ut1/warez/domains")
    assert not is_folder("memory://folders/none")


def test_local_folder_is_one_and_a_file_is_none(tmp_path: Path) -> None:
    """What is not there is none either."""
    (tmp_path / "file").touch()
    assert [is_folder(str(tmp_path / name)) for name in ("", "file", "gone")] == [True, False, False]
