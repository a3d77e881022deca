"""Read JSON Lines: one JSON object a line, plain, gzip or zstd.

>>> import io
>>> file, tally = io.BytesIO(b'{"text": "one"}\\n{"text": 2}\\n'), Tally()
>>> [batch] = read_jsonl(file, "a.jsonl", tally, ColumnMap((("text", "text"),)), compression="none")
>>> batch["text"].to_pylist(), tally.rejected[0]["detail"]
(['one'], 'column "text" holds 2, and only a string or null can be used')

Arrow parses blocks of lines that are beyond doubt; any other block is parsed line by line with `json`. What is
accepted is the same in both: what `json` accepts. So NaN and Infinity are numbers, since many writers emit them, and of
a key that stands twice in an object the last value counts.
"""

import itertools
import json
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, BinaryIO, Final, NamedTuple

import numba
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.json
import zstandard

from schemas.errors import InputError
from schemas.reasons import BROKEN_FILE, BROKEN_JSON, INVALID_UTF8, TRUNCATED, WRONG_TYPE
from transforms.measure.readers.columns import INTEGERS, STRINGS, ColumnMap, record_batches
from transforms.measure.tally import Tally

BLOCK_BYTES: Final = 8 << 20
"""Lines are parsed in blocks of this size; a longer line is a block of its own."""
MAX_DEPTH: Final = 128
"""A line with deeper nesting is rejected, so that the depth of the caller's stack decides nothing."""

_PACKED_BYTES: Final = 4 << 10  # zstd has no limit on what one step unpacks: 4 KiB can become 128 MiB
_BOM: Final = b"\xef\xbb\xbf"
_BLANK: Final = b" \t\r\n"
_QUOTED: Final = re.compile(r'"(?:[^"\\]|\\.)*"')
_DECODERS: Final[dict[str, Callable[[], Any]]] = {
    "gzip": lambda: zlib.decompressobj(16 + zlib.MAX_WBITS),
    "zstd": lambda: zstandard.ZstdDecompressor(max_window_size=1 << 31).decompressobj(),
}


class _FaultError(Exception):
    """A line, or the rest of a file, cannot be used: a reason of `REJECTIONS`, the fault, the object of the line."""

    def __init__(self, reason: str, detail: str, document: dict[str, Any] | None = None) -> None:
        super().__init__(reason, detail)
        self.reason, self.detail, self.document = reason, detail, document or {}


class _Rows(NamedTuple):
    """Parsed lines: where each starts in the block (int64), and the values of the mapped and the carried columns."""

    starts: npt.NDArray[np.int64]
    arrays: list[pa.Array]


def read_jsonl(
    stream: BinaryIO,
    source_file: str,
    tally: Tally,
    columns: ColumnMap,
    *,
    start: int = 0,
    stop: int | None = None,
    compression: str,
) -> Iterator[pa.RecordBatch]:
    """Yield batches of `RECORDS` and the carried columns, as strings, from the lines that begin in bytes [start, stop).

    The ranges of any partition give every line once. `compression` is none, gzip or zstd (of any number of members or
    frames); a compressed file has one range. Blank lines, CRLF, a byte order mark and a missing last newline are fine.

    A line that cannot be used is one rejected row: BROKEN_JSON, INVALID_UTF8, or WRONG_TYPE. Text, URL and the like
    must be strings or null; an id may also be a number or boolean, a carried value anything: both become their JSON
    text. A time that is not an ISO 8601 string and an offset that is not an integer become null. Where compressed data
    is damaged, complete lines before the damage are kept, and the rest is one rejected row, TRUNCATED or BROKEN_FILE,
    at the first line lost.

    Raises InputError if the file is compressed otherwise.
    """
    if compression == "none":
        end = _line_start(stream, start)
        pieces = _plain(stream, end, None if stop is None else _line_start(stream, stop))
    else:
        end, pieces = 0, _unpacked(stream, compression, source_file)
    fields = [pa.field(name, pa.string()) for name in columns.carry]
    names = [ours for ours, _ in columns.columns]
    try:
        for offset, block in _blocks(pieces, end, BLOCK_BYTES):
            end = offset + len(block)
            starts, arrays = _parse_fast(block, columns) or _parse_slowly(block, offset, source_file, tally, columns)
            mapped, carried = arrays[: len(names)], arrays[len(names) :]
            yield from record_batches(
                source_file,
                pa.array(starts + offset),
                dict(zip(names, mapped, strict=True)),
                list(zip(fields, carried, strict=True)),
            )
    except _FaultError as damage:
        tally.reject(source_file, end, damage.reason, damage.detail)


