"""An S3 service on loopback (moto's), which notes every request and fails those that it is told to fail."""

import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, Final
from urllib.parse import parse_qs

import pytest
from apache_beam.io.filesystems import FileSystems
from moto.core import DEFAULT_ACCOUNT_ID
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.s3.models import s3_backends
from werkzeug.serving import WSGIRequestHandler, make_server

CUT: Final = 0
"""Instead of a status: the body of the answer ends in its middle, and so does the connection."""

_ENVIRONMENT: Final = {
    "AWS_ACCESS_KEY_ID": "key",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": "/nonexistent",
    "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
}


@dataclass(frozen=True)
class Request:
    """What was asked, and how many bytes of body were sent."""

    kind: str
    """`GET`, `PUT`, `LIST` and so on, as the price list has them."""
    path: str
    sent: int


def _kind(method: str, query: str) -> str:
    keys = parse_qs(query, keep_blank_values=True)
    if method == "GET" and "list-type" in keys:
        return "LIST"
    if method == "POST":
        return "DELETE" if "delete" in keys else "PUT"
    return method


@dataclass
class Fault:
    """Every n-th request of a kind whose path contains `within` gets this status and code, or a body that is `CUT`."""

    kind: str
    status: int
    code: str = "SlowDown"
    every: int = 1
    within: str = ""
    after: int = 0
    """So many such requests go by before it begins."""
    times: int | None = None
    """So often it happens; None: without end."""
    met: int = 0
    failed: int = 0

    def fails(self, kind: str, path: str) -> bool:
        if kind != self.kind or self.within not in path or self.failed == self.times:
            return False
        self.met += 1
        fails = self.met > self.after and self.met % self.every == 0
        self.failed += fails
        return fails


@dataclass
class S3Server:
    """Where the service is, what it was asked, and what it shall fail."""

    address: str = ""
    requests: list[Request] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def counts(self) -> dict[str, int]:
        return dict(sorted(Counter(request.kind for request in self.requests).items()))

    def bytes(self) -> int:
        """Bytes of bodies that were sent."""
        return sum(request.sent for request in self.requests)

    @contextmanager
    def failing(self, *faults: Fault) -> Iterator[None]:
        """Fail requests until the block ends."""
        self.faults = list(faults)
        try:
            yield
        finally:
            self.faults = []


def _stored() -> Any:
    """What the service holds: in this process, so that tests need not ask for it."""
    return s3_backends[DEFAULT_ACCOUNT_ID]["aws"]


def make_bucket(name: str, content: Mapping[str, bytes] | None = None) -> None:
    """A new bucket that holds some objects, by key."""
    _stored().create_bucket(name, "us-east-1")
    for key, value in (content or {}).items():
        _stored().put_object(name, key, value)


def objects(bucket: str, prefix: str = "") -> dict[str, bytes]:
    """What a bucket holds below a prefix, by the rest of the key."""
    keys = _stored().buckets[bucket].keys.items()
    return {name.removeprefix(prefix): key.value for name, key in sorted(keys) if name.startswith(prefix)}


def unfinished_uploads(bucket: str) -> int:
    """Multipart uploads that were begun, and neither completed nor aborted."""
    return len(_stored().buckets[bucket].multiparts)


class _Quiet(WSGIRequestHandler):
    def log(self, *_: object, **__: object) -> None:
        """Nothing goes to stderr."""


@contextmanager
def serve_s3() -> Iterator[S3Server]:
    """Serve until the block ends. What the service holds lives in this process."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = S3Server()
    moto = DomainDispatcherApplication(create_backend_app)

    def answer(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        kind = _kind(environ["REQUEST_METHOD"], environ["QUERY_STRING"])
        path = environ["PATH_INFO"].encode("latin-1").decode()
        with server.lock:
            fault = next((fault for fault in server.faults if fault.fails(kind, path)), None)
        if fault and fault.status != CUT:
            environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            body = f"<Error><Code>{fault.code}</Code><Message>told to</Message></Error>".encode()
            start(f"{fault.status} told to", [("Content-Length", str(len(body)))])
        else:
            body = b"".join(moto(environ, start))
            body = body[: len(body) // 2] if fault else body
        with server.lock:
            server.requests.append(Request(kind, path, len(body)))
        return [body]

    service = make_server("127.0.0.1", 0, answer, threaded=True, request_handler=_Quiet)
    server.address = f"http://127.0.0.1:{service.server_port}"
    thread = threading.Thread(target=service.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server
    finally:
        service.shutdown()
        thread.join()
        service.server_close()
        s3_backends.reset()


@contextmanager
def s3_service() -> Iterator[S3Server]:
    """Serve, and let whatever asks for S3 in this process ask there, with nothing but the environment to say so.

    What boto3 tries again it tries at once.
    """
    with serve_s3() as server, pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_PROFILE", "AWS_REGION", "AWS_SESSION_TOKEN"):
            patch.delenv(name, raising=False)
        for name, value in {**_ENVIRONMENT, "AWS_ENDPOINT_URL": server.address}.items():
            patch.setenv(name, value)
        patch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda seconds: None))
        FileSystems.set_options(None)
        yield server
        FileSystems.set_options(None)
