"""Cloud Storage and Dataflow on loopback: as much of their JSON APIs as Beam speaks, with buckets in memory.

A job that is created is handed to `Cloud.execute`, in the thread of the request; the next poll finds it done.
"""

import base64
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

import google_crc32c

LONG_AGO: Final = "2020-01-01T00:00:00.000Z"


@dataclass
class Request:
    """One request as the APIs see it: the path is still quoted."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


@dataclass
class Answer:
    """Status, body and headers; a body that is no bytes goes out as JSON."""

    status: int = 200
    body: Any = b""
    headers: dict[str, str] = field(default_factory=dict)


class Cloud:
    """Objects by bucket, jobs as they were created, and all that was asked."""

    def __init__(self, address: str, buckets: tuple[str, ...]):
        self.address = address
        self.buckets: dict[str, dict[str, bytes]] = {name: {} for name in buckets}
        self.jobs: list[dict[str, Any]] = []
        self.messages: list[dict[str, str]] = []
        self.asked: list[str] = []
        self.state = "JOB_STATE_DONE"
        self.execute: Callable[[dict[str, Any]], None] = lambda job: None
        self._uploads: list[tuple[str, str, bytearray]] = []

    def read(self, path: str) -> bytes:
        """Content of `gs://bucket/name`."""
        bucket, _, name = path.removeprefix("gs://").partition("/")
        return self.buckets[bucket][name]

    def listed(self, path: str) -> dict[str, bytes]:
        """Objects below `gs://bucket/prefix`, by what follows it."""
        bucket, _, prefix = path.removeprefix("gs://").partition("/")
        return {n.removeprefix(prefix): data for n, data in self.buckets[bucket].items() if n.startswith(prefix)}

    def answer(self, request: Request) -> Answer:
        """Answer by the first route that fits."""
        self.asked.append(f"{request.method} {request.path}")
        for method, pattern, route in _ROUTES:
            found = re.fullmatch(pattern, request.path)
            if found and request.method == method:
                return route(self, request, *map(unquote, found.groups()))
        return _error(501, f"the stub knows no {request.method} {request.path}")

    # Cloud Storage

    def bucket(self, request: Request, bucket: str) -> Answer:
        if bucket not in self.buckets:
            return _error(404, "The specified bucket does not exist.")
        return Answer(body={"name": bucket, "id": bucket, "softDeletePolicy": {"retentionDurationSeconds": "0"}})

    def objects(self, request: Request, bucket: str) -> Answer:
        if bucket not in self.buckets:
            return _error(404, "The specified bucket does not exist.")
        names = sorted(n for n in self.buckets[bucket] if n.startswith(request.query.get("prefix", "")))
        return Answer(body={"items": [self._facts(bucket, name) for name in names]})

    def object(self, request: Request, bucket: str, name: str) -> Answer:
        if name not in self.buckets.get(bucket, {}):
            return _error(404, f"No such object: {bucket}/{name}")
        return Answer(body=self._facts(bucket, name))

    def download(self, request: Request, bucket: str, name: str) -> Answer:
        if name not in self.buckets.get(bucket, {}):
            return _error(404, f"No such object: {bucket}/{name}")
        content = self.buckets[bucket][name]
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", request.headers.get("range", ""))
        if not asked:
            return Answer(body=content)
        start, stop = int(asked[1]), min(int(asked[2] or len(content)) + 1, len(content))
        if start >= len(content):
            return Answer(416, headers={"Content-Range": f"bytes */{len(content)}"})
        return Answer(206, content[start:stop], {"Content-Range": f"bytes {start}-{stop - 1}/{len(content)}"})

    def delete(self, request: Request, bucket: str, name: str) -> Answer:
        gone = self.buckets.get(bucket, {}).pop(name, None)
        return Answer(204) if gone is not None else _error(404, f"No such object: {bucket}/{name}")

    def begin_upload(self, request: Request, bucket: str) -> Answer:
        if bucket not in self.buckets:
            return _error(404, "The specified bucket does not exist.")
        name = request.query.get("name") or json.loads(request.body)["name"]
        self._uploads.append((bucket, name, bytearray()))
        place = f"{self.address}/upload/storage/v1/b/{bucket}/o?upload_id={len(self._uploads) - 1}"
        return Answer(headers={"Location": place})

    def go_on_upload(self, request: Request, _: str) -> Answer:
        bucket, name, content = self._uploads[int(request.query["upload_id"])]
        content += request.body
        total = request.headers["content-range"].rpartition("/")[2]
        if total == "*":
            return Answer(308, headers={"Range": f"bytes=0-{len(content) - 1}"})
        self.buckets[bucket][name] = bytes(content)
        return Answer(body=self._facts(bucket, name))

    def batch(self, request: Request) -> Answer:
        whole = b"Content-Type: " + request.headers["content-type"].encode() + b"\r\n\r\n" + request.body
        parts = []
        for part in BytesParser().parsebytes(whole).walk():
            if part.is_multipart():
                continue
            method, url = str(part.get_payload()).split(" ")[:2]
            inner = self.answer(Request(method, urlsplit(url).path, {}, {}, b""))
            parts.append(f"--x\r\nContent-Type: application/http\r\n\r\nHTTP/1.1 {inner.status} .\r\n\r\n\r\n")
        return Answer(body="".join([*parts, "--x--"]).encode(), headers={"Content-Type": "multipart/mixed; boundary=x"})

    def _facts(self, bucket: str, name: str) -> dict[str, str]:
        content = self.buckets[bucket][name]
        crc = base64.b64encode(google_crc32c.Checksum(content).digest()).decode()  # type: ignore[no-untyped-call]
        facts = {"bucket": bucket, "name": name, "size": str(len(content)), "crc32c": crc}
        return facts | {"updated": LONG_AGO, "generation": "1"}

    # Dataflow

    def create_job(self, request: Request, project: str, region: str) -> Answer:
        number = len(self.jobs)
        sent = json.loads(request.body)
        job = {**sent, "id": f"job-{number}", "projectId": project, "location": region}
        self.jobs.append(job)
        self.execute(job)
        return Answer(body={**job, "currentState": "JOB_STATE_RUNNING"})

    def get_job(self, request: Request, project: str, region: str, job: str) -> Answer:
        return Answer(body={**self.jobs[int(job.removeprefix("job-"))], "currentState": self.state})

    def list_messages(self, request: Request, project: str, region: str, job: str) -> Answer:
        return Answer(body={"jobMessages": self.messages})

    def metrics(self, request: Request, project: str, region: str, job: str) -> Answer:
        return Answer(body={"metrics": [], "metricTime": LONG_AGO})


_BUCKET, _OBJECT = "/storage/v1/b/([^/]+)", "/storage/v1/b/([^/]+)/o/([^/]+)"
_JOBS = "/v1b3/projects/([^/]+)/locations/([^/]*)/jobs"
_ROUTES: Final[tuple[tuple[str, str, Callable[..., Answer]], ...]] = (
    ("GET", _BUCKET, Cloud.bucket),
    ("GET", f"{_BUCKET}/o", Cloud.objects),
    ("GET", f"/download{_OBJECT}", Cloud.download),
    ("GET", _OBJECT, Cloud.object),
    ("DELETE", _OBJECT, Cloud.delete),
    ("POST", f"/upload{_BUCKET}/o", Cloud.begin_upload),
    ("PUT", f"/upload{_BUCKET}/o", Cloud.go_on_upload),
    ("POST", "/batch/storage/v1", Cloud.batch),
    ("POST", _JOBS, Cloud.create_job),
    ("GET", f"{_JOBS}/([^/]+)", Cloud.get_job),
    ("GET", f"{_JOBS}/([^/]+)/messages", Cloud.list_messages),
    ("GET", f"{_JOBS}/([^/]+)/metrics", Cloud.metrics),
)


def _error(status: int, message: str) -> Answer:
    return Answer(status, {"error": {"code": status, "message": message}})


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body leave together: apart, each answer waits 40 ms for an acknowledgement
    cloud: Cloud

    def _serve(self) -> None:
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", 0)))
        answer = self.cloud.answer(Request(self.command, url.path, query, headers, body))
        content = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
        kind = "application/octet-stream" if isinstance(answer.body, bytes) else "application/json"
        self.send_response(answer.status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(content)), **answer.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Nothing goes to stderr."""


@contextmanager
def serve_cloud(*buckets: str) -> Iterator[Cloud]:
    """Serve empty buckets and no jobs until the block ends."""

    class Handler(_Handler):
        """Requests to this server alone."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    # Beam speaks gRPC to every endpoint but those of this name.
    Handler.cloud = Cloud(f"http://localhost:{server.server_port}", buckets)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield Handler.cloud
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
