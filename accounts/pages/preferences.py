"""What users choose for themselves: language, single keys, and at which employer they are."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import override
from django.views.decorators.http import require_http_methods, require_POST

from accounts.actors import EMPLOYER_SESSION_KEY, Actor
from accounts.models import Employer, Role
from accounts.page_access import only_for
from accounts.pages.forms_people import ROLE_NAMES, EmployerChoiceForm, PreferencesForm
from accounts.pages.showing import show
from accounts.permissions import may
from accounts.reader_language import keep_language
from accounts.second_factors import has_second_factor
from accounts.users import change_own

everybody = only_for(Role.DISPATCHER, Role.MANAGER, Role.DPO)


@require_http_methods(["GET", "HEAD", "POST"])
@everybody
def preferences(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The choices of whoever asks; also the way to password and second factor."""
    user = actor.user
    assert user is not None  # noqa: S101 (a page is opened by somebody who signed in)
    before = {"language": user.language, "has_shortcuts": user.has_shortcuts}
    form = PreferencesForm(request.POST if request.method == "POST" else None, initial=before)
    if form.is_valid():
        change_own(user, form.cleaned_data)
        with override(user.language or None):
            messages.success(request, _("Saved."))
        response = redirect("preferences")
        keep_language(response, user.language)
        return response
    employers = list(Employer.objects.filter(memberships__user=user).distinct().order_by("name"))
    return show(
        request,
        actor,
        "manage/preferences.html",
        status=400 if form.is_bound else 200,
        form=form,
        roles=[ROLE_NAMES[role] for role in sorted(actor.roles)],
        has_second_factor=has_second_factor(user),
        reads_trail=may(actor, Role.MANAGER, Role.DPO),
        switch=_switch_form(actor, employers) if len(employers) > 1 else None,
    )


@require_POST
@everybody
def switch_employer(request: HttpRequest, actor: Actor) -> HttpResponse:
    """From the next page on at another employer that the user belongs to."""
    user = actor.user
    assert user is not None  # noqa: S101 (as above)
    employers = list(Employer.objects.filter(memberships__user=user).distinct())
    form = EmployerChoiceForm(employers, request.POST)
    if not form.is_valid():
        messages.error(request, _("You do not belong to this employer."))
        return redirect("preferences")
    chosen = next(one for one in employers if str(one.uuid) == form.cleaned_data["employer"])
    if chosen.is_two_factor_required and not has_second_factor(user):
        said = _("%(name)s wants a second factor: set one up first, then switch.")
        messages.error(request, said % {"name": chosen.name})
        return redirect("mfa_index")
    request.session[EMPLOYER_SESSION_KEY] = str(chosen.uuid)
    messages.success(request, _("You are at %(name)s now.") % {"name": chosen.name})
    return redirect("preferences")


def _switch_form(actor: Actor, employers: list[Employer]) -> EmployerChoiceForm:
    return EmployerChoiceForm(employers, initial={"employer": str(actor.employer.uuid)})
