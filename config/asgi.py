"""One application: /ingest/ to the lean application of tracking, the rest to Django's own."""

import os
from collections.abc import Awaitable, Callable
from typing import cast

from django.conf import settings
from django.core.asgi import get_asgi_application
from django.urls import get_resolver
from psycopg.conninfo import make_conninfo

from accounts.sealing import unseal
from config.body_limit import bounded
from config.database import connection_arguments
from config.health import PATHS, health_application
from tracking.ingest.app import IngestSettings, create_application
from tracking.ingest.http import Receive, Scope, Send

Application = Callable[[Scope, Receive, Send], Awaitable[None]]

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
# Django's types ask for a narrower `send` than ASGI's own.
django_application = cast("Application", get_asgi_application())
# Every page with all it imports: else the first request to each worker would, for seconds in
# which its phones wait, too. Here it is done once, before the workers are forked.
get_resolver().url_patterns  # noqa: B018 (reading it is what imports)
ingest_application = create_application(
    IngestSettings(
        conninfo=make_conninfo(**connection_arguments(settings.DATABASES["default"])),
        max_fix_age_days=settings.MAX_FIX_AGE_DAYS,
        is_replay=settings.REPLAY_MODE,
        is_https_required=settings.REQUIRE_HTTPS,
        unseal=unseal,
    )
)


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Hand each request to whose path it is. The lifespan is ingest's, which has a queue."""
    if scope["type"] == "lifespan" or scope["path"].startswith("/ingest/"):
        await ingest_application(scope, receive, send)
    elif scope["path"] in PATHS:
        await health_application(scope, receive, send)
    else:
        await bounded(django_application, scope, receive, send)
