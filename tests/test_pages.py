"""Payloads to text: codings of HTTP, charsets, HTML, and headers that lie."""

import codecs
import gzip
import io
import time
import zlib
from collections.abc import Callable
from typing import Any

import pytest
import zstandard
from fastwarc.stream_io import BrotliWriter
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import warc_files as make
from transforms.measure.readers import http_payload
from transforms.measure.readers.http_payload import BrokenPageError, decode_body, is_text, split_response
from transforms.measure.readers.pages import NotDocument, decode_text, read_page
from transforms.measure.readers.warc_records import Record

HTML = b"<!DOCTYPE html><html><body><p>" + b"All rights reserved. " * 500 + b"</p></body></html>"
Encode = Callable[[bytes], bytes]


def chunks(body: bytes, size: int = 1000, extension: bytes = b"") -> bytes:
    """The body in chunks, as HTTP/1.1 sends it."""
    pieces = [body[i : i + size] for i in range(0, len(body), size)]
    return b"".join(b"%x%s\r\n%s\r\n" % (len(piece), extension, piece) for piece in pieces) + b"0\r\n\r\n"


def brotli(body: bytes) -> bytes:
    """A brotli stream."""
    out = io.BytesIO()
    writer = BrotliWriter(out, fsspec_args=False)
    writer.write(body)
    writer.close()
    return out.getvalue()


def bare_deflate(body: bytes) -> bytes:
    """A deflate stream without the zlib format around it."""
    return zlib.compress(body, wbits=-zlib.MAX_WBITS)


def decode(body: bytes, *, content: str = "", transfer: str = "", cut: bool = False) -> bytes:
    """The decoded body of a response with such codings."""
    message = make.http(body, fields={"Content-Encoding": content, "Transfer-Encoding": transfer})
    return decode_body(split_response(message), cut=cut)


def page(message: bytes, fields: dict[str, str] | None = None, kind: str = "response") -> str | NotDocument:
    """The text that a record with this block is read as, or what it is instead."""
    lower = {name.lower(): value for name, value in (fields or {}).items()}
    found = read_page(Record({"warc-type": kind, **lower}, message, 0, len(message)))
    return found if isinstance(found, NotDocument) else found.text


# HTTP

CODINGS: list[tuple[str, Encode]] = [
    ("gzip", gzip.compress),
    ("x-gzip", gzip.compress),
    ("GZIP", gzip.compress),
    ("deflate", zlib.compress),
    ("deflate", bare_deflate),
    ("br", brotli),
    ("zstd", zstandard.compress),
    ("gzip, br", lambda body: brotli(gzip.compress(body, mtime=0))),
    ("identity", bytes),
    ("", bytes),
]


@pytest.mark.parametrize(("coding", "encode"), CODINGS)
@pytest.mark.parametrize("chunked", [False, True])
def test_body_is_decoded(coding: str, encode: Encode, chunked: bool) -> None:
    """Each coding, alone and in chunks."""
    body = chunks(encode(HTML), 99) if chunked else encode(HTML)
    assert decode(body, content=coding, transfer="chunked" if chunked else "") == HTML


def test_transfer_coding_may_compress_too() -> None:
    """`gzip, chunked` is allowed there, and gzip members may follow one another."""
    assert decode(chunks(gzip.compress(HTML, mtime=0)), transfer="gzip, chunked") == HTML
    assert decode(gzip.compress(HTML, mtime=0) + gzip.compress(HTML, mtime=0), content="gzip") == HTML * 2
    assert decode(gzip.compress(HTML, mtime=0) + b"\r\n", content="gzip") == HTML


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "sdch", "utf-8", "gzip, br"])
@pytest.mark.parametrize("transfer", ["", "chunked"])
@pytest.mark.parametrize("body", [HTML, "Страница".encode("cp1251"), "ページ\n".encode("euc-jp") * 9, b"x", b""])
def test_plain_body_under_a_lying_header_is_taken_as_it_is(coding: str, transfer: str, body: bytes) -> None:
    """Many crawlers store what they decoded, and the header that came with it."""
    assert decode(body, content=coding, transfer=transfer) == body


