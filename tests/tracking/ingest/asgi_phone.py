"""The ingest application in this process, on its own event loop and its own connection.

Tests talk ASGI to it, as the server does; the database is the real one.
"""

import asyncio
import gzip
import json
import threading
from collections.abc import Coroutine, Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from django.db import connection
from psycopg.conninfo import make_conninfo

from accounts.sealing import unseal
from config.database import connection_arguments
from tracking.ingest.app import IngestApplication, IngestSettings, create_application
from tracking.ingest.http import Message

Result = TypeVar("Result")


@dataclass(frozen=True)
class Answered:
    """What the phone got."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def statuses(self) -> list[str]:
        """The status of each fix, in the order sent."""
        return [result["status"] for result in self.json["results"]]

    @property
    def reasons(self) -> list[str | None]:
        return [result.get("reason") for result in self.json["results"]]


class AsgiPhone:
    """Posts to the application. `post` waits for the answer, `start_post` does not."""

    def __init__(self, max_fix_age_days: int = 59, *, conninfo: str | None = None) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        here = make_conninfo(**connection_arguments(connection.settings_dict))
        self.application: IngestApplication = create_application(
            IngestSettings(
                conninfo=conninfo or here,
                max_fix_age_days=max_fix_age_days,
                is_replay=max_fix_age_days > 59,
                unseal=unseal,
            )
        )
        self.run(self.application.startup())

    def start(self, coroutine: Coroutine[Any, Any, Result]) -> "Future[Result]":
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    def run(self, coroutine: Coroutine[Any, Any, Result]) -> Result:
        return self.start(coroutine).result(30)

    def close(self) -> None:
        self.run(self.application.shutdown())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    def post(self, token: str | None, fixes: Iterable[dict[str, Any]], **more: Any) -> Answered:
        return self.start_post(token, fixes, **more).result(30)

    def start_post(
        self, token: str | None, fixes: Iterable[dict[str, Any]], *, zipped: bool = False
    ) -> "Future[Answered]":
        body = json.dumps({"fixes": list(fixes)}).encode()
        headers = {"content-type": "application/json"}
        if token is not None:
            headers["authorization"] = f"Bearer {token}"
        if zipped:
            body, headers["content-encoding"] = gzip.compress(body), "gzip"
        return self.start(self.request("POST", "/ingest/v1/fixes", body, headers))

    def send(
        self,
        body: bytes,
        headers: dict[str, str],
        *,
        method: str = "POST",
        path: str = "/ingest/v1/fixes",
        query: bytes = b"",
    ) -> Answered:
        """A request as given, for bodies that are not fixes."""
        return self.run(self.request(method, path, body, headers, query))

    async def request(
        self, method: str, path: str, body: bytes, headers: dict[str, str], query: bytes = b""
    ) -> Answered:
        sent: list[Message] = []
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": query,
            "scheme": "http",
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        }

        async def receive() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Message) -> None:
            sent.append(message)

        await self.application(scope, receive, send)
        return Answered(
            status=sent[0]["status"],
            headers={name.decode(): value.decode() for name, value in sent[0]["headers"]},
            body=b"".join(message.get("body", b"") for message in sent[1:]),
        )


def fix(
    recorded_at: datetime, latitude: float = 50.85, longitude: float = 4.35, **more: Any
) -> dict[str, Any]:
    """A fix as our app sends it; `kind` and the rest by name."""
    place = {"latitude": latitude, "longitude": longitude}
    return {"recorded_at": recorded_at.isoformat(), **place, **more}


def mark(recorded_at: datetime, kind: str, **more: Any) -> dict[str, Any]:
    """A stage or duty mark without a position."""
    return {"recorded_at": recorded_at.isoformat(), "kind": kind, **more}
