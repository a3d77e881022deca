"""Compressed JSON Lines: members and frames, and what is kept of a file that is damaged or cut off."""

import gzip
import io
import json
import random
import zlib
from collections.abc import Callable

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import InputError
from schemas.reasons import BROKEN_FILE, TRUNCATED
from tests.jsonl_reading import TEXT_ONLY, read
from transforms.measure.readers.jsonl import jsonl_keys, read_jsonl
from transforms.measure.tally import Tally

Pack = Callable[[bytes], bytes]
PACKERS: dict[str, Pack] = {
    "gzip": lambda data: gzip.compress(data, mtime=0),
    "zstd": zstandard.ZstdCompressor(write_checksum=True).compress,
}
both = pytest.mark.parametrize("compression", PACKERS)


def sentences(count: int) -> list[str]:
    """Texts that do not compress to nothing."""
    noise = random.Random(5)
    return [f"{number} {noise.randbytes(60).hex()}" for number in range(count)]


def lines(texts: list[str]) -> bytes:
    return b"".join(json.dumps({"text": text}).encode() + b"\n" for text in texts)


def oracle(packed: bytes, compression: str) -> bytes:
    """What can be unpacked of one damaged member or frame, byte by byte."""
    decoder = zlib.decompressobj(31) if compression == "gzip" else zstandard.ZstdDecompressor().decompressobj()
    pieces = []
    for byte in packed:
        try:
            pieces.append(decoder.decompress(bytes([byte])))
        except (zlib.error, zstandard.ZstdError):
            break
    return b"".join(pieces)


@both
@given(groups=st.lists(st.lists(st.text(max_size=10), max_size=3), max_size=4), padding=st.integers(0, 3))
@settings(deadline=None)
def test_packed_file_is_read_like_the_plain_one(compression: str, groups: list[list[str]], padding: int) -> None:
    """Any number of members or frames, empty ones and trailing zeros included; offsets are those of the text."""
    plain = b"".join(map(lines, groups))
    packed = b"".join(PACKERS[compression](lines(group)) for group in groups)
    result = read(packed + bytes(padding if packed else 0), compression=compression)
    assert result.rejected == []
    assert result.rows("source_position", "text") == read(plain).rows("source_position", "text")


@both
def test_line_across_members_is_whole(compression: str) -> None:
    """A border of members or frames is no border of lines."""
    data = lines(["one", "two"])
    packed = PACKERS[compression](data[:5]) + PACKERS[compression](data[5:20]) + PACKERS[compression](data[20:])
    assert read(packed, compression=compression).rows("text") == ["one", "two"]


def test_skippable_zstd_frames_are_skipped() -> None:
    """As tools for parallel compression write them."""
    skippable = b"\x50\x2a\x4d\x18" + (4).to_bytes(4, "little") + b"abcd"
    packed = PACKERS["zstd"](lines(["one"])) + skippable + PACKERS["zstd"](lines(["two"]))
    assert read(packed, compression="zstd").rows("text") == ["one", "two"]


@both
def test_empty_file_has_no_documents_and_no_fault(compression: str) -> None:
    """Zero bytes are zero members."""
    result = read(b"", compression=compression)
    assert result.batches == []
    assert result.rejected == []


@both
@pytest.mark.parametrize("share", [0.01, 0.3, 0.7, 0.999])
def test_truncated_file_keeps_complete_lines(compression: str, share: float) -> None:
    """The lines before the cut are kept; the rest is one row at the first line lost."""
    packed = PACKERS[compression](lines(sentences(3000)))
    cut = packed[: int(len(packed) * share)]
    unpacked = oracle(cut, compression)
    complete = unpacked.rfind(b"\n") + 1
    result = read(cut, compression=compression)
    assert result.rows("text") == read(unpacked[:complete]).rows("text")
    fault = f"the file ends inside its {compression} data, after unpacked byte {len(unpacked)}"
    assert result.faults() == [(complete, TRUNCATED, fault)]
    assert result.rejected[0]["bytes"] is None


