"""Which missions somebody sees, with all that is shown of them in a fixed number of queries."""

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Exists, F, OuterRef, Prefetch, Q, QuerySet
from django.db.models.functions import Coalesce

from accounts.folding import folded
from accounts.models import Driver, Employer
from missions.models import Mission, MissionAssignment, MissionStatus, Stop


def shown_missions() -> QuerySet[Mission]:
    """Missions with truck, assignments, stops and goods: four queries, however many rows."""
    assignments = MissionAssignment.objects.select_related("driver", "truck").order_by("id")
    return Mission.objects.select_related("planned_truck").prefetch_related(
        Prefetch("assignments", assignments), Prefetch("stops", shown_stops())
    )


def shown_stops() -> QuerySet[Stop]:
    """Stops in their order with site and goods: two queries, however many rows."""
    return Stop.objects.select_related("site__employer").prefetch_related("goods").order_by("seq")


def matching(missions: QuerySet[Mission], wanted: Mapping[str, Any]) -> QuerySet[Mission]:
    """Those that the list's filters name: status, driver, truck, from, to, q."""
    if wanted.get("status"):
        missions = missions.filter(status__in=wanted["status"])
    if wanted.get("driver"):
        missions = missions.filter(_assigned(driver__uuid=wanted["driver"], driver__frozen_at=None))
    if wanted.get("truck"):
        planned = Q(planned_truck__uuid=wanted["truck"])
        missions = missions.filter(planned | Q(_assigned(truck__uuid=wanted["truck"])))
    if wanted.get("q"):
        missions = missions.filter(_named(wanted["q"]))
    return _between(missions, wanted.get("begin"), wanted.get("end"))


def _assigned(**to: object) -> Exists:
    return Exists(MissionAssignment.objects.filter(mission=OuterRef("pk"), **to))


def _named(part: str) -> Q:
    sites = Q(site__name__icontains=part) | Q(site__address__icontains=part)
    stops = Stop.objects.filter(sites, mission=OuterRef("pk"))
    own = Q(reference__icontains=part) | Q(external_id__icontains=part)
    # A name is found as people type it; that of a driver who is not available is not found.
    driver = Q(driver__name_folded__contains=folded(part), driver__frozen_at=None)
    plate = Q(truck__plate__icontains=part)
    driven = MissionAssignment.objects.filter(driver | plate, mission=OuterRef("pk"))
    return own | Q(planned_truck__plate__icontains=part) | Q(Exists(stops)) | Q(Exists(driven))


def _between(
    missions: QuerySet[Mission], begin: datetime | None, end: datetime | None
) -> QuerySet[Mission]:
    """Missions of some moment in [begin, end): as driven, else as planned, else as made."""
    missions = missions.alias(began_at=Coalesce("opened_at", "planned_start_at", "created_at"))
    if begin:
        still_open = Q(opened_at__isnull=False, ended_at__isnull=True)
        until = Coalesce("ended_at", "planned_end_at", F("began_at"))
        missions = missions.alias(until=until).filter(still_open | Q(until__gte=begin))
    return missions.filter(began_at__lt=end) if end else missions


def missions_of_driver(
    driver: Driver, employer: Employer, now: datetime, *, days: int
) -> QuerySet[Mission]:
    """What a driver has in hand or to do until `days` after today, and has completed today.

    Days are the employer's. Only missions, and parts of missions, that are theirs and not
    handed on. One whose start nobody planned, or was to start before, is to do today. Each
    carries `my_assignments`.
    """
    zone = ZoneInfo(employer.timezone)
    today = now.astimezone(zone).date()
    today_at = datetime.combine(today, time(), tzinfo=zone)
    too_late_at = datetime.combine(today + timedelta(days=days + 1), time(), tzinfo=zone)
    started = Q(status=MissionStatus.STARTED)
    is_near = Q(planned_start_at__isnull=True) | Q(planned_start_at__lt=too_late_at)
    done_today = Q(status=MissionStatus.COMPLETED, ended_at__gte=today_at)
    own = MissionAssignment.objects.filter(driver=driver, period__contains=now)
    return (
        Mission.objects.filter(Exists(own.filter(mission=OuterRef("pk"))))
        .filter(started | (Q(status=MissionStatus.ASSIGNED) & is_near) | done_today)
        .prefetch_related(
            Prefetch(
                "assignments",
                own.select_related("truck").order_by("id"),
                to_attr="my_assignments",
            ),
            Prefetch("stops", shown_stops()),
        )
    )
