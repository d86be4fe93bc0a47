"""Link a driver's fixes again, as a page: the second half of correcting who drove which truck."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods

from accounts.actors import Actor
from accounts.page_access import dispatchers_only
from accounts.pages.forms_fleet import GiveTruckForm
from accounts.pages.showing import employers_clocks, refuse, show
from accounts.refusals import Problem
from tracking.api.relinks import EARLIEST
from tracking.histories import CLOCK_AHEAD
from tracking.relinking import Relinked, relink


class RelinkForm(GiveTruckForm):
    """Whose fixes, and recorded when; empty has no bound."""

    def __init__(self, actor: Actor, *args: Any, **kwargs: Any) -> None:
        super().__init__(actor, *args, **kwargs)
        self.fields["begin"].help_text = gettext_lazy("Empty: from the oldest position.")
        self.fields["end"].help_text = gettext_lazy("Empty: until now.")

    def clean(self) -> dict[str, Any]:
        asked = super().clean() or {}
        begin, end = asked.get("begin"), asked.get("end")
        if begin is not None and end is not None and end <= begin:
            self.add_error("end", _("This is not after the beginning."))
        return asked


@require_http_methods(["GET", "HEAD", "POST"])
@dispatchers_only
def relink_page(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The form; after it, how many positions were looked at and how many changed."""
    data = request.POST if request.method == "POST" else None
    form = RelinkForm(actor, data, initial={"driver": request.GET.get("driver", "")})
    with employers_clocks(actor):
        if form.is_valid():
            asked = form.cleaned_data
            begin_at = asked["begin"] or EARLIEST
            end_at = asked["end"] or timezone.now() + CLOCK_AHEAD
            try:
                done = relink(asked["driver"], begin_at, end_at, actor=actor)
            except Problem as refused:
                refuse(form, refused)
            else:
                messages.success(request, _said(done))
                return redirect("relink_page")
        status = 400 if form.is_bound else 200
        return show(request, actor, "tracking/relink.html", status=status, form=form)


def _said(done: Relinked) -> str:
    looked = ngettext(
        "%(n)d position was looked at.", "%(n)d positions were looked at.", done.checked
    ) % {"n": done.checked}
    changed = ngettext(
        "%(n)d has another truck or mission now.",
        "%(n)d have another truck or mission now.",
        done.changed,
    ) % {"n": done.changed}
    return f"{looked} {changed}"
