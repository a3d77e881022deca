"""Make WARC files for tests, record by record."""

import gzip
from collections.abc import Iterable, Mapping

URL = "http://example.com/"
DATE = "2024-05-18T01:58:10Z"


def record(
    kind: str,
    block: bytes = b"",
    fields: Mapping[str, str] | None = None,
    *,
    version: str = "1.0",
    length: int | None = None,
) -> bytes:
    """One WARC record, uncompressed. `length` lies about the block; a field with an empty value is left out."""
    header = {"WARC-Type": kind, "WARC-Date": DATE, "Content-Length": str(len(block) if length is None else length)}
    lines = [f"{name}: {value}" for name, value in {**header, **(fields or {})}.items() if value]
    return "\r\n".join([f"WARC/{version}", *lines, "", ""]).encode() + block + b"\r\n\r\n"


def http(
    body: bytes = b"",
    content_type: str = "text/html",
    fields: Mapping[str, str] | None = None,
    *,
    status: str = "200 OK",
) -> bytes:
    """An HTTP response message."""
    lines = [f"{name}: {value}" for name, value in {"Content-Type": content_type, **(fields or {})}.items() if value]
    return "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode() + body


def response(message: bytes, record_id: str = "", url: str = URL, *, version: str = "1.0") -> bytes:
    """A response record around an HTTP message."""
    fields = {"WARC-Target-URI": url, "Content-Type": "application/http; msgtype=response"}
    return record("response", message, {**fields, **_id(record_id)}, version=version)


def request(record_id: str = "", url: str = URL, *, version: str = "1.0") -> bytes:
    """A request record."""
    fields = {"WARC-Target-URI": url, "Content-Type": "application/http; msgtype=request"}
    return record(
        "request", b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n", {**fields, **_id(record_id)}, version=version
    )


def resource(
    payload: bytes, content_type: str = "text/html", record_id: str = "", url: str = URL, *, version: str = "1.0"
) -> bytes:
    """A resource record."""
    fields = {"WARC-Target-URI": url, "Content-Type": content_type}
    return record("resource", payload, {**fields, **_id(record_id)}, version=version)


def conversion(text: str, record_id: str = "", url: str = URL, *, version: str = "1.0") -> bytes:
    """A conversion record as in WET files."""
    fields = {"WARC-Target-URI": url, "Content-Type": "text/plain"}
    return record("conversion", text.encode(), {**fields, **_id(record_id)}, version=version)


def revisit(record_id: str = "", url: str = URL, *, version: str = "1.1") -> bytes:
    """A revisit record for a page that has not changed."""
    profile = f"http://netpreserve.org/warc/{version}/revisit/identical-payload-digest"
    fields = {"WARC-Target-URI": url, "WARC-Profile": profile, "Content-Type": "application/http; msgtype=response"}
    return record("revisit", http(), {**fields, **_id(record_id)}, version=version)


def warcinfo(version: str = "1.0") -> bytes:
    """A warcinfo record, as at the beginning of a file."""
    return record("warcinfo", b"software: tests\r\n", {"Content-Type": "application/warc-fields"}, version=version)


def warc_file(records: Iterable[bytes], *, gzipped: bool = False) -> bytes:
    """A whole file: records one after the other, each in a gzip member of its own if `gzipped`."""
    return b"".join(gzip.compress(data, mtime=0) if gzipped else data for data in records)


def _id(record_id: str) -> dict[str, str]:
    return {"WARC-Record-ID": f"<{record_id}>"} if record_id else {}
