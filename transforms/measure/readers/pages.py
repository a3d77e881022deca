"""Decide whether a WARC record is a document, and turn its payload into text."""

import codecs
import re
from collections.abc import Callable
from functools import cache
from typing import Final, NamedTuple

from resiliparse.parse.encoding import detect_encoding, detect_mime, map_encoding_to_html5

from transforms.measure.readers.header_signals import header_signals
from transforms.measure.readers.html_pages import read_html
from transforms.measure.readers.http_payload import decode_body, is_text, split_response
from transforms.measure.readers.page_signals import Page, distinct
from transforms.measure.readers.warc_records import Record

HTML_TYPES: Final = ("text/html", "application/xhtml+xml", "application/vnd.wap.xhtml+xml")
TEXT_TYPE: Final = "text/plain"

_USELESS_TYPES: Final = frozenset(
    (
        "application/octet-stream",
        "binary/octet-stream",
        "application/unknown",
        "content/unknown",
        "unknown/unknown",
        "*/*",
    )
)
_NO_DOCUMENTS: Final = ("warcinfo", "request", "metadata", "revisit", "continuation")
_DOCUMENTS: Final = ("response", "resource", "conversion")

_HTML_START: Final = re.compile(
    rb"(?>\s*(?:<!--.{0,1000}?-->|<\?xml[^>]{0,1000}>))*\s*<(?:!doctype\s+html|html)\b", re.IGNORECASE | re.DOTALL
)
_FONTS: Final = re.compile(r"font/|application/(?:x-)?font|application/vnd\.ms-fontobject")
_CHARSET: Final = re.compile(r"""charset\s*=\s*["']?\s*([^\s"';,]+)""", re.IGNORECASE)
_META: Final = re.compile(rb"""<meta\b[^>]{0,1000}?charset\s*=\s*["']?\s*([^\s"'/>;]+)""", re.IGNORECASE)
_META_BYTES: Final = 4096

_BOMS: Final = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_SUPERSETS: Final = {
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "gbk": "gb18030",
    "big5": "big5hkscs",
    "iso8859-11": "cp874",
}
"""The names mean these on the web: https://encoding.spec.whatwg.org/#names-and-labels"""


class NotDocument(NamedTuple):
    """A record that reads fine and is no document."""

    kind: str
    """One of `NOT_DOCUMENTS`."""


def read_page(record: Record, *, main_content: bool = True) -> Page | NotDocument:
    """Text and signals of a document, or what the record is instead.

    Documents are `response` records of HTTP status 200 and `resource` records, each with HTML or plain text, and
    `conversion` records with plain text. Where Content-Type says nothing, WARC-Identified-Payload-Type does, or the
    first bytes. Raises BrokenPageError if the payload of a document cannot be decoded.
    """
    headers, kind = record.headers, record.kind
    if kind in _NO_DOCUMENTS:
        return NotDocument(kind)
    if kind not in _DOCUMENTS:
        return NotDocument("unknown_type")
    if headers.get("warc-segment-number", ""):
        return NotDocument("segment")
    if headers.get("warc-target-uri", "").lstrip("<").startswith("metadata:"):
        return NotDocument("metadata")  # what Wget writes about itself, as resources
    content_type = headers.get("content-type", "")
    if kind != "response":
        return _read_payload(record, content_type, lambda: record.block, main_content)
    if _media_type(content_type) != "application/http" and not record.block.startswith(b"HTTP/"):
        return NotDocument("not_http")
    response = split_response(record.block)
    if response.status != 200:
        known = 100 <= response.status <= 599
        return NotDocument(f"http_status_{response.status}" if known else "http_status_other")
    cut = bool(headers.get("warc-truncated", ""))
    content_type = response.headers.get("content-type", "")
    page = _read_payload(record, content_type, lambda: decode_body(response, cut=cut), main_content)
    if isinstance(page, NotDocument):
        return page
    return page._replace(signals=distinct([*header_signals(response.fields), *(page.signals or ())]))


def decode_text(data: bytes, charset: str = "", *, html: bool = False) -> str:
    r"""Text of bytes in the charset of their byte order mark, or `charset`, or (HTML) `<meta>`, or as it is detected.

    >>> decode_text(b"\xc4rger", "latin1"), decode_text(b"\xc3\x84rger", "no-such-charset")
    ('Ärger', 'Ärger')

    Names mean what they mean to browsers. What is no valid UTF-8 is U+FFFD then, and NULs are left out.
    """
    for bom, codec in _BOMS:
        if data.startswith(bom):
            return _decode(data[len(bom) :], codec)
    codec = _codec(charset)
    if not codec and html and (meta := _META.search(data, 0, _META_BYTES)):
        codec = _codec(meta[1].decode("ascii", "replace"))
        codec = "utf-8" if codec.startswith("utf-16") else codec  # it could not be read otherwise
    if codec:
        return _decode(data, codec)
    try:
        return data.decode().replace("\0", "")
    except UnicodeDecodeError:
        return _decode(data, _codec(detect_encoding(data) or "") or "cp1252")


def _read_payload(
    record: Record, content_type: str, payload: Callable[[], bytes], main_content: bool
) -> Page | NotDocument:
    """`payload` is asked for only if the types do not say already that it is no document."""
    payload = cache(payload)  # where it has to be looked at to be known, it is not decoded twice
    identified = record.headers.get("warc-identified-payload-type", "")
    media = _media_type(content_type) or _media_type(identified) or _sniff(payload())
    if media == TEXT_TYPE or (media in HTML_TYPES and record.kind != "conversion"):
        html = media in HTML_TYPES
        charset = _CHARSET.search(content_type)
        text = decode_text(payload(), charset[1] if charset else "", html=html)
        return read_html(text, main_content=main_content) if html else Page(text, None)
    major = media.split("/")[0]
    if major in ("image", "video", "audio"):
        return NotDocument(f"media_{major}")
    if media == "application/pdf":
        return NotDocument("media_pdf")
    return NotDocument("media_font" if _FONTS.match(media) else "media_other")


def _media_type(value: str) -> str:
    """`text/html` of `Text/HTML; charset=utf-8`; empty if it is no media type or says nothing."""
    media = re.split("[;,]", value, maxsplit=1)[0].strip().lower()
    return "" if "/" not in media or media in _USELESS_TYPES else media


def _sniff(payload: bytes) -> str:
    if _HTML_START.match(payload):
        return HTML_TYPES[0]
    media: str = detect_mime(payload[:_META_BYTES])
    if media in (TEXT_TYPE, "application/octet-stream"):
        return TEXT_TYPE if is_text(payload) else "application/octet-stream"
    return media


def _codec(charset: str) -> str:
    """Python codec of a charset name; empty if browsers do not know it."""
    codec = map_encoding_to_html5(charset.strip(), fallback_utf8=False) or ""
    return _SUPERSETS.get(codec, codec)


def _decode(data: bytes, codec: str) -> str:
    return data.decode(codec, "replace").replace("\0", "")
