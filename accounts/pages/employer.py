"""The settings of an employer as a page for its managers."""

from typing import Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from accounts.actors import Actor
from accounts.employers import change_employer
from accounts.page_access import managers_only
from accounts.pages.forms_settings import EmployerForm, settings_of
from accounts.pages.showing import refuse, show
from accounts.refusals import Problem

HEADINGS: Final[dict[str, Promise]] = {
    "company": gettext_lazy("Company"),
    "tracking": gettext_lazy("Tracking"),
    "punctuality": gettext_lazy("Early and late"),
    "sharing": gettext_lazy("What a consignee sees"),
    "signing_in": gettext_lazy("Signing in"),
}


@require_http_methods(["GET", "HEAD", "POST"])
@managers_only
def employer(request: HttpRequest, actor: Actor) -> HttpResponse:
    """All settings in one form; each change of them is in the audit trail."""
    data = request.POST if request.method == "POST" else None
    form = EmployerForm(data, initial=settings_of(actor.employer))
    if form.is_valid():
        try:
            change_employer(actor, form.changes())
        except Problem as refused:
            refuse(form, refused)
        else:
            messages.success(request, _("Saved. It holds from the next fix on."))
            return redirect("employer_page")
    parts = [(HEADINGS[part], fields) for part, fields in form.parts().items()]
    status = 400 if form.is_bound else 200
    return show(request, actor, "manage/employer.html", status=status, form=form, parts=parts)
