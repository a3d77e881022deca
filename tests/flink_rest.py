"""A server that answers like Flink's REST interface, as far as we ask it."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

TOLD: list[str] = []
"""The paths of requests that tell the cluster to do something, in their order."""


@pytest.fixture
def cluster() -> Iterator[Callable[..., str]]:
    """Serves an overview of a cluster, and of its jobs; gives its address."""
    servers = list[HTTPServer]()
    TOLD.clear()

    def serve(overview: Any, jobs: list[dict[str, str]] | None = None) -> str:
        answers = {"/overview": overview, "/jobs/overview": {"jobs": jobs}}

        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                said = answers[self.path]
                self._answer(said if isinstance(said, bytes) else json.dumps(said).encode())

            def do_PATCH(self) -> None:
                TOLD.append(self.path)
                self._answer(b"")

            def _answer(self, body: bytes) -> None:
                self.send_response(200)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Nothing is logged."""

        servers.append(HTTPServer(("127.0.0.1", 0), Answer))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        return f"127.0.0.1:{servers[-1].server_port}"

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()
