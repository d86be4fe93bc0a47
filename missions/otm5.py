"""A mission as an OpenTripModel 5 trip: plain values in, JSON out. (pure)

Names are those of the published API definition of OTM 5.6; the reasons of a result also those
that later 5.x versions added. What happened stands beside what was planned: the same action
twice, with lifecycle `planned` and `realized`, under one id.

Not expressed, since OTM 5 has no word for it: whether a position was taken for its event
(`position_source`), the distance from the site and its check, the second clock
(`received_at`), who corrected what, and an exception that a driver reports under way. Files
are named, not sent. OTM's weight is that of a single item, ours of the line: it is divided. A
movement without a position is a time of its actions only, since OTM's events need a place.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import pairwise
from typing import Final
from uuid import UUID, uuid5

from accounts.moments import rfc3339
from missions.otm5_entities import (
    Json,
    attributes,
    carrier,
    consignment,
    consignment_id,
    document,
    driver,
    filled,
    geo,
    head,
    inline,
    location,
    reference,
    time,
    time_window,
    vehicle,
)
from missions.otm5_facts import Happened, TripFacts, Visit

VERSION: Final = "5.6"
TRIP_STATUS: Final = {
    "draft": "draft",
    "planned": "confirmed",
    "assigned": "confirmed",
    "started": "inTransit",
    "completed": "completed",
    "cancelled": "cancelled",
}
# What is done at a stop for each of our purposes.
ACTION_TYPES: Final[Mapping[str, tuple[str, ...]]] = {
    "load": ("load",),
    "unload": ("unload",),
    "both": ("load", "unload"),
    "hand_over": ("handOver",),
    "other": (),
}
_BETWEEN: Final = {
    "load": ("loading_started", "loading_ended"),
    "unload": ("unloading_started", "unloading_ended"),
}


def trip(facts: TripFacts) -> Json:
    """The whole trip, every entity inline where it is named first and by reference after."""
    return filled(
        {
            "entityType": "trip",
            "id": str(facts.id),
            "name": facts.reference or facts.external_id,
            "creationDate": rfc3339(facts.created_at),
            "lastModified": rfc3339(facts.updated_at),
            "externalAttributes": attributes(
                externalId=facts.external_id, ecmrNumber=facts.ecmr_number
            ),
            "status": TRIP_STATUS[facts.status],
            "transportMode": "road",
            "vehicle": vehicle(facts.vehicle),
            "actors": [carrier(facts), *map(driver, facts.drivers)],
            "constraint": time_window(facts.planned),
            "actions": [inline(action) for action in _actions(facts)],
            "contextEvents": list(_events(facts)),
        }
    )


# --- Actions ----------------------------------------------------------------------------


def _actions(facts: TripFacts) -> Iterator[Json]:
    seen: set[UUID] = set()
    for number, visit in enumerate(facts.visits):
        yield _planned_stop(visit, number, seen)
        if visit.happened or visit.result or visit.papers:
            yield _realized_stop(facts, visit, number)
    for before, after in pairwise(facts.visits):
        yield from _moves(before, after)
    yield from _spans(facts.under_way, "break_started", "break", ("break_ended",))


def _planned_stop(visit: Visit, number: int, seen: set[UUID]) -> Json:
    return filled(
        {
            **head(visit.id, "stop", "planned"),
            "sequenceNr": number,
            "externalAttributes": attributes(
                externalId=visit.external_id, reference=visit.reference
            ),
            "remark": visit.remark,
            "location": location(visit, seen),
            "startTime": time(visit.planned_arrival_at),
            "endTime": time(visit.planned_departure_at),
            "constraint": time_window(visit.window),
            "actions": [
                inline(
                    filled(
                        {
                            **head(uuid5(visit.id, kind), kind, "planned"),
                            "consignment": consignment(visit) if kind != "handOver" else None,
                        }
                    )
                )
                for kind in ACTION_TYPES[visit.purpose]
            ],
        }
    )


def _realized_stop(facts: TripFacts, visit: Visit, number: int) -> Json:
    return filled(
        {
            **head(visit.id, "stop", "realized"),
            "sequenceNr": number,
            "location": reference("location", visit.place.id) if visit.place else None,
            "startTime": _first(visit, "arrival"),
            "endTime": _last(visit, "departure"),
            "result": _result(visit),
            "actions": [inline(action) for action in _done(facts, visit)],
        }
    )


def _first(visit: Visit, stage: str) -> str | None:
    return time(next((one.recorded_at for one in visit.happened if one.stage == stage), None))


def _last(visit: Visit, stage: str) -> str | None:
    times = [one.recorded_at for one in visit.happened if one.stage == stage]
    return time(times[-1] if times else None)


def _result(visit: Visit) -> Json | None:
    if not visit.result:
        return None
    return filled(
        {
            "status": _camel(visit.result),
            "reason": _camel(visit.result_reason),
            "remark": visit.remark if visit.result != "succeeded" else None,
        }
    )


def _camel(word: str) -> str:
    first, *rest = word.split("_")
    return first + "".join(part.capitalize() for part in rest)


def _done(facts: TripFacts, visit: Visit) -> Iterator[Json]:
    """What was done at a stop: waiting, breaks, loading, unloading, handing over."""
    started = ("loading_started", "unloading_started", "departure")
    yield from _spans(visit.happened, "waiting_started", "wait", started)
    yield from _spans(visit.happened, "break_started", "break", ("break_ended",))
    photos = [document(paper) for paper in visit.papers if paper.kind == "photo"]
    for kind in ("load", "unload"):
        begin, end = (_first(visit, stage) for stage in _BETWEEN[kind])
        is_planned = kind in ACTION_TYPES[visit.purpose]
        if not begin and not end and not (is_planned and photos):
            continue
        yield filled(
            {
                **head(uuid5(visit.id, kind), kind, "realized"),
                "startTime": begin,
                "endTime": end,
                "consignment": reference("consignment", consignment_id(visit))
                if visit.goods and is_planned
                else None,
                "documents": photos,
            }
        )
        photos = []
    yield from _hand_overs(facts, visit, photos)


def _hand_overs(facts: TripFacts, visit: Visit, photos: list[Json]) -> Iterator[Json]:
    """A signature hands over from the carrier to whoever signed."""
    signatures = [paper for paper in visit.papers if paper.kind == "signature"]
    for paper in signatures:
        at = rfc3339(paper.recorded_at)
        receiver = {"entityType": "actor", "id": str(uuid5(paper.id, "signer"))}
        yield filled(
            {
                **head(uuid5(paper.id, "handOver"), "handOver", "realized"),
                "startTime": at,
                "endTime": at,
                "from": {**reference("actor", facts.carrier[0]), "roles": ["carrier"]},
                "to": inline({**receiver, "name": paper.signer}, roles=["receiver"])
                if paper.signer
                else None,
                "remark": paper.remark,
                "documents": [document(paper), *photos],
            }
        )
        photos = []
    if photos or (not signatures and _first(visit, "signature")):
        yield filled(
            {
                **head(uuid5(visit.id, "handOver"), "handOver", "realized"),
                "startTime": _first(visit, "signature"),
                "documents": photos,
            }
        )


def _spans(
    stages: Iterable[Happened], begin: str, kind: str, ends: tuple[str, ...]
) -> Iterator[Json]:
    """Actions from one stage until the next of `ends`; open when none came."""
    opened: Happened | None = None
    for stage in stages:
        if stage.stage == begin and opened is None:
            opened = stage
        elif opened is not None and stage.stage in ends:
            yield _span(opened, kind, stage.recorded_at)
            opened = None
    if opened is not None:
        yield _span(opened, kind, None)


def _span(opened: Happened, kind: str, ended_at: datetime | None) -> Json:
    return filled(
        {
            **head(opened.id, kind, "realized"),
            "startTime": rfc3339(opened.recorded_at),
            "endTime": time(ended_at),
        }
    )


def _moves(before: Visit, after: Visit) -> Iterator[Json]:
    """Driving from one stop to the next, as planned and as it was."""
    ends = {
        "from": reference("location", before.place.id) if before.place else None,
        "to": reference("location", after.place.id) if after.place else None,
    }
    uuid = uuid5(before.id, f"move to {after.id}")
    planned = (time(before.planned_departure_at), time(after.planned_arrival_at))
    realized = (_last(before, "departure"), _first(after, "arrival"))
    for lifecycle, (begin, end) in (("planned", planned), ("realized", realized)):
        if begin or end or lifecycle == "planned":
            times = {"startTime": begin, "endTime": end}
            yield filled(
                {**head(uuid, "move", lifecycle), "transportMode": "road", **ends, **times}
            )


# --- Events -----------------------------------------------------------------------------

_EVENT: Final = {
    "departure": "startMovingEvent",
    "arrival": "stopMovingEvent",
    "waiting_started": "startWaitingEvent",
}


def _events(facts: TripFacts) -> Iterator[Json]:
    """Where the truck began and stopped to move or to wait, for each with a place."""
    happened = [*facts.under_way, *(one for visit in facts.visits for one in visit.happened)]
    for stage in sorted(happened, key=lambda one: one.recorded_at):
        kind, place = _EVENT.get(stage.stage), geo(stage.point)
        if kind is None or place is None:
            continue
        yield filled(
            {
                "eventType": kind,
                "id": str(stage.id),
                "creationDate": rfc3339(stage.recorded_at),
                "lifecycle": "actual",
                "vehicle": reference("vehicle", facts.vehicle[0]) if facts.vehicle else None,
                "geoReference": place,
            }
        )
