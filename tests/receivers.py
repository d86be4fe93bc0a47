"""Receivers of webhooks on this machine: real HTTP servers that answer as they are told."""

import contextlib
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final, TypeAlias

CERTIFICATES: Final = Path(__file__).parent / "accounts/certificates"
AUTHORITY: Final = CERTIFICATES / "authority.pem"
# What the receiver's certificate is for.
NAME: Final = "receiver.example"

Answer: TypeAlias = Callable[["Handler"], None]


@dataclass(frozen=True)
class Received:
    """One request that came in."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """A running server: what came in, and what it answers next (then `otherwise`)."""

    port: int
    answers: list[Answer] = field(default_factory=list)
    otherwise: Answer = field(default_factory=lambda: status(200))
    received: list[Received] = field(default_factory=list)
    asked_names: list[str | None] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    is_over: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    def ids(self) -> list[str]:
        return [one.headers["webhook-id"] for one in self.received]


class Server(ThreadingHTTPServer):
    daemon_threads = True
    receiver: Receiver

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up, or speaks no TLS, is what some tests are about."""


class Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        receiver = self.server.receiver
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        with receiver.lock:
            receiver.received.append(Received(self.command, self.path, headers, body))
            answer = receiver.answers.pop(0) if receiver.answers else receiver.otherwise
        self.close_connection = True
        answer(self)

    do_GET = do_POST  # noqa: N815 (the base class calls it so)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def status(code: int, body: bytes = b"", **headers: str) -> Answer:
    def answer(handler: Handler) -> None:
        handler.send_response(code)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def hang_up(handler: Handler) -> None:
    """Close without a word."""


def stay_silent(handler: Handler) -> None:
    """Answer nothing for as long as the test runs."""
    handler.server.receiver.is_over.wait(timeout=30)


def drip(text: bytes) -> Answer:
    """Send a text byte by byte, one each 50 ms, for as long as the other side listens."""

    def answer(handler: Handler) -> None:
        for byte in text:
            handler.wfile.write(bytes([byte]))
            handler.wfile.flush()
            if handler.server.receiver.is_over.wait(timeout=0.05):
                break

    return answer


@contextlib.contextmanager
def receiver(*answers: Answer, is_tls: bool = False) -> Iterator[Receiver]:
    """A receiver that gives these answers in turn, and 200 after them."""
    server = Server(("127.0.0.1", 0), Handler)
    running = server.receiver = Receiver(server.server_address[1], list(answers))
    if is_tls:
        server.socket = _with_tls(running).wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield running
    finally:
        running.is_over.set()
        server.shutdown()
        thread.join()
        server.server_close()


def _with_tls(running: Receiver) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATES / "receiver.pem")
    context.sni_callback = lambda sock, name, context: running.asked_names.append(name)
    return context


def trust_of_tests() -> ssl.SSLContext:
    """What trusts the receivers' own authority and nobody else."""
    return ssl.create_default_context(cafile=str(AUTHORITY))
