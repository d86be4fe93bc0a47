"""Missions and their stages as the rows of a table, read a few hundred at a time.

The table of missions has the columns of an import, so that one exported and imported again
changes nothing; behind them stand local times and results, which an import does not read.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from django.db.models import Count, Q, QuerySet

from accounts.models import Driver, Employer
from missions.import_columns import COLUMNS, EXPORT_ONLY
from missions.models import GoodsLine, Mission, Site, StageEvent, Stop
from missions.running import running_of, truck_of
from missions.stages import Stage
from missions.tables import Cell, Row

# Read together: some 400 rows of the table when a mission has four stops.
CHUNK: Final = 100

MISSION_TABLE: Final = (*(column.name for column in COLUMNS), *EXPORT_ONLY)
STAGE_TABLE: Final = (
    "mission_external_id",
    "mission_id",
    "mission_reference",
    "ecmr_number",
    "seq",
    "stop_external_id",
    "site_name",
    "site_address",
    "stage_id",
    "stage",
    "planned_at",
    "window_start_at",
    "window_end_at",
    "recorded_at",
    "delta_s",
    "received_at",
    "upload_delay_s",
    "planned_local",
    "recorded_local",
    "timezone",
    "latitude",
    "longitude",
    "accuracy_m",
    "position_source",
    "site_distance_m",
    "site_check",
    "odometer_m",
    "driver_number",
    "driver_name",
    "truck_plate",
    "source",
    "reason",
    "result",
    "remark",
    "corrects",
    "corrected_by",
    "is_retraction",
)


def zone_of(stop: Stop | None, employer: Employer) -> ZoneInfo:
    """The clocks at a stop: those of its site, else the employer's."""
    site = stop.site if stop else None
    return ZoneInfo((site.timezone if site else "") or employer.timezone)


def local(at: datetime | None, zone: ZoneInfo) -> str:
    """A time as the clocks there showed it, with its offset; empty when there is none."""
    return at.astimezone(zone).isoformat() if at else ""


# --- Missions ---------------------------------------------------------------------------


def count_rows(missions: QuerySet[Mission]) -> int:
    """How many rows the table of these missions has: one for each stop, or line of its goods."""
    stops = Stop.objects.filter(mission__in=missions.values("pk"))
    places = stops.aggregate(stops=Count("pk"), missions=Count("mission", distinct=True))
    goods = GoodsLine.objects.filter(stop__in=stops).aggregate(
        lines=Count("pk"), stops=Count("stop", distinct=True)
    )
    without_stops = missions.count() - places["missions"]
    return int(without_stops + places["stops"] - goods["stops"] + goods["lines"])


def mission_chunks(missions: QuerySet[Mission], employer: Employer) -> Iterator[list[Row]]:
    """The rows of `shown_missions`, newest first. Five queries a chunk, nothing in between."""
    newest_first = missions.order_by("-pk")
    last: int | None = None
    while page := list((newest_first.filter(pk__lt=last) if last else newest_first)[:CHUNK]):
        last = page[-1].pk
        rows = [row for mission in page for row in mission_rows(mission, employer)]
        # Held by nobody while the next ones are read.
        page.clear()
        yield rows
        del rows


def mission_rows(mission: Mission, employer: Employer) -> Iterator[Row]:
    """One row for each stop or, where a stop has goods, for each line of them."""
    of_mission = _mission_cells(mission, ZoneInfo(employer.timezone))
    stops = list(mission.stops.all())
    if not stops:
        yield _row(of_mission)
    for stop in stops:
        of_stop = of_mission | _stop_cells(stop, zone_of(stop, employer))
        lines = list(stop.goods.all())
        if not lines:
            yield _row(of_stop)
        for line in lines:
            yield _row(of_stop | _goods_cells(line))


def _row(cells: dict[str, Cell]) -> Row:
    return [cells.get(name) for name in MISSION_TABLE]


def _mission_cells(mission: Mission, zone: ZoneInfo) -> dict[str, Cell]:
    running = running_of(mission)
    driver = running.driver if running else None
    truck = truck_of(mission)
    return {
        "external_id": mission.external_id,
        "mission_id": str(mission.uuid),
        "reference": mission.reference,
        "planned_start_at": mission.planned_start_at,
        "planned_end_at": mission.planned_end_at,
        "ecmr_number": mission.ecmr_number,
        # A driver who is frozen is out of every read.
        "driver_number": driver.number if driver and driver.frozen_at is None else None,
        "truck_plate": truck.plate if truck else None,
        "status": mission.status,
        "timezone": zone.key,
        "planned_start_local": local(mission.planned_start_at, zone),
        "planned_end_local": local(mission.planned_end_at, zone),
    }


def _stop_cells(stop: Stop, zone: ZoneInfo) -> dict[str, Cell]:
    return {
        "seq": stop.seq,
        "stop_external_id": stop.external_id,
        **_site_cells(stop.site),
        "purpose": stop.purpose,
        "window_start_at": stop.window_start_at,
        "window_end_at": stop.window_end_at,
        "planned_arrival_at": stop.planned_arrival_at,
        "planned_departure_at": stop.planned_departure_at,
        "planned_service_s": stop.planned_service_s,
        "free_time_s": stop.free_time_s,
        "stop_reference": stop.reference,
        "contact_name": stop.contact_name,
        "contact_phone": stop.contact_phone,
        "requires_signature": stop.requires_signature,
        "requires_photo": stop.requires_photo,
        "remark": stop.remark,
        "stop_timezone": zone.key,
        "window_start_local": local(stop.window_start_at, zone),
        "window_end_local": local(stop.window_end_at, zone),
        "planned_arrival_local": local(stop.planned_arrival_at, zone),
        "planned_departure_local": local(stop.planned_departure_at, zone),
        "result": stop.result,
        "result_reason": stop.result_reason,
    }


