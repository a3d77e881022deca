"""Take an HTTP response apart and undo the codings of its body."""

import io
import re
import zlib
from collections.abc import Callable
from typing import Final, NamedTuple

from fastwarc.stream_io import BrotliReader, WarcReader, ZstdReader

from transforms.measure.readers.warc_codecs import GZIP
from transforms.measure.readers.warc_records import Fields, Headers, first_values, parse_fields

MAX_BODY_BYTES: Final = 1 << 29
"""A decoded body is held in memory as a whole; a larger one (512 MiB) is an error, as compressed bombs are."""

_STATUS: Final = re.compile(rb"HTTP/\d+(?:\.\d+)?[ \t]+(\d{3})\b[^\r\n]*")
_HEADER_END: Final = re.compile(rb"\r?\n\r?\n")
_CHUNK: Final = re.compile(rb"[ \t]*([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\r\n]{0,1000})?\r?\n")
_CHUNK_END: Final = re.compile(rb"\r?\n")
_BINARY: Final = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")
_SAMPLE_BYTES: Final = 1445


class BrokenPageError(Exception):
    """A payload that cannot be turned into text; the message says why."""


class Response(NamedTuple):
    """An HTTP response as stored: status code, header, and the body with its codings."""

    status: int
    headers: Headers
    body: bytes
    fields: Fields
    """All fields of the header, of which `headers` has the first of each name."""


def split_response(block: bytes) -> Response:
    r"""Split the block of a response record.

    >>> split_response(b"HTTP/1.1 404 Not Found\r\n\r\ngone")[::2]
    (404, b'gone')

    A header that is not closed is all there is. Raises BrokenPageError if there is no HTTP status line.
    """
    status, end = _STATUS.match(block), _HEADER_END.search(block)
    if not status:
        raise BrokenPageError(f"The record begins with {block[:40]!r} instead of an HTTP status line.")
    head, body = (block[: end.start()], block[end.end() :]) if end else (block, b"")
    fields = parse_fields(head[status.end() :])
    return Response(int(status[1]), first_values(fields), body, fields)


def decode_body(response: Response, *, cut: bool = False) -> bytes:
    """Undo transfer and content codings: chunked, gzip, deflate, br, zstd.

    Many crawlers store the decoded body under the header as it was sent. So where the body is plain and the header
    names a coding, the body is taken as it is. `cut` says that the crawler stopped in the middle (WARC-Truncated): then
    what can be decoded is the body. Raises BrokenPageError if a coding is damaged or the body is over `MAX_BODY_BYTES`.
    """
    codings = ",".join(response.headers.get(name, "") for name in ("content-encoding", "transfer-encoding"))
    body = response.body
    for coding in reversed([name.strip() for name in codings.lower().split(",")]):
        if not body or coding in ("", "identity", "none"):
            continue
        try:
            body = _DECODERS.get(coding, _unknown)(body, cut)
        except (OSError, zlib.error, ValueError) as error:
            if not is_text(body):
                raise BrokenPageError(f"The body cannot be decoded as {coding!r}: {error}.") from error
        if len(body) > MAX_BODY_BYTES:
            raise BrokenPageError(f"The body, decoded as {coding!r}, is longer than {MAX_BODY_BYTES} bytes (512 MiB).")
    return body


def is_text(data: bytes) -> bool:
    """Whether the beginning holds no byte that texts do not hold.

    The bytes and the length are those of https://mimesniff.spec.whatwg.org/#binary-data-byte.
    """
    return not _BINARY.search(data, 0, _SAMPLE_BYTES)


def _unchunk(body: bytes, cut: bool) -> bytes:
    pieces: list[bytes] = []
    at = 0
    while at < len(body):
        chunk = _CHUNK.match(body, at)
        end = chunk.end() + int(chunk[1], 16) if chunk else at
        close = _CHUNK_END.match(body, end)
        if chunk and int(chunk[1], 16) == 0:
            break
        if chunk and (close or end == len(body) or (cut and end > len(body))):
            pieces.append(body[chunk.end() : end])
            at = close.end() if close else end
        elif not pieces and not (chunk and end > len(body)):
            return body  # not one chunk: the body is not chunked
        else:
            raise BrokenPageError(f"The body is in chunks, and that at byte {at} of {len(body)} is damaged.")
    return b"".join(pieces)


def _gunzip(body: bytes, cut: bool) -> bytes:
    pieces: list[bytes] = []
    room = MAX_BODY_BYTES + 1
    while room > 0 and (not pieces or body.startswith(GZIP)):
        data, body = _inflate(body, 31, cut, room)
        pieces.append(data)
        room -= len(data)
    return b"".join(pieces)


def _undeflate(body: bytes, cut: bool) -> bytes:
    """RFC 9110 means the zlib format by `deflate`; some servers send the bare stream."""
    try:
        return _inflate(body, zlib.MAX_WBITS, cut, MAX_BODY_BYTES + 1)[0]
    except zlib.error:
        return _inflate(body, -zlib.MAX_WBITS, cut, MAX_BODY_BYTES + 1)[0]


def _inflate(body: bytes, wbits: int, cut: bool, room: int) -> tuple[bytes, bytes]:
    """At most `room` decoded bytes, and the encoded bytes after the end of the stream."""
    codec = zlib.decompressobj(wbits)
    data = codec.decompress(body, room)
    if not codec.eof and len(data) < room and not cut:
        raise ValueError(f"it ends before the compressed stream does, after {len(data)} decoded bytes")
    return data, codec.unused_data


def _read_all(reader: type[WarcReader]) -> Callable[[bytes, bool], bytes]:
    def decode(body: bytes, cut: bool) -> bytes:
        pieces: list[bytes] = []
        stream, room = reader(io.BytesIO(body), fsspec_args=False), MAX_BODY_BYTES + 1  # type: ignore[call-arg]
        try:
            while room > 0 and (data := stream.read(min(room, 1 << 16))):
                pieces.append(data)
                room -= len(data)
        except OSError:
            if not cut or not pieces:
                raise
        return b"".join(pieces)

    return decode


def _unknown(body: bytes, cut: bool) -> bytes:
    raise ValueError("this coding is not known")


_DECODERS: Final[dict[str, Callable[[bytes, bool], bytes]]] = {
    "chunked": _unchunk,
    "gzip": _gunzip,
    "x-gzip": _gunzip,
    "deflate": _undeflate,
    "br": _read_all(BrotliReader),
    "zstd": _read_all(ZstdReader),
}
