"""What a load balancer and a monitor ask: is it alive, is it ready, how does it do.

A bare ASGI application, so that the answers need neither a thread nor a middleware and come
fast while the database is away.
"""

import asyncio
import ipaddress
import json
import os
import secrets
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import psycopg
from django.conf import settings
from django.db.migrations.loader import MigrationLoader
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from redis.asyncio import Redis
from redis.exceptions import RedisError

from config.database import DURABLE, SHOW_DURABLE, connection_arguments, not_durable
from tracking.ingest.http import Receive, Scope, Send

PATHS = frozenset({"/healthz", "/readyz", "/metrics"})
DATABASE_TIMEOUT_S = 2.0
REDIS_TIMEOUT_S = 1.0
FIXES_TABLE = "tracking_fix"

MIGRATIONS = "SELECT app, name FROM django_migrations"
HAS_MONTH = """
    SELECT EXISTS (SELECT FROM pg_inherits JOIN pg_class ON oid = inhrelid
                   WHERE inhparent = to_regclass(%(table)s)
                     AND pg_get_expr(relpartbound, oid) LIKE %(bound)s)
"""


async def health_application(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer one of PATHS."""
    content_type = "application/json"
    match scope["path"]:
        case "/healthz":
            status, content_type, body = 200, "text/plain; charset=utf-8", b"ok\n"
        case "/readyz":
            status, answer = await readiness()
            body = json.dumps(answer).encode()
        case _ if may_read_metrics(scope):
            status, content_type, body = 200, CONTENT_TYPE_LATEST, generate_latest(registry())
        case _:
            status, content_type = 401, "application/problem+json"
            body = b'{"type": "about:blank", "title": "The metrics need their token"}'
    headers = [
        (b"content-type", content_type.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
    ]
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    shown = b"" if scope["method"] == "HEAD" else body
    await send({"type": "http.response.body", "body": shown})


async def readiness() -> tuple[int, dict[str, Any]]:
    """The status to answer, and what is wrong."""
    problems, redis_is_up = await asyncio.gather(database_problems(), redis_answers())
    answer: dict[str, Any] = {
        "status": "unavailable" if problems else "ok" if redis_is_up else "degraded"
    }
    if problems:
        answer["problems"] = problems
    if not redis_is_up:
        answer["redis"] = "away"
    if settings.REPLAY_MODE:
        answer["replay_mode"] = True
    return (503 if problems else 200), answer


async def database_problems() -> list[str]:
    """Why phones must not be sent here yet; empty when all is well.

    On a connection of its own: the pool of the pages may be exhausted, which is no outage.
    """
    try:
        async with asyncio.timeout(DATABASE_TIMEOUT_S):
            arguments = connection_arguments(settings.DATABASES["default"])
            async with await psycopg.AsyncConnection.connect(**arguments) as connection:
                return await problems_seen_on(connection)
    except (psycopg.Error, TimeoutError, OSError):
        return ["the database is away"]


async def problems_seen_on(connection: psycopg.AsyncConnection[Any]) -> list[str]:
    names = {"names": list(DURABLE)}
    problems = not_durable(dict(await (await connection.execute(SHOW_DURABLE, names)).fetchall()))
    try:
        applied = set(await (await connection.execute(MIGRATIONS)).fetchall())
    except psycopg.errors.UndefinedTable:
        return [*problems, "migrations are not applied"]
    if not newest_migrations() <= applied:
        problems.append("migrations are not applied")
    month = following_month(datetime.now(UTC))
    asked = {"table": FIXES_TABLE, "bound": f"FOR VALUES FROM ('{month:%Y-%m-%d} 00:00:00+00')%"}
    if not (await (await connection.execute(HAS_MONTH, asked)).fetchone() or [False])[0]:
        problems.append("next month's partition is missing")
    return problems


@cache
def newest_migrations() -> frozenset[tuple[str, str]]:
    """The last migration of each app, as the files of this process say."""
    return frozenset(MigrationLoader(None).graph.leaf_nodes())


def following_month(moment: datetime) -> datetime:
    return (moment.replace(day=1) + timedelta(days=32)).replace(day=1)


async def redis_answers() -> bool:
    """Whether Redis is there. It is not needed to take a fix, only for work that may wait."""
    try:
        async with asyncio.timeout(REDIS_TIMEOUT_S), Redis.from_url(settings.REDIS_URL) as redis:
            return bool(await redis.ping())
    except (RedisError, TimeoutError, OSError):
        return False


def may_read_metrics(scope: Scope) -> bool:
    """With a token set, who has it; without one, who asks from this machine itself.

    A proxy on this machine is not its client: what came through one is refused.
    """
    headers = dict(scope["headers"])
    if settings.METRICS_TOKEN:
        wanted = f"Bearer {settings.METRICS_TOKEN}".encode()
        return secrets.compare_digest(headers.get(b"authorization", b""), wanted)
    client = scope["client"]
    forwarded = b"forwarded" in headers or b"x-forwarded-for" in headers
    return client is not None and not forwarded and ipaddress.ip_address(client[0]).is_loopback


def registry() -> CollectorRegistry:
    """The counters of all processes where they share a folder, else of this one."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return REGISTRY
    shared = CollectorRegistry()
    MultiProcessCollector(shared)  # type: ignore[no-untyped-call]
    return shared