def _site_cells(site: Site | None) -> dict[str, Cell]:
    if site is None:
        return {}
    return {
        "site_id": str(site.uuid),
        "site_external_id": site.external_id,
        "site_name": site.name,
        "site_address": site.address,
        "latitude": site.latitude,
        "longitude": site.longitude,
    }


def _goods_cells(line: GoodsLine) -> dict[str, Cell]:
    return {
        "goods_line_no": line.line_no,
        "goods_description": line.description,
        "goods_quantity": line.quantity,
        "goods_unit": line.unit,
        "goods_weight_kg": line.weight_kg,
        "goods_reference": line.reference,
    }


# --- Stages -----------------------------------------------------------------------------


def stage_chunks(mission: Mission, employer: Employer) -> Iterator[list[Row]]:
    """Every stage of a mission, corrected ones too, oldest first.

    The stages of a driver who is not available are left out, as in the timeline.
    """
    return chunks_of(StageEvent.objects.filter(mission=mission), employer)


def chunks_of(events: QuerySet[StageEvent], employer: Employer) -> Iterator[list[Row]]:
    """The same of any stages of an employer: those of a day of a driver or a truck."""
    stages = (
        events.filter(driver__frozen_at=None)
        .select_related("mission", "driver", "truck", "corrects", "stop__site")
        .prefetch_related("corrections")
        .order_by("recorded_at", "pk")
    )
    last: StageEvent | None = None
    while True:
        page = list(stages.filter(_after(last))[:CHUNK])
        if not page:
            return
        last = page[-1]
        yield [_stage_row(event, employer) for event in page]


def _after(last: StageEvent | None) -> Q:
    if last is None:
        return Q()
    later = Q(recorded_at__gt=last.recorded_at)
    return later | Q(recorded_at=last.recorded_at, pk__gt=last.pk)


def _stage_row(event: StageEvent, employer: Employer) -> Row:
    zone = zone_of(event.stop, employer)
    mission = event.mission
    cells: dict[str, Cell] = {
        "mission_external_id": mission.external_id if mission else None,
        "mission_id": str(mission.uuid) if mission else None,
        "mission_reference": mission.reference if mission else None,
        "ecmr_number": mission.ecmr_number if mission else None,
        "timezone": zone.key,
        **_event_cells(event, zone),
        **_planned_cells(event, zone),
        **_who_and_where(event),
    }
    return [cells.get(name) for name in STAGE_TABLE]


def _event_cells(event: StageEvent, zone: ZoneInfo) -> dict[str, Cell]:
    corrected_by = next(iter(event.corrections.all()), None)
    return {
        "stage_id": str(event.uuid),
        "stage": Stage(event.stage).label,
        "recorded_at": event.recorded_at,
        "recorded_local": local(event.recorded_at, zone),
        "received_at": event.received_at,
        "upload_delay_s": round((event.received_at - event.recorded_at).total_seconds()),
        "position_source": event.position_source,
        "site_distance_m": event.site_distance_m,
        "site_check": event.site_check,
        "odometer_m": event.odometer_m,
        "source": event.source,
        "reason": event.reason,
        "result": event.result,
        "remark": event.remark,
        "corrects": str(event.corrects.uuid) if event.corrects else None,
        "corrected_by": str(corrected_by.uuid) if corrected_by else None,
        "is_retraction": event.is_retraction,
    }


def _planned_cells(event: StageEvent, zone: ZoneInfo) -> dict[str, Cell]:
    """What was planned of the stop; `delta_s` is positive when the stage was late."""
    stop = event.stop
    if stop is None:
        return {}
    at = _planned_at(event, stop)
    site = stop.site
    return {
        "seq": stop.seq,
        "stop_external_id": stop.external_id,
        "site_name": site.name if site else None,
        "site_address": site.address if site else None,
        "planned_at": at,
        "planned_local": local(at, zone),
        "delta_s": round((event.recorded_at - at).total_seconds()) if at else None,
        "window_start_at": stop.window_start_at,
        "window_end_at": stop.window_end_at,
    }


def _planned_at(event: StageEvent, stop: Stop) -> datetime | None:
    if event.stage == Stage.ARRIVAL:
        return stop.planned_arrival_at
    return stop.planned_departure_at if event.stage == Stage.DEPARTURE else None


def _who_and_where(event: StageEvent) -> dict[str, Cell]:
    """As in the API: of a driver who was erased neither the name nor the place is left."""
    truck = event.truck.plate if event.truck else None
    driver: Driver | None = event.driver
    if driver is None or driver.frozen_at is not None:
        return {"truck_plate": truck}
    return {
        "truck_plate": truck,
        "driver_number": driver.number,
        "driver_name": driver.name,
        "latitude": event.latitude,
        "longitude": event.longitude,
        "accuracy_m": event.accuracy_m,
    }
