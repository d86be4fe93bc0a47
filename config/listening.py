"""Where the web process listens: whether that is free, and whether others can reach it."""

import errno
import socket
import time

LOOPBACK = ("127.0.0.1", "localhost", "::1")
PATIENCE_S = 2.0  # a killed run's socket is gone within this


class PortTaken(Exception):
    """Nobody could listen there now."""


def check_port(host: str, port: int) -> None:
    """Raise PortTaken, with one line for a person, unless this process could listen there.

    Granian would not notice: its sockets may share a port, and two servers would then answer in
    turn.
    """
    deadline_s = time.monotonic() + PATIENCE_S
    family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    while True:
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(address)
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise PortTaken(
                        f"cannot listen on HOST {host}, PORT {port}: {error.strerror}"
                    ) from None
                if time.monotonic() > deadline_s:
                    raise PortTaken(
                        f"PORT {port} is taken by another program:"
                        " set PORT to a free one, as in  make run PORT=8001"
                    ) from None
                time.sleep(0.05)
            else:
                return
