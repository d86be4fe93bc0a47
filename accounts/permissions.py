"""Who may what: one table, asked by every endpoint.

dispatcher: missions, fleet, histories. manager: that, and people, trucks, settings, keys.
dpo: audit, cases; positions only inside a case. driver (a phone): its own `/me/…`.
"""

from typing import TYPE_CHECKING

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from accounts.actors import Actor
from accounts.models import Role
from accounts.refusals import DriverFrozen, NotHeld

if TYPE_CHECKING:
    # rest_framework.views reads the default permission, which is in this file.
    from rest_framework.views import APIView

DRIVER = "driver"


def may(actor: Actor, *roles: str) -> bool:
    """Whether one of the actor's roles is among `roles`; a manager may what a dispatcher may."""
    granted = set(roles) | ({Role.MANAGER} if Role.DISPATCHER in roles else set())
    return bool(actor.roles & granted)


class AllowsNobody(BasePermission):
    """The default of the project: an endpoint that forgot to say is closed."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        return False


def Allows(*roles: str) -> type[BasePermission]:  # noqa: N802 (it makes a class)
    """A permission class for these roles: nobody gets 401, another role 403.

    `driver` stands for a phone with our app, carried by a driver who is not frozen.
    """

    class AllowsThese(BasePermission):
        def has_permission(self, request: Request, view: "APIView") -> bool:
            actor = request.auth
            if not isinstance(actor, Actor):
                return False
            if actor.kind == "device":
                return DRIVER in roles and _speaks_for_a_driver(actor)
            return may(actor, *roles)

    return AllowsThese


def _speaks_for_a_driver(actor: Actor) -> bool:
    if actor.driver is None:
        raise NotHeld("Nobody carries this phone now; ask your dispatcher.")
    if actor.driver.frozen_at is not None:
        raise DriverFrozen("This driver's data is frozen.")
    return True
