"""Users, their roles, and drivers."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import ValidationError

from accounts.drivers import change_driver, create_driver, drivers_like, visible_drivers
from accounts.http import ActorView, shown
from accounts.models import Membership, Role
from accounts.permissions import Allows
from accounts.serializers import (
    DriverQuery,
    DriverSerializer,
    MembershipSerializer,
    NewMembership,
    NewUser,
    UserSerializer,
)
from accounts.tenants import of_employer
from accounts.users import add_role, create_user, remove_role, user_of, users_of, weaknesses

ForManagers = Allows(Role.MANAGER)


class UsersView(ActorView):
    """The people who sign in."""

    allows = {"GET": ForManagers, "POST": ForManagers}

    @extend_schema(responses=UserSerializer(many=True))
    def get(self, request: Request) -> Response:
        """Everybody with a role at this employer."""
        return self.paged(users_of(self.actor), UserSerializer)

    @extend_schema(request=NewUser, responses={201: UserSerializer})
    def post(self, request: Request) -> Response:
        """Make a user with one role."""
        sent = self.sent(NewUser)
        password = sent.get("password")
        if password is not None and (found := weaknesses(password)):
            raise ValidationError({"password": found})
        user = create_user(
            self.actor, sent["email"], sent["role"], password=password, name=sent["name"]
        )
        return shown(users_of(self.actor).get(pk=user.pk), UserSerializer, 201)


class UserView(ActorView):
    """One user."""

    allows = {"GET": ForManagers}

    @extend_schema(responses=UserSerializer)
    def get(self, request: Request, id: UUID) -> Response:
        """A user with a role at this employer."""
        return shown(user_of(self.actor, id), UserSerializer)


class MembershipsView(ActorView):
    """Who has which role."""

    allows = {"GET": ForManagers, "POST": ForManagers}

    @extend_schema(responses=MembershipSerializer(many=True))
    def get(self, request: Request) -> Response:
        """All roles of all users at this employer."""
        rows = Membership.objects.filter(employer=self.actor.employer).select_related("user")
        return self.paged(rows, MembershipSerializer)

    @extend_schema(request=NewMembership, responses={201: MembershipSerializer})
    def post(self, request: Request) -> Response:
        """Give a user of this employer one more role."""
        sent = self.sent(NewMembership)
        user = user_of(self.actor, sent["user"])
        return shown(add_role(self.actor, user, sent["role"]), MembershipSerializer, 201)


class MembershipView(ActorView):
    """One role of one user."""

    allows = {"DELETE": ForManagers}

    @extend_schema(responses={204: None})
    def delete(self, request: Request, id: UUID) -> Response:
        """Take the role away, at once. The last manager stays."""
        rows = Membership.objects.select_related("user")
        remove_role(self.actor, of_employer(rows, self.actor, id))
        return Response(status=204)


class DriversView(ActorView):
    """The drivers, by name."""

    allows = {"GET": Allows(Role.DISPATCHER), "POST": ForManagers}
    cursor_key = ("name_folded", "id")

    @extend_schema(parameters=[DriverQuery], responses=DriverSerializer(many=True))
    def get(self, request: Request) -> Response:
        """All drivers, or those whose name or number holds `q`."""
        words = self.asked(DriverQuery).get("q", "")
        drivers = visible_drivers(self.actor)
        return self.paged(drivers_like(drivers, words) if words else drivers, DriverSerializer)

    @extend_schema(request=DriverSerializer, responses={201: DriverSerializer})
    def post(self, request: Request) -> Response:
        """Make a driver. That is the employer's word that the person is 18 or older."""
        driver = create_driver(self.actor, **self.sent(DriverSerializer))
        return shown(driver, DriverSerializer, 201)


class DriverView(ActorView):
    """One driver."""

    allows = {"GET": Allows(Role.DISPATCHER), "PATCH": ForManagers}

    @extend_schema(responses=DriverSerializer)
    def get(self, request: Request, id: UUID) -> Response:
        """A driver of this employer."""
        return shown(of_employer(visible_drivers(self.actor), self.actor, id), DriverSerializer)

    @extend_schema(request=DriverSerializer, responses=DriverSerializer)
    def patch(self, request: Request, id: UUID) -> Response:
        """Change a driver's name, number or language."""
        driver = of_employer(visible_drivers(self.actor), self.actor, id)
        changes = self.sent(DriverSerializer, partial=True)
        return shown(change_driver(self.actor, driver, changes), DriverSerializer)