def jsonl_keys(stream: BinaryIO, compression: str, sample_bytes: int = 1 << 20) -> list[str]:
    """Keys of the objects in the first `sample_bytes` (unpacked), in order of first appearance; lines that cannot be
    read are passed over.

    >>> import io
    >>> jsonl_keys(io.BytesIO(b'{"b": 1, "a": 2}\\n{"c": 3}'), "none")
    ['b', 'a', 'c']
    """
    pieces = _plain(stream, 0, None) if compression == "none" else _unpacked(stream, compression, "The file")
    keys: dict[str, None] = {}
    try:
        _, sample = next(_blocks(pieces, 0, sample_bytes), (0, b""))
    except _FaultError:
        return []
    for line in sample.split(b"\n"):
        try:
            keys.update(dict.fromkeys(_document(line)))
        except _FaultError:
            continue
    return list(keys)


def _line_start(stream: BinaryIO, position: int) -> int:
    """Where the first line begins that begins at `position` or later; the end of the file if none does."""
    if position == 0:
        return 0
    stream.seek(position - 1)
    return position - 1 + len(stream.readline())


def _plain(stream: BinaryIO, start: int, stop: int | None) -> Iterator[bytes]:
    stream.seek(start)
    while stop is None or start < stop:
        piece = stream.read(BLOCK_BYTES if stop is None else min(BLOCK_BYTES, stop - start))
        if not piece:
            return
        yield piece
        start += len(piece)


def _unpacked(stream: BinaryIO, compression: str, name: str) -> Iterator[bytes]:
    """Unpacked pieces of all members or frames. Raises _FaultError after the last byte that can be unpacked."""
    if compression not in _DECODERS:
        raise InputError(
            f"{name} is compressed as {compression}, which is not read for JSON Lines.\n"
            "Unpack it, or pack it with gzip or zstd."
        )
    fault = ""
    fed = unpacked = 0
    for step in (_PACKED_BYTES, 1):  # a decoder keeps what it had when it fails, so the failing piece goes byte by byte
        unpack = _Unpack(_DECODERS[compression])
        stream.seek(0)
        while stream.tell() < fed:
            unpack(stream.read(min(_PACKED_BYTES, fed - stream.tell())))
        try:
            while packed := stream.read(step):
                piece = unpack(packed)
                fed += len(packed)
                unpacked += len(piece)
                yield piece
        except (zlib.error, zstandard.ZstdError) as error:
            fault = str(error)
            continue
        if unpack.is_inside:
            raise _FaultError(TRUNCATED, f"the file ends inside its {compression} data, after unpacked byte {unpacked}")
        return
    raise _FaultError(BROKEN_FILE, f"the {compression} data is damaged after unpacked byte {unpacked}: {fault}")


class _Unpack:
    """Unpacks pieces of a file of any number of members or frames; zeros between and after them are padding."""

    def __init__(self, new_decoder: Callable[[], Any]) -> None:
        self._new_decoder = new_decoder
        self._decoder: Any = None

    def __call__(self, packed: bytes) -> bytes:
        pieces = []
        while packed:
            if self._decoder is not None and self._decoder.eof:
                packed = packed.lstrip(b"\0")
            if packed and not self.is_inside:
                self._decoder = self._new_decoder()
            if packed:
                pieces.append(self._decoder.decompress(packed))
                packed = self._decoder.unused_data
        return b"".join(pieces)

    @property
    def is_inside(self) -> bool:
        """Whether a member or frame has begun and not ended."""
        return self._decoder is not None and not self._decoder.eof


