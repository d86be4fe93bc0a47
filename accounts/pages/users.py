"""Who signs in at an employer, in which roles, as pages for its managers."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.actors import Actor
from accounts.models import Membership, User
from accounts.page_access import for_managers, managers_only
from accounts.pages.forms_people import NewUserForm, RoleForm
from accounts.pages.showing import page_of, refuse, show
from accounts.pages.user_rows import user_rows
from accounts.refusals import AlreadyTaken, Problem
from accounts.sealed_pages import sealed_off
from accounts.tenants import of_employer
from accounts.users import (
    add_role,
    create_user,
    deactivate_user,
    may_have_a_password_link,
    reactivate_user,
    remove_role,
    reset_second_factor,
    user_of,
    users_of,
)


@for_managers
def users(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Everybody with a role here, by address."""
    page = page_of(request, users_of(actor).order_by("email"))
    return show(request, actor, "manage/users.html", rows=user_rows(list(page)), page=page)


@for_managers
def user(request: HttpRequest, actor: Actor, user_id: UUID) -> HttpResponse:
    """One user: the roles, and what can be done for the person."""
    return _shown(request, actor, user_of(actor, user_id))


@require_http_methods(["GET", "HEAD", "POST"])
@managers_only
def new_user(request: HttpRequest, actor: Actor) -> HttpResponse:
    """Add a user; the link to choose a password is shown this once, to be handed over."""
    form = NewUserForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        asked = form.cleaned_data
        try:
            made = create_user(
                actor, asked["email"], asked["role"], password=None, name=asked["name"]
            )
        except AlreadyTaken:
            form.add_error("email", _("A user with this e-mail address exists."))
        except Problem as refused:
            refuse(form, refused)
        else:
            return _link_page(request, actor, made)
    status = 400 if form.is_bound else 200
    return show(request, actor, "manage/user_form.html", status=status, form=form)


@require_POST
@managers_only
def password_link(request: HttpRequest, actor: Actor, user_id: UUID) -> HttpResponse:
    """A new link for somebody who has never signed in; nobody else's password is touched."""
    found = user_of(actor, user_id)
    if not may_have_a_password_link(found):
        why = _("This person has a password: “Forgot your password?” on the sign-in page helps.")
        return _shown(request, actor, found, status=409, why=why)
    return _link_page(request, actor, found)


@require_POST
@managers_only
def give_role(request: HttpRequest, actor: Actor, user_id: UUID) -> HttpResponse:
    """One more role here."""
    found = user_of(actor, user_id)
    form = RoleForm([], request.POST)
    if not form.is_valid():
        return _shown(request, actor, found, status=400, add=form)
    try:
        add_role(actor, found, form.cleaned_data["role"])
    except AlreadyTaken:
        form.add_error("role", _("This person has this role already."))
        return _shown(request, actor, found, status=409, add=form)
    messages.success(request, _("Saved."))
    return redirect("user_page", user_id)


@require_POST
@managers_only
def take_role(request: HttpRequest, actor: Actor, membership_id: UUID) -> HttpResponse:
    """Take a role away, at once. The last manager stays."""
    rows = Membership.objects.select_related("user")
    membership = of_employer(rows, actor, membership_id)
    found = user_of(actor, membership.user.uuid)
    try:
        remove_role(actor, membership)
    except Problem as refused:
        return _shown(request, actor, found, status=refused.status, why=_(refused.detail))
    messages.success(request, _("Saved."))
    if not users_of(actor).filter(pk=found.pk).exists() or found.pk == _own(actor):
        return redirect("users_page")
    return redirect("user_page", found.uuid)


@require_http_methods(["GET", "HEAD", "POST"])
@managers_only
def deactivate(request: HttpRequest, actor: Actor, user_id: UUID) -> HttpResponse:
    """Ask first: every page that the person has open ends."""
    context = {
        "title": _("Close this account?"),
        "text": _(
            "Nobody can sign in with it any more, and whoever is signed in is out at once. "
            "The roles stay for when it is opened again."
        ),
        "button": _("Close the account"),
    }
    return _confirmed(
        request, actor, user_id, deactivate_user, context, _("The account is closed.")
    )


@require_POST
@managers_only
def reactivate(request: HttpRequest, actor: Actor, user_id: UUID) -> HttpResponse:
    """Open a closed account again."""
    return _confirmed(request, actor, user_id, reactivate_user, {}, _("The account is open again."))


@require_http_methods(["GET", "HEAD", "POST"])
@managers_only
def reset_factor(request: HttpRequest, actor: Actor, user_id: UUID) -> HttpResponse:
    """Ask first: the person is out at once and signs in with the password alone."""
    context = {
        "title": _("Reset the second factor?"),
        "text": _(
            "For somebody who lost the phone with the app and the recovery codes. Be sure "
            "whom you talk to: until a new one is set up, the password alone opens the "
            "account. Whoever is signed in with it is out at once."
        ),
        "button": _("Reset it"),
    }
    done = _("The second factor is reset.")
    return _confirmed(request, actor, user_id, reset_second_factor, context, done)


def _confirmed(
    request: HttpRequest,
    actor: Actor,
    user_id: UUID,
    act: Callable[[Actor, User], object],
    asking: dict[str, Any],
    done: str,
) -> HttpResponse:
    """Ask, and do it when it is confirmed; a refusal is said on the user's page."""
    found = user_of(actor, user_id)
    if request.method != "POST":
        return show(request, actor, "manage/user_confirm.html", of=found, **asking)
    try:
        act(actor, found)
    except Problem as refused:
        return _shown(request, actor, found, status=refused.status, why=_(refused.detail))
    messages.success(request, done)
    return redirect("user_page", user_id)


def _shown(
    request: HttpRequest,
    actor: Actor,
    found: User,
    *,
    status: int = 200,
    why: str = "",
    add: RoleForm | None = None,
) -> HttpResponse:
    (row,) = user_rows([user_of(actor, found.uuid)])
    has = [role.role for role in row.roles]
    return show(
        request,
        actor,
        "manage/user.html",
        status=status,
        row=row,
        why=why,
        add=add or (RoleForm(has) if len(has) < 3 else None),
        is_own=found.pk == _own(actor),
    )


def _link_page(request: HttpRequest, actor: Actor, found: User) -> HttpResponse:
    """The link, this once: it is good until it is used, and for three days at most."""
    address = reverse(
        "account_reset_password_from_key",
        kwargs={
            "uidb36": user_pk_to_url_str(found),
            "key": default_token_generator.make_token(found),
        },
    )
    link = request.build_absolute_uri(address)
    return sealed_off(show(request, actor, "manage/user_link.html", of=found, link=link))


def _own(actor: Actor) -> int | None:
    return actor.user.pk if actor.user else None
