"""Read what lies in quarantine again, as today's dialect would, and record it if it can be.

The same bytes and the same rules as for a phone: nothing is edited, no time is changed. What
is recorded, or was before, or lies nearer to another fix than the employer's spacing, leaves
the quarantine; all else stays until its day. What is not whole is not read at all: the end of
a number that was cut off would be another number.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Final

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q
from django.db.models.functions import Now
from psycopg import AsyncConnection, pq
from psycopg.conninfo import make_conninfo

from accounts.actors import Actor
from accounts.audit import record
from accounts.models import DeviceToken, TokenScope
from accounts.refusals import Conflict
from accounts.sealing import unseal
from tracking.ingest.arrays import Request
from tracking.ingest.dialects import owntracks
from tracking.ingest.foreign import ForeignRequest, Readings
from tracking.ingest.judge import accepted_span, judged
from tracking.ingest.off_the_shelf import DIALECTS
from tracking.ingest.outcomes import DUPLICATE, STORED, THINNED, WORDS, Recorded, Sender
from tracking.ingest.quarantine import MAX_PAYLOAD
from tracking.ingest.recording import SESSION_OPTIONS, Recorder
from tracking.ingest.sent import JudgedFix, Refusal, SentFix
from tracking.models import QuarantinedFix

# What libpq knows; Django's own arguments of a connection are left out.
_KEYWORDS: Final = frozenset(one.keyword.decode() for one in pq.Conninfo.get_defaults())


PAYLOAD_CUT: Final = Refusal("payload_cut", "it cannot be tried: only its first 8 KB were kept")
PAYLOAD_NOT_KEPT: Final = Refusal("payload_not_kept", "it cannot be tried: nothing of it was kept")
_DONE: Final = (STORED, DUPLICATE, THINNED)


class NotRetried(Conflict):
    """The phone can no longer post, so nobody can post for it either."""

    code = "device_cannot_post"


@dataclass(frozen=True, slots=True)
class Retried:
    """What came of it: `stored` fixes (or stored before), else why not.

    `reason` is `thinned` when it needs no storing: it has left the quarantine, too.
    """

    stored: int
    reason: str = ""
    detail: str = ""


def not_whole(row: QuarantinedFix) -> Refusal | None:
    """Why nobody can try it again: it was cut, or not kept at all. None when it is whole."""
    if len(row.payload) >= MAX_PAYLOAD:
        return PAYLOAD_CUT
    return None if row.payload else PAYLOAD_NOT_KEPT


def retry(row: QuarantinedFix, *, actor: Actor) -> Retried:
    """Try once more. NotRetried when the phone is revoked or its tokens have ended."""
    cut = not_whole(row)
    if cut is not None:
        return Retried(0, cut.reason, cut.detail)
    token_hash = _token_hash(row)
    fixes, refusal = _judged(_readings(row))
    if refusal is None and not fixes:
        refusal = Refusal("no_fix", "there is no position in it")
    if refusal is not None:
        return _still_unusable(row, refusal.reason, refusal.detail)
    recorded = asyncio.run(_recorded(Request(token_hash, fixes, dialect=row.dialect)))
    if recorded.sender is Sender.UNKNOWN:
        raise NotRetried("This phone is revoked, or its tokens have ended.")
    kept = sum(letter in (STORED, DUPLICATE) for letter in recorded.letters)
    letter = next((one for one in recorded.letters if one not in _DONE), None)
    if letter is not None:
        return _still_unusable(row, WORDS[letter], "")
    with transaction.atomic():
        record(actor, "quarantine.retried", row, {"device": str(row.device.uuid), "stored": kept})
        row.delete()
    return Retried(kept) if kept else Retried(0, WORDS[THINNED])


def _token_hash(row: QuarantinedFix) -> bytes:
    tokens = DeviceToken.objects.filter(
        Q(expires_at__isnull=True) | Q(expires_at__gt=Now()),
        device=row.device_id,
        device__revoked_at__isnull=True,
        scope=TokenScope.INGEST,
    )
    found = tokens.order_by("-id").values_list("token_hash", flat=True).first()
    if found is None:
        raise NotRetried("This phone is revoked, or its tokens have ended.")
    return bytes(found)


def _readings(row: QuarantinedFix) -> Readings:
    payload = bytes(row.payload)
    is_json = payload[:1] in (b"{", b"[")
    request = ForeignRequest(
        content_type="application/json" if is_json else "application/x-www-form-urlencoded",
        body=payload,
    )
    sealed = row.device.payload_key
    passphrase = unseal(bytes(sealed)) if sealed else None
    if passphrase:
        request.open_sealed = partial(owntracks.opened, key=owntracks.key_of(passphrase))
    return DIALECTS[row.dialect].read(request)


def _judged(readings: Readings) -> tuple[list[JudgedFix], Refusal | None]:
    span = accepted_span(datetime.now(UTC), settings.MAX_FIX_AGE_DAYS)
    fixes: list[JudgedFix] = []
    for sent, _ in readings.readings:
        fix = judged(sent, span) if isinstance(sent, SentFix) else sent
        if isinstance(fix, Refusal):
            return [], fix
        fixes.append(fix)
    return fixes, None


async def _recorded(request: Request) -> Recorded:
    """By the recording statement, over a connection that plans as a phone's does."""
    given = connection.get_connection_params()
    known = {name: given[name] for name in given.keys() & _KEYWORDS if given[name]}
    conninfo = make_conninfo(**known | {"options": SESSION_OPTIONS})
    async with await AsyncConnection.connect(conninfo, autocommit=True) as own:
        recorder = Recorder(own, has_route_period=not settings.REPLAY_MODE)
        outcomes: Sequence[Recorded] = await recorder.record_group([request])
    return outcomes[0]


def _still_unusable(row: QuarantinedFix, reason: str, detail: str) -> Retried:
    """Say today's reason on the row: the rules may have become clearer since it came."""
    # It may have gone meanwhile: by its age, or because somebody else tried it.
    QuarantinedFix.objects.filter(pk=row.pk).update(reason=reason, detail=detail)
    return Retried(0, reason, detail)
