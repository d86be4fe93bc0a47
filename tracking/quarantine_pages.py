"""What phones sent and nobody could use, as a page: what, from whom, how often, and why."""

from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST

from accounts.actors import Actor
from accounts.page_access import dispatchers_only, for_dispatchers
from accounts.tenants import of_employer
from tracking.api.quarantine import quarantined, shown_payload
from tracking.models import QuarantinedFix
from tracking.retrying import NotRetried, not_whole, retry
from tracking.tasks import QUARANTINE_KEPT

PAGE: Final = 50
# The usual reasons in words; a rare one shows as its code.
WORDS: Final[dict[str, Promise]] = {
    "recorded_at_missing": gettext_lazy("It does not say when."),
    "recorded_at_in_future": gettext_lazy("Its time lies ahead: the clock of the phone is wrong."),
    "recorded_at_too_old": gettext_lazy("It is older than may be kept."),
    "place_missing": gettext_lazy("It does not say where."),
    "place_unlikely": gettext_lazy("Its place is 0°, 0°: the phone had none."),
    "place_not_valid": gettext_lazy("The app itself says that the place is not valid."),
    "latitude_out_of_range": gettext_lazy("There is no such place on earth."),
    "longitude_out_of_range": gettext_lazy("There is no such place on earth."),
    "body_invalid": gettext_lazy("It is nothing that this app sends."),
    "latitude_invalid": gettext_lazy("Its place is written in a way that nobody can read."),
    "longitude_invalid": gettext_lazy("Its place is written in a way that nobody can read."),
    "place_incomplete": gettext_lazy("It does not say where."),
    "recorded_at_invalid": gettext_lazy("Its time is written in a way that nobody can read."),
    "recorded_at_without_zone": gettext_lazy("Its time has no zone: it could be several moments."),
    "fix_invalid": gettext_lazy("It is nothing that this app sends."),
    "type_unknown": gettext_lazy("It is nothing that this app sends."),
    "sealed_invalid": gettext_lazy("It is nothing that this app sends."),
    "key_missing": gettext_lazy("It is encrypted, and no passphrase of this phone opens it."),
    "key_wrong": gettext_lazy("It is encrypted, and no passphrase of this phone opens it."),
    "no_fix": gettext_lazy("There is no position in it."),
    "payload_cut": gettext_lazy("It cannot be tried again: only its first 8 KB were kept."),
    "payload_not_kept": gettext_lazy("It cannot be tried again: nothing of it was kept."),
    "outside_window": gettext_lazy("It lies outside the tracking window."),
    "no_driver": gettext_lazy("Nobody carried the phone then."),
}


@for_dispatchers
def quarantine_page(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The newest first, fifty a page. Two queries, however many rows."""
    rows = quarantined(actor).order_by("-id")
    if before := _number(request.GET.get("before", "")):
        rows = rows.filter(pk__lt=before)
    found = list(rows[: PAGE + 1])
    shown = found[:PAGE]
    context: dict[str, Any] = {
        "employer": actor.employer,
        "rows": [_row(row) for row in shown],
        "next": shown[-1].pk if len(found) > PAGE else None,
        "days_kept": QUARANTINE_KEPT.days,
    }
    return render(request, "tracking/quarantine.html", context)


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _row(row: QuarantinedFix) -> dict[str, Any]:
    return {
        "row": row,
        "words": WORDS.get(row.reason, ""),
        "payload": shown_payload(row),
        "not_whole": WORDS[cut.reason] if (cut := not_whole(row)) else "",
        "expires_at": row.last_received_at + timedelta(days=QUARANTINE_KEPT.days),
    }


@require_POST
@dispatchers_only
def retry_quarantined(request: HttpRequest, actor: Actor, quarantined_id: UUID) -> HttpResponse:
    """Read one again; back to the list, which says what came of it."""
    row = of_employer(quarantined(actor), actor, quarantined_id)
    try:
        retried = retry(row, actor=actor)
    except NotRetried:
        messages.error(
            request,
            _("This phone is revoked, or its token has ended: nothing is recorded for it."),
        )
        return redirect("quarantine_page")
    if retried.stored:
        said = ngettext(
            "%(n)d fix is recorded now.", "%(n)d fixes are recorded now.", retried.stored
        )
        messages.success(request, said % {"n": retried.stored})
    elif retried.reason == "thinned":
        messages.success(request, _("It needs no recording: a fix close by is stored already."))
    else:
        why = WORDS.get(retried.reason) or retried.reason
        messages.warning(request, _("Still not usable: %(why)s") % {"why": why})
    return redirect("quarantine_page")
