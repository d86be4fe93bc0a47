"""Which stored stop each stop of a table is."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from missions.import_grouping import AskedMission, AskedStop
from missions.models import Mission, Stop


@dataclass(frozen=True, slots=True)
class Match:
    """For each stop of the table the stored one, or None; and the stored ones it does not name.

    Of those, `kept` are ones that somebody has been at, and `removed` the others.
    """

    stored: tuple[Stop | None, ...]
    kept: tuple[Stop, ...] = ()
    removed: tuple[Stop, ...] = ()

    @property
    def is_reordered(self) -> bool:
        """Whether the stops that stay stand in another order than before."""
        order = [stop.seq for stop in (*self.kept, *self.stored) if stop is not None]
        return order != sorted(order)


def match_stops(asked: AskedMission, mission: Mission | None, touched: Collection[int]) -> Match:
    """By external id; a stop without one by its `seq`, else by its place in the order.

    A table that speaks of no stops leaves them all as they are.
    """
    if mission is None or not asked.stops:
        return Match((None,) * len(asked.stops))
    stops = sorted(mission.stops.all(), key=lambda stop: stop.seq)
    by_place = _by_place(asked.stops, stops)
    by_external_id = {stop.external_id: stop for stop in stops if stop.external_id}
    named = {stop.external_id for stop in asked.stops if stop.external_id}
    stored = []
    for index, stop in enumerate(asked.stops):
        found = by_external_id.get(stop.external_id)
        if found is None and not stop.external_id:
            there = by_place[index]
            found = None if there is None or there.external_id in named else there
        stored.append(found)
    taken = {stop.pk for stop in stored if stop is not None}
    left = [stop for stop in stops if stop.pk not in taken]
    return Match(
        tuple(stored),
        kept=tuple(stop for stop in left if stop.pk in touched),
        removed=tuple(stop for stop in left if stop.pk not in touched),
    )


def _by_place(asked: Sequence[AskedStop], stops: Sequence[Stop]) -> list[Stop | None]:
    """By `seq` when the mission has each number that the table gives, else one after the other."""
    by_seq = {stop.seq: stop for stop in stops}
    if all(stop.seq in by_seq for stop in asked):
        return [by_seq[stop.seq] for stop in asked if stop.seq is not None]
    return [stops[index] if index < len(stops) else None for index in range(len(asked))]
