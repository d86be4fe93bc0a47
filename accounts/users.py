"""Users of an employer and the roles they have there."""

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction

from accounts.actors import Actor
from accounts.audit import record
from accounts.constraints import violated_by
from accounts.models import Employer, Membership, Role, User
from accounts.refusals import AlreadyTaken, Conflict, Invalid


class LastManager(Conflict):
    """Without this person nobody could manage the employer any more."""

    code = "last_manager"


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
        # One removal at a time, or two managers could remove each other at once.
        Employer.objects.select_for_update(no_key=True).get(pk=membership.employer_id)
        managers = Membership.objects.filter(employer=membership.employer_id, role=Role.MANAGER)
        if membership.role == Role.MANAGER and not managers.exclude(pk=membership.pk).exists():
            raise LastManager("Make somebody else a manager first.")
        detail = {"user": str(membership.user.uuid), "role": membership.role}
        record(actor, "membership.removed", membership, detail)
        membership.delete()
