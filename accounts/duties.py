"""Marks of duty and private time: a dispatcher's own, and the periods that all marks make."""

from datetime import datetime
from itertools import chain

from django.db import transaction
from django.db.models import Max, Min
from django.utils import timezone

from accounts.actors import Actor
from accounts.audit import record
from accounts.duty_marks import DutyMarkKind
from accounts.duty_periods import KINDS, DutyKind, DutyPeriod, Mark, duty_periods
from accounts.models import Driver, DutyMark, MarkSource
from accounts.refusals import AlreadyTaken, DriverFrozen, Invalid


def mark_duty(actor: Actor, driver: Driver, kind: DutyMarkKind, at: datetime) -> DutyMark:
    """A dispatcher says what the driver forgot to press. AlreadyTaken when it was pressed."""
    if at > timezone.now():
        raise Invalid("A mark is about the past.", field="recorded_at")
    with transaction.atomic():
        # Locked, so that a freeze waits for this mark or this mark sees the freeze.
        if Driver.objects.select_for_update(no_key=True).get(pk=driver.pk).frozen_at is not None:
            raise DriverFrozen("This driver's data is frozen.")
        mark, is_new = DutyMark.objects.get_or_create(
            driver=driver,
            recorded_at=at,
            kind=kind,
            defaults={"employer": actor.employer, "source": MarkSource.DISPATCHER},
        )
        if not is_new:
            raise AlreadyTaken("This mark is there already.")
        detail = {"kind": kind.label, "recorded_at": at.isoformat()}
        record(actor, "duty.marked", driver, detail)
    return mark


def duties_between(driver: Driver, begin: datetime, end: datetime) -> list[DutyPeriod]:
    """The duties and private times that touch `[begin, end)`, whole, oldest first.

    Three queries a kind: where to begin and to stop reading so that the first and the last
    are whole, and the marks.
    """
    kinds: tuple[DutyKind, ...] = ("duty", "private")
    periods = chain.from_iterable(_periods(driver, kind, begin, end) for kind in kinds)
    return sorted(periods, key=lambda period: period.started)


def _periods(driver: Driver, kind: DutyKind, begin: datetime, end: datetime) -> list[DutyPeriod]:
    _, end_kind = KINDS[kind]
    ends = DutyMark.objects.filter(driver=driver, kind=end_kind)
    # The end before the range and the one after it: nothing beyond them can touch it.
    since = ends.filter(recorded_at__lte=begin).aggregate(at=Max("recorded_at"))["at"]
    until = ends.filter(recorded_at__gte=end).aggregate(at=Min("recorded_at"))["at"]
    marks = DutyMark.objects.filter(driver=driver, kind__in=KINDS[kind])
    if since is not None:
        marks = marks.filter(recorded_at__gte=since)
    if until is not None:
        marks = marks.filter(recorded_at__lte=until)
    found = [Mark(row.recorded_at, row.kind, row.source) for row in marks]
    return [
        period
        for period in duty_periods(found, kind)
        if period.started.recorded_at < end
        and (period.ended is None or period.ended.recorded_at > begin)
    ]
