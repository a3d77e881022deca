"""Unpacking: gzip, zstd and LZ4 files as one stream, the addresses of their members, and what damage does to them."""

import gzip
import io
import random
import zlib
from itertools import pairwise
from pathlib import Path

import pytest
import zstandard
from fastwarc.stream_io import Lz4Writer
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.reasons import BROKEN_FILE, BROKEN_RECORD, TRUNCATED
from tests import warc_files as make
from transforms.measure.readers import warc_codecs
from transforms.measure.readers.warc_codecs import ZSTD_DICTIONARY
from transforms.measure.readers.warc_members import Place, Unpacked
from transforms.measure.readers.warc_records import Fault, Record, scan_records

WARC = Path(__file__).resolve().parents[2] / "shared" / "data" / "warc"
CODECS = ["gzip", "zstd", "lz4"]
RECORDS = [make.warcinfo(), make.conversion("one " * 99), make.request(), make.conversion("two " * 99), make.revisit()]


def pack(data: bytes, codec: str) -> bytes:
    """One compressed member; both zstd and LZ4 with a check sum."""
    if codec == "gzip":
        return gzip.compress(data, mtime=0)
    if codec == "zstd":
        return zstandard.ZstdCompressor(write_checksum=True).compress(data)
    out = io.BytesIO()
    writer = Lz4Writer(out, fsspec_args=False)
    writer.write(data)
    writer.close()
    return out.getvalue()


def scan(data: bytes) -> list[Record | Fault]:
    """All records and faults of a file."""
    return list(scan_records(io.BytesIO(data)))


def outline(data: bytes) -> list[int | tuple[str, int, int | None]]:
    """Positions of records, and of faults the reason, position and size."""
    return [
        found.position if isinstance(found, Record) else (found.reason, found.position, found.size)
        for found in scan(data)
    ]


def starts(members: list[bytes]) -> list[int]:
    """Where each member begins, and the end."""
    return [sum(map(len, members[:i])) for i in range(len(members) + 1)]


@pytest.mark.parametrize("codec", CODECS)
def test_records_are_found_at_their_members(codec: str) -> None:
    """Offset and length are those of the member."""
    members = [pack(record, codec) for record in RECORDS]
    found = scan(b"".join(members))
    assert [(r.position, r.length) for r in found if isinstance(r, Record)] == list(
        zip(starts(members)[:-1], map(len, members), strict=True)
    )


@pytest.mark.parametrize("codec", CODECS)
def test_record_may_be_larger_than_any_buffer(codec: str) -> None:
    """Blocks of several MiB, that compress well or not at all."""
    for content in (bytes(9_000_000), random.Random(0).randbytes(3_000_000)):
        big = make.resource(content, "video/mp4")
        found = scan(pack(big, codec) + pack(RECORDS[1], codec))
        assert [record.block == content for record in found if isinstance(record, Record)] == [True, False]


@pytest.mark.parametrize("codec", CODECS)
def test_cut_file_keeps_all_complete_members(codec: str) -> None:
    """Whatever the codec, the rest is one row."""
    members = [pack(record, codec) for record in RECORDS]
    data, begin = b"".join(members), starts(members)
    for cut in range(begin[2], begin[4]):
        whole = [start for start, end in pairwise(begin) if end <= cut]
        rest = cut - begin[len(whole)]
        assert outline(data[:cut]) == [*whole, *([(TRUNCATED, begin[len(whole)], rest)] if rest else [])]


@pytest.mark.parametrize("codec", ["gzip", "zstd"])
def test_damaged_member_costs_its_record_only(codec: str) -> None:
    """The next member that unpacks to a record is found by its first bytes."""
    members = [pack(record, codec) for record in RECORDS]
    begin = starts(members)
    for place in range(begin[1], begin[2]):
        data = bytearray(b"".join(members))
        data[place] ^= 0xFF
        got = outline(bytes(data))
        assert [item for item in got if isinstance(item, int) and item != begin[1]] == [0, *begin[2:-1]]
        assert [item for item in got if isinstance(item, tuple)] in (
            [],
            [(BROKEN_RECORD, begin[1], len(members[1]))],
        )


def test_damaged_lz4_frame_ends_the_file() -> None:
    """LZ4 files are not searched for a next frame: the rest is one row."""
    members = [pack(record, "lz4") for record in RECORDS]
    members[1] = members[1][:20] + b"\xff" * 10 + members[1][30:]
    data = b"".join(members)
    assert outline(data) == [0, (BROKEN_FILE, len(members[0]), len(data) - len(members[0]))]


