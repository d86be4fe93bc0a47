"""Users of an employer and the roles they have there."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Prefetch, QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone

from accounts.actors import Actor
from accounts.audit import record
from accounts.constraints import violated_by
from accounts.models import Employer, Membership, Role, User
from accounts.refusals import AlreadyTaken, Conflict, Invalid
from accounts.second_factors import forget_second_factor


class BelongsElsewhere(Conflict):
    """The person also works for another employer, where this would be felt too."""

    code = "belongs_elsewhere"


class Yourself(Conflict):
    """Nobody does this to the own account: somebody else has to."""

    code = "yourself"


class LastManager(Conflict):
    """Without this person nobody could manage the employer any more."""

    code = "last_manager"


def users_of(actor: Actor) -> QuerySet[User]:
    """Everybody with a role at the actor's employer, with their roles there and only there."""
    here = Membership.objects.filter(employer=actor.employer).order_by("id")
    return User.objects.filter(Exists(here.filter(user=OuterRef("pk")))).prefetch_related(
        Prefetch("memberships", here.select_related("user"), to_attr="own_memberships")
    )


def user_of(actor: Actor, id: UUID) -> User:
    """A user with a role at the actor's employer; anybody else is 404."""
    return get_object_or_404(users_of(actor), uuid=id)


def create_user(
    actor: Actor, email: str, role: str, *, password: str | None, name: str = ""
) -> User:
    """A new user with one role at the actor's employer.

    Without a password the user asks for one by mail. AlreadyTaken for an address that any
    user of the installation has: whose it is, is not said.
    """
    email = email.strip().lower()
    try:
        validate_email(email)
    except ValidationError:
        raise Invalid("This is not an e-mail address.", field="email") from None
    try:
        with transaction.atomic():
            user = User.objects.create_user(email, password)
            user.name = name.strip()
            user.save(update_fields=["name"])
            Membership.objects.create(user=user, employer=actor.employer, role=role)
            record(actor, "user.created", user, {"role": role})
    except IntegrityError as error:
        if "email" not in violated_by(error):
            raise
        raise AlreadyTaken("A user with this e-mail address exists.") from None
    return user


def weaknesses(password: str, user: User | None = None) -> list[str]:
    """What is wrong with a password, as sentences; empty when nothing is."""
    try:
        validate_password(password, user)
    except ValidationError as error:
        return list(error.messages)
    return []


def add_role(actor: Actor, user: User, role: str) -> Membership:
    """One more role at the actor's employer."""
    try:
        with transaction.atomic():
            membership = Membership.objects.create(user=user, employer=actor.employer, role=role)
            record(actor, "membership.created", membership, {"user": str(user.uuid), "role": role})
    except IntegrityError as error:
        if violated_by(error) != "one_membership_per_role":
            raise
        raise AlreadyTaken(f"This user is a {role} already.") from None
    return membership


def remove_role(actor: Actor, membership: Membership) -> None:
    """Take a role away, at once. LastManager when nobody could manage after it."""
    with transaction.atomic():
        _lock_managers(membership.employer)
        if membership.role == Role.MANAGER:
            _refuse_last_manager(membership.employer, membership.user)
        detail = {"user": str(membership.user.uuid), "role": membership.role}
        record(actor, "membership.removed", membership, detail)
        membership.delete()


def may_have_a_password_link(user: User) -> bool:
    """Never signed in and no password yet: a link to choose one harms nobody."""
    return user.is_active and user.last_login is None and not user.has_usable_password()


def deactivate_user(actor: Actor, user: User) -> User:
    """Close an account, at once and on every computer; roles stay, for when it is opened again.

    Yourself, BelongsElsewhere, or LastManager when nobody could manage after it.
    """
    with transaction.atomic():
        _lock_managers(actor.employer)
        _check_own_user(actor, user)
        own = Membership.objects.filter(employer=actor.employer, user=user)
        if own.filter(role=Role.MANAGER).exists():
            _refuse_last_manager(actor.employer, user)
        if user.is_active:
            user.is_active = False
            user.save(update_fields=["is_active"])
            end_sign_ins(user)
            record(actor, "user.deactivated", user)
    return user


def reactivate_user(actor: Actor, user: User) -> User:
    """Open an account again, with the roles it had."""
    with transaction.atomic():
        _check_own_user(actor, user)
        if not user.is_active:
            user.is_active = True
            user.save(update_fields=["is_active"])
            record(actor, "user.reactivated", user)
    return user


def reset_second_factor(actor: Actor, user: User) -> None:
    """For a colleague who lost the phone: the app and the recovery codes are forgotten.

    All sign-ins of the colleague end. Yourself, since that is done on the own pages, and
    BelongsElsewhere.
    """
    with transaction.atomic():
        _check_own_user(actor, user)
        if forget_second_factor(user):
            end_sign_ins(user)
            record(actor, "second_factor.reset", user)


def end_sign_ins(user: User) -> None:
    """Whoever is signed in as this user is out from the next request on."""
    user.sessions_ended_at = timezone.now()
    user.save(update_fields=["sessions_ended_at"])


def change_own(user: User, changes: Mapping[str, Any]) -> User:
    """What users choose for themselves: the language of pages, single keys. Not audited."""
    for name, value in changes.items():
        setattr(user, name, value)
    user.save(update_fields=list(changes))
    return user


def _lock_managers(employer: Employer) -> None:
    """One removal at a time, or two managers could remove each other at once."""
    Employer.objects.select_for_update(no_key=True).get(pk=employer.pk)


def _refuse_last_manager(employer: Employer, leaving: User) -> None:
    """LastManager when nobody but this person could manage."""
    managers = Membership.objects.filter(employer=employer, role=Role.MANAGER, user__is_active=True)
    if not managers.exclude(user=leaving).exists():
        raise LastManager("Make somebody else a manager first.")


def _check_own_user(actor: Actor, user: User) -> None:
    if actor.kind == "command":  # whoever runs the installation speaks for every employer
        return
    if actor.user is not None and actor.user.pk == user.pk:
        raise Yourself("Somebody else has to do this for you.")
    if Membership.objects.filter(user=user).exclude(employer=actor.employer).exists():
        raise BelongsElsewhere(
            "This person works for another employer too: take the roles here away instead."
        )
