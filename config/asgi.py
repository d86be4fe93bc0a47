"""One application: /ingest/ to the lean application of tracking, the rest to Django's own."""

import os

from asgiref.typing import ASGI3Application, ASGIReceiveCallable, ASGISendCallable, Scope
from django.core.asgi import get_asgi_application

from config.health import PATHS, health_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django_application = get_asgi_application()


async def no_ingest(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    """Stands where ingest will be."""
    if scope["type"] != "lifespan":
        await django_application(scope, receive, send)
        return
    while True:
        event = await receive()
        if event["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        else:
            await send({"type": "lifespan.shutdown.complete"})
            return


ingest_application: ASGI3Application = no_ingest


async def application(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    """Hand each request to whose path it is. The lifespan is ingest's, which has a queue."""
    if scope["type"] == "lifespan" or scope["path"].startswith("/ingest/"):
        await ingest_application(scope, receive, send)
    elif scope["path"] in PATHS:
        await health_application(scope, receive, send)
    else:
        await django_application(scope, receive, send)
