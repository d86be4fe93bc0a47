"""The visits of a search as the rows of a table, for a spreadsheet."""

from collections.abc import Iterable, Iterator
from typing import Final
from zoneinfo import ZoneInfo

from missions.stages import Stage
from missions.tables import Row
from tracking.where_search import Sighting

WHERE_TABLE: Final = (
    "truck_plate",
    "truck_id",
    "driver_name",
    "driver_number",
    "driver_id",
    "mission_ids",
    "began_at",
    "ended_at",
    "began_local",
    "ended_local",
    "timezone",
    "is_there_before",
    "is_there_after",
    "is_last",
    "evidence",
    "positions",
    "apart_m",
    "nearest_m",
    "nearest_at",
    "latitude",
    "longitude",
    "stages",
)


def table_rows(found: Iterable[Sighting], zone: ZoneInfo) -> Iterator[Row]:
    """One row for each visit, in the order of WHERE_TABLE."""
    for one in found:
        visit, nearest = one.visit, one.visit.nearest
        yield [
            one.truck.plate if one.truck else None,
            str(one.truck.uuid) if one.truck else None,
            one.driver.name,
            one.driver.number,
            str(one.driver.uuid),
            " ".join(str(mission.uuid) for mission in one.missions),
            visit.began_at,
            visit.ended_at,
            visit.began_at.astimezone(zone).isoformat(timespec="seconds"),
            visit.ended_at.astimezone(zone).isoformat(timespec="seconds"),
            zone.key,
            visit.is_there_before,
            visit.is_there_after,
            visit.is_last,
            visit.how,
            sum(place.how == "position" for place in visit.positions),
            None if visit.best.apart_m is None else round(visit.best.apart_m, 1),
            None if nearest.away_m is None else round(nearest.away_m, 1),
            nearest.nearest_at,
            round(nearest.point[0], 7),
            round(nearest.point[1], 7),
            " ".join(Stage(event.stage).label for event in one.stages),
        ]
