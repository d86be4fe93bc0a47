"""A customer's system: an HTTP server on loopback that keeps each message it was sent."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks.webhooks import Webhook


class Receiver:
    """What came in, once per webhook-id, each with a signature that holds."""

    def __init__(self) -> None:
        self.secret = ""
        self.messages: dict[str, dict[str, Any]] = {}
        self.posts = 0
        self._lock = threading.Lock()

    def take(self, body: bytes, headers: dict[str, str]) -> None:
        said = Webhook(self.secret).verify(body, headers)
        with self._lock:
            self.posts += 1
            self.messages[headers["webhook-id"]] = said

    def types_of(self, mission: str) -> list[str]:
        """What was told of a mission, but for changes that only raise its version."""
        with self._lock:
            told = [said for said in self.messages.values() if said["data"]["mission"] == mission]
        return sorted(said["type"] for said in told if said["type"] != "mission.changed")


@contextmanager
def receiving() -> Iterator[tuple[str, Receiver]]:
    """A receiver, and the address it listens on."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.take(body, {name.lower(): value for name, value in self.headers.items()})
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: a test's output is for its failures."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hook", receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
