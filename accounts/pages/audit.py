"""Who changed what, as a page for managers and for the data protection officer."""

from typing import Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from accounts.actors import Actor
from accounts.models import AuditEntry, Role
from accounts.page_access import only_for
from accounts.pages.audit_rows import audit_rows
from accounts.pages.audit_words import ACTIONS
from accounts.pages.showing import PAGE, show
from accounts.permissions import may

FILTERS: Final = {"object": "object_id", "actor": "actor"}


@require_GET
@only_for(Role.MANAGER, Role.DPO)
def audit(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Newest first; of one action, one object or one actor when the address says so.

    Read on from the last row shown: page numbers of a trail that grows would slide.
    """
    entries = AuditEntry.objects.filter(employer=actor.employer)
    action = request.GET.get("action", "")[:60].replace("\0", "")
    if action:
        entries = entries.filter(action=action)
    for name, column in FILTERS.items():
        if (wanted := _uuid(request.GET.get(name, ""))) is not None:
            entries = entries.filter(**{column: wanted})
    if (before := _uuid(request.GET.get("before", ""))) is not None:
        last = AuditEntry.objects.filter(employer=actor.employer, uuid=before)
        entries = entries.filter(pk__lt=last.values("pk"))
    found = list(entries.order_by("-id")[: PAGE + 1])
    rows = audit_rows(actor, found[:PAGE])
    on = request.GET.copy()
    if len(found) > PAGE:
        on["before"] = str(rows[-1].entry.uuid)
    return show(
        request,
        actor,
        "manage/audit.html",
        rows=rows,
        action=action,
        actions=sorted(ACTIONS.items(), key=lambda item: str(item[1])),
        is_filtered=bool(request.GET),
        older=on.urlencode() if len(found) > PAGE else "",
        is_dispatcher=may(actor, Role.DISPATCHER),
    )


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