def test_chunked_may_be_the_only_lie() -> None:
    """Compressed, but not in chunks; and in chunks, but not compressed."""
    assert decode(gzip.compress(HTML, mtime=0), content="gzip", transfer="chunked") == HTML
    assert decode(chunks(HTML), content="gzip", transfer="chunked") == HTML


@pytest.mark.parametrize(
    ("body", "fields", "words"),
    [
        (gzip.compress(HTML, mtime=0)[:-30], {"content": "gzip"}, "it ends before the compressed stream does"),
        (gzip.compress(HTML, mtime=0)[:-8] + bytes(8), {"content": "gzip"}, "incorrect data check"),
        (zlib.compress(HTML)[:-30], {"content": "deflate"}, "'deflate'"),
        (brotli(HTML)[:-9], {"content": "br"}, "'br'"),
        (zstandard.compress(HTML)[:-9], {"content": "zstd"}, "incomplete frame"),
        (bytes(99), {"content": "zstd"}, "'zstd'"),
        (bytes(99), {"content": "sdch"}, "this coding is not known"),
        (chunks(HTML)[:-3000], {"transfer": "chunked"}, "damaged"),
        (chunks(HTML)[:1500] + b"!" + chunks(HTML)[1500:], {"transfer": "chunked"}, "that at byte 1007 of "),
        (chunks(HTML, 99_999)[:-3000], {"transfer": "chunked"}, "that at byte 0 of "),
    ],
)
def test_damaged_coding_is_an_error(body: bytes, fields: dict[str, Any], words: str) -> None:
    """No part of a page passes for the page; the message names the coding or the chunk."""
    with pytest.raises(BrokenPageError, match=words):
        decode(body, **fields)


@pytest.mark.parametrize(
    "body",
    [
        chunks(HTML)[:-5],
        chunks(HTML)[:-7],
        chunks(HTML, extension=b";name=value"),
        chunks(HTML) + b"trailer",
        chunks(HTML).replace(b"\r\n", b"\n"),
    ],
)
def test_chunks_are_read_without_pedantry(body: bytes) -> None:
    """A missing last chunk, extensions, a trailer and bare line feeds lose nothing."""
    assert decode(body, transfer="chunked") == HTML


