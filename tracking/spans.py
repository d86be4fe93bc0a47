"""Which ranges of whose key make up the history of a driver, a truck or a mission.

The table of fixes has one index, its key `(driver_id, recorded_at, fix_id)`. So a history is
a list of spans: one driver, one half-open range of time, and the condition under which a fix
in it belongs. Each span is one range scan; nothing else is ever read.

A frozen driver has no spans.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import reduce
from itertools import groupby
from operator import attrgetter, or_
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db import connection
from django.db.models import Q

from accounts.models import Driver, Truck
from missions.models import Mission, MissionAssignment

# The shortest step of a timestamp: an inclusive end is the half-open end one step later.
TICK: Final = timedelta(microseconds=1)


class Belongs(NamedTuple):
    """A condition on a fix `f` as SQL text and its parameters; empty text accepts all."""

    sql: str = ""
    params: tuple[Any, ...] = ()


EVERY_FIX: Final = Belongs()


@dataclass(frozen=True, slots=True)
class Span:
    """The fixes of one driver in `[begin_at, end_at)` that satisfy `belongs`."""

    driver_id: int
    begin_at: datetime
    end_at: datetime
    belongs: Belongs = EVERY_FIX


class Window(NamedTuple):
    """Spans that are read together: none of them reaches outside, no other reaches in."""

    begin_at: datetime
    end_at: datetime
    spans: tuple[Span, ...]


def windows(spans: Iterable[Span], most: int) -> Iterator[Window]:
    """Cut spans into consecutive windows of at most `most` spans each, oldest first.

    Spans of different drivers overlap in time; a window's rows are merged by one query, and
    windows follow each other, so a reader that has enough rows stops after the first.
    More than `most` drivers at the very same moment share one larger window.
    """
    waiting = sorted(spans, key=attrgetter("begin_at", "driver_id"))
    while waiting:
        begin_at = waiting[0].begin_at
        later = [span.begin_at for span in waiting[most:] if span.begin_at > begin_at]
        end_at = later[0] if later else max(span.end_at for span in waiting)
        inside = [span for span in waiting if span.begin_at < end_at]
        yield Window(begin_at, end_at, tuple(_until(end_at, inside)))
        waiting = [
            *(replace(span, begin_at=end_at) for span in inside if span.end_at > end_at),
            *waiting[len(inside) :],
        ]


def _until(end_at: datetime, spans: Iterable[Span]) -> Iterator[Span]:
    for span in spans:
        yield replace(span, end_at=min(span.end_at, end_at))


def spans_of_driver(driver: Driver, begin_at: datetime, end_at: datetime) -> list[Span]:
    """One range of the key; none when the driver is frozen. No query."""
    if driver.frozen_at is not None or begin_at >= end_at:
        return []
    return [Span(driver.pk, begin_at, end_at)]


class Hand(NamedTuple):
    """Who had a truck or a mission in `[begin_at, end_at)`, as far as one may know.

    After an erasure `driver_id` is None and `erased_driver` a random value of that person.
    `is_closed`: the stored end is inclusive, a TICK before `end_at`. `linked_mission`: only
    the fixes that name this mission made the period, and the driver may have had other
    trucks in between.
    """

    begin_at: datetime
    end_at: datetime
    driver_id: int | None
    erased_driver: UUID | None
    is_frozen: bool
    is_closed: bool = False
    linked_mission: int | None = None

    @property
    def ended_at(self) -> datetime:
        """The end as a person is told it."""
        return self.end_at - TICK if self.is_closed else self.end_at


# The assignments of a truck, and the missions that were driven with it. The ids of assignments
# are compared as ranges because that is what their GiST index holds; a mission may have no
# truck, and a range of NULLs would be every truck's.
_HANDS_OF_TRUCK: Final = """
WITH asked AS (SELECT int8range(%(truck)s, %(truck)s, '[]') AS truck,
                      tstzrange(%(begin)s, %(end)s) AS during),
