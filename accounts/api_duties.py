"""Duties and private times of a driver, and marks that a dispatcher sets."""

from datetime import timedelta
from typing import Final

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.drivers import visible_drivers
from accounts.duties import duties_between, mark_duty
from accounts.duty_marks import MARK_BY_LABEL
from accounts.http import ActorView
from accounts.models import Role
from accounts.permissions import Allows
from accounts.refusals import Invalid
from accounts.serializers import DutyMarkSerializer, DutyPeriodSerializer, DutyQuery
from accounts.tenants import of_employer

DEFAULT_RANGE: Final = timedelta(hours=24)
# Computed anew for each answer and not paged, so bounded.
MAX_RANGE: Final = timedelta(days=366)


class DutiesView(ActorView):
    """When a driver was on duty, and when in private mode."""

    allows = {"GET": Allows(Role.DISPATCHER), "POST": Allows(Role.DISPATCHER)}

    @extend_schema(parameters=[DutyQuery], responses=DutyPeriodSerializer(many=True))
    def get(self, request: Request) -> Response:
        """The periods that touch `[from, to)`, whole, oldest first; at most 366 days."""
        asked = self.asked(DutyQuery)
        driver = of_employer(visible_drivers(self.actor), self.actor, asked["driver"])
        end = asked.get("end") or timezone.now()
        begin = asked.get("begin") or end - DEFAULT_RANGE
        if not begin < end <= begin + MAX_RANGE:
            raise Invalid("`to` is after `from`, by at most 366 days.", field="to")
        periods = DutyPeriodSerializer(duties_between(driver, begin, end), many=True)
        return Response({"results": periods.data, "next": None})

    @extend_schema(request=DutyMarkSerializer, responses={201: DutyMarkSerializer})
    def post(self, request: Request) -> Response:
        """Set a mark that the driver forgot; what it opens or closes follows when read."""
        sent = self.sent(DutyMarkSerializer)
        driver = of_employer(visible_drivers(self.actor), self.actor, sent["driver"])
        mark = mark_duty(self.actor, driver, MARK_BY_LABEL[sent["kind"]], sent["recorded_at"])
        return Response(
            {
                "driver": str(driver.uuid),
                "kind": sent["kind"],
                "recorded_at": mark.recorded_at,
                "source": mark.source,
            },
            status=201,
        )
