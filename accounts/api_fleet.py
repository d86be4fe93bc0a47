"""Trucks, and who drives which."""

from typing import Any
from uuid import UUID

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actors import Actor
from accounts.assignments import assign_truck, correct_assignment, end_assignment
from accounts.drivers import visible_drivers
from accounts.http import ActorView, shown
from accounts.models import Driver, Role, Truck, TruckAssignment
from accounts.permissions import Allows
from accounts.refusals import Invalid
from accounts.serializers import (
    AtSerializer,
    CorrectedSerializer,
    NewTruckAssignment,
    TruckAssignmentChange,
    TruckAssignmentQuery,
    TruckAssignmentSerializer,
    TruckQuery,
    TruckSerializer,
)
from accounts.tenants import of_employer
from accounts.trucks import change_truck, create_truck, plain_plate, retire_truck

ForDispatchers = Allows(Role.DISPATCHER)
ForManagers = Allows(Role.MANAGER)


class TrucksView(ActorView):
    """The trucks."""

    allows = {"GET": ForDispatchers, "POST": ForManagers}

    @extend_schema(parameters=[TruckQuery], responses=TruckSerializer(many=True))
    def get(self, request: Request) -> Response:
        """All trucks, retired ones too unless `in_service` says."""
        asked = self.asked(TruckQuery)
        trucks = Truck.objects.filter(employer=self.actor.employer)
        if asked.get("q"):
            trucks = trucks.filter(plate__contains=plain_plate(asked["q"]))
        if asked["in_service"] is not None:
            trucks = trucks.filter(retired_at__isnull=asked["in_service"])
        return self.paged(trucks, TruckSerializer)

    @extend_schema(request=TruckSerializer, responses={201: TruckSerializer})
    def post(self, request: Request) -> Response:
        """Put a truck into service."""
        truck = create_truck(self.actor, **self.sent(TruckSerializer))
        return shown(truck, TruckSerializer, 201)


class TruckView(ActorView):
    """One truck."""

    allows = {"GET": ForDispatchers, "PATCH": ForManagers}

    @extend_schema(responses=TruckSerializer)
    def get(self, request: Request, id: UUID) -> Response:
        """A truck of this employer."""
        return shown(of_employer(Truck, self.actor, id), TruckSerializer)

    @extend_schema(request=TruckSerializer, responses=TruckSerializer)
    def patch(self, request: Request, id: UUID) -> Response:
        """Change a truck's plate, country or name."""
        truck = of_employer(Truck, self.actor, id)
        changes = self.sent(TruckSerializer, partial=True)
        return shown(change_truck(self.actor, truck, changes), TruckSerializer)


class TruckRetirementView(ActorView):
    """The end of a truck's service."""

    allows = {"POST": ForManagers}

    @extend_schema(request=AtSerializer, responses=TruckSerializer)
    def post(self, request: Request, id: UUID) -> Response:
        """Take a truck out of service; its plate is free again, its history stays."""
        truck = of_employer(Truck, self.actor, id)
        at = self.sent(AtSerializer).get("at") or timezone.now()
        return shown(retire_truck(self.actor, truck, at), TruckSerializer)


class TruckAssignmentsView(ActorView):
    """Who drives which truck when."""

    allows = {"GET": ForDispatchers, "POST": ForDispatchers}

    @extend_schema(
        parameters=[TruckAssignmentQuery], responses=TruckAssignmentSerializer(many=True)
    )
    def get(self, request: Request) -> Response:
        """The assignments, of one truck or driver and in a time range if asked."""
        asked = self.asked(TruckAssignmentQuery)
        rows = assignments_of(self.actor)
        if "truck" in asked:
            rows = rows.filter(truck=of_employer(Truck, self.actor, asked["truck"]))
        if "driver" in asked:
            rows = rows.filter(driver=driver_of(self.actor, asked["driver"]))
        if "begin" in asked or "end" in asked:
            rows = rows.filter(period__overlap=time_range(asked))
        return self.paged(rows, TruckAssignmentSerializer)

    @extend_schema(request=NewTruckAssignment, responses={201: TruckAssignmentSerializer})
    def post(self, request: Request) -> Response:
        """Give a truck to a driver; 409 names the assignment in the way."""
        sent = self.sent(NewTruckAssignment)
        truck = of_employer(Truck, self.actor, sent.pop("truck"))
        driver = driver_of(self.actor, sent.pop("driver"))
        assignment = assign_truck(self.actor, truck, driver, **sent)
        return shown(assignment, TruckAssignmentSerializer, 201)


class TruckAssignmentView(ActorView):
    """One assignment."""

    allows = {"GET": ForDispatchers, "PATCH": ForDispatchers}

    @extend_schema(responses=TruckAssignmentSerializer)
    def get(self, request: Request, id: UUID) -> Response:
        """An assignment of this employer."""
        found = of_employer(assignments_of(self.actor), self.actor, id)
        return shown(found, TruckAssignmentSerializer)

    @extend_schema(request=TruckAssignmentChange, responses=CorrectedSerializer)
    def patch(self, request: Request, id: UUID) -> Response:
        """Correct it: say what was true all along.

        Fixes keep the links of when they were recorded: `relink` names the spans whose
        fixes may need to be linked again, which is a step of its own.
        """
        old = of_employer(assignments_of(self.actor), self.actor, id)
        sent = self.sent(TruckAssignmentChange, partial=True)
        if "truck" in sent:
            sent["truck"] = of_employer(Truck, self.actor, sent["truck"])
        if "driver" in sent:
            sent["driver"] = driver_of(self.actor, sent["driver"])
        return shown(correct_assignment(self.actor, old, **sent), CorrectedSerializer)


class TruckAssignmentEndView(ActorView):
    """The end of an assignment."""

    allows = {"POST": ForDispatchers}

    @extend_schema(request=AtSerializer, responses=CorrectedSerializer)
    def post(self, request: Request, id: UUID) -> Response:
        """The driver gave the truck back at this moment."""
        assignment = of_employer(assignments_of(self.actor), self.actor, id)
        at = self.sent(AtSerializer).get("at") or timezone.now()
        return shown(end_assignment(self.actor, assignment, at), CorrectedSerializer)


def assignments_of(actor: Actor) -> QuerySet[TruckAssignment]:
    """The employer's assignments with what their answer needs, in one query."""
    rows = TruckAssignment.objects.filter(employer=actor.employer)
    return rows.select_related("truck", "driver")


def driver_of(actor: Actor, id: UUID) -> Driver:
    """A driver of the employer who is in reads; 404 otherwise."""
    return of_employer(visible_drivers(actor), actor, id)


def time_range(asked: dict[str, Any]) -> DateTimeTZRange:
    """`from` and `to` of a query as a half-open range. Invalid when it ends before it begins."""
    begin, end = asked.get("begin"), asked.get("end")
    if begin is not None and end is not None and end <= begin:
        raise Invalid("`to` is after `from`.", field="to")
    return DateTimeTZRange(begin, end)
