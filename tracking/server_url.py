"""Where the server of this installation listens, for commands that talk to it over HTTP."""

from django.conf import settings


def server_url() -> str:
    """For example `http://127.0.0.1:8000`; a server on all addresses is reached on loopback."""
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.HOST, settings.HOST)  # noqa: S104
    return f"http://{host}:{settings.PORT}"
