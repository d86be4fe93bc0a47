"""What the rules read of the missions of a day, as plain rows.

A day holds thousands of stops and tens of thousands of stages. Each kind is one statement and
one JSON text, which the standard library reads many times faster than psycopg reads rows.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime
from json import loads
from string import ascii_lowercase
from typing import Any, Final, NamedTuple, TypeVar

from django.db import connection


class LeanSite(NamedTuple):
    latitude: float | None
    longitude: float | None


class LeanStop(NamedTuple):
    """What the rules read of a stop, by the names of the model."""

    mission_id: int
    pk: int
    requires_photo: bool
    requires_signature: bool
    result: str
    has_remark: bool
    window_start_at: datetime | None
    window_end_at: datetime | None
    planned_arrival_at: datetime | None
    planned_departure_at: datetime | None
    free_time_s: int | None
    latitude: float | None
    longitude: float | None

    @property
    def site(self) -> LeanSite:
        return LeanSite(self.latitude, self.longitude)


class LeanStage(NamedTuple):
    """What the rules read of a stage, by the names of the model."""

    mission_id: int
    pk: int
    stop_id: int | None
    driver_id: int | None
    erased_driver: str | None
    stage: int
    recorded_at: datetime
    site_check: str
    site_distance_m: float | None
    client_id: str
    corrects_id: int | None
    is_superseded: bool
    has_note: bool


class LeanProof(NamedTuple):
    """A photo or a signature: which stop or stage it names. `outcome`: of a signature."""

    mission_id: int
    stop_id: int | None
    driver_id: int | None
    erased_driver: str | None
    stage_client_id: str
    outcome: str


class Hand(NamedTuple):
    """Who drives, as a mission's assignment has it. `is_now`: at this moment."""

    mission_id: int
    driver_id: int | None
    is_frozen: bool
    is_now: bool


OfMission = TypeVar("OfMission", LeanStop, LeanStage, LeanProof, Hand)

# Columns, each a list, of one statement's rows: cheaper to write and to read than rows.
_COLUMNS: Final = "SELECT json_build_array({columns})::text FROM ({rows}) x"
_HANDS: Final = """
SELECT a.mission_id AS a, a.driver_id AS b, d.frozen_at IS NOT NULL AS c, a.period @> now() AS d
  FROM missions_missionassignment a
  LEFT JOIN accounts_driver d ON d.id = a.driver_id
 WHERE a.mission_id = ANY(%(missions)s::int[])
 ORDER BY a.id
"""
_STOPS: Final = """
SELECT s.mission_id AS a, s.id AS b, s.requires_photo AS c, s.requires_signature AS d,
       s.result AS e, s.remark <> '' AS f, s.window_start_at AS g, s.window_end_at AS h,
       s.planned_arrival_at AS i, s.planned_departure_at AS j, s.free_time_s AS k,
       p.latitude AS l, p.longitude AS m
  FROM missions_stop s
  LEFT JOIN missions_site p ON p.id = s.site_id
 WHERE s.mission_id = ANY(%(missions)s::int[])
 ORDER BY s.mission_id, s.seq
"""
# As stop_times.stages_of_mission: never what somebody who is not available marked.
_STAGES: Final = """
SELECT e.mission_id AS a, e.id AS b, e.stop_id AS c, e.driver_id AS d, e.erased_driver AS e,
       e.stage AS f, e.recorded_at AS g, e.site_check AS h, e.site_distance_m AS i,
       e.client_id AS j, e.corrects_id AS k, e.is_retraction OR c.id IS NOT NULL AS l,
       e.note <> '' AS m
  FROM missions_stageevent e
  LEFT JOIN accounts_driver d ON d.id = e.driver_id
  LEFT JOIN missions_stageevent c ON c.corrects_id = e.id
 WHERE e.mission_id = ANY(%(missions)s::int[]) AND d.frozen_at IS NULL
 ORDER BY e.recorded_at, e.id
"""
_PROOFS: Final = """
SELECT p.mission_id AS a, p.stop_id AS b, p.driver_id AS c, p.erased_driver AS d,
       p.stage_client_id AS e, {outcome} AS f
  FROM {table} p
  LEFT JOIN accounts_driver d ON d.id = p.driver_id
 WHERE p.mission_id = ANY(%(missions)s::int[]) AND d.frozen_at IS NULL
 ORDER BY p.id
"""
_PHOTOS: Final = _PROOFS.format(table="missions_attachment", outcome="''")
_SIGNATURES: Final = _PROOFS.format(table="missions_signature", outcome="p.outcome")


def hands_of(missions: Collection[int]) -> defaultdict[int, list[Hand]]:
    """Each mission's assignments, the first one first. One query."""
    return _by_mission(map(Hand, *_columns(_HANDS, Hand, missions)))


def stops_of(missions: Collection[int]) -> defaultdict[int, list[LeanStop]]:
    """Each mission's stops in their order. One query."""
    columns = _columns(_STOPS, LeanStop, missions)
    times = [map(_at, column) for column in columns[6:10]]
    return _by_mission(map(LeanStop, *columns[:6], *times, *columns[10:]))


def stages_of(missions: Collection[int]) -> defaultdict[int, list[LeanStage]]:
    """Each mission's stages, corrected ones too, oldest first. One query."""
    columns = _columns(_STAGES, LeanStage, missions)
    columns[6] = map(datetime.fromisoformat, columns[6])
    return _by_mission(map(LeanStage, *columns))


def photos_of(missions: Collection[int]) -> defaultdict[int, list[LeanProof]]:
    """One query."""
    return _by_mission(map(LeanProof, *_columns(_PHOTOS, LeanProof, missions)))


def signatures_of(missions: Collection[int]) -> defaultdict[int, list[LeanProof]]:
    """One query."""
    return _by_mission(map(LeanProof, *_columns(_SIGNATURES, LeanProof, missions)))


def _columns(rows: str, kind: type[OfMission], missions: Collection[int]) -> list[Iterable[Any]]:
    """A statement's rows as columns, called a, b, c … there, as `kind` takes them."""
    count = len(kind._fields)
    columns = ", ".join(f"json_agg(x.{name})" for name in ascii_lowercase[:count])
    with connection.cursor() as cursor:
        cursor.execute(_COLUMNS.format(columns=columns, rows=rows), {"missions": [*missions]})
        (text,) = cursor.fetchone()
    # Without any row each column is null.
    return [column or () for column in loads(text)]


def _at(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _by_mission(rows: Iterable[OfMission]) -> defaultdict[int, list[OfMission]]:
    found: defaultdict[int, list[OfMission]] = defaultdict(list)
    for row in rows:
        found[row.mission_id].append(row)
    return found
