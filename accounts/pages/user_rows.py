"""The rows of the list of users: each with the roles here and whether a second factor is on."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.functional import Promise

from accounts.models import Membership, User
from accounts.pages.forms_people import ROLE_NAMES
from accounts.second_factors import with_second_factor
from accounts.users import may_have_a_password_link


@dataclass(frozen=True, slots=True)
class HeldRole:
    """A role at this employer, with the word for it."""

    membership: Membership

    @property
    def role(self) -> str:
        return self.membership.role

    @property
    def name(self) -> Promise | str:
        return ROLE_NAMES.get(self.membership.role, self.membership.role)


@dataclass(frozen=True, slots=True)
class UserRow:
    """A user as the list shows one."""

    user: User
    roles: list[HeldRole]
    has_second_factor: bool

    @property
    def may_have_a_link(self) -> bool:
        return may_have_a_password_link(self.user)


def user_rows(users: Sequence[User]) -> list[UserRow]:
    """Of users that `users_of` found. One query, however many they are."""
    secured = with_second_factor(users)
    return [
        UserRow(
            user,
            [HeldRole(row) for row in getattr(user, "own_memberships", [])],
            user.pk in secured,
        )
        for user in users
    ]