def test_lz4_block_over_the_limit_is_damage(monkeypatch: pytest.MonkeyPatch) -> None:
    """A damaged block length must not make the reader take the rest of the file into memory."""
    monkeypatch.setattr(warc_codecs, "_LZ4_BLOCK_BYTES", 100)
    (fault,) = scan(pack(random.Random(0).randbytes(1000), "lz4"))
    assert isinstance(fault, Fault)
    assert "an LZ4 block of 1000 bytes" in fault.detail


@pytest.mark.parametrize("compressed", [False, True])
def test_zstd_dictionary_of_the_first_frame_is_used(compressed: bool) -> None:
    """As files of ArchiveTeam have it: a skippable frame with the dictionary, itself compressed or not."""
    samples = [make.conversion(f"number {i} " * 20, f"urn:{i}") for i in range(2000)]
    dictionary = zstandard.train_dictionary(4096, [*samples])
    content = zstandard.compress(dictionary.as_bytes()) if compressed else dictionary.as_bytes()
    first = ZSTD_DICTIONARY + len(content).to_bytes(4, "little") + content
    packer = zstandard.ZstdCompressor(dict_data=dictionary)
    members = [packer.compress(record) for record in samples[:5]]
    data = first + b"".join(members)
    assert outline(data) == [len(first) + start for start in starts(members)[:-1]]
    broken = data[: len(first) + 20] + b"#" * 9 + data[len(first) + 29 :]
    assert outline(broken) == [
        (BROKEN_RECORD, len(first), len(members[0])),
        *(len(first) + start for start in starts(members)[1:-1]),
    ]


def test_damaged_zstd_dictionary_is_damage() -> None:
    """Nothing can be unpacked without it."""
    content = zstandard.compress(b"dictionary " * 99)[:-3]
    (fault,) = scan(ZSTD_DICTIONARY + len(content).to_bytes(4, "little") + content)
    assert isinstance(fault, Fault)
    assert fault.reason == BROKEN_FILE
    assert "its dictionary is damaged" in fault.detail


def test_first_byte_damaged_does_not_make_a_gzip_file_plain() -> None:
    """Two of the three bytes are enough to know it."""
    members = [pack(record, "gzip") for record in RECORDS]
    for place in range(3):
        data = bytearray(b"".join(members))
        data[place] ^= 0x55
        assert outline(bytes(data)) == [(BROKEN_RECORD, 0, len(members[0])), *starts(members)[1:-1]]


def test_next_member_is_found_far_away_and_among_false_starts() -> None:
    """Behind several windows of garbage that holds the magic number, alone and before other compressed data."""
    false = [
        b"\x1f\x8b\x08",
        gzip.compress(b"no record"),
        b"\x28\xb5\x2f\xfd",
        b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03",
    ]
    garbage = b"".join(random.Random(i).randbytes(300_001) + false[i % 4] for i in range(9))
    one, two = pack(RECORDS[1], "gzip"), pack(RECORDS[3], "gzip")
    assert outline(one + garbage + two) == [0, (BROKEN_RECORD, len(one), len(garbage)), len(one + garbage)]


@settings(deadline=None)
@given(st.lists(st.binary(max_size=50), max_size=6), st.lists(st.integers(0, 60), max_size=8))
def test_places_agree_with_a_slow_count(contents: list[bytes], drops: list[int]) -> None:
    """Every position lies in the last member that begins at or before it, and is exact at its beginning."""
    members = [zlib.compress(content, wbits=31) for content in contents]
    source = Unpacked(io.BytesIO(b"".join(members)))
    source.fill(10_000)
    assert bytes(source.buffer) == b"".join(contents)
    begins = dict(zip(starts(contents), starts(members), strict=True))  # of empty members the last one counts
    for drop in [0, *drops]:
        source.drop(min(drop, len(source.buffer)))
        for at in range(source.at, source.at + len(source.buffer) + 1):
            begin = max(begin for begin in begins if begin <= at)
            assert source.place(at) == Place(begins[begin], at == begin)


@pytest.mark.parametrize("codec", ["", ".gz", ".lz4"])
def test_stream_may_give_fewer_bytes_than_asked(codec: str) -> None:
    """As network streams do."""
    path = WARC / "resiliparse" / f"block-sized-records.warc{codec}"
    if not path.exists():
        pytest.skip(f"needs {path}")

    class Trickle(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(min(7, size) if size is not None and size > 0 else 7)

    found = list(scan_records(Trickle(path.read_bytes())))
    assert [len(record.block) for record in found if isinstance(record, Record)] == [16229] * 3