def _blocks(pieces: Iterator[bytes], offset: int, size: int) -> Iterator[tuple[int, bytes]]:
    """Blocks of whole lines with their offsets: of at most `size` bytes, or one longer line. How the bytes come in
    pieces does not matter. A byte order mark at offset 0 becomes blanks.
    """
    held = bytearray()
    lineless = 0  # so many bytes of `held` are known to hold no newline
    try:
        for piece in pieces:
            held += piece
            if offset == 0 and held.startswith(_BOM):
                held[: len(_BOM)] = b" " * len(_BOM)
            while len(held) >= size:
                cut = held.rfind(b"\n", lineless, size) + 1 or held.find(b"\n", max(lineless, size)) + 1
                if not cut:
                    lineless = len(held)
                    break
                yield offset, bytes(memoryview(held)[:cut])
                del held[:cut]
                offset, lineless = offset + cut, 0
    except _FaultError:
        if cut := held.rfind(b"\n") + 1:
            yield offset, bytes(memoryview(held)[:cut])
        raise
    if held:
        yield offset, bytes(held)


def _parse_fast(block: bytes, columns: ColumnMap) -> _Rows | None:
    """All lines at once with Arrow; None if the block is empty or anything is in doubt."""
    starts = _line_starts(np.frombuffer(block, np.uint8))
    if not len(starts) or len(block) >= 2**31 - 1:  # Arrow's blocks and strings have 31 bits
        return None
    try:
        whole = [None, pa.py_buffer(np.array([0, len(block)])), pa.py_buffer(block)]
        pa.Array.from_buffers(pa.large_string(), 1, whole).validate(full=True)
        table = pyarrow.json.read_json(
            pa.BufferReader(block),
            pyarrow.json.ReadOptions(use_threads=False, block_size=len(block) + 1),
            pyarrow.json.ParseOptions(
                explicit_schema=_expected(block[starts[0] : starts[1] if len(starts) > 1 else None], columns),
                unexpected_field_behavior="ignore",
            ),
        )
    except (pa.ArrowInvalid, _FaultError):
        return None
    if len(table) != len(starts):
        return None
    return _Rows(starts, [table[theirs].combine_chunks().cast(pa.string()) for _, theirs in columns.pairs])


def _expected(line: bytes, columns: ColumnMap) -> pa.Schema:
    """String columns, but int64 where this line has an integer and only an id, offset or carried column is read."""
    document = _document(line)
    strict = {theirs for ours, theirs in columns.columns if ours != "record_id" and ours not in INTEGERS}
    return pa.schema(
        (key, pa.int64() if type(document.get(key)) is int and key not in strict else pa.string())
        for key in columns.keys
    )