@both
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_damaged_file_keeps_every_line_that_can_be_unpacked(compression: str, share: float) -> None:
    """Up to the very byte at which the decoder fails, and one row for the rest."""
    packed = bytearray(PACKERS[compression](lines(sentences(4000))))
    start = int(len(packed) * share)
    packed[start : start + 300] = b"\xff" * 300
    unpacked = oracle(bytes(packed), compression)
    complete = unpacked.rfind(b"\n") + 1
    result = read(bytes(packed), compression=compression)
    expected = read(unpacked[:complete])
    assert result.rows("source_position", "text") == expected.rows("source_position", "text")
    assert result.rejected[:-1] == expected.rejected
    assert result.faults()[-1][:2] == (complete, BROKEN_FILE)
    assert f"the {compression} data is damaged after unpacked byte {len(unpacked)}: " in result.faults()[-1][2]


@both
def test_wrong_checksum_is_one_row_at_the_end(compression: str) -> None:
    """All lines came out, but something in them is not what was written."""
    packed = bytearray(PACKERS[compression](lines(["one", "two"])))
    packed[-5 if compression == "gzip" else -1] ^= 1
    result = read(bytes(packed), compression=compression)
    assert result.rows("text") == ["one", "two"]
    assert [fault[:2] for fault in result.faults()] == [(len(lines(["one", "two"])), BROKEN_FILE)]


@both
def test_garbage_after_a_member_is_one_row(compression: str) -> None:
    """What follows and is no member is reported, not passed over."""
    result = read(PACKERS[compression](lines(["one"])) + b"garbage", compression=compression)
    assert result.rows("text") == ["one"]
    assert [fault[:2] for fault in result.faults()] == [(len(lines(["one"])), BROKEN_FILE)]


@both
def test_file_that_is_not_packed_is_one_row(compression: str) -> None:
    """No document, no exception."""
    assert [fault[:2] for fault in read(lines(["one"]), compression=compression).faults()] == [(0, BROKEN_FILE)]
    assert [fault[:2] for fault in read(bytes(100), compression=compression).faults()] == [(0, BROKEN_FILE)]


@both
@given(data=st.data())
@settings(deadline=None, max_examples=60)
def test_any_flipped_byte_loses_nothing_silently(compression: str, data: st.DataObject) -> None:
    """A damaged file gives its documents, or a row that says what is wrong; never an exception."""
    texts = sentences(4)
    packed = bytearray(PACKERS[compression](lines(texts)))
    packed[data.draw(st.integers(0, len(packed) - 1))] ^= data.draw(st.integers(1, 255))
    result = read(bytes(packed), compression=compression)
    assert result.rejected or result.rows("text") == texts


class Trickle(io.BytesIO):
    """A stream that gives at most 7 bytes at a time."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(min(size or 7, 7))


@both
def test_short_reads_change_nothing_of_a_damaged_file(compression: str) -> None:
    """What is kept depends on the bytes of the file, not on how they arrive."""
    packed = bytearray(PACKERS[compression](lines(sentences(100))))
    packed[len(packed) // 2] ^= 255
    tally = Tally()
    batches = list(read_jsonl(Trickle(packed), "a.jsonl", tally, TEXT_ONLY, compression=compression))
    expected = read(bytes(packed), compression=compression)
    assert [batch.to_pylist() for batch in batches] == [batch.to_pylist() for batch in expected.batches]
    assert tally.rejected == expected.rejected


@both
def test_keys_of_a_packed_file_are_listed(compression: str) -> None:
    """Also of one that is damaged behind the sample, and none where nothing can be unpacked."""
    packed = PACKERS[compression](b'{"a": 1}\n{"b": 2}\n')
    assert jsonl_keys(io.BytesIO(packed), compression) == ["a", "b"]
    assert jsonl_keys(io.BytesIO(packed + b"garbage"), compression) == ["a", "b"]
    assert jsonl_keys(io.BytesIO(b"garbage"), compression) == []


def test_other_compression_is_refused_with_the_file_and_a_way_out() -> None:
    """LZ4 is read for WARC files only."""
    with pytest.raises(InputError) as caught:
        read(b"", compression="lz4")
    assert str(caught.value) == (
        "a.jsonl is compressed as lz4, which is not read for JSON Lines.\nUnpack it, or pack it with gzip or zstd."
    )