hands AS (
    SELECT a.driver_id, a.erased_driver, a.period, NULL::int AS linked_mission
      FROM accounts_truckassignment a, asked
     WHERE int8range(a.truck_id, a.truck_id, '[]') && asked.truck AND a.period && asked.during
    UNION ALL
    SELECT a.driver_id, a.erased_driver, a.open_period, NULL
      FROM missions_missionassignment a, asked
     WHERE a.truck_id = %(truck)s AND a.open_period && asked.during
    UNION ALL
    SELECT a.driver_id, a.erased_driver, a.linked_period, a.mission_id
      FROM missions_missionassignment a, asked
     WHERE a.truck_id = %(truck)s AND a.linked_period && asked.during
)
SELECT greatest(lower(h.period), %(begin)s) AS begin_at,
       least(upper(h.period) + (upper_inc(h.period)::int * interval '1 microsecond'), %(end)s),
       h.driver_id, h.erased_driver, coalesce(d.frozen_at IS NOT NULL, false),
       coalesce(upper_inc(h.period) AND upper(h.period) < %(end)s, false), h.linked_mission
  FROM hands h LEFT JOIN accounts_driver d ON d.id = h.driver_id
 ORDER BY begin_at, h.driver_id
"""


def hands_of_truck(truck: Truck, begin_at: datetime, end_at: datetime) -> list[Hand]:
    """Who had it, by assignment or by a mission, oldest first. One query."""
    if begin_at >= end_at:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_HANDS_OF_TRUCK, {"truck": truck.pk, "begin": begin_at, "end": end_at})
        return [Hand(*row) for row in cursor.fetchall()]


def spans_of_truck(
    truck: Truck, begin_at: datetime, end_at: datetime, hands: Iterable[Hand] | None = None
) -> list[Span]:
    """Its truck assignments and the missions driven with it, joined per driver. One query.

    A fix whose stored truck is another one does not belong. One without a truck does when
    the driver had this one then, for it was stored before that was known; where only fixes
    that name a mission say so, it must be one of these.
    """
    if hands is None:
        hands = hands_of_truck(truck, begin_at, end_at)
    hands = list(hands)
    held = [*joined(_readable(hand for hand in hands if hand.linked_mission is None))]
    return [
        replace(span, belongs=_belongs_to_truck(truck, span, held, hands))
        for span in joined(_readable(hands))
    ]


def _belongs_to_truck(
    truck: Truck, span: Span, held: Iterable[Span], hands: Iterable[Hand]
) -> Belongs:
    """`held` has the joined spans in which a driver had the truck, `hands` all there are."""
    if span in held:
        return Belongs("(f.truck_id = %s OR f.truck_id IS NULL)", (truck.pk,))
    missions = {hand.linked_mission for hand in hands if hand.driver_id == span.driver_id}
    sql = ["f.mission_id = ANY(%s)"]
    params: list[Any] = [truck.pk, sorted(one for one in missions if one is not None)]
    for part in held:
        if part.driver_id == span.driver_id and span.begin_at <= part.begin_at < span.end_at:
            sql.append("f.recorded_at >= %s AND f.recorded_at < %s")
            params += [part.begin_at, part.end_at]
    return Belongs(
        f"(f.truck_id = %s OR f.truck_id IS NULL AND ({' OR '.join(sql)}))", tuple(params)
    )


def _readable(hands: Iterable[Hand]) -> Iterator[Span]:
    for hand in hands:
        if hand.driver_id is not None and not hand.is_frozen:
            yield Span(hand.driver_id, hand.begin_at, hand.end_at)


def joined(ranges: Iterable[Span]) -> Iterator[Span]:
    """Join touching and overlapping ranges of the same driver; conditions are left out."""
    ordered = sorted(ranges, key=attrgetter("driver_id", "begin_at"))
    for driver_id, of_driver in groupby(ordered, key=attrgetter("driver_id")):
        current: Span | None = None
        for span in of_driver:
            if current is None:
                current = Span(driver_id, span.begin_at, span.end_at)
            elif span.begin_at <= current.end_at:
                current = replace(current, end_at=max(current.end_at, span.end_at))
            else:
                yield current
                current = Span(driver_id, span.begin_at, span.end_at)
        if current is not None:
            yield current


class Extent(NamedTuple):
    """When a mission has fixes. None at the end: it is still open.

    `ended_at` is the end as a person is told it, `end_at` the half-open one.
    """

    begin_at: datetime
    end_at: datetime | None
    ended_at: datetime | None


def extent_of_mission(mission: Mission) -> Extent | None:
    """From its first open or linked moment to its last; None when it never opened. One query."""
    periods = [
        period
        for row in MissionAssignment.objects.filter(mission=mission).values_list(
            "open_period", "linked_period"
        )
        for period in row
        if period is not None and not period.isempty
    ]
    if not periods:
        return None
    is_open = any(period.upper is None for period in periods)
    return Extent(
        min(_begin_of(period) for period in periods),
        None if is_open else max(end for period in periods if (end := _end_of(period))),
        None if is_open else max(period.upper for period in periods),
    )


def _begin_of(period: Any) -> datetime:
    lower: datetime | None = period.lower
    return lower or datetime.min.replace(tzinfo=UTC)


def _end_of(period: Any) -> datetime | None:
    upper: datetime | None = period.upper
    return upper + TICK if upper is not None and period.upper_inc else upper


def hands_of_mission(mission: Mission, begin_at: datetime, end_at: datetime) -> list[Hand]:
    """Who drove it while it was open, or named it, oldest first. One query."""
    hands = (
        hand
        for assignment in _assignments_of(mission, begin_at, end_at)
        for period in (assignment.open_period, assignment.linked_period)
        if (hand := _hand(assignment, period, begin_at, end_at)) is not None
    )
    return sorted(hands, key=attrgetter("begin_at"))


def spans_of_mission(mission: Mission, begin_at: datetime, end_at: datetime) -> list[Span]:
    """Its drivers' ranges while it was open, and where phones named it. Two queries.

    A fix belongs when it is linked to this mission; or when this mission was open for its
    driver then, and it is linked to none or to another one that was open then too
    (groupage). One that is linked to a mission that was not open then does not belong.
    """
    own = _assignments_of(mission, begin_at, end_at)
    neighbours = _neighbours_of(mission, own)
    hands = (
        hand
        for assignment in own
        for period in (assignment.open_period, assignment.linked_period)
        if (hand := _hand(assignment, period, begin_at, end_at)) is not None
    )
    return [
        replace(span, belongs=_belongs_to_mission(mission, span.driver_id, own, neighbours))
        for span in joined(_readable(hands))
    ]


def _assignments_of(
    mission: Mission, begin_at: datetime, end_at: datetime
) -> list[MissionAssignment]:
    if begin_at >= end_at:
        return []
    during = (begin_at, end_at)
    return list(
        MissionAssignment.objects.filter(
            Q(open_period__overlap=during) | Q(linked_period__overlap=during), mission=mission
        )
        .select_related("driver")
        .order_by("id")
    )


def _neighbours_of(mission: Mission, own: Sequence[MissionAssignment]) -> list[MissionAssignment]:
    """Other missions that the same drivers had open during this one (groupage)."""
    open_then = [
        Q(driver=assignment.driver_id, open_period__overlap=assignment.open_period)
        for assignment in own
        if assignment.driver_id is not None and assignment.open_period is not None
    ]
    if not open_then:
        return []
    return list(MissionAssignment.objects.filter(reduce(or_, open_then)).exclude(mission=mission))


def _hand(
    assignment: MissionAssignment, period: Any, begin_at: datetime, end_at: datetime
) -> Hand | None:
    if period is None or period.isempty:
        return None
    begin, end = max(_begin_of(period), begin_at), min(_end_of(period) or end_at, end_at)
    if begin >= end:
        return None
    is_frozen = assignment.driver is not None and assignment.driver.frozen_at is not None
    is_closed = period.upper_inc and period.upper < end
    return Hand(begin, end, assignment.driver_id, assignment.erased_driver, is_frozen, is_closed)


def _belongs_to_mission(
    mission: Mission,
    driver_id: int,
    own: Iterable[MissionAssignment],
    neighbours: Iterable[MissionAssignment],
) -> Belongs:
    beside = ["f.mission_id IS NULL"]
    beside_params: list[Any] = []
    for other in neighbours:
        if other.driver_id == driver_id:
            beside.append("(f.mission_id = %s AND f.recorded_at <@ %s)")
            beside_params += [other.mission_id, other.open_period]
    sql = ["f.mission_id = %s"]
    params: list[Any] = [mission.pk]
    for assignment in own:
        if assignment.driver_id == driver_id and assignment.open_period is not None:
            sql.append(f"(f.recorded_at <@ %s AND ({' OR '.join(beside)}))")
            params += [assignment.open_period, *beside_params]
    return Belongs(f"({' OR '.join(sql)})", tuple(params))
