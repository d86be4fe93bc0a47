"""A POST without a natural key, made safe to send again by an Idempotency-Key.

Who got no answer sends the same request with the same key: what was done is not done again,
and the answer is the one that was given, as the IETF's draft on the header field has it
(draft-ietf-httpapi-idempotency-key-header-07). The change and its answer are one
transaction: neither is ever there without the other.
"""

import json
from collections.abc import Callable, Mapping, Set
from datetime import datetime, timedelta
from functools import wraps
from hashlib import sha256
from typing import Any, Concatenate, Final, ParamSpec, TypeVar
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actors import Actor, actor_of
from accounts.models import Driver, KeptAnswer
from accounts.refusals import Conflict, Invalid, Problem

KEPT: Final = timedelta(hours=24)
LONGEST_KEY: Final = 200
KEPT_HEADERS: Final = ("ETag", "Location")
REPLAYED: Final = "Idempotency-Replayed"
# Beside a driver who is hidden: where they were, and what they wrote.
OF_A_DRIVER: Final = frozenset({"latitude", "longitude", "accuracy_m", "note"})

IDEMPOTENCY_KEY: Final = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description=(
        "A word of your own for this very request, at most 200 characters. Sent again with it"
        " within 24 h, nothing is done twice and the answer is the same."
    ),
)

View = TypeVar("View")
Args = ParamSpec("Args")
Post = Callable[Concatenate[View, Request, Args], Response]


class KeyReused(Problem):
    """This key was sent with another request."""

    status = 422
    code = "idempotency_key_reused"


class StillInFlight(Conflict):
    """The first request with this key is not answered yet."""

    code = "in_flight"


def idempotent(post: Post[View, Args]) -> Post[View, Args]:
    """A `post` of a view of DRF that answers again what it answered to the same key."""

    @wraps(post)
    def answered_once(
        view: View, request: Request, /, *args: Args.args, **kwargs: Args.kwargs
    ) -> Response:
        key = _key_of(request)
        if key is None:
            return post(view, request, *args, **kwargs)
        actor = actor_of(request)
        with transaction.atomic():
            _lock(actor, key)
            asked = _fingerprint(request)
            if (kept := _kept(actor, key, asked)) is not None:
                return _again(kept)
            answer = post(view, request, *args, **kwargs)
            _keep(actor, key, asked, answer)
        return answer

    return answered_once


def _key_of(request: Request) -> str | None:
    key = request.headers.get("Idempotency-Key")
    if key is not None and not (0 < len(key) <= LONGEST_KEY and key.isprintable()):
        detail = f"An Idempotency-Key has 1 to {LONGEST_KEY} printable characters."
        raise Invalid(detail)
    return key


def _id(actor: Actor) -> UUID:
    if actor.uuid is None:
        raise TypeError("a command sends no header")
    return actor.uuid


def _lock(actor: Actor, key: str) -> None:
    """Hold the key until the transaction ends. StillInFlight when another request does."""
    name = f"idempotency {actor.employer.pk} {_id(actor)} {key}"
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [name])
        (is_ours,) = cursor.fetchone() or (False,)
    if not is_ours:
        raise StillInFlight("The first request with this Idempotency-Key is still at work.")


def _fingerprint(request: Request) -> bytes:
    body = json.dumps(request.data, sort_keys=True, default=str)
    named = (request.method or "", request.get_full_path(), body)
    return sha256("\n".join(named).encode("utf-8", "surrogatepass")).digest()


def _kept(actor: Actor, key: str, asked: bytes) -> KeptAnswer | None:
    """What was answered in the last 24 h. KeyReused when it was to another request."""
    mine = KeptAnswer.objects.filter(employer=actor.employer, actor=_id(actor), key=key)
    mine.filter(answered_at__lt=timezone.now() - KEPT).delete()
    kept = mine.first()
    if kept is not None and bytes(kept.request_sha256) != asked:
        raise KeyReused("This Idempotency-Key was sent with another request.")
    return kept


def _again(kept: KeptAnswer) -> Response:
    """What was answered, without the drivers who are out of every read since then.

    Nor is told where they were: a kept answer shows no more than the same read would now.
    """
    frozen = Driver.objects.filter(employer_id=kept.employer_id, frozen_at__isnull=False)
    hidden = {str(uuid) for uuid in frozen.values_list("uuid", flat=True)}
    body = _without(kept.body, hidden)
    return Response(body, status=kept.status, headers={**kept.headers, REPLAYED: "true"})


def _without(value: Any, hidden: Set[str]) -> Any:
    if isinstance(value, dict):
        gone = OF_A_DRIVER if _names(value, hidden) else frozenset[str]()
        return {
            name: None if name in gone else _without(inner, hidden) for name, inner in value.items()
        }
    if isinstance(value, list):
        return [_without(inner, hidden) for inner in value]
    return None if isinstance(value, str) and value in hidden else value


def _names(row: Mapping[str, Any], hidden: Set[str]) -> bool:
    driver = row.get("driver")
    return isinstance(driver, str) and driver in hidden


def _keep(actor: Actor, key: str, asked: bytes, answer: Response) -> None:
    body: Any = None if answer.data is None else json.loads(JSONRenderer().render(answer.data))
    KeptAnswer.objects.create(
        employer=actor.employer,
        actor=_id(actor),
        key=key,
        request_sha256=asked,
        status=answer.status_code,
        headers={name: answer[name] for name in KEPT_HEADERS if name in answer},
        body=body,
    )


def forget_answers(now: datetime) -> int:
    """Delete answers older than 24 h. How many rows."""
    return KeptAnswer.objects.filter(answered_at__lt=now - KEPT).delete()[0]