@pytest.mark.parametrize(
    ("encode", "fields"),
    [
        (gzip.compress, {"content": "gzip"}),
        (zlib.compress, {"content": "deflate"}),
        (chunks, {"transfer": "chunked"}),
        (lambda body: chunks(body, 99_999), {"transfer": "chunked"}),
    ],
)
def test_body_that_the_crawler_cut_is_decoded_as_far_as_it_goes(encode: Encode, fields: dict[str, Any]) -> None:
    """Under WARC-Truncated the end of the bytes is no damage."""
    body = encode(HTML)
    decoded = decode(body[: len(body) * 9 // 10], cut=True, **fields)
    assert len(decoded) > 1000
    assert HTML.startswith(decoded)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd"])
def test_compressed_bomb_is_an_error(coding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Decoding stops at the limit instead of filling the memory."""
    monkeypatch.setattr(http_payload, "MAX_BODY_BYTES", 10_000)
    with pytest.raises(BrokenPageError, match="longer than 10000 bytes"):
        decode(dict(CODINGS)[coding](bytes(10_000_000)), content=coding)


@pytest.mark.parametrize(
    ("block", "status", "content_type", "body"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Type: a/b\r\n\r\nx\r\n\r\ny", 200, "a/b", b"x\r\n\r\ny"),
        (b"HTTP/1.0 200\nContent-Type: a/b\n\nx", 200, "a/b", b"x"),
        (b"HTTP/2 404 \r\ncontent-type:a/b\r\n\r\n", 404, "a/b", b""),
        (b"HTTP/1.1 200 OK\r\n\r\nContent-Type: a/b\r\n\r\n", 200, "", b"Content-Type: a/b\r\n\r\n"),
        (b"HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nContent-Type: c/d", 200, "a/b", b""),
        (b"HTTP/1.1 200 OK\r\nno field\r\nContent-Type:\r\n  a/b\r\n\r\nx", 200, "a/b", b"x"),
    ],
)
def test_response_is_split(block: bytes, status: int, content_type: str, body: bytes) -> None:
    """Line ends of both kinds, folded and repeated fields, and a header without an end."""
    response = split_response(block)
    assert (response.status, response.headers.get("content-type", ""), response.body) == (status, content_type, body)


@pytest.mark.parametrize(
    "block", [b"", b"\r\n\r\n", b"<html>", b"ICY 200 OK\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", b"HTTP/1.1"]
)
def test_response_without_status_line_is_an_error(block: bytes) -> None:
    """The message quotes what stands there."""
    with pytest.raises(BrokenPageError, match="instead of an HTTP status line"):
        split_response(block)


# What a payload is


@pytest.mark.parametrize(
    "content_type", ["text/html", "Text/HTML; charset=x", "application/xhtml+xml", "text/html, a/b"]
)
def test_html_types_are_documents(content_type: str) -> None:
    """Parameters and case do not matter."""
    assert page(make.http(b"<p>Hi<b>!", content_type)) == "Hi!"


@pytest.mark.parametrize("content_type", ["", "application/octet-stream", "unknown", "*/*", "binary/octet-stream"])
@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"  <!doctype HTML><p>Hi", "Hi"),
        (b"<!-- c --><!-- d --><?xml version='1.0'?>\n<html><p>Hi", "Hi"),
        ("<html><p>Привет".encode("cp1251"), "Привет"),
        (b"just text", "just text"),
        (b"<p>a fragment", "<p>a fragment"),
        (b"", ""),
        (b"%PDF-1.4 x", NotDocument("media_pdf")),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", NotDocument("media_image")),
        (b"\x00\x00\x01", NotDocument("media_other")),
    ],
)
def test_useless_content_type_is_replaced_by_a_look(
    content_type: str, body: bytes, expected: str | NotDocument
) -> None:
    """HTML by its first tag, other types by theirs, and text where no byte speaks against it."""
    assert page(make.http(body, content_type)) == expected


def test_identified_type_goes_before_a_look() -> None:
    """WARC-Identified-Payload-Type stands for a useless Content-Type, and only for that."""
    fields = {"WARC-Identified-Payload-Type": "application/pdf"}
    assert page(make.http(b"<html><p>Hi", ""), fields) == NotDocument("media_pdf")
    assert page(make.http(b"<html><p>Hi", "text/html"), fields) == "Hi"


def test_body_is_not_decoded_where_the_type_says_enough() -> None:
    """A damaged image is no rejected document."""
    message = make.http(bytes(99), "image/png", {"Content-Encoding": "gzip"})
    assert page(message) == NotDocument("media_image")
    with pytest.raises(BrokenPageError):
        page(make.http(bytes(99), "text/html", {"Content-Encoding": "gzip"}))


def test_looking_for_html_takes_time_in_step_with_the_payload() -> None:
    """Comments before the first tag are tried in one way only."""
    start = time.process_time()
    assert page(make.http(b"<!-- -->" * 20_000, "")) == "<!-- -->" * 20_000
    assert time.process_time() - start < 5


# Charsets

RUSSIAN = "Съешь же ещё этих мягких французских булок, да выпей чаю."


@pytest.mark.parametrize(
    ("data", "charset", "html", "text"),
    [
        (codecs.BOM_UTF8 + RUSSIAN.encode(), "koi8-r", False, RUSSIAN),
        (codecs.BOM_UTF16_LE + RUSSIAN.encode("utf-16-le"), "utf-8", False, RUSSIAN),
        (codecs.BOM_UTF16_BE + RUSSIAN.encode("utf-16-be"), "", False, RUSSIAN),
        (RUSSIAN.encode("koi8-r"), "KOI8-R", False, RUSSIAN),
        (b"<meta charset=koi8-r>" + RUSSIAN.encode("cp1251"), "cp1251", True, "<meta charset=koi8-r>" + RUSSIAN),
        (b"<meta charset='koi8-r'>" + RUSSIAN.encode("koi8-r"), "nonsense", True, "<meta charset='koi8-r'>" + RUSSIAN),
        (b"<meta charset=utf-16>" + RUSSIAN.encode(), "", True, "<meta charset=utf-16>" + RUSSIAN),
        (b"<meta charset=nonsense>" + RUSSIAN.encode(), "", True, "<meta charset=nonsense>" + RUSSIAN),
        (b"<meta charset=latin1>" + RUSSIAN.encode(), "", False, "<meta charset=latin1>" + RUSSIAN),
        (RUSSIAN.encode("cp1251"), "", False, RUSSIAN),
        (RUSSIAN.encode(), "x-user-defined", False, RUSSIAN),
        ("“smart”".encode("cp1252"), "iso-8859-1", False, "“smart”"),
        ("①ｱ".encode("cp932"), "shift_jis", False, "①ｱ"),
        ("똠".encode("cp949"), "euc-kr", False, "똠"),
        ("€".encode("gb18030"), "gb2312", False, "€"),
        (b"\x80", "windows-874", False, "€"),
        (b"a\xffb\x00c", "utf-8", False, "a\ufffdbc"),
        (b"\xd8\x00\x00\x41", "utf-16be", False, "\ufffdA"),
        (b"", "", True, ""),
    ],
)
def test_charset_is_that_of_mark_header_meta_or_detection(data: bytes, charset: str, html: bool, text: str) -> None:
    """In this order; names mean what browsers mean by them, and unknown ones are passed over."""
    assert decode_text(data, charset, html=html) == text


def test_meta_with_http_equiv_is_read() -> None:
    """The older way to say it, through the whole path."""
    body = b'<html><head><meta http-equiv="Content-Type" content="text/html; charset=koi8-r"></head><body><p>'
    assert page(make.http(body + RUSSIAN.encode("koi8-r"))) == RUSSIAN
    assert page(make.http(b"<p>" + RUSSIAN.encode("koi8-r"), 'text/html; Charset="koi8-r"')) == RUSSIAN


NAMES = [
    "utf-8",
    "latin1",
    "gbk",
    "big5",
    "shift_jis",
    "euc-jp",
    "iso-2022-jp",
    "euc-kr",
    "utf-16",
    "utf-16be",
    "windows-874",
]


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=200), st.sampled_from(NAMES) | st.text(max_size=10), st.booleans())
def test_any_bytes_in_any_charset_become_valid_text(data: bytes, charset: str, html: bool) -> None:
    """Never an error, no NUL, nothing that cannot be written as UTF-8, and the same each time."""
    text = decode_text(data, charset, html=html)
    assert "\0" not in text
    assert text.encode().decode() == text
    assert decode_text(data, charset, html=html) == text


@settings(deadline=None, max_examples=150)
@given(
    st.binary(max_size=300), st.sampled_from(["", "gzip", "deflate", "br", "zstd"]), st.sampled_from(["", "chunked"])
)
def test_any_body_is_text_or_a_broken_page(body: bytes, content: str, transfer: str) -> None:
    """No other outcome for a page of HTML."""
    fields = {"Content-Encoding": content, "Transfer-Encoding": transfer}
    try:
        text = page(make.http(body, fields=fields))
    except BrokenPageError:
        return
    assert isinstance(text, str)
    assert "\0" not in text


# Binary or text


def test_text_is_known_by_its_first_bytes() -> None:
    """Control characters that no text holds make it binary."""
    assert [is_text(data) for data in (b"", b"text\r\n\t\x1b", "é".encode("latin1"), b"a\x00", b"\x7fELF\x01")] == [
        *[True] * 3,
        *[False] * 2,
    ]
    assert is_text(b"x" * 2000 + bytes(1))