@numba.njit(nogil=True, cache=True)
def _line_starts(block: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    """Start of every line that is not blank; empty if Arrow could read one otherwise than `json` does.

    Arrow reads objects wherever they begin and end, accepts NaN as -NaN and Inf too, and crashes on a lone `null`. So
    every line must hold one object, neither more nor less, with no capital N or I outside of its strings.
    """
    starts = np.empty(len(block) // 2 + 1, np.int64)
    rows = depth = line = i = 0
    done = False
    while i < len(block):
        byte = block[i]
        i += 1
        if byte == ord('"'):
            if depth == 0:
                return starts[:0]
            while i < len(block):
                byte = block[i]
                i += 1
                if byte == ord('"'):
                    break
                if byte == ord("\\"):
                    i += 1
                elif byte < ord(" "):
                    return starts[:0]
        elif byte == ord("{") or byte == ord("["):
            if depth == 0:
                if done or byte == ord("["):
                    return starts[:0]
                starts[rows] = line
                rows += 1
            depth += 1
            if depth > MAX_DEPTH:
                return starts[:0]
        elif byte == ord("}") or byte == ord("]"):
            depth -= 1
            done = depth == 0
            if depth < 0:
                return starts[:0]
        elif byte == ord("\n"):
            if depth:
                return starts[:0]
            line, done = i, False
        elif byte == ord("N") or byte == ord("I") or (depth == 0 and byte not in (ord(" "), ord("\t"), ord("\r"))):
            return starts[:0]
    return starts[: rows if depth == 0 else 0]


def _parse_slowly(block: bytes, offset: int, source_file: str, tally: Tally, columns: ColumnMap) -> _Rows:
    """Line by line with `json`; lines that cannot be used go to the tally."""
    pairs = columns.pairs
    starts, rows, position = [], [], 0
    for line in block.split(b"\n"):
        if line.strip(_BLANK):
            try:
                rows.append(_cells(_document(line), pairs))
                starts.append(position)
            except _FaultError as fault:
                known = _known(fault.document, columns)
                tally.reject(source_file, offset + position, fault.reason, fault.detail, size=len(line), **known)
        position += len(line) + 1
    # Text in 64 bits: a line may be longer than 2 GiB.
    types = [pa.large_string() if ours == "text" else pa.string() for ours, _ in pairs]
    cells = zip(*rows, strict=True) if rows else [()] * len(types)
    return _Rows(np.array(starts, np.int64), [pa.array(c, type_) for c, type_ in zip(cells, types, strict=True)])


def _known(document: dict[str, Any], columns: ColumnMap) -> dict[str, str]:
    """What a rejected row can say of its record: id and URL, where they are strings that can be stored."""
    known = ((ours, document.get(theirs)) for ours, theirs in columns.columns if ours in ("record_id", "url"))
    return {ours: value for ours, value in known if isinstance(value, str) and value.isprintable()}


def _document(line: bytes) -> dict[str, Any]:
    """The JSON object of a line. Raises _FaultError."""
    try:
        text = line.decode()
        if text.count("{") + text.count("[") > MAX_DEPTH and _depth(text) > MAX_DEPTH:
            raise _FaultError(BROKEN_JSON, f"the JSON is nested deeper than {MAX_DEPTH} levels")
        document = _JSON.decode(text)
    except UnicodeDecodeError as error:
        raise _FaultError(INVALID_UTF8, f"the line is not valid UTF-8: {error.reason} at byte {error.start}") from None
    except json.JSONDecodeError as error:
        raise _FaultError(BROKEN_JSON, f"the line is not JSON: {error.msg} at character {error.pos}") from None
    if not isinstance(document, dict):
        raise _FaultError(BROKEN_JSON, f"the line holds {_shown(document)}, and only an object can be used")
    return document


def _cells(document: dict[str, Any], pairs: Sequence[tuple[str, str]]) -> list[str | None]:
    """The mapped, then the carried values as strings. Raises _FaultError."""
    cells = []
    for ours, theirs in pairs:
        cells.append(_cell(ours, theirs, document))
        try:
            (cells[-1] or "").encode()
        except UnicodeEncodeError as error:
            fault = f'column "{theirs}" holds half of a surrogate pair at character {error.start}'
            raise _FaultError(INVALID_UTF8, fault, document) from None
    return cells


def _cell(ours: str, theirs: str, document: dict[str, Any]) -> str | None:
    """One value as a string; `ours` is empty for a carried column."""
    value = document.get(theirs)
    if value is None or isinstance(value, str):
        return value
    if ours in INTEGERS:
        return str(value) if type(value) is int else None
    if ours == "fetch_time":
        return None
    if ours in STRINGS or (ours == "record_id" and isinstance(value, dict | list)):
        can = "a string or null" if ours in STRINGS else "a string, a number, a boolean or null"
        fault = f'column "{theirs}" holds {_shown(value)}, and only {can} can be used'
        raise _FaultError(WRONG_TYPE, fault, document)
    return _json_text(value)


def _json_text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _shown(value: object) -> str:
    """A value in a message: strings, lists, objects and long numbers by their kind."""
    kinds: dict[type, str] = {str: "a string", list: "a list", dict: "an object"}
    shown = kinds.get(type(value)) or _json_text(value)
    return shown if len(shown) < 20 else "a number"


def _depth(text: str) -> int:
    """How deeply brackets outside of strings are nested."""
    brackets = re.findall(r"[\[{\]}]", _QUOTED.sub("", text))
    return max(itertools.accumulate(1 if bracket in "[{" else -1 for bracket in brackets), default=0)


# Python refuses to read longer integers; as floats they are infinite.
_JSON: Final = json.JSONDecoder(parse_int=lambda digits: int(digits) if len(digits) <= 4300 else float(digits))
